"""The first thing that a newcomer runs: it shows five moves and leaves nothing behind."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections import defaultdict
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

MOVES = [
    "1 of 5: managed direct: this client controls both daemons",
    "2 of 5: peer-to-peer: the source's daemon controls it",
    "3 of 5: peer-to-peer, memory tunnelled between the daemons",
    "4 of 5: peer-to-peer with the client connected to both",
    "5 of 5: the same, tunnelled",
]


@pytest.fixture
def home() -> Iterator[Path]:
    """Where the demo keeps its lab; a short path, since sockets lie in it."""
    with TemporaryDirectory(prefix="demo-") as folder:
        yield Path(folder)


@pytest.fixture
def demo(home: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "migrate_plugins", "lab", "demo"],
        env={**os.environ, "XDG_RUNTIME_DIR": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()  # its lab belongs to it, and ends with it


class Processes:
    """The processes of a lab: those that are told its folder, and all below them."""

    def __init__(self, home: Path) -> None:
        self._files = ExitStack()
        self._handles: dict[int, str] = {}
        children = defaultdict(list)
        commands = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended meanwhile
                command = (entry / "cmdline").read_bytes().decode().split("\0")
                parent = re.search(r"^PPid:\t(\d+)$", (entry / "status").read_text(), re.MULTILINE)
                assert parent is not None
                children[int(parent[1])].append(int(entry.name))
                commands[int(entry.name)] = " ".join(command)
        found = [pid for pid, command in commands.items() if f"{home}/" in command]
        while found:
            pid = found.pop()
            with suppress(ProcessLookupError):
                handle = os.pidfd_open(pid)
                self._files.callback(os.close, handle)
                self._handles[handle] = commands[pid]
            found += children.pop(pid, [])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    @property
    def programs(self) -> set[str]:
        return {Path(command.split(" ")[0]).name for command in self._handles.values()}

    def outliving(self, seconds: float) -> list[str]:
        """Wait for the end of each, and tell which have not ended."""
        left = dict(self._handles)
        while left and (ended := select.select([*left], [], [], seconds)[0]):
            for handle in ended:
                del left[handle]
        return [*left.values()]


def _up(demo: subprocess.Popen[str], home: Path) -> tuple[str, Processes]:
    """Wait until the guest runs; what was printed until then, and the lab's processes."""
    assert demo.stdout is not None
    printed = ""
    for line in demo.stdout:
        printed += line
        if line.startswith("A persistent guest"):
            return printed, Processes(home)
    pytest.fail(f"the demo ended too early: {printed}{demo.stderr and demo.stderr.read()}")


def test_demo_moves_a_guest_five_times_and_leaves_nothing_behind(
    demo: subprocess.Popen[str], home: Path
) -> None:
    printed, processes = _up(demo, home)
    with processes:
        assert {"libvirtd", "qemu-system-x86_64"} <= processes.programs

        out, err = demo.communicate(timeout=100)

        assert (demo.returncode, err) == (0, "")
        assert processes.outliving(5) == []
    assert list((home / "migrate-plugins/lab").iterdir()) == []
    lines = (printed + out).splitlines()
    assert [line for line in lines if re.match(r"\d of \d: ", line)] == MOVES
    there = "web1 is on beta now (alpha: no such guest; beta: running)"
    back = "web1 is on alpha now (beta: no such guest; alpha: running)"
    arrived = [line for line in lines if line.startswith("web1 is on ")]
    assert arrived == [there, back, there, back, there]
    *_, stored, none, life, last = lines
    assert stored == "  configurations stored on beta: web1"
    assert none == "  configurations stored on alpha: none"
    assert re.fullmatch(r"  \d{2,} counts in one life, 0 missing or repeated", life)
    assert last == "The lab is down; nothing of it is left."


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_demo_that_is_stopped_leaves_no_process(
    demo: subprocess.Popen[str], home: Path, number: signal.Signals
) -> None:
    _, processes = _up(demo, home)
    with processes:
        assert {"libvirtd", "qemu-system-x86_64"} <= processes.programs

        demo.send_signal(number)

        demo.communicate(timeout=30)
        assert demo.returncode != 0
        assert processes.outliving(10) == []
