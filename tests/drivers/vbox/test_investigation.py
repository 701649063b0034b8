"""What is said of a teleportation after which no copy runs, and of a target that wrote why.

The hosts are fakes: a script that answers as VBoxManage does, run by this machine's own shell.
Real ones are in tests/integration/vbox.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import Access, DriverError
from migrate_plugins_vbox.investigation import investigate
from migrate_plugins_vbox.manage import Host, VBoxManage
from migrate_plugins_vbox.places import Place
from migrate_plugins_vbox.runner import LocalRunner
from migrate_plugins_vbox.session import VBoxSession

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from migrate_plugins import Migrator, Plan

UUID = "5e33208d-62f0-40c4-b2ca-d4972bdfc12a"
TOLD = """\
name="web1"
UUID="{uuid}"
LogFldr="{folder}"
memory=16
VMState="{state}"
storagecontrollername0="IDE"
storagecontrollertype0="PIIX4"
"IDE-0-0"="{folder}/web.vdi"
"IDE-ImageUUID-0-0"="6468b536-995c-449f-94c1-d637b92bc3ff"
"""
FAKE = """\
#!/bin/sh
case $1 in
  list) echo '"web1" {{{uuid}}}' ;;
  getextradata) echo 'No value set!' ;;
  showvminfo) cat {told} ;;
  *) exit 1 ;;
esac
"""
ERROR = DriverError("teleporting web1", problem="it was not said why")


@pytest.fixture
def access(tmp_path: Path) -> Callable[[str, str], Access]:
    def made(name: str, state: str) -> Access:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "web.vdi").write_text("image")
        told = folder / "told"
        told.write_text(TOLD.format(uuid=UUID, folder=folder, state=state))
        fake = folder / "VBoxManage"
        fake.write_text(FAKE.format(uuid=UUID, told=shlex.quote(str(told))))
        fake.chmod(0o755)
        place = Place.parse(f"vbox:///session?vboxmanage={fake}")
        found = Host(name, "", "7.2.22", "", "", "me", 0, str(fake))
        return Access(VBoxSession(place, VBoxManage(LocalRunner(), place), found))

    return made


@pytest.fixture
def plan(migrator: Migrator) -> Plan:
    return migrator.plan("web1", "vbox:///session", "vbox+ssh://beta/session")


def test_where_no_copy_runs_it_is_said_what_is_left(
    plan: Plan, access: Callable[[str, str], Access], tmp_path: Path
) -> None:
    found = investigate(plan, ERROR, access("alpha", "gurumeditation"), access("beta", "poweroff"))

    [lost] = found
    assert lost.id == "vbox-lost"
    assert f"{tmp_path}/alpha/web.vdi, last written 20" in lost.cause
    assert "started once, on alpha alone" in lost.cause
    assert [each.text.partition("VBoxManage ")[2] for each in lost.remedies] == [
        f"startvm {UUID} --type emergencystop",
        f"modifyvm {UUID} --teleporter off",
        f"startvm {UUID} --type headless",
    ]


@pytest.mark.parametrize("both", [("running", "poweroff"), ("teleported", "running")])
def test_where_a_copy_runs_nobody_is_told_to_start_one(
    plan: Plan, access: Callable[[str, str], Access], both: tuple[str, str]
) -> None:
    assert investigate(plan, ERROR, access("alpha", both[0]), access("beta", both[1])) == []


def test_setting_is_named_by_what_the_target_wrote(
    plan: Plan, access: Callable[[str, str], Access], tmp_path: Path
) -> None:
    here, there = access("alpha", "running"), access("beta", "poweroff")
    (tmp_path / "beta/VBox.log").write_text(
        "00:00:00.5 SSM: Saved state info:\n"
        "00:00:00.6 VMSetError: vga#0: VRAM size changed: config=0x800000 state=0x100000\n"
    )

    [named] = investigate(plan, ERROR, here, there)

    assert (named.id, named.finding) == ("vbox-device-differs", "hardware-differs")
    assert "--vram" in named.cause


def test_nothing_is_said_without_sessions(plan: Plan) -> None:
    assert investigate(plan, ERROR, Access(), Access()) == []
