"""The guest itself: its state, its memory, and what it is bound to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import Finding, GuestState, Severity
from migrate_plugins_qemu import definition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from migrate_plugins_qemu.checks.case import Case

__all__ = ["check_guest"]


def check_guest(case: Case) -> Iterator[Finding]:
    """Look at the guest's state, and at what it leaves behind."""
    running = case.inspection.running
    if running.snapshots:
        first = running.snapshots[0]
        yield Finding(
            "guest-has-snapshots",
            Severity.ERROR,
            case.source,
            f"libvirt does not migrate {case.guest.name} as long as it has snapshots",
            seen=", ".join(running.snapshots),
            expected="no snapshots",
            # What a snapshot holds stays in its image; only libvirt's record of it goes.
            remedy=case.here("snapshot-delete", case.guest.name, first, "--metadata"),
        )
    if running.checkpoints:
        yield Finding(
            "guest-has-checkpoints",
            Severity.WARNING,
            case.source,
            "checkpoints do not go with the guest: the next backup there has to be a full one",
            seen=", ".join(running.checkpoints),
            expected="no checkpoints",
            remedy=case.here("checkpoint-delete", case.guest.name, running.checkpoints[0]),
        )
    if running.saved:
        yield Finding(
            "guest-memory-saved",
            Severity.WARNING,
            case.source,
            "the guest's saved memory stays on the source: on the destination it boots afresh",
            seen="a managed save image",
            expected="none",
            remedy=case.here("start", case.guest.name),
        )
    yield from _state(case)
    security = case.inspection.guest.find("launchSecurity")
    if security is not None and case.live:
        yield Finding(
            "guest-encrypted",
            Severity.ERROR,
            case.source,
            "the guest's memory is encrypted with a key of this processor, and QEMU cannot move it",
            seen=f"launchSecurity {security.get('type', '')}",
            expected="a guest without launchSecurity",
            remedy=case.here("shutdown", case.guest.name),
        )
    yield from _memory(case)
    yield from _bindings(case)


def _state(case: Case) -> Iterator[Finding]:
    name = case.guest.name
    if case.live and case.guest.state is GuestState.PAUSED:
        reason = f" ({case.guest.reason})" if case.guest.reason else ""
        failed = case.guest.reason == "ioerror"
        if failed and case.plan.request.abort_on_error:
            yield Finding(
                "guest-io-error",
                Severity.ERROR,
                case.source,
                f"{name} stopped at an I/O error, which --abort-on-error takes for a failure",
                seen=f"paused{reason}",
                expected="running",
                remedy=case.here("domblkerror", name),
            )
        if case.plan.request.postcopy:
            yield Finding(
                "guest-paused-postcopy",
                Severity.ERROR,
                case.source,
                "libvirt allows no post-copy where the guest is paused",
                seen=f"paused{reason}",
                expected="running, or no --postcopy",
                remedy="leave out --postcopy",
            )
        yield Finding(
            "guest-paused",
            Severity.INFO,
            case.source,
            f"{name} is paused, and arrives paused",
            seen=f"paused{reason}",
            remedy=case.here("resume", name),
        )
    if case.inspection.running.dying:
        yield Finding(
            "guest-shutting-down",
            Severity.WARNING,
            case.source,
            f"{name} is on its way down: it may be gone before its memory has moved",
            seen="in shutdown",
            expected="running",
            remedy="wait until it is shut off, then --offline --persistent moves its definition",
        )


def _memory(case: Case) -> Iterator[Finding]:
    """Compare what the guest takes up with what the destination has."""
    abilities = case.inspection.abilities
    if not case.live or abilities is None:
        return
    if abilities.memory is not None and abilities.pages is None:
        memory, wanted = abilities.memory, case.guest.memory
        used = case.inspection.running.used or 0
        # Pages that were never written to take up no room there either.
        sure = min(used, wanted) > memory.available or wanted > memory.total
        if sure or wanted > memory.available:
            yield Finding(
                "destination-memory-short",
                Severity.ERROR if sure else Severity.WARNING,
                case.destination,
                f"{case.destination} has too little free memory for {case.guest.name}"
                if sure
                else f"{case.guest.name} may use more memory than is free on {case.destination}",
                seen=f"{_mib(memory.available)} free of {_mib(memory.total)}",
                expected=f"{_mib(wanted)} free"
                + (f", of which the guest uses {_mib(used)} now" if used else ""),
                remedy="choose another destination, or shut a guest off there:"
                f" {case.there('list', '--name')} names them",
            )
    if abilities.pages is not None:
        yield from _pages(case, abilities.pages)


