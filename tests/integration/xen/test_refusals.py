"""What cannot work on real Xen hosts is refused before anything is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xen.pair import alive

from migrate_plugins import BlockedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from xen.pair import Pair


def _refused(pair: Pair, guest: str, **options: Any) -> Mapping[str, str]:  # noqa: ANN401
    """Try to migrate; give the findings that were in the way, each with its remedy."""
    with pytest.raises(BlockedError) as caught:
        pair.run(guest, **options)
    return {finding.id: finding.remedy or "" for finding in caught.value.findings}


def test_paused_guest_is_refused_and_its_remedy_works(pair: Pair) -> None:
    guest = pair.lab.guest("web1")
    pair.alpha.virsh("suspend", "web1")

    refused = _refused(pair, "web1")

    assert list(refused) == ["guest-cannot-suspend"]
    assert refused["guest-cannot-suspend"].endswith("resume web1")
    assert pair.where("web1") == ["alpha"]
    pair.alpha.virsh("resume", "web1")
    alive(guest)


def test_name_that_is_taken_on_the_destination_is_refused(pair: Pair) -> None:
    ours = pair.lab.guest("web1")
    theirs = pair.lab.guest("web1", host="beta")

    refused = _refused(pair, "web1")

    assert list(refused) == ["name-taken"]
    for guest in (ours, theirs):
        alive(guest)
    # The source's job is not left behind: libvirt still takes orders for the guest.
    pair.alpha.virsh("suspend", "web1")
    pair.alpha.virsh("resume", "web1")


@pytest.mark.long
def test_pv_guest_is_refused_live(pair: Pair) -> None:
    pair.pv_guest("web1")

    refused = _refused(pair, "web1")

    assert list(refused) == ["pv-live"]
    assert "--live" in refused["pv-live"]
    assert pair.where("web1") == ["alpha"]
    assert pair.pv_ticks("web1", pair.alpha).count("lab web1.") >= 2


@pytest.mark.long
@pytest.mark.parametrize("options", [{}, {"p2p": True}], ids=["managed", "peer-to-peer"])
def test_host_itself_is_refused(pair: Pair, options: dict[str, Any]) -> None:
    given = {**options, "migration": pair.beta.peer_uri} if options else {}

    assert "guest-is-host" in _refused(pair, "Domain-0", **given)


@pytest.mark.long
def test_guest_that_is_off_is_refused(pair: Pair) -> None:
    pair.lab.guest("web1", persistent=True)
    pair.alpha.virsh("destroy", "web1")

    assert "guest-not-running" in _refused(pair, "web1")


@pytest.mark.long
def test_xends_migration_uri_is_refused_on_libxl(pair: Pair) -> None:
    guest = pair.lab.guest("web1")

    refused = _refused(
        pair, "web1", revision="original", migration=f"xenmigr://{pair.beta.address}/"
    )

    assert "toolstack-other" in refused
    alive(guest)
