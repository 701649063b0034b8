"""What a run tells the journal, and what becomes of a run where the journal fails."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import (
    BlockedError,
    ConnectError,
    EntryPoint,
    Event,
    ExitCode,
    GuestState,
    Journal,
    JournalError,
    Migrator,
    Outcome,
    Phase,
    Record,
    Statistics,
    UsageError,
    Verdict,
)
from migrate_plugins.testing import MemoryDriver, MemoryHosts
from migrate_plugins.testing.memory.session import MemorySession

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALPHA, BETA = "memory://alpha/", "memory://beta/"
POINT = EntryPoint("migrate_plugins.simulated", "memory", "here", "migrate-plugins", "1", "here")

# fmt: off
ENDS = [
    # faults of the source   of the destination   verdict            in doubt
    ("",                     "",                  Verdict.DONE,      False),
    ("start",                "",                  Verdict.FAILED,    False),
    ("transfer",             "",                  Verdict.FAILED,    False),
    ("",                     "paused",            Verdict.PAUSED,    True),
    ("",                     "split",             Verdict.SPLIT,     True),
    ("lost",                 "",                  Verdict.LOST,      True),
    ("lost-connection",      "",                  Verdict.UNKNOWN,   True),
]
# fmt: on


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(f"sqlite:///{tmp_path}/state/journal.sqlite")


@pytest.fixture
def hosts() -> MemoryHosts:
    return MemoryHosts(seconds=0.5)


@pytest.fixture
def migrator(hosts: MemoryHosts, journal: Journal) -> Migrator:
    return Migrator([(POINT, MemoryDriver(hosts=hosts))], journal)


def _uri(host: str, faults: str) -> str:
    return f"memory://{host}/?fault={faults}" if faults else f"memory://{host}/"


def _migrate(
    migrator: Migrator,
    *,
    source: str = ALPHA,
    destination: str = BETA,
    **asked: Any,  # noqa: ANN401 - what run() takes
) -> Outcome:
    plan = migrator.plan("web1", source=source, destination=destination, live=True)
    return migrator.run(plan, **asked)


def _at_transfer(do: Callable[[], object]) -> Callable[[Event], None]:
    """Do something once, when memory is being sent."""
    done = threading.Event()

    def observe(event: Event) -> None:
        if event.phase is Phase.TRANSFER and not done.is_set():
            done.set()
            do()

    return observe


# --- what is recorded ----------------------------------------------------------------------------


def test_run_is_recorded_with_all_that_was_said(migrator: Migrator, journal: Journal) -> None:
    events: list[Event] = []
    reason, accepted = "new kernel", {"data-plain-text": "a network of its own"}

    outcome = _migrate(migrator, reason=reason, accept=accepted, observers=[events.append])

    assert outcome.id == 1
    assert outcome.differences == ()
    record = journal.record(1)
    assert (record.reason, record.accepted, record.uuid) == (
        reason,
        accepted,
        outcome.facts and outcome.facts.guest and outcome.facts.guest.uuid,
    )
    assert (record.plan, record.facts) == (outcome.plan, outcome.facts)
    assert record.outcome == json.loads(json.dumps(outcome.to_json()))
    assert record.elapsed == round(outcome.elapsed, 3)
    told = [event for event in events if event.statistics is None]
    assert [
        (each.phase, each.text) for each in record.phases if each.phase is not Phase.TRANSFER
    ] == [(event.phase, event.text) for event in told]
    assert told[2].text == "recorded in the journal as 1"
    seen = [event.statistics for event in events if event.statistics is not None]
    assert [each.statistics for each in record.samples] == seen[:1]
    assert isinstance(seen[0], Statistics)
    assert migrator.history() == [record._replace(samples=())]
    assert migrator.history("db1") == []


@pytest.mark.parametrize(("source", "destination", "verdict", "doubtful"), ENDS)
def test_every_end_is_recorded(
    migrator: Migrator,
    journal: Journal,
    source: str,
    destination: str,
    verdict: Verdict,
    doubtful: bool,
) -> None:
    outcome = _migrate(
        migrator, source=_uri("alpha", source), destination=_uri("beta", destination)
    )

    (record,) = journal.records()
    assert (outcome.verdict, record.verdict, record.in_doubt) == (verdict, verdict, doubtful)
    assert record.text == outcome.sentence
    assert record.outcome is not None
    assert record.outcome == json.loads(json.dumps(outcome.to_json()))
    assert (record.outcome["diagnoses"] == []) is (verdict is Verdict.DONE)


def test_cancelled_run_is_recorded(migrator: Migrator, journal: Journal) -> None:
    plan = migrator.plan("web1", source=f"{ALPHA}?seconds=30", destination=BETA, live=True)
    started = threading.Event()
    run = migrator.start(plan, observers=[_at_transfer(started.set)])
    assert started.wait(10)
    run.cancel()
    assert run.wait(10)

    assert run.outcome().verdict is Verdict.CANCELLED
    (record,) = journal.records()
    assert record.verdict is Verdict.CANCELLED
    assert (Phase.CANCEL, "asked the hypervisor to stop") in [
        (each.phase, each.text) for each in record.phases
    ]


def test_phase_is_written_before_it_is_entered(
    migrator: Migrator, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Record] = []
    for name in ("host", "start"):
        call = getattr(MemorySession, name)

        def look(*arguments: Any, call: Callable[..., object] = call) -> object:  # noqa: ANN401
            seen.extend(journal.records())
            return call(*arguments)

        monkeypatch.setattr(MemorySession, name, look)

    _migrate(migrator)

    assert [(record.phase, record.begun, record.verdict) for record in seen] == [
        (Phase.CHECK, False, None),
        (Phase.CHECK, False, None),
        (Phase.PREPARE, True, None),
    ]
    assert seen[2].facts is not None


@pytest.mark.parametrize(
    ("faults", "kind"), [("connect", ConnectError), ("read", Exception)], ids=["connect", "read"]
)
def test_run_that_never_begins_is_recorded_with_its_reason(
    migrator: Migrator, journal: Journal, faults: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind) as caught:
        _migrate(migrator, source=_uri("alpha", faults))

    (record,) = journal.records()
    assert (record.verdict, record.text, record.begun) == (
        Verdict.FAILED,
        str(caught.value),
        False,
    )


def test_blocked_run_is_recorded_with_what_blocked_it(migrator: Migrator, journal: Journal) -> None:
    plan = migrator.plan("nobody", source=ALPHA, destination=BETA, live=True)

    with pytest.raises(BlockedError) as caught:
        migrator.run(plan)

    (record,) = journal.records()
    assert (record.guest, record.text, record.begun) == ("nobody", str(caught.value), False)


def test_what_breaks_once_it_was_begun_leaves_doubt(
    migrator: Migrator, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> Verdict:
        raise ZeroDivisionError

    monkeypatch.setattr("migrate_plugins.runner.judge", broken)

    with pytest.raises(ZeroDivisionError):
        _migrate(migrator)

    (record,) = journal.records(unfinished=True)
    assert (record.phase, record.verdict, record.in_doubt) == (Phase.VERIFY, None, True)


def test_nothing_is_recorded_where_nobody_wants_it(migrator: Migrator, journal: Journal) -> None:
    outcome = _migrate(migrator, record=False)

    assert (outcome.verdict, outcome.id, outcome.to_json()["id"]) == (Verdict.DONE, None, None)
    assert journal.records() == []


def test_reason_needs_a_journal(migrator: Migrator, hosts: MemoryHosts) -> None:
    without = Migrator([(POINT, MemoryDriver(hosts=hosts))])
    told = r"^a reason is given, and no journal is kept that it could stand in$"

    with pytest.raises(UsageError, match=told):
        _migrate(migrator, reason="new kernel", record=False)
    with pytest.raises(UsageError, match=told):
        _migrate(without, reason="new kernel")
    with pytest.raises(UsageError, match=r"^no journal is kept, so there is no history$"):
        without.history()


# --- where it fails ------------------------------------------------------------------------------


def test_run_that_cannot_be_recorded_is_refused(hosts: MemoryHosts) -> None:
    migrator = Migrator([(POINT, MemoryDriver(hosts=hosts))], Journal("sqlite:////proc/no/j"))
    events: list[Event] = []

    with pytest.raises(JournalError) as caught:
        _migrate(migrator, observers=[events.append])

    assert caught.value.exit_code is ExitCode.BLOCKED
    assert str(caught.value).startswith("the journal /proc/no/j cannot be written: ")
    assert str(caught.value).endswith(
        "nothing was changed; mend that, give another journal ([journal] in config.toml),"
        " or go without one (--no-journal)"
    )
    assert [event.phase for event in events] == [Phase.CONNECT]
    guest = MemorySession(hosts, ALPHA).guest("web1")
    assert guest is not None
    assert (guest.state, guest.job) == (GuestState.RUNNING, None)


def test_journal_that_is_lost_on_the_way_stops_nothing(
    migrator: Migrator, journal: Journal, tmp_path: Path
) -> None:
    outcome = _migrate(
        migrator, observers=[_at_transfer(lambda: shutil.rmtree(tmp_path / "state"))]
    )

    assert (outcome.verdict, outcome.exit_code, outcome.id) == (Verdict.DONE, ExitCode.DONE, 1)
    assert outcome.differences == (
        "its end could not be recorded in the journal: unable to open database file",
    )
    assert journal.records() == []


def test_part_that_is_missing_is_told(migrator: Migrator, journal: Journal, tmp_path: Path) -> None:
    away, state = tmp_path / "away", tmp_path / "state"

    def observe(event: Event) -> None:
        if event.phase is Phase.TRANSFER and state.exists():
            state.rename(away)
        if event.phase is Phase.VERIFY:
            away.rename(state)

    outcome = _migrate(migrator, observers=[observe])

    assert outcome.verdict is Verdict.DONE
    assert outcome.differences == (
        "a part of it is missing in the journal: unable to open database file",
    )
    (record,) = journal.records()
    assert record.verdict is Verdict.DONE


def test_journal_that_another_holds_delays_the_end_a_little(
    migrator: Migrator, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrate_plugins.journal._HASTE", 0.1)
    monkeypatch.setattr("migrate_plugins.journal._LAST", 0.3)
    file = tmp_path / "state/journal.sqlite"
    file.parent.mkdir()
    other = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    began = monotonic()
    outcome = _migrate(migrator, observers=[_at_transfer(lambda: other.execute("BEGIN IMMEDIATE"))])
    took = monotonic() - began
    other.execute("ROLLBACK")
    other.close()

    assert outcome.verdict is Verdict.DONE
    assert outcome.differences == (
        "its end could not be recorded in the journal: it did not answer within 0 s",
    )
    assert took < 3
    # The lock is gone, and the thread that waited for it writes what it has.
    until = monotonic() + 20
    while journal.records()[0].verdict is None:
        assert monotonic() < until
        threading.Event().wait(0.05)
