"""What this machine lacks before a lab can be up on it: all of it at once.

:func:`look` reads the machine, :func:`problems` judges what it read and is pure.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from migrate_plugins_lab import commands, daemon
from migrate_plugins_lab.anchor import unshare
from migrate_plugins_lab.errors import CommandError, PreflightError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Each program and the Debian package it comes in.
PROGRAMS: Final = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setsid": "util-linux",
    "mount": "mount",
    "hostname": "hostname",
    "timeout": "coreutils",
    "ip": "iproute2",
    "tc": "iproute2",
    "nft": "nftables",
    "libvirtd": "libvirt-daemon",
    "virsh": "libvirt-clients",
    "qemu-system-x86_64": "qemu-system-x86",
    # Not a program: without this module libvirtd starts, and knows no guests.
    "libvirt_driver_qemu.so": "libvirt-daemon-driver-qemu",
}

_DRIVER_FOLDERS: Final = ("usr/lib*", "usr/lib/*", "usr/local/lib*")

# Settings that keep ordinary users from making namespaces, the value that does, and the mending
# one.
_SETTINGS: Final = {
    "kernel.apparmor_restrict_unprivileged_userns": ("1", "0"),
    "kernel.unprivileged_userns_clone": ("0", "1"),
    "user.max_user_namespaces": ("0", "10000"),
}


@dataclass(frozen=True)
class Machine:
    """What matters about this machine."""

    root: bool
    apt: bool
    """Whether packages are installed with ``apt-get``."""
    missing: tuple[str, ...]
    """The programs, drivers and folders that are not there."""
    settings: Mapping[str, str]
    namespaces: str
    """What the kernel said when namespaces were tried; empty when they could be made."""


def check(*, privileged: bool) -> None:
    """Make sure that a lab can be brought up.

    Raises:
        PreflightError: It cannot; the error carries every reason.
    """
    if found := problems(look(privileged=privileged), privileged=privileged):
        raise PreflightError(found)


def look(*, privileged: bool) -> Machine:
    """Read what matters about this machine."""
    missing = [name for name in PROGRAMS if commands.find(name) is None and not driver(name)]
    if privileged:
        missing += [target for target in daemon.PRIVATE if not Path(target).is_dir()]
    return Machine(
        root=os.geteuid() == 0,
        apt=commands.find("apt-get") is not None,
        missing=tuple(missing),
        settings={name: setting(name) for name in _SETTINGS},
        namespaces="" if "unshare" in missing else namespaces(privileged=privileged),
    )


def driver(name: str) -> bool:
    """Whether *name* is one of libvirt's driver modules, and installed."""
    return any(
        next(Path("/").glob(f"{folder}/libvirt/connection-driver/{name}"), None)
        for folder in _DRIVER_FOLDERS
    )


def problems(machine: Machine, *, privileged: bool) -> list[str]:
    """Everything that keeps a lab from being brought up, each with its remedy."""
    found = []
    if machine.missing:
        found.append(_missing(machine))
    if privileged and not machine.root:
        found.append("--privileged needs root: run it with sudo, or without --privileged")
    elif machine.namespaces:
        found.append(_namespaces(machine, privileged=privileged))
    return found


def setting(name: str) -> str:
    """The value of a kernel setting, or nothing when this kernel does not have it."""
    try:
        return Path("/proc/sys", *name.split(".")).read_text(encoding="ascii").strip()
    except OSError:
        return ""


def namespaces(*, privileged: bool) -> str:
    """Try to make a lab's namespaces: what went wrong, or nothing."""
    try:
        commands.run([*unshare(privileged=privileged), "mount", "-t", "proc", "proc", "/proc"])
    except CommandError as error:
        return error.output
    return ""


def _missing(machine: Machine) -> str:
    if not machine.apt:
        return f"not installed: {', '.join(machine.missing)}"
    # What is left, libvirt's own folders, comes with the package that runs it as a service.
    packages = {PROGRAMS.get(name, "libvirt-daemon-system") for name in machine.missing}
    return f"not installed: `apt-get install {' '.join(sorted(packages))}` brings it"


def _namespaces(machine: Machine, *, privileged: bool) -> str:
    said = f"namespaces cannot be made ({machine.namespaces}): "
    if privileged:
        return said + "in a container, run it with CAP_SYS_ADMIN (`docker run --privileged`)"
    remedies = [
        f"`sysctl -w {name}={good}` allows them"
        for name, (bad, good) in _SETTINGS.items()
        if machine.settings.get(name) == bad
    ]
    return said + ", or ".join([*remedies, "root can do without them: `lab up --privileged`"])
