from __future__ import annotations

import pytest

from migrate_plugins import EntryPoint, Migrator
from migrate_plugins.testing import DriverConformance, MemoryDriver, MemoryPair


class TestConformance(DriverConformance):
    name = "memory"

    @pytest.fixture
    def hosts(self) -> MemoryPair:
        return MemoryPair()

    @pytest.fixture
    def migrator(self, hosts: MemoryPair) -> Migrator:
        module = "migrate_plugins.testing.memory.driver:MemoryDriver"
        point = EntryPoint(
            "migrate_plugins.drivers", "memory", module, "migrate-plugins", "0.1.0", "tests"
        )
        return Migrator([(point, MemoryDriver(hosts=hosts.hosts))])
