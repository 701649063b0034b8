"""Hosts in memory: which guests run on each, and of which it keeps a configuration."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from migrate_plugins import ConnectError, GuestFacts, GuestState, Leftover
from migrate_plugins.testing.memory.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate_plugins.testing.memory.migration import MemoryMigration

__all__ = ["Configuration", "MemoryGuest", "MemoryHost", "MemoryHosts"]

_MEMORY: Final = 262_144  # KiB
_SECONDS: Final = 0.3
_LEFT: Final = "simulated: the migration left something here"


class Configuration(NamedTuple):
    """A stored configuration, beside the guest that may run."""

    uuid: str
    memory: int


class MemoryGuest(NamedTuple):
    """A guest that has memory on a host."""

    uuid: str
    memory: int
    state: GuestState
    job: str | None = None
    reason: str | None = "booted"


class MemoryHost:
    """A host; its tables are read and written under the lock of :class:`MemoryHosts`."""

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.uuid: Final = str(uuid5(NAMESPACE_URL, f"memory://{name}/"))
        self.active: Final[dict[str, MemoryGuest]] = {}
        self.configurations: Final[dict[str, Configuration]] = {}
        self.faults: Final[set[Fault]] = set()
        self.leftovers: Final[set[str]] = set()
        self.reachable = True

    def facts(self, name: str) -> GuestFacts | None:
        """Give a guest's facts, or None where the host does not know it."""
        stored = self.configurations.get(name)
        guest = self.active.get(name)
        if guest is not None:
            kept = stored is not None
            left = self._left(name, "it is shut off")
            return GuestFacts(
                name, guest.uuid, guest.state, kept, guest.memory, guest.job, guest.reason, left
            )
        if stored is not None:
            state, left = GuestState.SHUTOFF, self._left(name, None)
            return GuestFacts(name, stored.uuid, state, True, stored.memory, leftover=left)
        return None

    def _left(self, name: str, until: str | None) -> Leftover | None:
        return Leftover(_LEFT, until) if name in self.leftovers else None

    def all_facts(self) -> list[GuestFacts]:
        """Give every guest that the host knows, by name."""
        names = sorted({*self.active, *self.configurations})
        return [facts for name in names if (facts := self.facts(name)) is not None]


class MemoryHosts:
    """Hosts by their names, with guests, and with faults on request.

    Everything is read and written under one lock, which is also what a change is waited for with.

    Attributes:
        changed: The lock.
        seconds: How long a migration takes.
        migrations: Those that are under way, by the source's name and the guest's.
    """

    def __init__(
        self, names: Iterable[str] = ("alpha", "beta"), *, seconds: float = _SECONDS
    ) -> None:
        """Make hosts; the first one has guests.

        These are ``web1`` (running, persistent), ``web2`` (running, transient) and ``idle``
        (shut off).
        """
        self.changed: Final = threading.Condition()
        self.seconds: Final = seconds
        self.migrations: Final[dict[tuple[str, str], MemoryMigration]] = {}
        self._hosts = {name: MemoryHost(name) for name in names}
        self._made = 0
        first = next(iter(self._hosts))
        self.add("web1", host=first, persistent=True)
        self.add("web2", host=first)
        self.add("idle", host=first, running=False)

    def __getitem__(self, name: str) -> MemoryHost:
        return self._hosts[name]

    @property
    def names(self) -> tuple[str, ...]:
        """What the hosts are called."""
        return tuple(self._hosts)

    def find(self, name: str | None, uri: str) -> MemoryHost:
        """Find the host that a URI names.

        Raises:
            ConnectError: There is none of that name.
        """
        host = self._hosts.get(name or "")
        if host is None:
            known = ", ".join(f"memory://{each}/" for each in self._hosts)
            raise ConnectError(uri, problem=f"no host {name!r} is in memory; there are {known}")
        return host

    def add(
        self,
        name: str,
        *,
        host: str,
        running: bool = True,
        persistent: bool = False,
        memory: int = _MEMORY,
    ) -> None:
        """Add a guest to a host; one that is shut off has a configuration, or would not be there.

        Args:
            name: Of the guest.
            host: Of the host.
            running: Whether it runs.
            persistent: Whether the host keeps its configuration.
            memory: In KiB.
        """
        with self.changed:
            self._made += 1
            uuid = str(uuid5(NAMESPACE_URL, f"memory://{host}/{name}/{self._made}"))
            if running:
                self[host].active[name] = MemoryGuest(uuid, memory, GuestState.RUNNING)
            if persistent or not running:
                self[host].configurations[name] = Configuration(uuid, memory)

    def guests(self, host: str) -> list[GuestFacts]:
        """Give every guest that a host knows, by name."""
        with self.changed:
            return self[host].all_facts()

    def fault(self, host: str, *faults: str) -> None:
        """Break a host, as ``?fault=`` in its URI does; migrations under way notice it too.

        Args:
            host: Of which host.
            faults: Each ``KIND`` or ``KIND@PERCENT``, see :data:`FAULTS`.

        Raises:
            ValueError: There is no such fault.
        """
        read = [Fault.read(text) for text in faults]
        with self.changed:
            self[host].faults.update(read)
            self.changed.notify_all()

    def heal(self) -> None:
        """Mend every host of the faults given here; a guest that one has misled stays there."""
        with self.changed:
            for host in self._hosts.values():
                host.faults.clear()
                host.reachable = True
            self.changed.notify_all()

    def clear(self) -> None:
        """Remove every guest and every configuration; a migration under way fails."""
        with self.changed:
            for host in self._hosts.values():
                host.active.clear()
                host.configurations.clear()
                host.leftovers.clear()
            self.changed.notify_all()
