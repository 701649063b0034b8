# ruff: noqa: E501 - a row of a table stays in one line
"""What follows from what a vCenter tells, without one: readings that are made up, by table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins import Config, Migrator, Severity
from migrate_plugins_vmware.checks import judge
from migrate_plugins_vmware.checks.kinds import KINDS
from migrate_plugins_vmware.checks.reading import (
    Backing,
    Datastore,
    Device,
    Evc,
    Host,
    Kind,
    Machine,
    Mount,
    Network,
    Pool,
    Privileges,
    Reading,
    Target,
    Verdict,
)
from migrate_plugins_vmware.checks.versions import parsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Finding

URIS = ("vpx://vc/DC/C/h1", "vpx://vc/DC/C/h2")
ESX = ("esx://h1?vcenter=vc", "esx://h2?vcenter=vc")
GIB = 1 << 30

DISK = Device(2000, "Hard disk 1", Kind.DISK, Backing.FILE, datastore="datastore-1", size=8 * GIB)
NIC = Device(4000, "Network adapter 1", Kind.ADAPTER, Backing.NETWORK, network="network-1")
GUEST = Machine(
    "web1",
    "host-1",
    power="poweredOn",
    connection="connected",
    fault_tolerance="notConfigured",
    evc="intel-haswell",
    encryption="opportunistic",
    memory=4096,
    memory_reserved=1024,
    home="datastore-1",
    devices=(DISK, NIC),
)
SOURCE = Host(
    "host-1",
    "h1",
    compute="domain-c1",
    connection="connected",
    power="poweredOn",
    maintenance=False,
    lockdown="lockdownDisabled",
    vmotion_supported=True,
    vmotion_enabled=True,
    encrypts=True,
    version="7.0.3",
    evc="intel-broadwell",
    memory=64 * GIB,
    memory_used=1024,
)
DESTINATION = SOURCE._replace(id="host-2", name="h2")
BOTH = {"host-1": Mount(), "host-2": Mount()}
SSD = Datastore("ssd", free=100 * GIB, maintenance="normal", mounts=BOTH)
LAN = {"network-1": Network("lan", frozenset({"host-1", "host-2"}))}
FINE = Reading(
    SOURCE,
    DESTINATION,
    GUEST,
    versions=("7.0.3.0", "7.0.3.0"),
    target=Target(Pool("resgroup-1", "Resources", "domain-c1", unreserved=8192)),
    compute="C",
    datastores={"datastore-1": SSD},
    networks=LAN,
    there=LAN,
    modes={
        "intel-haswell": Evc("intel", 5),
        "intel-broadwell": Evc("intel", 6),
        "amd-rome": Evc("amd", 8),
    },
)
OTHER = FINE._replace(
    crossing=True,
    target=FINE.target._replace(datastore="datastore-9"),
    targets={"datastore-9": SSD},
    there={"network-9": Network("lan")},
)

# Of every guest that runs.
OK = ("vmotion-encrypted", "info")
PATH = ("vmotion-path-unknown", "info")


def guest(*more: Device, **changes: object) -> Reading:
    """The reading with a guest that differs, or has further devices."""
    devices = (*GUEST.devices, *more)
    return FINE._replace(guest=GUEST._replace(**{"devices": devices, **changes}))  # type: ignore[arg-type]


def hosts(source: Sequence[tuple[str, object]] = (), **destination: object) -> Reading:
    """The reading with hosts that differ."""
    return FINE._replace(
        source=SOURCE._replace(**dict(source)),  # type: ignore[arg-type]
        destination=DESTINATION._replace(**destination),  # type: ignore[arg-type]
    )


def off(reading: Reading, power: str = "poweredOff") -> Reading:
    """The same with a guest that does not run."""
    assert reading.guest is not None
    return reading._replace(guest=reading.guest._replace(power=power))


def stored(**changes: object) -> Reading:
    """The reading with a datastore that differs."""
    return FINE._replace(datastores={"datastore-1": SSD._replace(**changes)})  # type: ignore[arg-type]


def going(datastore: str | None, *disks: tuple[int, str], **changes: object) -> Reading:
    """The reading of a move to other datastores; *changes* are the other datastore's."""
    target = FINE.target._replace(datastore=datastore, disks=dict(disks))
    other = SSD._replace(name="hdd")._replace(**changes)  # type: ignore[arg-type]
    return FINE._replace(target=target, targets={"datastore-2": other, "datastore-3": other})


