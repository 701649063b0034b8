"""The journal: what is acknowledged is there, whoever writes, dies or has no room beside it."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import (
    Config,
    ConnectError,
    Facts,
    GuestFacts,
    GuestState,
    HostFacts,
    Journal,
    JournalError,
    Leftover,
    Migrator,
    Outcome,
    Phase,
    PhaseRecord,
    Plan,
    Record,
    Sample,
    Statistics,
    UsageError,
    Verdict,
    Writer,
)
from migrate_plugins.journal import journal_url, user
from migrate_plugins.lite import SCHEMA, Lite
from migrate_plugins.processes import Process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrate_plugins.lite import Rows

MIB = 1024 * 1024
HOME = os.path.expanduser("~")  # noqa: PTH111 - a text, as it is compared
GUEST = GuestFacts("web1", "u1", GuestState.RUNNING, persistent=True, memory=1024)
FACTS = Facts(HostFacts("alpha", "a", "q", "l"), GUEST, HostFacts("beta", "b", "q", "l"), None)
FIRST, LATER = Statistics(remaining=9, rate=3), Statistics(remaining=1, rate=3, iteration=2)

# fmt: off
PLACES = [
    # config.toml       environment                                        URL
    (None,              {"XDG_STATE_HOME": "/s"},                          "sqlite:////s/migrate-plugins/journal.sqlite"),
    (None,              {},                                                f"sqlite:///{HOME}/.local/state/migrate-plugins/journal.sqlite"),
    # "paths … must be absolute. If an implementation encounters a relative path … ignore it"
    (None,              {"XDG_STATE_HOME": "s"},                           f"sqlite:///{HOME}/.local/state/migrate-plugins/journal.sqlite"),
    ("sqlite:////j",    {"XDG_STATE_HOME": "/s"},                          "sqlite:////j"),
    ("sqlite:////j",    {"MIGRATE_PLUGINS_JOURNAL": "sqlite:////k"},       "sqlite:////k"),
    ("sqlite:////j",    {"MIGRATE_PLUGINS_JOURNAL": ""},                   "sqlite:////j"),
]

# Phases that were written, the verdict, whether it was settled since; whether that is in doubt.
DOUBTS = [
    ([],                                            None,              False, False),
    ([Phase.CONNECT],                               None,              False, False),
    ([Phase.CONNECT, Phase.CHECK],                  None,              False, False),
    ([Phase.CONNECT, Phase.CHECK],                  Verdict.FAILED,    False, False),
    ([Phase.CHECK, Phase.PREPARE],                  None,              False, True),
    ([Phase.PREPARE, Phase.TRANSFER],               None,              False, True),
    ([Phase.PREPARE, Phase.TRANSFER, Phase.CANCEL], None,              False, True),
    ([Phase.PREPARE, Phase.TRANSFER, Phase.VERIFY], None,              False, True),
    ([Phase.PREPARE],                               Verdict.DONE,      False, False),
    ([Phase.PREPARE],                               Verdict.FAILED,    False, False),
    ([Phase.PREPARE],                               Verdict.CANCELLED, False, False),
    ([Phase.PREPARE],                               Verdict.PAUSED,    False, True),
    ([Phase.PREPARE],                               Verdict.SPLIT,     False, True),
    ([Phase.PREPARE],                               Verdict.LOST,      False, True),
    ([Phase.PREPARE],                               Verdict.UNKNOWN,   False, True),
    ([Phase.PREPARE],                               Verdict.PAUSED,    True,  False),
    ([Phase.PREPARE],                               Verdict.DONE,      True,  False),
]

# Seconds at which a sample is offered, and of those that are kept.
PACES = [
    ([0.2, 0.4, 0.6],                [0.2]),
    ([0.2, 1.1, 1.2, 1.3, 2.1, 2.3], [0.2, 1.2, 2.3]),
    ([0.2, 5.0, 5.2, 6.0],           [0.2, 5.0, 6.0]),
]

UNUSABLE = [
    # URL                           what the error says
    ("nonsense",                    "Could not parse SQLAlchemy URL"),
    ("oracleofdelphi://host/x",     "Can't load plugin: sqlalchemy.dialects:oracleofdelphi"),
    ("sqlite://",                   "SQLite has to write into a file"),
    ("sqlite:///:memory:",          "SQLite has to write into a file"),
    ("sqlite:////proc/none/j",      "No such file or directory"),
    ("sqlite:////dev/full",         ""),
    ("postgresql+pg8000://a:hunter2@h/x", "No module named 'pg8000'"),
]
# fmt: on


@pytest.fixture(scope="module")
def plan(migrator: Migrator) -> Plan:
    return migrator.plan(
        "web1", source="qemu:///system", destination="qemu+ssh://desthost/system", live=True
    )


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/new/folder/journal.sqlite"


@pytest.fixture
def journal(url: str) -> Journal:
    return Journal(url)


@contextmanager
def _writer(journal: Journal, plan: Plan, **asked: Any) -> Iterator[Writer]:  # noqa: ANN401
    writer = journal.begin(plan, **asked)
    try:
        yield writer
    finally:
        writer.close()


def _live(journal: Journal, plan: Plan, verdict: Verdict | None) -> int:
    """Record a whole migration, or one that nobody ended."""
    with _writer(journal, plan) as writer:
        for at, phase in enumerate((Phase.CONNECT, Phase.CHECK, Phase.PREPARE, Phase.TRANSFER)):
            writer.phase(phase, None, float(at))
        if verdict is not None:
            writer.end(Outcome(plan, verdict, GUEST, None))
        return writer.id


# --- what is written is read back ----------------------------------------------------------------


def test_life_of_a_migration_is_read_back(journal: Journal, plan: Plan) -> None:
    complete = plan._replace(receiver="192.0.2.7")
    outcome = Outcome(complete, Verdict.DONE, None, GUEST, elapsed=4.25, facts=FACTS)
    before = datetime.now(UTC)

    with _writer(journal, plan, reason="new kernel", accepted={"cpu": "same one"}) as writer:
        writer.phase(Phase.CONNECT, "opening qemu:///system", 0.0)
        writer.phase(Phase.CHECK, None, 0.5)
        writer.plan(complete, FACTS)
        writer.phase(Phase.PREPARE, None, 1.0)
        writer.sample(FIRST, 1.5)
        writer.phase(Phase.TRANSFER, None, 1.5)
        writer.sample(LATER, 2.5)
        writer.end(outcome._replace(id=writer.id))
        number = writer.id

    record = journal.record(number)
    moments = [record.started, *(each.at for each in record.phases), record.ended]
    assert moments == sorted(moment for moment in moments if moment is not None)
    assert before <= record.started
    assert datetime.now(UTC) - before < timedelta(seconds=60)
    assert [each._replace(at=before) for each in record.phases] == [
        PhaseRecord(Phase.CONNECT, before, 0.0, "opening qemu:///system"),
        PhaseRecord(Phase.CHECK, before, 0.5),
        PhaseRecord(Phase.PREPARE, before, 1.0),
        PhaseRecord(Phase.TRANSFER, before, 1.5),
        PhaseRecord(Phase.DONE, before, 4.25, outcome.sentence),
    ]
    assert record._replace(started=before, ended=before, phases=()) == Record(
        id=1,
        guest="web1",
        uuid="u1",
        started=before,
        user=user(),
        machine=Process.here().machine,
        process=os.getpid(),
        reason="new kernel",
        plan=complete,
        accepted={"cpu": "same one"},
        samples=(Sample(1.5, FIRST), Sample(2.5, LATER)),
        verdict=Verdict.DONE,
        text=outcome.sentence,
        ended=before,
        outcome=json.loads(json.dumps(outcome._replace(id=1).to_json())),
        alive=True,
        facts=FACTS,
    )
    assert journal.records() == [record._replace(samples=())]
    assert json.loads(json.dumps(record.to_json()))["phase"] == "done"


def test_migration_that_never_began_says_why(journal: Journal, plan: Plan) -> None:
    error = ConnectError("qemu:///system", problem="no route")
    with _writer(journal, plan) as writer:
        writer.phase(Phase.CONNECT, None, 0.0)
        writer.failed(error)

    (record,) = journal.records()
    assert (record.verdict, record.text, record.outcome) == (Verdict.FAILED, str(error), None)
    assert (record.phase, record.begun, record.in_doubt) == (Phase.CONNECT, False, False)
    assert record.elapsed is not None
    assert 0 <= record.elapsed < 60


def test_newest_come_first_and_can_be_chosen(journal: Journal, plan: Plan) -> None:
    other = plan._replace(request=plan.request._replace(guest="db1"))
    for each, verdict in ((plan, Verdict.DONE), (other, None), (plan, Verdict.LOST), (plan, None)):
        _live(journal, each, verdict)

    def ids(**asked: Any) -> list[int]:  # noqa: ANN401
        return [record.id for record in journal.records(**asked)]

    assert ids() == [4, 3, 2, 1]
    assert ids(limit=2) == [4, 3]
    assert ids(guest="web1") == [4, 3, 1]
    assert ids(guest="web") == []
    assert ids(unfinished=True) == [4, 3, 2]
    assert ids(unfinished=True, guest="web1", limit=1) == [4]


@pytest.mark.parametrize(("phases", "verdict", "settled", "doubtful"), DOUBTS)
def test_doubt(
    journal: Journal,
    plan: Plan,
    phases: list[Phase],
    verdict: Verdict | None,
    settled: bool,
    doubtful: bool,
) -> None:
    with _writer(journal, plan) as writer:
        for phase in phases:
            writer.phase(phase, None, 0.0)
        if verdict is not None and not settled:
            writer.end(Outcome(plan, verdict, GUEST, None))
        number = writer.id
    if verdict is not None and settled:
        journal.settle(number, verdict=verdict, text="looked", by="ann@here")

    assert journal.record(number).in_doubt is doubtful
    assert [record.id for record in journal.records(unfinished=True)] == [number] * doubtful


@pytest.mark.parametrize(("rolled_back", "told"), [(True, 1), (False, 0)])
def test_beside_a_guest_that_stayed_only_what_the_failure_left_is_pending(
    plan: Plan, *, rolled_back: bool, told: int
) -> None:
    left = GUEST._replace(leftover=Leftover("its job is held", rolled_back=rolled_back))

    assert len(Outcome(plan, Verdict.FAILED, left, None, facts=FACTS).pending) == told


def test_what_is_left_over_is_kept_until_it_is_put_right(journal: Journal, plan: Plan) -> None:
    left = GUEST._replace(leftover=Leftover("a listener is on", "it is shut off"))
    facts = FACTS._replace(guest=left)
    outcome = Outcome(plan, Verdict.DONE, None, left, facts=facts)
    with _writer(journal, plan) as writer:
        writer.plan(plan, facts)
        writer.phase(Phase.PREPARE, None, 0.0)
        writer.phase(Phase.PENDING, "; ".join(outcome.pending), 0.1)
        writer.end(outcome)
        number = writer.id
    record = journal.record(number)

    assert outcome.pending == ("on beta: a listener is on; it stays until it is shut off",)
    assert (record.pending, record.in_doubt) == (outcome.pending[0], False)
    assert (record.phase, record.facts) == (Phase.DONE, facts)
    assert [each.id for each in journal.records(unfinished=True)] == [number]

    journal.pending(record, "something else")
    assert journal.record(number).pending == "something else"
    assert [each.id for each in journal.records(unfinished=True)] == [number]

    journal.pending(record, None)
    assert journal.record(number).pending is None
    assert journal.records(unfinished=True) == []


def test_what_is_found_out_later_closes_a_record(journal: Journal, plan: Plan) -> None:
    number = _live(journal, plan, None)

    journal.settle(number, verdict=Verdict.DONE, text="web1 is on beta", by="ann@here")

    record = journal.record(number)
    assert (record.verdict, record.text, record.settled_by) == (
        Verdict.DONE,
        "web1 is on beta",
        "ann@here",
    )
    assert record.ended is not None
    assert record.ended >= record.started


@pytest.mark.parametrize("ids", [0, 2])
def test_record_that_is_not_there_is_answered_with_the_newest(
    journal: Journal, plan: Plan, ids: int, tmp_path: Path
) -> None:
    for _ in range(ids):
        _live(journal, plan, None)
    known = "the newest are 2, 1" if ids else "it has none"
    told = f"the journal {tmp_path}/new/folder/journal.sqlite has no record 9; {known}"

    for ask in (
        lambda: journal.record(9),
        lambda: journal.settle(9, verdict=Verdict.DONE, text="", by=""),
    ):
        with pytest.raises(UsageError) as caught:
            ask()
        assert str(caught.value) == told


@pytest.mark.parametrize(("offered", "kept"), PACES)
def test_at_most_one_sample_a_second(
    journal: Journal, plan: Plan, offered: list[float], kept: list[float]
) -> None:
    with _writer(journal, plan) as writer:
        for elapsed in offered:
            writer.sample(FIRST, elapsed)
            writer.plan(plan)  # what was offered before is written by then
        number = writer.id

    assert [sample.elapsed for sample in journal.record(number).samples] == kept


def test_both_ways_into_a_file_leave_the_same_rows(
    journal: Journal, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lite = Journal(journal.url)._lite
    assert lite is not None
    made = lite.made
    for short in (False, True):
        monkeypatch.setattr(Lite, "made", lambda _, short=short: short and made())
        with _writer(journal, plan, reason="é", accepted={"a": "b"}) as writer:
            writer.phase(Phase.CONNECT, "é", 0.25)
            writer.plan(plan, FACTS)
            writer.phase(Phase.PREPARE, None, 1.0)
            writer.sample(FIRST, 1.5)
            writer.end(Outcome(plan, Verdict.DONE, GUEST, None))

    assert made()
    with sqlite3.connect(tmp_path / "new/folder/journal.sqlite") as connection:
        for table, differ in (
            ("journal_migrations", {"id", "started", "ended"}),
            ("journal_phases", {"id", "migration", "at"}),
            ("journal_samples", {"id", "migration"}),
        ):
            found = connection.execute(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608
            names = [column[0] for column in found.description]
            rows = [
                [cell for name, cell in zip(names, row, strict=True) if name not in differ]
                for row in found
            ]
            assert len(rows) in {2, 6}
            assert rows[: len(rows) // 2] == rows[len(rows) // 2 :]
    connection.close()


# --- who may read it -----------------------------------------------------------------------------


def test_file_and_folder_are_nobody_elses(journal: Journal, plan: Plan, tmp_path: Path) -> None:
    with _writer(journal, plan) as writer:
        assert writer.id == 1
        modes = {
            path.relative_to(tmp_path): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")
        }

    assert modes.pop(Path("new/folder")) == 0o700
    modes.pop(Path("new"))
    assert Path("new/folder/journal.sqlite") in modes
    assert set(modes.values()) == {0o600}


def test_no_password_is_written(journal: Journal, migrator: Migrator, tmp_path: Path) -> None:
    plan = migrator.plan(
        "web1",
        source="qemu+tcp://root:hunter2@alpha/system",
        destination="qemu+tcp://root:hunter2@beta/system",
    )
    outcome = Outcome(
        plan,
        Verdict.FAILED,
        GUEST,
        None,
        error=ConnectError("qemu+tcp://root:hunter2@beta/system", problem="password=hunter2"),
    )

    with _writer(journal, plan, reason="password: hunter2", accepted={"a": "://u:hunter2@h"}) as w:
        w.phase(Phase.CONNECT, "opening qemu+tcp://root:hunter2@alpha/system", 0.0)
        w.plan(plan, FACTS._replace(unreadable="qemu+tcp://root:hunter2@beta/ is silent"))
        w.phase(Phase.PREPARE, None, 0.0)
        w.end(outcome)

    kept = b"".join(path.read_bytes() for path in (tmp_path / "new/folder").iterdir())
    assert b"qemu+tcp://root:***@alpha/system" in kept
    assert b"hunter2" not in kept
    (record,) = journal.records()
    assert record.plan is not None
    assert record.plan.uris.source.value == "qemu+tcp://root:***@alpha/system"


# --- where it lies, and what it cannot be ---------------------------------------------------------


@pytest.mark.parametrize(("configured", "environment", "url"), PLACES)
def test_place(configured: str | None, environment: Mapping[str, str], url: str) -> None:
    config = Config(journal=configured)

    assert journal_url(config, environment) == url
    assert Journal.configured(config, environment).url == url


def test_reading_makes_nothing(journal: Journal, tmp_path: Path) -> None:
    assert journal.records() == []
    assert [*tmp_path.iterdir()] == []


def test_empty_file_has_no_records(journal: Journal, plan: Plan, tmp_path: Path) -> None:
    file = tmp_path / "new/folder/journal.sqlite"
    file.parent.mkdir(parents=True)
    file.touch()

    assert journal.records() == []
    assert _live(journal, plan, None) == 1


@pytest.mark.parametrize(("bad", "told"), UNUSABLE)
def test_store_that_cannot_be_is_refused_without_its_password(
    plan: Plan, bad: str, told: str
) -> None:
    with _writer(Journal(bad), plan) as writer:
        for ask in (lambda: writer.id, lambda: writer.phase(Phase.CHECK, None, 0.0)):
            with pytest.raises(JournalError) as caught:
                ask()
            assert told in str(caught.value)
            assert "hunter2" not in str(caught.value)


def test_store_of_a_newer_edition_is_refused(journal: Journal, plan: Plan, tmp_path: Path) -> None:
    _live(journal, plan, None)
    file = tmp_path / "new/folder/journal.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE journal_store SET value = ?", (str(SCHEMA + 1),))
    connection.close()
    newer = Journal(journal.url)
    told = (
        f"the journal {file} cannot be {{}}: it has schema {SCHEMA + 1}, and this migrate-plugins"
        f" knows {SCHEMA}; use the newer migrate-plugins that wrote it, or give another journal"
    )

    with pytest.raises(JournalError) as unread:
        newer.records()
    with _writer(newer, plan) as writer, pytest.raises(JournalError) as unwritten:
        _ = writer.id

    assert (str(unread.value), str(unwritten.value)) == (
        told.format("read"),
        told.format("written"),
    )


def test_plan_of_another_edition_is_not_guessed(
    journal: Journal, plan: Plan, tmp_path: Path
) -> None:
    _live(journal, plan, Verdict.DONE)
    with sqlite3.connect(tmp_path / "new/folder/journal.sqlite") as connection:
        connection.execute("UPDATE journal_migrations SET plan = json_set(plan, '$.schema', 'x/2')")
    connection.close()

    (record,) = journal.records()

    assert (record.guest, record.plan, record.verdict) == ("web1", None, Verdict.DONE)


# --- many at once, killed, without room ----------------------------------------------------------

# Writes records one after the other, and says what was acknowledged, each when it was.
WRITE = """\
import json, os, sys
from migrate_plugins import Journal, Outcome, Phase, Plan, Statistics, Verdict
journal, plan = Journal(sys.argv[1]), Plan.from_json(json.load(open(sys.argv[2])))
for _ in range(int(sys.argv[3])):
    writer = journal.begin(plan, reason="r" * 500)
    try:
        say = lambda what: os.write(1, f"{writer.id} {what}\\n".encode())
        for at, phase in enumerate((Phase.CHECK, Phase.PREPARE, Phase.TRANSFER, Phase.VERIFY)):
            writer.phase(phase, None, float(at))
            say(phase.value)
        writer.sample(Statistics(remaining=1), 4.0)
        writer.end(Outcome(plan, Verdict.LOST))
        say("done")
    finally:
        writer.close()
