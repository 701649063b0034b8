"""Options that one hypervisor alone has: what is asked for, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins import (
    After,
    Before,
    ClientCrash,
    Crash,
    DriverOption,
    EntryPoint,
    Kind,
    Migrator,
    OwnConfiguration,
    Plan,
    PlanError,
    Registry,
    Request,
    hookimpl,
)
from migrate_plugins.installed import DRIVERS
from migrate_plugins.options import misgiven, own_options
from migrate_plugins_qemu import hooks as qemu

if TYPE_CHECKING:
    from migrate_plugins import Capabilities, DriverInfo, Revision

OWN = (
    DriverOption("pool", "where to", "POOL"),
    DriverOption("disk", "each disk", "DISK:STORE", many=True),
    DriverOption("priority", "how soon", "PRIORITY", choices=("low", "high")),
    DriverOption("timeout", "how long", "SECONDS", kind=Kind.NUMBER),
)
HAS = "it has -o pool=POOL, -o disk=DISK:STORE, -o priority=PRIORITY, -o timeout=SECONDS"

# fmt: off
MISGIVEN = [
    # options                      ids and what would work
    ((),                           []),
    (("pool=a", "timeout=5"),      []),
    (("disk=1:a", "disk=2:b"),     []),
    (("priority=high",),           []),
    (("pool=a=b",),                []),
    (("pol=a",),                   [("own-option-unknown", HAS)]),
    (("pool=a", "pool=b"),         [("own-option-repeated", "give it once")]),
    (("pool=",),                   [("own-option-value", "give POOL")]),
    (("priority=urgent",),         [("own-option-value", "give one of low, high")]),
    (("timeout=0",),               [("own-option-value", "give a whole number, 1 or more")]),
    (("timeout=-1",),              [("own-option-value", "give a whole number, 1 or more")]),
    (("timeout=²",),               [("own-option-value", "give a whole number, 1 or more")]),
    (("timeout=" + "9" * 30,),     [("own-option-value", "give a whole number, 1 or more")]),
    (("pol=a", "timeout=soon"),    [("own-option-unknown", HAS),
                                    ("own-option-value", "give a whole number, 1 or more")]),
]
# fmt: on


@pytest.mark.parametrize(("options", "reasons"), MISGIVEN)
def test_every_reason_against_own_options(
    options: tuple[str, ...], reasons: list[tuple[str, str]]
) -> None:
    found = [*misgiven(Request("web1", options=options), "acme", OWN)]

    assert [(each.id, each.instead) for each in found] == reasons
    assert all(each.usage for each in found)


names = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1)


@given(st.lists(st.tuples(names, st.text())))
def test_nothing_that_was_given_is_lost(pairs: list[tuple[str, str]]) -> None:
    options = tuple(f"{name}={value}" for name, value in pairs)

    found = own_options(Request("web1", options=options))

    assert {(name, value) for name, values in found.items() for value in values} == set(pairs)
    assert sum(len(values) for values in found.values()) == len(pairs)


class Acme:
    """QEMU's driver under another name, with rules and options of its own."""

    @hookimpl
    def migrate_driver(self) -> DriverInfo:
        return qemu.migrate_driver()._replace(name="acme", connection_schemes=("acme",))

    @hookimpl
    def migrate_capabilities(self, revision: Revision) -> Capabilities:
        known = qemu.migrate_capabilities(revision)
        return known._replace(
            offers={id_: offer._replace(own=OWN) for id_, offer in known.offers.items()},
            configuration=OwnConfiguration(
                After(persistent=True, source_config=False, destination_config=True),
                "an inventory has it",
            ),
            on_client_crash=ClientCrash(Crash.CONTINUES, "the management goes on"),
        )

    migrate_port_rule = staticmethod(hookimpl(qemu.migrate_port_rule))
    migrate_select_port = staticmethod(hookimpl(qemu.migrate_select_port))
    migrate_uri = staticmethod(hookimpl(qemu.migrate_uri))
    migrate_read_uri = staticmethod(hookimpl(qemu.migrate_read_uri))
    migrate_commands = staticmethod(hookimpl(qemu.migrate_commands))


def _migrator(driver: Acme) -> Migrator:
    point = EntryPoint(DRIVERS, "acme", "this test", "acme-driver", "1", "here")
    return Migrator(Registry([(point, driver)]))


@pytest.fixture
def acme() -> Migrator:
    return _migrator(Acme())


def _plan(acme: Migrator, **asked: Any) -> Plan:  # noqa: ANN401 - Request types them
    return acme.plan("web1", source="acme:///a", destination="acme://b/", live=True, **asked)


