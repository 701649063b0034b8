"""What the endpoint adds to the library, each thing seen through pyVmomi alone."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from pyVmomi import vim, vmodl
from vsphere.build import program
from vsphere.endpoint import SMALL, Endpoint, EndpointError, serving

from .site import Site, all_of, card, disks, ended, on_network

if TYPE_CHECKING:
    from pathlib import Path

    from vsphere.certificates import Certificates

    from .site import LogIn

PropertyCollector = vmodl.query.PropertyCollector


@pytest.fixture
def site(vcenter: Endpoint, log_in: LogIn) -> Site:
    return Site(log_in(vcenter))


# Relocation


def test_relocation_moves_the_vm_and_keeps_every_list(site: Site) -> None:
    info = site.relocate(host=site.neighbour)

    assert (info.state, info.error, info.cancelled) == ("success", None, False)
    assert (info.entity, info.entityName) == (site.vm, site.vm.name)
    assert info.descriptionId == "VirtualMachine.relocateVm"
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
    # The files are there too: a snapshot makes one beside them.
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


# Lost answers


def test_a_late_answer_does_not_hold_the_move(vcenter: Endpoint, log_in: LogIn) -> None:
    site = Site(log_in(vcenter))
    site.control(relocate_delay=3)
    hasty = log_in(vcenter, httpConnectionTimeout=1)
    vm = vim.VirtualMachine(site.vm._moId, hasty._stub)
    with pytest.raises(TimeoutError):
        vm.RelocateVM_Task(vim.vm.RelocateSpec(host=site.neighbour))
    assert site.is_on(site.neighbour)


def test_an_answer_that_never_comes_does_not_hold_the_move(site: Site) -> None:
    site.control(relocate_drop="yes")
    with pytest.raises(http.client.RemoteDisconnected):
        site.start(host=site.neighbour)
    deadline = time.monotonic() + 10
    while site.vm.runtime.host != site.neighbour and time.monotonic() < deadline:
        time.sleep(0.02)
    assert site.is_on(site.neighbour)


@pytest.mark.parametrize("done", [True, False])
def test_any_call_can_get_no_answer(vcenter: Endpoint, site: Site, *, done: bool) -> None:
    site.control(relocate_seconds=1)
    task = site.start(host=site.neighbour)
    vcenter.lose("CancelTask", done=done)
    with pytest.raises(http.client.RemoteDisconnected):
        task.CancelTask()
    assert ended(task).cancelled == done
    with pytest.raises(vim.fault.InvalidState):  # it is answered again
        task.CancelTask()


def test_stock_answers_late_and_has_moved_the_vm(certificates: Certificates, log_in: LogIn) -> None:
    late = ("-method-delay=RelocateVM_Task:3000",)
    with serving(certificates=certificates, simulate="", flags=late) as endpoint:
        site = Site(log_in(endpoint))
        hasty = log_in(endpoint, httpConnectionTimeout=1)
        vm = vim.VirtualMachine(site.vm._moId, hasty._stub)
        with pytest.raises(TimeoutError):
            vm.RelocateVM_Task(vim.vm.RelocateSpec(host=site.neighbour))
        assert site.vm.runtime.host == site.source
        time.sleep(3)
        assert site.vm.runtime.host == site.neighbour


# Checks


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


# Sessions


def test_a_wrong_password_is_refused(vcenter: Endpoint, log_in: LogIn) -> None:
    sessions = log_in(vcenter).content.sessionManager
    sessions.Logout()
    for user, password in ((vcenter.user, "wrong"), ("somebody", vcenter.password)):
        with pytest.raises(vim.fault.InvalidLogin):
            sessions.Login(user, password)
    sessions.Login(vcenter.user, vcenter.password)


def test_a_killed_session_ends_simulated_calls_too(vcenter: Endpoint, log_in: LogIn) -> None:
    site, killer = Site(log_in(vcenter)), log_in(vcenter)
    sessions = killer.content.sessionManager
    mine = sessions.currentSession.key
    sessions.TerminateSession([each.key for each in sessions.sessionList if each.key != mine])

    with pytest.raises(vim.fault.NotAuthenticated):
        site.start(host=site.neighbour)
    with pytest.raises(vim.fault.NotAuthenticated):
        site.check(host=site.neighbour)
    assert Site(killer).here


def test_an_idle_session_ends(certificates: Certificates, log_in: LogIn) -> None:
    with serving(certificates=certificates, flags=("-session-timeout=300ms",)) as endpoint:
        service = log_in(endpoint)
        time.sleep(1)
        with pytest.raises(vim.fault.NotAuthenticated):
            service.CurrentTime()


# Another vCenter


@pytest.fixture
def sites(vcenters: tuple[Endpoint, Endpoint], log_in: LogIn) -> tuple[Site, Site]:
    east, west = vcenters
    return Site(log_in(east)), Site(log_in(west))


def locator(endpoint: Endpoint, **other: Any) -> Any:
    given = {
        "url": endpoint.url,
        "uuid": endpoint.instance,
        "password": endpoint.password,
        "thumbprint": endpoint.certificates.thumbprint(),
        **other,
    }
    credential = vim.ServiceLocator.NamePassword(username=endpoint.user, password=given["password"])
    return vim.ServiceLocator(
        url=given["url"],
        instanceUuid=given["uuid"],
        sslThumbprint=given["thumbprint"],
        credential=credential,
    )


def test_two_vcenters_give_the_same_ids_to_different_things(sites: tuple[Site, Site]) -> None:
    east, west = sites
    assert east.vm._moId == west.vm._moId
    assert east.vm == west.vm  # which is why nobody may compare them
    assert east.vm.config.uuid != west.vm.config.uuid
    assert east.vm.config.instanceUuid != west.vm.config.instanceUuid
    about = [site.service.content.about.instanceUuid for site in sites]
    assert len(set(about)) == 2


def test_a_vm_goes_to_another_vcenter(
    sites: tuple[Site, Site], vcenters: tuple[Endpoint, Endpoint]
) -> None:
    east, west = sites
    name, uuid = east.vm.name, east.vm.config.uuid
    _, second = disks(east.vm)
    spec = {
        "service": locator(vcenters[1]),
        "host": west.far,
        "datastore": west.datastores["LocalDS_1"],
        "disk": [
            vim.vm.RelocateSpec.DiskLocator(
                diskId=second.key, datastore=west.datastores["LocalDS_0"]
            )
        ],
    }
    # The key of its portgroup is that of another one there.
    assert [type(each) for each in east.check(**spec).error] == [vim.fault.CannotAccessNetwork]
    spec["deviceChange"] = [on_network(east.vm, "VM Network")]
    assert list(east.check(**spec).error) == []
    assert east.relocate(**spec).state == "success"

    assert name not in all_of(east.service, vim.VirtualMachine)
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        _ = east.vm.name
    there = all_of(west.service, vim.VirtualMachine)[name]
    assert there.config.uuid == uuid
    assert there.runtime.host == west.far
    assert there.runtime.powerState == "poweredOn"
    assert there.resourcePool == west.far.parent.resourcePool
    assert [network.name for network in there.network] == ["VM Network"]
    assert [disk.backing.fileName.split()[0] for disk in disks(there)] == [
        "[LocalDS_1]",
        "[LocalDS_0]",
    ]


# what is wrong, the fault, and the property it names
WRONG_LOCATORS = [
    ({"password": "wrong"}, vim.fault.InvalidLogin, None),
    ({"thumbprint": "AA:BB"}, vim.fault.SSLVerifyFault, None),
    ({"thumbprint": None}, vim.fault.SSLVerifyFault, None),
    ({"uuid": "another"}, vmodl.fault.InvalidArgument, "spec.service.instanceUuid"),
    ({"url": "https://127.0.0.1:1/sdk"}, vim.fault.NoHost, None),
]


@pytest.mark.parametrize(("wrong", "fault", "named"), WRONG_LOCATORS)
def test_a_wrong_locator_leaves_the_vm_where_it_is(
    sites: tuple[Site, Site],
    vcenters: tuple[Endpoint, Endpoint],
    wrong: dict[str, Any],
    fault: type,
    named: str | None,
) -> None:
    east, west = sites
    error = east.relocate(
        service=locator(vcenters[1], **wrong),
        host=west.far,
        datastore=west.datastores["LocalDS_1"],
    ).error
    assert type(error) is fault
    assert getattr(error, "invalidProperty", None) == named
    assert east.here
    assert len(all_of(west.service, vim.VirtualMachine)) == len(west.vms)


def test_another_vcenter_wants_a_datastore(
    sites: tuple[Site, Site], vcenters: tuple[Endpoint, Endpoint]
) -> None:
    east, west = sites
    error = east.relocate(service=locator(vcenters[1]), host=west.far).error
    assert error.invalidProperty == "spec.datastore"


def test_a_host_of_another_vcenter_can_refuse(
    sites: tuple[Site, Site], vcenters: tuple[Endpoint, Endpoint]
) -> None:
    east, west = sites
    ended(west.far.EnterMaintenanceMode_Task(0))
    error = east.relocate(
        service=locator(vcenters[1]), host=west.far, datastore=west.datastores["LocalDS_1"]
    ).error
    assert isinstance(error, vim.fault.InvalidHostState)
    assert east.here


# Reading


def names_of_vms(service: Any) -> Any:
    content = service.content
    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    along = PropertyCollector.TraversalSpec(type=type(view), path="view", skip=False)
    return PropertyCollector.FilterSpec(
        objectSet=[PropertyCollector.ObjectSpec(obj=view, skip=True, selectSet=[along])],
        propSet=[PropertyCollector.PropertySpec(type=vim.VirtualMachine, pathSet=["name"])],
    )


@pytest.mark.parametrize(
    ("limit", "asked", "sizes"),
    [
        (0, 4, [4, 2]),
        (0, 6, [6]),
        (0, 1, [1] * 6),
        (0, None, [6]),
        (4, None, [4, 2]),
        (4, 5, [4, 2]),
    ],
)
def test_properties_come_in_pages(
    certificates: Certificates, log_in: LogIn, limit: int, asked: int | None, sizes: list[int]
) -> None:
    with serving(certificates=certificates, flags=(f"-page-size={limit}",)) as endpoint:
        service = log_in(endpoint)
        collector = service.content.propertyCollector
        options = PropertyCollector.RetrieveOptions(maxObjects=asked)
        page = collector.RetrievePropertiesEx([names_of_vms(service)], options)
        pages = [page]
        while page.token:
            page = collector.ContinueRetrievePropertiesEx(page.token)
            pages.append(page)

        assert [len(each.objects) for each in pages] == sizes
        names = [found.propSet[0].val for each in pages for found in each.objects]
        assert sorted(names) == sorted(all_of(service, vim.VirtualMachine))


def test_a_page_is_given_once(site: Site) -> None:
    collector = site.service.content.propertyCollector
    options = PropertyCollector.RetrieveOptions(maxObjects=2)

    token = collector.RetrievePropertiesEx([names_of_vms(site.service)], options).token
    collector.ContinueRetrievePropertiesEx(token)
    with pytest.raises(vmodl.fault.InvalidArgument):
        collector.ContinueRetrievePropertiesEx(token)

    token = collector.RetrievePropertiesEx([names_of_vms(site.service)], options).token
    collector.CancelRetrievePropertiesEx(token)
    with pytest.raises(vmodl.fault.InvalidArgument):
        collector.ContinueRetrievePropertiesEx(token)


def test_who_waits_for_updates_hears_of_a_task_that_has_ended_before(site: Site) -> None:
    collector = site.service.content.propertyCollector.CreatePropertyCollector()
    options = PropertyCollector.WaitOptions(maxWaitSeconds=5)

    def watch(task: Any) -> None:
        collector.CreateFilter(
            PropertyCollector.FilterSpec(
                objectSet=[PropertyCollector.ObjectSpec(obj=task)],
                propSet=[PropertyCollector.PropertySpec(type=vim.Task, pathSet=["info.state"])],
            ),
            partialUpdates=False,
        )

    def heard(version: str) -> tuple[str, list[tuple[Any, str]]]:
        updates = collector.WaitForUpdatesEx(version, options)
        changed = [each for filters in updates.filterSet for each in filters.objectSet]
        return updates.version, [(each.obj, each.changeSet[0].val) for each in changed]

    first = site.start(host=site.neighbour)
    ended(first)
    watch(first)
    version, told = heard("")
    assert told == [(first, "success")]
    second = site.start(host=site.source)
    ended(second)
    now = PropertyCollector.WaitOptions(maxWaitSeconds=0)
    while collector.WaitForUpdatesEx(version, now):
        pass  # what has changed by now is no more told
    watch(second)
    _, told = heard(version)
    assert (second, "success") in told


def test_two_thousand_vms_are_read_at_once(big: Endpoint, log_in: LogIn) -> None:
    service = log_in(big)
    collector = service.content.propertyCollector
    read = collector.RetrievePropertiesEx(
        [names_of_vms(service)], PropertyCollector.RetrieveOptions()
    )
    assert len(read.objects) == 2000


# libvirt's own client


def virsh(uri: str, *command: str) -> str:
    done = subprocess.run(
        ["virsh", "--connect", uri, *command],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def uri_of(endpoint: Endpoint, host: Any) -> str:
    return endpoint.uri(
        "DC0", host.parent.name, host.name, no_verify="1", authfile=str(endpoint.auth_file)
    )


def test_virsh_sees_where_the_vm_is(vcenter: Endpoint, site: Site) -> None:
    def seen(host: Any) -> bool:
        return site.vm.name in virsh(uri_of(vcenter, host), "list", "--all", "--name").split()

    assert [seen(site.source), seen(site.neighbour), seen(site.far)] == [True, False, False]
    site.relocate(host=site.neighbour)
    assert [seen(site.source), seen(site.neighbour), seen(site.far)] == [False, True, False]


@pytest.mark.parametrize("where", ["neighbour", "far"])
def test_virsh_migrates(vcenter: Endpoint, site: Site, where: str) -> None:
    destination = getattr(site, where)
    there = uri_of(vcenter, destination)
    virsh(uri_of(vcenter, site.source), "migrate", "--live", site.vm.name, there)
    assert site.is_on(destination)
    assert site.vm.config.uuid in virsh(there, "dominfo", site.vm.name)


def test_virsh_is_told_why_it_cannot_migrate(vcenter: Endpoint, site: Site) -> None:
    ended(site.neighbour.EnterMaintenanceMode_Task(0))
    with pytest.raises(AssertionError, match="InvalidHostState"):
        virsh(
            uri_of(vcenter, site.source),
            "migrate", "--live", site.vm.name, uri_of(vcenter, site.neighbour),
        )  # fmt: skip
    assert site.here


# A host without a vCenter


def test_an_esxi_host_moves_nothing(esxi: Endpoint, log_in: LogIn) -> None:
    service = log_in(esxi)
    about = service.content.about
    assert (about.apiType, about.productLineId) == ("HostAgent", "embeddedEsx")
    (host,) = all_of(service, vim.HostSystem).values()
    vm = next(iter(all_of(service, vim.VirtualMachine).values()))
    with pytest.raises(vmodl.fault.NotSupported):
        vm.RelocateVM_Task(vim.vm.RelocateSpec(host=host))
    assert vm.name in virsh(
        esxi.esx_uri(no_verify="1", authfile=str(esxi.auth_file)), "list", "--all"
    )


# The library as it is


def test_stock_relocations_are_over_at_once_and_leave_lists_stale(
    stock: Endpoint, log_in: LogIn
) -> None:
    site = Site(log_in(stock))
    task = site.start(host=site.neighbour)
    assert (task.info.state, task.info.progress) == ("success", None)
    assert site.vm.runtime.host == site.neighbour
    assert site.vm not in list(site.neighbour.vm)


def test_stock_has_no_checks(stock: Endpoint, log_in: LogIn) -> None:
    site = Site(log_in(stock))
    with pytest.raises(vmodl.fault.MethodNotFound):
        site.check(host=site.neighbour)


def test_stock_does_not_speak_to_libvirt(stock: Endpoint, log_in: LogIn) -> None:
    site = Site(log_in(stock))
    with pytest.raises(AssertionError, match="missing 'type' property"):
        virsh(uri_of(stock, site.source), "list")


def test_simulations_can_be_left_out_one_by_one(certificates: Certificates, log_in: LogIn) -> None:
    with serving(certificates=certificates, simulate="relocation,hosts") as endpoint:
        site = Site(log_in(endpoint))
        with pytest.raises(vmodl.fault.MethodNotFound):
            site.check(host=site.neighbour)
        assert site.relocate(host=site.neighbour).state == "success"


# The process


def test_it_leaves_nothing_behind(certificates: Certificates) -> None:
    with serving(certificates=certificates) as endpoint:
        assert any(endpoint.folder.glob("govcsim-*"))
    assert not endpoint.folder.exists()
    assert not alive(endpoint)


def test_a_killed_endpoint_is_gone_at_once(certificates: Certificates) -> None:
    with serving(certificates=certificates) as endpoint:
        endpoint.kill()
        with pytest.raises(ConnectionRefusedError):
            endpoint.lose("CurrentTime")
    assert not endpoint.folder.exists()


def test_it_ends_with_whoever_started_it(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        process = subprocess.Popen(
            [str(program())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"TMPDIR": str(tmp_path)},
        )
        stack.callback(process.kill)
        assert process.stdout is not None
        stack.callback(process.stdout.close)
        assert process.stdout.readline()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
    assert list(tmp_path.iterdir()) == []


def test_what_it_says_is_said_when_it_does_not_start() -> None:
    with pytest.raises(EndpointError, match="is none of: all, relocation"), serving(simulate="no"):
        pass


def alive(endpoint: Endpoint) -> bool:
    try:
        subprocess.run(["kill", "-0", str(endpoint.pid)], check=True, capture_output=True)
    except subprocess.CalledProcessError:
        return False
    return True