"""


def _start(url: str, plan: Plan, tmp_path: Path, times: int, *before: str) -> subprocess.Popen[str]:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan.to_json()))
    command = [*before, sys.executable, "-c", WRITE, url, str(file), str(times)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _acknowledged(lines: str) -> dict[int, list[str]]:
    """Give the phases that were acknowledged, by record; a line that was cut off counts not."""
    found: dict[int, list[str]] = {}
    for line in lines.splitlines(keepends=True):
        if line.endswith("\n"):
            number, phase = line.split()
            found.setdefault(int(number), []).append(phase)
    return found


def _kept(journal: Journal) -> dict[int, list[str]]:
    return {record.id: [each.phase.value for each in record.phases] for record in journal.records()}


def _sound(file: Path) -> bool:
    with sqlite3.connect(file) as connection:
        found: list[tuple[str]] = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    return found == [("ok",)]


def test_processes_and_threads_write_at_once(
    journal: Journal, plan: Plan, url: str, tmp_path: Path
) -> None:
    processes = [_start(url, plan, tmp_path, 8) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        lives = [threads.submit(_live, journal, plan, Verdict.DONE) for _ in range(4)]
        said = [process.communicate(timeout=90) for process in processes]
        mine = {life.result(30) for life in lives}

    assert [process.returncode for process in processes] == [0] * 4, said
    told = {number: each for out, _ in said for number, each in _acknowledged(out).items()}
    assert len(told) == 4 * 8
    assert all(each == ["check", "prepare", "transfer", "verify", "done"] for each in told.values())
    kept = _kept(journal)
    assert sorted(kept) == [*range(1, 4 * 8 + 4 + 1)]
    assert {number: kept[number] for number in told} == told
    assert mine == kept.keys() - told.keys()
    assert all(record.verdict is not None for record in journal.records())
    assert _sound(tmp_path / "new/folder/journal.sqlite")


# Acknowledgements after which a process is killed, and seconds on top: within what it does next.
@pytest.mark.parametrize("delay", [0.0, 0.0007, 0.0023, 0.006])
@pytest.mark.parametrize("after", [1, 2, 13])
def test_killed_process_loses_nothing_that_was_acknowledged(
    journal: Journal, plan: Plan, url: str, tmp_path: Path, after: int, delay: float
) -> None:
    process = _start(url, plan, tmp_path, 10_000)
    assert process.stdout is not None
    said = "".join(process.stdout.readline() for _ in range(after))
    threading.Event().wait(delay)
    process.kill()
    # Not communicate(), which loses what was read beyond the last line.
    with process:
        rest = process.stdout.read()

    assert process.returncode == -signal.SIGKILL
    told, kept = _acknowledged(said + rest), _kept(journal)
    assert told
    for number, phases in told.items():
        assert kept[number][: len(phases)] == phases
    # Of the last one a phase more may have been written that nobody was told of.
    assert sum(map(len, kept.values())) - sum(map(len, told.values())) in {0, 1}
    assert _sound(tmp_path / "new/folder/journal.sqlite")
    assert journal.records(limit=1)[0].alive is False
    assert _live(journal, plan, Verdict.DONE) == len(kept) + 1


def test_full_disk_loses_nothing_that_was_acknowledged(plan: Plan, tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare here")
    disk = tmp_path / "disk"
    disk.mkdir()
    # A small disk in a namespace of its own; nothing is left of it but what is copied out.
    script = (
        'mount -t tmpfs -o size=192k tmpfs "$0" || exit 9; "$@"; status=$?;'
        ' mkdir "$0.left"; cp "$0"/* "$0.left"; exit $status'
    )
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(disk)]
    process = _start(f"sqlite:///{disk}/journal.sqlite", plan, tmp_path, 10_000, *unshare)

    out, err = process.communicate(timeout=90)

    assert process.returncode == 1, err
    assert "JournalError: the journal" in err.splitlines()[-1]
    assert "database or disk is full" in err.splitlines()[-1]
    left = tmp_path / "disk.left/journal.sqlite"
    told, kept = _acknowledged(out), _kept(Journal(f"sqlite:///{left}"))
    assert sum(map(len, told.values())) > 5
    for number, phases in told.items():
        assert kept[number][: len(phases)] == phases
    assert _sound(left)
    # With room again it goes on.
    assert _live(Journal(f"sqlite:///{left}"), plan, Verdict.DONE) == max(kept) + 1


# --- nobody waits for it long --------------------------------------------------------------------


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let every write hang until this is set, and everybody be impatient."""
    released = threading.Event()
    writing = Journal._rows

    @contextmanager
    def hanging(self: Journal) -> Iterator[Rows]:
        assert released.wait(30)
        with writing(self) as rows:
            yield rows

    monkeypatch.setattr(Journal, "_rows", hanging)
    for name in ("_PATIENCE", "_HASTE", "_LAST"):
        monkeypatch.setattr(f"migrate_plugins.journal.{name}", 0.05)
    yield released
    released.set()


