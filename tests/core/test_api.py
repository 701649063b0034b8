"""The public face: what it offers, and what it does not import."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import migrate_plugins

(_FOLDER,) = migrate_plugins.__path__
MODULES = sorted(
    ".".join(("migrate_plugins", *path.relative_to(_FOLDER).with_suffix("").parts))
    .removesuffix(".__init__")
    .removesuffix(".__main__")
    for path in Path(_FOLDER).rglob("*.py")
    if "templates" not in path.parts  # files to be written elsewhere, not modules of ours
)

# A process of its own prints which of the modules that planning may not need were imported.
IMPORTED = """
import sys
{statements}
unwanted = {{"libvirt", "libvirtmod", "pyVmomi", "rich", "xmltodict", "importlib.metadata",
    "subprocess", "socket", "ssl", "asyncio"}}
print(*sorted(unwanted & set(sys.modules)))
"""

# fmt: off
PURE = [
    # what is done                         statements
    ("importing the package",              "import migrate_plugins"),
    ("listing what is installed",          ("from migrate_plugins import Migrator\n"
                                           "Migrator.installed().registry.plugins")),
    ("planning with every driver",         ("from migrate_plugins import Migrator\n"
                                           "m = Migrator.installed()\n"
                                           "m.plan('web1', 'qemu:///system', 'qemu+ssh://b/s')\n"
                                           "m.plan('web1', 'xen:///system', 'xen+ssh://b/s')\n"
                                           "m.plan('web1', 'vpx://a/x', 'vpx://a/y')\n"
                                           "m.plan('web1', 'vbox:///session', 'vbox+ssh://b/session').to_json()")
                                           ),
]
# fmt: on


def _sort_key(name: str) -> tuple[int, str]:
    """Sort as ruff does: constants, classes, the rest."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, name)


def test_all_is_sorted_and_whole() -> None:
    names = migrate_plugins.__all__

    assert names == sorted(set(names), key=_sort_key)
    assert [name for name in names if not hasattr(migrate_plugins, name)] == []


@pytest.mark.parametrize("name", migrate_plugins.__all__)
def test_public_name_can_be_imported_and_says_what_it_is(name: str) -> None:
    value = getattr(migrate_plugins, name)

    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)
        assert value.__module__.split(".")[0] == "migrate_plugins"


def test_all_is_what_a_type_checker_sees() -> None:
    """The names that are imported for a type checker are those that are there at run time."""
    source = ast.parse(Path(_FOLDER, "__init__.py").read_text(encoding="utf-8"))
    imported = [
        alias.asname or alias.name
        for node in ast.walk(source)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("migrate_plugins.")
        for alias in node.names
    ]

    assert sorted([*imported, "__version__"]) == sorted(migrate_plugins.__all__)


def test_name_that_is_not_public() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing_of_the_kind'"):
        _ = migrate_plugins.nothing_of_the_kind


@pytest.mark.parametrize("module", [name for name in MODULES if "migrate_plugins." in name])
def test_every_module_says_what_is_public(module: str) -> None:
    found = importlib.import_module(module)
    assert found.__doc__
    if len(ast.parse(inspect.getsource(found)).body) == 2:
        return  # a package that only holds modules: its docstring, and the future import

    names = getattr(found, "__all__", None)
    assert names is not None, "it has no __all__"
    assert names == sorted(set(names), key=_sort_key)
    assert [name for name in names if not hasattr(found, name)] == []


@pytest.mark.parametrize(("done", "statements"), PURE)
def test_planning_imports_no_client_library_and_nothing_slow(done: str, statements: str) -> None:
    code = IMPORTED.format(statements=statements)

    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )

    assert (ended.stdout.split(), ended.stderr) == ([], ""), done
