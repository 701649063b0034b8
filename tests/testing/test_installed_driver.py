"""A driver is checked as it is installed: with its settings, and without its neighbours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["pytester"]

SITE = Path(__file__).parent / "site"

POINTS = """
[migrate_plugins.drivers]
wrong = wrong_drivers:Configured
neighbour = neighbour:Driver

[migrate_plugins.plugins]
neighbour = neighbour
"""

NEIGHBOUR = """
from migrate_plugins import Reason, hookimpl

MIGRATE_PLUGINS_API = 1


@hookimpl
def migrate_refuse():
    return [Reason("no-migrations", "on this machine nothing moves", "take another one")]


class Driver:
    MIGRATE_PLUGINS_API = 1
    migrate_refuse = hookimpl(lambda self: migrate_refuse())
"""

TEST = """
from migrate_plugins.testing import DriverConformance


class TestConformance(DriverConformance):
    name = "wrong"
    settings = {settings}
"""

# A few checks are enough, one of them in a process of its own.
WANTED = "plugin_is_active or offered_scenario_plans or planning_needs_no_client_library"


@pytest.fixture
def outcomes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> dict[str, set[str]]:
    """What came of each check, by its name."""
    metadata = pytester.mkdir("wrong-1.dist-info")
    (metadata / "entry_points.txt").write_text(POINTS)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: wrong\nVersion: 1\n")
    pytester.makepyfile(neighbour=NEIGHBOUR, test_it=TEST.format(settings=request.param))
    monkeypatch.setenv("PYTHONPATH", str(SITE))
    pytester.runpytest_subprocess(
        "--conformance-report=report.json", "-p", "no:cacheprovider", "-k", WANTED
    )
    (plugin,) = json.loads((pytester.path / "report.json").read_text())["plugins"]
    found: dict[str, set[str]] = {}
    check: dict[str, Any]
    for check in plugin["checks"]:
        if check["outcome"] != "skipped":
            found.setdefault(check["id"].partition("[")[0], set()).add(
                check["reason"] or check["outcome"]
            )
    return found


@pytest.mark.parametrize("outcomes", [{"token": "secret"}], indirect=True)
def test_driver_is_checked_with_its_settings_and_without_its_neighbours(
    outcomes: dict[str, set[str]],
) -> None:
    assert outcomes == {
        "plugin_is_active": {"passed"},
        "offered_scenario_plans": {"passed"},
        "planning_needs_no_client_library": {"passed"},
    }


@pytest.mark.parametrize("outcomes", [{"token": 1}, {}], indirect=True)
def test_driver_with_wrong_settings_fails(outcomes: dict[str, set[str]]) -> None:
    (reason,) = outcomes["plugin_is_active"]

    assert "drivers.wrong" in reason
    assert "token" in reason
