"""A call that is waited for only so long: a host that is frozen answers never."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["within"]

_Answer = TypeVar("_Answer")


def within(
    seconds: float,
    call: Callable[[], _Answer],
    *,
    late: Callable[[_Answer], object] = lambda _answer: None,
) -> _Answer:
    """Make a call in a thread of its own, and wait for its answer at most *seconds*.

    The thread is a daemon: a call that never returns does not keep the process.

    Args:
        seconds: How long to wait.
        call: What to call.
        late: Given the answer if it comes after all, when nobody waits any more.

    Raises:
        TimeoutError: There is no answer yet; what was asked for may still happen.
    """
    answers: list[_Answer] = []
    errors: list[BaseException] = []
    lock, ended, given_up = threading.Lock(), threading.Event(), threading.Event()

    def work() -> None:
        try:
            answer = call()
        except BaseException as error:  # noqa: BLE001 - raised where somebody waits
            errors.append(error)
            ended.set()
            return
        with lock:
            answers.append(answer)
            ended.set()
            if not given_up.is_set():
                return
        late(answer)

    threading.Thread(target=work, daemon=True).start()
    if not ended.wait(seconds):
        with lock:
            if not ended.is_set():
                given_up.set()
                raise TimeoutError(f"no answer within {seconds:g} s")
    if errors:
        raise errors[0]
    return answers[0]
