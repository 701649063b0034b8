"""A machine's settings file (``.vbox``): what showvminfo does not tell, and one for the target.

Pure.  Written by VirtualBox 7.2.22 as version 1.20; older versions are read as well.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.etree import ElementTree as ET

from migrate_plugins import DriverError
from migrate_plugins_vbox.machine import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Medium", "Settings", "read_settings", "settings_path", "write_target"]

_SPACE: Final = "{http://www.virtualbox.org/}"
# What only tells of a state that is not carried along.
_STATE: Final = ("stateFile", "currentSnapshot", "currentStateModified", "aborted")
# VirtualBox writes these in names of files as they are, and _ for anything else in ASCII.
_UNSAFE: Final = re.compile(r"[^-0-9A-Za-z_ .()\u00a0-\uffff]")
_EDGE: Final = re.compile(r"^[ .]|[ .]$")


class Medium(NamedTuple):
    """An image that a machine knows.

    Attributes:
        kind: ``HardDisk``, ``DVD`` or ``Floppy``.
        uuid: Of the image.
        location: Absolute path, or an address where it is no file.
        format: Such as ``VDI``; empty where that is not told.
        parent: UUID of the image it is a difference to, or None.
    """

    kind: str
    uuid: str
    location: str
    format: str
    parent: str | None = None


class Settings(NamedTuple):
    """What a settings file tells.

    Attributes:
        uuid: Of the machine.
        name: Of the machine.
        version: Of the file, such as ``1.20-linux``.
        engine: ``Interpreter``, ``NativeApi``, …; ``Default`` where none is set.
        media: All images that the machine knows, attached or not.
        uncarried: What cannot be taken to another host, each in words.
    """

    uuid: str
    name: str
    version: str
    engine: str
    media: tuple[Medium, ...]
    uncarried: tuple[str, ...]


def read_settings(text: str, folder: str) -> Settings:
    """Read a settings file that lies in *folder*.

    Raises:
        ValueError: It is none.
    """
    root = _parse(text)
    machine = _machine(root)
    return Settings(
        _uuid(machine),
        machine.get("name", ""),
        root.get("version", ""),
        machine.get("executionEngine", "Default"),
        tuple(_media(machine, folder)),
        tuple(_uncarried(machine)),
    )


def settings_path(folder: str, name: str) -> str:
    """Give the settings file that VirtualBox makes for a machine of that *name* in *folder*."""
    safe = _EDGE.sub("_", _UNSAFE.sub("_", name)) or "_"
    return str(PurePosixPath(folder) / safe / f"{safe}.vbox")


def write_target(text: str, folder: str, *, name: str | None = None) -> str:
    """Write the settings file of the target from that of the source.

    It is the same machine: uuid, addresses and engine stay.  Paths of images become absolute, since
    the file will lie elsewhere, the teleporter is off, and the machine is marked as one that stays
    registered only as long as it runs.

    Args:
        text: The source's settings file.
        folder: Where that lies on the source.
        name: What the machine is called on the destination; None: the same.

    Raises:
        DriverError: Something in it cannot be taken along.
    """
    action = "making the settings of the target"
    try:
        root = _parse(text)
        machine = _machine(root)
    except ValueError as error:
        raise DriverError(action, problem=str(error)) from error
    uncarried = [*_uncarried(machine)]
    if uncarried:
        raise DriverError(action, problem="; ".join(uncarried))
    for element, _, _ in _images(machine):
        element.set("location", _absolute(element, folder))
    for attribute in _STATE:
        machine.attrib.pop(attribute, None)
    for above in [*machine.iter()]:
        for teleporter in above.findall(f"{_SPACE}Teleporter"):
            above.remove(teleporter)
    if name is not None:
        machine.set("name", name)
    _set_mark(machine)
    for element in root.iter():  # so that no prefix stands in front of the names
        element.tag = element.tag.removeprefix(_SPACE)
    root.set("xmlns", _SPACE[1:-1])
    ET.indent(root)
    return f'<?xml version="1.0"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _parse(text: str) -> ET.Element:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("this is no settings file of VirtualBox: it declares entities")
    try:
        root = ET.fromstring(text)  # noqa: S314 - without entities there is nothing to blow up
    except ET.ParseError as error:
        raise ValueError(f"this is no settings file of VirtualBox: {error}") from None
    if root.tag != f"{_SPACE}VirtualBox":
        raise ValueError(f"this is no settings file of VirtualBox: it begins with <{root.tag}>")
    return root


def _machine(root: ET.Element) -> ET.Element:
    machine = root.find(f"{_SPACE}Machine")
    if machine is not None:
        return machine
    if root.find(f"{_SPACE}MachineEncrypted") is not None:
        raise ValueError("the machine is encrypted, and so are its settings")
    raise ValueError("these settings are of no machine")


def _uuid(element: ET.Element) -> str:
    return element.get("uuid", "").strip("{}").lower()


def _uncarried(machine: ET.Element) -> Iterator[str]:
    snapshots = [one.get("name", "") for one in machine.iter(f"{_SPACE}Snapshot")]
    if snapshots:
        yield f"the machine has snapshots ({', '.join(snapshots)})"
    for element, _, _ in _images(machine):
        names = [one.get("name", "") for one in element.findall(f"{_SPACE}Property")]
        if any(name.startswith("CRYPT/") for name in names):
            yield f"the disk {element.get('location')} is encrypted"


def _images(machine: ET.Element) -> Iterator[tuple[ET.Element, str, str | None]]:
    """Give each image with its kind and its parent's uuid."""
    registry = machine.find(f"{_SPACE}MediaRegistry")
    if registry is None:
        return
    found: list[tuple[ET.Element, str, str | None]] = [
        (element, "HardDisk", None) for element in registry.findall(f"{_SPACE}HardDisks/*")
    ]
    while found:
        element, kind, parent = found.pop(0)
        if element.tag != f"{_SPACE}HardDisk":
            continue
        yield element, kind, parent
        found += [(child, kind, _uuid(element)) for child in element]
    for kind in ("DVD", "Floppy"):
        for element in registry.findall(f"{_SPACE}{kind}Images/{_SPACE}Image"):
            yield element, kind, None


def _media(machine: ET.Element, folder: str) -> Iterator[Medium]:
    for element, kind, parent in _images(machine):
        location = _absolute(element, folder)
        yield Medium(kind, _uuid(element), location, element.get("format", ""), parent)


def _absolute(element: ET.Element, folder: str) -> str:
    location = element.get("location", "")
    if element.get("format", "").lower() == "iscsi" or location.startswith("/"):
        return location
    return str(PurePosixPath(folder) / location)


def _set_mark(machine: ET.Element) -> None:
    data = machine.find(f"{_SPACE}ExtraData")
    if data is None:
        data = ET.Element(f"{_SPACE}ExtraData")
        before = [f"{_SPACE}{name}" for name in ("Description", "Groups", "MediaRegistry")]
        machine.insert(sum(child.tag in before for child in machine), data)
    for item in data.findall(f"{_SPACE}ExtraDataItem"):
        if item.get("name") == MARK:
            data.remove(item)
    ET.SubElement(data, f"{_SPACE}ExtraDataItem", name=MARK, value="yes")
