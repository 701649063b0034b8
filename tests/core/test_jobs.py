"""What is started on a host goes on there, and is told apart from what was never started."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import Answer, Shell

if TYPE_CHECKING:
    from migrate_plugins import Job

HERE = Shell(("sh", "-c"), "this machine")
ABSENT = Answer(None, "", "it was not started, or the host has forgotten it")

# fmt: off
ENDS = [
    # program                                     answer
    (["echo", "a b", "$HOME;'\""],                Answer(0, "a b $HOME;'\"\n", "")),
    (["sh", "-c", "echo no >&2; exit 3"],         Answer(3, "", "no\n")),
    (["sh", "-c", "echo $LC_ALL"],                Answer(0, "C.UTF-8\n", "")),
    (["cat"],                                     Answer(0, "", "")),
    (["sh", "-c", "sleep 0.5; echo late"],        Answer(0, "late\n", "")),
    (["sh", "-c", "kill -KILL $$"],               Answer(137, "", "")),
]
# fmt: on


def broken_way(folder: Path, pattern: str) -> Shell:
    """A way that runs what does not match *pattern*, and breaks at the first that does."""
    script = f'case "$1" in *{pattern}*) mkdir {folder}/broke 2>/dev/null && exit 255 ;; esac\n'
    return Shell(("sh", "-c", f'{script}exec sh -c "$1"', "sh"), "a test")


def folder_of(job: Job) -> Path:
    return Path(job._folder)


@pytest.mark.parametrize(("argv", "answer"), ENDS)
def test_its_end_is_told_and_nothing_is_left(argv: list[str], answer: Answer) -> None:
    job = HERE.start(argv)

    said = job.wait(10)

    assert said is not None
    assert said._replace(error=re.sub("^Killed\n", "", said.error)) == answer
    assert job.wait(0) == said
    assert not folder_of(job).exists()


def test_it_runs_while_nobody_knows_its_end() -> None:
    job = HERE.start(["sleep", "60"])

    assert job.wait(0.3) is None
    assert job.interrupt()
    said = job.wait(10)

    assert said is not None
    assert said.status == 130


def test_interrupt_reaches_the_program_itself() -> None:
    job = HERE.start(["sh", "-c", "trap 'echo stopped; exit 7' INT; while :; do sleep 0.1; done"])
    assert job.wait(0.5) is None

    assert job.interrupt()

    assert job.wait(10) == Answer(7, "stopped\n", "")


def test_abandoned_it_goes_on_and_cleans_up_at_its_end(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    job = HERE.start(["sh", "-c", f"sleep 0.5; echo done >{proof}"])

    job.abandon()

    assert job.wait(0) == Answer(None, "", "nobody listens to it any more")
    give_up = time.monotonic() + 10
    while folder_of(job).exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    assert proof.read_text() == "done\n"
    assert not folder_of(job).exists()


def test_way_that_breaks_while_it_runs_loses_nothing(tmp_path: Path) -> None:
    job = broken_way(tmp_path, "absent").start(["echo", "there"])

    assert job.wait(10) == Answer(0, "there\n", "")
    assert (tmp_path / "broke").exists()


def test_what_was_not_started_can_never_start_later(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    job = broken_way(tmp_path, "setsid").start(["touch", str(proof)])

    assert job.wait(10) == ABSENT
    late = HERE.run(["mkdir", str(folder_of(job))])

    assert late.status != 0
    assert not proof.exists()
    folder_of(job).rmdir()


def test_way_that_does_not_exist_is_told() -> None:
    said = Shell(("/nowhere/ssh",), "a test").start(["true"]).wait(0.3)

    assert said is None
