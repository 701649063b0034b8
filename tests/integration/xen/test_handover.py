"""Unmanaged direct on real Xen: libvirt refuses it, and Xen's own management does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xen.pair import alive

from migrate_plugins import Verdict

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
