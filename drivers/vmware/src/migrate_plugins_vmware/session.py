"""Sessions with one host of a vCenter."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pyVmomi import vim

from migrate_plugins import (
    ConnectError,
    DriverError,
    GuestFacts,
    GuestState,
    HostFacts,
)
from migrate_plugins_vmware.faults import connecting, doing
from migrate_plugins_vmware.inventory import Found, key_of, read, read_along, read_below
from migrate_plugins_vmware.places import ANY, Place
from migrate_plugins_vmware.tasks import under_way
from migrate_plugins_vmware.tls import Trust
from migrate_plugins_vmware.vcenter import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from migrate_plugins import Ask, Mend, Migration, Plan, Session
    from migrate_plugins_vmware.vcenter import VCenter, VCenters

__all__ = ["GUEST", "HOST", "VSphereSession", "connect"]

# What is read of a host and of a guest.
HOST: Final = (
    "name",
    "parent",
    "summary.hardware.uuid",
    "summary.config.product.name",
    "summary.config.product.version",
    "runtime.connectionState",
    "runtime.inMaintenanceMode",
    "runtime.powerState",
)
GUEST: Final = (
    "name",
    "parent",
    "config.uuid",
    "summary.config.uuid",
    "summary.config.memorySizeMB",
    "runtime.host",
    "runtime.powerState",
    "runtime.connectionState",
)
# As libvirt's ESX driver has it.
_STATES: Final = {
    "poweredOn": GuestState.RUNNING,
    "suspended": GuestState.PAUSED,
    "poweredOff": GuestState.SHUTOFF,
}
# Of a guest whose host or files the vCenter cannot see: its state is what was seen last.
_UNSEEN: Final = frozenset({"disconnected", "inaccessible", "invalid", "orphaned"})

_KIB: Final = 1024


def connect(uri: str, vcenters: VCenters, ask: Ask | None = None) -> VSphereSession:
    """Open a session with a host, through its vCenter.

    Raises:
        InvalidURIError: The URI cannot be read.
        ConnectError: The vCenter cannot be reached, or does not know the host.
        AuthenticationError: It does not let us in.
    """
    place = Place.parse(uri)
    refused = place.unusable()
    if refused is not None:
        raise ConnectError(uri, problem=refused)
    server = place.server
    if server == ANY:
        server = _ask_host(place, vcenters, ask)
    vcenter = vcenters.open(place, ask, server=server)
    try:
        with connecting(uri, vcenter.host, vcenter.port, Trust.of(place)):
            host = _walk(vcenter, place) if place.scheme == "vpx" else _look_up(vcenter, place)
            target = _one(read(vcenter, [host], HOST), place, "the host", "name")
    except BaseException:
        vcenter.release()
        raise
    return VSphereSession(uri, vcenter, place, target)


class VSphereSession:
    """A host of a vCenter; see :class:`migrate_plugins.Session`."""

    def __init__(self, uri: str, vcenter: VCenter, place: Place, target: Found) -> None:
        """Take over one use of *vcenter*; *target* is the host."""
        self.uri: Final = uri
        self.vcenter: Final = vcenter
        self.place: Final = place
        self.target: Final = target
        self._open = True

    def host(self) -> HostFacts:
        """Give the host's facts, as they were read when it was opened."""
        values = self.target.values
        product = (values.get(f"summary.config.product.{part}") for part in ("name", "version"))
        return HostFacts(
            name=values["name"],
            uuid=values.get("summary.hardware.uuid"),
            hypervisor=" ".join(filter(None, product)) or "VMware ESXi",
            daemon=self.vcenter.product,
            # Copies of a vCenter have one uuid, and each its own guests.
            inventory=f"{self.vcenter.instance} at {self.vcenter.host}:{self.vcenter.port}",
        )

    def guest(self, name: str) -> GuestFacts | None:
        """Read a guest by its name."""
        with doing(f"reading the guest {name} behind {self.uri}"):
            return self._facts(self.find_guest(name))

    def guest_by_uuid(self, uuid: str) -> GuestFacts | None:
        """Read a guest by its uuid: that of its BIOS, as libvirt has it."""
        with doing(f"reading the guest {uuid} behind {self.uri}"):
            wanted = uuid.lower()
            found = self._guests(lambda one: _uuid(one) == wanted)
            return self._facts(self._only(found, uuid))

    def find_guest(self, name: str) -> Found | None:
        """Find a guest on this host, with what :data:`GUEST` lists.

        Raises:
            DriverError: Two guests there have that name.
        """
        with doing(f"finding the guest {name} behind {self.uri}"):
            return self._only(self._guests(lambda one: one.values.get("name") == name), name)

    def find_elsewhere(self, name: str) -> tuple[str, ...]:
        """Name the other hosts of the vCenter that have a guest of that name."""
        with doing(f"looking for the guest {name} in {self.vcenter.host}"):
            hosts = [
                one.values["runtime.host"]
                for one in self.vcenter.guests.read()
                if one.values.get("name") == name and "runtime.host" in one.values
            ]
            there = [host for host in hosts if not self._is_here(host)]
            if not there:
                return ()
            return tuple(sorted(map(_name, read(self.vcenter, there, ["name"]))))

    def start(self, plan: Plan, destination: Session | None) -> Migration:
        """Have the vCenter move a guest from this host."""
        from migrate_plugins_vmware.departures import start  # noqa: PLC0415 - checks need none

        if not isinstance(destination, VSphereSession):
            problem = "the destination is not opened through a vCenter"
            raise DriverError(f"moving {plan.guest}", problem=problem)
        return start(self, destination, plan)

    def adopt(self, name: str) -> Migration | None:
        """Follow a move that is under way from here, whoever began it."""
        from migrate_plugins_vmware.departures import adopt  # noqa: PLC0415 - see above

        return adopt(self, name)

    def mend(self, step: Mend, guest: GuestFacts) -> None:
        """Cancel a move, if the guest is still as it was read; a vCenter needs no other step."""
        from migrate_plugins_vmware.departures import mend  # noqa: PLC0415 - see above

        mend(self, step, guest)

    def mend_command(self, step: Mend, guest: GuestFacts) -> str | None:
        """Give the same step for govc."""
        from migrate_plugins_vmware.departures import mend_command  # noqa: PLC0415 - see above

        return mend_command(self, step, guest)

    def close(self) -> None:
        """Let go of the vCenter."""
        if self._open:
            self._open = False
            self.vcenter.release()

    def _guests(self, wanted: Callable[[Found], bool]) -> list[Found]:
        """Read the guests of this host that are *wanted*.

        A guest is where its ``runtime.host`` says.  The host's own list is the short way; where it
        has no such guest, one that has just come may not be in it yet, so that all are looked at.
        """
        listed = read_along(self.vcenter, self.target.reference, "vm", vim.VirtualMachine, GUEST)
        here = [one for one in listed if wanted(one) and self._is_on(one)]
        if here:
            return here
        came = [one for one in self.vcenter.guests.read() if wanted(one) and self._is_on(one)]
        found = read(self.vcenter, [one.reference for one in came], GUEST)
        return [one for one in found if self._is_on(one)]

    def _is_on(self, guest: Found) -> bool:
        if "runtime.host" in guest.unread:  # it may be here, and may not be taken for gone
            raise DriverError(
                f"finding the host of {_name(guest)} behind {self.uri}",
                problem=guest.unread["runtime.host"],
            )
        return self._is_here(guest.values.get("runtime.host"))

    def _is_here(self, host: Any) -> bool:  # noqa: ANN401 - pyVmomi is untyped
        return host is not None and key_of(self.vcenter, host) == self.target.key

    def _only(self, found: Sequence[Found], wanted: str) -> Found | None:
        if len(found) > 1:
            named = ", ".join(
                sorted(f"{one.key.moid} (uuid {_uuid(one) or 'unknown'})" for one in found)
            )
            raise DriverError(
                f"finding the guest {wanted} behind {self.uri}",
                problem=f"{len(found)} guests there are called so: {named}; rename all but one",
            )
        return found[0] if found else None

    def _facts(self, guest: Found | None) -> GuestFacts | None:
        if guest is None:
            return None
        values = guest.values
        unseen = values.get("runtime.connectionState") in _UNSEEN
        state = (
            GuestState.UNKNOWN
            if unseen
            else _STATES.get(str(values.get("runtime.powerState")), GuestState.UNKNOWN)
        )
        return GuestFacts(
            name=values["name"],
            uuid=_uuid(guest) or "",
            state=state,
            persistent=True,  # the inventory has it until somebody removes it
            memory=values.get("summary.config.memorySizeMB", 0) * _KIB,
            job="migration out" if under_way(self.vcenter, guest.reference) else None,
        )


