"""What is asked of whoever sits at the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pexpect
import pytest

from migrate_plugins.cli.prompt import Prompt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Seconds for a process to start, and to answer.
BOUND = 20.0

# A program at a terminal that asks twice for one thing, and once for another.
ASKS = """
from threading import Thread
from migrate_plugins.cli.prompt import Prompt
prompt, said = Prompt(), []
def ask(): said.append(prompt("password of root at vc1", secret=True))
threads = [Thread(target=ask) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
said.append(prompt("user at vc2", secret=False))
print("said", said)
"""

# One that is left while it waits for an answer.
LEAVES = """
import os, threading, time
from migrate_plugins.cli.prompt import Prompt
prompt = Prompt()
threading.Thread(target=prompt, args=["password"], kwargs={"secret": True}, daemon=True).start()
time.sleep(1)
prompt.close()
os.system("stty -a")
os._exit(0)
"""


@pytest.fixture
def terminal(request: pytest.FixtureRequest) -> Iterator[pexpect.spawn[str]]:
    """A program at a terminal of its own."""
    child = pexpect.spawn(
        sys.executable, ["-c", request.param], timeout=BOUND, encoding="utf-8", echo=True
    )
    yield child
    child.close(force=True)


@pytest.mark.parametrize("terminal", [ASKS], indirect=True)
def test_one_question_is_put_once_and_a_secret_is_not_shown(terminal: pexpect.spawn[str]) -> None:
    terminal.expect_exact("password of root at vc1: ")
    terminal.waitnoecho(BOUND)
    assert not terminal.getecho()
    terminal.sendline("hunter2")
    terminal.expect_exact("user at vc2: ")
    between = terminal.before
    assert terminal.getecho()
    terminal.sendline("admin")
    terminal.expect_exact("said ['hunter2', 'hunter2', 'admin']")

    assert between is not None
    assert between.strip() == ""


@pytest.mark.parametrize("terminal", [LEAVES], indirect=True)
def test_terminal_that_is_left_shows_again_what_is_typed(terminal: pexpect.spawn[str]) -> None:
    terminal.expect_exact("password: ")
    terminal.expect_exact(" echo ")


def test_nobody_answers_where_there_is_no_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    with empty.open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(EOFError):
            Prompt()("user", secret=False)
