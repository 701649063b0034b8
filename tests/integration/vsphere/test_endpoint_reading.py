"""What the endpoint gives in pages, in bulk, and to those who wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pyVmomi import vim, vmodl
from vsphere.endpoint import Endpoint, serving
from vsphere.site import Site, all_of, ended

if TYPE_CHECKING:
    from vsphere.certificates import Certificates
    from vsphere.site import LogIn

PropertyCollector = vmodl.query.PropertyCollector


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
