from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyVmomi import vim

from migrate_plugins import UsageError
from migrate_plugins_vmware.moves import Card, Disk, Guest, Named, Site, choose, specification
from migrate_plugins_vmware.options import Target, Wishes

if TYPE_CHECKING:
    from collections.abc import Sequence

HOST = vim.HostSystem("host-2")
COMPUTE = vim.ClusterComputeResource("domain-c1")
ROOT = vim.ResourcePool("resgroup-1")
WEB = vim.ResourcePool("resgroup-2")
DEEP = vim.ResourcePool("resgroup-3")
OWN = vim.ResourcePool("resgroup-9")
TOP = vim.Folder("group-v1")
FOLDER = vim.Folder("group-v2")
DATACENTER = vim.Datacenter("datacenter-1")
SSD1, SSD2, TWIN1, TWIN2 = (vim.Datastore(f"datastore-{number}") for number in range(1, 5))
OLD = vim.Datastore("datastore-9")
NET = vim.Network("network-1")
GROUP = vim.dvs.DistributedVirtualPortgroup("dvportgroup-1")

DISKS = (
    Disk(2000, "Hard disk 1", "scsi0:0", OLD),
    Disk(2001, "Hard disk 2", "scsi0:1", SSD1),
    Disk(2002, "Hard disk 3", None, OLD),
)
CARDS = (
    Card(4000, "Network adapter 1", distributed=False, device=None),
    Card(4001, "Network adapter 2", distributed=True, device=None),
)
GUEST = Guest(
    "web1",
    "uuid",
    vim.VirtualMachine("vm-1"),
    vim.HostSystem("host-1"),
    OWN,
    vim.ClusterComputeResource("domain-c9"),
    DATACENTER,
    DISKS,
    CARDS,
)
SITE = Site(
    "esx2",
    HOST,
    COMPUTE,
    ROOT,
    (Named("web", WEB), Named("web/deep", DEEP)),
    DATACENTER,
    TOP,
    (Named("production", FOLDER),),
    (Named("ssd1", SSD1), Named("ssd2", SSD2), Named("twin", TWIN1), Named("twin", TWIN2)),
    (Named("VM Network", NET), Named("group", GROUP)),
    frozenset({"192.0.2.7", "vc"}),
)
OTHER = SITE._replace(other=True)
PEER = "vpxmigr://192.0.2.7/{}/{}"


def to(*pairs: str) -> tuple[Target, ...]:
    return tuple(Target(*pair.rsplit("=", 1)) for pair in pairs)


# fmt: off
CHOSEN: list[tuple[Wishes, Guest, Site, str | None, dict[str, Any]]] = [
    # wishes, guest, site, migration URI, what the move has that differs
    (Wishes(), GUEST, SITE, None, {}),
    (Wishes(pool="web"),        GUEST, SITE, None, {"pool": WEB}),
    (Wishes(pool="/web/deep/"), GUEST, SITE, None, {"pool": DEEP}),
    (Wishes(pool="resgroup-3"), GUEST, SITE, None, {"pool": DEEP}),
    (Wishes(pool="Resources"),  GUEST, SITE, None, {"pool": ROOT}),
    # In its own cluster it keeps its pool.
    (Wishes(), GUEST._replace(owner=COMPUTE), SITE, None, {"pool": OWN}),
    (Wishes(pool="Resources"), GUEST._replace(owner=COMPUTE), SITE, None, {"pool": ROOT}),
    (Wishes(), GUEST, SITE, PEER.format("resgroup-2", "host-2"), {"pool": WEB}),
    (Wishes(), GUEST, SITE, PEER.format("resgroup-1", "host-2"), {"pool": ROOT}),
    (Wishes(folder="production"), GUEST, SITE, None, {"folder": FOLDER}),
    (Wishes(folder="group-v2"),   GUEST, SITE, None, {"folder": FOLDER}),
    # In another datacenter a folder is needed.
    (Wishes(), GUEST._replace(datacenter=vim.Datacenter("datacenter-2")), SITE, None,
     {"folder": TOP}),
    (Wishes(datastore="ssd1"),        GUEST, SITE, None, {"datastore": SSD1}),
    (Wishes(datastore="datastore-4"), GUEST, SITE, None, {"datastore": TWIN2}),
    # One disk with a datastore of its own: each disk is named then.
    (Wishes(disks=to("2000=ssd2")), GUEST, SITE, None,
     {"disks": ((2000, SSD2), (2001, SSD1), (2002, OLD))}),
    (Wishes(disks=to("hard disk 3=ssd2"), datastore="ssd1"), GUEST, SITE, None,
     {"datastore": SSD1, "disks": ((2000, SSD1), (2001, SSD1), (2002, SSD2))}),
    (Wishes(disks=to("SCSI0:1=datastore-2")), GUEST, SITE, None,
     {"disks": ((2000, OLD), (2001, SSD2), (2002, OLD))}),
    (Wishes(networks=to("4000=group")), GUEST, SITE, None, {"networks": ((CARDS[0], GROUP),)}),
    (Wishes(networks=to("network adapter 2=VM Network")), GUEST, SITE, None,
     {"networks": ((CARDS[1], NET),)}),
    (Wishes(priority="highPriority"), GUEST, SITE, None, {"priority": "highPriority"}),
    # In another vCenter all of it is named.
    (Wishes(datastore="ssd1", networks=to("4001=group")), GUEST, OTHER, None,
     {"other": True, "folder": TOP, "datastore": SSD1, "networks": ((CARDS[1], GROUP),)}),
    (Wishes(datastore="ssd1", disks=to("2000=ssd2")), GUEST._replace(cards=()), OTHER, None,
     {"other": True, "folder": TOP, "datastore": SSD1,
      "disks": ((2000, SSD2), (2001, SSD1), (2002, SSD1))}),
]

