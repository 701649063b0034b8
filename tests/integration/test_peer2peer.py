"""Peer-to-peer: the second URI is read by the source, which need not see what the client sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_plugins import BlockedError, DriverError, Verdict

if TYPE_CHECKING:
    from migrate_plugins import Migrator
    from migrate_plugins_lab.lab import Lab


def test_clients_view_of_the_destination_does_not_serve_the_source(
    migrator: Migrator, hosts: Lab
) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    plan = migrator.plan("web1", source=alpha.uri, destination=beta.uri, p2p=True, live=True)

    with pytest.raises(BlockedError) as caught:
        migrator.run(plan)

    assert [finding.id for finding in caught.value.findings] == ["peer2peer-uri-local"]
    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()


def test_local_uri_is_opened_on_the_sources_own_machine_when_that_is_accepted(
    migrator: Migrator, hosts: Lab
) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    plan = migrator.plan("web1", source=alpha.uri, destination=beta.uri, p2p=True, live=True)
    accept = {"peer2peer-uri-local": "the hosts of a lab share one machine"}

    outcome = migrator.run(plan, accept=accept)

    assert outcome.verdict is Verdict.DONE
    assert [finding.accepted for finding in outcome.findings if finding.accepted] == [
        "the hosts of a lab share one machine"
    ]
    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()


def test_two_views_of_one_destination_work_together(migrator: Migrator, hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    plan = migrator.plan(
        "web1",
        source=alpha.uri,
        destination=beta.uri,
        migration=beta.peer_uri,
        p2p=True,
        live=True,
    )

    outcome = migrator.run(plan)

    outcome.raise_for_failure()
    assert plan.uris.destination.value == beta.peer_uri
    assert plan.uris.destination_from_client.value == beta.uri
    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()


def test_address_that_the_source_cannot_reach_leaves_the_guest_where_it_is(
    migrator: Migrator, hosts: Lab
) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    plan = migrator.plan(
        "web1",
        source=alpha.uri,
        destination=beta.uri,
        migration=f"qemu+tcp://{beta.address}:1/session",
        p2p=True,
        live=True,
    )

    outcome = migrator.run(plan)

    assert outcome.verdict is Verdict.FAILED
    assert isinstance(outcome.error, DriverError)
    assert (outcome.error.code, outcome.error.domain) == (38, 7)
    assert outcome.error.problem == (
        f"unable to connect to server at '{beta.address}:1': Connection refused"
    )
    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()
