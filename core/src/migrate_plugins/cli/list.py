"""``migrate-plugins list``: installed plugins, what became of them, and what they can find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from migrate_plugins import (
    SCENARIOS,
    ExitCode,
    Flow,
    PluginFailedError,
    Revision,
    Status,
    UsageError,
)
from migrate_plugins.cli.output import table, wrap

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence

    from migrate_plugins import (
        DriverOption,
        EntryPoint,
        FindingKind,
        Migrator,
        Plugin,
        Switches,
    )
    from migrate_plugins.cli.invocation import Invocation
    from migrate_plugins.cli.output import Output

__all__ = ["configure", "run"]

_NOT_LOADED: Final = "not-loaded"
# fmt: off
_COLUMNS: Final = ("NAME", "VERSION", "STATUS", "API", "HOOKS", "SCHEMES", "FLOWS", "TRANSPORTS",
                   "DISTRIBUTION")
# fmt: on

# A table has to fit into a terminal: what sets each flow apart from the others.
_SHORT: Final = {
    Flow.MANAGED_DIRECT.value: "direct",
    Flow.MANAGED_PEER2PEER.value: "peer2peer",
    Flow.UNMANAGED_DIRECT.value: "unmanaged",
}


class _Entry(NamedTuple):
    """A plugin as it is listed."""

    point: EntryPoint
    status: str
    reason: str | None = None
    hooks: tuple[str, ...] = ()
    api: int | None = None
    title: str | None = None
    schemes: tuple[str, ...] = ()
    migration_schemes: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()

    @property
    def flows(self) -> list[str]:
        """Flows of its scenarios."""
        return [*dict.fromkeys(SCENARIOS[id_].flow.value for id_ in self.scenarios)]

    @property
    def transports(self) -> list[str]:
        """Transports of its scenarios."""
        return [*dict.fromkeys(SCENARIOS[id_].transport.value for id_ in self.scenarios)]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--revision", choices=[*Revision], default=Revision.ORIGINAL, help="rules to list by"
    )
    parser.add_argument(
        "--all", action="store_true", help="those that are off too, and more of each"
    )
    parser.add_argument("--hook", metavar="NAME", help="only plugins that implement this hook")
    parser.add_argument(
        "--no-load", action="store_true", help="what is installed, importing none of it"
    )
    parser.add_argument(
        "--findings", action="store_true", help="each kind of finding that a check can give"
    )
    parser.add_argument(
        "--options", action="store_true", help="each option that one hypervisor alone has"
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """List them."""
    invocation: Invocation = arguments.invocation
    invocation.forgive()
    revision = Revision(arguments.revision)
    if arguments.findings and arguments.options:
        raise UsageError("--findings and --options are two lists; give one")
    if arguments.findings or arguments.options:
        if arguments.no_load or arguments.hook is not None:
            other = "--findings" if arguments.findings else "--options"
            raise UsageError(f"{other} lists no plugins; leave out --no-load and --hook")
        if arguments.findings:
            _print_findings(invocation.migrator.finding_kinds(), output, json=arguments.json)
        else:
            _print_options(invocation.migrator, revision, output, json=arguments.json)
        return ExitCode.DONE
    if arguments.no_load:
        if arguments.hook is not None:
            raise UsageError("--hook needs the plugins loaded, --no-load forbids it; give one")
        entries = [*_unloaded(invocation.switches)]
    else:
        entries = _loaded(invocation, arguments.hook, revision)
    shown = [entry for entry in entries if arguments.all or entry.status != Status.OFF]
    if arguments.json:
        output.json(
            "list",
            {
                "revision": revision.value,
                "drivers": [_driver(entry) for entry in shown if entry.point.is_driver],
                "plugins": [_plugin(entry) for entry in shown if not entry.point.is_driver],
            },
        )
        return ExitCode.DONE
    _print(shown, output, everything=arguments.all)
    if any(entry.scenarios for entry in shown):
        (other,) = set(Revision) - {revision}
        told = (
            f"flows and transports of revision {revision}; those of the other: --revision {other}"
        )
        output.text(output.style(told, "dim"))
    hidden = len(entries) - len(shown)
    if hidden:
        are = "more is off: --all lists it" if hidden == 1 else "more are off: --all lists them"
        output.text(output.style(f"{hidden} {are}", "dim"))
    return ExitCode.DONE


def _print(entries: Iterable[_Entry], output: Output, *, everything: bool) -> None:
    entries = [*entries]
    header, *lines = table([_COLUMNS, *map(_row, entries)])
    output.text(output.style(header, "bold"))
    for entry, line in zip(entries, lines, strict=True):
        output.text(output.style(line, *_STYLES.get(entry.status, ())))
        if entry.reason is not None:
            output.text(f"    {entry.reason}")
        if entry.reason is not None or everything:
            output.text(f"    installed in {entry.point.origin}")
        if everything:
            for label, names in (("scenarios", entry.scenarios), ("hooks", entry.hooks)):
                if names:
                    output.text(f"    {label}: {', '.join(names)}")


def _print_findings(kinds: Sequence[FindingKind], output: Output, *, json: bool) -> None:
    if json:
        output.json("findings", {"findings": [kind._asdict() for kind in kinds]})
        return
    for kind in kinds:
        output.text(f"{output.style(kind.id, 'bold')} ({kind.severity})")
        for line in wrap(kind.summary, output.width - 4):
            output.text(f"    {line}")


def _print_options(migrator: Migrator, revision: Revision, output: Output, *, json: bool) -> None:
    """Print the options that each driver has beyond those of virsh, once for all scenarios."""
    found: dict[str, dict[DriverOption, list[str]]] = {}
    for name, driver in migrator.registry.drivers.items():
        for scenario, offer in driver.capabilities(revision).offers.items():
            for option in offer.own:
                found.setdefault(name, {}).setdefault(option, []).append(scenario)
    if json:
        told = {
            name: [
                {**option._asdict(), "choices": list(option.choices), "scenarios": scenarios}
                for option, scenarios in options.items()
            ]
            for name, options in found.items()
        }
        output.json("options", {"revision": revision.value, "options": told})
        return
    for name, options in found.items():
        for option, scenarios in options.items():
            typed = output.style(f"-o {option.name}={option.metavar}", "bold")
            again = ", as often as you like" if option.many else ""
            output.text(f"{typed} ({name}, {', '.join(scenarios)}{again})")
            values = f" ({', '.join(option.choices)})" if option.choices else ""
            for line in wrap(f"{option.help}{values}", output.width - 4):
                output.text(f"    {line}")
    if not found:
        output.text("no driver has options of its own")


_STYLES: Final = {
    Status.BROKEN.value: ("red",),
    Status.SHADOWED.value: ("red",),
    Status.SLOW.value: ("yellow",),
    Status.NOISY.value: ("yellow",),
    Status.DISABLED.value: ("dim",),
    Status.OFF.value: ("dim",),
}


def _unloaded(switches: Switches) -> Iterator[_Entry]:
    from migrate_plugins import entry_points  # noqa: PLC0415 - elsewhere the registry asks

    for point in entry_points():
        disabled, unwanted = switches.disabled(point), switches.unwanted(point)
        if disabled is not None:
            yield _Entry(point, Status.DISABLED.value, disabled)
        elif unwanted is not None:
            yield _Entry(point, Status.OFF.value, unwanted)
        else:
            yield _Entry(point, _NOT_LOADED)


def _loaded(invocation: Invocation, hook: str | None, revision: Revision) -> list[_Entry]:
    registry = invocation.migrator.registry
    if hook is not None and hook not in registry.hooks:
        raise UsageError(f"there is no hook {hook!r}; there are {', '.join(registry.hooks)}")
    failed: dict[str, str] = {}
    plugins = [plugin for plugin in registry.plugins if hook is None or hook in plugin.hooks]
    entries = [_entry(plugin, revision, failed) for plugin in plugins]
    # Who failed when asked may be a policy around the driver: it is the one that is listed as such.
    return [
        entry._replace(status=Status.BROKEN.value, reason=failed[entry.point.name])
        if plugin.status.takes_part and entry.point.name in failed
        else entry
        for plugin, entry in zip(plugins, entries, strict=True)
    ]


def _entry(plugin: Plugin, revision: Revision, failed: dict[str, str]) -> _Entry:
    entry = _Entry(plugin.point, plugin.status.value, plugin.reason, plugin.hooks, plugin.api)
    if plugin.driver is None:
        return entry
    info = plugin.driver.info
    scenarios: tuple[str, ...] = ()
    try:
        offers = plugin.driver.capabilities(revision).offers
        scenarios = tuple(id_ for id_ in SCENARIOS if id_ in offers)
    except PluginFailedError as error:
        failed[error.plugin] = str(error)
    return entry._replace(
        title=info.title,
        schemes=info.connection_schemes,
        migration_schemes=info.migration_schemes,
        scenarios=scenarios,
    )


def _row(entry: _Entry) -> tuple[str, ...]:
    point = entry.point
    flows = [_SHORT[flow] for flow in entry.flows]
    listed = (entry.schemes, flows, entry.transports)
    return (
        point.name,
        point.version,
        entry.status,
        "-" if entry.api is None else str(entry.api),
        str(len(entry.hooks)) if entry.hooks else "-",
        *(",".join(names) or "-" for names in listed),
        point.distribution,
    )


def _driver(entry: _Entry) -> dict[str, Any]:
    return _plugin(entry) | {
        "title": entry.title,
        "schemes": list(entry.schemes),
        "migration_schemes": list(entry.migration_schemes),
        "scenarios": list(entry.scenarios),
        "flows": entry.flows,
        "transports": entry.transports,
    }


def _plugin(entry: _Entry) -> dict[str, Any]:
    point = entry.point
    return {
        "name": point.name,
        "version": point.version,
        "distribution": point.distribution,
        "origin": point.origin,
        "status": entry.status,
        "reason": entry.reason,
        "hooks": list(entry.hooks),
        "api": entry.api,
    }
