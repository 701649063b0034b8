"""Every kind of finding that a look at both VirtualBoxes can give."""

from __future__ import annotations

from typing import Final

from migrate_plugins import FindingKind, Severity

__all__ = ["DISKS", "KINDS", "PASSWORD"]

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

# fmt: off
# Of a file of the client's own machine.
PASSWORD: Final = (
    FindingKind("password-file-unusable", _ERROR,
                "the password file is missing, cannot be read, or has no password in it"),
    FindingKind("password-file-exposed", _ERROR,
                "others than its owner can read the password file"),
)
# For these files are written on the source, read on the destination, and removed.
DISKS: Final = (
    FindingKind("disk-not-shared", _ERROR,
                "a disk is another file on the destination: a copy, or one of another name"),
    FindingKind("disk-missing", _ERROR,
                "a disk's image is not on the destination, or not even on the source"),
    FindingKind("disk-not-accessible", _ERROR,
                "the destination's user may not read and write a disk's image"),
    FindingKind("disk-not-proven", _WARNING,
                "nobody could show that a disk is the same on both hosts"),
)
KINDS: Final = (
    *PASSWORD,
    *DISKS,
    # both hosts
    FindingKind("version-differs", _ERROR,
                "the two hosts have other versions of VirtualBox"),
    FindingKind("processor-differs", _WARNING,
                "the hosts have other processors, and the guest sees that of its host"),
    FindingKind("destination-memory-short", _ERROR,
                "the destination has less memory than the guest; a warning where it is only more"
                " than is free"),
    FindingKind("tunnel-missing", _ERROR,
                "the memory is to go into a tunnel, and nothing listens at its beginning"),
    # guest
    FindingKind("guest-has-snapshots", _ERROR,
                "the guest has snapshots"),
    FindingKind("guest-encrypted", _ERROR,
                "the machine, or a disk of it, is encrypted"),
    FindingKind("guest-teleporter-on", _INFO,
                "the guest's teleporter is still on, from an earlier move to the source"),
    FindingKind("disk-type", _WARNING,
                "an image is of a type that keeps its changes elsewhere, or is shared by guests"),
    FindingKind("device-host-backed", _WARNING,
                "a device of the guest is one of its host, or a file of it"),
    FindingKind("device-file-missing", _ERROR,
                "the folder of a port's file is not on the destination; a warning for an image in a"
                " drive or a shared folder"),
    FindingKind("nvram-apart", _INFO,
                "the firmware's variables, or the TPM, come with the memory and not in their file"),
    # target
    FindingKind("target-has-snapshots", _ERROR,
                "the machine on the destination has snapshots"),
    FindingKind("target-saved", _ERROR,
                "the machine on the destination has a saved state"),
    FindingKind("target-not-off", _ERROR,
                "the machine on the destination is not off, although it does not run"),
    FindingKind("hardware-differs", _ERROR,
                "a setting differs, and teleportation refuses it"),
    FindingKind("identity-differs", _ERROR,
                "a setting differs that VirtualBox does not compare, and the guest would notice"),
    FindingKind("setting-differs", _WARNING,
                "a setting differs, and what comes of it is not known"),
    FindingKind("settings-file-in-way", _ERROR,
                "where the target's settings file goes there is one of another machine"),
    FindingKind("machine-folder-shared", _ERROR,
                "both hosts keep their settings files in one folder"),
    FindingKind("disk-known-elsewhere", _ERROR,
                "VirtualBox on the destination knows an image's uuid or path otherwise"),
    # all
    FindingKind("host-facts-unknown", _INFO,
                "something that a check needs could not be read; it is unknown"),
)
# fmt: on
