"""The options of ``virsh migrate``: each does on real hosts what its name says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import pytest

from migrate_plugins import (
    BlockedError,
    DriverError,
    GuestState,
    Phase,
    PlanError,
    Revision,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from migrate_plugins import Event, Migrator, Outcome, Plan
    from migrate_plugins_lab.guest import Guest
    from migrate_plugins_lab.lab import Lab

T = TypeVar("T")

MIB = 1024 * 1024

# A guest that writes over so many MiB fifty times a second, over so slow a link, is never done by
# plain pre-copy: a pass takes most of a second, and all of it has been written again meanwhile.
DIRTY = 16
RATE = "200mbit"

# Seconds within which a forced migration ends: what is left takes one pass more.
PASS = 10.0

# fmt: off
# What libvirt takes and no guest of the lab shows an effect of: the guest moves all the same.
TAKEN = [
    # revision         options
    (Revision.ORIGINAL, {"abort_on_error": True}),
    (Revision.ORIGINAL, {"graphicsuri": "spice://beta:5900"}),
    (Revision.ORIGINAL, {"listen_address": "10.78.0.2"}),
    (Revision.ORIGINAL, {"undefine_source": True, "persistent": True}),
    (Revision.ORIGINAL, {"timeout": 60, "timeout_suspend": True}),
    (Revision.CURRENT,  {"postcopy": False, "parallel": True}),
]

# Files that the client reads, and what else the option needs.
FILES = [
    ("xml",            {}),
    ("persistent_xml", {"persistent": True}),
]
# fmt: on


class Watcher(Generic[T]):
    """Keeps the events of a migration, and looks at something of its own during the transfer."""

    def __init__(self, look: Callable[[], T] | None = None) -> None:
        self.events: list[Event] = []
        self.seen: list[T] = []
        self._look = look

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if event.statistics is not None and self._look is not None:
            self.seen.append(self._look())

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events if event.phase is Phase.TRANSFER and event.text]


def _plan(migrator: Migrator, lab: Lab, **options: Any) -> Plan:  # noqa: ANN401 - of many kinds
    alpha, beta = lab.hosts
    given = {"live": True, **options}
    return migrator.plan("web1", source=alpha.uri, destination=beta.uri, **given)


def _busy_guest(lab: Lab) -> Guest:
    guest = lab.guest("web1", dirty=DIRTY)
    guest.wait_for_ticks()
    lab.fault("alpha", "bandwidth", RATE)
    return guest


def _lives(guest: Guest) -> None:
    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()


def _moved(outcome: Outcome, guest: Guest) -> None:
    """The guest runs on the destination, and only there, and is the one that ran before."""
    assert (outcome.verdict, outcome.error) == (Verdict.DONE, None)
    assert outcome.source is None
    assert outcome.destination is not None
    assert (outcome.destination.uuid, outcome.destination.state) == (guest.uuid, GuestState.RUNNING)
    _lives(guest)


def _stayed(outcome: Outcome, guest: Guest) -> DriverError:
    """The hypervisor refused, and the guest runs on the source, and only there."""
    assert outcome.verdict is Verdict.FAILED
    assert outcome.source is not None
    assert (outcome.source.uuid, outcome.source.state) == (guest.uuid, GuestState.RUNNING)
    assert outcome.destination is None
    assert isinstance(outcome.error, DriverError)
    _lives(guest)
    return outcome.error


@pytest.mark.parametrize(("revision", "options"), TAKEN)
def test_option_is_taken(
    migrator: Migrator, hosts: Lab, revision: Revision, options: dict[str, Any]
) -> None:
    guest = hosts.guest("web1", persistent="undefine_source" in options)

    outcome = migrator.run(_plan(migrator, hosts, revision=revision, **options))

    _moved(outcome, guest)


def test_suspend_leaves_the_guest_paused_on_the_destination(migrator: Migrator, hosts: Lab) -> None:
    _, beta = hosts.hosts
    guest = hosts.guest("web1")

    outcome = migrator.run(_plan(migrator, hosts, suspend=True))

    assert (outcome.verdict, outcome.source, outcome.differences) == (Verdict.DONE, None, ())
    assert outcome.destination is not None
    assert outcome.destination.state is GuestState.PAUSED
    assert beta.virsh("domstate", "web1").strip() == "paused"
    beta.virsh("resume", "web1")
    _lives(guest)


def test_dname_is_the_guests_name_on_the_destination(migrator: Migrator, hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")

    outcome = migrator.run(_plan(migrator, hosts, dname="web2"))

    _moved(outcome, guest)
    assert alpha.virsh("list", "--all", "--name").split() == []
    assert beta.virsh("list", "--all", "--name").split() == ["web2"]
    assert outcome.sentence == "web2 is on beta now (alpha: no such guest; beta: running)"


def test_edited_definition_arrives(migrator: Migrator, hosts: Lab, tmp_path: Path) -> None:
    _, beta = hosts.hosts
    guest = hosts.guest("web1")
    file = _entitled(hosts, tmp_path, "edited")

    outcome = migrator.run(_plan(migrator, hosts, xml=str(file)))

    _moved(outcome, guest)
    assert beta.virsh("desc", "web1", "--title").strip() == "edited"


def test_stored_definition_differs_from_the_running_one(
    migrator: Migrator, hosts: Lab, tmp_path: Path
) -> None:
    _, beta = hosts.hosts
    guest = hosts.guest("web1")
    running = _entitled(hosts, tmp_path, "running")
    stored = _entitled(hosts, tmp_path, "stored")

    outcome = migrator.run(
        _plan(migrator, hosts, xml=str(running), persistent_xml=str(stored), persistent=True)
    )

    _moved(outcome, guest)
    assert beta.virsh("desc", "web1", "--title", "--live").strip() == "running"
    assert beta.virsh("desc", "web1", "--title", "--config").strip() == "stored"


def _entitled(lab: Lab, folder: Path, title: str) -> Path:
    """Write the guest's definition with a title into a file."""
    file = folder / f"{title}.xml"
    definition = lab.hosts[0].virsh("dumpxml", "--migratable", "web1")
    edited = definition.replace("</uuid>", f"</uuid>\n  <title>{title}</title>", 1)
    file.write_text(edited, encoding="utf-8")
    return file


