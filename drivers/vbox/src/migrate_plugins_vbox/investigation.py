"""What can be seen on both hosts after a teleportation failed."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from migrate_plugins import Diagnosis, DriverError, Remedy, Seat
from migrate_plugins_vbox.diagnoses import CATALOGUE
from migrate_plugins_vbox.states import ABSENT, Verdict, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrate_plugins import Access, MigrateError, Plan
    from migrate_plugins_vbox.machine import Machine
    from migrate_plugins_vbox.session import VBoxSession

__all__ = ["investigate", "setting_of"]

_SECONDS: Final = 4.0
# Of a second, as stat tells it.
_FRACTION: Final = re.compile(r"\.\d+(?= [+-]\d{4}$)")

# What a device that the target's log names is set with.
_SETTINGS: Final = (
    (r"Ram config mismatch", "--memory, or --chipset"),
    (r"unit 'cpum'|cpum#", "--cpus"),
    (r"VRAM size changed", "--vram"),
    (r"Monitor count changed", "--monitor-count"),
    (r"MMIO2 range called 'VRam'", "--graphicscontroller"),
    (r"ROM at .{0,80}'ACPI", "--acpi"),
    (r"ROM at .{0,80}BIOS", "--firmware"),
    (r"GIM#|GIMDev", "--paravirt-provider"),
    (r"apic#\d+: Config mismatch", "--x86-x2apic"),
    (r"'apic'", "--apic"),
    (r"'ioapic'", "--ioapic"),
    (r"'hpet'", "--x86-hpet"),
    (r"'tpm'", "--tpm-type"),
    (r"'(?:ichac97|hda|sb16)'", "--audio-controller, or --audio-enabled"),
    (r"'(?:e1000|pcnet|virtio-net)'|\((?:e1000|pcnet|virtio-net)\)", "--nicN, or --nic-typeN"),
    (r"'serial'|serial#", "--uartN, or --uart-typeN"),
    (r"'parallel'", "--lptN"),
    (r"'usb-ohci'", "--usb-ohci"),
    (r"'usb-ehci'", "--usb-ehci"),
    (r"'usb-xhci'", "--usb-xhci"),
    (r"(?:piix3ide|ahci|lsilogic\w*|buslogic|nvme|virtio-scsi)#|'(?:ahci|i82078|lsilogic\w*)'",
     "the storage controllers, and what is attached to them"),
)  # fmt: skip

# The last errors that the target wrote; a log that is older than some minutes is of another start.
_LOG: Final = """\
[ -n "$(find "$log" -mmin -5 2>/dev/null)" ] || exit 0
grep -E 'VMSetError: |SSM: LoadExec failed|Found no handler' -- "$log" | tail -n 20
"""


def investigate(
    plan: Plan, error: MigrateError, source: Access, destination: Access
) -> Sequence[Diagnosis]:
    """Give what can be seen of the reason, and of what is left."""
    from migrate_plugins_vbox.session import VBoxSession  # noqa: PLC0415 - planning needs none

    here, there = source.session, destination.session
    if not isinstance(here, VBoxSession) or not isinstance(there, VBoxSession):
        return []
    try:
        guest = here.manage.machine_named(plan.guest)
        if guest is None:
            return []
        target = there.manage.machine_of(guest.uuid)
    except DriverError:
        return []  # that a host does not answer is said already
    state = ABSENT if target is None else target.state
    found: list[Diagnosis] = []
    if verdict(guest.state, state) is Verdict.LOST:
        found.append(_lost(here, guest, there.found.hostname))
    told = CATALOGUE.diagnose(error.problem) if isinstance(error, DriverError) else []
    if target is not None and (not told or told[0].id == "vbox-device-differs"):
        found += _log(there, target)
    return found


def setting_of(text: str) -> str | None:
    """Name the setting that an error of VirtualBox is about, as ``modifyvm`` spells it; pure."""
    return next((name for pattern, name in _SETTINGS if re.search(pattern, text)), None)


def _lost(here: VBoxSession, guest: Machine, other: str) -> Diagnosis:
    """Say what is left where no copy runs any more."""
    name = here.found.hostname
    disks = "; ".join(_written(here, guest)) or "it has no disk"
    return Diagnosis(
        "vbox-lost",
        f"{guest.name} runs on neither host: the source had given it up, and {other} did not take"
        " it over, so that what was in its memory is gone. Its disks are as after a power cut:"
        f" {disks}. It may be started once, on {name} alone, after its process there has ended",
        (
            Remedy(here.manage.command("startvm", guest.uuid, "--type", "emergencystop")),
            Remedy(here.manage.command("modifyvm", guest.uuid, "--teleporter", "off")),
            Remedy(here.manage.command("startvm", guest.uuid, "--type", "headless")),
        ),
        0.99,
    )


def _written(here: VBoxSession, guest: Machine) -> Iterator[str]:
    """Say of each disk when it was last written."""
    files = [disk.location for disk in guest.disks if disk.location.startswith("/")]
    if not files:
        return
    script = f"stat -L -c '%n, last written %y' -- {shlex.join(files)} 2>&1"
    answer = here.manage.runner.run(script, seconds=_SECONDS)
    for line in answer.output.splitlines():
        yield _FRACTION.sub("", line)


def _log(there: VBoxSession, target: Machine) -> Iterator[Diagnosis]:
    """Name the setting by what the target wrote before it ended."""
    log = f"{target.values.get('LogFldr', '')}/VBox.log"
    answer = there.manage.runner.run(f"log={shlex.quote(log)}\n{_LOG}", seconds=_SECONDS)
    for line in answer.output.splitlines():
        setting = setting_of(line)
        if setting is None:
            continue
        said = line.partition(" ")[2].strip()
        yield Diagnosis(
            "vbox-device-differs",
            f"the target has another setting than the guest: {setting} ({log} on the destination"
            f" says {said[:200]!r})",
            (
                Remedy("migrate-plugins check, which compares all of them"),
                Remedy(there.manage.command("showvminfo", target.uuid, "--machinereadable")),
                Remedy(f"grep VMSetError {shlex.quote(log)}", Seat.DESTINATION),
            ),
            0.95,
            "hardware-differs",
        )
        return
