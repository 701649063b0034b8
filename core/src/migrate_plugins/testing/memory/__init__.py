"""Hosts in memory: guests that are moved by changing a table, with a fault wherever one is wanted.

Nothing real moves here, and everything here says so.  It is there to try plans, runs and policies
without a hypervisor::

    migrate-plugins --driver memory migrate web1 memory://beta/ -c memory://alpha/ --live
"""

from __future__ import annotations

from migrate_plugins.testing.memory.driver import MemoryDriver
from migrate_plugins.testing.memory.faults import FAULTS, Fault, FaultKind
from migrate_plugins.testing.memory.hosts import MemoryHosts
from migrate_plugins.testing.memory.pair import MemoryPair

__all__ = ["FAULTS", "Fault", "FaultKind", "MemoryDriver", "MemoryHosts", "MemoryPair"]
