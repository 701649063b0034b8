"""Both hosts read, steps taken, a migration followed: with hosts in memory."""

from __future__ import annotations

import threading
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import (
    HANDED_OVER,
    INCOMING,
    ClientCrash,
    Crash,
    DriverError,
    EntryPoint,
    Event,
    ExitCode,
    GuestFacts,
    GuestState,
    Mend,
    Migrator,
    Phase,
    Plan,
    Recorded,
    Session,
    State,
    hookimpl,
)
from migrate_plugins.deadline import within
from migrate_plugins.reconciler import Reconciler
from migrate_plugins.testing import MemoryDriver, MemoryHosts
from migrate_plugins.testing.memory.hosts import Configuration, MemoryGuest
from migrate_plugins.testing.memory.session import MemorySession
from migrate_plugins.transfer import ADOPTED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migrate_plugins import Observer, Reconciled

SOURCE, DESTINATION = "memory://alpha/", "memory://beta/"
RUNNING, PAUSED = GuestState.RUNNING, GuestState.PAUSED
POINT = EntryPoint("migrate_plugins.drivers", "memory", "memory", "memory", "1", "tests")


class Scene:
    """Hosts in memory with a driver, which a test may replace."""

    def __init__(self) -> None:
        self.hosts = MemoryHosts(seconds=0.05)
        self.session: Callable[[MemoryHosts, str], Session] = MemorySession
        scene = self

        class Driver(MemoryDriver):
            @hookimpl
            def migrate_connect(self, uri: str) -> Session:
                return scene.session(scene.hosts, uri)

        self.migrator = Migrator([(POINT, Driver(hosts=self.hosts))])

    def plan(self, name: str = "web2", **options: Any) -> Plan:  # noqa: ANN401 - the fields of a request have many types
        fields = {"source": SOURCE, "destination": DESTINATION, "live": True, **options}
        return self.migrator.plan(name, **fields)

    def reconcile(
        self,
        plan: Plan | None = None,
        *,
        recorded: Recorded | None = None,
        apply: bool = False,
        cancelled: threading.Event | None = None,
        observers: Sequence[Observer] | None = None,
    ) -> Reconciled:
        """Look, apply or follow, with what a journal would know."""
        plan = plan or self.plan()
        recorded = recorded or Recorded(before=RUNNING)
        driver = self.migrator.registry.drivers["memory"]
        with Reconciler(driver, plan, recorded, observers=observers or ()) as reconciler:
            found = reconciler.look()
            if observers is not None or cancelled is not None:
                found = reconciler.follow(cancelled or threading.Event())
            return reconciler.apply() if apply else found

    def place(self, host: str, state: GuestState, reason: str, name: str = "web2") -> None:
        uuid = self.uuid(name)
        self.hosts[host].active[name] = MemoryGuest(uuid, 1024, state, None, reason)

    def uuid(self, name: str = "web2") -> str:
        found = [guest.uuid for host in self.hosts.names for guest in self.guests(host, name)]
        return found[0]

    def guests(self, host: str, name: str = "web2") -> list[GuestFacts]:
        return [guest for guest in self.hosts.guests(host) if guest.name == name]

    def where(self, name: str = "web2") -> dict[str, tuple[GuestState, bool]]:
        """State, and whether it is stored, by host."""
        return {
            host: (guest.state, guest.persistent)
            for host in self.hosts.names
            for guest in self.guests(host, name)
        }


@pytest.fixture
def scene() -> Scene:
    return Scene()


def steps(found: Reconciled) -> list[tuple[Mend, str, str | None]]:
    return [(each.step.mend, each.host, each.error) for each in found.taken]


def test_look_changes_nothing(scene: Scene) -> None:
    scene.place("alpha", PAUSED, "migration")

    found = scene.reconcile()

    assert (found.settlement.state, found.taken) == (State.SWITCHOVER_STUCK, ())
    assert scene.where() == {"alpha": (PAUSED, False)}
    assert found.exit_code == ExitCode.FAILED


def test_stuck_guest_goes_on_at_the_source(scene: Scene) -> None:
    scene.place("alpha", PAUSED, "migration")

    found = scene.reconcile(apply=True)

    assert found.settlement.state is State.ROLLED_BACK
    assert steps(found) == [(Mend.RESUME, "alpha", None)]
    assert scene.where() == {"alpha": (RUNNING, False)}


