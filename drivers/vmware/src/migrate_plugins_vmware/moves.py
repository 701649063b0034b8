"""What a vCenter is told of a move, chosen by name; nothing is contacted.

Everything that is wrong is said at once, with what is there instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyVmomi import vim

from migrate_plugins import UsageError
from migrate_plugins_vmware.inventory import id_of
from migrate_plugins_vmware.options import ROOT, Wishes
from migrate_plugins_vmware.places import read_peer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrate_plugins_vmware.places import Peer

__all__ = ["Card", "Disk", "Guest", "Move", "Named", "Site", "choose", "specification"]

# How many names are listed where none fits.
_MANY: Final = 20


class Named(NamedTuple):
    """An object of the inventory, by name: a pool or a folder by its path below the root."""

    name: str
    reference: Any


class Disk(NamedTuple):
    """A disk of the guest.

    Attributes:
        key: Its number, such as 2000.
        label: Such as ``Hard disk 1``.
        place: Where it hangs, such as ``scsi0:0``, or None where that is not told.
        datastore: Where it is, or None where that is not told.
    """

    key: int
    label: str
    place: str | None
    datastore: Any


class Card(NamedTuple):
    """A network card of the guest.

    Attributes:
        key: Its number, such as 4000.
        label: Such as ``Network adapter 1``.
        distributed: Whether it hangs on a port group of a distributed switch.
        device: The device as it was read.
    """

    key: int
    label: str
    distributed: bool
    device: Any


class Guest(NamedTuple):
    """What is moved.

    Attributes:
        name: Of the guest.
        uuid: As it was read, or nothing where it is not told.
        reference: The virtual machine.
        host: Where it is.
        pool: Its resource pool, or None where it has none.
        owner: The compute resource of that pool, or None.
        datacenter: Its datacenter, or None.
        disks: Its disks.
        cards: Its network cards.
    """

    name: str
    uuid: str
    reference: Any
    host: Any
    pool: Any = None
    owner: Any = None
    datacenter: Any = None
    disks: tuple[Disk, ...] = ()
    cards: tuple[Card, ...] = ()


class Site(NamedTuple):
    """Where it goes, as far as the wishes make it necessary to know.

    Attributes:
        name: Of the host.
        host: The host.
        compute: Its compute resource: a cluster, or the host's own.
        root: The root pool of that.
        pools: The pools below the root.
        datacenter: The datacenter, or None.
        top: The folder that all virtual machines of the datacenter are below.
        folders: The folders below that.
        datastores: Those that the host has mounted.
        networks: Those that the host has.
        addresses: Of the source's vCenter, where a migration URI names it.
        other: Whether this is another vCenter than the guest's.
    """

    name: str
    host: Any
    compute: Any
    root: Any
    pools: tuple[Named, ...] = ()
    datacenter: Any = None
    top: Any = None
    folders: tuple[Named, ...] = ()
    datastores: tuple[Named, ...] = ()
    networks: tuple[Named, ...] = ()
    addresses: frozenset[str] = frozenset()
    other: bool = False


class Move(NamedTuple):
    """What the vCenter is told.

    Attributes:
        guest: What is moved.
        host: Where it goes.
        pool: The resource pool there.
        folder: The folder there, or None for the present one.
        datastore: For all that has no other, or None for the present ones.
        disks: Number of a disk to its datastore; every disk, or none.
        networks: Card to its network.
        priority: As the vSphere API calls it.
        other: Whether it goes to another vCenter.
    """

    guest: Guest
    host: Any
    pool: Any
    folder: Any = None
    datastore: Any = None
    disks: tuple[tuple[int, Any], ...] = ()
    networks: tuple[tuple[Card, Any], ...] = ()
    priority: str = Wishes().priority
    other: bool = False

    @property
    def datastores(self) -> list[Any]:
        """Each datastore that files go to, once."""
        named = dict.fromkeys([self.datastore, *(to for _, to in self.disks)])
        return [each for each in named if each is not None]


def choose(wishes: Wishes, guest: Guest, site: Site, uri: str | None = None) -> Move:
    """Choose by name what the vCenter is told.

    Args:
        wishes: What was asked for.
        guest: What is moved.
        site: Where it goes.
        uri: A migration URI that was given, or None.

    Raises:
        UsageError: With everything that is not there, and what is.
    """
    wrong: list[str] = []
    peer = None if uri is None else read_peer(uri)[1]
    if peer is not None:
        wrong += _misdirected(peer, site)
    pool = _pool(wishes, peer, guest, site, wrong)
    folder = _folder(wishes, guest, site, wrong)
    datastore = None
    if wishes.datastore is not None:
        told = f"-o datastore={wishes.datastore}"
        datastore = _pick(told, wishes.datastore, _datastores(site), wrong)
    elif site.other:
        wrong.append(
            f"in another vCenter a datastore must be named, with -o datastore=NAME;"
            f" {_have(_datastores(site))}"
        )
    move = Move(
        guest,
        site.host,
        pool,
        folder,
        datastore,
        _disks(wishes, guest, site, datastore, wrong),
        _networks(wishes, guest, site, wrong),
        wishes.priority,
        site.other,
    )
    if wrong:
        raise UsageError(f"{guest.name} cannot be moved to {site.name} so: {'; '.join(wrong)}")
    return move


def specification(
    move: Move,
    backings: Sequence[Any],
    service: Any = None,  # noqa: ANN401 - pyVmomi is untyped
) -> Any:  # noqa: ANN401 - see above
    """Write what RelocateVM_Task takes.

    Args:
        move: What was chosen.
        backings: Of the network cards that change, in the order of *move*'s networks.
        service: Of another vCenter, or None.
    """
    locators = [
        vim.vm.RelocateSpec.DiskLocator(diskId=key, datastore=datastore)
        for key, datastore in move.disks
    ]
    changes = []
    for (card, _), backing in zip(move.networks, backings, strict=True):
        card.device.backing = backing
        change = vim.vm.device.VirtualDeviceSpec(operation="edit", device=card.device)
        changes.append(change)
    return vim.vm.RelocateSpec(
        host=move.host,
        pool=move.pool,
        folder=move.folder,
        datastore=move.datastore,
        disk=locators,
        deviceChange=changes,
        service=service,
    )


def _misdirected(peer: Peer, site: Site) -> Iterable[str]:
    """Say why a migration URI does not lead to the destination."""
    if site.other:
        yield (
            "a migration URI names one vCenter, which both hosts must belong to, and the"
            " destination belongs to another one: leave it out"
        )
        return
    if peer.address not in site.addresses:
        yield (
            f"the migration URI names the vCenter {peer.address}, and libvirt's rule is that it is"
            f" the address of the source's: {', '.join(sorted(site.addresses))}"
        )
    if peer.host != id_of(site.host):
        yield (
            f"the migration URI leads to the host {peer.host}, and the destination, {site.name}, is"
            f" {id_of(site.host)}"
        )


def _pool(wishes: Wishes, peer: Peer | None, guest: Guest, site: Site, wrong: list[str]) -> Any:  # noqa: ANN401 - pyVmomi is untyped
    """Choose the resource pool; one of another compute resource is never among the choices."""
    all_of_them = (Named(ROOT, site.root), *site.pools)
    where = Choices(f"the compute resource of {site.name}", "resource pool", all_of_them)
    if peer is not None and not site.other:
        by_id = [each.reference for each in all_of_them if id_of(each.reference) == peer.pool]
        if not by_id:
            told = f"the migration URI names the resource pool {peer.pool}"
            wrong.append(f"{told}: {_have(where, ids=True)}")
        return next(iter(by_id), None)
    if wishes.pool is not None:
        return _pick(f"-o resource-pool={wishes.pool}", wishes.pool.strip("/"), where, wrong)
    if guest.owner is not None and id_of(guest.owner) == id_of(site.compute):
        return guest.pool  # it stays in its cluster, and so keeps its shares and limits
    return site.root


def _folder(wishes: Wishes, guest: Guest, site: Site, wrong: list[str]) -> Any:  # noqa: ANN401 - pyVmomi is untyped
    if wishes.folder is not None:
        where = Choices(f"the datacenter of {site.name}", "folder", site.folders)
        return _pick(f"-o folder={wishes.folder}", wishes.folder.strip("/"), where, wrong)
    stays = guest.datacenter is not None and id_of(guest.datacenter) == id_of(site.datacenter)
    return None if stays and not site.other else site.top


def _disks(
    wishes: Wishes,
    guest: Guest,
    site: Site,
    datastore: Any,  # noqa: ANN401 - pyVmomi is untyped
    wrong: list[str],
) -> tuple[tuple[int, Any], ...]:
    """Choose a datastore for every disk, as soon as one of them has its own."""
    chosen: dict[int, Any] = {}
    for device, to in wishes.disks:
        told = f"-o disk={device}:{to}"
        disk = _device(told, device, guest.disks, "disk", wrong)
        where = _pick(told, to, _datastores(site), wrong)
        if disk is not None and disk.key in chosen:
            wrong.append(f"{told}: {disk.label} was named before")
        elif disk is not None:
            chosen[disk.key] = where
    if not wishes.disks:
        return ()
    # In another vCenter a disk cannot stay where it is: _choose() asks for a datastore then.
    return tuple(
        (disk.key, chosen.get(disk.key) or datastore or disk.datastore) for disk in guest.disks
    )


def _networks(
    wishes: Wishes, guest: Guest, site: Site, wrong: list[str]
) -> tuple[tuple[Card, Any], ...]:
    chosen: dict[int, tuple[Card, Any]] = {}
    there = Choices(site.name, "network", site.networks)
    for device, to in wishes.networks:
        told = f"-o network={device}:{to}"
        card = _device(told, device, guest.cards, "network card", wrong)
        network = _pick(told, to, there, wrong)
        if card is not None and card.key in chosen:
            wrong.append(f"{told}: {card.label} was named before")
        elif card is not None:
            chosen[card.key] = (card, network)
    if site.other:
        wrong += [
            f"{card.label} hangs on a distributed switch of its vCenter, which the other one does"
            f" not have: name its network there, with -o 'network={card.label}:NETWORK';"
            f" {_have(there)}"
            for card in guest.cards
            if card.distributed and card.key not in chosen
        ]
    return tuple(chosen.values())


class Choices(NamedTuple):
    """What there is to choose from.

    Attributes:
        where: Whose it is.
        kind: What it is.
        named: All of them.
    """

    where: str
    kind: str
    named: Sequence[Named]


def _datastores(site: Site) -> Choices:
    return Choices(site.name, "datastore", site.datastores)


def _pick(told: str, wanted: str, there: Choices, wrong: list[str]) -> Any:  # noqa: ANN401 - pyVmomi is untyped
    """Find by name, or else by id; where none or several fit, that is added to *wrong*."""
    found = [each for each in there.named if each.name == wanted]
    found = found or [each for each in there.named if id_of(each.reference) == wanted]
    if len(found) == 1:
        return found[0].reference
    if found:
        ids = " or ".join(str(id_of(each.reference)) for each in found)
        wrong.append(f"{told}: {there.where} has {len(found)} of that name: write {ids}")
    else:
        wrong.append(f"{told}: {_have(there)}")
    return None


def _have(there: Choices, *, ids: bool = False) -> str:
    """List what there is instead."""
    names = sorted(
        f"{id_of(each.reference)} ({each.name})" if ids else each.name for each in there.named
    )
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    listed = f"has {', '.join(names[:_MANY])}{more}" if names else f"has no {there.kind} at all"
    return f"{there.where} {listed}"


def _device(told: str, wanted: str, devices: Sequence[Any], kind: str, wrong: list[str]) -> Any:  # noqa: ANN401 - a disk or a card
    """Find a device of the guest by label, number or place."""
    found = next((each for each in devices if wanted.lower() in _names(each)), None)
    if found is None:
        have = ", ".join(f"{each.label} ({', '.join(_names(each)[1:])})" for each in devices)
        wrong.append(f"{told}: the guest has {have or f'no {kind} at all'}")
    return found


def _names(device: Disk | Card) -> list[str]:
    """Give what a device may be called, in lower case; the label first."""
    place = device.place if isinstance(device, Disk) else None
    return [name.lower() for name in (device.label, str(device.key), place) if name]
