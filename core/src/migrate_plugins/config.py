"""config.toml: hosts by name, defaults of the options, settings of plugins, plugins that are off.

::

    disabled = ["acme"]

    [hosts.beta]
    uri = "qemu+ssh://beta.example/system"      # as this machine opens it
    peer_uri = "qemu+tls://10.0.0.2/system"     # as other hosts open it, for peer-to-peer
    addresses = ["192.0.2.7", "10.0.0.2"]
    shell = ["ssh", "root@beta.example"]        # how a check may look at it from within

    [defaults]
    live = true
    revision = "current"

    [policies.require-encryption]
    mode = "always"

    [journal]
    url = "sqlite:////var/lib/migrate-plugins/journal.sqlite"

Reading it imports no plugin: whether a plugin's own table is right is known when that is loaded.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from migrate_plugins.errors import ConfigError, InvalidURIError
from migrate_plugins.model import Kind, Reason, Revision
from migrate_plugins.settings import EMPTY, NamedHost, read_value, unknown_key, wrong_value
from migrate_plugins.uris import ConnectionURI

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Config", "config_path", "disabled_in", "with_disabled", "write_disabled"]

_NAME: Final = ("MIGRATE_PLUGINS_CONFIG", "XDG_CONFIG_HOME")
_TABLES: Final = ("defaults", "disabled", "drivers", "hosts", "journal", "policies")
_HOST: Final = {
    "uri": Kind.TEXT,
    "peer_uri": Kind.TEXT,
    "addresses": Kind.NAMES,
    "shell": Kind.NAMES,
}
# Of the command line beside its table of options, by their names there.
_FLOW: Final = {
    "connect": Kind.TEXT,
    "direct": Kind.FLAG,
    "p2p": Kind.FLAG,
    "port-range": Kind.TEXT,
    "revision": Kind.TEXT,
    "scenario": Kind.TEXT,
    "tunnelled": Kind.FLAG,
}
# A file, or what SQLAlchemy connects to: dialect[+driver]://…
_STORE: Final = r"\w+(\+\w+)?://.*"
_DISABLED: Final = r"(?m)^disabled[ \t]*=[ \t]*\[[^\]]*\]"


class Config(NamedTuple):
    """What config.toml says.

    Attributes:
        path: Where it lies, or would lie.
        exists: Whether it is there.
        disabled: Names of plugins, or of distributions, that shall not be loaded.
        hosts: Hosts by name.
        defaults: Options of the command line where it does not give them, by their names there.
        policies: Tables of plugins by their name; what they mean is up to each.
        drivers: Tables of drivers by their name.
        journal: URL of the journal, or None where it is to be in its usual place.
    """

    path: str = ""
    exists: bool = False
    disabled: tuple[str, ...] = ()
    hosts: Mapping[str, NamedHost] = EMPTY
    defaults: Mapping[str, Any] = EMPTY
    policies: Mapping[str, Mapping[str, Any]] = EMPTY
    drivers: Mapping[str, Mapping[str, Any]] = EMPTY
    journal: str | None = None

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None) -> Config:
        """Read the file that *environment* (by default the process's own) names.

        Raises:
            ConfigError: With everything that is wrong with it.
        """
        environment = os.environ if environment is None else environment
        path = config_path(environment)
        text = read_text(path)
        if text is None:
            if environment.get(_NAME[0]):
                gone = Reason(
                    "file-missing",
                    f"{_NAME[0]} names a file that is not there",
                    f"write it, or unset {_NAME[0]}",
                    usage=True,
                )
                raise ConfigError(path, [gone])
            return cls(path)
        return cls.parse(text, path)

    @classmethod
    def parse(cls, text: str, path: str) -> Config:
        """Read *text* as the file at *path*.

        Raises:
            ConfigError: With everything that is wrong with it.
        """
        tables = _parse(text, path)
        reasons = [unknown_key(key, key, _TABLES) for key in tables if key not in _TABLES]
        problem, disabled = read_value(Kind.NAMES, tables.get("disabled", []))
        if problem is not None:
            reasons.append(wrong_value("disabled", tables["disabled"], problem))
        hosts = _hosts(_table(tables, "hosts", reasons), reasons)
        defaults = _defaults(_table(tables, "defaults", reasons), reasons)
        policies = _plugins(_table(tables, "policies", reasons), "policies", reasons)
        drivers = _plugins(_table(tables, "drivers", reasons), "drivers", reasons)
        journal = _journal(_table(tables, "journal", reasons), reasons)
        if reasons:
            raise ConfigError(path, reasons)
        return cls(path, True, disabled, hosts, defaults, policies, drivers, journal)

    def host(self, name: str) -> NamedHost:
        """Find a host by its name.

        Raises:
            ConfigError: No host has it.
        """
        if name in self.hosts:
            return self.hosts[name]
        known = unknown_key(f"hosts.{name}", name, self.hosts)
        text = f"there is no host {name!r}"
        instead = known.instead if self.hosts else f"write [hosts.{name}] with its uri"
        raise ConfigError(self.path, [Reason("host-unknown", text, instead, usage=True)])


def config_path(environment: Mapping[str, str]) -> str:
    """Tell where config.toml lies, as the XDG base directory specification wants it."""
    given = environment.get(_NAME[0])
    if given:
        return given
    home = environment.get(_NAME[1]) or ""
    if not os.path.isabs(home):  # noqa: PTH117 - pathlib doubles the start-up time
        home = os.path.expanduser("~/.config")  # noqa: PTH111 - as above
    return os.path.join(home, "migrate-plugins", "config.toml")  # noqa: PTH118 - as above


def read_text(path: str) -> str | None:
    """Read the file, or give None where there is none.

    Raises:
        ConfigError: It is there and cannot be read.
    """
    try:
        # As it stands: whoever writes it back keeps its line ends.
        with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123 - pathlib is slow to import
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        unread = Reason("file-unreadable", f"it cannot be read: {error}", "mend it", usage=True)
        raise ConfigError(path, [unread]) from error


def disabled_in(path: str) -> frozenset[str]:
    """Read which plugins the file disables, whatever else is wrong with it.

    Raises:
        ConfigError: It is not TOML, or its list is none.
    """
    listed = _parse(read_text(path) or "", path).get("disabled", [])
    problem, names = read_value(Kind.NAMES, listed)
    if problem is not None:
        raise ConfigError(path, [wrong_value("disabled", listed, problem)])
    return frozenset(names)


def write_disabled(path: str, disabled: Iterable[str]) -> None:
    """Write which plugins are disabled, in one step, and leave the rest of the file as it is.

    Raises:
        ConfigError: The file cannot be read or written, or has to be changed by hand.
    """
    from pathlib import Path  # noqa: PLC0415 - slow to import, and only a change needs it

    text = with_disabled(read_text(path) or "", disabled, path)
    file = Path(path).resolve()  # a link stays one
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # From its first moment nobody may read it who may not read the file.
        mode = file.stat().st_mode & 0o7777 if file.exists() else 0o644
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as copy:  # noqa: PTH123 - of a descriptor
            os.fchmod(copy.fileno(), mode)  # past the umask
            copy.write(text.encode())
        aside.replace(file)
    except OSError as error:
        aside.unlink(missing_ok=True)
        text = f"it cannot be written: {error}"
        unwritable = Reason("file-unwritable", text, "mend that", usage=True)
        raise ConfigError(path, [unwritable]) from error


def with_disabled(text: str, disabled: Iterable[str], path: str) -> str:
    """Give the file's *text* with other plugins disabled and everything else as it is.

    Raises:
        ConfigError: It is not TOML, or so unusual that a person has to write the line.
    """
    names = sorted(disabled)
    line = f"disabled = [{', '.join(map(_quoted, names))}]"
    found = re.search(_DISABLED, text)
    end = "\r\n" if "\r\n" in text else "\n"
    if found is None:
        changed = line + (end * 2 + text if text else end)
    else:
        changed = text[: found.start()] + line + text[found.end() :]
    wanted = {**_parse(text, path), "disabled": names}
    # A comment within the list would be lost, and a list within another text be changed.
    if (found is not None and "#" in found[0]) or _tables(changed) != wanted:
        text = "its list of disabled plugins is too unusual to be changed without loss"
        raise ConfigError(path, [Reason("edit-by-hand", text, f"write {line}", usage=True)])
    return changed


def _quoted(name: str) -> str:
    from json import dumps  # noqa: PLC0415 - only a change of the file needs it

    return dumps(name, ensure_ascii=False)  # a JSON string is a TOML string


def _parse(text: str, path: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - slow to import, and many have no such file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        broken = Reason("not-toml", f"it is not TOML: {error}", "mend that line", usage=True)
        raise ConfigError(path, [broken]) from error


def _tables(text: str) -> dict[str, Any] | None:
    try:
        return _parse(text, "")
    except ConfigError:
        return None


def _table(tables: Mapping[str, Any], name: str, reasons: list[Reason]) -> Mapping[str, Any]:
    table = tables.get(name, {})
    if isinstance(table, dict):
        return table
    reasons.append(wrong_value(name, table, f"a table: [{name}]"))
    return {}


def _plugins(
    tables: Mapping[str, Any], name: str, reasons: list[Reason]
) -> dict[str, Mapping[str, Any]]:
    return {key: _table(tables, key, reasons) for key in tables if _is_name(key, name, reasons)}


def _is_name(key: str, table: str, reasons: list[Reason]) -> bool:
    """Refuse a name that could not be typed."""
    good = key.strip() == key != "" and key.isprintable()
    if not good:
        reasons.append(wrong_value(f"a name in {table}", key, "one that can be typed"))
    return good


def _hosts(table: Mapping[str, Any], reasons: list[Reason]) -> dict[str, NamedHost]:
    hosts = {}
    for name in table:
        where = f"hosts.{name}"
        if not _is_name(name, "hosts", reasons):
            continue
        values: dict[str, Any] = {}
        entries = _table(table, name, reasons)
        for key, value in entries.items():
            if key not in _HOST:
                reasons.append(unknown_key(f"{where}.{key}", key, _HOST))
                continue
            problem, values[key] = read_value(_HOST[key], value)
            problem = problem or _faulty(key, value)
            if problem is not None:
                reasons.append(wrong_value(f"{where}.{key}", value, problem))
        if "uri" not in entries and isinstance(table[name], dict):
            text, instead = f"{where} has no uri", "give the one that this machine opens it by"
            reasons.append(Reason("uri-missing", text, instead, usage=True))
        hosts[name] = NamedHost(name, **{"uri": "", **values})
    return hosts


def _faulty(key: str, value: Any) -> str | None:  # noqa: ANN401 - as TOML gives it
    """Tell what a URI or an address should be where it cannot be read."""
    if key == "shell":
        return None
    if key != "addresses":
        try:
            ConnectionURI.parse(value)
        except InvalidURIError as error:
            return f"{error.hint.removeprefix('a connection URI is ')} ({error.part})"
        return None
    if not value:
        return None
    from ipaddress import ip_address  # noqa: PLC0415 - few files have addresses

    try:
        for address in value:
            ip_address(address)
    except ValueError as error:
        return f"IP addresses ({error})"
    return None


def _defaults(table: Mapping[str, Any], reasons: list[Reason]) -> dict[str, Any]:
    if not table:
        return {}
    from migrate_plugins.options import OPTIONS  # noqa: PLC0415 - a command may need none

    kinds = dict(_FLOW)
    for option in OPTIONS:
        kinds |= {spelling.removeprefix("--"): option.kind for spelling in option.spellings}
    found = {}
    for key, value in table.items():
        where = f"defaults.{key}"
        if key not in kinds:
            reasons.append(unknown_key(where, key, kinds))
            continue
        problem, found[key] = read_value(kinds[key], value, _choices(key))
        if problem is None and key == "port-range":
            problem = _no_range(value)
        if problem is None and key == "connect":
            problem = _faulty("uri", value)
        if problem is not None:
            reasons.append(wrong_value(where, value, problem))
    return found


def _journal(table: Mapping[str, Any], reasons: list[Reason]) -> str | None:
    """Read the journal's URL; whether its library is there is known when it is opened."""
    url = None
    for key, value in table.items():
        if key != "url":
            reasons.append(unknown_key(f"journal.{key}", key, ("url",)))
            continue
        problem, url = read_value(Kind.TEXT, value)
        if problem is None and re.fullmatch(_STORE, value) is None:
            problem = "a URL of SQLAlchemy's, such as sqlite:////var/lib/journal.sqlite"
        if problem is not None:
            reasons.append(wrong_value("journal.url", value, problem))
    return url


def _no_range(text: str) -> str | None:
    """Tell what a range of ports should be where it is none."""
    first, _, last = text.partition("-")
    numbers = [number for number in (first, last or first) if number.isascii() and number.isdigit()]
    good = len(numbers) == len(("first", "last")) and 1 <= int(numbers[0]) <= int(numbers[1])
    return None if good and int(numbers[1]) < 1 << 16 else "FIRST-LAST within 1-65535"


def _choices(key: str) -> Iterable[str]:
    if key == "revision":
        return Revision
    if key == "scenario":
        from migrate_plugins.document import SCENARIOS  # noqa: PLC0415 - few files name one

        return SCENARIOS
    return ()
