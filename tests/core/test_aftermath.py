"""What both hosts show of the reason for a failure."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import (
    Diagnosis,
    DriverError,
    Facts,
    GuestFacts,
    GuestState,
    HostFacts,
    Outcome,
    Remedy,
    Seat,
    Verdict,
)
from migrate_plugins.aftermath import aftermath

if TYPE_CHECKING:
    from migrate_plugins import Migrator

RUNNING = GuestFacts("web1", "u1", GuestState.RUNNING, persistent=True, memory=1024)
PAUSED = RUNNING._replace(state=GuestState.PAUSED)
SHUTOFF = RUNNING._replace(state=GuestState.SHUTOFF)
CRASHED = RUNNING._replace(state=GuestState.CRASHED)
HOST = HostFacts("alpha", "a", "fake 1", "faked 1")
LOST, ENDED = "lost-source", "guest-ended"

# fmt: off
CASES = [
    # before   source   destination  source unreadable  destination unreadable  ids
    (RUNNING,  RUNNING, None,        None,              None,                   []),
    (RUNNING,  RUNNING, PAUSED,      None,              "no route",             []),
    (RUNNING,  None,    None,        "no route",        None,                   [LOST]),
    (RUNNING,  None,    PAUSED,      "no route",        None,                   [LOST]),
    (RUNNING,  SHUTOFF, None,        None,              None,                   [ENDED]),
    (RUNNING,  CRASHED, None,        None,              None,                   [ENDED]),
    (PAUSED,   SHUTOFF, SHUTOFF,     None,              None,                   [ENDED]),
    (RUNNING,  SHUTOFF, RUNNING,     None,              None,                   []),
    (RUNNING,  SHUTOFF, PAUSED,      None,              None,                   []),
    (RUNNING,  SHUTOFF, None,        None,              "no route",             []),
    (SHUTOFF,  SHUTOFF, None,        None,              None,                   []),
    (None,     SHUTOFF, None,        None,              None,                   []),
    (RUNNING,  None,    None,        None,              None,                   []),
]
# fmt: on


def _outcome(
    migrator: Migrator,
    before: GuestFacts | None,
    source: GuestFacts | None,
    destination: GuestFacts | None,
    source_unreadable: str | None = None,
    unreadable: str | None = None,
) -> Outcome:
    return Outcome(
        migrator.plan("web1", source="qemu:///system", destination="qemu+ssh://beta/system"),
        Verdict.UNKNOWN,
        source,
        destination,
        unreadable,
        DriverError("migrating web1", problem="x"),
        facts=Facts(HOST, before, HOST, None),
        source_unreadable=source_unreadable,
    )


@pytest.mark.parametrize(
    ("before", "source", "destination", "source_unreadable", "unreadable", "ids"), CASES
)
def test_only_what_follows_is_told(
    migrator: Migrator,
    before: GuestFacts | None,
    source: GuestFacts | None,
    destination: GuestFacts | None,
    source_unreadable: str | None,
    unreadable: str | None,
    ids: list[str],
) -> None:
    outcome = _outcome(migrator, before, source, destination, source_unreadable, unreadable)

    assert [diagnosis.id for diagnosis in aftermath(outcome)] == ids


def test_lost_source_leads_to_the_way_back(migrator: Migrator) -> None:
    outcome = _outcome(migrator, RUNNING, None, None, "no route")

    assert [*aftermath(outcome)] == [
        Diagnosis(
            "lost-source",
            "the connection to the source's daemon broke, or it does not answer, so that nobody"
            " tells how the migration ended",
            (
                Remedy("see that the management daemon runs and answers", Seat.SOURCE),
                Remedy("migrate-plugins reconcile web1"),
            ),
            0.95,
        )
    ]


def test_guest_is_never_said_to_have_ended_while_it_may_run(migrator: Migrator) -> None:
    states = [None, *(RUNNING._replace(state=state) for state in GuestState)]
    for source, destination, unreadable in product(states, states, (None, "no route")):
        outcome = _outcome(migrator, RUNNING, source, destination, None, unreadable)
        told = [diagnosis.id for diagnosis in aftermath(outcome)]
        may_run = unreadable is not None or any(
            guest is not None and guest.state.active for guest in (source, destination)
        )
        assert ENDED not in told or not may_run
