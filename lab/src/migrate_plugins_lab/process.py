"""A process named so that it cannot be mistaken for a later one with the same number."""

from __future__ import annotations

import os
import select
import signal
from dataclasses import dataclass
from pathlib import Path

_DEAD = frozenset("ZX")


@dataclass(frozen=True)
class Process:
    """A process by number and start time.

    Numbers are used again; a number and the moment it was given are not.
    """

    pid: int
    started: int
    """In clock ticks since the machine booted."""

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has the number *pid* now, or None."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return None
        state, started = read_stat(stat)
        return None if state in _DEAD else cls(pid, started)

    def alive(self) -> bool:
        """Whether it still runs."""
        return Process.of(self.pid) == self

    def kill(self, *, seconds: float = 10.0) -> bool:
        """End it at once and wait until it is gone; False when it is still there after *seconds*.

        The init of a process-id namespace is gone only when everything in it is.
        """
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            # Asked after the handle is open: from here on the number cannot change hands.
            if not self.alive():
                return True
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            return bool(poll.poll(seconds * 1000))
        finally:
            os.close(handle)


def read_stat(stat: str) -> tuple[str, int]:
    """State letter and start time out of a ``/proc/PID/stat`` line."""
    # The name, in brackets, may itself hold spaces and brackets.
    fields = stat.rpartition(")")[2].split()
    return fields[0], int(fields[19])
