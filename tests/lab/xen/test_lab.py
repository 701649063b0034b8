"""Two real Xen hosts, from their saved states: they migrate, break and heal, and end whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_plugins_lab.daemon import State, state
from migrate_plugins_lab.errors import ArgumentError, CommandError

if TYPE_CHECKING:
    from migrate_plugins_lab.lab import Lab

# The first use builds the image.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800), pytest.mark.long]

MOVE = 120.0


def test_a_guest_goes_there_managed_and_back_peer_to_peer_without_missing_a_tick(
    xen_hosts: Lab,
) -> None:
    alpha, beta = xen_hosts.hosts
    assert (alpha.address, beta.peer_uri) == ("10.78.0.1", "xen+tcp://10.78.0.2/system")
    guest = xen_hosts.guest("web1")
    alpha.virsh("migrate", "--live", "web1", beta.uri, seconds=MOVE)
    guest.wait_for_ticks(seconds=MOVE)
    assert [(each["name"], each["state"]) for each in beta.guests()] == [("web1", "running")]
    assert alpha.guests() == []
    beta.virsh("migrate", "--live", "--p2p", "web1", alpha.peer_uri, seconds=MOVE)
    guest.wait_for_ticks(seconds=MOVE)

    assert alpha.virsh("domstate", "web1").strip() == "running"
    assert guest.continuity().breaks == ()


def test_a_daemon_is_frozen_killed_and_healed_under_a_guest_that_runs_on(xen_hosts: Lab) -> None:
    alpha = xen_hosts.host("alpha")
    guest = xen_hosts.guest("web1")
    xen_hosts.fault("alpha", "freeze-daemon")
    assert state(alpha) is State.FROZEN
    xen_hosts.fault("alpha", "kill-daemon")
    assert state(alpha) is State.DEAD
    with pytest.raises(CommandError):
        alpha.virsh("uri")
    guest.wait_for_ticks(seconds=MOVE)
    xen_hosts.fault("alpha", "heal")

    assert alpha.virsh("domstate", "web1").strip() == "running"
    assert guest.continuity().unbroken


def test_network_and_name_break_and_heal(xen_hosts: Lab) -> None:
    alpha, beta = xen_hosts.hosts
    probe = ["bash", "-c", "exec 3<>/dev/tcp/beta/16509"]
    alpha.run(probe)
    xen_hosts.fault("beta", "block-ports", "16509")
    with pytest.raises(CommandError, match="Connection refused"):
        alpha.run(probe)
    xen_hosts.fault("beta", "hostname", "elsewhere")
    xen_hosts.fault("beta", "bandwidth", "800mbit")
    assert beta.run(["hostname"]).strip() == "elsewhere"
    assert "tbf" in beta.run(["tc", "qdisc", "show", "dev", "eth0"])
    xen_hosts.fault("beta", "cut")
    with pytest.raises(CommandError):
        alpha.run(["timeout", "3", *probe])
    assert state(beta) is State.UNREACHABLE
    xen_hosts.fault("beta", "heal")

    alpha.run(probe)
    assert beta.run(["hostname"]).strip() == "beta"
    assert "tbf" not in beta.run(["tc", "qdisc", "show", "dev", "eth0"])


def test_a_host_that_is_killed_is_dead_and_comes_back_empty(xen_hosts: Lab) -> None:
    beta = xen_hosts.host("beta")
    xen_hosts.guest("web1", host="beta")
    xen_hosts.fault("beta", "kill-host")
    assert state(beta) is State.DEAD
    xen_hosts.fault("beta", "heal")

    assert state(beta) is State.RUNNING
    assert beta.guests() == []


def test_a_disk_is_refused(xen_hosts: Lab) -> None:
    with pytest.raises(ArgumentError, match="guests of Xen hosts have none"):
        xen_hosts.guest("web1", disk=1)