@pytest.mark.parametrize(("field", "needs"), FILES)
def test_file_that_is_missing_blocks_and_nothing_is_started(
    migrator: Migrator,
    hosts: Lab,
    calls: list[str],
    tmp_path: Path,
    field: str,
    needs: dict[str, bool],
) -> None:
    guest = hosts.guest("web1")
    file = tmp_path / "nowhere.xml"
    plan = _plan(migrator, hosts, **{field: str(file)}, **needs)

    with pytest.raises(BlockedError) as caught:
        migrator.run(plan)

    spelling = f"--{field.replace('_', '-')}"
    assert [(finding.id, finding.text) for finding in caught.value.findings] == [
        (
            "definition-unreadable",
            f"{spelling} {str(file)!r} cannot be read: No such file or directory",
        )
    ]
    assert calls == []
    _lives(guest)


def test_bandwidth_limits_the_transfer(migrator: Migrator, hosts: Lab) -> None:
    guest = hosts.guest("web1", dirty=DIRTY)
    guest.wait_for_ticks()

    # Not live: the guest's memory is sent exactly once.
    outcome = migrator.run(_plan(migrator, hosts, live=False, bandwidth=4))

    _moved(outcome, guest)
    assert outcome.statistics is not None
    assert outcome.statistics.transferred is not None
    assert outcome.statistics.transferred > DIRTY * MIB
    assert outcome.elapsed > DIRTY / 4 * 0.8  # the last 300 ms' worth are not limited


def test_without_a_limit_the_transfer_is_faster(migrator: Migrator, hosts: Lab) -> None:
    guest = hosts.guest("web1", dirty=DIRTY)
    guest.wait_for_ticks()

    outcome = migrator.run(_plan(migrator, hosts, live=False, bandwidth=1000))

    _moved(outcome, guest)
    assert outcome.elapsed < DIRTY / 4 * 0.8


def test_timeout_forces_the_end_by_pausing_the_guest(migrator: Migrator, hosts: Lab) -> None:
    guest = _busy_guest(hosts)
    watcher = Watcher[None]()

    outcome = migrator.run(_plan(migrator, hosts, timeout=2), observers=[watcher])

    _moved(outcome, guest)
    assert watcher.texts == ["not done after 2 s: pausing the guest so that it ends"]
    assert 2 < outcome.elapsed < 2 + PASS


def test_timeout_that_does_not_come_forces_nothing(migrator: Migrator, hosts: Lab) -> None:
    guest = hosts.guest("web1")
    watcher = Watcher[None]()

    outcome = migrator.run(_plan(migrator, hosts, timeout=60), observers=[watcher])

    _moved(outcome, guest)
    assert watcher.texts == []


@pytest.mark.parametrize(("options", "most"), [({}, 1), ({"parallel_connections": 3}, 4)])
def test_parallel_connections_carry_the_memory(
    migrator: Migrator, hosts: Lab, options: dict[str, int], most: int
) -> None:
    alpha, beta = hosts.hosts
    guest = _busy_guest(hosts)
    look = ["ss", "-Htn", "state", "established", "dst", beta.address, "dport", "ge", "49152"]
    watcher = Watcher(lambda: len(alpha.run(look).splitlines()))
    plan = _plan(
        migrator, hosts, revision=Revision.CURRENT, timeout=2, parallel=bool(options), **options
    )

    outcome = migrator.run(plan, observers=[watcher])

    _moved(outcome, guest)
    # QEMU opens one connection for control, and so many for the pages.
    assert max(watcher.seen) == most


