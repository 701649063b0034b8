"""How programs are run on a host: by a shell of its own, on this machine or over ssh.

Everything is a script for ``sh``.  A :class:`Job` is one that goes on: it belongs to the host, and
ends neither with the client nor with the connection.
"""

from __future__ import annotations

import os
import secrets
import select
import shlex
import signal
import stat
import threading
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins_vbox.places import Place

__all__ = ["Answer", "Job", "LocalRunner", "Runner", "SSHRunner", "open_runner"]

# Seconds that a script may take if nothing else is said.
_PATIENCE: Final = 20.0
# Seconds for ssh to get to a host and to be let in.
_OPENING: Final = 20.0
# Seconds that a process of ours may take to notice that it is not wanted any more.
_FAREWELL: Final = 2.0
# Seconds to look whether a job has ended, and to wait for it at a time.
_GLANCE: Final = 0.01
_STEP: Final = 0.2
# What ssh itself ends with where the connection is at fault; none of our scripts ends so.
_BROKEN: Final = 255
# A login shell may say something of its own before it runs a script: it does so before this.
_BEGIN: Final = b"migrate-plugins:"

# What a job is on its host: a folder of its own, in which the program writes, so that nobody who
# no longer listens holds it up.  It says its process id and the folder first, and at the end what
# the program wrote.  The folder is removed by whoever is last.
_JOB: Final = """\
umask 077
folder=$(mktemp -d "${TMPDIR:-/tmp}/migrate-plugins.XXXXXXXX") || exit 125
setsid sh -c '
sh -c "
  echo \\"migrate-plugins:\\$\\$ \\$0\\"
  exec >\\"\\$0/output\\" 2>\\"\\$0/error\\"
  eval \\"\\$1\\"
" "$0" "$1"
echo "$?" >"$0/status"
kill -0 "$2" 2>/dev/null || rm -rf "$0"
' "$folder" "$1" "$$"
trap "" HUP PIPE
cat "$folder/output"
cat "$folder/error" >&2
status=$(cat "$folder/status" 2>/dev/null)
rm -rf "$folder"
exit "${status:-126}"
"""


class Answer(NamedTuple):
    """What a script said.

    Attributes:
        status: Its exit status, or None where it was not run, or did not answer in time.
        output: Its standard output.
        error: Its standard error, or why there is no answer.
        broken: Whether the connection is at fault: then it is not known whether it was run.
    """

    status: int | None
    output: str
    error: str
    broken: bool = False


_ABANDONED: Final = Answer(None, "", "nobody listens to it any more")
_CLOSED: Final = Answer(None, "", "the session with it was closed", broken=True)


class Job(Protocol):
    """A script that goes on, whatever becomes of the client."""

    @property
    def said(self) -> str:
        """Path on the host of the file to which it writes errors as it goes; empty: none."""

    def poll(self) -> Answer | None:
        """Give what it said, or None while it runs."""

    def wait(self, seconds: float) -> Answer | None:
        """Wait at most *seconds* for its end; None where it still runs."""

    def interrupt(self) -> None:
        """Send SIGINT to the program itself, if it still runs."""

    def abandon(self) -> None:
        """Listen no more; the program is not touched."""


class Runner(Protocol):
    """Runs scripts on a host; may be used from several threads, and never prints."""

    def run(self, script: str, *, input: str = "", seconds: float = _PATIENCE) -> Answer:  # noqa: A002
        """Run a script, with *input* as its standard input, for at most *seconds*."""

    def start(self, script: str, *, input: str = "") -> Job:  # noqa: A002
        """Start a script that goes on; to be interrupted it has to ``exec`` the program."""

    def close(self) -> None:
        """Let go of the host; again is no error."""


class LocalRunner:
    """Runs scripts on this machine."""

    def run(self, script: str, *, input: str = "", seconds: float = _PATIENCE) -> Answer:  # noqa: A002
        """Run a script."""
        return _run(["sh", "-c", script], input, seconds)

    def start(self, script: str, *, input: str = "") -> Job:  # noqa: A002
        """Start a script that goes on."""
        return _Started(self, ["sh", "-c", _JOB, "sh", script], input)

    def close(self) -> None:
        """Nothing is held."""


