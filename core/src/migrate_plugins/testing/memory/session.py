"""A session with a host in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import (
    AuthenticationError,
    Before,
    ConnectError,
    DriverError,
    GuestFacts,
    GuestState,
    HostFacts,
    Mend,
    MigrationURI,
    __version__,
)
from migrate_plugins.testing.memory.address import Address
from migrate_plugins.testing.memory.hosts import Configuration
from migrate_plugins.testing.memory.migration import MemoryMigration, Move

if TYPE_CHECKING:
    from migrate_plugins import Plan, Session
    from migrate_plugins.testing.memory.hosts import MemoryHost, MemoryHosts

__all__ = ["MemorySession"]


class MemorySession:
    """An open session; see :class:`migrate_plugins.Session`."""

    def __init__(self, hosts: MemoryHosts, uri: str) -> None:
        """Open it.

        Raises:
            InvalidURIError: The URI has a parameter that means nothing.
            ConnectError: There is no such host, or it has a fault.
        """
        self.uri: Final = uri
        self._hosts = hosts
        self._address, self._host = _open(hosts, uri)

    def host(self) -> HostFacts:
        """Read the host's facts."""
        self._readable(f"reading the host behind {self.uri}")
        return HostFacts(
            name=self._host.name,
            uuid=self._host.uuid,
            hypervisor="simulated in memory",
            daemon=f"migrate-plugins {__version__}",
        )

    def guest(self, name: str) -> GuestFacts | None:
        """Read a guest by its name."""
        with self._hosts.changed:
            self._readable(f"reading the guest {name}")
            return self._host.facts(name)

    def guest_by_uuid(self, uuid: str) -> GuestFacts | None:
        """Read a guest by its uuid."""
        with self._hosts.changed:
            self._readable(f"reading the guest {uuid}")
            known = self._host.all_facts()
        return next((facts for facts in known if facts.uuid == uuid), None)

    def start(self, plan: Plan, destination: Session | None) -> MemoryMigration:
        """Start a migration from this host."""
        del destination  # the plan names it, and all hosts are in one memory
        doing = f"migrating {plan.guest}"
        there, target = self._destination(plan, doing)
        with self._hosts.changed:
            faults = (self._address.faults, self._host.faults, there.faults, target.faults)
            if any(fault.kind == "start" for some in faults for fault in some):
                raise DriverError(doing, problem="simulated: the hypervisor refuses to begin")
            move = self._move(plan, target, doing)
            return MemoryMigration(
                self._hosts,
                move,
                source_faults=self._address.faults,
                target_faults=there.faults,
                seconds=self._hosts.seconds
                if self._address.seconds is None
                else self._address.seconds,
            )

    def adopt(self, name: str) -> MemoryMigration | None:
        """Take over a migration that is under way from here."""
        with self._hosts.changed:
            self._readable(f"finding the migration of {name}")
            return self._hosts.migrations.get((self._host.name, name))

    def mend(self, step: Mend, guest: GuestFacts) -> None:
        """Take a step with a guest, if it is still as it was read."""
        doing = f"{step} of {guest.name}"
        with self._hosts.changed:
            self._readable(doing)
            now = self._host.facts(guest.name)
            if now is None or now[:3] != guest[:3] or now.job != guest.job:
                raise DriverError(doing, problem="it has changed since it was read")
            if step is Mend.ABORT:
                migration = self.adopt(guest.name)
                if migration is None:
                    raise DriverError(doing, problem="no migration is under way")
                migration.cancel()
            else:
                self._mend(step, guest, doing)
            self._hosts.changed.notify_all()

    def mend_command(self, step: Mend, guest: GuestFacts) -> str | None:
        """No tool mends what is only simulated."""
        del step, guest
        return None

    def close(self) -> None:
        """Nothing is held open."""

    def _mend(self, step: Mend, guest: GuestFacts, doing: str) -> None:
        active, stored = self._host.active, self._host.configurations
        if step is Mend.RESUME:
            if guest.state is not GuestState.PAUSED:
                raise DriverError(doing, problem=f"it is {guest.state.value}")
            resumed = active[guest.name]._replace(state=GuestState.RUNNING, reason="unpaused")
            active[guest.name] = resumed
        elif step is Mend.DESTROY:
            if active.pop(guest.name, None) is None:
                raise DriverError(doing, problem="it is not running")
        elif step is Mend.DEFINE:
            stored[guest.name] = Configuration(guest.uuid, guest.memory)
        elif step is Mend.TIDY:
            if guest.leftover is None or guest.leftover.until is not None:
                raise DriverError(doing, problem="there is nothing to be put right now")
            self._host.leftovers.discard(guest.name)
        elif stored.pop(guest.name, None) is None:
            raise DriverError(doing, problem="no configuration of it is stored")

    def _readable(self, doing: str) -> None:
        with self._hosts.changed:
            if not self._host.reachable:
                raise DriverError(doing, problem=_lost(self._host))
            if any(fault.kind == "read" for fault in self._address.faults | self._host.faults):
                raise DriverError(doing, problem=f"simulated: {self._host.name} does not answer")

    def _destination(self, plan: Plan, doing: str) -> tuple[Address, MemoryHost]:
        """Find the destination, as the source does."""
        text = plan.uris.destination.value
        if text is None:  # nobody opens it: the hypervisors have a way of their own
            host = MigrationURI.parse(plan.uris.migration.value or "").host
            return Address(host), self._hosts.find(host, plan.uris.migration.value or "")
        try:
            return _open(self._hosts, text)
        except ConnectError as error:
            raise DriverError(doing, problem=f"{self._host.name} {error}") from error

    def _move(self, plan: Plan, target: MemoryHost, doing: str) -> Move:
        """Decide what is to become of the guest, and of its configuration on both hosts."""
        guest = self._host.facts(plan.guest)
        if guest is None:
            raise DriverError(doing, problem=f"{self._host.name} has no guest {plan.guest!r}")
        if guest.job is not None:
            raise DriverError(doing, problem=f"it is busy: {guest.job}")
        if guest.state.active is plan.request.offline:
            raise DriverError(doing, problem=f"it is {guest.state.value}")
        resident = target.facts(plan.destination_name)
        if resident is not None and (resident.uuid != guest.uuid or resident.state.active):
            raise DriverError(doing, problem=f"{target.name} has a guest {resident.name!r}")
        stored = resident is not None and resident.persistent
        before = Before(guest.persistent, guest.persistent, stored)
        after = plan._replace(before=before).configuration.after
        assert after is not None  # noqa: S101 - it follows from what was before
        then = GuestState.PAUSED if plan.request.suspend else guest.state
        return Move(plan.request, self._host, target, plan.destination_name, guest, then, after)


def _open(hosts: MemoryHosts, uri: str) -> tuple[Address, MemoryHost]:
    """Find the host of a connection URI, as far as its faults let us."""
    address = Address.read(uri)
    host = hosts.find(address.host, uri)
    with hosts.changed:
        kinds = {fault.kind for fault in address.faults | host.faults}
        if "connect" in kinds:
            raise ConnectError(uri, problem="simulated: no route to the host")
        if "authenticate" in kinds:
            raise AuthenticationError(uri, problem="simulated: the credentials were refused")
        if not host.reachable:
            raise ConnectError(uri, problem=_lost(host))
    return address, host


def _lost(host: MemoryHost) -> str:
    return f"simulated: the connection to {host.name} was lost"
