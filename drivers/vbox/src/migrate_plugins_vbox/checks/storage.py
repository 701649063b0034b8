"""Disks and what else is in files: whether both hosts have the very same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, Severity
from migrate_plugins_vbox.hardware import disk_places, read_extras
from migrate_plugins_vbox.sharing import Pair, Sharing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_vbox.checks.case import Case
    from migrate_plugins_vbox.machine import Machine
    from migrate_plugins_vbox.settings import Settings
    from migrate_plugins_vbox.sharing import Proof

__all__ = ["check_storage", "disk_pairs"]

_ELSEWHERE: Final = {
    "Immutable": "throws its changes away at the next start, and keeps them apart until then",
    "MultiAttach": "keeps the changes of each machine in a file of that machine",
    "Shareable": "may be used by several machines at once",
}


def disk_pairs(guest: Machine, target: Machine | None, settings: Settings | None) -> list[Pair]:
    """Give each image of a disk with what stands for it on the destination; pure.

    Args:
        guest: The machine on the source.
        target: The machine on the destination; without one it will have the same paths.
        settings: The source's, which tell what an image is a difference to; or None.
    """
    theirs = {} if target is None else disk_places(target)
    pairs = [
        Pair(disk.location, theirs[place].location if target is not None else disk.location)
        for place, disk in disk_places(guest).items()
        # That a disk is lacking there, or has another uuid, is told with the hardware.
        if target is None or (place in theirs and theirs[place].uuid == disk.uuid)
    ]
    media = {} if settings is None else {medium.uuid: medium for medium in settings.media}
    for disk in guest.disks:
        below = media.get(disk.uuid)
        for _ in media:
            below = None if below is None or below.parent is None else media.get(below.parent)
            if below is None:
                break
            pairs.append(Pair(below.location, below.location))
    return [*dict.fromkeys(pair for pair in pairs if pair.here.startswith("/"))]


def check_storage(case: Case) -> Iterator[Finding]:
    """Judge what the look at the files gave."""
    for proof in case.proofs:
        yield from _disk(case, proof)
    for disk in case.guest.disks:
        if not disk.location.startswith("/"):
            yield _not_proven(case, disk.location, "it is no file, and nobody looked")
    if case.source.text:
        for setting, value in read_extras(case.source.text).items():
            kind, _, uuid = setting.partition(" ")
            if kind == "medium-type" and value in _ELSEWHERE:
                yield _type(case, uuid, value)


def _disk(case: Case, proof: Proof) -> Iterator[Finding]:
    here, there = case.source, case.destination
    pair, sharing = proof.pair, proof.sharing
    if sharing is Sharing.OTHER:
        yield Finding(
            "disk-not-shared",
            Severity.ERROR,
            there.name,
            f"{pair.there} on {there.name} is not the guest's disk, and VirtualBox would not"
            f" notice: the guest would go on with other data ({proof.why})",
            seen=pair.there,
            expected=f"{pair.here} of {here.name}, on storage that both hosts have",
            remedy=f"move the image while it is shut off: "
            f"{here.command('modifymedium', 'disk', pair.here, '--move', '/SHARED/FOLDER')}",
        )
    elif sharing in {Sharing.MISSING, Sharing.GONE}:
        where = there if sharing is Sharing.MISSING else here
        yield Finding(
            "disk-missing",
            Severity.ERROR,
            where.name,
            f"an image of the guest is not there: {proof.why}",
            seen="no such file, or a folder that may not be searched",
            expected=pair.there if where is there else pair.here,
            remedy=f"on {where.name} mount the storage that it is on"
            if where is there
            else f"on {where.name} see what became of it, before the guest is shut off",
        )
    elif sharing is Sharing.UNKNOWN:
        yield _not_proven(case, pair.there, proof.why)
    if sharing in {Sharing.SHARED, Sharing.UNKNOWN} and not (proof.readable and proof.writable):
        if sharing is Sharing.UNKNOWN and not proof.readable:
            return  # nobody looked
        lacking = "write" if proof.readable else "read"
        yield Finding(
            "disk-not-accessible",
            Severity.ERROR,
            there.name,
            f"the user of VirtualBox on {there.name} may not {lacking} an image of the guest",
            seen=f"{pair.there} may not be {'written' if proof.readable else 'read'}",
            expected="to be read and written",
            remedy=f"compare on both: stat -c '%A %u:%g %n' {pair.there}; users with other numbers"
            " need other rights",
        )


def _not_proven(case: Case, location: str, why: str) -> Finding:
    return Finding(
        "disk-not-proven",
        Severity.WARNING,
        case.destination.name,
        f"whether {location} is the same on both hosts nobody could show: {why}; with a copy the"
        " guest would go on with other data, and VirtualBox would not notice",
        seen=location,
        expected="the same image on both",
        remedy=f"compare on both: stat -c '%n %s %y' {location}; df {location}",
    )


def _type(case: Case, uuid: str, type_: str) -> Finding:
    named = {} if case.source.settings is None else {m.uuid: m for m in case.source.settings.media}
    location = named[uuid].location if uuid in named else uuid
    return Finding(
        "disk-type",
        Severity.WARNING,
        case.source.name,
        f"{location} is {type_.lower()}: it {_ELSEWHERE[type_]}",
        seen=type_.lower(),
        expected="normal",
        remedy=f"once the guest is shut off: "
        f"{case.source.command('modifymedium', 'disk', location, '--type', 'normal')}",
    )
