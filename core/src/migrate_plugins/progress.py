"""Progress of a migration: events, and who watches them."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, TypeAlias

__all__ = ["Event", "Observer", "Phase", "Statistics"]


class Phase(StrEnum):
    """The life of a migration."""

    CONNECT = "connect"
    CHECK = "check"
    PREPARE = "prepare"
    TRANSFER = "transfer"
    CANCEL = "cancel"
    VERIFY = "verify"
    DONE = "done"
    MEND = "mend"  # a step of ``reconcile``, afterwards
    PENDING = "pending"  # what was left over; without a text: that it is put right


class Statistics(NamedTuple):
    """How far a transfer is; None is what the hypervisor does not tell.

    Attributes:
        transferred: Bytes sent, pages that were sent again included.
        remaining: Bytes still to send as of now; grows when the guest writes.
        total: Bytes in all: the guest's memory and the disks that are copied.
        rate: Bytes sent a second.
        dirty_rate: Bytes that the guest writes a second.
        iteration: Pass over the memory, the first is 1.
        downtime: Milliseconds that the guest stands still, expected or measured.
        postcopy: Whether the guest runs on the destination already.
        percent: How much is done, from 0 to 100, where no bytes are told.
    """

    transferred: int | None = None
    remaining: int | None = None
    total: int | None = None
    rate: int | None = None
    dirty_rate: int | None = None
    iteration: int | None = None
    downtime: int | None = None
    postcopy: bool = False
    percent: float | None = None

    @property
    def eta(self) -> float | None:
        """Seconds to go, or None when no honest figure can be given.

        There is one only while memory is sent faster than the guest writes it.
        """
        if not self.rate or self.remaining is None:
            return None
        gain = self.rate - (0 if self.postcopy else self.dirty_rate or 0)
        return self.remaining / gain if gain > 0 else None


class Event(NamedTuple):
    """One thing that happened.

    Attributes:
        guest: Name of the guest on the source.
        phase: Where the migration is.
        elapsed: Seconds since it was asked for.
        text: A sentence, or None for mere progress.
        statistics: How far the transfer is, or None outside of it.
    """

    guest: str
    phase: Phase
    elapsed: float
    text: str | None = None
    statistics: Statistics | None = None


# Anything that takes an event: `print` will do.
Observer: TypeAlias = Callable[[Event], object]
