"""Networks: whether the destination has each that an adapter of the guest is attached to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import Finding, Severity
from migrate_plugins_vmware.checks.reading import Backing, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_vmware.checks.case import Case
    from migrate_plugins_vmware.checks.reading import Device

__all__ = ["check_networks"]


def check_networks(case: Case) -> Iterator[Finding]:
    """Look at each adapter."""
    for device in case.guest.devices:
        if device.kind is Kind.ADAPTER and device.backing is Backing.NETWORK:
            yield from _adapter(case, device)


def _adapter(case: Case, device: Device) -> Iterator[Finding]:
    reading = case.reading
    if device.key in reading.target.networks:
        asked = reading.target.networks[device.key]
        if asked not in reading.there:
            yield _missing(case, device, asked)
        return
    network = None if device.network is None else reading.networks.get(device.network)
    if network is None:
        yield Finding(
            "adapter-network-unknown",
            Severity.INFO,
            case.source.name,
            f"the vCenter tells nothing of the network of {device.label}; whether the destination"
            " has it is unknown",
            seen=device.name or device.network,
            remedy=case.govc("device.info", "-vm", case.guest.name, "ethernet-*"),
        )
    elif reading.crossing:
        # Of another vCenter only the name can be compared.
        if network.name not in {each.name for each in reading.there.values()}:
            yield _missing(case, device, network.name)
    elif device.network not in reading.there and case.destination.id not in network.hosts:
        yield _missing(case, device, network.name)


def _missing(case: Case, device: Device, name: str) -> Finding:
    there = sorted({network.name for network in case.reading.there.values()})
    return Finding(
        "network-not-there",
        case.blocking if device.connected else Severity.WARNING,
        case.destination.name,
        f"{case.destination.name} does not have the network {name}, which {device.label} is"
        " attached to",
        seen=name,
        expected=", ".join(there) or None,
        remedy=f"-o 'network={device.label}:NAME' attaches it to another one there",
    )