def having(reading: Reading, *more: Device, **changes: object) -> Reading:
    """The same *reading* with a guest that differs, or has further devices."""
    assert reading.guest is not None
    devices = (*reading.guest.devices, *more)
    return reading._replace(guest=reading.guest._replace(**{"devices": devices, **changes}))  # type: ignore[arg-type]


def drive(backing: Backing, **changes: object) -> Device:
    """A CD drive."""
    return Device(3000, "CD/DVD drive 1", Kind.CDROM, backing)._replace(**changes)  # type: ignore[arg-type]


# Of its host alone: the destination has not mounted it.
LOCAL = {"datastore-5": Datastore("local", mounts={"host-1": Mount()})}
ISO = drive(Backing.FILE, datastore="datastore-5", name="[local] a.iso")
PCI = Device(13000, "PCI device 0", Kind.PCI, Backing.HOST)
OFF = ("guest-powered-off", "info")

# fmt: off
READINGS: list[tuple[str, Reading, list[tuple[str, str]]]] = [
    # what is particular, reading, findings and how bad they are
    ("nothing",                  FINE,                                   [OK]),
    ("off",                      off(FINE),                              [OFF]),
    ("suspended",                off(FINE, "suspended"),                 [("guest-suspended", "warning")]),
    ("power not told",           guest(power=None),                      [OK]),
    # where it is
    ("elsewhere",                FINE._replace(guest=None, elsewhere="h3"), [("guest-elsewhere", "error")]),
    ("there already",            FINE._replace(guest=None, elsewhere="h2"), []),
    ("nowhere",                  FINE._replace(guest=None),              []),
    ("something not read",       FINE._replace(unread=("pools: gone",)), [OK, ("inventory-unknown", "info")]),
    ("no such pool",             FINE._replace(unmet="there is no pool x"), [OK, ("option-unmet", "error")]),
    # its state
    ("orphaned",                 guest(connection="orphaned"),           [("guest-inaccessible", "error"), OK]),
    ("a template",               off(guest(template=True)),              [("guest-template", "error")]),
    ("another task",             guest(tasks=("VirtualMachine.createSnapshot",)), [("guest-task", "error"), OK]),
    ("Tools being installed",    guest(tools_installing=True),           [("guest-tools-installing", "error"), OK]),
    ("Tools, off",               off(guest(tools_installing=True)),      [OFF, ("guest-tools-installing", "warning")]),
    ("fault tolerance",          guest(fault_tolerance="running"),       [("guest-fault-tolerant", "warning"), OK]),
    ("fault tolerance, storage", having(going("datastore-2"), fault_tolerance="running"),
                                                                         [("guest-fault-tolerant", "error"), OK]),
    ("bound to processors",      guest(cpu_affinity=(2, 3)),             [("guest-affinity", "error"), OK]),
    ("bound to nodes, off",      off(guest(memory_affinity=(0,))),       [OFF, ("guest-affinity", "warning")]),
    ("snapshots stay",           guest(snapshots=("old",)),              [OK]),
    ("snapshots move",           having(going("datastore-2"), snapshots=("old",)),
                                                                         [("guest-snapshots", "warning"), OK]),
    ("snapshots torn apart",     having(going("datastore-2", (2000, "datastore-3")), snapshots=("old",)),
                                                                         [("guest-snapshots", "error"), OK]),
    ("snapshots, one disk",      having(going(None, (2000, "datastore-3")), snapshots=("old",)),
                                                                         [("guest-snapshots", "error"), OK]),
    # hosts
    ("destination gone",         hosts(connection="notResponding"),      [("host-disconnected", "error"), OK]),
    ("source gone",              hosts([("connection", "disconnected")]), [("host-disconnected", "error"), OK]),
    ("destination off",          hosts(power="poweredOff", connection="notResponding"),
                                                                         [("host-powered-off", "error"), OK]),
    ("destination in standby",   hosts(power="standBy"),                 [("host-powered-off", "error"), OK]),
    ("destination maintained",   hosts(maintenance=True),                [("destination-in-maintenance", "error"), OK]),
    ("source maintained",        hosts([("maintenance", True)]),         [("source-in-maintenance", "info"), OK]),
    ("locked down, by vpx",      hosts(lockdown="lockdownStrict"),       [OK]),
    ("no vMotion",               hosts(vmotion_supported=False),         [("vmotion-not-supported", "error"), OK]),
    ("vMotion not enabled",      hosts(vmotion_enabled=False),           [("vmotion-not-enabled", "error"), OK]),
    ("not enabled on source",    hosts([("vmotion_enabled", False)]),    [("vmotion-not-enabled", "error"), OK]),
    ("not enabled, off",         off(hosts(vmotion_enabled=False)),      [OFF]),
    ("vMotion not told",         hosts(vmotion_enabled=None),            [("vmotion-unknown", "info"), OK]),
    # storage
    ("not mounted",              stored(mounts={"host-1": Mount()}),     [("datastore-missing", "error"), OK]),
    ("not mounted, off",         off(stored(mounts={})),                 [OFF, ("datastore-missing", "error")]),
    ("unmounted",                stored(mounts={"host-2": Mount(mounted=False)}), [("datastore-missing", "error"), OK]),
    ("out of reach",             stored(mounts={"host-2": Mount(accessible=False)}),
                                                                         [("datastore-inaccessible", "error"), OK]),
    ("read only",                stored(mounts={"host-2": Mount(read_only=True)}), [("datastore-read-only", "error"), OK]),
    ("not told",                 FINE._replace(datastores={}),           [("datastore-unknown", "info"), OK]),
    ("all moves",                going("datastore-2"),                   [OK]),
    ("all moves from a local",   having(going("datastore-2"))._replace(datastores=LOCAL), [OK]),
    ("to one that is not there", going("datastore-2", mounts={}),        [("datastore-missing", "error"), OK]),
    ("to one nobody knows",      going("datastore-8"),                   [("datastore-unknown", "info"), OK]),
    ("to a read-only one",       going("datastore-2", mounts={"host-2": Mount(read_only=True)}),
                                                                         [("datastore-read-only", "error"), OK]),
    ("to a maintained one",      going("datastore-2", maintenance="inMaintenance"),
                                                                         [("datastore-in-maintenance", "error"), OK]),
    ("to a full one",            going("datastore-2", free=GIB),         [("datastore-space-short", "warning"), OK]),
    ("to where it is",           going("datastore-1")._replace(targets={"datastore-1": SSD._replace(free=0)}), [OK]),
    ("one disk moves",           going(None, (2000, "datastore-2")),     [OK]),
    ("the other does not",       going("datastore-2", (2000, "datastore-3"), mounts={}),
                                                                         [("datastore-missing", "error")] * 2 + [OK]),
    ("home stays, not there",    going(None, (2000, "datastore-2"))._replace(
                                     datastores={"datastore-1": SSD._replace(mounts={})}),
                                                                         [("datastore-missing", "error"), OK]),
    # networks
    ("network not there",        FINE._replace(there={}, networks={"network-1": Network("lan")}),
                                                                         [("network-not-there", "error"), OK]),
    ("known by the network",     FINE._replace(there={}),                [OK]),
    ("not there, off",           off(FINE._replace(there={}, networks={"network-1": Network("lan")})),
                                                                         [OFF, ("network-not-there", "warning")]),
    ("not there, unplugged",     guest(devices=(DISK, NIC._replace(connected=False)))._replace(
                                     there={}, networks={"network-1": Network("lan")}),
                                                                         [("network-not-there", "warning"), OK]),
    ("network not told",         FINE._replace(networks={}),             [("adapter-network-unknown", "info"), OK]),
    ("another network",          FINE._replace(target=FINE.target._replace(networks={4000: "network-1"})), [OK]),
    ("another, not there",       FINE._replace(target=FINE.target._replace(networks={4000: "network-7"})),
                                                                         [("network-not-there", "error"), OK]),
    # devices
    ("host's drive",             guest(drive(Backing.HOST)),             [("device-of-host", "error"), OK]),
    ("host's drive, off",        off(guest(drive(Backing.HOST))),        [OFF, ("device-of-host", "warning")]),
    ("host's drive, empty",      guest(drive(Backing.HOST, connected=False)), [OK]),
    ("client's drive",           guest(drive(Backing.CLIENT)),           [("device-of-host", "error"), OK]),
    ("serial port to a pipe",    guest(Device(9000, "Serial port 1", Kind.SERIAL, Backing.PIPE)),
                                                                         [("device-of-host", "error"), OK]),
    ("serial port to a network", guest(Device(9000, "Serial port 1", Kind.SERIAL, Backing.NETWORK)), [OK]),
    ("parallel port",            guest(Device(9001, "Parallel port 1", Kind.PARALLEL, Backing.HOST)),
                                                                         [("device-of-host", "error"), OK]),
    ("image of a local store",   guest(ISO)._replace(datastores={**FINE.datastores, **LOCAL}),
                                                                         [("device-file-not-there", "error"), OK]),
    ("image of a shared store",  guest(drive(Backing.FILE, datastore="datastore-1")), [OK]),
    ("image, moved to another",  OTHER._replace(guest=GUEST._replace(devices=(DISK, NIC, ISO))),
                                                                         [("device-file-not-there", "error"), OK]),
    ("passed through",           guest(PCI),                             [("device-passed-through", "error"), OK]),
    ("passed through, off",      off(guest(PCI)),                        [OFF, ("device-passed-through", "warning")]),
    ("share of a GPU",           guest(PCI._replace(backing=Backing.VGPU)), [("device-vgpu", "warning"), OK]),
    ("USB of the host",          guest(Device(7, "USB 1", Kind.USB, Backing.HOST)), [("device-usb", "warning"), OK]),
    ("USB of the host, off",     off(guest(Device(7, "USB 1", Kind.USB, Backing.HOST))), [OFF, ("device-usb", "info")]),
    ("USB of a client",          guest(Device(7, "USB 1", Kind.USB, Backing.CLIENT)), [("device-of-host", "error"), OK]),
    ("raw mapping",              guest(devices=(DISK._replace(backing=Backing.LUN), NIC)), [("disk-raw", "warning"), OK]),
    ("independent, stays",       guest(devices=(DISK._replace(mode="independent_nonpersistent"), NIC)), [OK]),
    ("independent, moves",       having(going("datastore-2"), devices=(DISK._replace(mode="independent_nonpersistent"),)),
                                                                         [("disk-not-persistent", "error"), OK]),
    ("independent but lasting",  having(going("datastore-2"), devices=(DISK._replace(mode="independent_persistent"),)), [OK]),
    ("disk shared",              guest(devices=(DISK._replace(shared="sharingMultiWriter"), NIC)),
                                                                         [("disk-shared", "error"), OK]),
    ("bus shared",               guest(Device(1000, "SCSI controller 0", Kind.CONTROLLER, shared="physicalSharing")),
                                                                         [("disk-shared", "warning"), OK]),
    ("bus shared, virtual",      guest(Device(1000, "SCSI controller 0", Kind.CONTROLLER, shared="virtualSharing")),
                                                                         [("disk-shared", "error"), OK]),
    # processors
    ("higher EVC",               hosts(evc="intel-broadwell"),           [OK]),
    ("older than the guest",     having(hosts(evc="intel-haswell"), evc="intel-broadwell"),
                                                                         [("processor-older", "error"), OK]),
    ("older than the source",    having(hosts(evc="intel-haswell"), evc=None), [("processor-older", "warning"), OK]),
    ("another vendor",           hosts(evc="amd-rome"),                  [("processor-other-vendor", "error"), OK]),
    ("another vendor, asleep",   off(hosts(evc="amd-rome"), "suspended"), [("guest-suspended", "warning"),
                                                                          ("processor-other-vendor", "warning")]),
    ("another vendor, off",      off(hosts(evc="amd-rome")),             [OFF]),
    ("vendor by its name",       hosts(evc="amd-milan"),                 [("processor-other-vendor", "error"), OK]),
    ("mode nobody knows",        hosts(evc="intel-next"),                [("processor-unknown", "info"), OK]),
    ("mode not told",            hosts(evc=None),                        [("processor-unknown", "info"), OK]),
    # memory and pool
    ("smaller host",             hosts(memory=2 * GIB),                  [("host-memory-short", "error"), OK]),
    ("smaller host, off",        off(hosts(memory=2 * GIB)),             [OFF, ("host-memory-short", "warning")]),
    ("busy host",                hosts(memory_used=63 * 1024),           [("host-memory-short", "warning"), OK]),
    ("memory not told",          hosts(memory=None),                     [OK]),
    ("pool of another cluster",  FINE._replace(target=Target(Pool("resgroup-7", "prod", "domain-c7"))),
                                                                         [("pool-elsewhere", "error"), OK]),
    ("pool without memory",      FINE._replace(target=Target(Pool("resgroup-1", "prod", "domain-c1", 512))),
                                                                         [("pool-memory-short", "error"), OK]),
    ("no pool",                  FINE._replace(target=Target()),         [OK]),
    # encryption
    ("never encrypted",          guest(encryption="disabled"),           [("vmotion-plain-text", "warning")]),
    ("cannot encrypt",           hosts(encrypts=False),                  [("vmotion-plain-text", "warning")]),
    ("required, cannot",         having(hosts(encrypts=False), encryption="required"), [("vmotion-encryption-unmet", "error")]),
    ("files encrypted, cannot",  having(hosts(encrypts=False), encrypted=True), [("vmotion-encryption-unmet", "error")]),
    ("required, can",            guest(encryption="required"),           [OK]),
    ("old ESXi",                 hosts(encrypts=None, version="6.0.0"),  [("vmotion-plain-text", "warning")]),
    ("new ESXi",                 hosts(encrypts=None, version="6.5.0"),  [OK]),
    ("ESXi not told",            hosts(encrypts=None, version=None),     [("vmotion-encryption-unknown", "info")]),
    ("setting not told",         guest(encryption=None),                 [("vmotion-encryption-unknown", "info")]),
    # two vCenters
    ("two vCenters",             OTHER,                                  [OK]),
    ("two, other network",       OTHER._replace(there={"network-9": Network("wan")}), [("network-not-there", "error"), OK]),
    ("two, one too old",         OTHER._replace(versions=("5.5", "7.0.3.0")), [("vcenter-too-old", "error"), OK]),
    ("two, both too old",        OTHER._replace(versions=("5.5", "")),   [OK, *[("vcenter-too-old", "error")] * 2]),
    ("two of one domain",        OTHER._replace(versions=("6.7.0", "7.0.3.0")), [OK, ("vcenter-domains", "warning")]),
    # the vCenter's own words
    ("refused",                  FINE._replace(verdict=Verdict(errors=(("vim.fault.X", "no"),), warnings=(("vim.fault.Y", ""),))),
                                 [OK, ("relocate-refused", "error"), ("relocate-warned", "warning")]),
    ("not asked",                FINE._replace(verdict=Verdict(unasked="it has no such call")), [OK, ("relocate-unknown", "info")]),
    ("not allowed",              FINE._replace(privileges=Privileges((("Resource.HotMigrate", "web1"),))),
                                                                         [OK, ("privilege-missing", "error")]),
    ("rights not told",          FINE._replace(privileges=Privileges(unasked="it has no such call")), [OK, ("privilege-unknown", "info")]),
]
# fmt: on


