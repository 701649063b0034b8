"""A plan as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import WRITE_MIGRATION_URI, Need
from migrate_plugins.cli.output import table, wrap

if TYPE_CHECKING:
    from migrate_plugins import After, Before, Channel, Plan, PlannedPort
    from migrate_plugins.cli.output import Output

__all__ = ["explain", "kept"]


def explain(plan: Plan, output: Output) -> None:
    """Print everything that *plan* says, with its reasons."""
    scenario = plan.scenario
    because = plan.because
    output.text(
        f"{output.style(plan.guest, 'bold')}: {scenario.flow}, {scenario.transport}"
        f" ({plan.driver}, scenario {scenario.id}, revision {plan.request.revision})"
    )
    _because(output, f"{because['scenario']}; {scenario.title}")
    flags = f" with {', '.join(plan.flags) or 'no flags'}" if plan.calls_libvirt else ""
    _because(output, f"{plan.api}{flags}")
    if plan.request.options:
        output.text(f"  {plan.own_as_typed}")
        _because(output, f"options that {plan.driver} alone has")

    _heading(output, "URIs")
    for name in ("source", "destination", "destination_from_client", "migration"):
        uri = getattr(plan.uris, name)
        label = name.replace("_", " ")
        output.text(f"  {label}: {uri.value or '-'}  (seen from the {uri.seen_from})")
        _because(output, uri.because)
    if plan.uris.migration.value is None and scenario.migration.need is not Need.NOT_USED:
        _because(output, f"give one where {', '.join(WRITE_MIGRATION_URI)}")

    _heading(output, "Control path")
    for channel in plan.control:
        _channel(output, channel)
    _heading(output, "Guest's memory")
    _channel(output, plan.data)
    output.text(f"  port: {_port(plan.port)}, chosen by: {plan.port.chosen_by}")
    _because(output, plan.port.because)

    _heading(output, "Configuration files")
    for line in table(_configuration(plan)):
        output.text(f"  {line}")
    _because(output, plan.configuration.because)

    crash = plan.on_client_crash
    _heading(output, f"If this client crashes: {crash.then}")
    _because(output, crash.because)

    _heading(output, "The same with the hypervisor's own tool")
    _because(output, because["commands"])
    tool = plan.commands[0].tool if plan.commands else None
    for command in plan.commands:
        if command.argv is None:
            output.text(f"  {command.tool}: not expressible")
            _because(output, command.not_expressible or "")
        else:
            other = "or " if command.tool != tool else ""
            output.text(f"  {other}on the {command.host}: {_shell(command.argv)}")
    if plan.findings:
        _heading(output, "Findings (without looking at a host)")
        output.findings(plan.findings)


def _configuration(plan: Plan) -> list[tuple[str, str, str]]:
    """Give the rows of the configuration table that are open, or the one that holds."""
    rows = [("before", "", "afterwards")]
    if plan.own_configuration is not None and plan.before is None:
        after = plan.own_configuration.after
        return [*rows, ("whatever it was", "→", "as it was" if after is None else kept(after))]
    rows += [(kept(row.before), "→", kept(row.after)) for row in plan.configuration.rows]
    return rows


def _heading(output: Output, text: str) -> None:
    output.text()
    output.text(output.style(text, "bold"))


def _because(output: Output, text: str) -> None:
    for line in wrap(text, output.width - 6):
        output.text(output.style(f"      {line}", "dim"))


def _channel(output: Output, channel: Channel) -> None:
    ports = "" if channel.ports is None else f", port {_range(*channel.ports)}"
    safety = {
        True: output.style("encrypted", "green"),
        False: output.style("PLAIN TEXT", "yellow"),
        None: "not on the network" if channel.ports is None else "up to the hypervisor",
    }[channel.encrypted]
    output.text(f"  {channel.origin} → {channel.target}: {channel.protocol}{ports}, {safety}")
    _because(output, channel.because)


def _port(port: PlannedPort) -> str:
    if port.value is not None:
        return str(port.value)
    return "none" if port.first is None or port.last is None else _range(port.first, port.last)


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def kept(state: Before | After, source: str = "source", destination: str = "destination") -> str:
    """Say of which kind a guest is and on which of two hosts its configuration lies."""
    kind = "persistent" if state.persistent else "transient"
    places = [
        place
        for place, there in (
            (source, state.source_config),
            (destination, state.destination_config),
        )
        if there
    ]
    return f"{kind}, configuration on {' and '.join(places) or 'no host'}"


def _shell(argv: tuple[str, ...]) -> str:
    from shlex import join  # noqa: PLC0415 - slow to import, and JSON needs none

    return join(argv)
