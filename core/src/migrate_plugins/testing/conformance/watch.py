"""Watch that a piece of code contacts nobody."""

from __future__ import annotations

import sys
import threading
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
    """Note each socket, process and file that this thread opens; imports may read their files.

    Python's audit hooks cannot be taken away again: this one does nothing outside of its block.
    """

    def __init__(self) -> None:
        self.seen: Final[list[str]] = []
        self._thread: int | None = None

    def __enter__(self) -> Self:
        sys.addaudithook(self._note)
        self._thread = threading.get_ident()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread = None

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._thread is None or threading.get_ident() != self._thread:
            return
        if event in _CONTACTS or (event == "open" and not _importing(sys._getframe(1))):  # noqa: SLF001 - the one way to see who opens
            self.seen.append(f"{event} {arguments[0]!r}" if arguments else event)


def _importing(frame: FrameType | None) -> bool:
    """Whether the import system itself opens the file."""
    return frame is not None and "importlib" in frame.f_code.co_filename