def test_store_that_does_not_answer_is_given_up(
    journal: Journal, plan: Plan, stuck: threading.Event
) -> None:
    with _writer(journal, plan) as writer:
        writer.phase(Phase.CONNECT, None, 0.0)  # is not waited for
        for ask in (
            lambda: writer.id,
            lambda: writer.phase(Phase.CHECK, None, 0.0),
            lambda: writer.end(Outcome(plan, Verdict.DONE)),
        ):
            with pytest.raises(JournalError) as caught:
                ask()
            assert caught.value.problem == "it did not answer within 0 s"
    # Too late for whoever waited, and yet it is written, in order.
    stuck.set()
    until = time.monotonic() + 30
    while not journal.records() or journal.records()[0].verdict is None:
        assert time.monotonic() < until
        threading.Event().wait(0.01)

    (record,) = journal.records()
    assert [each.phase for each in record.phases] == [Phase.CONNECT, Phase.CHECK, Phase.DONE]


# --- whether the process that writes still runs ---------------------------------------------------


def test_process_is_alive_until_it_is_gone() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        told = Process.here()._replace(number=child.pid, started=_started(child.pid))
        seen = [told.alive(), told._replace(started=1).alive()]
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet buried
        seen.append(told.alive())
    seen.append(told.alive())

    assert seen == [True, False, False, False]


def test_process_elsewhere_is_not_known() -> None:
    mine = Process.here()
    assert mine.boot is not None
    boot, _, namespace = mine.boot.partition(" ")

    assert mine.alive() is True
    assert mine._replace(machine="another").alive() is None
    assert mine._replace(boot=None).alive() is None
    assert mine._replace(boot=f"{boot} 1").alive() is None  # another container
    assert mine._replace(boot=f"earlier {namespace}").alive() is False  # before a reboot
    assert mine._replace(started=None).alive() is None


def _started(number: int) -> int:
    stat = Path(f"/proc/{number}/stat").read_text(encoding="utf-8")
    return int(stat.rpartition(")")[2].split()[19])


def test_limit_on_the_size_of_files_is_a_full_disk_too(
    journal: Journal, plan: Plan, url: str, tmp_path: Path
) -> None:
    process = _start(url, plan, tmp_path, 10_000)
    assert process.stdout is not None
    said = process.stdout.readline()

    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))

    rest, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert "JournalError: the journal" in err.splitlines()[-1]
    told, kept = _acknowledged(said + rest), _kept(journal)
    for number, phases in told.items():
        assert kept[number][: len(phases)] == phases
    assert _sound(tmp_path / "new/folder/journal.sqlite")
