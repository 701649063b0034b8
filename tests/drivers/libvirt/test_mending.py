"""The steps of the way back, as virsh takes them."""

from __future__ import annotations

import shlex

import pytest

from migrate_plugins import GuestFacts, GuestState, Mend
from migrate_plugins_libvirt.session import LibvirtSession

PLAIN = "qemu:///system"
SOCKET = "qemu+unix:///session?socket=/run/a b"

# fmt: off
COMMANDS = [
    # URI, name, step, line
    (PLAIN,  "web1", Mend.ABORT,    "virsh -c qemu:///system domjobabort web1"),
    (PLAIN,  "web1", Mend.RESUME,   "virsh -c qemu:///system resume web1"),
    (PLAIN,  "web1", Mend.DESTROY,  "virsh -c qemu:///system destroy web1"),
    (PLAIN,  "web1", Mend.UNDEFINE, "virsh -c qemu:///system undefine --keep-nvram web1"),
    (PLAIN,  "web1", Mend.DEFINE,
     ("virsh -c qemu:///system dumpxml --inactive --security-info web1"
      " | virsh -c qemu:///system define /dev/stdin")),
    (SOCKET, "a $b", Mend.RESUME,
     "virsh -c 'qemu+unix:///session?socket=/run/a b' resume 'a $b'"),
]
# fmt: on


@pytest.mark.parametrize(("uri", "name", "step", "line"), COMMANDS)
def test_step_is_a_line_for_the_shell(uri: str, name: str, step: Mend, line: str) -> None:
    guest = GuestFacts(name, "u1", GuestState.PAUSED, persistent=False, memory=1024)

    command = LibvirtSession(uri, None).mend_command(step, guest)

    assert command == line
    assert name in shlex.split(line)
