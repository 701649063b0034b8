"""The life of a migration, with fake hosts.

Nothing here is a hypervisor: ``FakeHosts`` is a table of guests, ``FakeSession`` reads it and
``FakeMigration`` moves a line of it from one host to the other when its script says so.  What real
hosts do is shown in ``tests/integration``.
"""

from __future__ import annotations

import os
import signal
import threading
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import (
    AuthenticationError,
    Basis,
    BlockedError,
    Capabilities,
    ChosenBy,
    Claim,
    ConnectError,
    ControlProtocol,
    Diagnosis,
    DriverError,
    DriverInfo,
    EntryPoint,
    Event,
    ExitCode,
    Finding,
    GuestFacts,
    GuestState,
    HostFacts,
    MigrateError,
    MigrationURI,
    Migrator,
    NativeCommand,
    NoAbortError,
    Offer,
    Outcome,
    Phase,
    Plan,
    PortHeldError,
    PortLedger,
    PortRule,
    Registry,
    Remedy,
    Severity,
    Statistics,
    Verdict,
    hookimpl,
    runner,
)
from migrate_plugins.installed import DRIVERS, PLUGINS
from migrate_plugins.options import OPTIONS
from migrate_plugins.transfer import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from migrate_plugins import Access, Facts, Session

SOURCE, DESTINATION = "fake://alpha/", "fake://beta/"
RUNNING, PAUSED, SHUTOFF = GuestState.RUNNING, GuestState.PAUSED, GuestState.SHUTOFF
FOR_EVER = 10_000  # looks
PORTS = PortRule(7100, 7101, ChosenBy.US, "of this test")


class FakeHosts:
    """What both fake hosts know, and what is to go wrong."""

    def __init__(self) -> None:
        guest = GuestFacts("web1", "u1", RUNNING, persistent=True, memory=1024)
        self.guests: dict[str, dict[str, GuestFacts]] = {"alpha": {"web1": guest}, "beta": {}}
        self.refused: dict[str, MigrateError] = {}
        self.unreadable: set[str] = set()
        self.sessions: list[FakeSession] = []
        self.migrations: list[FakeMigration] = []
        self.script: Callable[[FakeMigration], None] = FakeMigration.move
        self.plans: list[Plan] = []
        self.inventory: str | None = None
        self.listening: set[int] = set()
        self.no_abort = False
        self.statistics: Callable[[FakeMigration], Statistics] = lambda migration: Statistics(
            transferred=migration.looks
        )

    def place(
        self,
        alpha: Mapping[str, tuple[str, GuestState]],
        beta: Mapping[str, tuple[str, GuestState]],
    ) -> None:
        """Have each host know these guests alone: uuid and state by name."""
        for name, guests in (("alpha", alpha), ("beta", beta)):
            self.guests[name] = {
                guest: GuestFacts(guest, uuid, state, persistent=True, memory=1)
                for guest, (uuid, state) in guests.items()
            }


class FakeSession:
    """An open session with a fake host."""

    def __init__(self, hosts: FakeHosts, uri: str) -> None:
        self.hosts = hosts
        self.uri = uri
        self.name = uri.split("/")[2]
        self.closed = False
        hosts.sessions.append(self)

    def host(self) -> HostFacts:
        uuid, inventory = f"uuid of {self.name}", self.hosts.inventory
        return HostFacts(self.name, uuid, "fake 1", "faked 1", inventory)

    def guest(self, name: str) -> GuestFacts | None:
        self._read()
        return self.hosts.guests[self.name].get(name)

    def guest_by_uuid(self, uuid: str) -> GuestFacts | None:
        self._read()
        known = self.hosts.guests[self.name].values()
        return next((guest for guest in known if guest.uuid == uuid), None)

    def start(self, plan: Plan, destination: Session | None) -> FakeMigration:
        assert destination is None or destination.uri == plan.uris.destination.value
        self.hosts.plans.append(plan)
        migration = FakeMigration(self.hosts, plan)
        self.hosts.migrations.append(migration)
        return migration

    def listening(self) -> frozenset[int]:
        assert self.name == "beta"  # the source listens on nothing of ours
        return frozenset(self.hosts.listening)

    def close(self) -> None:
        self.closed = True

    def _read(self) -> None:
        if self.name in self.hosts.unreadable:
            raise DriverError(f"reading {self.name}", problem="connection lost")


