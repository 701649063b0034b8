"""What receives a guest through libvirt's tunnel, and how it is ended.

Neither end of the tunnel is told when the other one stops: once nobody sends any more, what
receives waits for ever, and so does the source's daemon.
"""

from __future__ import annotations

import shlex
from typing import Final

from migrate_plugins import Leftover

__all__ = ["BY_HAND", "WAITING", "ending"]

WAITING: Final = Leftover("it waits for what comes through libvirt's tunnel")

# libxl gives the stream, the way back and the number of the guest to the program that receives it.
_RECEIVER: Final = "libxl-save-helpe[r] --restore-domain -?[0-9]+ -?[0-9]+ {} "


def ending(number: int | str) -> tuple[str, ...]:
    """Give what ends the receiving of the guest of that *number*, as root of the destination."""
    return ("pkill", "-TERM", "-f", "--", _RECEIVER.format(number))


BY_HAND: Final = shlex.join(ending("[0-9]+"))
"""The same of every guest."""
