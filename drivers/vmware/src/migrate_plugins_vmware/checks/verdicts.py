"""What the vCenter itself answers: whether it would do the move, and whether the user may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_vmware.checks.case import Case

__all__ = ["check_privileges", "check_verdict"]


def check_verdict(case: Case) -> Iterator[Finding]:
    """Give the answer of CheckRelocate_Task; one that is not to be had is never a yes."""
    verdict = case.reading.verdict
    if verdict.unasked is not None:
        yield Finding(
            "relocate-unknown",
            Severity.INFO,
            case.source.name,
            f"the vCenter was not asked whether it would do the move: {verdict.unasked}; it judges"
            " when it is told to move",
            seen="CheckRelocate_Task",
        )
    for id_, severity, told in (
        ("relocate-refused", Severity.ERROR, verdict.errors),
        ("relocate-warned", Severity.WARNING, verdict.warnings),
    ):
        for fault, words in told:
            yield Finding(
                id_,
                severity,
                case.source.name,
                f"the vCenter {'refuses the move' if told is verdict.errors else 'warns'}: "
                f"{words or 'it says no more than the name of the fault'}",
                seen=fault,
            )


def check_privileges(case: Case) -> Iterator[Finding]:
    """Name each privilege that the user lacks."""
    privileges = case.reading.privileges
    if privileges.unasked is not None:
        yield Finding(
            "privilege-unknown",
            Severity.INFO,
            case.source.name,
            f"whether the user may move the guest is not known: {privileges.unasked}",
            remedy="govc permissions.ls / and govc role.ls ROLE",
        )
    for privilege, where in privileges.missing:
        yield Finding(
            "privilege-missing",
            Severity.ERROR,
            case.source.name,
            f"the user lacks the privilege {privilege} on {where}",
            seen="not granted",
            expected=privilege,
            remedy=f"govc permissions.set -principal USER -role ROLE {where}, with a role that has"
            f" it: govc role.update -a ROLE {privilege}",
        )