def test_two_paused_copies_become_one_that_runs(scene: Scene) -> None:
    scene.place("beta", PAUSED, "migration")
    scene.place("alpha", PAUSED, "migration")

    found = scene.reconcile(apply=True)

    assert (found.settlement.state, found.exit_code) == (State.ROLLED_BACK, ExitCode.DONE)
    assert steps(found) == [(Mend.RESUME, "alpha", None), (Mend.DESTROY, "beta", None)]
    assert scene.where() == {"alpha": (RUNNING, False)}


def test_paused_copy_beside_the_guest_that_moved_is_ended(scene: Scene) -> None:
    scene.place("beta", RUNNING, "migrated")
    scene.place("alpha", PAUSED, "migration")

    found = scene.reconcile(apply=True)

    assert found.settlement.state is State.FINISHED
    assert steps(found) == [(Mend.DESTROY, "alpha", None)]
    assert scene.where() == {"beta": (RUNNING, False)}


def test_configurations_become_as_the_plan_promised(scene: Scene) -> None:
    plan = scene.plan("web1", persistent=True, undefine_source=True)
    scene.place("beta", RUNNING, "migrated", "web1")
    del scene.hosts["alpha"].active["web1"]

    found = scene.reconcile(plan, apply=True)

    assert found.settlement.state is State.FINISHED
    assert steps(found) == [(Mend.DEFINE, "beta", None), (Mend.UNDEFINE, "alpha", None)]
    assert scene.where("web1") == {"beta": (RUNNING, True)}


def test_guest_that_runs_on_both_hosts_is_not_touched(scene: Scene) -> None:
    scene.place("beta", RUNNING, "migrated")

    found = scene.reconcile(apply=True)

    assert (found.settlement.state, found.taken) == (State.RUNNING_ON_BOTH, ())
    assert found.exit_code == ExitCode.NEEDS_PERSON
    assert scene.where() == {"alpha": (RUNNING, False), "beta": (RUNNING, False)}


def test_guest_of_another_name_is_found_by_its_uuid(scene: Scene) -> None:
    uuid = scene.uuid()
    del scene.hosts["alpha"].active["web2"]
    scene.hosts["beta"].active["anew"] = MemoryGuest(uuid, 1024, RUNNING, None, "migrated")

    found = scene.reconcile(recorded=Recorded(uuid=uuid, before=RUNNING))

    assert found.settlement.state is State.FINISHED
    assert found.destination.guest is not None
    assert found.destination.guest.name == "anew"


def test_copy_of_another_name_beside_the_guest_is_found_without_a_record(scene: Scene) -> None:
    scene.hosts["beta"].active["anew"] = MemoryGuest(scene.uuid(), 1024, RUNNING, None, "migrated")

    assert scene.reconcile().settlement.state is State.RUNNING_ON_BOTH


@pytest.mark.parametrize("fault", ["connect", "authenticate", "read"])
@pytest.mark.parametrize("host", ["alpha", "beta"])
def test_host_that_cannot_be_read_keeps_every_step_back(
    scene: Scene, host: str, fault: str
) -> None:
    scene.place("alpha", PAUSED, "migration")
    scene.hosts.fault(host, fault)

    found = scene.reconcile(apply=True)

    assert (found.settlement.state, found.taken) == (State.UNKNOWN, ())
    assert found.exit_code == ExitCode.CONNECT
    scene.hosts.heal()
    assert scene.where() == {"alpha": (PAUSED, False)}


def test_one_host_under_two_uris_is_not_two_hosts(scene: Scene) -> None:
    plan = scene.plan(destination=SOURCE)

    found = scene.reconcile(plan, apply=True)

    assert (found.settlement.state, found.taken) == (State.UNKNOWN, ())
    assert found.destination.unreadable == "its URI leads to the source, alpha, itself"


def test_destination_without_a_uri_is_said_to_be_unseen(scene: Scene) -> None:
    plan = scene.plan(destination=None, migration="memmigr://beta/", direct=True)

    found = scene.reconcile(plan)

    assert found.settlement.state is State.UNKNOWN
    assert found.destination.unreadable == (
        "native-unmanaged gives no URI by which it could be opened from here;"
        " give one with --destination, or name the host in config.toml"
    )


class Shortsighted(MemorySession):
    """A host of which not all guests can be seen."""

    def unseen(self, plan: Plan) -> str | None:
        return f"{plan.guest} may be where nobody can look"


