"""What many threads want at once is done once, and fails once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from time import monotonic

import pytest

from migrate_plugins import ConnectError, DriverError
from migrate_plugins_vmware.faults import doing
from migrate_plugins_vmware.turns import AlikeError, Turns

CROWD = 16


def test_who_waits_while_another_one_fails_fails_alike() -> None:
    turns = Turns()
    together = Barrier(CROWD)
    waiting = Event()
    tried = []

    def fail(number: int) -> None:
        tried.append(number)
        waiting.wait(0.3)  # the others come meanwhile
        raise ConnectError("vpx://vc/DC/h", problem="it does not answer")

    def attempt(number: int) -> Exception | None:
        together.wait(10)
        try:
            with turns.turn():
                fail(number)
        except (ConnectError, AlikeError) as error:
            return error
        return None

    began = monotonic()
    with ThreadPoolExecutor(CROWD) as threads:
        errors = list(threads.map(attempt, range(CROWD)))

    assert len(tried) == 1
    assert monotonic() - began < 5
    assert sorted(type(error).__name__ for error in errors) == sorted(
        ["ConnectError", *["AlikeError"] * (CROWD - 1)]
    )
    alike = [error for error in errors if isinstance(error, AlikeError)]
    assert {(error.kind, error.problem) for error in alike} == {
        (ConnectError, "it does not answer")
    }


def test_who_comes_later_tries_again() -> None:
    turns = Turns()
    with pytest.raises(TimeoutError), turns.turn():
        raise TimeoutError("timed out")

    with turns.turn() as asked:
        assert asked <= monotonic()


def test_failure_of_another_thread_is_told_as_it_was() -> None:
    turns = Turns()
    with pytest.raises(TimeoutError), turns.turn():
        raise TimeoutError("timed out")
    turns._failed = float("inf")  # as for one that had waited

    with pytest.raises(DriverError) as caught, doing("reading"), turns.turn():
        pytest.fail("it was not its turn")

    assert caught.value.problem == "TimeoutError: timed out"
