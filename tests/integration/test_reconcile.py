"""The tool is killed, or a host breaks: where the guest is then, and the way back."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from migrate_plugins import ExitCode
from migrate_plugins_lab.errors import CommandError

if TYPE_CHECKING:
    from pathlib import Path

    from migrate_plugins_lab.guest import Guest
    from migrate_plugins_lab.host import Host
    from migrate_plugins_lab.lab import Lab

# A guest that writes over 64 MiB all the time, over a link of 100 Mbit/s: never done by itself.
DIRTY = 64
RATE = "100mbit"
PEER2PEER = ["native-p2p", "tunnelled-p2p"]
# Seconds: a host's patience, the start of a process, and a machine that is busy.
BOUND = 40.0


@pytest.fixture(autouse=True)
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal of each test's own: what is in doubt for one is not for another."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


class Said(NamedTuple):
    """How ``reconcile --json`` ended, and what it says of its one guest."""

    status: int
    guest: dict[str, Any]
    seconds: float

    @property
    def brief(self) -> tuple[int, str]:
        return self.status, self.guest["state"]

    @property
    def taken(self) -> list[tuple[str, str, str | None]]:
        return [(each["mend"], each["host"], each["error"]) for each in self.guest["taken"]]


def command(*argv: str) -> list[str]:
    return [sys.executable, "-m", "migrate_plugins", *argv]


def reconcile(*argv: str) -> Said:
    began = monotonic()
    done = subprocess.run(
        command("reconcile", "--json", *argv),
        capture_output=True,
        text=True,
        check=False,
        timeout=BOUND,
    )
    assert done.stdout, done.stderr
    guests = json.loads(done.stdout)["guests"]
    assert len(guests) == 1, guests
    return Said(done.returncode, guests[0], monotonic() - began)


def succeed(*argv: str) -> str:
    """Run a command that must succeed, and give what it printed."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=BOUND)
    assert done.returncode == 0, f"{argv}: {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


def nothing_in_doubt() -> bool:
    return succeed(*command("reconcile")) == "nothing is in doubt, and nothing left over\n"


def start(lab: Lab, scenario: str, *options: str) -> subprocess.Popen[str]:
    """Start the real command and wait until memory is sent."""
    alpha, beta = lab.hosts
    argv = ["migrate", "web1", beta.uri]
    argv += [] if scenario == "native-direct" else [beta.peer_uri]
    argv += ["-c", alpha.uri, "--live", "--scenario", scenario, "--progress", "json", *options]
    process = subprocess.Popen(
        command(*argv), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        statistics = json.loads(line).get("statistics")
        if statistics and statistics["transferred"]:
            return process
    process.wait(timeout=10)
    pytest.fail(f"the migration ended too early: {process.stderr and process.stderr.read()}")


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=10)


def busy_guest(lab: Lab, *, persistent: bool = False) -> Guest:
    guest = lab.guest("web1", dirty=DIRTY, persistent=persistent)
    lab.fault("alpha", "bandwidth", RATE)
    return guest


def state(host: Host) -> str | None:
    """The guest's state there, or None where there is none."""
    if "web1" not in host.virsh("list", "--all", "--name").split():
        return None
    try:
        return host.virsh("domstate", "web1", "--reason").strip()
    except CommandError:  # it went in between
        return None


def wait_until_paused(host: Host) -> None:
    end = monotonic() + BOUND
    while state(host) != "paused (migrating)":
        assert monotonic() < end, f"{host.name}: {state(host)}"
        sleep(0.1)


def goes_on(guest: Guest) -> None:
    """The guest lives, and has had one life."""
    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()


def stuck(lab: Lab, *options: str) -> subprocess.Popen[str]:
    """Have the guest paused at the source, with a destination that has not taken it yet."""
    process = start(lab, "native-direct", *options)
    lab.fault("beta", "freeze-daemon")
    lab.fault("alpha", "heal")
    wait_until_paused(lab.hosts[0])
    sleep(0.5)  # now the tool waits for the destination to take it
    return process


def moved_and_left_behind(lab: Lab, *options: str) -> None:
    """Have the guest run at the destination, and the tool killed before it told the source."""
    process = stuck(lab, *options)
    process.send_signal(signal.SIGSTOP)
    lab.fault("beta", "heal")
    end = monotonic() + BOUND
    while state(lab.hosts[1]) != "running (migrated)":
        assert monotonic() < end, state(lab.hosts[1])
        sleep(0.1)
    kill(process)
    end = monotonic() + BOUND
    while "migration" in lab.hosts[0].virsh("domjobinfo", "web1").lower():
        assert monotonic() < end, "the source still waits for the tool"
        sleep(0.1)


