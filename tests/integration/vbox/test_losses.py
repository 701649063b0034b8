"""Connections that break, answers that are lost, processes that die: each with the right verdict.

What decides is the states of both machines: VirtualBox tells success and failure by them alone.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from vbox.moves import Watch, busy, endless, plan
from vbox.proxy import Faults, between
from vbox.site import HOME, managing, until

from migrate_plugins import DriverError, Mend, Migrator, Seat, State, Verdict
from migrate_plugins_vbox.teleportation import Patience, Teleportation

if TYPE_CHECKING:
    from vbox.proxy import Proxy
    from vbox.site import Guest, Site

    from migrate_plugins import Outcome

PORT = 49333

# What the target answers, in order.
PASSWORD, LOAD, LOADED, MEDIA, HANDED_OVER = range(1, 6)


# That the memory takes another way than to the destination itself is found, and meant here.
MEANT = {"destination-name-elsewhere": "the proxy passes it on"}


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up sooner what is waited for in vain."""
    monkeypatch.setattr(Teleportation, "patience", Patience(deaf=2.0, stopping=4.0, given_up=1.0))


def through(
    migrator: Migrator, site: Site, guest: Guest, proxy: Proxy, *options: str, **flags: bool
) -> Outcome:
    """Teleport a guest through a proxy."""
    planned = plan(migrator, guest, site.alpha, site.beta, *options, migration=proxy.uri, **flags)
    return migrator.run(planned, accept=MEANT)


def stayed(site: Site, guest: Guest) -> None:
    """See that a guest runs on alpha as if nothing had been, and that beta is as it was."""
    assert guest.state(site.alpha) == "running"
    assert guest.counts(site.alpha)
    assert guest.life(site.alpha).unbroken
    assert not site.beta.machines()


def test_way_over_another_address_is_taken(migrator: Migrator, site: Site) -> None:
    guest = site.guest()
    with between(site, PORT) as proxy:
        outcome = through(migrator, site, guest, proxy)
        sent = proxy.sent()

    assert outcome.verdict is Verdict.DONE
    assert outcome.plan.port.value == PORT
    assert sent > 10_000
    assert guest.counts(site.beta)
    assert guest.life(site.alpha, site.beta).unbroken


# fmt: off
CUTS = [
    # after how much of what is sent in all
    0.0,
    0.5,
    0.99,
]
# fmt: on


@pytest.fixture(scope="module")
def whole(migrator: Migrator, running_site: Site) -> int:
    """How many bytes a guest takes, all in all."""
    guest = running_site.guest()
    with between(running_site, PORT) as proxy:
        outcome = through(migrator, running_site, guest, proxy)
        sent = proxy.sent()
    running_site.clean()
    assert outcome.verdict is Verdict.DONE
    return sent


@pytest.mark.parametrize("part", CUTS)
def test_connection_that_is_cut_leaves_the_guest(
    migrator: Migrator, site: Site, whole: int, part: float
) -> None:
    guest = site.guest()
    with between(site, PORT, Faults.cut(max(1, int(whole * part)))) as proxy:
        outcome = through(migrator, site, guest, proxy)

    assert outcome.verdict is Verdict.FAILED
    assert isinstance(outcome.error, DriverError)
    assert not outcome.pending
    stayed(site, guest)


@pytest.mark.parametrize("answer", [PASSWORD, LOAD, LOADED])
def test_answer_that_is_lost_before_the_disks_change_hands_leaves_the_guest(
    migrator: Migrator, site: Site, answer: int
) -> None:
    guest = site.guest()
    with between(site, PORT, Faults.swallow(answer)) as proxy:
        outcome = through(migrator, site, guest, proxy)

    assert outcome.verdict is Verdict.FAILED
    stayed(site, guest)


def test_answer_that_is_lost_while_the_disks_change_hands_leaves_no_copy(
    migrator: Migrator, site: Site
) -> None:
    guest = site.guest()
    with between(site, PORT, Faults.swallow(MEDIA)) as proxy:
        outcome = through(migrator, site, guest, proxy)

    assert outcome.verdict is Verdict.LOST
    assert outcome.exit_code == 6
    assert isinstance(outcome.error, DriverError)
    assert "no running copy of it is left" in outcome.error.problem
    assert "runs on NEITHER host" in outcome.sentence
    assert "vbox-lost" in {diagnosis.id for diagnosis in outcome.diagnoses}
    # Nothing is touched: a person decides where it starts, from its disks.
    assert guest.state(site.alpha) == "gurumeditation"
    assert guest.state(site.beta) in {"poweroff", "aborted"}
    site.clean()


def test_answer_that_is_lost_after_the_guest_was_handed_over_is_a_success(
    migrator: Migrator, site: Site
) -> None:
    guest = site.guest()
    with between(site, PORT, Faults.swallow(HANDED_OVER)) as proxy:
        outcome = through(
            migrator,
            site,
            guest,
            proxy,
            persistent=True,
            undefine_source=True,
        )

    assert outcome.verdict is Verdict.DONE
    # The stuck process of the source is gone, and the source with it.
    assert guest.state(site.alpha) == "absent"
    assert guest.counts(site.beta)
    assert guest.life(site.alpha, site.beta).unbroken


def test_target_that_falls_silent_is_ended_and_the_guest_goes_on(
    migrator: Migrator, site: Site
) -> None:
    guest = site.guest()
    with between(site, PORT, Faults.hold(20_000)) as proxy:
        outcome = through(migrator, site, guest, proxy, "timeout=4")

    # The source is deaf to every request to stop, until its connection ends.
    assert outcome.verdict is Verdict.FAILED
    assert isinstance(outcome.error, DriverError)
    assert "not done after 4 s" in outcome.error.problem
    stayed(site, guest)


