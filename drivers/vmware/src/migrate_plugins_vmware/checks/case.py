"""What the checks judge: a plan, and what was read of the vCenter."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import Severity
from migrate_plugins_vmware.commands import govc
from migrate_plugins_vmware.places import Place

if TYPE_CHECKING:
    from migrate_plugins import Plan
    from migrate_plugins_vmware.checks.reading import Host, Machine, Reading

__all__ = ["Case"]

# Commands that look names up in one datacenter.
_IN_DATACENTER: Final = ("datastore.", "device.", "gpu.", "host.", "snapshot.", "vm.")


class Case(NamedTuple):
    """All that a check of a guest goes by.

    Attributes:
        plan: What is to be done.
        guest: The guest on the source.
        reading: What the vCenter told, or both of them.
    """

    plan: Plan
    guest: Machine
    reading: Reading

    @property
    def source(self) -> Host:
        """The source host."""
        return self.reading.source

    @property
    def destination(self) -> Host:
        """The destination host."""
        return self.reading.destination

    @property
    def live(self) -> bool:
        """Whether memory moves; a guest whose power nobody knows is taken to be on."""
        return self.guest.power not in {"poweredOff", "suspended"}

    @property
    def blocking(self) -> Severity:
        """How much it matters that the guest cannot run there: one that is off is not to yet."""
        return Severity.ERROR if self.live else Severity.WARNING

    def govc(self, command: str, *words: str) -> str:
        """Write a govc command for the source's vCenter as it is typed."""
        return _govc(self.plan.uris.source.value, command, words)

    def govc_there(self, command: str, *words: str) -> str:
        """Write a govc command for the destination's vCenter as it is typed."""
        return _govc(self.plan.uris.destination.value, command, words)


def _govc(uri: str | None, command: str, words: tuple[str, ...]) -> str:
    place = Place.parse(uri or "")
    # With folders in the path nobody can tell which name is the datacenter's.
    if command.startswith(_IN_DATACENTER) and len(place.path) in {2, 3}:
        words = ("-dc", place.path[0], *words)
    return shlex.join(govc(place, command, *words))
