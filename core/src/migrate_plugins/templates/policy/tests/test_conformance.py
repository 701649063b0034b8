from __future__ import annotations

from migrate_plugins.testing import PolicyConformance


class TestConformance(PolicyConformance):
    name = "your-policy"
