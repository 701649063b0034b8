"""Teleportations that are cancelled, refused or too slow: the guest runs on where it was."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from vbox.moves import ENDLESS, Client, Watch, busy, endless, plan
from vbox.site import until

from migrate_plugins import DriverError, Phase, Verdict
from migrate_plugins_vbox.manage import VBoxManage

if TYPE_CHECKING:
    from pathlib import Path

    from vbox.site import Guest, Site

    from migrate_plugins import Event, Migrator


def stayed(site: Site, guest: Guest) -> None:
    """See that a guest runs on alpha as if nothing had been, and that beta is as it was."""
    assert guest.state(site.alpha) == "running"
    assert guest.counts(site.alpha)
    assert guest.life(site.alpha).unbroken
    assert not site.beta.machines()
    assert not [*site.beta.path("/home/vbox").glob("VirtualBox VMs/*/*.vbox*")]


@pytest.mark.parametrize("step", ["machines", "register", "teleporter_on", "start", "listens"])
def test_cancelled_before_the_target_listens(
    migrator: Migrator, site: Site, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    guest = site.guest()
    made = getattr(VBoxManage, step)

    def cancelling(self: VBoxManage, *arguments: object, **named: object) -> object:
        run.cancel()  # none of them is asked by a check
        return made(self, *arguments, **named)

    monkeypatch.setattr(VBoxManage, step, cancelling)
    run = migrator.start(plan(migrator, guest, site.alpha, site.beta))

    assert run.outcome().verdict is Verdict.CANCELLED
    stayed(site, guest)


def test_cancelled_while_memory_is_sent(migrator: Migrator, site: Site) -> None:
    guest = busy(site)
    watch = Watch()
    run = migrator.start(endless(migrator, site, guest), observers=[watch])

    until(lambda: watch.sent, "it is under way", seconds=45)
    run.cancel()

    assert run.outcome().verdict is Verdict.CANCELLED
    site.bandwidth(None)
    stayed(site, guest)


def test_cancelled_again_and_again_at_any_moment(migrator: Migrator, site: Site) -> None:
    guest = site.guest()
    here, there = site.alpha, site.beta
    for moment in (0.0, 0.2, 0.4, 0.6, 0.8):
        run = migrator.start(plan(migrator, guest, here, there))
        until(lambda run=run: run.phase is Phase.TRANSFER, "it begins", seconds=30)  # type: ignore[misc]
        run.wait(moment)
        run.cancel()
        verdict = run.outcome().verdict

        # Too late, or in time: never anything else.
        assert verdict in {Verdict.CANCELLED, Verdict.DONE}
        if verdict is Verdict.DONE:
            here, there = there, here
        assert guest.counts(here)
        assert guest.state(there) in {"absent", "teleported", "poweroff"}


def test_interrupted_command_cancels(site: Site, state: Path) -> None:
    guest = busy(site)
    client = Client(guest, site.alpha, site.beta, "-o", ENDLESS, state=state)

    client.until(lambda event: (event.get("statistics") or {}).get("transferred"))
    client.process.send_signal(signal.SIGINT)

    assert client.outcome()["verdict"] == "cancelled"
    site.bandwidth(None)
    stayed(site, guest)


def test_too_slow_is_cancelled(migrator: Migrator, site: Site) -> None:
    guest = busy(site)

    outcome = migrator.run(endless(migrator, site, guest, "timeout=3"))

    assert outcome.verdict is Verdict.FAILED
    assert "it was not done after 3 s, and so was cancelled" in str(outcome.error)
    site.bandwidth(None)
    stayed(site, guest)


def test_wrong_password_is_told_and_all_is_put_back(
    migrator: Migrator, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = site.guest()
    turn_on = VBoxManage.teleporter_on

    def another(self: VBoxManage, uuid: str, *, port: int, address: str, password: str) -> None:
        turn_on(self, uuid, port=port, address=address, password=f"not {password}")

    monkeypatch.setattr(VBoxManage, "teleporter_on", another)
    outcome = migrator.run(plan(migrator, guest, site.alpha, site.beta))

    assert outcome.verdict is Verdict.FAILED
    assert isinstance(outcome.error, DriverError)
    assert "Invalid password" in outcome.error.problem
    stayed(site, guest)


def test_difference_is_told_in_virtualboxs_words(migrator: Migrator, site: Site) -> None:
    guest = site.guest()

    def differs(event: Event) -> None:
        # After the check, which would have seen it.
        if event.phase == "prepare":
            file = site.alpha.told(guest.name)["CfgFile"]
            text = site.alpha.path(file).read_text().replace('RAMSize="16"', 'RAMSize="17"')
            site.beta.run(f"cat >{guest.name}.vbox", stdin=text)
            site.beta.manage("registervm", f"/home/vbox/{guest.name}.vbox")
            site.beta.manage("setextradata", guest.name, "migrate-plugins/transient", "yes")

    run = migrator.start(plan(migrator, guest, site.alpha, site.beta), observers=[differs])

    outcome = run.outcome()
    assert outcome.verdict is Verdict.FAILED
    assert "Ram config mismatch" in str(outcome.error)
    # It was there already: it is left, without its teleporter.
    told = site.beta.told(guest.name)
    assert (told["VMState"], told["teleporterenabled"]) == ("poweroff", "off")
    assert guest.counts(site.alpha)
    assert guest.life(site.alpha).unbroken


def test_pausing_a_guest_that_is_sent_is_refused(migrator: Migrator, site: Site) -> None:
    guest = busy(site)
    source = migrator.registry.drivers["vbox"].connect(site.alpha.uri)
    watch = Watch()
    run = migrator.start(endless(migrator, site, guest), observers=[watch])
    until(lambda: watch.sent, "it is under way", seconds=45)

    migration = source.adopt(guest.name)  # type: ignore[attr-defined]
    with pytest.raises(DriverError, match="is stuck afterwards"):
        migration.suspend()
    with pytest.raises(DriverError, match="no such thing"):
        migration.switch_to_postcopy()
    migration.cancel()

    assert migration.wait(10)
    assert run.outcome().verdict is Verdict.FAILED
    source.close()
    site.bandwidth(None)
    stayed(site, guest)
