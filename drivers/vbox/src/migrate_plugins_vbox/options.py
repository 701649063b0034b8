"""What can be asked of a teleportation that libvirt's options have no words for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Self

from migrate_plugins import DriverOption, Kind, Reason, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Plan

__all__ = ["LIMIT", "OPTIONS", "Wishes", "read_password", "refusals"]

# Seconds for the whole of it, where nothing else is asked for: VirtualBox itself has no limit, and
# a guest that writes faster than its memory is sent is sent for ever.
LIMIT: Final = 30 * 60
# Seconds; what may take longer than a month has no limit.
_LONGEST: Final = 31 * 24 * 3600
# VirtualBox has it as a number of 32 bits.
_LONGEST_DOWNTIME: Final = 2**32 - 1
# Bytes that VBoxManage reads of a password.
_PASSWORD: Final = 510

OPTIONS: Final = (
    DriverOption(
        "timeout",
        f"seconds after which the teleportation is cancelled, {LIMIT} if it is not given",
        metavar="SECONDS",
        kind=Kind.NUMBER,
    ),
    DriverOption(
        "max-downtime",
        "milliseconds that the guest may stand still at the end, as VirtualBox estimates them",
        metavar="MS",
        kind=Kind.NUMBER,
    ),
    DriverOption(
        "password-file",
        "file of this machine with the teleporter's password; without, one is made up each time",
        metavar="FILE",
    ),
)


class Wishes(NamedTuple):
    """What was asked for with the driver's own options.

    Attributes:
        timeout: Seconds for the whole of it.
        max_downtime: In ms, or None for VirtualBox's own.
        password_file: Path on this machine, or None.
    """

    timeout: int = LIMIT
    max_downtime: int | None = None
    password_file: str | None = None

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Read them from a plan that was not refused."""
        given = {name: values[0] for name, values in plan.own.items()}
        timeout, downtime = given.get("timeout"), given.get("max-downtime")
        return cls(
            LIMIT if timeout is None else int(timeout),
            None if downtime is None else int(downtime),
            given.get("password-file"),
        )


def refusals(plan: Plan) -> Iterator[Reason]:
    """Give every reason why the options of *plan* cannot be taken, beyond what the core sees."""
    for name, most, instead in (
        ("timeout", _LONGEST, "a month is the longest: give at most"),
        ("max-downtime", _LONGEST_DOWNTIME, "VirtualBox takes at most"),
    ):
        for text in plan.own.get(name, ()):
            if text.isdecimal() and int(text) > most:
                told = f"-o {name}={text} is too long"
                yield Reason("own-option-value", told, f"{instead} {most}", usage=True)


def read_password(path: str) -> str:
    """Read the password of a teleporter: the first line of a file of this machine.

    Raises:
        UsageError: There is none in it that VirtualBox would take.
    """
    from pathlib import Path  # noqa: PLC0415 - planning reads no file

    asked = f"-o password-file={path}"
    try:
        with Path(path).expanduser().open("rb") as file:
            line = file.readline(_PASSWORD + 2).rstrip(b"\r\n")
    except (OSError, RuntimeError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"{asked} cannot be read: {problem}; name a file of this machine"
        ) from None
    if not line:
        raise UsageError(f"{asked} has no password in its first line; write one there")
    if len(line) > _PASSWORD:
        raise UsageError(f"{asked} has more than {_PASSWORD} bytes in its first line; take fewer")
    try:
        password = line.decode()
    except UnicodeDecodeError:
        password = ""
    if not password.isprintable() or not password:
        raise UsageError(f"{asked} has what is no text in its first line; write letters and digits")
    return password
