"""What libxl gets wrong, on real Xen: the verdict is the truth each time, and the guest whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xen.pair import NOBODYS, alive

from migrate_plugins import DriverError, GuestState, Phase, Statistics, Verdict

if TYPE_CHECKING:
    from typing import Any

    from xen.pair import Pair

    from migrate_plugins import Event, Outcome

pytestmark = pytest.mark.long

_ACCEPTED = {"destination-name-elsewhere": "to see what libxl makes of it"}


def _stayed(outcome: Outcome, pair: Pair) -> DriverError:
    """Make sure that the guest is where it was, and there alone; give the error."""
    assert outcome.verdict is Verdict.FAILED
    assert pair.where("web1") == ["alpha"]
    assert isinstance(outcome.error, DriverError)
    return outcome.error


def test_managed_migration_that_cannot_be_prepared_leaves_a_job_that_is_told(pair: Pair) -> None:
    guest = pair.lab.guest("web1")

    plan = pair.plan("web1", migration=NOBODYS)
    outcome = pair.migrator.run(plan, accept=_ACCEPTED)

    _stayed(outcome, pair)
    alive(guest)
    assert outcome.diagnoses
    # The next one is not begun: it would wait in vain for the job of the first.
    report = pair.check("web1")
    assert "job-held" in [finding.id for finding in report.findings]
    (remedy,) = [found.remedy for found in report.findings if found.id == "job-held"]
    assert remedy is not None
    assert "restart" in remedy
    pair.lab.fault("alpha", "kill-daemon")
    pair.lab.fault("alpha", "heal")
    pair.run("web1").raise_for_failure()
    alive(guest)


def test_peer_to_peer_migration_that_fails_leaves_a_guest_that_runs(pair: Pair) -> None:
    guest = pair.lab.guest("web1")

    plan = pair.plan("web1", p2p=True, destination=pair.beta.peer_uri, migration=NOBODYS)
    outcome = pair.migrator.run(plan, accept=_ACCEPTED)

    _stayed(outcome, pair)
    alive(guest)
    # libvirt says that it is paused; Xen knows better, and is believed.
    assert outcome.source is not None
    assert str(outcome.source.state) == "running"
    pair.run("web1", p2p=True, migration=pair.beta.peer_uri).raise_for_failure()
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
