"""Sessions, connections and processes that break in the middle of a move: it is asked for once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from pyVmomi import SoapStubAdapter, vim

from migrate_plugins import (
    DriverError,
    EntryPoint,
    ExitCode,
    Migrator,
    Outcome,
    Run,
    Verdict,
    runner,
)
from migrate_plugins.installed import DRIVERS
from migrate_plugins.transfer import PATIENCE
from migrate_plugins_vmware import relocation
from migrate_plugins_vmware.hooks import VMware
from migrate_plugins_vmware.vcenter import VCenters

if TYPE_CHECKING:
    from pathlib import Path

    from vsphere.arena import Arena


@pytest.fixture
def impatient() -> Migrator:
    """A driver whose calls may take two seconds alone."""
    driver = VMware()
    driver._vcenters = VCenters(timeout=2)
    point = EntryPoint(DRIVERS, "vmware", "tests", "migrate-plugins-vmware", "0.1.0", "tests")
    return Migrator([(point, driver)])


def start(migrator: Migrator, arena: Arena) -> Run:
    plan = migrator.plan(arena.guest, arena.uri(arena.source), arena.uri(arena.far), live=True)
    return migrator.start(plan)


def run(migrator: Migrator, arena: Arena) -> Outcome:
    return start(migrator, arena).outcome()


def moved(outcome: Outcome, arena: Arena) -> bool:
    assert (outcome.verdict, outcome.error) == (Verdict.DONE, None), outcome.error
    assert outcome.differences == ()
    assert len(arena.moves()) == 1
    return arena.only(arena.far)


def test_session_that_is_ended_is_replaced_to_watch_on(migrator: Migrator, arena: Arena) -> None:
    arena.asks(seconds=2)
    migration = start(migrator, arena)
    arena.until(lambda: arena.progress() >= 20)
    (before,) = arena.sessions()

    assert arena.kill_sessions() == 1

    arena.until(lambda: arena.sessions() not in ([], [before]))
    assert len(arena.sessions()) == 1
    assert moved(migration.outcome(), arena)


def test_move_whose_session_was_ended_can_be_cancelled(migrator: Migrator, arena: Arena) -> None:
    arena.asks(seconds=30)
    migration = start(migrator, arena)
    arena.until(lambda: arena.progress() >= 0)
    arena.kill_sessions()

    migration.cancel()

    assert migration.outcome().verdict is Verdict.CANCELLED
    assert arena.only(arena.source)


def test_password_that_is_refused_is_not_tried_again_and_again(
    migrator: Migrator, arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would lock the user out; the move goes on, and where the guest is cannot be known."""
    arena.asks(seconds=4)
    migration = start(migrator, arena)
    arena.until(lambda: arena.progress() >= 0)
    logins: list[float] = []

    def refused(*_arguments: object) -> None:
        logins.append(time.monotonic())
        raise vim.fault.InvalidLogin

    monkeypatch.setattr(vim.SessionManager, "Login", refused)
    arena.kill_sessions()

    outcome = migration.outcome()

    assert outcome.verdict is Verdict.UNKNOWN
    assert outcome.exit_code is ExitCode.NEEDS_PERSON
    assert "InvalidLogin" in str(outcome.error)
    assert len(logins) <= 3  # to watch on, and once for each host to read the guest
    arena.until(lambda: arena.where() == arena.far.name)


def test_call_that_is_answered_late_is_found_again(impatient: Migrator, arena: Arena) -> None:
    """The client's time is up, and the vCenter moves the guest all the same."""
    arena.asks(delay=4, seconds=3)

    outcome = run(impatient, arena)

    assert moved(outcome, arena)
    assert outcome.statistics is not None
    assert outcome.statistics.percent == 100


