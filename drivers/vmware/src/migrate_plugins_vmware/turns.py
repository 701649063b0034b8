"""What many threads want of one server at once: done once, and failed once."""

from __future__ import annotations

from contextlib import contextmanager
from math import inf
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AlikeError", "Turns"]


class AlikeError(OSError):
    """It has just failed for another thread.

    Attributes:
        kind: Type of the error there.
        problem: Its text.
    """

    def __init__(self, kind: type[Exception], problem: str) -> None:
        self.kind = kind
        self.problem = problem
        super().__init__(problem)


class Turns:
    """One at a time; who waits while another one fails, fails alike.

    Else fifty that ask a server that does not answer would each wait for it in turn.
    """

    def __init__(self) -> None:
        """Nothing has failed yet."""
        self._lock: Final = Lock()
        self._failed = -inf
        self._failure: tuple[type[Exception], str] = (Exception, "")

    @contextmanager
    def turn(self) -> Iterator[float]:
        """Wait for one's turn; gives the time at which it was asked for.

        Raises:
            AlikeError: Another one has failed meanwhile.
        """
        asked = monotonic()
        with self._lock:
            if self._failed > asked:
                raise AlikeError(*self._failure)
            try:
                yield asked
            except Exception as error:
                # Its text alone: it may hold a connection.
                self._failed = monotonic()
                self._failure = type(error), getattr(error, "problem", "") or _told(error)
                raise


def _told(error: Exception) -> str:
    from migrate_plugins_vmware.faults import Fault  # noqa: PLC0415 - imports pyVmomi

    return str(Fault.of(error))
