"""What a guest's definition says, as far as it decides whether the guest can move.

Read from domain XML as libvirt writes it: https://libvirt.org/formatdomain.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

__all__ = [
    "Disk",
    "Interface",
    "attribute",
    "backend_paths",
    "disks",
    "interfaces",
    "kibibytes",
    "numbers",
]

# Where a disk's source stands, by the disk's type.
_SOURCES: Final = {"file": "file", "block": "dev", "dir": "dir"}

# libvirt's units of memory in KiB; without one it means KiB.
_UNITS: Final = {
    "b": 1 / 1024,
    "bytes": 1 / 1024,
    "kb": 1000 / 1024,
    "k": 1,
    "kib": 1,
    "mb": 1000**2 / 1024,
    "m": 1024,
    "mib": 1024,
    "gb": 1000**3 / 1024,
    "g": 1024**2,
    "gib": 1024**2,
    "tb": 1000**4 / 1024,
    "t": 1024**3,
    "tib": 1024**3,
}


class Disk(NamedTuple):
    """A disk of a guest.

    Attributes:
        target: Its name in the guest, such as ``vda``; what ``--migrate-disks`` names.
        device: ``disk``, ``cdrom``, ``floppy`` or ``lun``.
        kind: Where it comes from: ``file``, ``block``, ``network``, ``volume``, ``nvme``, ...
        path: Of the file or device, or None.
        pool: Name of the storage pool of a volume, or None.
        volume: Name of the volume in it, or None.
        format: Of the image, such as ``raw`` or ``qcow2``.
        cache: Its cache mode, or None for the hypervisor's own choice.
        read_only: Whether the guest cannot write to it.
        shareable: Whether other guests may use it at once.
        transient: Whether what the guest writes is thrown away.
        optional: Whether a guest starts without it.
        backing: Files and devices that its image rests on.
    """

    target: str
    device: str
    kind: str
    path: str | None
    pool: str | None
    volume: str | None
    format: str
    cache: str | None
    read_only: bool
    shareable: bool
    transient: bool
    optional: bool
    backing: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether it has no medium."""
        return self.kind in {*_SOURCES, "volume"} and self.path is None and self.volume is None

    @property
    def key(self) -> str | None:
        """What identifies it on a host: its path, or pool and volume; None for all others."""
        return self.path or (f"{self.pool}/{self.volume}" if self.volume else None)


class Interface(NamedTuple):
    """A network interface of a guest.

    Attributes:
        kind: ``network``, ``bridge``, ``direct``, ``vhostuser``, ``user``, ...
        source: Network, bridge, device or socket that it is attached to, or None.
        mac: Its address, or None.
        mtu: What the definition asks for, or None.
        transient: Whether it is unplugged for a migration (the `hostdev` of a teaming pair).
    """

    kind: str
    source: str | None
    mac: str | None
    mtu: int | None
    transient: bool


def attribute(definition: Element, path: str, name: str) -> str | None:
    """Give an attribute of the first element at *path*, or None where there is none."""
    found = definition.find(path)
    return None if found is None else found.get(name)


def disks(definition: Element) -> Iterator[Disk]:
    """Give a guest's disks."""
    for disk in definition.iterfind("devices/disk"):
        kind = disk.get("type", "file")
        read_only = disk.find("readonly") is not None or disk.get("device") == "cdrom"
        name = _SOURCES.get(kind)
        yield Disk(
            target=attribute(disk, "target", "dev") or "?",
            device=disk.get("device", "disk"),
            kind=kind,
            path=attribute(disk, "source", name) if name else None,
            pool=attribute(disk, "source", "pool"),
            volume=attribute(disk, "source", "volume"),
            format=attribute(disk, "driver", "type") or "raw",
            cache=attribute(disk, "driver", "cache"),
            read_only=read_only,
            shareable=disk.find("shareable") is not None,
            transient=disk.find("transient") is not None,
            optional=attribute(disk, "source", "startupPolicy") in {"optional", "requisite"},
            backing=tuple(
                path
                for below in disk.iter("backingStore")
                for source in below.iterfind("source")
                if (path := source.get("file") or source.get("dev"))
            ),
        )


def interfaces(definition: Element) -> Iterator[Interface]:
    """Give a guest's network interfaces."""
    for interface in definition.iterfind("devices/interface"):
        source = interface.find("source")
        given = {} if source is None else source.attrib
        kind = interface.get("type", "")
        # A guest that runs tells what its network gave it: <source network='lan' bridge='br0'/>.
        if "network" in given:
            kind = "network"
        mtu = attribute(interface, "mtu", "size")
        yield Interface(
            kind=kind,
            source=next(
                (given[name] for name in ("network", "bridge", "dev", "path") if name in given),
                None,
            ),
            mac=attribute(interface, "mac", "address"),
            mtu=int(mtu) if mtu and mtu.isdecimal() else None,
            transient=attribute(interface, "teaming", "type") == "transient",
        )


def backend_paths(definition: Element) -> Iterator[tuple[str, str, str]]:
    """Give the files beside the disks that QEMU opens when it starts the guest.

    Returns:
        For each what it is, its path, and what must be there: ``file``, ``socket`` or, where
        QEMU makes the file itself, the ``folder``.
    """
    for name in ("kernel", "initrd", "dtb", "loader"):
        if path := (definition.findtext(f"os/{name}") or "").strip():
            yield name, path, "file"
    yield from _character_devices(definition)
    for device in definition.iterfind("devices/rng/backend[@model='random']"):
        yield "rng", (device.text or "/dev/urandom").strip(), "file"
    for device in definition.iterfind("devices/memory[@model='nvdimm']"):
        if path := (device.findtext("source/path") or "").strip():
            yield "nvdimm", path, "file"
    yield from _vhost_user(definition)


def _character_devices(definition: Element) -> Iterator[tuple[str, str, str]]:
    for tag in ("serial", "parallel", "console", "channel"):
        for device in definition.iterfind(f"devices/{tag}"):
            kind, path = device.get("type"), attribute(device, "source", "path")
            if path is None:
                continue
            if kind in {"pipe", "dev"}:
                yield tag, path, "file"
            elif kind == "file":
                yield tag, path, "folder"
            elif kind == "unix" and attribute(device, "source", "mode") == "connect":
                yield tag, path, "socket"
            elif kind == "unix" and tag != "channel":  # libvirt makes the folder of its channels
                yield tag, path, "folder"


def _vhost_user(definition: Element) -> Iterator[tuple[str, str, str]]:
    """Give the sockets of programs that take part in a device."""
    for tag in ("interface", "disk", "video", "filesystem"):
        for device in definition.iterfind(f"devices/{tag}"):
            source = device.find("source")
            if source is None:
                continue
            socket = source.get("socket")
            if "vhostuser" in {device.get("type"), attribute(device, "driver", "name")}:
                socket = source.get("path") or socket
            if socket is not None:
                made = source.get("mode") == "server"
                yield f"vhost-user {tag}", socket, "folder" if made else "socket"


def kibibytes(number: str, unit: str | None) -> int:
    """Read an amount of memory in KiB, rounded up."""
    return -int(-float(number) * _UNITS.get((unit or "KiB").lower(), 1) // 1)


def numbers(text: str) -> frozenset[int]:
    """Read a set as libvirt writes it, such as ``0-3,^2,8``."""
    found: set[int] = set()
    for part in text.replace(" ", "").split(","):
        if part.startswith("^"):
            found.discard(int(part[1:]))
        elif part:
            first, _, last = part.partition("-")
            found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)
