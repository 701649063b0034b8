"""The hosts that the other tests stand on are what they are said to be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vbox import site as sites
from vbox import tool
from vbox.chroot import chroot
from vbox.site import BOOT, Instance, Site, until

from migrate_plugins import Verdict

if TYPE_CHECKING:
    from migrate_plugins import Migrator


def test_the_committed_boot_sector_is_what_its_source_assembles_to(tmp_path: Path) -> None:
    target, binary = tmp_path / "count.o", tmp_path / "count.bin"
    subprocess.run(["as", "--32", "-o", target, BOOT.with_suffix(".S")], check=True, timeout=20)
    link = ["ld", "-m", "elf_i386", "-Ttext", "0x7c00", "-e", "start", "--oformat", "binary"]
    subprocess.run([*link, "-o", binary, target], check=True, timeout=20)

    assert binary.read_bytes() == BOOT.read_bytes()
    assert len(BOOT.read_bytes()) == 512


def test_a_guest_counts(site: Site) -> None:
    guest = site.guest()

    assert guest.state(site.alpha) == "running"
    assert guest.counts(site.alpha)
    assert guest.life(site.alpha).unbroken


def test_hosts_have_the_shared_folder_in_common_and_nothing_else(site: Site) -> None:
    for folder in (sites.SHARED, sites.PRIVATE, "/home/vbox", "/run", "/etc"):
        site.alpha.run(f"echo here >{folder}/told.vdi", root=True)
        seen = site.beta.ask(f"cat {folder}/told.vdi").stdout == "here\n"
        site.alpha.run(f"rm {folder}/told.vdi", root=True)
        assert seen == (folder == sites.SHARED), folder
    assert [host.run("hostname; id -u") for host in site.hosts] == ["alpha\n4242\n", "beta\n4242\n"]


def test_host_that_has_another_key_is_refused(site: Site) -> None:
    client = site.folder / "client"
    words = [str(client), "-o", "BatchMode=yes", "-o", "HostKeyAlias=beta", "vbox@alpha", "true"]

    done = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)

    assert done.returncode == 255
    assert "Host key verification failed" in done.stderr


def test_a_stranger_is_noticed_and_cleaned_away(site: Site) -> None:
    site.alpha.run("python3 -m http.server 8000 >/dev/null 2>&1 & echo >/tmp/left")
    until(lambda: 8000 in site.alpha.listening(), "it listens")

    told = site.strangers(seconds=0)

    assert [line.split()[1] for line in told] == ["process", "port", "file"]
    site.clean()
    assert not site.strangers(seconds=0)


def test_site_ends_with_the_process_that_made_it(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from vbox.site import Site;"
        f"site = Site.up(Path({str(chroot())!r}), Path({str(tmp_path)!r})).__enter__();"
        "print(site.alpha.process.pid, site.beta.process.pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        numbers = [int(word) for word in owner.stdout.readline().split()]
        assert len(numbers) == 2
        owner.send_signal(signal.SIGKILL)
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in numbers), "all ended")


def test_guest_moves_between_two_virtualboxes_of_one_machine(
    migrator: Migrator, site: Site
) -> None:
    other = Instance("/home/vbox/other", "other")
    site.alpha.run("mkdir other")
    site.alpha.manage("setproperty", "machinefolder", "/home/vbox/other/machines", instance=other)
    guest = site.guest()
    planned = migrator.plan(guest.name, site.alpha.uri, site.alpha.uri_of(other), live=True)

    outcome = migrator.run(planned, accept={"same-host-name": "two on one machine"})

    assert (outcome.verdict, outcome.error) == (Verdict.DONE, None)
    assert site.alpha.state(guest.name) == "teleported"
    assert site.alpha.state(guest.name, other) == "running"
    assert guest.counts(site.alpha)


def test_guest_moves_by_the_command_on_its_own_host(site: Site) -> None:
    guest = site.guest()
    tool.install(site.alpha)
    words = ["migrate", guest.name, site.beta.peer_uri, "-c", "vbox:///session", "--live"]

    said = site.alpha.run(tool.command(*words), seconds=60)

    assert f"{guest.name} is on beta" in said
    assert guest.counts(site.beta)
    assert guest.life(site.alpha, site.beta).unbroken
    # The folders of its sockets, which is empty, and of the ports that are held stay.
    site.alpha.run(f"rmdir /tmp/migrate-plugins-vbox-{sites.USER_ID}; rm -r /tmp/migrate-plugins")