class FakeMigration:
    """A migration that does what its script says at each look, and counts the looks."""

    def __init__(self, hosts: FakeHosts, plan: Plan) -> None:
        self.hosts = hosts
        self.plan = plan
        self.looks = 0
        self.ended = False
        self.error: MigrateError | None = None
        self.calls: list[str] = []
        self.refusals = 0

    def wait(self, seconds: float) -> bool:
        assert 0 < seconds <= 1
        # A little, as a real one: a thread that a failed test leaves behind may not run wild.
        threading.Event().wait(0.005)
        self.hosts.script(self)
        self.looks += 1
        if self.looks == FOR_EVER:
            self.fail("nobody ended this migration")
        return self.ended

    def statistics(self) -> Statistics | None:
        return self.hosts.statistics(self)

    def cancel(self) -> None:
        self.calls.append("cancel")
        if self.hosts.no_abort:
            raise NoAbortError("cancelling", problem="it needs this process")
        if self.refusals:
            self.refusals -= 1
            raise DriverError("cancelling", problem="no job is active")
        self.fail("canceled by client")

    def suspend(self) -> None:
        self.calls.append("suspend")
        self.move()

    def switch_to_postcopy(self) -> None:
        self.calls.append("postcopy")
        self.move()

    def result(self) -> None:
        if self.error is not None:
            raise self.error

    def move(self) -> None:
        guest = self.hosts.guests["alpha"].pop("web1")
        name = self.plan.destination_name
        state = PAUSED if self.plan.request.suspend else guest.state
        self.hosts.guests["beta"][name] = guest._replace(
            name=name, state=state, persistent=self.plan.request.persistent
        )
        if guest.persistent and not self.plan.request.undefine_source:
            stays = guest._replace(state=SHUTOFF)
            self.hosts.guests["alpha"]["web1"] = stays
        self.ended = True

    def fail(self, problem: str) -> None:
        self.error = DriverError("migrating web1", problem=problem, code=38, domain=7)
        self.ended = True


class FakeDriver:
    """A driver for fake hosts: managed direct with a port of ours, and peer-to-peer."""

    def __init__(self, hosts: FakeHosts) -> None:
        self.hosts = hosts

    @hookimpl
    def migrate_driver(self) -> DriverInfo:
        plain = ControlProtocol("fake RPC", 7000, encrypted=False)
        return DriverInfo(
            "fake", "Fake", ("fake",), ("fakemigr",), {"": plain}, example="fake://beta/"
        )

    @hookimpl
    def migrate_capabilities(self) -> Capabilities:
        options = frozenset(option.field for option in OPTIONS)
        offer = Offer(Claim(Basis.CODE, "this test"), options, migration_uri=True)
        return Capabilities(
            offers={"native-direct": offer, "native-p2p": offer},
            migration_schemes=("fakemigr",),
            protocol="fake stream",
            unwritten_uri="made from the destination's host",
            encrypted=False,
            encryption="a fake does not encrypt",
        )

    @hookimpl
    def migrate_port_rule(self) -> PortRule:
        return PORTS

    @hookimpl
    def migrate_select_port(self, rule: PortRule, taken: frozenset[int]) -> int | None:
        return rule.lowest_free(taken)

    @hookimpl
    def migrate_uri(self, host: str, port: int | None) -> MigrationURI:
        return MigrationURI("fakemigr", host=host, port=port, path="/")

    @hookimpl
    def migrate_read_uri(self, text: str) -> MigrationURI:
        return MigrationURI.parse(text)

    @hookimpl
    def migrate_commands(self, plan: Plan) -> Sequence[NativeCommand]:
        return [NativeCommand("fakectl", ("fakectl", plan.uris.migration.value or ""))]

    @hookimpl
    def migrate_connect(self, uri: str) -> FakeSession:
        name = uri.split("/")[2]
        if name in self.hosts.refused:
            raise self.hosts.refused[name]
        return FakeSession(self.hosts, uri)


