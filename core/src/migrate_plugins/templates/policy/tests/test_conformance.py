from __future__ import annotations

from typing import ClassVar

from migrate_plugins.testing import PolicyConformance


class TestConformance(PolicyConformance):
    name = "your-policy"
    # Tables of config.toml: one that is right, and each way to be wrong.
    settings: ClassVar = {"first": 49152, "last": 49409}
    bad_settings: ClassVar = ({"first": 2, "last": 1}, {"first": "49152"})
