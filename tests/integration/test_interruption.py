"""Cancelled half-way, and a destination that goes away: the guest runs exactly once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import ExitCode

if TYPE_CHECKING:
    from migrate_plugins_lab.guest import Guest
    from migrate_plugins_lab.lab import Lab

# A guest that writes over 64 MiB all the time, over a link of 100 Mbit/s: never done by itself.
DIRTY = 64
RATE = "100mbit"

SCENARIOS = ["native-direct", "native-p2p", "tunnelled-p2p"]


def _start(lab: Lab, scenario: str) -> subprocess.Popen[str]:
    """Start the real command and read its events up to the first that tells of memory sent."""
    alpha, beta = lab.hosts
    command = [sys.executable, "-m", "migrate_plugins", "migrate", "web1", beta.uri]
    command += [] if scenario == "native-direct" else [beta.peer_uri]
    command += ["-c", alpha.uri, "--live", "--scenario", scenario, "--progress", "json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        statistics = json.loads(line).get("statistics")
        if statistics and statistics["transferred"]:
            return process
    process.wait(timeout=10)
    pytest.fail(f"the migration ended too early: {process.stderr and process.stderr.read()}")


def _busy_guest(lab: Lab) -> Guest:
    guest = lab.guest("web1", dirty=DIRTY)
    guest.wait_for_ticks()
    lab.fault("alpha", "bandwidth", RATE)
    return guest


def _outcome(process: subprocess.Popen[str]) -> dict[str, object]:
    out, err = process.communicate(timeout=60)
    assert out, err
    last: dict[str, object] = json.loads(out.splitlines()[-1])
    return last


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_cancelled_migration_leaves_the_guest_on_the_source(
    hosts: Lab, scenario: str, number: signal.Signals
) -> None:
    alpha, beta = hosts.hosts
    guest = _busy_guest(hosts)
    process = _start(hosts, scenario)

    process.send_signal(number)

    outcome = _outcome(process)
    assert outcome["verdict"] == "cancelled"
    assert process.returncode == ExitCode.CANCELLED
    assert alpha.virsh("domstate", "web1").strip() == "running"
    assert beta.virsh("list", "--all", "--name").strip() == ""
    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_destination_daemon_that_dies_leaves_the_guest_on_the_source(
    hosts: Lab, scenario: str
) -> None:
    alpha, _ = hosts.hosts
    guest = _busy_guest(hosts)
    process = _start(hosts, scenario)

    hosts.fault("beta", "kill-daemon")
    hosts.fault("alpha", "heal")

    outcome = _outcome(process)
    assert outcome["verdict"] == "failed"
    assert process.returncode == ExitCode.FAILED
    assert alpha.virsh("domstate", "web1").strip() == "running"
    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()


def test_source_daemon_that_dies_leaves_the_verdict_to_a_person(hosts: Lab) -> None:
    guest = _busy_guest(hosts)
    process = _start(hosts, "native-direct")

    hosts.fault("alpha", "kill-daemon")

    outcome = _outcome(process)
    assert outcome["verdict"] == "unknown"
    assert outcome["source_unreadable"] is not None
    assert process.returncode == ExitCode.NEEDS_PERSON
    hosts.fault("alpha", "heal")
    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()


def test_status_tells_where_the_guest_is_although_nothing_can_be_printed(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    command = [sys.executable, "-m", "migrate_plugins", "migrate", "web1", beta.uri, "--live"]

    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [*command, "-c", alpha.uri, "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )

    assert (done.returncode, done.stderr) == (ExitCode.DONE, "")
    assert beta.virsh("domstate", "web1").strip() == "running"
    guest.wait_for_ticks()
