"""What a plan for a teleportation shows by itself; seen between two VirtualBox 7.2.22."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, FindingKind, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Plan

__all__ = ["KINDS", "foresee"]

KINDS: Final = (
    FindingKind("exit-status-untrue", Severity.INFO, "VBoxManage may fail where it succeeded"),
    FindingKind("identity-not-compared", Severity.WARNING, "neither guest nor disks are compared"),
    FindingKind("password-replayable", Severity.WARNING, "who hears the password can use it"),
    FindingKind("settings-must-match", Severity.INFO, "both machines need the same settings"),
    FindingKind("snapshots-unknown", Severity.INFO, "no machine with snapshots can move"),
    FindingKind("teleporter-stays-on", Severity.WARNING, "the next start would wait for a guest"),
)


def foresee(plan: Plan) -> Iterator[Finding]:
    """Give what the plan alone shows."""
    there = plan.uris.destination.value
    guest, target = plan.guest, plan.destination_name
    yield Finding(
        "password-replayable",
        Severity.WARNING,
        there,
        "the password of the teleporter crosses the network as a hash in plain text: whoever hears"
        " it can send a guest too",
        expected="a tunnel between the two hosts",
        remedy=f"on the source ssh -L {plan.port.first}:localhost:{plan.port.first} DESTINATION,"
        " and teleport to localhost; a password file of its own for each move",
    )
    yield Finding(
        "identity-not-compared",
        Severity.WARNING,
        there,
        "VirtualBox compares neither the machines' names and uuids nor what is on their disks: with"
        " a private copy of a disk it goes on there, and data is lost",
        expected="disks on storage that both hosts share",
        remedy=f"compare on both: VBoxManage showvminfo {target} --machinereadable",
    )
    yield Finding(
        "teleporter-stays-on",
        Severity.WARNING,
        there,
        "the teleporter stays on afterwards: the next start there waits five minutes for a guest,"
        " and fails",
        remedy=f"once {target} is shut off there: VBoxManage modifyvm {target} --teleporter off",
    )
    yield Finding(
        "settings-must-match",
        Severity.INFO,
        there,
        "both machines need the same memory, processors, chipset, devices and disks, and both hosts"
        " the same version of VirtualBox; a difference is refused, and the guest runs on",
        remedy=f"compare on both: VBoxManage --version; VBoxManage showvminfo {target}",
    )
    yield Finding(
        "snapshots-unknown",
        Severity.INFO,
        plan.uris.source.value,
        "no machine with snapshots can be teleported, on neither side; whether there are some is"
        " not known",
        remedy=f"run on both: VBoxManage snapshot {guest} list",
    )
    yield Finding(
        "exit-status-untrue",
        Severity.INFO,
        plan.uris.source.value,
        "VBoxManage may report a failure after a teleportation that succeeded: what counts is the"
        " state of both machines",
        remedy="run on both: VBoxManage showvminfo MACHINE --machinereadable | grep VMState=",
    )
