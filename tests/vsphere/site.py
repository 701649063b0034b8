"""An endpoint as its tests look at it: through pyVmomi alone."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from pyVmomi import vim

if TYPE_CHECKING:
    from vsphere.endpoint import Endpoint


class LogIn(Protocol):
    """Log in to an endpoint; *options* are SmartConnect's."""

    def __call__(self, endpoint: Endpoint, **options: Any) -> Any: ...


def all_of(service: Any, kind: type) -> dict[str, Any]:
    """All objects of a kind, by name."""
    content = service.content
    view = content.viewManager.CreateContainerView(content.rootFolder, [kind], True)
    found = {one.name: one for one in view.view}
    view.Destroy()
    return found


def ended(task: Any, seconds: float = 20) -> Any:
    """What a task tells when it has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        info = task.info
        if info.state not in {"queued", "running"}:
            return info
        time.sleep(0.01)
    pytest.fail(f"the task still runs after {seconds} s")


def disks(vm: Any) -> list[Any]:
    """A VM's disks."""
    return [
        each for each in vm.config.hardware.device if isinstance(each, vim.vm.device.VirtualDisk)
    ]


def cards(vm: Any) -> list[Any]:
    """A VM's network cards."""
    return [
        each
        for each in vm.config.hardware.device
        if isinstance(each, vim.vm.device.VirtualEthernetCard)
    ]


def card(vm: Any) -> Any:
    """A VM's one network card."""
    (found,) = cards(vm)
    return found


def on_network(vm: Any, name: str) -> Any:
    """The change that connects a VM's card with a standard network."""
    edited = card(vm)
    edited.backing = vim.vm.device.VirtualEthernetCard.NetworkBackingInfo(deviceName=name)
    return vim.vm.device.VirtualDeviceSpec(operation="edit", device=edited)


class Site:
    """A vCenter: the VM that is moved, its host, a neighbour of that, and a host far away."""

    def __init__(self, service: Any) -> None:
        self.service = service
        self.vms = all_of(service, vim.VirtualMachine)
        self.hosts = all_of(service, vim.HostSystem)
        self.datastores = all_of(service, vim.Datastore)
        self.networks = all_of(service, vim.Network)
        self.vm = next(vm for name, vm in self.vms.items() if name.endswith("DC0_C0_RP0_VM0"))
        self.source = self.vm.runtime.host
        self.neighbour = next(host for host in self.source.parent.host if host != self.source)
        self.far = self.hosts["DC0_C1_H0"]

    def control(self, *names: str, **asked: object) -> None:
        """Ask for something in the next relocations: the endpoint's README has the list.

        Args:
            names: Of VMs; by default of the one that is moved.
            asked: Such as ``relocate_seconds``.
        """
        options = [
            vim.option.OptionValue(key=f"sim.{name.replace('_', '.')}", value=str(value))
            for name, value in asked.items()
        ]
        for vm in [self.vms[name] for name in names] or [self.vm]:
            task = vm.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=options))
            assert ended(task).state == "success"

    def start(self, **spec: Any) -> Any:
        """Start a relocation."""
        return self.vm.RelocateVM_Task(vim.vm.RelocateSpec(**spec))

    def relocate(self, **spec: Any) -> Any:
        """Relocate, and wait for the end."""
        return ended(self.start(**spec))

    def check(self, **spec: Any) -> Any:
        """What CheckRelocate_Task says."""
        checker = self.service.content.vmProvisioningChecker
        info = ended(checker.CheckRelocate_Task(self.vm, vim.vm.RelocateSpec(**spec), []))
        assert (info.state, info.entity) == ("success", self.vm)
        (verdict,) = info.result
        return verdict

    @property
    def here(self) -> bool:
        """Whether the VM is where it was, on every list that says so."""
        return self.is_on(self.source)

    def is_on(self, host: Any) -> bool:
        """Whether the VM is on a host, on every list that says so."""
        told = {name: self.vm in list(each.vm) for name, each in self.hosts.items()}
        assert told == {name: each == host for name, each in self.hosts.items()}
        assert self.vm.summary.runtime.host == self.vm.runtime.host
        return bool(self.vm.runtime.host == host)


def virsh(uri: str, *command: str) -> str:
    """What virsh prints; a failure fails the test with what it says."""
    done = subprocess.run(
        ["virsh", "--connect", uri, *command],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def uri_of(endpoint: Endpoint, host: Any) -> str:
    """A host of a cluster as libvirt names it."""
    return endpoint.uri(
        "DC0", host.parent.name, host.name, no_verify="1", authfile=str(endpoint.auth_file)
    )
