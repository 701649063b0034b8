"""What two machines differ in, and what a teleportation makes of it; pure.

Each effect in the table was seen between two VirtualBox 7.2.22, with a target that differed in
that one setting; ``tests/integration/vbox/test_hardware.py`` shows it again.  What no machine could
be started with there, since it needs hardware virtualisation, is told as untried.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrate_plugins_vbox.machine import Disk, Machine

__all__ = ["SETTINGS", "Difference", "Effect", "Row", "compare", "disk_places", "read_extras"]

_SPACE: Final = "{http://www.virtualbox.org/}"


class Effect(Enum):
    """What a teleportation makes of a difference."""

    REFUSED = "VirtualBox refuses it, and the guest goes on at the source"
    SILENT = "VirtualBox takes it, and the guest goes on as another machine, or with other data"
    TAKEN = "VirtualBox takes it, and the guest has what the destination says, now or later"
    UNTRIED = "nobody has tried it"
    NONE = "it is of the host, and may differ"


class Row(NamedTuple):
    """A setting.

    Attributes:
        key: What ``showvminfo --machinereadable`` or :func:`read_extras` calls it, as a pattern
            with ``#`` for a number.
        option: What ``modifyvm`` calls it, likewise; empty where it has no option.
        effect: What comes of a difference.
    """

    key: str
    option: str
    effect: Effect


class Difference(NamedTuple):
    """A setting that is not the same.

    Attributes:
        setting: As ``modifyvm`` spells it, or in words.
        here: What the source has; empty for nothing.
        there: What the destination has; likewise.
        effect: What comes of it.
        mending: Calls of VBoxManage on the destination that make it the same; empty where there
            are none.
    """

    setting: str
    here: str
    there: str
    effect: Effect
    mending: tuple[tuple[str, ...], ...] = ()


_REFUSED, _SILENT, _TAKEN = Effect.REFUSED, Effect.SILENT, Effect.TAKEN
_UNTRIED, _NONE = Effect.UNTRIED, Effect.NONE

# fmt: off
SETTINGS: Final = (
    # key                           option                          effect
    Row("memory",                   "--memory",                     _REFUSED),
    Row("cpus",                     "--cpus",                       _REFUSED),
    Row("chipset",                  "--chipset",                    _REFUSED),
    Row("firmware",                 "--firmware",                   _REFUSED),
    Row("vram",                     "--vram",                       _REFUSED),
    Row("graphicscontroller",       "--graphicscontroller",         _REFUSED),
    Row("monitorcount",             "--monitor-count",              _REFUSED),
    Row("audio",                    "--audio-enabled",              _REFUSED),
    Row("audio-controller",         "--audio-controller",           _REFUSED),
    Row("nic#",                     "--nic#",                       _REFUSED),
    Row("nictype#",                 "--nic-type#",                  _REFUSED),
    Row("uart#",                    "--uart#",                      _REFUSED),
    Row("uarttype#",                "--uart-type#",                 _REFUSED),
    Row("lpt#",                     "--lpt#",                       _REFUSED),
    Row("usb",                      "--usb-ohci",                   _REFUSED),
    Row("ehci",                     "--usb-ehci",                   _REFUSED),
    Row("xhci",                     "--usb-xhci",                   _REFUSED),
    Row("hpet",                     "--x86-hpet",                   _REFUSED),
    Row("apic",                     "--apic",                       _REFUSED),
    Row("ioapic",                   "--ioapic",                     _REFUSED),
    Row("x2apic",                   "--x86-x2apic",                 _REFUSED),
    Row("acpi",                     "--acpi",                       _REFUSED),
    Row("effparavirtprovider",      "--paravirt-provider",          _REFUSED),
    Row("tpm-type",                 "--tpm-type",                   _REFUSED),
    Row("name",                     "--name",                       _SILENT),
    Row("UUID",                     "",                             _SILENT),
    Row("hardwareuuid",             "--hardware-uuid",              _SILENT),
    Row("macaddress#",              "--mac-address#",               _SILENT),
    Row("uuid-le",                  "--system-uuid-le",             _SILENT),
    Row("cableconnected#",          "--cable-connected#",           _TAKEN),
    Row("cpuid-portability-level",  "--cpuid-portability-level",    _TAKEN),
    Row("cpu-profile",              "--cpu-profile",                _UNTRIED),
    Row("cpuid",                    "--cpuid-set",                  _UNTRIED),
    Row("cpuexecutioncap",          "--cpu-execution-cap",          _TAKEN),
    Row("cpu-hotplug",              "--cpu-hotplug",                _TAKEN),
    Row("pae",                      "--x86-pae",                    _TAKEN),
    Row("longmode",                 "--x86-long-mode",              _TAKEN),
    Row("biosapic",                 "--firmware-apic",              _TAKEN),
    Row("triplefaultreset",         "--triple-fault-reset",         _TAKEN),
    Row("nested-hw-virt",           "--nested-hw-virt",             _UNTRIED),
    Row("iommu",                    "--iommu",                      _UNTRIED),
    Row("accelerate3d",             "--accelerate-3d",              _UNTRIED),
    Row("pagefusion",               "--page-fusion",                _UNTRIED),
    Row("hwvirtex",                 "--hwvirtex",                   _TAKEN),
    Row("nestedpaging",             "--nested-paging",              _TAKEN),
    Row("largepages",               "--large-pages",                _TAKEN),
    Row("vtxvpid",                  "--x86-vtx-vpid",               _TAKEN),
    Row("vtxux",                    "--x86-vtx-ux",                 _TAKEN),
    Row("virtvmsavevmload",         "--virt-vmsave-vmload",         _TAKEN),
    Row("vm-execution-engine",      "--vm-execution-engine",        _TAKEN),
    Row("hidpointing",              "--mouse",                      _TAKEN),
    Row("hidkeyboard",              "--keyboard",                   _TAKEN),
    Row("rtcuseutc",                "--rtc-use-utc",                _TAKEN),
    Row("biossystemtimeoffset",     "--firmware-system-time-offset", _TAKEN),
    Row("boot#",                    "--boot#",                      _TAKEN),
    Row("ostype",                   "--os-type",                    _TAKEN),
    Row("card-reader",              "--usb-card-reader",            _TAKEN),
    # What is the host's own, or only its user's.
    Row("(?:Cfg|Nvram)File|(?:Snap|Log)Fldr|VMState(?:ChangeTime)?", "", _NONE),
    Row("SessionName|VideoMode|groups|description|bootmenu|paravirtprovider", "", _NONE),
    Row("teleporter.*|rec_?.*|recording_.*|vrde.*|VRDE.*|Guest.*", "", _NONE),
    Row("clipboard.*|draganddrop|defaultfrontend|vmprocpriority", "", _NONE),
    Row("autostart-.*|tracing-.*|SharedFolder.*|BandwidthGroup#|CurrentSnapshot.*", "", _NONE),
    Row("uartmode#|lptmode#|audio_(?:in|out)|nicspeed#|paravirtdebug|encryption", "", _NONE),
    Row("natnet#|mtu|sock(?:Snd|Rcv)|tcpWnd(?:Snd|Rcv)|enableTFTP|forwardBroadcast", "", _NONE),
    Row("localhostReachable|Forwarding.*|USBFilter.*|VideoMode.*|nic_ratelimit.*", "", _NONE),
    Row("(?:bridgeadapter|hostonlyadapter|intnet|nat-network|hostonly-network)#", "", _NONE),
)
# fmt: on

_HID: Final = re.compile(r"(mouse|kbd)$")
_CONTROLLER: Final = re.compile(r"storagecontroller(?:name|type|instance|\w*portcount|bootable)\d+")
_ATTACHED: Final = re.compile(r"(?:[A-Za-z-]+-)?\d+-\d+")


def compare(
    source: Machine, target: Machine, here: str = "", there: str = "", *, renamed: bool = False
) -> list[Difference]:
    """Give everything that the machine on the destination has otherwise.

    Args:
        source: The guest's machine on the source.
        target: What is to take the guest in.
        here: The source's settings file.
        there: The target's settings file.
        renamed: Whether the target may have another name.
    """
    mine, theirs = _values(source, here), _values(target, there)
    if renamed:
        theirs.pop("name", None)
        mine.pop("name", None)
    return [
        *_settings(target.uuid, mine, theirs),
        *_storage(source, target),
    ]


def read_extras(text: str) -> Mapping[str, str]:
    """Read the settings that ``showvminfo`` does not tell; a default is told as well.

    Raises:
        ValueError: It is no settings file.
    """
    if not text:
        return {}
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("this is no settings file of VirtualBox: it declares entities")
    try:
        root = ET.fromstring(text)  # noqa: S314 - without entities there is nothing to blow up
    except ET.ParseError as error:
        raise ValueError(f"this is no settings file of VirtualBox: {error}") from None
    machine = root.find(f"{_SPACE}Machine")
    if machine is None:
        return {}
    return dict(_extras(machine))


def _extras(machine: ET.Element) -> Iterator[tuple[str, str]]:
    def told(path: str, attribute: str, default: str) -> str:
        names = "/".join(f"{_SPACE}{name}" for name in path.split("/"))
        element = machine.find(names)
        return default if element is None else element.get(attribute, default)

    yield "vm-execution-engine", machine.get("executionEngine", "Default").lower()
    yield "audio-controller", told("Hardware/AudioAdapter", "controller", "AC97").lower()
    yield "tpm-type", _TPM.get(told("Hardware/TrustedPlatformModule", "type", "None"), "none")
    yield "cpu-hotplug", _switch(told("Platform/CPU", "hotplug", "false"))
    yield "card-reader", _switch(told("Hardware/EmulatedUSB/CardReader", "enabled", "false"))
    le = told("Hardware/Firmware/SmbiosUuidLittleEndian", "enabled", "false")
    yield "uuid-le", _switch(le)
    for disk in machine.iter(f"{_SPACE}HardDisk"):
        yield f"medium-type {disk.get('uuid', '').strip('{}').lower()}", disk.get("type", "Normal")
    for item in machine.iterfind(f"{_SPACE}ExtraData/{_SPACE}ExtraDataItem"):
        name = item.get("name", "")
        # With these whoever knows what they do changes devices themselves.
        if name.startswith(("VBoxInternal", "VBoxInternal2")):
            yield f"setextradata {name}", item.get("value", "")


_TPM: Final = {"None": "none", "v1_2": "1.2", "v2_0": "2.0", "Host": "host", "Swtpm": "swtpm"}


def _switch(text: str) -> str:
    return "on" if text == "true" else "off"


def _values(machine: Machine, text: str) -> dict[str, str]:
    """Give all settings but those of storage, which have no keys of their own."""
    values = {
        key: value
        for key, value in machine.values.items()
        if not _CONTROLLER.fullmatch(key) and not _is_attachment(machine, key)
    }
    # With CPUID leaves the next line is on the same one.
    leaves, glued, rest = values.get("cpuid", "").partition("hwvirtex=")
    if glued:
        values["cpuid"] = leaves
        values["hwvirtex"] = rest.strip('"')
    values |= read_extras(text)
    values["audio"] = "off" if values.get("audio", "none") == "none" else "on"
    return values


def _is_attachment(machine: Machine, key: str) -> bool:
    return any(
        key.startswith(f"{name}-") and _ATTACHED.fullmatch(key.removeprefix(f"{name}-"))
        for name in (controller.name for controller in _controllers(machine).values())
    )


def _settings(
    uuid: str, mine: Mapping[str, str], theirs: Mapping[str, str]
) -> Iterator[Difference]:
    for key in dict.fromkeys([*mine, *theirs]):
        here, there = mine.get(key, ""), theirs.get(key, "")
        if here == there or (key.startswith("medium-type ") and "" in {here, there}):
            continue
        row, number = _row(key)
        if row is None:
            yield _unlisted(uuid, key, here, there)
            continue
        option = row.option.replace("#", number)
        effect = row.effect
        if row.key == "nic#":
            if here in {"", "none"} and there in {"", "none"}:
                continue  # another chipset has more of them
            if "none" not in {here, there}:
                effect = Effect.TAKEN
        elif row.key.endswith("#") and "" in {here, there}:
            continue  # of a card or port that only one of them has: that is told by itself
        if effect is Effect.NONE:
            continue
        mending = [*_mending(uuid, row, option, here)]
        if row.key == "x2apic":  # turning it off turns the other one off too
            mending.append(("modifyvm", uuid, "--apic", mine.get("apic", "on")))
        yield Difference(option or key, here, there, effect, tuple(mending))


def _row(key: str) -> tuple[Row | None, str]:
    """Find the row of a key, and the number in it."""
    for row in SETTINGS:
        match = re.fullmatch(row.key.replace("#", r"(\d+)"), key)
        if match is not None:
            return row, next(filter(None, match.groups()), "")
    return None, ""


def _mending(uuid: str, row: Row, option: str, value: str) -> Iterator[tuple[str, ...]]:
    if not option or not value:
        return
    words: tuple[str, ...] = (value,)
    if row.key in {"uart#", "lpt#"}:
        words = tuple(value.split(","))
    elif row.key in {"hidpointing", "hidkeyboard"}:
        words = (_HID.sub("", value),)
    elif row.key == "firmware":
        words = (value.lower(),)
    elif row.key == "cpuid":
        return
    yield ("modifyvm", uuid, option, *words)


def _unlisted(uuid: str, key: str, here: str, there: str) -> Difference:
    mending: tuple[tuple[str, ...], ...] = ()
    if key.startswith("setextradata "):
        name = key.partition(" ")[2]
        mending = (("setextradata", uuid, name, *([here] if here else [])),)
    elif key.startswith("medium-type "):
        medium = key.partition(" ")[2]
        if here and there:
            mending = (("modifymedium", "disk", medium, "--type", here.lower()),)
    return Difference(key, here, there, Effect.UNTRIED, mending)


class _Controller(NamedTuple):
    """A storage controller, and what is attached to it."""

    name: str
    type: str
    ports: str
    attached: Mapping[str, str]


# What --add of storagectl calls the bus of a controller's type.
_BUSES: Final = {
    "PIIX3": "ide", "PIIX4": "ide", "ICH6": "ide", "IntelAhci": "sata", "LsiLogic": "scsi",
    "BusLogic": "scsi", "LsiLogicSas": "sas", "I82078": "floppy", "USB": "usb", "NVMe": "pcie",
    "VirtioSCSI": "virtio",
}  # fmt: skip


def disk_places(machine: Machine) -> dict[tuple[str, ...], Disk]:
    """Give each disk by its place; the names of controllers are only their user's."""
    return {
        (*place, str(disk.port), str(disk.device)): disk
        for place, controller in _controllers(machine).items()
        for disk in machine.disks
        if disk.controller == controller.name
    }


