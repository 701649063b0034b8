"""What VirtualBox's states of a machine mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import GuestState

if TYPE_CHECKING:
    from migrate_plugins_vbox.machine import Machine

__all__ = ["Meaning", "meaning"]


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
    return _MEANINGS.get(machine.state, Meaning(GuestState.UNKNOWN, machine.state))
