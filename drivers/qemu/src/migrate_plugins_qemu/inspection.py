"""What both hosts tell about a guest that is to move, read at once and only as far as it matters.

Everything is read in few calls, from both sides at the same time, and within a limit: what a host
does not tell is said to be unknown, and stops nothing.
"""

from __future__ import annotations

import threading
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar
from xml.etree import ElementTree as ET

from migrate_plugins import DriverError
from migrate_plugins_libvirt.faults import doing
from migrate_plugins_qemu import definition
from migrate_plugins_qemu.looks import look

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from xml.etree.ElementTree import Element

    import libvirt

    from migrate_plugins import Access, Facts, Plan
    from migrate_plugins_qemu.looks import Look

__all__ = [
    "Abilities",
    "Inspection",
    "Memory",
    "Network",
    "Running",
    "Unread",
    "Volume",
    "inspect",
]

_Answer = TypeVar("_Answer")

# Seconds for all of it: a host that has never run its QEMU asks it first what it can do.
_PATIENCE: Final = 20.0

# Kinds of storage pools, by what libvirt takes their volumes for.
_NETWORK_POOLS: Final = frozenset({"rbd", "gluster", "sheepdog", "iscsi-direct"})
_FILE_POOLS: Final = frozenset({"dir", "fs", "netfs", "vstorage"})


class Unread(NamedTuple):
    """What a host did not tell.

    Attributes:
        host: Its name.
        what: What was asked for.
        why: In the host's own words.
    """

    host: str
    what: str
    why: str


class Volume(NamedTuple):
    """A volume of a storage pool.

    Attributes:
        kind: ``file``, ``block`` or ``network``.
        pool_type: Such as ``dir`` or ``netfs``.
        capacity: In bytes.
        path: On the host.
    """

    kind: str
    pool_type: str
    capacity: int
    path: str


class Network(NamedTuple):
    """A virtual network of a host.

    Attributes:
        active: Whether it is started.
        mtu: As its definition has it, or None.
        bridge: The bridge that it is, where it is one of the host's, or None.
    """

    active: bool
    mtu: int | None
    bridge: str | None = None


class Memory(NamedTuple):
    """A host's memory, in KiB.

    Attributes:
        total: All of it.
        available: What is free, or could be at once.
    """

    total: int
    available: int


class Running(NamedTuple):
    """What the source tells of the guest beyond its definition.

    Attributes:
        snapshots: Names of its snapshots.
        checkpoints: Names of its checkpoints.
        block_jobs: Targets of the disks that a block job works on.
        capacities: Target of a disk that is to be copied, to its size in bytes as the guest sees
            it.
        volumes: Key of a disk to the volume that it is.
        used: Memory that the guest takes up on the source, in KiB, or None.
        dying: Whether it is on its way down.
        saved: Whether its memory is saved on the source.
        networks: By name.
    """

    snapshots: tuple[str, ...] = ()
    checkpoints: tuple[str, ...] = ()
    block_jobs: tuple[str, ...] = ()
    capacities: Mapping[str, int] = {}
    volumes: Mapping[str, Volume] = {}
    used: int | None = None
    dying: bool = False
    saved: bool = False
    networks: Mapping[str, Network] = {}


class Abilities(NamedTuple):
    """What the destination can do for the guest; None and absence mean that nobody can tell.

    Attributes:
        lacks: Why it cannot run this kind of machine: ``emulator``, ``virtualisation`` or
            ``machine`` to libvirt's own words.
        capabilities: Domain capabilities for the guest's kind of machine.
        cpu: Why the guest's processor does not fit, in libvirt's words, or None where it does.
        memory: Of the host.
        networks: By name, or None.
        devices: Network devices, or None.
        usb: USB devices as vendor and product, or None.
        volumes: Key of a disk to the volume that it is there.
        pools: Target paths of active storage pools, or None.
        pages: Size of a memory page in KiB to the number of free ones, or None.
        cells: Its NUMA nodes, or None.
        cpus: Its processors, or None.
        security: Models of its security drivers, or None.
    """

    lacks: Mapping[str, str] = {}
    capabilities: Element | None = None
    cpu: str | None = None
    memory: Memory | None = None
    networks: Mapping[str, Network] | None = None
    devices: frozenset[str] | None = None
    usb: frozenset[tuple[str, str]] | None = None
    volumes: Mapping[str, Volume] = {}
    pools: frozenset[str] | None = None
    pages: Mapping[int, int] | None = None
    cells: frozenset[int] | None = None
    cpus: frozenset[int] | None = None
    security: frozenset[str] | None = None


