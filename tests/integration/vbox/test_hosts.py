"""What a session reads of real hosts and does there, over ssh and on the host itself."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy
import pytest
from vbox.site import PRIVATE, SHARED, VBOXMANAGE, Instance, until

import migrate_plugins
import migrate_plugins_vbox
from migrate_plugins import AuthenticationError, ConnectError, DriverError, GuestFacts, GuestState
from migrate_plugins_vbox.machine import Disk
from migrate_plugins_vbox.runner import Answer
from migrate_plugins_vbox.session import connect
from migrate_plugins_vbox.settings import read_settings, settings_path, write_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vbox.site import Host, Site

    from migrate_plugins_vbox.machine import Machine
    from migrate_plugins_vbox.session import VBoxSession

SECOND = Instance("/home/vbox/second", "second")
PASSWORD = "correct horse, battery"  # noqa: S105 - of a guest that lives for a second
PORT = 49300

# fmt: off
NAMES = [
    "web1",
    'say "web" = {ü}',
    " leading, trailing. ",
    "a/b\\c$HOME`id`;'",
    "日本語 web",
    "*",
    "-n",
    # The uuid of another machine, and none.
    "5e33208d-62f0-40c4-b2ca-d4972bdfc12a",
]
# fmt: on


@contextmanager
def opened(uri: str) -> Iterator[VBoxSession]:
    session = connect(uri)
    try:
        yield session
    finally:
        session.close()


@pytest.fixture
def alpha(site: Site) -> Iterator[VBoxSession]:
    with opened(site.alpha.uri) as session:
        yield session


@pytest.fixture
def beta(site: Site) -> Iterator[VBoxSession]:
    with opened(site.beta.uri) as session:
        yield session


def facts(session: VBoxSession, name: str) -> GuestFacts:
    found = session.guest(name)
    assert found is not None
    return found


def machine(session: VBoxSession, name: str) -> Machine:
    found = session.manage.machine_named(name)
    assert found is not None
    return found


def connections(host: Host) -> int:
    """How many people have logged in over ssh."""
    return sum("sshd-session: vbox@" in line for line in host.processes().values())


def test_a_host_says_who_it_is(site: Site, alpha: VBoxSession) -> None:
    version = site.alpha.manage("--version").strip()
    host = alpha.host()

    assert (host.name, host.inventory) == ("alpha", None)
    assert host.hypervisor == f"VirtualBox {version.partition('_')[0]}"
    assert host.daemon == f"VBoxManage {version}"
    assert alpha.found.vboxmanage == VBOXMANAGE
    assert alpha.found.home == "/home/vbox/.config/VirtualBox"
    assert alpha.found.machine_folder == "/home/vbox/VirtualBox VMs"


def test_two_virtualboxes_of_one_user_are_two_hosts(site: Site) -> None:
    uris = [site.alpha.uri, site.alpha.uri_of(SECOND), site.beta.uri, site.beta.uri_of(SECOND)]
    uuids = []
    for uri in uris * 2:
        with opened(uri) as session:
            uuids.append(session.host().uuid)

    assert uuids[:4] == uuids[4:]
    assert len(set(uuids)) == 4


def test_a_guest_is_found_by_its_name_alone(site: Site, alpha: VBoxSession) -> None:
    made = [f"--name={name}{end}" for name in NAMES for end in ("x", "")]
    site.alpha.run(
        "\n".join(shlex.join([VBOXMANAGE, "createvm", each, "--register"]) for each in made)
    )

    for name in NAMES:
        found = facts(alpha, name)

        assert alpha.guest_by_uuid(found.uuid) == found
        assert (found.name, found.state, found.persistent) == (name, GuestState.SHUTOFF, True)
        assert alpha.guest(found.uuid) is None
        assert alpha.guest(f"{name}y") is None
    assert alpha.guest_by_uuid("5e33208d-62f0-40c4-b2ca-d4972bdfc12a") is None


def test_two_machines_of_one_name_are_told(site: Site, alpha: VBoxSession) -> None:
    for folder in ("one", "two"):
        site.alpha.manage(
            "createvm", "--name", "web1", "--basefolder", f"{PRIVATE}/{folder}", "--register"
        )
    uuids = list(site.alpha.machines().values())
    listed = site.alpha.manage("list", "vms")

    with pytest.raises(DriverError) as caught:
        alpha.guest("web1")

    assert caught.value.problem.startswith("2 machines there have that name: ")
    assert all(uuid in caught.value.problem for uuid in uuids)
    assert listed.count('"web1"') == 2
    site.clean()


def test_a_machine_without_its_settings_file_is_not_taken_for_gone(
    site: Site, alpha: VBoxSession
) -> None:
    site.alpha.manage("createvm", "--name", "web1", "--register")
    found = machine(alpha, "web1")
    until(lambda: "VBoxSVC" not in str(site.alpha.processes()), "it reads all anew", seconds=45)
    site.alpha.path(found.settings_file).rename(site.alpha.path(f"{found.settings_file}.away"))

    with pytest.raises(DriverError) as caught:
        alpha.guest_by_uuid(found.uuid)

    assert "cannot be read there" in caught.value.problem
    site.alpha.path(f"{found.settings_file}.away").rename(site.alpha.path(found.settings_file))


def test_states_are_read_as_they_come(site: Site, alpha: VBoxSession) -> None:
    guest = site.guest(start=False)

    def control(word: str) -> None:
        site.alpha.manage("controlvm", guest.name, word)

    def kill() -> None:
        site.alpha.kill(site.alpha.headless(guest.name))

    def discard() -> None:
        site.alpha.manage("discardstate", guest.name)

    def start() -> None:
        guest.start(site.alpha)

    # fmt: off
    steps: list[tuple[Callable[[], None], GuestState, str | None]] = [
        # what is done, what is read afterwards
        (lambda: None,                 GuestState.SHUTOFF, None),
        (start,                        GuestState.RUNNING, None),
        (lambda: control("pause"),     GuestState.PAUSED,  None),
        (lambda: control("savestate"), GuestState.SHUTOFF, "saved"),
        (discard,                      GuestState.SHUTOFF, None),
        (start,                        GuestState.RUNNING, None),
        (kill,                         GuestState.CRASHED, "aborted"),
    ]
    # fmt: on
    for number, (step, state, reason) in enumerate(steps):
        step()

        def read(state: GuestState = state, reason: str | None = reason) -> bool:
            found = facts(alpha, guest.name)
            return (found.state, found.reason, found.memory) == (state, reason, 16 * 1024)

        until(read, f"after step {number} it is {state} ({reason})")


def test_what_is_shown_and_what_is_stored_say_the_same(site: Site, alpha: VBoxSession) -> None:
    guest = site.guest(start=False)
    site.alpha.run(
        f"""
        v() {{ {VBOXMANAGE} -q "$@" >/dev/null 2>&1; }}
        cd {PRIVATE}
        v storagectl {guest.name} --name 'S "x"-1-0' --add sata --portcount 2
        v createmedium disk --filename {PRIVATE}/second.vdi --size 1
        v storageattach {guest.name} --storagectl 'S "x"-1-0' --port 1 --type hdd \\
            --medium {PRIVATE}/second.vdi
        v storageattach {guest.name} --storagectl IDE --port 1 --device 0 --type dvddrive \\
            --medium emptydrive
        truncate -s 1M cd.iso; truncate -s 1440K floppy.img
        v storageattach {guest.name} --storagectl IDE --port 1 --device 1 --type dvddrive \\
            --medium {PRIVATE}/cd.iso
        v storagectl {guest.name} --name Floppy --add floppy
        v storageattach {guest.name} --storagectl Floppy --port 0 --device 0 --type fdd \\
            --medium {PRIVATE}/floppy.img
        v modifyvm {guest.name} --description 'first