def judged(migrator: Migrator, reading: Reading, uris: tuple[str, str] = URIS) -> list[Finding]:
    """What is found."""
    plan = migrator.plan("web1", source=uris[0], destination=uris[1], live=True)
    return [*judge(plan, reading)]


@pytest.mark.parametrize(
    ("reading", "found"), [row[1:] for row in READINGS], ids=[row[0] for row in READINGS]
)
def test_reading_shows(migrator: Migrator, reading: Reading, found: list[tuple[str, str]]) -> None:
    findings = judged(migrator, reading)

    live = reading.guest is not None and reading.guest.power not in {"poweredOff", "suspended"}
    expected = [*found, PATH] if live else found
    assert sorted((each.id, each.severity.value) for each in findings) == sorted(expected)


def test_lockdown_matters_to_who_opens_the_host_itself(migrator: Migrator) -> None:
    reading = hosts(lockdown="lockdownNormal")

    found = judged(migrator, reading, ESX)

    assert [(each.id, each.host) for each in found][:1] == [("host-locked-down", "h2")]


def test_live_means_nothing_for_a_guest_that_is_off(migrator: Migrator) -> None:
    (found,) = judged(migrator, off(FINE))

    assert found.text.endswith(", and --live means nothing")


@pytest.mark.parametrize("reading", [row[1] for row in READINGS], ids=[row[0] for row in READINGS])
def test_finding_is_no_worse_than_its_kind(migrator: Migrator, reading: Reading) -> None:
    worst = {kind.id: kind.severity for kind in KINDS}
    order = [Severity.INFO, Severity.WARNING, Severity.ERROR]

    for finding in judged(migrator, reading):
        assert order.index(finding.severity) <= order.index(worst[finding.id])


