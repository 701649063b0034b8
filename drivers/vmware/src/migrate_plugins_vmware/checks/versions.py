"""Versions as vSphere writes them, and what two vCenters need of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_vmware.checks.case import Case

__all__ = ["check_versions", "parsed"]

# A move to another vCenter came with the one, and with the other (7.0 U1c) the two need no longer
# share a single sign-on domain.
_CROSSING: Final = (6, 0)
_APART: Final = (7, 0, 1, 1)


def parsed(version: str) -> tuple[int, ...]:
    """Read a version such as ``7.0.3.0``, up to what is no number."""
    numbers: list[int] = []
    for part in version.split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)


def check_versions(case: Case) -> Iterator[Finding]:
    """Compare the two vCenters, if there are two."""
    if not case.reading.crossing:
        return
    versions = case.reading.versions
    uris = case.plan.uris
    for version, uri in zip(versions, (uris.source, uris.destination), strict=True):
        if parsed(version) < _CROSSING:
            yield Finding(
                "vcenter-too-old",
                Severity.ERROR,
                uri.value,
                "this vCenter cannot move a guest to another one, nor take one from there",
                seen=version or "no version",
                expected="vSphere 6.0 or later on both sides",
                remedy="export the guest and import it: govc export.ovf, govc import.ovf",
            )
    oldest = min(versions, key=parsed)
    if _CROSSING <= parsed(oldest) < _APART:
        yield Finding(
            "vcenter-domains",
            Severity.WARNING,
            None,
            "before 7.0 U1c a guest moves only between vCenters of one single sign-on domain, and"
            " nobody has looked whether these two are",
            seen=f"{versions[0]} and {versions[1]}",
            expected="one domain, or 7.0.1.1 on both sides",
            remedy="govc sso.service.ls on both, and compare",
        )
