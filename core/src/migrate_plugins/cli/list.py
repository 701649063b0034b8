"""``migrate-plugins list``: installed plugins, working or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrate_plugins import ExitCode, Migrator, Revision, Status
from migrate_plugins.cli.output import table

if TYPE_CHECKING:
    import argparse

    from migrate_plugins import Plugin
    from migrate_plugins.cli.output import Output

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--revision", choices=[*Revision], default=Revision.ORIGINAL, help="rules to list by"
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """List them."""
    revision = Revision(arguments.revision)
    plugins = Migrator.installed().registry.plugins
    if arguments.json:
        output.json(
            "list",
            {
                "revision": revision.value,
                "drivers": [_driver(plugin, revision) for plugin in plugins if plugin.is_driver],
                "plugins": [_plugin(plugin) for plugin in plugins if not plugin.is_driver],
            },
        )
        return ExitCode.DONE
    rows = [("NAME", "VERSION", "STATUS", "DISTRIBUTION", "SCHEMES", "SCENARIOS")]
    rows += [_row(plugin, revision) for plugin in plugins]
    header, *lines = table(rows)
    output.text(output.style(header, "bold"))
    for plugin, line in zip(plugins, lines, strict=True):
        output.text(line if plugin.status is Status.ACTIVE else output.style(line, "red"))
        if plugin.reason is not None:
            output.text(f"    {plugin.reason}")
            output.text(f"    installed in {plugin.point.origin}")
    return ExitCode.DONE


def _row(plugin: Plugin, revision: Revision) -> tuple[str, str, str, str, str, str]:
    point = plugin.point
    schemes = scenarios = "-"
    if plugin.driver is not None:
        schemes = ",".join(plugin.driver.info.connection_schemes)
        scenarios = ",".join(plugin.driver.capabilities(revision).offers)
    return point.name, point.version, plugin.status, point.distribution, schemes, scenarios


def _driver(plugin: Plugin, revision: Revision) -> dict[str, Any]:
    driver = plugin.driver
    return _plugin(plugin) | {
        "title": driver and driver.info.title,
        "schemes": list(driver.info.connection_schemes) if driver else [],
        "migration_schemes": list(driver.info.migration_schemes) if driver else [],
        "scenarios": list(driver.capabilities(revision).offers) if driver else [],
    }


def _plugin(plugin: Plugin) -> dict[str, Any]:
    point = plugin.point
    return {
        "name": point.name,
        "version": point.version,
        "distribution": point.distribution,
        "origin": point.origin,
        "status": plugin.status.value,
        "reason": plugin.reason,
        "hooks": list(plugin.hooks),
        "api": plugin.api,
    }
