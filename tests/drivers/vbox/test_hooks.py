from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_plugins import (
    Basis,
    ChosenBy,
    ControlProtocol,
    Crash,
    Driver,
    DriverInfo,
    InvalidURIError,
    MigrationURI,
    NativeCommand,
    PlanError,
    PortRule,
    Request,
    Revision,
    Seat,
)

if TYPE_CHECKING:
    from typing import Any

    from migrate_plugins import Migrator

PORT_0 = "its port is 0, with which VirtualBox's teleporter does not start"
HINT = "give vboxmigr://HOST[:PORT]/, such as vboxmigr://desthost:49300/"
HERE, THERE = Seat.SOURCE, Seat.DESTINATION

# fmt: off
WRITTEN = [
    # host           port    migration URI
    ("desthost",     None,   "vboxmigr://desthost/"),
    ("desthost",     49300,  "vboxmigr://desthost:49300/"),
    ("2001:db8::7",  49363,  "vboxmigr://[2001:db8::7]:49363/"),
    ("10.0.0.9",     49300,  "vboxmigr://10.0.0.9:49300/"),
]

READ = [
    "vboxmigr://desthost/",
    "vboxmigr://desthost:49300/",
    "VBOXMIGR://[2001:db8::7]:49300",
    "vboxmigr:desthost:49300",
]

REFUSED = [
    # text                    what is wrong
    ("tcp://desthost/",       "its scheme is 'tcp'"),
    ("desthost:49300",        "it has no scheme"),
    ("vboxmigr:///path",      "it names no host; it has the path /path, and there is none"),
    ("vboxmigr://h:0/",       PORT_0),
    ("vboxmigr://h/web1",     "it has the path /web1, and there is none"),
    ("vboxmigr://root@h/",    "it names a user, root, and there is none"),
    ("vboxmigr://h/?a=b",     "it has parameters, ?a=b, and there are none"),
    ("vboxmigr://h:0/?a",     PORT_0 + "; it has parameters, ?a, and there are none"),
]

REGISTER = (THERE, "registervm SETTINGS-FILE")
ON = "--teleporter on --teleporter-port"
FILE = "--teleporter-password-file PASSWORD-FILE"
SEND = "controlvm web1 teleport --host"
OFF = "--teleporter off"

COMMANDS = [
    # asked for
    #   each call of VBoxManage, and where
    ({}, [
        REGISTER,
        (THERE, f"modifyvm web1 {ON} PORT {FILE}"),
        (THERE, "startvm web1 --type headless"),
        (HERE,  f"{SEND} desthost --port PORT --passwordfile PASSWORD-FILE"),
        (HERE,  f"modifyvm web1 {OFF}"),
        (THERE, f"modifyvm web1 {OFF}"),
    ]),
    ({"migration": "vboxmigr://[2001:db8::7]:50000/", "undefine_source": True,
      "options": ("max-downtime=100", "timeout=9")}, [
        REGISTER,
        (THERE, f"modifyvm web1 {ON} 50000 {FILE}"),
        (THERE, "startvm web1 --type headless"),
        (HERE,  f"{SEND} 2001:db8::7 --port 50000 --maxdowntime 100 --passwordfile PASSWORD-FILE"),
        (HERE,  f"modifyvm web1 {OFF}"),
        (HERE,  "unregistervm web1"),
        (THERE, f"modifyvm web1 {OFF}"),
    ]),
    ({"dname": "web2", "listen_address": "10.0.0.9", "migration": "vboxmigr://10.0.0.9/"}, [
        REGISTER,
        (THERE, "modifyvm web1 --name web2"),
        (THERE, f"modifyvm web2 {ON} PORT --teleporter-address 10.0.0.9 {FILE}"),
        (THERE, "startvm web2 --type headless"),
        (HERE,  f"{SEND} 10.0.0.9 --port PORT --passwordfile PASSWORD-FILE"),
        (HERE,  f"modifyvm web1 {OFF}"),
        (THERE, f"modifyvm web2 {OFF}"),
    ]),
]

REASONS = [
    # destination                        what is wrong with it
    ("vbox:///session",                  ["name the same VirtualBox"]),
    ("vbox+unix:///session",             ["name the same VirtualBox"]),
    ("vbox+ssh://desthost:0/system",     ["its path is '/system'", "its port is 0"]),
]
# fmt: on


@pytest.fixture
def vbox(migrator: Migrator) -> Driver:
    return migrator.registry.drivers["vbox"]


def test_driver(vbox: Driver) -> None:
    local = ControlProtocol("VBoxManage on this machine", None, encrypted=True)
    ssh = ControlProtocol("VBoxManage over ssh", 22, encrypted=True)

    assert vbox.info == DriverInfo(
        "vbox",
        "VirtualBox",
        ("vbox",),
        ("vboxmigr",),
        {"": local, "unix": local, "ssh": ssh},
        example="vbox+ssh://desthost/session",
    )


