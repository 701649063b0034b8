from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins_vmware.commands import govc
from migrate_plugins_vmware.places import Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrate_plugins import Migrator, NativeCommand

HERE = "vpx://root@vc/DC/C/h1"
THERE = "vpx://root@vc/DC/C/h2"
PEER = "vpxmigr://192.0.2.7/resgroup-26/host-42"

ONE = "libvirt moves a guest within one vCenter alone"

# fmt: off
GOVC: list[tuple[str, str, Sequence[str], dict[str, Any], str]] = [
    # source, destination, options, further options, govc's words behind `govc vm.migrate`
    (HERE, THERE, (), {}, "-u vc -dc DC -host /DC/host/C/h2 web1"),
    ("vpx://vc/DC/h1", "vpx://vc/DC/h2", (), {}, "-u vc -dc DC -host /DC/host/h2/h2 web1"),
    ("vpx://vc:8443/DC/C/h1", "vpx://vc:8443/DC/C/h2", (), {},
     "-u vc:8443 -dc DC -host /DC/host/C/h2 web1"),
    ("vpx://[2001:db8::7]/DC/C/h1", "vpx://[2001:db8::7]/DC/C/h2", (), {},
     "-u '[2001:db8::7]' -dc DC -host /DC/host/C/h2 web1"),
    (f"{HERE}?no_verify=1", f"{THERE}?no_verify=1", (), {},
     "-u vc -k -dc DC -host /DC/host/C/h2 web1"),
    (f"{HERE}?cacert=/ca.pem", f"{THERE}?cacert=/ca.pem", (), {},
     "-u vc -tls-ca-certs /ca.pem -dc DC -host /DC/host/C/h2 web1"),
    (HERE, THERE, ("resource-pool=production/web",), {},
     "-u vc -dc DC -host /DC/host/C/h2 -pool /DC/host/C/Resources/production/web web1"),
    (HERE, THERE, ("resource-pool=Resources",), {},
     "-u vc -dc DC -host /DC/host/C/h2 -pool /DC/host/C/Resources web1"),
    (HERE, THERE, ("datastore=ssd 1",), {}, "-u vc -dc DC -host /DC/host/C/h2 -ds 'ssd 1' web1"),
    (HERE, THERE, ("folder=/a/b",), {},
     "-u vc -dc DC -host /DC/host/C/h2 -folder /DC/vm/a/b web1"),
    (HERE, THERE, ("network=4000:web",), {}, "-u vc -dc DC -host /DC/host/C/h2 -net web web1"),
    (HERE, THERE, ("priority=high",), {},
     "-u vc -dc DC -host /DC/host/C/h2 -priority highPriority web1"),
    (HERE, THERE, ("priority=default",), {}, "-u vc -dc DC -host /DC/host/C/h2 web1"),
    (HERE, THERE, (), {"migration": PEER},
     "-u vc -dc DC -host /DC/host/C/h2 -pool ResourcePool:resgroup-26 web1"),
    # Into another datacenter: by path, and into a folder of it.
    (HERE, "vpx://vc/DD/C/h2", ("datastore=ssd",), {},
     "-u vc -dc DC -host /DD/host/C/h2 -ds /DD/datastore/ssd -folder /DD/vm web1"),
    (HERE, THERE, (), {"offline": True, "persistent": True},
     "-u vc -dc DC -host /DC/host/C/h2 web1"),
]

NOT_GOVC: list[tuple[str, str, Sequence[str], str]] = [
    # source, destination, options, why not
    (HERE, "vpx://other/DC/C/h2", (), "it has no options for another vCenter"),
    (HERE, THERE, ("disk=2000:ssd",), "it has one datastore for all disks"),
    (HERE, THERE, ("network=4000:a", "network=4001:b"),
     "it changes the network of a guest that has one card alone"),
    (HERE, THERE, ("timeout=9",), "it has no limit of time"),
    (HERE, THERE, ("timeout=9", "disk=1:a"),
     "it has one datastore for all disks; it has no limit of time"),
    (HERE, "vpx://vc/folder/DC/C/h2", (),
     ("it takes a host's path with its datacenter, and of the destination's URI nobody can tell"
      " which name is the datacenter's")),
    (HERE, "esx://h2/?vcenter=vc", (),
     "it takes a host's path in the inventory, and esx:// does not name one"),
]

VIRSH: list[tuple[str, Sequence[str], dict[str, Any], str | None]] = [
    # destination, options, further options, why not
    (THERE,                  (),                 {}, None),
    (THERE,                  (), {"live": True, "persistent": True, "undefine_source": True}, None),
    ("vpx://vc/DD/C/h2",     (),                 {}, None),
    ("esx://h2/?vcenter=*",  (),                 {}, None),
    ("vpx://other/DC/C/h2",  (),                 {}, ONE),
    ("vpx://vc:44/DC/C/h2",  (),                 {}, ONE),
    (THERE,                  ("datastore=ssd",), {}, "libvirt has nothing like -o datastore=ssd"),
    (THERE,                  (), {"offline": True, "persistent": True},
     "libvirt's ESX driver does not take --offline"),
]
# fmt: on


def tools(
    migrator: Migrator,
    source: str,
    destination: str,
    options: Sequence[str],
    fields: Mapping[str, Any],
) -> dict[str, NativeCommand]:
    plan = migrator.plan("web1", source, destination, options=tuple(options), **fields)
    assert [command.tool for command in plan.commands] == ["virsh", "govc"]
    return {command.tool: command for command in plan.commands}


@pytest.mark.parametrize(("source", "destination", "options", "fields", "words"), GOVC)
def test_govc_says_the_same(
    migrator: Migrator,
    source: str,
    destination: str,
    options: Sequence[str],
    fields: dict[str, Any],
    words: str,
) -> None:
    command = tools(migrator, source, destination, options, fields)["govc"]

    assert command.argv is not None, command.not_expressible
    assert shlex.join(command.argv) == f"govc vm.migrate {words}"


@pytest.mark.parametrize(("source", "destination", "options", "why"), NOT_GOVC)
def test_govc_cannot_say_it(
    migrator: Migrator, source: str, destination: str, options: Sequence[str], why: str
) -> None:
    command = tools(migrator, source, destination, options, {})["govc"]

    assert (command.argv, command.not_expressible) == (None, why)


@pytest.mark.parametrize(("destination", "options", "fields", "why"), VIRSH)
def test_virsh_says_the_same_or_why_not(
    migrator: Migrator,
    destination: str,
    options: Sequence[str],
    fields: dict[str, Any],
    why: str | None,
) -> None:
    command = tools(migrator, HERE, destination, options, fields)["virsh"]

    assert (command.argv is None, command.not_expressible) == (why is not None, why)
    assert command.argv is None or command.argv[:4] == ("virsh", "-c", HERE, "migrate")


def test_no_command_has_a_password(migrator: Migrator) -> None:
    plan = migrator.plan("web1", HERE, THERE)

    for command in plan.commands:
        assert command.argv is not None
        assert not any("password" in word.lower() for word in command.argv)


def test_govc_asks_the_vcenter_of_a_host() -> None:
    assert govc(Place.parse("esx://h1/?vcenter=vc"), "task.cancel", "task-7") == (
        "govc",
        "task.cancel",
        "-u",
        "vc",
        "task-7",
    )
