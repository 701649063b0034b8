"""Guests that move between two hosts with VirtualBox, and what is left on both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from vbox.moves import RATE, Watch, busy, endless, move, plan
from vbox.site import until

from migrate_plugins import GuestState, Verdict
from migrate_plugins_lab.ticks import continuity, read

if TYPE_CHECKING:
    from pathlib import Path

    from vbox.site import Site

    from migrate_plugins import Event, Migrator

PERSISTENT, UNDEFINE = {"persistent": True}, {"undefine_source": True}

# fmt: off
ROWS = [
    # asked for                  registered there   registered here, there afterwards, by VirtualBox
    ({},                         False,             (True,  False)),
    (UNDEFINE,                   False,             (False, False)),
    (PERSISTENT,                 False,             (True,  True)),
    (PERSISTENT | UNDEFINE,      False,             (False, True)),
    ({},                         True,              (True,  True)),
    (UNDEFINE,                   True,              (False, True)),
    (PERSISTENT,                 True,              (True,  True)),
    (PERSISTENT | UNDEFINE,      True,              (False, True)),
]
# fmt: on


def test_guest_moves_there_and_back_without_missing_a_tick(migrator: Migrator, site: Site) -> None:
    guest = site.guest()

    there = move(migrator, guest, site.alpha, site.beta)

    assert (there.verdict, there.error, there.differences) == (Verdict.DONE, None, ())
    assert guest.counts(site.beta)
    assert (guest.state(site.alpha), guest.state(site.beta)) == ("teleported", "running")
    before = guest.printed(site.alpha)

    back = move(migrator, guest, site.beta, site.alpha)

    assert (back.verdict, back.error, back.differences) == (Verdict.DONE, None, ())
    assert guest.counts(site.alpha)
    assert (guest.state(site.alpha), guest.state(site.beta)) == ("running", "absent")
    printed = before + guest.printed(site.beta) + guest.printed(site.alpha)
    assert continuity(read(printed)).unbroken


def test_paused_guest_stays_paused(migrator: Migrator, site: Site) -> None:
    guest = site.guest()
    site.alpha.manage("controlvm", guest.name, "pause")

    outcome = move(migrator, guest, site.alpha, site.beta)

    assert (outcome.verdict, outcome.error) == (Verdict.DONE, None)
    assert outcome.destination is not None
    assert outcome.destination.state is GuestState.PAUSED
    site.beta.manage("controlvm", guest.name, "resume")
    assert guest.counts(site.beta)
    assert guest.life(site.alpha, site.beta).unbroken


def test_guest_may_have_another_name_there(migrator: Migrator, site: Site) -> None:
    guest = site.guest()

    outcome = move(migrator, guest, site.alpha, site.beta, dname="web 2", undefine_source=True)

    assert (outcome.verdict, outcome.error, outcome.differences) == (Verdict.DONE, None, ())
    assert site.beta.state("web 2") == "running"
    assert [*site.beta.machines()] == ["web 2"]
    assert not site.alpha.machines()


@pytest.mark.parametrize(("asked", "registered", "after"), ROWS)
def test_configuration_is_as_the_table_has_it(
    migrator: Migrator,
    site: Site,
    asked: dict[str, bool],
    registered: bool,
    after: tuple[bool, bool],
) -> None:
    guest = site.guest()
    if registered:
        # As people do it by hand: the settings are copied, and registered.
        file = site.alpha.told(guest.name)["CfgFile"]
        text = site.alpha.path(file).read_text()
        site.beta.run(f"mkdir -p machines; cat >machines/{guest.name}.vbox", stdin=text)
        site.beta.manage("registervm", f"/home/vbox/machines/{guest.name}.vbox")

    outcome = move(migrator, guest, site.alpha, site.beta, **asked)

    assert (outcome.verdict, outcome.error, outcome.differences) == (Verdict.DONE, None, ())
    here = guest.name in site.alpha.machines()
    marked = site.beta.manage("getextradata", guest.name, "migrate-plugins/transient")
    assert (here, "Value: yes" not in marked) == after
    assert site.beta.told(guest.name)["VMState"] == "running"


def test_memory_sent_is_told(migrator: Migrator, site: Site) -> None:
    guest = busy(site)
    watch = Watch()
    run = migrator.start(endless(migrator, site, guest), observers=[watch])

    until(lambda: len({*watch.sent}) > 1, "more and more bytes are sent", seconds=45)
    run.cancel()
    assert run.outcome().verdict is Verdict.CANCELLED
    assert watch.sent == sorted(watch.sent)
    # No more than the link takes: 8 Mbit/s.
    assert RATE == "8mbit"
    assert 0 < watch.sent[-1] < run.outcome().elapsed * 8e6 / 8


def test_password_is_taken_from_a_file(migrator: Migrator, site: Site, tmp_path: Path) -> None:
    guest = site.guest()
    file = tmp_path / "password"
    file.write_text("correct horse $HOME 'battery'\n")
    file.chmod(0o600)

    outcome = move(migrator, guest, site.alpha, site.beta, f"password-file={file}")

    assert (outcome.verdict, outcome.error) == (Verdict.DONE, None)
    assert guest.counts(site.beta)


def test_password_is_in_no_command_line(migrator: Migrator, site: Site, tmp_path: Path) -> None:
    guest = busy(site)
    file = tmp_path / "password"
    file.write_text("hunter22222\n")
    file.chmod(0o600)

    asked = endless(migrator, site, guest, f"password-file={file}")
    watch = Watch()
    run = migrator.start(asked, observers=[watch])
    until(lambda: watch.sent, "it is under way", seconds=45)
    lines = [*site.alpha.processes().values(), *site.beta.processes().values()]
    run.cancel()

    assert any("teleport" in line for line in lines)
    assert not [line for line in lines if "hunter22222" in line]
    assert "hunter22222" not in str(run.outcome().to_json())


def test_port_that_something_listens_on_is_not_taken(migrator: Migrator, site: Site) -> None:
    guest = site.guest()
    listener = site.beta.start(
        'exec python3 -c \'import socket; s = socket.create_server(("", 49300));'
        ' print("up", flush=True); input()\''
    )
    assert listener.stdout is not None
    assert listener.stdout.readline() == "up\n"

    outcome = move(migrator, guest, site.alpha, site.beta)
    listener.communicate("\n", timeout=10)

    assert outcome.verdict is Verdict.DONE
    assert outcome.plan.port.value == 49301


def test_target_listens_where_it_is_told(migrator: Migrator, site: Site) -> None:
    guest = busy(site)

    run = migrator.start(endless(migrator, site, guest, listen_address=site.beta.address))
    until(
        lambda: {*range(49300, 49364)} & site.beta.listening() or run.wait(0),
        "beta listens",
        seconds=45,
    )
    listens = site.beta.run("ss -ltnH")
    run.cancel()

    assert f"{site.beta.address}:{run.outcome().plan.port.value} " in listens


def test_what_changed_since_the_check_is_refused_before_anything_is_changed(
    migrator: Migrator, site: Site
) -> None:
    guest = site.guest()

    def changes(event: Event) -> None:
        if event.phase == "prepare":
            site.alpha.manage("controlvm", guest.name, "poweroff")

    run = migrator.start(plan(migrator, guest, site.alpha, site.beta), observers=[changes])

    assert "guest is poweroff" in str(run.outcome().error).replace(guest.name, "guest")
    assert not site.beta.machines()
