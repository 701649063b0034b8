"""What a check reads of one or two vCenters, as plain values: nothing here knows pyVmomi.

An id is a managed object's, such as ``host-42``: it holds within one vCenter alone.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Backing",
    "Datastore",
    "Device",
    "Evc",
    "Host",
    "Kind",
    "Machine",
    "Mount",
    "Network",
    "Pool",
    "Privileges",
    "Reading",
    "Target",
    "Verdict",
]


class Kind(StrEnum):
    """What a virtual device is, as far as a move asks for it."""

    DISK = "disk"
    CDROM = "CD drive"
    FLOPPY = "floppy drive"
    ADAPTER = "network adapter"
    PCI = "PCI device"
    USB = "USB device"
    SERIAL = "serial port"
    PARALLEL = "parallel port"
    SCSI = "SCSI device"
    CONTROLLER = "SCSI controller"
    OTHER = "device"


class Backing(StrEnum):
    """What is behind a virtual device."""

    FILE = "file"
    LUN = "raw device mapping"
    HOST = "device of the host"
    CLIENT = "device of a client"
    REMOTE_HOST = "device of another host"
    VGPU = "share of a GPU"
    PIPE = "pipe"
    NETWORK = "network"
    NONE = "nothing"


class Device(NamedTuple):
    """A virtual device.

    Attributes:
        key: Its number in the guest.
        label: As vSphere shows it, such as ``Hard disk 1``.
        kind: What it is.
        backing: What is behind it.
        connected: Whether it is, now; a device that cannot be disconnected is.
        name: Of the file, device or network behind it, or None.
        datastore: Id of its file's, or None.
        network: Id of its network or distributed port group, or None.
        mode: A disk's, such as ``persistent`` or ``independent_nonpersistent``, or None.
        shared: How a disk or controller is shared with other guests, or None for not at all.
        size: A disk's, in bytes, or None.
    """

    key: int
    label: str
    kind: Kind
    backing: Backing = Backing.NONE
    connected: bool = True
    name: str | None = None
    datastore: str | None = None
    network: str | None = None
    mode: str | None = None
    shared: str | None = None
    size: int | None = None


class Machine(NamedTuple):
    """The guest, in the words of the vCenter; None is what it does not tell.

    Attributes:
        name: Its name.
        host: Id of the host that it is on.
        power: ``poweredOn``, ``poweredOff`` or ``suspended``.
        connection: ``connected``, or ``orphaned``, ``inaccessible``, ``disconnected``, ``invalid``.
        template: Whether it is one.
        fault_tolerance: ``notConfigured``, or else.
        tools_installing: Whether the installer of VMware Tools is mounted in it.
        evc: The least EVC mode that it needs, such as ``intel-broadwell``.
        encryption: migrateEncryption: ``disabled``, ``opportunistic`` or ``required``.
        encrypted: Whether its files are.
        memory: MiB.
        memory_reserved: MiB.
        cpu_affinity: Physical processors that it is bound to.
        memory_affinity: NUMA nodes that its memory is bound to.
        snapshots: Names of the roots of its snapshots.
        tasks: What the vCenter is doing with it, beside moving it.
        home: Id of the datastore with its configuration, or None.
        devices: All of its devices.
    """

    name: str
    host: str | None
    power: str | None = None
    connection: str | None = None
    template: bool = False
    fault_tolerance: str | None = None
    tools_installing: bool = False
    evc: str | None = None
    encryption: str | None = None
    encrypted: bool = False
    memory: int | None = None
    memory_reserved: int | None = None
    cpu_affinity: tuple[int, ...] = ()
    memory_affinity: tuple[int, ...] = ()
    snapshots: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    home: str | None = None
    devices: tuple[Device, ...] = ()


class Host(NamedTuple):
    """A host, in the words of its vCenter; None is what it does not tell.

    Attributes:
        id: Its id.
        name: As the vCenter calls it.
        compute: Id of its cluster, or of what stands for one around a single host.
        connection: ``connected``, ``disconnected`` or ``notResponding``.
        power: ``poweredOn``, ``poweredOff``, ``standBy`` or ``unknown``.
        maintenance: Whether it is in maintenance mode.
        lockdown: ``lockdownDisabled``, ``lockdownNormal`` or ``lockdownStrict``.
        vmotion_supported: Whether it can.
        vmotion_enabled: Whether a network interface of it is meant for that.
        vmotion: Device and address of each of those interfaces.
        encrypts: Whether it can encrypt a vMotion.
        version: Of ESXi, such as ``7.0.3``.
        evc: The EVC mode of its cluster, or else the highest that its processors can have.
        processor: Its model.
        memory: Bytes.
        memory_used: MiB.
    """

    id: str
    name: str
    compute: str | None = None
    connection: str | None = None
    power: str | None = None
    maintenance: bool | None = None
    lockdown: str | None = None
    vmotion_supported: bool | None = None
    vmotion_enabled: bool | None = None
    vmotion: tuple[tuple[str, str], ...] = ()
    encrypts: bool | None = None
    version: str | None = None
    evc: str | None = None
    processor: str | None = None
    memory: int | None = None
    memory_used: int | None = None


class Mount(NamedTuple):
    """How a host has a datastore."""

    mounted: bool = True
    accessible: bool = True
    read_only: bool = False


class Datastore(NamedTuple):
    """A datastore.

    Attributes:
        name: Its name.
        free: Bytes, or None.
        maintenance: ``normal``, ``enteringMaintenance``, ``inMaintenance``, or None.
        mounts: By id of the host.
    """

    name: str
    free: int | None = None
    maintenance: str | None = None
    mounts: Mapping[str, Mount] = MappingProxyType({})


class Network(NamedTuple):
    """A network or a distributed port group, and ids of the hosts that have it."""

    name: str
    hosts: frozenset[str] = frozenset()


class Pool(NamedTuple):
    """A resource pool.

    Attributes:
        id: Its id.
        name: Its name.
        compute: Id of the cluster, or of the single host's like, that it belongs to.
        unreserved: Memory that guests in it can still reserve, in MiB, or None.
    """

    id: str
    name: str
    compute: str | None = None
    unreserved: int | None = None


class Evc(NamedTuple):
    """An EVC mode: who makes such processors, and its place among theirs."""

    vendor: str
    tier: int


class Target(NamedTuple):
    """Where the move would bring the guest: what stands in its RelocateSpec.

    Attributes:
        pool: Of the destination.
        datastore: Id for all that is not named in *disks*, or None where nothing moves.
        disks: Key of a disk to the id of the datastore it goes to.
        networks: Key of an adapter to the id of the network it is attached to there.
    """

    pool: Pool | None = None
    datastore: str | None = None
    disks: Mapping[int, str] = MappingProxyType({})
    networks: Mapping[int, str] = MappingProxyType({})

    @property
    def storage(self) -> bool:
        """Whether files move too."""
        return self.datastore is not None or bool(self.disks)


class Verdict(NamedTuple):
    """What the vCenter itself answers, asked whether it would do the move.

    Attributes:
        errors: Kind of each fault, and the vCenter's words.
        warnings: Likewise.
        unasked: Why it was not asked, or does not answer; None where it did.
    """

    errors: tuple[tuple[str, str], ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()
    unasked: str | None = None


class Privileges(NamedTuple):
    """What the user may do.

    Attributes:
        missing: Privilege and the name of the object it is missing on.
        unasked: Why the vCenter was not asked, or does not answer; None where it did.
    """

    missing: tuple[tuple[str, str], ...] = ()
    unasked: str | None = None


_NO_DATASTORES: Final[Mapping[str, Datastore]] = MappingProxyType({})
_NO_NETWORKS: Final[Mapping[str, Network]] = MappingProxyType({})
_NO_MODES: Final[Mapping[str, Evc]] = MappingProxyType({})


class Reading(NamedTuple):
    """All that was read.

    Attributes:
        source: The source host.
        destination: The destination host.
        guest: The guest on the source, or None.
        elsewhere: Name of the host that has it instead, or None.
        crossing: Whether the two hosts belong to two vCenters.
        versions: Of the vSphere API, of source and destination.
        target: Where the move would bring it.
        compute: Name of the destination's cluster.
        datastores: Those that the guest uses, by id: of the source's vCenter.
        targets: Those that it is to use, by id: of the destination's vCenter.
        networks: Those that the guest uses, by id: of the source's vCenter.
        there: Those of the destination host, by id.
        modes: The EVC modes that the vCenter knows, by key.
        verdict: What the vCenter says of the move.
        privileges: What the user may do.
        unmet: Why the move cannot be put together as it was asked for, or None.
        peer: The migration URI that libvirt would make for this destination, or None.
        unread: What could not be read, and why.
    """

    source: Host
    destination: Host
    guest: Machine | None = None
    elsewhere: str | None = None
    crossing: bool = False
    versions: tuple[str, str] = ("", "")
    target: Target = Target()
    compute: str | None = None
    datastores: Mapping[str, Datastore] = _NO_DATASTORES
    targets: Mapping[str, Datastore] = _NO_DATASTORES
    networks: Mapping[str, Network] = _NO_NETWORKS
    there: Mapping[str, Network] = _NO_NETWORKS
    modes: Mapping[str, Evc] = _NO_MODES
    verdict: Verdict = Verdict()
    privileges: Privileges = Privileges()
    unmet: str | None = None
    peer: str | None = None
    unread: tuple[str, ...] = ()
