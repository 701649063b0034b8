"""What the checks judge: a plan, and what was read of the vCenter."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from migrate_plugins import Severity

if TYPE_CHECKING:
    from migrate_plugins import Plan
    from migrate_plugins_vmware.checks.reading import Host, Machine, Reading

__all__ = ["Case"]


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
        """Write a govc command as it is typed; govc takes the vCenter from GOVC_URL."""
        return shlex.join(["govc", command, *words])
