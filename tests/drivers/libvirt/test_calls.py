"""The call that a plan names is the one that a daemon of today is asked for."""

from __future__ import annotations

import pytest

from migrate_plugins import Migrator, Plan, Revision
from migrate_plugins.cli import main
from migrate_plugins_libvirt.calls import choose_call

ORIGINAL, CURRENT = Revision.ORIGINAL, Revision.CURRENT
_TODAY = 9_000_000

# fmt: off
NAMED = [
    # driver  scenario               original                  current
    ("qemu", "native-direct",        "virDomainMigrate",       "virDomainMigrate3"),
    ("qemu", "native-p2p-client",    "virDomainMigrate",       "virDomainMigrate"),
    ("qemu", "tunnelled-p2p-client", "virDomainMigrate",       "virDomainMigrate"),
    ("qemu", "native-p2p",           "virDomainMigrateToURI",  "virDomainMigrateToURI3"),
    ("qemu", "tunnelled-p2p",        "virDomainMigrateToURI",  "virDomainMigrateToURI3"),
    ("xen",  "native-direct",        "virDomainMigrate",       "virDomainMigrate3"),
    ("xen",  "native-p2p",           None,                     "virDomainMigrateToURI3"),
    ("xen",  "tunnelled-p2p",        None,                     "virDomainMigrateToURI3"),
    ("xen",  "native-unmanaged",     "virDomainMigrateToURI",  "xl migrate"),
]
# fmt: on
PLANNED = [
    (driver, scenario, revision, api)
    for driver, scenario, *apis in NAMED
    for revision, api in zip((ORIGINAL, CURRENT), apis, strict=True)
    if api is not None
]


def _plan(migrator: Migrator, driver: str, scenario: str, revision: Revision) -> Plan:
    unmanaged = scenario == "native-unmanaged"
    return migrator.plan(
        "web1",
        source=f"{driver}:///system",
        destination=None if unmanaged else f"{driver}+ssh://beta/system",
        migration="beta" if unmanaged else None,
        scenario=scenario,
        revision=revision,
    )


@pytest.mark.parametrize(("driver", "scenario", "revision", "api"), PLANNED)
def test_plan_names_what_is_called(
    migrator: Migrator, driver: str, scenario: str, revision: Revision, api: str
) -> None:
    plan = _plan(migrator, driver, scenario, revision)

    assert plan.to_json()["api"] == plan.api == api
    assert ("document" in plan.because["api"]) is (api == plan.scenario.api)
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize(
    ("driver", "scenario"),
    [(driver, scenario) for driver, scenario, *_ in NAMED if scenario != "native-unmanaged"],
)
def test_plan_names_what_the_driver_chooses_today(
    migrator: Migrator, driver: str, scenario: str
) -> None:
    plan = _plan(migrator, driver, scenario, CURRENT)

    method = choose_call(plan, _TODAY, 0).method
    chosen = f"virDomainM{method.removeprefix('m')}"
    # The document's name stands for every variant.
    assert chosen == plan.api or (plan.own_api is None and chosen.startswith(plan.api))


def test_flags_of_libvirt_are_not_told_of_another_program(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = ["plan", "web1", "beta", "--direct", "--live", "-c", "xen:///system", "--revision"]

    main([*asked, "current"])
    today = capsys.readouterr().out
    main([*asked, "original"])
    document = capsys.readouterr().out

    assert "\n      xl migrate\n" in today
    assert "virDomainMigrateToURI" not in today
    assert "virDomainMigrateToURI with VIR_MIGRATE_LIVE" in document
