"""Ctrl-C, SIGTERM and a closed terminal, with a process of its own: hosts in memory."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
from itertools import product
from time import monotonic, sleep
from typing import TYPE_CHECKING, NamedTuple

import pytest

from migrate_plugins import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGNALS = (signal.SIGINT, signal.SIGTERM)
LEFT = """\
left while web1 was being migrated: where it is was not waited for; this tells:
    migrate-plugins reconcile web1
"""
MIGRATE = (sys.executable, "-m", "migrate_plugins", "--driver", "memory", "migrate", "web1")
# Makes the terminal that it has the one that its processes hear the end of.
LOGIN = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
# Two presses, not one that is passed on.
PAUSE = 0.5


@pytest.fixture(autouse=True)
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal of each test's own: what is in doubt for one is not for another."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


class Started(NamedTuple):
    """A migration that is under way in a process of its own."""

    process: subprocess.Popen[str]

    def end(self) -> tuple[int, dict[str, object], str]:
        """Its status, the last line of its output, and its errors."""
        out, err = self.process.communicate(timeout=30)
        lines = out.splitlines()
        return self.process.returncode, json.loads(lines[-1]) if lines else {}, err


def start(fault: str) -> Started:
    """Start a migration that hangs, and wait until memory is sent."""
    process = subprocess.Popen(
        [
            *MIGRATE,
            *(f"memory://beta/?fault={fault}", "-c", "memory://alpha/", "--live"),
            *("--progress", "json"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["statistics"]:
            return Started(process)
    process.wait(10)
    pytest.fail(f"it ended too early: {process.stderr and process.stderr.read()}")


@pytest.fixture
def stubborn() -> Iterator[Started]:
    """A migration that hangs, under a hypervisor that does not stop it."""
    started = start("hang,cancel")
    yield started
    started.process.kill()
    started.process.communicate(timeout=10)


@pytest.mark.parametrize("number", [*SIGNALS, signal.SIGHUP])
def test_one_signal_cancels_and_reads_back(number: signal.Signals) -> None:
    started = start("hang")

    started.process.send_signal(number)

    status, outcome, err = started.end()
    assert (status, outcome["verdict"], err) == (ExitCode.CANCELLED, "cancelled", "")


@pytest.mark.parametrize(("first", "second"), [*product(SIGNALS, repeat=2)])
def test_second_signal_leaves_at_once_and_says_what_tells(
    stubborn: Started, first: signal.Signals, second: signal.Signals
) -> None:
    stubborn.process.send_signal(first)
    sleep(PAUSE)
    assert stubborn.process.poll() is None, "it did not wait for the end"
    began = monotonic()
    stubborn.process.send_signal(second)

    status, _, err = stubborn.end()

    assert monotonic() - began < 5
    assert (status, err) == (ExitCode.NEEDS_PERSON, LEFT)


@pytest.mark.parametrize("first", [*SIGNALS, signal.SIGHUP])
def test_terminal_that_is_closed_is_no_second_signal(
    stubborn: Started, first: signal.Signals
) -> None:
    stubborn.process.send_signal(first)
    sleep(PAUSE)
    stubborn.process.send_signal(signal.SIGHUP)

    with pytest.raises(subprocess.TimeoutExpired):
        stubborn.process.wait(1)


def test_migration_whose_terminal_is_closed_is_cancelled_and_recorded() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", LOGIN),
            *MIGRATE,
            *("memory://beta/?fault=hang", "-c", "memory://alpha/", "--live"),
        ],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while b"transfer" not in shown:
        assert select.select([ours], [], [], 20)[0], shown
        shown += os.read(ours, 4096)
    os.close(ours)

    status = process.wait(20)

    told = subprocess.run(
        [sys.executable, "-m", "migrate_plugins", "history", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    (record,) = json.loads(told.stdout)["records"]
    assert record["verdict"] == "cancelled"
    assert status == ExitCode.CANCELLED


def test_signal_that_is_passed_on_is_no_second_one(stubborn: Started) -> None:
    for _ in range(2):
        stubborn.process.send_signal(signal.SIGINT)
        sleep(0.05)

    with pytest.raises(subprocess.TimeoutExpired):
        stubborn.process.wait(1)


def test_record_that_was_left_is_in_doubt(stubborn: Started) -> None:
    for _ in range(2):
        stubborn.process.send_signal(signal.SIGINT)
        sleep(PAUSE)
    stubborn.end()

    # The hosts were in that process's memory: they are new, and the guest is where it was.
    done = subprocess.run(
        [sys.executable, "-m", "migrate_plugins", "--driver", "memory", "reconcile", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    (guest,) = json.loads(done.stdout)["guests"]
    assert (done.returncode, guest["guest"]) == (ExitCode.DONE, "web1")
    assert (guest["id"], guest["state"]) == (1, "rolled-back")
