"""Moves that are cancelled, take too long, or fail: the guest is where both clients say it is."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from pyVmomi import vim

from migrate_plugins import DriverError, ExitCode, Outcome, Run, Verdict

if TYPE_CHECKING:
    from vsphere.arena import Arena

    from migrate_plugins import Event, Migrator


def start(migrator: Migrator, arena: Arena, *options: str) -> tuple[Run, list[Event]]:
    events: list[Event] = []
    plan = migrator.plan(
        arena.guest, arena.uri(arena.source), arena.uri(arena.far), live=True, options=options
    )
    return migrator.start(plan, observers=[events.append]), events


def run(migrator: Migrator, arena: Arena, *options: str) -> Outcome:
    return start(migrator, arena, *options)[0].outcome()


def test_cancelled_move_leaves_the_guest_on_the_source(migrator: Migrator, arena: Arena) -> None:
    arena.asks(seconds=30)
    migration, _ = start(migrator, arena)
    arena.until(lambda: arena.progress() >= 0)

    migration.cancel()

    outcome = migration.outcome()
    assert outcome.verdict is Verdict.CANCELLED
    assert "RequestCanceled: the task was cancelled by a user" in str(outcome.error)
    assert arena.only(arena.source)
    (task,) = arena.moves()
    assert (task.state, task.cancelled) == ("error", True)


def test_move_is_cancelled_although_its_call_was_not_answered_yet(
    migrator: Migrator, arena: Arena
) -> None:
    arena.asks(seconds=30, delay=1.5)
    migration, events = start(migrator, arena)
    arena.until(lambda: arena.progress() >= 0)

    migration.cancel()

    outcome = migration.outcome()
    assert outcome.verdict is Verdict.CANCELLED
    told = [event.text or "" for event in events if event.phase == "cancel"]
    assert "the vCenter has not answered yet that it is begun" in told[0]
    assert arena.only(arena.source)


def test_interrupted_command_cancels_the_move(arena: Arena) -> None:
    arena.asks(seconds=30)
    command = [sys.executable, "-m", "migrate_plugins", "migrate", arena.guest]
    command += [arena.uri(arena.far), "-c", arena.uri(arena.source), "--live"]
    process = subprocess.Popen(
        [*command, "--progress", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        arena.until(lambda: arena.progress() >= 0 or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()

    assert process.returncode == ExitCode.CANCELLED, err
    *events, last = map(json.loads, out.splitlines())
    assert last["verdict"] == "cancelled"
    told = [event["statistics"] for event in events if event.get("statistics")]
    assert any(each["percent"] is not None for each in told)
    assert arena.only(arena.source)


def test_move_that_takes_too_long_is_cancelled(migrator: Migrator, arena: Arena) -> None:
    arena.asks(seconds=30)

    outcome = run(migrator, arena, "timeout=1")

    assert outcome.verdict is Verdict.FAILED
    assert isinstance(outcome.error, DriverError)
    assert outcome.error.problem == (
        "it was not done after 1 s, and so was cancelled, as asked for"
    )
    assert 1 < outcome.elapsed < 10
    assert arena.only(arena.source)


def test_move_that_is_in_time_is_not_cancelled(migrator: Migrator, arena: Arena) -> None:
    arena.asks(seconds=0.5)

    assert run(migrator, arena, "timeout=20").verdict is Verdict.DONE

    assert arena.only(arena.far)


def test_refused_cancellation_is_told_and_the_end_waited_for(
    migrator: Migrator, arena: Arena
) -> None:
    arena.asks(seconds=2, cancel="refused")
    migration, events = start(migrator, arena)
    arena.until(lambda: arena.progress() >= 0)

    migration.cancel()

    outcome = migration.outcome()
    assert outcome.verdict is Verdict.DONE
    told = [event.text for event in events if event.phase == "cancel"]
    action = f"cancelling the move of {arena.guest}"
    assert f"{action} failed: vmodl.fault.NotSupported" in told
    assert arena.only(arena.far)


def test_cancellation_that_comes_too_late_changes_nothing(migrator: Migrator, arena: Arena) -> None:
    arena.asks(seconds=1.5, cancel="ignored")
    migration, _ = start(migrator, arena)
    arena.until(lambda: arena.progress() >= 0)

    migration.cancel()

    outcome = migration.outcome()
    assert (outcome.verdict, outcome.error) == (Verdict.DONE, None)
    assert arena.only(arena.far)


# fmt: off
FAULTS = [
    # per cent, fault,               message,              what is told
    (0,  "NotEnoughCpus",            "too few CPUs there", "vim.fault.NotEnoughCpus: too few CPUs"),
    (50, "MigrationFault",           "the network broke",  "vim.fault.MigrationFault: the network"),
    (95, "SnapshotCopyNotSupported", "",                   "vim.fault.SnapshotCopyNotSupported"),
    (50, "Timedout",                 "it took 100 s",      "vim.fault.Timedout: it took 100 s"),
]
# fmt: on


@pytest.mark.parametrize(("percent", "fault", "message", "told"), FAULTS)
def test_fault_on_the_way_leaves_the_guest_on_the_source(
    migrator: Migrator, arena: Arena, percent: int, fault: str, message: str, told: str
) -> None:
    arena.asks(seconds=1, fault=fault, failat=percent, message=message)

    outcome = run(migrator, arena)

    assert outcome.verdict is Verdict.FAILED
    assert isinstance(outcome.error, DriverError)
    assert outcome.error.problem.startswith(told)
    assert outcome.diagnoses
    assert arena.only(arena.source)
    with pytest.raises(Exception, match=r"the migration failed: .* is still on DC0_C0_H"):
        outcome.raise_for_failure()


def test_fault_after_the_guest_has_moved_is_told(migrator: Migrator, arena: Arena) -> None:
    arena.asks(fault="MigrationFault", failat=100, message="the source was not cleaned up")

    outcome = run(migrator, arena)

    assert outcome.verdict is Verdict.DONE
    assert "the source was not cleaned up" in outcome.differences[0]
    assert arena.only(arena.far)


def test_guest_that_is_being_moved_is_not_moved_twice(migrator: Migrator, arena: Arena) -> None:
    arena.asks(seconds=1.5)
    spec = vim.vm.RelocateSpec(host=arena.neighbour)
    other = arena.vm.RelocateVM_Task(spec)

    with pytest.raises(Exception) as caught:  # noqa: PT011 - a check may refuse it, or we
        run(migrator, arena).raise_for_failure()

    assert arena.guest in str(caught.value)
    arena.done(other)
    assert arena.only(arena.neighbour)
    assert len(arena.moves()) == 1
