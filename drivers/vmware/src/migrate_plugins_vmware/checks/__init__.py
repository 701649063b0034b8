"""Findings that only a vCenter knows of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import DriverError, Finding, Severity
from migrate_plugins_vmware.checks.case import Case
from migrate_plugins_vmware.checks.devices import check_devices
from migrate_plugins_vmware.checks.encryption import check_encryption
from migrate_plugins_vmware.checks.guest import check_guest, check_place
from migrate_plugins_vmware.checks.hosts import check_hosts
from migrate_plugins_vmware.checks.kinds import KINDS
from migrate_plugins_vmware.checks.networks import check_networks
from migrate_plugins_vmware.checks.processors import check_processors
from migrate_plugins_vmware.checks.resources import check_resources
from migrate_plugins_vmware.checks.storage import check_storage
from migrate_plugins_vmware.checks.verdicts import check_privileges, check_verdict
from migrate_plugins_vmware.checks.versions import check_versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrate_plugins import Access, Plan, Selection
    from migrate_plugins_vmware.checks.reading import Reading

__all__ = ["KINDS", "check", "judge"]


def check(
    plan: Plan, source: Access, destination: Access, selection: Selection
) -> Sequence[Finding]:
    """Read what the vCenter tells of the move, and judge it."""
    if not selection.wants(*(kind.id for kind in KINDS)):
        return []
    from migrate_plugins_vmware.checks.reader import read_all  # noqa: PLC0415 - imports pyVmomi
    from migrate_plugins_vmware.session import VSphereSession  # noqa: PLC0415 - likewise

    here, there = source.session, destination.session
    if not isinstance(here, VSphereSession) or not isinstance(there, VSphereSession):
        return [_unread(plan.uris.source.value, "no session with both hosts")]
    try:
        return [*judge(plan, read_all(plan, here, there, selection))]
    except DriverError as error:  # what else was found still holds
        return [_unread(plan.uris.source.value, str(error))]


def judge(plan: Plan, reading: Reading) -> Iterator[Finding]:
    """Give what follows from what the vCenter told.  Pure."""
    yield from check_place(plan, reading)
    if reading.unmet is not None:
        yield Finding(
            "option-unmet",
            Severity.ERROR,
            reading.destination.name,
            reading.unmet,
            remedy="name what is there, or leave the option out",
            acceptable=False,
        )
    if reading.guest is not None:
        case = Case(plan, reading.guest, reading)
        yield from check_guest(case)
        yield from check_hosts(case)
        yield from check_storage(case)
        yield from check_networks(case)
        yield from check_devices(case)
        yield from check_processors(case)
        yield from check_resources(case)
        yield from check_encryption(case)
        yield from check_versions(case)
        yield from check_verdict(case)
        yield from check_privileges(case)
    if reading.unread:
        yield _unread(reading.source.name, "; ".join(reading.unread))


def _unread(host: str | None, told: str) -> Finding:
    return Finding(
        "inventory-unknown",
        Severity.INFO,
        host,
        "the vCenter did not tell all that a check asks for; what follows from it is unknown",
        seen=told,
    )
