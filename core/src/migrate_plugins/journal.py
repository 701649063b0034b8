"""The journal: every migration, written down ahead of each of its phases.

What is acknowledged is on the disk.  SQLAlchemy is imported where a journal is read, or has to be
made; and what writes during a migration is a thread of its own, so that a slow disk holds nobody up
for long.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from migrate_plugins.errors import JournalError, MigrateError, UsageError, one_line
from migrate_plugins.lite import Lite
from migrate_plugins.outcome import Verdict
from migrate_plugins.plan import Plan
from migrate_plugins.processes import Process
from migrate_plugins.progress import Phase, Statistics
from migrate_plugins.records import BEGUN, OPEN, PhaseRecord, Record, Sample
from migrate_plugins.sessions import Facts, GuestFacts, HostFacts
from migrate_plugins.tracing import hidden, masked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from queue import SimpleQueue

    from sqlalchemy import Connection

    from migrate_plugins.config import Config
    from migrate_plugins.lite import Rows
    from migrate_plugins.outcome import Outcome
    from migrate_plugins.store import Store

__all__ = ["Journal", "Writer", "journal_url"]

_MIGRATIONS, _PHASES, _SAMPLES = "journal_migrations", "journal_phases", "journal_samples"

_VARIABLE: Final = "MIGRATE_PLUGINS_JOURNAL"

# Seconds that the journal may take: while nothing has been started, and afterwards, when the
# migration goes on without it; and for its end, when nothing is held up any more.
_PATIENCE: Final = 10.0
_HASTE: Final = 2.0
_LAST: Final = 5.0

# Seconds between two samples.
_PACE: Final = 1.0

# How many are named where somebody asks for one that there is not.
_NAMED: Final = 5


class Journal:
    """One store of records.

    Connections are made when they are first needed; threads and processes may share a store.
    """

    def __init__(self, url: str) -> None:
        """Keep the journal at *url*, any of SQLAlchemy's; nothing is opened yet."""
        self.url: Final = url
        self._lock = threading.Lock()
        # Many migrations of one process would keep each other waiting by turns, some for too long:
        # SQLite serves whoever happens to ask when it is free.
        self._writing = threading.Lock()
        self._opened: Store | None = None
        self._lite = Lite.of(url)

    @classmethod
    def configured(cls, config: Config, environment: Mapping[str, str] | None = None) -> Journal:
        """Give the journal that *environment*, or else *config*, or else nobody asks for."""
        return cls(journal_url(config, os.environ if environment is None else environment))

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        return masked(self.url) if self._lite is None else self._lite.place

    def check(self) -> None:
        """Return if its URL can be used; whether somebody answers there is not tried.

        Raises:
            JournalError: It is no URL, or the library for its database is not installed.
        """
        self._store()

    def warm_up(self) -> None:
        """Load what writing takes, in the background, where that takes long."""
        if self._lite is not None and self._lite.made():
            return

        def load() -> None:
            with suppress(Exception):  # whoever writes is told
                self._store()

        threading.Thread(target=load, name="journal", daemon=True).start()

    def begin(
        self, plan: Plan, *, reason: str | None = None, accepted: Mapping[str, str] | None = None
    ) -> Writer:
        """Begin a record; that it is there is known when :attr:`Writer.id` is.

        Args:
            plan: What is promised.
            reason: Why, in the words of whoever asked.
            accepted: Id of a finding to the reason for accepting it.
        """
        return Writer(self._rows, self._release, plan, reason, accepted or {}, self.place)

    def records(
        self, *, guest: str | None = None, unfinished: bool = False, limit: int | None = None
    ) -> list[Record]:
        """Read records, the newest first, without their samples.

        Args:
            guest: Only of this guest, by its name on the source.
            unfinished: Only those in doubt, see :attr:`Record.in_doubt`, and those that left
                something over, see :attr:`Record.pending`.
            limit: At most so many.

        Raises:
            JournalError: It cannot be read.
        """
        from sqlalchemy import and_, or_, select

        from migrate_plugins.store import MIGRATIONS, left_over  # noqa: PLC0415

        column = MIGRATIONS.c
        query = select(MIGRATIONS).order_by(column.id.desc()).limit(limit)
        if guest is not None:
            query = query.where(column.guest == guest)
        if unfinished:
            unknown = and_(column.verdict.is_(None), column.begun)
            found = and_(
                column.verdict.in_([verdict.value for verdict in OPEN]),
                column.settled_by.is_(None),
            )
            query = query.where(or_(unknown, found, left_over()))
        with self._store().reading() as connection:
            if connection is None:
                return []
            rows = [row._asdict() for row in connection.execute(query)]
            phases = _phases(connection, [row["id"] for row in rows])
        return [_record(row, phases.get(row["id"], ())) for row in rows]

    def record(self, id: int) -> Record:  # noqa: A002 - what everybody calls it
        """Read one record, with its samples.

        Raises:
            UsageError: There is none of that number.
            JournalError: It cannot be read.
        """
        from sqlalchemy import select

        from migrate_plugins.store import MIGRATIONS, SAMPLES  # noqa: PLC0415

        with self._store().reading() as connection:
            row = None
            if connection is not None:
                query = select(MIGRATIONS).where(MIGRATIONS.c.id == id)
                row = connection.execute(query).one_or_none()
            if connection is None or row is None:
                raise UsageError(self._no_record(connection, id))
            phases = _phases(connection, [id])
            sampled = select(SAMPLES).where(SAMPLES.c.migration == id).order_by(SAMPLES.c.id)
            samples = tuple(
                Sample(each.elapsed, _known(Statistics, each.statistics))
                for each in connection.execute(sampled)
            )
        return _record(row._asdict(), phases.get(id, ()))._replace(samples=samples)

    def mending(self, record: Record, text: str) -> None:
        """Write that a step is about to be taken with the guest of a record in doubt.

        Args:
            record: Whose.
            text: Which step, on which host.

        Raises:
            JournalError: It could not be written.
        """
        self._afterwards(record, Phase.MEND, text)

    def pending(self, record: Record, text: str | None) -> None:
        """Write what a migration left over.

        Args:
            record: Whose.
            text: What, on which host; None where nothing is any more.

        Raises:
            JournalError: It could not be written.
        """
        self._afterwards(record, Phase.PENDING, text)

    def _afterwards(self, record: Record, phase: Phase, text: str | None) -> None:
        now = _now()
        elapsed = (now - record.started).total_seconds()
        told = {"phase": phase.value, "at": now.isoformat(), "elapsed": elapsed}
        try:
            with self._rows() as rows:
                rows.add(_PHASES, {"migration": record.id, **told, "text": text and masked(text)})
        finally:
            self._release()

    def settle(self, id: int, *, verdict: Verdict, text: str, by: str) -> None:  # noqa: A002
        """Close a record with what was found out afterwards.

        Args:
            id: Which.
            verdict: Where the guest is.
            text: That in a sentence.
            by: Who found it, as ``name@host``.

        Raises:
            UsageError: There is none of that number.
            JournalError: It cannot be written.
        """
        values = {"verdict": verdict.value, "text": masked(text), "settled_by": by}
        try:
            with self._rows() as rows:
                found = rows.change(_MIGRATIONS, id, {**values, "ended": _now().isoformat()})
        finally:
            self._release()
        if not found:
            with self._store().reading() as connection:
                raise UsageError(self._no_record(connection, id))

    @contextmanager
    def _rows(self) -> Iterator[Rows]:
        """Give a transaction, by the shortest way."""
        with self._writing:
            made = self._lite is not None and self._lite.made()
            with self._lite.rows() if made and self._lite else self._store().rows() as rows:
                yield rows

    def _release(self) -> None:
        """Close what this thread holds open."""
        if self._lite is not None:
            self._lite.release()

    def _store(self) -> Store:
        """Open the store; raises JournalError where its URL is wrong."""
        with self._lock:
            if self._opened is None:
                from migrate_plugins.store import Store  # noqa: PLC0415 - see the module

                self._opened = Store(self.url)
            return self._opened

    def _no_record(self, connection: Connection | None, id_: int) -> str:
        from sqlalchemy import select

        from migrate_plugins.store import MIGRATIONS  # noqa: PLC0415

        newest: list[int] = []
        if connection is not None:
            query = select(MIGRATIONS.c.id).order_by(MIGRATIONS.c.id.desc()).limit(_NAMED)
            newest = [*connection.execute(query).scalars()]
        known = f"the newest are {', '.join(map(str, newest))}" if newest else "it has none"
        return f"the journal {self._store().place} has no record {id_}; {known}"


