"""What receives a guest through libvirt's tunnel, and how it is ended.

Neither end of the tunnel is told when the other one stops: once nobody sends any more, what
receives waits for ever, and so does the source's daemon.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from migrate_plugins import Leftover

if TYPE_CHECKING:
    from migrate_plugins import Shell

__all__ = ["BY_HAND", "WAITING", "ending", "is_tunnel"]

WAITING: Final = Leftover("it waits for what comes through libvirt's tunnel")

# libxl gives the stream, the way back and the number of the guest to the program that receives it.
_RECEIVER: Final = "libxl-save-helpe[r] --restore-domain -?[0-9]+ -?[0-9]+ {} "
# Without a tunnel the stream is the connection of the two hosts itself.
_KIND: Final = """
pgrep -a -f -- "$1" | while read -r pid _ _ stream _; do readlink "/proc/$pid/fd/$stream"; done
"""


def ending(number: int | str) -> tuple[str, ...]:
    """Give what ends the receiving of the guest of that *number*, as root of the destination."""
    return ("pkill", "-TERM", "-f", "--", _RECEIVER.format(number))


BY_HAND: Final = shlex.join(ending("[0-9]+"))
"""The same of every guest."""


def is_tunnel(shell: Shell, number: int) -> bool:
    """Whether the guest of that *number* is received through a tunnel."""
    answer = shell.run(("sh", "-c", _KIND, "sh", _RECEIVER.format(number)))
    return answer.status == 0 and answer.output.startswith("pipe:")
