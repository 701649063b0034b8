"""The kit and the hosts in memory stand on what everybody has, as a stranger's plugin does."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import migrate_plugins
from migrate_plugins import testing

FOLDER = Path(testing.__path__[0])
MODULES = sorted(FOLDER.rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(FOLDER)))
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
        if not (home or "").startswith("migrate_plugins.testing")
        and (home != "migrate_plugins" or name not in [*migrate_plugins.__all__, "__version__"])
    ]

    assert private == []


@pytest.mark.parametrize("name", testing.__all__)
def test_public_name_can_be_imported(name: str) -> None:
    assert getattr(testing, name) is not None


def test_public_names_are_sorted_and_no_others_are_there() -> None:
    constants = [name for name in testing.__all__ if name.isupper()]
    others = [name for name in testing.__all__ if not name.isupper()]

    assert testing.__all__ == [*sorted(constants), *sorted(others)]
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        testing.nothing  # noqa: B018 - reading it is the point
