"""A Xen guest, and the proof that it is alive and still the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migrate_plugins_lab import guest
from migrate_plugins_lab.ticks import Tick

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# The hypervisor puts "(d7) " before what its domain 7 prints.
_LINE: Final = re.compile(r"\(d\d+\) lab (\S+) ([0-9a-f]{16}) ([0-9a-f]{8})\r?")


@dataclass(frozen=True)
class Guest(guest.Guest):
    """A guest on one of two Xen hosts.

    Each hypervisor writes what its guests print into a console log of its own; ``serial`` is that
    of the host where this one started.
    """

    consoles: tuple[Path, ...]
    """The console logs of all hosts."""

    @property
    def label(self) -> str:
        """What it calls itself in what it prints."""
        return f"{self.name}.{self.uuid[:8]}"

    def ticks(self) -> list[Tick]:
        """Everything it has printed so far, put in order."""
        texts = (log.read_text(encoding="ascii", errors="replace") for log in self.consoles)
        return merge(texts, self.label)


def merge(consoles: Iterable[str], label: str) -> list[Tick]:
    """The ticks of the guest *label* out of the console logs of all hosts.

    Each boot's are sorted by their number.  That hides nothing: a guest that ran in two places at
    once printed numbers twice, and one that lost time missed some.  A last line without its end is
    still being written and is left out.
    """
    boots: dict[str, list[Tick]] = {}
    for text in consoles:
        for line in text.split("\n")[:-1]:
            match = _LINE.fullmatch(line)
            if match and match[1] == label:
                tick = Tick(match[2], int(match[3], 16))
                boots.setdefault(tick.boot_id, []).append(tick)
    return [tick for found in boots.values() for tick in sorted(found)]
