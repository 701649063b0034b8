"""The guest's disks: whether both hosts have the same data, and whether it is copied where not."""

from __future__ import annotations

import posixpath
import shlex
from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, Severity
from migrate_plugins_qemu import definition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_qemu.checks.case import Case
    from migrate_plugins_qemu.definition import Disk
    from migrate_plugins_qemu.looks import File

__all__ = ["check_disks"]

# Magic numbers of the filesystems that libvirt takes for shared (virFileIsSharedFS).
_SHARED: Final = frozenset(
    {
        0x6969,  # NFS
        0x01161970,  # GFS2
        0x7461636F,  # OCFS2
        0x6B414653,  # AFS
        0x517B,  # SMB
        0xFF534D42,  # CIFS
        0x00C36400,  # CEPH
        0x47504653,  # GPFS
        0x51626D6E,  # QB
        0x61636673,  # ACFS
        0x19830326,  # BeeGFS
    }
)
_FUSE: Final = 0x65735546
_SHARED_FUSE: Final = frozenset({"fuse.glusterfs", "fuse.quobyte"})

# Of these, the ones whose caches agree on all hosts.
_COHERENT: Final = frozenset({0x01161970, 0x7461636F, 0x00C36400})

# The first QEMU that drops the caches of a disk when the guest is handed over.
_DROPS_CACHES: Final = (4, 0)


def check_disks(case: Case) -> Iterator[Finding]:
    """Look at each disk, and at what the options say of them."""
    yield from _named(case)
    unknown: list[str] = []
    targets = {disk.target: disk for disk in definition.disks(case.inspection.target)}
    for disk in definition.disks(case.inspection.guest):
        there = targets.get(disk.target, disk)
        if disk.transient and case.live:
            yield Finding(
                "disk-transient",
                Severity.ERROR,
                case.source,
                f"libvirt does not migrate a guest with a transient disk: {disk.target}",
                seen=f"{disk.target} is transient",
                expected="no transient disk",
                remedy=case.here("shutdown", case.guest.name),
            )
        if disk.target in case.inspection.running.block_jobs:
            yield _busy(case, disk)
        if disk.empty or there.empty:
            continue
        if disk.read_only:
            yield from _present(case, there, unknown)
        elif case.copied(disk):
            yield from _copied(case, disk, there, unknown)
        else:
            yield from _shared(case, disk, there, unknown)
    if unknown and case.live:
        keys = [*dict.fromkeys(unknown)]
        yield Finding(
            "disk-storage-unknown",
            Severity.INFO,
            None,
            "whether both hosts have these disks on the same storage is unknown: the client cannot"
            " look at the hosts from within",
            seen=", ".join(keys),
            expected="shared storage, or --copy-storage-all",
            remedy=f"on both hosts: findmnt -T {shlex.quote(keys[0])}; or tell config.toml how to"
            " look: [hosts.NAME] shell",
        )


def _named(case: Case) -> Iterator[Finding]:
    """Look at what ``--migrate-disks`` names."""
    request = case.plan.request
    if request.offline or not request.migrate_disks:
        return
    if not case.copying:
        yield Finding(
            "migrate-disks-ignored",
            Severity.WARNING,
            None,
            "--migrate-disks alone copies nothing",
            seen=f"--migrate-disks {','.join(request.migrate_disks)}",
            expected="--copy-storage-all or --copy-storage-inc with it",
            remedy="--copy-storage-all",
        )
    disks = {disk.target: disk for disk in definition.disks(case.inspection.guest)}
    can = [each.target for each in disks.values() if not each.read_only and not each.empty]
    for name in request.migrate_disks:
        disk = disks.get(name)
        if disk is None:
            yield Finding(
                "migrate-disk-missing",
                Severity.ERROR,
                case.source,
                f"{case.guest.name} has no disk {name!r}",
                seen=name,
                expected=", ".join(disks) or "a guest with disks",
                remedy=f"--migrate-disks {','.join(can)}" if can else "leave out --migrate-disks",
            )
        elif disk.read_only or disk.empty:
            yield Finding(
                "migrate-disk-read-only",
                Severity.ERROR,
                case.source,
                f"the disk {name!r} is {'empty' if disk.empty else 'read-only'}, and cannot be"
                " copied",
                seen=name,
                expected=", ".join(can) or "a disk that the guest writes to",
                remedy=f"--migrate-disks {','.join(can)}" if can else "leave out --migrate-disks",
            )


def _busy(case: Case, disk: Disk) -> Finding:
    return Finding(
        "disk-block-job",
        Severity.ERROR,
        case.source,
        f"a block job works on {disk.target}, and libvirt does not migrate meanwhile",
        seen=f"a block job on {disk.target}",
        expected="none",
        remedy=case.here("blockjob", case.guest.name, disk.target, "--abort"),
    )


def _shared(case: Case, disk: Disk, there: Disk, unknown: list[str]) -> Iterator[Finding]:
    """Judge a disk that is not copied: both hosts have to have the same."""
    shared = _judge(case, disk)
    if shared is False:
        yield _not_shared(case, disk)
        if case.plan.request.unsafe:  # then it is read there as it is
            yield from _present(case, there, unknown)
        return
    yield from _present(case, there, unknown)
    yield from _backing(case, there)
    yield from _elsewhere(case, disk, there)
    if shared is None:
        unknown.append(disk.key or disk.target)
    yield from _cache(case, disk)


