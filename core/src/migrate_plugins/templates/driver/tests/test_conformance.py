from __future__ import annotations

from migrate_plugins.testing import DriverConformance


class TestConformance(DriverConformance):
    name = "your-hypervisor"