class Inspection(NamedTuple):
    """What was read.

    Attributes:
        guest: The definition that runs on the source.
        target: The definition that the destination is to run: that of ``--xml``, else the same.
        running: What the source tells of the guest.
        abilities: What the destination can do, or None where the client cannot ask it.
        here: What the source shows from within, or None.
        there: What the destination shows from within, or None.
        unread: What was asked for in vain.
    """

    guest: Element
    target: Element
    running: Running = Running()
    abilities: Abilities | None = None
    here: Look | None = None
    there: Look | None = None
    unread: tuple[Unread, ...] = ()


def inspect(plan: Plan, facts: Facts, source: Access, destination: Access) -> Inspection | None:
    """Read both hosts.

    Returns:
        None where there is no guest to read, or no libvirt to ask.

    Raises:
        DriverError: The guest's definition cannot be read.
    """
    here = getattr(source.session, "connection", None)
    there = getattr(destination.session, "connection", None)
    if facts.guest is None or here is None:
        return None
    with doing(f"reading the definition of {plan.guest}"):
        domain = here.lookupByName(plan.guest)
        guest = ET.fromstring(domain.XMLDesc(0))  # noqa: S314 - our own daemon wrote it
    target = _replacement(plan.request.xml)
    if target is None:
        target = guest
    reading = _Reading(plan, facts.guest.state.active and not plan.request.offline)
    name, far = facts.source.name, facts.destination.name if facts.destination else "destination"
    tasks = {"running": _Task(name, "the guest", lambda: reading.running(name, domain, guest))}
    if there is not None and facts.destination is not None:
        tasks["abilities"] = _Task(
            far, "what it can do", lambda: reading.abilities(far, there, here, guest, target)
        )
    uris = plan.uris
    seen = partial(look, network=_needs_network(target), certificate_for=_certificate(plan, facts))
    if source.shell is not None:
        work = partial(seen, source.shell, uris.source.value, _sources(guest))
        tasks["here"] = _Task(name, "files and devices", work)
    if destination.shell is not None:
        uri = uris.destination_from_client.value or uris.destination.value
        work = partial(seen, destination.shell, uri, _wanted(target))
        tasks["there"] = _Task(far, "files and devices", work)
    found = reading.together(tasks)
    for side, host in (("here", name), ("there", far)):
        if isinstance(found.get(side), str):
            reading.unread.append(Unread(host, "files and devices", found.pop(side)))
    return Inspection(
        guest,
        target,
        found.get("running") or Running(),
        found.get("abilities"),
        found.get("here"),
        found.get("there"),
        tuple(reading.unread),
    )


class _Task(NamedTuple):
    host: str
    what: str
    work: Callable[[], Any]


