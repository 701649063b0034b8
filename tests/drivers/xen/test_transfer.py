"""How a migration of libxl is watched, stopped and given up; the domain is a double."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import libvirt
import pytest

from migrate_plugins import (
    Answer,
    DriverError,
    GuestFacts,
    GuestState,
    Mend,
    NoAbortError,
    PlanError,
    Statistics,
)
from migrate_plugins_libvirt.calls import Call
from migrate_plugins_xen.options import LIMIT, limit
from migrate_plugins_xen.session import XenSession
from migrate_plugins_xen.transfer import XenTransfer
from migrate_plugins_xen.truth import HELD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Migrator, Plan

URI = "xen+ssh://alpha/"
UUID = "f988a8d7-2f0b-4430-ba28-b681b1f0fb86"
RECEIVES = "/usr/lib/xen-4.17/bin/libxl-save-helper --restore-domain"
GUEST = GuestFacts("web1", "u1", GuestState.PAUSED, persistent=False, memory=1024)
HEAD = "Name                                        ID   Mem VCPUs\tState\tTime(s)   UUID\n"
STOPPED, NOTHING, SUSPENDED = Answer(0, "", ""), Answer(3, "", ""), Answer(4, "", "")
NOT_ROOTS = Answer(1, "", "pkill: killing pid 7 failed: Operation not permitted")
SILENT = Answer(None, "", "no answer")


class FakeShell:
    """Test double: a source whose programs end as the test says."""

    argv = ("ssh", "alpha")

    def __init__(self, answer: Answer, domain: FakeDomain | None = None, listed: str = "") -> None:
        self.answer, self.domain, self.listed = answer, domain, listed
        self.asked: list[Sequence[str]] = []

    def run(self, argv: Sequence[str], *, seconds: float = 10) -> Answer:
        assert seconds > 0
        if "xl list -v" in argv[2]:
            return Answer(0, HEAD + self.listed, "")
        self.asked.append(argv)
        if self.domain is not None and self.answer is STOPPED:
            self.domain.error = RuntimeError("cut")
            self.domain.ended.set()
        return self.answer


class FakeDomain:
    """Test double: a guest whose migration ends when the test says so."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.error: Exception | None = None

    def ID(self) -> int:  # noqa: N802 - libvirt's name
        return 7

    def UUIDString(self) -> str:  # noqa: N802 - likewise
        return UUID

    def jobInfo(self) -> list[int]:  # noqa: N802 - likewise
        return [0 if self.ended.is_set() else 2, 100]

    def move(self) -> None:
        self.ended.wait(20)
        if self.error is not None:
            raise self.error


def _plan(migrator: Migrator, **asked: Any) -> Plan:  # noqa: ANN401 - Request types them
    given = {"source": URI, "destination": "xen+ssh://beta/", "revision": "current"}
    return migrator.plan("web1", **{**given, **asked})


def _transfer(
    plan: Plan,
    domain: FakeDomain,
    shell: FakeShell | None,
    seconds: float,
    there: XenSession | None = None,
) -> XenTransfer:
    found: Any = shell
    source = XenSession(URI, None, found)
    return XenTransfer(plan, Call("move", (), connected=False), domain, source, there, seconds)


def test_it_tells_that_it_goes_on_and_nothing_more(migrator: Migrator) -> None:
    domain = FakeDomain()
    migration = _transfer(_plan(migrator), domain, None, 60)

    assert migration.statistics() == Statistics()
    assert not migration.wait(0.01)
    domain.ended.set()
    assert migration.wait(10)
    assert migration.statistics() is None
    migration.result()


def test_its_time_over_it_is_stopped(migrator: Migrator) -> None:
    domain = FakeDomain()
    shell = FakeShell(STOPPED, domain)
    migration = _transfer(_plan(migrator), domain, shell, 0)

    migration.wait(0.01)

    assert migration.wait(10)
    assert len(shell.asked) == 1
    with pytest.raises(DriverError, match=r"not done after 0 s .*: it was stopped"):
        migration.result()


