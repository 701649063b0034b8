"""The guest's network interfaces: whether the destination has what they are attached to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import Finding, Severity
from migrate_plugins_qemu import definition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_qemu.checks.case import Case
    from migrate_plugins_qemu.definition import Interface

__all__ = ["check_networks"]


def check_networks(case: Case) -> Iterator[Finding]:
    """Look at each network, bridge and device once, however many interfaces it has."""
    unknown: list[str] = []
    seen: set[tuple[str, str]] = set()
    for interface in definition.interfaces(case.inspection.target):
        key = (interface.kind, interface.source or "")
        if interface.source is None or key in seen:
            continue
        seen.add(key)
        if interface.kind == "network":
            yield from _network(case, interface.source)
        elif interface.kind in {"bridge", "direct"}:
            yield from _device(case, interface, interface.source, unknown)
    if unknown:
        yield Finding(
            "network-unknown",
            Severity.INFO,
            case.destination,
            "whether the destination has what the guest's interfaces are attached to is unknown",
            seen="nobody could look",
            expected=", ".join(unknown),
            remedy=f"on {case.destination}: ip link show {unknown[0]}",
        )


def _network(case: Case, name: str) -> Iterator[Finding]:
    abilities = case.inspection.abilities
    if abilities is None or abilities.networks is None:
        return
    network = abilities.networks.get(name)
    if network is None:
        yield Finding(
            "network-missing",
            case.blocking,
            case.destination,
            f"{case.destination} has no virtual network {name!r}",
            seen="no such network",
            expected=name,
            remedy=case.there("net-define", f"{name}.xml"),
        )
        return
    if not network.active:
        yield Finding(
            "network-inactive",
            case.blocking,
            case.destination,
            f"the virtual network {name!r} is not started on {case.destination}",
            seen="inactive",
            expected="active",
            remedy=case.there("net-start", name),
        )
    elif network.bridge is not None:
        look = case.inspection.there
        if look is not None and look.devices and network.bridge not in look.devices:
            yield _no_device(case, "bridge", network.bridge, frozenset(look.devices))
    here = case.inspection.running.networks.get(name)
    if here is not None and here.mtu != network.mtu:
        yield _mtu(
            case,
            name,
            "the default" if network.mtu is None else str(network.mtu),
            "the default" if here.mtu is None else str(here.mtu),
            case.there("net-edit", name),
        )


def _device(case: Case, interface: Interface, name: str, unknown: list[str]) -> Iterator[Finding]:
    look, abilities = case.inspection.there, case.inspection.abilities
    known = abilities.devices if abilities is not None else None
    if look is not None and look.devices:
        known = frozenset(look.devices)
    if known is None:
        unknown.append(name)
        return
    if name not in known:
        yield _no_device(case, interface.kind, name, known)
        return
    here = case.inspection.here
    if look is None or here is None or name not in look.devices or name not in here.devices:
        return
    if here.devices[name] != look.devices[name]:
        yield _mtu(
            case,
            name,
            str(look.devices[name]),
            str(here.devices[name]),
            f"on {case.destination}: ip link set {name} mtu {here.devices[name]}",
        )


def _no_device(case: Case, kind: str, name: str, known: frozenset[str]) -> Finding:
    return Finding(
        "network-device-missing",
        case.blocking,
        case.destination,
        f"{case.destination} has no {'bridge' if kind == 'bridge' else 'device'} {name!r}",
        seen=", ".join(sorted(known)) or "no network devices",
        expected=name,
        remedy=f"on {case.destination}: ip link add name {name} type bridge"
        if kind == "bridge"
        else f"--xml FILE with a device of {case.destination} in <source dev='…'/>",
    )


def _mtu(case: Case, name: str, seen: str, expected: str, remedy: str) -> Finding:
    return Finding(
        "network-mtu-differs",
        Severity.WARNING,
        case.destination,
        f"{name} has another MTU than on the source: large packets of the guest may get lost",
        seen=seen,
        expected=expected,
        remedy=remedy,
    )
