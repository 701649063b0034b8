"""The policies of this repository keep what every policy has to."""

from __future__ import annotations

from typing import ClassVar

from migrate_plugins.testing import PolicyConformance


class TestMigrationNetwork(PolicyConformance):
    name = "migration-network"
    settings: ClassVar = {"networks": ["10.0.0.0/24", "2001:db8::/64"], "strict": False}
    bad_settings: ClassVar = (
        {},
        {"networks": []},
        {"networks": "10.0.0.0/24"},
        {"networks": ["10.0.0.300/24"]},
        {"networks": ["10.0.0.0/24"], "strict": "yes"},
    )


class TestRequireEncryption(PolicyConformance):
    name = "require-encryption"
    settings: ClassVar = {"mode": "except", "networks": ["10.0.0.0/24"]}
    bad_settings: ClassVar = (
        {"mode": "sometimes"},
        {"mode": "except"},
        {"mode": "always", "networks": ["10.0.0.0/24"]},
    )


class TestLab(PolicyConformance):
    """It adds a command and decides nothing."""

    name = "lab"
