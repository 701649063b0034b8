"""The driver keeps on a vCenter what every driver has to."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest
from pyVmomi import vim, vmodl

from migrate_plugins.testing import DriverConformance

if TYPE_CHECKING:
    from types import NotImplementedType

    from vsphere.arena import Arena


class VSpherePair:
    """Two hosts of a simulated vCenter; see :class:`migrate_plugins.testing.HostPair`."""

    peer: Final = None
    dead: Final = "vpx://127.0.0.1:1/DC0/DC0_C0/DC0_C0_H0"

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._source, self._destination = arena.source, arena.far
        self._made: list[str] = []
        self._slow = False
        self.source: Final = arena.uri(self._source)
        self.destination: Final = arena.uri(self._destination)
        pool = self._destination.parent.resourcePool
        self.migration: Final = f"vpxmigr://127.0.0.1/{pool._moId}/{self._destination._moId}"

    def guest(self, *, running: bool = True, persistent: bool = False) -> str | NotImplementedType:
        if not persistent:
            # The inventory keeps each guest until somebody removes it.
            return NotImplemented  # type: ignore[no-any-return]
        arena = self._arena
        name = f"guest{len(self._made) + 1}"
        (datacenter,) = arena.named(vim.Datacenter).values()
        spec = vim.vm.ConfigSpec(
            name=name,
            guestId="otherGuest",
            memoryMB=64,
            numCPUs=1,
            files=vim.vm.FileInfo(vmPathName="[LocalDS_0]"),
        )
        pool = self._source.parent.resourcePool
        made = arena.done(datacenter.vmFolder.CreateVM_Task(spec, pool, self._source))
        arena.vms[name] = made
        self._made.append(name)
        if running:
            arena.done(made.PowerOnVM_Task())
        arena.asks(name, seconds=60 if self._slow else 0.05)
        return name

    def slow(self) -> None:
        self._slow = True

    def break_transfer(self) -> None:
        """Somebody else cancels the task in the vCenter."""
        for info in self._arena.moves():
            if info.state == "running":
                info.task.CancelTask()

    def heal(self) -> None:
        self._slow = False

    def clean(self) -> None:
        self.heal()
        self.break_transfer()
        arena = self._arena
        arena.until(lambda: all(info.state != "running" for info in arena.moves()))
        while self._made:
            guest: Any = arena.vms.pop(self._made.pop())
            with suppress(vmodl.fault.ManagedObjectNotFound):
                if guest.runtime.powerState == "poweredOn":
                    arena.done(guest.PowerOffVM_Task())
                arena.done(guest.Destroy_Task())


class TestConformance(DriverConformance):
    name = "vmware"
    migration_uri = "vpxmigr://192.0.2.7/resgroup-26/host-42"

    @pytest.fixture
    def hosts(self, arena: Arena) -> VSpherePair:
        return VSpherePair(arena)
