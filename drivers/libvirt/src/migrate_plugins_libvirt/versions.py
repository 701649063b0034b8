"""Whether the two daemons, and the two hypervisors, can talk about this migration."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, FindingKind, Severity, UsageError
from migrate_plugins_libvirt.calls import choose_call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Facts, HostFacts, Plan

__all__ = ["KINDS", "compare_versions"]

KINDS: Final = (
    FindingKind(
        "call-not-available",
        Severity.ERROR,
        "no call of libvirt's carries the plan's options on these hosts",
    ),
    FindingKind(
        "daemon-too-old",
        Severity.ERROR,
        "a daemon does not know a flag of the plan",
    ),
    FindingKind(
        "hypervisor-older",
        Severity.WARNING,
        "the hypervisor of the destination is older than that of the source",
    ),
    FindingKind(
        "hypervisor-other",
        Severity.ERROR,
        "the destination runs another hypervisor",
    ),
)

# The release of libvirt that brought each flag: include/libvirt/libvirt-domain.h of 9.0.0.
_SINCE: Final = {
    "VIR_MIGRATE_PEER2PEER": (0, 7, 2),
    "VIR_MIGRATE_TUNNELLED": (0, 7, 2),
    "VIR_MIGRATE_PERSIST_DEST": (0, 7, 3),
    "VIR_MIGRATE_UNDEFINE_SOURCE": (0, 7, 3),
    "VIR_MIGRATE_PAUSED": (0, 7, 5),
    "VIR_MIGRATE_NON_SHARED_DISK": (0, 8, 2),
    "VIR_MIGRATE_NON_SHARED_INC": (0, 8, 2),
    "VIR_MIGRATE_UNSAFE": (0, 9, 11),
    "VIR_MIGRATE_OFFLINE": (1, 0, 1),
    "VIR_MIGRATE_COMPRESSED": (1, 0, 3),
    "VIR_MIGRATE_ABORT_ON_ERROR": (1, 1, 0),
    "VIR_MIGRATE_AUTO_CONVERGE": (1, 2, 3),
    "VIR_MIGRATE_POSTCOPY": (1, 3, 3),
    "VIR_MIGRATE_TLS": (3, 2, 0),
    "VIR_MIGRATE_PARALLEL": (5, 2, 0),
}
_VERSION: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def compare_versions(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Compare what both hosts run with what the plan needs."""
    hosts = [facts.source] if facts.destination is None else [facts.source, facts.destination]
    for host in hosts:
        yield from _daemon(plan, host)
    versions = [_version(host.daemon) for host in hosts]
    yield from _call(plan, facts.source.name, [each for each in versions if each is not None])
    if facts.destination is not None:
        yield from _hypervisors(plan, facts.source, facts.destination)


def _daemon(plan: Plan, host: HostFacts) -> Iterator[Finding]:
    """Find the flags that a daemon is too old for."""
    version = _version(host.daemon)
    unknown = [
        flag for flag in plan.flags if version is not None and _SINCE.get(flag, version) > version
    ]
    if unknown:
        newest = max(_SINCE[flag] for flag in unknown)
        yield Finding(
            "daemon-too-old",
            Severity.ERROR,
            host.name,
            f"the daemon of {host.name} does not know {', '.join(unknown)}",
            seen=host.daemon,
            expected=f"libvirt {'.'.join(map(str, newest))} or newer",
            remedy="leave out what sets it, or upgrade libvirt there",
        )


def _call(plan: Plan, host: str, versions: list[tuple[int, ...]]) -> Iterator[Finding]:
    """Find that no call of libvirt's carries the plan's options."""
    files = (plan.request.xml, plan.request.persistent_xml)
    readable = all(file is None or os.access(file, os.R_OK) for file in files)
    if not versions or not readable:  # the core says so of files
        return
    major, minor, release = min(versions)
    try:
        choose_call(plan, major * 1_000_000 + minor * 1_000 + release, 0)
    except UsageError as error:
        yield Finding(
            "call-not-available",
            Severity.ERROR,
            host,
            str(error),
            seen=f"libvirt {major}.{minor}.{release} is the older of the two",
            remedy="leave the option out, or choose another scenario",
            acceptable=False,
        )


def _hypervisors(plan: Plan, source: HostFacts, destination: HostFacts) -> Iterator[Finding]:
    one, other = source.hypervisor.partition(" ")[0], destination.hypervisor.partition(" ")[0]
    if one != other:
        yield Finding(
            "hypervisor-other",
            Severity.ERROR,
            destination.name,
            f"{source.name} runs {one} and {destination.name} runs {other}: no guest moves between"
            " the two",
            seen=destination.hypervisor,
            expected=source.hypervisor,
            remedy="choose a destination with the same hypervisor",
            acceptable=False,
        )
        return
    older, newer = _version(destination.hypervisor), _version(source.hypervisor)
    # A definition alone is read anew by whatever starts the guest there.
    if older is not None and newer is not None and older < newer and not plan.request.offline:
        yield Finding(
            "hypervisor-older",
            Severity.WARNING,
            destination.name,
            f"{one} is older on {destination.name}: it may lack the guest's machine type, or not"
            " understand the state of a device",
            seen=destination.hypervisor,
            expected=f"{source.hypervisor} or newer",
            remedy=f"migrate towards the newer one, or upgrade {one} there",
        )


def _version(text: str) -> tuple[int, ...] | None:
    match = _VERSION.search(text)
    return None if match is None else tuple(map(int, match.groups()))
