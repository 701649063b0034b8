"""Moves from one vCenter to another, whose objects have the same ids and guests the same uuids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pyVmomi import vim
from vsphere.arena import Arena
from vsphere.endpoint import serving

from migrate_plugins import BlockedError, DriverError, Migrator, Outcome, Verdict
from migrate_plugins_vmware.vcenter import VCenter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vsphere.certificates import Certificates
    from vsphere.endpoint import Endpoint

GROUP = "DC0_DVPG0"


def move(migrator: Migrator, here: Arena, there: Arena, *options: str, **fields: Any) -> Outcome:
    plan = migrator.plan(
        here.guest,
        here.uri(here.source),
        there.uri(there.far),
        live=True,
        options=options,
        **fields,
    )
    return migrator.run(plan)


def network(here: Arena, there: Arena) -> str:
    """Name a network of the other vCenter for the guest's only card."""
    (card,) = here.cards()
    names = there.named(vim.dvs.DistributedVirtualPortgroup)
    return f"network={card.key}:{next(name for name in names if name.endswith(GROUP))}"


def stays(here: Arena, there: Arena) -> bool:
    assert here.guest not in there.named(vim.VirtualMachine)
    return here.only(here.source)


def test_ids_are_the_same_in_both(arenas: tuple[Arena, Arena]) -> None:
    """Else what is shown below would be shown by accident."""
    here, there = arenas

    assert here.far._moId == there.far._moId
    assert here.vm._moId == there.vm._moId
    assert here.content.about.instanceUuid != there.content.about.instanceUuid


def test_guest_moves_to_another_vcenter(migrator: Migrator, arenas: tuple[Arena, Arena]) -> None:
    here, there = arenas
    here.asks(seconds=0.5)
    uuid = here.vm.config.uuid

    outcome = move(migrator, here, there, "datastore=LocalDS_1", network(here, there))

    assert (outcome.verdict, outcome.error) == (Verdict.DONE, None)
    assert outcome.differences == ()
    assert there.endpoint.password not in str(outcome.to_json())
    assert here.guest not in here.named(vim.VirtualMachine)
    there.vms = there.named(vim.VirtualMachine)
    arrived = there.vms[here.guest]
    assert arrived.config.uuid == uuid
    assert arrived.resourcePool == there.far.parent.resourcePool
    assert {each.name for each in arrived.datastore} == {"LocalDS_1"}
    assert there.only(there.far, here.guest)


def test_all_that_another_vcenter_needs_is_asked_for_at_once(
    migrator: Migrator, arenas: tuple[Arena, Arena]
) -> None:
    here, there = arenas

    with pytest.raises(BlockedError) as caught:
        move(migrator, here, there)

    told = str(caught.value)
    assert "in another vCenter a datastore must be named, with -o datastore=NAME" in told
    assert "hangs on a distributed switch of its vCenter" in told
    assert here.moves() == []
    assert stays(here, there)


def test_migration_uri_cannot_lead_to_another_vcenter(
    migrator: Migrator, arenas: tuple[Arena, Arena]
) -> None:
    here, there = arenas
    uri = f"vpxmigr://127.0.0.1/{there.far.parent.resourcePool._moId}/{there.far._moId}"

    with pytest.raises(BlockedError, match="the destination belongs to another one: leave it out"):
        move(migrator, here, there, "datastore=LocalDS_1", network(here, there), migration=uri)

    assert here.moves() == []


@pytest.mark.parametrize(
    ("attribute", "wrong", "fault"),
    [
        ("thumbprint", property(lambda _: ":".join(["AA"] * 20)), "SSLVerifyFault"),
        ("credential", lambda _: ("administrator@vsphere.local", "wrong"), "InvalidLogin"),
    ],
)
def test_vcenter_that_does_not_trust_the_other_leaves_the_guest(
    migrator: Migrator,
    arenas: tuple[Arena, Arena],
    monkeypatch: pytest.MonkeyPatch,
    attribute: str,
    wrong: object,
    fault: str,
) -> None:
    here, there = arenas
    monkeypatch.setattr(VCenter, attribute, wrong)

    outcome = move(migrator, here, there, "datastore=LocalDS_1", network(here, there))

    assert outcome.verdict is Verdict.FAILED
    assert isinstance(outcome.error, DriverError)
    assert fault in outcome.error.problem
    assert "wrong" not in str(outcome.to_json())
    assert stays(here, there)


def test_fault_on_the_way_to_another_vcenter_leaves_the_guest(
    migrator: Migrator, arenas: tuple[Arena, Arena]
) -> None:
    here, there = arenas
    here.asks(seconds=1, fault="MigrationFault", failat=95, message="the other end is gone")

    outcome = move(migrator, here, there, "datastore=LocalDS_1", network(here, there))

    assert outcome.verdict is Verdict.FAILED
    assert "the other end is gone" in str(outcome.error)
    assert stays(here, there)


def test_unanswered_call_to_another_vcenter_is_found_again(
    migrator: Migrator, arenas: tuple[Arena, Arena]
) -> None:
    here, there = arenas
    here.asks(seconds=0.5, drop=1)

    outcome = move(migrator, here, there, "datastore=LocalDS_1", network(here, there))

    assert (outcome.verdict, outcome.error) == (Verdict.DONE, None)
    assert here.guest not in here.named(vim.VirtualMachine)
    assert len(here.moves()) == 1


@pytest.fixture
def copies(certificates: Certificates) -> Iterator[tuple[Endpoint, Endpoint]]:
    """Two vCenters that give the same id: the library's own, as one that was copied has it."""
    with serving(certificates=certificates) as one, serving(certificates=certificates) as other:
        yield one, other


def test_two_that_say_they_are_the_same_vcenter_are_not_taken_for_it(
    migrator: Migrator,
    copies: tuple[Endpoint, Endpoint],
    log_in: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIBVIRT_AUTH_FILE", str(copies[0].auth_file))
    here, there = (Arena(endpoint, log_in(endpoint)) for endpoint in copies)
    doomed = there.vms[here.guest]
    there.done(doomed.PowerOffVM_Task())
    there.done(doomed.Destroy_Task())

    outcome = move(migrator, here, there)

    assert outcome.verdict is Verdict.FAILED
    told = f"both say that they are the vCenter {here.content.about.instanceUuid}"
    assert told in str(outcome.error)
    assert here.moves() == []
    assert here.only(here.source)
