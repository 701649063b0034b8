"""Every fault, phase and flow: what is broken when, and what must be said then.  Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["CELLS", "Cell", "Fault", "Flow", "Moment", "Trial", "expected", "wrong"]


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

SOURCE_KILLED: Final = Fault("source's daemon is killed", "alpha", ("kill-daemon",))
SOURCE_FROZEN: Final = Fault("source's daemon freezes", "alpha", ("freeze-daemon",))
DESTINATION_KILLED: Final = Fault("destination's daemon is killed", "beta", ("kill-daemon",))
DESTINATION_FROZEN: Final = Fault("destination's daemon freezes", "beta", ("freeze-daemon",))
CUT: Final = Fault("link is cut", "beta", ("cut",))
CRAWL: Final = Fault("link slows to a crawl", "alpha", ("bandwidth", "64kbit"))
BLOCKED: Final = Fault("ports are blocked", "beta", ("block-ports", _PORTS))
QEMU_KILLED: Final = Fault(
    "destination's QEMU is killed",
    "beta",
    ("kill-guest", "web1"),
    (Moment.COPY, Moment.SWITCHOVER),
)

FAULTS: Final = (
    TOOL,
    SOURCE_KILLED,
    SOURCE_FROZEN,
    DESTINATION_KILLED,
    DESTINATION_FROZEN,
    CUT,
    CRAWL,
    BLOCKED,
    QEMU_KILLED,
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


class Trial(NamedTuple):
    """What came of a cell.

    Attributes:
        cell: Which one.
        verdict: The tool's own; None where it was killed, or refused to begin.
        status: Its exit status, negative for the signal that ended it.
        told: Ids of the diagnoses, the most likely first.
        seconds: From the fault, or the start, to the tool's end.
        cancelled: Whether it went on until it was cancelled.
        here: State of the guest on the source once all is healed and reconciled, or None.
        there: Likewise on the destination.
        settled: What reconcile calls it.
        stored: Hosts that have the guest's configuration in the end.
        breaks: Where the guest's life was not one.
        text: The last words of the tool.
    """

    cell: Cell
    verdict: str | None
    status: int
    told: tuple[str, ...]
    seconds: float
    cancelled: bool
    here: str | None
    there: str | None
    settled: tuple[str, ...]
    stored: tuple[str, ...]
    breaks: tuple[str, ...]
    text: str


# What it comes to during the copy, where it does not simply fail.
_COPY: Final[Mapping[Fault, frozenset[str | None]]] = {
    SOURCE_KILLED: frozenset({"unknown"}),
    SOURCE_FROZEN: frozenset({"unknown"}),
    # A tunnel that is stuck keeps libvirt from stopping: then it is for reconcile to tell.
    CRAWL: frozenset({"cancelled", "unknown"}),
    # A destination that hears nothing keeps what it has received for a while: that is told.
    BLOCKED: frozenset({"failed", "paused"}),
    FULL: frozenset({"done"}),
    POWER_OFF: frozenset({"lost"}),
}

# That libvirt does not say why, and where the reason may be.
_HIDDEN: Final = "stream-hidden"

# What it must be taken for first, where the tool names a cause at all.
_CAUSES: Final[Mapping[Fault, frozenset[str]]] = {
    SOURCE_KILLED: frozenset({"lost-source"}),
    SOURCE_FROZEN: frozenset({"lost-source"}),
    DESTINATION_KILLED: frozenset({"lost-dest"}),
    DESTINATION_FROZEN: frozenset({"lost-dest"}),
    # A QEMU that waits for the link keeps its daemon waiting too, so that nobody can read it.
    CUT: frozenset({"data-port-no-route", "lost-dest", "lost-source", "transfer-stalled"}),
    CRAWL: frozenset({"cancel-not-heeded", "lost-dest", "lost-source"}),
    # A QEMU whose stream is cut ends, and one that is killed leaves no word in its log.
    BLOCKED: frozenset(
        {"data-connection-broke", "data-port-refused", "dest-qemu-died", "lost-dest", _HIDDEN}
    ),
    QEMU_KILLED: frozenset({"data-connection-broke", "dest-qemu-died", _HIDDEN}),
    POWER_OFF: frozenset({"guest-ended"}),
}

_STATUS: Final = {"done": 0, "failed": 1, "cancelled": 130}
_SPLIT: Final = ("running-on-both",)
_PLACE: Final = {"done": "beta", "failed": "alpha", "cancelled": "alpha"}


def expected(cell: Cell) -> frozenset[str | None]:
    """Tell which verdicts are right; at a switchover it is a matter of milliseconds which."""
    fault, moment, flow = cell
    if fault == TOOL:
        # The last phase takes some milliseconds: it may have ended before it is killed.
        return frozenset({None, "done"} if moment is Moment.AFTER else {None})
    if moment is Moment.AFTER:
        return frozenset({"done"})
    if moment is Moment.BEFORE:
        refused = {SOURCE_KILLED, SOURCE_FROZEN, FULL, POWER_OFF}
        refused |= {DESTINATION_KILLED, DESTINATION_FROZEN}
        if flow is not Flow.DIRECT:  # the check asks the source to open the destination
            refused |= {CUT, BLOCKED}
        if fault in refused:
            return frozenset({None})
    if moment is Moment.SWITCHOVER and fault != FULL:
        return frozenset({"done", "failed", "unknown", "paused", "cancelled"})
    if fault == BLOCKED and moment is Moment.BEFORE:
        return frozenset({"failed"})
    if fault == CUT and moment is Moment.BEFORE:
        # TCP may try for longer than anybody should wait: then it is for reconcile to tell.
        return frozenset({"failed", "unknown"})
    return _COPY.get(fault, frozenset({"failed"}))


def wrong(trial: Trial) -> list[str]:
    """Name everything that is not as it must be."""
    found = []
    if trial.verdict not in expected(trial.cell):
        found.append(f"the verdict is {trial.verdict}")
    if trial.verdict is not None and trial.status != _STATUS.get(trial.verdict, 6):
        found.append(f"the status is {trial.status}")
    if trial.breaks and trial.settled != _SPLIT:
        found.append(f"the guest's life was not one: {trial.breaks[0]}")
    if trial.told and trial.told[0] not in _CAUSES.get(trial.cell.fault, ()):
        found.append(f"it is taken for {trial.told[0]}")
    found += _misplaced(trial)
    known = {"finished", "rolled-back", "lost"}
    if (trial.cell.fault, trial.cell.moment) == (DESTINATION_FROZEN, Moment.SWITCHOVER):
        known |= {*_SPLIT}
    odd = [state for state in trial.settled if state not in known]
    if odd:
        found.append(f"reconcile calls it {', '.join(odd)}")
    return found


def _misplaced(trial: Trial) -> Iterator[str]:
    """Name what is wrong with where the guest is in the end."""
    states = {"alpha": trial.here, "beta": trial.there}
    running = [host for host, state in states.items() if state == "running"]
    if trial.cell.fault == POWER_OFF:
        if running:
            yield "the guest powered itself off, and runs"
        return
    if running == ["alpha", "beta"] and trial.verdict == "unknown" and trial.settled == _SPLIT:
        return  # what libvirt does to a destination that froze at that moment: said, and left alone
    if len(running) != 1:
        yield f"it runs on {' and '.join(running) or 'no host'}"
        return
    (host,) = running
    if any(states[other] is not None for other in states if other != host):
        yield "a copy of it is left"
    if trial.stored != (host,):
        yield f"its configuration is on {' and '.join(trial.stored) or 'no host'}"
    if _PLACE.get(trial.verdict or "", host) != host:
        yield f"the verdict is {trial.verdict}, and it runs on {host}"
