"""Watch that a piece of code contacts nobody."""

from __future__ import annotations

import sys
import threading
from functools import cache
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from types import FrameType, TracebackType

__all__ = ["Watch"]

_CONTACTS: Final = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.system",
        "pty.spawn",
        "socket.__new__",
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.getnameinfo",
        "socket.sendmsg",
        "socket.sendto",
        "subprocess.Popen",
        "urllib.Request",
    }
)


class Watch:
    """Note each socket, process and file that this thread opens; imports may read their files."""

    def __init__(self) -> None:
        self.seen: Final[list[str]] = []
        self._thread = threading.get_ident()

    def __enter__(self) -> Self:
        _watches().append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _watches().remove(self)

    def note(self, event: str, arguments: tuple[object, ...], frame: FrameType | None) -> None:
        """Note an event of Python's audit, if it tells of a contact."""
        if threading.get_ident() != self._thread:
            return
        if event in _CONTACTS or (event == "open" and not _importing(frame)):
            self.seen.append(f"{event} {arguments[0]!r}" if arguments else event)


@cache
def _watches() -> list[Watch]:
    """Give the watches that are on, heard by the one audit hook of the process.

    Python has no way to take such a hook away again; this one does nothing while there is no watch.
    """
    watches: list[Watch] = []

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if watches and (event == "open" or event in _CONTACTS):
            frame = sys._getframe(1)  # noqa: SLF001 - the one way to see who opens
            for watch in watches:
                watch.note(event, arguments, frame)

    sys.addaudithook(hear)
    return watches


def _importing(frame: FrameType | None) -> bool:
    """Whether the import system itself opens the file."""
    return frame is not None and "importlib" in frame.f_code.co_filename
