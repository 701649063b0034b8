"""Guests that Xen has and libvirt does not list, as a session reads and mends them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import libvirt
import pytest

from migrate_plugins import (
    HANDED_OVER,
    INCOMING,
    STARTED_AGAIN,
    Answer,
    DriverError,
    GuestFacts,
    GuestState,
    Mend,
    Revision,
)
from migrate_plugins_xen.inspection import Toolstack
from migrate_plugins_xen.session import XenSession
from migrate_plugins_xen.truth import AWAITED, HELD
from migrate_plugins_xen.tunnel import WAITING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Leftover, Migrator

URI = "xen+ssh://alpha/"
UUID = "f988a8d7-2f0b-4430-ba28-b681b1f0fb86"
RUNNING, PAUSED = GuestState.RUNNING, GuestState.PAUSED
HEAD = "Name                                        ID   Mem VCPUs\tState\tTime(s)   UUID\n"
LEAVES = "leaves:\t/usr/lib/xen-4.17/bin/xl\tmigrate\t-s\tssh\t4\tbeta\t"
RECEIVES = "332 /usr/lib/xen-4.17/bin/libxl-save-helper --restore-domain 39 -1 4 1 0 2 0 768 0"
TUNNEL = f"{RECEIVES} pipe:[13914]"
END = (
    *("pkill", "-TERM", "-f", "--"),
    "libxl-save-helpe[r] --restore-domain -?[0-9]+ -?[0-9]+ 4 ",
)
RENAME = 'xl rename "$1" "$2" && xl unpause "$1"'


class FakeConnection:
    """Test double: a libvirtd that lists no guest."""

    def lookupByName(self, name: str) -> None:  # noqa: N802 - libvirt's name
        error = libvirt.libvirtError("Domain not found")
        error.err = (42, 10, f"Domain not found: {name}", 1, None, None, None, -1, -1)
        raise error

    lookupByUUIDString = lookupByName  # noqa: N815 - likewise


class FakeDomain:
    """Test double: a guest that libvirt lists, under a job that is left of a migration."""

    def __init__(self, name: str) -> None:
        self.jobInfo = lambda: [2, 0]
        self.jobStats = lambda: {"type": 2}
        self.name = lambda: name
        self.UUIDString = lambda: UUID
        self.ID = lambda: 4
        self.state = lambda: (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED)
        self.isPersistent = self.isActive = lambda: True
        self.maxMemory = lambda: 98304


class Awaited(FakeDomain):
    """Test double: a guest that libvirt waits for, under a job for as many questions as given."""

    def __init__(self, questions: int) -> None:
        super().__init__("web1")
        answers = iter([[2, 0]] * questions)
        self.jobInfo = lambda: next(answers, [0, 0])
        self.ID = lambda: -1
        self.state = lambda: (libvirt.VIR_DOMAIN_SHUTOFF, 0)


class Listing:
    """Test double: a libvirtd that lists one guest."""

    def __init__(self, domain: FakeDomain) -> None:
        self.lookupByName = self.lookupByUUIDString = lambda _key: domain


class FakeShell:
    """Test double: a host whose Xen has one guest, and does what it is told."""

    argv = ("ssh", "alpha")

    def __init__(
        self,
        name: str,
        flags: str,
        does: str = "",
        status: int = 0,
        listing: int | None = 0,
        error: str = "",
    ) -> None:
        row = f"{name:<40}     4    96     1     {flags}    32.5 {UUID}    -    -\n"
        self.listed = f"{HEAD}{row}\n{does}\n"
        self.status = status
        self.listing = listing
        self.error = error
        self.told: list[Sequence[str]] = []

    def run(self, argv: Sequence[str], *, seconds: float = 10) -> Answer:
        assert seconds > 0
        if "xl list -v" in argv[2]:
            return Answer(self.listing, self.listed, self.error)
        self.told.append(argv)
        return Answer(self.status, "", "no such domain\n" if self.status else "")


def session(shell: FakeShell | None, listing: Listing | None = None) -> XenSession:
    connection: Any = listing or FakeConnection()
    given: Any = shell
    return XenSession(URI, connection, given)


# fmt: off
READ = [
    # name                 flags      what runs beside   state    reason       job
    ("web1",               "-b----",  "",                RUNNING, None,        None),
    ("web1",               "-b----",  LEAVES,            RUNNING, None,        "migration out"),
    ("web1",               "---ss-",  LEAVES,            PAUSED,  HANDED_OVER, "migration out"),
    ("web1--incoming",     "--p---",  "arrives:",        PAUSED,  INCOMING,    "migration in"),
    ("web1--incoming",     "--p---",  "",                PAUSED,  INCOMING,    None),
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


def test_guest_that_xl_moves_is_not_moved_by_libvirt_too(migrator: Migrator) -> None:
    ours = session(FakeShell("web1", "-b----", LEAVES), Listing(FakeDomain("web1")))
    ours.__dict__["toolstack"] = Toolstack.LIBXL
    plan = migrator.plan(
        "web1", source="xen:///", destination="xen+ssh://beta/", revision=Revision.CURRENT
    )

    with pytest.raises(DriverError, match="it is web1, under migration out, already"):
        ours.start(plan, session(None))


# fmt: off
UNSEEN = [
    # asked for, whether Xen answers, what libvirt drives, whether a guest may be overlooked
    ({"direct": True, "migration": "beta"},   False, Toolstack.LIBXL, True),
    ({"direct": True, "migration": "beta"},   False, Toolstack.XEND,  False),
    ({"direct": True, "migration": "beta"},   True,  Toolstack.LIBXL, False),
    ({"destination": "xen+ssh://beta/"},      False, Toolstack.LIBXL, False),
]
# fmt: on


@pytest.mark.parametrize(("asked", "answers", "toolstack", "overlooked"), UNSEEN)
def test_guest_that_xl_made_is_overlooked_where_xen_cannot_be_asked(
    migrator: Migrator,
    asked: dict[str, Any],
    toolstack: Toolstack,
    *,
    answers: bool,
    overlooked: bool,
) -> None:
    shell = FakeShell("web2", "-b----") if answers else None
    ours = session(shell)
    ours.__dict__["toolstack"] = toolstack

    told = ours.unseen(migrator.plan("web1", source="xen:///", **asked))

    assert (told is not None) is overlooked
    assert told is None or "shell" in told


def test_guest_that_was_taken_back_without_an_answer_is_called_that() -> None:
    domain: Any = FakeDomain("web1")
    domain.jobInfo, domain.jobStats = (lambda: [0, 0]), (lambda: {"type": 0})
    ours = session(FakeShell("web1", "-b----"), Listing(domain))
    before = ours.guest("web1")

    ours.takes_back(domain)

    after = ours.guest("web1")
    assert before is not None
    assert before.reason != STARTED_AGAIN
    assert after == before._replace(reason=STARTED_AGAIN)


@pytest.mark.parametrize("step", [Mend.RESUME, Mend.DESTROY])
def test_guest_under_a_job_that_is_over_is_mended_by_its_number(step: Mend) -> None:
    """xl takes a name of digits for the number of another guest."""
    shell = FakeShell("9", "-b----")
    ours = session(shell, Listing(FakeDomain("9")))
    guest = ours.guest("9")
    assert guest is not None
    assert guest.leftover == HELD

    command = ours.mend_command(step, guest)
    ours.mend(step, guest)

    verb = "unpause" if step is Mend.RESUME else "destroy"
    assert shell.told == [("xl", verb, "4")]
    assert command == f"ssh alpha 'xl {verb} 4'"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (1, "xencall: error: Could not obtain handle: Permission denied"),
        (1, "libxl: error: cannot open libxc handle\ncannot init xl context"),
        (126, "sh: 1: xl: Permission denied"),
        (127, "pgrep is missing there"),
    ],
)
def test_shell_that_xen_does_not_answer_is_none(status: int, error: str) -> None:
    """It is not root's, or its host has no tools of Xen: what libvirt says is all there is."""
    shell = FakeShell("web1", "-b----", listing=status, error=error)
    ours = session(shell)

    assert ours.guest("web1") is None
    assert ours.adopt("web1") is None
    assert ours.xen is None


