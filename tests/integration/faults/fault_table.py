"""Every fault, phase and flow: what is broken when, and what must be said and be true then.  Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

__all__ = ["CELLS", "CI", "Cell", "Fault", "Flow", "Moment", "expected"]


class Moment(StrEnum):
    """When the fault strikes."""

    BEFORE = "before"
    COPY = "memory copy"
    SWITCHOVER = "switchover"
    AFTER = "after"


class Flow(StrEnum):
    """Who controls the migration and how memory travels, as a scenario of the document."""

    DIRECT = "native-direct"
    PEER2PEER = "native-p2p"
    TUNNELLED = "tunnelled-p2p"


class Fault(NamedTuple):
    """What is broken.

    Attributes:
        title: As the table calls it.
        host: Of the lab, or None where it is the tool, its disk, or the guest by itself.
        kind: The lab's fault with its argument; empty likewise.
        moments: When it can strike.
    """

    title: str
    host: str | None
    kind: tuple[str, ...]
    moments: tuple[Moment, ...] = tuple(Moment)


TOOL: Final = Fault("our tool is killed (kill -9)", None, ())
FULL: Final = Fault("the journal's disk is full", None, ())
POWER_OFF: Final = Fault(
    "the guest powers itself off", None, (), (Moment.BEFORE, Moment.COPY, Moment.AFTER)
)

# A tunnel goes through the daemon's own port, so that this one is closed as well.
_PORTS: Final = "16509-49215"

FAULTS: Final = (
    TOOL,
    Fault("source's daemon is killed", "alpha", ("kill-daemon",)),
    Fault("source's daemon freezes", "alpha", ("freeze-daemon",)),
    Fault("destination's daemon is killed", "beta", ("kill-daemon",)),
    Fault("destination's daemon freezes", "beta", ("freeze-daemon",)),
    Fault("link is cut", "beta", ("cut",)),
    Fault("link slows to a crawl", "alpha", ("bandwidth", "64kbit")),
    Fault("ports are blocked", "beta", ("block-ports", _PORTS)),
    Fault(
        "destination's QEMU is killed",
        "beta",
        ("kill-guest", "web1"),
        (Moment.COPY, Moment.SWITCHOVER),
    ),
    FULL,
    POWER_OFF,
)


class Cell(NamedTuple):
    """One cell of the table."""

    fault: Fault
    moment: Moment
    flow: Flow

    def __str__(self) -> str:
        return f"{self.fault.title}, {self.moment}, {self.flow}"


CELLS: Final = tuple(
    Cell(fault, moment, flow) for fault in FAULTS for moment in fault.moments for flow in Flow
)
