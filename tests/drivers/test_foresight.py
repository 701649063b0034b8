"""What the drivers say of a plan, from their facts; by table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import EntryPoint, Finding, FindingKind, Migrator, Severity, hookimpl
from migrate_plugins.installed import DRIVERS, PLUGINS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from migrate_plugins import Plan

# What the core says of any plan; the rest is the driver's.
CORE = {
    "control-plain-text",
    "data-plain-text",
    "guest-paused-meanwhile",
    "host-in-path",
    "revisions-disagree",
}
ALWAYS = ["encryption-up-to-guest"]
VPX = "vpx://vc/DC/C/h1"
VBOX = ["configuration-registered", "password-replayable", "teleporter-stays-on"]

# fmt: off
PLANS: list[tuple[str, str | None, dict[str, Any], Sequence[str]]] = [
    # source, destination, further options, what the driver finds
    ("xen:///", "xen+ssh://b/", {}, ["xend-gone", "no-abort", "job-left-behind"]),
    ("xen:///", "xen+ssh://b/", {"live": True},
     ["xend-gone", "guest-kind", "no-abort", "job-left-behind"]),
    ("xen:///", None, {"direct": True, "migration": "xenmigr://b/"},
     ["handed-to-xl", "libvirt-loses-sight", "guest-kind"]),
    ("xen:///", "xen+ssh://b/", {"revision": "current"}, ["no-abort", "job-left-behind"]),
    ("xen:///", "xen+ssh://b/", {"revision": "current", "live": True},
     ["guest-kind", "no-abort", "job-left-behind"]),
    ("xen:///", "xen+ssh://b/", {"revision": "current", "p2p": True},
     ["no-abort", "state-misreported"]),

    (VPX, "vpx://vc/DC/C/h2", {}, ALWAYS),
    (VPX, "vpx://VC/DC/C/h2", {}, ALWAYS),
    (VPX, "vpx://vc/DC/D/h2", {}, ["cluster-changes", *ALWAYS]),
    (VPX, "vpx://vc/DC/h2",   {}, ["cluster-changes", *ALWAYS]),
    (VPX, "vpx://vc/DD/C/h2", {}, ["datacenter-changes", "cluster-changes", *ALWAYS]),
    (VPX, "vpx://vd/DC/C/h2", {}, ["vcenter-other", *ALWAYS]),
    (VPX, "vpx://vc/DC/D/h2", {"options": ("resource-pool=web",)}, ALWAYS),
    (VPX, "vpx://vc/DC/D/h2", {"migration": "vpxmigr://192.0.2.7/resgroup-1/host-2"}, ALWAYS),
    (VPX, "vpx://vc/DD/C/h2", {"options": ("folder=web", "resource-pool=web")}, ALWAYS),
    (VPX, "vpx://vc:443/DC/C/h2", {}, ALWAYS),
    (VPX, "vpx://vc:8443/DC/C/h2", {}, ["vcenter-other", *ALWAYS]),
    (VPX, "vpx://vd/DC/C/h2", {"migration": "vpxmigr://192.0.2.7/resgroup-1/host-2"},
     ["vcenter-other", *ALWAYS]),
    # With folders in the path nobody can tell what is what.
    (VPX, "vpx://vc/folder/DC/C/h2", {}, ALWAYS),
    (f"{VPX}?no_verify=1", "vpx://vc/DC/C/h2?no_verify=1", {},
     ["certificate-not-verified", "certificate-not-verified", *ALWAYS]),
    (f"{VPX}?no_verify=0", "vpx://vc/DC/C/h2", {}, ALWAYS),
    ("esx://h1", "esx://h2", {}, ["vcenter-missing", "vcenter-missing", *ALWAYS]),
    ("esx://h1?vcenter=*", "esx://h2?vcenter=vc", {}, ALWAYS),
    ("esx://h1?vcenter=va", "esx://h2?vcenter=vb", {}, ["vcenter-other", *ALWAYS]),
    ("gsx://h1", "esx://h2?vcenter=*", {}, ["vcenter-missing", *ALWAYS]),
    (VPX, "vpx://vc/DC/C/h2", {"migration": "vpxmigr://192.0.2.7/resgroup-1/host-2"}, ALWAYS),
    (VPX, "vpx://vc/DC/C/h2", {"migration": "vpxmigr://vc/resgroup-1/host-2"},
     ["vcenter-name", *ALWAYS]),

    ("vbox:///session", "vbox+ssh://b/session", {}, VBOX),
    ("vbox:///session", "vbox+ssh://b/session", {"persistent": True}, VBOX),
    ("vbox:///session", "vbox+ssh://b/session", {"migration": "vboxmigr://127.0.0.1:49300/"},
     ["configuration-registered", "tunnel-needed", "teleporter-stays-on"]),
]
# fmt: on


@pytest.mark.parametrize(("source", "destination", "asked", "found"), PLANS)
def test_plan_shows(
    migrator: Migrator,
    source: str,
    destination: str | None,
    asked: dict[str, Any],
    found: Sequence[str],
) -> None:
    plan = migrator.plan("web1", source=source, destination=destination, **asked)

    own = [finding for finding in plan.findings if finding.id not in CORE]

    assert [finding.id for finding in own] == found
    assert all(finding.remedy for finding in own)


class Gloomy:
    """Foresees the worst for every plan; the driver of the plan opens no session."""

    @hookimpl
    def migrate_foresee(self, plan: Plan) -> Sequence[Finding]:
        return [
            Finding("gloom", Severity.ERROR, plan.guest, "it ends badly", remedy="stay at home")
        ]

    @hookimpl
    def migrate_finding_kinds(self) -> Sequence[FindingKind]:
        return [FindingKind("gloom", Severity.ERROR, "nothing may move")]


def test_error_of_a_plan_blocks_its_check(plan_only: ModuleType) -> None:
    xen = EntryPoint(DRIVERS, "xen", "xen", "migrate-plugins-xen", "0.1.0", "tests")
    gloomy = EntryPoint(PLUGINS, "gloomy", "test_foresight:Gloomy", "gloomy", "0.1.0", "tests")
    migrator = Migrator([(xen, plan_only), (gloomy, Gloomy())])
    plan = migrator.plan("web1", source="xen:///", destination="xen+ssh://b/")

    assert migrator.check(plan).blocked
    assert not migrator.check(plan, accept={"gloom": "a test"}).blocked


def test_another_vcenter_cannot_be_in_a_migration_uri(migrator: Migrator) -> None:
    asked: dict[str, Any] = {"source": VPX, "destination": "vpx://vd/DC/C/h2"}
    uri = "vpxmigr://192.0.2.7/resgroup-1/host-2"

    without, given = migrator.plan("web1", **asked), migrator.plan("web1", **asked, migration=uri)

    found = [
        finding
        for plan in (without, given)
        for finding in plan.findings
        if finding.id == "vcenter-other"
    ]
    assert [each.severity for each in found] == [Severity.WARNING, Severity.ERROR]
    assert not found[1].acceptable


def test_driver_says_nothing_of_anothers_plan(migrator: Migrator) -> None:
    plan = migrator.plan("web1", source="qemu:///system", destination="qemu+ssh://b/system")

    assert {finding.id for finding in plan.findings} <= CORE
