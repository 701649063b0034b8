"""Findings that only QEMU under libvirt knows of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import DriverError, Finding, Severity
from migrate_plugins_qemu import reach
from migrate_plugins_qemu.checks.case import Case
from migrate_plugins_qemu.checks.certificates import check_certificates
from migrate_plugins_qemu.checks.devices import check_devices
from migrate_plugins_qemu.checks.disks import check_disks
from migrate_plugins_qemu.checks.guest import check_guest
from migrate_plugins_qemu.checks.kinds import GUEST
from migrate_plugins_qemu.checks.machine import check_machine
from migrate_plugins_qemu.checks.networks import check_networks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrate_plugins import Access, Facts, Plan, Selection
    from migrate_plugins_qemu.inspection import Inspection

__all__ = ["check", "judge"]


def check(
    plan: Plan, facts: Facts, source: Access, destination: Access, selection: Selection
) -> Sequence[Finding]:
    """Give all that are wanted: what lies between the hosts, and what the guest needs of them."""
    findings = [*reach.examine_reach(plan, facts, source, destination, selection)]
    if selection.wants(*(kind.id for kind in GUEST)):
        findings += _guest(plan, facts, source, destination)
    return findings


def judge(plan: Plan, facts: Facts, inspection: Inspection) -> Iterator[Finding]:
    """Give what follows from what both hosts told about the guest.  Pure."""
    if facts.guest is None:
        return
    there = facts.destination.name if facts.destination is not None else None
    unseen = plan.uris.destination.value or plan.receiver or "the destination"
    case = Case(plan, facts.guest, facts.source.name, there or unseen, facts, inspection)
    yield from check_guest(case)
    yield from check_machine(case)
    yield from check_disks(case)
    yield from check_networks(case)
    yield from check_devices(case)
    yield from check_certificates(case)
    hosts = dict.fromkeys(each.host for each in inspection.unread)
    for host in hosts:
        told = [f"{each.what}: {each.why}" for each in inspection.unread if each.host == host]
        yield _unknown(host, told)


def _guest(plan: Plan, facts: Facts, source: Access, destination: Access) -> Iterator[Finding]:
    from migrate_plugins_qemu.inspection import inspect  # noqa: PLC0415 - imports libvirt

    try:
        inspection = inspect(plan, facts, source, destination)
    except DriverError as error:  # it may be gone again; what else was found still holds
        told = f"the definition of {plan.guest}: {error.problem}"
        yield _unknown(facts.source.name, [told])
        return
    if inspection is not None:
        yield from judge(plan, facts, inspection)


def _unknown(host: str, told: list[str]) -> Finding:
    return Finding(
        "host-facts-unknown",
        Severity.INFO,
        host,
        f"{host} did not tell all that a check asks for; what follows from it is unknown",
        seen="; ".join(told),
    )
