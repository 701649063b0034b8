from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_plugins import (
    LIBVIRT_CONTROL,
    OPTIONS,
    Basis,
    ChosenBy,
    Driver,
    DriverInfo,
    InvalidURIError,
    MigrationURI,
    NativeCommand,
    PortRule,
    Request,
    Revision,
)

if TYPE_CHECKING:
    from typing import Any

    from migrate_plugins import Migrator

ORIGINAL, CURRENT = Revision.ORIGINAL, Revision.CURRENT
SCENARIOS = (
    "native-direct",
    "native-p2p-client",
    "tunnelled-p2p-client",
    "native-p2p",
    "tunnelled-p2p",
)
TAKES_ORIGINAL = (
    "QEMU takes tcp://, rdma://, and with --revision current unix://, for example tcp://10.0.0.1/"
)
TAKES = {
    ORIGINAL: "QEMU takes tcp://, rdma://, for example tcp://10.0.0.1/",
    CURRENT: "QEMU takes tcp://, rdma://, unix://, for example tcp://10.0.0.1/",
}

# fmt: off
MIGRATION_URIS = [
    # revision   whether the scenario takes a migration URI
    (ORIGINAL,   [True, False, False, False, False]),
    (CURRENT,    [True, True,  False, True,  False]),
]

READ = [
    # revision   text
    (ORIGINAL,   "tcp://10.0.0.1/"),
    (ORIGINAL,   "tcp://10.0.0.1:49152"),
    (ORIGINAL,   "TCP://desthost"),
    (ORIGINAL,   "tcp:desthost:49152"),
    (ORIGINAL,   "tcp:desthost"),
    (ORIGINAL,   "rdma://[2001:db8::7]:49152/"),
    (CURRENT,    "tcp://10.0.0.1/"),
    (CURRENT,    "unix:///run/migrate.sock"),
]

REFUSED = [
    # revision   text                        what is wrong                   what would work
    (ORIGINAL,   "unix:///run/m.sock",       "its scheme is 'unix'",         TAKES_ORIGINAL),
    (ORIGINAL,   "UNIX:///run/m.sock",       "its scheme is 'UNIX'",         TAKES_ORIGINAL),
    (ORIGINAL,   "http://10.77.0.2/",        "its scheme is 'http'",         TAKES[ORIGINAL]),
    (CURRENT,    "http://10.77.0.2/",        "its scheme is 'http'",         TAKES[CURRENT]),
    (ORIGINAL,   "xenmigr://desthost/",      "its scheme is 'xenmigr'",      TAKES[ORIGINAL]),
    (ORIGINAL,   "10.77.0.2",                "it has no scheme",             TAKES[ORIGINAL]),
    (CURRENT,    "desthost:49152",           "it has no scheme",             TAKES[CURRENT]),
    (CURRENT,    "tcp:///path",              "it names no host",
     "give one: tcp://10.0.0.1/"),
]

COMMANDS = [
    # asked for                                          words after `virsh -c qemu:///system`
    ({},                                                 "migrate web1 qemu+ssh://b/system"),
    ({"live": True, "undefine_source": True, "persistent": True, "bandwidth": 100, "timeout": 9},
     ("migrate --live --persistent --undefinesource --bandwidth 100 --timeout 9 web1"
     " qemu+ssh://b/system")),
    ({"migration": "tcp://10.0.0.1/"},                   ("migrate web1 qemu+ssh://b/system"
                                                         " tcp://10.0.0.1/")),
    ({"p2p": True, "tunnelled": True},                   ("migrate --p2p --tunnelled web1"
                                                         " qemu+ssh://b/system")),
    ({"p2p": True, "migration": "qemu+tls://c/system"},  "migrate --p2p web1 qemu+tls://c/system"),
    ({"p2p": True, "migration": "tcp://10.0.0.1/", "revision": CURRENT},
     "migrate --p2p web1 qemu+ssh://b/system tcp://10.0.0.1/"),
    ({"compressed": True, "comp_methods": ("mt", "xbzrle"), "migrate_disks": ("vda", "vdb"),
      "copy_storage_all": True},
     ("migrate --compressed --copy-storage-all --comp-methods mt,xbzrle --migrate-disks vda,vdb"
     " web1 qemu+ssh://b/system")),
    ({"dname": "web2", "suspend": True},                 ("migrate --suspend --dname web2 web1"
                                                         " qemu+ssh://b/system")),
]
# fmt: on


