"""Every kind of finding that this driver can give."""

from __future__ import annotations

from typing import Final

from migrate_plugins import FindingKind, Severity
from migrate_plugins_qemu import reach

__all__ = ["GUEST", "KINDS"]

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


# fmt: off
# What the guest's definition decides, and what the destination can do.
GUEST: Final = (
    # guest
    FindingKind("guest-has-snapshots", _ERROR,
                "libvirt moves no guest that has snapshots"),
    FindingKind("guest-has-checkpoints", _WARNING,
                "checkpoints stay on the source, and incremental backups begin anew"),
    FindingKind("guest-paused", _INFO,
                "the guest is paused, and arrives paused"),
    FindingKind("guest-paused-postcopy", _ERROR,
                "the guest is paused, and --postcopy was given"),
    FindingKind("guest-io-error", _ERROR,
                "the guest stopped at an I/O error, and --abort-on-error was given"),
    FindingKind("guest-shutting-down", _WARNING,
                "the guest is on its way down"),
    FindingKind("guest-memory-saved", _WARNING,
                "the guest's saved memory stays on the source, so that it boots afresh there"),
    FindingKind("guest-encrypted", _ERROR,
                "the guest's memory is encrypted for this processor (launchSecurity)"),
    FindingKind("destination-memory-short", _ERROR,
                "the destination has less memory than the guest; a warning where it is only more"
                " than is free"),
    FindingKind("hugepages-short", _ERROR,
                "the destination lacks huge pages of the guest's size, or free ones"),
    FindingKind("numa-node-missing", _ERROR,
                "the guest's memory is bound to NUMA nodes that the destination lacks"),
    FindingKind("processor-missing", _ERROR,
                "the guest is pinned to processors that the destination lacks"),
    FindingKind("security-model-missing", _ERROR,
                "a static security label is of a model that the destination does not use"),
    # machine
    FindingKind("emulator-missing", _ERROR,
                "the destination lacks the program that runs the guest"),
    FindingKind("machine-type-missing", _ERROR,
                "QEMU on the destination does not know the guest's machine type"),
    FindingKind("virtualisation-missing", _ERROR,
                "the destination cannot run guests of this type, such as kvm"),
    FindingKind("firmware-missing", _ERROR,
                "the firmware's file is not on the destination"),
    FindingKind("vcpus-beyond", _ERROR,
                "the guest has more processors than QEMU on the destination can give it"),
    FindingKind("cpu-incompatible", _ERROR,
                "the destination's processor lacks features that the guest uses; they are named"),
    FindingKind("cpu-host-passthrough", _WARNING,
                "the guest sees the source's own processor, and libvirt compares nothing"),
    FindingKind("cpu-invariant-tsc", _ERROR,
                "the guest has invtsc without a TSC frequency"),
    # disks
    FindingKind("disk-not-shared", _ERROR,
                "a disk is on storage of the source alone, and is not copied; a warning with"
                " --unsafe"),
    FindingKind("disk-cache-mode", _ERROR,
                "a disk's cache mode is unsafe with this QEMU; a warning with --unsafe"),
    FindingKind("disk-elsewhere", _ERROR,
                "the same path leads to other storage on the destination; a warning where it may"
                " only have another name"),
    FindingKind("disk-missing", _ERROR,
                "a disk's file, device or volume is not on the destination"),
    FindingKind("disk-backing-missing", _ERROR,
                "an image that a disk rests on is not on the destination"),
    FindingKind("disk-target-missing", _ERROR,
                "a disk is copied, and libvirt cannot create what it is copied to"),
    FindingKind("disk-size-differs", _ERROR,
                "a disk is copied onto one of another size"),
    FindingKind("disk-copied-onto-itself", _ERROR,
                "a disk is copied although both hosts have it on the same storage"),
    FindingKind("disk-transient", _ERROR,
                "libvirt moves no guest with a transient disk"),
    FindingKind("disk-block-job", _ERROR,
                "a block job works on a disk"),
    FindingKind("disk-storage-unknown", _INFO,
                "nobody could look whether a disk's storage is shared, and there on both hosts"),
    FindingKind("migrate-disk-missing", _ERROR,
                "--migrate-disks names a disk that the guest does not have"),
    FindingKind("migrate-disk-read-only", _ERROR,
                "--migrate-disks names a disk that is read-only or empty"),
    FindingKind("migrate-disks-ignored", _WARNING,
                "--migrate-disks copies nothing without --copy-storage-all or --copy-storage-inc"),
    # networks
    FindingKind("network-missing", _ERROR,
                "the destination has no virtual network of this name"),
    FindingKind("network-inactive", _ERROR,
                "the virtual network is not started on the destination"),
    FindingKind("network-device-missing", _ERROR,
                "the destination lacks the bridge or device that an interface is attached to"),
    FindingKind("network-mtu-differs", _WARNING,
                "the guest's network has another MTU on the destination"),
    FindingKind("network-unknown", _INFO,
                "nobody could look whether the destination has the interface's bridge or device"),
    # devices
    FindingKind("host-device", _ERROR,
                "a device of the source is passed through; a warning where QEMU may move its"
                " state"),
    FindingKind("host-device-missing", _ERROR,
                "a USB device that the guest uses is not plugged in at the destination"),
    FindingKind("host-device-unplugged", _INFO,
                "a teaming device is unplugged for the migration"),
    FindingKind("filesystem-passed-through", _ERROR,
                "a folder of the source is passed through; a warning where QEMU may move it"),
    FindingKind("shared-memory-peer", _ERROR,
                "a shared memory device whose role is not master"),
    FindingKind("tpm-missing", _ERROR,
                "the destination has no TPM of the guest's kind"),
    FindingKind("tpm-passed-through", _WARNING,
                "the guest uses the TPM of the source itself"),
    FindingKind("device-file-missing", _ERROR,
                "a file, folder or socket that a device needs is not on the destination"),
    FindingKind("listen-address-missing", _ERROR,
                "graphics or a console listens on an address that the destination lacks"),
    FindingKind("listen-address-unknown", _INFO,
                "nobody could look whether the destination has the address that it listens on"),
    # certificates
    FindingKind("tls-certificate-missing", _ERROR,
                "--tls was given, and QEMU lacks a certificate or a key"),
    FindingKind("tls-certificate-unreadable", _ERROR,
                "QEMU may not read a certificate or a key"),
    FindingKind("tls-certificate-expired", _ERROR,
                "the time of a certificate is over"),
    FindingKind("tls-certificate-name", _ERROR,
                "the destination's certificate is for another name"),
    FindingKind("tls-certificates-unknown", _INFO,
                "--tls was given, and nobody could look at QEMU's certificates"),
    FindingKind("tls-required", _ERROR,
                "qemu.conf allows migrations with --tls alone"),
    # all
    FindingKind("host-facts-unknown", _INFO,
                "something that a check needs could not be read; it is unknown"),
)
# fmt: on

KINDS: Final = (*reach.KINDS, *GUEST)