name="other"
UUID="5e33208d-62f0-40c4-b2ca-d4972bdfc12a" \\'
        v snapshot {guest.name} take 'one "1"'
        v snapshot {guest.name} take two
        """
    )

    found = machine(alpha, guest.name)
    stored = read_settings(alpha.manage.settings(found), str(Path(found.settings_file).parent))

    assert (found.name, found.uuid) == (guest.name, site.alpha.machines()[guest.name])
    assert (stored.name, stored.uuid, stored.engine) == (found.name, found.uuid, "Interpreter")
    assert found.snapshots == ('one "1"', "two")
    assert stored.uncarried == ('the machine has snapshots (one "1", two)',)
    assert found.values["description"].endswith('2bdfc12a" \\')
    kinds = [medium.kind for medium in stored.media]
    assert (kinds.count("DVD"), kinds.count("Floppy")) == (1, 1)
    where = {medium.uuid: medium.location for medium in stored.media if medium.kind == "HardDisk"}
    parents = [medium.parent for medium in stored.media if medium.kind == "HardDisk"]
    assert parents.count(None) == 2
    assert [(disk.controller, disk.port, disk.device) for disk in found.disks] == [
        ("IDE", 0, 0),
        ('S "x"-1-0', 1, 0),
    ]
    # What is attached are differences to what was, since there are snapshots.
    assert all(where[disk.uuid] == disk.location for disk in found.disks)
    assert {disk.uuid for disk in found.disks}.isdisjoint(parents)


def test_a_target_is_registered_as_the_same_machine_and_put_back(
    site: Site, alpha: VBoxSession, beta: VBoxSession
) -> None:
    guest = site.guest(start=False)
    source = machine(alpha, guest.name)
    text = alpha.manage.settings(source)
    path = settings_path(beta.found.machine_folder, "web two")

    target = write_target(text, str(Path(source.settings_file).parent), name="web two")
    beta.manage.register(path, target, source=text)
    made = machine(beta, "web two")
    there = facts(beta, "web two")
    with pytest.raises(DriverError) as again:
        beta.manage.register(path, target, source=text)
    beta.manage.mark(made.uuid, False)
    kept = facts(beta, "web two")
    beta.manage.unregister(made.uuid, remove=path)

    assert (made.uuid, made.settings_file, made.marked) == (source.uuid, path, True)
    assert (there.persistent, kept.persistent) == (False, True)
    assert (
        made.disks
        == source.disks
        == (Disk("IDE", 0, 0, source.disks[0].uuid, f"{SHARED}/{guest.name}.vdi"),)
    )
    differing = {
        key
        for key in {**source.values, **made.values}
        if source.values.get(key) != made.values.get(key)
    }
    assert differing <= {
        *("name", "CfgFile", "SnapFldr", "LogFldr", "NvramFile", "VMStateChangeTime"),
        "rec_screen_dest_filename",
    }
    assert f"a machine with the uuid {source.uuid} is registered there" in again.value.problem
    assert beta.guest("web two") is None
    assert not site.beta.path(path).exists()
    assert site.beta.path(guest.disk).exists()


def test_no_file_of_another_machine_is_written_over(
    site: Site, alpha: VBoxSession, beta: VBoxSession
) -> None:
    guest = site.guest(start=False)
    site.beta.manage(
        "createvm", "--name", guest.name
    )  # its file is there, and it is not registered
    source = machine(alpha, guest.name)
    text = alpha.manage.settings(source)
    path = settings_path(beta.found.machine_folder, guest.name)
    before = site.beta.path(path).read_text()

    with pytest.raises(DriverError) as caught:
        beta.manage.register(path, write_target(text, "/"))

    assert caught.value.problem == f"{path} is the file of another machine: move it away"
    assert site.beta.path(path).read_text() == before


def test_the_settings_of_the_source_are_not_written_over_in_a_folder_that_both_share(
    site: Site, alpha: VBoxSession, beta: VBoxSession
) -> None:
    guest = site.guest(start=False)
    source = machine(alpha, guest.name)
    text = alpha.manage.settings(source)
    path = settings_path(beta.found.machine_folder, guest.name)
    site.beta.run(f"mkdir -p {shlex.quote(str(Path(path).parent))}")
    site.beta.run(f"cat >{shlex.quote(path)}", stdin=text)

    with pytest.raises(DriverError) as caught:
        beta.manage.register(path, write_target(text, "/"), source=text)

    assert "the source's own file" in caught.value.problem
    assert site.beta.path(path).read_text() == text


def test_an_older_file_of_the_same_machine_is_kept_and_put_back(
    site: Site, alpha: VBoxSession, beta: VBoxSession
) -> None:
    guest = site.guest(start=False)
    source = machine(alpha, guest.name)
    text = alpha.manage.settings(source)
    path = settings_path(beta.found.machine_folder, guest.name)
    old = write_target(text, "/").replace("Interpreter", "Default")
    site.beta.run(f"mkdir -p {shlex.quote(str(Path(path).parent))}")
    site.beta.run(f"cat >{shlex.quote(path)}", stdin=old)

    beta.manage.register(path, write_target(text, "/"), source=text)
    there = beta.manage.settings(machine(beta, guest.name))
    beta.manage.unregister(source.uuid, remove=path)

    assert "Interpreter" in there
    assert site.beta.path(path).read_text() == old


def test_a_target_that_virtualbox_refuses_leaves_nothing_behind(
    site: Site, alpha: VBoxSession, beta: VBoxSession
) -> None:
    guest = site.guest(start=False)
    # A copy of its disk is known there already.
    site.beta.run(
        f"""
        cp {guest.disk} {PRIVATE}/copy.vdi
        v() {{ {VBOXMANAGE} -q "$@"; }}
        v createvm --name other --register
        v storagectl other --name IDE --add ide
        v storageattach other --storagectl IDE --port 0 --device 0 --type hdd \\
            --medium {PRIVATE}/copy.vdi
        """
    )
    text = write_target(alpha.manage.settings(machine(alpha, guest.name)), "/")
    path = settings_path(beta.found.machine_folder, guest.name)

    with pytest.raises(DriverError) as caught:
        beta.manage.register(path, text)

    assert "compare VBoxManage list hdds on both hosts" in caught.value.problem
    assert [*site.beta.machines()] == ["other"]
    assert not [*site.beta.path(path).parent.glob("*")]


def test_errors_are_virtualboxs_own_words(site: Site, alpha: VBoxSession) -> None:
    guest = site.guest()
    uuid = facts(alpha, guest.name).uuid

    with pytest.raises(DriverError) as caught:
        alpha.manage.resume(uuid)

    assert str(caught.value) == (
        f"resuming {uuid} failed: Cannot resume the machine as it is not paused"
        " (machine state: Running)"
    )
    assert caught.value.code == 0x80BB0002  # VBOX_E_INVALID_VM_STATE


def test_everything_of_a_session_goes_through_one_connection(site: Site) -> None:
    with opened(site.alpha.uri) as session:
        jobs = [session.manage.runner.start("exec sleep 0.2") for _ in range(3)]
        for _ in range(3):
            session.guest("web1")
        during = connections(site.alpha)
        answers = [job.wait(5) for job in jobs]
    until(lambda: connections(site.alpha) == 0, "the connection ends with the session")

    assert during == 1
    assert [answer and answer.status for answer in answers] == [0, 0, 0]


def test_what_a_session_reads_may_be_asked_by_many_at_once(site: Site, alpha: VBoxSession) -> None:
    guest = site.guest()

    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(alpha.guest, [guest.name] * 24))

    assert len(seen) == 1
    assert None not in seen


def test_a_login_shell_that_talks_is_not_heard(site: Site) -> None:
    site.alpha.run("echo 'echo Welcome to alpha; echo more >&2' >~/.bashrc")

    with opened(site.alpha.uri) as session:
        host = session.host()
        job = session.manage.runner.start("echo done")
        answer = job.wait(5)

    assert host.name == "alpha"
    assert answer is not None
    assert answer.output == "done\n"


def cut(host: Host) -> None:
    """End every connection over ssh."""
    numbers = [number for number, line in host.processes().items() if "vbox@" in line]
    host.run(f"kill -KILL {' '.join(map(str, numbers))}", root=True)


def test_only_what_reads_is_asked_again_where_the_connection_breaks(
    site: Site, alpha: VBoxSession
) -> None:
    site.guest("web1", start=False)
    told = f"{PRIVATE}/told"

    cut(site.alpha)
    before = alpha.guest("web1")  # its connection is gone before it asks
    with ThreadPoolExecutor() as pool:
        changing = pool.submit(alpha.manage.runner.run, f"echo once >>{told}; sleep 3")
        until(site.alpha.path(told).exists, "it has begun")
        cut(site.alpha)
        broken = changing.result()
    after = alpha.guest("web1")

    assert before is not None
    assert before == after
    assert (broken.status, broken.broken) == (None, True)
    assert site.alpha.path(told).read_text() == "once\n"


def test_a_script_that_takes_too_long_breaks_no_connection(site: Site, alpha: VBoxSession) -> None:
    answer = alpha.manage.runner.run("sleep 3", seconds=0.5)
    after = alpha.manage.runner.run("echo done")

    assert answer == Answer(None, "", "no answer within 0.5 s")
    assert after == Answer(0, "done\n", "")
    assert connections(site.alpha) == 1


def test_a_host_that_falls_silent_for_a_moment_is_waited_for_no_longer_than_said(
    site: Site, alpha: VBoxSession
) -> None:
    site.alpha.run("ip link set eth0 down", root=True)
    begun = time.monotonic()
    try:
        silent = alpha.manage.runner.run("echo done", seconds=1)
        took = time.monotonic() - begun
    finally:
        site.alpha.run("ip link set eth0 up", root=True)
    after = alpha.manage.runner.run("echo done")

    assert silent == Answer(None, "", "no answer within 1 s")
    assert took < 5
    assert after == Answer(0, "done\n", "")


# fmt: off
AWAY = [
    # URI                                        what is said
    ("vbox+ssh://vbox@nowhere.invalid/session",  "the name nowhere.invalid is not known"),
    ("vbox+ssh://vbox@beta:2222/session",        "nobody listens there"),
    ("vbox+ssh://vbox@10.79.0.77/session",       "10.79.0.77 cannot be reached"),
]
# fmt: on


@pytest.mark.parametrize(("uri", "problem"), AWAY)
def test_a_host_that_cannot_be_reached(site: Site, uri: str, problem: str) -> None:
    with pytest.raises(ConnectError) as caught:
        connect(f"{uri}?command={site.alpha.uri.partition('command=')[2]}")

    assert not isinstance(caught.value, AuthenticationError)
    assert problem in caught.value.problem


def test_a_host_with_an_unknown_key_is_not_entered(site: Site, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.touch()

    with pytest.raises(AuthenticationError) as caught:
        connect(f"{site.alpha.uri}&known_hosts={known}")
    with opened(f"{site.alpha.uri}&known_hosts={known}&no_verify=1") as session:
        name = session.host().name

    assert "the host key of alpha is not known: log in once by hand" in caught.value.problem
    assert name == "alpha"


def test_a_host_with_another_key_is_not_entered(site: Site, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    key = site.beta.path("/etc/ssh/ssh_host_ed25519_key.pub").read_text()
    known.write_text(f"alpha {key}")

    with pytest.raises(AuthenticationError) as caught:
        connect(f"{site.alpha.uri}&known_hosts={known}")

    assert "the host key of alpha is not the one that is known" in caught.value.problem


def test_a_user_that_is_not_let_in(site: Site) -> None:
    with pytest.raises(AuthenticationError) as caught:
        connect(site.alpha.uri.replace("vbox@", "root@"))

    assert "alpha does not let root in" in caught.value.problem


def test_a_host_without_virtualbox(site: Site) -> None:
    with pytest.raises(ConnectError) as caught:
        connect(f"{site.alpha.uri}&vboxmanage=/opt/nothing/VBoxManage")

    assert "there is no VBoxManage on alpha (looked for /opt/nothing/VBoxManage)" in str(
        caught.value
    )


def test_settings_that_cannot_be_written(site: Site) -> None:
    with pytest.raises(ConnectError) as caught:
        connect(site.alpha.uri_of(Instance("/root/vbox", "other")))

    assert "VirtualBox does not start on alpha" in caught.value.problem
    assert "/root/vbox" in caught.value.problem


def test_the_wrapper_that_warns_is_understood(site: Site) -> None:
    guest = site.guest(start=False)
    warned = site.alpha.run("/usr/bin/VBoxManage --version")

    with opened(f"{site.alpha.uri}&vboxmanage=/usr/bin/VBoxManage") as session:
        host = session.host()
        found = facts(session, guest.name)

    assert warned.startswith("WARNING: The character device")
    assert host.daemon == f"VBoxManage {site.alpha.manage('--version').strip()}"
    assert found.name == guest.name


def test_another_virtualbox_is_not_taken_for_the_one_that_was_meant(site: Site) -> None:
    with opened(site.alpha.uri_of(SECOND)):
        with pytest.raises(ConnectError) as home:
            connect(site.alpha.uri_of(SECOND._replace(socket_id="third")))
        with pytest.raises(ConnectError) as socket:
            connect(site.alpha.uri_of(SECOND._replace(home="/home/vbox/third")))

    assert "answers as second: give ipc_socketid=second" in home.value.problem
    assert "has its settings in /home/vbox/second" in socket.value.problem


def test_a_port_that_is_listened_on_is_seen(site: Site, alpha: VBoxSession) -> None:
    before = alpha.listening()
    listener = site.alpha.start(
        'exec python3 -c \'import socket; a = socket.create_server(("127.0.0.1", 49300));'
        ' b = socket.create_server(("::", 49301), family=socket.AF_INET6); input()\''
    )
    until(lambda: len(alpha.listening()) > len(before) + 1, "both are listened on")
    during = alpha.listening()
    listener.communicate("\n")

    assert during - before == {49300, 49301}
    assert 22 in before


def test_a_password_is_in_no_argument_and_in_no_environment(site: Site) -> None:
    guest = site.guest(start=False)
    log = f"{PRIVATE}/log"
    spy = f"{PRIVATE}/VBoxManage"
    script = f'#!/bin/sh\nprintf "%s\\n" "$@" >>{log}\nenv >>{log}\nexec {VBOXMANAGE} "$@"\n'
    site.alpha.run(f"cat >{spy}; chmod +x {spy}", stdin=script)

    with opened(f"{site.alpha.uri}&vboxmanage={spy}") as session:
        uuid = facts(session, guest.name).uuid
        session.manage.teleporter_on(uuid, port=PORT, address="127.0.0.1", password=PASSWORD)
        job = session.manage.teleport(
            uuid, host="127.0.0.1", port=PORT, password=PASSWORD, max_downtime=None
        )
        job.wait(10)
        found = machine(session, guest.name)
        session.manage.teleporter_off(uuid)
        off = machine(session, guest.name)
    logged = site.alpha.path(log).read_text()

    assert (found.teleporter, found.teleporter_port, found.teleporter_address) == (
        True,
        PORT,
        "127.0.0.1",
    )
    assert found.values["teleporterpassword"].startswith("#SHA-512##")
    assert not off.teleporter
    assert logged.count("stdin") == 2
    assert PASSWORD not in logged


# A client by itself: it starts a job where its URI leads, says so, and does nothing more.
CLIENT = """
import sys, time
from migrate_plugins_vbox.session import connect

