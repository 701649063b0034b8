"""The guest itself: where it is, what it does, and what it is bound to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Plan
    from migrate_plugins_vmware.checks.case import Case
    from migrate_plugins_vmware.checks.reading import Reading

__all__ = ["check_guest", "check_place"]


def check_place(plan: Plan, reading: Reading) -> Iterator[Finding]:
    """Say where a guest is that is not on the source."""
    if reading.elsewhere is not None and reading.elsewhere != reading.destination.name:
        yield Finding(
            "guest-elsewhere",
            Severity.ERROR,
            reading.source.name,
            f"{plan.guest} is on another host of this vCenter: {reading.elsewhere}",
            seen=reading.elsewhere,
            expected=reading.source.name,
            remedy=f"give the URI of {reading.elsewhere} as the source: -c URI",
            acceptable=False,
        )


def check_guest(case: Case) -> Iterator[Finding]:
    """Look at the guest's state, and at what it is bound to."""
    yield from _state(case)
    yield from _affinity(case)
    yield from _snapshots(case)


def _state(case: Case) -> Iterator[Finding]:
    guest = case.guest
    if guest.connection not in {None, "connected"}:
        yield Finding(
            "guest-inaccessible",
            Severity.ERROR,
            case.source.name,
            f"the vCenter cannot get at {guest.name}: its files or its host are out of reach",
            seen=guest.connection,
            expected="connected",
            remedy=case.govc("vm.info", "-r", guest.name),
        )
    if guest.template:
        yield Finding(
            "guest-template",
            Severity.ERROR,
            case.source.name,
            f"{guest.name} is a template, which never runs",
            seen="template",
            expected="a virtual machine",
            remedy=case.govc("vm.markasvm", guest.name),
        )
    elif guest.power == "poweredOff":
        yield Finding(
            "guest-powered-off",
            Severity.INFO,
            case.source.name,
            f"{guest.name} is off: it moves cold, without vMotion"
            + (", and --live means nothing" if case.plan.request.live else ""),
            seen=guest.power,
        )
    elif guest.power == "suspended":
        yield Finding(
            "guest-suspended",
            Severity.WARNING,
            case.source.name,
            f"{guest.name} is suspended: it moves cold, with its saved memory, which only goes on"
            " under processors of the same kind",
            seen=guest.power,
            remedy=case.govc("vm.power", "-on", guest.name),
        )
    if guest.tasks:
        yield Finding(
            "guest-task",
            Severity.ERROR,
            case.source.name,
            f"the vCenter does something else with {guest.name}, and one thing at a time",
            seen=", ".join(guest.tasks),
            expected="no task",
            remedy=case.govc("tasks", "-f"),
        )
    if guest.tools_installing:
        yield Finding(
            "guest-tools-installing",
            case.blocking,
            case.source.name,
            f"the installer of VMware Tools is mounted in {guest.name}",
            seen="toolsInstallerMounted",
            remedy=case.govc("vm.guest.tools", "-unmount", guest.name),
        )
    if guest.fault_tolerance not in {None, "notConfigured"}:
        far = case.reading.crossing or case.reading.target.storage
        yield Finding(
            "guest-fault-tolerant",
            Severity.ERROR if far else Severity.WARNING,
            case.source.name,
            f"{guest.name} is protected by fault tolerance: "
            + (
                "neither its files nor its vCenter can change"
                if far
                else "it cannot come to the host that has its twin"
            ),
            seen=guest.fault_tolerance,
            expected="notConfigured",
            remedy="turn fault tolerance off in the vCenter, and on again afterwards",
        )


def _affinity(case: Case) -> Iterator[Finding]:
    bound = (
        ("processors", case.guest.cpu_affinity),
        ("NUMA nodes", case.guest.memory_affinity),
    )
    told = [f"{what} {', '.join(map(str, numbers))}" for what, numbers in bound if numbers]
    if told:
        yield Finding(
            "guest-affinity",
            case.blocking,
            case.source.name,
            f"{case.guest.name} is bound to {' and '.join(told)} of its host",
            seen="; ".join(told),
            expected="no affinity",
            remedy="clear Scheduling Affinity: Edit Settings, Virtual Hardware, CPU",
        )


def _snapshots(case: Case) -> Iterator[Finding]:
    guest, target = case.guest, case.reading.target
    if not guest.snapshots or not target.storage:
        return
    apart = len({target.datastore, *target.disks.values()} - {None}) > 1 or not target.datastore
    yield Finding(
        "guest-snapshots",
        Severity.ERROR if apart else Severity.WARNING,
        case.source.name,
        f"{guest.name} has snapshots, "
        + (
            "which have to stay with its home: its disks cannot go to other datastores than it"
            if apart
            else "which move to the other datastore with it"
        ),
        seen=", ".join(guest.snapshots),
        expected="no snapshots, or one datastore for all",
        remedy=case.govc("snapshot.tree", "-vm", guest.name),
    )
