from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_plugins import (
    Basis,
    ChosenBy,
    ControlProtocol,
    Driver,
    DriverInfo,
    InvalidURIError,
    MigrationURI,
    NativeCommand,
    PortRule,
    Request,
    Revision,
    Seat,
)

if TYPE_CHECKING:
    from typing import Any

    from migrate_plugins import Migrator

HINT = "give vboxmigr://HOST[:PORT]/, such as vboxmigr://desthost:49300/"
FILE = ("--passwordfile", "PASSWORD-FILE")

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
    ("vboxmigr:///path",      "it names no host"),
]

COMMANDS = [
    # asked for                                       name there  host           port
    ({},                                              "web1",     "desthost",    "PORT"),
    ({"migration": "vboxmigr://10.0.0.9:50000/"},     "web1",     "10.0.0.9",    "50000"),
    ({"migration": "vboxmigr://10.0.0.9/"},           "web1",     "10.0.0.9",    "PORT"),
    ({"destination": "vbox+ssh://[2001:db8::7]/s"},   "web1",     "2001:db8::7", "PORT"),
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
    assert vbox.port_rule(revision) == PortRule(
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
    assert offer.options == {"live", "persistent", "undefine_source"}
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


@pytest.mark.parametrize(("asked", "there", "host", "port"), COMMANDS)
def test_commands(
    migrator: Migrator, asked: dict[str, Any], there: str, host: str, port: str
) -> None:
    given = {"source": "vbox:///session", "destination": "vbox+ssh://desthost/session", **asked}
    listen = ("--teleporter", "on", "--teleporter-port", port)

    plan = migrator.plan("web1", **given)

    assert plan.commands == tuple(
        NativeCommand("VBoxManage", ("VBoxManage", *words), host=seat)
        for seat, words in (
            (
                Seat.DESTINATION,
                ("modifyvm", there, *listen, "--teleporter-password-file", "PASSWORD-FILE"),
            ),
            (Seat.DESTINATION, ("startvm", there, "--type", "headless")),
            (Seat.SOURCE, ("controlvm", "web1", "teleport", "--host", host, "--port", port, *FILE)),
        )
    )


def test_control_is_ssh_and_memory_is_plain(migrator: Migrator) -> None:
    plan = migrator.plan("web1", "vbox:///session", "vbox+ssh://root@desthost:2222/session")

    assert (plan.control[1].protocol, plan.control[1].ports) == (
        "VBoxManage over ssh",
        (2222, 2222),
    )
    assert (plan.data.ports, plan.data.encrypted) == ((49300, 49363), False)
