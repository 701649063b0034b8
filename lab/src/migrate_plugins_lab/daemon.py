"""The libvirtd of one host: configure, start, wait for, signal."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from migrate_plugins_lab import folder
from migrate_plugins_lab.commands import search_path
from migrate_plugins_lab.errors import CommandError, DaemonError
from migrate_plugins_lab.process import read_stat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from migrate_plugins_lab.host import Host

# What libvirtd keeps as root, and the folder of ours that takes its place on each host.
PRIVATE: Final = {
    "/etc/libvirt": "config/libvirt",
    "/var/lib/libvirt": "lib",
    "/var/cache/libvirt": "cache",
    "/var/log/libvirt": "log",
    "/run": "run",
}

# libvirtd runs as a session only when it is not root, and only as a user that it finds a record
# of: this is nobody, whom every machine knows.
_USER: Final = ("unshare", "--user", "--map-user=65534", "--map-group=65534")


# Too late, and what ssh ends with when it cannot get there.
_UNASKED: Final = (None, 255)


class State(StrEnum):
    """What a host's libvirtd is doing."""

    RUNNING = "running"
    FROZEN = "frozen"
    DEAD = "dead"
    UNREACHABLE = "unreachable"
    """The host is not there to be asked, though it runs: its cable is pulled."""


def configuration(name: str, uuid: str) -> str:
    """``libvirtd.conf``: plain TCP within the lab, a host of its own by *uuid*."""
    return "\n".join(
        [
            "listen_tls = 0",
            "listen_tcp = 1",
            'auth_tcp = "none"',
            'listen_addr = "0.0.0.0"',
            'auth_unix_rw = "none"',
            'unix_sock_rw_perms = "0700"',
            f'host_uuid = "{uuid}"',
            f'log_outputs = "3:file:{inside(name)}/libvirtd.log"',
            "",
        ]
    )


def qemu_configuration(*, privileged: bool) -> str:
    """``qemu.conf``: nothing of the machine's is needed to run a guest."""
    lines = ['security_driver = "none"', 'stdio_handler = "file"']
    if privileged:
        lines += [
            'user = "root"',
            'group = "root"',
            "dynamic_ownership = 0",
            "namespaces = []",
            "cgroup_controllers = []",
        ]
    return "\n".join([*lines, ""])


def inside(name: str) -> str:
    """The folder of the host *name*, as the lab sees it."""
    return str(folder.INSIDE / name)


def environment(name: str) -> dict[str, str]:
    """The variables of a host's libvirtd: everything it keeps lies in the host's folder."""
    here = inside(name)
    return {
        "PATH": search_path(),
        "LC_ALL": "C.UTF-8",
        "HOME": f"{here}/home",
        "XDG_CONFIG_HOME": f"{here}/config",
        "XDG_CACHE_HOME": f"{here}/cache",
        "XDG_DATA_HOME": f"{here}/data",
        "XDG_RUNTIME_DIR": f"{here}/run",
    }


def as_user(host: Host, argv: Sequence[str]) -> list[str]:
    """The same command, run by the user that libvirtd and QEMU run as."""
    return [*(() if host.privileged else _USER), *argv]


def install(host: Host, *, uuid: str) -> None:
    """Write a host's configuration and put its private folders in place."""
    here = host.folder.host(host.name)
    for below in ("home", "config/libvirt", "cache", "data", "lib", "log", "run", "disks"):
        (here / below).mkdir(mode=0o700, parents=True)
    (here / "libvirtd.conf").write_text(configuration(host.name, uuid), encoding="utf-8")
    (here / "config/libvirt/qemu.conf").write_text(
        qemu_configuration(privileged=host.privileged), encoding="utf-8"
    )
    private = {str(folder.DISKS): "disks", **(PRIVATE if host.privileged else {})}
    for target, below in private.items():
        host.run(["mount", "--bind", f"{inside(host.name)}/{below}", target])


def command(host: Host) -> list[str]:
    """What starts a host's libvirtd, for a host that shares this machine's file system."""
    variables = [f"{name}={value}" for name, value in environment(host.name).items()]
    argv = [
        *("env", "--ignore-environment", *variables),
        *("libvirtd", "--daemon", "--listen"),
        *("--config", f"{inside(host.name)}/libvirtd.conf", "--pid-file", host.pid_file),
    ]
    return as_user(host, argv)


def start(host: Host) -> None:
    """Start a host's libvirtd and wait until it answers.

    Raises:
        DaemonError: It did not start, or does not answer.
    """
    try:
        host.run(host.libvirtd, seconds=host.PATIENCE)
    except CommandError as error:
        why = f"libvirtd did not start: {error.output}"
        raise DaemonError(host.name, why=why, log=host.log()) from error
    wait(host)
    note(host)


def note(host: Host) -> None:
    """Note which process a host's libvirtd is now."""
    script = f'number=$(cat {host.pid_file}) && cat "/proc/$number/stat"'
    line = host.run(["sh", "-c", script])
    _record(host).write_text(f"{line.split()[0]} {read_stat(line)[1]}", encoding="utf-8")


def wait(host: Host) -> None:
    """Wait until a host's libvirtd answers.

    Raises:
        DaemonError: It has not, and the host's patience is at its end.
    """
    give_up = time.monotonic() + host.PATIENCE
    while True:
        try:
            host.virsh("uri", seconds=max(1.0, give_up - time.monotonic()))
        except CommandError as error:
            if time.monotonic() >= give_up or not host.anchor.process.alive():
                why = f"libvirtd does not answer: {error.output}"
                raise DaemonError(host.name, why=why, log=host.log()) from error
            time.sleep(0.05)
        else:
            return


def warm(host: Host) -> None:
    """Have a host look at itself and its QEMU now, so that its first guest need not wait for it."""
    host.virsh("capabilities", seconds=host.PATIENCE)
    host.virsh("domcapabilities", "--virttype", "qemu", "--machine", "pc", seconds=host.PATIENCE)


def state(host: Host) -> State:
    """What a host's libvirtd is doing."""
    try:
        number, started = _record(host).read_text(encoding="utf-8").split()
        letter, found = read_stat(host.run(["cat", f"/proc/{number}/stat"]))
    except FileNotFoundError:
        return State.DEAD
    except CommandError as error:
        asked = error.status not in _UNASKED
        return State.DEAD if asked or not host.alive else State.UNREACHABLE
    if found != int(started) or letter in "ZX":
        return State.DEAD
    return State.FROZEN if letter == "T" else State.RUNNING


def pid(host: Host) -> int:
    """The number of a host's libvirtd, as the lab counts.

    Raises:
        DaemonError: It is dead.
    """
    if state(host) is State.DEAD:
        raise DaemonError(
            host.name, why="its libvirtd is dead; `lab fault HOST heal` starts it", log=host.log()
        )
    return int(_record(host).read_text(encoding="utf-8").split()[0])


def thaw(host: Host) -> None:
    """Let a host's libvirtd go on that was stopped.

    Raises:
        DaemonError: It is dead.
    """
    host.run(["sh", "-c", f"kill -s CONT {pid(host)}"])


def _record(host: Host) -> Path:
    return host.folder.host(host.name) / "libvirtd.process"
