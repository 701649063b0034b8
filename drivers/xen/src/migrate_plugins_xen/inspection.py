"""What both hosts tell about a guest that is to move; nothing on them is changed."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.etree import ElementTree as ET

from migrate_plugins import DriverError
from migrate_plugins_libvirt.faults import doing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    import libvirt

    from migrate_plugins import Access, Plan, Shell
    from migrate_plugins_xen.session import XenSession

__all__ = [
    "Definition",
    "Inspection",
    "Kind",
    "Memory",
    "Toolstack",
    "inspect",
    "read_definition",
    "toolstack",
]

_KIB: Final = 1024
# Of `xl info`, since Xen 4.14: what the hypervisor was built with and the processor has.
_ABILITIES: Final = re.compile(r"^virt_caps\s*:(?P<words>.*)$", re.MULTILINE)
# libvirt's driver for xend named the transport that it had; the one for libxl names none.
_XEND: Final = ".//uri_transport[.='xenmigr']"


class Kind(StrEnum):
    """How a guest runs on Xen, in `xl`'s words."""

    PV = "pv"
    PVH = "pvh"
    HVM = "hvm"


class Toolstack(StrEnum):
    """What libvirt drives on a Xen host."""

    XEND = "xend"
    LIBXL = "libxl"


class Memory(NamedTuple):
    """A host's memory, in KiB.

    Attributes:
        total: All of it, or None where nobody asked.
        free: What the hypervisor has given to nobody.
    """

    total: int | None
    free: int


class Definition(NamedTuple):
    """What a guest's definition says, as far as it decides.

    Attributes:
        number: Its number on the host; Domain-0 is the host itself.
        kind: How it runs, or None for one that libvirt has learned since.
        devices: The devices of the host that are passed through to it.
    """

    number: int | None
    kind: Kind | None
    devices: tuple[str, ...] = ()


class Inspection(NamedTuple):
    """What both hosts told; None is what they did not.

    Attributes:
        definition: Of the guest.
        shadow: Whether the source's hypervisor can track the memory of a PV guest.
        memory: Of the destination.
        source: What libvirt drives on the source.
        destination: And on the destination.
        unread: What a host did not tell, and why, each a sentence.
    """

    definition: Definition | None = None
    shadow: bool | None = None
    memory: Memory | None = None
    source: Toolstack | None = None
    destination: Toolstack | None = None
    unread: tuple[str, ...] = ()


def inspect(plan: Plan, source: Access, destination: Access) -> Inspection:
    """Read what the checks ask for."""
    from migrate_plugins_xen.session import XenSession  # noqa: PLC0415 - which imports this module

    unread: list[str] = []
    found = Inspection(shadow=_shadow(source.shell))
    here, there = source.session, destination.session
    if isinstance(here, XenSession):
        try:
            with doing(f"reading the definition of {plan.guest}"):
                domain = here.connection.lookupByName(plan.guest)
                found = found._replace(definition=read_definition(domain.XMLDesc(0)))
            found = found._replace(source=here.toolstack)
        except DriverError as error:
            unread.append(str(error))
    if isinstance(there, XenSession):
        try:
            found = found._replace(memory=_memory(there), destination=there.toolstack)
        except DriverError as error:
            unread.append(str(error))
    return found._replace(unread=tuple(unread))


def read_definition(xml: str) -> Definition:
    """Read a guest's definition, as libvirt writes it."""
    domain = ET.fromstring(xml)  # noqa: S314 - our own daemon wrote it
    number = domain.get("id")
    return Definition(None if number is None else int(number), _kind(domain), (*_devices(domain),))


def _kind(domain: Element) -> Kind | None:
    told = domain.findtext("os/type")
    return {"linux": Kind.PV, "xen": Kind.PV, "xenpvh": Kind.PVH, "hvm": Kind.HVM}.get(told or "")


def _devices(domain: Element) -> Iterator[str]:
    for device in domain.iterfind("devices/hostdev"):
        address = device.find("source/address")
        where = "" if address is None else " " + ":".join(address.attrib.values())
        yield f"{device.get('type') or 'device'}{where}"
    for interface in domain.iterfind("devices/interface[@type='hostdev']"):
        mac = interface.find("mac")
        yield f"interface {'' if mac is None else mac.get('address', '')}".strip()


def _shadow(shell: Shell | None) -> bool | None:
    """Tell whether the hypervisor tracks the memory of PV guests; None where nobody can say."""
    if shell is None:
        return None
    answer = shell.run(["xl", "info"])
    told = _ABILITIES.search(answer.output)
    return None if answer.status != 0 or told is None else "shadow" in told["words"].split()


def toolstack(connection: libvirt.virConnect, uri: str) -> Toolstack:
    """Tell what libvirt drives on a host: only with xend it still has direct migration.

    Raises:
        DriverError: libvirt does not say.
    """
    with doing(f"reading the capabilities behind {uri}"):
        capabilities = ET.fromstring(connection.getCapabilities())  # noqa: S314 - likewise
    return Toolstack.XEND if capabilities.find(_XEND) is not None else Toolstack.LIBXL


def _memory(session: XenSession) -> Memory:
    with doing(f"reading the memory behind {session.uri}"):
        mebibytes = session.connection.getInfo()[1]
        return Memory(mebibytes * _KIB, session.connection.getFreeMemory() // _KIB)
