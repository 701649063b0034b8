"""The guest itself: what keeps it where it is, and what stays behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_vbox.checks.case import Case

__all__ = ["check_guest"]


def check_guest(case: Case) -> Iterator[Finding]:
    """Look at the machine on the source."""
    guest, here = case.guest, case.source
    if guest.snapshots:
        yield Finding(
            "guest-has-snapshots",
            Severity.ERROR,
            here.name,
            f"{guest.name} has snapshots: their images stay behind, and the manual of VirtualBox"
            " excludes such machines from teleportation",
            seen=", ".join(guest.snapshots),
            expected="no snapshots",
            remedy=here.command("snapshot", guest.name, "delete", guest.snapshots[-1])
            + (", and the others, the last one first" if len(guest.snapshots) > 1 else ""),
        )
    encrypted = [
        told for told in (here.settings.uncarried if here.settings else ()) if "encrypted" in told
    ]
    if encrypted or guest.values.get("encryption", "disabled") != "disabled":
        yield Finding(
            "guest-encrypted",
            Severity.ERROR,
            here.name,
            f"{guest.name} is encrypted: whoever starts the target has to give its password, which"
            " nobody does here",
            seen="; ".join(encrypted) or "the machine is encrypted",
            expected="not encrypted",
            remedy="move it by hand, with VBoxManage controlvm … addencpassword on the destination",
        )
    if guest.teleporter:
        yield Finding(
            "guest-teleporter-on",
            Severity.INFO,
            here.name,
            f"the teleporter of {guest.name} is still on, from when it came to {here.name}; it is"
            " turned off once the guest has left",
            seen=f"port {guest.teleporter_port}",
        )
