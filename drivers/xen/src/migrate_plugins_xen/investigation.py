"""What an error hides: what libxl wrote of it on either host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from migrate_plugins import DriverError, Seat
from migrate_plugins_xen.diagnoses import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrate_plugins import Access, Diagnosis, MigrateError, Shell

__all__ = ["investigate"]

_SECONDS: Final = 5.0
# The log of the whole driver: what it wrote within the last minute is of this failure. Its times
# are those of its own host, which alone can say what that is.
_LOG: Final = r"""
log=/var/log/libvirt/libxl/libxl-driver.log
[ -n "$(find "$log" -mmin -2 2>/dev/null)" ] || exit 0
since=$(date -u -d '-60 seconds' '+%Y-%m-%d %H:%M:%S')
tail -n 200 "$log" | awk -v since="$since" 'substr($0, 1, 19) >= since'
"""
# What libvirt says where it knows no more than that nothing arrived.
_HIDING: Final = re.compile(r"Failed to send migration data to destination host")


def investigate(error: MigrateError, source: Access, destination: Access) -> Sequence[Diagnosis]:
    """Give what can be seen of the reason on both hosts."""
    if not isinstance(error, DriverError) or not _HIDING.search(error.problem):
        return []
    return [*_log(source.shell, Seat.SOURCE), *_log(destination.shell, Seat.DESTINATION)]


def _log(shell: Shell | None, seat: Seat) -> Iterator[Diagnosis]:
    if shell is None:
        return
    told = shell.run(["sh", "-c", _LOG], seconds=_SECONDS).output
    for diagnosis in CATALOGUE.diagnose(told):
        yield diagnosis._replace(
            cause=f"{diagnosis.cause} (libxl-driver.log on the {seat} says so)"
        )
