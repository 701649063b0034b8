"""The one process a lab hangs on, and the way into its namespaces.

The anchor is process 1 of a process-id namespace (:mod:`init`): killing it ends every libvirtd and
every QEMU of the lab, by the kernel's own hand, whatever state they are in.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from migrate_plugins_lab import commands, init
from migrate_plugins_lab.errors import ArgumentError, CommandError, LaunchError
from migrate_plugins_lab.process import Process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from migrate_plugins_lab.folder import Folder

_SECONDS: Final = 20.0


@dataclass(frozen=True)
class Anchor:
    """A lab's first process, and the processes inside that hold the namespaces of each host."""

    process: Process
    privileged: bool
    holders: Mapping[str, int]
    """Host name to process number, as counted inside the lab."""

    @classmethod
    @contextmanager
    def launched(
        cls, folder: Folder, hosts: Sequence[str], *, privileged: bool, owner: int | None
    ) -> Iterator[Self]:
        """Make the namespaces; they stay if the block ends well, and are gone if not.

        A SIGKILL in the block counts as not well: the kernel closes our end of the pipe.

        Raises:
            ArgumentError: There is no process with the number *owner*.
            LaunchError: The namespaces could not be made.
        """
        handle = None if owner is None else handle_of(owner)
        inside = [sys.executable, "-I", "-S", init.__file__]
        argv = [
            # A session of its own: Ctrl-C at the terminal must not reach the lab.
            *("setsid", "--fork", *unshare(privileged=privileged), *inside),
            *(str(folder.path), "-" if handle is None else str(handle), *hosts),
        ]
        with folder.log.open("wb") as log:
            launcher = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=() if handle is None else (handle,),
                env=commands.environment(),
                cwd="/",
            )
        if handle is not None:
            os.close(handle)
        with launcher:
            if launcher.stdin is None or launcher.stdout is None:
                raise LaunchError(folder.name, log="it has no pipes")
            ready, _, _ = select.select([launcher.stdout], [], [], _SECONDS)
            line = launcher.stdout.readline() if ready else b""
            if not line:
                raise LaunchError(folder.name, log=tail(folder.log))
            said = json.loads(line)
            process = Process.of(said["pid"])
            if process is None:
                raise LaunchError(folder.name, log=tail(folder.log))
            try:
                yield cls(process, privileged, said["holders"])
            except BaseException:
                process.kill()
                raise
            launcher.stdin.write(b".")

    def enter(
        self,
        argv: Sequence[str],
        *,
        host: str | None = None,
        seconds: float = commands.SECONDS,
        stdin: str = "",
    ) -> str:
        """Run a program as the lab's root, in the namespaces of *host* or in those all share.

        Raises:
            CommandError: It failed, or took longer than *seconds*.
        """
        # Stopped from inside as well: our own limit ends nsenter and leaves the program behind.
        limit = ["timeout", "--signal=KILL", f"{seconds + 1:g}"]
        whole = [*self.way(host), *limit, *argv]
        try:
            return commands.run(whole, seconds=seconds, stdin=stdin)
        except CommandError as error:
            # The way in is ours; the reader asked for what lies at its end.
            raise CommandError(argv, status=error.status, output=error.output) from error

    def way(self, host: str | None) -> list[str]:
        """The words before a program that run it in the namespaces of *host*, or in the shared."""
        user = [] if self.privileged else ["--user", "--preserve-credentials"]
        lab = ["nsenter", f"--target={self.process.pid}", *user, "--net", "--mount", "--pid"]
        inner = [] if host is None else ["nsenter", f"--target={self.holders[host]}"]
        flags = [] if host is None else ["--net", "--uts", "--mount"]
        return [*lab, "--wd=/", *inner, *flags]


def handle_of(owner: int) -> int:
    """An open handle of the process *owner*, which no later process can be mistaken for."""
    try:
        return os.pidfd_open(owner)
    except ProcessLookupError:
        raise ArgumentError(
            "the lab's owner", owner, wrong="no process has this number", hint="os.getpid() works"
        ) from None


def unshare(*, privileged: bool) -> list[str]:
    """The command that makes a lab's namespaces, and kills all in them when it is killed."""
    user = [] if privileged else ["--user", "--map-root-user"]
    shared = ["--net", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child"]
    return ["unshare", *user, *shared]


def tail(log: Path, *, lines: int = 8) -> str:
    """The end of a log, or nothing when there is none."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