class Site:
    """A plugin that finds what it is told to find, explains errors and remembers events."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.events: list[Event] = []
        self.asked: list[tuple[str, int | None, int | None]] = []
        self.look: Callable[[Plan, MigrateError], Sequence[Diagnosis]] = lambda *_: ()

    @hookimpl
    def migrate_checks(self, facts: Facts) -> Sequence[Finding]:
        assert facts.source.name == "alpha"
        return self.findings

    @hookimpl
    def migrate_diagnose(
        self, text: str, code: int | None, domain: int | None
    ) -> Sequence[Diagnosis]:
        self.asked.append((text, code, domain))
        return [Diagnosis("fake", "it is a fake", (Remedy("use a real one"),), 0.5)]

    @hookimpl
    def migrate_investigate(
        self, plan: Plan, error: MigrateError, source: Access, destination: Access
    ) -> Sequence[Diagnosis]:
        assert (source.session is not None, destination.session is not None) == (True, True)
        return self.look(plan, error)

    @hookimpl
    def migrate_observe(self, event: Event) -> None:
        self.events.append(event)


@pytest.fixture(autouse=True)
def _locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migrate_plugins.ports._LOCKS", tmp_path)
    monkeypatch.setattr("migrate_plugins.transfer._INTERVAL", 0.001)


@pytest.fixture
def hosts() -> FakeHosts:
    return FakeHosts()


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def fake(hosts: FakeHosts, site: Site) -> Migrator:
    return Migrator(
        [
            (EntryPoint(DRIVERS, "fake", "this test", "acme-fake", "1", "here"), FakeDriver(hosts)),
            (EntryPoint(PLUGINS, "site", "this test", "acme-site", "1", "here"), site),
        ]
    )


def _plan(fake: Migrator, **asked: Any) -> Plan:  # noqa: ANN401 - Request types them
    return fake.plan(
        **{"guest": "web1", "source": SOURCE, "destination": DESTINATION, "live": True, **asked}
    )


def _phases(events: list[Event]) -> list[Phase]:
    """Give the phases in their order, repetitions once."""
    phases = [event.phase for event in events]
    return [phase for at, phase in enumerate(phases) if at == 0 or phases[at - 1] is not phase]


def _slowly(migration: FakeMigration) -> None:
    """Move at the fourth look."""
    if migration.looks == 3:
        migration.move()


def _never(_migration: FakeMigration) -> None:
    """Go on for ever: only a cancellation or a timeout ends it."""


# --- from beginning to end ---------------------------------------------------------------------


def test_phases_in_order(fake: Migrator, hosts: FakeHosts, site: Site) -> None:
    hosts.script = _slowly
    events: list[Event] = []

    outcome = fake.run(_plan(fake, persistent=True), observers=[events.append])

    assert _phases(events) == [
        Phase.CONNECT,
        Phase.CHECK,
        Phase.PREPARE,
        Phase.TRANSFER,
        Phase.VERIFY,
        Phase.DONE,
    ]
    assert site.events == events
    assert {event.guest for event in events} == {"web1"}
    assert [event.elapsed for event in events] == sorted(event.elapsed for event in events)
    assert [event.statistics for event in events if event.phase is Phase.TRANSFER] == [
        Statistics(transferred=looks) for looks in (1, 2, 3)
    ]
    assert (events[0].text, events[-1].text) == ("opening fake://alpha/", outcome.sentence)


def test_outcome_of_a_migration(fake: Migrator, hosts: FakeHosts) -> None:
    outcome = fake.run(_plan(fake, persistent=True, undefine_source=True))

    assert outcome.verdict is Verdict.DONE
    assert outcome.sentence == "web1 is on beta now (alpha: no such guest; beta: running)"
    assert (outcome.source, outcome.destination) == (None, hosts.guests["beta"]["web1"])
    assert (outcome.error, outcome.unreadable, outcome.differences) == (None, None, ())
    assert outcome.statistics == Statistics(transferred=1)
    assert outcome.plan.before == (True, True, False)
    assert 0 < outcome.elapsed < 5
    assert [session.closed for session in hosts.sessions] == [True, True]


def test_guest_that_is_left_paused(fake: Migrator) -> None:
    assert fake.run(_plan(fake, suspend=True)).verdict is Verdict.DONE


def test_guest_with_another_name(fake: Migrator) -> None:
    outcome = fake.run(_plan(fake, dname="web2"))

    assert outcome.verdict is Verdict.DONE
    assert outcome.destination is not None
    assert outcome.destination.name == "web2"


def test_configuration_that_is_not_as_promised(fake: Migrator, hosts: FakeHosts) -> None:
    def script(migration: FakeMigration) -> None:
        migration.move()
        del hosts.guests["alpha"]["web1"]

    hosts.script = script

    assert fake.run(_plan(fake, persistent=True)).differences == (
        (
            "no configuration is on the source, where revision original expects that a"
            " configuration is on the source"
        ),
    )


def test_guest_that_is_there_already_is_left_as_it_is(fake: Migrator, hosts: FakeHosts) -> None:
    hosts.inventory = "one"
    hosts.guests["beta"]["web1"] = hosts.guests["alpha"].pop("web1")

    outcome = fake.run(_plan(fake))

    assert (outcome.verdict, hosts.migrations) == (Verdict.DONE, [])
    assert outcome.sentence == (
        "web1 is on beta already: nothing was changed (alpha: no such guest; beta: running)"
    )
    assert "moved-already" in {each.id for each in outcome.findings}


def test_what_else_was_asked_of_a_guest_that_is_there_already_is_said_to_be_open(
    fake: Migrator, hosts: FakeHosts
) -> None:
    hosts.inventory = "one"
    hosts.guests["beta"]["web1"] = hosts.guests["alpha"].pop("web1")
    plan = _plan(fake)
    plan = plan._replace(request=plan.request._replace(options=("pool=b",)))

    outcome = fake.run(plan)

    (finding,) = (each for each in outcome.findings if each.id == "moved-already")
    assert (finding.severity, finding.seen) == (Severity.WARNING, "-o pool=b")


@pytest.mark.parametrize("inventory", [None, "one"])
def test_guest_that_neither_has_is_an_error(
    fake: Migrator, hosts: FakeHosts, inventory: str | None
) -> None:
    hosts.inventory = inventory
    guest = hosts.guests["alpha"].pop("web1")
    if inventory is None:  # nobody can know whether it is the one that was meant
        hosts.guests["beta"]["web1"] = guest

    with pytest.raises(BlockedError) as blocked:
        fake.run(_plan(fake))

    assert [each.id for each in blocked.value.findings] == ["guest-not-found"]


def test_transfer_that_tells_no_bytes_may_take_its_time(
    fake: Migrator, hosts: FakeHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = PATIENCE._replace(beginning=0.01, stall=0.01)
    monkeypatch.setattr("migrate_plugins.runner.PATIENCE", soon)
    hosts.script = lambda migration: migration.move() if migration.looks == 30 else None
    hosts.statistics = lambda _migration: Statistics(percent=5.0)

    outcome = fake.run(_plan(fake))

    assert outcome.verdict is Verdict.DONE
    assert hosts.migrations[0].calls == []


# --- observers ---------------------------------------------------------------------------------


def test_observer_that_raises_does_not_disturb(fake: Migrator) -> None:
    seen: list[Event] = []

    def bad(_event: Event) -> None:
        raise LookupError("no pager")

    outcome = fake.run(_plan(fake), observers=[bad, seen.append])

    assert outcome.verdict is Verdict.DONE
    assert _phases(seen)[-1] is Phase.DONE


# --- cancellation ------------------------------------------------------------------------------


def test_cancelled_before_the_transfer(fake: Migrator, hosts: FakeHosts) -> None:
    run_box: list[Any] = []
    ready = threading.Event()

    def cancel(event: Event) -> None:
        ready.wait(5)
        if event.phase is Phase.CHECK:
            run_box[0].cancel()

    run = fake.start(_plan(fake), observers=[cancel])
    run_box.append(run)
    ready.set()
    outcome = run.outcome()

    assert hosts.migrations == []
    assert outcome.verdict is Verdict.CANCELLED
    assert outcome.sentence == (
        "cancelled: web1 is still on alpha (alpha: running; beta: no such guest)"
    )


def test_what_nothing_stops_is_waited_for_however_long(
    fake: Migrator, hosts: FakeHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []
    monkeypatch.setattr("migrate_plugins.runner.PATIENCE", PATIENCE._replace(stopping=0.01))
    hosts.no_abort = True
    hosts.script = lambda migration: migration.move() if len(migration.calls) == 30 else None
    run = fake.start(_plan(fake), observers=[events.append])
    _wait_for(lambda: run.phase is Phase.TRANSFER)

    run.cancel()
    outcome = run.outcome()

    assert outcome.verdict is Verdict.DONE
    assert [event.text for event in events if event.phase is Phase.CANCEL] == [
        "cancelling failed: it needs this process"
    ]


def test_cancelled_while_transferring(fake: Migrator, hosts: FakeHosts, site: Site) -> None:
    events: list[Event] = []
    hosts.script = _never
    run = fake.start(_plan(fake), observers=[events.append])
    _wait_for(lambda: run.phase is Phase.TRANSFER)

    run.cancel()
    outcome = run.outcome()

    assert hosts.migrations[0].calls == ["cancel"]
    assert (outcome.verdict, outcome.exit_code) == (Verdict.CANCELLED, ExitCode.CANCELLED)
    assert "asked the hypervisor to stop" in [event.text for event in events]
    assert site.asked == []  # what somebody wanted is not diagnosed
    assert run.wait(0)


def test_cancellation_that_is_refused_is_asked_for_again(fake: Migrator, hosts: FakeHosts) -> None:
    events: list[Event] = []

    def script(migration: FakeMigration) -> None:
        if migration.looks == 0:
            migration.refusals = 2

    hosts.script = script
    run = fake.start(_plan(fake), observers=[events.append])
    _wait_for(lambda: bool(hosts.migrations) and hosts.migrations[0].looks > 0)

    run.cancel()

    assert run.outcome().verdict is Verdict.CANCELLED
    assert hosts.migrations[0].calls == ["cancel"] * 3
    assert [event.text for event in events if event.phase is Phase.CANCEL] == [
        "cancelling failed: no job is active",
        "asked the hypervisor to stop",
    ]


def test_cancelled_too_late(fake: Migrator, hosts: FakeHosts) -> None:
    hosts.script = _slowly
    run = fake.start(_plan(fake))
    run.wait()
    run.cancel()

    assert run.outcome().verdict is Verdict.DONE


def test_keyboard_interrupt_cancels(fake: Migrator, hosts: FakeHosts) -> None:
    def script(migration: FakeMigration) -> None:
        if migration.looks == 1:
            os.kill(os.getpid(), signal.SIGINT)

    hosts.script = script

    outcome = fake.run(_plan(fake))

    assert outcome.verdict is Verdict.CANCELLED
    assert "cancel" in hosts.migrations[0].calls


def test_second_keyboard_interrupt_leaves_at_once(fake: Migrator, hosts: FakeHosts) -> None:
    def script(migration: FakeMigration) -> None:
        migration.refusals = FOR_EVER
        # The second one when the first has been heard: two in a row are one to the kernel.
        if migration.looks == 1 or len(migration.calls) == 5:
            os.kill(os.getpid(), signal.SIGINT)

    hosts.script = script

    with pytest.raises(KeyboardInterrupt) as caught:
        fake.run(_plan(fake))

    assert caught.value.__notes__ == [
        "where web1 is was not waited for; `migrate-plugins reconcile web1` tells"
    ]
    hosts.script = FakeMigration.move
    _wait_for(lambda: hosts.migrations[0].ended)


def _wait_for(condition: Callable[[], bool]) -> None:
    end = monotonic() + 10
    while not condition():
        assert monotonic() < end, "it does not come"


# --- timeout -----------------------------------------------------------------------------------

# fmt: off
TIMEOUTS = [
    # options                                         call        event
    ({},                                              "suspend",
     "not done after 1 s: pausing the guest so that it ends"),
    ({"timeout_suspend": True},                       "suspend",
     "not done after 1 s: pausing the guest so that it ends"),
    ({"timeout_postcopy": True, "postcopy": True},    "postcopy",
     "not done after 1 s: switching to post-copy"),
]
# fmt: on


@pytest.mark.parametrize(("options", "call", "text"), TIMEOUTS)
def test_timeout_forces_the_end(
    fake: Migrator, hosts: FakeHosts, options: dict[str, Any], call: str, text: str
) -> None:
    events: list[Event] = []
    hosts.script = _never

    outcome = fake.run(_plan(fake, timeout=1, **options), observers=[events.append])

    assert outcome.verdict is Verdict.DONE
    assert hosts.migrations[0].calls == [call]
    assert [event.text for event in events if event.phase is Phase.TRANSFER and event.text] == [
        text
    ]
    assert outcome.elapsed > 1


def test_end_is_forced_once(
    fake: Migrator, hosts: FakeHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guest that was paused goes on sending what is left: that takes its time."""
    monkeypatch.setattr(
        FakeMigration, "suspend", lambda migration: migration.calls.append("suspend")
    )
    looks_afterwards: list[int] = []

    def script(migration: FakeMigration) -> None:
        if migration.calls:
            looks_afterwards.append(migration.looks)
        if len(looks_afterwards) == 5:
            migration.move()

    hosts.script = script

    assert fake.run(_plan(fake, timeout=1)).verdict is Verdict.DONE
    assert hosts.migrations[0].calls == ["suspend"]


