"""The first test makes a mess, and the second one looks for it; either passes alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from migrate_plugins_lab.lab import Lab

pytestmark = pytest.mark.integration


def test_a_test_may_leave_faults_and_guests_behind(hosts: Lab) -> None:
    hosts.guest("web1", persistent=True)
    hosts.guest("web2", host="beta")
    hosts.fault("alpha", "cut")
    hosts.fault("beta", "freeze-daemon")


def test_the_next_test_finds_neither(hosts: Lab) -> None:
    about = hosts.status()["hosts"]

    assert [(host["daemon"], host["faults"], host["guests"]) for host in about] == [
        ("running", [], []),
        ("running", [], []),
    ]


def test_a_session_has_one_lab(hosts: Lab, lab: Lab) -> None:
    assert hosts is lab
    assert lab.owner is not None
