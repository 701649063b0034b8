from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from migrate_plugins_lab.domain import Domain
from migrate_plugins_lab.errors import ArgumentError

UUID = "0b0f6c5e-8a57-4c59-9a0e-5d3f8f7f3c11"

# fmt: off
REFUSALS = [
    # name      memory  dirty  disk  message
    ("a b",     32,     0,     0,    "the guest's name 'a b': it has other characters"),
    ("-a",      32,     0,     0,    "the guest's name '-a': it has other characters"),
    ("a" * 65,  32,     0,     0,    f"the guest's name '{'a' * 65}': it has other characters"),
    ("web1",    32,     30,    0,    "the guest's memory '32 MiB': a guest that dirties 30 MiB"),
    ("web1",    4096,   0,     0,    "the guest's memory '4096 MiB': a guest that dirties 0 MiB"),
    ("web1",    32,     -1,    0,    "the guest's sizes and ticks '-1, 0, 0': one is"),
    ("web1",    32,     0,     -5,   "the guest's sizes and ticks '0, -5, 0': one is"),
]
# fmt: on


@pytest.mark.parametrize(("name", "memory", "dirty", "disk", "message"), REFUSALS)
def test_a_guest_that_cannot_be_is_refused(
    name: str, memory: int, dirty: int, disk: int, message: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        Domain(name, UUID, memory=memory, dirty=dirty, disk=disk)

    assert str(caught.value).startswith(message)


def test_the_xml_says_what_was_asked_for() -> None:
    xml = ET.fromstring(Domain("web1", UUID, memory=96, dirty=64, disk=8).xml())  # noqa: S314

    assert xml.get("type") == "qemu"
    assert xml.findtext("name") == "web1"
    assert xml.findtext("uuid") == UUID
    assert xml.findtext("memory") == "96"
    assert xml.findtext("os/cmdline") == "off=0 dirty=64"
    assert [each.get("file") for each in xml.iterfind("devices/disk/source")] == [
        "/mnt/disks/web1.img"
    ]


def test_source_and_destination_append_to_one_serial_file() -> None:
    xml = ET.fromstring(Domain("web1", UUID, memory=32).xml())  # noqa: S314
    source = xml.find("devices/serial/source")

    assert source is not None
    assert source.attrib == {"path": "/mnt/serial/web1.0b0f6c5e.log", "append": "on"}


def test_without_a_disk_there_is_nothing_that_could_make_a_migration_unsafe() -> None:
    xml = ET.fromstring(Domain("web1", UUID, memory=32).xml())  # noqa: S314

    assert xml.find("devices/disk") is None
