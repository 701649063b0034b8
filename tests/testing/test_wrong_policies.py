"""Each check of the kit for policies can fail: policies that are wrong in one way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrate_plugins.testing import PolicyConformance
from migrate_plugins.testing.conformance.rules import rules

pytest_plugins = ["pytester"]

SITE = Path(__file__).parent / "site"

TEST = """
from __future__ import annotations

import pytest
import wrong_policies

from migrate_plugins import EntryPoint
from migrate_plugins.testing import PolicyConformance

GROUP = "migrate_plugins.plugins"
POINT = EntryPoint(GROUP, "wrong", "wrong_policies:{name}", "wrong", "1", "here")


class TestConformance(PolicyConformance):
    name = "wrong"
    settings = {settings}
    bad_settings = {bad_settings}

    @pytest.fixture
    def policy(self) -> tuple[EntryPoint, object]:
        return POINT, wrong_policies.{name}
"""

# fmt: off
POLICIES = [
    # policy                  checks that must fail, and no others
    ("Right",                 set()),
    ("Undeclared",            {"api_is_declared"}),
    ("WithoutHooks",          {"policy_is_active"}),
    ("SettingWithoutHelp",    {"settings_are_told"}),
    ("TakesAnyLimit",         {"wrong_settings_are_refused"}),
    ("RaisesForALimit",       {"wrong_settings_are_refused"}),
    ("AlwaysOn",              {"policy_is_off_without_its_table"}),
    ("ListedArguments",       {"plans_stay_plans"}),
    ("TakenPorts",            {"ports_stay_in_their_range"}),
    ("NamelessRefusal",       {"refusals_name_the_policy"}),
    ("RefusalWithoutRemedy",  {"refusals_say_what_would_work", "plans_stay_plans"}),
    ("ByTurns",               {"planning_stays_pure"}),
    ("ReadsFiles",            {"planning_stays_pure"}),
    ("Chatty",                {"policy_prints_nothing"}),
    ("FindingWithoutId",      {"findings_are_typed"}),
    ("KindsTwice",            {"kinds_of_finding_are_told"}),
    ("ForesightByTurns",      {"foresight_is_typed", "planning_stays_pure"}),
    ("DiagnosisOfASCII",      {"diagnoses_survive_any_text"}),
    ("InvestigatorWithKeys",  {"investigations_need_no_way_in"}),
    ("BusyObserver",          {"observer_takes_every_event"}),
    ("CommandOfNothing",      {"commands_can_be_called"}),
]
# fmt: on

# Who takes no table gets none.
WITHOUT_TABLE = ("WithoutHooks", "AlwaysOn")


@pytest.mark.parametrize(("name", "checks"), POLICIES)
def test_policy_fails_where_it_is_wrong(
    pytester: pytest.Pytester, name: str, checks: set[str]
) -> None:
    settings, bad_settings = ({}, ()) if name in WITHOUT_TABLE else ({"limit": 2}, ({"limit": 0},))
    pytester.syspathinsert(SITE)
    pytester.makepyfile(TEST.format(name=name, settings=settings, bad_settings=bad_settings))

    pytester.inline_run("--conformance-report=report.json", "-p", "no:cacheprovider")

    (report,) = json.loads((pytester.path / "report.json").read_text())["plugins"]
    failed = {check["id"] for check in report["checks"] if check["outcome"] == "failed"}
    assert failed == checks
    assert (report["name"], report["kind"], report["scenarios"]) == ("wrong", "policy", {})


def test_each_check_is_shown_to_fail() -> None:
    shown = set[str]().union(*(checks for _, checks in POLICIES))

    assert shown == {*rules(PolicyConformance)}
