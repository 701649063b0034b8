"""What the parsers are tried with is what VirtualBox says, recorded from real machines.

With ``RECORD=1`` in the environment the recordings are written anew; else they are compared, so
that a VirtualBox that says something else is noticed.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vbox.site import PRIVATE, VBOXMANAGE, until

if TYPE_CHECKING:
    from vbox.site import Host, Site

RECORDED: Final = Path(__file__).parents[2] / "drivers/vbox/recorded"

UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Differs each time, and what is written instead.
CHANGING: Final = (
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,18}"), "2026-11-28T08:39:47.000000000"),
    (re.compile(r"0800[0-9A-F]{8}"), "0800273C1618"),
    (re.compile(r"#SHA-512##[0-9a-f]+"), "#SHA-512##00"),
    (re.compile(r"^VideoMode=.*$", re.MULTILINE), 'VideoMode="720,400,0"@0,0 1'),
    (re.compile(r"^localhostReachable=.*$", re.MULTILINE), 'localhostReachable="0"'),
    (re.compile(r"^(GuestMemoryBalloon|VRDEClients=)=.*$", re.MULTILINE), r"\1=0"),
)


def recorded(host: Host, *words: str) -> str:
    """Give what VBoxManage says, with each uuid by its number and a time that stands still."""
    said = host.manage(*words)
    for changing, instead in CHANGING:
        said = changing.sub(instead, said)
    uuids = list(dict.fromkeys(UUID.findall(said)))
    return UUID.sub(lambda match: f"00000000-0000-4000-8000-{uuids.index(match[0]) + 1:012d}", said)


def compare(name: str, said: str) -> None:
    file = RECORDED / name
    if os.environ.get("RECORD"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(said, encoding="utf-8")
    assert said == file.read_text(encoding="utf-8")


def test_a_machine_with_devices_of_all_kinds(site: Site) -> None:
    name = 'say "web" = {ü}'
    disk, cd, floppy = (f"{PRIVATE}/{file}" for file in ("disk.vdi", "cd.iso", "floppy.img"))
    sata = 'S "x"-1-0'
    description = 'first\nname="other"\nUUID="none"\nVMState="running"\n\\ "last"'
    made = [
        ("createvm", "--name", name, "--ostype", "Other", "--register"),
        ("modifyvm", name, "--memory", "16", "--vram", "1", "--description", description),
        ("modifyvm", name, "--uart1", "0x3f8", "4", "--uart-mode1", "file", f"{PRIVATE}/console"),
        ("storagectl", name, "--name", "IDE", "--add", "ide"),
        ("storagectl", name, "--name", sata, "--add", "sata", "--portcount", "2"),
        ("storagectl", name, "--name", "Floppy", "--add", "floppy"),
        ("createmedium", "disk", "--filename", disk, "--size", "1"),
        *(
            ("storageattach", name, "--storagectl", *words)
            for words in (
                (sata, "--port", "1", "--type", "hdd", "--medium", disk),
                ("IDE", "--port", "1", "--device", "0", "--type", "dvddrive", "--medium", cd),
                (
                    *("IDE", "--port", "0", "--device", "1", "--type", "dvddrive"),
                    *("--medium", "emptydrive"),
                ),
                (
                    *("Floppy", "--port", "0", "--device", "0", "--type", "fdd"),
                    *("--medium", floppy),
                ),
            )
        ),
    ]
    site.alpha.run(f"truncate -s 1M {cd}; truncate -s 1440K {floppy}")
    site.alpha.run("\n".join(shlex.join([VBOXMANAGE, "-q", *words]) for words in made))

    compare("devices.txt", recorded(site.alpha, "showvminfo", name, "--machinereadable"))
    compare("list.txt", recorded(site.alpha, "list", "vms"))


def test_a_machine_with_snapshots(site: Site) -> None:
    guest = site.guest("web1", start=False)
    for name in ('one "1"', "two = 2", "three"):
        site.alpha.manage("snapshot", guest.name, "take", name, "--description", 'a\nname="b"')

    compare("snapshots.txt", recorded(site.alpha, "showvminfo", "web1", "--machinereadable"))


def test_a_machine_that_runs_is_paused_and_waits(site: Site) -> None:
    guest = site.guest("web1")
    show = ("showvminfo", "web1", "--machinereadable")
    compare("running.txt", recorded(site.alpha, *show))
    site.alpha.manage("controlvm", "web1", "pause")
    compare("paused.txt", recorded(site.alpha, *show))
    site.alpha.manage("controlvm", "web1", "poweroff")
    until(lambda: guest.state(site.alpha) == "poweroff", "it is off")
    words = (
        "--teleporter",
        "on",
        "--teleporter-port",
        "49300",
        "--teleporter-address",
        "127.0.0.1",
    )
    site.alpha.manage(
        "modifyvm", "web1", *words, "--teleporter-password-file", "stdin", stdin="secret\n"
    )
    waiting = site.alpha.start(f"{VBOXMANAGE} startvm web1 --type headless")
    until(lambda: 49300 in site.alpha.listening(), "it waits")
    compare("waiting.txt", recorded(site.alpha, *show))
    site.alpha.manage("startvm", "web1", "--type", "emergencystop")
    waiting.communicate(timeout=20)
