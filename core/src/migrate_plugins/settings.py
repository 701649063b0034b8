"""Settings of a plugin: what it declares, and what its table in config.toml makes of that."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from migrate_plugins.model import Kind, Reason
from migrate_plugins.uris import ConnectionURI

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "EMPTY",
    "NamedHost",
    "Setting",
    "Settings",
    "nearest",
    "read_settings",
    "read_value",
    "unknown_key",
    "wrong_value",
]


# A default that nobody can write to.
EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


class NamedHost(NamedTuple):
    """A host that config.toml names.

    Attributes:
        name: As it stands behind ``--from`` and ``--to``.
        uri: Its connection URI as the client opens it.
        peer_uri: Its connection URI as other hosts open it (peer-to-peer); None: the same.
        addresses: IP addresses that it has, on whatever networks.
        shell: A command that takes one more word, a command line for the host's shell; empty where
            no program may be run there; None: whatever the URI allows.
    """

    name: str
    uri: str
    peer_uri: str | None = None
    addresses: tuple[str, ...] = ()
    shell: tuple[str, ...] | None = None

    @property
    def names(self) -> frozenset[str]:
        """What URIs may call it: its name, its addresses and those of its own URIs."""
        uris = [ConnectionURI.parse(uri) for uri in (self.uri, self.peer_uri) if uri]
        names = (self.name, *(uri.host or "" for uri in uris), *self.addresses)
        return frozenset(name.lower() for name in names if name)


class Setting(NamedTuple):
    """A setting that a plugin takes.

    Attributes:
        name: The key in its table, words joined by hyphens.
        kind: What its value is: true or false, a whole number, a text, or a list of texts.
        help: What it does, in a few words.
        default: Its value where the table does not name it.
        choices: The only texts that it takes; empty for any.
    """

    name: str
    kind: Kind
    help: str
    default: Any = None
    choices: tuple[str, ...] = ()


class Settings(NamedTuple):
    """What a plugin that is a class is made with.

    Attributes:
        values: Each setting that it declares, by name; those not given at their default.
        hosts: The hosts that config.toml names.
    """

    values: Mapping[str, Any]
    hosts: Mapping[str, NamedHost]


# What a value is called, and the types that TOML may give for it.
_KINDS: Final = {
    Kind.FLAG: ("true or false", bool),
    Kind.NUMBER: ("a whole number", int),
    Kind.TEXT: ("a text", str),
    Kind.NAMES: ("a list of texts", list),
}


def read_settings(
    declared: Iterable[Setting], table: Mapping[str, Any], where: str
) -> tuple[dict[str, Any], list[Reason]]:
    """Read a plugin's table.

    Args:
        declared: What it takes.
        table: What config.toml says.
        where: The table's name there, such as ``policies.migration-network``.

    Returns:
        Every declared setting by name, and every reason against the table.
    """
    known = {setting.name: setting for setting in declared}
    values = {setting.name: setting.default for setting in known.values()}
    reasons = []
    for key, value in table.items():
        setting = known.get(key)
        if setting is None:
            reasons.append(unknown_key(f"{where}.{key}", key, known))
            continue
        problem, values[key] = read_value(setting.kind, value, setting.choices)
        if problem is not None:
            reasons.append(wrong_value(f"{where}.{key}", value, problem))
    return values, reasons


def read_value(kind: Kind, value: object, choices: Iterable[str] = ()) -> tuple[str | None, Any]:
    """Read one value as TOML gives it: what it should be where it is wrong, and the value."""
    words, type_ = _KINDS[kind]
    if type(value) is not type_:
        return words, None
    if isinstance(value, list):
        if not all(isinstance(item, str) for item in value):
            return words, None
        return None, tuple(value)
    allowed = tuple(choices)
    if allowed and value not in allowed:
        return f"one of {', '.join(allowed)}", None
    return None, value


def unknown_key(where: str, key: str, known: Iterable[str]) -> Reason:
    """Refuse a key that nobody knows."""
    names = sorted(known)
    close = nearest(key, names)
    instead = f"it may mean {close}" if close else ""
    if names:
        instead = "; ".join(filter(None, [instead, f"known here: {', '.join(names)}"]))
    return Reason("key-unknown", f"{where} is no known key", instead or "leave it out", usage=True)


def wrong_value(where: str, value: object, wanted: str) -> Reason:
    """Refuse a value."""
    given = str(value).lower() if type(value) is bool else repr(value)
    return Reason("value-wrong", f"{where} is {given}", f"give {wanted}", usage=True)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Find the known name that somebody probably meant, or None."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    return next(iter(get_close_matches(name, list(known), n=1)), None)
