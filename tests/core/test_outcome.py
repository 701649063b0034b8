"""Where a guest is, from what both hosts say of it."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import (
    After,
    CancelledError,
    DriverError,
    ExitCode,
    Facts,
    GuestFacts,
    GuestState,
    HostFacts,
    MigrateError,
    MigrationFailedError,
    NeedsPersonError,
    Outcome,
    Verdict,
)
from migrate_plugins.outcome import judge

if TYPE_CHECKING:
    from migrate_plugins import Migrator, Plan

RUNNING, PAUSED, SHUTOFF, CRASHED, UNKNOWN = (
    GuestState.RUNNING,
    GuestState.PAUSED,
    GuestState.SHUTOFF,
    GuestState.CRASHED,
    GuestState.UNKNOWN,
)
GONE = None
STATES = (*GuestState, GONE)

# fmt: off
# A guest that ran and should run; F: the hypervisor reported a failure, C: somebody cancelled.
RAN = [
    # source   destination  where         F and C in turn: neither, F, C, both
    (RUNNING,  GONE,        "here",       "failed failed cancelled cancelled"),
    (RUNNING,  SHUTOFF,     "here",       "failed failed cancelled cancelled"),
    (RUNNING,  CRASHED,     "here",       "failed failed cancelled cancelled"),
    (PAUSED,   GONE,        "here",       "paused paused paused paused"),
    (PAUSED,   SHUTOFF,     "here",       "paused paused paused paused"),
    (PAUSED,   CRASHED,     "here",       "paused paused paused paused"),
    (GONE,     RUNNING,     "there",      "done done done done"),
    (SHUTOFF,  RUNNING,     "there",      "done done done done"),
    (CRASHED,  RUNNING,     "there",      "done done done done"),
    (GONE,     PAUSED,      "there",      "paused paused paused paused"),
    (SHUTOFF,  PAUSED,      "there",      "paused paused paused paused"),
    (CRASHED,  PAUSED,      "there",      "paused paused paused paused"),
    (RUNNING,  RUNNING,     "both",       "split split split split"),
    (RUNNING,  PAUSED,      "both",       "paused paused paused paused"),
    (PAUSED,   RUNNING,     "both",       "paused paused paused paused"),
    (PAUSED,   PAUSED,      "both",       "paused paused paused paused"),
    (GONE,     GONE,        "none",       "lost lost lost lost"),
    (GONE,     SHUTOFF,     "none",       "lost lost lost lost"),
    (GONE,     CRASHED,     "none",       "lost lost lost lost"),
    (SHUTOFF,  GONE,        "none",       "lost lost lost lost"),
    (SHUTOFF,  SHUTOFF,     "none",       "lost lost lost lost"),
    (SHUTOFF,  CRASHED,     "none",       "lost lost lost lost"),
    (CRASHED,  GONE,        "none",       "lost lost lost lost"),
    (CRASHED,  SHUTOFF,     "none",       "lost lost lost lost"),
    (CRASHED,  CRASHED,     "none",       "lost lost lost lost"),
    *((UNKNOWN, there,      "not known",  "unknown unknown unknown unknown") for there in STATES),
    *((here,   UNKNOWN,     "not known",  "unknown unknown unknown unknown") for here in STATES
      if here is not UNKNOWN),
]

# The destination cannot be read: what the source and the hypervisor say is all there is.
UNREADABLE = [
    # source   neither, F, C, both
    (RUNNING,  "failed failed cancelled cancelled"),
    (PAUSED,   "paused paused paused paused"),
    (GONE,     "done unknown done unknown"),
    (SHUTOFF,  "done unknown done unknown"),
    (CRASHED,  "done unknown done unknown"),
    (UNKNOWN,  "unknown unknown unknown unknown"),
]

# A guest that was paused, or should be left paused.
WAS_PAUSED = [
    # source   destination  neither, F, C, both
    (PAUSED,   GONE,        "failed failed cancelled cancelled"),
    (RUNNING,  GONE,        "paused paused paused paused"),
    (GONE,     PAUSED,      "done done done done"),
    (GONE,     RUNNING,     "paused paused paused paused"),
    (PAUSED,   PAUSED,      "paused paused paused paused"),
    (RUNNING,  RUNNING,     "split split split split"),
]

# Offline: nothing runs, only the definition moves.
OFFLINE = [
    # source   destination  neither, F, C, both
    (SHUTOFF,  SHUTOFF,     "done failed done cancelled"),
    (GONE,     SHUTOFF,     "done failed done cancelled"),
    (SHUTOFF,  GONE,        "failed failed cancelled cancelled"),
]

SENTENCES = [
    # verdict            exit code               error                  sentence
    (Verdict.DONE,       ExitCode.DONE,          None,
     "web1 is on beta now (alpha: no such guest; beta: running)"),
    (Verdict.FAILED,     ExitCode.FAILED,        MigrationFailedError,
     "the migration failed: web1 is still on alpha (alpha: no such guest; beta: running)"),
    (Verdict.CANCELLED,  ExitCode.CANCELLED,     CancelledError,
     "cancelled: web1 is still on alpha (alpha: no such guest; beta: running)"),
    (Verdict.PAUSED,     ExitCode.NEEDS_PERSON,  NeedsPersonError,
     "web1 is not running as it should (alpha: no such guest; beta: running)"),
    (Verdict.SPLIT,      ExitCode.NEEDS_PERSON,  NeedsPersonError,
     "web1 runs on BOTH hosts (alpha: no such guest; beta: running)"),
    (Verdict.LOST,       ExitCode.NEEDS_PERSON,  NeedsPersonError,
     "web1 runs on NEITHER host (alpha: no such guest; beta: running)"),
    (Verdict.UNKNOWN,    ExitCode.NEEDS_PERSON,  NeedsPersonError,
     "where web1 runs cannot be known from here (alpha: no such guest; beta: running)"),
]
# fmt: on

NEITHER_F_C_BOTH = [(False, False), (True, False), (False, True), (True, True)]


def _verdicts(
    source: GuestState | None,
    destination: GuestState | None,
    *,
    wanted: GuestState = RUNNING,
    before: GuestState = RUNNING,
    readable: bool = True,
) -> str:
    return " ".join(
        judge(
            source,
            destination,
            wanted=wanted,
            before=before,
            error=error,
            cancelled=cancelled,
            destination_readable=readable,
        )
        for error, cancelled in NEITHER_F_C_BOTH
    )


@pytest.mark.parametrize(("source", "destination", "where", "verdicts"), RAN)
def test_verdict_of_a_guest_that_ran(
    source: GuestState | None, destination: GuestState | None, where: str, verdicts: str
) -> None:
    assert _verdicts(source, destination) == verdicts, where


def test_table_has_every_pair_of_states() -> None:
    assert sorted((str(source), str(there)) for source, there, *_ in RAN) == sorted(
        (str(source), str(there)) for source, there in product(STATES, STATES)
    )


@pytest.mark.parametrize(("source", "verdicts"), UNREADABLE)
def test_verdict_without_the_destination(source: GuestState | None, verdicts: str) -> None:
    assert _verdicts(source, None, readable=False) == verdicts


@pytest.mark.parametrize(("source", "destination", "verdicts"), WAS_PAUSED)
def test_verdict_of_a_guest_that_was_paused(
    source: GuestState | None, destination: GuestState | None, verdicts: str
) -> None:
    assert _verdicts(source, destination, wanted=PAUSED, before=PAUSED) == verdicts


@pytest.mark.parametrize(("source", "destination", "verdicts"), OFFLINE)
def test_verdict_of_an_offline_migration(
    source: GuestState | None, destination: GuestState | None, verdicts: str
) -> None:
    assert _verdicts(source, destination, wanted=SHUTOFF, before=SHUTOFF) == verdicts


@pytest.mark.parametrize(
    ("wanted", "before"), [(w, b) for w in (RUNNING, PAUSED, SHUTOFF) for b in GuestState]
)
def test_never_done_while_the_guest_is_active_on_both(
    wanted: GuestState, before: GuestState
) -> None:
    for source, destination in product((RUNNING, PAUSED, UNKNOWN), repeat=2):
        verdicts = _verdicts(source, destination, wanted=wanted, before=before)

        assert "done" not in verdicts.split(), (source, destination)


def test_never_done_with_the_guest_only_on_the_source() -> None:
    for wanted, readable in product((RUNNING, PAUSED), (True, False)):
        for source in (RUNNING, PAUSED, UNKNOWN):
            verdicts = _verdicts(source, None, wanted=wanted, readable=readable)

            assert "done" not in verdicts.split(), (source, wanted, readable)


def test_offline_that_was_cancelled_is_not_done_because_nobody_can_look() -> None:
    """Cancelled before it began, and the client cannot read the destination."""
    verdicts = _verdicts(SHUTOFF, None, wanted=SHUTOFF, before=SHUTOFF, readable=False).split()

    assert verdicts[2] != "done"


# --- the outcome as a value --------------------------------------------------------------------

GUEST = GuestFacts("web1", "uuid", RUNNING, persistent=True, memory=1024)
FACTS = Facts(
    HostFacts("alpha", "1", "QEMU", "libvirt"), GUEST, HostFacts("beta", "2", "", ""), None
)


@pytest.fixture
def plan(migrator: Migrator) -> Plan:
    return migrator.plan("web1", source="qemu:///system", destination="qemu+ssh://desthost/system")


@pytest.mark.parametrize(("verdict", "code", "kind", "sentence"), SENTENCES)
def test_sentence_exit_code_and_error(
    plan: Plan, verdict: Verdict, code: ExitCode, kind: type[MigrateError] | None, sentence: str
) -> None:
    cause = DriverError("migrating web1", problem="x")
    outcome = Outcome(plan, verdict, None, GUEST, error=cause, facts=FACTS)

    assert (outcome.sentence, outcome.exit_code) == (sentence, code)
    if kind is None:
        outcome.raise_for_failure()
    else:
        with pytest.raises(kind) as caught:
            outcome.raise_for_failure()
        assert str(caught.value) == sentence
        assert caught.value.__cause__ is cause
        assert caught.value.exit_code is code


# fmt: off
NEXT = [
    # verdict           number in the journal, peer-to-peer, what tells how to go on
    (Verdict.DONE,      12,   False, None),
    (Verdict.FAILED,    12,   False, None),
    (Verdict.CANCELLED, None, False, None),
    (Verdict.PAUSED,    12,   False, "migrate-plugins reconcile web1"),
    (Verdict.UNKNOWN,   12,   True,  "migrate-plugins reconcile web1"),
    (Verdict.SPLIT,     None, False,
     ("migrate-plugins reconcile web1 qemu+ssh://desthost/system -c qemu:///system"
      " --scenario native-direct")),
    (Verdict.LOST,      None, True,
     ("migrate-plugins reconcile web1 qemu+ssh://desthost/system qemu+tls://peer/system"
      " -c qemu:///system --scenario native-p2p")),
]
# fmt: on


@pytest.mark.parametrize(("verdict", "number", "p2p", "command"), NEXT)
def test_outcome_that_needs_a_person_names_what_tells_how_to_go_on(
    migrator: Migrator, verdict: Verdict, number: int | None, p2p: bool, command: str | None
) -> None:
    plan = migrator.plan(
        "web1",
        source="qemu:///system",
        destination="qemu+ssh://desthost/system",
        migration="qemu+tls://peer/system" if p2p else None,
        p2p=p2p,
    )
    outcome = Outcome(plan, verdict, id=number)

    assert (outcome.next_command, outcome.to_json()["next"]) == (command, command)


def test_every_verdict_has_its_sentence() -> None:
    assert [verdict for verdict, *_ in SENTENCES] == list(Verdict)


def test_sentence_without_host_names(plan: Plan) -> None:
    outcome = Outcome(plan, Verdict.FAILED, GUEST, None, unreadable="no route")

    assert outcome.sentence == (
        "the migration failed: web1 is still on the source"
        " (the source: running; the destination: cannot be read)"
    )


# fmt: off
CONFIGURATIONS = [
    # source, destination                 unreadable   configuration as read back
    (None,  GUEST,                        None,        After(True, False, True)),
    (GUEST, GUEST,                        None,        After(True, True, True)),
    (None,  GUEST._replace(persistent=False), None,    After(False, False, False)),
    (GUEST, None,                         None,        After(False, True, False)),
    (None,  None,                         "no route",  None),
]
# fmt: on


@pytest.mark.parametrize(("source", "destination", "unreadable", "configuration"), CONFIGURATIONS)
def test_configuration_as_read_back(
    plan: Plan,
    source: GuestFacts | None,
    destination: GuestFacts | None,
    unreadable: str | None,
    configuration: After | None,
) -> None:
    outcome = Outcome(plan, Verdict.DONE, source, destination, unreadable)

    assert outcome.configuration == configuration


def test_outcome_in_json(plan: Plan) -> None:
    outcome = Outcome(plan, Verdict.DONE, None, GUEST, elapsed=1.23456, facts=FACTS)

    told = json.loads(json.dumps(outcome.to_json()))

    assert told["schema"] == "migrate-plugins/migrate/1"
    assert (told["verdict"], told["exit_code"], told["guest"]) == ("done", 0, "web1")
    assert told["text"] == outcome.sentence
    assert told["destination"] == GUEST._asdict()
    assert told["configuration"] == {
        "persistent": True,
        "source_config": False,
        "destination_config": True,
    }
    assert told["elapsed"] == 1.235
    assert told["plan"] == plan.to_json()


@pytest.mark.parametrize("destination", [None, SHUTOFF])
def test_what_was_not_started_is_cancelled_whatever_lies_on_the_destination(
    destination: GuestState | None,
) -> None:
    verdict = judge(
        SHUTOFF,
        destination,
        wanted=SHUTOFF,
        before=SHUTOFF,
        error=False,
        cancelled=True,
        started=False,
    )

    assert verdict is Verdict.CANCELLED


@pytest.mark.parametrize("readable", [True, False])
def test_guest_that_runs_on_both_hosts_is_split_although_a_job_goes_on(readable: bool) -> None:
    verdict = judge(
        RUNNING,
        RUNNING,
        wanted=RUNNING,
        before=RUNNING,
        error=False,
        cancelled=False,
        source_readable=readable,
    )

    assert verdict is Verdict.SPLIT


@pytest.mark.parametrize("cancelled", [False, True])
@pytest.mark.parametrize("readable", [False, True])
def test_guest_that_was_handed_over_may_run_where_nobody_can_look(
    cancelled: bool, readable: bool
) -> None:
    verdict = judge(
        RUNNING,
        GONE,
        wanted=RUNNING,
        before=RUNNING,
        error=True,
        cancelled=cancelled,
        destination_readable=readable,
        started_again=True,
    )

    stayed = Verdict.CANCELLED if cancelled else Verdict.FAILED
    assert verdict is (stayed if readable else Verdict.UNKNOWN)


@pytest.mark.parametrize(("decided", "verdict"), [(True, Verdict.PAUSED), (False, Verdict.UNKNOWN)])
def test_paused_copy_tells_nothing_while_a_job_goes_on(verdict: Verdict, *, decided: bool) -> None:
    found = judge(
        RUNNING,
        PAUSED,
        wanted=RUNNING,
        before=RUNNING,
        error=True,
        cancelled=False,
        source_readable=decided,
    )

    assert found is verdict
