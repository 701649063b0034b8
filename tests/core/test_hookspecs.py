"""The contract is documented as it promises, and each hook has its method."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy
import pytest

import migrate_plugins
from migrate_plugins import Driver, Registry, hookspecs

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS: dict[str, Callable[..., object]] = {
    name: value
    for name, value in vars(hookspecs).items()
    if name.startswith("migrate_") and inspect.isfunction(value)
}

# fmt: off
# Where the core asks it: no other module touches pluggy's hook callers.
METHODS = [
    # hook                     asked by
    ("migrate_driver",         "Driver.info"),
    ("migrate_capabilities",   "Driver._known"),
    ("migrate_port_rule",      "Driver._rule"),
    ("migrate_select_port",    "Driver.select_port"),
    ("migrate_uri",            "Driver.uri"),
    ("migrate_read_uri",       "Driver.read_uri_with_policies"),
    ("migrate_commands",       "Driver.commands"),
    ("migrate_connect",        "Driver.connect"),
    ("migrate_receiver",       "Driver.receiver"),
    ("migrate_refuse",         "Registry.refusals"),
    ("migrate_foresee",        "Registry.foresee"),
    ("migrate_checks",         "Registry.checks"),
    ("migrate_finding_kinds",  "Registry.finding_kinds"),
    ("migrate_diagnose",       "Registry.diagnose"),
    ("migrate_investigate",    "Registry.investigate"),
    ("migrate_observe",        "Registry.observe"),
    ("migrate_cli",            "Registry.commands"),
]
# fmt: on


def _options(name: str) -> dict[str, Any]:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    options: dict[str, Any] = getattr(manager.hook, name).spec.opts
    return options


def _documentation(name: str) -> str:
    return inspect.getdoc(HOOKS[name]) or ""


def _section(name: str, title: str) -> str:
    """Give a section of the docstring, or the empty string."""
    _, found, rest = _documentation(name).partition(f"\n{title}:\n")
    return rest.partition("\n\n")[0] if found else ""


def test_every_hook_is_in_the_table_in_its_order() -> None:
    assert [name for name, _ in METHODS] == list(HOOKS)


@pytest.mark.parametrize("name", HOOKS)
def test_first_sentence_says_who(name: str) -> None:
    first = _documentation(name).split("\n\n")[0]
    who = "A driver must " if _options(name)["firstresult"] else "Anyone may "

    assert first.startswith(who)
    assert first.endswith(".")


@pytest.mark.parametrize("name", HOOKS)
def test_second_paragraph_says_when_it_is_called(name: str) -> None:
    assert _documentation(name).split("\n\n")[1].startswith("Called ")


@pytest.mark.parametrize("name", HOOKS)
def test_every_argument_is_documented_in_order(name: str) -> None:
    lines = inspect.cleandoc(_section(name, "Args")).splitlines()
    documented = [line.partition(":")[0] for line in lines if not line.startswith(" ")]

    assert documented == list(inspect.signature(HOOKS[name]).parameters)


@pytest.mark.parametrize("name", HOOKS)
def test_answer_is_documented(name: str) -> None:
    answer = inspect.signature(HOOKS[name]).return_annotation
    returns = _section(name, "Returns")

    assert returns.strip().endswith(".")
    if "None" in answer and answer != "None":
        assert "None" in returns


@pytest.mark.parametrize("name", HOOKS)
def test_last_line_says_addressed_or_broadcast(name: str) -> None:
    last = _documentation(name).splitlines()[-1]

    assert last == ("Addressed." if _options(name)["firstresult"] else "Broadcast.")


@pytest.mark.parametrize("name", HOOKS)
def test_every_argument_and_the_answer_have_a_type(name: str) -> None:
    signature = inspect.signature(HOOKS[name])

    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty, parameter.name


@pytest.mark.parametrize(("name", "asked_by"), METHODS)
def test_every_hook_has_its_method(name: str, asked_by: str) -> None:
    kind, method = asked_by.split(".")
    source = inspect.getsource({"Driver": Driver, "Registry": Registry}[kind])
    asked = f'"{name}"'

    assert source.count(asked) >= 1
    assert (kind == "Driver") == bool(_options(name)["firstresult"])
    if method != "info":
        assert asked in inspect.getsource(
            getattr({"Driver": Driver, "Registry": Registry}[kind], method)
        )


def test_core_asks_hooks_through_the_registry_alone() -> None:
    (folder,) = migrate_plugins.__path__
    touching = [
        path.name
        for path in sorted(Path(folder).rglob("*.py"))
        if "import pluggy" in path.read_text(encoding="utf-8")
    ]

    assert touching == ["driver.py", "registry.py"]
