"""What is asked of VBoxManage, and how a line for people is written."""

from __future__ import annotations

import shlex
import socket
import subprocess
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import ConnectError, DriverError
from migrate_plugins_vbox.manage import Host, VBoxManage
from migrate_plugins_vbox.places import Place
from migrate_plugins_vbox.runner import LocalRunner, open_runner
from migrate_plugins_vbox.session import VBoxSession

if TYPE_CHECKING:
    from pathlib import Path

UUID = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"

# fmt: off
LINES = [
    # URI, the line for: VBoxManage showvminfo "web 1"
    ("vbox:///session",              "VBoxManage showvminfo 'web 1'"),
    ("vbox:///session?user_home=/a%20b&ipc_socketid=c",
     "VBOX_USER_HOME='/a b' VBOX_IPC_SOCKETID=c VBoxManage showvminfo 'web 1'"),
    ("vbox:///session?vboxmanage=/opt/x/VBoxManage", "/opt/x/VBoxManage showvminfo 'web 1'"),
    ("vbox+ssh://h/session",         "ssh h 'VBoxManage showvminfo '\"'\"'web 1'\"'\"''"),
    ("vbox+ssh://u@h:22/session?user_home=/a",
     "ssh -p 22 -l u h 'VBOX_USER_HOME=/a VBoxManage showvminfo '\"'\"'web 1'\"'\"''"),
]

HOSTS = [
    # version as told, hypervisor
    ("7.2.22_Debianr175245", "VirtualBox 7.2.22"),
    ("7.0.14r161095",        "VirtualBox 7.0.14"),
    ("6.1.38_Ubuntur153438", "VirtualBox 6.1.38"),
    ("7.1.0_BETA2r164697",   "VirtualBox 7.1.0"),
]
# fmt: on


@pytest.mark.parametrize(("uri", "line"), LINES)
def test_a_line_for_people(uri: str, line: str) -> None:
    place = Place.parse(uri)

    assert VBoxManage(open_runner(place), place).command("showvminfo", "web 1") == line


def test_a_line_is_read_by_a_shell_as_it_was_meant(tmp_path: Path) -> None:
    spy = tmp_path / "VBoxManage 7"
    spy.write_text('#!/bin/sh\nprintf "%s\\n" "$VBOX_USER_HOME" "$@"\n')
    spy.chmod(0o700)
    place = Place(f"vbox:///session?vboxmanage={spy}", home="/a 'b'", vboxmanage=str(spy))
    words = ["showvminfo", 'it\'s "$HOME"', ""]

    line = VBoxManage(LocalRunner(), place).command(*words)
    said = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout

    assert said.split("\n")[:-1] == ["/a 'b'", *words]
    assert shlex.split(line)[0] == "VBOX_USER_HOME=/a 'b'"


@pytest.mark.parametrize(("version", "hypervisor"), HOSTS)
def test_a_host_is_told(version: str, hypervisor: str) -> None:
    place = Place.parse("vbox:///session")
    manage = VBoxManage(LocalRunner(), place)
    host = Host("alpha", "0123", version, "/h", "/m", "u", 1000, "/usr/bin/VBoxManage")

    facts = VBoxSession(place, manage, host).host()
    others = [
        VBoxSession(place, manage, other).host().uuid
        for other in (
            host._replace(machine_id="4567"),
            host._replace(uid=1001),
            host._replace(home="/other"),
        )
    ]

    assert (facts.name, facts.hypervisor, facts.daemon) == (
        "alpha",
        hypervisor,
        f"VBoxManage {version}",
    )
    assert len({facts.uuid, *others}) == 4


def test_what_is_no_vboxmanage_is_told(tmp_path: Path) -> None:
    spy = tmp_path / "VBoxManage"
    spy.write_text("#!/bin/sh\necho I am something else\n")
    spy.chmod(0o700)
    place = Place.parse(f"vbox:///session?vboxmanage={spy}")

    with pytest.raises(ConnectError) as caught:
        VBoxManage(LocalRunner(), place).host()

    assert "the host said what cannot be read" in caught.value.problem
    assert "I am something else" in caught.value.problem


