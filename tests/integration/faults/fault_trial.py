"""One cell tried on real hosts: break, wait, heal, reconcile, and read what is true."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import libvirt
from fault_table import CRAWL, FULL, POWER_OFF, TOOL, Cell, Flow, Moment, Trial

from migrate_plugins_lab import faults
from migrate_plugins_libvirt.session import LibvirtSession, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from migrate_plugins_lab.guest import Guest
    from migrate_plugins_lab.host import Host
    from migrate_plugins_lab.lab import Lab

__all__ = ["run"]

# The copy never ends at this rate while the guest writes over 64 MiB again and again.
_RATE: Final = "100mbit"
_DIRTY: Final = {Moment.COPY: 64}
# Seconds.
_SOON: Final = 120.0
_LONGEST: Final = 150.0
_CRAWLING: Final = 12.0
_PATIENCE: Final = 240.0
_TICKS: Final = 50
_PROGRAM: Final = (sys.executable, "-m", "migrate_plugins")


class _Tool:
    """The real command, its events as they come."""

    def __init__(self, argv: list[str], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
        self.events: list[dict[str, Any]] = []
        self.words: list[str] = []
        self._changed = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, daemon=True),
            threading.Thread(target=self._hear, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool], seconds: float) -> bool:
        """Wait for an event; false where the tool ended, or took too long, without it."""
        give_up = time.monotonic() + seconds
        with self._changed:
            while not any(wanted(event) for event in self.events):
                left = give_up - time.monotonic()
                if left <= 0 or not self._readers[0].is_alive():
                    return any(wanted(event) for event in self.events)
                self._changed.wait(min(left, 0.5))
        return True

    def end(self, seconds: float) -> bool:
        """Wait for the end."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
            for reader in self._readers:
                reader.join(5)
        return self.process.returncode is not None

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                with self._changed, suppress(ValueError):
                    self.events.append(json.loads(line))
                    self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def _hear(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as words:
            self.words += words


def run(cell: Cell, lab: Lab, folder: Path) -> Trial:
    """Try a cell; the lab is clean before, and to be cleaned afterwards.

    Args:
        cell: What to break, and when.
        lab: Two hosts.
        folder: An empty one, for the tool's own state.
    """
    guest = _guest(cell, lab)
    if cell.fault is not POWER_OFF or cell.moment is not Moment.BEFORE:
        lab.fault("alpha", "bandwidth", _RATE)
    with _state(cell, lab, folder) as environment:
        return _try(cell, lab, folder, guest, environment)


def _try(cell: Cell, lab: Lab, folder: Path, guest: Guest, environment: dict[str, str]) -> Trial:
    alpha, beta = lab.hosts
    with ExitStack() as stack:
        fire = stack.enter_context(_weapon(cell, lab, folder))
        watch = None
        if cell.moment is Moment.SWITCHOVER:
            watch = stack.enter_context(_switchover(alpha, fire))
        if cell.moment is Moment.BEFORE and cell.fault is not TOOL:
            fire(0)
        tool = _Tool(_command(cell, alpha, beta), environment)
        stack.callback(_kill, tool.process)
        if watch is not None:
            watch(tool.process.pid)
        began, cancelled = _strike(cell, tool, fire)
        status = tool.process.returncode
        seconds = time.monotonic() - began
    outcome = tool.events[-1] if tool.events and "verdict" in tool.events[-1] else {}
    lab.fault("alpha", "heal")
    lab.fault("beta", "heal")
    (folder / "full").unlink(missing_ok=True)
    settled = _reconcile(environment)
    if cell.fault is not POWER_OFF and "running" in {_state_of(alpha), _state_of(beta)}:
        guest.wait_for_ticks()
    return Trial(
        cell,
        outcome.get("verdict"),
        status,
        tuple(each["id"] for each in outcome.get("diagnoses", ())),
        seconds,
        cancelled,
        _state_of(alpha),
        _state_of(beta),
        settled,
        tuple(host.name for host in lab.hosts if _stored(host)),
        guest.continuity().breaks,
        outcome.get("text") or "".join(tool.words).strip(),
    )


def _guest(cell: Cell, lab: Lab) -> Guest:
    off = {Moment.BEFORE: _TICKS // 2, Moment.COPY: 12 * _TICKS, Moment.AFTER: 16 * _TICKS}
    guest = lab.guest(
        "web1",
        persistent=True,
        dirty=_DIRTY.get(cell.moment, 1),
        memory=96,
        off=off[cell.moment] if cell.fault is POWER_OFF else 0,
    )
    guest.wait_for_ticks()
    return guest


def _command(cell: Cell, alpha: Host, beta: Host) -> list[str]:
    uris = [beta.uri] if cell.flow is Flow.DIRECT else [beta.uri, beta.peer_uri]
    argv = [*_PROGRAM, "migrate", "web1", *uris, "-c", alpha.uri, "--scenario", cell.flow]
    return [*argv, "--live", "--persistent", "--undefinesource", "--progress", "json"]


def _strike(cell: Cell, tool: _Tool, fire: Callable[[int], None]) -> tuple[float, bool]:
    """Let the fault strike at its moment, and wait for the tool's end; when it struck."""
    pid = tool.process.pid
    began = time.monotonic()
    if cell.moment is Moment.BEFORE and cell.fault is TOOL:
        tool.wait_for(lambda event: event["phase"] == "connect", _SOON)
        fire(pid)
    elif cell.moment is Moment.COPY:
        if not tool.wait_for(_sent, _SOON):
            raise AssertionError(f"{cell}: no memory was sent: {tool.words} {tool.events[-1:]}")
        began = time.monotonic()
        fire(pid)
    elif cell.moment is Moment.AFTER:
        tool.wait_for(lambda event: event["phase"] == "verify", _SOON)
        began = time.monotonic()
        fire(pid)
    if tool.end(_CRAWLING if cell.fault is CRAWL else _LONGEST):
        return began, False
    os.kill(pid, signal.SIGINT)
    if not tool.end(_SOON):
        os.kill(pid, signal.SIGINT)
        if not tool.end(5):
            raise AssertionError(f"{cell}: it does not end: {tool.events[-1:]}")
    return began, True


def _sent(event: dict[str, Any]) -> bool:
    statistics = event.get("statistics")
    return bool(statistics and statistics["transferred"])


@contextmanager
def _weapon(cell: Cell, lab: Lab, folder: Path) -> Iterator[Callable[[int], None]]:
    """Give what lets the fault strike, once; it is handed the tool's number."""
    struck = threading.Event()

    def once(strike: Callable[[int], object]) -> Callable[[int], None]:
        def fire(pid: int) -> None:
            if not struck.is_set():
                struck.set()
                strike(pid)

        return fire

    if cell.fault is TOOL:
        yield once(lambda pid: os.kill(pid, signal.SIGKILL))
        return
    if cell.fault is FULL:

        def strike_disk(_pid: int) -> None:
            _fill(folder)
            if cell.moment is Moment.COPY:  # it is to come to an end
                lab.fault("alpha", "heal")

        yield once(strike_disk)
        return
    if cell.fault.host is None:
        yield once(lambda _pid: _wait_until_off(lab))
        return
    with faults.armed(lab.host(cell.fault.host), *cell.fault.kind) as strike:
        yield once(lambda _pid: strike())


@contextmanager
def _switchover(source: Host, fire: Callable[[int], None]) -> Iterator[Callable[[int], None]]:
    """Fire when the source stops the guest to hand it over; first it is told the tool's number."""
    pids: list[int] = []

    def hear(_c: object, _d: object, event: int, detail: int, _o: object) -> None:
        if (event, detail) == (
            libvirt.VIR_DOMAIN_EVENT_SUSPENDED,
            libvirt.VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED,
        ):
            fire(pids[0])

    session = connect(source.uri, None, LibvirtSession)  # with it comes libvirt's event loop
    connection = session.connection
    kind = libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE
    number = connection.domainEventRegisterAny(None, kind, hear, None)
    try:
        yield pids.append
    finally:
        with suppress(libvirt.libvirtError):
            connection.domainEventDeregisterAny(number)
        session.close()


@contextmanager
def _state(cell: Cell, lab: Lab, folder: Path) -> Iterator[dict[str, str]]:
    """Give the tool's environment: a folder for its journal that may fill up, a way into the hosts.

    With the latter it finds out for itself what libvirt hides, as it does where hosts are reached
    over ssh.
    """
    full = cell.fault is FULL
    if full:
        size = "size=512k"
        argv = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
        subprocess.run(argv, check=True, timeout=10)
    config = folder / "config.toml"
    tables = [
        f"[hosts.{host.name}]\nuri = {json.dumps(host.uri)}\nshell = {json.dumps(host.shell)}\n"
        for host in lab.hosts
    ]
    config.write_text("\n".join(tables), encoding="utf-8")
    try:
        yield {
            **os.environ,
            "XDG_STATE_HOME": str(folder),
            "MIGRATE_PLUGINS_CONFIG": str(config),
            "NO_COLOR": "1",
        }
    finally:
        if full:
            subprocess.run(["umount", str(folder)], check=True, timeout=10)


def _wait_until_off(lab: Lab) -> None:
    give_up = time.monotonic() + 20
    while any(_state_of(host) == "running" for host in lab.hosts):
        if time.monotonic() > give_up:
            raise AssertionError("the guest does not power itself off")
        time.sleep(0.1)


def _fill(folder: Path) -> None:
    """Leave not a byte free."""
    with (folder / "full").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def _reconcile(environment: dict[str, str]) -> tuple[str, ...]:
    """Let the tool put things right, as often as a person would; what it calls the state then.

    Once a link is there again, TCP may take two minutes to try it.
    """
    give_up = time.monotonic() + _PATIENCE
    while True:
        done = subprocess.run(
            [*_PROGRAM, "reconcile", "--apply", "--watch", "--json"],
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            env=environment,
            check=False,
        )
        try:
            said = json.loads(done.stdout)
        except ValueError:
            return (f"status {done.returncode}: {done.stderr.strip()[-200:]}",)
        states = tuple(each["state"] for each in said.get("guests", []))
        if not {*states} & {"unknown", "in-progress"} or time.monotonic() > give_up:
            return states
        time.sleep(5)


def _state_of(host: Host) -> str | None:
    with suppress(Exception):
        return host.virsh("domstate", "web1").strip()
    return None


def _stored(host: Host) -> bool:
    return "web1" in host.virsh("list", "--all", "--persistent", "--name").split()


def _kill(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait(10)
