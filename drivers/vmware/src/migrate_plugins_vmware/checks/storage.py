"""Datastores: those that the files stay on, and those that they go to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, Severity
from migrate_plugins_vmware.checks.reading import Backing, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_vmware.checks.case import Case
    from migrate_plugins_vmware.checks.reading import Datastore

__all__ = ["check_storage"]

_GIB: Final = 1 << 30


def check_storage(case: Case) -> Iterator[Finding]:
    """Look whether the destination can use each datastore that the guest will be on."""
    reading = case.reading
    for id_ in _kept(case):
        datastore = reading.datastores.get(id_)
        if datastore is None:
            yield _unknown(case, id_)
        else:
            yield from _usable(case, id_, datastore)
    for id_ in _asked(case):
        datastore = reading.targets.get(id_)
        if datastore is None:
            yield _unknown(case, id_)
            continue
        yield from _usable(case, id_, datastore)
        yield from _room(case, id_, datastore)


def _kept(case: Case) -> list[str]:
    """Give the datastores that files stay on: of two vCenters none is known by its id."""
    guest, target = case.guest, case.reading.target
    if target.datastore is not None or case.reading.crossing:
        return []
    stay = [
        disk.datastore
        for disk in guest.devices
        if disk.kind is Kind.DISK and disk.key not in target.disks
    ]
    return [id_ for id_ in dict.fromkeys([guest.home, *stay]) if id_ is not None]


def _asked(case: Case) -> list[str]:
    """Give the datastores that files go to."""
    target = case.reading.target
    ids = dict.fromkeys([target.datastore, *target.disks.values()])
    return [id_ for id_ in ids if id_ is not None]


def _usable(case: Case, id_: str, datastore: Datastore) -> Iterator[Finding]:
    host = case.destination
    mount = datastore.mounts.get(host.id)
    info = case.govc_there("datastore.info", datastore.name)
    if mount is None or not mount.mounted:
        moving = id_ in _asked(case)
        yield Finding(
            "datastore-missing",
            Severity.ERROR,
            host.name,
            f"{host.name} has not mounted the datastore {datastore.name}"
            + ("" if moving else ", where files of the guest are and stay"),
            seen=datastore.name,
            expected="a datastore that the destination has too",
            remedy=info if moving else "mount it there, or -o datastore=NAME moves the files too",
        )
        return
    if not mount.accessible:
        yield Finding(
            "datastore-inaccessible",
            Severity.ERROR,
            host.name,
            f"{host.name} has mounted the datastore {datastore.name} and cannot get at it",
            seen=datastore.name,
            expected="accessible",
            remedy=info,
        )
    if mount.read_only:
        yield Finding(
            "datastore-read-only",
            Severity.ERROR,
            host.name,
            f"{host.name} has mounted the datastore {datastore.name} to read it alone",
            seen="readOnly",
            expected="readWrite",
            remedy=info,
        )


def _room(case: Case, id_: str, datastore: Datastore) -> Iterator[Finding]:
    """Look at what only matters where files arrive."""
    if datastore.maintenance not in {None, "normal"}:
        yield Finding(
            "datastore-in-maintenance",
            Severity.ERROR,
            case.destination.name,
            f"the datastore {datastore.name} is in maintenance mode, or on the way there",
            seen=datastore.maintenance,
            expected="normal",
            remedy=case.govc_there("datastore.maintenance.exit", "-ds", datastore.name),
        )
    target = case.reading.target
    arriving = sum(
        disk.size or 0
        for disk in case.guest.devices
        if disk.kind is Kind.DISK
        and disk.backing is Backing.FILE
        and target.disks.get(disk.key, target.datastore) == id_
        and disk.datastore != id_
    )
    if datastore.free is not None and arriving > datastore.free:
        yield Finding(
            "datastore-space-short",
            Severity.WARNING,
            case.destination.name,
            f"the disks that go to the datastore {datastore.name} are larger than what is free"
            " there; thin ones may take less",
            seen=f"{datastore.free / _GIB:.1f} GiB",
            expected=f"{arriving / _GIB:.1f} GiB",
            remedy=case.govc_there("datastore.info", datastore.name),
        )


def _unknown(case: Case, id_: str) -> Finding:
    return Finding(
        "datastore-unknown",
        Severity.INFO,
        case.destination.name,
        f"the vCenter tells nothing of the datastore {id_}; whether the destination has it is"
        " unknown",
        seen=id_,
        remedy=case.govc_there("datastore.info"),
    )
