"""Each check of the kit can fail: drivers that are wrong in one way, and the checks that say so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from migrate_plugins.testing import DriverConformance
from migrate_plugins.testing.conformance.rules import rules

pytest_plugins = ["pytester"]

SITE = Path(__file__).parent / "site"

TEST = """
from __future__ import annotations

from functools import cache

import pytest
import wrong_drivers

from migrate_plugins import EntryPoint, Loaded, Migrator, Registry, Status
from migrate_plugins.testing import DriverConformance, MemoryPair
from migrate_plugins.testing.conformance.mending import Mending

Wrong = wrong_drivers.{name}
POINT = EntryPoint("migrate_plugins.drivers", "wrong", "wrong_drivers:{name}", "wrong", "1", "here")
STATUSES = {{"Noisy": Status.NOISY, "Slow": Status.SLOW}}
STATUS = STATUSES.get("{name}", Status.ACTIVE)


def make() -> Wrong:
    return Wrong()


@cache
def migrators(wrong: Wrong) -> Migrator:
    return Migrator(Registry([Loaded(POINT, wrong, STATUS, "as it is told")]))


made = cache(make)


class TestConformance({base}):
    name = "wrong"
    patience = 3.0

    @pytest.fixture
    def wrong(self) -> Wrong:
        return make() if {runs} else made()

    @pytest.fixture
    def hosts(self, wrong: Wrong) -> MemoryPair | None:
        return MemoryPair(wrong.hosts) if {runs} else None

    @pytest.fixture
    def migrator(self, wrong: Wrong) -> Migrator:
        return migrators(wrong)
