"""Every way to move a guest between two real Xen hosts: it ticks on, and nowhere else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from xen.pair import alive

from migrate_plugins import Verdict

if TYPE_CHECKING:
    from typing import Any

    from xen.pair import Pair


def test_managed_migration_goes_there_and_back(pair: Pair) -> None:
    guest = pair.lab.guest("web1")

    there = pair.run("web1")
    there.raise_for_failure()

    assert there.verdict is Verdict.DONE
    assert there.plan.scenario.id == "native-direct"
    assert pair.where("web1") == ["beta"]
    alive(guest)

    back = pair.run("web1", back=True)
    back.raise_for_failure()

    assert pair.where("web1") == ["alpha"]
    alive(guest)


def test_peer_to_peer_migration_moves_it(pair: Pair) -> None:
    guest = pair.lab.guest("web1")

    outcome = pair.run("web1", p2p=True, migration=pair.beta.peer_uri)
    outcome.raise_for_failure()

    assert outcome.verdict is Verdict.DONE
    assert outcome.plan.scenario.id == "native-p2p"
    assert pair.where("web1") == ["beta"]
    alive(guest)


@pytest.mark.long
def test_tunnelled_migration_moves_it(pair: Pair) -> None:
    guest = pair.lab.guest("web1")

    outcome = pair.run("web1", p2p=True, tunnelled=True, migration=pair.beta.peer_uri)
    outcome.raise_for_failure()

    assert outcome.verdict is Verdict.DONE
    assert outcome.plan.scenario.id == "tunnelled-p2p"
    assert pair.where("web1") == ["beta"]
    alive(guest)


@pytest.mark.long
@pytest.mark.parametrize("tunnelled", [False, True], ids=["native", "tunnelled"])
def test_peer_to_peer_migration_moves_it_the_other_way(pair: Pair, tunnelled: bool) -> None:
    guest = pair.lab.guest("web1", host="beta")

    outcome = pair.run(
        "web1", back=True, p2p=True, tunnelled=tunnelled, migration=pair.alpha.peer_uri
    )
    outcome.raise_for_failure()

    assert pair.where("web1") == ["alpha"]
    alive(guest)


@pytest.mark.long
@pytest.mark.parametrize("form", ["tcp://{0}", "tcp://{0}:49300", "{0}", "{0}:8002"])
def test_each_form_of_a_migration_uri_is_understood(pair: Pair, form: str) -> None:
    guest = pair.lab.guest("web1")

    outcome = pair.run("web1", migration=form.format(pair.beta.address))
    outcome.raise_for_failure()

    assert pair.where("web1") == ["beta"]
    alive(guest)


@pytest.mark.long
def test_two_move_at_once_each_over_a_port_of_its_own(pair: Pair) -> None:
    names = ("web1", "web2")
    guests = [pair.lab.guest(name) for name in names]

    with ThreadPoolExecutor(len(names)) as workers:
        outcomes = list(
            workers.map(
                lambda name, port: pair.run(name, migration=f"tcp://{pair.beta.address}:{port}"),
                names,
                (49300, 49301),
            )
        )

    assert [outcome.verdict for outcome in outcomes] == [Verdict.DONE, Verdict.DONE]
    for name, guest in zip(names, guests, strict=True):
        assert pair.where(name) == ["beta"]
        alive(guest)


@pytest.mark.long
@pytest.mark.parametrize("options", [{}, {"p2p": True}], ids=["managed", "peer-to-peer"])
def test_guest_is_renamed_on_the_way(pair: Pair, options: dict[str, Any]) -> None:
    guest = pair.lab.guest("web1")
    given = {**options, "migration": pair.beta.peer_uri} if options else {}

    outcome = pair.run("web1", dname="shop1", **given)
    outcome.raise_for_failure()

    assert (pair.where("web1"), pair.where("shop1")) == ([], ["beta"])
    alive(guest)


@pytest.mark.long
def test_persistent_guest_takes_its_configuration_along(pair: Pair) -> None:
    guest = pair.lab.guest("web1", persistent=True)

    outcome = pair.run("web1", persistent=True, undefine_source=True)
    outcome.raise_for_failure()

    assert outcome.destination is not None
    assert outcome.destination.persistent
    assert "web1" not in pair.alpha.virsh("list", "--all", "--name").split()
    alive(guest)


@pytest.mark.long
def test_pv_guest_moves_while_it_stands_still(pair: Pair) -> None:
    pair.pv_guest("web1")

    outcome = pair.run("web1", live=False)
    outcome.raise_for_failure()

    assert pair.where("web1") == ["beta"]
    assert pair.pv_ticks("web1", pair.beta).count("lab web1.") >= 2
