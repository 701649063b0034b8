"""Errors about the guest's disks: shared, copied, locked."""

from __future__ import annotations

from typing import Final

from migrate_plugins import Entry, Pattern, Remedy, Seat

__all__ = ["DISKS"]

_FILE: Final = r"(?P<file>[^'\n]{1,300})"

DISKS: Final = (
    Entry(
        "no-shared-storage",
        (Pattern(r"Migration without shared storage is unsafe", "libvirt 9.0.0"),),
        "a disk of the guest is a local file, or on a filesystem that libvirt does not know as"
        " shared",
        (
            Remedy("virsh domblklist GUEST", Seat.SOURCE),
            Remedy("copy the disks along: --copy-storage-all"),
            Remedy("or put them where both hosts see the same (NFS, Ceph, GFS2, iSCSI)"),
        ),
        0.98,
        codes=(81,),
        domains=(10,),
        finding="disk-not-shared",
    ),
    Entry(
        "disk-cache",
        (Pattern(r"cache other than none or directsync", "source"),),
        "a disk's cache mode lets the destination read what the source has not written yet",
        (
            Remedy("virsh dumpxml GUEST | grep cache=", Seat.SOURCE),
            Remedy(
                "set cache='none' or 'directsync' with virsh edit GUEST, and restart it",
                Seat.SOURCE,
            ),
            Remedy("or upgrade QEMU to 2.12 or newer: it drops its caches by itself"),
        ),
        0.98,
        codes=(81,),
        domains=(10,),
        finding="disk-cache-mode",
    ),
    Entry(
        "disk-not-found",
        (
            Pattern(
                rf"Cannot access storage file '{_FILE}'",
                "libvirt 9.0.0",
            ),
            Pattern(rf"Unable to stat (?:'?){_FILE}'?: No such file", "report"),
            Pattern(rf"Could not open '{_FILE}': No such file or directory", "QEMU 7.2"),
        ),
        "the destination has no file {file}, or its QEMU may not read it",
        (
            Remedy("ls -l {file}", Seat.DESTINATION),
            Remedy("mount the storage there at the same path", Seat.DESTINATION),
            Remedy("or make an empty image of the same size there, and --copy-storage-all"),
        ),
        0.95,
        inferred=(1, 38),
        domains=(18,),
        finding="disk-missing",
    ),
    Entry(
        "disk-not-precreated",
        (
            Pattern(
                r"no storage pool with matching target path '(?P<folder>[^'\n]{1,300})'",
                "libvirt 9.0.0",
            ),
        ),
        "libvirt makes an image at the destination only within a storage pool, and no pool there"
        " has {folder} as its folder",
        (
            Remedy("virsh pool-create-as images dir --target {folder}", Seat.DESTINATION),
            Remedy("or make the image itself, of the same size: qemu-img create", Seat.DESTINATION),
        ),
        0.95,
        codes=(49,),
        domains=(18,),
        finding="disk-target-missing",
    ),
    Entry(
        "inc-precreate",
        (
            Pattern(
                r"pre-creation of storage target.{0,20} for incremental storage migration"
                r" .{0,20}not supported",
                "libvirt 9.0.0",
            ),
        ),
        "--copy-storage-inc sends only what differs from a backing file, and never makes the image"
        " at the destination",
        (
            Remedy("qemu-img create -f qcow2 -b BACKING -F FORMAT OVERLAY", Seat.DESTINATION),
            Remedy("or copy everything: --copy-storage-all"),
        ),
        0.98,
        codes=(84,),
        domains=(10,),
        finding="disk-target-missing",
    ),
    Entry(
        "disk-size",
        (Pattern(r"Source and target image have different sizes", "libvirt 9.0.0, QEMU 7.2"),),
        "an image that is there at the destination has another size than the source's",
        (
            Remedy("qemu-img info --force-share IMAGE", Seat.SOURCE),
            Remedy(
                "qemu-img create -f FORMAT IMAGE SIZE, with that size in bytes", Seat.DESTINATION
            ),
        ),
        0.98,
        codes=(9,),
        domains=(10,),
        finding="disk-size-differs",
    ),
    Entry(
        "empty-disk",
        (
            Pattern(
                r"[Cc]annot migrate empty or read-only disk (?P<disk>\w{1,20})",
                "libvirt 9.0.0",
            ),
        ),
        "the disk {disk} that is to be copied is empty or read-only, as a CD-ROM is",
        (
            Remedy("leave {disk} out of --migrate-disks"),
            Remedy("or: virsh change-media GUEST {disk} --eject", Seat.SOURCE),
        ),
        0.98,
        inferred=(84, 55, 67),
        domains=(10,),
        finding="migrate-disk-read-only",
    ),
    Entry(
        "image-lock",
        (
            Pattern(
                r'Failed to get (?:shared )?"?(?:write|consistent read|\w{1,20})"? lock', "QEMU 7.2"
            ),
            Pattern(r"Is another process using the image", "QEMU 7.2"),
        ),
        "the image is open in another process already: the guest may run twice, or a backup or"
        " swtpm uses it",
        (
            Remedy("stop here: do not start the guest anywhere, and force nothing"),
            Remedy("lsof IMAGE", Seat.DESTINATION),
            Remedy("lsof IMAGE", Seat.SOURCE),
        ),
        0.9,
        inferred=(1, 9),
    ),
)
