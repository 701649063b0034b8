"""The file with the teleporter's password, on the client's own machine."""

from __future__ import annotations

import shlex
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from migrate_plugins import Finding, Severity, UsageError
from migrate_plugins_vbox.options import Wishes, read_password

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Plan

__all__ = ["check_password"]


def check_password(plan: Plan) -> Iterator[Finding]:
    """Look at the file that ``-o password-file`` names, if it names one."""
    given = Wishes.of(plan).password_file
    if given is None:
        return
    try:
        read_password(given)
    except UsageError as error:
        yield Finding(
            "password-file-unusable",
            Severity.ERROR,
            None,
            str(error),
            seen=given,
            expected="a password in the first line",
            remedy="leave the option out, and a password is made up; or write one there:"
            f" (umask 077; head -c 18 /dev/urandom | base64 >{shlex.quote(given)})",
            acceptable=False,
        )
        return
    mode = stat.S_IMODE(Path(given).expanduser().stat().st_mode)
    if mode & 0o077:
        yield Finding(
            "password-file-exposed",
            Severity.ERROR,
            None,
            f"others on this machine may read the password in {given}, or change it",
            seen=f"mode {mode:04o}",
            expected="mode 0600",
            remedy=f"chmod 600 {shlex.quote(given)}",
        )
