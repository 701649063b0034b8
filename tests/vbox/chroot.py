"""The system of both hosts: a Debian sid with VirtualBox in a folder, made once and kept."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
CACHE: Final = HERE.parents[1] / ".cache/vbox"

_SECONDS: Final = 600
_KEPT_SECONDS: Final = 14 * 24 * 3600.0
_DEBIAN: Final = ("Created-By: Packages", "Origin: Debian", "Label: Debian")
_NEEDED: Final = {"debootstrap": "debootstrap", "unshare": "util-linux", "chroot": "coreutils"}


class ChrootError(Exception):
    """The chroot cannot be made; says what is missing, or what failed."""


def chroot() -> Path:
    """Find the chroot, and make it first where it is not there yet.

    Two that ask at once make it once; nobody ever sees half of one, and what somebody left half
    made is removed.

    Raises:
        ChrootError: We are not root, something is missing, or it could not be made.
    """
    if os.geteuid() != 0:
        raise ChrootError("hosts with VirtualBox are made by root: run the tests as root")
    mirror = _mirror()
    CACHE.mkdir(parents=True, exist_ok=True)
    made = CACHE / f"sid-{_key(mirror)}"
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _make(made, mirror)
            _forget_old(made)
        os.utime(made)  # it is in use
    return made


def _mirror() -> str:
    """Say where this machine has its Debian from.

    Raises:
        ChrootError: It has none.
    """
    told = _run("apt-get", "indextargets", "--format", "$(REPO_URI)", *_DEBIAN, seconds=20)
    if not told.strip():
        raise ChrootError("apt knows no Debian archive: run apt-get update, on Debian")
    return told.split()[0]


def _key(mirror: str) -> str:
    """What the chroot is made of."""
    digest = hashlib.sha256(mirror.encode())
    for name in ("chroot.sh", "headless_stand_in.py"):
        digest.update(b"\0" + (HERE / name).read_bytes())
    return digest.hexdigest()[:16]


def _make(made: Path, mirror: str) -> None:
    for program, package in _NEEDED.items():
        if shutil.which(program, path=_path()) is None:
            raise ChrootError(
                f"{program} is missing (Debian: {package}): ./scripts/setup brings it"
            )
    for left in CACHE.glob("partial-*"):  # we hold the lock: whoever made it is dead
        shutil.rmtree(left)
    partial = Path(tempfile.mkdtemp(prefix="partial-", dir=CACHE))
    partial.chmod(0o755)
    alone = ("unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child")
    script = ("bash", HERE / "chroot.sh", partial, mirror, HERE / "headless_stand_in.py")
    try:
        _run(*alone, "--mount-proc", *script, seconds=_SECONDS)
        partial.replace(made)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _forget_old(made: Path) -> None:
    now = time.time()
    for old in CACHE.glob("sid-*"):
        if old != made and now - old.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(old)


def _path() -> str:
    """Where programs are: an ordinary PATH lacks the last ones on Debian."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


def _run(*command: str | Path, seconds: float) -> str:
    """Run a program to its end and return what it printed.

    Raises:
        ChrootError: It is missing, failed or took too long; with the end of what it said.
    """
    environment = {**os.environ, "PATH": _path(), "LC_ALL": "C.UTF-8"}
    name = str(command[0])
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError as missing:
        raise ChrootError(f"{name} is missing: this takes Debian") from missing
    except subprocess.TimeoutExpired as late:
        raise ChrootError(f"the chroot was not made within {seconds:g} s") from late
    if done.returncode:
        raise ChrootError(f"{name} ended with {done.returncode}:\n{done.stdout[-2000:]}")
    return done.stdout
