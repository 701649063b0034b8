"""What both hosts answer, compared: one host or two, whose name, uuid and configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import Before, Facts, GuestFacts, GuestState, HostFacts, Mend, Mender, Severity
from migrate_plugins.checks.hosts import compare
from migrate_plugins.testing import MemoryDriver, MemoryHosts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Migrator, Plan

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
RUNNING, SHUTOFF = GuestState.RUNNING, GuestState.SHUTOFF
ALPHA = HostFacts("alpha", "a", "QEMU 7.2.0", "libvirt 9.0.0")
BETA = HostFacts("beta", "b", "QEMU 7.2.0", "libvirt 9.0.0")
GUEST = GuestFacts("web1", "u1", RUNNING, persistent=True, memory=1024)
OLD = GUEST._replace(state=SHUTOFF)


class Knows:
    """Test double: a session with a destination that knows one more guest."""

    def __init__(self, guest: GuestFacts) -> None:
        self._guest = guest

    def guest_by_uuid(self, uuid: str) -> GuestFacts | None:
        return self._guest if self._guest.uuid == uuid else None


KEPT = "it stays as it is, and is what the guest starts as next"

# fmt: off
HOSTS: list[tuple[HostFacts, HostFacts, Sequence[tuple[str, str | None, bool]]]] = [
    # source                     destination               what is found: id, seen, may be accepted
    (ALPHA,                      BETA,                     []),
    (ALPHA,                      ALPHA,                    [("same-host", "a", False)]),
    (ALPHA,                      BETA._replace(uuid="a"),  [("same-host-uuid", "a", False)]),
    (ALPHA,                      BETA._replace(name="alpha"), [("same-host-name", "alpha", True)]),
    (ALPHA._replace(uuid=None),  BETA._replace(uuid=None), []),
    (ALPHA._replace(uuid=None),  ALPHA._replace(uuid=None), [("same-host-name", "alpha", True)]),
    (ALPHA._replace(name=""),    BETA._replace(name=""),   []),
    (ALPHA._replace(inventory="1"), BETA._replace(name="alpha", inventory="2"), []),
    (ALPHA._replace(inventory="1"), BETA._replace(name="alpha"),
     [("same-host-name", "alpha", True)]),
]

# Options, the guest that the destination has, another one that it has, and what is found.
RESIDENTS: list[tuple[dict[str, Any], GuestFacts, GuestFacts | None,
                      Sequence[tuple[str, Severity]]]] = [
    ({}, OLD, None, [("stale-configuration", WARNING)]),
    ({"persistent": True}, OLD, None, [("stale-configuration", INFO)]),
    ({}, OLD._replace(persistent=False), None, []),
    ({"dname": "web2"}, OLD, None, [("uuid-taken", ERROR)]),
    ({"dname": "web2"}, OLD._replace(name="web2"), None, [("stale-configuration", WARNING)]),
    ({}, GUEST, None, [("already-there", ERROR)]),
    ({}, OLD._replace(uuid="u2"), None, [("name-taken", ERROR)]),
    ({}, OLD._replace(uuid="u2"), OLD._replace(name="web9"),
     [("name-taken", ERROR), ("uuid-taken", ERROR)]),
    ({}, OLD._replace(uuid="u2"), GUEST._replace(name="web9"),
     [("name-taken", ERROR), ("already-there", ERROR)]),
]

FATES = [
    # options, revision, whether the guest here is persistent, the old configuration's fate
    ({"persistent": True}, "original", True,  "it is replaced"),
    ({},                   "original", True,  KEPT),
    ({},                   "original", False, "the document expects it to go"),
    ({},                   "current",  False, KEPT),
]
# fmt: on


def _plan(migrator: Migrator, before: Before | None = None, **asked: Any) -> Plan:  # noqa: ANN401 - Request types them
    given = {"source": "qemu:///system", "destination": "qemu+ssh://b/system", "live": True}
    plan = migrator.plan("web1", **{**given, **asked})
    return plan._replace(before=before)


@pytest.mark.parametrize(("source", "destination", "found"), HOSTS)
def test_two_hosts_are_two(
    migrator: Migrator,
    source: HostFacts,
    destination: HostFacts,
    found: Sequence[tuple[str, str | None, bool]],
) -> None:
    findings = compare(_plan(migrator), Facts(source, GUEST, destination, None), None, None)

    assert [(each.id, each.seen, each.acceptable) for each in findings] == found


def test_remedy_for_one_uuid_names_where_libvirt_keeps_it(migrator: Migrator) -> None:
    facts = Facts(ALPHA, GUEST, BETA._replace(uuid="a"), None)

    (finding,) = compare(_plan(migrator), facts, None, None)

    assert "host_uuid in libvirtd.conf" in (finding.remedy or "")


def test_guest_that_is_busy_is_told_with_the_drivers_own_command(migrator: Migrator) -> None:
    hosts = MemoryHosts()
    session = MemoryDriver(hosts=hosts).migrate_connect("memory://alpha/")
    facts = Facts(ALPHA, GUEST._replace(job="migration out"), BETA, None)

    (finding,) = compare(_plan(migrator), facts, session, None)
    (unknown,) = compare(_plan(migrator), facts, None, None)

    assert isinstance(session, Mender)
    assert finding.remedy == session.mend_command(Mend.ABORT, GUEST)
    assert unknown.remedy is None


@pytest.mark.parametrize(("asked", "resident", "other", "found"), RESIDENTS)
def test_guests_on_the_destination_are_all_named(
    migrator: Migrator,
    asked: dict[str, Any],
    resident: GuestFacts,
    other: GuestFacts | None,
    found: Sequence[tuple[str, Severity]],
) -> None:
    session: Any = None if other is None else Knows(other)

    findings = compare(_plan(migrator, **asked), Facts(ALPHA, GUEST, BETA, resident), None, session)

    assert [(each.id, each.severity) for each in findings] == found


@pytest.mark.parametrize(("asked", "revision", "persistent", "fate"), FATES)
def test_fate_of_an_old_configuration_follows_the_table(
    migrator: Migrator, asked: dict[str, Any], revision: str, *, persistent: bool, fate: str
) -> None:
    before = Before(persistent, persistent, destination_config=True)
    plan = _plan(migrator, before, revision=revision, **asked)
    guest = GUEST._replace(persistent=persistent)

    (finding,) = compare(plan, Facts(ALPHA, guest, BETA, OLD), None, None)

    assert finding.text == f"beta has an old configuration of web1: {fate}"
