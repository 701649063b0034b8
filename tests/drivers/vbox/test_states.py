from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from types import MappingProxyType

import pytest

from migrate_plugins import GuestState, Leftover
from migrate_plugins_vbox.machine import Machine
from migrate_plugins_vbox.states import ABSENT, Meaning, Verdict, leftover, meaning, verdict

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
RUNNING, PAUSED, SHUTOFF = GuestState.RUNNING, GuestState.PAUSED, GuestState.SHUTOFF
CRASHED, UNKNOWN = GuestState.CRASHED, GuestState.UNKNOWN
OFF = "it is shut off"
ON, MARKED = (
    "its teleporter is on: the next start would wait for a guest",
    "it is registered only as long as it runs",
)

# fmt: off
MEANINGS = [
    # VirtualBox's word      what it means
    ("running",              Meaning(RUNNING)),
    ("paused",               Meaning(PAUSED)),
    ("poweroff",             Meaning(SHUTOFF)),
    ("saved",                Meaning(SHUTOFF, "saved")),
    ("aborted-saved",        Meaning(SHUTOFF, "saved")),
    ("teleported",           Meaning(SHUTOFF, "teleported")),
    ("aborted",              Meaning(CRASHED, "aborted")),
    ("gurumeditation",       Meaning(CRASHED, "guru meditation")),
    ("teleporting",          Meaning(RUNNING, None, "migration out")),
    ("teleportingpausedvm",  Meaning(PAUSED, "migration", "migration out")),
    ("teleportingin",        Meaning(PAUSED, "migration", "migration in")),
    ("starting",             Meaning(UNKNOWN, "starting")),
    ("stopping",             Meaning(UNKNOWN, "stopping")),
    ("livesnapshotting",     Meaning(UNKNOWN, "livesnapshotting")),
    ("",                     Meaning(UNKNOWN, "")),
]

LEFTOVERS = [
    # state             teleporter  marked  what is left over
    ("running",         False,      False,  None),
    ("running",         True,       False,  Leftover(ON, OFF)),
    ("paused",          False,      True,   Leftover(MARKED, OFF)),
    ("running",         True,       True,   Leftover(f"{ON}, and {MARKED}", OFF)),
    ("poweroff",        False,      False,  None),
    ("poweroff",        True,       False,  Leftover(ON)),
    ("aborted",         False,      True,   Leftover(MARKED)),
    ("teleported",      True,       True,   Leftover(f"{ON}, and {MARKED}")),
    ("teleportingin",   True,       False,  Leftover("it waits for a guest")),
    ("gurumeditation",  True,       True,   Leftover("its process is still there")),
    ("teleporting",     True,       True,   None),
    ("starting",        True,       True,   None),
]

VERDICTS = [
    # source                target            verdict
    ("teleported",          "running",        Verdict.DONE),
    ("teleported",          "paused",         Verdict.DONE),
    # What VirtualBox's server makes of a source that has left, when it was started anew.
    ("poweroff",            "running",        Verdict.DONE),
    ("aborted",             "running",        Verdict.DONE),
    ("gurumeditation",      "running",        Verdict.DONE_STUCK),
    ("running",             "poweroff",       Verdict.STAYED),
    ("running",             "aborted",        Verdict.STAYED),
    ("running",             "teleported",     Verdict.STAYED),
    ("running",             ABSENT,           Verdict.STAYED),
    ("paused",              "poweroff",       Verdict.STAYED),
    ("running",             "teleportingin",  Verdict.STAYED_WAITING),
    ("paused",              "teleportingin",  Verdict.STAYED_WAITING),
    ("gurumeditation",      "poweroff",       Verdict.LOST),
    ("gurumeditation",      "aborted",        Verdict.LOST),
    ("teleporting",         "teleportingin",  Verdict.UNDER_WAY),
    ("teleporting",         "aborted",        Verdict.UNDER_WAY),
    ("teleportingpausedvm", "running",        Verdict.UNDER_WAY),
    ("running",             "running",        Verdict.UNKNOWN),
    ("paused",              "running",        Verdict.UNKNOWN),
    ("teleported",          "poweroff",       Verdict.UNKNOWN),
    ("teleported",          "teleportingin",  Verdict.UNKNOWN),
    ("gurumeditation",      "teleportingin",  Verdict.UNKNOWN),
    ("stopping",            "poweroff",       Verdict.UNKNOWN),
    ("running",             "saved",          Verdict.UNKNOWN),
    (ABSENT,                "running",        Verdict.UNKNOWN),
    ("",                    "",               Verdict.UNKNOWN),
]
# fmt: on

WORDS = [*(word for word, _ in MEANINGS), ABSENT]
ALIVE = {"running", "paused"}


def machine(state: str, *, teleporter: bool = False, marked: bool = False, ago: int = 0) -> Machine:
    return Machine(
        name="web1",
        uuid="6f2e9d4c-0d5f-4d0f-8d35-0a4b6d6f3f11",
        state=state,
        changed=NOW - timedelta(seconds=ago),
        settings_file="/home/vbox/web1/web1.vbox",
        memory=16,
        snapshots=(),
        disks=(),
        teleporter=teleporter,
        teleporter_port=0,
        teleporter_address="",
        values=MappingProxyType({}),
        marked=marked,
        asked=NOW,
    )


@pytest.mark.parametrize(("state", "means"), MEANINGS)
def test_meaning(state: str, means: Meaning) -> None:
    assert meaning(machine(state)) == means


@pytest.mark.parametrize(("ago", "stuck"), [(0, False), (30, False), (31, True), (4000, True)])
def test_machine_that_stops_for_long_is_stuck(ago: int, stuck: bool) -> None:
    stopping = machine("stopping", marked=True, ago=ago)

    assert (meaning(stopping) == Meaning(CRASHED, "stuck while stopping")) is stuck
    assert (leftover(stopping) == Leftover("its process is still there")) is stuck


def test_machine_that_tells_no_time_is_not_stuck() -> None:
    stopping = machine("stopping", ago=100)

    assert meaning(stopping._replace(changed=None)).state is UNKNOWN
    assert meaning(stopping._replace(asked=None)).state is UNKNOWN


@pytest.mark.parametrize(("state", "teleporter", "marked", "left"), LEFTOVERS)
def test_leftover(state: str, teleporter: bool, marked: bool, left: Leftover | None) -> None:
    assert leftover(machine(state, teleporter=teleporter, marked=marked)) == left


@pytest.mark.parametrize(("source", "target", "told"), VERDICTS)
def test_verdict(source: str, target: str, told: Verdict) -> None:
    assert verdict(source, target) is told


@pytest.mark.parametrize(("source", "target"), [*product(WORDS, WORDS)])
def test_no_verdict_lets_a_guest_be_lost_or_doubled(source: str, target: str) -> None:
    """What is done for a verdict ends the target, or unregisters the source: never the last one."""
    told = verdict(source, target)

    if told in {Verdict.STAYED, Verdict.STAYED_WAITING}:
        assert source in ALIVE
        assert target not in ALIVE
    if told in {Verdict.DONE, Verdict.DONE_STUCK}:
        assert target in ALIVE
        assert source not in ALIVE
