"""What is asked of a host is bounded, and what it does not tell is said to be so."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import libvirt
import pytest

from migrate_plugins import Access, Facts, GuestFacts, GuestState, HostFacts, Selection, Severity
from migrate_plugins_qemu import inspection
from migrate_plugins_qemu.checks import check
from migrate_plugins_qemu.inspection import Unread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Migrator, Plan

XML = (
    "<domain type='kvm'><name>web1</name><os><type arch='x86_64' machine='q35'>hvm</type></os>"
    "<cpu mode='custom'><model>EPYC</model></cpu><devices/></domain>"
)


class Refusing:
    """A test double of a connection or a guest: each call fails, but for those that are given."""

    def __init__(self, **answers: Any) -> None:  # noqa: ANN401 - of many kinds
        self.__dict__ |= answers

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as libvirt's own
        def refuse(*_arguments: object) -> object:
            libvirt.virResetLastError()  # what this thread's last real call left
            raise libvirt.libvirtError(f"access denied: {name}")

        return refuse


@pytest.fixture
def plan(migrator: Migrator) -> Plan:
    return migrator.plan("web1", "qemu+ssh://a/system", "qemu+ssh://b/system", live=True)


@pytest.fixture
def facts() -> Facts:
    hosts = [HostFacts(name, name, "QEMU 7.2.22", "libvirt 9.0.0") for name in ("alpha", "beta")]
    guest = GuestFacts("web1", "uuid", GuestState.RUNNING, persistent=True, memory=1024)
    return Facts(hosts[0], guest, hosts[1], None)


def _access(connection: object) -> Access:
    session: Any = SimpleNamespace(connection=connection)
    return Access(session)


def _source() -> Access:
    guests: list[Refusing] = []
    connection = Refusing(lookupByName=lambda _name: guests[0])
    guests.append(Refusing(XMLDesc=lambda _flags: XML, connect=lambda: connection))
    return _access(connection)


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Access]:
    """A destination that does not answer."""
    monkeypatch.setattr(inspection, "_PATIENCE", 0.2)
    released = threading.Event()
    yield _access(Refusing(getDomainCapabilities=lambda *_arguments: released.wait(20)))
    released.set()


def test_what_a_host_refuses_is_unread_and_stops_nothing(plan: Plan, facts: Facts) -> None:
    found = inspection.inspect(plan, facts, _source(), _access(Refusing()))

    assert found is not None
    told = {(each.host, each.what): each.why for each in found.unread}
    assert told["alpha", "snapshots"] == "access denied: snapshotListNames"
    assert told["beta", "free memory"] == "access denied: getMemoryStats"
    assert told["beta", "whether the processor fits"] == "access denied: compareHypervisorCPU"
    assert found.abilities == inspection.Abilities(networks={})


def test_host_that_does_not_answer_is_not_waited_for(
    plan: Plan, facts: Facts, hanging: Access
) -> None:
    found = inspection.inspect(plan, facts, _source(), hanging)

    assert found is not None
    assert found.abilities is None
    assert Unread("beta", "what it can do", "no answer within 0 s") in found.unread


def test_guest_that_is_gone_again_is_unknown_and_the_rest_still_holds(
    plan: Plan, facts: Facts
) -> None:
    far = facts.destination
    assert far is not None
    there = facts._replace(destination=far._replace(name="localhost"))

    found = check(plan, there, _access(Refusing()), Access(), Selection())

    assert [(each.severity, each.id) for each in found] == [
        (Severity.ERROR, "destination-name-localhost"),
        (Severity.INFO, "host-facts-unknown"),
    ]
    assert found[1].seen == "the definition of web1: access denied: lookupByName"


def test_nothing_is_read_of_a_guest_where_none_of_it_is_wanted(plan: Plan, facts: Facts) -> None:
    only = Selection(only=frozenset({"destination-name-localhost"}))

    assert check(plan, facts, _access(Refusing()), Access(), only) == []
