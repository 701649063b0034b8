"""What both hosts show of the reason for a failure, whatever the hypervisor says of it.

A connection that broke is worded alike whichever end it led to; that the source cannot be read any
more tells which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins.diagnosis import Diagnosis, Remedy
from migrate_plugins.model import Seat
from migrate_plugins.sessions import GuestState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins.outcome import Outcome

__all__ = ["aftermath"]

_SEEN: Final = 0.95


def aftermath(outcome: Outcome) -> Iterator[Diagnosis]:
    """Tell what can be concluded from the guest's state on both hosts, before and afterwards."""
    before = outcome.facts and outcome.facts.guest
    guest = outcome.plan.guest
    if outcome.source_unreadable is not None:
        yield Diagnosis(
            "lost-source",
            "the connection to the source's daemon broke, or it does not answer, so that nobody"
            " tells how the migration ended",
            (
                Remedy("see that the management daemon runs and answers", Seat.SOURCE),
                Remedy(f"migrate-plugins reconcile {guest}"),
            ),
            _SEEN,
        )
    source, there = outcome.source, outcome.destination
    if (
        before is not None
        and before.state.active
        and source is not None
        and source.state in {GuestState.SHUTOFF, GuestState.CRASHED}
        and (there is None or not there.state.active)
        and outcome.unreadable is None
    ):
        ended = "crashed" if source.state is GuestState.CRASHED else "was shut off"
        yield Diagnosis(
            "guest-ended",
            f"{guest} {ended} on the source while it was being migrated: by itself, or by somebody",
            (
                Remedy("read in the guest's own log, and the hypervisor's, why", Seat.SOURCE),
                Remedy("start it again where you want it, then migrate"),
            ),
            _SEEN,
        )