@pytest.mark.parametrize("status", [None, 1, 255])
def test_host_that_does_not_answer_is_not_taken_for_one_without_the_guest(
    status: int | None,
) -> None:
    ours = session(FakeShell("web1", "-b----", listing=status, error="libxl: error: timed out"))

    with pytest.raises(DriverError):
        ours.guest("web1")


def test_host_that_answered_once_is_not_taken_for_one_without_xen() -> None:
    shell = FakeShell("web1", "-b----")
    ours = session(shell)
    assert ours.guest("web1") is not None
    shell.listing, shell.error = 127, "xl: not found"

    with pytest.raises(DriverError, match="not found"):
        ours.guest("web1")


@pytest.mark.parametrize(
    ("name", "what_runs"),
    [
        ("web1", f"{RECEIVES} socket:[14204]"),  # which ends with its source
        ("web1", f"{RECEIVES} "),
        ("web1", ""),
        ("web1", TUNNEL.replace(" 4 ", " 14 ")),
        ("web1--incoming", TUNNEL),  # through xl's ssh
    ],
    ids=["native", "ended", "received", "another", "xl"],
)
def test_what_arrives_otherwise_than_by_a_tunnel_is_left_alone(name: str, what_runs: str) -> None:
    guest = session(FakeShell(name, "--p---", what_runs)).guest("web1")

    assert guest is not None
    assert guest.leftover is None