def _one(found: Sequence[Found], place: Place, what: str, path: str) -> Found:
    """Take what was read of the one object that is needed, with *path*."""
    if not found:
        raise ConnectError(place.text, problem=f"{what} has just been removed; look again")
    if path not in found[0].values:
        why = found[0].unread.get(path, "it is not set")
        raise ConnectError(place.text, problem=f"{path} of {what} cannot be read: {why}")
    return found[0]


def _name(found: Found) -> str:
    return str(found.values.get("name", found.key.moid))


def _uuid(guest: Found) -> str | None:
    uuid = guest.values.get("config.uuid") or guest.values.get("summary.config.uuid")
    return uuid.lower() if uuid else None


def _ask_host(place: Place, vcenters: VCenters, ask: Ask | None) -> str:
    """Ask the host of ``esx://HOST/?vcenter=*`` who manages it."""
    host = vcenters.open(place, ask, host=True)
    try:
        with connecting(place.text, host.host, host.port, Trust.of(place)):
            root = host.content.rootFolder
            found = read_below(host, root, vim.HostSystem, ["name", "summary.managementServerIp"])
            itself = _one(found, place, place.host, "name")
    finally:
        host.release()
    address: str | None = itself.values.get("summary.managementServerIp")
    if not address:
        raise ConnectError(
            place.text,
            problem=f"{place.host} is managed by no vCenter, and only a vCenter moves guests;"
            " add it to one",
        )
    return address