def _controllers(machine: Machine) -> dict[tuple[str, str], _Controller]:
    """Give each controller by its bus and its number there."""
    values = machine.values
    found = {}
    for number in range(len(values)):
        name = values.get(f"storagecontrollername{number}")
        if name is None:
            break
        type_ = values.get(f"storagecontrollertype{number}", "")
        slots = re.compile(rf"{re.escape(name)}-(\d+-\d+)")
        attached = {}
        for key, value in values.items():
            match = slots.fullmatch(key)
            if match is not None and value != "none":
                optical = f"{name}-IsEjected-{match[1]}" in values
                floppy = type_ == "I82078"
                attached[match[1]] = "fdd" if floppy else "dvddrive" if optical else "hdd"
        instance = values.get(f"storagecontrollerinstance{number}", "")
        ports = values.get(f"storagecontrollerportcount{number}", "")
        place = _BUSES.get(type_, type_), instance
        found[place] = _Controller(name, type_, ports, attached)
    return found


def _storage(source: Machine, target: Machine) -> Iterator[Difference]:
    """Compare the controllers, and what is attached to them by its place."""
    mine, theirs = _controllers(source), _controllers(target)
    control = ("storagectl", target.uuid, "--name")
    for place, other in theirs.items():
        if place not in mine:
            words: tuple[str, ...] = (*control, other.name, "--remove")
            what = f"storage controller {other.name}"
            yield Difference(what, "", other.type, Effect.REFUSED, (words,))
    for place, controller in mine.items():
        other = theirs.get(place, _Controller(controller.name, "", "", {}))
        what = f"storage controller {other.name}"
        words = (*control, other.name)
        if not other.type:
            words += ("--add", place[0], "--controller", controller.type)
            yield Difference(what, controller.type, "", Effect.REFUSED, (words,))
        elif controller.type != other.type:
            words += ("--controller", controller.type)
            yield Difference(what, controller.type, other.type, Effect.REFUSED, (words,))
        elif controller.ports != other.ports:
            words += ("--portcount", controller.ports)
            what = f"ports of {what}"
            yield Difference(what, controller.ports, other.ports, Effect.REFUSED, (words,))
        yield from _attached(source, target, controller, other)
    yield from _identities(source, target)


