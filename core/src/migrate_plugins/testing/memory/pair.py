"""Two hosts in memory, as the conformance kit wants them."""

from __future__ import annotations

from typing import Final

from migrate_plugins.testing.memory.hosts import MemoryHosts

__all__ = ["MemoryPair"]


class MemoryPair:
    """A pair of hosts; see :class:`migrate_plugins.testing.HostPair`."""

    source: Final = "memory://alpha/"
    destination: Final = "memory://beta/"
    peer: Final = None
    migration: Final = "memmigr://beta/"
    dead: Final = "memory://nobody/"

    def __init__(self, hosts: MemoryHosts | None = None) -> None:
        """Use *hosts*, or a pair of its own."""
        self.hosts: Final = hosts or MemoryHosts(seconds=0.05)
        self._made = 0

    def guest(self, *, running: bool = True, persistent: bool = False) -> str:
        """Make a guest on the source."""
        self._made += 1
        name = f"guest{self._made}"
        self.hosts.add(name, host="alpha", running=running, persistent=persistent)
        return name

    def slow(self) -> None:
        """Make the next transfers stand still in mid-way."""
        self.hosts.fault("beta", "hang@50")

    def break_transfer(self) -> None:
        """Break a transfer that is under way."""
        self.hosts.fault("beta", "transfer@0")

    def heal(self) -> None:
        """Mend both hosts."""
        self.hosts.heal()

    def clean(self) -> None:
        """Mend both hosts and remove every guest."""
        self.hosts.heal()
        self.hosts.clear()
