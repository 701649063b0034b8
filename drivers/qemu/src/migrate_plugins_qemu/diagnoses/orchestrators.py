"""Errors of tools that have QEMU guests migrated: Nova, KubeVirt, oVirt, Proxmox VE, Pacemaker."""

from __future__ import annotations

from typing import Final

from migrate_plugins import Entry, Pattern, Remedy, Seat

__all__ = ["ORCHESTRATORS"]

ORCHESTRATORS: Final = (
    Entry(
        "no-converge",
        (
            Pattern(r"Live migration not completed after (?P<seconds>\d{1,6}) sec", "Nova"),
            Pattern(r"live migration stuck for (?P<seconds>\d{1,6}) sec", "KubeVirt"),
            Pattern(r"Aborting migration: not completed after (?P<seconds>\d{0,6})", "KubeVirt"),
            Pattern(r"migration timed out after (?P<seconds>\d{1,6})", "report"),
        ),
        "the guest wrote to its memory faster than it could be sent, and was given up after"
        " {seconds} s",
        (
            Remedy("virsh domdirtyrate-calc GUEST --seconds 5", Seat.SOURCE),
            Remedy(
                "slow the guest down: --auto-converge; or finish at the destination: --postcopy"
            ),
            Remedy("or give it more: a faster link, --parallel, a longer downtime, a quieter hour"),
        ),
        0.9,
        otherwise={"seconds": "some"},
    ),
    Entry(
        "incoming-limit",
        (
            Pattern(r"Incoming migration limit exceeded", "oVirt"),
            Pattern(r"\bmigrateLimit\b", "oVirt"),
        ),
        "the destination takes as many guests already as its vdsm allows at once",
        (
            Remedy("wait until one has arrived; the engine tries again after 10 s by itself"),
            Remedy("or raise max_incoming_migrations in vdsm.conf", Seat.DESTINATION),
        ),
        0.95,
    ),
    Entry(
        "proxmox-local-disks",
        (
            Pattern(
                r"can't live migrate attached local disks without with-local-disks option",
                "Proxmox VE",
            ),
        ),
        "the guest has disks on local storage, and they were not to be copied",
        (
            Remedy("qm migrate VMID NODE --online --with-local-disks", Seat.SOURCE),
            Remedy("or move them to shared storage before: qm disk move VMID DISK STORAGE"),
        ),
        0.98,
    ),
    Entry(
        "proxmox-local-devices",
        (Pattern(r"can't migrate (?:running )?VM which uses local devices", "Proxmox VE"),),
        "the guest has a device of the host passed through",
        (
            Remedy("qm config VMID | grep -E '^(hostpci|usb|serial)'", Seat.SOURCE),
            Remedy("map the device in the cluster (resource mapping), or remove it"),
        ),
        0.98,
    ),
    Entry(
        "proxmox-ssh-key",
        (Pattern(r"Can't connect to destination address using public key", "Proxmox VE"),),
        "the nodes of the cluster cannot log in to each other with their ssh keys",
        (
            Remedy("pvecm updatecerts", Seat.SOURCE),
            Remedy("ssh -o BatchMode=yes root@NODE true", Seat.SOURCE),
        ),
        0.98,
    ),
    Entry(
        "proxmox-online",
        (Pattern(r"can't migrate running VM without --online", "Proxmox VE"),),
        "the guest runs, and only its configuration was to be moved",
        (
            Remedy("qm migrate VMID NODE --online", Seat.SOURCE),
            Remedy("or shut it down first: qm shutdown VMID", Seat.SOURCE),
        ),
        0.98,
    ),
)
