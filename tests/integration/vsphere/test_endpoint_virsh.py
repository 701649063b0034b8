"""libvirt's own client on the endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from vsphere.site import Site, ended, uri_of, virsh

if TYPE_CHECKING:
    from vsphere.endpoint import Endpoint


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
