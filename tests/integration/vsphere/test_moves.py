"""Moves that a vCenter makes: which host, pool, folder, datastore and network it was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pyVmomi import vim
from vsphere.arena import Arena

from migrate_plugins import BlockedError, Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vsphere.endpoint import Endpoint

    from migrate_plugins import Event, Migrator


def move(
    migrator: Migrator,
    arena: Arena,
    to: Any,
    *options: str,
    accept: Mapping[str, str] | None = None,
    **fields: Any,
) -> Outcome:
    plan = migrator.plan(
        fields.pop("guest", arena.guest),
        arena.uri(arena.vm.runtime.host),
        arena.uri(to),
        live=not fields.get("offline"),
        options=options,
        **fields,
    )
    return migrator.run(plan, accept=accept or {})


def moved(outcome: Outcome) -> bool:
    assert (outcome.verdict, outcome.error) == (Verdict.DONE, None), outcome.sentence
    assert outcome.differences == ()
    return True


def test_guest_moves_in_its_cluster_and_keeps_its_pool(migrator: Migrator, arena: Arena) -> None:
    (pool,) = arena.source.parent.resourcePool.resourcePool
    arena.done(arena.vm.RelocateVM_Task(vim.vm.RelocateSpec(pool=pool)))

    assert moved(move(migrator, arena, arena.neighbour))

    assert arena.only(arena.neighbour)
    assert arena.vm.resourcePool == pool
    assert len(arena.moves()) == 2


def test_guest_moves_to_another_cluster_and_its_root_pool(migrator: Migrator, arena: Arena) -> None:
    assert moved(move(migrator, arena, arena.far))

    assert arena.only(arena.far)
    assert arena.vm.resourcePool == arena.far.parent.resourcePool


def test_guest_moves_to_a_host_in_no_cluster_and_back(migrator: Migrator, arena: Arena) -> None:
    alone = arena.hosts["DC0_H0"]

    assert moved(move(migrator, arena, alone))
    assert arena.only(alone)
    assert moved(move(migrator, arena, arena.source))
    assert arena.only(arena.source)


def test_per_cent_is_told_while_it_moves(migrator: Migrator, arena: Arena) -> None:
    arena.asks(seconds=1)
    events: list[Event] = []
    plan = migrator.plan(arena.guest, arena.uri(arena.source), arena.uri(arena.far), live=True)

    outcome = migrator.run(plan, observers=[events.append])

    told = [event.statistics.percent for event in events if event.statistics is not None]
    seen = [each for each in told if each is not None]
    assert seen == sorted(seen)
    assert len({*seen}) >= 3
    assert all(0 <= each <= 100 for each in seen)
    assert outcome.statistics is not None
    assert outcome.statistics.percent == 100
    assert outcome.statistics.transferred is None


def test_pool_of_the_destination_is_taken(migrator: Migrator, arena: Arena) -> None:
    (pool,) = arena.far.parent.resourcePool.resourcePool

    assert moved(move(migrator, arena, arena.far, f"resource-pool={pool.name}"))

    assert arena.vm.resourcePool == pool


def test_pool_of_another_cluster_is_refused_before_the_call(
    migrator: Migrator, arena: Arena
) -> None:
    (pool,) = arena.source.parent.resourcePool.resourcePool

    for named in (pool.name, pool._moId):
        with pytest.raises(
            BlockedError, match=f"-o resource-pool={named}: the compute resource of"
        ):
            move(migrator, arena, arena.far, f"resource-pool={named}")

    assert arena.moves() == []


def test_all_disks_go_to_a_datastore(migrator: Migrator, arena: Arena) -> None:
    before = dict(arena.disks())

    assert moved(move(migrator, arena, arena.far, "datastore=LocalDS_1"))

    assert {*before.values()} == {"LocalDS_0"}
    assert dict(arena.disks()) == dict.fromkeys(before, "LocalDS_1")
    assert [each.name for each in arena.vm.datastore] == ["LocalDS_1"]


@pytest.mark.parametrize("named", ["label", "number", "place"])
def test_one_disk_goes_to_a_datastore_of_its_own(
    migrator: Migrator, arena: Arena, named: str
) -> None:
    first, second = (
        device
        for device in arena.vm.config.hardware.device
        if isinstance(device, vim.vm.device.VirtualDisk)
    )
    name = {
        "label": second.deviceInfo.label,
        "number": str(second.key),
        "place": f"scsi0:{second.unitNumber}",
    }[named]

    assert moved(move(migrator, arena, arena.far, f"disk={name}:LocalDS_1"))

    assert dict(arena.disks()) == {first.key: "LocalDS_0", second.key: "LocalDS_1"}


def test_each_disk_goes_where_it_is_told(migrator: Migrator, arena: Arena) -> None:
    one, other = dict(arena.disks())
    options = [f"disk={one}:LocalDS_0", f"disk={other}:LocalDS_1", "datastore=LocalDS_1"]

    assert moved(move(migrator, arena, arena.far, *options))

    assert dict(arena.disks()) == {one: "LocalDS_0", other: "LocalDS_1"}
    assert arena.vm.config.files.vmPathName.startswith("[LocalDS_1]")


def test_network_card_changes_its_network(migrator: Migrator, arena: Arena) -> None:
    (card,) = arena.cards()
    group = arena.named(vim.dvs.DistributedVirtualPortgroup)["DC0_DVPG1"]
    assert card.backing.port.portgroupKey != group.key

    assert moved(move(migrator, arena, arena.far, f"network={card.key}:DC0_DVPG1"))
    (after,) = arena.cards()
    assert after.backing.port.portgroupKey == group.key
    assert after.backing.port.switchUuid == group.config.distributedVirtualSwitch.uuid
    assert after.macAddress == card.macAddress

    label = after.deviceInfo.label
    assert moved(move(migrator, arena, arena.source, f"network={label}:VM Network"))
    (after,) = arena.cards()
    assert after.backing.deviceName == "VM Network"


@pytest.mark.parametrize(
    ("asked", "told"), [("low", "lowPriority"), ("high", "highPriority"), (None, "defaultPriority")]
)
def test_priority_is_told(migrator: Migrator, arena: Arena, asked: str | None, told: str) -> None:
    options = [] if asked is None else [f"priority={asked}"]

    assert moved(move(migrator, arena, arena.neighbour, *options))

    assert arena.set_to("sim.relocate.priority") == told


def test_folder_is_taken(migrator: Migrator, arena: Arena) -> None:
    (datacenter,) = arena.named(vim.Datacenter).values()
    folder = datacenter.vmFolder.CreateFolder("production").CreateFolder("web")

    assert moved(move(migrator, arena, arena.neighbour, "folder=production/web"))

    assert arena.vm.parent == folder
    assert arena.only(arena.neighbour)


def test_guest_that_is_shut_off_moves_offline(migrator: Migrator, arena: Arena) -> None:
    arena.power_off()

    outcome = move(migrator, arena, arena.far, offline=True, persistent=True)

    assert moved(outcome)
    assert arena.only(arena.far)
    assert arena.vm.runtime.powerState == "poweredOff"


def test_guest_that_is_there_already_is_left_alone(migrator: Migrator, arena: Arena) -> None:
    plan = migrator.plan(arena.guest, arena.uri(arena.neighbour), arena.uri(arena.source))

    outcome = migrator.run(plan)

    assert moved(outcome)
    assert "nothing was changed" in outcome.sentence
    assert arena.only(arena.source)
    assert arena.moves() == []


def test_guest_that_has_come_there_meanwhile_is_left_alone(
    migrator: Migrator, arena: Arena
) -> None:
    """Somebody moves it between the check and the call."""
    plan = migrator.plan(arena.guest, arena.uri(arena.source), arena.uri(arena.far), live=True)

    def overtake(event: Event) -> None:
        if event.phase == "prepare" and arena.where() == arena.source.name:
            spec = vim.vm.RelocateSpec(host=arena.far, pool=arena.far.parent.resourcePool)
            arena.done(arena.vm.RelocateVM_Task(spec))

    outcome = migrator.run(plan, observers=[overtake])

    assert moved(outcome)
    assert arena.only(arena.far)
    assert len(arena.moves()) == 1


def test_migration_uri_chooses_the_pool(migrator: Migrator, arena: Arena) -> None:
    (pool,) = arena.far.parent.resourcePool.resourcePool
    uri = f"vpxmigr://127.0.0.1/{pool._moId}/{arena.far._moId}"

    assert moved(move(migrator, arena, arena.far, migration=uri))

    assert arena.only(arena.far)
    assert arena.vm.resourcePool == pool


def test_migration_uri_of_elsewhere_is_refused_before_the_call(
    migrator: Migrator, arena: Arena
) -> None:
    pool = arena.vm.resourcePool._moId
    uri = f"vpxmigr://192.0.2.7/{pool}/{arena.neighbour._moId}"

    with pytest.raises(BlockedError) as caught:
        move(migrator, arena, arena.far, migration=uri)

    told = str(caught.value)
    assert "the migration URI names the vCenter 192.0.2.7, and libvirt's rule" in told
    assert f"leads to the host {arena.neighbour._moId}, and the destination, DC0_C1_H0" in told
    assert f"the migration URI names the resource pool {pool}: the compute resource of" in told
    assert arena.moves() == []


def test_everything_that_is_not_there_is_told_at_once(migrator: Migrator, arena: Arena) -> None:
    options = ["resource-pool=a", "folder=b", "datastore=c", "disk=d:e", "network=f:g"]

    with pytest.raises(BlockedError) as caught:
        move(migrator, arena, arena.far, *options)

    told = str(caught.value)
    for option in ("resource-pool=a", "folder=b", "datastore=c", "disk=d:e", "network=f:g"):
        assert f"-o {option}: " in told
    assert "DC0_C1_H0 has LocalDS_0, LocalDS_1" in told
    assert "DC0_DVPG0" in told
    assert arena.moves() == []


def test_what_was_asked_for_beside_the_host_is_not_forgotten(
    migrator: Migrator, arena: Arena
) -> None:
    """Somebody moves it meanwhile, and not to the datastore that was asked for."""
    options = ("datastore=LocalDS_1",)
    plan = migrator.plan(
        arena.guest, arena.uri(arena.source), arena.uri(arena.far), live=True, options=options
    )

    def overtake(event: Event) -> None:
        if event.phase == "prepare" and arena.where() == arena.source.name:
            spec = vim.vm.RelocateSpec(host=arena.far, pool=arena.far.parent.resourcePool)
            arena.done(arena.vm.RelocateVM_Task(spec))

    outcome = migrator.run(plan, observers=[overtake])

    assert outcome.verdict is Verdict.DONE
    assert "-o datastore would have to be done by itself" in outcome.differences[0]
    assert arena.only(arena.far)


def test_libvirts_client_and_ours_agree_about_a_move_of_either(
    migrator: Migrator, arena: Arena
) -> None:
    query = {"no_verify": "1", "authfile": str(arena.endpoint.auth_file)}
    far = arena.endpoint.uri(*arena.path(arena.far), **query)
    arena.virsh(arena.source, "migrate", "--live", arena.guest, far)

    outcome = migrator.run(
        migrator.plan(arena.guest, arena.uri(arena.source), arena.uri(arena.far), live=True)
    )

    assert "nothing was changed" in outcome.sentence
    assert moved(outcome)
    assert arena.only(arena.far)


# --- the library as it is, without any simulation of ours ----------------------------------------


@pytest.fixture
def plain(stock: Endpoint, log_in: Any, monkeypatch: pytest.MonkeyPatch) -> Arena:
    monkeypatch.setenv("LIBVIRT_AUTH_FILE", str(stock.auth_file))
    return Arena(stock, log_in(stock))


def test_stock_endpoint_moves_a_guest_there_and_back(migrator: Migrator, plain: Arena) -> None:
    # It tells nothing of vMotion, and that its drives are of their hosts.
    accept = dict.fromkeys(["vmotion-not-enabled", "device-of-host"], "the library has it so")

    assert moved(move(migrator, plain, plain.far, "datastore=LocalDS_1", accept=accept))
    assert plain.where() == plain.far.name
    assert plain.vm.resourcePool == plain.far.parent.resourcePool
    assert [each.name for each in plain.vm.datastore] == ["LocalDS_1"]

    assert moved(move(migrator, plain, plain.source, accept=accept))
    assert plain.where() == plain.source.name
    assert [info.state for info in plain.moves()] == ["success", "success"]
