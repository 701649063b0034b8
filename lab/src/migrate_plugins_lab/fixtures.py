"""pytest fixtures: real hosts for the tests of a driver.

A test that asks for `hosts` gets a lab with two hosts, and leaves it as clean as it found it.  The
lab is brought up once a session, belongs to this pytest process, and ends with it, also when that
is killed.  What this machine lacks is a failure, never a skip.

Everything is imported on first use, since pytest loads this module in every run.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_lab.lab import Lab


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Two rootless hosts, for the whole session."""
    yield from _session(privileged=False)


@pytest.fixture(scope="session")
def privileged_lab() -> Iterator[Lab]:
    """Two hosts with libvirt's system instance, for the whole session; needs root."""
    yield from _session(privileged=True)


@pytest.fixture(scope="session")
def xen_lab() -> Iterator[Lab]:
    """Two Xen hosts, for the whole session; needs root, and minutes when it is first used."""
    yield from _session(privileged=True, kind="xen")


@pytest.fixture
def hosts(lab: Lab) -> Iterator[Lab]:
    """The rootless lab; afterwards its hosts are healed and its guests removed."""
    yield lab
    lab.clean()


@pytest.fixture
def privileged_hosts(privileged_lab: Lab) -> Iterator[Lab]:
    """The privileged lab; afterwards its hosts are healed and its guests removed."""
    yield privileged_lab
    privileged_lab.clean()


@pytest.fixture
def xen_hosts(xen_lab: Lab) -> Iterator[Lab]:
    """The lab of Xen hosts; afterwards they are healed and their guests removed."""
    yield xen_lab
    xen_lab.clean()


def _session(*, privileged: bool, kind: str = "qemu") -> Iterator[Lab]:
    from migrate_plugins_lab.lab import Lab  # noqa: PLC0415 -- see the module's docstring

    label = "xen" if kind == "xen" else "privileged" if privileged else "rootless"
    lab = Lab.up(
        f"pytest-{os.getpid()}-{label}", privileged=privileged, owner=os.getpid(), kind=kind
    )
    yield lab
    lab.down()
