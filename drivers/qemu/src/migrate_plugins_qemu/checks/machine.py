"""The machine that the guest believes to run on: emulator, machine type, firmware, processor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, Severity
from migrate_plugins_qemu import definition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_qemu.checks.case import Case

__all__ = ["check_machine"]

# What each lack is about, and what is expected of the destination.
_LACKS: Final = {
    "emulator": ("emulator-missing", "the destination lacks the program that runs the guest"),
    "machine": ("machine-type-missing", "QEMU on the destination lacks the guest's machine type"),
    "virtualisation": (
        "virtualisation-missing",
        "the destination cannot run guests of this type",
    ),
}
_REMEDIES: Final = {
    "emulator": "--xml FILE with an <emulator> that is on {host}",
    "machine": "install a QEMU on {host} that has {wanted}, or choose another destination",
    "virtualisation": "make {wanted} work on {host}: on {host}: virt-host-validate qemu",
}


def check_machine(case: Case) -> Iterator[Finding]:
    """Hold the guest's machine against what QEMU on the destination can be."""
    yield from _kind(case)
    yield from _firmware(case)
    if case.live:
        yield from _processor(case)


def _kind(case: Case) -> Iterator[Finding]:
    abilities, target = case.inspection.abilities, case.inspection.target
    if abilities is None:
        return
    expected = {
        "emulator": target.findtext("devices/emulator"),
        "machine": definition.attribute(target, "os/type", "machine"),
        "virtualisation": target.get("type"),
    }
    for lack, told in abilities.lacks.items():
        id_, text = _LACKS[lack]
        yield Finding(
            id_,
            case.blocking,
            case.destination,
            text,
            seen=told,
            expected=expected[lack],
            remedy=_REMEDIES[lack].format(host=case.destination, wanted=expected[lack]),
        )
    count = int(target.findtext("vcpu") or "1")
    most = (
        definition.attribute(abilities.capabilities, "vcpu", "max")
        if abilities.capabilities is not None
        else None
    )
    if most is not None and count > int(most):
        yield Finding(
            "vcpus-beyond",
            case.blocking,
            case.destination,
            "the guest has more processors than QEMU on the destination can give it",
            seen=f"at most {most}",
            expected=str(count),
            remedy="choose a destination with a newer QEMU",
        )


def _firmware(case: Case) -> Iterator[Finding]:
    """Look for the firmware; only what was looked for and not found is missing."""
    path = (case.inspection.target.findtext("os/loader") or "").strip()
    look = case.inspection.there
    if not path or look is None:
        return
    file = look.files.get(path)
    if file is not None and file.kind is None:
        yield Finding(
            "firmware-missing",
            case.blocking,
            case.destination,
            "the guest's firmware is not on the destination",
            seen="no such file",
            expected=path,
            remedy=f"install the package that {path} is from on {case.destination}",
        )


def _processor(case: Case) -> Iterator[Finding]:
    guest, abilities = case.inspection.guest, case.inspection.abilities
    mode = definition.attribute(guest, "cpu", "mode")
    told = None if abilities is None else abilities.cpu
    # With software emulation the largest processor is the same wherever QEMU is.
    if mode == "host-passthrough" or (mode == "maximum" and guest.get("type") == "kvm"):
        yield Finding(
            "cpu-host-passthrough",
            Severity.WARNING,
            case.destination,
            "the guest sees the source's own processor, and libvirt does not compare it: where the"
            " destination's lacks something, the guest crashes after it has moved",
            seen=told or ("not compared" if abilities is None else "nothing is missing"),
            expected="the same processor, microcode and kernel",
            remedy="a CPU model that both hosts have, such as mode='host-model', from the next"
            " start of the guest on",
        )
    elif told is not None:
        missing = told.partition("required features: ")[2]
        model = guest.findtext("cpu/model")
        yield Finding(
            "cpu-incompatible",
            Severity.ERROR,
            case.destination,
            "the destination's processor cannot stand in for the guest's",
            seen=f"missing: {missing}" if missing else told,
            expected=f"all features of the guest's {model}",
            remedy="choose a destination whose processor has them, or a CPU model without them from"
            f" the guest's next start on: {case.here('edit', case.guest.name)}",
        )
    required = {
        feature.get("name")
        for feature in guest.iterfind("cpu/feature")
        if feature.get("policy") in {"require", "force"}
    }
    paced = any(timer.get("frequency") for timer in guest.iterfind("clock/timer[@name='tsc']"))
    if "invtsc" in required and not paced:
        yield Finding(
            "cpu-invariant-tsc",
            Severity.ERROR,
            case.source,
            "the guest counts on a TSC that never changes, and its frequency is not set",
            seen="invtsc",
            expected="<timer name='tsc' frequency='…'/> in <clock>",
            remedy=case.here("edit", case.guest.name),
        )
