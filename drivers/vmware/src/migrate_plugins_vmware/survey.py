"""What a move depends on, read from both ends in a handful of calls whatever their size."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, Final

from pyVmomi import vim

from migrate_plugins import DriverError
from migrate_plugins_vmware.faults import doing
from migrate_plugins_vmware.inventory import moid, read, read_above, read_below
from migrate_plugins_vmware.moves import Card, Disk, Guest, Named, Site
from migrate_plugins_vmware.options import Wishes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migrate_plugins import Plan
    from migrate_plugins_vmware.inventory import Found
    from migrate_plugins_vmware.moves import Move
    from migrate_plugins_vmware.session import VSphereSession
    from migrate_plugins_vmware.vcenter import VCenter

__all__ = ["label_of", "look", "one_vcenter", "read_backings"]

# The letters of a disk's place, such as scsi0:0, by the kind of its controller.
_BUSES: Final = (
    (vim.vm.device.VirtualSCSIController, "scsi"),
    (vim.vm.device.VirtualIDEController, "ide"),
    (vim.vm.device.VirtualSATAController, "sata"),
    (vim.vm.device.VirtualNVMEController, "nvme"),
)


def one_vcenter(here: VCenter, there: VCenter) -> bool:
    """Whether two connections lead to one vCenter.

    Raises:
        DriverError: They give the same id at two addresses: one vCenter that has two, or a copy.
    """
    if here is there:
        return True
    if here.instance != there.instance:
        return False
    if here.port == there.port and _addresses(here.host) & _addresses(there.host):
        return True
    ends = " and ".join(f"{each.host}:{each.port}" for each in (here, there))
    raise DriverError(
        "telling the two vCenters apart",
        problem=f"{ends} both say that they are the vCenter {here.instance}: one that has two"
        " addresses, or a copy of it; write the same address in both connection URIs",
    )


def look(
    source: VSphereSession,
    destination: VSphereSession,
    plan: Plan,
    found: Found | None = None,
) -> tuple[Guest, Site]:
    """Read what a move depends on; what nobody asked for is left out.

    Args:
        source: The guest's host.
        destination: Where it goes.
        plan: What was asked for.
        found: The guest, where it has just been read.

    Raises:
        DriverError: It cannot be read, or the guest is on neither host.
    """
    wishes = Wishes.of(plan)
    other = not one_vcenter(source.vcenter, destination.vcenter)
    with doing(f"reading what the move of {plan.guest} depends on"):
        found = found or source.find_guest(plan.guest)
        if found is None and not other:
            found = destination.find_guest(plan.guest)  # it may have come there by itself
        if found is None:
            name = source.target.values.get("name")
            raise DriverError(f"finding {plan.guest}", problem=f"it is not on {name} any more")
        return (
            _look_here(source.vcenter, found, plan.guest, wishes, other=other),
            _look_there(source.vcenter, destination, plan, wishes, other=other),
        )


def read_backings(vcenter: VCenter, move: Move) -> list[Any]:
    """Write how each network card that changes hangs on its network.

    Raises:
        DriverError: A network cannot be read.
    """
    with doing(f"reading the networks of {move.guest.name}"):
        return [_backing(vcenter, network) for _, network in move.networks]


def _backing(vcenter: VCenter, network: Any) -> Any:  # noqa: ANN401 - pyVmomi is untyped
    card = vim.vm.device.VirtualEthernetCard
    if isinstance(network, vim.dvs.DistributedVirtualPortgroup):
        paths = ["key", "config.distributedVirtualSwitch"]
        key, switch = _told(vcenter, network, *paths)
        (uuid,) = _told(vcenter, switch, "uuid")
        connection = vim.dvs.PortConnection(portgroupKey=key, switchUuid=uuid)
        return card.DistributedVirtualPortBackingInfo(port=connection)
    if isinstance(network, vim.OpaqueNetwork):
        (summary,) = _told(vcenter, network, "summary")
        return card.OpaqueNetworkBackingInfo(
            opaqueNetworkId=summary.opaqueNetworkId, opaqueNetworkType=summary.opaqueNetworkType
        )
    (name,) = _told(vcenter, network, "name")
    return card.NetworkBackingInfo(deviceName=name)


def _look_here(vcenter: VCenter, found: Found, name: str, wishes: Wishes, *, other: bool) -> Guest:
    paths = ["runtime.host", "resourcePool"]
    if wishes.disks or wishes.networks or other:
        paths.append("config.hardware.device")
    values = _values(vcenter, found.reference, paths)
    pool = values.get("resourcePool")
    owner = None
    if pool is not None and not other:
        (owner,) = _told(vcenter, pool, "owner")
    host = values.get("runtime.host")
    devices = values.get("config.hardware.device") or ()
    return Guest(
        name,
        str(found.values.get("config.uuid") or "").lower(),
        found.reference,
        host,
        pool,
        owner,
        None if host is None or other else _datacenter(vcenter, host)[0],
        tuple(_read_disks(devices)),
        tuple(_read_cards(devices)),
    )


def _look_there(
    source: VCenter, destination: VSphereSession, plan: Plan, wishes: Wishes, *, other: bool
) -> Site:
    vcenter, host = destination.vcenter, destination.target.reference
    values = _values(vcenter, host, ["name", "parent", *_lists(wishes, other=other)])
    name, compute = _told(vcenter, host, "name", "parent")
    (root,) = _told(vcenter, compute, "resourcePool")
    datacenter, top = _datacenter(vcenter, host)
    uri = plan.uris.migration.value
    pools: list[Named] = []
    if wishes.pool is not None or uri is not None:
        pools = _paths(read_below(vcenter, root, vim.ResourcePool, ["name", "parent"]))
    folders: list[Named] = []
    if wishes.folder is not None and top is not None:
        folders = _paths(read_below(vcenter, top, vim.Folder, ["name", "parent"]))
    return Site(
        name,
        host,
        compute,
        root,
        tuple(pools),
        datacenter,
        top,
        tuple(folders),
        tuple(_names(vcenter, values.get("datastore") or ())),
        tuple(_names(vcenter, values.get("network") or ())),
        frozenset() if uri is None else _addresses(source.host) | {source.host},
        other,
    )


def _values(vcenter: VCenter, reference: Any, paths: Sequence[str]) -> Mapping[str, Any]:  # noqa: ANN401 - pyVmomi is untyped
    """Read an object that must still be there; what is not set is absent."""
    found = read(vcenter, [reference], paths)
    if not found:
        problem = f"{moid(reference)} is not in the vCenter any more"
        raise DriverError("reading the inventory", problem=problem)
    return found[0].values


def _told(vcenter: VCenter, reference: Any, *paths: str) -> list[Any]:  # noqa: ANN401 - pyVmomi is untyped
    """Read what must be told: one who may not see it cannot move anything there."""
    values = _values(vcenter, reference, paths)
    missing = [path for path in paths if path not in values]
    if missing:
        problem = (
            f"the vCenter does not tell {', '.join(missing)} of {moid(reference)}: see that the"
            " user may read it"
        )
        raise DriverError("reading the inventory", problem=problem)
    return [values[path] for path in paths]


def _lists(wishes: Wishes, *, other: bool) -> list[str]:
    """Name the lists of a host that are needed."""
    wanted = []
    if wishes.datastore is not None or wishes.disks or other:
        wanted.append("datastore")
    if wishes.networks or other:
        wanted.append("network")
    return wanted


def _names(vcenter: VCenter, references: Iterable[Any]) -> list[Named]:
    """Read the names of objects, kind by kind."""
    kinds: dict[type, list[Any]] = {}
    for reference in references:
        kinds.setdefault(type(reference), []).append(reference)
    return [
        Named(found.values["name"], found.reference)
        for alike in kinds.values()
        for found in read(vcenter, alike, ["name"])
        if "name" in found.values
    ]


def _paths(found: Sequence[Found]) -> list[Named]:
    """Name each by its path below the root, which is not among them."""
    known = {each.key.moid: each for each in found}

    def path(each: Found) -> str:
        names = [each.values.get("name", "")]
        parent = each.values.get("parent")
        while parent is not None and moid(parent) in known and len(names) <= len(known):
            above = known[moid(parent)]
            names.append(above.values.get("name", ""))
            parent = above.values.get("parent")
        return "/".join(reversed(names))

    return [Named(path(each), each.reference) for each in found]


def _datacenter(vcenter: VCenter, entity: Any) -> tuple[Any, Any]:  # noqa: ANN401 - pyVmomi is untyped
    """Find the datacenter above *entity*, and the folder of its virtual machines."""
    found = read_above(vcenter, entity, vim.Datacenter, ["vmFolder"])
    return (None, None) if found is None else (found.reference, found.values.get("vmFolder"))


def _read_disks(devices: Iterable[Any]) -> Iterable[Disk]:
    buses = {
        device.key: f"{word}{device.busNumber}"
        for device in devices
        for kind, word in _BUSES
        if isinstance(device, kind)
    }
    for device in devices:
        if not isinstance(device, vim.vm.device.VirtualDisk):
            continue
        bus, unit = buses.get(device.controllerKey), device.unitNumber
        yield Disk(
            device.key,
            label_of(device),
            None if bus is None or unit is None else f"{bus}:{unit}",
            getattr(device.backing, "datastore", None),
        )


def _read_cards(devices: Iterable[Any]) -> Iterable[Card]:
    distributed = vim.vm.device.VirtualEthernetCard.DistributedVirtualPortBackingInfo
    for device in devices:
        if isinstance(device, vim.vm.device.VirtualEthernetCard):
            hangs = isinstance(device.backing, distributed)
            yield Card(device.key, label_of(device), hangs, device)


def label_of(device: Any) -> str:  # noqa: ANN401 - pyVmomi is untyped
    """Give a device's label, or its number where it has none."""
    return (device.deviceInfo and device.deviceInfo.label) or str(device.key)


def _addresses(host: str) -> frozenset[str]:
    """Give the IP addresses of *host*; none where it has no name that resolves."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except OSError:
        return frozenset()
    return frozenset(str(address[0]) for *_, address in found)
