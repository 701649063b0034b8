"""The journal's usual store, an SQLite file, written without SQLAlchemy.

Loading SQLAlchemy takes a third of a second of computing, on a busy machine a whole one, and a
migration may take two.  So where the tables are there already, rows are put into them directly.
Making the tables, reading them, and every other database are up to :mod:`migrate_plugins.store`,
which says what the tables are.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing, contextmanager, suppress
from json import dumps
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from migrate_plugins.errors import JournalError
from migrate_plugins.tracing import masked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["BUSY", "SCHEMA", "Lite", "Rows", "failure", "patiently", "prepare"]

_Begun = TypeVar("_Begun")

# Of the tables; a store says which it was made with.
SCHEMA: Final = 1

# Seconds that SQLite waits for another process's write: one takes some milliseconds.
BUSY: Final = 8.0

# Seconds between two attempts.
_PAUSE: Final = 0.02

_PREFIX: Final = "sqlite:///"
_INSTEAD: Final = {
    "opened": "mend its URL, install the library it needs, or give another journal",
    "read": "mend that, or give another journal",
    "written": "nothing was changed; mend that, give another journal ([journal] in config.toml),"
    " or go without one (--no-journal)",
}


class Rows(Protocol):
    """Puts rows into the tables, all of one transaction."""

    def add(self, table: str, values: Mapping[str, Any]) -> int:
        """Add a row, and give its number."""

    def change(self, table: str, number: int, values: Mapping[str, Any]) -> int:
        """Change the row of a *number*, and tell how many there were of it."""


class Lite:
    """An SQLite file that has the tables, or will have them.

    Each thread has a connection of its own, which it keeps until :meth:`release`: to close the last
    one makes SQLite tidy up the file, which takes longer than writing to it.
    """

    def __init__(self, path: str) -> None:
        self.place: Final = path
        self._made = False
        self._held = threading.local()

    @classmethod
    def of(cls, url: str) -> Lite | None:
        """Read the URL of a plain file; None where it is anything else."""
        path = url.removeprefix(_PREFIX)
        plain = path not in {url, ""} and not any(sign in path for sign in ":?%#")
        return cls(path) if plain else None

    def made(self) -> bool:
        """Whether the tables are there, and are those that we know."""
        if not self._made:
            with suppress(sqlite3.Error):
                self._made = patiently(self._schema) == (str(SCHEMA),)
        return self._made

    @contextmanager
    def rows(self) -> Iterator[Rows]:
        """Give a transaction; what is done with it is on the disk when this returns.

        Raises:
            JournalError: It cannot be written; then nothing of it is there.
        """
        try:
            connection = patiently(self._begun)
            yield _Rows(connection)
            connection.execute("COMMIT")
        except BaseException as error:
            self.release()  # what was not committed is undone
            if isinstance(error, sqlite3.Error):
                raise failure(self.place, "written", str(error)) from error
            raise

    def release(self) -> None:
        """Close this thread's connection; again is no error."""
        held: sqlite3.Connection | None = vars(self._held).pop("connection", None)
        if held is not None:
            held.close()

    def _schema(self) -> tuple[object, ...] | None:
        with closing(self._connected()) as connection:
            query = "SELECT value FROM journal_store WHERE name = 'schema'"
            found: tuple[object, ...] | None = connection.execute(query).fetchone()
        return found

    def _begun(self) -> sqlite3.Connection:
        """Begin a transaction on this thread's connection."""
        held = vars(self._held)
        try:
            if "connection" not in held or held["file"] != self._file():
                self.release()
                connection = held["connection"] = self._connected()
                held["file"] = self._file()
                prepare(connection)
            # The write lock first: who reads first and writes then may be overtaken.
            held["connection"].execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            self.release()
            raise
        found: sqlite3.Connection = held["connection"]
        return found

    def _file(self) -> tuple[int, int] | None:
        """Tell which file it is: one that was moved away can be written to, and is read nowhere."""
        try:
            status = os.stat(self.place)  # noqa: PTH116 - pathlib is slow to import
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _connected(self) -> sqlite3.Connection:
        # As a URI, for its mode: a file that is not there is not made.
        uri = f"file:{self.place}?mode=rw"
        return sqlite3.connect(uri, uri=True, timeout=BUSY, isolation_level=None)


class _Rows:
    """Rows of an SQLite file; names of tables and columns are ours, values are bound."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, table: str, values: Mapping[str, Any]) -> int:
        names, places = ", ".join(map(_quoted, values)), ", ".join("?" * len(values))
        query = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608 - see the class
        return self._connection.execute(query, [*map(_plain, values.values())]).lastrowid or 0

    def change(self, table: str, number: int, values: Mapping[str, Any]) -> int:
        places = ", ".join(f"{_quoted(name)} = ?" for name in values)
        query = f"UPDATE {table} SET {places} WHERE id = ?"  # noqa: S608 - see the class
        return self._connection.execute(query, [*map(_plain, values.values()), number]).rowcount


def prepare(connection: sqlite3.Connection) -> None:
    """Have a connection keep what it acknowledges."""
    # Readers and one writer at once; where the file system cannot (a network's), the usual way.
    connection.execute("PRAGMA journal_mode = WAL").close()
    # A commit returns once the disk has it.
    connection.execute("PRAGMA synchronous = FULL").close()
    connection.execute("PRAGMA foreign_keys = ON").close()


def patiently(begin: Callable[[], _Begun]) -> _Begun:
    """Begin something in SQLite, again and again while another process is in the way.

    SQLite waits by itself for whoever writes, and not for whoever tidies up: the last one that
    closes a file, or the first one that opens it after a crash.
    """
    until = monotonic() + BUSY
    while True:
        try:
            return begin()
        except Exception as error:
            cause = getattr(error, "orig", error)
            busy = isinstance(cause, sqlite3.Error) and _code(cause) == sqlite3.SQLITE_BUSY
            if not busy or monotonic() > until:
                raise
        sleep(_PAUSE)


def _code(error: sqlite3.Error) -> int:
    """Give SQLite's number for an error, without what it adds to it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def failure(place: str, doing: str, problem: str) -> JournalError:
    """Tell that a journal cannot be ``opened``, ``read`` or ``written``, and what would work."""
    problem = masked(" ".join(problem.split()))
    return JournalError(place, doing=doing, problem=problem, instead=_INSTEAD[doing])


def _quoted(name: str) -> str:
    return f'"{name}"'


def _plain(value: object) -> object:
    """Give a value as SQLAlchemy puts it into SQLite."""
    return dumps(value) if isinstance(value, (dict, list)) else value
