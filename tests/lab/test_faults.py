from __future__ import annotations

import contextlib
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from migrate_plugins_lab import faults
from migrate_plugins_lab.daemon import State, state
from migrate_plugins_lab.errors import ArgumentError, CommandError, DaemonError

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate_plugins_lab.host import Host
    from migrate_plugins_lab.lab import Lab

RATE, PORTS, NAME = faults.check_rate, faults.check_ports, faults.check_hostname

# fmt: off
GOOD = [
    # check  argument
    (RATE,   "800mbit"),
    (RATE,   "0.5gbit"),
    (RATE,   "64kbit"),
    (PORTS,  "49152-49215"),
    (PORTS,  "16509"),
    (PORTS,  "1-65535"),
    (NAME,   "localhost.localdomain"),
    (NAME,   "x"),
]

BAD = [
    # check  argument           why
    (RATE,   "800",             "not a number above zero and a unit"),
    (RATE,   "0mbit",           "not a number above zero and a unit"),
    (RATE,   "0.0gbit",         "not a number above zero and a unit"),
    (RATE,   "-1mbit",          "not a number above zero and a unit"),
    (RATE,   "800mbps",         "not a number above zero and a unit"),
    (PORTS,  "0",               "not a port, or two in rising order"),
    (PORTS,  "9-3",             "not a port, or two in rising order"),
    (PORTS,  "9-9",             "not a port, or two in rising order"),
    (PORTS,  "1-65536",         "not a port, or two in rising order"),
    (PORTS,  "ssh",             "not a port, or two in rising order"),
    (PORTS,  "1-2 accept",      "not a port, or two in rising order"),
    (NAME,   "-h",              "other characters than letters, digits, dots and hyphens"),
    (NAME,   "a b",             "other characters than letters, digits, dots and hyphens"),
    (NAME,   "a" * 65,          "other characters than letters, digits, dots and hyphens"),
]

FORMS = [
    # kind         arguments
    ("nope",       ()),
    ("cut",        ("now",)),
    ("bandwidth",  ()),
    ("bandwidth",  ("1mbit", "2mbit")),
    ("heal",       ("all",)),
]
# fmt: on

LISTEN = """
import socket
with socket.create_server(("", 7777)) as server:
    server.settimeout(10)
    connection, _ = server.accept()
    with connection:
        while connection.recv(65536):
            pass
"""
SEND = """
import socket, time
for _ in range(100):
    try:
        connection = socket.create_connection(("beta", 7777), timeout=10)
        break
    except ConnectionRefusedError:
        time.sleep(0.02)
begun = time.monotonic()
connection.sendall(bytes(1 << 20))
connection.shutdown(socket.SHUT_WR)
connection.recv(1)
print(time.monotonic() - begun)
"""
CONNECT = 'import socket; socket.create_connection(("beta", 16509), timeout=1).close()'


@pytest.mark.parametrize(("check", "argument"), GOOD)
def test_an_argument_that_can_be_is_taken(check: Callable[[str], None], argument: str) -> None:
    check(argument)


@pytest.mark.parametrize(("check", "argument", "why"), BAD)
def test_an_argument_that_cannot_be_is_refused(
    check: Callable[[str], None], argument: str, why: str
) -> None:
    with pytest.raises(ArgumentError, match=why):
        check(argument)


def python(host: Host, program: str) -> str:
    return host.run([sys.executable, "-I", "-S", "-c", program])


def send_a_mebibyte(hosts: Lab) -> float:
    """The seconds it takes from alpha to beta."""
    with ThreadPoolExecutor() as workers:
        listening = workers.submit(python, hosts.host("beta"), LISTEN)
        seconds = float(python(hosts.host("alpha"), SEND))
        listening.result()
    return seconds


def migrate(hosts: Lab, guest: str) -> None:
    alpha, beta = hosts.hosts
    alpha.virsh("migrate", "--live", "--p2p", guest, beta.peer_uri)


