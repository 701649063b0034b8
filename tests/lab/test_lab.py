"""The life of a lab: it comes up once, and nothing of it outlives its end, however that comes."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrate_plugins_lab import daemon
from migrate_plugins_lab.errors import ArgumentError, DaemonError, DownError, ShapeError
from migrate_plugins_lab.folder import Folder
from migrate_plugins_lab.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOBODY = 65534

STRANGER = """
from migrate_plugins_lab import Lab

lab = Lab.up("stranger")
try:
    alpha, beta = lab.hosts
    guest = lab.guest("web1", dirty=4)
    alpha.virsh("migrate", "--live", "--p2p", "web1", beta.peer_uri)
    guest.wait_for_ticks()
    print(guest.continuity().unbroken)
finally:
    lab.down()
"""


def population(lab: Lab) -> str:
    """What all processes of a lab, and no others, have in common."""
    return str(Path(f"/proc/{lab.anchor.process.pid}/ns/pid").readlink())


def census(namespace: str) -> list[int]:
    """The processes that live in a process-id namespace."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if str((folder / "ns/pid").readlink()) == namespace:
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def machine() -> tuple[object, ...]:
    """What of the machine itself a lab might spoil: libvirt's files, mounts, network, name."""
    files = [
        (str(path), path.lstat().st_mtime_ns)
        for target in [*daemon.PRIVATE, "/run/libvirt"]
        if target != "/run"
        for path in [Path(target), *Path(target).rglob("*")]
        if path.exists()
    ]
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    links = Path("/proc/net/dev").read_text(encoding="ascii")
    names = [line.partition(":")[0] for line in links.splitlines()]
    return sorted(files), mounts, names, socket.gethostname()


