"""Scripts are run by a real shell on this machine, and a job outlives whoever started it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate_plugins_vbox.places import Place
from migrate_plugins_vbox.runner import Answer, LocalRunner, SSHRunner, open_runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = LocalRunner()
ECHO = 'read -r word; echo "said $word"; echo told >&2; exit 3'

# A client of its own that starts a job, says so and waits.
CLIENT = """
import sys, time
from migrate_plugins_vbox.runner import LocalRunner

job = LocalRunner().start(sys.argv[1], input="secret\\n")
print("started", flush=True)
time.sleep(60)
"""


def until(true: Callable[[], object], seconds: float = 10) -> None:
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.02)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where jobs keep what they write; nothing may be left there."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_script_is_run_with_its_input() -> None:
    assert HERE.run(ECHO, input="word\n") == Answer(3, "said word\n", "told\n")


@settings(max_examples=25)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0")))
def test_any_input_arrives_as_it_is(text: str) -> None:
    assert HERE.run("cat", input=text) == Answer(0, text, "")


def test_what_does_not_end_is_ended(tmp_path: Path) -> None:
    begun = time.monotonic()
    told = tmp_path / "told"

    answer = HERE.run(f"sleep 2; echo >{told}", seconds=0.3)

    assert answer == Answer(None, "", "no answer within 0.3 s")
    assert time.monotonic() - begun < 1.8
    time.sleep(2)
    assert not told.exists()


def test_a_job_is_run_with_its_input(folder: Path) -> None:
    job = HERE.start(ECHO, input="word\n")

    assert job.wait(5) == Answer(3, "said word\n", "told\n")
    assert job.poll() == job.wait(0)
    assert [*folder.iterdir()] == []


def test_a_job_is_looked_at_while_it_runs(folder: Path) -> None:
    job = HERE.start("sleep 1; echo done")

    early = job.poll()
    until(lambda: job.poll() is not None)

    assert early is None
    assert job.poll() == Answer(0, "done\n", "")
    assert [*folder.iterdir()] == []


def test_a_job_that_says_much_is_only_looked_at_and_ends(folder: Path) -> None:
    job = HERE.start("head -c 300000 /dev/zero | tr '\\0' x; head -c 200000 /dev/zero >&2")

    until(lambda: job.poll() is not None)

    assert job.poll() == Answer(0, "x" * 300_000, "\0" * 200_000)
    assert [*folder.iterdir()] == []


def test_a_job_is_interrupted_as_the_program_itself(folder: Path) -> None:
    job = HERE.start(f"exec {shlex.quote(sys.executable)} -c 'import time; time.sleep(20)'")
    time.sleep(0.3)

    threading.Timer(0.2, job.interrupt).start()
    begun = time.monotonic()
    answer = job.wait(10)

    # While it is waited for by another.
    assert time.monotonic() - begun < 5
    assert answer is not None
    assert answer.status not in {0, None}
    assert [*folder.iterdir()] == []


def test_a_job_that_is_abandoned_goes_on_and_leaves_nothing(folder: Path) -> None:
    told = folder / "told"
    job = HERE.start(f"sleep 1; echo done >{told}")

    job.abandon()

    assert not told.exists()
    assert job.poll() == Answer(None, "", "nobody listens to it any more")
    until(told.exists)
    until(lambda: [*folder.iterdir()] == [told])


def test_a_job_that_is_abandoned_while_another_waits_lets_go(folder: Path) -> None:
    job = HERE.start("sleep 3")

    threading.Timer(0.2, job.abandon).start()
    begun = time.monotonic()
    answer = job.wait(10)

    assert time.monotonic() - begun < 2.5
    assert answer is not None
    assert answer.status is None
    until(lambda: [*folder.iterdir()] == [])


def test_a_job_goes_on_where_its_client_is_killed(folder: Path) -> None:
    told = folder / "told"
    script = f"read word; sleep 1.5; echo out; echo $word >{told}"
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, script], stdout=subprocess.PIPE, text=True
    )
    with client:
        assert client.stdout is not None
        assert client.stdout.readline() == "started\n"
        client.kill()

    assert not told.exists()
    until(told.exists)
    assert told.read_text() == "secret\n"
    until(lambda: [*folder.iterdir()] == [told])


def test_what_a_job_keeps_nobody_else_can_read(folder: Path) -> None:
    job = HERE.start("umask 022; sleep 0.5; echo done")
    (kept,) = folder.iterdir()

    assert kept.stat().st_mode & 0o077 == 0
    assert job.wait(5) == Answer(0, "done\n", "")


def test_a_job_that_cannot_begin_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "missing"))
    answer = HERE.start("echo done").wait(5)

    assert answer is not None
    assert answer.status == 125
    assert "missing" in answer.error


def test_a_place_decides_how_scripts_are_run() -> None:
    assert isinstance(open_runner(Place.parse("vbox:///session")), LocalRunner)
    assert isinstance(open_runner(Place.parse("vbox+ssh://h/session")), SSHRunner)


def test_an_ssh_that_is_not_there_is_told() -> None:
    runner = SSHRunner(["/nothing/ssh"], "h")

    answer = runner.run("echo")

    assert answer == Answer(None, "", "/nothing/ssh: No such file or directory", broken=True)
    assert runner.start("echo").poll() == answer


def test_after_its_end_no_connection_is_opened(tmp_path: Path) -> None:
    told = tmp_path / "told"
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\necho >{told}\nexit 255\n")
    ssh.chmod(0o700)
    runner = SSHRunner([str(ssh)], "h")
    runner.close()
    runner.close()

    answer = runner.run("echo")

    assert (answer.status, answer.error) == (None, "the session with it was closed")
    assert not told.exists()


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A folder whose path is short enough for a socket's."""
    with TemporaryDirectory(dir="/tmp") as path:
        yield Path(path)


def test_the_folder_of_the_sockets_is_only_ours(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A stand-in for ssh that shows with what it was called, and is never connected.
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >&2\nexit 255\n')
    ssh.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))

    words = SSHRunner([str(ssh)], "h").run("echo").error.split("\n")

    socket = Path(words[words.index("-S") + 1])
    assert socket.parent == runtime / "migrate-plugins-vbox"
    assert socket.parent.stat().st_mode & 0o777 == 0o700
    assert "BatchMode=yes" in words
    assert not any("StrictHostKeyChecking" in word for word in words)
    assert [*socket.parent.iterdir()] == []


def test_a_long_path_of_a_socket_is_avoided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >&2\nexit 255\n')
    ssh.chmod(0o700)
    runtime = tmp_path / ("long" * 30)
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))

    words = SSHRunner([str(ssh)], "h").run("echo").error.split("\n")

    assert len(os.fsencode(words[words.index("-S") + 1])) <= 90
    assert [*runtime.iterdir()] == []
