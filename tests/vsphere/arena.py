"""A vCenter to move a guest in: how its hosts are opened, and what an administrator sees of it.

What is asserted is read over a connection of its own, through pyVmomi alone, and from virsh.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl
from vsphere.site import Site, all_of, cards, disks, ended, virsh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vsphere.endpoint import Endpoint

_SECONDS = 30.0


class Arena(Site):
    """A site whose moves are ordered by URIs, and seen by the vCenter and by virsh."""

    def __init__(self, endpoint: Endpoint, service: Any) -> None:
        """Take over a connection of *endpoint*'s administrator."""
        super().__init__(service)
        self.endpoint = endpoint
        self.content = service.content
        self.guest: str = self.vm.name

    def named(self, kind: type) -> dict[str, Any]:
        """Give all objects of a kind, by name, as they are now."""
        return all_of(self.service, kind)

    def uri(self, host: Any, **query: str) -> str:
        """Give a connection URI for *host*, verified with the endpoint's authority."""
        return self.endpoint.uri(*self.path(host), **({"cacert": str(self.endpoint.ca)} | query))

    def path(self, host: Any) -> tuple[str, ...]:
        """Give the names that libvirt finds a host by."""
        compute = host.parent
        above = compute.parent
        while not isinstance(above, vim.Datacenter):
            above = above.parent
        if isinstance(compute, vim.ClusterComputeResource):
            return above.name, compute.name, host.name
        return above.name, host.name

    def asks(self, *names: str, **asked: object) -> None:
        """Ask for something in the next relocations of guests: `seconds`, `fault`, `failat` …"""
        self.control(*names, **{f"relocate_{name}": value for name, value in asked.items()})

    def done(self, task: Any) -> Any:
        """Wait for a task, which must succeed, and give its result."""
        info = ended(task)
        assert info.state == "success", info.error
        return info.result

    def until(self, come: Callable[[], object]) -> None:
        """Wait until something has come, and not for ever."""
        end = time.monotonic() + _SECONDS
        while not come():
            assert time.monotonic() < end, f"nothing has come within {_SECONDS:.0f} s"
            time.sleep(0.02)

    def where(self, name: str | None = None) -> str:
        """Tell on which host a guest is."""
        return str(self.vms[name or self.guest].runtime.host.name)

    def power_off(self) -> None:
        """Shut the guest off."""
        self.done(self.vm.PowerOffVM_Task())

    # --- tasks and sessions ----------------------------------------------------------------------

    def moves(self) -> list[Any]:
        """Give what is told of the tasks that move guests, the oldest first."""
        query = vmodl.query.PropertyCollector
        manager = self.content.taskManager
        along = query.TraversalSpec(type=type(manager), path="recentTask", skip=False)
        spec = query.FilterSpec(
            objectSet=[query.ObjectSpec(obj=manager, skip=True, selectSet=[along])],
            propSet=[query.PropertySpec(type=vim.Task, pathSet=["info"])],
        )
        collector = self.content.propertyCollector
        answer = collector.RetrievePropertiesEx([spec], query.RetrieveOptions())
        infos = [found.propSet[0].val for found in answer.objects]
        return [each for each in infos if "relocate" in str(each.descriptionId)]

    def progress(self) -> int:
        """Give the per cent of the move that runs, or -1 where none does."""
        running = [info.progress or 0 for info in self.moves() if info.state == "running"]
        return max(running, default=-1)

    def sessions(self) -> list[str]:
        """Give the keys of all sessions but the administrator's own."""
        manager = self.content.sessionManager
        own = manager.currentSession.key
        return [each.key for each in manager.sessionList if each.key != own]

    def kill_sessions(self) -> int:
        """End all sessions but the administrator's own; how many there were."""
        found = self.sessions()
        for key in found:
            with suppress(vim.fault.NotFound):
                self.content.sessionManager.TerminateSession([key])
        return len(found)

    # --- libvirt's own client --------------------------------------------------------------------

    def virsh(self, host: Any, *words: str) -> str:
        """Run virsh for a host: another client, which knows nothing of ours."""
        query = {"no_verify": "1", "authfile": str(self.endpoint.auth_file)}
        return virsh(self.endpoint.uri(*self.path(host), **query), *words)

    def virsh_sees(self, name: str | None = None, *more: Any) -> list[str]:
        """Name those of the three hosts, and of *more*, that have the guest as virsh sees it."""
        wanted = name or self.guest
        asked = {host.name: host for host in (self.source, self.neighbour, self.far, *more)}
        return [
            name
            for name, host in asked.items()
            if wanted in self.virsh(host, "list", "--all", "--name").split()
        ]

    def only(self, host: Any, name: str | None = None) -> bool:
        """Whether the guest is on *host* and nowhere else, by the vCenter and by virsh."""
        seen = (self.where(name), self.virsh_sees(name, host))
        assert seen == (host.name, [host.name])
        return True

    # --- devices ---------------------------------------------------------------------------------

    def disks(self) -> Iterator[tuple[int, str]]:
        """Give each disk's number and the datastore that its file is on."""
        for device in disks(self.vm):
            yield device.key, device.backing.fileName.partition("]")[0].lstrip("[")

    def cards(self) -> list[Any]:
        """Give the network cards."""
        return cards(self.vm)

    def set_to(self, key: str) -> str | None:
        """Give a value of the guest's extraConfig: of the last one with that key."""
        found = [each.value for each in self.vm.config.extraConfig if each.key == key]
        return found[-1] if found else None
