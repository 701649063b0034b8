"""Which process wrote something, told so that another can find out whether it still runs."""

from __future__ import annotations

import os
import socket
from typing import Final, NamedTuple

__all__ = ["Process"]

_MACHINE: Final = "/etc/machine-id"
_BOOT: Final = "/proc/sys/kernel/random/boot_id"
# Of what stands behind the name in /proc/PID/stat: the state, and when the process was started.
_STATE: Final = 0
_STARTED: Final = 19


class Process(NamedTuple):
    """A process, as nobody else is.

    Attributes:
        machine: The machine it runs on: its name and, where it has one, its id.
        boot: Which start of that machine, and which namespace its number is of; None where that
            cannot be read.
        number: Its number (PID).
        started: When it was started, in ticks since the machine's start; None where that cannot
            be read.  A number is given again, this pair is not.
    """

    machine: str
    boot: str | None
    number: int
    started: int | None

    @classmethod
    def here(cls) -> Process:
        """Tell of this process."""
        number = os.getpid()
        return cls(_machine(), _boot(), number, _stat(number)[1])

    def alive(self) -> bool | None:
        """Whether it still runs; None where that cannot be known from here."""
        if self.machine != _machine() or self.boot is None:
            return None
        mine = _boot()
        if mine is None:
            return None
        if self.boot.partition(" ")[0] != mine.partition(" ")[0]:
            return False  # the machine has been started anew since
        if self.boot != mine:
            return None  # another container: its numbers are not ours
        try:
            os.kill(self.number, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass  # it is there, and somebody else's
        state, started = _stat(self.number)
        if started is None or self.started is None:
            return None
        return started == self.started and state not in {"Z", "X"}


def _machine() -> str:
    identity = _read(_MACHINE)
    return f"{socket.gethostname()} {identity}" if identity else socket.gethostname()


def _boot() -> str | None:
    boot = _read(_BOOT)
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116 - pathlib is slow to import
    except OSError:
        return None
    return f"{boot} {namespace}" if boot else None


def _stat(number: int) -> tuple[str | None, int | None]:
    """Read a process's state and the time of its start."""
    text = _read(f"/proc/{number}/stat")
    # The name stands in parentheses, and may have some of its own.
    fields = text.rpartition(")")[2].split()
    if len(fields) <= _STARTED:
        return None, None
    return fields[_STATE], int(fields[_STARTED])


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib is slow to import
            return file.read().strip()
    except (OSError, UnicodeDecodeError):
        return ""
