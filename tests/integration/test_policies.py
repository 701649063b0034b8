"""The two policies on real hosts, as config.toml switches them on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import BlockedError, Config, Migrator, NamedHost, PlanError, Verdict

if TYPE_CHECKING:
    from migrate_plugins_lab.lab import Lab


def _migrator(hosts: Lab, **policies: dict[str, Any]) -> Migrator:
    named = {
        host.name: NamedHost(host.name, host.uri, None, (host.address,)) for host in hosts.hosts
    }
    return Migrator.installed(Config("/c.toml", exists=True, hosts=named, policies=policies))


def test_memory_travels_on_the_network_that_the_site_keeps_for_it(
    hosts: Lab, calls: list[str]
) -> None:
    alpha, beta = hosts.hosts
    network = f"{beta.address.rpartition('.')[0]}.0/24"
    guest = hosts.guest("web1")
    guest.wait_for_ticks()
    migrator = _migrator(hosts, **{"migration-network": {"networks": [network]}})

    plan = migrator.plan("web1", source=alpha.uri, destination=beta.uri, live=True)
    outcome = migrator.run(plan)

    assert plan.uris.migration.value == f"tcp://{beta.address}"
    assert "policy migration-network" in plan.uris.migration.because
    outcome.raise_for_failure()
    assert outcome.verdict is Verdict.DONE
    assert calls == ["migrate3"]
    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()


def test_memory_that_nobody_encrypts_stays_where_it_is(hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    guest.wait_for_ticks()
    strict = _migrator(hosts, **{"require-encryption": {}})
    elsewhere = Migrator.installed(Config()).plan(
        "web1", source=alpha.uri, destination=beta.uri, live=True
    )

    with pytest.raises(PlanError, match="policy require-encryption"):
        strict.plan("web1", source=alpha.uri, destination=beta.uri, live=True)
    # A plan that was made without the policy does not get past it either.
    with pytest.raises(BlockedError) as caught:
        strict.run(elsewhere, accept={"encryption-required": "it is only a test"})

    assert [finding.id for finding in caught.value.findings] == ["encryption-required"]
    assert beta.virsh("list", "--name").split() == []
    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()
