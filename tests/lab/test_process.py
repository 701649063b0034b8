from __future__ import annotations

import os
import subprocess

import pytest

from migrate_plugins_lab.process import Process, read_stat

REST = "1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0"

# fmt: off
STATS = [
    # line                               state  started
    (f"42 (sleep) S {REST} 1234 0 0",    "S",   1234),
    (f"42 (a) b (c) Z {REST} 99 0 0",    "Z",   99),
]
# fmt: on


@pytest.mark.parametrize(("line", "state", "started"), STATS)
def test_a_stat_line_is_read_behind_the_name(line: str, state: str, started: int) -> None:
    assert read_stat(line) == (state, started)


def test_this_process_is_alive() -> None:
    me = Process.of(os.getpid())

    assert me is not None
    assert me.alive()


def test_a_killed_process_is_gone_even_before_its_parent_has_looked() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        process = Process.of(child.pid)
        assert process is not None

        assert process.kill()
        assert not process.alive()
        assert Process.of(child.pid) is None


def test_a_later_process_with_the_same_number_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        process = Process.of(child.pid)
        assert process is not None
        earlier = Process(process.pid, process.started - 1)

        assert not earlier.alive()
        assert earlier.kill()
        assert process.alive()
        child.kill()
