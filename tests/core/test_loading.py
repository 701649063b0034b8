"""What importing and making a plugin can come to, beside the errors of test_registry.py."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import (
    Config,
    DriverInfo,
    EntryPoint,
    Loaded,
    Migrator,
    NamedHost,
    PluginFailedError,
    PluginUnusableError,
    PortRule,
    Registry,
    Revision,
    Status,
    Switches,
    UsageError,
    hookimpl,
)
from migrate_plugins.installed import DRIVERS, PLUGINS, entry_points
from migrate_plugins.loading import load

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from migrate_plugins import Plugin

SITE = Path(__file__).parent / "site"
HOST = NamedHost("beta", "good://beta/")


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, EntryPoint]]:
    monkeypatch.syspath_prepend(str(SITE))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield {
        point.name: point
        for point in entry_points([str(SITE)])
        if point.distribution != "acme-again"
    }
    for name in [name for name in sys.modules if name.startswith("acme_")]:
        del sys.modules[name]


def _one(loaded: Loaded) -> tuple[Status, str | None]:
    return loaded.status, loaded.reason


def _plugin(registry: Registry, name: str) -> Plugin:
    return next(plugin for plugin in registry.plugins if plugin.point.name == name)


def test_plugin_that_prints_is_noisy_and_standard_output_stays_clean(
    points: dict[str, EntryPoint], capsys: pytest.CaptureFixture[str]
) -> None:
    (loaded,) = load([points["noisy"]], Switches())

    assert _one(loaded) == (
        Status.NOISY,
        "it prints when it is imported: 'acme says hello'",
    )
    assert capsys.readouterr() == ("", "acme says hello\nand more\n")


def test_what_another_thread_prints_meanwhile_goes_where_it_belongs(
    points: dict[str, EntryPoint],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def import_module(_name: str) -> object:
        thread = threading.Thread(target=print, args=("of the other",))
        thread.start()
        thread.join()
        return object()

    monkeypatch.setattr("migrate_plugins.installed.import_module", import_module)

    (loaded,) = load([points["noisy"]], Switches())

    assert _one(loaded) == (Status.ACTIVE, None)
    assert capsys.readouterr() == ("of the other\n", "")


def test_plugin_that_takes_long_is_slow_and_takes_part(
    points: dict[str, EntryPoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrate_plugins.loading._PATIENCE", 0.1)

    registry = Registry(load([points["slow"]], Switches()))

    plugin = _plugin(registry, "slow")
    assert plugin.status is Status.SLOW
    assert plugin.reason is not None
    assert plugin.reason.startswith("importing it takes 0.")
    assert [command.name for command in registry.commands()] == ["slow"]


def test_patience_is_a_second(points: dict[str, EntryPoint]) -> None:
    (loaded,) = load([points["slow"]], Switches())  # it takes a fifth of one

    assert _one(loaded) == (Status.ACTIVE, None)


@pytest.mark.parametrize("raised", [SystemExit("no"), GeneratorExit("no"), BaseException("no")])
def test_import_that_raises_whatever_is_broken(
    points: dict[str, EntryPoint], monkeypatch: pytest.MonkeyPatch, raised: BaseException
) -> None:
    def import_module(_name: str) -> object:
        raise raised

    monkeypatch.setattr("migrate_plugins.installed.import_module", import_module)

    (loaded,) = load([points["good"]], Switches())

    assert _one(loaded) == (Status.BROKEN, f"{type(raised).__name__}: no")


def test_ctrl_c_during_an_import_is_the_users(
    points: dict[str, EntryPoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    def import_module(_name: str) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("migrate_plugins.installed.import_module", import_module)

    with pytest.raises(KeyboardInterrupt):
        list(load([points["good"]], Switches()))
    assert sys.stdout is not None
    assert not type(sys.stdout).__module__.startswith("migrate_plugins")


def test_disabled_plugin_is_not_imported(points: dict[str, EntryPoint]) -> None:
    switches = Switches(frozenset({"good"}), "/c.toml", frozenset({"acme-slow"}))

    registry = Registry(load([points["good"], points["slow"]], switches))

    assert {plugin.point.name: (plugin.status, plugin.reason) for plugin in registry.plugins} == {
        "good": (
            Status.DISABLED,
            "disabled in /c.toml; `migrate-plugins enable good` undoes it",
        ),
        "slow": (Status.DISABLED, "MIGRATE_PLUGINS_DISABLE names it"),
    }
    assert not {"acme_good", "acme_slow"} & set(sys.modules)
    assert registry.drivers == {}


# --- classes -----------------------------------------------------------------------------------

# fmt: off
TABLES: list[tuple[dict[str, Any] | None, Status, str | None, dict[str, Any]]] = [
    # [policies.ports]             status          reason, settings in force
    (None,                         Status.OFF,     "config.toml has no [policies.ports]", {}),
    ({},                           Status.ACTIVE,  None, {"first": None, "site": "acme"}),
    ({"first": 7105, "site": "x"}, Status.ACTIVE,  None, {"first": 7105, "site": "x"}),
    ({"first": 80},                Status.BROKEN,
     "[policies.ports] is wrong: first is 80, a port of the system; give 1024 or more", {}),
    ({"frist": 80, "site": 1},     Status.BROKEN,
     ("config.toml: policies.ports.frist is no known key; it may mean first; known here: first,"
      " site | policies.ports.site is 1; give a text"), {}),
]
# fmt: on


def _with(
    points: dict[str, EntryPoint], names: list[str], policies: dict[str, dict[str, Any]]
) -> Registry:
    config = Config("/c.toml", exists=True, hosts={"beta": HOST}, policies=policies)
    return Registry(load([points[name] for name in names], Switches()), config)


@pytest.mark.parametrize(("table", "status", "reason", "settings"), TABLES)
def test_class_is_made_with_its_settings(
    points: dict[str, EntryPoint],
    table: dict[str, Any] | None,
    status: Status,
    reason: str | None,
    settings: dict[str, Any],
) -> None:
    tables = {} if table is None else {"ports": table}

    plugin = _plugin(_with(points, ["good", "ports"], tables), "ports")

    assert (plugin.status, plugin.reason, plugin.settings) == (status, reason, settings)


def test_settings_reach_the_plan_and_name_their_policy(points: dict[str, EntryPoint]) -> None:
    registry = _with(points, ["good", "ports"], {"ports": {"first": 7105, "site": "x"}})

    rule = registry.drivers["good"].port_rule(Revision.ORIGINAL, "native-direct")

    assert (rule.first, rule.because) == (7105, "x's rule (policy ports)")


def test_class_without_settings_takes_part_by_itself(points: dict[str, EntryPoint]) -> None:
    registry = _with(points, ["good", "plain"], {})

    assert _plugin(registry, "plain").status is Status.ACTIVE
    # It wraps the rule and leaves it: the plan names nobody.
    assert registry.drivers["good"].port_rule(Revision.ORIGINAL, "native-direct").because == "acme"


def test_class_that_cannot_be_made_is_broken(points: dict[str, EntryPoint]) -> None:
    plugin = _plugin(_with(points, ["unmade"], {}), "unmade")

    assert plugin.status is Status.BROKEN
    assert plugin.reason is not None
    assert plugin.reason.startswith("TypeError: Unmade.__init__() takes 1 positional argument")


def test_each_registry_has_a_plugin_of_its_own(points: dict[str, EntryPoint]) -> None:
    one = _with(points, ["good", "ports"], {"ports": {"first": 7101}})
    other = _with(points, ["good", "ports"], {"ports": {"first": 7102}})

    rules = [
        registry.drivers["good"].port_rule(Revision.ORIGINAL, "native-direct")
        for registry in (one, other)
    ]

    assert [rule.first for rule in rules] == [7101, 7102]


def test_table_for_a_plugin_that_takes_no_settings_is_refused(
    points: dict[str, EntryPoint],
) -> None:
    registry = _with(points, ["policy", "watcher"], {"policy": {"x": 1}, "watcher": {}})

    assert [(plugin.status, plugin.reason) for plugin in registry.plugins] == [
        (Status.BROKEN, "config.toml: policies.policy.x is no known key; leave it out"),
        (Status.ACTIVE, None),
    ]


# --- the edition of the contract ---------------------------------------------------------------

# fmt: off
EDITIONS = [
    # MIGRATE_PLUGINS_API, why it is refused
    (1,      None),
    (2,      ("it was written for API 2, and this migrate-plugins takes API 1; a newer"
              " migrate-plugins may fit")),
    (0,      ("it was written for API 0, and this migrate-plugins takes API 1; a newer"
              " acme-edition may fit")),
    ("1",    "its MIGRATE_PLUGINS_API is '1', and this migrate-plugins takes API 1"),
    (True,   "its MIGRATE_PLUGINS_API is True, and this migrate-plugins takes API 1"),
]
# fmt: on


class Silent:
    """A plugin that has nothing to say."""

    @hookimpl
    def migrate_cli(self) -> None:
        return None


@pytest.mark.parametrize(("edition", "reason"), EDITIONS)
def test_edition_that_is_not_taken(edition: object, reason: str | None) -> None:
    class Plugin(Silent):
        MIGRATE_PLUGINS_API = edition

    point = EntryPoint(PLUGINS, "edition", "here", "acme-edition", "1", "here")

    (plugin,) = Registry([(point, Plugin())]).plugins

    assert plugin.reason == reason
    assert plugin.status is (Status.ACTIVE if reason is None else Status.BROKEN)
    assert plugin.api == (edition if reason is None else None)


def test_edition_that_is_not_declared_is_the_first() -> None:
    point = EntryPoint(PLUGINS, "old", "here", "acme-old", "1", "here")

    (plugin,) = Registry([(point, Silent())]).plugins

    assert (plugin.status, plugin.api) == (Status.ACTIVE, 1)


def test_two_editions_can_be_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migrate_plugins.admission.API", 3)
    monkeypatch.setattr("migrate_plugins.admission.OLDEST_API", 2)

    reasons = []
    for edition in (1, 2, 3, 4):
        plugin = type("Plugin", (Silent,), {"MIGRATE_PLUGINS_API": edition})()
        point = EntryPoint(PLUGINS, "edition", "here", "acme", "1", "here")
        reasons.append(Registry([(point, plugin)]).plugins[0].reason)

    told = (
        "it was written for API {}, and this migrate-plugins takes API 2 to 3; a newer {} may fit"
    )
    assert reasons == [told.format(1, "acme"), None, None, told.format(4, "migrate-plugins")]


# --- the driver that was asked for -------------------------------------------------------------


def test_driver_that_is_asked_for_keeps_a_scheme_against_all(points: dict[str, EntryPoint]) -> None:
    plugins = [*load([points["good"], points["rival"]], Switches())]

    registry = Registry(plugins, driver="rival")

    assert {plugin.point.name: plugin.status for plugin in registry.plugins} == {
        "good": Status.SHADOWED,
        "rival": Status.ACTIVE,
    }


def test_simulated_driver_is_used_when_it_is_asked_for(points: dict[str, EntryPoint]) -> None:
    chosen = [points["good"], points["simulated"]]
    without = Registry(load(chosen, Switches()))
    with_it = Registry(load(chosen, Switches(driver="simulated")), driver="simulated")

    assert (list(without.drivers), list(with_it.drivers)) == (["good"], ["good", "simulated"])
    plan = Migrator(with_it).plan("web1", source="sim://alpha/", destination="sim://beta/")
    assert plan.driver == "simulated"


def test_schemes_of_the_others_are_out_of_reach_when_a_driver_is_asked_for(
    points: dict[str, EntryPoint],
) -> None:
    chosen = load([points["good"], points["simulated"]], Switches(driver="simulated"))
    registry = Registry(chosen, driver="simulated")

    with pytest.raises(
        Exception, match=r"the driver simulated \(--driver\) does not claim good://"
    ):
        registry.driver_for("good")


def test_driver_that_is_asked_for_has_to_be_there_and_to_work(
    points: dict[str, EntryPoint],
) -> None:
    registry = Registry(load([points["good"], points["missing"]], Switches()))

    registry.check_chosen("good")
    with pytest.raises(PluginUnusableError, match="'missing' was asked for and is broken: Module"):
        registry.check_chosen("missing")
    with pytest.raises(UsageError) as caught:
        registry.check_chosen("god")
    assert str(caught.value) == ("there is no driver 'god'; it may mean good; there are good")


# --- hooks that raise --------------------------------------------------------------------------


class Exits:
    @hookimpl(wrapper=True)
    def migrate_port_rule(self) -> Generator[None, PortRule, PortRule]:
        yield
        sys.exit("no")

    @hookimpl
    def migrate_refuse(self) -> None:
        sys.exit("no")


def test_hook_that_ends_the_process_ends_nothing(points: dict[str, EntryPoint]) -> None:
    point = EntryPoint(PLUGINS, "exits", "here", "acme-exits", "1", "here")
    registry = Registry([*load([points["good"]], Switches()), Loaded(point, Exits())])

    with pytest.raises(PluginFailedError) as caught:
        registry.drivers["good"].port_rule(Revision.ORIGINAL, "native-direct")

    assert (caught.value.plugin, caught.value.problem) == ("exits", "SystemExit: no")


def test_policy_that_cannot_judge_a_plan_refuses_it(points: dict[str, EntryPoint]) -> None:
    point = EntryPoint(PLUGINS, "exits", "here", "acme-exits", "1", "here")
    good = Registry(load([points["good"]], Switches()))
    plan = Migrator(good).plan("web1", source="good://a/", destination="good://b/")
    both = Registry([*load([points["good"]], Switches()), Loaded(point, Exits())])

    (reason,) = both.refusals(plan)

    assert reason[:3] == (
        "policy-failed",
        "policy exits could not judge the plan: SystemExit: no",
        "tell its author; `migrate-plugins disable exits` switches it off",
    )


def test_shadowed_driver_answers_nothing_any_more(points: dict[str, EntryPoint]) -> None:
    class Rival:
        @hookimpl
        def migrate_driver(self) -> object:
            return DriverInfo("zz-rival", "Rival", ("good",), (), {}, example="good://beta/")

        @hookimpl
        def migrate_refuse(self) -> None:
            raise AssertionError("it was asked")

    point = EntryPoint(DRIVERS, "zz-rival", "here", "acme-zz", "1", "here")
    registry = Registry([*load([points["good"]], Switches()), Loaded(point, Rival())])

    assert _plugin(registry, "zz-rival").status is Status.SHADOWED
    assert Migrator(registry).plan("web1", source="good://a/", destination="good://b/").guest


# --- plugins that are odd in other ways ---------------------------------------------------------


class Unsaid(Exception):  # noqa: N818 - it is only odd
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Unshown:
    def __repr__(self) -> str:
        raise RuntimeError("no picture")


@dataclass
class Unhashable:
    """What a dataclass is, unless it is frozen."""

    name: str = "x"

    @hookimpl
    def migrate_cli(self) -> None:
        return None


class Unmarked:
    @hookimpl
    def migrate_cli(self) -> None:
        return None

    def migrate_refuse(self) -> None:
        """Refuse, it seems; but nobody will ask."""


class Hookless:
    """Nothing of a plugin."""


# fmt: off
ODD = [
    # plugin               why it is broken
    (Unhashable(),         "TypeError: unhashable type: 'Unhashable'"),
    (Unmarked(),           "TypeError: migrate_refuse: not marked with @hookimpl"),
    (Hookless(),           "TypeError: it implements no hook"),
    (Unsaid(),             "Unsaid: its text cannot be read (RuntimeError)"),
]
# fmt: on


@pytest.mark.parametrize(("plugin", "reason"), ODD)
def test_odd_plugin_is_broken_and_the_rest_works(
    points: dict[str, EntryPoint], plugin: object, reason: str
) -> None:
    point = EntryPoint(PLUGINS, "odd", "here", "acme-odd", "1", "here")
    registry = Registry([*load([points["good"]], Switches()), Loaded(point, plugin)])

    assert _plugin(registry, "odd")[1:3] == (Status.BROKEN, reason)
    plan = Migrator(registry).plan("web1", source="good://a/", destination="good://b/")
    assert [(finding.id, finding.text) for finding in plan.findings if "odd" in finding.text] == [
        ("policy-not-heard", f"the plugin odd is broken, and has no say: {reason}")
    ]


def test_answer_that_cannot_be_shown_is_told_all_the_same(points: dict[str, EntryPoint]) -> None:
    class Odd:
        @hookimpl(wrapper=True)
        def migrate_port_rule(self) -> Generator[None, object, object]:
            yield
            return Unshown()

    point = EntryPoint(PLUGINS, "odd", "here", "acme-odd", "1", "here")
    steps: list[object] = []
    loaded = [*load([points["good"]], Switches()), Loaded(point, Odd())]
    registry = Registry(loaded, tracer=steps.append)

    with pytest.raises(PluginFailedError) as caught:
        registry.drivers["good"].port_rule(Revision.ORIGINAL, "native-direct")

    assert caught.value.problem == "it answered a Unshown that cannot be shown, not a PortRule"
    assert len(steps) > 1


def test_wrapper_that_yields_twice_is_the_one_to_blame(points: dict[str, EntryPoint]) -> None:
    class Twice:
        @hookimpl(wrapper=True)
        def migrate_port_rule(self) -> Generator[None, PortRule, PortRule]:
            yield
            return (yield)

    point = EntryPoint(PLUGINS, "twice", "here", "acme-twice", "1", "here")
    registry = Registry([*load([points["good"]], Switches()), Loaded(point, Twice())])

    with pytest.raises(PluginFailedError) as caught:
        registry.drivers["good"].port_rule(Revision.ORIGINAL, "native-direct")

    assert caught.value.plugin == "twice"


def test_plugin_that_loads_plugins_itself_does_not_hang(
    points: dict[str, EntryPoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    def import_module(_name: str) -> object:
        if not inner:
            inner.append(True)
            inner.extend(load([points["slow"]], Switches()))
        return Silent()

    inner: list[object] = []
    monkeypatch.setattr("migrate_plugins.installed.import_module", import_module)

    (loaded,) = load([points["good"]], Switches())

    assert loaded.status is Status.ACTIVE
    assert len(inner) == 2


def test_hook_under_another_name_answers_for_its_own_driver_alone(
    points: dict[str, EntryPoint],
) -> None:
    class Other:
        @hookimpl
        def migrate_driver(self) -> DriverInfo:
            return DriverInfo("other", "Other", ("other",), (), {}, example="other://beta/")

        @hookimpl(specname="migrate_port_rule")
        def its_ports(self) -> PortRule:
            raise AssertionError("it was asked for another's ports")

    point = EntryPoint(DRIVERS, "other", "here", "acme-other", "1", "here")
    registry = Registry([*load([points["good"]], Switches()), Loaded(point, Other())])

    assert registry.drivers["good"].port_rule(Revision.ORIGINAL, "native-direct").because == "acme"


# --- of one name --------------------------------------------------------------------------------

STRICT = {"ports": {"frist": 1}}


@pytest.mark.parametrize("rival", [Status.ACTIVE, Status.DISABLED, Status.BROKEN])
def test_policy_that_is_configured_and_broken_is_not_replaced_by_one_of_its_name(
    points: dict[str, EntryPoint], rival: Status
) -> None:
    other = EntryPoint(PLUGINS, "ports", "here", "aaa-rival", "1", "here")
    stranger = Loaded(
        other,
        LookupError("no") if rival is Status.BROKEN else Silent(),
        Status.DISABLED if rival is Status.DISABLED else Status.ACTIVE,
    )
    ours = points["ports"]._replace(distribution="migrate-plugins")
    config = Config("/c.toml", exists=True, policies=STRICT)

    registry = Registry([stranger, *load([ours], Switches())], config)

    assert [reason.id for reason in registry.unmet] == ["policy-broken"]
    assert "frist" in registry.unmet[0].text


def test_policy_that_works_is_not_blamed_for_one_of_its_name(points: dict[str, EntryPoint]) -> None:
    other = EntryPoint(PLUGINS, "ports", "here", "zzz-rival", "1", "here")
    config = Config("/c.toml", exists=True, policies={"ports": {"first": 7101}})

    registry = Registry(
        [Loaded(other, LookupError("no")), *load([points["ports"]], Switches())], config
    )

    assert registry.unmet == ()


def test_policy_that_is_configured_and_switched_off_is_a_finding(
    points: dict[str, EntryPoint],
) -> None:
    config = Config("/c.toml", exists=True, policies={"ports": {}})
    switches = Switches(variable=frozenset({"ports"}))

    registry = Registry(load([points["good"], points["ports"]], switches), config)

    assert [finding.text for finding in registry.remarks] == [
        "policy ports is configured, and switched off: MIGRATE_PLUGINS_DISABLE names it"
    ]


def test_table_of_drivers_that_names_a_policy_is_told(points: dict[str, EntryPoint]) -> None:
    config = Config("/c.toml", exists=True, drivers={"ports": {"first": 7101}, "goood": {}})

    registry = Registry(load([points["good"], points["ports"]], Switches()), config)

    assert [reason[1:3] for reason in registry.unmet] == [
        ("drivers.ports is no known key", "it is a policy: write [policies.ports]"),
        ("drivers.goood is no known key", "it may mean good; known here: good"),
    ]
