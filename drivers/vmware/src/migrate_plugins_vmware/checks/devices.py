"""Devices of the guest that stay where they are: of the host, of a client, of another guest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, Severity
from migrate_plugins_vmware.checks.reading import Backing, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_vmware.checks.case import Case
    from migrate_plugins_vmware.checks.reading import Device

__all__ = ["check_devices"]

# As govc calls them.
_TYPES: Final = {
    Kind.CDROM: "cdrom",
    Kind.FLOPPY: "floppy",
    Kind.USB: "usb",
    Kind.SERIAL: "serialport",
    Kind.PARALLEL: "parallelport",
}
# Modes of a disk whose changes are thrown away, or kept beside it.
_LASTING: Final = frozenset({None, "persistent", "independent_persistent"})


def check_devices(case: Case) -> Iterator[Finding]:
    """Look at each device; one that is not connected hinders nobody."""
    for device in case.guest.devices:
        if not device.connected:
            continue
        if device.kind is Kind.PCI:
            yield _pci(case, device)
        elif device.kind is Kind.USB:
            yield from _usb(case, device)
        elif device.kind is Kind.DISK:
            yield from _disk(case, device)
        elif device.kind is Kind.CONTROLLER:
            yield from _controller(case, device)
        elif device.backing in {Backing.HOST, Backing.CLIENT, Backing.PIPE}:
            yield _tied(case, device)
        elif device.backing is Backing.FILE:
            yield from _file(case, device)


def _tied(case: Case, device: Device) -> Finding:
    """Name a device that the destination does not have: a drive, a port, a file of a client."""
    whose = {
        Backing.HOST: "a device of its host",
        Backing.CLIENT: "a device of somebody's client",
        Backing.PIPE: "a pipe on its host",
    }[device.backing]
    return Finding(
        "device-of-host",
        case.blocking,
        case.source.name,
        f"{device.label} is {whose}, and cannot come along",
        seen=device.name or device.backing.value,
        expected="disconnected",
        remedy=_disconnect(case, device),
    )


def _file(case: Case, device: Device) -> Iterator[Finding]:
    """Look at an image in a drive, or a file behind a port."""
    reading = case.reading
    if device.datastore is None:
        return
    datastore = reading.datastores.get(device.datastore)
    mount = None if datastore is None else datastore.mounts.get(case.destination.id)
    if not reading.crossing and mount is not None and mount.mounted and mount.accessible:
        return
    yield Finding(
        "device-file-not-there",
        case.blocking,
        case.destination.name,
        f"the file behind {device.label} is on a datastore that {case.destination.name} "
        + (
            "gets from another vCenter, if at all"
            if reading.crossing
            else "has not mounted, or cannot get at"
        ),
        seen=device.name,
        expected="disconnected, or on a datastore of both hosts",
        remedy=_disconnect(case, device),
    )


def _pci(case: Case, device: Device) -> Finding:
    if device.backing is Backing.VGPU:
        return Finding(
            "device-vgpu",
            Severity.WARNING,
            case.source.name,
            f"{device.label} is a share of a GPU: it moves where the vCenter allows it"
            " (vgpu.hotmigrate.enabled, 6.7 U1 on) and the destination has the same profile free",
            seen=device.name or device.backing.value,
            remedy=case.govc_there("gpu.host.profile.ls", "-host", case.destination.name),
        )
    return Finding(
        "device-passed-through",
        case.blocking,
        case.source.name,
        f"{device.label} is a device of the host that is passed through to the guest",
        seen=device.name or device.backing.value,
        expected="no such device",
        remedy=case.govc("device.pci.ls", "-vm", case.guest.name),
    )


def _usb(case: Case, device: Device) -> Iterator[Finding]:
    if device.backing is Backing.CLIENT:
        yield _tied(case, device)
    elif device.backing is not Backing.NONE:
        yield Finding(
            "device-usb",
            Severity.WARNING if case.live else Severity.INFO,
            case.source.name,
            f"{device.label} is plugged into the host: it can be used from the destination, over"
            " the network, if it was added with support for vMotion, and until the guest stops",
            seen=device.name or device.backing.value,
            expected="support for vMotion",
            remedy=case.govc("device.info", "-vm", case.guest.name, "usb-*"),
        )


def _disk(case: Case, device: Device) -> Iterator[Finding]:
    target = case.reading.target
    if device.backing is Backing.LUN:
        yield Finding(
            "disk-raw",
            Severity.WARNING,
            case.source.name,
            f"{device.label} is a raw device mapping: {case.destination.name} has to see the same"
            " LUN, and nobody has looked whether it does",
            seen=device.name,
            remedy=case.govc_there("host.storage.info", "-host", case.destination.name),
        )
    if target.storage and case.live and device.mode not in _LASTING:
        yield Finding(
            "disk-not-persistent",
            Severity.ERROR,
            case.source.name,
            f"{device.label} throws its changes away, and such a disk cannot change its datastore"
            " while the guest runs",
            seen=device.mode,
            expected="persistent",
            remedy="leave its files where they are, or power the guest off",
        )
    if device.shared is not None and case.live:
        yield _shared(case, device)


def _controller(case: Case, device: Device) -> Iterator[Finding]:
    if device.shared is not None and case.live:
        yield _shared(case, device)


def _shared(case: Case, device: Device) -> Finding:
    """Name what other guests share: between hosts (physical) vSphere can move it, from 6.0 on."""
    moves = device.shared == "physicalSharing" and not case.reading.target.storage
    return Finding(
        "disk-shared",
        Severity.WARNING if moves else Severity.ERROR,
        case.source.name,
        f"{device.label} is shared with other guests"
        + (
            ": it moves if the cluster of guests stands a second's pause"
            if moves
            else ", which keeps the guest where it is while it runs"
        ),
        seen=device.shared,
        expected="not shared",
        remedy="power the guest off to move it, or stop sharing",
    )


def _disconnect(case: Case, device: Device) -> str:
    """Write the command for a device that govc names by its type and its key."""
    type_ = _TYPES.get(device.kind)
    name = "DEVICE" if type_ is None else f"{type_}-{device.key}"
    return case.govc("device.disconnect", "-vm", case.guest.name, name)
