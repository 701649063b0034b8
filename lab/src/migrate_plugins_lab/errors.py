"""Every error of the lab.

::

    MigrateError (of the core)          exit code
    └── LabError                        1
        ├── ArgumentError               2   a name, a number or a fault that cannot be
        ├── PreflightError              3   what this machine lacks, all at once
        ├── BusyError                   1   another command is at work on the same lab
        ├── ShapeError                  1   a lab of this name is up, with other hosts
        ├── DownError                   1   no lab of this name is up
        ├── LaunchError                 1   the lab's namespaces could not be made
        ├── CommandError                1   a program failed, or took too long
        ├── DaemonError                 1   a host's libvirtd is not as it should be
        └── SilentGuestError            1   a guest does not tick
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from migrate_plugins.errors import ExitCode, MigrateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "ArgumentError",
    "BusyError",
    "CommandError",
    "DaemonError",
    "DownError",
    "LabError",
    "LaunchError",
    "PreflightError",
    "ShapeError",
    "SilentGuestError",
]


class LabError(MigrateError):
    """Anything the lab raises on purpose."""


class ArgumentError(LabError):
    """*what* was given as *given*; *wrong* says which part cannot be, *hint* what would work."""

    exit_code = ExitCode.USAGE

    def __init__(self, what: str, given: object, *, wrong: str, hint: str) -> None:
        self.what = what
        self.given = given
        self.wrong = wrong
        self.hint = hint
        super().__init__(f"{what} {given!r}: {wrong}; {hint}")


class PreflightError(LabError):
    """This machine cannot hold a lab yet; every reason is given, each with its remedy."""

    exit_code = ExitCode.BLOCKED

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        lines = "".join(f"\n  * {problem}" for problem in self.problems)
        super().__init__(f"this machine cannot bring up a lab yet:{lines}")


class BusyError(LabError):
    """Another process has held the lab's lock for *seconds*."""

    def __init__(self, name: str, *, seconds: float) -> None:
        self.name = name
        super().__init__(
            f"lab {name!r}: another `lab up` or `lab down` has been at work on it for more than"
            f" {seconds:g} s; wait for it, or end that process and try again"
        )


class ShapeError(LabError):
    """The lab is up, but not as it was asked for."""

    def __init__(self, name: str, *, running: str, wanted: str) -> None:
        self.name = name
        self.running = running
        self.wanted = wanted
        super().__init__(
            f"lab {name!r} is up with {running}, but {wanted} was asked for;"
            f" `migrate-plugins lab down --lab {name}` ends it, or give another name"
        )


class DownError(LabError):
    """There is no such lab, or it crashed: *why* says which."""

    def __init__(self, name: str, *, why: str) -> None:
        self.name = name
        self.why = why
        super().__init__(f"lab {name!r} {why}; `migrate-plugins lab up --lab {name}` starts it")


class LaunchError(LabError):
    """The process that holds the lab's namespaces did not come up."""

    def __init__(self, name: str, *, log: str) -> None:
        self.name = name
        self.log = log
        super().__init__(f"lab {name!r}: its namespaces could not be made: {log or 'no message'}")


class CommandError(LabError):
    """A program ended with *status* (None: it was stopped after its time was up)."""

    def __init__(self, argv: Sequence[str], *, status: int | None, output: str) -> None:
        self.argv = tuple(argv)
        self.status = status
        self.output = output.strip()
        how = "took too long and was stopped" if status is None else f"failed with status {status}"
        super().__init__(f"`{shlex.join(argv)}` {how}: {self.output or 'no message'}")


class DaemonError(LabError):
    """The libvirtd of *host* is not as it should be; *log* is the end of its log."""

    def __init__(self, host: str, *, why: str, log: str) -> None:
        self.host = host
        self.why = why
        self.log = log
        super().__init__(f"host {host!r}: {why}; the end of its log: {log or 'empty'}")


class SilentGuestError(LabError):
    """A guest printed fewer than *wanted* ticks in *seconds*."""

    def __init__(self, name: str, *, wanted: int, got: int, seconds: float) -> None:
        self.name = name
        self.wanted = wanted
        self.got = got
        super().__init__(
            f"guest {name!r} printed {got} of {wanted} ticks in {seconds:g} s: it is paused, gone,"
            " or starved of processor time; `virsh list --all` on each host says which"
        )