def journal_url(config: Config, environment: Mapping[str, str]) -> str:
    """Tell where the journal is: by the environment, by config.toml, or in its usual place."""
    given = environment.get(_VARIABLE) or config.journal
    if given:
        return given
    # As the XDG base directory specification wants it.
    home = environment.get("XDG_STATE_HOME") or ""
    if not os.path.isabs(home):  # noqa: PTH117 - pathlib is slow to import
        home = os.path.expanduser("~/.local/state")  # noqa: PTH111 - as above
    return f"sqlite:///{home}/migrate-plugins/journal.sqlite"


class _Work:
    """Something to be written, and what became of it."""

    def __init__(self, do: Callable[[Rows], object]) -> None:
        self.do = do
        self.error: JournalError | None = None
        self.done = threading.Event()


class Writer:
    """The record of one migration that is under way.

    Until the phase *prepare* has been written a failure is raised, and nothing may be started.
    From then on each call waits for a short time only, and what fails is in :attr:`missing` too.
    """

    def __init__(
        self,
        rows: Callable[[], AbstractContextManager[Rows]],
        release: Callable[[], None],
        plan: Plan,
        reason: str | None,
        accepted: Mapping[str, str],
        place: str,
    ) -> None:
        """Begin; see :meth:`Journal.begin`."""
        from queue import SimpleQueue  # noqa: PLC0415 - most commands write nothing

        self._rows = rows
        self._release = release
        self._place = place
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._begun = False
        self._missing: JournalError | None = None
        self._sampled: float | None = None
        self._sampling: _Work | None = None
        self._number: int | None = None
        self._id: int | None = None
        values = {
            "guest": plan.guest,
            "started": _now().isoformat(),
            "user": user(),
            "reason": reason and masked(reason),
            "plan": _plan(plan),
            "accepted": hidden(accepted),
            "begun": False,
        }
        self._beginning = self._add(lambda rows: self._begin(rows, values))
        threading.Thread(target=self._write, name="journal", daemon=True).start()

    @property
    def id(self) -> int:
        """Its number in the journal; once that is known, the record is there.

        Raises:
            JournalError: It could not be written.
        """
        self._wait(self._beginning, _PATIENCE)
        if self._id is None:
            raise RuntimeError("a record was written without a number")
        return self._id

    def phase(self, phase: Phase, text: str | None, elapsed: float) -> None:
        """Write that a phase is about to be entered, or what is told in it.

        It is there when this returns, with one exception: *connect* is written while the hosts
        are being opened, and is there when the next one is.

        Raises:
            JournalError: It could not be written.
        """
        at = _now().isoformat()
        begins = phase in BEGUN and not self._begun

        told = {"phase": phase.value, "at": at, "elapsed": elapsed, "text": text and masked(text)}

        def write(rows: Rows) -> None:
            rows.add(_PHASES, {"migration": self._id, **told})
            if begins:
                self._change(rows, {"begun": True})

        work = self._add(write)
        if phase is not Phase.CONNECT:
            self._wait(work, _HASTE if self._begun else _PATIENCE)
        self._begun |= begins

    def plan(self, plan: Plan, facts: Facts | None = None) -> None:
        """Write the plan as it is now: completed by the check, or with the port that is held.

        Raises:
            JournalError: It could not be written.
        """
        values: dict[str, Any] = {"plan": _plan(plan)}
        if facts is not None:
            values["facts"] = hidden(facts.to_json())
            values["uuid"] = facts.guest and facts.guest.uuid
        self._wait(
            self._add(lambda rows: self._change(rows, values)), _HASTE if self._begun else _PATIENCE
        )

    def sample(self, statistics: Statistics, elapsed: float) -> None:
        """Write how far the transfer is, if a second has passed; waits for nothing."""
        if self._sampled is not None and elapsed - self._sampled < _PACE:
            return
        if self._sampling is not None and not self._sampling.done.is_set():
            return  # the disk is slow: it gets no more than it can take
        self._sampled = elapsed

        values = {"elapsed": elapsed, "statistics": statistics._asdict()}
        self._sampling = self._add(
            lambda rows: rows.add(_SAMPLES, {"migration": self._id, **values})
        )

    def end(self, outcome: Outcome) -> None:
        """Write the outcome, and close the record.

        Raises:
            JournalError: It could not be written.
        """
        told = {
            "verdict": outcome.verdict.value,
            "text": masked(outcome.sentence),
            "outcome": hidden(outcome.to_json()),
        }
        self._end(told, outcome.elapsed)

    def failed(self, error: MigrateError) -> None:
        """Write why the migration was never started, and close the record.

        Raises:
            JournalError: It could not be written.
        """
        self._end({"verdict": Verdict.FAILED.value, "text": masked(str(error))}, None)

    def close(self) -> None:
        """Write no more, once what is waiting has been written; again is no error."""
        self._queue.put(None)

    @property
    def missing(self) -> JournalError | None:
        """Why something of this migration could not be written, if so."""
        return self._missing

    def _end(self, told: Mapping[str, Any], elapsed: float | None) -> None:
        ended = _now().isoformat()

        def write(rows: Rows) -> None:
            self._change(rows, {**told, "ended": ended})
            if elapsed is not None:
                done = {"phase": Phase.DONE.value, "at": ended, "elapsed": elapsed}
                rows.add(_PHASES, {"migration": self._id, **done, "text": told["text"]})

        work = self._add(write)
        self.close()
        self._wait(work, _LAST)

    def _begin(self, rows: Rows, values: Mapping[str, Any]) -> None:
        mine = Process.here()
        process = {
            "machine": mine.machine,
            "boot": mine.boot,
            "process": mine.number,
            "process_started": None if mine.started is None else str(mine.started),
        }
        self._number = rows.add(_MIGRATIONS, {**values, **process})

    def _change(self, rows: Rows, values: Mapping[str, Any]) -> None:
        if not rows.change(_MIGRATIONS, self._id or 0, values):
            raise self._error("the record is not there any more")

    def _add(self, do: Callable[[Rows], object]) -> _Work:
        work = _Work(do)
        self._queue.put(work)
        return work

    def _wait(self, work: _Work, seconds: float) -> None:
        if not work.done.wait(seconds):
            raise self._error(f"it did not answer within {seconds:.0f} s")
        if work.error is not None:
            raise work.error

    def _write(self) -> None:
        """Write what is asked for, in order: the work of the thread."""
        while (work := self._queue.get()) is not None:
            lost = self._beginning.error
            try:
                if lost is not None:  # there is nothing that it could be added to
                    raise lost  # noqa: TRY301 - dealt with as its own failure is
                with self._rows() as rows:
                    work.do(rows)
            except JournalError as error:
                work.error = error
            except Exception as error:  # noqa: BLE001 - told to whoever waits
                work.error = self._error(one_line(error))
            if work is self._beginning and work.error is None:
                self._id = self._number  # committed: only now is it one
            self._missing = self._missing or work.error
            work.done.set()
        self._release()

    def _error(self, problem: str) -> JournalError:
        instead = (
            "nothing was changed; try again, or go without a journal (--no-journal)"
            if not self._begun
            else "the migration goes on without it"
        )
        return JournalError(self._place, doing="written", problem=problem, instead=instead)