def test_guest_that_cannot_be_seen_is_not_taken_for_gone(scene: Scene) -> None:
    plan = scene.plan()
    scene.hosts["alpha"].active.clear()
    scene.hosts["alpha"].configurations.clear()
    scene.session = lambda hosts, uri: {SOURCE: MemorySession}.get(uri, Shortsighted)(hosts, uri)

    found = scene.reconcile(plan, apply=True)

    assert (found.settlement.state, found.taken) == (State.UNKNOWN, ())
    assert found.destination.unreadable is not None
    assert "web2 may be where nobody can look" in found.destination.unreadable


def test_guest_that_can_be_seen_is_believed_where_others_cannot(scene: Scene) -> None:
    scene.session = Shortsighted

    found = scene.reconcile()

    assert found.source.guest is not None
    assert found.source.guest.state is RUNNING


class Frozen(MemorySession):
    """A host that takes for ever."""

    def guest(self, name: str) -> GuestFacts | None:
        threading.Event().wait(30)
        return super().guest(name)


def test_frozen_host_is_not_waited_for(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migrate_plugins.reconciler.PATIENCE", 0.2)
    scene.place("alpha", PAUSED, "migration")
    scene.session = lambda hosts, uri: (Frozen if "beta" in uri else MemorySession)(hosts, uri)

    began = monotonic()
    found = scene.reconcile(apply=True)

    assert monotonic() - began < 5
    assert (found.settlement.state, found.taken) == (State.UNKNOWN, ())
    assert found.destination.unreadable == "no answer within 0.2 s from memory://beta/"


class Hands(MemorySession):
    """A host where somebody else changes the guest between look and step."""

    def mend(self, step: Mend, guest: GuestFacts) -> None:
        del self._host.active[guest.name]
        super().mend(step, guest)


def test_step_is_refused_where_the_guest_has_changed(scene: Scene) -> None:
    scene.place("alpha", PAUSED, "migration")
    scene.session = Hands

    found = scene.reconcile(apply=True)

    assert steps(found) == [
        (Mend.RESUME, "alpha", "resume of web2 failed: it has changed since it was read")
    ]
    assert found.settlement.state is State.LOST


class Plain:
    """A session that offers no more than every session has to."""

    def __init__(self, hosts: MemoryHosts, uri: str) -> None:
        session = MemorySession(hosts, uri)
        self.uri = session.uri
        self.host, self.guest = session.host, session.guest
        self.guest_by_uuid, self.start = session.guest_by_uuid, session.start
        self.close = session.close


def test_driver_without_a_way_back_is_told_what_is_to_be_done(scene: Scene) -> None:
    scene.place("alpha", PAUSED, "migration")
    scene.session = Plain

    found = scene.reconcile(apply=True)

    assert found.settlement.state is State.SWITCHOVER_STUCK
    assert found.settlement.step is not None
    assert found.command is None
    assert steps(found) == [
        (
            Mend.RESUME,
            "alpha",
            (
                "resume of web2 failed: the driver memory does not offer it; use the hypervisor's"
                " own tool"
            ),
        )
    ]


def under_way(scene: Scene, **options: Any) -> Plan:  # noqa: ANN401 - the fields of a request have many types
    """Begin a migration that nobody waits for."""
    plan = scene.plan(**options)
    session = MemorySession(scene.hosts, SOURCE)
    session.start(plan, None)
    return plan


STALLS = ClientCrash(Crash.STALLS, "its client has to finish it")


@pytest.mark.parametrize("alive", [False, None])
def test_guest_that_a_client_may_still_finish_is_waited_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, alive: bool | None
) -> None:
    monkeypatch.setattr("migrate_plugins.reconciler._CLIENT", 0.5)
    plan = scene.plan()._replace(own_crash=STALLS)
    scene.place("beta", PAUSED, INCOMING)
    scene.place("alpha", PAUSED, HANDED_OVER)

    recorded, events = Recorded(before=RUNNING, alive=alive), list[Event]()
    began = monotonic()
    found = scene.reconcile(plan, recorded=recorded, apply=True, observers=[events.append])

    assert found.settlement.state is State.FINISHED
    assert steps(found) == [(Mend.RESUME, "beta", None), (Mend.DESTROY, "alpha", None)]
    assert (monotonic() - began > 0.5) is (alive is None)
    waits = [event.text for event in events if event.phase is Phase.MEND]
    assert len(waits) == (alive is None)


@pytest.mark.parametrize("alive", [False, None])
def test_client_that_may_finish_it_is_told_of_where_nothing_is_applied(
    scene: Scene, alive: bool | None
) -> None:
    plan = scene.plan()._replace(own_crash=STALLS)
    scene.place("beta", PAUSED, INCOMING)
    scene.place("alpha", PAUSED, HANDED_OVER)

    found = scene.reconcile(plan, recorded=Recorded(before=RUNNING, alive=alive))

    assert found.settlement.step is not None
    assert ("make sure that it has ended" in found.settlement.why) is (alive is None)


