"""What both hosts show, whatever the hypervisor."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from migrate_plugins.findings import Finding, Severity
from migrate_plugins.sessions import GuestState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins.plan import Plan
    from migrate_plugins.sessions import Facts, GuestFacts

__all__ = ["compare"]


def compare(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Compare *plan* with what both hosts answered."""
    if facts.destination is None:
        yield Finding(
            "destination-not-readable",
            Severity.INFO,
            plan.uris.destination_from_client.value,
            f"the client cannot look at the destination: {facts.unreadable}",
            remedy="give --desturi as the client opens it, and the source's view as second URI",
        )
    elif facts.source.uuid is not None and facts.source.uuid == facts.destination.uuid:
        yield Finding(
            "same-host",
            Severity.ERROR,
            facts.destination.name,
            "the destination is the source, or both hosts have one uuid",
            seen=facts.destination.uuid,
            expected="another uuid",
            remedy="correct the destination URI, or give each host a uuid of its own",
            acceptable=False,
        )
    if facts.guest is None:
        yield Finding(
            "guest-not-found",
            Severity.ERROR,
            facts.source.name,
            f"{facts.source.name} has no guest {plan.guest!r}",
            seen=plan.guest,
            remedy=_virsh(plan, "list", "--all"),
            acceptable=False,
        )
        return
    yield from _guest(plan, facts.source.name, facts.guest)
    if facts.resident is not None and facts.destination is not None:
        yield from _resident(plan, facts.destination.name, facts.guest, facts.resident)


def _guest(plan: Plan, host: str, guest: GuestFacts) -> Iterator[Finding]:
    if plan.request.offline and guest.state.active:
        yield Finding(
            "guest-running",
            Severity.ERROR,
            host,
            "--offline moves the definition of a guest that is shut off, and this one is not",
            seen=guest.state.value,
            expected=GuestState.SHUTOFF.value,
            remedy="leave out --offline, or shut the guest off",
            acceptable=False,
        )
    if not plan.request.offline and not guest.state.active:
        yield Finding(
            "guest-not-running",
            Severity.ERROR,
            host,
            f"{guest.name} does not run, so that there is no memory to move",
            seen=guest.state.value,
            expected=GuestState.RUNNING.value,
            remedy="--offline --persistent moves its definition; or start it first",
        )
    if guest.job is not None:
        yield Finding(
            "guest-busy",
            Severity.ERROR,
            host,
            f"something else is being done to {guest.name}",
            seen=guest.job,
            expected="no job",
            remedy=_virsh(plan, "domjobabort", guest.name),
        )


def _resident(plan: Plan, host: str, guest: GuestFacts, resident: GuestFacts) -> Iterator[Finding]:
    if resident.uuid != guest.uuid:
        yield Finding(
            "name-taken",
            Severity.ERROR,
            host,
            f"{host} has another guest of the name {resident.name!r}",
            seen=resident.uuid,
            expected=guest.uuid,
            remedy="--dname NAME gives the guest another name there",
        )
    elif resident.state.active:
        yield Finding(
            "already-there",
            Severity.ERROR,
            host,
            f"{resident.name} is active on {host} already",
            seen=resident.state.value,
            expected="no active guest of this uuid",
            remedy="find out which of the two is the right one; do not start or stop either yet",
            acceptable=False,
        )
    elif resident.name != plan.destination_name:
        yield Finding(
            "uuid-taken",
            Severity.ERROR,
            host,
            f"{host} has a configuration with the guest's uuid under another name",
            seen=resident.name,
            expected=plan.destination_name,
            remedy=f"--dname {resident.name}, or remove that configuration there",
        )


def _virsh(plan: Plan, *command: str) -> str | None:
    """Write a virsh command for the source as it can be typed, where virsh is the tool to use."""
    if all(said.tool != "virsh" for said in plan.commands):
        return None
    return shlex.join(["virsh", "-c", plan.uris.source.value or "", *command])
