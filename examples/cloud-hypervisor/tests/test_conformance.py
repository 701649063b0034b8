from __future__ import annotations

from migrate_plugins.testing import DriverConformance


class TestConformance(DriverConformance):
    name = "cloud-hypervisor"
    migration_uri = "tcp:desthost:49400"
