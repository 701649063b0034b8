"""The endpoint moves VMs to another one, and only to the one that is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pyVmomi import vim, vmodl
from vsphere.site import Site, all_of, disks, ended, on_network

if TYPE_CHECKING:
    from vsphere.endpoint import Endpoint


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


def test_another_vcenter_that_ends_on_the_way_leaves_the_vm_where_it_is(
    sites: tuple[Site, Site], vcenters: tuple[Endpoint, Endpoint]
) -> None:
    east, west = sites
    east.control(relocate_seconds=1)
    task = east.start(
        service=locator(vcenters[1]),
        host=west.far,
        datastore=west.datastores["LocalDS_1"],
        deviceChange=[on_network(east.vm, "VM Network")],
    )
    vcenters[1].kill()
    assert isinstance(ended(task).error, vim.fault.NoHost)
    assert east.here
