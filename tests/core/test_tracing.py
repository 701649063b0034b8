"""What a trace shows, and what it never shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins import (
    ChosenBy,
    EntryPoint,
    MigrationURI,
    PlanOnlyError,
    PortRule,
    Registry,
    Request,
    Revision,
    Step,
    hookimpl,
    masked,
)
from migrate_plugins.installed import DRIVERS, PLUGINS
from migrate_plugins.tracing import without_secrets
from migrate_plugins_vbox import hooks as vbox

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import ModuleType

# fmt: off
MASKED = [
    # text                                         as it is shown
    ("qemu+tcp://root:hunter2@beta/system",        "qemu+tcp://root:***@beta/system"),
    ("qemu+tcp://root@beta/system",                "qemu+tcp://root@beta/system"),
    ("qemu+tcp://[2001:db8::1]:16509/system",      "qemu+tcp://[2001:db8::1]:16509/system"),
    ("esx://h/?vcenter=v&password=hunter2&x=1",    "esx://h/?vcenter=v&password=***&x=1"),
    ("{'api_key': 'hunter2', 'x': 1}",             "{'api_key': ***, 'x': 1}"),
    ("Values(token='hunter2 and 3')",              "Values(token=***)"),
    ("login failed, passphrase: hunter2",          "login failed, passphrase: ***"),
    ("PASSWORD=hunter2",                           "PASSWORD=***"),
    ("tcp:root:hunter2@beta:1/",                   "tcp:root:***@beta:1/"),
    ("pwd=hunter2",                                "pwd=***"),
    ("Authorization: Bearer hunter2",              "Authorization: Bearer ***"),
    ("a port is chosen: 49152",                    "a port is chosen: 49152"),
]
# fmt: on


@pytest.mark.parametrize(("text", "shown"), MASKED)
def test_secrets_are_masked_and_nothing_else(text: str, shown: str) -> None:
    assert masked(text) == shown


# fmt: off
BRIEF = [
    # value                                             as it is shown
    (Revision.CURRENT,                                  "'current'"),
    (Request("web1", live=True),                        "Request(guest='web1', live=True)"),
    (frozenset({"b", "a"}),                             "{'a', 'b'}"),
    ({"x": [Revision.ORIGINAL, None]},                  "{'x': ['original', None]}"),
    ({"password": ["a", "b"], "x": {"token": b"c"}}, "{'password': ***, 'x': {'token': ***}}"),
    (MigrationURI("tcp", "root:hunter2", "beta"),
     "MigrationURI(scheme='tcp', user='root:***', host='beta')"),
    (PortRule(1, 2, ChosenBy.US, "it"),
     "PortRule(first=1, last=2, chosen_by='migrate-plugins', because='it')"),
]
# fmt: on


@pytest.mark.parametrize(("value", "shown"), BRIEF)
def test_values_are_shown_briefly(value: object, shown: str) -> None:
    assert without_secrets(value) == shown


@given(st.from_regex(r"[a-zA-Z0-9!$%^*_.-]{6,20}", fullmatch=True))
def test_password_of_a_uri_never_shows(password: str) -> None:
    secret = f"zz{password}zz"
    request = Request("web1", source=f"qemu+tcp://root:{secret}@beta/system?password={secret}")

    assert secret not in without_secrets(request)
    assert secret not in without_secrets([f"x://{secret}:{secret}@h", {"secret": secret}])[9:]


class Narrow:
    @hookimpl(wrapper=True)
    def migrate_port_rule(self) -> Generator[None, PortRule, PortRule]:
        rule = yield
        return rule._replace(first=49200)


class Idle:
    @hookimpl(wrapper=True)
    def migrate_port_rule(self) -> Generator[None, PortRule, PortRule]:
        return (yield)


def test_each_plugin_has_its_step_from_the_inside_out() -> None:
    steps: list[Step] = []
    registry = Registry(
        [
            (EntryPoint(DRIVERS, "vbox", "here", "migrate-plugins-vbox", "1", "here"), vbox),
            (EntryPoint(PLUGINS, "a-narrow", "here", "acme", "1", "here"), Narrow()),
            (EntryPoint(PLUGINS, "b-idle", "here", "acme", "1", "here"), Idle()),
        ],
        tracer=steps.append,
    )
    steps.clear()

    registry.drivers["vbox"].port_rule(Revision.ORIGINAL, "native-direct")

    assert [(step.hook, step.plugin, step.changed) for step in steps] == [
        ("migrate_port_rule", "vbox", None),
        ("migrate_port_rule", "a-narrow", True),
        ("migrate_port_rule", "b-idle", False),
    ]
    assert {step.arguments for step in steps} == {"revision='original', scenario='native-direct'"}
    assert "first=49300" in steps[0].answer
    assert "first=49200" in steps[1].answer == steps[2].answer
    assert all(0 <= step.microseconds < 1_000_000 for step in steps)


def test_broadcast_answers_and_errors_are_steps_too() -> None:
    class Broken:
        @hookimpl
        def migrate_diagnose(self, text: str) -> None:
            raise LookupError(text)

    steps: list[Step] = []
    point = EntryPoint(PLUGINS, "broken", "here", "acme-broken", "1", "here")
    registry = Registry([(point, Broken())], tracer=steps.append)

    registry.diagnose("password=hunter2", None, None)

    (step,) = steps
    assert (step.hook, step.plugin, step.changed) == ("migrate_diagnose", "broken", None)
    assert step.arguments == "text='password=***', code=None, domain=None"
    assert step.answer == "LookupError('password=***')"


def test_opening_a_session_is_a_step_without_the_password(plan_only: ModuleType) -> None:
    steps: list[Step] = []
    point = EntryPoint(DRIVERS, "xen", "here", "migrate-plugins-xen", "1", "here")
    registry = Registry([(point, plan_only)], tracer=steps.append)
    steps.clear()

    with pytest.raises(PlanOnlyError):
        registry.drivers["xen"].connect("xen+ssh://root:hunter2@beta/system")

    assert [(step.hook, step.plugin, step.answer) for step in steps] == [
        ("migrate_connect", "xen", "None")
    ]
    assert steps[0].arguments == (
        "uri='xen+ssh://root:***@beta/system', ask=None,"
        " shell=Shell(argv=[…], because='xen+ssh://root:***@beta/system goes over ssh')"
    )
