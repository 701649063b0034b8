"""Two real Xen hosts for the whole session, and a migrator that can run programs on both."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrate_plugins_lab.errors import LabError
from migrate_plugins_lab.xen.lab import Lab as XenLab

# The hosts serve the tests alone, and have their own place there.
sys.path.append(str(Path(__file__).parents[2]))

from xen.pair import Pair

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate_plugins_lab.lab import Lab

# A processor that is emulated, of a machine that has other things to do.
_SECONDS = 900


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(_SECONDS))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what the hosts start from before any test's time runs."""
    ours = Path(__file__).parent
    if any(item.path.is_relative_to(ours) for item in session.items) and os.geteuid() == 0:
        with contextlib.suppress(LabError):  # the tests will say it
            XenLab.prepare()


@pytest.fixture
def pair(xen_hosts: Lab) -> Pair:
    """Two Xen hosts without guests, with a shell on each."""
    return Pair.of(xen_hosts)