@pytest.mark.usefixtures("hasty")
def test_network_that_falls_silent_is_told_with_what_becomes_of_the_guest(
    migrator: Migrator, site: Site
) -> None:
    guest = site.guest()
    with between(site, PORT, Faults.silent(20_000)) as proxy:
        outcome = through(migrator, site, guest, proxy, "timeout=4")
        source, target = guest.state(site.alpha), guest.state(site.beta)

    assert outcome.verdict is Verdict.UNKNOWN
    assert isinstance(outcome.error, DriverError)
    assert "once that breaks the guest goes on at the source" in outcome.error.problem
    assert (source, target) == ("teleportingpausedvm", "aborted")
    # The proxy is gone, and with it the silence.
    until(lambda: guest.state(site.alpha) == "running", "the guest goes on")
    found = migrator.reconcile(outcome.plan, apply=True)
    assert found.settlement.state is State.ROLLED_BACK
    stayed(site, guest)


@pytest.mark.usefixtures("hasty")
def test_silence_while_the_disks_change_hands_is_not_touched(
    migrator: Migrator, site: Site
) -> None:
    guest = site.guest()
    with between(site, PORT, Faults.mute(MEDIA)) as proxy:
        outcome = through(migrator, site, guest, proxy, "timeout=4")
        source, target = guest.state(site.alpha), guest.state(site.beta)

    assert outcome.verdict is Verdict.UNKNOWN
    assert (source, target) == ("teleportingpausedvm", "teleportingin")
    until(lambda: guest.state(site.alpha) == "gurumeditation", "the connection is gone")
    found = migrator.reconcile(outcome.plan, apply=True)
    assert found.settlement.state is State.LOST
    assert not found.taken
    site.clean()


def test_target_that_is_killed_leaves_the_guest(migrator: Migrator, site: Site) -> None:
    guest = busy(site)
    watch = Watch()
    run = migrator.start(endless(migrator, site, guest), observers=[watch])
    until(lambda: watch.sent, "it is under way", seconds=45)
    site.beta.kill(site.beta.headless(guest.name))
    outcome = run.outcome()
    site.bandwidth(None)

    assert outcome.verdict is Verdict.FAILED
    stayed(site, guest)


def test_source_that_is_killed_is_told_to_be_lost(migrator: Migrator, site: Site) -> None:
    guest = busy(site)
    watch = Watch()
    run = migrator.start(endless(migrator, site, guest), observers=[watch])
    until(lambda: watch.sent, "it is under way", seconds=45)
    site.alpha.kill(site.alpha.headless(guest.name))
    outcome = run.outcome()

    assert outcome.verdict is Verdict.LOST
    assert guest.state(site.alpha) == "aborted"
    assert guest.state(site.beta) != "running"
    # There is no step that starts it: a person does, once.
    found = migrator.reconcile(outcome.plan, apply=True)
    assert (found.settlement.state.value, found.settlement.step) == ("lost", None)
    assert not any(taken.step.mend is not Mend.TIDY for taken in found.taken)
    site.clean()


def test_plan_through_an_address_is_told_in_the_native_commands(
    migrator: Migrator, site: Site
) -> None:
    guest = site.guest(start=False)
    planned = plan(migrator, guest, site.alpha, site.beta, migration=f"vboxmigr://proxy:{PORT}/")

    lines = [" ".join(command.argv or ()) for command in planned.commands]
    assert any(f"teleport --host proxy --port {PORT}" in line for line in lines)
    assert planned.port.value == PORT


def test_stuck_source_of_a_guest_that_arrived_is_ended_by_reconcile(
    migrator: Migrator, site: Site
) -> None:
    guest = site.guest()
    settings = f"VirtualBox VMs/{guest.name}/{guest.name}.vbox"
    text = site.alpha.run(f"cat {shlex.quote(settings)}")
    folder = shlex.quote(settings.rpartition("/")[0])
    site.beta.run(f"mkdir -p {folder}; cat >{shlex.quote(settings)}", stdin=text)
    site.beta.manage("registervm", f"{HOME}/{settings}")
    listen = ("--teleporter", "on", "--teleporter-port", str(PORT))
    site.beta.manage("modifyvm", guest.name, *listen, "--teleporter-password", "tests")
    starting = site.beta.start(managing("startvm", guest.name, "--type", "headless"))
    until(lambda: PORT in site.beta.listening(), "the target waits", seconds=45)
    with between(site, PORT, Faults.swallow(HANDED_OVER)):
        send = ("teleport", "--host", "proxy", "--port", str(PORT), "--password", "tests")
        site.alpha.ask(managing("controlvm", guest.name, *send))
    starting.communicate(timeout=45)
    until(lambda: guest.state(site.alpha) == "gurumeditation", "the source is stuck")

    asked = plan(migrator, guest, site.alpha, site.beta, persistent=True)
    found = migrator.reconcile(asked, apply=True)

    assert [(taken.step.mend, taken.step.host, taken.error) for taken in found.taken] == [
        (Mend.TIDY, Seat.SOURCE, None)
    ]
    assert found.settlement.state is State.WORK_PENDING
    assert guest.state(site.alpha) in {"aborted", "poweroff"}
    assert guest.counts(site.beta)
    assert guest.life(site.alpha, site.beta).unbroken
