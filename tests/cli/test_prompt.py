"""What is asked of whoever sits at the terminal."""

from __future__ import annotations

import os
import pty
import select
import sys
import termios
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds for a process to start, and to answer.
BOUND = 20.0

# A program at a terminal that is asked twice for one thing, and once for another.
ASKS = """
import sys
from threading import Thread
from migrate_plugins.cli.prompt import Prompt
prompt = Prompt()
def ask(): said.append(prompt("password of root at vc1", secret=True))
said = []
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


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, program: str) -> None:
        self.pid, self._end = pty.fork()
        if self.pid == 0:
            os.execv(sys.executable, [sys.executable, "-c", program])  # noqa: S606 - no shell
        self.seen = ""

    def wait_for(self, text: str) -> None:
        end = monotonic() + BOUND
        while text not in self.seen:
            assert monotonic() < end, self.seen
            if select.select([self._end], [], [], 0.1)[0]:
                self.seen += os.read(self._end, 1000).decode()

    def silent(self) -> bool:
        return not termios.tcgetattr(self._end)[3] & termios.ECHO

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def close(self) -> None:
        os.close(self._end)
        os.waitpid(self.pid, 0)


@pytest.fixture
def asking() -> Iterator[Terminal]:
    terminal = Terminal(ASKS)
    yield terminal
    terminal.close()


@pytest.fixture
def leaving() -> Iterator[Terminal]:
    terminal = Terminal(LEAVES)
    yield terminal
    terminal.close()


def test_one_question_is_put_once_and_a_secret_is_not_shown(asking: Terminal) -> None:
    asking.wait_for("password of root at vc1: ")
    assert asking.silent()
    asking.type("hunter2\n")
    asking.wait_for("user at vc2: ")
    assert not asking.silent()
    asking.type("admin\n")
    asking.wait_for("said ['hunter2', 'hunter2', 'admin']")

    before = asking.seen.partition("said")[0]
    assert before.count("password of root at vc1: ") == 1
    assert "hunter2" not in before


def test_terminal_that_is_left_shows_again_what_is_typed(leaving: Terminal) -> None:
    leaving.wait_for("password: ")
    leaving.wait_for(" echo ")


def test_nobody_answers_where_there_is_no_terminal() -> None:
    from migrate_plugins.cli.prompt import Prompt  # noqa: PLC0415 - opens a terminal at most here

    failures: list[BaseException] = []
    readable, writable = os.pipe()
    os.close(writable)

    def ask() -> None:
        with open(readable) as nothing:  # noqa: PTH123 - a descriptor
            kept, sys.stdin = sys.stdin, nothing
            try:
                Prompt()("user", secret=False)
            except EOFError as error:
                failures.append(error)
            finally:
                sys.stdin = kept

    thread = Thread(target=ask)
    thread.start()
    thread.join(BOUND)

    assert [type(failure) for failure in failures] == [EOFError]