def test_call_that_is_taken_up_late_is_found_again(
    impatient: Migrator, arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vCenter stands still as the call comes, and begins when nobody waits any more."""
    arena.asks(seconds=0.5)
    invoke: Any = SoapStubAdapter.InvokeMethod
    made: list[float] = []

    def freezing(stub: Any, mo: Any, info: Any, *arguments: Any) -> Any:
        if info.wsdlName == "RelocateVM_Task":
            made.append(time.monotonic())
            os.kill(arena.endpoint.pid, signal.SIGSTOP)
            threading.Timer(4, os.kill, (arena.endpoint.pid, signal.SIGCONT)).start()
        return invoke(stub, mo, info, *arguments)

    monkeypatch.setattr(SoapStubAdapter, "InvokeMethod", freezing)

    outcome = run(impatient, arena)

    assert moved(outcome, arena)
    assert outcome.elapsed > 4
    assert len(made) == 1


def test_call_whose_move_is_over_before_the_answer_is_found_again(
    impatient: Migrator, arena: Arena
) -> None:
    arena.asks(delay=3, seconds=0.1)

    assert moved(run(impatient, arena), arena)


def test_dropped_connection_is_no_end_of_the_move(migrator: Migrator, arena: Arena) -> None:
    arena.asks(drop=1, seconds=1)

    assert moved(run(migrator, arena), arena)


def test_fault_of_an_unanswered_call_is_told(migrator: Migrator, arena: Arena) -> None:
    arena.asks(drop=1, seconds=1, fault="MigrationFault", failat=50, message="it broke")

    outcome = run(migrator, arena)

    assert outcome.verdict is Verdict.FAILED
    assert "vim.fault.MigrationFault: it broke" in str(outcome.error)
    assert arena.only(arena.source)
    assert len(arena.moves()) == 1


def test_call_that_never_arrives_is_not_made_again(
    migrator: Migrator, arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    def lost(*arguments: object) -> None:
        made.append(arguments)
        raise TimeoutError("timed out")

    monkeypatch.setattr(vim.VirtualMachine, "RelocateVM_Task", lost)
    monkeypatch.setattr(relocation, "_PATIENCE", 1.0)

    outcome = run(migrator, arena)

    assert outcome.verdict is Verdict.FAILED
    assert isinstance(outcome.error, DriverError)
    assert outcome.error.problem == (
        "the vCenter did not answer the call (TimeoutError: timed out), and no task of it was seen"
        f" within 1 s: {arena.guest} is on {arena.source.name}, and not on DC0_C1_H0; it may still"
        " begin: look at the vCenter's tasks before trying again"
    )
    assert len(made) == 1
    assert arena.moves() == []
    assert arena.only(arena.source)


def test_vcenter_that_stands_still_for_a_while_is_waited_for(
    impatient: Migrator, arena: Arena
) -> None:
    arena.asks(seconds=3)
    migration = start(impatient, arena)
    arena.until(lambda: arena.progress() >= 0)

    os.kill(arena.endpoint.pid, signal.SIGSTOP)
    time.sleep(4)
    os.kill(arena.endpoint.pid, signal.SIGCONT)

    assert moved(migration.outcome(), arena)


def test_vcenter_that_goes_away_leaves_the_verdict_to_a_person(
    impatient: Migrator, arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "PATIENCE", PATIENCE._replace(silence=2.0))
    arena.asks(seconds=30)
    migration = start(impatient, arena)
    arena.until(lambda: arena.progress() >= 0)

    os.kill(arena.endpoint.pid, signal.SIGKILL)

    outcome = migration.outcome()
    assert outcome.verdict is Verdict.UNKNOWN
    assert outcome.source_unreadable is not None
    assert outcome.unreadable is not None
    assert outcome.exit_code is ExitCode.NEEDS_PERSON


# --- the tool is killed --------------------------------------------------------------------------


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "migrate_plugins", *words]


def killed(arena: Arena) -> None:
    """Begin a move with the tool, and kill that in the middle."""
    words = ["migrate", arena.guest, arena.uri(arena.far), "-c", arena.uri(arena.source), "--live"]
    process = subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        arena.until(lambda: arena.progress() >= 0 or process.poll() is not None)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL


def reconcile(*words: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        command("reconcile", "--json", *words),
        capture_output=True,
        text=True,
        check=False,
        timeout=40,
    )
    assert done.stdout, done.stderr
    (guest,) = json.loads(done.stdout)["guests"]
    return done.returncode, guest


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


@pytest.mark.usefixtures("journal")
def test_killed_tool_leaves_a_move_that_is_adopted(arena: Arena) -> None:
    arena.asks(seconds=5)
    killed(arena)

    status, seen = reconcile(arena.guest)
    assert (status, seen["state"]) == (ExitCode.FAILED, "in-progress")
    assert "can be watched, and cancelled" in seen["why"]

    status, seen = reconcile(arena.guest, "--watch")

    assert (status, seen["state"]) == (ExitCode.DONE, "finished")
    assert arena.only(arena.far)
    assert len(arena.moves()) == 1


@pytest.mark.usefixtures("journal")
def test_move_of_a_killed_tool_is_cancelled(arena: Arena) -> None:
    arena.asks(seconds=30)
    killed(arena)

    status, seen = reconcile(arena.guest, "--cancel")

    assert seen["state"] == "rolled-back"
    assert status == ExitCode.DONE
    assert arena.only(arena.source)
    assert [task.cancelled for task in arena.moves()] == [True]
