"""What the lab is for: real migrations between its hosts, with the guest as witness."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from migrate_plugins_lab.errors import CommandError

if TYPE_CHECKING:
    from migrate_plugins_lab.lab import Lab

pytestmark = pytest.mark.integration


def test_a_guest_goes_there_and_back_without_missing_a_tick(either: Lab) -> None:
    alpha, beta = either.hosts
    guest = either.guest("web1", dirty=16)
    alpha.virsh("migrate", "--live", "--p2p", "web1", beta.peer_uri)
    assert (alpha.virsh("list", "--name"), beta.virsh("list", "--name")) == ("", "web1\n")
    guest.wait_for_ticks()
    beta.virsh("migrate", "--live", "--p2p", "web1", alpha.peer_uri)
    assert (alpha.virsh("list", "--name"), beta.virsh("list", "--name")) == ("web1\n", "")
    guest.wait_for_ticks()

    assert guest.continuity().breaks == ()


def test_a_client_outside_can_drive_both_hosts(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    alpha.virsh("migrate", "--live", "web1", beta.uri)
    guest.wait_for_ticks()

    assert beta.virsh("domstate", "web1").strip() == "running"
    assert guest.continuity().breaks == ()


def test_a_busy_guest_needs_postcopy_on_a_slow_link(privileged_hosts: Lab) -> None:
    assert privileged_hosts.postcopy, privileged_hosts.postcopy.reason
    alpha, beta = privileged_hosts.hosts
    guest = privileged_hosts.guest("web1", dirty=64)
    privileged_hosts.fault("alpha", "bandwidth", "800mbit")
    begun = time.monotonic()
    way = ["--postcopy", "--timeout", "2", "--timeout-postcopy"]
    alpha.virsh("migrate", "--live", "--p2p", *way, "web1", beta.peer_uri, seconds=30)
    # One pass over the memory takes 0.7 s: it would have ended before, had the guest held still.
    assert time.monotonic() - begun > 2
    guest.wait_for_ticks()

    assert beta.virsh("domstate", "web1").strip() == "running"
    assert guest.continuity().breaks == ()


def test_a_disk_that_hosts_do_not_share_makes_a_migration_unsafe(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    hosts.guest("web1", disk=1)
    with pytest.raises(CommandError, match="Migration without shared storage is unsafe"):
        alpha.virsh("migrate", "--live", "--p2p", "web1", beta.peer_uri)
    alpha.virsh("migrate", "--live", "--p2p", "--copy-storage-all", "web1", beta.peer_uri)

    assert beta.virsh("domstate", "web1").strip() == "running"


def test_a_persistent_guest_keeps_its_configuration_where_it_was(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    hosts.guest("web1", persistent=True)
    alpha.virsh("migrate", "--live", "--p2p", "web1", beta.peer_uri)

    assert alpha.virsh("list", "--all", "--name") == "web1\n"
    assert beta.virsh("list", "--transient", "--name") == "web1\n"


def test_a_guest_on_both_hosts_has_a_serial_file_for_each(hosts: Lab) -> None:
    first = hosts.guest("web1", host="alpha")
    second = hosts.guest("web1", host="beta")
    first.wait_for_ticks()
    second.wait_for_ticks()

    assert first.ticks()[0].boot_id != second.ticks()[0].boot_id
    assert first.continuity().unbroken
    assert second.continuity().unbroken
