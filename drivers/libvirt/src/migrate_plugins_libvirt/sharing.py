"""Hints that both hosts keep their configuration in one folder.

There undefining the guest on the source removes what the destination has just stored.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from migrate_plugins import ConnectionURI, DriverError, Finding, FindingKind, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Access, Facts, Plan, Shell

__all__ = ["KINDS", "examine_sharing"]

KINDS: Final = (
    FindingKind(
        "configuration-shared",
        Severity.WARNING,
        "both hosts seem to keep their configuration in one folder",
    ),
)

# What lies under the folder, and what that is: a local device has its name on every machine.
_MOUNT: Final = ("findmnt", "--noheadings", "--output", "FSTYPE,SOURCE", "--target")
_SHARED: Final = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.glusterfs", "fuse.sshfs", "gfs2"}
    | {"gpfs", "lustre", "nfs", "nfs4", "ocfs2", "smb3", "virtiofs"}
)


def examine_sharing(
    plan: Plan, facts: Facts, source: Access, destination: Access, folder: str
) -> Iterator[Finding]:
    """Look whether one folder holds the configuration of both hosts.

    Args:
        plan: Complete.
        facts: What both hosts answered.
        source: Ways to look at the source.
        destination: Ways to look at the destination.
        folder: Where the hypervisor's driver of libvirt keeps definitions, as root.
    """
    if facts.destination is None or facts.guest is None:
        return
    seen = _one_filesystem(plan, source.shell, destination.shell, folder)
    if seen is not None:
        told = f"{folder} is on {seen}"
        yield _finding(plan, facts.destination.name, folder, Severity.WARNING, told)
    elif plan.request.undefine_source and _one_list(facts, source, destination):
        yield _finding(
            plan,
            facts.destination.name,
            folder,
            Severity.INFO,
            "both hosts have the same persistent guests",
        )


def _finding(plan: Plan, host: str, folder: str, severity: Severity, seen: str) -> Finding:
    consequence = (
        "--undefinesource would remove the configuration that the destination has just stored"
        if plan.request.undefine_source
        else "undefining the guest on one removes it on the other"
    )
    sure = severity is Severity.WARNING
    return Finding(
        "configuration-shared",
        severity,
        host,
        f"both hosts {'keep' if sure else 'may keep'} their configuration in one folder:"
        f" {consequence}",
        seen=seen,
        expected="a folder of its own for each host",
        remedy=f"compare on both: stat --file-system {folder}"
        + ("; leave out --undefinesource until then" if plan.request.undefine_source else ""),
    )


def _one_filesystem(
    plan: Plan, source: Shell | None, destination: Shell | None, folder: str
) -> str | None:
    """Name the filesystem that both folders are on, where it is one of a network; else None."""
    if source is None or destination is None or not _privileged(plan):
        return None
    answers = [shell.run([*_MOUNT, folder]) for shell in (source, destination)]
    if any(answer.status != 0 for answer in answers):
        return None
    (kind, what), other = (tuple(answer.output.split()[:2]) or ("", "") for answer in answers)
    return f"{kind} {what}" if (kind, what) == other and kind in _SHARED else None


def _privileged(plan: Plan) -> bool:
    uris = (plan.uris.source.value, plan.uris.destination_from_client.value)
    return not any(
        uri is not None and ConnectionURI.parse(uri).path.startswith("/session") for uri in uris
    )


def _one_list(facts: Facts, source: Access, destination: Access) -> bool:
    """Whether the same persistent guests, and more than this one, are known on both hosts."""
    from migrate_plugins_libvirt.session import LibvirtSession  # noqa: PLC0415 - imports libvirt

    sessions = (source.session, destination.session)
    lists = []
    with suppress(DriverError):
        lists = [
            session.persistent_guests()
            for session in sessions
            if isinstance(session, LibvirtSession)
        ]
    if len(lists) != len(sessions):
        return False
    here, there = lists
    return here == there and len(here) > 1 and facts.guest is not None and facts.guest.persistent
