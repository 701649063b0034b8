"""What libxl gets wrong, on real Xen: the verdict is the truth each time, and the guest whole."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

import libvirt
import pytest
from xen.pair import NOBODYS, alive
from xen.tool import Tool
from xen.tool import outcome as outcome_of

from migrate_plugins import (
    DriverError,
    ExitCode,
    GuestState,
    Phase,
    Severity,
    Statistics,
    Verdict,
)

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from xen.pair import Pair

    from migrate_plugins import Event, Outcome

pytestmark = pytest.mark.long

# What a plan must be told to accept, for a failure to be seen.
_REFUSED = ("--migrateuri", NOBODYS, "--accept", "destination-name-elsewhere=to see it fail")


def _stayed(outcome: Outcome, pair: Pair) -> DriverError:
    """Make sure that the guest is where it was, and there alone; give the error."""
    assert outcome.verdict is Verdict.FAILED
    assert pair.where("web1") == ["alpha"]
    assert isinstance(outcome.error, DriverError)
    return outcome.error


@pytest.fixture
def tool(pair: Pair, tmp_path: Path) -> Tool:
    """The command, with a shell on each host."""
    made = Tool(pair, tmp_path)
    made.configure(shells=True)
    return made


def test_managed_migration_that_cannot_be_prepared_leaves_a_job_until_libvirtd_is_restarted(
    pair: Pair, tool: Tool
) -> None:
    guest = pair.lab.guest("web1")

    status, told = tool.migrate("managed", *_REFUSED)

    assert (status, told["verdict"]) == (ExitCode.FAILED, "failed")
    assert told["diagnoses"][0]["id"] == "xen-listen"
    assert told["source"]["state"] == "running"
    assert told["source"]["leftover"]["text"].startswith("libvirt holds a job")
    assert pair.where("web1") == ["alpha"]
    # What libvirt is asked to do with the guest waits in vain.
    began = monotonic()
    with pytest.raises(libvirt.libvirtError) as caught:
        libvirt.open(pair.alpha.uri).lookupByName("web1").suspend()
    assert caught.value.get_error_code() == libvirt.VIR_ERR_OPERATION_TIMEOUT
    assert 29 < monotonic() - began < 60
    # So the next migration is not begun.
    (held,) = [each for each in pair.check("web1").findings if each.id == "job-held"]
    assert (held.host, held.severity) == ("alpha", Severity.ERROR)
    assert "systemctl restart libvirtd" in (held.remedy or "")
    # The record stays open, and says until when.
    status, found = tool.reconciled("--apply")
    assert (status, found["state"], found["verdict"]) == (ExitCode.DONE, "work-pending", "failed")
    assert "systemctl restart libvirtd" in found["why"]
    number = str(found["id"])
    assert tool.reconciled("--id", number, "--apply") == (status, found)

    pair.restart_libvirtd(pair.alpha)

    assert tool.reconcile("--id", number, "--apply") == (ExitCode.DONE, "rolled-back")
    assert tool.nothing_in_doubt()
    assert tool.migrate("managed")[1]["verdict"] == "done"
    alive(guest)


def test_peer_to_peer_migration_that_fails_leaves_a_state_that_the_next_one_puts_right(
    pair: Pair, tool: Tool
) -> None:
    guest = pair.lab.guest("web1")

    # The source opens the second URI itself, so that it is given as the source has it.
    words = ("migrate", "web1", pair.beta.peer_uri, "--from", "alpha", "--p2p", "--live")
    status, told = tool.run(*words, "--revision", "current", *_REFUSED)

    assert (status, told["verdict"]) == (ExitCode.FAILED, "failed")
    assert told["diagnoses"][0]["id"] == "xen-listen"
    assert pair.where("web1") == ["alpha"]
    # libvirt says that it is paused; Xen knows better, and is believed.
    assert pair.alpha.virsh("domstate", "web1").strip() == "paused"
    assert told["source"]["state"] == "running"
    assert told["source"]["leftover"]["text"].startswith("libvirt calls the guest paused")
    status, found = tool.reconciled("--apply")
    assert (status, found["state"], found["verdict"]) == (ExitCode.DONE, "work-pending", "failed")
    assert "a migration of it succeeds" in found["why"]
    assert "systemctl restart libvirtd" in found["why"]
    (wrong,) = [each for each in pair.check("web1").findings if each.id == "state-wrong"]
    assert (wrong.host, wrong.severity) == ("alpha", Severity.INFO)

    assert tool.migrate("peer-to-peer")[1]["verdict"] == "done"

    assert pair.where("web1") == ["beta"]
    assert pair.beta.virsh("domstate", "web1").strip() == "running"
    alive(guest)


def test_guest_that_stands_still_fails_after_a_minute_and_can_be_resumed(pair: Pair) -> None:
    guest = pair.lab.guest("web1")
    pair.alpha.virsh("suspend", "web1")

    plan = pair.plan("web1")
    outcome = pair.migrator.run(plan, accept={"guest-cannot-suspend": "to see it fail"})

    error = _stayed(outcome, pair)
    assert "Failed to send migration data" in error.problem
    assert "xen-stream-broke" in [diagnosis.id for diagnosis in outcome.diagnoses]
    assert outcome.source is not None
    assert outcome.source.state is GuestState.PAUSED
    pair.alpha.virsh("resume", "web1")
    alive(guest)


def test_move_tells_that_it_goes_on_and_nothing_that_it_does_not_know(pair: Pair) -> None:
    pair.slow_guest("web1")
    told: list[Event] = []

    pair.migrator.start(pair.plan("web1"), observers=[told.append]).outcome().raise_for_failure()

    during = [each.statistics for each in told if each.phase is Phase.TRANSFER and each.statistics]
    assert len(during) > 1
    assert {*during} == {Statistics()}


@pytest.mark.parametrize("way", ["managed", "peer-to-peer", "xl"])
def test_destination_host_that_dies_in_mid_transfer_leaves_the_guest_at_home(
    pair: Pair, way: str
) -> None:
    guest = pair.slow_guest("web1")
    given: dict[str, Any] = {
        "managed": {},
        "peer-to-peer": {"p2p": True, "migration": pair.beta.peer_uri},
        "xl": {"direct": True, "migration": "beta"},
    }[way]

    run = pair.migrator.start(pair.plan("web1", **given, options=("timeout=90",)))
    pair.wait_until_sending("web1")
    pair.lab.fault("beta", "kill-host")
    outcome = run.outcome()

    assert outcome.verdict is Verdict.FAILED
    alive(guest)
    assert outcome.source is not None
    assert (outcome.source.state, outcome.source.job) == (GuestState.RUNNING, None)
    pair.lab.fault("beta", "heal")
    assert pair.where("web1") == ["alpha"]


@pytest.mark.parametrize("way", ["managed", "peer-to-peer"])
def test_libvirtd_of_the_source_that_dies_in_mid_transfer_leaves_the_guest_at_home(
    pair: Pair, tool: Tool, way: str
) -> None:
    guest = pair.slow_guest("web1")
    process = tool.start(way)

    pair.lab.fault("alpha", "kill-daemon")

    status, told = outcome_of(process)
    assert (status, told["verdict"]) == (ExitCode.NEEDS_PERSON, "unknown")
    assert "lost-source" in [diagnosis["id"] for diagnosis in told["diagnoses"]]
    # Nobody can be asked until it is back.
    assert tool.reconcile() == (ExitCode.CONNECT, "unknown")
    pair.lab.fault("alpha", "heal")
    assert pair.where("web1") == ["alpha"]
    alive(guest)
    status, found = tool.reconciled("--apply")
    assert (status, found["verdict"]) == (ExitCode.DONE, "failed")
    if way == "peer-to-peer":
        # beta was told of nothing, and waits on.
        assert found["state"] == "work-pending"
        assert "libvirtd is restarted there" in found["why"]
        refused = {each.id: each.host for each in pair.check("web1").findings}
        assert refused["job-held"] == "beta"
        pair.restart_libvirtd(pair.beta)
        assert tool.reconcile("--apply") == (ExitCode.DONE, "rolled-back")
    assert tool.nothing_in_doubt()
    assert tool.migrate(way)[1]["verdict"] == "done"
    alive(guest)
