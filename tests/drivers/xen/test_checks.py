"""What the Xen driver finds before a migration; all by table, nothing is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import (
    Access,
    Facts,
    GuestFacts,
    GuestState,
    HostFacts,
    Receiver,
    Selection,
    Severity,
)
from migrate_plugins_xen.checks import check
from migrate_plugins_xen.checks.answers import answer
from migrate_plugins_xen.checks.guest import judge
from migrate_plugins_xen.checks.kinds import KINDS
from migrate_plugins_xen.inspection import (
    Definition,
    Inspection,
    Kind,
    Memory,
    Toolstack,
    read_definition,
)
from migrate_plugins_xen.receiver import find_receiver
from migrate_plugins_xen.truth import AWAITED, HELD, MISCALLED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Migrator, Plan

HERE = HostFacts("alpha", None, "Xen 4.17.0", "libvirt 9.0.0")
THERE = HERE._replace(name="beta")
GUEST = GuestFacts("web1", "u1", GuestState.RUNNING, persistent=True, memory=98304)
PVH, PV = Definition(7, Kind.PVH), Definition(7, Kind.PV)
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
CURRENT: dict[str, Any] = {"revision": "current"}
LIVE = {**CURRENT, "live": True}
DIRECT = {"direct": True, "migration": "beta", "destination": None}
OWN_NAME = "the destination puts its own name into the migration URI"


def _plan(migrator: Migrator, **asked: Any) -> Plan:  # noqa: ANN401 - Request types them
    given = {"guest": "web1", "source": "xen:///", "destination": "xen+ssh://beta/"}
    return migrator.plan(**{**given, **asked})


def _domain(body: str, number: str = "id='7'") -> str:
    return f"<domain type='xen' {number}><name>web1</name>{body}</domain>"


# fmt: off
DEFINITIONS = [
    # what libvirt writes, and what is read
    (_domain("<os><type machine='xenpvh'>xenpvh</type></os>"),         Definition(7, Kind.PVH)),
    (_domain("<os><type machine='xenpv'>linux</type></os>"),           Definition(7, Kind.PV)),
    (_domain("<os><type machine='xenfv'>hvm</type></os>"),             Definition(7, Kind.HVM)),
    (_domain("<os><type>later</type></os>", number=""),                Definition(None, None)),
    (_domain("", number="id='0'"),                                     Definition(0, None)),
    (_domain("<os><type>hvm</type></os><devices><hostdev type='pci'><source><address domain='0x0'"
             " bus='0x3'/></source></hostdev><interface type='hostdev'><mac address='00:16:3e:00'/>"
             "</interface><interface type='bridge'/></devices>"),
     Definition(7, Kind.HVM, ("pci 0x0:0x3", "interface 00:16:3e:00"))),
]

FOUND: list[tuple[dict[str, Any], GuestFacts, Inspection, Sequence[tuple[str, Severity]]]] = [
    # request, the guest, what both hosts told, what is found
    (LIVE,    GUEST,                                    Inspection(PVH), []),
    (LIVE,    GUEST,                                    Inspection(), []),
    (LIVE,    GUEST,             Inspection(PV, shadow=False), [("pv-live", ERROR)]),
    (LIVE,    GUEST,             Inspection(PV),        [("pv-live", WARNING)]),
    (LIVE,    GUEST,             Inspection(PV, shadow=True), []),
    (CURRENT, GUEST,             Inspection(PV, shadow=False), []),
    # xl moves each guest live, asked for or not; xend only if it is asked for
    (DIRECT,  GUEST,             Inspection(PV, shadow=False), [("pv-live", ERROR)]),
    (DIRECT,  GUEST, Inspection(PV, shadow=False, source=Toolstack.XEND), []),
    (LIVE,    GUEST._replace(state=GuestState.PAUSED), Inspection(PVH),
     [("guest-cannot-suspend", ERROR)]),
    (LIVE,    GUEST._replace(leftover=HELD),           Inspection(PVH), [("job-held", ERROR)]),
    (LIVE,    GUEST._replace(leftover=MISCALLED),      Inspection(PVH), [("state-wrong", INFO)]),
    (LIVE,    GUEST._replace(name="Domain-0"),         Inspection(Definition(0, None)),
     [("guest-is-host", ERROR)]),
    (LIVE,    GUEST,             Inspection(PVH._replace(devices=("pci a", "usb b"))),
     [("host-device", ERROR)] * 2),
    (LIVE,    GUEST,             Inspection(PVH, memory=Memory(200_000, 98304)), []),
    (LIVE,    GUEST,             Inspection(PVH, memory=Memory(200_000, 98303)),
     [("destination-memory-short", WARNING)]),
    (LIVE,    GUEST,             Inspection(PVH, memory=Memory(90_000, 80_000)),
     [("destination-memory-short", ERROR)]),
    (LIVE,    GUEST,             Inspection(PVH, unread=("no answer",)),
     [("host-facts-unknown", INFO)]),
    # whose rules the plan follows, and what libvirt drives
    (LIVE,    GUEST, Inspection(PVH, source=Toolstack.LIBXL, destination=Toolstack.LIBXL), []),
    (LIVE,    GUEST, Inspection(PVH, source=Toolstack.XEND, destination=Toolstack.XEND),
     [("toolstack-other", ERROR)] * 2),
    ({},      GUEST, Inspection(PVH, source=Toolstack.LIBXL, destination=Toolstack.LIBXL), []),
    ({"migration": "beta:8002"}, GUEST,
     Inspection(PVH, source=Toolstack.LIBXL, destination=Toolstack.LIBXL), []),
    ({"migration": "XenMigr://beta/"}, GUEST,
     Inspection(PVH, source=Toolstack.LIBXL, destination=Toolstack.XEND),
     [("toolstack-other", ERROR)]),
    ({"migration": "xenmigr:beta"}, GUEST,
     Inspection(PVH, source=Toolstack.XEND, destination=Toolstack.XEND), []),
    # xl and xend both read what may be written; a plan for xl alone is wrong where xend is
    (DIRECT,  GUEST, Inspection(PVH, source=Toolstack.LIBXL), []),
    (DIRECT,  GUEST, Inspection(PVH, source=Toolstack.XEND), []),
    ({**CURRENT, **DIRECT}, GUEST, Inspection(PVH, source=Toolstack.LIBXL), []),
    ({**CURRENT, **DIRECT}, GUEST, Inspection(PVH, source=Toolstack.XEND),
     [("toolstack-other", ERROR)]),
]

ANSWERED: list[tuple[dict[str, Any], Inspection, dict[str, str]]] = [
    # request, what the source told, what is told of it
    ({},     Inspection(),                       {}),
    (LIVE,   Inspection(PVH), {"guest-kind": "web1 is a PVH guest, which can move live"}),
    (LIVE,   Inspection(PV),  {"guest-kind": "web1 is a PV guest"}),
    (LIVE,   Inspection(source=Toolstack.LIBXL), {}),
    ({},     Inspection(source=Toolstack.XEND),
     {"xend-gone": "libvirt drives xend on alpha, as the plan says"}),
    ({},     Inspection(source=Toolstack.LIBXL),
     {"xend-gone": "libvirt drives libxl on alpha, which does it by its own rules and not by those"
      " of xend that the plan shows: its port is one of 49152-49216, and where the client crashes"
      " the guest stands still on both hosts"}),
    (DIRECT, Inspection(source=Toolstack.XEND),
     {"handed-to-xl": "libvirt drives xend on alpha, and moves the guest by its own call"}),
    (DIRECT, Inspection(source=Toolstack.LIBXL),
     {"handed-to-xl": "libvirt drives libxl on alpha, and refuses unmanaged direct migration: the"
      " driver runs xl migrate web1 beta there, always live"}),
]

RECEIVERS: list[tuple[dict[str, Any], HostFacts | None, Receiver | None]] = [
    # request, the destination, where memory arrives
    (LIVE, THERE, Receiver("beta", 49152, 49216, OWN_NAME)),
    (LIVE, None,  Receiver(None, 49152, 49216, OWN_NAME)),
    (LIVE, THERE._replace(name="localhost.localdomain"),
     Receiver("localhost.localdomain", None, None, "libvirt makes no migration URI of this name")),
    ({**LIVE, "migration": "tcp://10.0.0.2"}, THERE,
     Receiver("10.0.0.2", 49152, 49216, "asked for")),
    ({**LIVE, "migration": "10.0.0.2:8002"}, THERE, Receiver("10.0.0.2", 8002, 8002, "asked for")),
    # by the rules of xend, and carried out by libxl
    ({}, THERE, Receiver("beta", 49152, 49216, OWN_NAME)),
    ({"migration": "beta:8002"}, THERE, Receiver("beta", 8002, 8002, "asked for")),
    ({**LIVE, "p2p": True, "tunnelled": True}, THERE,
     Receiver("beta", None, None, "not used: memory travels inside the libvirt connection")),
    ({"direct": True, "destination": None, "migration": "xenmigr://beta/"}, None,
     Receiver("beta", None, None,
              "xl migrate sends it over its own ssh; xend would take a port of its own")),
]
# fmt: on


@pytest.mark.parametrize(("xml", "definition"), DEFINITIONS)
def test_definition_is_read(xml: str, definition: Definition) -> None:
    assert read_definition(xml) == definition


@pytest.mark.parametrize(("asked", "guest", "inspection", "found"), FOUND)
def test_what_both_hosts_tell_is_judged(
    migrator: Migrator,
    asked: dict[str, Any],
    guest: GuestFacts,
    inspection: Inspection,
    found: Sequence[tuple[str, Severity]],
) -> None:
    plan = _plan(migrator, guest=guest.name, **asked)

    findings = [*judge(plan, Facts(HERE, guest, THERE, None), inspection)]

    assert [(each.id, each.severity) for each in findings] == [*found]
    assert {each.id for each in findings} <= {kind.id for kind in KINDS}
    for each in findings:
        assert each.remedy or each.severity is INFO
        assert each.seen


def test_destination_that_waits_for_one_that_never_came_is_told(migrator: Migrator) -> None:
    resident = GUEST._replace(state=GuestState.SHUTOFF, leftover=AWAITED)

    (found,) = judge(_plan(migrator, **LIVE), Facts(HERE, GUEST, THERE, resident), Inspection(PVH))

    assert (found.id, found.severity, found.host) == ("job-held", ERROR, THERE.name)
    assert found.remedy == f"on {THERE.name}: systemctl restart libvirtd (guests run on)"


@pytest.mark.parametrize(("asked", "inspection", "told"), ANSWERED)
def test_source_answers_what_the_plan_could_only_suppose(
    migrator: Migrator, asked: dict[str, Any], inspection: Inspection, told: dict[str, str]
) -> None:
    plan = _plan(migrator, **asked)

    found = [*answer(plan, Facts(HERE, GUEST, THERE, None), inspection)]

    answers = {each.id: each.text for each in found}
    assert answers == told
    if asked:
        assert answers.keys() <= {each.id for each in plan.findings}


@pytest.mark.parametrize(("asked", "there", "receiver"), RECEIVERS)
def test_receiver_is_what_decides_it(
    migrator: Migrator,
    asked: dict[str, Any],
    there: HostFacts | None,
    receiver: Receiver | None,
) -> None:
    facts = Facts(HERE, GUEST, there, None)

    assert find_receiver(_plan(migrator, **asked), facts) == receiver


@pytest.mark.parametrize(
    ("asked", "there", "ids"),
    [
        (LIVE, THERE, []),
        (LIVE, THERE._replace(name="localhost"), ["destination-name-localhost"]),
        ({**LIVE, "migration": "tcp://10.0.0.2"}, THERE._replace(name="localhost"), []),
        (LIVE, THERE._replace(hypervisor="Xen 4.16.0"), ["hypervisor-older"]),
        (LIVE, THERE._replace(hypervisor="QEMU 7.2.0"), ["hypervisor-other"]),
        ({**LIVE, "persistent": True}, THERE._replace(daemon="libvirt 0.7.0"), ["daemon-too-old"]),
        ({**LIVE, "p2p": True}, THERE, ["peer2peer-unknown"]),
        ({**LIVE, "p2p": True, "destination": "xen:///"}, None, ["peer2peer-uri-local"]),
    ],
)
def test_what_lies_between_the_hosts_is_judged(
    migrator: Migrator, asked: dict[str, Any], there: HostFacts | None, ids: list[str]
) -> None:
    plan = _plan(migrator, **asked)

    found = check(plan, Facts(HERE, GUEST, there, None), Access(), Access(), Selection())

    assert [each.id for each in found] == ids


def test_kinds_are_named_once() -> None:
    ids = [kind.id for kind in KINDS]

    assert len({*ids}) == len(ids)
