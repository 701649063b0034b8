"""What the picture says of a plan, in words; nothing here knows how or where it is drawn."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from migrate_plugins.document import Crash
from migrate_plugins.model import ChosenBy, Flow, Seat, Transport
from migrate_plugins.uris import ConnectionURI, MigrationURI

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins.plan import Channel, Plan, PlannedURI

__all__ = [
    "Caption",
    "Leg",
    "Protection",
    "address",
    "captions",
    "client",
    "daemon",
    "description",
    "guest",
    "legs",
    "protection_of",
    "title",
    "uses_daemon",
]


class Protection(StrEnum):
    """How safe a leg is; told by colour, dashes, sign and words alike."""

    ENCRYPTED = "encrypted"
    PLAIN = "plain text"
    LOCAL = "not on the network"
    UNKNOWN = "not known"
    UNUSED = "not used"


class Leg(NamedTuple):
    """A leg of the control path, or the path of the memory.

    Attributes:
        role: ``control`` or ``data``.
        channel: What the plan says of it.
        protection: How safe it is.
        number: Of the URI by which it is opened; None for memory that shares it in a tunnel.
        label: Protocol, status, and of memory it may be a note.
    """

    role: str
    channel: Channel
    protection: Protection
    number: str | None
    label: tuple[str, ...]


class Caption(NamedTuple):
    """A URI of the plan under its number."""

    number: str
    title: str
    seen_from: str
    uri: PlannedURI


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
            f"{title}, {seen_from}: {uri.value or uri.because}."
            for _, title, seen_from, uri in captions(plan)
        ),
        f"If the client crashes: {plan.on_client_crash.then.value}.",
    ]
    return " ".join(told)


def _told(leg: Leg) -> str:
    role = "Control" if leg.role == "control" else "Memory"
    channel = leg.channel
    facts = filter(None, (channel.protocol, _ports(channel), leg.protection.value))
    return f"{role}, {channel.origin.value} to {channel.target.value}: {', '.join(facts)}."


def client(plan: Plan) -> tuple[str, str, str]:
    """Say what a crash of the client means."""
    aborted = plan.on_client_crash.then is Crash.ABORTED
    then = "is aborted" if aborted else "continues"
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


def captions(plan: Plan) -> list[Caption]:
    """Number the URIs: the destination's is two where client and source open it differently."""
    uris = plan.uris
    if uris.destination_from_client.value != uris.destination.value:
        destination = [
            _caption("2c", "Destination", uris.destination_from_client),
            _caption("2s", "Destination", uris.destination),
        ]
    else:
        caption = _caption("2", "Destination", uris.destination)
        openers = {leg.origin for leg in plan.control if leg.target is Seat.DESTINATION}
        if len(openers) > 1:
            caption = caption._replace(seen_from="as both open it")
        destination = [caption]
    return [
        _caption("1", "Source", uris.source),
        *destination,
        _caption("3", "Migration", uris.migration),
    ]


def _caption(number: str, name: str, uri: PlannedURI) -> Caption:
    seen_from = f"as the {uri.seen_from.value} opens it" if uri.value else "none given"
    return Caption(number, f"{name} URI", seen_from, uri)


def legs(plan: Plan) -> Iterator[Leg]:
    """Tell the control path leg by leg, then the path of the memory."""
    for channel in plan.control:
        protection = protection_of(channel)
        label = channel.protocol, _status("control", _ports(channel), protection)
        yield Leg("control", channel, protection, _number(plan, channel), label)
    protection = Protection.UNUSED if plan.request.offline else protection_of(plan.data)
    number = None if plan.scenario.transport is Transport.TUNNELLED else "3"
    yield Leg("data", plan.data, protection, number, _memory_label(plan, protection))


def protection_of(channel: Channel) -> Protection:
    """Say how safe *channel* is; one without a port may still be open to all (``qemu+ext``)."""
    if channel.ports is None and channel.encrypted is not False:
        return Protection.LOCAL
    if channel.encrypted is None:
        return Protection.UNKNOWN
    return Protection.ENCRYPTED if channel.encrypted else Protection.PLAIN


def _number(plan: Plan, leg: Channel) -> str:
    """Give the number of the URI by which a leg of the control path is opened."""
    if leg.target is Seat.SOURCE:
        return "1"
    uris = plan.uris
    if uris.destination.value is None:
        return "3"
    if uris.destination_from_client.value == uris.destination.value:
        return "2"
    return "2c" if leg.origin is Seat.CLIENT else "2s"


def _memory_label(plan: Plan, protection: Protection) -> tuple[str, ...]:
    """Label the memory's path: protocol (not what it travels in), status, who picks the port."""
    tunnelled = plan.scenario.transport is Transport.TUNNELLED
    protocol = plan.data.protocol.partition(" inside ")[0]
    status = _status("memory", "tunnelled" if tunnelled else _ports(plan.data), protection)
    if tunnelled or protection is Protection.UNUSED:
        return protocol, status
    if protection is Protection.LOCAL:
        return protocol, status, "over a UNIX socket"
    if plan.port.value is not None:
        return protocol, status
    chosen_by = plan.port.chosen_by
    who = chosen_by.value if chosen_by is ChosenBy.US else f"the {chosen_by.value}"
    return protocol, status, f"one of them, chosen by {who}"


def _status(role: str, where: str, protection: Protection) -> str:
    if protection is Protection.UNUSED:
        return f"{role} · not used: the guest is shut off"
    if protection is Protection.LOCAL:
        return f"{role} · does not cross the network"
    unknown = protection is Protection.UNKNOWN
    safety = "encryption not known" if unknown else protection.value
    return " · ".join(filter(None, (role, where, safety)))


def _ports(channel: Channel) -> str:
    if channel.ports is None:
        return ""
    first, last = channel.ports
    return f"port {first}" if first == last else f"ports {first}\u2013{last}"