def test_compression_ends_what_a_slow_link_never_would(migrator: Migrator, hosts: Lab) -> None:
    alpha, _ = hosts.hosts
    guest = _busy_guest(hosts)
    watcher = Watcher(lambda: alpha.virsh("domjobinfo", "web1"))
    plan = _plan(migrator, hosts, compressed=True, comp_methods=("xbzrle",), timeout=30)

    outcome = migrator.run(plan, observers=[watcher])

    _moved(outcome, guest)
    assert watcher.texts == []
    assert any("Compression cache:" in seen for seen in watcher.seen)


def test_auto_converge_slows_the_guest_down(migrator: Migrator, hosts: Lab) -> None:
    alpha, _ = hosts.hosts
    guest = _busy_guest(hosts)
    watcher = Watcher(lambda: alpha.virsh("domjobinfo", "web1"))

    outcome = migrator.run(
        _plan(migrator, hosts, auto_converge=True, timeout=6), observers=[watcher]
    )

    _moved(outcome, guest)
    assert any("Auto converge throttle:" in seen for seen in watcher.seen)


def test_offline_moves_the_definition_of_a_guest_that_is_shut_off(
    migrator: Migrator, hosts: Lab, calls: list[str]
) -> None:
    alpha, beta = hosts.hosts
    hosts.guest("web1", persistent=True)
    alpha.virsh("destroy", "web1")

    outcome = migrator.run(
        _plan(migrator, hosts, live=False, offline=True, persistent=True, undefine_source=True)
    )

    assert (outcome.verdict, outcome.source, outcome.differences) == (Verdict.DONE, None, ())
    assert outcome.destination is not None
    assert outcome.destination.state is GuestState.SHUTOFF
    assert calls == ["migrate3"]
    assert alpha.virsh("list", "--all", "--name").split() == []
    assert beta.virsh("list", "--inactive", "--name").split() == ["web1"]


def test_offline_without_persistent_is_refused_before_anything(
    migrator: Migrator, hosts: Lab
) -> None:
    with pytest.raises(PlanError) as caught:
        _plan(migrator, hosts, live=False, offline=True)

    assert [reason.id for reason in caught.value.reasons] == ["option-needs"]


def test_disk_that_is_not_shared_keeps_the_guest_on_the_source(
    migrator: Migrator, hosts: Lab
) -> None:
    guest = hosts.guest("web1", disk=4)

    outcome = migrator.run(_plan(migrator, hosts))

    error = _stayed(outcome, guest)
    assert (error.code, error.problem) == (
        81,
        "Unsafe migration: Migration without shared storage is unsafe",
    )
    assert [diagnosis.id for diagnosis in outcome.diagnoses] == ["no-shared-storage"]


@pytest.mark.parametrize(
    ("options", "copied"),
    [
        ({"unsafe": True}, False),
        ({"copy_storage_all": True}, True),
        ({"copy_storage_all": True, "migrate_disks": ("vda",), "disks_port": 49300}, True),
    ],
)
def test_disk_is_copied_only_where_that_is_asked_for(
    migrator: Migrator, hosts: Lab, options: dict[str, Any], copied: bool
) -> None:
    guest = hosts.guest("web1", disk=4)
    here, there = (hosts.folder.host(host.name) / "disks/web1.img" for host in hosts.hosts)
    with here.open("r+b") as image:
        image.write(b"a mark")

    outcome = migrator.run(_plan(migrator, hosts, **options))

    _moved(outcome, guest)
    assert there.read_bytes().startswith(b"a mark") == copied


def test_listening_where_nobody_comes_fails_and_the_guest_stays(
    migrator: Migrator, hosts: Lab
) -> None:
    guest = hosts.guest("web1")

    outcome = migrator.run(_plan(migrator, hosts, listen_address="127.0.0.1"))

    error = _stayed(outcome, guest)
    assert error.code == 38
    assert error.problem.startswith("unable to connect to server at 'beta:49")
    assert error.problem.endswith(": Connection refused")
    assert outcome.diagnoses[0].id == "data-port-refused"


def test_tls_without_certificates_fails_and_says_what_is_missing(
    migrator: Migrator, hosts: Lab
) -> None:
    guest = hosts.guest("web1")

    outcome = migrator.run(_plan(migrator, hosts, revision=Revision.CURRENT, tls=True))

    error = _stayed(outcome, guest)
    assert "Unable to access credentials" in error.problem
    assert [diagnosis.id for diagnosis in outcome.diagnoses] == ["tls-qemu-cert"]


def test_timeout_switches_to_post_copy(migrator: Migrator, privileged_hosts: Lab) -> None:
    assert privileged_hosts.postcopy, privileged_hosts.postcopy.reason
    guest = _busy_guest(privileged_hosts)
    watcher = Watcher[None]()
    plan = _plan(
        migrator,
        privileged_hosts,
        revision=Revision.CURRENT,
        postcopy=True,
        timeout=2,
        timeout_postcopy=True,
    )

    outcome = migrator.run(plan, observers=[watcher])

    _moved(outcome, guest)
    assert watcher.texts == ["not done after 2 s: switching to post-copy"]
    told = [event.statistics.postcopy for event in watcher.events if event.statistics]
    assert (told[0], told[-1]) == (False, True)
    assert 2 < outcome.elapsed < 2 + PASS