def _look_up(vcenter: VCenter, place: Place) -> Any:  # noqa: ANN401 - pyVmomi is untyped
    """Find the host of ``esx://HOST/`` in its vCenter, by name or by address."""
    index = vcenter.content.searchIndex
    ways = [(index.FindAllByDnsName, place.host), (index.FindAllByIp, place.host)]
    with suppress(OSError):  # what cannot be resolved here may be known there
        ways.append((index.FindAllByIp, resolve(place.host)))
    for find, sought in ways:
        found = vcenter.reading(partial(find, None, sought, False))
        if len(found) == 1:
            return found[0]
        if found:
            raise ConnectError(
                place.text,
                problem=f"the vCenter {vcenter.host} has {len(found)} hosts of the name or address"
                f" {sought}; write the path of one: vpx://{vcenter.host}/DATACENTER/CLUSTER/HOST",
            )
    raise ConnectError(
        place.text,
        problem=f"the vCenter {vcenter.host} has no host of the name or address {place.host};"
        f" write its path: vpx://{vcenter.host}/DATACENTER/CLUSTER/HOST",
    )


def _walk(vcenter: VCenter, place: Place) -> Any:  # noqa: ANN401 - pyVmomi is untyped
    """Walk the path of ``vpx://`` down the inventory, as libvirt does.

    Folders, then a datacenter; folders below its ``hostFolder``, then a compute resource.  A
    cluster needs a host behind it; of another one the host is the only one there.
    """
    way = list(place.path)
    walked: list[str] = []
    at = _descend(vcenter, place, vcenter.content.rootFolder, vim.Datacenter, way, walked)
    datacenter = _one(read(vcenter, [at], ["hostFolder"]), place, walked[-1], "hostFolder")
    below = datacenter.values["hostFolder"]
    resource = _descend(vcenter, place, below, vim.ComputeResource, way, walked)
    cluster = isinstance(resource, vim.ClusterComputeResource)
    if cluster and not way:
        raise _astray(place, walked, "a host", None, _hosts(vcenter, resource))
    name = way.pop(0) if cluster else walked[-1]
    hosts = _hosts(vcenter, resource)
    if way:
        raise ConnectError(
            place.text,
            problem=f"its path goes on behind the host {name}: {'/'.join(way)}; leave that out",
        )
    for host in hosts:
        if host.values.get("name") == name:
            return host.reference
    raise _astray(place, walked, "host", name, hosts)


def _hosts(vcenter: VCenter, resource: Any) -> list[Found]:  # noqa: ANN401 - pyVmomi is untyped
    return read_along(vcenter, resource, "host", vim.HostSystem, ["name"])


def _descend(
    vcenter: VCenter,
    place: Place,
    folder: Any,  # noqa: ANN401 - see above
    kind: type,
    way: list[str],
    walked: list[str],
) -> Any:  # noqa: ANN401 - see above
    """Go through folders until one of *kind*; what is walked goes from *way* to *walked*."""
    what = "datacenter" if kind is vim.Datacenter else "cluster or host"
    while True:
        found = [
            one
            for one in read_along(vcenter, folder, "childEntity", vim.ManagedEntity, ["name"])
            if isinstance(one.reference, (vim.Folder, kind))
        ]
        if not way:
            raise _astray(place, walked, f"a {what}", None, found)
        named = [one.reference for one in found if one.values.get("name") == way[0]]
        if not named:
            raise _astray(place, walked, f"folder or {what}", way[0], found)
        walked.append(way.pop(0))
        folder = next((one for one in named if isinstance(one, vim.Folder)), named[0])
        if not isinstance(folder, vim.Folder):
            return folder


def _astray(
    place: Place, walked: Sequence[str], what: str, name: str | None, there: Iterable[Found]
) -> ConnectError:
    """Name the part of a path that is not there, and what is there instead."""
    where = "/".join(walked) or "the inventory"
    names = ", ".join(sorted(map(_name, there))) or "nothing"
    missing = f"its path ends before {what}" if name is None else f"there is no {what} {name!r}"
    return ConnectError(place.text, problem=f"{missing} in {where}; there is {names}")
