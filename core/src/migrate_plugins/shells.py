"""A way to run a program on a host.

A check only looks, to see what that host sees; a driver may hand a migration to the host's own
tool, which then goes on there without the client (:class:`migrate_plugins.jobs.Job`).

A host can be looked at like this where the client is on it, where the client reaches its daemon
over ssh anyway, and where config.toml says how::

    [hosts.beta]
    uri = "qemu+tls://beta.example/system"
    shell = ["ssh", "-o", "BatchMode=yes", "root@beta.example"]

Everywhere else there is no shell, and whoever wanted one says what to run there instead.
"""

from __future__ import annotations

import shlex
from contextlib import contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins.uris import ConnectionURI

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from subprocess import Popen

    from migrate_plugins.jobs import Job
    from migrate_plugins.settings import NamedHost

__all__ = ["Answer", "Running", "Shell", "find_shell"]

# Seconds that a program on a host may take, and ssh to get there.
_PATIENCE: Final = 10.0
# Seconds that a program may take to notice that nobody wants it any more.
_FAREWELL: Final = 1.0
_SSH: Final = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=5")
# Said before anything else: what comes earlier is of the host's own shell, whose start-up files
# may print something, or of ssh.
_BEGIN: Final = "migrate-plugins:begin"


class Answer(NamedTuple):
    """What a program on a host said.

    Attributes:
        status: Its exit status, or None where it could not be run or took too long.
        output: Its standard output.
        error: Its standard error, or why it could not be run.
    """

    status: int | None
    output: str
    error: str


class Shell(NamedTuple):
    """A way to run a program on a host.

    Attributes:
        argv: A command that takes one more word: a command line for the host's own shell.
        because: Why it reaches that host.
    """

    argv: tuple[str, ...]
    because: str

    def run(self, argv: Sequence[str], *, seconds: float = _PATIENCE) -> Answer:
        """Run a program for at most *seconds*.

        Messages come in English, and the program has no input; what goes wrong is in the answer.
        """
        import os  # noqa: PLC0415 - planning runs nothing
        import signal  # noqa: PLC0415
        from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired  # noqa: PLC0415

        try:
            # A session of its own: Ctrl-C is ours to hear, and what it started ends with it.
            process = Popen(
                self._command(argv),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            return Answer(None, "", f"{self.argv[0]}: {error.strerror}")
        with process:
            try:
                output, problem = process.communicate(timeout=seconds)
            except TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return Answer(None, "", f"no answer within {seconds:g} s")
        return Answer(process.returncode, _own(output), _own(problem))

    def start(self, argv: Sequence[str]) -> Job:
        """Start a program that belongs to the host: it ends neither with us nor with the way there.

        It has no input.
        """
        from migrate_plugins.jobs import Job  # noqa: PLC0415 - few hosts are given work

        return Job(self, argv)

    @contextmanager
    def open(self, argv: Sequence[str]) -> Iterator[Running]:
        """Run a program as long as the block lasts; its standard input ends with the block.

        Raises:
            OSError: It cannot be run.
        """
        import os  # noqa: PLC0415 - planning runs nothing
        import signal  # noqa: PLC0415
        from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired  # noqa: PLC0415

        process = Popen(
            self._command(argv), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
        try:
            yield Running(process)
        finally:
            if process.stdin is not None:
                with suppress(OSError):
                    process.stdin.close()
            try:
                process.wait(_FAREWELL)
            except TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def _command(self, argv: Sequence[str]) -> list[str]:
        """Give the whole command that runs a program on the host."""
        begin = f"echo {_BEGIN}; echo {_BEGIN} >&2"
        return [*self.argv, f"{begin}; LC_ALL=C.UTF-8 {shlex.join(argv)}"]


class Running:
    """A program that runs on a host."""

    def __init__(self, process: Popen[bytes]) -> None:
        """Listen to *process*."""
        self._process = process
        self._heard = b""
        self._begun = False

    def line(self, seconds: float) -> str | None:
        """Give its next line, or None where none comes within *seconds*, or no more at all."""
        give_up = monotonic() + seconds
        while not self._begun:
            line = self._line(give_up)
            if line is None:
                return None
            self._begun = line.endswith(_BEGIN)
        return self._line(give_up)

    def _line(self, give_up: float) -> str | None:
        import os  # noqa: PLC0415 - planning runs nothing
        import select  # noqa: PLC0415

        if self._process.stdout is None:
            return None
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._heard:
            left = give_up - monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                return None
            more = os.read(descriptor, 4096)
            if not more:
                return None
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode(errors="replace")


def _own(text: str) -> str:
    """Leave out what came before the program; where it was never started, that is all there is."""
    before, begin, own = text.partition(f"{_BEGIN}\n")
    return own if begin else before


def find_shell(text: str | None, hosts: Iterable[NamedHost] = ()) -> Shell | None:
    """Find a way to run programs on the host behind a connection URI.

    Args:
        text: The URI, or None where there is none.
        hosts: Those that config.toml names.

    Returns:
        None where there is no such way, or where config.toml forbids it with an empty list.
    """
    if text is None:
        return None
    for host in hosts:
        if text in {host.uri, host.peer_uri} and host.shell is not None:
            because = f"config.toml says how for {host.name}"
            return Shell(host.shell, because) if host.shell else None
    uri = ConnectionURI.parse(text)
    transport = (uri.transport or "").lower()
    if uri.host is None:
        # A socket that is named may lead anywhere: into a container, or through a tunnel.
        local = transport in {"", "unix"} and "socket" not in uri.parameters
        return Shell(("sh", "-c"), f"{text} is this machine") if local else None
    if transport in {"ssh", "libssh", "libssh2"}:
        return Shell(tuple(_ssh(uri)), f"{text} goes over ssh")
    return None


def _ssh(uri: ConnectionURI) -> Iterable[str]:
    """Write ssh's command as libvirt does for the same URI."""
    given = uri.parameters
    yield given.get("command") or "ssh"
    yield from _SSH
    if given.get("keyfile"):
        yield from ("-i", given["keyfile"])
    if given.get("no_verify") == "1":
        yield from ("-o", "StrictHostKeyChecking=no")
    if uri.port is not None:
        yield from ("-p", str(uri.port))
    if uri.user is not None:
        from urllib.parse import unquote  # noqa: PLC0415 - planning runs nothing

        yield from ("-l", unquote(uri.user))
    yield from ("--", uri.host or "")
