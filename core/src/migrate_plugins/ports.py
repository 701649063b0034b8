"""Choose a port and *hold* it, so that no two migrations towards one host get the same.

A held port is a lock on a file that all processes of this machine share.  The kernel takes the
lock away with the process, so a crash leaks nothing.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from migrate_plugins.errors import PortHeldError, PortsExhaustedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from migrate_plugins.model import PortRule

__all__ = ["HeldPort", "PortLedger"]

# Debian and its kin: on a tmpfs, writable for everyone, sticky.
_LOCKS: Final = Path("/run/lock")
_SHARED_FOLDER: Final = 0o1777
_SHARED_FILE: Final = 0o666


class HeldPort:
    """A port that is ours until :meth:`release`, or until this process ends."""

    def __init__(self, number: int, descriptor: int) -> None:
        self.number: Final = number
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let others have the port; again is no error."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


class PortLedger:
    """The ports that the processes of this machine hold, by destination host."""

    def __init__(self, folder: Path | None = None) -> None:
        """Keep the locks in *folder*; by default in one that all users of the machine share."""
        shared = _LOCKS if os.access(_LOCKS, os.W_OK) else Path(tempfile.gettempdir())
        self._folder = folder or shared / "migrate-plugins"

    def choose(
        self,
        rule: PortRule,
        host: str,
        select: Callable[[PortRule, str, frozenset[int]], int | None],
        taken: frozenset[int] = frozenset(),
    ) -> HeldPort:
        """Hold the port of *rule* that *select* likes best among those that can be had.

        Args:
            rule: The range.
            host: The destination.
            select: Chooses one that is not taken.
            taken: Ports that something else listens on there.

        Raises:
            PortsExhaustedError: *select* has none left.
        """
        while (port := select(rule, host, taken)) is not None:
            held = self._hold(host, port)
            if held is not None:
                return held
            taken |= {port}
        raise PortsExhaustedError(host, first=rule.first, last=rule.last)

    def hold(self, host: str, port: int) -> HeldPort:
        """Hold the very port that somebody asked for.

        Raises:
            PortHeldError: Another migration has it.
        """
        held = self._hold(host, port)
        if held is None:
            raise PortHeldError(host, port=port)
        return held

    def _hold(self, host: str, port: int) -> HeldPort | None:
        descriptor = _open_shared(self._folder / f"{_file_name(host)}-{port}.lock")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return HeldPort(port, descriptor)


def _file_name(host: str) -> str:
    """Spell a host the same way however it was written: case, final dot, long IPv6."""
    from ipaddress import ip_address  # noqa: PLC0415 - only a migration that runs holds ports

    name = host.lower().rstrip(".")
    with suppress(ValueError):
        name = str(ip_address(name))
    return name.replace("/", "_")


def _open_shared(path: Path) -> int:
    """Open a lock file that every user of the machine may lock."""
    try:
        path.parent.mkdir(mode=_SHARED_FOLDER)
        path.parent.chmod(_SHARED_FOLDER)  # past the umask
    except FileExistsError:
        pass
    # Without O_CREAT: in a sticky folder the kernel refuses that on somebody else's file.
    with suppress(FileNotFoundError):
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    # It gets its name last, so that nobody finds it before everybody may open it.
    descriptor, nameless = tempfile.mkstemp(dir=path.parent)
    try:
        os.fchmod(descriptor, _SHARED_FILE)
        os.link(nameless, path)
    except FileExistsError:
        os.close(descriptor)
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    finally:
        Path(nameless).unlink()
    return descriptor
