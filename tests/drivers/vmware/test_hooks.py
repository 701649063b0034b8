from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import (
    After,
    Basis,
    ChosenBy,
    ControlProtocol,
    Crash,
    Driver,
    DriverInfo,
    InvalidURIError,
    MigrationURI,
    NativeCommand,
    PortRule,
    Request,
    Revision,
)
from migrate_plugins_vmware.options import OPTIONS

if TYPE_CHECKING:
    from migrate_plugins import Migrator

HINT = (
    "give vpxmigr://VCENTER-IP/RESOURCE-POOL/HOST, such as vpxmigr://192.0.2.7/resgroup-26/host-42"
)

# fmt: off
READ = [
    "vpxmigr://192.0.2.7/resgroup-26/host-42",
    "vpxmigr://[2001:db8::7]/resgroup-26/host-42",
    "VPXMIGR://192.0.2.7/resgroup-26/host-42",
]

REFUSED = [
    # text                                    what is wrong
    ("tcp://192.0.2.7/resgroup-26/host-42",   "its scheme is 'tcp'"),
    ("xenmigr://desthost/",                   "its scheme is 'xenmigr'"),
    ("192.0.2.7",                             "it has no scheme"),
    ("vpxmigr://192.0.2.7/resgroup-26",       "it names no host"),
    ("vpxmigr://192.0.2.7/resgroup-26/",      "it names no host"),
    ("vpxmigr://192.0.2.7/",                  "it names no resource pool and no host"),
    ("vpxmigr://192.0.2.7",                   "it names no resource pool and no host"),
    ("vpxmigr:///resgroup-26/host-42",        "it names no vCenter"),
    ("vpxmigr:///resgroup-26",                "it names no vCenter and no host"),
]
# fmt: on


@pytest.fixture
def vmware(migrator: Migrator) -> Driver:
    return migrator.registry.drivers["vmware"]


def test_driver(vmware: Driver) -> None:
    https = ControlProtocol("vSphere API over https", 443, encrypted=True)

    assert vmware.info == DriverInfo(
        "vmware",
        "VMware ESX and vCenter",
        ("vpx", "esx", "gsx"),
        ("vpxmigr",),
        {"": https},
        example="vpx://vcenter/DATACENTER/CLUSTER/DESTHOST",
    )


@pytest.mark.parametrize("revision", Revision)
def test_port_rule(vmware: Driver, revision: Revision) -> None:
    assert vmware.port_rule(revision, "native-direct") == PortRule(
        8000,
        8000,
        ChosenBy.HYPERVISOR,
        "vMotion between the two hosts; the client itself needs only 443 of the vCenter",
    )


@pytest.mark.parametrize("revision", Revision)
def test_offers(vmware: Driver, revision: Revision) -> None:
    capabilities = vmware.capabilities(revision)
    (offer,) = capabilities.offers.values()

    assert list(capabilities.offers) == ["native-direct"]
    assert offer.claim == (
        Basis.VERIFIED,
        "tests/integration/vsphere/test_moves.py, on a simulated vCenter",
        "pyVmomi 9.1.1, vcsim 0.24.2",
    )
    assert offer.options == {"live", "offline", "persistent", "undefine_source"}
    assert offer.migration_uri
    assert offer.own == OPTIONS
    assert (capabilities.protocol, capabilities.encrypting_option) == ("vMotion", None)
    assert capabilities.encrypted is None  # the vCenter decides: see migrateEncryption
    assert "migrateEncryption" in capabilities.encryption


def test_configuration_is_the_inventorys(migrator: Migrator) -> None:
    plan = migrator.plan("web1", "vpx://vc/DC/a", "vpx://vc/DC/b")

    assert plan.configuration.after == After(
        persistent=True, source_config=False, destination_config=True
    )
    assert plan.configuration.because.startswith("a vCenter keeps each guest in its inventory")


def test_move_goes_on_without_its_client(migrator: Migrator) -> None:
    plan = migrator.plan("web1", "vpx://vc/DC/a", "vpx://vc/DC/b")

    assert plan.on_client_crash.then is Crash.CONTINUES


def test_vcenter_writes_the_migration_uri(vmware: Driver) -> None:
    assert vmware.uri(Request("web1"), "vcenter", None) == (None, ())


@pytest.mark.parametrize("text", READ)
@pytest.mark.parametrize("revision", Revision)
def test_read_uri(vmware: Driver, text: str, revision: Revision) -> None:
    uri = vmware.read_uri(text, revision)

    assert uri == MigrationURI.parse(text)
    assert str(uri) == text


@pytest.mark.parametrize(("text", "part"), REFUSED)
def test_refused_uri(vmware: Driver, text: str, part: str) -> None:
    with pytest.raises(InvalidURIError) as caught:
        vmware.read_uri(text, Revision.ORIGINAL)

    assert str(caught.value) == f"cannot read the URI {text!r}: {part}; {HINT}"


def test_command(migrator: Migrator) -> None:
    uri = "vpxmigr://192.0.2.7/resgroup-26/host-42"
    plan = migrator.plan("web1", "vpx://vc/DC/a", "vpx://vc/DC/b", uri, live=True)

    assert plan.commands[0] == NativeCommand(
        "virsh",
        ("virsh", "-c", "vpx://vc/DC/a", "migrate", "--live", "web1", "vpx://vc/DC/b", uri),
    )


def test_port_in_the_uri_would_be_ignored(vmware: Driver) -> None:
    """libvirt neither compares nor uses it: memory goes from host to host, to port 8000."""
    with pytest.raises(InvalidURIError):
        vmware.read_uri("vpxmigr://192.0.2.7:999/resgroup-26/host-42", Revision.ORIGINAL)


def test_control_goes_to_the_vcenter(migrator: Migrator) -> None:
    plan = migrator.plan("web1", "vpx://vc/DC/a", "vpx://vc/DC/b")

    assert [(leg.protocol, leg.ports, leg.encrypted) for leg in plan.control] == [
        ("vSphere API over https", (443, 443), True)
    ] * 2


def test_planning_needs_no_client_library() -> None:
    program = """
import sys
from migrate_plugins import Migrator
migrator = Migrator.installed()
plan = migrator.plan("web1", "vpx://vc/DC/a", "vpx://vc/DC/b?no_verify=1")
assert plan.commands and plan.findings
assert not {"pyVmomi", "http.client", "ssl"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", program], timeout=60, check=True)
