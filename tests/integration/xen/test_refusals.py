"""What cannot work on real Xen hosts is refused before anything is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xen.pair import Pair, alive

from migrate_plugins import BlockedError, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from migrate_plugins_lab.lab import Lab

# MiB.
_GUEST = 96
_NO_SSH = """
add table inet no_ssh
add chain inet no_ssh output {{ type filter hook output priority 0; }}
add rule inet no_ssh output ip daddr {} tcp dport 22 reject with tcp reset
"""


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
    guest = pair.pv_guest("web1")

    refused = _refused(pair, "web1")

    assert list(refused) == ["pv-live"]
    assert "--live" in refused["pv-live"]
    assert pair.where("web1") == ["alpha"]
    alive(guest)


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


@pytest.mark.long
def test_destination_that_calls_itself_localhost_is_refused(pair: Pair) -> None:
    guest = pair.lab.guest("web1")
    pair.lab.fault("beta", "hostname", "localhost")

    refused = _refused(pair, "web1")

    assert list(refused) == ["destination-name-localhost"]
    assert "hostnamectl set-hostname" in refused["destination-name-localhost"]
    # The other remedy.
    assert not pair.check("web1", migration=f"tcp://{pair.beta.address}").blocked
    alive(guest)


@pytest.mark.long
def test_memory_that_is_short_on_the_destination_is_told(pair: Pair) -> None:
    pair.lab.guest("web1")
    for name in ("large1", "large2"):
        pair.lab.guest(name, host="beta", memory=340)
    free = int(pair.beta.run(["xl", "info", "free_memory"]))
    assert free < _GUEST

    for options in ({}, {"direct": True, "migration": "beta"}):
        (short,) = [
            finding
            for finding in pair.check("web1", **options).findings
            if finding.id == "destination-memory-short"
        ]

        assert short.severity is Severity.WARNING
        assert short.host == "beta"
        assert (short.seen or "").startswith(f"{free} MiB free")
        assert short.expected == f"{_GUEST} MiB free"


@pytest.mark.long
def test_xl_is_refused_where_the_source_may_not_log_in_on_the_destination(pair: Pair) -> None:
    guest = pair.lab.guest("web1")
    # beta itself cannot close the port: the lab comes in by it too.
    pair.alpha.run(["nft", "-f", "-"], stdin=_NO_SSH.format(pair.beta.address))
    try:
        refused = _refused(pair, "web1", direct=True, migration="beta")
    finally:
        pair.alpha.run(["nft", "delete", "table", "inet", "no_ssh"])

    assert list(refused) == ["xl-ssh"]
    assert refused["xl-ssh"].endswith("as root: ssh -o BatchMode=yes beta xl info")
    assert pair.where("web1") == ["alpha"]
    alive(guest)


@pytest.mark.long
def test_xl_is_refused_where_the_destination_has_a_guest_of_that_name(pair: Pair) -> None:
    ours = pair.lab.guest("web1")
    theirs = pair.lab.guest("web1", host="beta")

    refused = _refused(pair, "web1", direct=True, migration="beta")

    assert list(refused) == ["xl-name-taken"]
    assert "xl list web1" in refused["xl-name-taken"]
    for guest in (ours, theirs):
        alive(guest)


@pytest.mark.long
def test_xl_is_refused_where_the_shell_is_not_roots(xen_hosts: Lab) -> None:
    pair = Pair.of(xen_hosts, user="nobody")
    guest = pair.lab.guest("web1")

    refused = _refused(pair, "web1", direct=True, migration="beta")

    assert list(refused) == ["xl-unusable"]
    assert "root's" in refused["xl-unusable"]
    alive(guest)
