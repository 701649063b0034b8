"""What the picture says of the plan as a whole, and what stands in the boxes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from migrate_plugins.diagram.legs import legs, ports_of
from migrate_plugins.diagram.numbering import numbered_uris
from migrate_plugins.document import Crash
from migrate_plugins.model import Flow, Seat
from migrate_plugins.uris import ConnectionURI, MigrationURI

if TYPE_CHECKING:
    from migrate_plugins.diagram.legs import Leg
    from migrate_plugins.plan import Plan

__all__ = [
    "address",
    "client",
    "daemon",
    "description",
    "guest",
    "title",
    "uses_daemon",
]

_THEN: Final = {
    Crash.ABORTED: "is aborted",
    Crash.CONTINUES: "continues",
    Crash.STALLS: "stalls before its end",
}


def title(plan: Plan) -> str:
    """Name the picture."""
    return f"Migration of {plan.guest}"


def description(plan: Plan) -> str:
    """Tell the whole picture to who cannot see it."""
    told = [
        f"{plan.scenario.title} ({plan.scenario_id}, revision {plan.request.revision.value}).",
        f"Guest {plan.guest}, {plan.destination_name} on the destination.",
        *(_told(leg) for leg in legs(plan)),
        *(
            f"{each.title}, {each.seen_from}: {each.uri.value or each.uri.because}."
            for each in numbered_uris(plan)
        ),
        f"If the client crashes: {plan.on_client_crash.then.value}.",
    ]
    return " ".join(told)


def _told(leg: Leg) -> str:
    role = "Control" if leg.role == "control" else "Memory"
    channel = leg.channel
    facts = filter(None, (channel.protocol, ports_of(channel), leg.protection.value))
    return f"{role}, {channel.origin.value} to {channel.target.value}: {', '.join(facts)}."


def client(plan: Plan) -> tuple[str, str, str]:
    """Say what a crash of the client means."""
    then = _THEN[plan.on_client_crash.then]
    return "Client", "if it crashes or is cut off,", f"the migration {then}"


def address(plan: Plan, seat: Seat) -> str:
    """Say how the host at *seat* is reached."""
    uri = plan.uris.source if seat is Seat.SOURCE else plan.uris.destination
    kind: type[ConnectionURI | MigrationURI] = ConnectionURI
    if seat is Seat.DESTINATION and uri.value is None:
        uri, kind = plan.uris.migration, MigrationURI
    host = kind.parse(uri.value).host if uri.value else None
    return f"reached at {host}" if host else f"on the {uri.seen_from.value}\u2019s own machine"


def uses_daemon(plan: Plan, seat: Seat) -> bool:
    """Say whether anybody talks to the daemon of the host at *seat*."""
    return seat is Seat.SOURCE or plan.scenario.flow is not Flow.UNMANAGED_DIRECT


def daemon(plan: Plan, seat: Seat) -> tuple[str, str]:
    """Give the kind and the name of what manages the hypervisor at *seat*."""
    name = _daemon_name(plan)
    kind = "daemon" if name == "libvirtd" else "management"
    return kind if uses_daemon(plan, seat) else f"{kind}, not used", name


def _daemon_name(plan: Plan) -> str:
    """Name what the control path talks to, in the drivers' words: none is known here."""
    unmanaged = plan.scenario.flow is Flow.UNMANAGED_DIRECT
    for leg in plan.control:
        spoken = re.match(r"(.+?) (?:over|on) ", leg.protocol)
        if spoken and not (unmanaged and leg.origin is Seat.SOURCE):
            return "libvirtd" if spoken[1].startswith("libvirt") else spoken[1]
    tool = plan.commands[0].tool if plan.commands else "virsh"
    return "libvirtd" if tool == "virsh" else tool


def guest(plan: Plan, seat: Seat) -> tuple[str, str, str]:
    """Say when, by which name and in which state the guest is at *seat*."""
    request = plan.request
    if seat is Seat.SOURCE:
        when, name = "guest before", plan.guest
        state = "runs while its memory is copied" if request.live else "paused during the copy"
    else:
        when, name = "guest after", plan.destination_name
        state = "stays paused" if request.suspend else "continues here"
    if request.offline:
        state = "shut off: only its definition moves" if seat is Seat.SOURCE else "shut off"
    return when, name, state
