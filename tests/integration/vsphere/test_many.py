"""Many moves at once: one login and one property collector for all of them."""

from __future__ import annotations

from collections import Counter
from time import sleep
from typing import TYPE_CHECKING, Any

import pytest
from pyVmomi import SoapStubAdapter
from vsphere.arena import Arena
from vsphere.endpoint import Inventory, serving

from migrate_plugins import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vsphere.certificates import Certificates

    from migrate_plugins import Migrator

FIFTY = Inventory(vms=25, standalone_hosts=0, disks=1)


@pytest.fixture
def crowd(
    certificates: Certificates,
    log_in: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Arena]:
    """Fifty guests in two clusters."""
    with serving(FIFTY, certificates=certificates) as endpoint:
        monkeypatch.setenv("LIBVIRT_AUTH_FILE", str(endpoint.auth_file))
        yield Arena(endpoint, log_in(endpoint))


@pytest.fixture
def calls(crowd: Arena, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each method of the API was called, but for the administrator's calls."""
    made: Counter[str] = Counter()
    invoke: Any = SoapStubAdapter.InvokeMethod
    administrator = crowd.vm._stub

    def counting(stub: Any, mo: Any, info: Any, *arguments: Any) -> Any:
        if stub is not administrator:
            made[info.wsdlName] += 1
        return invoke(stub, mo, info, *arguments)

    monkeypatch.setattr(SoapStubAdapter, "InvokeMethod", counting)
    return made


def test_fifty_moves_share_a_login_and_a_collector(
    migrator: Migrator, crowd: Arena, calls: Counter[str]
) -> None:
    # Longer than a busy machine needs to check and begin all of them.
    crowd.asks(*crowd.vms, seconds=15)
    before = {name: vm.runtime.host for name, vm in crowd.vms.items()}
    assert len(before) == 50
    other = {
        host.name: next(each for each in host.parent.host if each.name != host.name)
        for host in crowd.hosts.values()
    }
    plans = [
        migrator.plan(name, crowd.uri(host), crowd.uri(other[host.name]), live=True)
        for name, host in before.items()
    ]

    runs = [migrator.start(plan) for plan in plans]
    most = 0
    while not all(run.wait(0) for run in runs):
        most = max(most, sum(info.state == "running" for info in crowd.moves()))
        assert len(crowd.sessions()) <= 1
        sleep(0.3)
    outcomes = [run.outcome() for run in runs]

    assert {(each.verdict, each.error) for each in outcomes} == {(Verdict.DONE, None)}
    assert {name: crowd.where(name) for name in before} == {
        name: other[host.name].name for name, host in before.items()
    }
    assert most > 25, "they did not run at once"
    assert (calls["Login"], calls["RelocateVM_Task"]) == (1, 50)
    assert calls["CreatePropertyCollector"] == 1
    assert (calls["CreateListView"], calls["CreateFilter"]) == (1, 1)
    assert crowd.sessions() == []


def test_move_that_begins_beside_another_is_watched_at_once(
    migrator: Migrator, arena: Arena
) -> None:
    """The call that waits for the first one's changes tells of the second one as well."""
    other = next(
        name
        for name, vm in arena.vms.items()
        if name != arena.guest and vm.runtime.host.parent == arena.source.parent
    )
    arena.asks(seconds=12)
    arena.asks(other, seconds=0.5)
    there = arena.vms[other].runtime.host
    to = next(host for host in there.parent.host if host.name != there.name)
    first = migrator.start(
        migrator.plan(arena.guest, arena.uri(arena.source), arena.uri(arena.neighbour), live=True)
    )
    arena.until(lambda: arena.progress() >= 10)

    second = migrator.run(migrator.plan(other, arena.uri(there), arena.uri(to), live=True))

    assert second.verdict is Verdict.DONE
    assert not first.wait(0)
    assert second.elapsed < 8
    first.cancel()
    assert first.outcome().verdict is Verdict.CANCELLED