def eventually(holds: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    give_up = time.monotonic() + seconds
    while not holds():
        if time.monotonic() >= give_up:
            return False
        time.sleep(0.02)
    return True


def extinct(namespace: str) -> bool:
    """Whether nothing lives there: soon, for the dead are listed until their parent has looked."""
    return eventually(lambda: census(namespace) == [])


@pytest.mark.parametrize("hosts", [-1, 0, 1, 9])
def test_a_number_of_hosts_that_cannot_be_is_refused(labs: Path, hosts: int) -> None:
    with pytest.raises(ArgumentError, match="2 to 8 works"):
        Lab.up(hosts=hosts)

    assert not labs.exists()


@pytest.mark.parametrize(
    ("kind", "hosts", "hint"), [("xen", 3, "2 works"), ("kvm", 2, "qemu, xen")]
)
def test_a_kind_of_hosts_that_cannot_be_is_refused(
    labs: Path, kind: str, hosts: int, hint: str
) -> None:
    with pytest.raises(ArgumentError, match=hint):
        Lab.up(hosts=hosts, kind=kind)

    assert not labs.exists()


def test_an_owner_that_is_no_process_is_refused_and_leaves_nothing(labs: Path) -> None:
    with pytest.raises(ArgumentError, match="no process has this number"):
        Lab.up(owner=2**22 + 1)

    assert list(labs.iterdir()) == []


def test_a_lab_that_is_not_up_cannot_be_opened_and_need_not_be_ended(labs: Path) -> None:
    with pytest.raises(DownError) as caught:
        Lab.open()

    assert str(caught.value) == (
        "lab 'default' is not up; `migrate-plugins lab up --lab default` starts it"
    )
    assert not Lab.end()
    assert list(labs.iterdir()) == []


@pytest.mark.integration
def test_a_lab_comes_up_once_and_goes_down_whole(labs: Path) -> None:
    lab = Lab.up(hosts=3)
    lab.guest("web1", host="gamma")
    assert Lab.up(hosts=3) == lab == Lab.open()
    with pytest.raises(ShapeError) as caught:
        Lab.up(hosts=2)
    assert caught.value.running == "3 rootless hosts"
    assert caught.value.wanted == "2 rootless hosts"

    namespace = population(lab)
    # init, three holders, three libvirtd and a QEMU at the least
    assert len(census(namespace)) >= 8
    lab.down()
    assert extinct(namespace)
    assert list(labs.iterdir()) == []
    lab.down()


@pytest.mark.integration
def test_two_labs_know_nothing_of_each_other(labs: Path) -> None:
    with ThreadPoolExecutor() as workers:
        first, second = workers.map(Lab.up, ["first", "second"])
    for lab in (first, second):
        lab.guest("web1")
    first.host("alpha").virsh("migrate", "--live", "--p2p", "web1", first.host("beta").peer_uri)

    assert first.host("beta").peer_uri == second.host("beta").peer_uri
    assert first.host("beta").virsh("list", "--name").split() == ["web1"]
    assert second.host("beta").virsh("list", "--name").split() == []
    first.down()
    assert second.host("alpha").virsh("domstate", "web1").strip() == "running"
    assert labs.exists()


@pytest.mark.integration
@pytest.mark.usefixtures("labs")
def test_two_who_bring_up_the_same_lab_at_once_get_the_same() -> None:
    with ThreadPoolExecutor() as workers:
        first, second = workers.map(Lab.up, ["default", "default"])

    assert first == second


@pytest.mark.integration
@pytest.mark.usefixtures("labs")
def test_a_crash_takes_all_with_it_and_the_lab_comes_up_again() -> None:
    lab = Lab.up()
    lab.guest("web1")
    namespace = population(lab)
    assert lab.anchor.process.kill()
    assert extinct(namespace)
    with pytest.raises(DownError, match="crashed"):
        Lab.open()

    assert Lab.up().host("alpha").virsh("list", "--all", "--name").split() == []


@pytest.mark.integration
def test_a_lab_ends_with_its_owner_and_is_swept_up_by_the_next(labs: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as owner:
        lab = Lab.up("owned", owner=owner.pid)
        namespace = population(lab)
        assert census(namespace) != []
        owner.kill()
    assert extinct(namespace)
    assert not lab.anchor.process.alive()

    Lab.up("other")
    assert [folder.name for folder in labs.glob("*/")] == ["other"]


@pytest.mark.integration
@pytest.mark.usefixtures("labs")
def test_a_lab_whose_folder_is_deleted_ends_by_itself() -> None:
    lab = Lab.up()
    namespace = population(lab)
    lab.folder.remove()

    assert extinct(namespace)


@pytest.mark.integration
@pytest.mark.usefixtures("labs")
def test_a_privileged_lab_leaves_the_machine_as_it_was() -> None:
    before = machine()
    lab = Lab.up(privileged=True)
    lab.guest("web1", disk=1, persistent=True)
    during = machine()
    lab.down()

    assert before == during == machine()


@pytest.mark.integration
def test_a_lab_whose_coming_up_is_killed_halfway_leaves_no_process(labs: Path) -> None:
    program = "from migrate_plugins_lab import Lab; Lab.up()"
    with subprocess.Popen([sys.executable, "-c", program]) as comer:
        folder = Folder(labs / "default")
        assert eventually((folder.host("alpha") / "libvirtd.pid").exists)
        # init is the one whose arguments name the folder
        namespaces = set()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended meanwhile
                if str(folder.path).encode() in (process / "cmdline").read_bytes():
                    namespaces.add(str((process / "ns/pid").readlink()))
        namespaces.remove(str(Path("/proc/self/ns/pid").readlink()))
        comer.kill()
    assert len(namespaces) == 1
    assert extinct(*namespaces)
    assert not folder.record.exists()

    Lab.up("other")
    assert not folder.path.exists()


@pytest.mark.integration
def test_a_daemon_that_does_not_start_is_quoted_and_leaves_nothing(
    labs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "configuration", lambda *_: 'listen_tcp = "perhaps"\n')
    with pytest.raises(DaemonError, match="expected a bool for 'listen_tcp'"):
        Lab.up()

    assert list(labs.iterdir()) == []


@pytest.fixture
def readable() -> Iterator[Path]:
    """A folder that every user can read: a checkout may lie in root's home."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.integration
def test_an_ordinary_user_has_a_lab_and_migrates(readable: Path) -> None:
    for package in ("migrate_plugins", "migrate_plugins_lab", "pluggy"):
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        shutil.copytree(Path(spec.origin).parent, readable / package)
    become = []
    if os.geteuid() == 0:
        become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(readable)}

    done = subprocess.run(
        [*become, python_for(become), "-c", STRANGER],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout == "True\n"


def python_for(become: list[str]) -> str:
    """A Python that the user can run: ours may lie in root's home."""
    # Asked of Python itself, since setpriv finds its program while it still is root.
    enough = "import os, sys; assert os.access(sys.executable, os.X_OK); import tomllib"
    for python in (sys.executable, "/usr/bin/python3"):
        argv = [*become, python, "-c", enough]
        if not subprocess.run(argv, capture_output=True, timeout=20, check=False).returncode:
            return python
    pytest.fail("no Python 3.11 that an ordinary user can run: install python3")
