"""A guest's devices as plain values: what pyVmomi calls by class is told by kind and backing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyVmomi import vim

from migrate_plugins_vmware.checks.reading import Backing, Device, Kind
from migrate_plugins_vmware.inventory import id_of, moid
from migrate_plugins_vmware.survey import label_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_devices"]

_Device: Final = vim.vm.device
_Virtual: Final = _Device.VirtualDevice
_Pci: Final = _Device.VirtualPCIPassthrough

# The first that fits; a network card that is part of a PCI device is one.
_KINDS: Final = (
    (_Device.VirtualSriovEthernetCard, Kind.PCI),
    (_Device.VirtualEthernetCard, Kind.ADAPTER),
    (_Device.VirtualDisk, Kind.DISK),
    (_Device.VirtualCdrom, Kind.CDROM),
    (_Device.VirtualFloppy, Kind.FLOPPY),
    (_Device.VirtualPCIPassthrough, Kind.PCI),
    (_Device.VirtualUSB, Kind.USB),
    (_Device.VirtualSerialPort, Kind.SERIAL),
    (_Device.VirtualParallelPort, Kind.PARALLEL),
    (_Device.VirtualSCSIPassthrough, Kind.SCSI),
    (_Device.VirtualSCSIController, Kind.CONTROLLER),
)
_BACKINGS: Final = (
    (_Device.VirtualDisk.RawDiskMappingVer1BackingInfo, Backing.LUN),
    (_Pci.VmiopBackingInfo, Backing.VGPU),
    (_Pci.DynamicBackingInfo, Backing.HOST),
    (_Device.VirtualUSB.RemoteHostBackingInfo, Backing.REMOTE_HOST),
    (_Device.VirtualEthernetCard.DistributedVirtualPortBackingInfo, Backing.NETWORK),
    (_Device.VirtualEthernetCard.NetworkBackingInfo, Backing.NETWORK),
    (_Device.VirtualEthernetCard.OpaqueNetworkBackingInfo, Backing.NETWORK),
    (_Device.VirtualSerialPort.ThinPrintBackingInfo, Backing.NONE),
    (_Virtual.FileBackingInfo, Backing.FILE),
    (_Virtual.RemoteDeviceBackingInfo, Backing.CLIENT),
    (_Virtual.PipeBackingInfo, Backing.PIPE),
    (_Virtual.DeviceBackingInfo, Backing.HOST),
)


def read_devices(devices: Iterable[Any], networks: dict[str, str]) -> Iterable[Device]:
    """Give each device that a check asks for.

    Args:
        devices: As the vCenter told them.
        networks: Those of the guest, name to id: a card may tell the name alone.
    """
    for device in devices:
        kind = next((kind for type_, kind in _KINDS if isinstance(device, type_)), None)
        if kind is not None:
            yield _read(device, kind, networks)


def _read(device: Any, kind: Kind, networks: dict[str, str]) -> Device:  # noqa: ANN401 - pyVmomi is untyped
    behind = device.backing
    backing = next((each for type_, each in _BACKINGS if isinstance(behind, type_)), Backing.NONE)
    name = getattr(behind, "deviceName", None) or getattr(behind, "fileName", None)
    if backing is Backing.VGPU:
        name = behind.vgpu
    shared = getattr(behind, "sharing", None) or getattr(device, "sharedBus", None)
    return Device(
        key=device.key,
        label=label_of(device),
        kind=kind,
        backing=backing,
        connected=device.connectable is None or bool(device.connectable.connected),
        name=name or None,
        datastore=id_of(getattr(behind, "datastore", None)),
        network=_network(behind, networks) if kind is Kind.ADAPTER else None,
        mode=getattr(behind, "diskMode", None),
        shared=None if shared in {None, "sharingNone", "noSharing"} else str(shared),
        size=_size(device) if kind is Kind.DISK else None,
    )


def _network(behind: Any, networks: dict[str, str]) -> str | None:  # noqa: ANN401 - pyVmomi is untyped
    """Find the id of a card's network."""
    port = getattr(behind, "port", None)
    if port is not None:
        # The key of a distributed port group is its id.
        key: str | None = port.portgroupKey
        return key
    network = getattr(behind, "network", None)
    if network is not None:
        return moid(network)
    return networks.get(getattr(behind, "deviceName", None) or "")


def _size(disk: Any) -> int | None:  # noqa: ANN401 - pyVmomi is untyped
    if disk.capacityInBytes:
        return int(disk.capacityInBytes)
    return int(disk.capacityInKB) * 1024 if disk.capacityInKB else None