HAS_STORES = "esx2 has ssd1, ssd2, twin, twin"
HAS_DISKS = (
    "the guest has Hard disk 1 (2000, scsi0:0), Hard disk 2 (2001, scsi0:1), Hard disk 3 (2002)"
)
HAS_CARDS = "the guest has Network adapter 1 (4000), Network adapter 2 (4001)"

REFUSED: list[tuple[Wishes, Guest, Site, str | None, Sequence[str]]] = [
    # wishes, guest, site, migration URI, what is wrong
    # A pool of another compute resource is not among those there are.
    (Wishes(pool="resgroup-9"), GUEST, SITE, None,
     ["-o resource-pool=resgroup-9: the compute resource of esx2 has Resources, web, web/deep"]),
    (Wishes(folder="nowhere"), GUEST, SITE, None,
     ["-o folder=nowhere: the datacenter of esx2 has production"]),
    (Wishes(folder="nowhere"), GUEST, SITE._replace(folders=()), None,
     ["-o folder=nowhere: the datacenter of esx2 has no folder at all"]),
    (Wishes(datastore="nowhere"), GUEST, SITE, None, [f"-o datastore=nowhere: {HAS_STORES}"]),
    (Wishes(datastore="twin"), GUEST, SITE, None,
     ["-o datastore=twin: esx2 has 2 of that name: write datastore-3 or datastore-4"]),
    (Wishes(disks=to("2009=ssd1")), GUEST, SITE, None, [f"-o disk=2009:ssd1: {HAS_DISKS}"]),
    (Wishes(disks=to("2000=nowhere")), GUEST, SITE, None, [f"-o disk=2000:nowhere: {HAS_STORES}"]),
    (Wishes(disks=to("2000=ssd1", "Hard disk 1=ssd2")), GUEST, SITE, None,
     ["-o disk=Hard disk 1:ssd2: Hard disk 1 was named before"]),
    (Wishes(networks=to("1=group")), GUEST, SITE, None, [f"-o network=1:group: {HAS_CARDS}"]),
    (Wishes(networks=to("4000=x")), GUEST._replace(cards=()), SITE._replace(networks=()), None,
     ["-o network=4000:x: the guest has no network card at all",
      "-o network=4000:x: esx2 has no network at all"]),
    (Wishes(networks=to("4000=group", "Network adapter 1=VM Network")), GUEST, SITE, None,
     ["-o network=Network adapter 1:VM Network: Network adapter 1 was named before"]),
    (Wishes(), GUEST._replace(cards=()), OTHER, None,
     ["in another vCenter a datastore must be named, with -o datastore=NAME; " + HAS_STORES]),
    (Wishes(datastore="ssd1"), GUEST, OTHER, None,
     [("Network adapter 2 hangs on a distributed switch of its vCenter, which the other one does"
      " not have: name its network there, with -o 'network=Network adapter 2:NETWORK'; esx2 has"
      " VM Network, group")]),
    (Wishes(), GUEST, SITE, PEER.format("resgroup-9", "host-2"),
     [("the migration URI names the resource pool resgroup-9: the compute resource of esx2 has"
      " resgroup-1 (Resources), resgroup-2 (web), resgroup-3 (web/deep)")]),
    (Wishes(), GUEST, SITE, "vpxmigr://192.0.2.8/resgroup-1/host-3",
     [("the migration URI names the vCenter 192.0.2.8, and libvirt's rule is that it is the"
       " address of the source's: 192.0.2.7, vc"),
      "the migration URI leads to the host host-3, and the destination, esx2, is host-2"]),
    (Wishes(datastore="ssd1"), GUEST._replace(cards=()), OTHER, PEER.format("resgroup-1", "host-2"),
     [("a migration URI names one vCenter, which both hosts must belong to, and the destination"
      " belongs to another one: leave it out")]),
    (Wishes(pool="a", folder="b", datastore="c", disks=to("2000=d"), networks=to("4000=e")),
     GUEST, SITE, None,
     ["-o resource-pool=a: the compute resource of esx2 has Resources, web, web/deep",
      "-o folder=b: the datacenter of esx2 has production",
      f"-o datastore=c: {HAS_STORES}", f"-o disk=2000:d: {HAS_STORES}",
      "-o network=4000:e: esx2 has VM Network, group"]),
]
# fmt: on


