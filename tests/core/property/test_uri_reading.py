"""A URI is read and written without losing a character.

Two laws for either kind: a text that is read is written as it was, and a value that is written is
read as it was.  A text that cannot be read is refused with a whole sentence, never with anything
but ``InvalidURIError``.
"""

from __future__ import annotations

from hypothesis import example, given

from migrate_plugins import ConnectionURI, InvalidURIError, MigrationURI

from .strategies import connection_uris, migration_uris, scribbles


@given(connection_uris)
def test_written_connection_uri_is_read_as_it_was(uri: ConnectionURI) -> None:
    assert ConnectionURI.parse(str(uri)) == uri


@given(migration_uris)
def test_written_migration_uri_is_read_as_it_was(uri: MigrationURI) -> None:
    assert MigrationURI.parse(str(uri)) == uri


@given(scribbles)
@example("qemu+tls:/desthost/system")
def test_read_connection_uri_is_written_as_it_was(text: str) -> None:
    assert _read_and_written(ConnectionURI, text) == text


@given(scribbles)
@example("tcp:desthost:49152")
@example("xenmigr:10.0.0.1/")
def test_read_migration_uri_is_written_as_it_was(text: str) -> None:
    assert _read_and_written(MigrationURI, text) == text


def _read_and_written(kind: type[ConnectionURI | MigrationURI], text: str) -> str:
    """Give *text* through its URI, or from the error that refuses it."""
    try:
        return str(kind.parse(text))
    except InvalidURIError as error:
        return error.text
