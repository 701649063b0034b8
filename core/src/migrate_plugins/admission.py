"""Whether a plugin that was imported may take part: its edition and its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from migrate_plugins.errors import one_line
from migrate_plugins.hookspecs import API, OLDEST_API
from migrate_plugins.installed import PLUGINS
from migrate_plugins.loading import Loaded, Status
from migrate_plugins.settings import Settings, read_settings, unknown_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from migrate_plugins.config import Config
    from migrate_plugins.installed import EntryPoint
    from migrate_plugins.model import Reason

__all__ = ["admitted", "edition"]

# The edition of a plugin that says nothing: the first one, for good.
_UNDECLARED: Final = 1


def admitted(loaded: Loaded, config: Config) -> Loaded:
    """Make a plugin that is a class, with its settings, or say why it cannot take part."""
    try:
        if isinstance(loaded.plugin, BaseException):
            return loaded._replace(status=Status.BROKEN, reason=one_line(loaded.plugin))
        if not loaded.status.takes_part:
            return loaded
        refusal = _refused_api(loaded.plugin, loaded.point)
        if refusal is None:
            return _configured(loaded, config)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a plugin does, the others work
        refusal = one_line(error)
    return loaded._replace(status=Status.BROKEN, reason=refusal)


def edition(plugin: object) -> int:
    """Tell for which edition of the contract a plugin was written."""
    api: int = getattr(plugin, "MIGRATE_PLUGINS_API", _UNDECLARED)
    return api


def _refused_api(plugin: object, point: EntryPoint) -> str | None:
    """Say why a plugin's edition of the contract is not taken, or None."""
    written_for = edition(plugin)
    if type(written_for) is int and OLDEST_API <= written_for <= API:
        return None
    taken = f"API {API}" if OLDEST_API == API else f"API {OLDEST_API} to {API}"
    text = f"it was written for API {written_for}, and this migrate-plugins takes {taken}"
    if type(written_for) is not int:
        return f"its MIGRATE_PLUGINS_API is {written_for!r}, and this migrate-plugins takes {taken}"
    newer = "migrate-plugins" if written_for > API else point.distribution
    return f"{text}; a newer {newer} may fit"


def _configured(loaded: Loaded, config: Config) -> Loaded:
    """Make a plugin that is a class, with its settings; refuse a table that is wrong.

    A class of the group for plugins that takes settings is off until config.toml has its table.
    """
    point, plugin = loaded.point, loaded.plugin
    group = "policies" if point.group == PLUGINS else "drivers"
    where = f"{group}.{point.name}"
    tables: Mapping[str, Any] = getattr(config, group)
    table = tables.get(point.name)
    if not isinstance(plugin, type):
        if table:
            return _refused(loaded, [unknown_key(f"{where}.{key}", key, ()) for key in table])
        return loaded
    declared = getattr(plugin, "SETTINGS", ())
    if table is None and declared and point.group == PLUGINS:
        return Loaded(point, None, Status.OFF, f"config.toml has no [{where}]")
    values, reasons = read_settings(declared, table or {}, where)
    if reasons:
        return _refused(loaded, reasons)
    try:
        made = plugin(Settings(values, config.hosts))
    except ValueError as error:
        return loaded._replace(status=Status.BROKEN, reason=f"[{where}] is wrong: {error}")
    return loaded._replace(plugin=made, values=values)


def _refused(loaded: Loaded, reasons: Iterable[Reason]) -> Loaded:
    told = " | ".join(f"{reason.text}; {reason.instead}" for reason in reasons)
    return loaded._replace(status=Status.BROKEN, reason=f"config.toml: {told}")