def test_nobody_waits_longer_for_daemons_that_go_on(migrator: Migrator) -> None:
    domain = FakeDomain()
    migration = _transfer(_plan(migrator, p2p=True), domain, None, 0)

    assert migration.wait(0.01)
    with pytest.raises(DriverError, match="it goes on without us"):
        migration.result()
    domain.ended.set()


def test_source_is_stopped_that_does_not_notice_that_the_destination_is_gone(
    migrator: Migrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = FakeDomain()
    migration = _transfer(_plan(migrator), domain, FakeShell(STOPPED, domain), 60)
    monkeypatch.setattr(migration, "_cannot_finish", lambda: True)
    monkeypatch.setattr("migrate_plugins_xen.transfer._GRACE", 0.0)

    migration.wait(0.01)
    migration.wait(0.01)

    assert migration.wait(10)
    with pytest.raises(DriverError, match="the connection to the destination broke"):
        migration.result()
    domain.ended.set()


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("answer", [None, NOT_ROOTS, SUSPENDED])
def test_what_needs_this_process_is_waited_for(
    migrator: Migrator, monkeypatch: pytest.MonkeyPatch, answer: Answer | None, gone: bool
) -> None:
    """Nobody else lets the guest go on, on either host."""
    domain = FakeDomain()
    shell = None if answer is None else FakeShell(answer)
    migration = _transfer(_plan(migrator), domain, shell, 0)
    monkeypatch.setattr(migration, "_cannot_finish", lambda: gone)
    monkeypatch.setattr("migrate_plugins_xen.transfer._GRACE", 0.0)
    monkeypatch.setattr("migrate_plugins_xen.transfer._LATE", 0.0)

    assert not any(migration.wait(0.01) for _ in range(5))
    with pytest.raises(NoAbortError):
        migration.cancel()
    domain.ended.set()
    assert migration.wait(10)
    migration.result()


def test_between_the_pages_it_is_asked_again(migrator: Migrator) -> None:
    domain = FakeDomain()
    shell = FakeShell(NOTHING)
    migration = _transfer(_plan(migrator, p2p=True), domain, shell, 0)

    assert not migration.wait(0.01)
    assert not migration.wait(1.1)
    assert not migration.wait(0.01)
    assert len(shell.asked) > 1
    domain.ended.set()


def test_what_the_daemons_lead_is_given_up_where_it_cannot_be_stopped(
    migrator: Migrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = FakeDomain()
    migration = _transfer(_plan(migrator, p2p=True), domain, FakeShell(SUSPENDED), 0)
    monkeypatch.setattr("migrate_plugins_xen.transfer._LATE", 0.0)

    assert migration.wait(0.01)
    with pytest.raises(DriverError, match=r"not done after 0 s.*stands still already"):
        migration.result()
    domain.ended.set()


# fmt: off
FAILURES = [
    # code, domain, what libvirt says, whether the destination may still let it go on
    (1,   7,  "internal error: client socket is closed",                              True),
    (38,  7,  "Cannot recv data: Connection reset by peer",                           True),
    (1,   13, "internal error: received hangup event on socket",                      True),
    (38,  7,  "unable to connect to server at 'beta:49152': Connection refused",      False),
    (38,  7,  "Failed to connect to remote libvirt URI xen+ssh://beta/: no route",    False),
    (1,   41, "internal error: Failed to send migration data to destination host",    False),
    (9,   41, "operation failed: domain 'web1' already exists with uuid 1",           False),
]
# fmt: on


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize(("code", "domain", "text", "may"), FAILURES)
def test_guest_may_go_on_twice_where_no_answer_came(
    migrator: Migrator,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    domain: int,
    text: str,
    *,
    may: bool,
    stopped: bool,
) -> None:
    """The last question lets it go on at the destination, and nobody knows whether it does."""
    ours = FakeDomain()
    migration = _transfer(_plan(migrator), ours, FakeShell(STOPPED), 60)
    taken_back: list[object] = []
    monkeypatch.setattr(XenSession, "takes_back", lambda _, domain: taken_back.append(domain))
    if stopped:
        migration.cancel()  # before the last page: it was never asked
    error = libvirt.libvirtError(text)
    error.err = (code, domain, text, 2, None, None, None, -1, -1)
    ours.error = error
    ours.ended.set()

    assert migration.wait(10)
    with pytest.raises(DriverError):
        migration.result()
    assert bool(taken_back) is (may and not stopped)


RECEIVED = (
    f"web1     9    96     1     --p---      0.0 {UUID}    -    -\n\n1 {RECEIVES} 4 -1 9 1 0\n"
)


@pytest.mark.parametrize("tunnelled", [False, True])
def test_what_a_tunnel_still_receives_is_ended_once_its_source_is_stopped(
    migrator: Migrator, tunnelled: bool
) -> None:
    domain = FakeDomain()
    there: Any = FakeShell(STOPPED, listed=RECEIVED)
    destination = XenSession(URI, None, there)
    plan = _plan(migrator, p2p=True, tunnelled=tunnelled)
    migration = _transfer(plan, domain, FakeShell(STOPPED), 60, destination)

    migration.cancel()
    migration.cancel()  # it is asked until the end

    told = [argv[-1] for argv in there.asked]
    assert all(" 9 " in each and "--restore-domain" in each for each in told)
    assert bool(told) is tunnelled
    domain.ended.set()


def test_tunnel_that_nobody_can_end_is_told_of(migrator: Migrator) -> None:
    domain = FakeDomain()
    plan = _plan(migrator, p2p=True, tunnelled=True)
    migration = _transfer(plan, domain, FakeShell(STOPPED), 60)

    with pytest.raises(DriverError, match=r"tunnel waits on: there, as root: pkill"):
        migration.cancel()
    domain.ended.set()


@pytest.mark.parametrize("ask", ["suspend", "switch_to_postcopy"])
def test_what_xen_does_not_do_is_refused(migrator: Migrator, ask: str) -> None:
    domain = FakeDomain()
    migration = _transfer(_plan(migrator), domain, None, 60)

    with pytest.raises(DriverError):
        getattr(migration, ask)()
    domain.ended.set()


@pytest.mark.parametrize(("options", "seconds"), [((), LIMIT), (("timeout=90",), 90)])
def test_time_is_asked_for_or_half_an_hour(
    migrator: Migrator, options: tuple[str, ...], seconds: int
) -> None:
    assert limit(_plan(migrator, options=options)) == seconds


def test_time_beyond_a_month_is_refused(migrator: Migrator) -> None:
    with pytest.raises(PlanError, match=r"-o timeout=9999999 is too long.*at most 2678400"):
        _plan(migrator, options=("timeout=9999999",))


# fmt: off
COMMANDS = [
    # step, whether libvirt's job is in the way, whether there is a shell, line
    (Mend.ABORT,   False, True,  None),
    (Mend.RESUME,  False, True,  "virsh -c xen+ssh://alpha/ resume web1"),
    (Mend.UNDEFINE, False, True, "virsh -c xen+ssh://alpha/ undefine web1"),
    (Mend.DESTROY, True,  False, "virsh -c xen+ssh://alpha/ destroy web1"),
]
# fmt: on


@pytest.mark.parametrize(("step", "held", "shell", "line"), COMMANDS)
def test_step_is_a_line_for_the_shell(
    step: Mend, *, held: bool, shell: bool, line: str | None
) -> None:
    found: Any = FakeShell(STOPPED) if shell else None
    guest = GUEST._replace(leftover=HELD) if held else GUEST

    assert XenSession(URI, None, found).mend_command(step, guest) == line
