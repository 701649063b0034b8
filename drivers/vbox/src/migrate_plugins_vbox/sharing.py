"""Whether two hosts have a file on the same storage: shown by a file that is written for it.

VirtualBox compares no disks, and a copy of an image has the uuid of the image.  So next to each
file a small hidden one is made on the source, is looked for on the destination, and removed.  That
takes one script for each of the three, however many files there are.
"""

from __future__ import annotations

import secrets
import shlex
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrate_plugins_vbox.runner import Runner

__all__ = ["Pair", "Proof", "Sharing", "prove"]

# Seconds for each script: storage of a network may have to be mounted first.
_SECONDS: Final = 20.0

# Both print what the machine is, and of each file one line: number, what was found, device and
# inode, what we may do with it, and its real path.
_COMMON: Final = """\
umask 022
echo "kernel $(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
tell() {
  may=; [ -r "$real" ] && may=r; [ -w "$real" ] && may=${may}w
  printf '%s\\t%s\\t%s\\t%s\\t%s\\n' "$number" "$1" \
    "$(stat -L -c %d:%i -- "$real" 2>/dev/null)" "$may" "$real"
}
number=0
for path; do
  real=$(readlink -f -- "$path" 2>/dev/null) || real=$path
  if [ -e "$real" ]; then look; else tell missing; fi
  number=$((number + 1))
done
"""
# Two files of one folder share the file that is made there.
_WRITE: Final = """\
look() {
  probe=${real%/*}/$name
  if (set -C; printf '%s\\n' "$content" >"$probe") 2>/dev/null; then tell written
  elif [ "$(cat -- "$probe" 2>/dev/null)" = "$content" ]; then tell written
  else tell unwritten; fi
}
"""
# A client of a network's storage may be some moments behind.
_SEEK: Final = """\
look() {
  probe=${real%/*}/$name
  for pause in 0.3 0.6 ''; do
    if [ "$(cat -- "$probe" 2>/dev/null)" = "$content" ]; then tell seen; return; fi
    [ -z "$pause" ] || [ "$waited" = yes ] || sleep "$pause"
  done
  waited=yes
  tell unseen
}
"""
_REMOVE: Final = """\
for path; do
  real=$(readlink -f -- "$path" 2>/dev/null) || real=$path
  probe=${real%/*}/$name
  if [ "$(cat -- "$probe" 2>/dev/null)" = "$content" ]; then rm -f -- "$probe"; fi
done
"""


class Sharing(Enum):
    """What is known of a file on two hosts."""

    SHARED = "it is the same file on both"
    OTHER = "it is another file there"
    MISSING = "it is not there"
    GONE = "it is not on the source"
    UNKNOWN = "nobody can tell"


class Pair(NamedTuple):
    """A file on the source, and what is to be the same one on the destination."""

    here: str
    there: str


class Proof(NamedTuple):
    """What was found of a pair.

    Attributes:
        pair: The files.
        sharing: What is known.
        why: What shows it, or why nobody can tell.
        readable: Whether the destination's user may read it.
        writable: Whether the destination's user may write it.
    """

    pair: Pair
    sharing: Sharing
    why: str
    readable: bool = False
    writable: bool = False


class _Seen(NamedTuple):
    found: str
    stat: str
    may: str
    real: str


def prove(source: Runner, destination: Runner, pairs: Sequence[Pair]) -> tuple[Proof, ...]:
    """Tell of each pair whether it is one file.

    Args:
        source: Runs scripts on the source.
        destination: Runs scripts on the destination.
        pairs: Absolute paths.
    """
    if not pairs:
        return ()
    name, content = f".migrate-plugins-{secrets.token_hex(8)}", secrets.token_hex(16)
    variables = f"name={name}\ncontent={content}\n"
    here = shlex.join(["set", "--", *(pair.here for pair in pairs)])
    there = shlex.join(["set", "--", *(pair.there for pair in pairs)])
    try:
        wrote = source.run(f"{variables}{here}\n{_WRITE}{_COMMON}", seconds=_SECONDS)
        saw = destination.run(f"{variables}{there}\n{_SEEK}{_COMMON}", seconds=_SECONDS)
    finally:
        source.run(f"{variables}{here}\n{_REMOVE}", seconds=_SECONDS)
    failed = next((each.error.strip() for each in (wrote, saw) if each.status != 0), None)
    if failed is not None:
        why = f"the look at the files failed: {failed[-200:]}"
        return tuple(Proof(pair, Sharing.UNKNOWN, why) for pair in pairs)
    kernel, on_source = _read(wrote.output)
    other, on_destination = _read(saw.output)
    one = bool(kernel) and kernel == other
    return tuple(
        judge(pair, on_source.get(number), on_destination.get(number), one_kernel=one)
        for number, pair in enumerate(pairs)
    )


def judge(pair: Pair, here: _Seen | None, there: _Seen | None, *, one_kernel: bool) -> Proof:
    """Tell of one pair; pure.

    Args:
        pair: The files.
        here: What was found on the source.
        there: What was found on the destination.
        one_kernel: Whether both are on one machine.
    """
    if here is None or there is None:
        return Proof(pair, Sharing.UNKNOWN, "a host did not tell of it")
    if here.found == "missing":
        return Proof(pair, Sharing.GONE, f"{here.real} is not on the source")
    if there.found == "missing":
        return Proof(pair, Sharing.MISSING, f"{there.real} is not on the destination")
    may = {"readable": "r" in there.may, "writable": "w" in there.may}
    same = _one_file(here.stat, there.stat) if one_kernel else None
    numbers = (
        f"device and inode {here.stat or 'unread'} on the source, {there.stat or 'unread'} there"
    )
    if here.found != "written":
        folder = here.real.rpartition("/")[0] or "/"
        if same is not None:
            return Proof(pair, Sharing.SHARED if same else Sharing.OTHER, numbers, **may)
        return Proof(pair, Sharing.UNKNOWN, f"no file could be written in {folder} to try", **may)
    if there.found != "seen":
        why = f"a file that was written next to {here.real} is not next to {there.real}"
        return Proof(pair, Sharing.OTHER, why, **may)
    if here.real.rpartition("/")[2] != there.real.rpartition("/")[2] and not same:
        why = f"the folder is shared, and {there.real} is another file in it than {here.real}"
        return Proof(pair, Sharing.OTHER, why, **may)
    if same is False:  # something else is mounted over one of them
        return Proof(pair, Sharing.OTHER, numbers, **may)
    return Proof(
        pair, Sharing.SHARED, f"what was written next to {here.real} was read there", **may
    )


def _one_file(here: str, there: str) -> bool | None:
    """Tell by device and inode of one machine whether it is one file; None where they do not say.

    What is mounted in layers has other devices for one file.
    """
    device, inode, *_ = (*here.split(":"), "", "")
    other, number, *_ = (*there.split(":"), "", "")
    if not device or device != other:
        return None
    return inode == number


def _read(output: str) -> tuple[str, Mapping[int, _Seen]]:
    """Read what a script printed: which kernel, and each file by its number."""
    kernel, seen = "", {}
    for line in output.splitlines():
        if line.startswith("kernel "):
            kernel = line.removeprefix("kernel ").strip()
        elif line.count("\t") == len(_Seen._fields):
            number, *rest = line.split("\t")
            seen[int(number)] = _Seen(*rest)
    return kernel, seen
