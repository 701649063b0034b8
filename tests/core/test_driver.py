"""A driver and the policies around it: whose an answer is, and who is to blame for a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from migrate_plugins import (
    Access,
    Basis,
    Capabilities,
    ChosenBy,
    Claim,
    ControlProtocol,
    DriverInfo,
    EntryPoint,
    Facts,
    HostFacts,
    InvalidURIError,
    MigrationURI,
    Migrator,
    NativeCommand,
    Offer,
    PlanError,
    PluginFailedError,
    PortRule,
    Reason,
    Receiver,
    Registry,
    Request,
    Revision,
    hookimpl,
)
from migrate_plugins.installed import DRIVERS, PLUGINS
from migrate_plugins.planner import Planner

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from migrate_plugins import Driver, Plan, Session

OFFER = Offer(Claim(Basis.CODE, "here"), frozenset({"live"}), migration_uri=True)
CAPABILITIES = Capabilities(
    offers={"native-direct": OFFER, "native-unmanaged": OFFER},
    migration_schemes=("own",),
    protocol="own stream",
    unwritten_uri="the hypervisor makes it",
    encrypted=False,
    encryption="it is plain text",
)
RULE = PortRule(7100, 7109, ChosenBy.US, "its manual")


class Own:
    """A driver whose hypervisor makes its own migration URI."""

    @hookimpl
    def migrate_driver(self) -> DriverInfo:
        plain = ControlProtocol("own RPC", 7000, encrypted=False)
        return DriverInfo("own", "Own", ("own",), ("own",), {"": plain}, example="own://beta/")

    @hookimpl
    def migrate_capabilities(self) -> Capabilities:
        return CAPABILITIES

    @hookimpl
    def migrate_port_rule(self) -> PortRule:
        return RULE

    @hookimpl
    def migrate_select_port(self, rule: PortRule, taken: frozenset[int]) -> int | None:
        return rule.lowest_free(taken)

    @hookimpl
    def migrate_read_uri(self, text: str) -> MigrationURI:
        uri = MigrationURI.parse(text)
        if uri.scheme != "own":
            raise InvalidURIError(text, part="it is not own", hint="write own://")
        return uri

    @hookimpl
    def migrate_commands(self) -> list[NativeCommand]:
        return [NativeCommand("ownctl", ("ownctl",))]

    @hookimpl
    def migrate_receiver(self) -> Receiver:
        return Receiver("b", 7100, 7199, "a test")

    @hookimpl
    def migrate_connect(self, uri: str) -> Session:
        return Opened(uri)  # type: ignore[return-value]


class Opened(NamedTuple):
    uri: str


def _wrapping(hook: str, change: Callable[..., object]) -> object:
    """Make a policy that wraps one hook and gives what *change* makes of the answer."""

    def wrapper(_self: object) -> Generator[None, object, object]:
        answer = yield
        return change(answer)

    wrapper.__name__ = hook
    return type("Policy", (), {hook: hookimpl(wrapper=True)(wrapper)})()


def _registry(*policies: object, **named: object) -> Registry:
    own = EntryPoint(DRIVERS, "own", "here", "acme-own", "1", "here")
    plugins: list[tuple[EntryPoint, object]] = [(own, Own())]
    around = [*((f"p{number}", each) for number, each in enumerate(policies)), *named.items()]
    plugins += [
        (EntryPoint(PLUGINS, name, "here", f"acme-{name}", "1", "here"), each)
        for name, each in around
    ]
    return Registry(plugins)


def _plan(registry: Registry, **asked: Any) -> Plan:  # noqa: ANN401 - Request types them
    given = {"guest": "web1", "source": "own://a/", "destination": "own://b/", "live": True}
    return Migrator(registry).plan(**{**given, **asked})


def _received(driver: Driver) -> Receiver | None:
    facts = Facts(HostFacts("a", None, "x", "x"), None, None, None)
    return driver.receiver(_plan(_registry()), facts, Access())


ELSEWHERE = MigrationURI("own", host="elsewhere")
AUDIT = NativeCommand("audit", ("audit",))

# fmt: off
# Each addressed hook, how a policy changes its answer, how it is asked, and what comes of it.
ADDRESSED: list[tuple[str, Callable[[Any], object], Callable[[Driver], object], object]] = [
    ("migrate_driver",       lambda info: info._replace(title="Ours"),
     lambda driver: driver.info.title,                                  "Ours"),
    ("migrate_capabilities", lambda it: it._replace(encrypted=True),
     lambda driver: driver.capabilities(Revision.ORIGINAL).encrypted,   True),
    ("migrate_port_rule",    lambda rule: rule._replace(last=7101),
     lambda driver: driver.port_rule(Revision.ORIGINAL, "native-direct").last,           7101),
    ("migrate_select_port",  lambda port: port + 1,
     lambda driver: driver.select_port(RULE, "b", frozenset()),         7101),
    ("migrate_uri",          lambda _: ELSEWHERE,
     lambda driver: driver.uri(Request("web1"), "b", None, "own"),      (ELSEWHERE, ("p0",))),
    ("migrate_read_uri",     lambda uri: uri._replace(port=1),
     lambda driver: driver.read_uri("own://b", Revision.ORIGINAL).port, 1),
    ("migrate_commands",     lambda commands: [*commands, AUDIT],
     lambda driver: driver.commands(_plan(_registry()))[0][-1],         AUDIT),
    ("migrate_receiver",     lambda receiver: receiver._replace(host="c"),
     lambda driver: getattr(_received(driver), "host", None),           "c"),
    ("migrate_connect",      lambda session: session._replace(uri="own://c/"),
     lambda driver: getattr(driver.connect("own://b/"), "uri", None),   "own://c/"),
]
# fmt: on


@pytest.mark.parametrize(("hook", "change", "ask", "answer"), ADDRESSED)
def test_policy_may_wrap_any_addressed_hook(
    hook: str,
    change: Callable[[Any], object],
    ask: Callable[[Driver], object],
    answer: object,
) -> None:
    wrapped = _registry(_wrapping(hook, change)).drivers["own"]
    alone = _registry().drivers["own"]

    assert ask(wrapped) == answer
    assert ask(alone) != answer


def test_every_addressed_hook_is_in_the_table() -> None:
    registry = _registry()

    addressed = [
        name
        for name in registry.hooks
        if getattr(registry._manager.hook, name).spec.opts["firstresult"]
    ]
    assert sorted(hook for hook, *_ in ADDRESSED) == addressed


def test_plan_names_who_changed_what() -> None:
    registry = _registry(
        _wrapping("migrate_port_rule", lambda rule: rule._replace(last=7101)),
        _wrapping("migrate_uri", lambda _: ELSEWHERE),
        _wrapping("migrate_commands", lambda commands: [*commands, AUDIT]),
        _wrapping(
            "migrate_capabilities",
            lambda it: it._replace(encrypted=True, encryption="the switches encrypt"),
        ),
        _wrapping("migrate_port_rule", lambda rule: rule),  # leaves it
    )

    plan = _plan(registry)

    assert plan.port.because == "its manual (policy p0)"
    assert plan.uris.migration == (
        "own://elsewhere",
        "source",
        "policy p1 gives it for b; without it: the hypervisor makes it",
    )
    assert plan.because["commands"] == "the words of the own driver, changed by policy p2"
    assert plan.data.because.endswith("the switches encrypt (policy p3)")
    assert plan.receiver == "elsewhere"


def test_plan_names_who_changed_what_was_asked_for_and_how_hosts_are_reached() -> None:
    safe = {"": ControlProtocol("own RPC", 7000, encrypted=True)}
    registry = _registry(
        _wrapping("migrate_read_uri", lambda uri: uri._replace(port=7105)),
        _wrapping("migrate_driver", lambda info: info._replace(control=safe)),
        _wrapping(
            "migrate_capabilities",
            lambda it: it._replace(
                offers={**it.offers, "native-direct": OFFER._replace(options=frozenset({"live"}))}
            ),
        ),
    )

    plan = _plan(registry, migration="own://b")

    assert plan.uris.migration[::2] == ("own://b:7105", "asked for, changed by policy p0")
    assert [leg.because.rpartition("; ")[2] for leg in plan.control] == [
        "own RPC encrypts (policy p1)"
    ] * 2
    # The third one gives what there was.
    assert plan.because["scenario"] == "neither --p2p nor --direct"


def test_scenario_that_a_policy_adds_is_planned_in_its_name() -> None:
    registry = _registry(
        _wrapping(
            "migrate_capabilities",
            lambda it: it._replace(offers={**it.offers, "native-p2p": OFFER}),
        )
    )

    plan = _plan(registry, p2p=True)

    assert plan.because["scenario"] == "--p2p without --tunnelled (with policy p0)"


def test_option_that_a_policy_takes_away_is_refused_in_its_name() -> None:
    registry = _registry(
        _wrapping(
            "migrate_capabilities",
            lambda it: it._replace(offers={"native-direct": OFFER._replace(options=frozenset())}),
        )
    )

    with pytest.raises(PlanError) as caught:
        _plan(registry)

    assert [reason.text for reason in caught.value.reasons] == [
        "own has no --live in native-direct, revision original (with policy p0)"
    ]


def test_held_port_names_who_had_a_say() -> None:
    registry = _registry(_wrapping("migrate_select_port", lambda port: port))
    planner = Planner(registry)

    plan = planner.with_port(_plan(registry, migration="own://b"), 7103)

    assert plan.port.because == (
        "held towards b until the migration ends; policy p0 had a say in the choice"
    )


def test_uri_for_the_held_port_has_to_lead_where_the_plan_says() -> None:
    class Late:
        """Makes up its mind when there is a port."""

        @hookimpl(wrapper=True)
        def migrate_uri(
            self, port: int | None
        ) -> Generator[None, MigrationURI | None, MigrationURI | None]:
            uri = yield
            return uri if port is None else ELSEWHERE._replace(port=port)

    planner = Planner(_registry(Late()))

    with pytest.raises(PluginFailedError) as caught:
        planner.with_port(planner.plan(Request("web1", "own://a/", "own://b/")), 7103)

    assert (caught.value.plugin, caught.value.problem) == (
        "p0",
        "for the held port it writes own://elsewhere:7103, where None was planned",
    )


def test_uri_that_was_asked_for_only_gets_the_held_port() -> None:
    registry = _registry(_wrapping("migrate_uri", lambda _: ELSEWHERE))
    planner = Planner(registry)

    plan = planner.with_port(_plan(registry, migration="own://b"), 7103)

    assert plan.uris.migration.value == "own://b:7103"


def test_hooks_are_asked_with_the_host_of_the_second_uri_again() -> None:
    asked = []

    class Mapped:
        @hookimpl(wrapper=True)
        def migrate_uri(
            self, host: str, port: int | None
        ) -> Generator[None, MigrationURI | None, MigrationURI | None]:
            yield
            asked.append(host)
            return MigrationURI("own", host={"b": "c", "c": "d"}[host], port=port)

    registry = _registry(Mapped())

    plan = Planner(registry).with_port(_plan(registry), 7103)

    assert (plan.uris.migration.value, plan.receiver) == ("own://c:7103", "c")
    assert asked == ["b", "b"]


def test_plan_with_its_port_can_still_be_refused() -> None:
    class NoHighPorts:
        @hookimpl
        def migrate_refuse(self, plan: Plan) -> list[Reason]:
            high = plan.port.value is not None and plan.port.value > 7102
            return [Reason("high", "too high", "a lower one")] if high else []

    registry = _registry(NoHighPorts())
    plan = _plan(registry, migration="own://b")

    assert Planner(registry).with_port(plan, 7102).port.value == 7102
    with pytest.raises(PlanError, match="too high"):
        Planner(registry).with_port(plan, 7103)


def test_policy_may_not_change_who_a_driver_is() -> None:
    registry = _registry(
        _wrapping("migrate_driver", lambda info: info._replace(connection_schemes=("mine",)))
    )

    (own, policy) = registry.plugins
    assert own.reason is not None
    assert "plugin 'p0' failed in migrate_driver: it changes the name or the schemes" in own.reason
    assert policy.driver is None


def test_plan_without_policies_names_none() -> None:
    told = str(_plan(_registry()).to_json())

    assert "policy" not in told


def test_scenario_that_a_policy_takes_away_is_refused_in_its_name() -> None:
    registry = _registry(
        _wrapping(
            "migrate_capabilities",
            lambda it: it._replace(offers={"native-unmanaged": OFFER}),
        )
    )

    with pytest.raises(PlanError) as caught:
        _plan(registry)

    assert caught.value.reasons[0][:3] == (
        "scenario-not-offered",
        "own does not offer native-direct in revision original (with policy p0)",
        "own offers native-unmanaged",
    )


def test_two_policies_are_named_from_the_inside_out() -> None:
    registry = _registry(
        _wrapping("migrate_port_rule", lambda rule: rule._replace(last=7105)),
        _wrapping("migrate_port_rule", lambda rule: rule._replace(first=rule.last)),
    )

    rule = registry.drivers["own"].port_rule(Revision.ORIGINAL, "native-direct")

    assert (rule.first, rule.because) == (7105, "its manual (policy p0, policy p1)")


# fmt: off
WRONG: list[tuple[str, Callable[[Any], object], str]] = [
    # hook, what a policy makes of the answer, its fault
    ("migrate_port_rule", lambda _: None, "it answered None, not a PortRule"),
    ("migrate_uri", lambda _: "own://x", "it answered 'own://x', not a MigrationURI"),
    ("migrate_uri", lambda _: MigrationURI("tcp", host="x"),
     "it wrote tcp://x, which own cannot read: it is not own"),
    ("migrate_commands", lambda _: [], "it answered [], not a NativeCommand"),
    ("migrate_capabilities", lambda _: {}, "it answered {}, not a Capabilities"),
    ("migrate_capabilities", lambda it: it._replace(offers=None),
     "the offers of its Capabilities is None"),
    ("migrate_port_rule", lambda rule: rule._replace(first=5, last=1), "5-1 is no range of ports"),
    ("migrate_commands", lambda _: 5, "it answered 5, not a NativeCommand"),
]
# fmt: on


@pytest.mark.parametrize(("hook", "change", "problem"), WRONG)
def test_wrong_answer_of_a_policy_is_its_own_fault(
    hook: str, change: Callable[[Any], object], problem: str
) -> None:
    registry = _registry(_wrapping(hook, change))

    with pytest.raises(PluginFailedError) as caught:
        _plan(registry)

    assert (caught.value.plugin, caught.value.hook, caught.value.problem) == ("p0", hook, problem)


def test_uri_is_not_written_where_none_can_be_given() -> None:
    registry = _registry(_wrapping("migrate_uri", lambda _: ELSEWHERE))

    with pytest.raises(PluginFailedError) as caught:
        registry.drivers["own"].uri(Request("web1"), "b", None, None)

    assert caught.value.problem == "it wrote a migration URI where none can be given"


def test_policy_may_mend_what_the_driver_refuses() -> None:
    class Forgiving:
        @hookimpl(wrapper=True)
        def migrate_read_uri(self, text: str) -> Generator[None, MigrationURI, MigrationURI]:
            try:
                return (yield)
            except InvalidURIError:
                return MigrationURI("own", host=text)

    driver = _registry(Forgiving()).drivers["own"]

    assert driver.read_uri("tcp://b", Revision.ORIGINAL) == MigrationURI("own", host="tcp://b")


def test_capabilities_are_asked_once_for_each_revision() -> None:
    asked = []

    class Counting:
        @hookimpl(wrapper=True)
        def migrate_capabilities(
            self, revision: Revision
        ) -> Generator[None, Capabilities, Capabilities]:
            asked.append(revision)
            return (yield)

    driver = _registry(Counting()).drivers["own"]
    for revision in (*Revision, *Revision):
        driver.capabilities(revision)

    assert asked == [*Revision]
