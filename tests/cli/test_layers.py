"""The command line is thin: it stands on what `migrate_plugins` offers everyone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import migrate_plugins
from migrate_plugins import cli

MODULES = sorted(Path(cli.__path__[0]).glob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_module_takes_from_the_core_only_public_names(module: Path) -> None:
    imports = [
        (node.module, name.name)
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("migrate_plugins")
        for name in node.names
    ]

    private = [
        (home, name)
        for home, name in imports
        if not (home or "").startswith("migrate_plugins.cli")
        and (home != "migrate_plugins" or name not in [*migrate_plugins.__all__, "__version__"])
    ]

    assert private == []


def test_there_is_something_to_look_at() -> None:
    assert {"plan", "migrate", "output"} <= {module.stem for module in MODULES}
