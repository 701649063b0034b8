"""Both hosts: version, processor, memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import Finding, Severity
from migrate_plugins_vbox.manage import release

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_vbox.checks.case import Case

__all__ = ["check_hosts"]

_KIB = 1024


def check_hosts(case: Case) -> Iterator[Finding]:
    """Compare the hosts."""
    yield from _versions(case)
    yield from _processors(case)
    yield from _memory(case)


def _versions(case: Case) -> Iterator[Finding]:
    here, there = case.source, case.destination
    # What a distribution puts behind it is not VirtualBox's.
    mine, theirs = (release(side.version) for side in (here, there))
    if mine != theirs:
        yield Finding(
            "version-differs",
            Severity.ERROR,
            there.name,
            f"{here.name} has VirtualBox {mine} and {there.name} has {theirs}: a machine's state"
            " is read by the version that wrote it alone",
            seen=there.version,
            expected=here.version,
            remedy=f"install VirtualBox {mine} on {there.name}, or {theirs} on {here.name}, where"
            " every guest has to be shut off for it",
        )


def _processors(case: Case) -> Iterator[Finding]:
    mine, theirs = case.source.reading.processor, case.destination.reading.processor
    if mine is None or theirs is None or mine == theirs:
        return
    values = case.guest.values
    level = values.get("cpuid-portability-level", "0")
    if level != "0" or values.get("cpu-profile", "host") != "host":
        return
    yield Finding(
        "processor-differs",
        Severity.WARNING,
        case.destination.name,
        "the hosts have other processors, and the guest uses all that the source's can do: on the"
        " other one it may be refused, crash or hang",
        seen=theirs,
        expected=mine,
        remedy=f"once the guest is shut off: {_level(case)}; higher levels, up to 3, hide more",
    )


def _level(case: Case) -> str:
    words = ("modifyvm", case.guest.name, "--cpuid-portability-level", "1")
    return case.source.command(*words)


def _memory(case: Case) -> Iterator[Finding]:
    there = case.destination
    total, free = there.reading.memory, there.reading.available
    needed = (case.guest.memory + _number(case.guest.values.get("vram"))) * _KIB
    if total is None or free is None or needed <= free:
        return
    yield Finding(
        "destination-memory-short",
        Severity.ERROR if needed > total else Severity.WARNING,
        there.name,
        f"the guest has more memory than {there.name} has"
        + ("" if needed > total else " free at the moment"),
        seen=f"{(total if needed > total else free) // _KIB} MiB",
        expected=f"{needed // _KIB} MiB",
        remedy=f"shut off or move guests there: {there.command('list', 'runningvms')}",
    )


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() else 0
