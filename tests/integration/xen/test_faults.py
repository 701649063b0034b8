"""What libxl gets wrong, on real Xen: the verdict is the truth each time, and the guest whole."""

from __future__ import annotations

from threading import Timer
from typing import TYPE_CHECKING

import pytest
from xen.pair import alive

from migrate_plugins import DriverError, Verdict

if TYPE_CHECKING:
    from typing import Any

    from xen.pair import Pair

    from migrate_plugins import Outcome

pytestmark = pytest.mark.long

# Memory that a guest writes over all the time, so that its transfer takes some seconds.
_DIRTY = 48
_RATE = "40mbit"
# No host has this address, so that the destination cannot listen there.
_NOBODYS = "tcp://10.78.0.99:49300"
_ACCEPTED = {"destination-name-elsewhere": "to see what libxl makes of it"}


def _stayed(outcome: Outcome, pair: Pair) -> DriverError:
    """Make sure that the guest is where it was, and there alone; give the error."""
    assert outcome.verdict is Verdict.FAILED
    assert pair.where("web1") == ["alpha"]
    assert isinstance(outcome.error, DriverError)
    return outcome.error


def test_managed_migration_that_cannot_be_prepared_leaves_a_job_that_is_told(pair: Pair) -> None:
    guest = pair.lab.guest("web1")

    plan = pair.plan("web1", migration=_NOBODYS)
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

    plan = pair.plan("web1", p2p=True, destination=pair.beta.peer_uri, migration=_NOBODYS)
    outcome = pair.migrator.run(plan, accept=_ACCEPTED)

    _stayed(outcome, pair)
    alive(guest)
    # libvirt says that it is paused; Xen knows better, and is believed.
    assert outcome.source is not None
    assert str(outcome.source.state) == "running"
    pair.run("web1", p2p=True, migration=pair.beta.peer_uri).raise_for_failure()
    alive(guest)


@pytest.mark.parametrize("flow", ["managed", "peer-to-peer"])
def test_destination_host_that_dies_in_mid_transfer_leaves_the_guest_at_home(
    pair: Pair, flow: str
) -> None:
    guest = pair.lab.guest("web1", dirty=_DIRTY)
    pair.lab.fault("alpha", "bandwidth", _RATE)
    given: dict[str, Any] = (
        {"p2p": True, "migration": pair.beta.peer_uri} if flow == "peer-to-peer" else {}
    )

    run = pair.migrator.start(pair.plan("web1", **given, options=("timeout=240",)))
    kill = Timer(12, pair.lab.fault, ("beta", "kill-host"))
    kill.start()
    outcome = run.outcome()
    kill.join()

    assert outcome.verdict in {Verdict.FAILED, Verdict.UNKNOWN}
    alive(guest)
    alpha = pair.alpha.run(["xl", "list"])
    assert "web1" in alpha