class SSHRunner:
    """Runs scripts over ssh, all of them through one connection.

    That is opened with the first script, and anew where it broke.  It ends with this process: its
    far end reads from a pipe that only this process holds.
    """

    def __init__(self, command: Sequence[str], host: str) -> None:
        """Open nothing yet; *command* is ssh with its options."""
        self._command: Final = tuple(command)
        self._host: Final = host
        self._lock: Final = threading.Lock()
        self._master: Popen[bytes] | None = None
        self._socket: Path | None = None
        self._closed = False
        # How often it was opened, and why it could not be the last time.
        self._tries = 0
        self._failure: Answer | None = None

    def run(self, script: str, *, input: str = "", seconds: float = _PATIENCE) -> Answer:  # noqa: A002
        """Run a script."""
        socket = self._open()
        if isinstance(socket, Answer):
            return socket
        begun = f"echo {_BEGIN.decode()}\n{script}"
        answer = _run(self._through(socket, ["sh", "-c", begun]), input, seconds)
        if answer.status == _BROKEN:
            return Answer(None, answer.output, answer.error.strip() or "ssh failed", broken=True)
        _, _, output = answer.output.partition(f"{_BEGIN.decode()}\n")
        return answer._replace(output=output)

    def start(self, script: str, *, input: str = "") -> Job:  # noqa: A002
        """Start a script that goes on."""
        socket = self._open()
        if isinstance(socket, Answer):
            return _Ended(socket)
        return _Started(self, self._through(socket, ["sh", "-c", _JOB, "sh", script]), input)

    def close(self) -> None:
        """End the connection, and open no other."""
        with self._lock:
            self._closed = True
            self._end()

    def _through(self, socket: Path, argv: Sequence[str]) -> list[str]:
        """Give the command that runs *argv* there, through the connection and in no other way."""
        return [
            *self._command,
            *_QUIET,
            *("-o", "ControlMaster=no", "-o", "ProxyCommand=false"),
            *("-S", _escaped(socket), "--", self._host, shlex.join(argv)),
        ]

    def _open(self) -> Path | Answer:
        """Open the connection if there is none; give its socket, or why there is none."""
        tried = self._tries
        with self._lock:
            if self._closed:
                return _CLOSED
            if self._master is not None and self._socket is not None:
                if self._master.poll() is None:
                    return self._socket
                self._end()
            if self._failure is None or self._tries == tried:  # else it was tried just now
                self._tries += 1
                self._failure = self._connect()
            return self._socket or self._failure or _CLOSED

    def _connect(self) -> Answer | None:
        """Open the connection, or say why that is not possible."""
        try:
            self._socket = _socket()
            self._master = self._start(self._socket)
        except OSError as error:
            self._end()
            return Answer(None, "", f"{self._command[0]}: {error.strerror}", broken=True)
        if _line(self._master, _OPENING) is not None:
            return None
        late = self._master.poll() is None
        problem = self._end()
        if late or not problem:
            problem = f"{problem} ssh did not get there within {_OPENING:g} s".strip()
        return Answer(None, "", problem, broken=True)

    def _start(self, socket: Path) -> Popen[bytes]:
        return Popen(
            [
                *self._command,
                *_QUIET,
                *("-o", "ControlMaster=yes", "-o", "ControlPersist=no"),
                *("-S", _escaped(socket), "--", self._host),
                f"echo {_BEGIN.decode()}; exec cat",
            ],
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )

    def _end(self) -> str:
        """End the connection, and give what ssh said."""
        master, self._master = self._master, None
        problem = "" if master is None else _end(master)
        if self._socket is not None:
            with suppress(OSError):
                self._socket.unlink()
            self._socket = None
        return problem


# Nothing is asked, printed, forwarded or run that the user's configuration has for a person; a
# host that falls silent is noticed within 15 s.
_QUIET: Final = (
    "-T",
    "-a",
    "-x",
    *("-o", "BatchMode=yes"),
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
    *("-o", "ClearAllForwardings=yes"),
    *("-o", "PermitLocalCommand=no"),
    *("-o", "RemoteCommand=none"),
    *("-o", "LogLevel=ERROR"),
)


def open_runner(place: Place) -> LocalRunner | SSHRunner:
    """Give what runs scripts where a connection URI leads; nothing is contacted yet."""
    return LocalRunner() if place.host is None else SSHRunner(place.ssh, place.host)


class _Ended:
    """A job that could not be started."""

    def __init__(self, answer: Answer) -> None:
        self._answer: Final = answer
        self.said: Final = ""

    def poll(self) -> Answer:
        """Give why it was not."""
        return self._answer

    def wait(self, seconds: float) -> Answer:
        """Give why it was not."""
        del seconds
        return self._answer

    def interrupt(self) -> None:
        """There is nothing."""

    def abandon(self) -> None:
        """There is nothing."""