def _attached(
    source: Machine, target: Machine, mine: _Controller, theirs: _Controller
) -> Iterator[Difference]:
    for slot in sorted({*mine.attached, *theirs.attached}):
        here, there = mine.attached.get(slot, ""), theirs.attached.get(slot, "")
        if here == there:
            continue
        port, _, device = slot.partition("-")
        words: tuple[str, ...] = ("storageattach", target.uuid, "--storagectl", theirs.name)
        words += ("--port", port, "--device", device)
        words += ("--type", here) if here else ()
        words += ("--medium", source.values.get(f"{mine.name}-{slot}", "") if here else "none")
        what = f"{theirs.name} port {port} device {device}"
        yield Difference(what, here, there, Effect.REFUSED, (words,))


def _identities(source: Machine, target: Machine) -> Iterator[Difference]:
    """Compare the uuids of disks that both have; where they are is looked at on the hosts."""
    theirs = disk_places(target)
    for place, disk in disk_places(source).items():
        other = theirs.get(place)
        if other is None or other.uuid == disk.uuid:
            continue
        words: tuple[str, ...] = ("storageattach", target.uuid, "--storagectl", other.controller)
        words += ("--port", str(other.port), "--device", str(other.device), "--type", "hdd")
        yield Difference(
            f"{other.controller} port {other.port} device {other.device}",
            f"{disk.location} {{{disk.uuid}}}",
            f"{other.location} {{{other.uuid}}}",
            Effect.SILENT,
            ((*words, "--medium", disk.location),),
        )