class _Reading:
    """Questions to both hosts, and those that went unanswered."""

    def __init__(self, plan: Plan, live: bool) -> None:
        self.unread: list[Unread] = []
        self._plan = plan
        self._live = live
        request = plan.request
        self._copies = request.copy_storage_all or request.copy_storage_inc

    def together(self, tasks: Mapping[str, _Task]) -> dict[str, Any]:
        """Do all *tasks* at once, and give what is done in time.

        A call of libvirt cannot be given up, so that each has a thread that nobody need wait for.
        """
        found: dict[str, Any] = {}

        def do(key: str, task: _Task) -> None:
            try:
                found[key] = task.work()
            except Exception as error:  # noqa: BLE001 - what cannot be read is said to be so
                told = getattr(error, "problem", None) or f"{type(error).__name__}: {error}"
                self.unread.append(Unread(task.host, task.what, told))

        threads = {
            key: threading.Thread(target=do, args=(key, task), daemon=True)
            for key, task in tasks.items()
        }
        end = monotonic() + _PATIENCE
        for thread in threads.values():
            thread.start()
        for key, thread in threads.items():
            thread.join(max(0.0, end - monotonic()))
            if thread.is_alive():
                task = tasks[key]
                self.unread.append(
                    Unread(task.host, task.what, f"no answer within {_PATIENCE:.0f} s")
                )
        return dict(found)

    def ask(
        self, host: str, what: str, question: Callable[[], _Answer], absent: int | None = None
    ) -> _Answer | None:
        """Ask one thing; *absent* is the error that means that there is no such thing."""
        try:
            with doing(what):
                return question()
        except DriverError as error:
            if absent is None or error.code != absent:
                self.unread.append(Unread(host, what, error.problem))
            return None

    def running(self, host: str, domain: libvirt.virDomain, guest: Element) -> Running:
        """Ask the source."""
        import libvirt

        connection = domain.connect()
        all_disks = [disk for disk in definition.disks(guest) if not disk.empty]
        snapshots = self.ask(host, "snapshots", domain.snapshotListNames)
        checkpoints = self.ask(host, "checkpoints", domain.listAllCheckpoints)
        volumes = {
            disk.key: volume
            for disk in all_disks
            if disk.key and not disk.read_only and (volume := self._volume(host, connection, disk))
        }
        found = Running(
            snapshots=tuple(snapshots or ()),
            checkpoints=tuple(checkpoint.getName() for checkpoint in checkpoints or ()),
            volumes=volumes,
            networks=self._networks(host, connection, guest) or {},
        )
        if not self._live:
            saved = self.ask(host, "its saved memory", domain.hasManagedSaveImage)
            return found._replace(saved=bool(saved))
        used = self.ask(host, "the guest's memory", domain.memoryStats)
        state = self.ask(host, "the guest's state", domain.state)
        jobs, capacities = [], {}
        for disk in all_disks:
            target = disk.target
            if self.ask(host, f"block jobs of {target}", partial(domain.blockJobInfo, target)):
                jobs.append(target)
            if self._copies and not disk.read_only:
                size = self.ask(host, f"the size of {target}", partial(domain.blockInfo, target))
                if size:
                    capacities[target] = int(size[0])
        return found._replace(
            block_jobs=tuple(jobs),
            capacities=capacities,
            used=(used or {}).get("rss"),
            dying=state is not None and state[0] == libvirt.VIR_DOMAIN_SHUTDOWN,
        )

    def abilities(
        self,
        host: str,
        connection: libvirt.virConnect,
        source: libvirt.virConnect,
        guest: Element,
        target: Element,
    ) -> Abilities:
        """Ask the destination."""
        lacks, capabilities = self._kind_of_machine(host, connection, target)
        found = Abilities(
            lacks=lacks,
            capabilities=capabilities,
            networks=self._networks(host, connection, target),
            devices=self._devices(host, connection, target),
            volumes={
                disk.key: volume
                for disk in definition.disks(target)
                if disk.key and (volume := self._volume(host, connection, disk))
            },
            usb=self._usb(host, connection, target),
        )
        if self._copies:
            found = found._replace(pools=self._pools(host, connection))
        found = self._topology(host, connection, target, found)
        if not self._live:
            return found
        if not lacks:
            found = found._replace(cpu=self._misfit(host, connection, source, guest, target))
        return found._replace(memory=self._memory(host, connection))

    def _kind_of_machine(
        self, host: str, connection: libvirt.virConnect, target: Element
    ) -> tuple[dict[str, str], Element | None]:
        """Find out whether the host runs this kind of machine, and if not, what it lacks."""
        emulator, arch, machine, kind = _kind(target)

        def able(*wanted: str | None) -> Element:
            with doing("domain capabilities"):
                return ET.fromstring(connection.getDomainCapabilities(*wanted, 0))  # noqa: S314

        def why_not(*wanted: str | None) -> str | None:
            try:
                able(*wanted)
            except DriverError as error:
                return error.problem
            return None

        try:
            return {}, able(emulator, arch, machine, kind)
        except DriverError as error:
            import libvirt

            if error.code not in {libvirt.VIR_ERR_INVALID_ARG, libvirt.VIR_ERR_SYSTEM_ERROR}:
                self.unread.append(Unread(host, "domain capabilities", error.problem))
                return {}, None
            whole = error.problem
        # Only now, since each further question costs a round trip, narrow it down.
        if told := why_not(emulator, None, None, None):
            return {"emulator": told}, None
        lacks = {}
        if told := why_not(emulator, arch, machine, None):
            lacks["machine"] = told
        if told := why_not(emulator, arch, None, kind):
            lacks["virtualisation"] = told
        return lacks or {"machine": whole}, None

    def _misfit(
        self,
        host: str,
        connection: libvirt.virConnect,
        source: libvirt.virConnect,
        guest: Element,
        target: Element,
    ) -> str | None:
        """Ask whether the processor that the guest sees now fits; None for yes, and for unknown."""
        import libvirt

        flags = libvirt.VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE
        cpu = guest.find("cpu")
        mode = None if cpu is None else cpu.get("mode")
        try:
            with doing("processor"):
                if cpu is not None and mode == "custom":
                    text = ET.tostring(cpu, encoding="unicode")
                    connection.compareHypervisorCPU(*_kind(target), text, flags)
                elif mode in {"host-passthrough", "maximum"} and guest.get("type") == "kvm":
                    own = ET.fromstring(source.getCapabilities()).find("host/cpu")  # noqa: S314
                    if own is not None:
                        connection.compareCPU(ET.tostring(own, encoding="unicode"), flags)
        except DriverError as error:
            if error.code == libvirt.VIR_ERR_CPU_INCOMPATIBLE:
                return error.problem
            self.unread.append(Unread(host, "whether the processor fits", error.problem))
        return None

    def _memory(self, host: str, connection: libvirt.virConnect) -> Memory | None:
        import libvirt

        told = self.ask(
            host,
            "free memory",
            lambda: connection.getMemoryStats(libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS),
        )
        if not told or "total" not in told or "free" not in told:
            return None
        # What caches hold is free for whoever needs it.
        counted = sum(told.get(name, 0) for name in ("free", "buffers", "cached"))
        return Memory(told["total"], told.get("available", counted))

    def _networks(
        self, host: str, connection: libvirt.virConnect, guest: Element
    ) -> dict[str, Network] | None:
        import libvirt

        names = {
            each.source
            for each in definition.interfaces(guest)
            if each.kind == "network" and each.source
        }
        found: dict[str, Network] = {}
        for name in sorted(names):
            before = len(self.unread)
            network = self.ask(
                host,
                f"network {name}",
                partial(_network, connection, name),
                libvirt.VIR_ERR_NO_NETWORK,
            )
            if network is not None:
                found[name] = network
            elif len(self.unread) > before:
                return None
        return found

    def _devices(
        self, host: str, connection: libvirt.virConnect, target: Element
    ) -> frozenset[str] | None:
        if not any(each.kind in {"bridge", "direct"} for each in definition.interfaces(target)):
            return None
        names = self.ask(
            host,
            "network devices",
            lambda: [*connection.listInterfaces(), *connection.listDefinedInterfaces()],
        )
        return None if names is None else frozenset(names)

    def _usb(
        self, host: str, connection: libvirt.virConnect, target: Element
    ) -> frozenset[tuple[str, str]] | None:
        if target.find("devices/hostdev[@type='usb']") is None:
            return None
        import libvirt

        flag = libvirt.VIR_CONNECT_LIST_NODE_DEVICES_CAP_USB_DEV
        texts = self.ask(
            host,
            "USB devices",
            lambda: [device.XMLDesc(0) for device in connection.listAllDevices(flag)],
        )
        if texts is None:
            return None
        found = set()
        for text in texts:
            device = ET.fromstring(text)  # noqa: S314 - our own daemon wrote it
            ids = [
                (definition.attribute(device, f"capability/{each}", "id") or "").lower()
                for each in ("vendor", "product")
            ]
            found.add((ids[0], ids[1]))
        return frozenset(found)

    def _volume(
        self, host: str, connection: libvirt.virConnect, disk: definition.Disk
    ) -> Volume | None:
        import libvirt

        def find() -> Volume | None:
            try:
                if disk.pool is not None and disk.volume is not None:
                    pool = connection.storagePoolLookupByName(disk.pool)
                    volume = pool.storageVolLookupByName(disk.volume)
                else:
                    volume = connection.storageVolLookupByPath(disk.path)
                    pool = volume.storagePoolLookupByVolume()
            except libvirt.libvirtError as error:
                if error.get_error_code() in {
                    libvirt.VIR_ERR_NO_STORAGE_VOL,
                    libvirt.VIR_ERR_NO_STORAGE_POOL,
                    libvirt.VIR_ERR_NO_SUPPORT,  # a host may have no storage driver at all
                    libvirt.VIR_ERR_OPERATION_INVALID,  # the pool is not active
                }:
                    return None
                raise
            pool_type = ET.fromstring(pool.XMLDesc(0)).get("type", "")  # noqa: S314
            kind = "network" if pool_type in _NETWORK_POOLS else "block"
            if pool_type in _FILE_POOLS:
                kind = "file"
            return Volume(kind, pool_type, int(volume.info()[1]), volume.path())

        return self.ask(host, f"the volume of {disk.target}", find)

    def _pools(self, host: str, connection: libvirt.virConnect) -> frozenset[str] | None:
        import libvirt

        flag = libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE
        texts = self.ask(
            host,
            "storage pools",
            lambda: [pool.XMLDesc(0) for pool in connection.listAllStoragePools(flag)],
        )
        if texts is None:
            return None
        paths = (ET.fromstring(text).findtext("target/path") for text in texts)  # noqa: S314
        return frozenset(path for path in paths if path)

    def _topology(
        self, host: str, connection: libvirt.virConnect, target: Element, found: Abilities
    ) -> Abilities:
        """Ask for nodes, processors and pages, where the guest is bound to some."""
        bound = any(
            target.find(path) is not None
            for path in (
                "memoryBacking/hugepages",
                "numatune",
                "vcpu[@cpuset]",
                "cputune",
                "seclabel[@type='static']",
            )
        )
        if not bound:
            return found
        text = self.ask(host, "capabilities", connection.getCapabilities)
        if text is None:
            return found
        root = ET.fromstring(text)  # noqa: S314 - our own daemon wrote it
        cells = {int(cell.get("id", "0")) for cell in root.iterfind("host/topology/cells/cell")}
        sizes = {
            definition.kibibytes(pages.get("size", "0"), pages.get("unit"))
            for pages in root.iterfind("host/topology/cells/cell/pages")
        }
        pages: dict[int, int] | None = None
        if target.find("memoryBacking/hugepages") is not None and cells and sizes:
            free = self.ask(
                host,
                "free pages",
                lambda: connection.getFreePages(sorted(sizes), min(cells), len(cells), 0),
            )
            if free is not None:
                pages = {size: sum(cell.get(size, 0) for cell in free.values()) for size in sizes}
        return found._replace(
            cells=frozenset(cells) or None,
            cpus=frozenset(
                int(cpu.get("id", "0"))
                for cpu in root.iterfind("host/topology/cells/cell/cpus/cpu")
            )
            or None,
            pages=pages,
            security=frozenset(model.text or "" for model in root.iterfind("host/secmodel/model")),
        )


