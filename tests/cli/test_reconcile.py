"""What ``reconcile`` prints and how it ends, with hosts in memory and a journal of its own."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import (
    EntryPoint,
    ExitCode,
    GuestState,
    Journal,
    JournalError,
    Migrator,
    Phase,
    Plan,
    Verdict,
)
from migrate_plugins.testing import MemoryDriver, MemoryHosts
from migrate_plugins.testing.memory.hosts import MemoryGuest
from migrate_plugins.testing.memory.session import MemorySession

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Call

    from migrate_plugins import GuestFacts, Mend

SOURCE, DESTINATION = "memory://alpha/", "memory://beta/"
POINT = EntryPoint("migrate_plugins.drivers", "memory", "memory", "memory", "1", "tests")


@pytest.fixture
def hosts() -> MemoryHosts:
    return MemoryHosts(seconds=0.02)


@pytest.fixture
def migrator(hosts: MemoryHosts, tmp_path: Path) -> Migrator:
    """Hosts in memory that outlive a command, unlike those of ``--driver memory``."""
    journal = Journal(f"sqlite:///{tmp_path}/journal.sqlite")
    return Migrator([(POINT, MemoryDriver(hosts=hosts))], journal=journal)


def plan(migrator: Migrator, guest: str = "web2", **options: Any) -> Plan:  # noqa: ANN401 - many types
    fields = {"source": SOURCE, "destination": DESTINATION, "live": True, **options}
    return migrator.plan(guest, **fields)


def leave_paused(migrator: Migrator, hosts: MemoryHosts, guest: str = "web2") -> int:
    """Have a migration leave the guest paused on both hosts; gives the number of its record."""
    hosts.fault("alpha", "paused")
    hosts.fault("beta", "paused")
    outcome = migrator.run(plan(migrator, guest), reason="a new kernel")
    hosts.heal()
    assert outcome.verdict is Verdict.PAUSED
    assert outcome.id is not None
    return outcome.id


def plain(text: str) -> str:
    """Leave out who and when."""
    return re.sub(r"by \S+, \d{4}-\d\d-\d\d \d\d:\d\d", "by WHO, WHEN", text)


def verdict(migrator: Migrator, number: int) -> tuple[Verdict | None, str | None]:
    assert migrator.journal is not None
    record = migrator.journal.record(number)
    return record.verdict, record.text


def test_nothing_is_in_doubt(call: Call) -> None:
    assert call("reconcile") == (ExitCode.DONE, "nothing is in doubt, and nothing left over\n", "")


def test_guest_in_doubt_is_told_with_the_next_step(
    call: Call, migrator: Migrator, hosts: MemoryHosts
) -> None:
    leave_paused(migrator, hosts)

    status, out, err = call("reconcile")

    assert (status, err) == (ExitCode.FAILED, "")
    assert plain(out) == (
        "web2 (record 1): native-direct from alpha to beta, by WHO, WHEN\n"
        "  reason: a new kernel\n"
        "  source alpha: paused (migration), transient\n"
        "  destination beta: paused (migration), transient\n"
        "  switchover-stuck\n"
        "    web2 is paused on both hosts\n"
        "    the migration paused it, all of its memory is here, and the other copy was never"
        " started\n"
        "  next: migrate-plugins reconcile --id 1 --apply\n"
    )
    assert verdict(migrator, 1)[0] is Verdict.PAUSED


def test_steps_are_taken_and_the_record_is_closed(
    call: Call, migrator: Migrator, hosts: MemoryHosts
) -> None:
    leave_paused(migrator, hosts)

    status, out, err = call("reconcile", "--apply")

    assert (status, err) == (ExitCode.DONE, "")
    assert plain(out) == (
        "web2 (record 1): native-direct from alpha to beta, by WHO, WHEN\n"
        "  reason: a new kernel\n"
        "  source alpha: running (unpaused), transient\n"
        "  destination beta: no such guest\n"
        "  resume on alpha: done\n"
        "  destroy on beta: done\n"
        "  rolled-back\n"
        "    web2 runs on alpha\n"
    )
    assert verdict(migrator, 1) == (
        Verdict.FAILED,
        "web2 runs on alpha (after resume on alpha, destroy on beta)",
    )
    assert call("reconcile").out == "nothing is in doubt, and nothing left over\n"


def test_each_step_stands_in_the_journal_before_it_is_taken(
    call: Call, migrator: Migrator, hosts: MemoryHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_paused(migrator, hosts)
    written: list[list[str | None]] = []
    mend = MemorySession.mend

    def mending(session: MemorySession, step: Mend, guest: GuestFacts) -> None:
        assert migrator.journal is not None
        phases = migrator.journal.record(1).phases
        written.append([each.text for each in phases if each.phase is Phase.MEND])
        mend(session, step, guest)

    monkeypatch.setattr(MemorySession, "mend", mending)

    assert call("reconcile", "--apply").status == ExitCode.DONE
    steps = ["resume web2 on alpha", "destroy web2 on beta"]
    assert written == [steps[:1], steps]
    assert "destroy web2 on beta" in call("history", "show", "1").out


def test_json_has_every_guest(call: Call, migrator: Migrator, hosts: MemoryHosts) -> None:
    leave_paused(migrator, hosts)
    leave_paused(migrator, hosts, "web1")

    status, out, _ = call("reconcile", "--json")

    told = json.loads(out)
    assert (told["schema"], told["exit_code"]) == ("migrate-plugins/reconcile/1", status)
    assert [(each["id"], each["guest"], each["state"]) for each in told["guests"]] == [
        (2, "web1", "switchover-stuck"),
        (1, "web2", "switchover-stuck"),
    ]


def test_worst_guest_decides_the_status(call: Call, migrator: Migrator, hosts: MemoryHosts) -> None:
    leave_paused(migrator, hosts)
    leave_paused(migrator, hosts, "web1")
    for host in ("alpha", "beta"):
        guest = hosts[host].active["web1"]
        hosts[host].active["web1"] = guest._replace(state=GuestState.RUNNING)

    status, out, _ = call("reconcile", "--apply")

    assert status == ExitCode.NEEDS_PERSON
    assert "  running-on-both\n    web1 runs on both hosts, alpha and beta\n" in out
    assert "  rolled-back\n    web2 runs on alpha\n" in out


def test_last_record_of_a_guest_closes_the_older_ones(
    call: Call, migrator: Migrator, hosts: MemoryHosts
) -> None:
    leave_paused(migrator, hosts)
    uuid = hosts["alpha"].active["web2"].uuid
    hosts["alpha"].active["web2"] = MemoryGuest(uuid, 1024, GuestState.RUNNING)
    del hosts["beta"].active["web2"]
    leave_paused(migrator, hosts)

    status, out, _ = call("reconcile", "--apply")

    assert status == ExitCode.DONE
    assert out.startswith("web2 (record 2)")
    assert "record 1" not in out
    mended = "web2 runs on alpha (after resume on alpha, destroy on beta)"
    assert verdict(migrator, 2) == (Verdict.FAILED, mended)
    assert verdict(migrator, 1) == (
        Verdict.UNKNOWN,
        f"not found out by itself; record 2, of later, tells: {mended}",
    )
    assert call("reconcile").out == "nothing is in doubt, and nothing left over\n"


def test_what_was_left_over_is_put_right_once_the_guest_is_off(
    call: Call, migrator: Migrator, hosts: MemoryHosts
) -> None:
    hosts.fault("beta", "leftover")
    status, out, _ = call(
        "migrate", "web1", DESTINATION, "-c", SOURCE, "--persistent", "--progress=none"
    )
    left = "simulated: the migration left something here"
    told = f"on beta: {left}; it stays until it is shut off"

    assert status == ExitCode.DONE
    assert f"  left over {told}\n  then: migrate-plugins reconcile --id 1 --apply\n" in out
    assert f"left over {told}\n" in call("history", "show", "1").out
    waiting = call("reconcile", "--apply")
    assert waiting.status == ExitCode.DONE
    assert f"  work-pending\n    web1 moved (alpha: shutoff; beta: running); on beta {left}\n" in (
        waiting.out
    )
    del hosts["beta"].active["web1"]
    assert call("reconcile").status == ExitCode.FAILED
    assert "tidy on beta: done\n  finished\n" in call("reconcile", "--apply").out
    assert call("reconcile").out == "nothing is in doubt, and nothing left over\n"
    assert verdict(migrator, 1)[0] is Verdict.DONE
    assert not hosts["beta"].leftovers


def test_process_that_lives_is_named_with_what_interrupts_it(
    call: Call, migrator: Migrator
) -> None:
    assert migrator.journal is not None
    wanted = plan(migrator)
    report = migrator.check(wanted)
    writer = migrator.journal.begin(wanted)
    writer.plan(report.plan, report.facts)
    writer.phase(Phase.PREPARE, None, 0.1)

    status, out, _ = call("reconcile")

    writer.close()
    assert status == ExitCode.FAILED
    assert f"    process {os.getpid()} on " in out
    assert out.endswith(
        f"  next: migrate-plugins reconcile --id 1 --watch\n  next: kill -INT {os.getpid()}\n"
    )


def test_guest_without_a_record_needs_both_hosts(call: Call) -> None:
    assert call("reconcile", "web1") == (
        ExitCode.USAGE,
        "",
        (
            "the journal has no migration of web1; give both hosts: `migrate-plugins reconcile web1"
            " DEST-URI -c SRC-URI`, with the options that it was asked for with\n"
        ),
    )


def test_guest_without_a_record_is_looked_for_on_both_hosts(call: Call) -> None:
    status, out, err = call("reconcile", "web2", DESTINATION, "-c", SOURCE)

    assert (status, err) == (ExitCode.DONE, "")
    assert out == (
        "web2 (no record): native-direct from alpha to beta\n"
        "  source alpha: running (booted), transient\n"
        "  destination beta: no such guest\n"
        "  rolled-back (as far as known)\n"
        "    web2 runs on alpha\n"
    )


def test_step_without_a_record_is_taken_by_the_same_command(call: Call, hosts: MemoryHosts) -> None:
    guest = hosts["alpha"].active["web2"]
    hosts["alpha"].active["web2"] = guest._replace(state=GuestState.PAUSED, reason="migration")

    status, out, _ = call("reconcile", "web2", DESTINATION, "-c", SOURCE)

    assert status == ExitCode.FAILED
    assert out.endswith("  next: this command again, with --apply\n")


def test_settled_migration_is_looked_at_again(
    call: Call, migrator: Migrator, hosts: MemoryHosts
) -> None:
    outcome = migrator.run(plan(migrator))
    assert outcome.verdict is Verdict.DONE
    guest = hosts["beta"].active["web2"]
    hosts["alpha"].active["web2"] = guest._replace(state=GuestState.PAUSED, reason="migration")

    status, out, _ = call("reconcile", "web2", "--apply")

    assert status == ExitCode.DONE
    assert "  destroy on alpha: done\n  finished\n" in out


def test_destination_is_opened_as_somebody_says(
    call: Call, migrator: Migrator, hosts: MemoryHosts
) -> None:
    wanted = plan(migrator, destination=None, migration="memmigr://beta/", direct=True)
    hosts.fault("beta", "lost")
    outcome = migrator.run(wanted)
    assert outcome.verdict is Verdict.UNKNOWN
    hosts.heal()

    unseen = call("reconcile", "--json")
    seen = call("reconcile", "--destination", DESTINATION)

    assert unseen.status == ExitCode.CONNECT
    (guest,) = json.loads(unseen.out)["guests"]
    assert guest["destination"]["unreadable"].endswith(
        "; give one with --destination, or name the host in config.toml"
    )
    assert seen.status == ExitCode.NEEDS_PERSON
    assert "  lost\n" in seen.out


def test_record_is_closed_by_a_person(call: Call, migrator: Migrator, hosts: MemoryHosts) -> None:
    leave_paused(migrator, hosts)

    closed = call("reconcile", "--id", "1", "--close", "removed on purpose")
    again = call("reconcile", "--id", "1", "--close", "removed on purpose")

    assert closed == (ExitCode.DONE, "record 1 is closed\n", "")
    assert verdict(migrator, 1) == (Verdict.PAUSED, "removed on purpose")
    assert (again.status, again.err) == (
        ExitCode.USAGE,
        "record 1 is not in doubt: removed on purpose\n",
    )


# fmt: off
WRONG = [
    # argv, what is wrong
    (["--close", "gone"], "--close takes a text, and with --id the number of the record"),
    (["--id", "1", "--close", " "], "--close takes a text, and with --id the number of the record"),
    (["--id", "7", "web1"], "--id 7 says which guest; leave web1 out"),
    (["--id", "7", "-c", SOURCE], "--id 7 says which hosts; leave the URIs out"),
    (["-c", SOURCE], "without a record give one guest with its hosts: GUEST DEST-URI [URI]"),
    (["--patience", "soon"], (
        "migrate-plugins reconcile: argument --patience: 'soon' is no number of seconds up to 3600;"
        " `migrate-plugins reconcile --help` tells what it takes")),
    (["--id", "7"], "the journal {place} has no record 7; it has none"),
]
# fmt: on


@pytest.mark.parametrize(("argv", "problem"), WRONG)
def test_wrong_call_is_refused(
    call: Call, migrator: Migrator, argv: list[str], problem: str
) -> None:
    said = call("reconcile", *argv)

    assert migrator.journal is not None
    wanted = problem.format(place=migrator.journal.place)
    assert (said.status, said.out, said.err) == (ExitCode.USAGE, "", f"{wanted}\n")


def test_journal_that_cannot_be_told_does_not_change_the_status(
    call: Call, migrator: Migrator, hosts: MemoryHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_paused(migrator, hosts)

    def refuse(*_: object, **__: object) -> None:
        raise JournalError("j.sqlite", doing="written", problem="disk full", instead="make room")

    monkeypatch.setattr(Journal, "settle", refuse)

    status, out, err = call("reconcile", "--apply")

    assert status == ExitCode.DONE
    assert "  rolled-back\n" in out
    assert err == "not recorded: the journal j.sqlite cannot be written: disk full; make room\n"


def test_driver_that_is_gone_is_named(
    migrator: Migrator, hosts: MemoryHosts, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_paused(migrator, hosts)
    without = Migrator([], journal=migrator.journal)
    monkeypatch.setattr(Migrator, "installed", staticmethod(lambda *_, **__: without))

    said = call("reconcile")

    assert (said.status, said.err) == (
        ExitCode.PLUGIN,
        "'memory' was asked for and is not there: it moved web2, and is needed to look for it\n",
    )


def test_interrupted_while_it_follows(
    migrator: Migrator, hosts: MemoryHosts, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_paused(migrator, hosts)

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Migrator, "reconcile", interrupt)

    assert call("reconcile", "--watch") == (
        ExitCode.FAILED,
        "",
        "left: what is under way goes on, and a step that was begun may be taken\n",
    )
