"""Findings that only both VirtualBoxes know of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import DriverError, Finding, Severity
from migrate_plugins_vbox.checks.case import Case, Side
from migrate_plugins_vbox.checks.devices import check_devices, device_files
from migrate_plugins_vbox.checks.guest import check_guest
from migrate_plugins_vbox.checks.hosts import check_hosts
from migrate_plugins_vbox.checks.kinds import DISKS, KINDS, PASSWORD
from migrate_plugins_vbox.checks.password import check_password
from migrate_plugins_vbox.checks.storage import check_storage, disk_pairs
from migrate_plugins_vbox.checks.target import check_target
from migrate_plugins_vbox.checks.tunnel import check_tunnel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrate_plugins import Access, Facts, Plan, Selection
    from migrate_plugins_vbox.machine import Machine
    from migrate_plugins_vbox.session import VBoxSession
    from migrate_plugins_vbox.sharing import Proof

__all__ = ["KINDS", "check", "judge"]


def check(
    plan: Plan, facts: Facts, source: Access, destination: Access, selection: Selection
) -> list[Finding]:
    """Look at the client's files, then at both hosts, and judge what they tell."""
    findings = [*check_password(plan)] if selection.wants(*(kind.id for kind in PASSWORD)) else []
    if facts.guest is None or not selection.wants(
        *(kind.id for kind in KINDS if kind not in PASSWORD)
    ):
        return findings
    from migrate_plugins_vbox.session import VBoxSession  # noqa: PLC0415 - planning needs none

    here, there = source.session, destination.session
    if not isinstance(here, VBoxSession) or not isinstance(there, VBoxSession):
        return findings  # that a host is not looked at is said already
    try:
        findings += check_tunnel(plan, here, there)
        case = _look(plan, facts.guest.uuid, here, there, selection)
    except (DriverError, ValueError) as error:  # what else was found still holds
        return [*findings, _unknown(facts.source.name, str(error))]
    return [*findings, *(judge(case) if case is not None else ())]


def judge(case: Case) -> Iterator[Finding]:
    """Give what follows from what both hosts told.  Pure."""
    yield from check_hosts(case)
    yield from check_guest(case)
    yield from check_target(case)
    yield from check_storage(case)
    yield from check_devices(case)
    for side in (case.source, case.destination):
        if side.reading.problem is not None:
            yield _unknown(side.name, side.reading.problem)


def _look(
    plan: Plan, uuid: str, here: VBoxSession, there: VBoxSession, selection: Selection
) -> Case | None:
    """Read both hosts; None where the guest is not there any more."""
    from migrate_plugins_vbox.settings import settings_path  # noqa: PLC0415 - planning needs none
    from migrate_plugins_vbox.sharing import prove  # noqa: PLC0415 - likewise

    guest = here.seen(uuid)
    if guest is None:
        return None
    target = there.seen(uuid)
    source = _side(here, guest)
    path = ""
    if target is None:
        path = settings_path(there.found.machine_folder, plan.destination_name)
    destination = _side(
        there, target, path=path, text=source.text, uuid=uuid, files=device_files(target or guest)
    )
    proofs: tuple[Proof, ...] = ()
    if selection.wants(*(kind.id for kind in DISKS)):
        pairs = disk_pairs(guest, target, source.settings)
        proofs = prove(here.manage.runner, there.manage.runner, pairs)
    return Case(plan, guest, source, destination, proofs)


def _side(
    session: VBoxSession,
    machine: Machine | None,
    *,
    path: str = "",
    text: str = "",
    uuid: str = "",
    files: Iterable[str] = (),
) -> Side:
    from migrate_plugins_vbox.checks.reading import read  # noqa: PLC0415 - planning needs none
    from migrate_plugins_vbox.settings import read_settings  # noqa: PLC0415 - likewise

    reading = read(session, path=path, text=text, uuid=uuid, files=files)
    own, settings = "", None
    if machine is not None:
        own = session.manage.settings(machine)
        settings = read_settings(own, machine.settings_file.rpartition("/")[0])
    found, command = session.found, session.manage.command
    return Side(found.hostname, found.version, reading, machine, own, settings, command)


def _unknown(host: str, told: str) -> Finding:
    return Finding(
        "host-facts-unknown",
        Severity.INFO,
        host,
        f"{host} did not tell all that a check asks for; what follows from it is unknown",
        seen=told,
    )
