"""The journal's tables, in SQLite or in any other database that SQLAlchemy speaks with.

The one module that imports SQLAlchemy; it is imported when a journal is first read or written.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    NullPool,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    inspect,
    make_url,
    select,
    update,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from migrate_plugins.errors import JournalError, one_line
from migrate_plugins.lite import BUSY, SCHEMA, failure, patiently, prepare
from migrate_plugins.progress import Phase
from migrate_plugins.tracing import masked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import ColumnElement, Connection, Engine

    from migrate_plugins.lite import Rows

__all__ = ["MIGRATIONS", "PHASES", "SAMPLES", "Store", "left_over"]

_FOLDER: Final = 0o700
_FILE: Final = 0o600

_TABLES: Final = MetaData()

# Moments are ISO 8601 texts in UTC: they sort, and every database keeps them as they are.
_MOMENT: Final = String(32)

STORE: Final = Table(
    "journal_store",
    _TABLES,
    Column("name", String(32), primary_key=True),
    Column("value", String(64), nullable=False),
)
MIGRATIONS: Final = Table(
    "journal_migrations",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("guest", String(255), nullable=False, index=True),
    Column("uuid", String(64)),
    Column("started", _MOMENT, nullable=False),
    Column("user", String(255), nullable=False),
    Column("machine", String(255), nullable=False),
    Column("boot", String(255)),
    Column("process", Integer, nullable=False),
    Column("process_started", String(32)),
    Column("reason", Text),
    Column("plan", JSON, nullable=False),
    Column("accepted", JSON, nullable=False),
    Column("facts", JSON(none_as_null=True)),
    # Whether the hypervisor was, or may have been, asked to migrate.
    Column("begun", Boolean, nullable=False),
    Column("verdict", String(32)),
    Column("text", Text),
    Column("ended", _MOMENT),
    Column("outcome", JSON(none_as_null=True)),
    Column("settled_by", String(255)),
    sqlite_autoincrement=True,  # a number is never given again
)
PHASES: Final = Table(
    "journal_phases",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("migration", ForeignKey(MIGRATIONS.c.id), nullable=False),
    Column("phase", String(32), nullable=False),
    Column("at", _MOMENT, nullable=False),
    Column("elapsed", Float, nullable=False),
    Column("text", Text),
    Index("journal_phases_of", "migration"),
)
SAMPLES: Final = Table(
    "journal_samples",
    _TABLES,
    Column("id", Integer, primary_key=True),
    Column("migration", ForeignKey(MIGRATIONS.c.id), nullable=False),
    Column("elapsed", Float, nullable=False),
    Column("statistics", JSON, nullable=False),
    Index("journal_samples_of", "migration"),
)


def left_over() -> ColumnElement[bool]:
    """Tell the records whose last word on what they left over is that something is."""
    told, later = PHASES.alias(), PHASES.alias()
    pending = Phase.PENDING.value
    put_right = (
        select(later.c.id)
        .where(
            later.c.migration == told.c.migration,
            later.c.phase == pending,
            later.c.id > told.c.id,
        )
        .exists()
    )
    return (
        select(told.c.id)
        .where(
            told.c.migration == MIGRATIONS.c.id,
            told.c.phase == pending,
            told.c.text.is_not(None),
            ~put_right,
        )
        .exists()
    )


class Store:
    """One database; its tables are made when something is first written."""

    def __init__(self, url: str) -> None:
        """Read the URL; nothing is opened yet.

        Raises:
            JournalError: It is no URL, or the library for its database is not installed.
        """
        self.place = masked(url)
        try:
            self._url = make_url(url)
            self._file = self._sqlite_file()
            self._engine = self._make_engine()
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise self._error("opened", error) from error
        self._ready = False

    def exists(self) -> bool:
        """Whether anything can have been written: only of a file is that known beforehand."""
        return self._file is None or self._file.exists()

    @contextmanager
    def rows(self) -> Iterator[Rows]:
        """Give a transaction; what is done with it is there, on the disk, when this returns.

        Raises:
            JournalError: It cannot be written; then nothing of it is there.
        """
        try:
            if self._file is not None and not self._ready:
                self._make_file(self._file)
            with patiently(self._begun) as connection:
                if not self._ready:
                    self._prepare(connection)
                yield _Rows(connection)
                connection.commit()  # what raised is undone when the connection closes
        except (SQLAlchemyError, OSError) as error:
            raise self._error("written", error) from error
        self._ready = True

    @contextmanager
    def reading(self) -> Iterator[Connection | None]:
        """Give a connection that changes nothing, or None where nothing was ever written.

        Raises:
            JournalError: It cannot be read.
        """
        if not self.exists():
            yield None
            return
        try:
            with patiently(self._looked_at) as connection:
                empty = not inspect(connection).has_table(STORE.name)
                if not empty:
                    self._check_schema(connection, "read")
                yield None if empty else connection
        except (SQLAlchemyError, OSError) as error:
            raise self._error("read", error) from error

    def _begun(self) -> Connection:
        connection = self._engine.connect()
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
        return connection

    def _looked_at(self) -> Connection:
        connection = self._engine.connect().execution_options(reading=True)
        try:
            inspect(connection).has_table(STORE.name)  # a first look: the file may be tidied up
        except BaseException:
            connection.close()
            raise
        return connection

    def _make_engine(self) -> Engine:
        if self._file is None:
            return create_engine(self._url, pool_pre_ping=True)
        # A connection for each piece of work: that costs little, and leaves no file open.
        engine = create_engine(self._url, connect_args={"timeout": BUSY}, poolclass=NullPool)
        event.listen(engine, "connect", _connected)
        event.listen(engine, "begin", _began)
        return engine

    def _sqlite_file(self) -> Path | None:
        if self._url.get_backend_name() != "sqlite":
            return None
        name = self._url.database
        if not name or name == ":memory:" or name.startswith("file:"):
            raise ArgumentError("SQLite has to write into a file, such as sqlite:////srv/j.sqlite")
        self.place = name
        return Path(name)

    @staticmethod
    def _make_file(file: Path) -> None:
        """Make the file, and its folder, for nobody else to read: SQLite would let everybody.

        It is made elsewhere and closed before it gets its name.  To close a file takes away every
        lock that this process has on it, and with them those of SQLite in another thread.
        """
        if file.exists():
            return
        file.parent.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
        aside = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
        os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, _FILE))
        try:
            with suppress(FileExistsError):  # somebody was faster
                file.hardlink_to(aside)
        finally:
            aside.unlink()

    def _prepare(self, connection: Connection) -> None:
        """Make the tables where they are missing, and see that we can use them where not."""
        if inspect(connection).has_table(STORE.name):
            self._check_schema(connection, "written")
            return
        _TABLES.create_all(connection)
        connection.execute(insert(STORE).values(name="schema", value=str(SCHEMA)))

    def _check_schema(self, connection: Connection, doing: str) -> None:
        query = select(STORE.c.value).where(STORE.c.name == "schema")
        found = connection.execute(query).scalar_one_or_none()
        if found != str(SCHEMA):
            problem = f"it has schema {found}, and this migrate-plugins knows {SCHEMA}"
            instead = "use the newer migrate-plugins that wrote it, or give another journal"
            raise JournalError(self.place, doing=doing, problem=problem, instead=instead)

    def _error(self, doing: str, error: Exception) -> JournalError:
        problem = str(error.orig) if isinstance(error, DBAPIError) and error.orig else str(error)
        return failure(self.place, doing, problem or one_line(error))


class _Rows:
    """Rows of any database; see :class:`migrate_plugins.lite.Rows`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, table: str, values: Mapping[str, Any]) -> int:
        done = self._connection.execute(insert(_TABLES.tables[table]).values(**values))
        key = done.inserted_primary_key
        return int(key[0]) if key else 0

    def change(self, table: str, number: int, values: Mapping[str, Any]) -> int:
        changed = _TABLES.tables[table]
        query = update(changed).where(changed.c.id == number).values(**values)
        return self._connection.execute(query).rowcount


def _connected(connection: Any, _record: object) -> None:  # noqa: ANN401 - sqlite3's own
    """Prepare a connection to SQLite."""
    # SQLAlchemy begins transactions itself: sqlite3 would begin them too late.
    connection.isolation_level = None
    prepare(connection)


def _began(connection: Connection) -> None:
    """Take the write lock first: who reads first and writes then may find it was overtaken."""
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