PLAN = Migrator.installed(Config()).plan("web1", source=URIS[0], destination=URIS[1], live=True)
ROWS = st.sampled_from([row[1] for row in READINGS])


@given(mixture=st.fixed_dictionaries(dict.fromkeys(Reading._fields, ROWS)))
def test_whatever_is_read_is_judged(mixture: dict[str, Reading]) -> None:
    """Every property from another reading: what does not go together is no reason to fail."""
    reading = Reading(**{field: getattr(row, field) for field, row in mixture.items()})
    known = {kind.id for kind in KINDS}

    found = [*judge(PLAN, reading)]

    assert {each.id for each in found} <= known
    assert all(each.text and each.text == " ".join(each.text.split()) for each in found)
    # Nothing is said of a guest that nobody has read.
    if reading.guest is None:
        assert {each.id for each in found} <= {
            "guest-elsewhere",
            "option-unmet",
            "inventory-unknown",
        }


def test_each_kind_is_shown_here() -> None:
    shown = {id_ for *_, found in READINGS for id_, _ in found}

    # One depends on the URI, and one is there for every guest that runs.
    assert {kind.id for kind in KINDS} - shown == {"host-locked-down", PATH[0]}


def test_what_blocks_says_what_would_mend_it(migrator: Migrator) -> None:
    for _, reading, _ in READINGS:
        for finding in judged(migrator, reading):
            told = finding.id in {"relocate-refused", "relocate-warned"}
            assert finding.remedy or told or finding.severity is Severity.INFO, finding