def _not_shared(case: Case, disk: Disk) -> Finding:
    file = _here(case, disk)
    where = disk.key or disk.target
    on = f" on {file.type} from {file.mounted}" if file is not None and file.type else ""
    request = case.plan.request
    if request.tunnelled:
        remedy = "leave out --tunnelled and give --copy-storage-all"
    elif case.copying:
        remedy = f"--migrate-disks {','.join((*request.migrate_disks, disk.target))}"
    elif request.offline:
        remedy = f"rsync --sparse {shlex.quote(where)} {case.destination}:{shlex.quote(where)}"
    else:
        remedy = "--copy-storage-all"
    text = f"the disk {disk.target} is on storage that the source alone has"
    if not case.live:
        text += ", and only the definition moves"
    return Finding(
        "disk-not-shared",
        Severity.ERROR if case.live and not request.unsafe else Severity.WARNING,
        case.source,
        text,
        seen=f"{where}{on}",
        expected="storage that both hosts have, or a copy",
        remedy=remedy,
    )


def _copied(case: Case, disk: Disk, there: Disk, unknown: list[str]) -> Iterator[Finding]:
    """Judge a disk that is copied: what it is copied to has to be there, and to fit."""
    key = there.key
    if key is None:
        return
    if case.plan.request.copy_storage_inc:
        yield from _backing(case, there)
    here, far = _here(case, disk), _there(case, there)
    volume = case.inspection.abilities.volumes.get(key) if case.inspection.abilities else None
    if (
        here is not None
        and far is not None
        and far.kind is not None
        and _is_shared(here)
        and (here.mounted, here.type) == (far.mounted, far.type)
    ):
        yield Finding(
            "disk-copied-onto-itself",
            Severity.ERROR,
            case.destination,
            f"the disk {disk.target} is on storage that both hosts share, and would be copied onto"
            " itself",
            seen=f"{key} on {far.type} from {far.mounted}",
            expected="only disks that are not shared",
            remedy="--migrate-disks with the other disks, or leave out --copy-storage-all",
        )
        return
    if volume is None and (far is None or far.kind is None):
        if far is None:
            if _creatable(case, there) is not True:
                unknown.append(key)
        elif not _creatable(case, there):
            yield _no_target(case, disk, there)
        return
    wanted = case.inspection.running.capacities.get(disk.target)
    found = volume.capacity if volume is not None else far.size if far is not None else None
    block = there.kind == "block" or (volume is not None and volume.kind == "block")
    if found is None or wanted is None or found == wanted or (block and found > wanted):
        return
    yield Finding(
        "disk-size-differs",
        Severity.ERROR,
        case.destination,
        f"the disk {disk.target} would be copied onto one of another size",
        seen=f"{found} bytes",
        expected=f"{wanted} bytes",
        remedy=f"on {case.destination}: {_resize(there, wanted, shrink=found > wanted)}"
        if there.path is not None and not block
        else f"make {key} on {case.destination} at least {wanted} bytes large",
    )


def _creatable(case: Case, disk: Disk) -> bool | None:
    """Tell whether libvirt would create what a disk is copied to; None where nobody knows."""
    abilities = case.inspection.abilities
    if case.plan.request.copy_storage_inc or disk.kind not in {"file", "volume"}:
        return False
    if disk.kind == "volume":
        return None
    if abilities is None or abilities.pools is None:
        return None
    return posixpath.dirname(disk.path or "") in abilities.pools


def _no_target(case: Case, disk: Disk, there: Disk) -> Finding:
    folder = posixpath.dirname(there.path or "")
    incremental = case.plan.request.copy_storage_inc
    return Finding(
        "disk-target-missing",
        Severity.ERROR,
        case.destination,
        f"the disk {disk.target} would be copied to something that is not there"
        + (
            ", and --copy-storage-inc creates nothing"
            if incremental
            else ", and libvirt creates it in the folder of an active storage pool alone"
        ),
        seen=f"no {there.key}",
        expected=f"{there.key} of the same size"
        + ("" if incremental else f", or an active pool with the target path {folder}"),
        remedy=_create(case, there, case.inspection.running.capacities.get(disk.target)),
    )


def _create(case: Case, disk: Disk, size: int | None) -> str:
    """Write what makes something to copy a disk to."""
    number = str(size or "SIZE")
    if disk.pool is not None and disk.volume is not None:
        return case.there(
            "vol-create-as", disk.pool, disk.volume, f"{number}B", "--format", disk.format
        )
    if disk.kind == "block":
        return f"make the device {disk.path} on {case.destination}, of at least {number} bytes"
    command = ["qemu-img", "create", "-f", disk.format, disk.path or "", number]
    return f"on {case.destination}: {shlex.join(command)}"


