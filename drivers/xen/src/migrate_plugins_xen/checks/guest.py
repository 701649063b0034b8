"""What follows from what both hosts told about the guest.  Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, Flow, GuestState, MigrationURI, Revision, Severity
from migrate_plugins_xen.checks.memory import check_memory
from migrate_plugins_xen.inspection import Kind, Toolstack
from migrate_plugins_xen.truth import AWAITED, HELD, MISCALLED, RESTART

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Facts, GuestFacts, Leftover, Plan
    from migrate_plugins_xen.inspection import Inspection

__all__ = ["judge"]

# libvirt's driver waits a minute for a guest that cannot answer, and then gives up.
_PAUSED: Final = (
    "Xen asks a guest to stand still before it takes the last of its memory, and one that is paused"
    " does not answer: the transfer fails after a minute, and the guest stays as it is"
)
_XENMIGR: Final = "xenmigr"


def judge(plan: Plan, facts: Facts, inspection: Inspection) -> Iterator[Finding]:
    """Give every finding about the guest and about what moves it."""
    guest = facts.guest
    host = facts.source.name
    if guest is None:
        return
    if inspection.definition is not None and inspection.definition.number == 0:
        yield _host_itself(plan, host)
        return
    if guest.leftover == HELD:
        yield _held(host, HELD)
    elif guest.leftover == MISCALLED:
        yield _miscalled(host, guest)
    resident, there = facts.resident, facts.destination
    if there is not None and resident is not None and resident.leftover == AWAITED:
        yield _held(there.name, AWAITED)
    if guest.state is GuestState.PAUSED:
        yield _paused(plan, host, guest)
    yield from _live(plan, host, inspection)
    yield from _devices(plan, host, inspection)
    if facts.destination is not None and inspection.memory is not None:
        for short in check_memory(guest, facts.destination.name, inspection.memory):
            yield short._replace(remedy=f"choose another destination; or {short.remedy}")
    yield from _toolstacks(plan, facts, inspection)
    for told in inspection.unread:
        yield Finding(
            "host-facts-unknown",
            Severity.INFO,
            host,
            "a host did not tell all that a check asks for; what follows from it is unknown",
            seen=told,
        )


def _host_itself(plan: Plan, host: str) -> Finding:
    return Finding(
        "guest-is-host",
        Severity.ERROR,
        host,
        f"{plan.guest} is {host} itself, as Xen runs it",
        seen=f"{plan.guest}, domain 0",
        expected="one of its guests",
        remedy=f"name one of these: {_virsh(plan, 'list', '--name')}",
        acceptable=False,
    )


def _held(host: str, leftover: Leftover) -> Finding:
    return Finding(
        "job-held",
        Severity.ERROR,
        host,
        leftover.text,
        seen="a job under which nothing moves",
        expected="no job",
        remedy=f"on {host}: {RESTART} (guests run on)",
    )


def _miscalled(host: str, guest: GuestFacts) -> Finding:
    return Finding(
        "state-wrong",
        Severity.INFO,
        host,
        f"{MISCALLED.text}; a migration of it that succeeds puts that right",
        seen=f"{guest.name} runs",
        expected="the same from libvirt",
    )


def _paused(plan: Plan, host: str, guest: GuestFacts) -> Finding:
    return Finding(
        "guest-cannot-suspend",
        Severity.ERROR,
        host,
        _PAUSED,
        seen=f"paused{f' ({guest.reason})' if guest.reason else ''}",
        expected="running",
        remedy=_virsh(plan, "resume", guest.name),
    )


def _live(plan: Plan, host: str, inspection: Inspection) -> Iterator[Finding]:
    """Find a PV guest whose memory the hypervisor cannot track."""
    definition = inspection.definition
    # xl knows no other way than a live one.
    unmanaged = plan.scenario.flow is Flow.UNMANAGED_DIRECT
    by_xl = unmanaged and inspection.source is not Toolstack.XEND
    if definition is None or definition.kind is not Kind.PV or inspection.shadow:
        return
    if not (plan.request.live or by_xl):
        return
    known = inspection.shadow is not None
    yield Finding(
        "pv-live",
        Severity.ERROR if known else Severity.WARNING,
        host,
        f"{plan.guest} is a PV guest, and Xen on {host} {'cannot' if known else 'may be unable to'}"
        " track what it writes: it moves without --live alone",
        seen="virt_caps of xl info without shadow" if known else "a PV guest",
        expected="Xen with CONFIG_SHADOW_PAGING, or a PVH or HVM guest",
        remedy="move it by --revision current with --p2p, or managed direct, without --live"
        if by_xl
        else "leave out --live: the guest stands still while it moves",
    )


def _devices(plan: Plan, host: str, inspection: Inspection) -> Iterator[Finding]:
    devices = () if inspection.definition is None else inspection.definition.devices
    for device in devices:
        yield Finding(
            "host-device",
            Severity.ERROR,
            host,
            f"a device of {host} is passed through to {plan.guest}: it cannot move with it",
            seen=device,
            expected="no device of the host",
            remedy=_virsh(plan, "detach-device", plan.guest, "FILE"),
        )


def _toolstacks(plan: Plan, facts: Facts, inspection: Inspection) -> Iterator[Finding]:
    """Find that a daemon does not understand what the plan's rules write."""
    # In unmanaged direct the source alone decides, and xl or xend both read what may be written.
    unmanaged = plan.scenario.flow is Flow.UNMANAGED_DIRECT
    there = None if unmanaged or facts.destination is None else facts.destination.name
    drivers = ((facts.source.name, inspection.source), (there, inspection.destination))
    original = plan.request.revision is Revision.ORIGINAL
    wrong = Toolstack.LIBXL if original else Toolstack.XEND
    scheme = _scheme(plan.uris.migration.value)
    for host, toolstack in drivers:
        if host is None or toolstack is not wrong:
            continue
        if original and (unmanaged or scheme != _XENMIGR):
            continue  # libxl does the same: it makes the URI, or puts tcp:// before a host
        yield Finding(
            "toolstack-other",
            Severity.ERROR,
            host,
            f"libvirt drives {toolstack} on {host}, which does not understand {scheme}://"
            if original
            else f"libvirt drives {toolstack} on {host}, and revision current plans for libxl and"
            " xl",
            seen=str(toolstack),
            expected=str(Toolstack.XEND if original else Toolstack.LIBXL),
            remedy="leave the migration URI out, or write HOST[:PORT], which both understand; or"
            " --revision current with tcp://HOST[:PORT]"
            if original
            else "--revision original, which plans for xend",
            acceptable=False,
        )


def _scheme(uri: str | None) -> str | None:
    scheme = None if uri is None else MigrationURI.parse(uri).scheme
    return None if scheme is None else scheme.lower()


def _virsh(plan: Plan, *words: str) -> str:
    return shlex.join(["virsh", "-c", plan.uris.source.value or "", *words])
