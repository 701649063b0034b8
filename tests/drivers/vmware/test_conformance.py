from __future__ import annotations

from migrate_plugins.testing import DriverConformance


class TestConformance(DriverConformance):
    name = "vmware"
    migration_uri = "vpxmigr://192.0.2.7/resgroup-26/host-42"
