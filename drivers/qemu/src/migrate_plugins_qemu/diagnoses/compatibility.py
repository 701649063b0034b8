"""Errors about what the destination's QEMU must be able to do, and what cannot move at all."""

from __future__ import annotations

from typing import Final

from migrate_plugins import Entry, Pattern, Remedy, Seat

__all__ = ["COMPATIBILITY"]

COMPATIBILITY: Final = (
    Entry(
        "cpu-missing-features",
        (
            Pattern(
                r"guest CPU doesn't match specification: (?:extra features: [^\n]{1,200}, )?"
                r"missing features: (?P<features>[\w,. -]{1,400})",
                "libvirt 9.0.0",
            ),
            Pattern(
                r"host doesn't support requested feature: (?P<features>[\w.: -]{1,200})",
                "QEMU 7.2",
            ),
            Pattern(
                r"[Gg]uest CPU is not compatible with host CPU(?:: (?P<features>[^\n]{1,200}))?",
                "source",
            ),
        ),
        "the CPU of the destination, or its microcode, lacks what the guest was started with:"
        " {features}",
        (
            Remedy(
                "virsh domcapabilities | virsh hypervisor-cpu-compare /dev/stdin", Seat.DESTINATION
            ),
            Remedy("choose another destination, or update its microcode"),
            Remedy(
                "or give the guest a CPU model that all hosts have (virsh hypervisor-cpu-baseline),"
                " and start it anew",
                Seat.SOURCE,
            ),
        ),
        0.98,
        codes=(9, 91, 67),
        domains=(10, 31),
        finding="cpu-incompatible",
        otherwise={"features": "features that the message does not name"},
    ),
    Entry(
        "machine-type",
        (
            Pattern(r"unsupported machine type[: ]{0,2}'?(?P<machine>[\w.-]{1,60})", "report"),
            Pattern(r"unsupported machine type", "QEMU 7.2"),
            Pattern(
                r"does not support machine type '(?P<machine>[\w.-]{1,60})'",
                "libvirt 9.0.0",
            ),
            Pattern(r"[Mm]achine type '(?P<machine>[\w.-]{1,60})' (?:is )?not supported", "source"),
        ),
        "the destination's QEMU does not have the machine type {machine}: it is older, or of"
        " another distribution",
        (
            Remedy("qemu-system-x86_64 -machine help", Seat.DESTINATION),
            Remedy("upgrade QEMU there, or choose a host that has {machine}", Seat.DESTINATION),
        ),
        0.95,
        inferred=(1, 8, 67),
        finding="machine-type-missing",
        otherwise={"machine": "that the guest was started with"},
    ),
    Entry(
        "device-blocker",
        (
            Pattern(r"cannot migrate domain: (?P<what>[^\n]{1,300})", "libvirt 9.0.0"),
            Pattern(r"cannot migrate a domain with (?P<what>[^\n]{1,200})", "libvirt 9.0.0"),
            Pattern(r"cannot migrate domain with (?P<what>\d{1,5} snapshots?)", "libvirt 9.0.0"),
            Pattern(r"domain has (?P<what>(?:an )?active block job)", "libvirt 9.0.0"),
            Pattern(r"[Mm]igration is disabled when (?P<what>[^\n]{1,200})", "QEMU 7.2"),
            Pattern(
                r"State blocked by non-migratable device '(?P<what>[^'\n]{1,100})'", "QEMU 7.2"
            ),
        ),
        "something about the guest cannot move with it: {what}",
        (
            Remedy("virsh dumpxml GUEST, to find the device", Seat.SOURCE),
            Remedy("virsh detach-device GUEST FILE (for a device)", Seat.SOURCE),
            Remedy("virsh snapshot-delete GUEST NAME (for a snapshot)", Seat.SOURCE),
            Remedy("virsh blockjob GUEST DISK --info (for a job: wait for it)", Seat.SOURCE),
            Remedy("a network card can be teamed with one that moves: <teaming type='transient'/>"),
        ),
        0.9,
        inferred=(9, 55, 67, 84),
        domains=(10,),
        finding="host-device",
    ),
    Entry(
        "dest-memory",
        (
            Pattern(
                r"cannot set up guest memory '?[^'\n]{0,60}'?: Cannot allocate memory", "QEMU 7.2"
            ),
            Pattern(r"Cannot allocate memory", "QEMU 7.2"),
        ),
        "the destination has not the memory that the guest needs",
        (
            Remedy("free -m (with huge pages: cat /proc/meminfo)", Seat.DESTINATION),
            Remedy("choose another destination, or free memory there", Seat.DESTINATION),
        ),
        0.8,
        inferred=(1, 9, 38),
        finding="destination-memory-short",
    ),
    Entry(
        "dest-path-missing",
        (Pattern(r"Failed to create file '(?P<file>[^'\n]{1,300})'", "libvirt 9.0.0"),),
        "the guest writes to {file} (a serial port, for example), and the destination has no such"
        " folder",
        (
            Remedy("mkdir -p the folder of {file}", Seat.DESTINATION),
            Remedy("or give the guest another path there: --xml FILE"),
        ),
        0.95,
        codes=(38,),
        domains=(10,),
        finding="device-file-missing",
    ),
    Entry(
        "memory-lock",
        (
            Pattern(
                r"cannot (?:limit|get|set) locked memory(?: limit)? of process \d{1,10}"
                r"[^\n]{0,60}: Operation not permitted",
                "libvirt 9.0.0",
            ),
        ),
        "zero-copy, RDMA and passed-through devices keep the guest's memory locked, and a daemon"
        " without root may not lock so much",
        (
            Remedy("ulimit -l, as the user of the daemon", Seat.SOURCE),
            Remedy("ulimit -l, as the user of the daemon", Seat.DESTINATION),
            Remedy("leave out --zerocopy, or use the system daemon: qemu:///system"),
        ),
        0.9,
        codes=(38,),
    ),
    Entry(
        "definition-differs",
        (
            Pattern(
                r"Target (?P<what>[^\n]{1,120}) (?:does not match|doesn't match) source",
                "libvirt 9.0.0",
            ),
        ),
        "the definition given with --xml changes what the guest was started with: {what}",
        (
            Remedy("virsh dumpxml --migratable GUEST", Seat.SOURCE),
            Remedy("change only the host's side of it: paths, networks, listen addresses"),
        ),
        0.95,
        inferred=(67,),
    ),
)
