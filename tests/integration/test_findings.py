"""What is wrong before a migration is found before it, and what fails is diagnosed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from shlex import quote
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import (
    BlockedError,
    DriverError,
    ExitCode,
    Finding,
    GuestState,
    Severity,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrate_plugins import Event, Migrator, Plan
    from migrate_plugins_lab.guest import Guest
    from migrate_plugins_lab.lab import Lab

PORTS = "49152-49215"
DATA_PLAIN_TEXT = "data-plain-text"


@pytest.fixture(autouse=True)
def quiet(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """libvirt writes its errors to standard error by itself, unless it is told not to."""
    capfd.readouterr()
    yield
    assert capfd.readouterr() == ("", "")


def _plan(migrator: Migrator, lab: Lab, guest: str = "web1", **options: Any) -> Plan:  # noqa: ANN401 - of many kinds
    alpha, beta = lab.hosts
    given = {"source": alpha.uri, "destination": beta.uri, "live": True, **options}
    return migrator.plan(guest, **given)


def _blocking(migrator: Migrator, plan: Plan) -> list[Finding]:
    """The findings that block, the same when they are looked for and when they are run into."""
    found = [finding for finding in migrator.check(plan).findings if finding.blocks]
    with pytest.raises(BlockedError) as caught:
        migrator.run(plan)
    assert caught.value.findings == tuple(found)
    return found


def _lives(guest: Guest) -> None:
    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()


def test_nothing_blocks_what_can_be_done(migrator: Migrator, hosts: Lab) -> None:
    hosts.guest("web1")

    report = migrator.check(_plan(migrator, hosts))

    report.raise_for_errors()
    assert [(finding.id, finding.severity) for finding in report.findings] == [
        (DATA_PLAIN_TEXT, Severity.WARNING),
        # Nobody has said how to run a program on these hosts.
        ("destination-name-unknown", Severity.INFO),
        ("data-port-unknown", Severity.INFO),
    ]


def test_guest_that_is_not_there_is_not_found(migrator: Migrator, hosts: Lab) -> None:
    assert _blocking(migrator, _plan(migrator, hosts, "web9")) == [
        Finding(
            "guest-not-found",
            Severity.ERROR,
            "alpha",
            "alpha has no guest 'web9'",
            seen="web9",
            remedy=f"virsh -c {quote(hosts.host('alpha').uri)} list --all",
            acceptable=False,
        )
    ]


def test_guest_that_is_shut_off_has_no_memory_to_move(migrator: Migrator, hosts: Lab) -> None:
    hosts.guest("web1", persistent=True)
    hosts.host("alpha").virsh("destroy", "web1")

    assert _blocking(migrator, _plan(migrator, hosts)) == [
        Finding(
            "guest-not-running",
            Severity.ERROR,
            "alpha",
            "web1 does not run, so that there is no memory to move",
            seen="shutoff",
            expected="running",
            remedy="--offline --persistent moves its definition; or start it first",
        )
    ]


def test_guest_that_runs_cannot_go_offline(migrator: Migrator, hosts: Lab) -> None:
    guest = hosts.guest("web1")
    plan = _plan(migrator, hosts, live=False, offline=True, persistent=True)

    assert [(each.id, each.seen) for each in _blocking(migrator, plan)] == [
        ("guest-running", "running")
    ]
    _lives(guest)


def test_name_of_another_guest_on_the_destination_is_taken(migrator: Migrator, hosts: Lab) -> None:
    guest, other = hosts.guest("web1"), hosts.guest("web1", host="beta")

    assert _blocking(migrator, _plan(migrator, hosts)) == [
        Finding(
            "name-taken",
            Severity.ERROR,
            "beta",
            "beta has another guest of the name 'web1'",
            seen=other.uuid,
            expected=guest.uuid,
            remedy="--dname NAME gives the guest another name there",
        )
    ]
    _lives(guest)
    _lives(other)


def test_remedy_for_a_taken_name_mends_it(migrator: Migrator, hosts: Lab) -> None:
    guest, other = hosts.guest("web1"), hosts.guest("web1", host="beta")

    migrator.run(_plan(migrator, hosts, dname="web2")).raise_for_failure()

    _lives(guest)
    _lives(other)


def test_guest_that_is_active_on_both_hosts_is_not_touched(
    migrator: Migrator, hosts: Lab, tmp_path: Path
) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    definition = tmp_path / "web1.xml"
    definition.write_text(alpha.virsh("dumpxml", "web1"), encoding="utf-8")
    beta.virsh("create", "--paused", str(definition))

    assert _blocking(migrator, _plan(migrator, hosts)) == [
        Finding(
            "already-there",
            Severity.ERROR,
            "beta",
            "web1 is active on beta already",
            seen="paused",
            expected="no active guest of this uuid",
            remedy="find out which of the two is the right one; do not start or stop either yet",
            acceptable=False,
        )
    ]
    _lives(guest)


def test_configuration_under_another_name_takes_the_uuid(
    migrator: Migrator, hosts: Lab, tmp_path: Path
) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    definition = tmp_path / "web2.xml"
    definition.write_text(
        alpha.virsh("dumpxml", "web1").replace("<name>web1<", "<name>web2<"), encoding="utf-8"
    )
    beta.virsh("define", str(definition))

    found = _blocking(migrator, _plan(migrator, hosts))

    assert [(each.id, each.seen, each.expected) for each in found] == [
        ("uuid-taken", "web2", "web1")
    ]
    _lives(guest)


def test_guest_that_is_on_its_way_is_busy(migrator: Migrator, hosts: Lab) -> None:
    guest = hosts.guest("web1", dirty=64)
    hosts.fault("alpha", "bandwidth", "100mbit")
    begun = threading.Event()

    def look(event: Event) -> None:
        if event.statistics is not None:
            begun.set()

    first = migrator.start(_plan(migrator, hosts), observers=[look])
    assert begun.wait(20)

    found = _blocking(migrator, _plan(migrator, hosts))
    first.cancel()

    assert first.wait(20)
    assert first.outcome().verdict is Verdict.CANCELLED
    busy, there = found
    assert (busy.id, busy.host, busy.seen) == ("guest-busy", "alpha", "migration out")
    assert (there.id, there.host) == ("already-there", "beta")
    _lives(guest)


def test_destination_that_is_the_source_is_found(migrator: Migrator, hosts: Lab) -> None:
    guest = hosts.guest("web1")
    alpha = hosts.host("alpha")

    found = _blocking(migrator, _plan(migrator, hosts, destination=alpha.uri))

    assert [(each.id, each.host) for each in found] == [
        ("same-host", "alpha"),
        ("already-there", "alpha"),
    ]
    assert found[0].seen is not None
    assert found[0].seen in alpha.virsh("capabilities")
    _lives(guest)


def test_destination_that_calls_itself_localhost_is_found(migrator: Migrator, hosts: Lab) -> None:
    guest = hosts.guest("web1")
    hosts.fault("beta", "hostname", "localhost")

    assert _blocking(migrator, _plan(migrator, hosts)) == [
        Finding(
            "destination-name-localhost",
            Severity.ERROR,
            "localhost",
            "the destination calls itself localhost, so that libvirt cannot make a migration URI"
            " from its name",
            seen="localhost",
            expected="a name that the source resolves to the destination",
            remedy="hostnamectl set-hostname NAME on the destination, or give the migration URI:"
            " tcp://ADDRESS/",
        )
    ]
    _lives(guest)


def test_remedy_for_localhost_mends_it(migrator: Migrator, hosts: Lab) -> None:
    guest = hosts.guest("web1")
    hosts.fault("beta", "hostname", "localhost")
    third = f"tcp://{hosts.host('beta').address}/"

    migrator.run(_plan(migrator, hosts, migration=third)).raise_for_failure()

    _lives(guest)


def test_accepted_finding_is_recorded_and_no_longer_blocks(
    migrator: Migrator, hosts: Lab, calls: list[str]
) -> None:
    guest = hosts.guest("web1")
    hosts.fault("beta", "hostname", "localhost")
    accept = {"destination-name-localhost": "to see what libvirt says"}
    plan = _plan(migrator, hosts)

    report = migrator.check(plan, accept=accept)
    outcome = migrator.run(plan, accept=accept)

    report.raise_for_errors()
    recorded = {DATA_PLAIN_TEXT: None, **accept}
    assert {finding.id: finding.accepted for finding in report.findings} == recorded
    assert {finding.id: finding.accepted for finding in outcome.findings} == recorded
    assert calls == ["migrate3"]
    # The finding was right: libvirt refuses.
    assert outcome.verdict is Verdict.FAILED
    assert isinstance(outcome.error, DriverError)
    assert "localhost" in outcome.error.problem
    _lives(guest)


def test_blocked_data_ports_are_diagnosed(migrator: Migrator, hosts: Lab) -> None:
    guest = hosts.guest("web1")
    hosts.fault("beta", "block-ports", PORTS)

    outcome = migrator.run(_plan(migrator, hosts))

    assert outcome.verdict is Verdict.FAILED
    assert isinstance(outcome.error, DriverError)
    assert (
        outcome.error.problem == "unable to connect to server at 'beta:49152': Connection refused"
    )
    assert outcome.diagnoses[0].id == "data-port-refused"
    assert outcome.source is not None
    assert (outcome.source.uuid, outcome.source.state) == (guest.uuid, GuestState.RUNNING)
    assert outcome.destination is None
    _lives(guest)


def test_migrate_command_tells_where_the_guest_is_and_what_to_do(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    hosts.fault("beta", "block-ports", PORTS)

    status, out, err = _command("migrate", "web1", beta.uri, "-c", alpha.uri, "--live")

    assert status == ExitCode.FAILED
    said = "the migration failed: web1 is still on alpha (alpha: running; beta: no such guest)"
    assert said in out.splitlines()
    first, second, *rest = err.splitlines()
    assert (first, second) == (
        "  migrating web1 failed: unable to connect to server at 'beta:49152': Connection refused",
        "  very likely: data-port-refused",
    )
    assert "      - on beta: open 49152/tcp for the source (by default all of 49152-49215)" in rest
    _lives(guest)


def test_remedy_for_blocked_ports_mends_it(migrator: Migrator, hosts: Lab) -> None:
    guest = hosts.guest("web1")
    hosts.fault("beta", "block-ports", PORTS)
    third = f"tcp://{hosts.host('beta').address}:49300"

    migrator.run(_plan(migrator, hosts, migration=third)).raise_for_failure()

    _lives(guest)


def test_guests_cross_each_other_with_one_migrator(migrator: Migrator, hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guests = [hosts.guest("web1", dirty=4), hosts.guest("web2", host="beta", dirty=4)]
    start = threading.Barrier(2, timeout=20)
    plans = [
        migrator.plan(name, source=here.uri, destination=there.uri, live=True)
        for name, here, there in (("web1", alpha, beta), ("web2", beta, alpha))
    ]

    def look(event: Event) -> None:
        if event.phase == "prepare":
            start.wait()

    with ThreadPoolExecutor(2) as workers:
        running = [workers.submit(migrator.run, plan, observers=[look]) for plan in plans]
        outcomes = [each.result(timeout=60) for each in running]

    assert [outcome.verdict for outcome in outcomes] == [Verdict.DONE] * 2
    assert not start.broken
    assert [host.virsh("list", "--all", "--name").split() for host in (alpha, beta)] == [
        ["web2"],
        ["web1"],
    ]
    for guest in guests:
        _lives(guest)


def _command(*argv: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "migrate_plugins", *argv],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_check_command_says_ready(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    hosts.guest("web1")

    status, out, err = _command("check", "web1", beta.uri, "-c", alpha.uri, "--live")

    assert (status, err) == (ExitCode.DONE, "")
    assert out.splitlines()[0] == f"  warning {DATA_PLAIN_TEXT}"
    assert out.splitlines()[-2:] == [
        "1 warning, 2 notes, 2 not known",
        "ready: nothing blocks this migration",
    ]


def test_check_command_says_blocked(hosts: Lab) -> None:
    alpha, beta = hosts.hosts

    status, out, err = _command("check", "web1", beta.uri, "-c", alpha.uri, "--live")

    assert (status, err) == (ExitCode.BLOCKED, "")
    error, _, rest = out.removeprefix("  error guest-not-found [alpha]\n").partition(
        "\n\n  warning "
    )
    # Words, not lines: where the socket's long path is broken depends on its length.
    assert (
        error.split()
        == (
            f"alpha has no guest 'web1' seen: web1 remedy: virsh -c {quote(alpha.uri)} list --all"
        ).split()
    )
    assert rest.splitlines()[-2:] == [
        "1 error, 1 warning, 3 notes, 2 not known",
        "blocked: mend or accept the errors above",
    ]


@pytest.mark.parametrize("blocked", [False, True])
def test_check_command_says_the_same_to_programs(hosts: Lab, *, blocked: bool) -> None:
    alpha, beta = hosts.hosts
    if not blocked:
        hosts.guest("web1")

    status, out, err = _command("check", "web1", beta.uri, "-c", alpha.uri, "--live", "--json")

    said = json.loads(out)
    assert (status, err) == (ExitCode.BLOCKED if blocked else ExitCode.DONE, "")
    assert list(said) == ["schema", "blocked", "counts", "findings", "skipped", "facts", "plan"]
    assert said["counts"] == {
        "error": int(blocked),
        "warning": 1,
        "info": 3 if blocked else 2,  # which row of the table holds is open without a guest
        "accepted": 0,
        "unknown": 2,
    }
    assert said["skipped"] == []
    assert said["facts"]["source"]["name"] == "alpha"
    assert (said["schema"], said["blocked"]) == ("migrate-plugins/check/1", blocked)
    assert said["plan"]["schema"] == "migrate-plugins/plan/1"
    found = [(finding["id"], finding["severity"]) for finding in said["findings"]]
    assert found == [
        (DATA_PLAIN_TEXT, "warning"),
        *([("revisions-disagree", "info"), ("guest-not-found", "error")] if blocked else []),
        ("destination-name-unknown", "info"),
        ("data-port-unknown", "info"),
    ]


def test_migrate_command_that_is_blocked_starts_nothing(hosts: Lab) -> None:
    alpha, beta = hosts.hosts

    status, out, err = _command("migrate", "web1", beta.uri, "-c", alpha.uri, "--live", "--json")

    said = json.loads(out)
    assert (status, said["kind"], said["exit_code"]) == (ExitCode.BLOCKED, "BlockedError", 3)
    assert [finding["id"] for finding in said["findings"]] == ["guest-not-found"]
    assert err.splitlines() == [
        "the checks found what blocks this migration:",
        "  guest-not-found: alpha has no guest 'web1'",
        f"      virsh -c {quote(alpha.uri)} list --all",
        "nothing was started: the guest is where it was",
    ]


def test_migrate_command_that_cannot_read_a_file_is_blocked(hosts: Lab, tmp_path: Path) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    file = tmp_path / "nowhere.xml"

    status, out, err = _command(
        "migrate", "web1", beta.uri, "-c", alpha.uri, "--live", "--xml", str(file), "--json"
    )

    text = f"--xml {str(file)!r} cannot be read: No such file or directory"
    assert status == ExitCode.BLOCKED
    assert err.splitlines()[1:] == [
        f"  definition-unreadable: {text}",
        "      correct --xml, or leave it out",
        "nothing was started: the guest is where it was",
    ]
    assert [finding["text"] for finding in json.loads(out)["findings"]] == [text]
    _lives(guest)


def test_migrate_command_accepts_what_it_is_told_to(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    hosts.fault("beta", "hostname", "localhost")
    third = f"tcp://{beta.address}/"
    accept = ("--accept", f"{DATA_PLAIN_TEXT}=a network of its own")

    status, out, err = _command(
        "migrate", "web1", beta.uri, third, "-c", alpha.uri, "--live", "--json", *accept
    )

    said = json.loads(out)
    assert (status, said["verdict"], err) == (ExitCode.DONE, "done", "")
    assert [(finding["id"], finding["accepted"]) for finding in said["findings"]] == [
        (DATA_PLAIN_TEXT, "a network of its own"),
        ("destination-name-unknown", None),
    ]
    _lives(guest)
