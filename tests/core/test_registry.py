"""Discovery and isolation, with a fake site folder: hand-written metadata, real modules."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import (
    Access,
    Basis,
    Capabilities,
    ChosenBy,
    Claim,
    Command,
    ControlProtocol,
    Diagnosis,
    DriverInfo,
    EntryPoint,
    Event,
    Facts,
    Finding,
    HostFacts,
    Loaded,
    Migrator,
    NativeCommand,
    NoDriverError,
    Offer,
    Phase,
    PlanOnlyError,
    PluginFailedError,
    PortRule,
    Registry,
    Remedy,
    Revision,
    Selection,
    Severity,
    Status,
    hookimpl,
)
from migrate_plugins.installed import DRIVERS, PLUGINS, SIMULATED, entry_points
from migrate_plugins.loading import load
from migrate_plugins.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

SITE = Path(__file__).parent / "site"
ACTIVE, BROKEN, SHADOWED = Status.ACTIVE, Status.BROKEN, Status.SHADOWED
FAULT = (
    "this is a fault of the plugin, please tell its author; `migrate-plugins disable {}` switches"
    " it off"
)

GOOD_HOOKS = (
    "migrate_capabilities",
    "migrate_commands",
    "migrate_driver",
    "migrate_port_rule",
    "migrate_read_uri",
    "migrate_select_port",
    "migrate_uri",
)

# fmt: off
DISCOVERED = [
    # group   name               module                   distribution     version
    (DRIVERS, "alias",           "acme_alias",            "acme-alias",    "1.0"),
    (DRIVERS, "answers-none",    "acme_answers:nothing",  "acme-answers",  "1.0"),
    (DRIVERS, "answers-schemes", "acme_answers:schemes",  "acme-answers",  "1.0"),
    (DRIVERS, "answers-text",    "acme_answers:text",     "acme-answers",  "1.0"),
    (DRIVERS, "argument",        "acme_argument",         "acme-argument", "0.3"),
    (DRIVERS, "broken-import",   "acme_import",           "acme-import",   "0.1"),
    (DRIVERS, "exits",           "acme_exits",            "acme-exits",    "0.1"),
    (DRIVERS, "good",            "acme_again",            "acme-again",    "1.0"),
    (DRIVERS, "good",            "acme_good",             "acme-good",     "1.2.0"),
    (DRIVERS, "missing",         "acme_nowhere",          "acme-import",   "0.1"),
    (DRIVERS, "misspelt",        "acme_misspelt",         "acme-misspelt", "0.2"),
    (DRIVERS, "raises",          "acme_answers:raises",   "acme-answers",  "1.0"),
    (DRIVERS, "rival",           "acme_rival",            "acme-rival",    "1.0"),
    (DRIVERS, "version",         "acme_version",          "acme-version",  "2.0"),
    (PLUGINS, "noisy",           "acme_noisy",            "acme-noisy",    "1.0"),
    (PLUGINS, "plain",           "acme_policy:Plain",     "acme-policy",   "1.0"),
    (PLUGINS, "policy",          "acme_site:policy",      "acme-site",     "3.1"),
    (PLUGINS, "ports",           "acme_policy:Ports",     "acme-policy",   "1.0"),
    (PLUGINS, "slow",            "acme_slow",             "acme-slow",     "1.0"),
    (PLUGINS, "unmade",          "acme_policy:Unmade",    "acme-policy",   "1.0"),
    (PLUGINS, "watcher",         "acme_site:watcher",     "acme-site",     "3.1"),
    (SIMULATED, "simulated",     "acme_simulated",        "acme-policy",   "1.0"),
]

# Each beside acme-good and alone otherwise.
UNFIT = [
    # name              status    reason
    ("broken-import",   BROKEN,   "ModuleNotFoundError: No module named 'acme_client_library'"),
    ("missing",         BROKEN,   "ModuleNotFoundError: No module named 'acme_nowhere'"),
    ("exits",           BROKEN,   "SystemExit: acme needs Python 4"),
    ("version",         BROKEN,   ("it was written for API 2, and this migrate-plugins takes API 1;"
                                   " a newer migrate-plugins may fit")),
    ("alias",           BROKEN,   ("plugin 'alias' failed in migrate_driver: it calls itself"
                                  f" 'elias', its entry point does not; {FAULT}")),
    ("answers-none",    BROKEN,   ("plugin 'answers-none' failed in"
                                  f" migrate_driver: it answered None, not a DriverInfo; {FAULT}")),
    ("answers-text",    BROKEN,   ("plugin 'answers-text' failed in"
                                  " migrate_driver: it answered 'text', not a DriverInfo;"
                                  f" {FAULT}")),
    ("raises",          BROKEN,   ("plugin 'raises' failed in"
                                  f" migrate_driver: ValueError: no licence found; {FAULT}")),
    ("rival",           SHADOWED, ("acme-rival and acme-good both claim good://; acme-good keeps"
                                  " it, --driver rival prefers this one")),
]

# The same, where the words are pluggy's: what has to be among them.
UNFIT_BY_PLUGGY = [
    # name        words
    ("misspelt",  ("PluginValidationError: ", "unknown hook 'migrate_drvier'")),
    ("argument",  ("PluginValidationError: ", "'edition'", "migrate_driver")),
]
# fmt: on


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """The entry points of the fake site folder, whose modules can be imported."""
    monkeypatch.syspath_prepend(str(SITE))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield entry_points([str(SITE)])
    for name in [name for name in sys.modules if name.startswith("acme_")]:
        del sys.modules[name]


def _load(points: Iterable[EntryPoint]) -> Iterator[Loaded]:
    return load(points, Switches())


def _point(name: str, group: str = DRIVERS, distribution: str | None = None) -> EntryPoint:
    return EntryPoint(group, name, "in this test", distribution or f"acme-{name}", "1", "here")


def _registry(site: list[EntryPoint], *names: str) -> Registry:
    return Registry(
        _load(point for point in site if point.name in names and point.distribution != "acme-again")
    )


class Fake:
    """A driver of this test, by its name; its one scheme is its name too."""

    def __init__(self, name: str, *schemes: str) -> None:
        self.name = name
        self.schemes = schemes or (name,)

    @hookimpl
    def migrate_driver(self) -> DriverInfo:
        plain = ControlProtocol("RPC", 7000, encrypted=False)
        return DriverInfo(
            self.name, self.name.title(), self.schemes, (), {"": plain}, example="fake://beta/"
        )


# --- discovery ---------------------------------------------------------------------------------


def test_entry_points_of_the_fake_site() -> None:
    found = entry_points([str(SITE)])

    assert [point[:5] for point in found] == DISCOVERED
    assert {str(Path(point.origin).parent) for point in found} == {str(SITE)}


@pytest.mark.parametrize("path", [None, [str(SITE)], [str(SITE), *sys.path]])
def test_entry_points_agree_with_importlib_metadata(path: list[str] | None) -> None:
    theirs = {
        (
            point.group,
            point.name,
            point.value.partition("[")[0].strip(),
            distribution.name.replace("_", "-"),
            distribution.version,
        )
        for distribution in _first_of_each(path)
        for point in distribution.entry_points
        if point.group in {DRIVERS, PLUGINS, SIMULATED}
    }

    ours = entry_points(path)

    assert theirs
    assert {point[:5] for point in ours} == theirs
    assert len(ours) == len(theirs)
    assert ours == sorted(ours)


def _first_of_each(path: list[str] | None) -> list[metadata.Distribution]:
    found: dict[str, metadata.Distribution] = {}
    for distribution in metadata.distributions(path=sys.path if path is None else path):
        key = distribution.name.lower().replace("-", "_").replace(".", "_")
        found.setdefault(key, distribution)
    return list(found.values())


def _install(folder: Path, name: str, text: bytes) -> None:
    metadata_folder = folder / f"{name}.dist-info"
    metadata_folder.mkdir(parents=True)
    (metadata_folder / "entry_points.txt").write_bytes(text)


def test_first_folder_of_the_path_wins(tmp_path: Path) -> None:
    for folder, version in (("a", "2.0"), ("b", "1.0")):
        text = b"[migrate_plugins.drivers]\nx = x_%s" % folder.encode()
        _install(tmp_path / folder, f"acme_x-{version}", text)

    (point,) = entry_points([str(tmp_path / "a"), str(tmp_path / "b")])

    assert (point.module, point.version) == ("x_a", "2.0")


def test_folders_that_are_not_there_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "file.zip").write_bytes(b"")

    assert entry_points([str(tmp_path / "nowhere"), str(tmp_path / "file.zip")]) == []


def test_metadata_that_is_not_text_is_passed_over(tmp_path: Path) -> None:
    _install(tmp_path, "acme_a-1", b"\xff\xfe[migrate_plugins.drivers]\na = a")
    _install(tmp_path, "acme_b-1", b"[migrate_plugins.drivers]\nb = b")

    assert [point.name for point in entry_points([str(tmp_path)])] == ["b"]


def test_discovery_imports_nothing_of_the_plugins(site: list[EntryPoint]) -> None:
    assert site
    assert [name for name in sys.modules if name.startswith("acme_")] == []


# --- isolation ---------------------------------------------------------------------------------


def test_good_driver(site: list[EntryPoint]) -> None:
    registry = _registry(site, "good")

    (plugin,) = registry.plugins
    assert (plugin.status, plugin.reason, plugin.hooks) == (ACTIVE, None, GOOD_HOOKS)
    assert plugin.driver is registry.drivers["good"] is registry.driver_for("GOOD")
    assert (plugin.point.distribution, plugin.point.version) == ("acme-good", "1.2.0")


@pytest.mark.parametrize(("name", "status", "reason"), UNFIT)
def test_unfit_driver_is_listed_and_the_rest_works(
    site: list[EntryPoint], name: str, status: Status, reason: str
) -> None:
    registry = _registry(site, name, "good")

    (plugin,) = [plugin for plugin in registry.plugins if plugin.point.name == name]
    assert (plugin.status, plugin.reason) == (status, reason.format(name))
    assert plugin.point in site
    assert list(registry.drivers) == ["good"]
    assert registry.drivers["good"].port_rule(Revision.ORIGINAL, "native-direct").first == 7100


@pytest.mark.parametrize(("name", "words"), UNFIT_BY_PLUGGY)
def test_plugin_that_pluggy_refuses_is_listed_and_the_rest_works(
    site: list[EntryPoint], name: str, words: tuple[str, ...]
) -> None:
    registry = _registry(site, name, "good")

    (plugin,) = [plugin for plugin in registry.plugins if plugin.point.name == name]
    assert plugin.status is BROKEN
    assert [word for word in words if word not in (plugin.reason or "")] == []
    assert "\n" not in (plugin.reason or "")
    assert list(registry.drivers) == ["good"]
    assert registry.drivers["good"].port_rule(Revision.ORIGINAL, "native-direct").first == 7100


def test_driver_whose_schemes_are_no_names_is_listed_and_the_rest_works(
    site: list[EntryPoint],
) -> None:
    registry = _registry(site, "answers-schemes", "good")

    assert [(plugin.point.name, plugin.status) for plugin in registry.plugins] == [
        ("answers-schemes", BROKEN),
        ("good", ACTIVE),
    ]


def test_whole_site_at_once(site: list[EntryPoint]) -> None:
    registry = Registry(_load(site))

    # acme-again comes before acme-good, so the name is its.
    assert [
        (plugin.point.name, plugin.point.distribution)
        for plugin in registry.plugins
        if plugin.status is ACTIVE
    ] == [
        ("good", "acme-again"),
        ("rival", "acme-rival"),
        ("plain", "acme-policy"),
        ("policy", "acme-site"),
        ("slow", "acme-slow"),
        ("watcher", "acme-site"),
    ]
    assert {
        plugin.point.name: plugin.status
        for plugin in registry.plugins
        if plugin.status not in {ACTIVE, BROKEN}
    } == {
        "good": SHADOWED,
        "noisy": Status.NOISY,
        "ports": Status.OFF,
        "simulated": Status.OFF,
    }
    assert [plugin.point for plugin in registry.plugins] == site


def test_two_of_one_name(site: list[EntryPoint]) -> None:
    registry = Registry(_load(point for point in site if point.name == "good"))

    assert [
        (plugin.point.distribution, plugin.status, plugin.reason) for plugin in registry.plugins
    ] == [
        ("acme-again", ACTIVE, None),
        (
            "acme-good",
            SHADOWED,
            (
                f"the name 'good' is taken by acme-again ({SITE}/acme_again-1.0.dist-info);"
                " one of the two must be renamed or removed"
            ),
        ),
    ]


def test_ours_keeps_a_scheme_that_a_stranger_claims() -> None:
    # A stranger whose distribution has our prefix, and comes first in the alphabet.
    stranger = _point("aaa", distribution="migrate-plugins-aaa")
    ours = _point("zzz", distribution="migrate-plugins-xen")

    registry = Registry([(stranger, Fake("aaa", "zzz")), (ours, Fake("zzz"))])

    assert list(registry.drivers) == ["zzz"]
    assert registry.driver_for("zzz").info.name == "zzz"
    assert [plugin.reason for plugin in registry.plugins] == [
        (
            "migrate-plugins-aaa and migrate-plugins-xen both claim zzz://;"
            " migrate-plugins-xen keeps it, --driver aaa prefers this one"
        ),
        None,
    ]


def test_ours_keeps_its_name_against_a_stranger_of_the_same_name() -> None:
    stranger = _point("xen", distribution="aaa-xen")
    ours = _point("xen", distribution="migrate-plugins-xen")

    registry = Registry([(stranger, Fake("xen")), (ours, Fake("xen"))])

    assert [(plugin.point.distribution, plugin.status) for plugin in registry.plugins] == [
        ("aaa-xen", SHADOWED),
        ("migrate-plugins-xen", ACTIVE),
    ]


def test_one_object_under_two_entry_points() -> None:
    both = Fake("both")

    registry = Registry(
        [(_point("both"), both), (_point("both", PLUGINS), both), (_point("other"), Fake("other"))]
    )

    assert list(registry.drivers) == ["both", "other"]


def test_plain_answer_of_a_policy_to_an_addressed_hook_takes_no_driver_over() -> None:
    registry = Registry([(_point("one"), Fake("one")), (_point("policy", PLUGINS), Fake("policy"))])

    assert list(registry.drivers) == ["one"]
    assert registry.driver_for("one").info.title == "One"


def test_no_driver_for_a_scheme() -> None:
    registry = Registry(
        [
            (_point("one"), Fake("one", "one", "uno")),
            (_point("two"), ImportError("no two")),
            (_point("three"), ImportError("no three")),
        ]
    )

    with pytest.raises(NoDriverError) as caught:
        registry.driver_for("Two")

    assert str(caught.value) == (
        "no installed driver claims Two://; there are drivers for one://, uno://;"
        " three, two could not be loaded (see `migrate-plugins list`)"
    )
    assert (caught.value.scheme, caught.value.known, caught.value.broken) == (
        "Two",
        ("one", "uno"),
        ("three", "two"),
    )


def test_no_driver_at_all() -> None:
    with pytest.raises(NoDriverError) as caught:
        Registry([]).driver_for("qemu")

    assert str(caught.value) == (
        "no installed driver claims qemu://; there are drivers for no scheme at all"
    )


# --- wrapping and planning ---------------------------------------------------------------------


def test_wrapper_changes_the_plan_of_every_driver(site: list[EntryPoint]) -> None:
    migrator = Migrator(_registry(site, "good", "policy"))

    plan = migrator.plan("web1", source="good://a/", destination="good://b/")

    assert (plan.port.first, plan.port.last) == (7100, 7101)
    assert plan.port.because == "site policy; acme (policy policy)"
    assert plan.commands == (
        NativeCommand("goodctl", None, "goodctl cannot migrate"),
        NativeCommand("audit", ("audit", "migration")),
    )


class Wrong(Fake):
    """A driver whose planning hooks answer what the test says."""

    def __init__(self, **answers: object) -> None:
        super().__init__("wrong")
        self.answers = answers

    def _answer(self, hook: str) -> object:
        answer = self.answers.get(hook)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @hookimpl
    def migrate_capabilities(self) -> object:
        return self._answer("capabilities")

    @hookimpl
    def migrate_port_rule(self) -> object:
        return self._answer("port_rule")

    @hookimpl
    def migrate_select_port(self) -> object:
        return self._answer("select_port")

    @hookimpl
    def migrate_uri(self) -> object:
        return self._answer("uri")

    @hookimpl
    def migrate_commands(self) -> object:
        return self._answer("commands")

    @hookimpl
    def migrate_connect(self) -> object:
        return self._answer("connect")


OFFER = Offer(Claim(Basis.CODE, "here"), frozenset(), migration_uri=True)
FINE: dict[str, object] = {
    "capabilities": Capabilities(
        {"native-direct": OFFER}, ("x",), "stream", "nobody makes it", None, "nobody knows"
    ),
    "port_rule": PortRule(1, 2, ChosenBy.US, "here"),
    "commands": [NativeCommand("x", ("x",))],
}

# fmt: off
WRONG_ANSWERS = [
    # answers                             hook, then the problem
    ({"capabilities": None},              "migrate_capabilities",
     "it answered None, not a Capabilities"),
    ({"capabilities": {}},                "migrate_capabilities",
     "it answered {}, not a Capabilities"),
    ({"capabilities": KeyError("x")},     "migrate_capabilities",
     "KeyError: 'x'"),
    ({"port_rule": (1, 2)},               "migrate_port_rule",
     "it answered (1, 2), not a PortRule"),
    ({"port_rule": ValueError("a\n b")},  "migrate_port_rule",
     "ValueError: a b"),
    ({"uri": "tcp://x/"},                 "migrate_uri",
     "it answered 'tcp://x/', not a MigrationURI"),
    ({"commands": []},                    "migrate_commands",
     "it answered [], not a NativeCommand"),
    ({"commands": ["virsh"]},             "migrate_commands",
     "it answered ['virsh'], not a NativeCommand"),
    ({"commands": OSError("no tool")},    "migrate_commands",
     "OSError: no tool"),
]

WRONG_PORTS = [0, 3, True, "1", 1.0]
# fmt: on


def _wrong(**answers: object) -> Migrator:
    return Migrator([(_point("wrong"), Wrong(**(FINE | answers)))])


@pytest.mark.parametrize(("answers", "hook", "problem"), WRONG_ANSWERS)
def test_wrong_answer_while_planning_names_plugin_and_hook(
    answers: dict[str, object], hook: str, problem: str
) -> None:
    migrator = _wrong(**answers)

    with pytest.raises(PluginFailedError) as caught:
        _ask_everything(migrator)

    assert (caught.value.hook, caught.value.problem) == (hook, problem)
    assert caught.value.plugin == "wrong"
    assert str(caught.value) == (
        f"plugin 'wrong' failed in {hook}: {problem}; {FAULT.format('wrong')}"
    )


def _ask_everything(migrator: Migrator) -> None:
    driver = migrator.registry.drivers["wrong"]
    driver.capabilities(Revision.ORIGINAL)
    driver.port_rule(Revision.ORIGINAL, "native-direct")
    migrator.plan("web1", source="wrong:///", destination="wrong:///")


@pytest.mark.parametrize("port", WRONG_PORTS)
def test_port_that_is_no_free_port_of_the_range(port: object) -> None:
    driver = _wrong(select_port=port).registry.drivers["wrong"]

    with pytest.raises(PluginFailedError) as caught:
        driver.select_port(PortRule(1, 2, ChosenBy.US, "here"), "desthost", frozenset())

    assert caught.value.problem == f"it chose {port!r}, which is no free port of 1-2"


def test_port_that_is_taken() -> None:
    driver = _wrong(select_port=1).registry.drivers["wrong"]

    with pytest.raises(PluginFailedError) as caught:
        driver.select_port(PortRule(1, 2, ChosenBy.US, "here"), "desthost", frozenset({1}))

    assert caught.value.problem == "it chose 1, which is no free port of 1-2"


def test_driver_that_opens_no_sessions() -> None:
    with pytest.raises(PlanOnlyError) as caught:
        _wrong(connect=None).registry.drivers["wrong"].connect("wrong:///")

    assert caught.value.driver == "wrong"
    assert caught.value.exit_code == 3


def test_wrapper_that_raises_is_named_and_not_the_driver(site: list[EntryPoint]) -> None:
    class Ban:
        @hookimpl(wrapper=True)
        def migrate_port_rule(self) -> Generator[None, PortRule, PortRule]:
            yield
            raise LookupError("no address plan")

    good = next(point for point in site if point.distribution == "acme-good")
    registry = Registry([*_load([good]), (_point("ban", PLUGINS), Ban())])

    with pytest.raises(PluginFailedError) as caught:
        registry.drivers["good"].port_rule(Revision.ORIGINAL, "native-direct")

    assert caught.value.plugin == "ban"
    assert caught.value.problem == "LookupError: no address plan"


# --- broadcast ---------------------------------------------------------------------------------


@pytest.fixture
def both(site: list[EntryPoint]) -> Migrator:
    return Migrator(_registry(site, "good", "policy", "watcher"))


FACTS = Facts(HostFacts("a", None, "x", "x"), None, None, None)


def test_check_of_a_plugin_that_raises_is_a_finding(both: Migrator) -> None:
    plan = both.plan("web1", source="good://a/", destination="good://b/")

    findings = both.registry.checks(plan, FACTS, Access(), Access(), Selection())

    assert sorted(findings) == [
        Finding(
            "plugin-failed",
            Severity.WARNING,
            None,
            f"plugin 'watcher' could not check: LookupError: no pager for {FACTS}",
            remedy="tell its author; `migrate-plugins list` names its distribution",
        ),
        Finding("policy", Severity.INFO, None, "web1 may move"),
    ]


def test_diagnoses_of_the_others_when_one_raises(both: Migrator) -> None:
    assert both.diagnose("no licence left") == [
        Diagnosis("licence-expired", "the licence has expired", (Remedy("renew it"),), 0.9),
        Diagnosis("licence", "it may be the licence", (Remedy("ask acme"),), 0.2),
    ]
    assert both.diagnose("something else") == []


def test_observer_that_raises_disturbs_nobody(site: list[EntryPoint]) -> None:
    seen = []

    class Recorder:
        @hookimpl
        def migrate_observe(self, event: Event) -> None:
            seen.append(event)

    watcher = [point for point in site if point.name == "watcher"]
    event = Event("web1", Phase.CONNECT, 0.0)

    recorder = Loaded(_point("recorder", PLUGINS), Recorder())
    for plugins in ([*_load(watcher), recorder], [recorder, *_load(watcher)]):
        Registry(plugins).observe(event)

    assert seen == [event, event]


def test_commands_of_the_others_when_one_raises(both: Migrator) -> None:
    assert both.registry.commands() == [Command("acme", "what acme adds", "acme_site")]


def test_broadcast_answer_of_the_wrong_kind_is_a_finding() -> None:
    class Talkative:
        @hookimpl
        def migrate_checks(self) -> list[str]:
            return ["all is well"]

    migrator = Migrator([(_point("wrong"), Wrong(**FINE)), (_point("chat", PLUGINS), Talkative())])
    plan = migrator.plan("web1", source="wrong:///", destination="wrong:///")

    findings = migrator.registry.checks(plan, FACTS, Access(), Access(), Selection())

    assert [(finding.id, finding.severity) for finding in findings] == [
        ("plugin-failed", Severity.WARNING)
    ]
    assert "'chat'" in findings[0].text


def test_wrapper_of_a_broadcast_hook_adds_no_answer_of_its_own() -> None:
    class Wrapping:
        @hookimpl(wrapper=True)
        def migrate_diagnose(self) -> Generator[None, object, object]:
            return (yield)

    registry = Registry([(_point("wrapping", PLUGINS), Wrapping())])

    assert registry.diagnose("text", None, None) == []
