"""Guests that Xen has and libvirt does not list, as a session reads and mends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libvirt
import pytest

from migrate_plugins import HANDED_OVER, Answer, DriverError, GuestFacts, GuestState, Mend
from migrate_plugins_xen.session import XenSession

if TYPE_CHECKING:
    from collections.abc import Sequence

URI = "xen+ssh://alpha/"
UUID = "f988a8d7-2f0b-4430-ba28-b681b1f0fb86"
RUNNING, PAUSED = GuestState.RUNNING, GuestState.PAUSED
LEAVES = "leaves: 473 /usr/lib/xen-4.17/bin/xl migrate -s ssh web1 beta"
RENAME = 'xl rename "$1" "$2" && xl unpause "$2"'


class FakeConnection:
    """Test double: a libvirtd that lists no guest."""

    def lookupByName(self, name: str) -> None:  # noqa: N802 - libvirt's name
        error = libvirt.libvirtError("Domain not found")
        error.err = (42, 10, f"Domain not found: {name}", 1, None, None, None, -1, -1)
        raise error

    lookupByUUIDString = lookupByName  # noqa: N815 - likewise


class FakeShell:
    """Test double: a host whose Xen has one guest, and does what it is told."""

    argv = ("ssh", "alpha")

    def __init__(self, name: str, flags: str, does: str = "", status: int = 0) -> None:
        self.listed = f"{name:<40}     4    96     1     {flags}    32.5 {UUID}    -    -\n{does}\n"
        self.status = status
        self.told: list[Sequence[str]] = []

    def run(self, argv: Sequence[str], *, seconds: float = 10) -> Answer:
        assert seconds > 0
        if "xl list" in argv[2]:
            return Answer(0, self.listed, "")
        self.told.append(argv)
        return Answer(self.status, "", "no such domain\n" if self.status else "")


def session(shell: FakeShell | None) -> XenSession:
    connection: Any = FakeConnection()
    given: Any = shell
    return XenSession(URI, connection, given)


# fmt: off
READ = [
    # name                 flags      what runs beside   state    reason       job
    ("web1",               "-b----",  "",                RUNNING, None,        None),
    ("web1",               "-b----",  LEAVES,            RUNNING, None,        "migration out"),
    ("web1",               "---ss-",  LEAVES,            PAUSED,  HANDED_OVER, "migration out"),
    ("web1--incoming",     "--p---",  "arrives:",        PAUSED,  "migration", "migration in"),
    ("web1--incoming",     "--p---",  "",                PAUSED,  "migration", None),
    ("web1--migratedaway", "---ss-",  "",                PAUSED,  HANDED_OVER, None),
]

STEPS = [
    # name                 flags      step          what Xen is told
    ("web1",               "--p---",  Mend.RESUME,  ("xl", "unpause", "4")),
    ("web1",               "--p---",  Mend.DESTROY, ("xl", "destroy", "4")),
    ("web1--incoming",     "--p---",  Mend.DESTROY, ("xl", "destroy", "4")),
    ("web1--incoming",     "--p---",  Mend.RESUME,  ("sh", "-c", RENAME, "sh", "4", "web1")),
    ("web1--migratedaway", "---ss-",  Mend.DESTROY, ("xl", "destroy", "4")),
]
# fmt: on


@pytest.mark.parametrize(("name", "flags", "does", "state", "reason", "job"), READ)
def test_guest_that_libvirt_does_not_list_is_read_from_xen(
    name: str, flags: str, does: str, state: GuestState, reason: str | None, job: str | None
) -> None:
    ours = session(FakeShell(name, flags, does))

    expected = GuestFacts(
        "web1", UUID, state, persistent=False, memory=96 * 1024, job=job, reason=reason
    )
    assert ours.guest("web1") == expected
    assert ours.guest_by_uuid(UUID) == expected


def test_guest_that_xen_does_not_have_either_is_none() -> None:
    assert session(FakeShell("web1", "-b----")).guest("web2") is None
    assert session(None).guest("web1") is None


@pytest.mark.parametrize(("name", "flags", "step", "argv"), STEPS)
def test_guest_that_libvirt_does_not_list_is_mended_by_xl(
    name: str, flags: str, step: Mend, argv: tuple[str, ...]
) -> None:
    shell = FakeShell(name, flags)
    ours = session(shell)
    guest = ours.guest("web1")
    assert guest is not None

    command = ours.mend_command(step, guest)
    ours.mend(step, guest)

    assert shell.told == [argv]
    assert command is not None
    assert command.startswith("ssh alpha ")
    assert "xl " in command


def test_step_that_xl_refuses_is_told_in_its_words() -> None:
    ours = session(FakeShell("web1", "--p---", status=1))
    guest = ours.guest("web1")
    assert guest is not None

    with pytest.raises(DriverError, match="no such domain"):
        ours.mend(Mend.DESTROY, guest)


def test_guest_that_has_changed_since_it_was_read_is_left_alone() -> None:
    shell = FakeShell("web1", "--p---")
    ours = session(shell)
    guest = ours.guest("web1")
    assert guest is not None

    with pytest.raises(DriverError, match="changed"):
        ours.mend(Mend.DESTROY, guest._replace(state=RUNNING))

    assert shell.told == []


def test_move_by_xl_is_adopted_watched_and_stopped() -> None:
    shell = FakeShell("web1", "-b----", LEAVES)
    ours = session(shell)

    found = ours.adopt("web1")

    assert found is not None
    assert not found.wait(0)
    found.cancel()
    ((*words, pattern),) = shell.told
    assert words == ["pkill", "-TERM", "-f", "--"]
    assert " 4 " in pattern
    shell.listed = ""
    assert found.wait(5)
    assert ours.adopt("web1") is None
