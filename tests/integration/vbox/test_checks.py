"""What a check finds on two real hosts, made so that it has something to find."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from vbox.site import PRIVATE, SHARED, VBOXMANAGE, Guest, managing, until

from migrate_plugins import Severity, Verdict
from migrate_plugins_vbox.checks.kinds import KINDS
from migrate_plugins_vbox.session import VBoxSession, connect
from migrate_plugins_vbox.settings import settings_path, write_target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vbox.site import Host, Site

    from migrate_plugins import Finding, Migrator

OURS = {kind.id for kind in KINDS}
FOLDER = "/home/vbox/VirtualBox VMs"


@pytest.fixture
def beta(site: Site) -> Iterator[VBoxSession]:
    session = connect(site.beta.uri)
    yield session
    session.close()


def checked(migrator: Migrator, site: Site, guest: Guest, *, to: str = "") -> list[Finding]:
    """Check a move from alpha to beta, and give what this driver found on the hosts."""
    plan = migrator.plan(guest.name, site.alpha.uri, to or site.beta.uri)
    return [each for each in migrator.check(plan).findings if each.id in OURS]


def ids(findings: list[Finding]) -> list[str]:
    return [finding.id for finding in findings]


def registered(site: Site, guest: Guest, beta: VBoxSession) -> str:
    """Register the target on beta, and give its uuid."""
    alpha = connect(site.alpha.uri)
    machine = alpha.manage.machine_named(guest.name)
    assert machine is not None
    folder = str(PurePosixPath(machine.settings_file).parent)
    text = write_target(alpha.manage.settings(machine), folder)
    alpha.close()
    beta.manage.register(settings_path(FOLDER, guest.name), text)
    return machine.uuid


def vbox(host: Host, *lines: str) -> None:
    """Run VBoxManage on a host, once for each line."""
    for line in lines:
        host.run(managing(*shlex.split(line)))


def test_two_hosts_that_fit(migrator: Migrator, site: Site, beta: VBoxSession) -> None:
    guest = site.guest()

    assert checked(migrator, site, guest) == []
    registered(site, guest, beta)
    assert checked(migrator, site, guest) == []
    # What was written to look is gone.
    assert [file.name for file in site.alpha.path(SHARED).iterdir()] == [f"{guest.name}.vdi"]


def test_a_private_copy_with_the_same_uuid(migrator: Migrator, site: Site) -> None:
    guest = site.guest()
    private = f"{PRIVATE}/own.vdi"
    for host in site.hosts:  # each its own, at the same place and with the same uuid
        host.run(f"cp {guest.disk} {private}")
    site.alpha.manage("controlvm", guest.name, "poweroff")
    attach = f"--storagectl IDE --port 0 --device 0 --type hdd --medium {private}"
    until(
        lambda: not site.alpha.ask(managing("storageattach", guest.name, "--storagectl", "IDE",
                                            "--port", "0", "--device", "0", "--medium", "none")
                                   ).returncode,
        "the disk is taken out",
    )  # fmt: skip
    vbox(
        site.alpha,
        f"closemedium disk {guest.disk}",
        f"storageattach {guest.name} {attach}",
    )
    guest.start(site.alpha)

    found = checked(migrator, site, guest)

    assert ids(found) == ["disk-not-shared"]
    assert found[0].severity is Severity.ERROR
    assert private in found[0].text
    assert not [*site.alpha.path(PRIVATE).glob(".migrate-plugins*")]


def test_a_disk_that_the_destination_lacks(migrator: Migrator, site: Site) -> None:
    guest = site.guest()
    second = f"{PRIVATE}/second.vdi"
    site.alpha.manage("controlvm", guest.name, "poweroff")
    vbox(site.alpha, f"createmedium disk --filename {second} --size 1")
    attach = f"--storagectl IDE --port 0 --device 1 --type hdd --medium {second}"
    until(
        lambda: (
            not site.alpha.ask(managing("storageattach", guest.name, *attach.split())).returncode
        ),
        "the disk is put in",
    )
    guest.start(site.alpha)

    found = checked(migrator, site, guest)

    assert ids(found) == ["disk-missing"]
    assert found[0].host == "beta"
    assert second in found[0].text


def test_a_disk_that_the_destination_may_not_write(migrator: Migrator, site: Site) -> None:
    guest = site.guest()
    # The same storage for beta, but to read it alone.
    site.beta.run(f"mount --bind {SHARED} {SHARED}; mount -o remount,bind,ro {SHARED}", root=True)

    found = checked(migrator, site, guest)
    site.beta.run(f"umount {SHARED}", root=True)

    assert ids(found) == ["disk-not-accessible"]
    assert "may not write" in found[0].text


def test_a_folder_that_nobody_may_write_in(migrator: Migrator, site: Site) -> None:
    guest = site.guest()
    site.alpha.run(f"chown root {SHARED}", root=True)

    found = checked(migrator, site, guest)
    site.alpha.run(f"chown 4242 {SHARED}", root=True)

    # Both hosts are one machine here: device and inode tell what no probe could.
    assert found == []


def test_snapshots_of_the_guest(migrator: Migrator, site: Site) -> None:
    guest = site.guest()
    vbox(site.alpha, f"snapshot {guest.name} take before")

    found = checked(migrator, site, guest)

    assert "guest-has-snapshots" in ids(found)
    assert found[0].seen == "before"
    # Its newest data are in an image of its own folder, which beta does not have.
    assert "disk-missing" in ids(found)


def test_snapshots_and_a_saved_state_of_the_target(
    migrator: Migrator, site: Site, beta: VBoxSession
) -> None:
    guest = site.guest(start=False)
    uuid = registered(site, guest, beta)
    vbox(site.beta, f"snapshot {uuid} take there")
    guest_there = Guest(guest.name)
    guest_there.start(site.beta)
    vbox(site.beta, f"controlvm {uuid} savestate")
    until(lambda: guest.state(site.beta) == "saved", "its state is saved")
    guest.start(site.alpha)

    found = ids(checked(migrator, site, guest))

    assert {"target-has-snapshots", "target-saved"} <= {*found}


def test_another_version(migrator: Migrator, site: Site) -> None:
    """A fake: a script on beta that says another version, and is VBoxManage in all else."""
    guest = site.guest()
    fake = f"{PRIVATE}/VBoxManage"
    site.beta.run(
        f"printf '%s\\n' '#!/bin/sh' 'case $1 in --version) echo 7.0.20r163906; exit ;; esac'"
        f" 'exec {VBOXMANAGE} \"$@\"' >{fake}; chmod 755 {fake}"
    )

    found = checked(migrator, site, guest, to=f"{site.beta.uri}&vboxmanage={fake}")

    assert ids(found) == ["version-differs"]
    assert (found[0].seen, found[0].severity) == ("7.0.20r163906", Severity.ERROR)


def test_a_settings_file_in_the_way(migrator: Migrator, site: Site) -> None:
    guest = site.guest()
    path = settings_path(FOLDER, guest.name)
    site.beta.run(f"mkdir -p {shlex.quote(str(PurePosixPath(path).parent))}; echo x >'{path}'")

    found = checked(migrator, site, guest)

    assert ids(found) == ["settings-file-in-way"]
    assert found[0].seen == path


def test_an_image_that_is_known_elsewhere(migrator: Migrator, site: Site) -> None:
    guest = site.guest()
    copy = f"{PRIVATE}/copy.vdi"
    site.beta.run(f"cp {guest.disk} {copy}")
    vbox(
        site.beta,
        "createvm --name other --register",
        "storagectl other --name IDE --add ide",
        f"storageattach other --storagectl IDE --port 0 --device 0 --type hdd --medium {copy}",
    )

    found = checked(migrator, site, guest)
    vbox(site.beta, "unregistervm other")

    assert ids(found) == ["disk-known-elsewhere"]
    assert copy in (found[0].seen or "")


def test_a_port_whose_file_has_no_folder_there(migrator: Migrator, site: Site) -> None:
    folder = f"{PRIVATE}/only here"
    site.alpha.run(f"mkdir '{folder}'")
    guest = site.guest(settings=f"--uart2 0x2f8 3 --uart-mode2 file '{folder}/console'")

    found = checked(migrator, site, guest)

    assert ids(found) == ["device-file-missing"]
    assert (found[0].expected, found[0].severity) == (folder, Severity.ERROR)


def test_a_port_that_is_taken(migrator: Migrator, site: Site) -> None:
    guest = site.guest()
    # The core finds it, and the address too: it has a shell on beta, by the same ssh.
    with site.beta.start("exec python3 -m http.server 49301") as server:
        until(lambda: 49301 in site.beta.listening(), "something listens")
        plan = migrator.plan(
            guest.name,
            site.alpha.uri,
            site.beta.uri,
            migration="vboxmigr://beta:49301/",
            listen_address="10.79.0.77",
        )
        found = {each.id for each in migrator.check(plan).findings}
        for number, line in site.beta.processes().items():
            if "http.server" in line:
                site.beta.kill(number)
        server.communicate(timeout=10)

    assert {"data-port-taken", "listen-address-elsewhere"} <= found


def test_a_tunnel_as_the_plan_names_it(migrator: Migrator, site: Site) -> None:
    guest = site.guest()
    plan = migrator.plan(
        guest.name,
        site.alpha.uri,
        site.beta.uri,
        live=True,
        migration="vboxmigr://127.0.0.1:49310/",
        listen_address="127.0.0.1",
    )
    closed = migrator.check(plan)
    # The hosts have no ssh of their own: ours, in alpha's network, as if it were alpha's.
    inside = ["nsenter", f"--net=/proc/{site.alpha.process.pid}/ns/net"]
    ssh = ["ssh", "-F", str(site.folder / "ssh_config"), "-N", "-L", "49310:127.0.0.1:49310"]
    with subprocess.Popen([*inside, *ssh, "vbox@beta"]) as tunnel:
        try:
            until(lambda: 49310 in site.alpha.listening(), "the tunnel is open")
            found = migrator.check(plan).findings
            outcome = migrator.run(plan)
        finally:
            tunnel.terminate()
    errors = [each for each in found if each.severity is Severity.ERROR]

    assert [each.id for each in closed.findings if each.blocks] == ["tunnel-missing"]
    assert errors == []
    assert outcome.verdict is Verdict.DONE
    assert guest.counts(site.beta)


def test_a_refused_teleportation_is_explained(
    migrator: Migrator, site: Site, beta: VBoxSession
) -> None:
    guest = site.guest()
    uuid = registered(site, guest, beta)
    vbox(site.beta, f"modifyvm {uuid} --memory 24")
    plan = migrator.plan(guest.name, site.alpha.uri, site.beta.uri, live=True)

    outcome = migrator.run(plan, accept={"hardware-differs": "to see it refused"})

    assert outcome.verdict is Verdict.FAILED
    assert [each.id for each in outcome.diagnoses][:1] == ["vbox-memory-differs"]
    assert guest.counts(site.alpha)
