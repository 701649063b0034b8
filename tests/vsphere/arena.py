"""A vCenter to move a guest in: how its hosts are opened, and what an administrator sees of it.

What is asserted is read over a connection of its own, through pyVmomi alone, and from virsh.
"""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pyVmomi import vim, vmodl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vsphere.endpoint import Endpoint

_SECONDS = 30.0


class Arena:
    """An endpoint, with a guest, the host it is on, another of its cluster and one of another."""

    def __init__(self, endpoint: Endpoint, service: Any) -> None:  # noqa: ANN401 - pyVmomi is untyped
        """Take over a connection of *endpoint*'s administrator."""
        self.endpoint = endpoint
        self.content = service.content
        self.hosts = self.named(vim.HostSystem)
        self.guests = self.named(vim.VirtualMachine)
        self.guest = min(name for name in self.guests if "C0_RP" in name)
        self.vm = self.guests[self.guest]
        self.source = self.vm.runtime.host
        self.neighbour = next(
            host for host in self.source.parent.host if host.name != self.source.name
        )
        self.far = self.hosts["DC0_C1_H0"]

    def named(self, kind: type) -> dict[str, Any]:
        """Give all objects of a kind, by name."""
        view = self.content.viewManager.CreateContainerView(self.content.rootFolder, [kind], True)
        found = {each.name: each for each in view.view}
        view.Destroy()
        return found

    def uri(self, host: Any, **query: str) -> str:  # noqa: ANN401 - see above
        """Give a connection URI for *host*, verified with the endpoint's authority."""
        return self.endpoint.uri(*self.path(host), **({"cacert": str(self.endpoint.ca)} | query))

    def path(self, host: Any) -> tuple[str, ...]:  # noqa: ANN401 - see above
        """Give the names that libvirt finds a host by."""
        compute = host.parent
        above = compute.parent
        while not isinstance(above, vim.Datacenter):
            above = above.parent
        if isinstance(compute, vim.ClusterComputeResource):
            return above.name, compute.name, host.name
        return above.name, host.name

    def control(self, *names: str, **asked: object) -> None:
        """Ask for something in the next relocations of guests: `seconds`, `fault`, `failat` …"""
        options = [
            vim.option.OptionValue(key=f"sim.relocate.{key}", value=str(value))
            for key, value in asked.items()
        ]
        for name in names or (self.guest,):
            spec = vim.vm.ConfigSpec(extraConfig=options)
            self.ended(self.guests[name].ReconfigVM_Task(spec))

    def ended(self, task: Any) -> Any:  # noqa: ANN401 - see above
        """Wait for a task, which must succeed, and give its result."""
        self.until(lambda: task.info.state not in {"queued", "running"})
        assert task.info.state == "success", task.info.error
        return task.info.result

    def until(self, come: Callable[[], object]) -> None:
        """Wait until something has come, and not for ever."""
        end = time.monotonic() + _SECONDS
        while not come():
            assert time.monotonic() < end, f"nothing has come within {_SECONDS:.0f} s"
            time.sleep(0.02)

    def where(self, name: str | None = None) -> str:
        """Tell on which host a guest is."""
        return str(self.guests[name or self.guest].runtime.host.name)

    def power_off(self) -> None:
        """Shut the guest off."""
        self.ended(self.vm.PowerOffVM_Task())

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

    def virsh(self, host: Any, *words: str) -> str:  # noqa: ANN401 - see above
        """Run virsh for a host: another client, which knows nothing of ours."""
        query = {"no_verify": "1", "authfile": str(self.endpoint.auth_file)}
        argv = ["virsh", "-c", self.endpoint.uri(*self.path(host), **query), *words]
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def virsh_sees(self, name: str | None = None, *more: Any) -> list[str]:  # noqa: ANN401 - see above
        """Name those of the three hosts, and of *more*, that have the guest as virsh sees it."""
        wanted = name or self.guest
        asked = {host.name: host for host in (self.source, self.neighbour, self.far, *more)}
        return [
            name
            for name, host in asked.items()
            if wanted in self.virsh(host, "list", "--all", "--name").split()
        ]

    def only(self, host: Any, name: str | None = None) -> bool:  # noqa: ANN401 - see above
        """Whether the guest is on *host* and nowhere else, by the vCenter and by virsh."""
        seen = (self.where(name), self.virsh_sees(name, host))
        assert seen == (host.name, [host.name])
        return True

    # --- devices ---------------------------------------------------------------------------------

    def disks(self) -> Iterator[tuple[int, str]]:
        """Give each disk's number and the datastore that its file is on."""
        for device in self.vm.config.hardware.device:
            if isinstance(device, vim.vm.device.VirtualDisk):
                yield device.key, device.backing.fileName.partition("]")[0].lstrip("[")

    def cards(self) -> list[Any]:
        """Give the network cards."""
        return [
            device
            for device in self.vm.config.hardware.device
            if isinstance(device, vim.vm.device.VirtualEthernetCard)
        ]

    def set_to(self, key: str) -> str | None:
        """Give a value of the guest's extraConfig: of the last one with that key."""
        found = [each.value for each in self.vm.config.extraConfig if each.key == key]
        return found[-1] if found else None