@pytest.mark.parametrize("listed", [False, True])
def test_tunnel_that_waits_in_vain_is_ended(listed: bool) -> None:
    shell = FakeShell("web1", "--p---", TUNNEL)
    ours = session(shell, Listing(Awaited(9)) if listed else None)

    guest = ours.guest("web1")

    assert guest is not None
    assert (guest.leftover, guest.job) == (WAITING, "migration in")
    assert ours.mend_command(Mend.TIDY, guest) == shlex.join(["ssh", "alpha", shlex.join(END)])
    ours.mend(Mend.TIDY, guest)
    assert shell.told == [END]


def test_tunnel_that_has_ended_meanwhile_is_told() -> None:
    shell = FakeShell("web1", "--p---", TUNNEL, status=1)
    ours = session(shell)
    guest = ours.guest("web1")
    assert guest is not None
    shell.listed = HEAD

    with pytest.raises(DriverError, match="it is gone"):
        ours.mend(Mend.TIDY, guest)

    assert shell.told == []


@pytest.mark.parametrize(
    ("questions", "listed", "state", "job", "leftover"),
    [
        (9, HEAD, GuestState.SHUTOFF, None, AWAITED),
        (1, HEAD, GuestState.SHUTOFF, None, None),  # the job has ended at the second look
        (9, None, PAUSED, "migration in", None),
    ],
    ids=["never comes", "ends", "arrives"],
)
def test_guest_that_never_came_is_told_from_one_that_arrives(
    monkeypatch: pytest.MonkeyPatch,
    questions: int,
    listed: str | None,
    state: GuestState,
    job: str | None,
    leftover: Leftover | None,
) -> None:
    monkeypatch.setattr("migrate_plugins_xen.session.sleep", lambda _seconds: None)
    shell = FakeShell("web1", "--p---", RECEIVES)
    shell.listed = listed or shell.listed

    guest = session(shell, Listing(Awaited(questions))).guest("web1")

    assert guest is not None
    assert (guest.state, guest.job, guest.leftover) == (state, job, leftover)


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
    ((*_, pattern, number, _),) = shell.told
    assert " 4 " in pattern
    assert number == "4"
    shell.listed = HEAD
    assert found.wait(5)
    assert ours.adopt("web1") is None
