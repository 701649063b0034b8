"""The guest's other devices: what belongs to the source, and what the destination must have too."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, Severity
from migrate_plugins_qemu import definition

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from migrate_plugins_qemu.checks.case import Case

__all__ = ["check_devices"]

# The first QEMU that moves the state of each without being asked to; the device itself must still
# be able to, which QEMU alone knows.
_MOVES: Final = {"pci": (8, 1), "mdev": (8, 1), "scsi": (6, 0), "virtiofs": (8, 2)}


def check_devices(case: Case) -> Iterator[Finding]:
    """Look at each device."""
    if case.live:
        yield from _host_devices(case)
        yield from _filesystems(case)
        for device in case.inspection.guest.iterfind("devices/shmem"):
            if device.get("role") != "master":
                name = device.get("name") or ""
                yield Finding(
                    "shared-memory-peer",
                    Severity.ERROR,
                    case.source,
                    f"the shared memory {name!r} is not the guest's own, and does not go with it",
                    seen=f"role {device.get('role') or 'peer'}",
                    expected="role='master'",
                    remedy=_detach(case, "shmem"),
                )
    yield from _usb(case)
    yield from _tpm(case)
    yield from _files(case)
    yield from _addresses(case)


def _host_devices(case: Case) -> Iterator[Finding]:
    guest = case.inspection.guest
    for device in guest.iterfind("devices/hostdev"):
        teaming = definition.attribute(device, "teaming", "type")
        yield from _host_device(
            case,
            device.get("type", "") if device.get("mode") != "capabilities" else "capabilities",
            _address(device),
            unplugged=teaming == "transient",
        )
    for interface in definition.interfaces(guest):
        if interface.kind in {"hostdev", "vdpa"}:
            kind = "pci" if interface.kind == "hostdev" else "vdpa"
            name = f"interface {interface.mac or interface.source}"
            yield from _host_device(case, kind, name, unplugged=interface.transient)


def _host_device(case: Case, kind: str, name: str, *, unplugged: bool) -> Iterator[Finding]:
    if unplugged:
        yield Finding(
            "host-device-unplugged",
            Severity.INFO,
            case.source,
            f"{name} is unplugged for the migration, and the guest lives on with its twin",
            seen=f"{kind} {name}, teaming type='transient'",
        )
        return
    version, needed = case.qemu(), _MOVES.get(kind)
    may = kind == "usb" or (needed is not None and version is not None and version >= needed)
    if kind == "usb":
        text = f"{name} stays on the source: the guest goes on with what is plugged in there"
    elif may:
        text = f"{name} belongs to the source, and moves only if its own driver can"
    else:
        text = f"{name} belongs to the source, and cannot move"
    yield Finding(
        "host-device",
        Severity.WARNING if may else Severity.ERROR,
        case.source,
        text,
        seen=f"{kind} {name}",
        expected="no device of the host, or one that is unplugged for the migration: <teaming>",
        remedy=_detach(case, "hostdev"),
    )


def _address(device: Element) -> str:
    """Name a host device as people do."""
    source = device.find("source")
    if source is None:
        return "a host device"
    address = source.find("address")
    if address is not None:
        given = address.attrib
        if "uuid" in given:
            return given["uuid"]
        if "slot" in given:
            parts = [int(given.get(name, "0"), 0) for name in ("domain", "bus", "slot", "function")]
            return "{:04x}:{:02x}:{:02x}.{:x}".format(*parts)
    ids = _ids(device)
    if ids is not None:
        return ":".join(ids)
    adapter = source.find("adapter")
    if adapter is not None:
        return adapter.get("name", "a host device")
    return source.get("wwpn") or "a host device"


def _ids(device: Element) -> tuple[str, str] | None:
    ids = [definition.attribute(device, f"source/{each}", "id") for each in ("vendor", "product")]
    return (ids[0].lower(), ids[1].lower()) if ids[0] and ids[1] else None


def _usb(case: Case) -> Iterator[Finding]:
    abilities = case.inspection.abilities
    if abilities is None or abilities.usb is None:
        return
    for device in case.inspection.target.iterfind("devices/hostdev[@type='usb']"):
        optional = definition.attribute(device, "source", "startupPolicy")
        ids = _ids(device)
        if ids is None or ids in abilities.usb or optional in {"optional", "requisite"}:
            continue
        yield Finding(
            "host-device-missing",
            case.blocking,
            case.destination,
            f"the USB device {':'.join(ids)} is not plugged in on {case.destination}",
            seen=", ".join(sorted(":".join(each) for each in abilities.usb)) or "no USB device",
            expected=":".join(ids),
            remedy=_detach(case, "hostdev"),
        )


def _filesystems(case: Case) -> Iterator[Finding]:
    for device in case.inspection.guest.iterfind("devices/filesystem"):
        kind = definition.attribute(device, "driver", "type")
        tag = definition.attribute(device, "target", "dir") or "?"
        version = case.qemu()
        if kind == "virtiofs":
            may = version is not None and version >= _MOVES["virtiofs"]
            text = (
                "moves only if libvirt, QEMU and virtiofsd on both hosts all can"
                if may
                else "cannot move with this QEMU"
            )
        else:
            may, text = True, "keeps QEMU from migrating as long as the guest has it mounted"
        yield Finding(
            "filesystem-passed-through",
            Severity.WARNING if may else Severity.ERROR,
            case.source,
            f"the folder of the source that the guest knows as {tag} {text}",
            seen=f"{kind or '9p'} {tag}",
            expected="no folder of the host, or one that is not mounted in the guest",
            remedy=f"in the guest: umount -t {'virtiofs' if kind == 'virtiofs' else '9p'} -a"
            if may and kind != "virtiofs"
            else _detach(case, "filesystem"),
        )


def _tpm(case: Case) -> Iterator[Finding]:
    kind = definition.attribute(case.inspection.target, "devices/tpm/backend", "type")
    abilities = case.inspection.abilities
    if kind == "passthrough" and case.live:
        yield Finding(
            "tpm-passed-through",
            Severity.WARNING,
            case.source,
            "the guest uses the TPM of the source, and that of another host has other keys",
            seen="tpm passthrough",
            expected="<backend type='emulator'/>, whose state goes with the guest",
            remedy=case.here("edit", case.guest.name),
        )
    if kind is None or abilities is None or abilities.capabilities is None:
        return
    tpm = abilities.capabilities.find("devices/tpm")
    known = (
        None
        if tpm is None
        else [value.text or "" for value in tpm.iterfind("enum[@name='backendModel']/value")]
    )
    if known is not None and kind not in known:
        yield Finding(
            "tpm-missing",
            case.blocking,
            case.destination,
            f"{case.destination} has no TPM of the guest's kind",
            seen=", ".join(known) or "none",
            expected=kind,
            remedy=f"install swtpm on {case.destination}"
            if kind == "emulator"
            else "choose a destination with a TPM",
        )


def _files(case: Case) -> Iterator[Finding]:
    """Look for what QEMU opens; where nobody can look, QEMU says what it misses."""
    look = case.inspection.there
    if look is None:
        return
    seen: set[str] = set()
    for device, path, wanted in definition.backend_paths(case.inspection.target):
        file = look.files.get(path)
        if file is None or path in seen or device == "loader":
            continue
        seen.add(path)
        if wanted == "folder":
            missing = not file.folder
        elif wanted == "socket":
            missing = file.kind != "socket"
        else:
            missing = file.kind is None
        if missing:
            yield Finding(
                "device-file-missing",
                case.blocking,
                case.destination,
                f"the guest's {device} needs {'a' if wanted == 'socket' else 'the'} {wanted}"
                f" that is not on {case.destination}",
                seen=file.kind if file.kind and wanted == "socket" else f"no such {wanted}",
                expected=path.rpartition("/")[0] if wanted == "folder" else path,
                remedy=f"--xml FILE with a path of {case.destination}, or make it there",
            )


def _addresses(case: Case) -> Iterator[Finding]:
    """Look for the addresses on which QEMU listens for the guest's screen and consoles."""
    look = case.inspection.there
    unknown: list[str] = []
    for device, address in dict.fromkeys(_listening(case.inspection.target)):
        if look is None or not look.addresses:
            unknown.append(address)
        elif address not in look.addresses:
            yield Finding(
                "listen-address-missing",
                case.blocking,
                case.destination,
                f"the guest's {device} listens on an address that {case.destination} lacks",
                seen=", ".join(sorted(look.addresses)),
                expected=address,
                remedy=f"--xml FILE with an address of {case.destination}",
            )
    if unknown:
        yield Finding(
            "listen-address-unknown",
            Severity.INFO,
            case.destination,
            "whether the destination has the address that the guest's screen or console listens on"
            " is unknown",
            seen="nobody could look",
            expected=", ".join(dict.fromkeys(unknown)),
            remedy=f"on {case.destination}: ip addr show to {unknown[0]}",
        )


def _listening(target: Element) -> Iterator[tuple[str, str]]:
    """Give each address of a host's own, with the device that listens on it."""
    pairs = [
        ("graphics", listen.get("address"))
        for listen in target.iterfind("devices/graphics/listen[@type='address']")
    ]
    for tag in ("serial", "parallel", "console", "channel"):
        for device in target.iterfind(f"devices/{tag}[@type='tcp']"):
            pairs += [
                (tag, source.get("host")) for source in device.iterfind("source[@mode='bind']")
            ]
    for device_name, address in pairs:
        try:
            number = ip_address(address or "")
        except ValueError:
            continue  # a name stands for another address on each host
        if not (number.is_unspecified or number.is_loopback):
            yield device_name, str(number)


def _detach(case: Case, tag: str) -> str:
    return case.here("detach-device", case.guest.name, f"{tag}.xml", "--live")