def start_twin(lab: Lab) -> None:
    """Start the guest of the source on the destination too, as somebody might by mistake."""
    alpha, beta = lab.hosts
    twin = lab.folder.path / "twin.xml"
    twin.write_text(alpha.virsh("dumpxml", "web1"), encoding="utf-8")
    end = monotonic() + BOUND
    while True:
        try:
            beta.virsh("create", str(twin))
        except CommandError:  # a copy that waited for memory is still being removed
            assert monotonic() < end
            sleep(0.2)
        else:
            return


def test_killed_tool_in_managed_direct_leaves_the_guest_on_the_source(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = busy_guest(hosts)
    kill(start(hosts, "native-direct"))

    said = reconcile("--apply")

    assert said.brief == (ExitCode.DONE, "rolled-back")
    assert (state(alpha), state(beta)) == ("running (booted)", None)
    assert nothing_in_doubt()
    goes_on(guest)


@pytest.mark.parametrize("scenario", PEER2PEER)
def test_killed_tool_in_peer_to_peer_is_replaced_by_a_watcher(hosts: Lab, scenario: str) -> None:
    alpha, beta = hosts.hosts
    guest = busy_guest(hosts)
    kill(start(hosts, scenario))

    assert reconcile().brief == (ExitCode.FAILED, "in-progress")
    hosts.fault("alpha", "heal")
    said = reconcile("--watch")

    assert said.brief == (ExitCode.DONE, "finished")
    assert (state(alpha), state(beta)) == (None, "running (migrated)")
    assert nothing_in_doubt()
    goes_on(guest)


@pytest.mark.parametrize("scenario", PEER2PEER)
def test_migration_that_goes_on_is_cancelled(hosts: Lab, scenario: str) -> None:
    alpha, beta = hosts.hosts
    guest = busy_guest(hosts)
    kill(start(hosts, scenario))

    said = reconcile("--cancel")

    assert said.brief == (ExitCode.DONE, "rolled-back")
    assert said.guest["verdict"] == "cancelled"
    assert (state(alpha), state(beta)) == ("running (booted)", None)
    assert nothing_in_doubt()
    goes_on(guest)


def test_tool_that_lives_is_named_and_left_alone(hosts: Lab) -> None:
    busy_guest(hosts)
    process = start(hosts, "native-p2p")

    said = reconcile("--cancel", "--apply")

    assert said.brief == (ExitCode.FAILED, "in-progress")
    assert said.guest["text"].startswith(f"process {process.pid} on ")
    assert (said.taken, said.guest["cancelled"]) == ([], False)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=BOUND)
    assert process.returncode == ExitCode.CANCELLED