# --- failure -----------------------------------------------------------------------------------


def test_error_is_diagnosed_and_the_guest_is_read_back(
    fake: Migrator, hosts: FakeHosts, site: Site
) -> None:
    hosts.script = lambda migration: migration.fail("Connection refused")

    outcome = fake.run(_plan(fake))

    assert (outcome.verdict, outcome.exit_code) == (Verdict.FAILED, ExitCode.FAILED)
    assert outcome.error is hosts.migrations[0].error
    assert outcome.diagnoses == (
        Diagnosis("fake", "it is a fake", (Remedy("use a real one"),), 0.5),
    )
    assert site.asked == [("Connection refused", 38, 7)]
    assert outcome.sentence == (
        "the migration failed: web1 is still on alpha (alpha: running; beta: no such guest)"
    )


def test_reason_that_was_seen_on_the_hosts_stands_first(
    fake: Migrator, hosts: FakeHosts, site: Site
) -> None:
    hosts.script = lambda migration: migration.fail("Connection refused")
    seen = Diagnosis("seen", "it was seen", (Remedy("stop GUEST"), Remedy("GUESTS stay")), 0.9)
    site.look = lambda plan, error: [seen._replace(cause=f"{plan.guest}: {error}")]

    outcome = fake.run(_plan(fake))

    assert [diagnosis.id for diagnosis in outcome.diagnoses] == ["seen", "fake"]
    assert outcome.diagnoses[0].cause == f"web1: {outcome.error}"
    assert [remedy.text for remedy in outcome.diagnoses[0].remedies] == ["stop web1", "GUESTS stay"]


