"""Where a guest is after a migration that nobody saw the end of: the whole truth table."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins import (
    ExitCode,
    GuestFacts,
    GuestState,
    Leftover,
    Mend,
    Migrator,
    Promise,
    Recorded,
    Seat,
    Settlement,
    Sight,
    State,
    Verdict,
)
from migrate_plugins.document import Crash
from migrate_plugins.reconciliation import RULES, Step, settle
from migrate_plugins.sessions import HANDED_OVER, INCOMING, STARTED_AGAIN

RUNNING, PAUSED, SHUTOFF = GuestState.RUNNING, GuestState.PAUSED, GuestState.SHUTOFF
CRASHED, UNKNOWN = GuestState.CRASHED, GuestState.UNKNOWN
OUT, IN, BACKUP = "migration out", "migration in", "backup"
UUID, OTHER = "u1", "u2"
POSTCOPY = {"postcopy", "postcopy failed"}
LATER, NOW = Leftover("a listener is on", "it is shut off"), Leftover("a listener is on")
# As many as a reconciler takes.
STEPS = 4
HELD = Leftover("its job is still held", "the daemon is restarted", rolled_back=True)


def guest(
    state: GuestState,
    reason: str | None = None,
    *,
    persistent: bool = False,
    job: str | None = None,
    uuid: str = UUID,
    left: Leftover | None = None,
) -> GuestFacts:
    return GuestFacts("web1", uuid, state, persistent, 1024, job, reason, left)


# --- everything a host can say, and everything that can be known beside it -----------------------

REASONS: dict[GuestState, tuple[str | None, ...]] = {
    RUNNING: ("booted", STARTED_AGAIN, "migrated", "unpaused", "postcopy", "postcopy failed", None),
    PAUSED: (
        "migration",
        INCOMING,
        HANDED_OVER,
        "user",
        "postcopy",
        "postcopy failed",
        "ioerror",
        None,
    ),
    SHUTOFF: ("migrated", "shutdown", "failed", None),
    CRASHED: (None,),
    UNKNOWN: (None,),
}
GUESTS = [
    guest(state, reason, persistent=persistent, job=job)
    for state, reasons in REASONS.items()
    for reason in reasons
    for persistent in ((True,) if state is SHUTOFF else (False, True))
    for job in ((None, OUT, IN, BACKUP) if state in {RUNNING, PAUSED} else (None,))
]
# What a driver may tell beside: of a guest that runs, later; of one that is off or waits, now.
LEFT = [
    guest(RUNNING, "booted", persistent=True, left=LATER),
    guest(RUNNING, "booted", left=LATER),
    guest(PAUSED, "user", left=LATER),
    guest(RUNNING, "booted", persistent=True, left=HELD),
    guest(SHUTOFF, "shutdown", persistent=True, left=NOW),
    guest(SHUTOFF, "shutdown", left=NOW),
    guest(CRASHED, left=NOW),
    guest(PAUSED, "migration", job=IN, left=NOW),
    guest(PAUSED, "migration", persistent=True, job=IN, left=NOW),
]
STRANGERS = [guest(RUNNING, uuid=OTHER), guest(SHUTOFF, persistent=True, uuid=OTHER)]
SEEN: list[tuple[GuestFacts | None, str | None]] = [
    (None, None),
    (None, "no route to host"),
    *((each, None) for each in (*GUESTS, *LEFT, *STRANGERS)),
]
# Where configurations are what matters.
IDLE = [each for each in SEEN if each[0] is None or each[0].job is None]
CONTEXTS = [
    # promise, recorded
    (Promise("web1"), Recorded(uuid=UUID, before=RUNNING)),
    (Promise("web1"), Recorded()),
    (Promise("web1", wanted=None), Recorded(uuid=UUID)),
    (Promise("web1", wanted=PAUSED), Recorded(uuid=UUID, before=PAUSED)),
    (Promise("web1", wanted=PAUSED), Recorded(uuid=UUID, before=RUNNING)),
    (Promise("web1", postcopy=True), Recorded(uuid=UUID, before=RUNNING)),
    (Promise("web1", postcopy=True), Recorded(uuid=UUID, before=RUNNING, begun=False)),
    (Promise("web1", paused_by_us=True), Recorded(uuid=UUID, before=RUNNING)),
    (Promise("web1", paused_by_us=True), Recorded()),
    (Promise("web1"), Recorded(uuid=UUID, before=RUNNING, alive=True, writer="process 1 on a")),
    (Promise("web1"), Recorded(uuid=UUID, before=RUNNING, alive=None, writer="process 1 on a")),
    (Promise("web1"), Recorded(uuid=UUID, before=RUNNING, elsewhere="record 7")),
    (Promise("web1", SHUTOFF, offline=True), Recorded(uuid=UUID, before=SHUTOFF)),
    (Promise("web1"), Recorded(uuid=UUID, before=RUNNING, left=Verdict.DONE)),
    (Promise("web1"), Recorded(uuid=UUID, before=RUNNING, left=Verdict.FAILED)),
    (Promise("web1"), Recorded(uuid=UUID, left=Verdict.CANCELLED, elsewhere="record 7")),
]
CONFIGURATIONS = [
    *(
        (
            Promise(
                "web1",
                wanted,
                offline=wanted is SHUTOFF,
                persistent=persistent,
                stored_there=stored,
                source_config=source,
                destination_config=destination,
            ),
            Recorded(uuid=UUID, before=wanted),
        )
        for wanted in (RUNNING, SHUTOFF)
        for persistent in (None, True)
        for stored in (None, False, True)
        for source, destination in product((False, True), repeat=2)
    ),
]

states = st.sampled_from([None, *GuestState])
maybe = st.sampled_from([None, False, True])
promises = st.builds(
    Promise,
    guest=st.just("web1"),
    wanted=st.sampled_from([None, RUNNING, PAUSED, SHUTOFF]),
    offline=st.booleans(),
    postcopy=st.booleans(),
    paused_by_us=st.booleans(),
    crash=st.sampled_from(Crash),
    persistent=maybe,
    stored_there=maybe,
    source_config=maybe,
    destination_config=maybe,
)
records = st.builds(
    Recorded,
    begun=st.booleans(),
    before=states,
    uuid=st.sampled_from([None, UUID, OTHER]),
    writer=st.sampled_from([None, "process 4711 on host1"]),
    alive=maybe,
    elsewhere=st.sampled_from([None, "record 7"]),
    left=st.sampled_from([None, Verdict.DONE, Verdict.FAILED, Verdict.CANCELLED]),
)


class Row(NamedTuple):
    promise: Promise
    source: Sight
    destination: Sight
    recorded: Recorded

    @property
    def found(self) -> Settlement:
        return settle(*self)

    @property
    def ours(self) -> list[GuestFacts]:
        """The guest wherever it is, and not another of its name."""
        seen = [sight.guest for sight in (self.source, self.destination) if sight.guest]
        uuid = self.recorded.uuid or (seen[0].uuid if seen else None)
        return [each for each in seen if each.uuid == uuid]


def row(
    source: tuple[GuestFacts | None, str | None],
    destination: tuple[GuestFacts | None, str | None],
    promise: Promise,
    recorded: Recorded,
) -> Row:
    return Row(promise, Sight("alpha", *source), Sight("beta", *destination), recorded)


def hold(each: Row) -> None:
    """Hold a row against every rule that no guest may pay for."""
    found = each.found
    source, destination = each.source, each.destination

    assert found.sentence
    assert found.why or found.state.settled
    done = found.state.settled or found.state is State.WORK_PENDING
    assert (found.exit_code is ExitCode.DONE) == done
    if source.unreadable is not None or destination.unreadable is not None:
        assert found.state in {State.UNKNOWN, State.IN_PROGRESS}
        assert found.step is None
    if len(each.ours) == 2 and {guest.state for guest in each.ours} == {RUNNING}:
        assert found.state is State.RUNNING_ON_BOTH
    if found.state.settled:
        assert each.recorded.alive is not True
        # Nothing that could be put right is passed over.
        assert (
            not any(guest.leftover == NOW for guest in each.ours if guest.job is None)
            or each.promise.offline
        )
    # Where its end was known the guest may be anywhere by now: only what was left is looked at.
    if done and each.recorded.left is None:
        active = [guest for guest in each.ours if guest.state.active]
        assert len(active) <= 1
        assert len(active) == 1 or each.promise.offline or each.recorded.before is SHUTOFF
    if found.state is State.LOST:
        assert not any(guest.state.active for guest in each.ours)
    if found.step is not None:
        hold_step(each, found.step)


def hold_step(each: Row, step: Step) -> None:
    """Hold a step against what it could do to a guest."""
    mend, seat, target = step
    source, destination = each.source, each.destination
    seen = [sight.guest for sight in (source, destination) if sight.guest is not None]
    other = (destination if seat is Seat.SOURCE else source).guest
    assert target == (source if seat is Seat.SOURCE else destination).guest
    assert each.recorded.alive is not True
    assert each.recorded.elsewhere is None or (mend is Mend.TIDY and each.recorded.left is not None)
    assert all(guest.uuid == target.uuid for guest in seen)
    assert each.recorded.uuid in {None, target.uuid}
    assert not any(guest.job for guest in seen if mend is not Mend.TIDY or guest is not target)
    assert each.found.state in {State.PAUSED, State.SWITCHOVER_STUCK, State.CLEAN_UP_MISSING}
    broken = any(guest.reason in POSTCOPY for guest in seen)
    if mend is Mend.RESUME:
        assert target.state is PAUSED
        incoming = target.reason == INCOMING and seat is Seat.DESTINATION
        by_us = target.reason == "user" and each.promise.paused_by_us
        assert target.reason == "migration" or incoming or by_us
        assert other is None or other.state is not RUNNING
        # What it could go on as elsewhere cannot go on.
        assert seat is Seat.SOURCE or (other is not None and other.reason == HANDED_OVER)
        assert not broken
        assert not (each.promise.postcopy and each.recorded.begun)
    elif mend is Mend.DESTROY:
        sent = seat is Seat.SOURCE and target.reason == HANDED_OVER
        assert target.state is PAUSED
        assert target.reason in {"migration", INCOMING} or sent
        assert other is not None
        assert other.state is RUNNING
        assert not broken
        assert not (each.promise.postcopy and each.recorded.begun)
    elif mend is Mend.UNDEFINE:
        assert target.persistent
        assert not target.state.active
        assert other is not None
        assert other.state.active or other.persistent
    elif mend is Mend.TIDY:
        assert target.leftover == NOW
        # What is ended so never ran: it waits for a guest that the other host has.
        assert not target.state.active or (
            target.job == IN and other is not None and other.state.active and other.job is None
        )
    else:
        assert mend is Mend.DEFINE
        assert target.state.active
        assert not target.persistent


def taken(each: Row, step: Step) -> Row:
    """Do to the hosts what a step does."""
    sight = each.source if step.host is Seat.SOURCE else each.destination
    after: GuestFacts | None = step.guest
    if step.mend is Mend.RESUME:
        after = step.guest._replace(state=RUNNING, reason="unpaused")
    elif step.mend is Mend.DEFINE:
        after = step.guest._replace(persistent=True)
    elif step.mend is Mend.TIDY and step.guest.job is not None:
        after = step.guest._replace(state=SHUTOFF, reason=None, job=None)
    elif step.mend is Mend.TIDY:
        after = step.guest._replace(leftover=None) if step.guest.persistent else None
    elif step.mend is Mend.UNDEFINE or not step.guest.persistent:
        after = None
    else:
        after = step.guest._replace(state=SHUTOFF, reason="destroyed")
    changed = sight._replace(guest=after)
    if step.host is Seat.SOURCE:
        return each._replace(source=changed)
    return each._replace(destination=changed)


def running(each: Row) -> int:
    return sum(guest.state is RUNNING for guest in each.ours)


def follow(each: Row) -> None:
    """Take step after step: never a second copy that runs, never fewer than before."""
    for _ in range(STEPS + 1):
        step = each.found.step
        if step is None:
            return
        before = running(each)
        each = taken(each, step)
        assert before <= running(each) <= 1
    pytest.fail(f"there is always one more step: {each}")


@pytest.mark.parametrize(
    ("seen", "context"), [*product([SEEN], CONTEXTS), *product([IDLE], CONFIGURATIONS)]
)
def test_no_row_of_the_table_endangers_a_guest(
    seen: list[tuple[GuestFacts | None, str | None]], context: tuple[Promise, Recorded]
) -> None:
    for source, destination in product(seen, repeat=2):
        each = row(source, destination, *context)
        hold(each)
        if each.found.step is not None:
            follow(each)


@given(
    source=st.sampled_from(SEEN),
    destination=st.sampled_from(SEEN),
    promise=promises,
    recorded=records,
)
def test_whatever_was_promised_and_recorded_no_guest_is_endangered(
    source: tuple[GuestFacts | None, str | None],
    destination: tuple[GuestFacts | None, str | None],
    promise: Promise,
    recorded: Recorded,
) -> None:
    each = row(source, destination, promise, recorded)
    hold(each)
    follow(each)


# --- the rows that have a name -------------------------------------------------------------------

NONE = (None, None)
UNREADABLE = (None, "no answer within 10 s")
BEFORE = Recorded(uuid=UUID, before=RUNNING)
PROMISE = Promise("web1", persistent=False, stored_there=False)
STORED = Promise("web1", persistent=True, stored_there=False, source_config=True)
MOVED = STORED._replace(source_config=False, destination_config=True)
OFFLINE = MOVED._replace(wanted=SHUTOFF, offline=True)
WAS_OFF = Recorded(uuid=UUID, before=SHUTOFF)
ARRIVED = BEFORE._replace(left=Verdict.DONE)
BY_DAEMONS = PROMISE._replace(crash=Crash.CONTINUES)
LIMITED = PROMISE._replace(paused_by_us=True)
ALIVE = BEFORE._replace(alive=True, writer="process 4711 on host1")


def on(*arguments: object, **more: object) -> tuple[GuestFacts, None]:
    return guest(*arguments, **more), None  # type: ignore[arg-type]


STUCK, SENT = on(PAUSED, "migration"), on(PAUSED, HANDED_OVER)
KEPT = on(SHUTOFF, "migrated", persistent=True)
RUNS, CAME = on(RUNNING, "booted"), on(RUNNING, "migrated")

# fmt: off
ROWS = [
    # source, destination, promise, recorded, state, step and where, exit code
    (RUNS,                             NONE,   PROMISE, BEFORE,  State.ROLLED_BACK,      None, 0),
    (RUNS,                             NONE,   PROMISE, BEFORE._replace(begun=False),
                                                                 State.ROLLED_BACK,      None, 0),
    (on(PAUSED, "user"),               NONE,   PROMISE, BEFORE._replace(before=PAUSED),
                                                                 State.ROLLED_BACK,      None, 0),
    (RUNS,                   on(SHUTOFF, persistent=True, uuid=OTHER), PROMISE, BEFORE,
                                                                 State.ROLLED_BACK,      None, 0),
    (NONE,                             CAME,   PROMISE, BEFORE,  State.FINISHED,         None, 0),
    (KEPT,                             CAME,   STORED,  BEFORE,  State.FINISHED,         None, 0),
    (NONE,             on(PAUSED, "user"),     PROMISE._replace(wanted=PAUSED), BEFORE,
                                                                 State.FINISHED,         None, 0),
    (on(RUNNING, job=OUT), on(PAUSED, "migration", job=IN), PROMISE, BEFORE,
                                                                 State.IN_PROGRESS,      None, 1),
    (on(RUNNING, job=OUT),       UNREADABLE,   PROMISE, BEFORE,  State.IN_PROGRESS,      None, 1),
    (RUNS,    on(PAUSED, "migration", job=IN), PROMISE, BEFORE,  State.IN_PROGRESS,      None, 1),
    (RUNS,                             NONE,   PROMISE, ALIVE,   State.IN_PROGRESS,      None, 1),
    (STUCK,                            NONE,   PROMISE, BEFORE,  State.SWITCHOVER_STUCK,
                                                       (Mend.RESUME, Seat.SOURCE), 1),
    (STUCK,                           STUCK,   PROMISE, BEFORE,  State.SWITCHOVER_STUCK,
                                                       (Mend.RESUME, Seat.SOURCE), 1),
    (STUCK,  on(SHUTOFF, persistent=True),     PROMISE, BEFORE,  State.SWITCHOVER_STUCK, None, 6),
    (STUCK,                      UNREADABLE,   PROMISE, BEFORE,  State.UNKNOWN,          None, 5),
    (NONE,                            STUCK,   PROMISE, BEFORE,  State.SWITCHOVER_STUCK, None, 6),
    (on(PAUSED, "postcopy failed", job=OUT), on(PAUSED, "postcopy failed"), PROMISE, BEFORE,
                                                                 State.SWITCHOVER_STUCK, None, 6),
    (on(PAUSED, "postcopy"), on(RUNNING, "postcopy"), PROMISE, BEFORE,
                                                                 State.SWITCHOVER_STUCK, None, 6),
    (on(PAUSED, "user"),               NONE,   PROMISE, BEFORE,  State.PAUSED,           None, 6),
    (on(PAUSED, "user"),               NONE,   LIMITED, BEFORE,  State.PAUSED,
                                                       (Mend.RESUME, Seat.SOURCE), 1),
    (on(PAUSED, "ioerror"),            NONE,   PROMISE, BEFORE,  State.PAUSED,           None, 6),
    (NONE,             on(PAUSED, "user"),     PROMISE, BEFORE,  State.PAUSED,           None, 6),
    (RUNS,                            STUCK,   PROMISE, BEFORE,  State.CLEAN_UP_MISSING,
                                                       (Mend.DESTROY, Seat.DESTINATION), 1),
    (RUNS,            on(PAUSED, "user"),      PROMISE, BEFORE,  State.CLEAN_UP_MISSING, None, 6),
    (RUNS,                            STUCK,   PROMISE._replace(postcopy=True), BEFORE,
                                                                 State.CLEAN_UP_MISSING, None, 6),
    (SENT,                            STUCK,   PROMISE, BEFORE,  State.SWITCHOVER_STUCK,
                                                       (Mend.RESUME, Seat.DESTINATION), 1),
    # a copy that was received goes on where its source has handed it over, and nowhere else
    (SENT,             on(PAUSED, INCOMING),   PROMISE, BEFORE,  State.SWITCHOVER_STUCK,
     (Mend.RESUME, Seat.DESTINATION), 1),
    (SENT,             on(PAUSED, INCOMING),   BY_DAEMONS, BEFORE, State.SWITCHOVER_STUCK,
     (Mend.RESUME, Seat.DESTINATION), 1),
    (on(PAUSED, HANDED_OVER, left=HELD), on(PAUSED, INCOMING), BY_DAEMONS, BEFORE,
                                                                 State.SWITCHOVER_STUCK, None, 6),
    (on(PAUSED, INCOMING),             NONE,   PROMISE, BEFORE,  State.PAUSED,           None, 6),
    (on(PAUSED, INCOMING), on(PAUSED, INCOMING), PROMISE, BEFORE, State.PAUSED,          None, 6),
    (NONE,             on(PAUSED, INCOMING),   PROMISE, BEFORE,  State.SWITCHOVER_STUCK, None, 6),
    (SENT,  on(PAUSED, "migration", persistent=True), STORED, BEFORE, State.SWITCHOVER_STUCK,
                                                       (Mend.RESUME, Seat.DESTINATION), 1),
    (SENT,   on(PAUSED, "migration", job=IN), PROMISE, BEFORE,   State.IN_PROGRESS,      None, 1),
    (SENT,             on(PAUSED, "user"),     PROMISE, BEFORE,  State.PAUSED,           None, 6),
    (SENT,                            STUCK,   PROMISE._replace(wanted=PAUSED), BEFORE,
                                                                 State.SWITCHOVER_STUCK, None, 6),
    (SENT,                             NONE,   PROMISE, BEFORE,  State.SWITCHOVER_STUCK, None, 6),
    (SENT,                       UNREADABLE,   PROMISE, BEFORE,  State.UNKNOWN,          None, 5),
    (SENT,                             CAME,   PROMISE, BEFORE,  State.CLEAN_UP_MISSING,
                                                       (Mend.DESTROY, Seat.SOURCE), 1),
    (SENT,                             RUNS,   PROMISE, BEFORE,  State.CLEAN_UP_MISSING, None, 6),
    (STUCK,                            CAME,   PROMISE, BEFORE,  State.CLEAN_UP_MISSING,
                                                       (Mend.DESTROY, Seat.SOURCE), 1),
    (STUCK,                            RUNS,   PROMISE, BEFORE,  State.CLEAN_UP_MISSING, None, 6),
    (KEPT,   on(RUNNING, "migrated", persistent=True), MOVED, BEFORE, State.CLEAN_UP_MISSING,
                                                       (Mend.UNDEFINE, Seat.SOURCE), 1),
    (KEPT,                             CAME,   MOVED,   BEFORE,  State.CLEAN_UP_MISSING,
                                                       (Mend.DEFINE, Seat.DESTINATION), 1),
    (RUNS,                             NONE,   STORED,  BEFORE,  State.CLEAN_UP_MISSING,
                                                       (Mend.DEFINE, Seat.SOURCE), 1),
    (on(RUNNING, persistent=True), on(SHUTOFF, persistent=True), STORED, BEFORE,
                        State.CLEAN_UP_MISSING, (Mend.UNDEFINE, Seat.DESTINATION), 1),
    (KEPT,           on(RUNNING, left=LATER),  STORED,  BEFORE,  State.WORK_PENDING,     None, 0),
    (on(SHUTOFF, persistent=True, left=NOW), CAME, STORED, BEFORE, State.CLEAN_UP_MISSING,
                                                       (Mend.TIDY, Seat.SOURCE), 1),
    (RUNS,             on(SHUTOFF, left=NOW),  PROMISE, BEFORE,  State.CLEAN_UP_MISSING,
                                                       (Mend.TIDY, Seat.DESTINATION), 1),
    (on(RUNNING, left=LATER),          NONE,   PROMISE, BEFORE,  State.ROLLED_BACK,      None, 0),
    (on(RUNNING, left=HELD),           NONE,   PROMISE, BEFORE,  State.WORK_PENDING,     None, 0),
    (RUNS, on(PAUSED, "migration", job=IN, left=NOW), PROMISE, BEFORE, State.CLEAN_UP_MISSING,
                                                       (Mend.TIDY, Seat.DESTINATION), 1),
    (STUCK, on(PAUSED, "migration", job=IN, left=NOW), PROMISE, BEFORE,
                                                                 State.IN_PROGRESS,      None, 1),
    (KEPT,   on(SHUTOFF, persistent=True, left=NOW), STORED, ARRIVED, State.CLEAN_UP_MISSING,
                                                       (Mend.TIDY, Seat.DESTINATION), 1),
    (KEPT,   on(SHUTOFF, persistent=True),     STORED,  ARRIVED, State.FINISHED,         None, 0),
    (KEPT,   on(RUNNING, left=LATER),          STORED,  ARRIVED, State.WORK_PENDING,     None, 0),
    (on(RUNNING, job=OUT), on(SHUTOFF, left=NOW), STORED, ARRIVED, State.WORK_PENDING,   None, 0),
    (RUNS,                             NONE,   STORED,  ARRIVED._replace(left=Verdict.FAILED),
                                                                 State.ROLLED_BACK,      None, 0),
    (RUNS,                             CAME,   PROMISE, BEFORE,  State.RUNNING_ON_BOTH,  None, 6),
    (RUNS,                             CAME,   PROMISE, ALIVE,   State.RUNNING_ON_BOTH,  None, 6),
    (NONE,                             NONE,   PROMISE, BEFORE,  State.LOST,             None, 6),
    (KEPT,                             NONE,   STORED,  BEFORE,  State.LOST,             None, 6),
    (NONE,                             NONE,   PROMISE, BEFORE._replace(elsewhere="record 7"),
                                                                 State.UNKNOWN,          None, 6),
    (RUNS,                       UNREADABLE,   PROMISE, BEFORE,  State.UNKNOWN,          None, 5),
    (UNREADABLE,                       CAME,   PROMISE, BEFORE,  State.UNKNOWN,          None, 5),
    (UNREADABLE,                 UNREADABLE,   PROMISE, BEFORE,  State.UNKNOWN,          None, 5),
    (on(UNKNOWN),                      NONE,   PROMISE, BEFORE,  State.UNKNOWN,          None, 6),
    (on(SHUTOFF, persistent=True),     NONE,   OFFLINE, WAS_OFF, State.ROLLED_BACK,      None, 0),
    (NONE,     on(SHUTOFF, persistent=True),   OFFLINE, WAS_OFF, State.FINISHED,         None, 0),
    (on(SHUTOFF, persistent=True), on(SHUTOFF, persistent=True), OFFLINE, WAS_OFF,
                            State.CLEAN_UP_MISSING, (Mend.UNDEFINE, Seat.SOURCE), 1),
    (NONE,                             NONE,   OFFLINE, WAS_OFF, State.LOST,             None, 6),
]
# fmt: on


@pytest.mark.parametrize(
    ("source", "destination", "promise", "recorded", "state", "step", "code"), ROWS
)
def test_row(
    source: tuple[GuestFacts | None, str | None],
    destination: tuple[GuestFacts | None, str | None],
    promise: Promise,
    recorded: Recorded,
    state: State,
    step: tuple[Mend, Seat] | None,
    code: int,
) -> None:
    found = row(source, destination, promise, recorded).found

    assert (found.state, found.step and found.step[:2], found.exit_code) == (state, step, code)


def test_each_rule_and_each_state_has_a_row() -> None:
    named, states = set(), set()
    for source, destination, promise, recorded, state, *_ in ROWS:
        case = row(source, destination, promise, recorded)
        states.add(state)
        named.add(_deciding(case))

    assert named == {name for name, _ in RULES}
    assert states == {*State}


def _deciding(each: Row) -> str:
    from migrate_plugins.reconciliation import Case  # noqa: PLC0415 - of this test alone

    return next(name for name, rule in RULES if rule(Case(*each)) is not None)


# fmt: off
CERTAINTY = [
    # source, destination, recorded, whether all of it was read
    (RUNS,        NONE,       BEFORE,                              True),
    (RUNS,        NONE,       BEFORE._replace(alive=None),         False),
    (RUNS,        NONE,       BEFORE._replace(uuid=None),          True),
    (NONE,        CAME,       BEFORE._replace(uuid=None),          False),
    (RUNS,        UNREADABLE, BEFORE,                              False),
    (RUNS, on(PAUSED, "migration", job=IN), BEFORE,                False),
]
# fmt: on


@pytest.mark.parametrize(("source", "destination", "recorded", "certain"), CERTAINTY)
def test_what_was_concluded_is_not_called_certain(
    source: tuple[GuestFacts | None, str | None],
    destination: tuple[GuestFacts | None, str | None],
    recorded: Recorded,
    certain: bool,
) -> None:
    assert row(source, destination, PROMISE, recorded).found.certain is certain


def test_another_guest_of_the_name_is_told_and_keeps_every_step_back() -> None:
    stranger = on(SHUTOFF, persistent=True, uuid=OTHER)

    found = row(STUCK, stranger, PROMISE, BEFORE).found

    assert (found.state, found.step) == (State.SWITCHOVER_STUCK, None)
    assert found.sentence.endswith("; beta has another guest of that name, u2")


def test_destination_that_may_still_start_the_guest_is_told() -> None:
    waiting = on(PAUSED, "migration", job=IN)

    again = row(on(RUNNING, STARTED_AGAIN), waiting, PROMISE, BEFORE).found
    plain = row(RUNS, waiting, PROMISE, BEFORE).found

    assert ("still starts it" in again.why, "still starts it" in plain.why) == (True, False)
    assert (again.state, again.step, again.certain) == (State.IN_PROGRESS, None, False)


def test_living_process_is_named() -> None:
    found = row(RUNS, NONE, PROMISE, ALIVE).found

    assert found.sentence == (
        "process 4711 on host1 still migrates web1 (alpha: running; beta: no such guest)"
    )


def test_words_of_a_host_tell_all_of_it() -> None:
    stored = guest(PAUSED, "migration", persistent=True, job=OUT)

    assert Sight("alpha", stored).words == "paused (migration), configuration stored, job: " + OUT
    assert Sight("alpha", guest(RUNNING)).words == "running, transient"
    assert Sight("alpha").words == "no such guest"
    assert Sight("alpha", None, "no route").words == "cannot be read: no route"


# fmt: off
PLANS = [
    # options of a plan, the state before, what of it decides
    ({}, RUNNING, Promise("web1", RUNNING, crash=Crash.ABORTED)),
    ({"p2p": True}, None, Promise("web1", None, crash=Crash.CONTINUES)),
    ({"suspend": True}, RUNNING, Promise("web1", PAUSED)),
    ({"live": True, "timeout": 9}, PAUSED, Promise("web1", PAUSED, paused_by_us=True)),
    ({"persistent": True, "undefine_source": True}, RUNNING,
        Promise("web1", RUNNING, source_config=False, destination_config=True)),
    ({"offline": True, "persistent": True}, SHUTOFF,
        Promise("web1", SHUTOFF, offline=True, destination_config=True)),
    ({"live": True, "postcopy": True, "revision": "current"}, RUNNING,
        Promise("web1", RUNNING, postcopy=True)),
]
# fmt: on


@pytest.mark.parametrize(("options", "before", "promise"), PLANS)
def test_promise_is_read_from_the_plan(
    migrator: Migrator, options: dict[str, object], before: GuestState | None, promise: Promise
) -> None:
    plan = migrator.plan(
        "web1",
        source="qemu:///system",
        destination="qemu+ssh://desthost/system",
        **options,  # type: ignore[arg-type]
    )

    assert Promise.of(plan, before) == promise


def test_states_have_the_verdicts_of_an_outcome() -> None:
    assert {state: state.verdict for state in State} == {
        State.ROLLED_BACK: Verdict.FAILED,
        State.IN_PROGRESS: Verdict.UNKNOWN,
        State.FINISHED: Verdict.DONE,
        State.SWITCHOVER_STUCK: Verdict.PAUSED,
        State.PAUSED: Verdict.PAUSED,
        State.CLEAN_UP_MISSING: Verdict.UNKNOWN,
        State.WORK_PENDING: Verdict.DONE,
        State.RUNNING_ON_BOTH: Verdict.SPLIT,
        State.LOST: Verdict.LOST,
        State.UNKNOWN: Verdict.UNKNOWN,
    }


@pytest.mark.parametrize(
    ("source", "destination", "verdict"),
    [
        (on(RUNNING, persistent=True, left=HELD), NONE, Verdict.FAILED),
        (KEPT, on(RUNNING, left=LATER), Verdict.DONE),
    ],
)
def test_what_is_pending_does_not_hide_where_the_guest_is(
    source: tuple[GuestFacts | None, str | None],
    destination: tuple[GuestFacts | None, str | None],
    verdict: Verdict,
) -> None:
    found = row(source, destination, STORED, BEFORE).found

    assert (found.state, found.verdict) == (State.WORK_PENDING, verdict)