session = connect(sys.argv[1])
job = session.manage.runner.start(sys.argv[2], input=sys.argv[3])
print(session.host().name, flush=True)
time.sleep(60)
"""


def client(uri: str, script: str, given: str = "") -> list[str]:
    return [sys.executable, "-c", CLIENT, uri, script, given]


def test_a_job_goes_on_where_its_client_is_killed(site: Site) -> None:
    told = f"{PRIVATE}/told"
    script = f"read word; echo said; echo more >&2; sleep 2; echo $word >{told}"
    process = subprocess.Popen(
        client(site.alpha.uri, script, "given\n"), stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.kill()
    # What it talked through ends with what it started, and not before.
    early = site.alpha.path(told).exists()
    until(lambda: connections(site.alpha) == 0, "its connection ends")
    late = site.alpha.path(told).read_text()

    assert first == "alpha\n"
    assert not early
    assert late == "given\n"
    assert not [*site.alpha.path("/tmp").glob("migrate-plugins.*")]  # noqa: S108 - the host's


def test_a_client_that_is_killed_leaves_no_connection(site: Site) -> None:
    process = subprocess.Popen(client(site.alpha.uri, "exit 0"), stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        during = connections(site.alpha)
        process.kill()
    until(lambda: connections(site.alpha) == 0, "its connection ends")

    assert during == 1


def test_a_job_is_interrupted_as_the_program_itself(alpha: VBoxSession) -> None:
    caught = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit('interrupted'))\n"
        "print('waiting', flush=True)\n"
        "time.sleep(20)\n"
    )

    job = alpha.manage.runner.start(f"exec python3 -c {shlex.quote(caught)}")
    early = job.wait(0.5)
    job.interrupt()
    answer = job.wait(5)
    job.interrupt()  # it has ended: nothing happens

    assert early is None
    assert answer == Answer(1, "waiting\n", "interrupted\n")
    assert job.poll() == answer


def test_a_job_is_interrupted_though_the_connection_to_it_broke(
    site: Site, alpha: VBoxSession
) -> None:
    told = f"{PRIVATE}/told"
    caught = (
        "import signal, time\n"
        f"signal.signal(signal.SIGINT, lambda *_: exit(open({told!r}, 'w').write('interrupted')))\n"
        "time.sleep(20)\n"
    )
    job = alpha.manage.runner.start(f"exec python3 -c {shlex.quote(caught)}")
    time.sleep(0.5)

    cut(site.alpha)
    broken = job.wait(5)
    job.interrupt()
    until(site.alpha.path(told).exists, "it is interrupted")
    until(
        lambda: not [*site.alpha.path("/tmp").glob("migrate-plugins.*")],  # noqa: S108 - the host's
        "its folder is gone",
    )
    job.interrupt()

    assert broken is not None
    assert (broken.status, broken.broken) == (None, True)


def test_a_job_that_is_abandoned_goes_on(site: Site, alpha: VBoxSession) -> None:
    told = f"{PRIVATE}/told"
    job = alpha.manage.runner.start(f"sleep 1; head -c 300000 /dev/zero; echo done >{told}")

    job.abandon()
    until(site.alpha.path(told).exists, "it goes on")

    assert job.poll() == Answer(None, "", "nobody listens to it any more")


def test_a_job_may_say_much(alpha: VBoxSession) -> None:
    job = alpha.manage.runner.start("head -c 300000 /dev/zero | tr '\\0' x; exit 3")
    answer = job.wait(10)

    assert answer == Answer(3, "x" * 300_000, "")


# Runs on a host itself, where nothing but Python is: what is read there, and a job.
LOCAL = """
import json, sys
from migrate_plugins_vbox.session import connect

session = connect(sys.argv[1])
guest = session.guest(sys.argv[2])
job = session.manage.runner.start("read word; echo $word; exit 3", input="given\\n")
session.close()
print(json.dumps([session.host(), guest, job.wait(5)]))
"""


def test_on_the_host_itself_the_same_is_read(site: Site, alpha: VBoxSession) -> None:
    guest = site.guest()
    folder = site.alpha.path(PRIVATE)
    for package in (pluggy, migrate_plugins, migrate_plugins_vbox):
        source = Path(package.__file__ or "").parent
        shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("*.pyc"))
    words = ["python3", "-B", "-W", "error", "-c", LOCAL, "vbox:///session", guest.name]

    said = json.loads(site.alpha.run(f"PYTHONPATH={PRIVATE} {shlex.join(words)}"))

    assert said == json.loads(
        json.dumps([alpha.host(), facts(alpha, guest.name), Answer(3, "given\n", "")])
    )
