"""Moves that begin, and those that somebody else began."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

from pyVmomi import vim

from migrate_plugins import DriverError, Mend
from migrate_plugins_vmware.commands import govc
from migrate_plugins_vmware.faults import doing
from migrate_plugins_vmware.inventory import moid, read
from migrate_plugins_vmware.moves import choose, specification
from migrate_plugins_vmware.options import Wishes
from migrate_plugins_vmware.relocation import Relocation
from migrate_plugins_vmware.survey import look, read_backings
from migrate_plugins_vmware.tasks import under_way

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate_plugins import GuestFacts, Plan
    from migrate_plugins_vmware.moves import Guest, Site
    from migrate_plugins_vmware.session import VSphereSession
    from migrate_plugins_vmware.vcenter import VCenter

__all__ = ["adopt", "locator", "mend", "mend_command", "start"]

_NOTHING_TO_MEND: Final = (
    "a vCenter keeps each guest once, on one host, with its configuration: nothing is left over"
    " that would have to be resumed, ended, stored or removed"
)


def start(source: VSphereSession, destination: VSphereSession, plan: Plan) -> Relocation:
    """Have the vCenter move a guest.

    Raises:
        UsageError: Something that was named is not there; nothing was begun.
        DriverError: It cannot be begun.
    """
    wishes = Wishes.of(plan)
    guest, site = look(source, destination, plan)
    vcenter = source.vcenter
    there = not site.other and guest.host is not None and moid(guest.host) == moid(site.host)
    relocation = Relocation(
        vcenter,
        plan.guest,
        guest.reference,
        _away(vcenter, destination, guest) if site.other else _moved(vcenter, guest, site),
        wishes.timeout,
    )
    if there and wishes.places:
        asked = ", ".join(f"-o {name}" for name in wishes.places)
        problem = f"it is on {site.name} already, and {asked} would have to be done by itself"
        raise DriverError(f"moving {plan.guest}", problem=problem)
    if there:
        relocation.finish()
        return relocation
    move = choose(wishes, guest, site, plan.uris.migration.value)
    backings = read_backings(destination.vcenter, move)

    def call() -> Any:  # noqa: ANN401 - pyVmomi is untyped
        # Made only here: what has a password in it is not kept.
        service = locator(destination.vcenter) if move.other else None
        spec = specification(move, backings, service)
        return guest.reference.RelocateVM_Task(spec, move.priority)

    relocation.begin(call)
    return relocation


def adopt(session: VSphereSession, name: str) -> Relocation | None:
    """Follow the move of a guest that is under way, or give None where none is."""
    with doing(f"looking for a move of {name}"):
        found = session.find_guest(name)
    task = None if found is None else under_way(session.vcenter, found.reference)
    if found is None or task is None:
        return None
    # Where it was to go is known to whoever began it.
    relocation = Relocation(session.vcenter, name, found.reference, lambda: None)
    relocation.follow(task.reference)
    return relocation


def mend(session: VSphereSession, step: Mend, guest: GuestFacts) -> None:
    """Cancel the move of a guest that is still as it was read.

    Raises:
        DriverError: It is refused.
    """
    action = f"{step} of {guest.name}"
    now = session.guest_by_uuid(guest.uuid)
    if now is None or (now.state, now.job) != (guest.state, guest.job):
        seen = "gone" if now is None else f"{now.state}, job: {now.job or 'none'}"
        raise DriverError(action, problem=f"it has changed since it was read: it is {seen}")
    if step is not Mend.ABORT:
        raise DriverError(action, problem=_NOTHING_TO_MEND)
    relocation = adopt(session, now.name)
    if relocation is None:
        raise DriverError(action, problem="no move of it is under way")
    relocation.cancel()


def mend_command(session: VSphereSession, step: Mend, guest: GuestFacts) -> str | None:
    """Give the same step as a line for a shell, or None where there is none."""
    with doing(f"looking for a move of {guest.name}"):
        found = session.find_guest(guest.name) if step is Mend.ABORT else None
    task = None if found is None else under_way(session.vcenter, found.reference)
    if task is None:
        return None
    return shlex.join(govc(session.place, "task.cancel", task.key.moid))


def _moved(vcenter: VCenter, guest: Guest, site: Site) -> Callable[[], str | None]:
    """Tell whether the guest is on the destination, within one vCenter."""

    def arrived() -> str | None:
        with doing(f"reading where {guest.name} is"):
            found = read(vcenter, [guest.reference], ["runtime.host"])
        host = found[0].values.get("runtime.host") if found else None
        if host is not None and moid(host) == moid(site.host):
            return None
        if host is None:
            return f"{guest.name} is not in the vCenter any more"
        with doing(f"reading where {guest.name} is"):
            names = [each.values.get("name") for each in read(vcenter, [host], ["name"])]
        return f"{guest.name} is on {next(iter(names), moid(host))}, and not on {site.name}"

    return arrived


def _away(vcenter: VCenter, destination: VSphereSession, guest: Guest) -> Callable[[], str | None]:
    """Tell whether the guest is on the destination, which is another vCenter's."""

    def arrived() -> str | None:
        with doing(f"reading where {guest.name} is"):
            here = read(vcenter, [guest.reference], ["runtime.host"])
        # It is registered there before it has left here.
        if here:
            return f"{guest.name} is still in the vCenter {vcenter.host}"
        with doing(f"reading where {guest.name} is"):
            there = destination.find_guest(guest.name)
        if there is not None and str(there.values.get("config.uuid")).lower() == guest.uuid:
            return None
        host = destination.target.values.get("name")
        return f"{guest.name} has left the vCenter {vcenter.host}, and is not on {host}"

    return arrived


def locator(vcenter: VCenter) -> Any:  # noqa: ANN401 - pyVmomi is untyped
    """Tell the source's vCenter how to log in with the other one, and which certificate it has."""
    user, password = vcenter.credential()
    return vim.ServiceLocator(
        instanceUuid=vcenter.instance,
        url=vcenter.url,
        credential=vim.ServiceLocator.NamePassword(username=user, password=password),
        sslThumbprint=vcenter.thumbprint,
    )
