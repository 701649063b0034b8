"""A guest, and the proof that it is alive and still the same."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate_plugins_lab import ticks
from migrate_plugins_lab.errors import SilentGuestError

if TYPE_CHECKING:
    from pathlib import Path

    from migrate_plugins_lab.ticks import Continuity, Tick


@dataclass(frozen=True)
class Guest:
    """A guest of a lab, on whichever host it is now."""

    name: str
    uuid: str
    serial: Path
    """What it prints, from all hosts in one file."""

    def ticks(self) -> list[Tick]:
        """Everything it has printed so far."""
        return ticks.read(self.serial.read_text(encoding="ascii", errors="replace"))

    def wait_for_ticks(self, count: int = 5, *, seconds: float = 10.0) -> None:
        """Wait until it has printed *count* more lines.

        Raises:
            SilentGuestError: It has not after *seconds*.
        """
        before = len(self.ticks())
        give_up = time.monotonic() + seconds
        while (got := len(self.ticks()) - before) < count:
            if time.monotonic() >= give_up:
                raise SilentGuestError(self.name, wanted=count, got=got, seconds=seconds)
            time.sleep(0.5 / ticks.RATE)

    def continuity(self) -> Continuity:
        """Whether its life has been one, from its first line to its last."""
        return ticks.continuity(self.ticks())

    def describe(self) -> dict[str, str]:
        """The guest in the words of ``lab guest --json``."""
        return {"name": self.name, "uuid": self.uuid, "serial": str(self.serial)}
