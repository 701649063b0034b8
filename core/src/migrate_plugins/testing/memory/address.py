"""What stands in a connection URI of a host in memory: its name, faults, and the pace."""

from __future__ import annotations

from typing import Final, NamedTuple

from migrate_plugins import ConnectionURI, InvalidURIError
from migrate_plugins.testing.memory.faults import Fault, read_faults

__all__ = ["Address"]

_HINT: Final = "write memory://HOST/[?fault=KIND[@PERCENT],...][&seconds=NUMBER]"
_LONGEST: Final = 86_400.0


class Address(NamedTuple):
    """A connection URI, read.

    Attributes:
        host: Name of the host.
        faults: Faults of that host, for this connection and the migrations that use the URI.
        seconds: How long a migration from it takes, or None for the usual time.
    """

    host: str | None
    faults: frozenset[Fault] = frozenset()
    seconds: float | None = None

    @classmethod
    def read(cls, text: str) -> Address:
        """Read a connection URI.

        Raises:
            InvalidURIError: With everything that is wrong in it.
        """
        uri = ConnectionURI.parse(text)
        given = uri.parameters
        wrong = [
            f"it has no parameter {name!r}" for name in given if name not in {"fault", "seconds"}
        ]
        faults: frozenset[Fault] = frozenset()
        try:
            faults = read_faults(given.get("fault", ""))
        except ValueError as error:
            wrong.append(str(error))
        seconds = None
        if "seconds" in given:
            seconds = _number(given["seconds"])
            if seconds is None:
                wrong.append(f"seconds={given['seconds']} is no number from 0 to {_LONGEST:.0f}")
        if wrong:
            raise InvalidURIError(text, part="; ".join(wrong), hint=_HINT)
        return cls(uri.host, faults, seconds)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= _LONGEST else None
