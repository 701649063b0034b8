"""Reads a vCenter for the checks: a few calls in bulk, of leaf properties, whatever the size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyVmomi import vim

from migrate_plugins import DriverError, UsageError
from migrate_plugins_vmware.checks.hardware import read_devices
from migrate_plugins_vmware.checks.kinds import PRIVILEGES, VERDICTS
from migrate_plugins_vmware.checks.questions import ask_privileges, ask_verdict
from migrate_plugins_vmware.checks.reading import (
    Datastore,
    Evc,
    Host,
    Machine,
    Mount,
    Network,
    Pool,
    Privileges,
    Reading,
    Target,
    Verdict,
)
from migrate_plugins_vmware.checks.versions import parsed
from migrate_plugins_vmware.departures import locator
from migrate_plugins_vmware.faults import doing
from migrate_plugins_vmware.inventory import id_of, read
from migrate_plugins_vmware.moves import choose, specification
from migrate_plugins_vmware.options import Wishes
from migrate_plugins_vmware.places import Peer, write_peer
from migrate_plugins_vmware.survey import look, one_vcenter, read_backings
from migrate_plugins_vmware.tasks import MOVES, tasks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migrate_plugins import Plan, Selection
    from migrate_plugins_vmware.checks.questions import Wanted
    from migrate_plugins_vmware.inventory import Found
    from migrate_plugins_vmware.moves import Move, Site
    from migrate_plugins_vmware.session import VSphereSession
    from migrate_plugins_vmware.vcenter import VCenter

__all__ = ["read_all"]

_GUEST: Final = (
    "name",
    "runtime.host",
    "runtime.powerState",
    "runtime.connectionState",
    "runtime.faultToleranceState",
    "runtime.toolsInstallerMounted",
    "runtime.minRequiredEVCModeKey",
    "config.template",
    "config.keyId",
    "config.migrateEncryption",
    "config.files.vmPathName",
    "config.hardware.memoryMB",
    "config.hardware.device",
    "config.memoryAllocation.reservation",
    "config.cpuAffinity.affinitySet",
    "config.memoryAffinity.affinitySet",
    "snapshot.rootSnapshotList",
    "datastore",
    "network",
)
_HOST: Final = (
    "name",
    "parent",
    "runtime.connectionState",
    "runtime.powerState",
    "runtime.inMaintenanceMode",
    "config.lockdownMode",
    "config.virtualNicManagerInfo.netConfig",
    "capability.vmotionSupported",
    "capability.encryptedVMotionSupported",
    "summary.config.vmotionEnabled",
    "summary.config.product.version",
    "summary.currentEVCModeKey",
    "summary.maxEVCModeKey",
    "summary.hardware.cpuModel",
    "summary.hardware.memorySize",
    "summary.quickStats.overallMemoryUsage",
    "datastore",
    "network",
)
_DATASTORE: Final = ("name", "host", "summary.freeSpace", "summary.maintenanceMode")
# What a property came with: a server refuses to read what it does not know.
_SINCE: Final = {
    "config.migrateEncryption": (6, 5),
    "config.keyId": (6, 5),
    "capability.encryptedVMotionSupported": (6, 5),
    "config.lockdownMode": (6, 0),
}
# A task that changes nothing, and those that GuestFacts.job stands for.
_ELSEWHERE: Final = (*MOVES, "VirtualMachineProvisioningChecker.")
_UNDER_WAY: Final = frozenset({"queued", "running"})
_MIB: Final = 1 << 20


def read_all(
    plan: Plan, source: VSphereSession, destination: VSphereSession, selection: Selection
) -> Reading:
    """Read what the checks judge.

    Args:
        plan: What is to be done.
        source: The source host.
        destination: The destination host.
        selection: What is wanted: of the rest the vCenter is not asked.

    Raises:
        DriverError: A vCenter does not answer, or the two cannot be told apart.
    """
    with doing("reading what a check asks for"):
        here = source.vcenter
        crossing = not one_vcenter(here, destination.vcenter)
        hosts = _read_hosts(source, destination, crossing=crossing)
        reading = Reading(
            _host(hosts[0]),
            _host(hosts[1]),
            crossing=crossing,
            versions=(here.api_version, destination.vcenter.api_version),
            unread=_unread(hosts),
        )
        found = source.find_guest(plan.guest)
        if found is None:
            elsewhere = source.find_elsewhere(plan.guest)
            return reading._replace(elsewhere=", ".join(elsewhere) or None)
        (guest,) = read(here, [found.reference], _known(here, _GUEST))
        reading = _read_guest(reading, here, guest, hosts)
        reading = _read_target(reading, plan, source, destination, found, selection, hosts)
        return _read_modes(reading, destination.vcenter)


def _read_hosts(
    source: VSphereSession, destination: VSphereSession, *, crossing: bool
) -> tuple[Found, Found]:
    here, there = source.target, destination.target
    found: dict[Any, Found] = {}
    for vcenter, hosts in (
        [(source.vcenter, [here]), (destination.vcenter, [there])]
        if crossing
        else [(source.vcenter, [here, there])]
    ):
        references = [host.reference for host in hosts]
        found |= {one.key: one for one in read(vcenter, references, _known(vcenter, _HOST))}
    if here.key not in found or there.key not in found:
        raise DriverError("reading both hosts", problem="one has left the inventory")
    return found[here.key], found[there.key]


def _read_guest(
    reading: Reading, vcenter: VCenter, guest: Found, hosts: tuple[Found, Found]
) -> Reading:
    """Take the guest, its datastores and its networks."""
    values = guest.values
    networks = {
        each.key.moid: Network(each.values.get("name", ""), _ids(each.values.get("host")))
        for each in _read_some(vcenter, values.get("network"), ("name", "host"))
    }
    devices = values.get("config.hardware.device") or ()
    named = {network.name: id_ for id_, network in networks.items()}
    stores = _read_datastores(vcenter, values.get("datastore"), hosts)
    home = values.get("config.files.vmPathName", "").partition("]")[0].removeprefix("[")
    machine = Machine(
        name=values.get("name", ""),
        host=id_of(values.get("runtime.host")),
        power=_text(values.get("runtime.powerState")),
        connection=_text(values.get("runtime.connectionState")),
        template=bool(values.get("config.template")),
        fault_tolerance=_text(values.get("runtime.faultToleranceState")),
        tools_installing=bool(values.get("runtime.toolsInstallerMounted")),
        evc=_text(values.get("runtime.minRequiredEVCModeKey")),
        encryption=_text(values.get("config.migrateEncryption")),
        encrypted=values.get("config.keyId") is not None,
        memory=values.get("config.hardware.memoryMB"),
        memory_reserved=values.get("config.memoryAllocation.reservation"),
        cpu_affinity=tuple(values.get("config.cpuAffinity.affinitySet") or ()),
        memory_affinity=tuple(values.get("config.memoryAffinity.affinitySet") or ()),
        tasks=tuple(_read_tasks(vcenter, guest)),
        snapshots=tuple(each.name for each in values.get("snapshot.rootSnapshotList") or ()),
        home=next((id_ for id_, store in stores.items() if store.name == home), None),
        devices=tuple(read_devices(devices, named)),
    )
    return reading._replace(
        guest=machine,
        datastores=stores,
        networks=networks,
        unread=(*reading.unread, *_unread([guest])),
    )


def _read_tasks(vcenter: VCenter, guest: Found) -> Iterable[str]:
    """Name what is being done to the guest; that it moves the session tells."""
    for task in tasks_of(vcenter, guest.reference):
        name = str(task.values.get("info.descriptionId", ""))
        under_way = str(task.values.get("info.state")) in _UNDER_WAY
        if under_way and not name.startswith(_ELSEWHERE):
            yield name


def _read_target(
    reading: Reading,
    plan: Plan,
    source: VSphereSession,
    destination: VSphereSession,
    found: Found,
    selection: Selection,
    hosts: tuple[Found, Found],
) -> Reading:
    """Put the move together as it would be, read where it leads, and ask the vCenter about it."""
    there = destination.vcenter
    guest, site = look(source, destination, plan, found)
    networks = _read_some(there, hosts[1].values.get("network"), ("name",))
    compute = read(there, [site.compute], ["name"])
    reading = reading._replace(
        compute=next((each.values.get("name") for each in compute), None),
        there={each.key.moid: Network(each.values.get("name", "")) for each in networks},
        peer=_peer(source.vcenter, site),
    )
    try:
        move = choose(Wishes.of(plan), guest, site, plan.uris.migration.value)
    except UsageError as error:
        told = "the request names what is not there"
        return reading._replace(
            unmet=str(error), verdict=Verdict(unasked=told), privileges=Privileges(unasked=told)
        )
    target = Target(
        _read_pool(there, move.pool),
        id_of(move.datastore),
        {key: id_of(to) or "" for key, to in move.disks},
        {card.key: id_of(network) or "" for card, network in move.networks},
    )
    reading = reading._replace(
        target=target,
        targets=_read_datastores(there, move.datastores, hosts),
    )
    if selection.wants(*VERDICTS):
        backings = read_backings(there, move)
        service = locator(there) if move.other else None
        verdict = ask_verdict(
            source.vcenter, guest.reference, specification(move, backings, service)
        )
        reading = reading._replace(verdict=verdict)
    if selection.wants(*PRIVILEGES):
        asked = _ask_privileges(source.vcenter, there, move, reading)
        reading = reading._replace(privileges=asked)
    return reading


def _ask_privileges(here: VCenter, there: VCenter, move: Move, reading: Reading) -> Privileges:
    """Ask what a move needs: on the guest, and on what takes it."""
    live = reading.guest is not None and reading.guest.power == "poweredOn"
    pool = reading.target.pool
    moving = ("Resource.ColdMigrate", *(["Resource.HotMigrate"] if live else []))
    on_guest: list[Wanted] = [(move.guest.reference, move.guest.name, moving)]
    taking: list[Wanted] = []
    if move.pool is not None:
        name = "the resource pool" if pool is None else f"the pool {pool.name}"
        taking.append((move.pool, name, ("Resource.AssignVMToPool",)))
    for store in move.datastores:
        named = reading.targets.get(id_of(store) or "")
        name = "a datastore" if named is None else f"the datastore {named.name}"
        taking.append((store, name, ("Datastore.AllocateSpace",)))
    for _, network in move.networks:
        there_is = reading.there.get(id_of(network) or "")
        name = "a network" if there_is is None else f"the network {there_is.name}"
        taking.append((network, name, ("Network.Assign",)))
    if here is there:
        return ask_privileges(here, on_guest + taking)
    asked = [ask_privileges(here, on_guest), *([ask_privileges(there, taking)] if taking else [])]
    return Privileges(
        tuple(missing for each in asked for missing in each.missing),
        next((each.unasked for each in asked if each.unasked is not None), None),
    )


def _read_modes(reading: Reading, vcenter: VCenter) -> Reading:
    """Read the order of EVC modes, where there are two to compare."""
    need = (reading.guest and reading.guest.evc) or reading.source.evc
    have = reading.destination.evc
    if need is None or have is None or need == have:
        return reading
    stub = vcenter.content.rootFolder._stub  # noqa: SLF001 - pyVmomi has no other way
    service = vim.ServiceInstance("ServiceInstance", stub)
    found = read(vcenter, [service], ["capability.supportedEVCMode"])
    modes = found[0].values.get("capability.supportedEVCMode") or () if found else ()
    return reading._replace(modes={each.key: Evc(each.vendor, each.vendorTier) for each in modes})


def _read_pool(vcenter: VCenter, pool: Any) -> Pool | None:  # noqa: ANN401 - pyVmomi is untyped
    if pool is None:
        return None
    paths = ["name", "owner", "runtime.memory.unreservedForVm"]
    for found in read(vcenter, [pool], paths):
        unreserved = found.values.get("runtime.memory.unreservedForVm")
        return Pool(
            found.key.moid,
            found.values.get("name", ""),
            id_of(found.values.get("owner")),
            None if unreserved is None else unreserved // _MIB,
        )
    return None


def _read_datastores(
    vcenter: VCenter, references: Iterable[Any] | None, hosts: tuple[Found, Found]
) -> Mapping[str, Datastore]:
    return {
        each.key.moid: Datastore(
            each.values.get("name", ""),
            each.values.get("summary.freeSpace"),
            _text(each.values.get("summary.maintenanceMode")),
            _mounts(each, hosts),
        )
        for each in _read_some(vcenter, references, _DATASTORE)
    }


def _mounts(datastore: Found, hosts: tuple[Found, Found]) -> Mapping[str, Mount]:
    """Tell which host has mounted it how; a host that only lists it has it as any other."""
    mounts = {}
    for host in hosts:
        same = host.key.instance == datastore.key.instance
        if same and datastore.key.moid in _ids(host.values.get("datastore")):
            mounts[host.key.moid] = Mount()
    for each in datastore.values.get("host") or ():
        info = each.mountInfo
        mounts[id_of(each.key) or ""] = Mount(
            info.mounted is not False, info.accessible is not False, info.accessMode == "readOnly"
        )
    return mounts


def _read_some(
    vcenter: VCenter, references: Iterable[Any] | None, paths: Sequence[str]
) -> list[Found]:
    chosen = list(references or ())
    return read(vcenter, chosen, paths) if chosen else []


def _host(found: Found) -> Host:
    values = found.values
    current = _text(values.get("summary.currentEVCModeKey"))
    return Host(
        id=found.key.moid,
        name=values.get("name", ""),
        compute=id_of(values.get("parent")),
        connection=_text(values.get("runtime.connectionState")),
        power=_text(values.get("runtime.powerState")),
        maintenance=values.get("runtime.inMaintenanceMode"),
        lockdown=_text(values.get("config.lockdownMode")),
        vmotion_supported=values.get("capability.vmotionSupported"),
        vmotion_enabled=values.get("summary.config.vmotionEnabled"),
        vmotion=tuple(_vmotion(values.get("config.virtualNicManagerInfo.netConfig") or ())),
        encrypts=values.get("capability.encryptedVMotionSupported"),
        version=_text(values.get("summary.config.product.version")),
        evc=current or _text(values.get("summary.maxEVCModeKey")),
        processor=_text(values.get("summary.hardware.cpuModel")),
        memory=values.get("summary.hardware.memorySize"),
        memory_used=values.get("summary.quickStats.overallMemoryUsage"),
    )


def _vmotion(managers: Iterable[Any]) -> Iterable[tuple[str, str]]:
    """Give device and address of each interface that is meant for vMotion."""
    for manager in managers:
        if manager.nicType != "vmotion":
            continue
        selected = {*(manager.selectedVnic or ())}
        for each in manager.candidateVnic or ():
            address = each.spec.ip and each.spec.ip.ipAddress
            if each.key in selected and address:
                yield each.device, address


def _peer(vcenter: VCenter, site: Site) -> str | None:
    """Write the migration URI that libvirt would make for this destination."""
    if site.other:
        return None
    try:
        address = vcenter.address()
    except OSError:
        return None
    return str(write_peer(Peer(address, id_of(site.root) or "", id_of(site.host) or "")))


def _known(vcenter: VCenter, paths: Sequence[str]) -> list[str]:
    """Leave out what the server does not know yet."""
    version = parsed(vcenter.api_version)
    return [path for path in paths if version >= _SINCE.get(path, ())]


def _unread(found: Iterable[Found]) -> tuple[str, ...]:
    return tuple(f"{path}: {why}" for each in found for path, why in each.unread.items())


def _ids(references: Iterable[Any] | None) -> frozenset[str]:
    return frozenset(filter(None, map(id_of, references or ())))


def _text(value: Any) -> str | None:  # noqa: ANN401 - pyVmomi is untyped
    """Give a text, of an enumeration too; an empty one says nothing."""
    return None if value is None or value == "" else str(value)