class _Started:
    """A job that was started; see :data:`_JOB`."""

    def __init__(self, runner: Runner, argv: Sequence[str], given: str) -> None:
        self._runner: Final = runner
        self._lock: Final = threading.Lock()
        self._answer: Answer | None = None
        self._abandoned = False
        self._process: Popen[bytes] | None = None
        self._number = self._folder = ""
        self._heard = b""
        try:
            process = Popen(argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True)
        except OSError as error:
            self._answer = Answer(None, "", f"{argv[0]}: {error.strerror}", broken=True)
            return
        self._process = process
        _feed(process, given)
        heard = _line(process, _PATIENCE)
        if heard is None:
            # Either it has ended without a word, or nobody knows whether it was started.
            if self.wait(_FAREWELL) is None:
                problem = f"it did not say within {_PATIENCE:g} s that it was started"
                self._give_up(Answer(None, "", problem, broken=True))
            return
        line, self._heard = heard
        self._number, _, self._folder = line.decode(errors="replace").partition(" ")

    @property
    def said(self) -> str:
        """Where it writes errors as it goes."""
        return f"{self._folder}/error" if self._folder else ""

    def poll(self) -> Answer | None:
        """Give what it said, or None while it runs."""
        return self.wait(_GLANCE)

    def wait(self, seconds: float) -> Answer | None:
        """Wait at most *seconds* for its end."""
        give_up = monotonic() + seconds
        # A little at a time, so that it can be abandoned meanwhile.
        while not self._abandoned:
            left = min(max(give_up - monotonic(), _GLANCE), _STEP)
            with self._lock:
                if self._answer is None and self._process is not None:
                    self._answer = self._heard_within(self._process, left)
                if self._answer is not None or monotonic() >= give_up:
                    return self._answer
        with self._lock:
            return self._answer or _ABANDONED

    def interrupt(self) -> None:
        """Send SIGINT to the program itself."""
        if not self._number.isdecimal() or (self._answer is not None and not self._answer.broken):
            return
        folder = shlex.quote(self._folder)
        # Where its folder is gone it has ended, and its number may be another's.
        script = f"[ -d {folder} ] && ! [ -e {folder}/status ] && kill -INT {self._number}"
        for _ in range(2):  # the connection may have broken, and is then opened anew
            if not self._runner.run(script).broken:
                return

    def abandon(self) -> None:
        """Listen no more."""
        self._abandoned = True
        self._give_up(_ABANDONED)

    def _heard_within(self, process: Popen[bytes], seconds: float) -> Answer | None:
        """Give what it said where it ends within *seconds*."""
        try:
            output, error = process.communicate(timeout=seconds)
        except TimeoutExpired:
            return None
        said = _answer(process.returncode, self._heard + output, error)
        # Or what listened here was ended by a signal, and what runs there was not.
        if process.returncode < 0 or process.returncode == _BROKEN:
            problem = said.error.strip() or "what listened to it was ended"
            return Answer(None, said.output, problem, broken=True)
        return said

    def _give_up(self, answer: Answer) -> None:
        """End what listens here; what runs there belongs to another session, and is not waited for.

        It may hold the far ends of our pipes, so these are not read to their end.
        """
        with self._lock:
            if self._answer is not None or self._process is None:
                return
            self._answer = answer
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdout, self._process.stderr):
                if pipe is not None:
                    pipe.close()


def _run(argv: Sequence[str], given: str, seconds: float) -> Answer:
    """Run a program to its end, or end it."""
    try:
        process = Popen(argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True)
    except OSError as problem:
        return Answer(None, "", f"{argv[0]}: {problem.strerror}", broken=True)
    with process:
        try:
            output, error = process.communicate(given.encode(), timeout=seconds)
        except TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return Answer(None, "", f"no answer within {seconds:g} s")
    return _answer(process.returncode, output, error)


def _answer(status: int, output: bytes, error: bytes) -> Answer:
    return Answer(status, output.decode(errors="replace"), error.decode(errors="replace"))


def _feed(process: Popen[bytes], given: str) -> None:
    """Give a process its whole input, which is short."""
    stdin, process.stdin = process.stdin, None
    if stdin is not None:
        with suppress(OSError), stdin:
            stdin.write(given.encode())


def _line(process: Popen[bytes], seconds: float) -> tuple[bytes, bytes] | None:
    """Read the line with our mark: what stands behind that, and behind the line; or None."""
    if process.stdout is None:
        return None
    descriptor = process.stdout.fileno()
    give_up = monotonic() + seconds
    heard = b""
    while True:
        left = give_up - monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            return None
        more = os.read(descriptor, 4096)
        if not more:
            return None
        heard += more
        line, end, rest = heard.rpartition(_BEGIN)[2].partition(b"\n")
        if end and _BEGIN in heard:
            return line, rest


def _end(process: Popen[bytes]) -> str:
    """End a process by closing its input, else by signals; give what it wrote as errors."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
        process.stdin = None
    error = b""
    for number in (None, signal.SIGTERM, signal.SIGKILL):
        if number is not None:
            process.send_signal(number)
        try:
            _, error = process.communicate(timeout=_FAREWELL)
        except TimeoutExpired:
            continue
        break
    return error.decode(errors="replace").strip()


def _escaped(socket: Path | None) -> str:
    return str(socket).replace("%", "%%")


def _socket() -> Path:
    """Name a socket that is not there yet, in a folder that only this user can enter.

    Raises:
        OSError: There is no such folder, and none can be made.
    """
    # A path of a socket has 107 bytes, and ssh first makes one with 17 more.
    longest = 107 - 17
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    above = [Path(runtime)] if runtime.startswith("/") else []
    name = f"{os.getpid():x}-{secrets.token_hex(4)}"
    # Not where TMPDIR says, which may be too long.
    common = Path("/tmp") / f"migrate-plugins-vbox-{os.getuid()}"  # noqa: S108 - see below
    for folder in (*(each / "migrate-plugins-vbox" for each in above), common):
        path = folder / name
        if len(os.fsencode(path)) > longest:
            continue
        with suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
                folder.chmod(0o700)
                return path
    raise OSError(0, f"there is no private folder for a socket, not even {common}")
