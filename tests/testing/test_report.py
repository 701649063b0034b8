"""What the kit tells programs, and that its pytest plugin costs and changes nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import migrate_plugins
from migrate_plugins import SCENARIOS, Revision
from migrate_plugins.testing import DriverConformance, MemoryDriver
from migrate_plugins.testing.conformance.rules import rules
from migrate_plugins.testing.report import Report

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

QEMU = """
from migrate_plugins.testing import DriverConformance


class TestConformance(DriverConformance):
    name = "qemu"
"""

MEMORY = """
import pytest

from migrate_plugins import EntryPoint, Migrator
from migrate_plugins.testing import DriverConformance, MemoryDriver, MemoryPair

MODULE = "migrate_plugins.testing.memory.driver:MemoryDriver"
POINT = EntryPoint("migrate_plugins.simulated", "memory", MODULE, "acme", "7.1", "here")


class TestConformance(DriverConformance):
    name = "memory"

    @pytest.fixture
    def hosts(self):
        return MemoryPair()

    @pytest.fixture
    def migrator(self, hosts):
        return Migrator([(POINT, MemoryDriver(hosts=hosts.hosts))])
"""

UNMOVED = """
import pytest

from migrate_plugins import Revision
from migrate_plugins.testing import DriverConformance
from migrate_plugins.testing.conformance.running import Running


def like(check):
    check.__dict__.update(vars(getattr(Running, check.__name__)))
    return check


class TestConformance(DriverConformance):
    name = "qemu"

    @like
    def test_offered_scenario_runs(self, revision, scenario):
        pytest.skip("nothing moves today")

    @like
    def test_cancelled_migration_leaves_the_guest_on_the_source(self, revision, scenario):
        if revision is Revision.ORIGINAL:
            pytest.fail("it cannot be cancelled")