def test_guest_that_a_client_finishes_meanwhile_is_left_alone(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrate_plugins.reconciler._CLIENT", 1.0)
    plan = scene.plan()._replace(own_crash=STALLS)
    scene.place("beta", PAUSED, INCOMING)
    scene.place("alpha", PAUSED, HANDED_OVER)
    taken_back = threading.Timer(0.5, scene.place, ("alpha", RUNNING, "booted"))
    taken_back.start()

    found = scene.reconcile(plan, recorded=Recorded(before=RUNNING, alive=None), apply=True)

    taken_back.join(10)
    assert found.taken == ()
    assert found.problem == "somebody else changed it in the last 1 s: nothing was done"
    assert scene.where() == {"alpha": (RUNNING, False), "beta": (PAUSED, False)}


@pytest.mark.parametrize("apply", [False, True])
def test_migration_under_way_is_left_alone(scene: Scene, apply: bool) -> None:
    scene.hosts.fault("beta", "hang@50")
    plan = under_way(scene, p2p=True)

    found = scene.reconcile(plan, apply=apply)

    assert (found.settlement.state, found.taken) == (State.IN_PROGRESS, ())
    assert found.exit_code == ExitCode.FAILED
    scene.hosts.clear()


def test_migration_under_way_is_followed_to_its_end(scene: Scene) -> None:
    scene.hosts.fault("beta", "slow")
    plan = under_way(scene, p2p=True)
    events: list[Event] = []

    def observe(event: Event) -> None:
        events.append(event)
        if len(events) == 2:
            scene.hosts.heal()

    found = scene.reconcile(plan, observers=[observe])

    assert found.settlement.state is State.FINISHED
    assert {event.phase for event in events} == {Phase.TRANSFER}
    assert events[0].statistics is not None
    assert scene.where() == {"beta": (RUNNING, False)}


def test_hosts_may_take_a_moment_to_tell_of_an_end_that_was_followed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrate_plugins.reconciler.Transfer.follow", lambda *_: None)
    scene.hosts.fault("beta", "hang@50")
    plan = under_way(scene, p2p=True)
    ends = threading.Timer(0.7, scene.hosts.heal)
    ends.start()

    found = scene.reconcile(plan, observers=[])

    ends.join(10)
    assert found.settlement.state is State.FINISHED


def test_migration_under_way_is_cancelled(scene: Scene) -> None:
    scene.hosts.fault("beta", "hang@50")
    plan = under_way(scene, p2p=True)
    cancelled = threading.Event()
    cancelled.set()

    found = scene.reconcile(plan, cancelled=cancelled)

    assert (found.settlement.state, found.cancelled) == (State.ROLLED_BACK, True)
    assert scene.where() == {"alpha": (RUNNING, False)}


class Swapped(MemorySession):
    """A source on which another guest has taken the name."""

    def guest(self, name: str) -> GuestFacts | None:
        found = super().guest(name)
        return found and found._replace(uuid="another")


class Strange(Swapped):
    """A source on which another guest has the name, and ours is not there any more."""

    def guest_by_uuid(self, uuid: str) -> GuestFacts | None:  # noqa: ARG002 - it is not there
        return None


class Late(Swapped):
    """A source on which another guest takes the name once it was looked at."""

    looks = 2

    def guest(self, name: str) -> GuestFacts | None:
        self.looks -= 1
        return super().guest(name) if self.looks < 0 else None

    def guest_by_uuid(self, uuid: str) -> GuestFacts | None:  # noqa: ARG002 - it is not there
        return None


@pytest.mark.parametrize(
    ("swapped", "problem"),
    [
        (Swapped, "web2 is no longer the guest that was read"),
        (Strange, "web2 is another guest, another"),
        (Late, "web2 is no longer the guest that was read"),
    ],
)
def test_migration_of_another_guest_of_the_name_is_not_cancelled(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, swapped: type[MemorySession], problem: str
) -> None:
    monkeypatch.setattr("migrate_plugins.reconciler._GRACE", 0.1)
    scene.hosts.fault("beta", "hang@50")
    plan = under_way(scene, p2p=True)
    scene.session = lambda hosts, uri: {SOURCE: swapped}.get(uri, MemorySession)(hosts, uri)
    cancelled = threading.Event()
    cancelled.set()

    recorded = Recorded(before=RUNNING, uuid=scene.uuid())

    found = scene.reconcile(plan, recorded=recorded, cancelled=cancelled)

    assert (found.settlement.state, found.cancelled) == (State.IN_PROGRESS, False)
    assert found.problem is not None
    assert problem in found.problem
    scene.hosts.clear()


def test_migration_that_cannot_be_cancelled_is_said_to_go_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = ADOPTED._replace(stopping=0.3)
    monkeypatch.setattr("migrate_plugins.reconciler.ADOPTED", soon)
    monkeypatch.setattr("migrate_plugins.reconciler._GRACE", 0.1)
    scene.hosts.fault("beta", "hang@50", "cancel")
    plan = under_way(scene, p2p=True)
    cancelled = threading.Event()
    cancelled.set()

    found = scene.reconcile(plan, cancelled=cancelled)

    assert found.settlement.state is State.IN_PROGRESS
    assert found.problem == (
        "migrating web2 failed: it was to stop, and has not for 0 s (cancelling the migration of"
        " web2 failed: simulated: it is too late to stop)"
    )
    scene.hosts.clear()


def test_process_that_lives_keeps_its_migration(scene: Scene) -> None:
    scene.hosts.fault("beta", "hang@50")
    plan = under_way(scene, p2p=True)
    cancelled = threading.Event()
    cancelled.set()
    recorded = Recorded(before=RUNNING, alive=True, writer="process 4711 on host1")

    found = scene.reconcile(plan, recorded=recorded, cancelled=cancelled, apply=True)

    assert (found.settlement.state, found.taken, found.cancelled) == (State.IN_PROGRESS, (), False)
    assert found.problem == (
        "not cancelled: it decides: wait for its end, or interrupt it, and it cancels the migration"
    )
    scene.hosts.clear()


def test_broken_post_copy_is_not_touched(scene: Scene) -> None:
    scene.place("beta", PAUSED, "postcopy failed")
    scene.place("alpha", PAUSED, "postcopy failed")

    found = scene.reconcile(apply=True)

    assert (found.settlement.state, found.taken) == (State.SWITCHOVER_STUCK, ())
    assert scene.where() == {"alpha": (PAUSED, False), "beta": (PAUSED, False)}


def test_configuration_left_behind_after_a_rollback_is_removed(scene: Scene) -> None:
    plan = scene.plan("web1")
    report = scene.migrator.check(plan)
    scene.hosts["beta"].configurations["web1"] = Configuration(scene.uuid("web1"), 1024)

    found = scene.reconcile(report.plan, apply=True)

    assert found.settlement.state is State.ROLLED_BACK
    assert steps(found) == [(Mend.UNDEFINE, "beta", None)]
    assert scene.where("web1") == {"alpha": (RUNNING, True)}


def test_result_goes_to_json(scene: Scene) -> None:
    scene.place("beta", RUNNING, "migrated")
    scene.place("alpha", PAUSED, "migration")

    told = scene.reconcile().to_json()

    assert told.pop("plan")["guest"] == "web2"
    assert told.pop("source")["guest"]["state"] == "paused"
    assert told.pop("destination") == {
        "host": "beta",
        "guest": scene.guests("beta")[0]._asdict(),
        "unreadable": None,
    }
    assert told == {
        "id": None,
        "guest": "web2",
        "state": "clean-up-missing",
        "verdict": "unknown",
        "exit_code": 1,
        "text": "web2 runs on beta, and a paused copy of it is left on alpha",
        "certain": True,
        "step": {"mend": "destroy", "host": "source", "command": None},
        "why": "the migration paused it and left it, no job needs it, and the guest itself runs",
        "taken": [],
        "cancelled": False,
        "problem": None,
        "unrecorded": None,
    }


def test_call_is_waited_for_only_so_long() -> None:
    late: list[str] = []
    go = threading.Event()

    def call() -> str:
        go.wait(5)
        return "late"

    with pytest.raises(TimeoutError, match=r"no answer within 0\.1 s"):
        within(0.1, call, late=late.append)
    go.set()
    end = monotonic() + 5
    while not late and monotonic() < end:
        sleep(0.01)

    assert late == ["late"]


def test_answer_and_error_of_a_call_come_through() -> None:
    def fail() -> None:
        raise DriverError("reading", problem="gone")

    assert within(5, lambda: 7) == 7
    with pytest.raises(DriverError, match="reading failed: gone"):
        within(5, fail)
