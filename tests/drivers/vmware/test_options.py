from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyVmomi import vim

from migrate_plugins import PlanError
from migrate_plugins_vmware.options import LONGEST, OPTIONS, PRIORITIES, Target, Wishes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Migrator, Plan

HERE = "vpx://vc/DC/C/h1"
THERE = "vpx://vc/DC/C/h2"
PEER = "vpxmigr://192.0.2.7/resgroup-26/host-42"

# fmt: off
WISHES: list[tuple[Sequence[str], Wishes]] = [
    # options                                wishes
    ((),                                     Wishes()),
    (("resource-pool=production/web",),      Wishes(pool="production/web")),
    (("folder=production/web",),             Wishes(folder="production/web")),
    (("datastore=ssd1",),                    Wishes(datastore="ssd1")),
    (("disk=2000:ssd1",),                    Wishes(disks=(Target("2000", "ssd1"),))),
    (("disk=Hard disk 1:ssd 1",),            Wishes(disks=(Target("Hard disk 1", "ssd 1"),))),
    (("disk=scsi0:0:ssd1",),                 Wishes(disks=(Target("scsi0:0", "ssd1"),))),
    (("disk=SCSI1:15:ssd1",),                Wishes(disks=(Target("SCSI1:15", "ssd1"),))),
    (("disk=nvme0:1:a:b",),                  Wishes(disks=(Target("nvme0:1", "a:b"),))),
    (("disk=2000:a:b",),                     Wishes(disks=(Target("2000", "a:b"),))),
    (("disk=2000:a", "disk=2001:b"),
     Wishes(disks=(Target("2000", "a"), Target("2001", "b")))),
    (("network=Network adapter 1:web",),
     Wishes(networks=(Target("Network adapter 1", "web"),))),
    (("priority=high",),                     Wishes(priority="highPriority")),
    (("priority=default",),                  Wishes()),
    (("timeout=90",),                        Wishes(timeout=90)),
    ((f"timeout={LONGEST}",),                Wishes(timeout=LONGEST)),
]

REFUSED: list[tuple[Sequence[str], str | None, Sequence[str]]] = [
    # options, migration URI, what is refused
    (("disk=2000",),                  None, ["-o disk=2000 is not DISK:DATASTORE"]),
    (("disk=:ssd",),                  None, ["-o disk=:ssd is not DISK:DATASTORE"]),
    (("disk=2000:",),                 None, ["-o disk=2000: is not DISK:DATASTORE"]),
    # What looks like a place alone names the disk `scsi0`, which the guest may then not have.
    (("disk=scsi0:0:",),              None, ["-o disk=scsi0:0: is not DISK:DATASTORE"]),
    (("network=web",),                None, ["-o network=web is not NIC:NETWORK"]),
    (("disk=2000:a", "disk=2000:b"),  None,
     ["-o disk=2000:a and -o disk=2000:b name one device"]),
    (("disk=Hard disk 1:a", "disk=hard DISK 1:b"), None,
     ["-o disk=Hard disk 1:a and -o disk=hard DISK 1:b name one device"]),
    (("disk=2000:a", "disk=2000:a"),  None,
     ["-o disk=2000:a and -o disk=2000:a name one device"]),
    (("folder=a//b",),                None, ["-o folder=a//b is no path of names"]),
    (("resource-pool=/",),            None, ["-o resource-pool=/ is no path of names"]),
    ((f"timeout={LONGEST + 1}",),     None, [f"-o timeout={LONGEST + 1} is longer than a month"]),
    (("resource-pool=web",),          PEER,
     ["a migration URI names a resource pool, and so does -o resource-pool"]),
    (("disk=1", "network=2", "folder=//", f"timeout={LONGEST + 1}"), None,
     ["-o disk=1 is not DISK:DATASTORE", "-o network=2 is not NIC:NETWORK",
      "-o folder=// is no path of names", f"-o timeout={LONGEST + 1} is longer than a month"]),
    # These are the core's to refuse.
    (("priority=urgent",),            None, ["-o priority=urgent is none of its values"]),
    (("timeout=0",),                  None, ["-o timeout=0 is none of its values"]),
    (("datastore=a", "datastore=b"),  None, ["-o datastore was given 2 times: a, b"]),
    (("disks=2000:a",),               None,
     ["vmware has no option 'disks' of its own in this scenario"]),
]
# fmt: on


def plan(migrator: Migrator, options: Sequence[str], uri: str | None = None) -> Plan:
    return migrator.plan("web1", HERE, THERE, uri, options=tuple(options))


@pytest.mark.parametrize(("options", "wishes"), WISHES)
def test_wishes_are_read(migrator: Migrator, options: Sequence[str], wishes: Wishes) -> None:
    assert Wishes.of(plan(migrator, options)) == wishes


@pytest.mark.parametrize(("options", "uri", "texts"), REFUSED)
def test_everything_wrong_is_refused_at_once(
    migrator: Migrator, options: Sequence[str], uri: str | None, texts: Sequence[str]
) -> None:
    with pytest.raises(PlanError) as caught:
        plan(migrator, options, uri)

    assert [reason.text for reason in caught.value.reasons] == texts
    assert all(reason.instead and reason.usage for reason in caught.value.reasons)


def test_each_priority_is_one_of_the_api() -> None:
    known = {str(value) for value in vim.VirtualMachine.MovePriority.values}

    assert {*PRIORITIES.values()} == known


def test_options_are_named_once() -> None:
    names = [option.name for option in OPTIONS]

    assert len(names) == len({*names})
    assert [option.name for option in OPTIONS if option.many] == ["disk", "network"]


NAMES = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=":"), min_size=1)
PLACES = st.builds(
    "{}{}:{}".format,
    st.sampled_from(["ide", "sata", "scsi", "nvme"]),
    st.integers(0, 999),
    st.integers(0, 999),
)


@given(device=NAMES | PLACES, to=st.builds(":".join, st.lists(NAMES, min_size=1)))
def test_device_and_target_are_told_apart(device: str, to: str) -> None:
    """Whatever the names hold: but for a disk `scsi0` whose datastore begins with a number."""
    target = Target.parse(f"{device}:{to}")

    if target != (device, to):
        assert target is not None
        assert target.device == f"{device}:{to.split(':', maxsplit=1)[0]}"
        assert device.rstrip("0123456789").lower() in {"ide", "sata", "scsi", "nvme"}
