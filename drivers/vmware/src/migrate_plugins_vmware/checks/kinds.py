"""Every kind of finding that a look at the vCenter can give."""

from __future__ import annotations

from typing import Final

from migrate_plugins import FindingKind, Severity

__all__ = ["KINDS", "PRIVILEGES", "VERDICTS"]

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

# Of these the vCenter is asked by calls of their own.
VERDICTS: Final = ("relocate-refused", "relocate-unknown", "relocate-warned")
PRIVILEGES: Final = ("privilege-missing", "privilege-unknown")

# fmt: off
KINDS: Final = (
    # guest
    FindingKind("guest-elsewhere", _ERROR,
                "another host of the vCenter has the guest; it is named"),
    FindingKind("guest-inaccessible", _ERROR,
                "the vCenter cannot get at the guest: orphaned, inaccessible, disconnected"),
    FindingKind("guest-template", _ERROR,
                "the guest is a template"),
    FindingKind("guest-powered-off", _INFO,
                "the guest is off and moves cold; --live means nothing"),
    FindingKind("guest-suspended", _WARNING,
                "the guest is suspended and moves cold, with its saved memory"),
    FindingKind("guest-task", _ERROR,
                "the vCenter does something else with the guest"),
    FindingKind("guest-tools-installing", _ERROR,
                "the installer of VMware Tools is mounted in the guest; a warning where it is off"),
    FindingKind("guest-fault-tolerant", _ERROR,
                "fault tolerance protects the guest; a warning where only its host changes"),
    FindingKind("guest-affinity", _ERROR,
                "the guest is bound to processors or NUMA nodes; a warning where it is off"),
    FindingKind("guest-snapshots", _ERROR,
                "disks with snapshots are to go to other datastores than the guest's home; a"
                " warning where all goes to one"),
    # hosts
    FindingKind("host-powered-off", _ERROR,
                "a host is off or in standby"),
    FindingKind("host-disconnected", _ERROR,
                "the vCenter has no connection with a host"),
    FindingKind("host-locked-down", _INFO,
                "a host is locked down: only libvirt's esx:// minds"),
    FindingKind("destination-in-maintenance", _ERROR,
                "the destination is in maintenance mode"),
    FindingKind("source-in-maintenance", _INFO,
                "the source is in maintenance mode: the guest cannot come back"),
    FindingKind("vmotion-not-supported", _ERROR,
                "a host cannot do vMotion"),
    FindingKind("vmotion-not-enabled", _ERROR,
                "no network interface of a host is enabled for vMotion"),
    FindingKind("vmotion-unknown", _INFO,
                "the vCenter does not tell whether vMotion is enabled on a host"),
    FindingKind("vmotion-path-unknown", _INFO,
                "whether the two hosts reach each other's vMotion interfaces is not known"),
    # storage
    FindingKind("datastore-missing", _ERROR,
                "the destination has not mounted a datastore that the guest needs there"),
    FindingKind("datastore-inaccessible", _ERROR,
                "the destination cannot get at a datastore that it has mounted"),
    FindingKind("datastore-read-only", _ERROR,
                "the destination has mounted a datastore to read it alone"),
    FindingKind("datastore-in-maintenance", _ERROR,
                "a datastore that files are to go to is in maintenance mode"),
    FindingKind("datastore-space-short", _WARNING,
                "the disks are larger than what is free where they go"),
    FindingKind("datastore-unknown", _INFO,
                "the vCenter tells nothing of a datastore"),
    # networks
    FindingKind("network-not-there", _ERROR,
                "the destination does not have an adapter's network; a warning where the guest is"
                " off or the adapter disconnected"),
    FindingKind("adapter-network-unknown", _INFO,
                "the vCenter tells nothing of an adapter's network"),
    # devices
    FindingKind("device-of-host", _ERROR,
                "a drive or port is a device of the host or of a client; a warning where the guest"
                " is off"),
    FindingKind("device-file-not-there", _ERROR,
                "an image in a drive is on a datastore that the destination lacks; a warning where"
                " the guest is off"),
    FindingKind("device-passed-through", _ERROR,
                "a PCI device of the host is passed through; a warning where the guest is off"),
    FindingKind("device-vgpu", _WARNING,
                "the guest has a share of a GPU"),
    FindingKind("device-usb", _WARNING,
                "a USB device is plugged into the host"),
    FindingKind("disk-raw", _WARNING,
                "a disk is a raw device mapping"),
    FindingKind("disk-not-persistent", _ERROR,
                "a disk that throws its changes away is to change its datastore"),
    FindingKind("disk-shared", _ERROR,
                "a disk or controller is shared with other guests; a warning where vSphere moves"
                " it"),
    # processors, memory, pool
    FindingKind("processor-other-vendor", _ERROR,
                "the destination's processors are of another vendor; a warning where the guest is"
                " suspended"),
    FindingKind("processor-older", _ERROR,
                "the destination's EVC mode is lower than the guest's; a warning where only the"
                " hosts could be compared"),
    FindingKind("processor-unknown", _INFO,
                "the vCenter does not tell enough of the processors to compare them"),
    FindingKind("host-memory-short", _ERROR,
                "the destination has less memory than the guest; a warning where it is only more"
                " than is free"),
    FindingKind("pool-elsewhere", _ERROR,
                "the resource pool belongs to another cluster"),
    FindingKind("pool-memory-short", _ERROR,
                "the pool cannot give the memory that the guest has reserved; a warning where it"
                " is off"),
    # encryption
    FindingKind("vmotion-encrypted", _INFO,
                "the memory crosses the network encrypted"),
    FindingKind("vmotion-plain-text", _WARNING,
                "the memory crosses the network in plain text"),
    FindingKind("vmotion-encryption-unmet", _ERROR,
                "the guest requires an encrypted vMotion, and a host cannot"),
    FindingKind("vmotion-encryption-unknown", _INFO,
                "whether the memory will be encrypted is not known"),
    # two vCenters
    FindingKind("vcenter-too-old", _ERROR,
                "a vCenter cannot move guests to another one"),
    FindingKind("vcenter-domains", _WARNING,
                "before 7.0 U1c both vCenters have to share a single sign-on domain"),
    # the vCenter's own words
    FindingKind("option-unmet", _ERROR,
                "the vCenter has no pool, folder, datastore, disk, adapter or network of that"
                " name"),
    FindingKind("relocate-refused", _ERROR,
                "CheckRelocate_Task: the vCenter refuses the move, in its own words"),
    FindingKind("relocate-warned", _WARNING,
                "CheckRelocate_Task: the vCenter warns, in its own words"),
    FindingKind("relocate-unknown", _INFO,
                "the vCenter was not asked whether it would do the move"),
    FindingKind("privilege-missing", _ERROR,
                "the user lacks a privilege that the move needs"),
    FindingKind("privilege-unknown", _INFO,
                "whether the user may move the guest is not known"),
    FindingKind("inventory-unknown", _INFO,
                "something that a check needs could not be read; it is unknown"),
)
# fmt: on
