from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_plugins_lab import folder
from migrate_plugins_lab.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def labs(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A folder of labs of the test's own; every lab in it is ended afterwards."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    home = folder.home()
    yield home
    for lab in home.glob("*/"):
        Lab.end(lab.name)


@pytest.fixture(params=["hosts", "privileged_hosts"], ids=["rootless", "privileged"])
def either(request: pytest.FixtureRequest) -> Lab:
    """The test runs twice: on rootless hosts and on privileged ones."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Lab)
    return found
