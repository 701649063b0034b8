"""The machine on the destination, where there is one; else what is in the way of making it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, Severity
from migrate_plugins_vbox.hardware import Effect, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_vbox.checks.case import Case
    from migrate_plugins_vbox.hardware import Difference
    from migrate_plugins_vbox.machine import Machine

__all__ = ["check_target"]

_SAVED: Final = frozenset({"saved", "aborted-saved"})
# That it runs is for others to say; in these it looks as if it were off.
_STUCK: Final = frozenset({"gurumeditation", "stopping"})
_KINDS: Final = {
    Effect.REFUSED: ("hardware-differs", Severity.ERROR),
    Effect.SILENT: ("identity-differs", Severity.ERROR),
}


def check_target(case: Case) -> Iterator[Finding]:
    """Look at the target, or at the place where it is to be."""
    target = case.target
    if target is None:
        yield from _way(case)
        return
    yield from _state(case, target)
    if case.source.text and case.destination.text:
        for difference in compare(
            case.guest,
            target,
            case.source.text,
            case.destination.text,
            renamed=True,  # that it has another name the core says
        ):
            yield _difference(case, difference)


def _state(case: Case, target: Machine) -> Iterator[Finding]:
    there = case.destination
    if target.snapshots:
        yield Finding(
            "target-has-snapshots",
            Severity.ERROR,
            there.name,
            f"{target.name} has snapshots on {there.name}, where it is to be started anew",
            seen=", ".join(target.snapshots),
            expected="no snapshots",
            remedy=there.command("snapshot", target.uuid, "delete", target.snapshots[-1])
            + (", and the others, the last one first" if len(target.snapshots) > 1 else ""),
        )
    if target.state in _SAVED:
        yield Finding(
            "target-saved",
            Severity.ERROR,
            there.name,
            f"{target.name} has a saved state on {there.name}: its start would go on from there,"
            " and wait for no guest",
            seen=target.state,
            expected="poweroff",
            remedy="if that state is not wanted any more: "
            + there.command("discardstate", target.uuid),
        )
    elif target.state in _STUCK:
        yield Finding(
            "target-not-off",
            Severity.ERROR,
            there.name,
            f"the process of {target.name} on {there.name} has not ended: it is {target.state}",
            seen=target.state,
            expected="poweroff",
            remedy=there.command("startvm", target.uuid, "--type", "emergencystop"),
        )


def _difference(case: Case, difference: Difference) -> Finding:
    there = case.destination
    what = f"{difference.setting} of the machine on {there.name} is not that of the guest"
    id_, severity = _KINDS.get(difference.effect, ("setting-differs", Severity.WARNING))
    return Finding(
        id_,
        severity,
        there.name,
        f"{what}: {difference.effect.value}",
        seen=difference.there or "none",
        expected=difference.here or "none",
        remedy=" && ".join(there.command(*words) for words in difference.mending)
        or f"{there.command('unregistervm', case.guest.uuid)}; it is made anew of the guest's own",
    )


def _way(case: Case) -> Iterator[Finding]:
    """Look for what keeps the target from being registered."""
    there, here = case.destination, case.source
    reading = there.reading
    if reading.in_way == "other":
        yield Finding(
            "settings-file-in-way",
            Severity.ERROR,
            there.name,
            "where the settings of the target are to be written there are those of another machine,"
            " or a file of somebody else's",
            seen=reading.path,
            expected="no file",
            remedy=f"on {there.name} look at it, and move it away: mv {shlex.quote(reading.path)}"
            f" {shlex.quote(f'{reading.path}-kept')}",
        )
    elif reading.in_way == "source":
        yield Finding(
            "machine-folder-shared",
            Severity.ERROR,
            there.name,
            f"both hosts keep their machines in one folder, or {there.name} has a copy of the"
            " guest's settings: one host would write over the other's",
            seen=reading.path,
            expected="a machine folder of its own for each host",
            remedy=f"{there.command('setproperty', 'machinefolder', 'FOLDER')}, with a folder of"
            f" {there.name} alone",
        )
    wanted = {
        medium.uuid: medium.location
        for medium in (here.settings.media if here.settings else ())
        if medium.kind == "HardDisk"
    }
    for image in reading.images:
        known = wanted.get(image.uuid)
        by_path = {location: uuid for uuid, location in wanted.items()}.get(image.location)
        if (known is None or known == image.location) and by_path in {None, image.uuid}:
            continue
        yield Finding(
            "disk-known-elsewhere",
            Severity.ERROR,
            there.name,
            f"VirtualBox on {there.name} knows "
            + (
                f"the uuid of {known} as that of another image"
                if known is not None
                else f"{image.location} by another uuid"
            )
            + ": it would not register the target",
            seen=f"{image.location} {{{image.uuid}}}",
            expected=f"{known or image.location} {{{image.uuid if known else by_path}}}",
            remedy="if no machine there uses it: "
            + there.command("closemedium", "disk", image.uuid),
        )
