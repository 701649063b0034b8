"""What a host tells that its VirtualBox does not: one script, and what it prints."""

from __future__ import annotations

import shlex
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate_plugins_vbox.session import VBoxSession

__all__ = ["Image", "Reading", "read", "read_output"]

# A line for each thing: what it is, and what was found.
_SCRIPT: Final = """\
export LC_ALL=C.UTF-8
echo "processor $(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)"
sed -n 's/^\\(MemTotal\\|MemAvailable\\): *\\([0-9]*\\) kB$/\\1 \\2/p' /proc/meminfo
if [ -n "$path" ] && [ -e "$path" ]; then
  if [ "$(sha256sum <"$path")" = "$digest  -" ]; then echo "file source"
  elif grep -q -i -F "uuid=\\"{$uuid}\\"" -- "$path"; then echo "file own"
  else echo "file other"; fi
fi
number=0
IFS='
'
for each in $files; do
  [ -e "$each" ] || echo "lacks$number $each"
  number=$((number + 1))
done
unset IFS
# One in a hundred ends late; see VBoxManage's own module.
for limit in 1 3 0; do
  [ "$limit" -eq 0 ] || ! command -v timeout >/dev/null || set -- timeout "$limit" "$@"
  if out=$("$@" list hdds); then code=0; else code=$?; fi
  [ "$1" != timeout ] || shift 2
  [ "$code" -eq 124 ] || break
done
printf '%s\\n' "$out"
exit "$code"
"""


class Image(NamedTuple):
    """An image that a VirtualBox knows."""

    uuid: str
    location: str


class Reading(NamedTuple):
    """What a host told.

    Attributes:
        processor: Its model, or None.
        memory: All of it, in KiB, or None.
        available: What is free of it, in KiB, or None.
        in_way: Of whom a file is where the settings are to go: ``own``, ``other`` or ``source``;
            None where there is none.
        path: Where the settings are to go.
        images: Hard disks that its VirtualBox knows.
        lacking: Of the files that were asked for those that are not there.
        problem: Why it did not tell, or None.
    """

    processor: str | None = None
    memory: int | None = None
    available: int | None = None
    in_way: str | None = None
    path: str = ""
    images: tuple[Image, ...] = ()
    lacking: tuple[str, ...] = ()
    problem: str | None = None


def read(
    session: VBoxSession,
    *,
    path: str = "",
    text: str = "",
    uuid: str = "",
    files: Iterable[str] = (),
) -> Reading:
    """Ask a host.

    Args:
        session: With its VirtualBox.
        path: Where settings are to be written, if they are.
        text: The source's settings.
        uuid: Of the guest.
        files: Paths of which it is asked whether they are there.
    """
    variables = {"path": path, "digest": sha256(text.encode()).hexdigest(), "uuid": uuid}
    variables["files"] = "\n".join(files)
    lines = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    environment = (f"{name}={value}" for name, value in session.place.environment.items())
    lines.append(shlex.join(["set", "--", "env", *environment, session.found.vboxmanage]))
    answer = session.manage.runner.run("\n".join([*lines, _SCRIPT]))
    if answer.status != 0:
        told = answer.error.strip() or f"exit status {answer.status}"
        return Reading(path=path, problem=told[-300:])
    return read_output(answer.output)._replace(path=path)


def read_output(output: str) -> Reading:
    """Read what the script printed; pure."""
    told: dict[str, str] = {}
    images: list[Image] = []
    uuid = ""
    for line in output.splitlines():
        word, _, rest = line.partition(" ")
        rest = rest.strip()
        if word == "UUID:":
            uuid = rest.lower()
        elif word == "Location:":
            images.append(Image(uuid, rest))
        else:
            told.setdefault(word, rest)
    return Reading(
        told.get("processor") or None,
        _number(told.get("MemTotal")),
        _number(told.get("MemAvailable")),
        told.get("file"),
        images=tuple(images),
        lacking=tuple(path for word, path in told.items() if word.startswith("lacks")),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
