"""Devices that are made of something on a host: images in drives, ports, shared folders."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import Finding, Severity
from migrate_plugins_vbox.machine import FLOPPY, controllers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_vbox.checks.case import Case
    from migrate_plugins_vbox.machine import Machine

__all__ = ["check_devices", "device_files"]

_EJECTED: Final = re.compile(r"(?P<controller>.+)-IsEjected-(?P<slot>\d+-\d+)")
_FLOPPY: Final = re.compile(r"(?P<controller>.+)-ImageUUID-(?P<slot>\d+-\d+)")
_PORT: Final = re.compile(r"(?P<kind>uart|lpt)mode(?P<number>\d+)")
_FOLDER: Final = re.compile(r"SharedFolderPathMachineMapping\d+")
_DEVICE: Final = "/dev/"


class _Use(NamedTuple):
    """What a device of a machine is made of."""

    what: str
    path: str
    fatal: bool
    remedy: tuple[str, ...]

    @property
    def needed(self) -> str:
        """What has to be there: of a file that is written its folder."""
        return self.path.rpartition("/")[0] or "/" if self.what.startswith("a file") else self.path


def device_files(machine: Machine) -> list[str]:
    """Give what has to be on a host for the devices of a machine; pure."""
    return [*dict.fromkeys(use.needed for use in _uses(machine))]


def check_devices(case: Case) -> Iterator[Finding]:
    """Judge what devices are made of."""
    here, there = case.source, case.destination
    machine = case.target or case.guest
    for use in _uses(machine):
        if use.needed in there.reading.lacking:
            yield Finding(
                "device-file-missing",
                Severity.ERROR if use.fatal else Severity.WARNING,
                there.name,
                f"{use.needed} is not on {there.name}, where the machine uses it as {use.what}: "
                + ("it would not start" if use.fatal else "the guest would find nothing there"),
                seen="no such file or folder",
                expected=use.needed,
                remedy=f"on {there.name}: mkdir -p {shlex.quote(use.needed)}"
                if use.fatal and not use.path.startswith(_DEVICE)
                else here.command(*use.remedy)
                if use.remedy
                else f"bring it to {there.name}",
            )
        elif use.path.startswith(_DEVICE):
            yield Finding(
                "device-host-backed",
                Severity.WARNING,
                here.name,
                f"{use.path} is a device of the host, which the guest uses as {use.what}: it goes"
                f" on with that of {there.name}, without what was under way",
                seen=use.path,
                expected="no device of the host",
                remedy="once the guest is shut off: " + here.command(*use.remedy),
            )
    tpm = case.source.text and "TrustedPlatformModule" in case.source.text
    if tpm or case.guest.values.get("firmware", "BIOS") != "BIOS":
        yield Finding(
            "nvram-apart",
            Severity.INFO,
            there.name,
            f"the firmware's variables{' and the TPM' if tpm else ''} come with the guest's memory,"
            f" and are written to a file of {there.name} when the guest is shut off there",
            seen=case.guest.values.get("NvramFile"),
        )


def _uses(machine: Machine) -> Iterator[_Use]:
    values = machine.values
    name = machine.uuid
    floppies = {controller for controller, kind in controllers(values) if kind == FLOPPY}
    for key, value in values.items():
        drive = _EJECTED.fullmatch(key)
        if drive is None:
            drive = _FLOPPY.fullmatch(key)
            if drive is not None and drive["controller"] not in floppies:
                drive = None
        port = _PORT.fullmatch(key)
        if drive is not None:
            path = values.get(f"{drive['controller']}-{drive['slot']}", "")
            if path.startswith("/"):
                number, _, device = drive["slot"].partition("-")
                words: tuple[str, ...] = (
                    "storageattach",
                    name,
                    "--storagectl",
                    drive["controller"],
                )
                words += ("--port", number, "--device", device, "--medium", "emptydrive")
                yield _Use("an image in a drive", path, False, words)
        elif port is not None:
            mode, _, path = value.rpartition(",")
            if path.startswith("/") and mode in {"", "file"}:
                what = f"a file of its port {port[1]}{port[2]}" if mode else "a port"
                words = ("modifyvm", name, f"--{port[1]}{port[2]}", "off")
                yield _Use(what, path, True, words)
        elif _FOLDER.fullmatch(key) and value.startswith("/"):
            yield _Use("a shared folder", value, False, ())
