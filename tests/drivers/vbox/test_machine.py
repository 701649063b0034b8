"""What VBoxManage tells of a machine is read, whatever else stands in it.

The texts in ``recorded`` are VirtualBox's own: tests/integration/vbox/test_recordings.py.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins_vbox.machine import Disk, Machine, read_machine

RECORDED = Path(__file__).parent / "recorded"
PRIVATE = "/srv/private"
FOLDER = "/home/vbox/VirtualBox VMs"


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


GUEST = {
    "name": "web1",
    "settings_file": f"{FOLDER}/web1/web1.vbox",
    "disks": (Disk("IDE", 0, 0, uuid(2), "/srv/shared/web1.vdi"),),
}
FILES = f"{FOLDER}/say _web_ = _ü_/say _web_ = _ü_.vbox".replace("=", "_")

# fmt: off
TOLD: list[tuple[str, dict[str, Any]]] = [
    # recording, what it says of the machine
    ("running.txt",   {**GUEST, "state": "running"}),
    ("paused.txt",    {**GUEST, "state": "paused"}),
    ("waiting.txt",   {**GUEST, "state": "teleportingin", "teleporter": True,
                       "teleporter_port": 49300, "teleporter_address": "127.0.0.1"}),
    ("snapshots.txt", {**GUEST, "state": "poweroff", "snapshots": ('one "1"', "two = 2", "three"),
                       "disks": (Disk("IDE", 0, 0, uuid(2),
                                      f"{FOLDER}/web1/Snapshots/{{{uuid(2)}}}.vdi"),)}),
    # Neither what is in an optical drive nor a floppy is a disk.
    ("devices.txt",   {"name": 'say "web" = {ü}', "state": "poweroff", "settings_file": FILES,
                       "disks": (Disk('S "x"-1-0', 1, 0, uuid(3), f"{PRIVATE}/disk.vdi"),)}),
]

VALUES = [
    # recording, key, what it is
    ("devices.txt", "description",
     'first\nname="other"\nUUID="none"\nVMState="running"\n\\ "last"'),
    ("devices.txt", "IDE-0-1",                "emptydrive"),
    ("devices.txt", "IDE-1-0",                f"{PRIVATE}/cd.iso"),
    ("devices.txt", "storagecontrollername1", 'S "x"-1-0'),
    ("devices.txt", "uart1",                  "0x03f8,4"),
    ("devices.txt", "GuestMemoryBalloon",     "0"),
    ("running.txt", "VideoMode",              '"720,400,0"@0,0 1'),
    ("running.txt", "teleporterpassword",     ""),
    ("snapshots.txt", "SnapshotDescription",  'a\nname="b"'),
    ("snapshots.txt", "CurrentSnapshotName",  "three"),
]
# fmt: on


def recorded(name: str) -> str:
    return (RECORDED / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "told"), TOLD)
def test_machine(name: str, told: dict[str, Any]) -> None:
    found = read_machine(recorded(name))

    assert found == Machine(
        **{
            "uuid": uuid(1),
            "changed": datetime(2026, 11, 28, 8, 39, 47, tzinfo=UTC),
            "memory": 16,
            "snapshots": (),
            "teleporter": False,
            "teleporter_port": 0,
            "teleporter_address": "",
            "values": found.values,
            **told,
        }
    )


@pytest.mark.parametrize(("name", "key", "value"), VALUES)
def test_values(name: str, key: str, value: str) -> None:
    assert read_machine(recorded(name)).values[key] == value


@pytest.mark.parametrize("name", [name for name, _ in TOLD])
def test_no_line_of_a_recording_is_overlooked(name: str) -> None:
    text = recorded(name)
    keys = {key.strip('"').replace('\\"', '"') for key in re.findall(r'(?m)^("?[\w].*?"?)=', text)}

    assert keys - set(read_machine(text).values) <= {"name", "UUID", "VMState"}


def test_lines_of_windows_are_read_alike() -> None:
    text = recorded("running.txt")

    assert read_machine(text.replace("\n", "\r\n")) == read_machine(text)


def test_a_warning_before_it_is_no_part_of_it() -> None:
    warning = (
        "WARNING: The character device /dev/vboxdrv does not exist.\n\t Please install the"
        " virtualbox-dkms package.\n\n\t You will not be able to start VMs.\n"
    )

    assert read_machine(warning + recorded("running.txt")) == read_machine(recorded("running.txt"))


def test_text_without_a_machine_is_told() -> None:
    with pytest.raises(ValueError, match=r"told no uuid of a machine: 'VBoxManage: error: Could"):
        read_machine("VBoxManage: error: Could not\n find it")


@given(text=st.text())
def test_any_text_is_a_machine_or_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="told no uuid"):
        read_machine(text)


# What may stand in any value, and in any order.
LINES = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.from_regex(
            r'"?(storagecontrollername0|IDE-ImageUUID-0-0|VMStateChangeTime|memory|teleporterport'
            r'|SnapshotName(-1)*|name|CfgFile)"?=.{0,12}',
            fullmatch=True,
        ),
    ),
    max_size=12,
)


@given(before=LINES, after=LINES)
def test_whatever_stands_around_it_a_machine_is_read(before: list[str], after: list[str]) -> None:
    text = "\n".join([*(line.replace('"', "") for line in before), f'UUID="{uuid(1)}"', *after])

    found = read_machine(text)

    assert found.uuid == uuid(1)
    assert found.memory >= 0
    assert (
        all(disk.controller for disk in found.disks) or not found.values["storagecontrollername0"]
    )


@given(
    values=st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_-]{0,10}", fullmatch=True),
        st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"])),
    )
)
def test_what_virtualbox_escapes_is_read_as_it_was(values: dict[str, str]) -> None:
    def escaped(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"')

    lines = [f'{key}="{escaped(value)}"' for key, value in values.items()]
    text = "\n".join([f'UUID="{uuid(1)}"', *lines])

    assert {**read_machine(text).values} == {"UUID": uuid(1), **values}