# Of govc 0.52, by its own list of commands.
GOVC = {
    "datastore": {"info", "maintenance.exit"},
    "device": {"disconnect", "info", "pci.ls"},
    "export": {"ovf"},
    "find": {""},
    "gpu": {"host.profile.ls"},
    "host": {"info", "maintenance.exit", "reconnect", "storage.info", "vnic.info", "vnic.service"},
    "import": {"ovf"},
    "license": {"assigned.ls"},
    "permissions": {"ls", "set"},
    "role": {"ls", "update"},
    "snapshot": {"tree"},
    "sso": {"service.ls"},
    "tasks": {""},
    "vm": {"change", "guest.tools", "info", "markasvm", "power"},
}


def test_remedies_name_commands_that_govc_has() -> None:
    folder = Path(judge.__code__.co_filename).parent
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py")))

    named = {*re.findall(r"\bgovc(?:_there)?(?:\(\s*\"| )([a-z]+)\.?([a-z.]*)", sources)}
    unknown = {words[0] for words in named if words[1] not in GOVC.get(words[0], set())}

    assert unknown == {"calls", "command", "if", "names"}, "these are words of comments"
    assert {words[0] for words in named} - unknown == {*GOVC}


# fmt: off
REMEDIES = [
    # where the source and the destination are, a finding, what mends it
    (URIS, "guest-tools-installing",
     "govc vm.guest.tools -u vc -dc DC -unmount web1"),
    (URIS, "destination-in-maintenance",
     "govc host.maintenance.exit -u vc -dc DC h2"),
    ((URIS[0], "vpx://other:8443/DD/C/h2?cacert=/ca.pem"), "destination-in-maintenance",
     "govc host.maintenance.exit -u other:8443 -tls-ca-certs /ca.pem -dc DD h2"),
    ((URIS[0], "vpx://vc/north/DC/C/h2?no_verify=1"), "destination-in-maintenance",
     "govc host.maintenance.exit -u vc -k h2"),
    (ESX, "guest-tools-installing",
     "govc vm.guest.tools -u vc -unmount web1"),
]
# fmt: on


@pytest.mark.parametrize(("uris", "id_", "remedy"), REMEDIES)
def test_command_is_for_the_vcenter_that_it_is_about(
    migrator: Migrator, uris: tuple[str, str], id_: str, remedy: str
) -> None:
    reading = having(hosts(maintenance=True), tools_installing=True)

    (found,) = (each for each in judged(migrator, reading, uris) if each.id == id_)

    assert found.remedy == remedy


# fmt: off
VERSIONS = [
    ("7.0.3.0", (7, 0, 3, 0)),
    ("6.5",     (6, 5)),
    ("8.0 U1",  (8,)),
    ("",        ()),
]
# fmt: on


@pytest.mark.parametrize(("text", "numbers"), VERSIONS)
def test_version(text: str, numbers: tuple[int, ...]) -> None:
    assert parsed(text) == numbers
