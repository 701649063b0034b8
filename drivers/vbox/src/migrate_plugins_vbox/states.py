"""What VirtualBox's states of a machine mean, alone and in pairs; pure.

How a teleportation ended is told by no exit status: VBoxManage has been seen to fail after one
that succeeded.  What decides is the pair of states of the two machines, as they are when neither
changes any more.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import GuestState, Leftover

if TYPE_CHECKING:
    from migrate_plugins_vbox.machine import Machine

__all__ = [
    "ABSENT",
    "GONE",
    "INACTIVE",
    "LEAVING",
    "STARTABLE",
    "STUCK",
    "WAITING",
    "Meaning",
    "Verdict",
    "leftover",
    "meaning",
    "stuck",
    "verdict",
]

# VirtualBox's own words where they are asked for one by one.
STARTABLE: Final = frozenset({"poweroff", "aborted", "teleported"})
INACTIVE: Final = STARTABLE | {"saved", "aborted-saved"}
LEAVING: Final = frozenset({"teleporting", "teleportingpausedvm"})
WAITING: Final = "teleportingin"
GONE: Final = "teleported"
STUCK: Final = "gurumeditation"
# Ours, for a machine that is not registered.
ABSENT: Final = "absent"

_STOPPING: Final = "stopping"
# Seconds after which a machine that is stopping is taken for one that never will.
_STUCK_AFTER: Final = 30.0


class Meaning(NamedTuple):
    """What a state of VirtualBox means.

    Attributes:
        state: Whether the guest runs.
        reason: Why it is so, or None.
        job: What is being done to it, or None.
    """

    state: GuestState
    reason: str | None = None
    job: str | None = None


_MEANINGS: Final = {
    "running": Meaning(GuestState.RUNNING),
    "paused": Meaning(GuestState.PAUSED),
    "poweroff": Meaning(GuestState.SHUTOFF),
    "saved": Meaning(GuestState.SHUTOFF, "saved"),
    "aborted-saved": Meaning(GuestState.SHUTOFF, "saved"),
    "teleported": Meaning(GuestState.SHUTOFF, "teleported"),
    "aborted": Meaning(GuestState.CRASHED, "aborted"),
    "gurumeditation": Meaning(GuestState.CRASHED, "guru meditation"),
    "teleporting": Meaning(GuestState.RUNNING, None, "migration out"),
    "teleportingpausedvm": Meaning(GuestState.PAUSED, "migration", "migration out"),
    "teleportingin": Meaning(GuestState.PAUSED, "migration", "migration in"),
}


def meaning(machine: Machine) -> Meaning:
    """Say what the state of a machine means."""
    if stuck(machine) and machine.state == _STOPPING:
        return Meaning(GuestState.CRASHED, "stuck while stopping")
    return _MEANINGS.get(machine.state, Meaning(GuestState.UNKNOWN, machine.state))


def stuck(machine: Machine) -> bool:
    """Whether its process is there and will not go on."""
    if machine.state != _STOPPING or machine.changed is None or machine.asked is None:
        return machine.state == STUCK
    return (machine.asked - machine.changed).total_seconds() > _STUCK_AFTER


def leftover(machine: Machine) -> Leftover | None:
    """Say what a migration left with a machine that has to be put right."""
    if machine.state == WAITING:
        return Leftover("it waits for a guest")
    if stuck(machine):
        return Leftover("its process is still there")
    told = []
    if machine.teleporter:
        told.append("its teleporter is on: the next start would wait for a guest")
    if machine.marked:
        told.append("it is registered only as long as it runs")
    if not told or machine.state not in INACTIVE | {"running", "paused"}:
        return None
    until = None if machine.state in INACTIVE else "it is shut off"
    return Leftover(", and ".join(told), until)


class Verdict(StrEnum):
    """What a pair of states says of a teleportation."""

    UNDER_WAY = "it is under way"
    DONE = "the guest has moved"
    DONE_STUCK = "the guest has moved, and the source's process is still there"
    STAYED = "the guest stayed"
    STAYED_WAITING = "the guest stayed, and the target still waits for it"
    LOST = "no running copy is left"
    UNKNOWN = "nobody can tell"


_ON: Final = ("running", "paused")
_ENDED: Final = (*sorted(STARTABLE), ABSENT)

_VERDICTS: Final = {
    # As long as the source has not decided, what the target shows decides nothing.
    **{(here, there): Verdict.UNDER_WAY for here in LEAVING for there in (WAITING, *_ON, *_ENDED)},
    # A source that has left is forgotten to be anything but off when VirtualBox's server ends, some
    # seconds later; and a target runs only if it has taken the guest over.
    **{(here, there): Verdict.DONE for here in sorted(STARTABLE) for there in _ON},
    # The last word of the target was lost on the way: it had taken over all the same.
    (STUCK, "running"): Verdict.DONE_STUCK,
    **{(here, there): Verdict.STAYED for here in _ON for there in _ENDED},
    **{(here, WAITING): Verdict.STAYED_WAITING for here in _ON},
    # The source had given up its disks, and never heard that the target had them.
    **{(STUCK, there): Verdict.LOST for there in _ENDED},
}


def verdict(source: str, target: str) -> Verdict:
    """Say how a teleportation ended, of the states of both machines.

    Args:
        source: In VirtualBox's word, or :data:`ABSENT`.
        target: Likewise.
    """
    return _VERDICTS.get((source, target), Verdict.UNKNOWN)
