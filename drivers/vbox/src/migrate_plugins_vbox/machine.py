"""What ``VBoxManage showvminfo --machinereadable`` tells of a machine; pure.

Most lines are ``key=value``, some keys and values are in quotes with backslashes in front of
quotes and backslashes, some values go over several lines, and some lines are no such thing at all.
Seen with VirtualBox 7.2.22.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["FLOPPY", "MARK", "Disk", "Machine", "controllers", "read_machine"]

# Extra data of a machine that is registered only as long as it runs.
MARK: Final = "migrate-plugins/transient"

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_ENTRY: Final = re.compile(
    rf'^(?P<key>{_QUOTED}|[^"=\s][^=\n]*)=(?P<value>{_QUOTED}[^\n]*|[^\n]*)',
    re.MULTILINE | re.DOTALL,
)
_ESCAPED: Final = re.compile(r"\\([\"\\])")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SNAPSHOT: Final = re.compile(r"SnapshotName(?:-[0-9]+)*")
_NUMBER: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
# The one type of controller for floppies.
FLOPPY: Final = "I82078"


class Disk(NamedTuple):
    """A hard disk, as it is attached.

    Attributes:
        controller: Name of the storage controller.
        port: On the controller.
        device: At the port.
        uuid: Of the image.
        location: Path of the image on the host.
    """

    controller: str
    port: int
    device: int
    uuid: str
    location: str


class Machine(NamedTuple):
    """A machine that is registered on a host.

    Attributes:
        name: Need not be unique on a host.
        uuid: Is.
        state: As VirtualBox has it, such as ``teleportingin``.
        changed: When it came into this state, or None where that is not told.
        settings_file: Path of its ``.vbox`` on the host.
        memory: In MiB.
        snapshots: Their names, each before those that were taken on top of it.
        disks: Hard disks alone: neither floppies nor what is in an optical drive.
        teleporter: Whether its next start waits for a guest.
        teleporter_port: Where it would listen, or 0.
        teleporter_address: Likewise; empty for all addresses.
        values: Everything that was told, keys without quotes; of a repeated key the first.
        marked: Whether it is registered only as long as it runs.
        asked: The host's own time when it told all this, or None; what compares with *changed*.
    """

    name: str
    uuid: str
    state: str
    changed: datetime | None
    settings_file: str
    memory: int
    snapshots: tuple[str, ...]
    disks: tuple[Disk, ...]
    teleporter: bool
    teleporter_port: int
    teleporter_address: str
    values: Mapping[str, str]
    marked: bool = False
    asked: datetime | None = None


def read_machine(text: str) -> Machine:
    """Read what ``showvminfo --machinereadable`` wrote.

    Raises:
        ValueError: It tells of no machine.
    """
    values: dict[str, str] = {}
    snapshots = []
    for key, value in _entries(text):
        values.setdefault(key, value)
        if _SNAPSHOT.fullmatch(key):
            snapshots.append(value)
    uuid = values.get("UUID", "").lower()
    if not _UUID.fullmatch(uuid):
        beginning = " ".join(text.split())[:80]
        raise ValueError(f"VBoxManage showvminfo told no uuid of a machine: {beginning!r}")
    return Machine(
        name=values.get("name", ""),
        uuid=uuid,
        state=values.get("VMState", ""),
        changed=_time(values.get("VMStateChangeTime", "")),
        settings_file=values.get("CfgFile", ""),
        memory=_number(values.get("memory")),
        snapshots=tuple(snapshots),
        disks=tuple(_disks(values)),
        teleporter=values.get("teleporterenabled") == "on",
        teleporter_port=_number(values.get("teleporterport")),
        teleporter_address=values.get("teleporteraddress", ""),
        values=MappingProxyType(values),
    )


def _entries(text: str) -> Iterator[tuple[str, str]]:
    for match in _ENTRY.finditer(text.replace("\r\n", "\n")):
        yield _plain(match["key"].rstrip()), _plain(match["value"])


def _plain(text: str) -> str:
    """Take the quotes off; what is not all in quotes stays as it is.

    In names of snapshots quotes have no backslash in front.
    """
    if len(text) > 1 and text[0] == text[-1] == '"':
        return _ESCAPED.sub(r"\1", text[1:-1])
    return text


def _disks(values: Mapping[str, str]) -> Iterator[Disk]:
    for controller, kind in controllers(values):
        if kind == FLOPPY:
            continue
        image = re.compile(rf"{re.escape(controller)}-ImageUUID-([0-9]+)-([0-9]+)", re.ASCII)
        for key, uuid in values.items():
            match = image.fullmatch(key)
            if match is None:
                continue
            slot = f"{match[1]}-{match[2]}"
            if f"{controller}-IsEjected-{slot}" in values:  # told of optical drives alone
                continue
            location = values.get(f"{controller}-{slot}", "")
            yield Disk(controller, int(match[1]), int(match[2]), uuid.lower(), location)


def controllers(values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Give name and type of each storage controller."""
    for number in range(len(values)):
        name = values.get(f"storagecontrollername{number}")
        if name is None:
            return
        yield name, values.get(f"storagecontrollertype{number}", "")


def _number(text: str | None) -> int:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else 0


def _time(text: str) -> datetime | None:
    """Read a time, which is in UTC and tells nanoseconds."""
    whole, _, _ = text.removesuffix("Z").partition(".")
    try:
        return datetime.fromisoformat(whole).replace(tzinfo=UTC)
    except ValueError:
        return None