def _pages(case: Case, free: Mapping[int, int]) -> Iterator[Finding]:
    target = case.inspection.target
    given = [
        definition.kibibytes(page.get("size", "0"), page.get("unit"))
        for page in target.iterfind("memoryBacking/hugepages/page")
    ]
    # Without a size libvirt takes the host's default one, which is the smallest huge page.
    huge = sorted(size for size in free if size > min(free))
    sizes = given or huge[:1]
    wanted = case.guest.memory
    enough = sizes and all(size in free for size in sizes)
    room = sum(size * free.get(size, 0) for size in set(sizes))
    if enough and room >= wanted:
        return
    size = sizes[0] if sizes else None
    count = -(-wanted // size) if size else None
    yield Finding(
        "hugepages-short",
        Severity.ERROR,
        case.destination,
        f"{case.destination} lacks huge pages for {case.guest.name}",
        seen=", ".join(f"{free[each]} free of {each} KiB" for each in huge) or "no huge pages",
        expected=f"{count} free of {size} KiB" if size else "huge pages",
        remedy=case.there("allocpages", "--pagesize", f"{size}KiB", "--pagecount", str(count))
        if size in free
        else "choose a destination with huge pages of this size",
    )


def _bindings(case: Case) -> Iterator[Finding]:
    """Hold what the guest is bound to against what the destination has."""
    abilities, target = case.inspection.abilities, case.inspection.target
    if abilities is None:
        return
    if abilities.cells is not None:
        wanted = _set(
            memory.get("nodeset")
            for memory in (
                *target.iterfind("numatune/memory[@mode='strict']"),
                *target.iterfind("numatune/memnode[@mode='strict']"),
            )
        )
        if missing := wanted - abilities.cells:
            yield Finding(
                "numa-node-missing",
                case.blocking,
                case.destination,
                "the guest's memory is bound to NUMA nodes that the destination lacks",
                seen=f"nodes {_listed(abilities.cells)}",
                expected=f"nodes {_listed(missing)} too",
                remedy="--xml FILE with another nodeset in <numatune>",
            )
    if abilities.cpus is not None:
        wanted = _set(
            [
                definition.attribute(target, "vcpu", "cpuset"),
                *(
                    pin.get("cpuset")
                    for tag in ("vcpupin", "emulatorpin", "iothreadpin")
                    for pin in target.iterfind(f"cputune/{tag}")
                ),
            ]
        )
        if missing := wanted - abilities.cpus:
            yield Finding(
                "processor-missing",
                case.blocking,
                case.destination,
                "the guest is pinned to processors that the destination lacks",
                seen=f"processors {_listed(abilities.cpus)}",
                expected=f"processors {_listed(missing)} too",
                remedy="--xml FILE with other processors in <vcpu> and <cputune>",
            )
    if abilities.security is not None:
        models = {label.get("model") for label in target.iterfind("seclabel[@type='static']")} - {
            None,
            "none",
        }
        if models - abilities.security:
            yield Finding(
                "security-model-missing",
                case.blocking,
                case.destination,
                "a static security label is of a model that the destination does not use",
                seen=", ".join(sorted(abilities.security)) or "none",
                expected=", ".join(sorted(str(model) for model in models)),
                remedy="--xml FILE without that <seclabel>",
            )


def _set(texts: Iterable[str | None]) -> frozenset[int]:
    found: set[int] = set()
    for text in texts:
        if text:
            found |= definition.numbers(text)
    return frozenset(found)


def _listed(numbers: frozenset[int]) -> str:
    """Write numbers as libvirt does: ``0-3,8``."""
    parts: list[str] = []
    ordered = sorted(numbers)
    start = 0
    for place, number in enumerate(ordered):
        if place + 1 < len(ordered) and ordered[place + 1] == number + 1:
            continue
        first = ordered[start]
        parts.append(str(number) if first == number else f"{first}-{number}")
        start = place + 1
    return ",".join(parts)


def _mib(kib: int) -> str:
    return f"{kib >> 10} MiB"
