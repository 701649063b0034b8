"""What libvirt alone lets be known and done, where no program can be run on the hosts."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

import pytest
from xen.pair import NOBODYS, Pair, alive

from migrate_plugins import BlockedError, GuestState, Phase, Verdict

if TYPE_CHECKING:
    from typing import Any

    from migrate_plugins import Run
    from migrate_plugins_lab.lab import Lab

pytestmark = pytest.mark.long

# What a plan must be told to accept, for a failure to be seen.
_ACCEPTED = {"destination-name-elsewhere": "to see what libxl makes of it"}


@pytest.fixture
def blind(xen_hosts: Lab) -> Pair:
    """The same hosts, for a migrator that has no way to run programs on them."""
    return Pair.of(xen_hosts, shells=False)


def _begun(pair: Pair, **options: Any) -> Run:  # noqa: ANN401 - of many kinds
    run = pair.migrator.start(pair.plan("web1", **options))
    pair.wait_until_sending("web1")
    return run


def test_xl_is_refused(blind: Pair) -> None:
    guest = blind.lab.guest("web1")

    with pytest.raises(BlockedError) as caught:
        blind.run("web1", direct=True, migration="beta")

    assert [finding.id for finding in caught.value.findings] == ["xl-no-shell"]
    alive(guest)


def test_managed_move_that_cannot_be_prepared_has_failed(blind: Pair) -> None:
    guest = blind.lab.guest("web1")

    outcome = blind.migrator.run(blind.plan("web1", migration=NOBODYS), accept=_ACCEPTED)

    assert outcome.verdict is Verdict.FAILED
    assert outcome.source is not None
    assert outcome.source.leftover is not None
    assert blind.where("web1") == ["alpha"]
    alive(guest)
    # Another process cannot know that the job which it sees is over.
    with pytest.raises(BlockedError):
        Pair.of(blind.lab, shells=False).run("web1")


def test_peer_to_peer_move_that_cannot_be_prepared_has_failed(blind: Pair) -> None:
    guest = blind.lab.guest("web1")

    plan = blind.plan("web1", p2p=True, destination=blind.beta.peer_uri, migration=NOBODYS)
    outcome = blind.migrator.run(plan, accept=_ACCEPTED)

    assert outcome.verdict is Verdict.FAILED
    assert outcome.source is not None
    assert outcome.source.state is GuestState.RUNNING
    assert blind.where("web1") == ["alpha"]
    alive(guest)


def test_managed_move_that_is_cancelled_goes_on_to_its_end(blind: Pair) -> None:
    guest = blind.slow_guest("web1")
    run = _begun(blind)

    run.cancel()
    outcome = run.outcome()

    # The guest would stand still on both hosts, were it left alone.
    assert outcome.verdict is Verdict.DONE
    assert blind.where("web1") == ["beta"]
    alive(guest)


def test_peer_to_peer_move_that_takes_too_long_is_no_longer_waited_for(blind: Pair) -> None:
    guest = blind.slow_guest("web1")
    began = monotonic()

    run = _begun(blind, p2p=True, migration=blind.beta.peer_uri, options=("timeout=15",))
    outcome = run.outcome()

    assert run.phase is not Phase.TRANSFER
    assert monotonic() - began < 60  # less than the move takes
    assert outcome.verdict is Verdict.UNKNOWN
    alive(guest)
