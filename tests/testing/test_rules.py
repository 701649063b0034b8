"""The kit itself: every hook has a check, and every check has its rule."""

from __future__ import annotations

import pytest

from migrate_plugins import Registry
from migrate_plugins.testing import DriverConformance, PolicyConformance
from migrate_plugins.testing.conformance.rules import rules

KITS = [DriverConformance, PolicyConformance]
# What only a driver can implement.
ADDRESSED_TO_DRIVERS = {"migrate_connect", "migrate_driver", "migrate_receiver"}


def _checks(kit: type) -> set[str]:
    return {name for name in dir(kit) if name.startswith("test_")}


def _hooks(kit: type) -> set[str]:
    return {hook for rule in rules(kit).values() for hook in rule.hooks}


def test_every_hook_has_a_check() -> None:
    hooks = {*Registry([]).hooks}

    assert _hooks(DriverConformance) == hooks
    assert _hooks(PolicyConformance) == hooks - ADDRESSED_TO_DRIVERS


@pytest.mark.parametrize("kit", KITS)
def test_every_check_has_a_rule_of_one_sentence(kit: type) -> None:
    found = rules(kit)

    assert {f"test_{id_}" for id_ in found} == _checks(kit)
    for rule in found.values():
        assert rule.hooks, rule.id
        assert rule.text.endswith("."), rule.id
        assert ". " not in rule.text, rule.id
        assert len(rule.text) <= 120, rule.id
