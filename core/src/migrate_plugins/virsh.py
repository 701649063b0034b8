"""A plan as a ``virsh migrate`` command, for drivers whose hypervisor libvirt can migrate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins.model import Flow, Kind, NativeCommand, Transport
from migrate_plugins.options import OPTIONS

if TYPE_CHECKING:
    from migrate_plugins.model import Request
    from migrate_plugins.plan import Plan

__all__ = ["virsh_command"]


def virsh_command(plan: Plan) -> NativeCommand:
    """Give *plan* as a virsh command, or say why virsh cannot invoke it.

    In peer-to-peer virsh takes a single URI, the destination as the source opens it.
    """
    request, scenario, uris = plan.request, plan.scenario, plan.uris
    if scenario.virsh is None:
        return NativeCommand(
            "virsh", None, f"the document says so: {scenario.id} cannot be invoked from virsh"
        )
    if request.options:
        return NativeCommand("virsh", None, f"libvirt has nothing like {plan.own_as_typed}")
    argv = ["virsh", "-c", uris.source.value or "", "migrate"]
    if scenario.flow is Flow.MANAGED_PEER2PEER:
        argv.append("--p2p")
    elif scenario.flow is Flow.UNMANAGED_DIRECT:
        argv.append("--direct")
    if scenario.transport is Transport.TUNNELLED:
        argv.append("--tunnelled")
    argv += [*_options(request), request.guest]
    if scenario.flow is Flow.UNMANAGED_DIRECT:
        argv.append(uris.migration.value or "")
    else:
        argv.append(uris.destination.value or "")
        if uris.migration.value is not None:
            argv.append(uris.migration.value)
    return NativeCommand("virsh", tuple(argv))


def _options(request: Request) -> list[str]:
    """Give the options as virsh has them, those without a value first."""
    flags, valued = [], []
    for field, spellings, kind, *_ in OPTIONS:
        value = getattr(request, field)
        if not value:
            continue
        if kind is Kind.FLAG:
            flags.append(spellings[0])
        else:
            text = ",".join(value) if kind is Kind.NAMES else str(value)
            valued += [spellings[0], text]
    return flags + valued
