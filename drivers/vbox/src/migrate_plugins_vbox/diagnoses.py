"""What errors of VirtualBox's teleporting mean."""

from __future__ import annotations

from typing import Final

from migrate_plugins import Catalogue, Entry, Pattern, Remedy, Seat

__all__ = ["CATALOGUE"]

_SEEN: Final = "VirtualBox 7.2.22"
_EXAMPLE: Final = "VBoxManage showvminfo VM"

CATALOGUE: Final = Catalogue(
    (
        Entry(
            "vbox-not-listening",
            (
                Pattern(r"VERR_NET_CONNECTION_REFUSED", _SEEN),
                Pattern(r"VERR_NET_(?:HOST_UNREACHABLE|CONNECTION_TIMED_OUT|TIMEOUT)", "source"),
            ),
            "nobody waits for the virtual machine at that port: the target was not started in its"
            " waiting state, or was only just and does not listen yet",
            (
                Remedy(
                    "VBoxManage showvminfo VM --machinereadable | grep -E 'VMState|teleporter'",
                    Seat.DESTINATION,
                ),
                Remedy("VBoxManage startvm VM --type headless", Seat.DESTINATION),
                Remedy(
                    "once its state is teleportingin, wait a second and teleport again", Seat.SOURCE
                ),
            ),
            0.9,
        ),
        Entry(
            "vbox-wait-over",
            (Pattern(r"Teleporter timed out waiting for incoming connection", _SEEN),),
            "the target waited five minutes and nobody came; it is off now",
            (
                Remedy("VBoxManage startvm VM --type headless", Seat.DESTINATION),
                Remedy("VBoxManage controlvm VM teleport --host HOST --port PORT", Seat.SOURCE),
                Remedy(
                    "if it was to start by itself: VBoxManage modifyvm VM --teleporter off",
                    Seat.DESTINATION,
                ),
            ),
            0.95,
        ),
        Entry(
            "vbox-password",
            (Pattern(r"(?:[Ii]nvalid|[Ii]ncorrect) (?:teleporter )?password", _SEEN),),
            "the password is not the target's; the guest runs on, and the target still waits",
            (
                Remedy("VBoxManage modifyvm VM --teleporter-password-file FILE", Seat.DESTINATION),
                Remedy(
                    "VBoxManage controlvm VM teleport --host HOST --port PORT --passwordfile FILE",
                    Seat.SOURCE,
                ),
            ),
            0.9,
        ),
        Entry(
            "vbox-memory-differs",
            (
                Pattern(r"Ram config mismatch: saved=(?P<saved>\w{1,16}).{0,40}config=\w", _SEEN),
                Pattern(r"VERR_SSM_LOAD_MEMORY_SIZE_MISMATCH", "source"),
            ),
            "the target has other memory than the guest, or another chipset, by which it lies"
            " elsewhere; the guest runs on at the source",
            (
                Remedy(f"{_EXAMPLE} --machinereadable | grep -E '^(memory|chipset)='", Seat.SOURCE),
                Remedy(
                    "VBoxManage modifyvm VM --memory MIB --chipset piix3|ich9", Seat.DESTINATION
                ),
            ),
            0.95,
            finding="hardware-differs",
        ),
        Entry(
            "vbox-device-differs",
            (
                Pattern(r"Found no handler for unit '(?P<device>[\w-]{1,40})' instance", _SEEN),
                Pattern(
                    r"Device '(?P<device>[\w-]{1,40})'/\d{1,4} not found in"
                    r" (?:the saved state|current config)",
                    _SEEN,
                ),
                Pattern(r"Failed to load unit '(?P<device>[\w-]{1,40})' \(VERR_SSM", _SEEN),
                Pattern(
                    r"(?P<device>[\w-]{1,40})#\d{1,4}: (?:[Cc]onfig mismatch|VRAM size changed"
                    r"|Monitor count changed|Saved GIM provider|The (?:source|target) VM is missing"
                    r"|Failed to locate a MMIO2 range|ROM at|Device in slot)",
                    _SEEN,
                ),
                Pattern(r"VERR_SSM_LOAD_(?:CONFIG_MISMATCH|CPUID_MISMATCH)", _SEEN),
            ),
            "the target has other hardware than the guest, as its device {device} shows; the guest"
            " runs on at the source",
            (
                Remedy("migrate-plugins check, which names every setting that differs"),
                Remedy(f"{_EXAMPLE} --machinereadable", Seat.SOURCE),
                Remedy(f"{_EXAMPLE} --machinereadable, and VBoxManage modifyvm", Seat.DESTINATION),
            ),
            0.85,
            finding="hardware-differs",
            otherwise={"device": "which is not named"},
        ),
        Entry(
            "vbox-file-missing",
            (
                Pattern(
                    r"failed to create the raw output file (?P<file>[^\n(]{1,200}) \(VERR_FILE",
                    _SEEN,
                ),
            ),
            "the file behind a serial port of the target, {file}, cannot be made: its folder is not"
            " there; the guest runs on at the source",
            (
                Remedy("mkdir -p FOLDER", Seat.DESTINATION),
                Remedy("VBoxManage modifyvm VM --uart-mode1 disconnected", Seat.DESTINATION),
            ),
            0.95,
            finding="device-file-missing",
        ),
        Entry(
            "vbox-not-started",
            (Pattern(r"The VM session was closed before any attempt to power it on", _SEEN),),
            "the target did not start: an image of it is not there, or cannot be opened",
            (
                Remedy(
                    f"{_EXAMPLE} --machinereadable | grep -E 'ImageUUID|\\.vdi'", Seat.DESTINATION
                ),
                Remedy("VBoxManage list hdds --long", Seat.DESTINATION),
            ),
            0.7,
            finding="disk-missing",
        ),
        Entry(
            "vbox-snapshots",
            (
                Pattern(
                    r"the machine has snapshots \((?P<names>[^)\n]{1,200})\)", "migrate-plugins"
                ),
            ),
            "the guest has snapshots ({names}): their images stay behind",
            (
                Remedy("VBoxManage snapshot GUEST list", Seat.SOURCE),
                Remedy("VBoxManage snapshot GUEST delete NAME, the last one first", Seat.SOURCE),
            ),
            0.95,
            finding="guest-has-snapshots",
        ),
        Entry(
            "vbox-call-failed",
            (Pattern(r"NS_ERROR_CALL_FAILED|0x800706BE", _SEEN),),
            "the exit status says nothing here: VBoxManage was seen to report this after a"
            " teleportation that succeeded",
            (
                Remedy(f"{_EXAMPLE} --machinereadable | grep VMState", Seat.SOURCE),
                Remedy(f"{_EXAMPLE} --machinereadable | grep VMState", Seat.DESTINATION),
                Remedy(
                    "teleported and running: it is done; start the source never again like this"
                ),
            ),
            0.9,
        ),
        Entry(
            "vbox-cancelled",
            (
                Pattern(r"VERR_SSM_CANCELLED", _SEEN),
                Pattern(r"teleport\w{0,10}.{0,60}CANCELED", _SEEN),
            ),
            "somebody cancelled the teleportation; the guest runs on the source",
            (
                Remedy(f"{_EXAMPLE} --machinereadable | grep VMState", Seat.SOURCE),
                Remedy("teleport again; the target has to be started anew"),
            ),
            0.95,
        ),
        Entry(
            "vbox-paused-midway",
            (Pattern(r"VERR_VM_UNEXPECTED_UNSTABLE_STATE", _SEEN),),
            "the source was paused while it was being teleported, and may hang when it is powered"
            " off",
            (
                Remedy(f"{_EXAMPLE} --machinereadable | grep VMState", Seat.SOURCE),
                Remedy(
                    "VBoxManage startvm VM --type emergencystop, if it stays in stopping",
                    Seat.SOURCE,
                ),
            ),
            0.9,
        ),
        Entry(
            "vbox-state",
            (
                Pattern(r"Invalid machine state: (?P<state>\w{1,40})", _SEEN),
                Pattern(r"not mutable or saved \(state is (?P<state>\w{1,40})\)", _SEEN),
            ),
            "the virtual machine is in the state {state}, in which that cannot be done",
            (
                Remedy(f"{_EXAMPLE} --machinereadable | grep VMState"),
                Remedy(
                    "a target that waits is ended so: VBoxManage startvm VM --type emergencystop",
                    Seat.DESTINATION,
                ),
                Remedy("with --teleporter-port 0: give a port, 0 does not work", Seat.DESTINATION),
            ),
            0.85,
        ),
        Entry(
            "vbox-driverless",
            (Pattern(r"VERR_SUP_DRIVERLESS", _SEEN),),
            "VirtualBox has no kernel module there, and the virtual machine's engine is left at its"
            " default",
            (
                Remedy("VBoxManage modifyvm VM --vm-execution-engine interpreter"),
                Remedy("or load the module: modprobe vboxdrv"),
            ),
            0.95,
        ),
        Entry(
            "vbox-settings",
            (Pattern(r"Failed to initialize COM!.{0,80}NS_ERROR_FAILURE", _SEEN),),
            "VirtualBox found no folder for its settings: VBOX_USER_HOME is set and empty, or not"
            " to be written to",
            (Remedy("unset VBOX_USER_HOME, or name a folder of that user"),),
            0.9,
        ),
        Entry(
            "vbox-locked",
            (Pattern(r"already locked (?:by|for) a session", _SEEN),),
            "the virtual machine runs, or somebody has its settings open",
            (
                Remedy(f"{_EXAMPLE} --machinereadable | grep VMState"),
                Remedy(
                    "after it was shut down: VBoxManage modifyvm VM --teleporter off",
                    Seat.DESTINATION,
                ),
            ),
            0.8,
        ),
        Entry(
            "vbox-libvirt-version",
            (
                Pattern(
                    r"Libvirt doesn't support VirtualBox API version (?P<version>\d{1,12})",
                    "libvirt 12.8.0",
                ),
                Pattern(r"unable to initialize VirtualBox driver API", "libvirt 12.8.0"),
            ),
            "this libvirt does not know the installed version of VirtualBox ({version})",
            (
                Remedy("VBoxManage --version, and virsh version"),
                Remedy("use VBoxManage itself: migrate-plugins plan gives its commands"),
            ),
            0.95,
            otherwise={"version": "its API's number is not named"},
        ),
    )
)