def user() -> str:
    """Tell who we are, as ``name@host``."""
    from pwd import getpwuid  # noqa: PLC0415 - most commands tell nobody
    from socket import gethostname  # noqa: PLC0415

    number = os.getuid()
    try:
        name = getpwuid(number).pw_name
    except KeyError:
        name = str(number)
    return f"{name}@{gethostname()}"


def _now() -> datetime:
    from datetime import UTC, datetime  # noqa: PLC0415 - most commands need no clock

    return datetime.now(UTC)


def _plan(plan: Plan) -> dict[str, Any]:
    return hidden(plan.to_json())


def _phases(connection: Connection, ids: Iterable[int]) -> dict[int, tuple[PhaseRecord, ...]]:
    """Read the phases of several records, by their numbers."""
    from datetime import datetime  # noqa: PLC0415 - see above

    from sqlalchemy import select

    from migrate_plugins.store import PHASES  # noqa: PLC0415

    found: dict[int, tuple[PhaseRecord, ...]] = {}
    ids = [*ids]
    # In parts: databases limit how much one question may name.
    for at in range(0, len(ids), _AT_ONCE):
        asked = PHASES.c.migration.in_(ids[at : at + _AT_ONCE])
        for row in connection.execute(select(PHASES).where(asked).order_by(PHASES.c.id)):
            entered = PhaseRecord(
                Phase(row.phase), datetime.fromisoformat(row.at), row.elapsed, row.text
            )
            found[row.migration] = (*found.get(row.migration, ()), entered)
    return found


