"""What the boot program prints, and what it proves.

Pure: text in, values out.  The program is ``boot/tick.S``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

RATE: Final = 50
"""Lines a second."""

_LINE: Final = re.compile(r"([0-9a-f]{16}) ([0-9a-f]{8})")


class Tick(NamedTuple):
    """One line of a guest: which boot it belongs to, and its number since then."""

    boot_id: str
    counter: int


@dataclass(frozen=True)
class Continuity:
    """Whether a guest's life has been one, from its first line to its last."""

    ticks: int
    breaks: tuple[str, ...]
    """Every place where it was not, in words."""

    @property
    def unbroken(self) -> bool:
        """Whether the guest ticked, was never started anew, and missed and repeated nothing."""
        return bool(self.ticks) and not self.breaks


def read(text: str) -> list[Tick]:
    """The ticks in a guest's serial output, in the order they were printed.

    A last line without its end is still being written and is left out.  Two guests writing at
    once (a split) tear each other's lines: those count as ticks of no boot, and so as a break.
    """
    found = []
    for line in text.split("\n")[:-1]:
        match = _LINE.fullmatch(line)
        found.append(Tick(match[1], int(match[2], 16)) if match else Tick(f"torn {line!r}", 0))
    return found


def continuity(ticks: Sequence[Tick]) -> Continuity:
    """Judge a guest's ticks."""
    breaks = []
    if ticks and ticks[0].counter != 1:
        breaks.append(f"the first line is number {ticks[0].counter}, not 1")
    for place, (before, after) in enumerate(pairwise(ticks), start=2):
        if after.boot_id != before.boot_id:
            breaks.append(f"line {place}: boot {after.boot_id} after boot {before.boot_id}")
        elif after.counter != before.counter + 1:
            breaks.append(f"line {place}: number {after.counter} after number {before.counter}")
    return Continuity(len(ticks), tuple(breaks))