"""

# For whom a process of its own is started; for each of the others that would take a second more.
ALONE = ("Right", "Heavy")

# fmt: off
# Drivers that are right in a way of their own.
RIGHT = [
    # driver         checks to look at
    ("Slow",         "plugin_is_active"),
    ("TwoPorts",     "port_is_never_one_that_is_taken"),
    ("TwoPorts",     "port_choice_is_pure"),
    ("EncodesNames", "guest_name_is_one_argument"),
    ("QuotesNames",  "guest_name_is_one_argument"),
    ("RefusesNames", "guest_name_is_one_argument"),
]

# Nothing is run here.
PLANNING = [
    # driver                  checks that must fail, and no others
    ("Undeclared",            {"api_is_declared"}),
    ("Noisy",                 {"plugin_is_active"}),
    ("WithoutURI",            {"planning_hooks_are_all_there", "held_port_reaches_the_uri"}),
    ("Untitled",              {"names_agree"}),
    ("ExampleWithoutHost",    {"example_can_be_opened_by_its_own_words"}),
    ("NamelessTransport",     {"control_protocols_have_ports"}),
    ("AnyTransport",          {"unknown_transport_is_refused"}),
    ("Heavy",                 {"planning_needs_no_client_library"}),
    ("WrongCapabilities",     {"capabilities_are_typed"}),
    ("UnknownScenario",       {"capabilities_name_what_exists"}),
    ("SetsApartWhatIsNotOffered", {"capabilities_name_what_exists"}),
    ("SpeechlessApart",       {"sentences_are_there"}),
    ("ClaimWithoutReference", {"claims_have_references"}),
    ("ClaimWithoutVersion",   {"claims_have_references"}),
    ("Speechless",            {"sentences_are_there"}),
    ("OptionWithoutItsNeed",  {"options_can_be_given", "offered_options_plan",
                               "plan_goes_to_json_and_back"}),
    ("TunnelledMigrationURI", {"migration_uri_is_taken_where_the_document_has_one",
                               "uris_keep_the_rules_of_the_document"}),
    ("LyingOptions",          {"capabilities_are_typed"}),
    ("OptionsOfOneName",      {"own_options_are_told_apart"}),
    ("LyingOffers",           {"scenario_not_offered_is_refused",
                               "uris_keep_the_rules_of_the_document"}),
    ("PortsFromNowhere",      {"port_rule_is_a_range"}),
    ("TakenPorts",            {"port_is_never_one_that_is_taken", "ports_end",
                               "port_choice_is_pure"}),
    ("TakenPairs",            {"port_is_never_one_that_is_taken", "port_choice_is_pure"}),
    ("LastPortForgotten",     {"port_is_never_one_that_is_taken", "ports_end"}),
    ("PortsByTurns",          {"port_choice_is_pure"}),
    ("OtherHost",             {"written_uri_names_host_and_port", "written_uri_is_read_back"}),
    ("PortNotWritten",        {"written_uri_names_host_and_port", "held_port_reaches_the_uri"}),
    ("CountingURI",           {"writing_a_uri_is_pure", "planning_is_pure"}),
    ("URIWithoutScope",       {"uris_keep_the_rules_of_the_document"}),
    ("LosingReader",          {"reading_a_uri_loses_nothing", "any_text_is_read_or_refused"}),
    ("ReaderWithoutIPv6",     {"ipv6_destination_is_read", "written_uri_is_read_back"}),
    ("ReaderWithoutHint",     {"unreadable_uri_is_refused", "any_text_is_read_or_refused",
                               "reading_a_uri_loses_nothing"}),
    ("ForeignError",          {"any_text_is_read_or_refused"}),
    ("RefusingURI",           {"command_can_be_typed_or_says_why_not", "commands_are_pure",
                               "findings_are_typed", "foresight_is_typed",
                               "guest_name_is_one_argument",
                               "investigations_need_no_way_in",
                               "ipv6_destination_plans", "offered_options_plan",
                               "offered_scenario_plans", "option_not_offered_is_refused",
                               "plan_goes_to_json_and_back", "planning_is_pure",
                               "receiver_is_typed",
                               "refusals_say_what_would_work",
                               "uris_keep_the_rules_of_the_document", "writing_a_uri_is_pure",
                               "written_uri_is_read_back", "written_uri_names_host_and_port"}),
    ("ReadsFiles",            {"planning_is_pure"}),
    ("CommandsInALine",       {"guest_name_is_one_argument"}),
    ("CommandsInAList",       {"command_can_be_typed_or_says_why_not", "offered_scenario_plans",
                               "plan_goes_to_json_and_back"}),
    ("UnsaidWithoutReason",   {"guest_name_is_one_argument"}),
    ("NoArguments",           {"command_can_be_typed_or_says_why_not"}),
    ("BareAddress",           {"ipv6_destination_plans"}),
    ("CountingCommands",      {"commands_are_pure", "guest_name_is_one_argument",
                               "planning_is_pure"}),
    ("RefusalsByTurns",       {"command_can_be_typed_or_says_why_not", "commands_are_pure",
                               "findings_are_typed", "foresight_is_typed",
                               "guest_name_is_one_argument",
                               "investigations_need_no_way_in",
                               "ipv6_destination_plans", "offered_options_plan",
                               "offered_scenario_plans", "plan_goes_to_json_and_back",
                               "planning_is_pure", "receiver_is_typed",
                               "refusals_say_what_would_work",
                               "uris_keep_the_rules_of_the_document"}),
    ("FindingWithoutId",      {"findings_are_typed"}),
    ("FindingOfNoKind",       {"findings_are_typed"}),
    ("GraverThanListed",      {"findings_are_typed"}),
    ("KindsTwice",            {"kinds_of_finding_are_told"}),
    ("ForesightByTurns",      {"foresight_is_typed", "planning_is_pure"}),
    ("ReceiverOfHalfARange",  {"receiver_is_typed"}),
    ("CheckWithoutGuest",     {"findings_are_typed"}),
    ("DiagnosisOfASCII",      {"diagnoses_survive_any_text"}),
    ("InvestigatorWithKeys",  {"investigations_need_no_way_in"}),
    ("BusyObserver",          {"observer_takes_every_event"}),
    ("CommandOfNothing",      {"commands_can_be_called"}),
]

# Only what is run is looked at here.
RUNNING = [
    # driver                 checks that must fail, and no others
    ("ForeignConnectError",   {"dead_host_is_a_connect_error",
                               "wrong_connection_uri_is_an_error_of_ours"}),
    ("ClosesOnce",            {"session_keeps_its_uri_and_closes_twice"}),
    ("NamelessHost",          {"hosts_say_who_they_are"}),
    ("NoUUIDs",               {"guest_is_read_as_it_is"}),
    ("UnknownGuestRaises",    {"unknown_guest_is_none"}),
    ("OneThreadAlone",        {"session_takes_calls_from_several_threads"}),
    # The guest itself is then nowhere, which each check of what becomes of it sees.
    ("OtherGuestArrives",     {"configuration_is_as_the_table_says", "dname_names_the_guest_anew",
                               "offered_scenario_runs", "paused_copy_is_ended",
                               "paused_guest_is_resumed", "suspend_leaves_the_guest_paused"}),
    ("CancelIgnored",         {"cancelled_migration_leaves_the_guest_on_the_source",
                               "migration_under_way_is_adopted_and_cancelled",
                               "statistics_are_plausible"}),
    ("StaysPaused",           {"broken_transfer_leaves_the_guest_on_the_source"}),
    ("WordlessError",         {"broken_transfer_leaves_the_guest_on_the_source"}),
    ("StatisticsInFractions", {"events_are_in_order", "statistics_are_plausible",
                               "migration_under_way_is_adopted_and_cancelled"}),
    ("MoreThanAll",           {"statistics_are_plausible"}),
    ("ShrinkingStatistics",   {"statistics_are_plausible"}),
    ("CheckThatChanges",      {"check_changes_nothing", "configuration_is_as_the_table_says",
                               "offered_scenario_runs"}),
    ("LeavesADefinition",     {"offered_scenario_runs"}),
    ("SuspendForgotten",      {"suspend_leaves_the_guest_paused", "paused_guest_is_resumed",
                               "paused_copy_is_ended"}),
    ("NameForgotten",         {"dname_names_the_guest_anew"}),
    ("UndefineForgotten",     {"configuration_is_as_the_table_says"}),
    ("DefinitionForgotten",   {"offline_moves_the_definition"}),
    ("HalfAWayBack",          {"way_back_is_offered_whole"}),
    ("AdoptsNothing",         {"migration_under_way_is_adopted_and_cancelled"}),
    ("AdoptsWhatIsOver",      {"migration_under_way_is_adopted_and_cancelled"}),
    ("DefineForgotten",       {"active_guest_is_defined_and_undefined",
                               "paused_copy_is_ended"}),
    ("ResumeForgotten",       {"paused_guest_is_resumed"}),
    ("DestroyForgotten",      {"paused_copy_is_ended",
                               "step_is_refused_where_the_guest_has_changed"}),
    ("DestroyThorough",       {"paused_copy_is_ended"}),
    ("MendsBlindly",          {"step_is_refused_where_the_guest_has_changed"}),
    ("CommandOfTwoLines",     {"mend_command_is_a_line"}),
]
# fmt: on


def _report(pytester: pytest.Pytester, name: str, wanted: str, *, runs: bool) -> dict[str, Any]:
    """Run those checks of the kit over a driver that are *wanted*."""
    pytester.syspathinsert(SITE)
    base = "Mending" if runs else "DriverConformance"
    pytester.makepyfile(TEST.format(name=name, runs=runs, base=base))
    pytester.inline_run("--conformance-report=report.json", "-p", "no:cacheprovider", "-k", wanted)
    (report,) = json.loads((pytester.path / "report.json").read_text())["plugins"]
    told: dict[str, Any] = report
    return told


def _failed(pytester: pytest.Pytester, name: str, *, runs: bool) -> tuple[set[str], int]:
    """Run the kit over a driver: the checks that failed, and how many were passed."""
    wanted = "" if name in ALONE else "not planning_needs_no_client_library"
    report = _report(pytester, name, wanted, runs=runs)
    failed = {check["id"] for check in report["checks"] if check["outcome"] == "failed"}
    return {id_.partition("[")[0] for id_ in failed}, report["passed"]


@pytest.mark.parametrize("runs", [False, True])
def test_nothing_fails_for_the_driver_that_is_right(pytester: pytest.Pytester, runs: bool) -> None:
    failed, passed = _failed(pytester, "Right", runs=runs)

    assert failed == set()
    assert passed > 30


@pytest.mark.parametrize(("name", "check"), RIGHT)
def test_nothing_fails_for_a_driver_that_is_right_in_its_own_way(
    pytester: pytest.Pytester, name: str, check: str
) -> None:
    report = _report(pytester, name, check, runs=False)

    assert (report["failed"], report["passed"] > 0) == (0, True)


def test_ports_that_must_lie_together_are_not_counted(pytester: pytest.Pytester) -> None:
    report = _report(pytester, "TwoPorts", "ports_end", runs=False)

    assert {(check["outcome"], check["reason"]) for check in report["checks"]} == {
        ("skipped", "with wrong a migration takes 2 ports")
    }


def test_driver_without_a_way_back_is_right_and_that_is_reported(pytester: pytest.Pytester) -> None:
    chosen = "offered_whole or adopted_and or copy_is_ended"
    report = _report(pytester, "NoWayBack", chosen, runs=True)

    reason = "wrong offers no way back: its sessions do not adopt and mend"
    assert {(check["outcome"], check["reason"]) for check in report["checks"]} == {
        ("skipped", reason)
    }
    assert len(report["checks"]) == 3


@pytest.mark.parametrize(("name", "checks"), PLANNING)
def test_driver_that_plans_wrongly_fails(
    pytester: pytest.Pytester, name: str, checks: set[str]
) -> None:
    failed, passed = _failed(pytester, name, runs=False)

    assert failed == checks
    assert passed > 30


@pytest.mark.parametrize(("name", "checks"), RUNNING)
def test_driver_that_runs_wrongly_fails(
    pytester: pytest.Pytester, name: str, checks: set[str]
) -> None:
    failed, passed = _failed(pytester, name, runs=True)

    assert failed == checks
    assert passed > 10


def test_each_check_is_shown_to_fail() -> None:
    shown = set[str]().union(*(checks for _, checks in (*PLANNING, *RUNNING)))

    assert shown == {*rules(DriverConformance)}