def _resize(disk: Disk, size: int, *, shrink: bool) -> str:
    """Write what gives an image another size; whatever it holds is copied over anyway."""
    options = ["--shrink"] if shrink else []
    return shlex.join(
        ["qemu-img", "resize", *options, "-f", disk.format, disk.path or "", str(size)]
    )


def _present(case: Case, disk: Disk, unknown: list[str]) -> Iterator[Finding]:
    """Look for a disk on the destination."""
    key = disk.key
    if key is None or disk.optional:
        return
    file = _there(case, disk)
    abilities = case.inspection.abilities
    if abilities is not None and key in abilities.volumes:
        return
    if file is None:
        unknown.append(key)
        return
    if file.kind is None:
        medium = disk.device in {"cdrom", "floppy"}
        yield Finding(
            "disk-missing",
            case.blocking,
            case.destination,
            f"the {'medium' if medium else 'disk'} {disk.target} is not on the destination",
            seen=f"no {key}",
            expected=key,
            remedy=case.here("change-media", case.guest.name, disk.target, "--eject")
            if medium
            else f"on {case.destination}: mount there what {case.source} has at {shlex.quote(key)}",
        )


def _backing(case: Case, disk: Disk) -> Iterator[Finding]:
    """Look for the images that a disk rests on, which nobody copies."""
    look = case.inspection.there
    for path in disk.backing:
        file = look.files.get(path) if look is not None else None
        if file is not None and file.kind is None:
            yield Finding(
                "disk-backing-missing",
                case.blocking,
                case.destination,
                f"the disk {disk.target} rests on an image that is not on the destination",
                seen=f"no {path}",
                expected=path,
                remedy=case.here("blockpull", case.guest.name, disk.target, "--wait"),
            )


def _elsewhere(case: Case, disk: Disk, there: Disk) -> Iterator[Finding]:
    """Compare where a path leads on both hosts: one name may stand for two things."""
    here, far = _here(case, disk), _there(case, there)
    if here is None or far is None or far.kind is None or here.kind is None:
        return
    if disk.key != there.key:
        return  # --xml says that it is elsewhere, and whoever wrote that knows why
    if "block special file" in {here.kind, far.kind}:
        different = here.kind != far.kind or (
            here.identity is not None and far.identity is not None and here.identity != far.identity
        )
        seen, expected, sure = far.identity or far.kind, here.identity or here.kind, True
        different = different or (None not in {here.size, far.size} and here.size != far.size)
        if here.identity == far.identity and here.kind == far.kind:
            seen, expected = f"{far.size} bytes", f"{here.size} bytes"
    else:
        if not _is_shared(here):
            return
        sure = not _is_shared(far)
        different = sure or (here.mounted, here.type) != (far.mounted, far.type)
        seen, expected = f"{far.type} from {far.mounted}", f"{here.type} from {here.mounted}"
    if different:
        yield Finding(
            "disk-elsewhere",
            case.blocking if sure else Severity.WARNING,
            case.destination,
            f"{disk.key} leads to other storage than on the source"
            if sure
            else f"{disk.key} may lead to other storage than on the source: it has another name",
            seen=seen,
            expected=expected,
            remedy=f"on {case.destination}: mount there what {case.source} has",
        )


def _cache(case: Case, disk: Disk) -> Iterator[Finding]:
    """Apply libvirt's rule for QEMU that does not drop its caches when it hands a guest over."""
    version, file = case.qemu(), _here(case, disk)
    if (
        not case.live
        or version is None
        or version >= _DROPS_CACHES
        or disk.shareable
        or disk.kind not in {"file", "block", "volume"}
        or disk.cache in {"none", "directsync"}
        or (file is not None and file.filesystem in _COHERENT)
    ):
        return
    yield Finding(
        "disk-cache-mode",
        Severity.WARNING if case.plan.request.unsafe else Severity.ERROR,
        case.source,
        f"the disk {disk.target} is cached by the host, which this QEMU does not flush at the end",
        seen=f"cache={disk.cache or 'default'}, QEMU {'.'.join(map(str, version))}",
        expected="cache=none or cache=directsync, or QEMU 4.0",
        remedy=case.here("edit", case.guest.name),
    )


def _judge(case: Case, disk: Disk) -> bool | None:
    """Tell whether libvirt takes a disk for shared; None where nobody can look."""
    volume = case.inspection.running.volumes.get(disk.key or "")
    kind = volume.kind if volume is not None else disk.kind
    if kind == "nvme":
        return False
    if kind != "file":
        return None if disk.kind == "volume" and volume is None else True
    file = _here(case, disk)
    if file is not None and file.filesystem is not None:
        return _is_shared(file)
    if volume is not None and volume.pool_type == "netfs":
        return True
    return None


def _is_shared(file: File) -> bool:
    if file.filesystem == _FUSE:
        return file.type in _SHARED_FUSE
    return file.filesystem in _SHARED


def _here(case: Case, disk: Disk) -> File | None:
    look = case.inspection.here
    return None if look is None or disk.path is None else look.files.get(disk.path)


def _there(case: Case, disk: Disk) -> File | None:
    look = case.inspection.there
    return None if look is None or disk.path is None else look.files.get(disk.path)
