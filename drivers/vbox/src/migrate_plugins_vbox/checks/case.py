"""What the checks judge: a plan, and what both hosts told of themselves and of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate_plugins import Plan
    from migrate_plugins_vbox.checks.reading import Reading
    from migrate_plugins_vbox.machine import Machine
    from migrate_plugins_vbox.settings import Settings
    from migrate_plugins_vbox.sharing import Proof

__all__ = ["Case", "Side"]


class Side(NamedTuple):
    """One host.

    Attributes:
        name: Of the host.
        version: Of its VirtualBox.
        reading: What else it told.
        machine: The guest's machine there, or None.
        text: The machine's settings file; empty where there is none, or where it was not read.
        settings: What that says, or None.
        command: Writes a call of VBoxManage there as a line for a shell of the client.
    """

    name: str
    version: str
    reading: Reading
    machine: Machine | None
    text: str
    settings: Settings | None
    command: Callable[..., str]


class Case(NamedTuple):
    """All that the checks go by.

    Attributes:
        plan: What is to be done.
        guest: The machine on the source.
        source: The source host.
        destination: The destination host.
        proofs: Of each image whether both hosts have it.
    """

    plan: Plan
    guest: Machine
    source: Side
    destination: Side
    proofs: tuple[Proof, ...] = ()

    @property
    def target(self) -> Machine | None:
        """The machine on the destination, where there is one already."""
        return self.destination.machine
