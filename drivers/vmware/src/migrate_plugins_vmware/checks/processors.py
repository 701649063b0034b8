"""Processors: whether the destination's have what the guest was given when it started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_vmware.checks.case import Case
    from migrate_plugins_vmware.checks.reading import Reading

__all__ = ["check_processors"]


def check_processors(case: Case) -> Iterator[Finding]:
    """Compare EVC modes: the guest's own, or else what its host may have given it."""
    if case.guest.power == "poweredOff":
        return
    own = case.guest.evc is not None
    need, have = case.guest.evc or case.source.evc, case.destination.evc
    if need is None or have is None:
        yield _unknown(case, need, have)
        return
    if need == have:
        return
    vendors = _vendor(case.reading, need), _vendor(case.reading, have)
    modes = case.reading.modes
    if vendors[0] != vendors[1]:
        yield Finding(
            "processor-other-vendor",
            case.blocking,
            case.destination.name,
            f"{case.destination.name} has processors of another vendor",
            seen=case.destination.processor or have,
            expected=need,
            remedy="choose a host of the same vendor, or move the guest powered off",
        )
    elif need not in modes or have not in modes:
        yield _unknown(case, need, have)
    elif modes[have].tier < modes[need].tier:
        yield Finding(
            "processor-older",
            case.blocking if own else Severity.WARNING,
            case.destination.name,
            f"the processors of {case.destination.name} lack features that "
            + ("the guest uses" if own else f"those of {case.source.name} may have given it"),
            seen=have,
            expected=need,
            remedy="choose a host of that EVC mode or a later one, or start the guest anew in a"
            " cluster with a lower one",
        )


def _vendor(reading: Reading, mode: str) -> str:
    known = reading.modes.get(mode)
    return (mode.partition("-")[0] if known is None else known.vendor).lower()


def _unknown(case: Case, need: str | None, have: str | None) -> Finding:
    return Finding(
        "processor-unknown",
        Severity.INFO,
        case.destination.name,
        "the vCenter does not tell enough of the processors to compare them; it does so itself"
        " when the guest moves",
        seen=have,
        expected=need,
        remedy=case.govc_there("host.info", case.destination.name),
    )
