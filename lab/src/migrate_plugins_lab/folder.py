"""Where a lab keeps things, outside and inside.

One folder per lab, owned by one user::

    lab.json            the record: its process, its hosts; written last, so its presence means up
    init.log            what the first process complained about
    tick.bin            the guests' program
    hosts               /etc/hosts of every host
    guests/NAME.ID.xml  what each guest was made from
    serial/NAME.ID.log  what each guest prints, from whichever host it is on
    HOST/               configuration, sockets, logs and private disks of one host

Inside the lab the same folder is ``/mnt``.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from migrate_plugins_lab.errors import ArgumentError, BusyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

INSIDE: Final = PurePosixPath("/mnt")

# Guests' disks, inside: the same path on every host, and a different folder behind it.
DISKS: Final = INSIDE / "disks"

# struct sockaddr_un holds 108 bytes, the last one a zero.
SOCKET_PATH_MAX: Final = 107

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class Folder:
    """The folder of one lab, which need not exist."""

    path: Path

    @classmethod
    def of(cls, name: str, environ: Mapping[str, str] = os.environ) -> Folder:
        """The folder of the lab *name* of this user.

        Raises:
            ArgumentError: *name* is no name for a lab, or makes a socket's path too long.
        """
        if not _NAME.fullmatch(name):
            raise ArgumentError(
                "the lab's name",
                name,
                wrong="it has other characters than small letters, digits and hyphens, or is long",
                hint="up to 40 of these work, such as 'default'",
            )
        folder = cls(home(environ) / name)
        longest = len(os.fsencode(folder.socket("epsilon")))
        if longest > SOCKET_PATH_MAX:
            raise ArgumentError(
                "the lab's folder",
                str(folder.path),
                wrong=f"its sockets would have paths of {longest} bytes, and {SOCKET_PATH_MAX} is"
                " the most a UNIX socket can have",
                hint="a shorter name, or a shorter XDG_RUNTIME_DIR, works",
            )
        return folder

    @property
    def name(self) -> str:
        """The lab's name."""
        return self.path.name

    @property
    def record(self) -> Path:
        """The lab's record."""
        return self.path / "lab.json"

    @property
    def log(self) -> Path:
        """What the first process complained about."""
        return self.path / "init.log"

    def host(self, name: str) -> Path:
        """The folder of one host."""
        return self.path / name

    def socket(self, host: str) -> Path:
        """The UNIX socket of a host's libvirtd, as a client outside opens it."""
        return self.host(host) / "run/libvirt/libvirt-sock"

    def create(self) -> None:
        """Make the folder, for this user alone; its lock is held."""
        self.path.mkdir(mode=0o700)

    def remove(self) -> None:
        """Delete the folder and all in it, if it is there."""
        shutil.rmtree(self.path, ignore_errors=True)

    @contextlib.contextmanager
    def locked(self, *, seconds: float = 60.0) -> Iterator[None]:
        """Hold the lab's lock: one process at a time makes, ends or sweeps a lab.

        Raises:
            BusyError: Another process has held it for *seconds*.
        """
        claim(self.path.parent)
        path = self.path.with_suffix(".lock")
        give_up = time.monotonic() + seconds
        while (lock := take(path)) is None:
            if time.monotonic() >= give_up:
                raise BusyError(self.name, seconds=seconds)
            time.sleep(0.05)
        try:
            yield
        finally:
            # Removed while held, so that nobody can be holding the file that goes.
            path.unlink(missing_ok=True)
            os.close(lock)


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of all labs of this user."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    # After `su` the variable may still name the folder of someone else.
    if runtime and os.access(runtime, os.W_OK):
        return Path(runtime, "migrate-plugins", "lab")
    return Path(f"/tmp/migrate-plugins-{os.geteuid()}", "lab")  # noqa: S108 -- see claim()


def claim(labs: Path) -> None:
    """Make the folder of all labs, or refuse one that another user could write to.

    Raises:
        ArgumentError: It is there already, and not this user's alone.
    """
    with contextlib.suppress(FileExistsError):
        labs.parent.mkdir(mode=0o700)
    found = labs.parent.lstat()
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not mine or found.st_mode & 0o022:
        raise ArgumentError(
            "the folder of the labs",
            str(labs.parent),
            wrong="it is not a folder that only you can write to",
            hint="remove it, or set XDG_RUNTIME_DIR to a folder of your own",
        )
    labs.mkdir(mode=0o700, exist_ok=True)


def take(path: Path) -> int | None:
    """Lock the file at *path*: an open file, or None when somebody else holds it."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with contextlib.suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The last holder may have removed the file between our open and our lock.
        if os.fstat(lock).st_ino == path.stat().st_ino:
            return lock
    os.close(lock)
    return None
