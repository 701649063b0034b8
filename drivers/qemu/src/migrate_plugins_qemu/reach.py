"""What lies between the two hosts: names, the way of the second URI, versions, shared folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, FindingKind, Severity
from migrate_plugins_libvirt import peer, sharing, versions
from migrate_plugins_qemu import receiver

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrate_plugins import Access, Diagnosis, Facts, Plan, Selection

__all__ = ["KINDS", "examine_reach"]

# How the path of a URI begins, for each of the daemons.
_PATHS: Final = ("/system", "/session", "/embed")
# Where the privileged one keeps definitions.
_FOLDER: Final = "/etc/libvirt/qemu"

KINDS: Final = (
    FindingKind(
        "destination-name-localhost",
        Severity.ERROR,
        "the destination calls itself localhost, and no migration URI is given",
    ),
    *peer.KINDS,
    *versions.KINDS,
    *sharing.KINDS,
)


def examine_reach(
    plan: Plan, facts: Facts, source: Access, destination: Access, selection: Selection
) -> Sequence[Finding]:
    """Give every finding of it that is wanted."""
    findings = [
        *versions.compare_versions(plan, facts),
        *peer.examine_peer(plan, facts, source, selection, _diagnose, _PATHS),
        *_localhost(plan, facts, destination),
    ]
    if selection.wants(*(kind.id for kind in sharing.KINDS)):
        findings += sharing.examine_sharing(plan, facts, source, destination, _FOLDER)
    return findings


def _diagnose(text: str) -> Sequence[Diagnosis]:
    from migrate_plugins_qemu.diagnoses import CATALOGUE  # noqa: PLC0415 - most connections work

    return CATALOGUE.diagnose(text)


def _localhost(plan: Plan, facts: Facts, destination: Access) -> Iterator[Finding]:
    """Find a destination that would write localhost into the migration URI."""
    if facts.destination is None or not facts.destination.name.startswith("localhost"):
        return
    if plan.uris.migration.value is not None or plan.port.first is None:
        return
    told = receiver.find_receiver(plan, facts, destination).host
    if told is not None and not told.startswith("localhost"):
        return  # migration_host of its qemu.conf
    yield Finding(
        "destination-name-localhost",
        Severity.ERROR,
        facts.destination.name,
        "the destination calls itself localhost, so that libvirt cannot make a migration URI from"
        " its name",
        seen=facts.destination.name,
        expected="a name that the source resolves to the destination",
        remedy="hostnamectl set-hostname NAME on the destination, or give the migration URI:"
        " tcp://ADDRESS/",
    )
