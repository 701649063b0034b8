"""Programs run to their end, always with a time limit."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from migrate_plugins_lab.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

# An ordinary user's PATH lacks these on Debian, and libvirtd, tc and nft lie there.
_SBIN: Final = ("/usr/local/sbin", "/usr/sbin", "/sbin")

SECONDS: Final = 20.0


def search_path() -> str:
    """Where programs are looked for: the user's PATH, then the system folders."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *_SBIN])


def find(program: str) -> str | None:
    """The path of *program*, or None."""
    return shutil.which(program, path=search_path())


def environment() -> dict[str, str]:
    """The variables every program gets: messages in English, programs found."""
    return {**os.environ, "PATH": search_path(), "LC_ALL": "C.UTF-8"}


def run(argv: Sequence[str], *, seconds: float = SECONDS, stdin: str = "") -> str:
    """Run *argv* and return what it printed.

    Raises:
        CommandError: It failed, took longer than *seconds*, or does not exist.
    """
    try:
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            env=environment(),
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        said = (expired.stderr or b"").decode(errors="replace")
        raise CommandError(argv, status=None, output=said or f"{seconds:g} s") from expired
    except FileNotFoundError as missing:
        raise CommandError(argv, status=127, output=f"no program {argv[0]!r}") from missing
    if done.returncode:
        raise CommandError(argv, status=done.returncode, output=done.stderr or done.stdout)
    return done.stdout
