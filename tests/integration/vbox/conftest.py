"""Two hosts with real VirtualBox, for the whole session, and as clean after each test as before."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# The hosts serve more than one folder of tests, so they have their own place.
sys.path.append(str(Path(__file__).parents[2]))

from vbox.chroot import ChrootError, chroot
from vbox.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator


def pytest_collection_finish(session: pytest.Session) -> None:
    """Make the hosts' system before any test's time runs."""
    ours = Path(__file__).parent
    if any(item.path.is_relative_to(ours) for item in session.items):
        with contextlib.suppress(ChrootError):  # the tests will say it
            if os.geteuid() == 0:
                chroot()


@pytest.fixture(scope="session")
def running_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The two hosts."""
    if os.geteuid() != 0:
        pytest.skip("the hosts' namespaces and their system take root")
    with Site.up(chroot(), tmp_path_factory.mktemp("vbox")) as site:
        yield site


@pytest.fixture
def site(running_site: Site) -> Iterator[Site]:
    """The two hosts without a guest; a test that leaves a stranger there fails.

    A stranger is a program, a connection, a port that listens or a file that belongs to no guest.
    Who leaves some on purpose calls ``site.clean()`` in the end.
    """
    yield running_site
    left = running_site.strangers()
    running_site.clean()
    assert not left, "left behind:\n" + "\n".join(left)
    assert not [*running_site.alpha.machines(), *running_site.beta.machines()]
