"""Hosts that cannot do everything: what they cannot is left out, and nothing else."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from migrate_plugins import SCENARIOS, Revision

pytest_plugins = ["pytester"]

SITE = Path(__file__).parent / "site"

TEST = """
import pytest
import wrong_drivers

from migrate_plugins import EntryPoint, Migrator
from migrate_plugins.testing import MemoryPair
from migrate_plugins.testing.conformance.running import Running

POINT = EntryPoint("migrate_plugins.drivers", "wrong", "wrong_drivers:Right", "wrong", "1", "here")


class Pair(MemoryPair):
    def guest(self, *, running=True, persistent=False):
        if (persistent or not running) is not {persistent}:
            return NotImplemented
        return super().guest(running=running, persistent=persistent)


class Right(wrong_drivers.Right):
    def capabilities(self, capabilities):
        options = wrong_drivers.OPTIONS - {left_out}
        for scenario in capabilities.offers:
            capabilities = wrong_drivers.with_offer(capabilities, scenario, options=options)
        return capabilities


class TestConformance(Running):
    name = "wrong"
    patience = 3.0

    @pytest.fixture
    def driver_of_its_own(self):
        return Right()

    @pytest.fixture
    def hosts(self, driver_of_its_own):
        return Pair(driver_of_its_own.hosts)

    @pytest.fixture
    def migrator(self, driver_of_its_own):
        return Migrator([(POINT, driver_of_its_own)])
"""

NOT_OFFERED = {
    f"wrong does not offer {scenario} in revision {revision}"
    for scenario, revision in product(SCENARIOS, Revision)
}

# fmt: off
# Guests of one kind alone, and options that the driver does not offer.
PAIRS = [
    # persistent  left out        what is skipped, and why
    (True,        set(),          {
        "guest_is_read_as_it_is[True-False]": "the hosts cannot make a transient guest that runs",
    }),
    (True,        {"persistent"}, {
        "guest_is_read_as_it_is[True-False]": "the hosts cannot make a transient guest that runs",
        "configuration_is_as_the_table_says[original]":
            "the hosts have no transient guests, and wrong offers no other",
        "configuration_is_as_the_table_says[current]":
            "the hosts have no transient guests, and wrong offers no other",
        "offline_moves_the_definition[original]":
            "wrong does not offer offline, persistent in revision original",
        "offline_moves_the_definition[current]":
            "wrong does not offer offline, persistent in revision current",
    }),
    (False,       set(),          {
        "guest_is_read_as_it_is[False-False]":
            "the hosts cannot make a persistent guest that is shut off",
        "guest_is_read_as_it_is[False-True]":
            "the hosts cannot make a persistent guest that is shut off",
        "guest_is_read_as_it_is[True-True]": "the hosts cannot make a persistent guest that runs",
        "configuration_is_as_the_table_says[original]":
            "the hosts cannot make a persistent guest that runs",
        "configuration_is_as_the_table_says[current]":
            "the hosts cannot make a persistent guest that runs",
        "offline_moves_the_definition[original]":
            "the hosts cannot make a persistent guest that is shut off",
        "offline_moves_the_definition[current]":
            "the hosts cannot make a persistent guest that is shut off",
    }),
]
# fmt: on


@pytest.mark.parametrize(("persistent", "left_out", "skipped"), PAIRS)
def test_only_what_needs_another_kind_of_guest_is_skipped(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    persistent: bool,
    left_out: set[str],
    skipped: dict[str, str],
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(SITE))
    pytester.makepyfile(TEST.format(persistent=persistent, left_out=left_out))

    pytester.runpytest_subprocess("--conformance-report=report.json", "-p", "no:cacheprovider")

    (plugin,) = json.loads((pytester.path / "report.json").read_text())["plugins"]
    found = {
        check["id"]: check["reason"]
        for check in plugin["checks"]
        if check["outcome"] == "skipped" and check["reason"] not in NOT_OFFERED
    }
    assert (plugin["failed"], plugin["passed"] > 20) == (0, True)
    assert found == skipped
