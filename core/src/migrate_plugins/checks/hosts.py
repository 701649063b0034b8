"""What both hosts show, whatever the hypervisor."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from migrate_plugins.findings import Finding, Severity
from migrate_plugins.sessions import GuestState, Mend, Mender

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins.plan import Plan
    from migrate_plugins.sessions import Facts, GuestFacts, HostFacts, Session

__all__ = ["compare"]


def compare(
    plan: Plan, facts: Facts, here: Session | None, there: Session | None
) -> Iterator[Finding]:
    """Compare *plan* with what both hosts answered.

    Args:
        plan: What is to be done.
        facts: What both answered.
        here: An open session with the source, or None.
        there: An open session with the destination, or None.
    """
    if facts.destination is None:
        yield Finding(
            "destination-not-readable",
            Severity.INFO,
            plan.uris.destination_from_client.value,
            f"the client cannot look at the destination: {facts.unreadable}",
            remedy="give --desturi as the client opens it, and the source's view as second URI",
        )
    else:
        yield from _one_host(facts.source, facts.destination)
    if facts.guest is None:
        if facts.moved_already and facts.destination is not None:
            yield _moved_already(plan, facts.destination.name)
            return
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
    yield from _guest(plan, facts.source.name, facts.guest, here)
    if facts.destination is None:
        return
    residents = [facts.resident]
    if there is not None and facts.resident is not None and facts.resident.uuid != facts.guest.uuid:
        # Who has the name is not who has the uuid: with another name the next refusal would come.
        residents.append(there.guest_by_uuid(facts.guest.uuid))
    for resident in residents:
        if resident is not None:
            yield from _resident(plan, facts.destination.name, facts.guest, resident)


def _moved_already(plan: Plan, host: str) -> Finding:
    """Say that nothing is left to do; whether the rest is as asked for, only the driver knows."""
    there = f"{plan.destination_name} is on {host} already"
    if not plan.request.options:
        return Finding("moved-already", Severity.INFO, host, f"{there}: nothing is left to do")
    asked = plan.own_as_typed
    return Finding(
        "moved-already",
        Severity.WARNING,
        host,
        f"{there}, and nothing is done: whether it is there as {asked} asks was not looked at",
        seen=asked,
        remedy="look there yourself",
    )


def _one_host(source: HostFacts, destination: HostFacts) -> Iterator[Finding]:
    """Find that both are one host, or look as if they were."""
    same_uuid = source.uuid is not None and source.uuid == destination.uuid
    same_name = bool(source.name) and source.name == destination.name
    if same_uuid and same_name:
        yield Finding(
            "same-host",
            Severity.ERROR,
            destination.name,
            "the destination is the source",
            seen=destination.uuid,
            expected="another host, with another uuid",
            remedy="correct the destination URI",
            acceptable=False,
        )
    elif same_uuid:
        yield Finding(
            "same-host-uuid",
            Severity.ERROR,
            destination.name,
            f"{source.name} and {destination.name} have one uuid, as boards of one make and cloned"
            " machines do: each takes the other for itself",
            seen=destination.uuid,
            expected="another uuid",
            remedy=f"on {destination.name} give the daemon a uuid of its own and restart it"
            " (libvirt: host_uuid in libvirtd.conf, made with uuidgen)",
            acceptable=False,
        )
    elif same_name and None in {source.inventory, destination.inventory}:
        # A management that has many hosts tells them apart by more than a name.
        yield Finding(
            "same-host-name",
            Severity.ERROR,
            destination.name,
            f"both hosts call themselves {destination.name}: each takes the other for itself",
            seen=destination.name,
            expected="another name",
            remedy="on one of them: hostnamectl set-hostname NAME",
        )


def _guest(plan: Plan, host: str, guest: GuestFacts, here: Session | None) -> Iterator[Finding]:
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
            remedy=here.mend_command(Mend.ABORT, guest) if isinstance(here, Mender) else None,
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
    elif resident.persistent:
        yield _stale(plan, host, resident)


def _stale(plan: Plan, host: str, resident: GuestFacts) -> Finding:
    """Say what becomes of an old configuration, by the table of the revision."""
    after = plan.configuration.after
    if plan.request.persistent:
        severity, fate = Severity.INFO, "it is replaced"
    elif after is not None and not after.destination_config:
        severity, fate = Severity.WARNING, "the document expects it to go"
    else:
        severity, fate = Severity.WARNING, "it stays as it is, and is what the guest starts as next"
    return Finding(
        "stale-configuration",
        severity,
        host,
        f"{host} has an old configuration of {resident.name}: {fate}",
        seen=f"{resident.name}, {resident.uuid}",
        remedy=None if plan.request.persistent else "--persistent replaces it",
    )


def _virsh(plan: Plan, *command: str) -> str | None:
    """Write a virsh command for the source as it can be typed, where virsh is the tool to use."""
    if all(said.tool != "virsh" for said in plan.commands):
        return None
    return shlex.join(["virsh", "-c", plan.uris.source.value or "", *command])