@pytest.mark.parametrize("kind", [LookupError, SystemExit, KeyboardInterrupt])
def test_look_that_fails_harms_no_verdict(
    fake: Migrator, hosts: FakeHosts, site: Site, kind: type[BaseException]
) -> None:
    hosts.script = lambda migration: migration.fail("Connection refused")

    def look(*_: object) -> Sequence[Diagnosis]:
        raise kind

    site.look = look
    outcome = fake.run(_plan(fake))

    assert outcome.verdict is Verdict.FAILED
    assert [diagnosis.id for diagnosis in outcome.diagnoses] == ["fake"]


def test_look_that_hangs_is_not_waited_for(
    fake: Migrator, hosts: FakeHosts, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts.script = lambda migration: migration.fail("Connection refused")
    monkeypatch.setattr(runner, "_LOOKING", 0.2)
    hanging = threading.Event()

    def look(*_: object) -> Sequence[Diagnosis]:
        hanging.wait(30)
        return ()

    site.look = look
    outcome = fake.run(_plan(fake))
    hanging.set()

    assert (outcome.verdict, outcome.elapsed < 10) == (Verdict.FAILED, True)
    assert [diagnosis.id for diagnosis in outcome.diagnoses] == ["fake"]


def test_guest_has_moved_although_an_error_was_reported(fake: Migrator, hosts: FakeHosts) -> None:
    def script(migration: FakeMigration) -> None:
        migration.move()
        migration.fail("Connection reset")

    hosts.script = script
    outcome = fake.run(_plan(fake, persistent=True))

    assert outcome.verdict is Verdict.DONE
    assert outcome.differences == (
        (
            "the guest has moved, and the hypervisor reported: migrating web1 failed: Connection"
            " reset"
        ),
    )


def test_start_that_is_refused(
    fake: Migrator, hosts: FakeHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_session: FakeSession, _plan: Plan, _destination: Session | None) -> FakeMigration:
        raise DriverError("starting", problem="Unsafe migration")

    monkeypatch.setattr(FakeSession, "start", start)
    outcome = fake.run(_plan(fake))

    assert outcome.verdict is Verdict.FAILED
    assert str(outcome.error) == "starting failed: Unsafe migration"
    assert [session.closed for session in hosts.sessions] == [True, True]


def test_connection_lost_while_waiting_ends_in_a_verdict(fake: Migrator, hosts: FakeHosts) -> None:
    def script(migration: FakeMigration) -> None:
        migration.move()
        raise DriverError("waiting", problem="connection lost")

    hosts.script = script

    assert fake.run(_plan(fake)).verdict is Verdict.DONE


def test_fault_of_the_driver_while_waiting_ends_in_a_verdict(
    fake: Migrator, hosts: FakeHosts
) -> None:
    def script(_migration: FakeMigration) -> None:
        raise AttributeError("a mistake of the driver's author")

    hosts.script = script

    assert fake.run(_plan(fake)).verdict is Verdict.FAILED


def test_statistics_that_cannot_be_read_do_not_disturb(
    fake: Migrator, hosts: FakeHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def statistics(migration: FakeMigration) -> Statistics | None:
        if migration.ended:
            return None
        raise DriverError("reading the job", problem="busy")

    monkeypatch.setattr(FakeMigration, "statistics", statistics)
    hosts.script = _slowly

    assert fake.run(_plan(fake)).verdict is Verdict.DONE


def test_statistics_that_cannot_be_read_at_the_end_do_not_disturb(
    fake: Migrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def statistics(_migration: FakeMigration) -> Statistics | None:
        raise DriverError("reading the job", problem="gone")

    monkeypatch.setattr(FakeMigration, "statistics", statistics)
    outcome = fake.run(_plan(fake, persistent=True))

    assert (outcome.verdict, outcome.error) == (Verdict.DONE, None)


# --- a host that cannot be read ----------------------------------------------------------------


def test_destination_that_the_client_cannot_open_in_peer_to_peer(
    fake: Migrator, hosts: FakeHosts
) -> None:
    hosts.refused["beta"] = ConnectError(DESTINATION, problem="No route to host")

    outcome = fake.run(_plan(fake, p2p=True, undefine_source=True))

    assert outcome.verdict is Verdict.DONE
    assert outcome.unreadable == "cannot connect to fake://beta/: No route to host"
    assert outcome.configuration is None
    assert outcome.differences == (
        "the destination could not be read back: cannot connect to fake://beta/: No route to host",
    )
    assert "destination-not-readable" in [finding.id for finding in outcome.findings]


def test_destination_that_the_client_must_open(fake: Migrator, hosts: FakeHosts) -> None:
    hosts.refused["beta"] = AuthenticationError(DESTINATION, problem="no credentials")

    with pytest.raises(AuthenticationError) as caught:
        fake.run(_plan(fake))

    assert str(caught.value) == "cannot connect to fake://beta/: no credentials"
    assert [(session.name, session.closed) for session in hosts.sessions] == [("alpha", True)]


def test_source_that_cannot_be_opened_leaves_no_session_open(
    fake: Migrator, hosts: FakeHosts
) -> None:
    hosts.refused["alpha"] = ConnectError(SOURCE, problem="Connection refused")

    with pytest.raises(ConnectError):
        fake.run(_plan(fake))
    end = monotonic() + 2
    while monotonic() < end and not all(session.closed for session in hosts.sessions):
        threading.Event().wait(0.01)

    assert [session.name for session in hosts.sessions if not session.closed] == []


def test_destination_that_is_lost_is_opened_once_more(fake: Migrator, hosts: FakeHosts) -> None:
    lost: list[FakeSession] = []

    def script(migration: FakeMigration) -> None:
        migration.move()
        (session,) = [session for session in hosts.sessions if session.name == "beta"]
        session.name = "nowhere"  # whatever it is asked now, it does not answer
        hosts.unreadable.add("nowhere")
        lost.append(session)

    hosts.script = script
    outcome = fake.run(_plan(fake))

    assert outcome.verdict is Verdict.DONE
    assert sorted(session.name for session in hosts.sessions) == ["alpha", "beta", "nowhere"]
    assert lost[0].closed


def test_destination_that_stays_lost(fake: Migrator, hosts: FakeHosts) -> None:
    def script(migration: FakeMigration) -> None:
        migration.move()
        migration.fail("connection reset")
        hosts.unreadable.add("beta")

    hosts.script = script
    outcome = fake.run(_plan(fake))

    assert (outcome.verdict, outcome.exit_code) == (Verdict.UNKNOWN, ExitCode.NEEDS_PERSON)
    assert outcome.unreadable == "reading beta failed: connection lost"


def test_source_that_is_lost_leaves_the_guest_unknown(fake: Migrator, hosts: FakeHosts) -> None:
    def script(migration: FakeMigration) -> None:
        migration.fail("connection reset")
        hosts.unreadable.add("alpha")

    hosts.script = script
    outcome = fake.run(_plan(fake))

    assert (outcome.verdict, outcome.exit_code) == (Verdict.UNKNOWN, ExitCode.NEEDS_PERSON)


# --- findings ----------------------------------------------------------------------------------

BLOCKING = Finding("disk-local", Severity.ERROR, "alpha", "its disk is not shared")


def test_blocked_by_findings(fake: Migrator, hosts: FakeHosts, site: Site) -> None:
    site.findings = [BLOCKING, Finding("note", Severity.WARNING, None, "worth knowing")]

    with pytest.raises(BlockedError) as caught:
        fake.run(_plan(fake))

    assert caught.value.findings == (BLOCKING,)
    assert str(caught.value) == (
        "the checks found what blocks this migration: disk-local: its disk is not shared"
    )
    assert hosts.migrations == []
    assert [session.closed for session in hosts.sessions] == [True, True]


def test_accepted_finding_does_not_block_and_is_recorded(fake: Migrator, site: Site) -> None:
    site.findings = [BLOCKING]

    outcome = fake.run(_plan(fake), accept={"disk-local": "it is copied"})

    assert outcome.verdict is Verdict.DONE
    assert BLOCKING._replace(accepted="it is copied") in outcome.findings


def test_accepting_another_finding_does_not_help(fake: Migrator, site: Site) -> None:
    site.findings = [BLOCKING]

    with pytest.raises(BlockedError):
        fake.run(_plan(fake), accept={"disk": "any"})


# fmt: off
CHECKS = [
    # guests on alpha, on beta, options                     ids of the errors
    ({}, {}, {},                                            ["guest-not-found"]),
    ({"web1": ("u1", SHUTOFF)}, {}, {},                     ["guest-not-running"]),
    ({"web1": ("u1", RUNNING)}, {}, {"live": False, "offline": True, "persistent": True},
                                                            ["guest-running"]),
    ({"web1": ("u1", RUNNING)}, {"web1": ("u2", SHUTOFF)}, {}, ["name-taken"]),
    ({"web1": ("u1", RUNNING)}, {"web1": ("u1", RUNNING)}, {}, ["already-there"]),
    ({"web1": ("u1", RUNNING)}, {"web9": ("u1", SHUTOFF)}, {}, ["uuid-taken"]),
    ({"web1": ("u1", RUNNING)}, {"web9": ("u1", RUNNING)}, {}, ["already-there"]),
    ({"web1": ("u1", RUNNING)}, {"web1": ("u1", SHUTOFF)}, {}, []),
    ({"web1": ("u1", RUNNING)}, {"web9": ("u1", SHUTOFF)}, {"dname": "web9"}, []),
    ({"web1": ("u1", PAUSED)},  {}, {},                     []),
]
# fmt: on


@pytest.mark.parametrize(("alpha", "beta", "options", "ids"), CHECKS)
def test_errors_that_a_check_finds(
    fake: Migrator,
    hosts: FakeHosts,
    alpha: dict[str, tuple[str, GuestState]],
    beta: dict[str, tuple[str, GuestState]],
    options: dict[str, Any],
    ids: list[str],
) -> None:
    hosts.place(alpha, beta)

    report = fake.check(_plan(fake, **options))

    assert [finding.id for finding in report.findings if finding.blocks] == ids
    assert all(session.closed for session in hosts.sessions)


def test_busy_guest_and_same_host_are_found_together(
    fake: Migrator, hosts: FakeHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = hosts.guests["alpha"]["web1"]
    hosts.guests["alpha"]["web1"] = guest._replace(job="migration out")
    same = HostFacts("alpha", "one uuid", "fake 1", "faked 1")
    monkeypatch.setattr(FakeSession, "host", lambda _session: same)

    report = fake.check(_plan(fake))

    assert [finding.id for finding in report.findings if finding.blocks] == [
        "same-host",
        "guest-busy",
    ]


# --- the port ----------------------------------------------------------------------------------


def test_port_of_ours_is_held_during_the_transfer(fake: Migrator, hosts: FakeHosts) -> None:
    refused: list[str] = []

    def script(migration: FakeMigration) -> None:
        try:
            PortLedger().hold("beta", 7100).release()
        except PortHeldError as error:
            refused.append(str(error))
        migration.move()

    hosts.script = script
    fake.run(_plan(fake))

    assert len(refused) == 1
    assert hosts.plans[0].port.value == 7100
    assert hosts.plans[0].uris.migration.value == "fakemigr://beta:7100/"
    assert hosts.plans[0].commands == (
        NativeCommand("fakectl", ("fakectl", "fakemigr://beta:7100/")),
    )
    PortLedger().hold("beta", 7100).release()  # free again


def test_port_that_another_holds_is_passed_over(fake: Migrator, hosts: FakeHosts) -> None:
    with PortLedger().hold("BETA.", 7100):
        fake.run(_plan(fake))

    assert hosts.plans[0].port.value == 7101


def test_port_that_something_listens_on_there_is_passed_over(
    fake: Migrator, hosts: FakeHosts
) -> None:
    hosts.listening = {22, 7100}
    fake.run(_plan(fake))

    assert hosts.plans[0].port.value == 7101


def test_port_of_the_request_is_held(fake: Migrator, hosts: FakeHosts) -> None:
    plan = _plan(fake, migration="fakemigr://10.0.0.9:7200/")

    with PortLedger().hold("10.0.0.9", 7200), pytest.raises(PortHeldError):
        fake.run(plan)
    outcome = fake.run(plan)

    assert outcome.verdict is Verdict.DONE
    assert [plan.port.value for plan in hosts.plans] == [7200]


def test_port_is_free_again_after_a_failure(fake: Migrator, hosts: FakeHosts) -> None:
    hosts.script = lambda migration: migration.fail("x")
    outcomes: list[Outcome] = [fake.run(_plan(fake)) for _ in range(3)]

    assert [outcome.verdict for outcome in outcomes] == [Verdict.FAILED] * 3
    assert [plan.port.value for plan in hosts.plans] == [7100] * 3


def test_two_migrations_at_once_have_two_ports(fake: Migrator, hosts: FakeHosts) -> None:
    hosts.script = _never
    runs = [fake.start(_plan(fake)) for _ in range(2)]
    _wait_for(lambda: len(hosts.plans) == 2)
    for run in runs:
        run.cancel()
    for run in runs:
        run.wait()

    assert sorted(plan.port.value or 0 for plan in hosts.plans) == [7100, 7101]


def test_session_that_breaks_while_it_is_read_back_leaves_a_verdict(
    fake: Migrator, hosts: FakeHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script(migration: FakeMigration) -> None:
        migration.move()
        monkeypatch.setattr(FakeSession, "guest", lambda *_: 1 / 0)

    hosts.script = script

    outcome = fake.run(_plan(fake))

    assert (outcome.verdict, outcome.exit_code) == (Verdict.UNKNOWN, ExitCode.NEEDS_PERSON)
    assert outcome.source_unreadable == outcome.unreadable == "ZeroDivisionError: division by zero"


def test_guest_that_is_not_there_blocks_whatever_is_accepted(
    fake: Migrator, hosts: FakeHosts
) -> None:
    hosts.guests["alpha"].clear()

    with pytest.raises(BlockedError) as caught:
        fake.run(_plan(fake), accept={"guest-not-found": "because", "typo": "because"})

    assert [finding.id for finding in caught.value.findings] == ["guest-not-found"]
    assert hosts.migrations == []


def test_acceptance_of_nothing_is_told(fake: Migrator) -> None:
    report = fake.check(_plan(fake), accept={"typo": "because"})

    assert [(finding.seen, finding.id) for finding in report.findings][-1] == (
        "typo",
        "accept-unused",
    )


# --- plugins that end what they are not asked to end ---------------------------------------------


@pytest.mark.parametrize("ending", [SystemExit(0), KeyboardInterrupt(), GeneratorExit()])
@pytest.mark.parametrize("where", ["start", "wait", "result", "statistics"])
def test_session_that_ends_the_process_ends_in_a_verdict(
    fake: Migrator,
    hosts: FakeHosts,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    ending: BaseException,
) -> None:
    def end(*_: object) -> None:
        raise ending

    owner = FakeSession if where == "start" else FakeMigration
    monkeypatch.setattr(owner, where, end)
    hosts.script = _slowly

    outcome = fake.run(_plan(fake))

    assert outcome.verdict in {Verdict.FAILED, Verdict.DONE}
    assert type(ending).__name__ in str(outcome.error)


def test_session_that_breaks_when_it_is_closed_loses_no_verdict(
    fake: Migrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(_: object) -> None:
        raise RuntimeError("it does not close")

    monkeypatch.setattr(FakeSession, "close", end)

    assert fake.run(_plan(fake)).verdict is Verdict.DONE


def test_observer_that_presses_ctrl_c_disturbs_nobody(
    fake: Migrator, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(_: object, __: object = None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Registry, "observe", end)

    assert fake.run(_plan(fake), observers=[end]).verdict is Verdict.DONE
    assert site.events == []


# fmt: off
STRANGE = [
    # guests on alpha and on beta when libvirt has refused, where the guest is then, and strangers
    ({"web1": ("u1", RUNNING)}, {"web1": ("u2", RUNNING)}, Verdict.FAILED, {"beta": "u2"}),
    ({"web1": ("u1", RUNNING)}, {"web1": ("u2", SHUTOFF)}, Verdict.FAILED, {"beta": "u2"}),
    ({},                        {"web1": ("u2", RUNNING)}, Verdict.LOST,   {"beta": "u2"}),
    ({"web1": ("u3", RUNNING)}, {"web1": ("u2", RUNNING)}, Verdict.LOST,   {"alpha": "u3",
                                                                            "beta": "u2"}),
    ({},                        {"web9": ("u1", RUNNING)}, Verdict.DONE,   {}),
    ({"web9": ("u1", RUNNING)}, {"web1": ("u2", RUNNING)}, Verdict.FAILED, {"beta": "u2"}),
]
# fmt: on


@pytest.mark.parametrize(("alpha", "beta", "verdict", "strangers"), STRANGE)
def test_another_guest_of_the_name_is_not_taken_for_ours(
    fake: Migrator,
    hosts: FakeHosts,
    alpha: dict[str, tuple[str, GuestState]],
    beta: dict[str, tuple[str, GuestState]],
    verdict: Verdict,
    strangers: dict[str, str],
) -> None:
    def refuse(migration: FakeMigration) -> None:
        hosts.place(alpha, beta)
        migration.fail("domain 'web1' already exists with uuid u2")

    hosts.script = refuse

    outcome = fake.run(_plan(fake))

    assert outcome.verdict is verdict
    assert [text for text in outcome.differences if "another guest" in text] == [
        f"{host} has another guest of the name web1, {uuid}" for host, uuid in strangers.items()
    ]