@pytest.mark.parametrize(("wishes", "guest", "site", "uri", "differs"), CHOSEN)
def test_move_is_chosen(
    wishes: Wishes, guest: Guest, site: Site, uri: str | None, differs: dict[str, Any]
) -> None:
    move = choose(wishes, guest, site, uri)

    usual: dict[str, Any] = {
        "guest": guest,
        "host": HOST,
        "pool": ROOT,
        "folder": None,
        "datastore": None,
        "disks": (),
        "networks": (),
        "priority": "defaultPriority",
        "other": False,
    }
    assert move._asdict() == usual | differs


@pytest.mark.parametrize(("wishes", "guest", "site", "uri", "wrong"), REFUSED)
def test_everything_wrong_is_said_at_once(
    wishes: Wishes, guest: Guest, site: Site, uri: str | None, wrong: Sequence[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        choose(wishes, guest, site, uri)

    assert str(caught.value) == f"web1 cannot be moved to esx2 so: {'; '.join(wrong)}"


def test_long_lists_are_cut() -> None:
    many = tuple(
        Named(f"ssd{number:02}", vim.Datastore(f"datastore-{number}")) for number in range(25)
    )

    with pytest.raises(UsageError) as caught:
        choose(Wishes(datastore="x"), GUEST, SITE._replace(datastores=many))

    assert str(caught.value).endswith("ssd18, ssd19 and 5 more")


@given(
    pool=st.sampled_from([None, "web", "web/deep", "Resources", "resgroup-2", "resgroup-9", "x"]),
    owner=st.sampled_from([None, COMPUTE, vim.ClusterComputeResource("domain-c9")]),
    other=st.booleans(),
)
def test_pool_is_never_another_compute_resources(
    pool: str | None,
    owner: Any,  # noqa: ANN401 - pyVmomi is untyped
    other: bool,
) -> None:
    guest = GUEST._replace(owner=owner, cards=())
    own = {OWN._GetMoId()} if owner is COMPUTE else set()

    try:
        move = choose(Wishes(pool=pool, datastore="ssd1"), guest, SITE._replace(other=other))
    except UsageError:
        assert pool in {"resgroup-9", "x"}
    else:
        assert move.pool._GetMoId() in {"resgroup-1", "resgroup-2", "resgroup-3", *own}


@given(
    wanted=st.dictionaries(
        st.sampled_from([disk.key for disk in DISKS]), st.sampled_from(["ssd1", "ssd2"])
    ),
    default=st.sampled_from([None, "ssd1", "ssd2"]),
)
def test_every_disk_is_named_or_none(wanted: dict[int, str], default: str | None) -> None:
    known = {"ssd1": SSD1, "ssd2": SSD2}
    disks = tuple(Target(str(key), store) for key, store in wanted.items())

    move = choose(Wishes(disks=disks, datastore=default), GUEST, SITE)

    stays = {disk.key: disk.datastore for disk in DISKS}
    elsewhere = stays if default is None else dict.fromkeys(stays, known[default])
    expected = elsewhere | {key: known[store] for key, store in wanted.items()}
    assert dict(move.disks) == (expected if wanted else {})


def test_specification_says_all_of_it() -> None:
    cards = [vim.vm.device.VirtualVmxnet3(key=key) for key in (4000, 4001)]
    networks = tuple((Card(card.key, "", distributed=False, device=card), NET) for card in cards)
    backings = [
        vim.vm.device.VirtualEthernetCard.NetworkBackingInfo(deviceName=name) for name in ("a", "b")
    ]
    move = choose(Wishes(datastore="ssd1", folder="production", disks=to("2000=ssd2")), GUEST, SITE)

    spec = specification(move._replace(networks=networks), backings)

    assert (spec.host, spec.pool, spec.folder, spec.datastore) == (HOST, ROOT, FOLDER, SSD1)
    assert [(each.diskId, each.datastore) for each in spec.disk] == [
        (2000, SSD2),
        (2001, SSD1),
        (2002, SSD1),
    ]
    assert [
        (each.operation, each.device.key, each.device.backing.deviceName)
        for each in spec.deviceChange
    ] == [("edit", 4000, "a"), ("edit", 4001, "b")]
    assert spec.service is None


def test_plain_specification_says_nothing_else() -> None:
    spec = specification(choose(Wishes(), GUEST, SITE), [])

    assert (spec.folder, spec.datastore, [*spec.disk], [*spec.deviceChange]) == (None, None, [], [])
