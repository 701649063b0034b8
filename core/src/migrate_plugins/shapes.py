"""Whether a plugin's answer is of the shape that its type documents; named tuples check nothing.

Looked at once where an answer arrives, so that whoever uses it later need not wonder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from migrate_plugins.errors import shown
from migrate_plugins.findings import Severity
from migrate_plugins.model import (
    Basis,
    Capabilities,
    ChosenBy,
    Claim,
    ControlProtocol,
    DriverOption,
    Kind,
    Offer,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["misfit"]


def _is(*kinds: type) -> Callable[[object], bool]:
    return lambda value: type(value) in kinds


def _tuple_of(kind: type) -> Callable[[object], bool]:
    return lambda value: type(value) is tuple and all(type(each) is kind for each in value)


def _mapping_to(kind: type) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, Mapping)
        and all(type(key) is str and _fits(kind, each) for key, each in value.items())
    )


def _fits(kind: type, value: object) -> bool:
    return type(value) is kind and misfit(value) is None


def _called(name: str, value: object) -> bool:
    """Whether *value* is of the type of that *name*, which nobody has to import here."""
    return type(value).__name__ == name and misfit(value) is None


# An option of a driver is typed before an equals sign.
_OPTION: Final = re.compile(r"[a-z][a-z0-9-]*")

_TEXT: Final = _is(str)
_TEXT_OR_NONE: Final = _is(str, type(None))
_NUMBER: Final = _is(int)
_NUMBER_OR_NONE: Final = _is(int, type(None))

# By the name of a type, so that nobody has to import those that few calls need.
_SHAPES: Final[Mapping[str, Mapping[str, Callable[[object], bool]]]] = {
    "DriverInfo": {
        "name": _TEXT,
        "title": _TEXT,
        "connection_schemes": _tuple_of(str),
        "migration_schemes": _tuple_of(str),
        "control": _mapping_to(ControlProtocol),
        "example": _TEXT,
    },
    "ControlProtocol": {"name": _TEXT, "port": _NUMBER_OR_NONE, "encrypted": _is(bool)},
    "Capabilities": {
        "offers": _mapping_to(Offer),
        "migration_schemes": _tuple_of(str),
        "protocol": _TEXT,
        "unwritten_uri": _TEXT,
        "encrypted": _is(bool, type(None)),
        "encryption": _TEXT,
        "encrypting_option": _TEXT_OR_NONE,
        "encrypting_by_hand": _TEXT,
        "uri_names_receiver": _is(bool),
        "uri_names_port": _is(bool),
        "configuration": lambda value: value is None or _called("OwnConfiguration", value),
        "on_client_crash": lambda value: value is None or _called("ClientCrash", value),
        "always_live": _is(bool),
        "apart": _mapping_to(Capabilities),
    },
    "OwnConfiguration": {
        "after": lambda value: value is None or _called("After", value),
        "because": _TEXT,
    },
    "ClientCrash": {
        "then": lambda value: type(value).__name__ == "Crash",
        "because": _TEXT,
    },
    "After": {
        "persistent": _is(bool),
        "source_config": _is(bool),
        "destination_config": _is(bool),
    },
    "Offer": {
        "claim": lambda value: _fits(Claim, value),
        "options": lambda value: isinstance(value, (frozenset, set)),
        "migration_uri": _is(bool),
        "own": lambda value: (
            type(value) is tuple and all(_fits(DriverOption, each) for each in value)
        ),
        "limits": _TEXT,
    },
    "DriverOption": {
        "name": lambda value: type(value) is str and bool(_OPTION.fullmatch(value)),
        "help": _TEXT,
        "metavar": _TEXT,
        "kind": lambda value: value in {Kind.TEXT, Kind.NUMBER},
        "choices": _tuple_of(str),
        "many": _is(bool),
    },
    "Claim": {"basis": _is(Basis), "reference": _TEXT, "version": _TEXT_OR_NONE},
    "PortRule": {
        "first": _NUMBER,
        "last": _NUMBER,
        "chosen_by": _is(ChosenBy),
        "because": _TEXT,
        "per_migration": _NUMBER,
    },
    "NativeCommand": {"tool": _TEXT, "not_expressible": _TEXT_OR_NONE},
    "Finding": {"id": _TEXT, "severity": _is(Severity), "text": _TEXT},
    "FindingKind": {"id": _TEXT, "severity": _is(Severity), "summary": _TEXT},
    "Receiver": {
        "host": _TEXT_OR_NONE,
        "first": _NUMBER_OR_NONE,
        "last": _NUMBER_OR_NONE,
        "because": _TEXT,
        "listen": _TEXT_OR_NONE,
        "unread": _TEXT_OR_NONE,
    },
    "Diagnosis": {
        "id": _TEXT,
        "cause": _TEXT,
        "remedies": lambda value: (
            type(value) is tuple and all(type(each).__name__ == "Remedy" for each in value)
        ),
        "confidence": _is(int, float),
        "finding": _TEXT_OR_NONE,
    },
    "Reason": {"id": _TEXT, "text": _TEXT, "instead": _TEXT},
    "Command": {"name": _TEXT, "summary": _TEXT, "module": _TEXT},
}


def misfit(value: object) -> str | None:
    """Say which field of *value* is not what its type documents, or None."""
    kind = type(value).__name__
    for field, fits in _SHAPES.get(kind, {}).items():
        found = getattr(value, field, None)
        if not fits(found):
            return _within(found) or f"the {field} of its {kind} is {shown(found)}"
    return None


def _within(value: object) -> str | None:
    """Say what of a part of *value* misfits, which tells more than the whole does."""
    parts: Iterable[object] = (value,)
    if isinstance(value, Mapping):
        parts = value.values()
    elif type(value) is tuple:
        parts = value
    return next((problem for each in parts if (problem := misfit(each))), None)
