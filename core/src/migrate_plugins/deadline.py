"""Calls that are waited for only so long: a host that is frozen never answers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Call", "Line", "within"]

_Answer = TypeVar("_Answer")


class Call(Generic[_Answer]):
    """A call that is made at once, in a thread of its own.

    The thread is a daemon: a call that never returns does not keep the process.
    """

    def __init__(
        self,
        call: Callable[[], _Answer],
        *,
        late: Callable[[_Answer], object] = lambda _answer: None,
    ) -> None:
        """Make the call.

        Args:
            call: What to call.
            late: Given the answer if it comes when nobody waits any more.
        """
        self._call: Final = call
        self._late: Final = late
        self._answers: list[_Answer] = []
        self._error: BaseException | None = None
        self._lock: Final = threading.Lock()
        self._ended: Final = threading.Event()
        self._given_up = False
        threading.Thread(target=self._work, daemon=True).start()

    @property
    def ended(self) -> bool:
        """Whether it has returned, or raised."""
        return self._ended.is_set()

    def answer(self, seconds: float) -> _Answer:
        """Wait for the answer at most *seconds*, and then no more.

        Raises:
            TimeoutError: There is no answer yet; what was asked for may still happen.
        """
        if not self._ended.wait(seconds):
            self.give_up()
            raise TimeoutError(f"no answer within {seconds:g} s")
        if self._error is not None:
            raise self._error
        return self._answers[0]

    def give_up(self) -> None:
        """Want the answer no more; one that is there already, or comes later, is late."""
        with self._lock:
            given_up, self._given_up = self._given_up, True
            answers = [] if given_up else [*self._answers]
        for answer in answers:
            self._late(answer)

    def _work(self) -> None:
        try:
            answer = self._call()
        except BaseException as error:  # noqa: BLE001 - raised where somebody waits
            self._error = error
        else:
            with self._lock:
                self._answers.append(answer)
                late = self._given_up
            if late:
                self._late(answer)
        self._ended.set()


class Line(Generic[_Answer]):
    """Calls to one who may stop answering: while one is not answered, no other is made."""

    def __init__(self) -> None:
        self._last: Call[_Answer] | None = None

    def ask(self, seconds: float, call: Callable[[], _Answer]) -> _Answer:
        """Make a call and wait for its answer at most *seconds*.

        Raises:
            TimeoutError: There is no answer, or none yet to an earlier call.
        """
        if self._last is not None and not self._last.ended:
            raise TimeoutError("an earlier call has no answer yet")
        self._last = Call(call)
        return self._last.answer(seconds)


def within(
    seconds: float,
    call: Callable[[], _Answer],
    *,
    late: Callable[[_Answer], object] = lambda _answer: None,
) -> _Answer:
    """Make a call and wait for its answer at most *seconds*; see :class:`Call`.

    Raises:
        TimeoutError: There is no answer yet; what was asked for may still happen.
    """
    return Call(call, late=late).answer(seconds)
