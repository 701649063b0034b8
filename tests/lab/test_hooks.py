from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from migrate_plugins_lab import hooks

# fmt: off
LOADED_BY_EVERYONE = ["migrate_plugins_lab.hooks", "migrate_plugins_lab.fixtures"]
# fmt: on


def test_the_lab_is_one_command() -> None:
    assert [tuple(command) for command in hooks.migrate_cli()] == [
        (
            "lab",
            "real hosts on this machine, to try and to test migrations",
            "migrate_plugins_lab.cli",
        )
    ]


@pytest.mark.parametrize("module", LOADED_BY_EVERYONE)
def test_what_everyone_loads_does_not_load_the_lab(module: str) -> None:
    program = f"import {module}, sys; print('migrate_plugins_lab.lab' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=20
    )

    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("group", "name", "module"),
    [
        ("migrate_plugins.plugins", "lab", "migrate_plugins_lab.hooks"),
        ("pytest11", "migrate_plugins_lab", "migrate_plugins_lab.fixtures"),
    ],
)
def test_entry_points_lead_to_modules_that_can_be_imported(
    group: str, name: str, module: str
) -> None:
    (entry,) = entry_points(group=group, name=name)

    assert entry.load().__name__ == module
