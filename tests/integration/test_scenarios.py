"""Each of QEMU's five scenarios, both ways, with a guest that ticks all the while."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import Revision, Verdict

if TYPE_CHECKING:
    from migrate_plugins import Migrator
    from migrate_plugins_lab.lab import Lab

# fmt: off
SCENARIOS = [
    # scenario               the source's own view of the destination is given; libvirt's call
    ("native-direct",        False, "migrate3"),
    ("native-p2p-client",    True,  "migrate"),
    ("tunnelled-p2p-client", True,  "migrate"),
    ("native-p2p",           True,  "migrateToURI3"),
    ("tunnelled-p2p",        True,  "migrateToURI3"),
]
# fmt: on


@pytest.mark.parametrize(("there", "back"), [("alpha", "beta"), ("beta", "alpha")])
@pytest.mark.parametrize(("scenario", "alternative", "call"), SCENARIOS)
def test_guest_moves_and_never_stops_ticking(
    migrator: Migrator,
    hosts: Lab,
    calls: list[str],
    scenario: str,
    alternative: bool,
    call: str,
    there: str,
    back: str,
) -> None:
    source, destination = hosts.host(there), hosts.host(back)
    guest = hosts.guest("web1", host=there)
    guest.wait_for_ticks()
    plan = migrator.plan(
        "web1",
        source=source.uri,
        destination=destination.uri,
        migration=destination.peer_uri if alternative else None,
        scenario=scenario,
        live=True,
    )

    outcome = migrator.run(plan)

    outcome.raise_for_failure()
    assert outcome.verdict is Verdict.DONE
    assert outcome.source is None
    assert outcome.destination is not None
    assert outcome.destination.uuid == guest.uuid
    assert outcome.differences == ()
    assert calls == [call]
    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()


def test_migration_uri_chooses_the_interface(
    migrator: Migrator, hosts: Lab, calls: list[str]
) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    guest.wait_for_ticks()
    plan = migrator.plan(
        "web1",
        source=alpha.uri,
        destination=beta.uri,
        migration=f"tcp://{beta.address}:49200",
        live=True,
    )

    outcome = migrator.run(plan)

    outcome.raise_for_failure()
    assert plan.port.value == 49200
    assert calls == ["migrate3"]
    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()


def test_current_revision_takes_a_migration_uri_in_peer_to_peer(
    migrator: Migrator, hosts: Lab, calls: list[str]
) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    guest.wait_for_ticks()
    plan = migrator.plan(
        "web1",
        source=alpha.uri,
        destination=beta.peer_uri,
        migration=f"tcp://{beta.address}:49201",
        revision=Revision.CURRENT,
        p2p=True,
        live=True,
    )

    outcome = migrator.run(plan)

    # The client stands outside the lab's network: it cannot look at what the source has opened.
    outcome.raise_for_failure()
    assert outcome.unreadable is not None
    assert [text.partition(":")[0] for text in outcome.differences] == [
        "the destination could not be read back"
    ]
    assert calls == ["migrateToURI3"]
    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()


def test_library_is_prepared_once_however_many_hosts_are_opened_at_once(hosts: Lab) -> None:
    program = (
        "import sys, threading\n"
        "from migrate_plugins_libvirt.session import LibvirtSession, connect\n"
        "opened = [threading.Thread(target=connect, args=(uri, None, LibvirtSession))\n"
        "          for uri in sys.argv[1:] * 8]\n"
        "[thread.start() for thread in opened]\n"
        "[thread.join() for thread in opened]\n"
        "print(*[thread.name for thread in threading.enumerate()], sep='\\n')\n"
    )
    uris = [host.uri for host in hosts.hosts]

    done = subprocess.run(
        [sys.executable, "-c", program, *uris],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.splitlines().count("libvirt events") == 1
