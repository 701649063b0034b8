"""A proxy between source and target of a teleportation that breaks it on request.

It is a program of its own, since it stands in the site's network: ``proxy.py LISTEN TARGET PORT
FAULT``.  It takes one connection, and prints in the end how many bytes went to the target.

What VirtualBox speaks, seen with 7.2.22: the target greets with a line; the source sends its
password, ``load``, the whole state of the guest, ``lock-media`` and ``hand-over-resume``, and the
target answers each of the five with the line ``ACK``.
"""

from __future__ import annotations

import os
import selectors
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vbox.site import Site

# Seconds that the program lives at most.
_LIFE: Final = 60.0
_ACK: Final = b"ACK\n"


class Faults:
    """What can be asked for, as words of the command line."""

    NONE: Final = "none"

    @staticmethod
    def cut(sent: int) -> str:
        """Break the connection once so many bytes have gone to the target."""
        return f"cut:{sent}"

    @staticmethod
    def hold(sent: int) -> str:
        """Keep everything back once so many bytes have gone to the target, but the end."""
        return f"hold:{sent}"

    @staticmethod
    def silent(sent: int) -> str:
        """Pass nothing on any more once so many bytes have gone to the target."""
        return f"silent:{sent}"

    @staticmethod
    def mute(answer: int) -> str:
        """Keep an answer of the target back, the first is 1, and pass nothing on any more."""
        return f"mute:{answer}"

    @staticmethod
    def swallow(answer: int) -> str:
        """Keep an answer of the target back, the first is 1, and break the connection."""
        return f"swallow:{answer}"


class Proxy:
    """A proxy that runs."""

    def __init__(self, process: subprocess.Popen[str], host: str, port: int) -> None:
        self._process: Final = process
        self.uri: Final = f"vboxmigr://{host}:{port}/"

    def sent(self) -> int:
        """Wait for its end, and give how many bytes went to the target."""
        out, _ = self._process.communicate(timeout=_LIFE)
        return int(out.split()[-1])


@contextmanager
def between(site: Site, port: int, fault: str = Faults.NONE) -> Iterator[Proxy]:
    """Have a proxy stand before beta; the migration URI through it is the proxy's."""
    from vbox.site import ADDRESSES, BETA, PROXY  # noqa: PLC0415 - the program needs no site

    words = [ADDRESSES[PROXY], ADDRESSES[BETA], str(port), fault]
    command = [*site.way, sys.executable, "-I", __file__, *words]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "listening\n":
                raise RuntimeError("the proxy does not listen")
            yield Proxy(process, PROXY, port)
        finally:
            # It ends with its input: what we have started is only on the way to it.
            if process.stdin is not None:
                process.stdin.close()


def _main(listen: str, target: str, port: int, fault: str) -> None:
    threading.Thread(target=_end_with_input, daemon=True).start()
    broken = _Fault(fault)
    socket.setdefaulttimeout(_LIFE)
    with socket.create_server((listen, port)) as server:
        print("listening", flush=True)  # noqa: T201 - what whoever started it waits for
        source, _ = server.accept()
    with source, socket.create_connection((target, port)) as there:
        _pass_on(source, there, broken)
        if broken.kind in {"cut", "swallow"}:
            for each in (source, there):  # at once, with a reset
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    print(broken.sent, flush=True)  # noqa: T201 - likewise


class _Fault:
    """What is to go wrong, and how far it is."""

    def __init__(self, text: str) -> None:
        self.kind, _, number = text.partition(":")
        self._number = int(number or 0)
        self.sent = 0
        self._answers = 0
        self._held = b""

    @property
    def due(self) -> bool:
        """Whether it is time, for those that count what is sent."""
        return self.kind in {"cut", "hold", "silent"} and self.sent >= self._number

    def out(self, data: bytes) -> bytes:
        """Give what of *data* goes to the target."""
        data = data[: self._number - self.sent] if self.kind == "cut" else data
        self.sent += len(data)
        return data

    def back(self, data: bytes) -> tuple[bytes, bool]:
        """Give what of *data* goes to the source, and whether it is time now."""
        if self.kind not in {"mute", "swallow"}:
            return data, False
        passed = b""
        self._held += data
        while b"\n" in self._held:
            line, _, self._held = self._held.partition(b"\n")
            self._answers += line + b"\n" == _ACK
            if self._answers == self._number:
                return passed, True
            passed += line + b"\n"
        return passed, False


def _pass_on(source: socket.socket, there: socket.socket, fault: _Fault) -> None:
    """Pass everything on until the fault, or the end."""
    with selectors.DefaultSelector() as selector:
        selector.register(source, selectors.EVENT_READ, there)
        selector.register(there, selectors.EVENT_READ, source)
        while selector.get_map():
            for key, _ in selector.select(_LIFE):
                if fault.due and fault.kind == "silent":
                    time.sleep(_LIFE)  # not even that one of the two has gone is passed on
                data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                if fault.due and not data:
                    return
                if not data:
                    selector.unregister(key.fileobj)
                    with suppress(OSError):
                        key.data.shutdown(socket.SHUT_WR)
                elif not fault.due and _passed(source, there, fault, data, key.fileobj is source):
                    return


def _passed(
    source: socket.socket, there: socket.socket, fault: _Fault, data: bytes, out: bool
) -> bool:
    """Pass data on; whether the fault has come with it."""
    if out:
        there.sendall(fault.out(data))
        return fault.due and fault.kind == "cut"
    passed, now = fault.back(data)
    source.sendall(passed)
    if now and fault.kind == "mute":
        time.sleep(_LIFE)
    return now


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