_AT_ONCE: Final = 500


def _record(row: Mapping[str, Any], phases: tuple[PhaseRecord, ...]) -> Record:
    from datetime import datetime  # noqa: PLC0415 - see above

    started = row["process_started"]
    process = Process(
        row["machine"], row["boot"], row["process"], None if started is None else int(started)
    )
    same = ("id", "guest", "uuid", "user", "machine", "process", "reason", "accepted", "text")
    ended = row["ended"]
    return Record(
        **{name: row[name] for name in (*same, "outcome", "settled_by")},
        started=datetime.fromisoformat(row["started"]),
        plan=_read_plan(row["plan"]),
        phases=phases,
        verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
        ended=None if ended is None else datetime.fromisoformat(ended),
        alive=process.alive(),
        facts=_read_facts(row["facts"]),
    )


def _read_plan(json: object) -> Plan | None:
    try:
        return Plan.from_json(json)
    except UsageError:
        return None


def _read_facts(json: Mapping[str, Any] | None) -> Facts | None:
    """Read what hosts said before; None where another edition wrote what we cannot read."""
    if json is None:
        return None
    try:
        return Facts(
            source=_known(HostFacts, json["source"]),
            guest=json["guest"] and GuestFacts.from_json(json["guest"]),
            destination=json["destination"] and _known(HostFacts, json["destination"]),
            resident=json["resident"] and GuestFacts.from_json(json["resident"]),
            unreadable=json["unreadable"],
        )
    except (LookupError, TypeError, ValueError):
        return None


_Value = TypeVar("_Value", HostFacts, Statistics)


def _known(kind: type[_Value], json: Mapping[str, Any]) -> _Value:
    """Read a value, passing over what another edition added to it."""
    return kind(**{field: json[field] for field in kind._fields if field in json})