@pytest.mark.parametrize("revision", Revision)
def test_port_rule(vbox: Driver, revision: Revision) -> None:
    assert vbox.port_rule(revision, "native-direct") == PortRule(
        49300,
        49363,
        ChosenBy.US,
        "VirtualBox has no range of its own; --port-range sets another",
    )


@pytest.mark.parametrize("revision", Revision)
def test_offers(vbox: Driver, revision: Revision) -> None:
    capabilities = vbox.capabilities(revision)
    (offer,) = capabilities.offers.values()

    assert list(capabilities.offers) == ["native-direct"]
    assert (offer.claim.basis, offer.claim.version) == (Basis.VERIFIED, "VirtualBox 7.2.22")
    assert offer.options == {"live", "persistent", "undefine_source", "dname", "listen_address"}
    assert [option.name for option in offer.own] == ["timeout", "max-downtime", "password-file"]
    assert "1800 if it is not given" in offer.own[0].help
    assert capabilities.always_live
    assert capabilities.on_client_crash is not None
    assert capabilities.on_client_crash.then is Crash.CONTINUES
    assert offer.migration_uri
    assert (capabilities.encrypted, capabilities.encryption) == (
        False,
        "VirtualBox sends it as it is",
    )
    assert (capabilities.protocol, capabilities.encrypting_option) == (
        "VirtualBox teleportation",
        None,
    )


@pytest.mark.parametrize(("host", "port", "text"), WRITTEN)
def test_written_uri(vbox: Driver, host: str, port: int | None, text: str) -> None:
    uri, _ = vbox.uri(Request("web1"), host, port)

    assert str(uri) == text
    assert uri == MigrationURI.parse(text)


@pytest.mark.parametrize("text", READ)
def test_read_uri(vbox: Driver, text: str) -> None:
    uri = vbox.read_uri(text, Revision.ORIGINAL)

    assert uri == MigrationURI.parse(text)
    assert str(uri) == text


@pytest.mark.parametrize(("text", "part"), REFUSED)
def test_refused_uri(vbox: Driver, text: str, part: str) -> None:
    with pytest.raises(InvalidURIError) as caught:
        vbox.read_uri(text, Revision.ORIGINAL)

    assert str(caught.value) == f"cannot read the URI {text!r}: {part}; {HINT}"


@pytest.mark.parametrize(("asked", "calls"), COMMANDS)
def test_commands(migrator: Migrator, asked: dict[str, Any], calls: list[tuple[Seat, str]]) -> None:
    given = {"source": "vbox:///session", "destination": "vbox+ssh://desthost/session", **asked}

    plan = migrator.plan("web1", **given)

    assert plan.commands == tuple(
        NativeCommand("VBoxManage", ("VBoxManage", *words.split()), host=seat)
        for seat, words in calls
    )


def test_commands_choose_the_virtualbox_of_each_host(migrator: Migrator) -> None:
    plan = migrator.plan(
        "web1",
        "vbox:///session?user_home=/srv/a%20b&ipc_socketid=a",
        "vbox+ssh://desthost/session?ipc_socketid=b&vboxmanage=/opt/VBoxManage",
    )

    assert {(command.host, (command.argv or ())[:4]) for command in plan.commands} == {
        (HERE, ("env", "VBOX_USER_HOME=/srv/a b", "VBOX_IPC_SOCKETID=a", "VBoxManage")),
        *(
            (THERE, ("env", "VBOX_IPC_SOCKETID=b", "/opt/VBoxManage", word))
            for word in ("registervm", "modifyvm", "startvm")
        ),
    }


@pytest.mark.parametrize(("destination", "wrong"), REASONS)
def test_refused_plan(migrator: Migrator, destination: str, wrong: list[str]) -> None:
    with pytest.raises(PlanError) as caught:
        migrator.plan("web1", "vbox:///session", destination)

    texts = [reason.text for reason in caught.value.reasons]
    assert len(texts) == len(wrong)
    for text, part in zip(texts, wrong, strict=True):
        assert part in text


def test_two_virtualboxes_of_one_user_are_two(migrator: Migrator) -> None:
    there = "vbox:///session?user_home=/srv/b&ipc_socketid=b"

    assert migrator.plan("web1", "vbox:///session", there, migration="vboxmigr://localhost/")


def test_control_is_ssh_and_memory_is_plain(migrator: Migrator) -> None:
    plan = migrator.plan("web1", "vbox:///session", "vbox+ssh://root@desthost:2222/session")

    assert (plan.control[1].protocol, plan.control[1].ports) == (
        "VBoxManage over ssh",
        (2222, 2222),
    )
    assert (plan.data.ports, plan.data.encrypted) == ((49300, 49363), False)
