"""What this machine lacks before Xen hosts can be up on it: all of it at once.

:func:`look` reads the machine, :func:`problems` judges what it read and is pure.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from migrate_plugins_lab import commands
from migrate_plugins_lab.errors import PreflightError

# Each program and the Debian package it comes in.
PROGRAMS: Final = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setsid": "util-linux",
    "mount": "mount",
    "timeout": "coreutils",
    "ip": "iproute2",
    "virsh": "libvirt-clients",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "socat": "socat",
    "ssh": "openssh-client",
}

# What building the image takes besides.
BUILDERS: Final = {
    "mmdebstrap": "mmdebstrap",
    "setpriv": "util-linux",
    "chroot": "coreutils",
    "mkfs.ext4": "e2fsprogs",
    "cpio": "cpio",
    "ssh-keygen": "openssh-client",
}

MEMORY: Final = 4 << 30
"""Bytes that two hosts take, at the most."""
DISK: Final = 4 << 30
"""Bytes that an image takes while it is built; 1.2 GB of these remain."""


@dataclass(frozen=True)
class Machine:
    """What matters about this machine."""

    root: bool
    missing: tuple[str, ...]
    """The programs that are not there."""
    tun: bool
    """Whether the kernel gives out network cables for computers that are emulated."""
    memory: int
    """Bytes of memory that are available."""
    disk: int | None
    """Bytes of disk that are free for an image; None where it is built already."""


def check(*, image: Path | None) -> None:
    """Make sure that Xen hosts can be brought up.

    Args:
        image: Where an image is to be built, or None when it is there.

    Raises:
        PreflightError: They cannot; the error carries every reason.
    """
    if found := problems(look(image=image)):
        raise PreflightError(found)


def look(*, image: Path | None) -> Machine:
    """Read what matters about this machine."""
    needed = {**PROGRAMS, **(BUILDERS if image else {})}
    return Machine(
        root=os.geteuid() == 0,
        missing=tuple(name for name in needed if commands.find(name) is None),
        tun=Path("/dev/net/tun").exists(),
        memory=available(),
        disk=None if image is None else free(image),
    )


def problems(machine: Machine) -> list[str]:
    """Everything that keeps Xen hosts from being brought up, each with its remedy."""
    found = []
    if not machine.root:
        found.append(
            "Xen hosts need root, for their image and their network cables: run it with sudo"
        )
    if machine.missing:
        every = {**PROGRAMS, **BUILDERS}
        packages = sorted({every[name] for name in machine.missing})
        found.append(
            f"not installed: {', '.join(machine.missing)}; on Debian"
            f" `apt-get install {' '.join(packages)}` brings it"
        )
    if not machine.tun:
        found.append(
            "there is no /dev/net/tun: `modprobe tun` makes it, in a container"
            " `docker run --device /dev/net/tun`"
        )
    if machine.memory < MEMORY:
        found.append(f"{machine.memory >> 20} MiB of memory are available, and {MEMORY >> 20} used")
    if machine.disk is not None and machine.disk < DISK:
        found.append(
            f"{machine.disk >> 20} MiB are free for the hosts' image, and {DISK >> 20} used:"
            " free some, or set XDG_CACHE_HOME to a folder elsewhere"
        )
    return found


def available() -> int:
    """The bytes of memory that programs can still take."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) << 10
    return 0


def free(path: Path) -> int:
    """The bytes that are free where *path* is or will be."""
    there = next(each for each in [path, *path.parents] if each.exists())
    stat = os.statvfs(there)
    return stat.f_bavail * stat.f_frsize
