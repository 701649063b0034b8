"""Unmanaged direct on real Xen: libvirt refuses it, and Xen's own management does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xen.pair import alive

from migrate_plugins import BlockedError, Verdict

if TYPE_CHECKING:
    from xen.pair import Pair


def test_xl_moves_the_guest_out_of_libvirts_sight(pair: Pair) -> None:
    guest = pair.lab.guest("web1")

    outcome = pair.run("web1", direct=True, migration="beta")
    outcome.raise_for_failure()

    assert outcome.verdict is Verdict.DONE
    assert outcome.plan.scenario.id == "native-unmanaged"
    assert pair.where("web1") == ["beta"]
    for host in (pair.alpha, pair.beta):
        assert "web1" not in host.virsh("list", "--all", "--name").split()
    alive(guest)


@pytest.mark.long
def test_xl_moves_it_back_as_the_document_writes_it(pair: Pair) -> None:
    guest = pair.lab.guest("web1", host="beta")

    outcome = pair.run(
        "web1", back=True, direct=True, revision="original", migration="xenmigr://alpha/"
    )
    outcome.raise_for_failure()

    assert pair.where("web1") == ["alpha"]
    alive(guest)


@pytest.mark.long
def test_definition_stays_on_the_source_shut_off_and_nothing_of_ours_starts_it(pair: Pair) -> None:
    guest = pair.lab.guest("web1", persistent=True)
    pair.alpha.virsh("autostart", "web1")

    pair.run("web1", direct=True, migration="beta").raise_for_failure()

    assert pair.where("web1") == ["beta"]
    # libvirt has it still, and would start it a second time with the host.
    assert pair.alpha.virsh("list", "--all", "--name").split() == ["Domain-0", "web1"]
    told = dict(
        line.split(":", 1) for line in pair.alpha.virsh("dominfo", "web1").splitlines() if line
    )
    assert [told[key].strip() for key in ("State", "Persistent", "Autostart")] == [
        "shut off",
        "yes",
        "enable",
    ]
    assert pair.beta.virsh("list", "--all", "--name").split() == ["Domain-0"]
    # Asked for again, it is refused in each way, and not started.
    for options in ({}, {"direct": True, "migration": "beta"}):
        with pytest.raises(BlockedError) as caught:
            pair.run("web1", **options)
        assert "guest-not-running" in [finding.id for finding in caught.value.findings]
    assert pair.where("web1") == ["beta"]
    alive(guest)