def test_plan_carries_own_options(acme: Migrator) -> None:
    plan = _plan(acme, options=("disk=1:a", "pool=b", "disk=2:c"))

    assert plan.own == {"disk": ("1:a", "2:c"), "pool": ("b",)}
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_virsh_cannot_say_own_options(acme: Migrator) -> None:
    (command,) = _plan(acme, options=("pool=b",)).commands

    assert (command.argv, command.not_expressible) == (None, "libvirt has nothing like -o pool=b")


def test_own_option_is_refused_with_all_other_reasons(acme: Migrator) -> None:
    with pytest.raises(PlanError) as refused:
        _plan(acme, options=("pol=b",), bandwidth=0)

    assert [each.id for each in refused.value.reasons] == ["own-option-unknown", "option-range"]


# fmt: off
# virsh's options that the driver does not have, each with an own one of the same name or without.
OF_ONE_NAME = [
    # what was given                                    what would work
    ({"timeout": 30},                                   "give -o timeout=30: how long"),
    ({"timeout": 2**63},                                "give -o timeout=SECONDS: how long"),
    ({"timeout": 30, "options": ("timeout=60",)},       "leave out --timeout"),
    ({"compressed": True},                              "give -o compressed=HOW: how well"),
    ({"migrate_disks": ("vda", "vdb")},
     "give -o migrate-disks=vda -o migrate-disks=vdb: which"),
    ({"comp_methods": ("mt", "xbzrle")},                "give -o comp-methods=mt,xbzrle: by what"),
    ({"auto_converge": True},                           "leave out --auto-converge"),
]
# fmt: on


@pytest.mark.parametrize(("asked", "instead"), OF_ONE_NAME)
def test_own_option_of_the_same_name_is_named_where_virshs_is_refused(
    asked: dict[str, Any], instead: str
) -> None:
    own = (
        *OWN,
        DriverOption("compressed", "how well", "HOW"),
        DriverOption("migrate-disks", "which", "DISK", many=True),
        DriverOption("comp-methods", "by what", "METHODS"),
    )

    class Bare(Acme):
        @hookimpl
        def migrate_capabilities(self, revision: Revision) -> Capabilities:
            known = qemu.migrate_capabilities(revision)
            return known._replace(
                offers={
                    id_: offer._replace(own=own, options=frozenset({"live"}))
                    for id_, offer in known.offers.items()
                }
            )

    with pytest.raises(PlanError) as refused:
        _plan(_migrator(Bare()), **asked)

    first = next(each for each in refused.value.reasons if each.id == "option-not-offered")
    assert first.instead == instead


def test_driver_without_own_options_has_none() -> None:
    found = [*misgiven(Request("web1", options=("pool=a",)), "bare", ())]

    assert [each.instead for each in found] == ["leave it out: it has none"]


@pytest.mark.parametrize("before", [None, Before(True, True, False), Before(False, False, True)])
def test_own_rule_of_configuration_holds_whatever_is_asked(
    acme: Migrator, before: Before | None
) -> None:
    for persistent in (False, True):
        plan = _plan(acme, persistent=persistent)._replace(before=before)

        found = plan.configuration

        assert found.after == (True, False, True)
        assert {row.after for row in found.rows} == {found.after}
        assert {row.before for row in found.rows} >= ({before} if before else set())
        assert found.because == "an inventory has it"
        assert not [each for each in plan.findings if each.id == "revisions-disagree"]
        assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_guest_of_a_hypervisor_that_is_always_live_does_not_stand_still() -> None:
    class Live(Acme):
        @hookimpl
        def migrate_capabilities(self, revision: Revision) -> Capabilities:
            return super().migrate_capabilities(revision)._replace(always_live=True)

    def stands_still(driver: Acme) -> bool:
        plan = _migrator(driver).plan("web1", source="acme:///a", destination="acme://b/")
        return "guest-paused-meanwhile" in {each.id for each in plan.findings}

    assert (stands_still(Acme()), stands_still(Live())) == (True, False)


def test_own_word_on_a_crashed_client(acme: Migrator) -> None:
    plan = _plan(acme)

    assert plan.on_client_crash == (Crash.CONTINUES, "the management goes on")
    assert plan.because["on_client_crash"] == "the words of the acme driver"


def test_plan_of_an_older_version_has_the_documents_rules(acme: Migrator) -> None:
    told = _plan(acme).to_json()
    del told["configuration"]["own"], told["on_client_crash"]["own"]

    plan = Plan.from_json(told)

    assert (plan.own_configuration, plan.own_crash) == (None, None)