def test_guest_stuck_at_the_switchover_goes_on_at_the_source(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = busy_guest(hosts)
    process = stuck(hosts)
    kill(process)

    frozen = reconcile("--apply")
    hosts.fault("beta", "kill-daemon")
    hosts.fault("beta", "heal")
    seen = reconcile()
    said = reconcile("--apply")

    assert frozen.brief == (ExitCode.CONNECT, "unknown")
    assert frozen.taken == []
    assert frozen.seconds < BOUND / 2
    assert seen.brief == (ExitCode.FAILED, "switchover-stuck")
    assert seen.guest["step"] == {
        "mend": "resume",
        "host": "source",
        "command": f"virsh -c '{alpha.uri}' resume web1",
    }
    assert (said.brief, said.taken) == (
        (ExitCode.DONE, "rolled-back"),
        [("resume", "source", None)],
    )
    assert (state(alpha), state(beta)) == ("running (unpaused)", None)
    assert nothing_in_doubt()
    goes_on(guest)


def test_printed_command_does_what_apply_does(hosts: Lab) -> None:
    alpha, _ = hosts.hosts
    guest = busy_guest(hosts)
    kill(stuck(hosts))
    hosts.fault("beta", "kill-daemon")
    hosts.fault("beta", "heal")

    step = reconcile().guest["step"]["command"]
    succeed("bash", "-c", step)

    assert reconcile().brief == (ExitCode.DONE, "rolled-back")
    assert state(alpha) == "running (unpaused)"
    goes_on(guest)


def test_paused_copy_left_on_the_source_is_ended(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = busy_guest(hosts)
    moved_and_left_behind(hosts)

    seen = reconcile()
    said = reconcile("--apply")

    assert seen.brief == (ExitCode.FAILED, "clean-up-missing")
    assert (said.brief, said.taken) == (
        (ExitCode.DONE, "finished"),
        [("destroy", "source", None)],
    )
    assert (state(alpha), state(beta)) == (None, "running (migrated)")
    assert nothing_in_doubt()
    goes_on(guest)


def test_configuration_left_on_the_source_is_removed_with_the_copy(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = busy_guest(hosts, persistent=True)
    moved_and_left_behind(hosts, "--persistent", "--undefinesource")

    said = reconcile("--apply")

    assert (said.brief, said.taken) == (
        (ExitCode.DONE, "finished"),
        [("destroy", "source", None), ("undefine", "source", None)],
    )
    assert (state(alpha), state(beta)) == (None, "running (migrated)")
    assert "Persistent:     yes" in beta.virsh("dominfo", "web1")
    goes_on(guest)


def test_paused_copy_left_on_the_destination_is_ended_without_a_record(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = busy_guest(hosts)
    moved_and_left_behind(hosts)

    # The same two hosts, seen as a migration back that has failed.
    said = reconcile("web1", alpha.uri, "-c", beta.uri, "--live", "--apply")

    assert (said.brief, said.taken) == (
        (ExitCode.DONE, "rolled-back"),
        [("destroy", "destination", None)],
    )
    assert said.guest["certain"] is False
    assert (state(alpha), state(beta)) == (None, "running (migrated)")
    goes_on(guest)


def test_configurations_are_mended_by_the_commands_that_are_printed(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1", persistent=True)
    argv = ["web1", beta.uri, "-c", alpha.uri, "--live", "--persistent", "--undefinesource"]
    succeed(*command("migrate", *argv))
    # As if libvirt had been interrupted in the middle of it.
    stored = hosts.folder.path / "web1.xml"
    stored.write_text(beta.virsh("dumpxml", "--inactive", "web1"), encoding="utf-8")
    alpha.virsh("define", str(stored))
    beta.virsh("undefine", "web1")

    steps = []
    while (said := reconcile("web1")).guest["step"]:
        steps.append(said.guest["step"]["mend"])
        assert len(steps) < 4
        succeed("bash", "-c", said.guest["step"]["command"])

    assert (said.brief, steps) == ((ExitCode.DONE, "finished"), ["define", "undefine"])
    assert (state(alpha), state(beta)) == (None, "running (migrated)")
    assert "Persistent:     yes" in beta.virsh("dominfo", "web1")
    goes_on(guest)


def test_configurations_are_mended_by_apply(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    hosts.guest("web1", persistent=True)
    argv = ["web1", beta.uri, "-c", alpha.uri, "--live", "--persistent", "--undefinesource"]
    succeed(*command("migrate", *argv))
    stored = hosts.folder.path / "web1.xml"
    stored.write_text(beta.virsh("dumpxml", "--inactive", "web1"), encoding="utf-8")
    alpha.virsh("define", str(stored))
    beta.virsh("undefine", "web1")

    said = reconcile("web1", "--apply")

    assert (said.brief, said.taken) == (
        (ExitCode.DONE, "finished"),
        [("define", "destination", None), ("undefine", "source", None)],
    )
    assert state(alpha) is None
    assert "Persistent:     yes" in beta.virsh("dominfo", "web1")


def test_guest_that_runs_on_both_hosts_is_not_touched(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    hosts.guest("web1")
    start_twin(hosts)

    said = reconcile("web1", beta.uri, "-c", alpha.uri, "--apply")

    assert said.brief == (ExitCode.NEEDS_PERSON, "running-on-both")
    assert (said.taken, said.guest["step"]) == ([], None)
    assert (state(alpha), state(beta)) == ("running (booted)", "running (booted)")


def test_guest_that_was_started_anew_beside_its_paused_copy_is_left_to_a_person(
    hosts: Lab,
) -> None:
    alpha, beta = hosts.hosts
    busy_guest(hosts)
    kill(stuck(hosts))
    hosts.fault("beta", "kill-daemon")
    hosts.fault("beta", "heal")
    start_twin(hosts)

    said = reconcile("--apply")

    assert said.brief == (ExitCode.NEEDS_PERSON, "clean-up-missing")
    assert said.taken == []
    assert (state(alpha), state(beta)) == ("paused (migrating)", "running (booted)")


def test_guest_that_is_gone_is_said_to_be_lost_until_a_person_closes_the_record(
    hosts: Lab,
) -> None:
    alpha, beta = hosts.hosts
    busy_guest(hosts)
    kill(start(hosts, "native-p2p"))
    alpha.virsh("destroy", "web1")
    end = monotonic() + BOUND
    while state(beta) is not None:  # it still waits for memory
        assert monotonic() < end, state(beta)
        sleep(0.2)

    said = reconcile("--apply")
    number = str(said.guest["id"])
    closed = succeed(*command("reconcile", "--id", number, "--close", "destroyed on purpose"))

    assert (said.brief, said.taken) == ((ExitCode.NEEDS_PERSON, "lost"), [])
    assert closed == f"record {number} is closed\n"
    assert nothing_in_doubt()


@pytest.mark.parametrize("broken", ["alpha", "beta"])
def test_frozen_daemon_is_not_waited_for_long(hosts: Lab, broken: str) -> None:
    guest = busy_guest(hosts)
    kill(start(hosts, "native-direct"))
    hosts.fault(broken, "freeze-daemon")

    said = reconcile("--apply")

    assert said.seconds < BOUND / 2
    assert said.taken == []
    if broken == "alpha":
        assert said.brief == (ExitCode.CONNECT, "unknown")
    else:  # the source may just be aborting
        assert said.guest["state"] in {"unknown", "in-progress"}
        assert said.status in {ExitCode.CONNECT, ExitCode.FAILED}
    hosts.fault(broken, "heal")
    assert reconcile("--apply").brief == (ExitCode.DONE, "rolled-back")
    goes_on(guest)


@pytest.mark.parametrize("scenario", ["native-direct", "native-p2p"])
def test_second_signal_leaves_a_host_that_does_not_answer(hosts: Lab, scenario: str) -> None:
    guest = busy_guest(hosts)
    process = start(hosts, scenario)
    hosts.fault("alpha", "freeze-daemon")
    process.send_signal(signal.SIGINT)
    sleep(0.5)
    assert process.poll() is None
    began = monotonic()
    process.send_signal(signal.SIGTERM)

    _, err = process.communicate(timeout=10)

    assert monotonic() - began < 5
    assert (process.returncode, err.splitlines()[-1]) == (
        ExitCode.NEEDS_PERSON,
        "    migrate-plugins reconcile web1",
    )
    hosts.fault("alpha", "heal")
    said = reconcile("--cancel", "--apply")
    assert said.brief == (ExitCode.DONE, "rolled-back")
    goes_on(guest)


def test_host_that_is_down_is_told_with_its_error(hosts: Lab) -> None:
    guest = busy_guest(hosts)
    kill(start(hosts, "native-direct"))
    hosts.fault("beta", "kill-daemon")

    said = reconcile("--apply")

    assert said.taken == []
    assert "cannot connect to" in said.guest["destination"]["unreadable"]
    hosts.fault("beta", "heal")
    assert reconcile().brief == (ExitCode.DONE, "rolled-back")
    goes_on(guest)


def in_postcopy(lab: Lab) -> Guest:
    """Have the guest run at the destination, most of its memory not there yet, and no tool."""
    assert lab.postcopy, lab.postcopy.reason
    guest = busy_guest(lab)
    kill(start(lab, "native-p2p", "--postcopy", "--revision", "current"))
    lab.hosts[0].virsh("migrate-postcopy", "web1")
    end = monotonic() + BOUND
    # The source says so a while before: a destination that is cut off in between loses the guest.
    while state(lab.hosts[1]) != "running (post-copy)":
        assert monotonic() < end, (state(lab.hosts[0]), state(lab.hosts[1]))
        sleep(0.05)
    assert state(lab.hosts[0]) == "paused (post-copy)"
    return guest


def test_migration_that_ends_in_post_copy_is_finished(privileged_hosts: Lab) -> None:
    alpha, beta = privileged_hosts.hosts
    guest = in_postcopy(privileged_hosts)

    said = reconcile("--watch")

    assert said.brief == (ExitCode.DONE, "finished")
    assert (state(alpha), state(beta)) == (None, "running (migrated)")
    goes_on(guest)


def test_guest_that_broke_off_in_post_copy_is_not_touched(privileged_hosts: Lab) -> None:
    alpha, beta = privileged_hosts.hosts
    in_postcopy(privileged_hosts)
    beta.run(["ss", "--kill", "--tcp", "sport >= :49152 and sport <= :49215"])
    end = monotonic() + BOUND
    while state(alpha) != "paused (post-copy failed)":
        assert monotonic() < end, state(alpha)
        sleep(0.1)

    said = reconcile("--apply")

    assert said.brief == (ExitCode.NEEDS_PERSON, "switchover-stuck")
    assert (said.taken, said.guest["step"]) == ([], None)
    assert state(alpha) == "paused (post-copy failed)"
    assert state(beta) == "running (post-copy failed)"
