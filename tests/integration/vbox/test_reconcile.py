"""What ``reconcile`` says and does where whoever began a teleportation is gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from vbox.moves import ENDLESS, Client, busy, move
from vbox.site import until

from migrate_plugins import ExitCode, Mend, Migrator, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from vbox.site import Guest, Host, Site


@pytest.fixture
def migrator() -> Migrator:
    """One for each test: it keeps the journal that it first wrote to."""
    return Migrator.installed()


class Said(NamedTuple):
    """How ``reconcile --json`` ended, and what it says of its one guest."""

    code: int
    guest: dict[str, Any]

    @property
    def brief(self) -> tuple[int, str]:
        return self.code, self.guest["state"]

    @property
    def taken(self) -> list[tuple[str, str]]:
        assert not [step["error"] for step in self.guest["taken"] if step["error"]]
        return [(step["mend"], step["host"]) for step in self.guest["taken"]]


def reconcile(state: Path, *words: str) -> Said:
    done = subprocess.run(
        [sys.executable, "-m", "migrate_plugins", "reconcile", "--json", *words],
        env={**os.environ, "XDG_STATE_HOME": str(state)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout, done.stderr
    guests = json.loads(done.stdout)["guests"]
    assert len(guests) == 1, done.stdout
    return Said(done.returncode, guests[0])


def waits(host: Host) -> bool:
    return bool({*range(49300, 49364)} & host.listening())


def sends(site: Site) -> bool:
    """Whether memory is on its way, seen by nothing but the kernel."""
    # Which of the ports it is depends on what else migrates on this machine.
    wanted = "state established '( dport >= :49300 and dport <= :49363 )'"
    return bool(site.alpha.run(f"ss -tnHO {wanted}", root=True).strip())


def stays(guest: Guest, site: Site) -> None:
    assert guest.state(site.alpha) == "running"
    assert guest.counts(site.alpha)
    assert guest.life(site.alpha).unbroken


def test_killed_while_it_is_sent_goes_on_and_arrives(site: Site, state: Path) -> None:
    guest = busy(site)
    site.bandwidth("2mbit")
    client = Client(guest, site.alpha, site.beta, "--undefine-source", "--persistent", state=state)
    until(lambda: sends(site), "memory is sent", seconds=45)
    client.kill()

    assert reconcile(state).brief == (ExitCode.FAILED, "in-progress")
    site.bandwidth(None)
    said = reconcile(state, "--watch")
    assert said.guest["state"] in {"clean-up-missing", "finished"}
    said = reconcile(state, "--apply")

    assert said.taken == [("define", "destination"), ("undefine", "source")]
    assert said.brief == (ExitCode.DONE, "work-pending")
    assert guest.counts(site.beta)
    assert guest.life(site.alpha, site.beta).unbroken
    assert not site.alpha.machines()


def test_killed_while_it_is_sent_can_be_cancelled(site: Site, state: Path) -> None:
    guest = busy(site)
    client = Client(guest, site.alpha, site.beta, "-o", ENDLESS, state=state)
    until(lambda: sends(site), "memory is sent", seconds=45)
    client.kill()

    cancelled = reconcile(state, "--cancel")
    applied = reconcile(state, "--apply") if cancelled.guest["step"] else cancelled

    assert cancelled.guest["cancelled"], cancelled
    assert applied.brief == (ExitCode.DONE, "rolled-back")
    site.bandwidth(None)
    stays(guest, site)
    assert not site.beta.machines()


def test_killed_before_it_is_sent_leaves_a_target_that_is_ended(site: Site, state: Path) -> None:
    guest = site.guest()
    # Nobody comes to the port that the target listens on.
    site.alpha.run("ip route add unreachable 10.79.0.2/32 2>/dev/null || :", root=True)
    client = Client(guest, site.alpha, site.beta, state=state)
    until(lambda: waits(site.beta), "the target waits", seconds=45)
    client.kill()
    until(lambda: not _teleports(site.alpha), "nothing is sent any more", seconds=45)
    site.alpha.run("ip route del unreachable 10.79.0.2/32", root=True)

    assert reconcile(state).brief == (ExitCode.FAILED, "clean-up-missing")
    said = reconcile(state, "--apply")

    assert said.taken == [("tidy", "destination")]
    assert said.brief == (ExitCode.DONE, "rolled-back")
    stays(guest, site)
    assert not site.beta.machines()


@pytest.mark.parametrize("moment", ["registered", "starting"])
def test_killed_while_the_target_is_made(site: Site, state: Path, moment: str) -> None:
    guest = site.guest()
    client = Client(guest, site.alpha, site.beta, state=state)
    word = {"registered": "registervm", "starting": "startvm"}[moment]
    until(lambda: any(word in line for line in site.beta.processes().values()), moment, seconds=45)
    client.kill()
    until(lambda: not _works(site.beta), "VBoxManage is done or waits", seconds=45)

    said = reconcile(state, "--apply")

    assert said.brief == (ExitCode.DONE, "rolled-back")
    stays(guest, site)
    assert not site.beta.machines()


def test_teleporter_that_stays_on_is_noted_and_turned_off_later(
    migrator: Migrator, site: Site, state: Path
) -> None:
    guest = site.guest()
    outcome = move(migrator, guest, site.alpha, site.beta, persistent=True)

    assert outcome.verdict is Verdict.DONE
    (pending,) = outcome.pending
    assert "its teleporter is on: the next start would wait for a guest" in pending
    assert "it stays until it is shut off" in pending
    assert reconcile(state, "--apply").brief == (ExitCode.DONE, "work-pending")

    site.beta.manage("controlvm", guest.name, "poweroff")
    until(lambda: guest.state(site.beta) == "poweroff", "it is off")
    said = reconcile(state, "--apply")

    assert said.taken == [("tidy", "destination")]
    assert said.brief == (ExitCode.DONE, "finished")
    assert site.beta.told(guest.name)["teleporterenabled"] == "off"
    # It starts at once, as any other.
    site.beta.manage("startvm", guest.name, "--type", "headless")
    assert guest.counts(site.beta)


def test_transient_guest_that_was_shut_off_is_unregistered(
    migrator: Migrator, site: Site, state: Path
) -> None:
    guest = site.guest()
    outcome = move(migrator, guest, site.alpha, site.beta)
    assert outcome.verdict is Verdict.DONE
    (pending,) = outcome.pending
    assert "it is registered only as long as it runs" in pending
    site.beta.manage("controlvm", guest.name, "poweroff")
    until(lambda: guest.state(site.beta) == "poweroff", "it is off")

    said = reconcile(state, "--apply")

    assert said.taken == [("tidy", "destination")]
    assert not site.beta.machines()
    assert site.alpha.path(guest.disk).exists()


def test_printed_command_does_what_apply_does(site: Site, state: Path) -> None:
    guest = site.guest()
    client = Client(guest, site.alpha, site.beta, state=state)
    until(lambda: waits(site.beta) or guest.ticks(site.beta), "it is begun", seconds=45)
    client.kill()
    until(lambda: not _teleports(site.alpha), "nothing is sent any more", seconds=45)

    for _ in range(4):
        said = reconcile(state)
        if said.guest["step"] is None:
            break
        line = said.guest["step"]["command"]
        done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}: {done.stderr}"

    assert said.guest["state"] in {"rolled-back", "work-pending"}
    assert guest.counts(site.alpha) or guest.counts(site.beta)


def test_step_is_refused_where_the_guest_has_changed(migrator: Migrator, site: Site) -> None:
    guest = site.guest()
    session = migrator.registry.drivers["vbox"].connect(site.alpha.uri)
    read = session.guest(guest.name)
    assert read is not None
    site.alpha.manage("controlvm", guest.name, "pause")

    for step in Mend:
        with pytest.raises(Exception, match="it has changed since it was read"):
            session.mend(step, read)  # type: ignore[attr-defined]

    assert guest.state(site.alpha) == "paused"
    session.close()


def _teleports(host: Host) -> bool:
    return any(" teleport " in line for line in host.processes().values())


def _works(host: Host) -> bool:
    """Whether a VBoxManage does something that ends by itself soon."""
    lines = [line for line in host.processes().values() if "VBoxManage" in line]
    return any("startvm" not in line for line in lines) or (bool(lines) and not waits(host))