def _replacement(path: str | None) -> Element | None:
    """Read the definition that ``--xml`` names; that it cannot be read is found elsewhere."""
    if path is None:
        return None
    try:
        return ET.parse(path).getroot()  # noqa: S314 - the user's own file
    except (OSError, ET.ParseError):
        return None


def _kind(target: Element) -> tuple[str | None, str | None, str | None, str | None]:
    """Give emulator, architecture, machine type and kind of virtualisation."""
    return (
        target.findtext("devices/emulator"),
        definition.attribute(target, "os/type", "arch"),
        definition.attribute(target, "os/type", "machine"),
        target.get("type"),
    )


def _network(connection: libvirt.virConnect, name: str) -> Network:
    network = connection.networkLookupByName(name)
    text = network.XMLDesc(0)
    told = ET.fromstring(text)  # noqa: S314 - our own daemon wrote it
    mtu = definition.attribute(told, "mtu", "size")
    return Network(
        bool(network.isActive()),
        int(mtu) if mtu else None,
        definition.attribute(told, "bridge", "name"),
    )


def _sources(guest: Element) -> dict[str, str | None]:
    """Name what has to be looked at on the source: where the guest's disks really are."""
    return {
        disk.path: None
        for disk in definition.disks(guest)
        if disk.path is not None and not disk.read_only
    }


def _wanted(target: Element) -> dict[str, str | None]:
    """Name what has to be looked at on the destination: all that QEMU opens there."""
    paths: dict[str, str | None] = {path: None for _, path, _ in definition.backend_paths(target)}
    for disk in definition.disks(target):
        paths |= dict.fromkeys(disk.backing)
        if disk.path is not None:
            paths[disk.path] = disk.format
    return paths


def _needs_network(target: Element) -> bool:
    """Tell whether the guest has to do with addresses or network devices of a host's own."""
    return any(
        target.find(path) is not None
        for path in (
            "devices/interface",
            "devices/graphics/listen[@type='address']",
            "devices//source[@mode='bind'][@host]",
        )
    )


def _certificate(plan: Plan, facts: Facts) -> str | None:
    """Give the name that QEMU on the source expects in the destination's certificate."""
    if not plan.request.tls:
        return None
    named = plan.request.tls_destination or plan.receiver
    if named is None and facts.destination is not None:
        named = facts.destination.name
    return named or "-"
