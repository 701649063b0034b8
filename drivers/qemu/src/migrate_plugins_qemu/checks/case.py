"""What the checks of a guest judge: a plan, the facts, and what both hosts told."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from migrate_plugins import Severity
from migrate_plugins_qemu import definition

if TYPE_CHECKING:
    from migrate_plugins import Facts, GuestFacts, Plan
    from migrate_plugins_qemu.definition import Disk
    from migrate_plugins_qemu.inspection import Inspection

__all__ = ["Case"]


class Case(NamedTuple):
    """All that a check of a guest goes by.

    Attributes:
        plan: What is to be done.
        guest: The guest on the source.
        source: Name of the source.
        destination: Name of the destination, or of what stands for it.
        facts: What both hosts answered.
        inspection: What both hosts told about this guest.
    """

    plan: Plan
    guest: GuestFacts
    source: str
    destination: str
    facts: Facts
    inspection: Inspection

    @property
    def live(self) -> bool:
        """Whether memory moves: what the guest needs in order to run matters now, not later."""
        return not self.plan.request.offline and self.guest.state.active

    @property
    def blocking(self) -> Severity:
        """How much it matters that the guest cannot run there: offline it is not to run yet."""
        return Severity.ERROR if self.live else Severity.WARNING

    @property
    def copying(self) -> bool:
        """Whether disks are copied at all."""
        return self.plan.request.copy_storage_all or self.plan.request.copy_storage_inc

    def copied(self, disk: Disk) -> bool:
        """Whether libvirt copies this disk: as it chooses, or as it was told."""
        named = self.plan.request.migrate_disks
        if not self.copying:
            return False
        if named:
            return disk.target in named
        return not (disk.shareable or disk.read_only or disk.empty)

    def qemu(self, *, there: bool = False) -> tuple[int, ...] | None:
        """Give QEMU's version on a host, such as ``(7, 2, 22)``, or None."""
        host = self.facts.destination if there else self.facts.source
        number = host.hypervisor.rpartition(" ")[2] if host is not None else ""
        parts = number.split(".")
        return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else None

    def here(self, *command: str) -> str:
        """Write a virsh command for the source."""
        return _virsh(self.plan.uris.source.value, command)

    def there(self, *command: str) -> str:
        """Write a virsh command for the destination."""
        uris = self.plan.uris
        return _virsh(uris.destination_from_client.value or uris.destination.value, command)

    def writable_disks(self) -> list[Disk]:
        """Give the disks whose contents have to be right on the destination."""
        return [
            disk
            for disk in definition.disks(self.inspection.guest)
            if not disk.empty and not disk.read_only
        ]


def _virsh(uri: str | None, command: tuple[str, ...]) -> str:
    return shlex.join(["virsh", *(("-c", uri) if uri else ()), *command])
