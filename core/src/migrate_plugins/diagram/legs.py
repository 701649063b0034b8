"""The legs of a plan's paths: how safe each is, which URI opens it, and its label."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from migrate_plugins.diagram.numbering import number_of
from migrate_plugins.model import ChosenBy, Transport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins.plan import Channel, Plan

__all__ = ["Leg", "Protection", "legs", "ports_of", "protection_of"]


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


def legs(plan: Plan) -> Iterator[Leg]:
    """Tell the control path leg by leg, then the path of the memory."""
    for channel in plan.control:
        protection = protection_of(channel)
        label = channel.protocol, _status("control", ports_of(channel), protection)
        yield Leg("control", channel, protection, number_of(plan, channel), label)
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


def _memory_label(plan: Plan, protection: Protection) -> tuple[str, ...]:
    """Label the memory's path: protocol (not what it travels in), status, who picks the port."""
    tunnelled = plan.scenario.transport is Transport.TUNNELLED
    protocol = plan.data.protocol.partition(" inside ")[0]
    status = _status("memory", "tunnelled" if tunnelled else ports_of(plan.data), protection)
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


def ports_of(channel: Channel) -> str:
    """Write the ports of *channel*, if it has any."""
    if channel.ports is None:
        return ""
    first, last = channel.ports
    return f"port {first}" if first == last else f"ports {first}\u2013{last}"
