"""What the endpoint adds to the library, each thing seen through pyVmomi alone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from pyVmomi import vim, vmodl

if TYPE_CHECKING:
    from collections.abc import Callable

    from vsphere.endpoint import Endpoint

FIRST = "DC0_C0_RP0_VM0"


def all_of(service: Any, kind: type) -> dict[str, Any]:
    content = service.content
    view = content.viewManager.CreateContainerView(content.rootFolder, [kind], True)
    return {found.name: found for found in view.view}


def control(vm: Any, **asked: object) -> None:
    options = [
        vim.option.OptionValue(key=f"sim.relocate.{name}", value=str(value))
        for name, value in asked.items()
    ]
    task = vm.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=options))
    assert ended(task).state == "success"


def ended(task: Any, seconds: float = 20) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        info = task.info
        if info.state not in {"queued", "running"}:
            return info
        time.sleep(0.01)
    pytest.fail(f"the task still runs after {seconds} s")


class Site:
    """One vCenter: its VM that is moved, and where to."""

    def __init__(self, service: Any) -> None:
        self.service = service
        self.vms = all_of(service, vim.VirtualMachine)
        self.hosts = all_of(service, vim.HostSystem)
        self.datastores = all_of(service, vim.Datastore)
        self.vm = self.vms[FIRST]
        self.source = self.vm.runtime.host
        (self.neighbour,) = (
            host
            for host in self.hosts.values()
            if host.parent == self.source.parent and host != self.source
        )
        self.far = self.hosts["DC0_C1_H0"]

    def relocate(self, **spec: Any) -> Any:
        return ended(self.vm.RelocateVM_Task(vim.vm.RelocateSpec(**spec)))


@pytest.fixture
def site(vcenter: Endpoint, log_in: Callable[[Endpoint], Any]) -> Site:
    return Site(log_in(vcenter))


def test_relocation_moves_the_vm_and_keeps_the_lists_of_both_hosts(site: Site) -> None:
    info = site.relocate(host=site.neighbour)

    assert (info.state, info.error, info.cancelled) == ("success", None, False)
    assert info.entity == site.vm
    assert site.vm.runtime.host == site.neighbour
    assert site.vm.summary.runtime.host == site.neighbour
    assert site.vm in list(site.neighbour.vm)
    assert site.vm not in list(site.source.vm)


def test_progress_grows_to_the_end(site: Site) -> None:
    control(site.vm, seconds=1)
    task = site.vm.RelocateVM_Task(vim.vm.RelocateSpec(host=site.neighbour))
    seen = []
    while task.info.state == "running":
        seen.append(task.info.progress or 0)
        time.sleep(0.02)

    assert seen == sorted(seen)
    assert len(set(seen)) > 10
    assert task.info.progress == 100


def test_cancelling_stops_the_move(site: Site) -> None:
    control(site.vm, seconds=30)
    task = site.vm.RelocateVM_Task(vim.vm.RelocateSpec(host=site.neighbour))
    task.CancelTask()
    info = ended(task)

    assert (info.state, info.cancelled) == ("error", True)
    assert isinstance(info.error, vmodl.fault.RequestCanceled)
    assert site.vm.runtime.host == site.source
    with pytest.raises(vim.fault.InvalidState):
        task.CancelTask()
