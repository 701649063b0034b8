"""Findings that only Xen under libvirt knows of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, Flow, Severity
from migrate_plugins_libvirt import peer, sharing, versions
from migrate_plugins_xen.checks.answers import answer
from migrate_plugins_xen.checks.guest import judge
from migrate_plugins_xen.checks.kinds import GUEST, XL
from migrate_plugins_xen.diagnoses import CATALOGUE
from migrate_plugins_xen.foresight import KINDS as FORESEEN
from migrate_plugins_xen.uris import target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrate_plugins import Access, Facts, Plan, Selection

__all__ = ["check"]

# Where libvirt's driver keeps definitions.
_FOLDER: Final = "/etc/libvirt/libxl"


def check(
    plan: Plan, facts: Facts, source: Access, destination: Access, selection: Selection
) -> Sequence[Finding]:
    """Give all that are wanted: what lies between the hosts, and what the guest needs of them."""
    findings = []
    if plan.scenario.flow is not Flow.UNMANAGED_DIRECT:
        findings += [
            *versions.compare_versions(plan, facts),
            *peer.examine_peer(plan, facts, source, selection, CATALOGUE.diagnose),
            *_localhost(plan, facts),
        ]
        if selection.wants(*(kind.id for kind in sharing.KINDS)):
            findings += sharing.examine_sharing(plan, facts, source, destination, _FOLDER)
    if selection.wants(*(kind.id for kind in (*GUEST, *FORESEEN))):
        from migrate_plugins_xen.inspection import inspect  # noqa: PLC0415 - imports libvirt

        seen = inspect(plan, source, destination)
        findings += [*answer(plan, facts, seen), *judge(plan, facts, seen)]
    if plan.scenario.flow is Flow.UNMANAGED_DIRECT and selection.wants(*(kind.id for kind in XL)):
        findings += _handover(plan, facts, source)
    return findings


def _handover(plan: Plan, facts: Facts, source: Access) -> Sequence[Finding]:
    from migrate_plugins_xen.checks import handover  # noqa: PLC0415 - imports libvirt, as do these
    from migrate_plugins_xen.inspection import Toolstack  # noqa: PLC0415
    from migrate_plugins_xen.session import XenSession  # noqa: PLC0415

    here = source.session
    if isinstance(here, XenSession) and here.toolstack is Toolstack.XEND:
        return []  # libvirt does it itself
    host = target(plan).host or ""
    seen = None if source.shell is None else handover.look(source.shell, host)
    return [*handover.judge(plan, facts, seen)]


def _localhost(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find a destination that would write localhost into the migration URI."""
    there = facts.destination
    if there is None or not there.name.startswith("localhost"):
        return
    if plan.uris.migration.value is not None or plan.port.first is None:
        return
    yield Finding(
        "destination-name-localhost",
        Severity.ERROR,
        there.name,
        "the destination calls itself localhost, so that libvirt cannot make a migration URI from"
        " its name",
        seen=there.name,
        expected="a name that the source resolves to the destination",
        remedy="hostnamectl set-hostname NAME on the destination, or give the migration URI:"
        " tcp://ADDRESS/",
    )