@pytest.mark.integration
@pytest.mark.parametrize(("kind", "arguments"), FORMS)
def test_a_fault_of_no_known_form_is_answered_with_those_that_are(
    hosts: Lab, kind: str, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(ArgumentError) as caught:
        hosts.fault("beta", kind, *arguments)

    assert caught.value.hint == (
        "these work: bandwidth RATE, block-ports A-B, cut, hostname NAME, kill-daemon,"
        " freeze-daemon, kill-guest GUEST, kill-host, heal"
    )
    assert faults.active(hosts.host("beta")) == []


@pytest.mark.integration
def test_bandwidth_limits_what_a_host_sends(hosts: Lab) -> None:
    hosts.fault("alpha", "bandwidth", "8mbit")
    limited = send_a_mebibyte(hosts)
    hosts.fault("alpha", "heal")
    healed = send_a_mebibyte(hosts)

    # A mebibyte at 8 Mbit/s takes 1.05 s, less the burst that goes at once.
    assert limited > 0.7
    assert healed < limited / 2


@pytest.mark.integration
def test_block_ports_rejects_the_migrations_data(hosts: Lab) -> None:
    guest = hosts.guest("web1")
    hosts.fault("beta", "block-ports", "49152-49215")
    with pytest.raises(CommandError, match="'beta:49152': Connection refused"):
        migrate(hosts, "web1")
    hosts.fault("beta", "heal")
    migrate(hosts, "web1")

    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()


@pytest.mark.integration
def test_cut_makes_a_host_silent_for_the_others(hosts: Lab) -> None:
    alpha = hosts.host("alpha")
    hosts.fault("beta", "cut")
    with pytest.raises(CommandError, match=r"timed out|No route to host"):
        python(alpha, CONNECT)
    hosts.fault("beta", "heal")

    python(alpha, CONNECT)


@pytest.mark.integration
def test_hostname_is_one_that_nobody_can_look_up(hosts: Lab) -> None:
    hosts.guest("web1")
    hosts.fault("beta", "hostname", "elsewhere")
    assert hosts.host("beta").virsh("hostname").strip() == "elsewhere"
    with pytest.raises(CommandError, match="Unable to resolve address 'elsewhere'"):
        migrate(hosts, "web1")
    hosts.fault("beta", "heal")

    assert hosts.host("beta").virsh("hostname").strip() == "beta"


@pytest.mark.integration
def test_kill_daemon_leaves_the_guests_and_heal_finds_them_again(either: Lab) -> None:
    alpha = either.host("alpha")
    uuid_before = host_uuid(alpha)
    guest = either.guest("web1")
    either.fault("alpha", "kill-daemon")
    with pytest.raises(CommandError, match=r"Connection refused|No such file"):
        alpha.virsh("uri")
    assert state(alpha) is State.DEAD
    with pytest.raises(DaemonError, match="its libvirtd is dead"):
        either.fault("alpha", "freeze-daemon")
    guest.wait_for_ticks()
    either.fault("alpha", "heal")

    assert alpha.virsh("domstate", "web1").strip() == "running"
    assert host_uuid(alpha) == uuid_before
    assert guest.continuity().unbroken


@pytest.mark.integration
def test_freeze_daemon_accepts_and_never_answers(hosts: Lab) -> None:
    beta = hosts.host("beta")
    hosts.fault("beta", "freeze-daemon")
    assert state(beta) is State.FROZEN
    begun = time.monotonic()
    with pytest.raises(CommandError) as caught:
        beta.virsh("uri", seconds=0.5)
    assert caught.value.status is None
    assert time.monotonic() - begun < 5
    hosts.fault("beta", "heal")

    assert state(beta) is State.RUNNING


@pytest.mark.integration
def test_kill_guest_ends_its_qemu_and_no_other(either: Lab) -> None:
    alpha = either.host("alpha")
    other = either.guest("web2")
    either.guest("web1")
    either.fault("alpha", "kill-guest", "web1")

    assert gone(alpha, "web1")
    other.wait_for_ticks()
    assert other.continuity().unbroken


@pytest.mark.integration
def test_kill_host_is_refused_where_hosts_share_a_kernel(hosts: Lab) -> None:
    with pytest.raises(ArgumentError, match="hosts of this kind share one kernel") as caught:
        hosts.fault("alpha", "kill-host")

    assert "`lab fault alpha cut` makes it silent" in caught.value.hint
    assert faults.active(hosts.host("alpha")) == []


@pytest.mark.integration
def test_armed_fault_strikes_when_it_is_fired_and_not_before(either: Lab) -> None:
    beta = either.host("beta")
    with faults.armed(beta, "kill-daemon") as fire:
        assert state(beta) is State.RUNNING
        fire()
        assert state(beta) is State.DEAD


@pytest.mark.integration
def test_armed_fault_that_is_never_fired_breaks_nothing(hosts: Lab) -> None:
    beta = hosts.host("beta")
    with faults.armed(beta, "cut"), faults.armed(beta, "kill-daemon"):
        pass

    assert state(beta) is State.RUNNING
    python(hosts.host("alpha"), CONNECT)


@pytest.mark.integration
def test_guest_powers_itself_off_after_so_many_ticks(hosts: Lab) -> None:
    alpha = hosts.host("alpha")
    guest = hosts.guest("web1", off=20)

    assert gone(alpha, "web1")
    assert [tick.counter for tick in guest.ticks()] == list(range(1, 21))


@pytest.mark.integration
def test_faults_are_listed_until_they_are_healed(hosts: Lab) -> None:
    alpha = hosts.host("alpha")
    hosts.fault("alpha", "bandwidth", "800mbit")
    hosts.fault("alpha", "cut")
    assert faults.active(alpha) == ["bandwidth 800mbit", "cut"]
    hosts.fault("alpha", "heal")

    assert faults.active(alpha) == []


@pytest.mark.integration
def test_clean_heals_a_daemon_that_died_by_itself(hosts: Lab) -> None:
    beta = hosts.host("beta")
    hosts.fault("beta", "kill-daemon")
    with contextlib.suppress(FileNotFoundError):
        faults._record(beta).unlink()
    hosts.clean()

    assert state(beta) is State.RUNNING


def gone(host: Host, guest: str) -> bool:
    """Whether a transient guest ends, within a few seconds."""
    for _ in range(100):
        if guest not in host.virsh("list", "--all", "--name").split():
            return True
        time.sleep(0.05)
    return False


def host_uuid(host: Host) -> str:
    return host.virsh("capabilities").partition("<uuid>")[2].partition("</uuid>")[0]