def test_a_lock_is_waited_for_and_another_error_is_not(tmp_path: Path) -> None:
    spy = tmp_path / "VBoxManage"
    log = tmp_path / "log"
    spy.write_text(
        f"""#!/bin/sh
        echo "$1" >>{log}
        [ "$1" = controlvm ] && {{ echo "VBoxManage: error: no such thing" >&2; exit 1; }}
        [ "$(wc -l <{log})" -gt 2 ] && exit 0
        echo "VBoxManage: error: The machine 'x' is already locked by a session" >&2
        exit 1
        """
    )
    spy.chmod(0o700)
    manage = VBoxManage(LocalRunner(), Place.parse(f"vbox:///session?vboxmanage={spy}"))

    manage.teleporter_off("x")
    tries = log.read_text().split()
    with pytest.raises(DriverError) as caught:
        manage.resume("x")

    assert tries == ["modifyvm"] * 3
    assert caught.value.problem == "no such thing"
    assert log.read_text().split() == [*tries, "controlvm"]


# fmt: off
LATE = [
    # what the first does before it hangs      how often it is called
    ("has done its work",  'touch "$0.gone"',  1),
    ("has not done it",    ":",                2),
]
# fmt: on


@pytest.mark.parametrize(("work", "calls"), [row[1:] for row in LATE], ids=[row[0] for row in LATE])
def test_a_vboxmanage_that_does_not_end_is_called_again_only_if_it(
    tmp_path: Path, work: str, calls: int
) -> None:
    spy = tmp_path / "VBoxManage"
    spy.write_text(
        f"""#!/bin/sh
        case $1 in
          list) [ -e "$0.gone" ] || echo '"x" {{{UUID}}}' ;;
          unregistervm)
            echo "$2" >>"$0.log"
            [ "$(wc -l <"$0.log")" -eq 1 ] || {{ touch "$0.gone"; exit 0; }}
            {work}
            exec sleep 15 ;;
        esac
        """
    )
    spy.chmod(0o700)
    manage = VBoxManage(LocalRunner(), Place.parse(f"vbox:///session?vboxmanage={spy}"))

    began = monotonic()
    manage.unregister(UUID)

    assert monotonic() - began < 12  # of the 15 s that it would hang
    assert (tmp_path / "VBoxManage.log").read_text().split() == [UUID] * calls
    assert (tmp_path / "VBoxManage.gone").exists()


def test_a_port_is_waited_for_where_it_is() -> None:
    manage = VBoxManage(LocalRunner(), Place.parse("vbox:///session?vboxmanage=/bin/true"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert manage.listens(port, 0.1)

    assert not manage.listens(port, 0.1)


# fmt: off
TOLD = [
    # what showvminfo says                       the state of the machine of that uuid
    (f'name="x"\\nUUID="{UUID}"\\nVMState="saved"', "saved"),
    (f'name="{UUID}"\\nUUID="{OTHER}"\\nVMState="saved"', "absent"),
]
# fmt: on


@pytest.mark.parametrize(("told", "state"), TOLD)
def test_a_state_is_that_of_the_machine_of_the_uuid(tmp_path: Path, told: str, state: str) -> None:
    spy = tmp_path / "VBoxManage"
    spy.write_text(f"#!/bin/sh\nprintf '%b\\n' '{told}'\n")
    spy.chmod(0o700)
    manage = VBoxManage(LocalRunner(), Place.parse(f"vbox:///session?vboxmanage={spy}"))

    assert manage.state(UUID) == state


def test_a_state_of_none_is_absent_and_an_inaccessible_machine_is_an_error(tmp_path: Path) -> None:
    spy = tmp_path / "VBoxManage"
    spy.write_text(
        f"""#!/bin/sh
        [ "$2" = {UUID} ] || {{ echo 'name="<inaccessible>"'; exit 0; }}
        echo 'VBoxManage: error: Could not find a registered machine' >&2
        echo 'VBoxManage: error: Details: code VBOX_E_OBJECT_NOT_FOUND (0x80bb0001)' >&2
        exit 1
        """
    )
    spy.chmod(0o700)
    manage = VBoxManage(LocalRunner(), Place.parse(f"vbox:///session?vboxmanage={spy}"))

    assert manage.state(UUID) == "absent"
    with pytest.raises(DriverError, match="its settings file cannot be read there"):
        manage.state(OTHER)
