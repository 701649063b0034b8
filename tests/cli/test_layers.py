"""The command line, our own policies and the kit stand on what everybody has."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import migrate_plugins
from migrate_plugins import cli, policies, testing

# Folder of modules, and where else than from the public face they may import from.
PACKAGES = {package.__name__: Path(package.__path__[0]) for package in (cli, policies, testing)}
MODULES = [
    (package, module)
    for package, folder in PACKAGES.items()
    for module in sorted(folder.rglob("*.py"))
]


@pytest.mark.parametrize(
    ("package", "module"),
    MODULES,
    ids=[f"{package}/{module.relative_to(PACKAGES[package])}" for package, module in MODULES],
)
def test_module_takes_from_the_core_only_public_names(package: str, module: Path) -> None:
    imports = [
        (node.module, name.name)
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("migrate_plugins")
        for name in node.names
    ]

    private = [
        (home, name)
        for home, name in imports
        if not (home or "").startswith(package)
        and (home != "migrate_plugins" or name not in [*migrate_plugins.__all__, "__version__"])
    ]

    assert private == []


def test_there_is_something_to_look_at() -> None:
    stems = {module.stem for _, module in MODULES}

    assert {"plan", "output", "require_encryption", "migration_network", "driver", "hosts"} <= stems