"""

# A check as it travels with pytest's reports.
TOLD: dict[str, Any] = {
    "kind": "driver",
    "name": "qemu",
    "id": "haste",
    "rule": "It ends.",
    "hooks": [],
    "shows": None,
    "proves": True,
    "revision": None,
    "scenario": None,
}

# fmt: off
# What becomes of a scenario in the report.
CELLS = [
    # test file  tests to run                       revision    scenario            cell
    (QEMU,       "offered_scenario",                "original", "native-direct",
     {"planned": "passed", "ran": "skipped",
      "reason": "no hosts given: override the fixture `hosts`"}),
    (QEMU,       "offered_scenario_plans",          "original", "native-unmanaged",
     {"planned": "skipped", "ran": None,
      "reason": "qemu does not offer native-unmanaged in revision original"}),
    (MEMORY,     "offered_scenario and direct",     "current",  "native-direct",
     {"planned": "passed", "ran": "passed", "reason": None}),
    (MEMORY,     "offered_scenario_runs and direct", "current", "native-direct",
     {"planned": None, "ran": "passed", "reason": None}),
    (UNMOVED,    "runs or cancelled",               "current",  "native-direct",
     {"planned": None, "ran": "skipped", "reason": "nothing moves today"}),
    (UNMOVED,    "runs or cancelled",               "original", "native-direct",
     {"planned": None, "ran": "failed", "reason": "Failed: it cannot be cancelled"}),
    (UNMOVED,    "cancelled and tunnelled",         "current",  "tunnelled-p2p",
     None),
]
# fmt: on


def _report(pytester: pytest.Pytester, text: str, *arguments: str) -> dict[str, Any]:
    pytester.makepyfile(text)
    pytester.inline_run("--conformance-report=report.json", "-p", "no:cacheprovider", *arguments)
    told: dict[str, Any] = json.loads((pytester.path / "report.json").read_text())
    return told


def test_report_tells_what_was_found_of_each_plugin(pytester: pytest.Pytester) -> None:
    told = _report(pytester, QEMU)

    assert list(told) == ["schema", "plugins"]
    assert told["schema"] == "migrate-plugins/conformance/1"
    (plugin,) = told["plugins"]
    assert {key: plugin[key] for key in ("name", "kind", "distribution", "version", "api")} == {
        "name": "qemu",
        "kind": "driver",
        "distribution": "migrate-plugins-qemu",
        "version": migrate_plugins.__version__,
        "api": 1,
    }
    assert list(plugin["scenarios"]) == [*Revision]
    assert all(list(cells) == [*SCENARIOS] for cells in plugin["scenarios"].values())
    outcomes = [check["outcome"] for check in plugin["checks"]]
    for outcome in ("passed", "failed", "skipped"):
        assert plugin[outcome] == outcomes.count(outcome)
    assert (plugin["failed"], plugin["passed"] > 100, plugin["skipped"] > 50) == (0, True, True)
    assert {check["id"].partition("[")[0] for check in plugin["checks"]} == {
        *rules(DriverConformance)
    }
    for check in plugin["checks"]:
        assert list(check) == ["id", "rule", "hooks", "outcome", "reason"]
        assert (check["reason"] is None) == (check["outcome"] == "passed")


@pytest.mark.parametrize(("text", "tests", "revision", "scenario", "cell"), CELLS)
def test_scenario_is_told_by_what_was_tried(
    pytester: pytest.Pytester,
    text: str,
    tests: str,
    revision: str,
    scenario: str,
    cell: dict[str, str | None] | None,
) -> None:
    (plugin,) = _report(pytester, text, "-k", tests)["plugins"]

    assert plugin["scenarios"].get(revision, {}).get(scenario) == cell


def test_hosts_in_memory_leave_out_only_what_cannot_be(pytester: pytest.Pytester) -> None:
    slow = ("cancelled", "broken", "statistics", "configuration", "scenario_runs")
    (plugin,) = _report(pytester, MEMORY, "-k", " and ".join(f"not {word}" for word in slow))[
        "plugins"
    ]

    skipped = {check["reason"] for check in plugin["checks"] if check["outcome"] == "skipped"}
    assert plugin["failed"] == 0
    assert skipped == {
        "memory does not implement migrate_cli",
        "memory does not implement migrate_foresee",
        "memory does not implement migrate_investigate",
        "memory does not implement migrate_observe",
        "memory does not implement migrate_refuse",
        "memory offers every scenario in revision current",
        "memory offers every scenario in revision original",
        "native-unmanaged has no destination URI",
    }


def test_check_that_is_expected_to_fail_is_not_passed(pytester: pytest.Pytester) -> None:
    text = QEMU + (
        "\n    @pytest.mark.xfail\n    @about('migrate_uri')\n"
        "    def test_luck(self):\n        '''It works out.'''\n        assert False\n"
    )
    head = "import pytest\nfrom migrate_plugins.testing.conformance.rules import about\n"

    (plugin,) = _report(pytester, head + text, "-k", "luck")["plugins"]

    (check,) = plugin["checks"]
    assert (check["id"], check["outcome"]) == ("luck", "failed")


def test_check_that_is_interrupted_is_not_passed(pytester: pytest.Pytester) -> None:
    text = QEMU + (
        "\n    @about('migrate_uri')\n"
        "    def test_haste(self):\n        '''It ends.'''\n        raise KeyboardInterrupt\n"
    )
    head = "from migrate_plugins.testing.conformance.rules import about\n"
    pytester.makepyfile(head + text)

    # In a process of its own: the interrupt would end ours as well.
    result = pytester.runpytest_subprocess(
        "--conformance-report=report.json", "-p", "no:cacheprovider", "-k", "haste"
    )

    (plugin,) = json.loads((pytester.path / "report.json").read_text())["plugins"]
    (check,) = plugin["checks"]
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert (check["outcome"], check["reason"]) == ("skipped", "not finished")
    assert (plugin["passed"], plugin["failed"], plugin["skipped"]) == (0, 0, 1)


# fmt: off
# What becomes of a check, by its parts.
PARTS = [
    # outcomes of set-up, call and what comes after   the check's
    (("passed",),                                     ("skipped", "not finished")),
    (("passed", "passed"),                            ("passed", None)),
    (("passed", "passed", "passed"),                  ("passed", None)),
    (("passed", "passed", "failed"),                  ("failed", "teardown")),
    (("passed", "skipped", "passed"),                 ("skipped", "call")),
    (("passed", "failed", "passed"),                  ("failed", "call")),
    (("passed", "failed", "failed"),                  ("failed", "call")),
    (("skipped", None, "passed"),                     ("skipped", "setup")),
    (("failed", None, "passed"),                      ("failed", "setup")),
]
# fmt: on


@pytest.mark.parametrize(("outcomes", "check"), PARTS)
def test_only_a_call_passes_a_check(
    outcomes: tuple[str | None, ...], check: tuple[str, str | None]
) -> None:
    report = Report()

    for when, outcome in zip(("setup", "call", "teardown"), outcomes, strict=False):
        if outcome is not None:
            reason = None if outcome == "passed" else when
            report.add("node", {"migrate_plugins.check": TOLD}, when, outcome, reason)

    (plugin,) = report.to_json()["plugins"]
    (found,) = plugin["checks"]
    assert (found["outcome"], found["reason"]) == check


def test_driver_that_is_not_installed_is_told_with_those_that_are(
    pytester: pytest.Pytester,
) -> None:
    (plugin,) = _report(pytester, QEMU.replace("qemu", "qemo"), "-k", "api_is_declared")["plugins"]

    (check,) = plugin["checks"]
    assert (plugin["version"], check["outcome"]) == (None, "failed")
    assert check["reason"].startswith(
        "Failed: there is no driver 'qemo'; it may mean qemu; there are "
    )


def test_other_tests_are_no_part_of_the_report(pytester: pytest.Pytester) -> None:
    assert _report(pytester, "def test_mine():\n    pass\n")["plugins"] == []


def test_report_into_a_folder_that_is_not_there_is_a_usage_error(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("def test_mine():\n    pass\n")

    result = pytester.runpytest("--conformance-report=no/such/folder/report.json")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--conformance-report*there is no folder no/such/folder*"])


def test_failed_check_shows_what_it_compared(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        MEMORY.replace(
            f"{MemoryDriver.__name__}(hosts=hosts.hosts)",
            "type('Wrong', (MemoryDriver,), {'MIGRATE_PLUGINS_API': True})(hosts=hosts.hosts)",
        )
    )

    result = pytester.runpytest_subprocess("-k", "plugin_is_active", "-p", "no:cacheprovider")

    result.stdout.fnmatch_lines(["E *Error: it is broken: its MIGRATE_PLUGINS_API is True*"])


def test_plugin_of_pytest_imports_neither_kit_nor_core(tmp_path: Path) -> None:
    program = (
        "import sys, pytest\nbefore = {*sys.modules}\nimport migrate_plugins.testing.plugin\n"
        "print(*sorted({*sys.modules} - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert done.stdout.split() == [
        "migrate_plugins",
        "migrate_plugins.testing",
        "migrate_plugins.testing.plugin",
    ]