@pytest.fixture
def qemu(migrator: Migrator) -> Driver:
    return migrator.registry.drivers["qemu"]


def test_driver(qemu: Driver) -> None:
    assert qemu.info == DriverInfo(
        "qemu",
        "QEMU and KVM",
        ("qemu",),
        ("tcp", "rdma", "unix"),
        LIBVIRT_CONTROL,
        example="qemu+ssh://desthost/system",
    )


@pytest.mark.parametrize("revision", Revision)
def test_port_rule(qemu: Driver, revision: Revision) -> None:
    assert qemu.port_rule(revision, "native-direct") == PortRule(
        49152,
        49215,
        ChosenBy.DESTINATION,
        "migration_port_min and migration_port_max of the destination's qemu.conf, by default",
    )


@pytest.mark.parametrize(("revision", "takes"), MIGRATION_URIS)
def test_offers(qemu: Driver, revision: Revision, takes: list[bool]) -> None:
    offers = qemu.capabilities(revision).offers

    assert tuple(offers) == SCENARIOS
    assert [offer.migration_uri for offer in offers.values()] == takes
    for scenario, offer in offers.items():
        assert offer.claim.basis is Basis.VERIFIED
        assert scenario in offer.claim.reference
        assert offer.claim.version == "libvirt 9.0.0, QEMU 7.2"


def test_capabilities_by_revision(qemu: Driver) -> None:
    old, new = (qemu.capabilities(revision) for revision in (ORIGINAL, CURRENT))
    everything = {option.field for option in OPTIONS}

    assert (old.migration_schemes, new.migration_schemes) == (
        ("tcp", "rdma"),
        ("tcp", "rdma", "unix"),
    )
    assert new.offers["native-direct"].options == everything
    assert everything - old.offers["native-direct"].options == {
        *("tls", "tls_destination", "parallel", "parallel_connections"),
        *("postcopy", "timeout_postcopy"),
    }
    assert (new.protocol, new.encrypting_option) == ("QEMU migration stream", "tls")
    assert (new.encrypted, new.encryption) == (False, "QEMU sends it as it is")


@pytest.mark.parametrize("scenario", ["tunnelled-p2p", "tunnelled-p2p-client"])
def test_tunnelled_has_none_of_the_options_that_exclude_it(qemu: Driver, scenario: str) -> None:
    excluding = {option.field for option in OPTIONS if "tunnelled" in option.excludes}

    for revision in Revision:
        assert not excluding & qemu.capabilities(revision).offers[scenario].options


def test_destination_writes_the_migration_uri(qemu: Driver) -> None:
    assert qemu.uri(Request("web1"), "desthost", None) == (None, ())
    assert qemu.uri(Request("web1"), "desthost", 49152) == (None, ())


@pytest.mark.parametrize(("revision", "text"), READ)
def test_read_uri(qemu: Driver, revision: Revision, text: str) -> None:
    uri = qemu.read_uri(text, revision)

    assert uri == MigrationURI.parse(text)
    assert str(uri) == text


@pytest.mark.parametrize(("revision", "text", "part", "hint"), REFUSED)
def test_refused_uri(qemu: Driver, revision: Revision, text: str, part: str, hint: str) -> None:
    with pytest.raises(InvalidURIError) as caught:
        qemu.read_uri(text, revision)

    assert str(caught.value) == f"cannot read the URI {text!r}: {part}; {hint}"


@pytest.mark.parametrize(("asked", "words"), COMMANDS)
def test_command(migrator: Migrator, asked: dict[str, Any], words: str) -> None:
    given = {"source": "qemu:///system", "destination": "qemu+ssh://b/system", **asked}
    if given.get("timeout"):
        given["live"] = True

    plan = migrator.plan("web1", **given)

    assert plan.commands == (
        NativeCommand("virsh", ("virsh", "-c", "qemu:///system", *words.split())),
    )


@pytest.mark.parametrize("scenario", ["native-p2p-client", "tunnelled-p2p-client"])
def test_what_virsh_cannot_say(migrator: Migrator, scenario: str) -> None:
    plan = migrator.plan("web1", "qemu:///system", "qemu+ssh://b/system", scenario=scenario)

    assert plan.commands == (
        NativeCommand(
            "virsh", None, f"the document says so: {scenario} cannot be invoked from virsh"
        ),
    )
