"""Real hosts, real guests, the installed plugins."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import libvirt
import pytest

from migrate_plugins import Migrator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# The fault table is a program too, which finds its modules beside it.
sys.path.insert(0, str(Path(__file__).parent / "faults"))

CALLS = ("migrate", "migrate2", "migrate3", "migrateToURI", "migrateToURI2", "migrateToURI3")


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def migrator() -> Migrator:
    return Migrator.installed()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the libvirt calls that migrate, in the order they are really made."""
    made: list[str] = []

    def recording(name: str, call: Callable[..., object]) -> Callable[..., object]:
        def record(*arguments: object) -> object:
            made.append(name)
            return call(*arguments)

        return record

    for name in CALLS:
        monkeypatch.setattr(
            libvirt.virDomain, name, recording(name, getattr(libvirt.virDomain, name))
        )
    return made
