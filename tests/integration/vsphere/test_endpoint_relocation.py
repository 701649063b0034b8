"""Relocations of the endpoint: what they refuse, what they do, how they are disturbed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from pyVmomi import vim, vmodl
from vsphere.endpoint import SMALL, USER, Endpoint, serving
from vsphere.site import Site, card, disks, ended, on_network

if TYPE_CHECKING:
    from vsphere.certificates import Certificates
    from vsphere.site import LogIn


def test_relocation_moves_the_vm_and_keeps_every_list(site: Site) -> None:
    info = site.relocate(host=site.neighbour)

    assert (info.state, info.error, info.cancelled) == ("success", None, False)
    assert (info.entity, info.entityName) == (site.vm, site.vm.name)
    assert info.descriptionId == "VirtualMachine.relocateVm"
    assert list(site.vm.recentTask) == [info.task]
    assert info.reason.userName == USER
    assert site.is_on(site.neighbour)


def test_another_cluster_takes_a_pool_of_it(site: Site) -> None:
    refused = site.relocate(host=site.far)

    assert isinstance(refused.error, vmodl.fault.InvalidArgument)
    assert refused.error.invalidProperty == "spec.pool"
    assert site.here

    old, new = site.vm.resourcePool, site.far.parent.resourcePool
    assert site.relocate(host=site.far, pool=new).state == "success"
    assert site.is_on(site.far)
    assert site.vm.resourcePool == new
    assert site.vm in list(new.vm)
    assert site.vm not in list(old.vm)


def test_a_pool_alone_leaves_the_host_to_the_cluster(site: Site) -> None:
    assert site.relocate(pool=site.far.parent.resourcePool).state == "success"
    assert site.vm.runtime.host.parent == site.far.parent


def test_progress_grows_to_the_end(site: Site) -> None:
    site.control(relocate_seconds=1)
    task = site.start(host=site.neighbour)
    seen = []
    while task.info.state == "running":
        seen.append(task.info.progress or 0)
        time.sleep(0.02)

    assert seen == sorted(seen)
    assert {percent % 5 for percent in seen} == {0}
    assert len(set(seen)) > 10
    assert task.info.progress == 100


def test_cancelling_stops_the_move(site: Site) -> None:
    site.control(relocate_seconds=30)
    task = site.start(host=site.neighbour)
    assert task.info.cancelable
    task.CancelTask()
    info = ended(task)

    assert (info.state, info.cancelled) == ("error", True)
    assert isinstance(info.error, vmodl.fault.RequestCanceled)
    assert site.here
    with pytest.raises(vim.fault.InvalidState):
        task.CancelTask()


def test_a_cancellation_can_come_too_late(site: Site) -> None:
    site.control(relocate_seconds=0.3, relocate_cancel="ignored")
    task = site.start(host=site.neighbour)
    task.CancelTask()

    assert (ended(task).state, task.info.cancelled) == ("success", False)
    assert site.is_on(site.neighbour)


def test_a_cancellation_can_be_refused(site: Site) -> None:
    site.control(relocate_seconds=0.3, relocate_cancel="refused")
    task = site.start(host=site.neighbour)
    with pytest.raises(vmodl.fault.NotSupported):
        task.CancelTask()
    assert ended(task).state == "success"


@pytest.mark.parametrize("percent", [0, 50, 95])
def test_a_fault_on_the_way_leaves_the_vm_where_it_is(site: Site, percent: int) -> None:
    site.control(
        relocate_fault="InsufficientResourcesFault",
        relocate_message="no room",
        relocate_failat=percent,
    )
    info = site.relocate(host=site.neighbour)

    assert info.state == "error"
    assert isinstance(info.error, vim.fault.InsufficientResourcesFault)
    assert (info.error.msg, info.progress or 0) == ("no room", percent)
    assert site.here

    site.control(relocate_fault="")
    assert site.relocate(host=site.neighbour).state == "success"


def test_a_fault_at_the_very_end_leaves_the_vm_where_it_went(site: Site) -> None:
    site.control(relocate_fault="Timedout", relocate_failat=100)
    assert isinstance(site.relocate(host=site.neighbour).error, vim.fault.Timedout)
    assert site.is_on(site.neighbour)


def test_a_second_relocation_of_a_vm_waits_for_none(site: Site) -> None:
    site.control(relocate_seconds=30)
    first = site.start(host=site.neighbour)
    second = site.relocate(host=site.neighbour)

    assert isinstance(second.error, vim.fault.TaskInProgress)
    assert second.error.task == first
    first.CancelTask()
    assert ended(first).cancelled


def test_fifty_relocations_run_at_once(certificates: Certificates, log_in: LogIn) -> None:
    with serving(
        SMALL._replace(vms=25, disks=1), certificates=certificates, flags=("-seconds=1",)
    ) as endpoint:
        site = Site(log_in(endpoint))
        begun = time.monotonic()
        moved = [vm for name, vm in site.vms.items() if "_C" in name]
        destinations = {
            vm: next(host for host in vm.runtime.host.parent.host if host != vm.runtime.host)
            for vm in moved
        }
        tasks = [vm.RelocateVM_Task(vim.vm.RelocateSpec(host=destinations[vm])) for vm in moved]
        assert {ended(task).state for task in tasks} == {"success"}
        took = time.monotonic() - begun
        assert len(moved) == 50
        assert took < 10  # one after the other takes 50 s
        assert all(vm.runtime.host == destinations[vm] for vm in moved)


@pytest.mark.parametrize("field", ["host", "pool", "datastore", "folder"])
def test_an_unknown_reference_is_refused_at_once(site: Site, field: str) -> None:
    kinds = {
        "host": vim.HostSystem,
        "pool": vim.ResourcePool,
        "datastore": vim.Datastore,
        "folder": vim.Folder,
    }
    nothing = kinds[field]("nothing-1", site.service._stub)
    with pytest.raises(vmodl.fault.ManagedObjectNotFound) as caught:
        site.start(**{field: nothing})
    assert caught.value.obj == nothing
    assert site.here


def test_a_host_in_maintenance_takes_no_vm(site: Site) -> None:
    ended(site.neighbour.EnterMaintenanceMode_Task(0))
    info = site.relocate(host=site.neighbour)
    assert isinstance(info.error, vim.fault.InvalidHostState)
    assert site.here

    ended(site.neighbour.ExitMaintenanceMode_Task(0))
    assert site.relocate(host=site.neighbour).state == "success"


def test_a_host_that_goes_into_maintenance_on_the_way_takes_no_vm(site: Site) -> None:
    site.control(relocate_seconds=0.5)
    task = site.start(host=site.neighbour)
    ended(site.neighbour.EnterMaintenanceMode_Task(0))
    assert isinstance(ended(task).error, vim.fault.InvalidHostState)
    assert site.here


def test_a_disconnected_host_takes_no_vm(site: Site) -> None:
    ended(site.neighbour.DisconnectHost_Task())
    assert site.neighbour.runtime.connectionState == "disconnected"
    assert isinstance(site.relocate(host=site.neighbour).error, vmodl.fault.HostNotConnected)
    assert site.here

    ended(site.neighbour.ReconnectHost_Task())
    assert site.relocate(host=site.neighbour).state == "success"


def test_a_disconnected_host_gives_no_vm(site: Site) -> None:
    ended(site.source.DisconnectHost_Task())
    assert site.vm.runtime.connectionState == "disconnected"
    assert isinstance(site.relocate(host=site.neighbour).error, vmodl.fault.HostNotConnected)
    assert site.here

    ended(site.source.ReconnectHost_Task())
    assert site.vm.runtime.connectionState == "connected"
    assert site.relocate(host=site.neighbour).state == "success"


@pytest.mark.parametrize("end", ["source", "neighbour"])
def test_vmotion_can_be_off_at_either_end(site: Site, end: str) -> None:
    host = getattr(site, end)
    manager = host.configManager.virtualNicManager
    assert host.capability.vmotionSupported
    assert host.summary.config.vmotionEnabled
    manager.DeselectVnicForNicType("vmotion", "vmk0")

    assert not host.summary.config.vmotionEnabled
    assert {
        config.nicType: list(config.selectedVnic)
        for config in host.config.virtualNicManagerInfo.netConfig
    }["vmotion"] == []
    error = site.relocate(host=site.neighbour).error
    assert isinstance(error, vim.fault.VMotionNotConfigured)
    assert (error.failedHostEntity, error.atSourceHost) == (host, end == "source")

    manager.SelectVnicForNicType("vmotion", "vmk0")
    assert site.relocate(host=site.neighbour).state == "success"


def test_a_datastore_knows_the_hosts_that_mount_it(site: Site) -> None:
    told = site.datastores["LocalDS_0"].host
    assert {mount.key for mount in told} == set(site.hosts.values())
    assert all(mount.mountInfo.mounted and mount.mountInfo.accessible for mount in told)


def test_a_datastore_must_be_mounted_where_the_vm_goes(site: Site, vcenter: Endpoint) -> None:
    folder = vcenter.folder / "alone"
    folder.mkdir()
    system = site.source.configManager.datastoreSystem
    alone = system.CreateLocalDatastore(name="alone", path=str(folder))

    error = site.relocate(host=site.neighbour, datastore=alone).error
    assert isinstance(error, vim.fault.InvalidDatastore)
    assert error.datastore == alone
    assert site.here
    # And what stays where it is must be there too.
    assert site.relocate(datastore=alone).state == "success"
    assert isinstance(site.relocate(host=site.neighbour).error, vim.fault.InvalidDatastore)


def test_each_disk_goes_to_the_datastore_that_is_said(site: Site) -> None:
    first, second = disks(site.vm)
    one, other = site.datastores["LocalDS_0"], site.datastores["LocalDS_1"]
    locator = vim.vm.RelocateSpec.DiskLocator(diskId=second.key, datastore=other)

    assert site.relocate(host=site.neighbour, disk=[locator]).state == "success"

    assert [disk.backing.datastore for disk in disks(site.vm)] == [one, other]
    assert [disk.backing.fileName.split()[0] for disk in disks(site.vm)] == [
        "[LocalDS_0]",
        "[LocalDS_1]",
    ]
    assert {disk.key for disk in disks(site.vm)} == {first.key, second.key}
    assert set(site.vm.datastore) == {one, other}
    assert site.vm in list(one.vm)
    assert site.vm in list(other.vm)


def test_a_datastore_takes_all_files_but_of_disks_that_say_otherwise(site: Site) -> None:
    first, _ = disks(site.vm)
    one, other = site.datastores["LocalDS_0"], site.datastores["LocalDS_1"]
    stays = vim.vm.RelocateSpec.DiskLocator(diskId=first.key, datastore=one)

    assert site.relocate(datastore=other, disk=[stays]).state == "success"
    assert [disk.backing.datastore for disk in disks(site.vm)] == [one, other]
    assert site.vm.config.files.vmPathName.startswith("[LocalDS_1] ")

    assert site.relocate(datastore=other).state == "success"
    assert list(site.vm.datastore) == [other]
    assert site.vm not in list(one.vm)
    assert [used.datastore for used in site.vm.storage.perDatastoreUsage] == [other]
    assert {file.name.split()[0] for file in site.vm.layoutEx.file} == {"[LocalDS_1]"}


def test_files_go_with_the_vm(site: Site, vcenter: Endpoint) -> None:
    def files(store: str) -> set[str]:
        return {
            file.name for file in vcenter.folder.glob(f"govcsim-DC0-{store}-*/{site.vm.name}/*")
        }

    name, (_, second) = site.vm.name, disks(site.vm)
    home = {f"{name}.vmx", f"{name}.nvram", "vmware.log"}
    parts = {number: {f"disk{number}.vmdk", f"disk{number}-flat.vmdk"} for number in (1, 2)}
    assert files("LocalDS_0") == home | parts[1] | parts[2]

    other = site.datastores["LocalDS_1"]
    site.relocate(disk=[vim.vm.RelocateSpec.DiskLocator(diskId=second.key, datastore=other)])
    assert (files("LocalDS_0"), files("LocalDS_1")) == (home | parts[1], parts[2])
    site.relocate(datastore=other)
    assert (files("LocalDS_0"), files("LocalDS_1")) == (set(), home | parts[1] | parts[2])
    # What the library does with files goes on there.
    assert ended(site.vm.CreateSnapshot_Task("now", "", False, False)).state == "success"


def test_a_disk_that_the_vm_has_not_is_an_invalid_argument(site: Site) -> None:
    locator = vim.vm.RelocateSpec.DiskLocator(diskId=1, datastore=site.datastores["LocalDS_1"])
    error = site.relocate(disk=[locator]).error
    assert error.invalidProperty == "spec.disk[0].diskId"


def test_a_network_card_can_change_its_network(site: Site) -> None:
    change = on_network(site.vm, "VM Network")

    assert site.relocate(host=site.neighbour, deviceChange=[change]).state == "success"
    assert card(site.vm).backing.deviceName == "VM Network"
    assert list(site.vm.network) == [site.networks["VM Network"]]


def test_a_network_must_be_there(site: Site) -> None:
    change = on_network(site.vm, "nowhere")
    error = site.relocate(host=site.neighbour, deviceChange=[change]).error
    assert isinstance(error, vim.fault.CannotAccessNetwork)
    assert site.here


def test_a_folder_is_applied_and_another_datacenters_is_refused(site: Site) -> None:
    root = site.service.content.rootFolder
    datacenter = next(child for child in root.childEntity if child.name == "DC0")
    inner = datacenter.vmFolder.CreateFolder("inner")
    assert site.relocate(folder=inner).state == "success"
    assert site.vm.parent == inner

    elsewhere = root.CreateDatacenter("elsewhere").vmFolder
    assert site.relocate(folder=elsewhere).error.invalidProperty == "spec.folder"


def test_another_datacenter_has_storage_networks_and_folders_of_its_own(
    certificates: Certificates, log_in: LogIn
) -> None:
    with serving(SMALL._replace(datacenters=2), certificates=certificates) as endpoint:
        site = Site(log_in(endpoint))
        there = next(
            child for child in site.service.content.rootFolder.childEntity if child.name == "DC1"
        )
        host, (store, _) = site.hosts["DC1_C0_H0"], there.datastore
        network = on_network(site.vm, "VM Network")
        spec = {"host": host, "pool": host.parent.resourcePool}

        faults = [type(each) for each in site.check(**spec).error]
        assert faults == [vim.fault.InaccessibleDatastore, vim.fault.CannotAccessNetwork]
        info = site.relocate(**spec, datastore=store, deviceChange=[network])
        assert (info.state, info.error) == ("success", None)
        assert site.is_on(host)
        assert site.vm.parent == there.vmFolder
        assert site.vm in list(there.vmFolder.childEntity)
        assert list(site.vm.datastore) == [store]
        assert list(site.vm.network) == [
            each for each in there.network if each.name == "VM Network"
        ]


def test_the_priority_can_be_read_back(site: Site) -> None:
    spec = vim.vm.RelocateSpec(host=site.neighbour)
    ended(site.vm.RelocateVM_Task(spec, "highPriority"))
    told = {option.key: option.value for option in site.vm.config.extraConfig}
    assert told["sim.relocate.priority"] == "highPriority"


def test_the_reason_of_an_unknown_control_is_said(site: Site) -> None:
    site.control(relocate_fault="NoSuchFault")
    assert site.relocate(host=site.neighbour).error.invalidProperty == "sim.relocate.fault"


def test_a_vm_that_is_deleted_on_the_way_ends_its_task(site: Site) -> None:
    site.control(relocate_seconds=1)
    task = site.start(host=site.neighbour)
    ended(site.vm.PowerOffVM_Task())
    ended(site.vm.Destroy_Task())
    assert isinstance(ended(task).error, vmodl.fault.ManagedObjectNotFound)


def test_a_check_says_yes_to_what_works(site: Site) -> None:
    verdict = site.check(host=site.neighbour)
    assert (verdict.vm, verdict.host) == (site.vm, site.neighbour)
    assert (list(verdict.error), list(verdict.warning)) == ([], [])
    assert site.here


def test_a_check_says_all_that_is_wrong_at_once(site: Site) -> None:
    ended(site.neighbour.EnterMaintenanceMode_Task(0))
    ended(site.neighbour.DisconnectHost_Task())
    site.neighbour.configManager.virtualNicManager.DeselectVnicForNicType("vmotion", "vmk0")
    site.control(check_warning="VMotionAcrossNetworkNotSupported")

    verdict = site.check(host=site.neighbour)
    assert [type(each) for each in verdict.error] == [
        vmodl.fault.HostNotConnected,
        vim.fault.InvalidHostState,
        vim.fault.VMotionNotConfigured,
    ]
    assert [type(each) for each in verdict.warning] == [vim.fault.VMotionAcrossNetworkNotSupported]


def test_encrypted_vmotion_is_kept(site: Site) -> None:
    assert site.vm.config.migrateEncryption == "opportunistic"
    ended(site.vm.ReconfigVM_Task(vim.vm.ConfigSpec(migrateEncryption="required")))
    assert site.vm.config.migrateEncryption == "required"
    site.relocate(host=site.neighbour)
    assert site.vm.config.migrateEncryption == "required"
    with pytest.raises(vmodl.fault.InvalidArgument):
        site.vm.ReconfigVM_Task(vim.vm.ConfigSpec(migrateEncryption="perhaps"))
