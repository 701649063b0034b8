"""Which findings are wanted, and that nobody takes what was not looked for for found well."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins import (
    Config,
    EntryPoint,
    Finding,
    FindingKind,
    Migrator,
    Registry,
    Selection,
    Severity,
    UsageError,
    hookimpl,
)
from migrate_plugins.checks.kinds import KINDS, all_kinds, select
from migrate_plugins.installed import PLUGINS
from migrate_plugins.testing.memory import MemoryDriver

if TYPE_CHECKING:
    from collections.abc import Sequence

ALPHA, BETA = "memory://alpha/", "memory://beta/"
MEMORY = EntryPoint("migrate_plugins.simulated", "memory", "here", "migrate-plugins", "1", "here")
SITE = EntryPoint(PLUGINS, "site", "here", "acme-site", "1", "here")
MADE_OF = st.frozensets(st.sampled_from([kind.id for kind in KINDS]))


class Silent:
    """A plugin that finds something and does not list its kinds."""

    @hookimpl
    def migrate_checks(self) -> Sequence[Finding]:
        return [Finding("acme-lunch", Severity.WARNING, None, "it is time for lunch")]


class Telling(Silent):
    """One that does."""

    @hookimpl
    def migrate_finding_kinds(self) -> Sequence[FindingKind]:
        return [FindingKind("acme-lunch", Severity.WARNING, "it is time for lunch")]


@pytest.fixture
def memory() -> Migrator:
    return Migrator([(MEMORY, MemoryDriver())])


def _check(migrator: Migrator, **asked: Any) -> Any:  # noqa: ANN401 - of check()
    return migrator.check(migrator.plan("web1", source=ALPHA, destination=BETA, live=True), **asked)


# fmt: off
# only, skip, ids, whether one of them is wanted.
WANTS: list[tuple[set[str] | None, set[str], list[str], bool]] = [
    (None,        set(),      ["a"],      True),
    (None,        {"a"},      ["a"],      False),
    (None,        {"a"},      ["a", "b"], True),
    ({"a"},       set(),      ["a"],      True),
    ({"a"},       set(),      ["b"],      False),
    ({"a"},       set(),      ["b", "a"], True),
    ({"a"},       {"a"},      ["a", "b"], False),
    (None,        set(),      [],         False),
]

# only, skip, what the error says.
REFUSALS = [
    (["data-port-bloked"], [],
     "there is no finding 'data-port-bloked'; it may mean data-port-blocked;"),
    ([], ["simulatd"],      "there is no finding 'simulatd'; it may mean simulated;"),
    (["qqq"], ["data-plain-text", "www"], "there is no finding 'qqq', 'www';"),
]
# fmt: on


@pytest.mark.parametrize(("only", "skip", "ids", "wanted"), WANTS)
def test_selection_wants(
    only: set[str] | None, skip: set[str], ids: list[str], *, wanted: bool
) -> None:
    chosen = None if only is None else frozenset(only)

    assert Selection(chosen, frozenset(skip)).wants(*ids) is wanted


@pytest.mark.parametrize(("only", "skip", "text"), REFUSALS)
def test_unknown_id_is_a_slip_of_the_pen(
    memory: Migrator, only: list[str], skip: list[str], text: str
) -> None:
    with pytest.raises(UsageError) as caught:
        select(memory.registry, only, skip)

    assert str(caught.value) == f"{text} `migrate-plugins list --findings` names them all"


class Looking:
    """A plugin that supposes something, and knows it once it has looked."""

    @hookimpl
    def migrate_foresee(self) -> Sequence[Finding]:
        return [
            Finding("acme-lunch", Severity.WARNING, None, "there may be no lunch"),
            Finding("acme-tea", Severity.WARNING, None, "there may be no tea"),
        ]

    @hookimpl
    def migrate_checks(self) -> Sequence[Finding]:
        return [Finding("acme-lunch", Severity.INFO, "beta", "there is lunch")]


def test_what_was_looked_at_is_told_instead_of_what_was_supposed() -> None:
    report = _check(Migrator([(MEMORY, MemoryDriver()), (SITE, Looking())]))

    told = [each.text for each in report.findings if each.id.startswith("acme")]
    assert sorted(told) == ["there is lunch", "there may be no tea"]


def test_id_that_a_plugin_may_give_unsaid_is_taken() -> None:
    silent = Migrator([(MEMORY, MemoryDriver()), (SITE, Silent())])

    report = _check(silent, skip=["acme-lunch"])

    assert "acme-lunch" not in [finding.id for finding in report.findings]
    assert report.skipped == ("acme-lunch",)


def test_plugins_kinds_stand_behind_those_of_the_core() -> None:
    telling = Migrator([(MEMORY, MemoryDriver()), (SITE, Telling())])

    kinds = telling.finding_kinds()

    assert kinds[: len(KINDS)] == KINDS
    assert [kind.id for kind in kinds[len(KINDS) :]] == ["simulated", "acme-lunch"]
    with pytest.raises(UsageError):
        _check(telling, skip=["acme-lnch"])


def test_ids_are_unique_and_summaries_are_short() -> None:
    assert len({kind.id for kind in KINDS}) == len(KINDS)
    for kind in KINDS:
        assert kind.id == kind.id.lower().replace("_", "-")
        assert 10 < len(kind.summary) < 75, kind.id
        assert not kind.summary.endswith("."), kind.id
        if kind.id.endswith("-unknown") and kind.id != "key-unknown":
            assert kind.severity is Severity.INFO, kind.id


@given(only=MADE_OF, skip=MADE_OF)
def test_what_is_not_shown_is_named_as_left_out(only: frozenset[str], skip: frozenset[str]) -> None:
    memory = Migrator([(MEMORY, MemoryDriver())])
    everything = {finding.id for finding in _check(memory).findings}

    report = _check(memory, only=only, skip=skip)

    shown = {finding.id for finding in report.findings}
    assert everything <= shown | {*report.skipped}
    assert shown.isdisjoint(report.skipped)
    assert {*report.skipped} <= {kind.id for kind in all_kinds(memory.registry)}
    assert bool(report.skipped) == bool(only or skip)


def test_refusal_cannot_be_left_out() -> None:
    config = Config(policies={"no-such-policy": {}})
    plan = Migrator([(MEMORY, MemoryDriver())]).plan(
        "web1", source=ALPHA, destination=BETA, live=True
    )
    strict = Migrator(Registry([(MEMORY, MemoryDriver())], config))

    report = strict.check(plan, only=["simulated"], skip=["policy-missing"])

    assert [(finding.id, finding.blocks) for finding in report.findings] == [
        ("simulated", False),
        ("policy-missing", True),
    ]
    assert report.blocked


def test_report_counts_what_it_has(memory: Migrator) -> None:
    report = _check(memory, accept={"simulated": "a test"})

    assert report.counts() == {"error": 0, "warning": 2, "info": 0, "accepted": 1, "unknown": 0}
    said = json.loads(json.dumps(report.to_json()))
    assert said["counts"] == report.counts()
    assert said["skipped"] == []
    assert said["facts"]["destination"]["name"] == "beta"


# fmt: off
# What a driver that opens no sessions shows of its plan: source, destination, further options.
PLANNED: list[tuple[str, str, dict[str, Any], set[str]]] = [
    ("xen:///",           "xen+ssh://b/",        {"live": True},           {"xend-gone"}),
]
# fmt: on


@pytest.mark.parametrize(("source", "destination", "options", "found"), PLANNED)
def test_driver_that_only_plans_is_checked_as_far_as_a_plan_goes(
    planner: Migrator, source: str, destination: str, options: dict[str, Any], found: set[str]
) -> None:
    plan = planner.plan("web1", source=source, destination=destination, **options)

    report = planner.check(plan)
    alone = planner.check(plan, only=["no-abort"])

    ids = [finding.id for finding in report.findings]
    assert found < {*ids}
    assert ids[: len(plan.findings)] == [finding.id for finding in plan.findings]
    assert ids[-1] == "hosts-not-looked-at"
    assert report.facts is None
    assert report.to_json()["facts"] is None
    assert not report.blocked
    # Whatever is asked for, that nobody looked is said.
    assert alone.findings[-1].id == "hosts-not-looked-at"
