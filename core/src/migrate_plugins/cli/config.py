"""``migrate-plugins config``: show, check or locate config.toml."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from migrate_plugins import (
    ConfigError,
    ExitCode,
    Journal,
    JournalError,
    Reason,
    Status,
    config_path,
    entry_points,
    hidden,
    journal_url,
    unknown_key,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from migrate_plugins import Config, Registry
    from migrate_plugins.cli.invocation import Invocation
    from migrate_plugins.cli.output import Output

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the actions."""
    parser.add_argument(
        "action",
        choices=["show", "check", "path"],
        help="show: what is in force; check: everything that is wrong; path: where the file lies",
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Do what was asked."""
    invocation: Invocation = arguments.invocation
    if arguments.action == "path":
        path = config_path(os.environ)
        exists = os.path.exists(path)  # noqa: PTH110 - pathlib is slow to import
        if arguments.json:
            output.json("config-path", {"path": path, "exists": exists})
        else:
            output.text(path)
        return ExitCode.DONE
    config = invocation.config
    registry = invocation.migrator.registry
    if arguments.action == "show":
        _show(config, registry, invocation, output, as_json=arguments.json)
        return ExitCode.DONE
    reasons = [*_faults(config, registry)]
    if reasons:
        raise ConfigError(config.path, reasons)
    if arguments.json:
        output.json("config-check", {"path": config.path, "exists": config.exists, "reasons": []})
    else:
        found = "nothing is wrong with it" if config.exists else "there is none, and none is needed"
        output.text(f"{config.path}: {found}")
    return ExitCode.DONE


def _faults(config: Config, registry: Registry) -> Iterator[Reason]:
    """Give what is wrong beside the file's own form, which was read already."""
    yield from registry.unmet
    if config.journal is not None:
        try:
            Journal(config.journal).check()
        except JournalError as error:
            text = f"the journal {error.place} cannot be {error.doing}: {error.problem}"
            yield Reason("journal-unusable", text, error.instead, usage=True)
    known = {name for point in entry_points() for name in (point.name, point.distribution)}
    for name in config.disabled:
        if name not in known:
            missing = unknown_key("", name, known)
            text = f"disabled names {name!r}, and nothing installed is called that"
            yield missing._replace(text=text, instead=missing.instead.partition(";")[0])
    drivers = {plugin.point.name: plugin for plugin in registry.plugins if plugin.point.is_driver}
    for name in config.drivers:
        if name in drivers and drivers[name].status is Status.BROKEN:
            text = f"driver {name} is configured and broken: {drivers[name].reason}"
            instead = f"mend it, or take out [drivers.{name}]"
            yield Reason("driver-broken", text, instead, usage=True)


def _show(
    config: Config, registry: Registry, invocation: Invocation, output: Output, *, as_json: bool
) -> None:
    switches = invocation.switches
    disabled = {
        point.name: who for point in entry_points() if (who := switches.disabled(point)) is not None
    }
    configured = {
        group: {
            plugin.point.name: {
                "status": plugin.status.value,
                # Of one that is broken what the file says, since nothing is in force.
                **(plugin.settings or getattr(config, group)[plugin.point.name]),
            }
            for plugin in registry.plugins
            if plugin.point.name in getattr(config, group)
            and plugin.status is not Status.SHADOWED
            and plugin.point.is_driver == (group == "drivers")
        }
        for group in ("policies", "drivers")
    }
    hosts = {
        host.name: {field: value for field, value in host._asdict().items() if field != "name"}
        for host in config.hosts.values()
    }
    journal = {"url": journal_url(config, os.environ)}
    if as_json:
        shown = {
            "path": config.path,
            "exists": config.exists,
            "disabled": disabled,
            "hosts": hosts,
            "defaults": dict(config.defaults),
            "journal": journal,
            **configured,
        }
        output.json("config-show", hidden(shown))
        return
    output.text(f"# {config.path}" + ("" if config.exists else " (there is none)"))
    output.text(f"disabled = {_toml(sorted(disabled))}")
    for name, who in disabled.items():
        output.text(f"# {name}: {who}")
    for name, host in hosts.items():
        _section("hosts", name, host, output)
    if config.defaults:
        _section("defaults", None, config.defaults, output)
    asked = journal["url"] == config.journal
    _section("journal", None, journal, output, remark="" if asked else "  # not of this file")
    for group, plugins in configured.items():
        for name, values in plugins.items():
            rest = {key: value for key, value in values.items() if key != "status"}
            _section(group, name, rest, output, remark=f"  # {values['status']}")


def _section(
    table: str, name: str | None, values: Mapping[str, Any], output: Output, *, remark: str = ""
) -> None:
    output.text()
    output.text(f"[{table}{'' if name is None else f'.{_key(name)}'}]{remark}")
    for key, value in hidden(values).items():
        if value is None:
            output.text(f"# {key} is not set")
        else:
            output.text(f"{_key(key)} = {_toml(value)}")


def _key(name: str) -> str:
    """Write a key as TOML does: bare where that is allowed."""
    bare = name.replace("-", "").replace("_", "")
    return name if bare.isascii() and bare.isalnum() else _toml(name)


def _toml(value: object) -> str:
    from json import dumps  # noqa: PLC0415 - TOML's texts, numbers and lists look as JSON's

    return dumps(value, ensure_ascii=False)
