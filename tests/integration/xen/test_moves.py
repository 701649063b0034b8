"""Every way to move a guest between two real Xen hosts: it ticks on, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xen.pair import LIBXL_PORTS, alive

from migrate_plugins import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
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
@pytest.mark.parametrize(
    ("form", "ports"),
    [
        (None, LIBXL_PORTS),
        ("tcp://{0}", LIBXL_PORTS),
        ("tcp://{0}:49300", [49300]),
        ("{0}", LIBXL_PORTS),
        ("{0}:8002", [8002]),
    ],
)
def test_each_form_of_a_migration_uri_names_the_port(
    pair: Pair, form: str | None, ports: Sequence[int]
) -> None:
    guest = pair.lab.guest("web1")

    run = pair.migrator.start(pair.plan("web1", migration=form and form.format(pair.beta.address)))
    pair.wait_until_sending("web1")
    (used,) = pair.ports()
    run.outcome().raise_for_failure()

    assert used in ports
    assert pair.where("web1") == ["beta"]
    alive(guest)


@pytest.mark.long
@pytest.mark.parametrize("named", [(49300, 49301), None], ids=["named", "chosen"])
def test_two_move_at_once_each_over_a_port_of_its_own(
    pair: Pair, named: tuple[int, int] | None
) -> None:
    names = ("web1", "web2")
    guests = [pair.lab.guest(name) for name in names]
    pair.slow_down()

    uris = [f"tcp://{pair.beta.address}:{port}" for port in named] if named else [None, None]
    plans = [pair.plan(name, migration=uri) for name, uri in zip(names, uris, strict=True)]
    runs = [pair.migrator.start(plan) for plan in plans]
    # While both are sent.
    pair.wait_until_sending(*names)
    used = pair.ports()
    outcomes = [run.outcome() for run in runs]

    assert [outcome.verdict for outcome in outcomes] == [Verdict.DONE, Verdict.DONE]
    assert len(used) == len(names)
    assert used <= {*(named or LIBXL_PORTS)}
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
    guest = pair.pv_guest("web1")

    outcome = pair.run("web1", live=False)
    outcome.raise_for_failure()

    assert pair.where("web1") == ["beta"]
    pair.listen("web1", pair.beta)
    alive(guest)
