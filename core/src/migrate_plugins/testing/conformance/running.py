"""Migrations that are run, between the two hosts that the author gives."""

from __future__ import annotations

import threading
from itertools import product
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pytest

from migrate_plugins import (
    SCENARIOS,
    ConnectError,
    Driver,
    DriverError,
    Event,
    Finding,
    Flow,
    GuestFacts,
    GuestState,
    HostFacts,
    InvalidURIError,
    Migrator,
    Need,
    Outcome,
    Phase,
    Plan,
    Plugin,
    Revision,
    Run,
    Session,
    Statistics,
    Verdict,
)
from migrate_plugins.testing.conformance.cases import each_revision, each_scenario
from migrate_plugins.testing.conformance.rules import Shows, about
from migrate_plugins.testing.conformance.shape import misfits
from migrate_plugins.testing.conformance.subject import DriverSubject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrate_plugins.testing.conformance.pair import HostPair

__all__ = ["Connecting", "Running", "can", "make_guest", "planned", "read", "told"]

_NOBODY: Final = "00000000-0000-4000-8000-000000000000"
_ORDER: Final = [*Phase]
# What a guest is that the hosts cannot make.
_KINDS: Final = {None: "a guest", False: "a transient guest", True: "a persistent guest"}
_STATES: Final = {False: "is shut off", True: "runs"}
# Seconds between two looks.
_PAUSE: Final = 0.02


class Connecting(DriverSubject):
    """Checks of sessions.

    Attributes:
        patience: Seconds that a migration may take here, and a host to say that it is not there.
    """

    patience: ClassVar[float] = 120.0

    @pytest.fixture
    def hosts(self) -> HostPair | None:
        """Two hosts to run migrations between; none as long as the author gives none."""
        return None

    @pytest.fixture
    def pair(self, hosts: HostPair | None, plugin: Plugin) -> Iterator[HostPair]:
        """The two hosts, cleaned up afterwards; without them a check is skipped."""
        if hosts is None:
            pytest.skip("no hosts given: override the fixture `hosts`")
        assert "migrate_connect" in plugin.hooks, f"{self.name} has hosts, and opens no sessions"
        yield hosts
        hosts.clean()

    @about("migrate_connect")
    def test_wrong_connection_uri_is_an_error_of_ours(self, driver: Driver, plugin: Plugin) -> None:
        """A connection URI that nobody can open raises ConnectError, or says what is wrong."""
        if "migrate_connect" not in plugin.hooks:
            pytest.skip(f"{self.name} only plans: it does not implement migrate_connect")
        for uri in ("nonsense", "nonsense://desthost/"):
            with pytest.raises((ConnectError, InvalidURIError)) as caught:
                driver.connect(uri)
            assert str(caught.value).strip()

    @about("migrate_connect")
    def test_dead_host_is_a_connect_error(self, driver: Driver, pair: HostPair) -> None:
        """A host that does not answer raises ConnectError, and does not take for ever."""
        if pair.dead is None:
            pytest.skip("the hosts have no URI that is dead")
        began = monotonic()
        with pytest.raises(ConnectError) as caught:
            driver.connect(pair.dead)
        assert monotonic() - began < self.patience
        assert caught.value.uri == pair.dead
        assert caught.value.problem.strip()

    @about("migrate_connect")
    def test_session_keeps_its_uri_and_closes_twice(self, driver: Driver, pair: HostPair) -> None:
        """A session knows the URI that opened it, and closing it again is no error."""
        session = driver.connect(pair.source)
        session.close()
        session.close()
        assert session.uri == pair.source

    @about("migrate_connect")
    def test_hosts_say_who_they_are(self, driver: Driver, pair: HostPair) -> None:
        """Each host gives typed facts, and the two are not one."""
        facts = [_with(driver, uri, lambda session: session.host()) for uri in _both(pair)]
        for host in facts:
            assert [*misfits(host, HostFacts)] == []
            assert host.name.strip(), "a host has no name"
        source, destination = facts
        assert source.uuid is None or source.uuid != destination.uuid

    @about("migrate_connect")
    @pytest.mark.parametrize("persistent", [False, True])
    @pytest.mark.parametrize("running", [False, True])
    def test_guest_is_read_as_it_is(
        self, driver: Driver, pair: HostPair, running: bool, persistent: bool
    ) -> None:
        """A guest is read by name and by uuid alike, with its state and whether it is stored."""
        name = make_guest(pair, running=running, persistent=persistent or not running)
        facts = read(driver, pair.source, name)
        assert facts is not None, f"{name} is not found"
        assert [*misfits(facts, GuestFacts)] == []
        assert facts.name == name
        assert facts.state is (GuestState.RUNNING if running else GuestState.SHUTOFF)
        assert facts.persistent is (persistent or not running)
        assert facts.memory > 0
        assert facts.job is None
        again = _with(driver, pair.source, lambda session: session.guest_by_uuid(facts.uuid))
        assert again == facts

    @about("migrate_connect")
    def test_unknown_guest_is_none(self, driver: Driver, pair: HostPair) -> None:
        """A guest that a host does not know is None, by name and by uuid, and no error."""
        for uri in _both(pair):
            assert read(driver, uri, "no-such-guest") is None
            assert _with(driver, uri, lambda session: session.guest_by_uuid(_NOBODY)) is None

    @about("migrate_connect")
    def test_session_takes_calls_from_several_threads(self, driver: Driver, pair: HostPair) -> None:
        """Several threads may read over one session at once."""
        name = make_guest(pair)
        answers: list[object] = []

        def look(session: Session) -> None:
            try:
                answers.extend(session.guest(name) for _ in range(10))
            except Exception as error:  # noqa: BLE001 - it is shown below
                answers.append(error)

        session = driver.connect(pair.source)
        threads = [threading.Thread(target=look, args=(session,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(self.patience)
        session.close()
        assert {*answers} == {read(driver, pair.source, name)}
        assert len(answers) == 4 * 10


class Running(Connecting):
    """Checks of migrations."""

    @each_scenario
    @about("migrate_connect", "migrate_capabilities", shows=Shows.RAN)
    def test_offered_scenario_runs(
        self, migrator: Migrator, driver: Driver, pair: HostPair, revision: Revision, scenario: str
    ) -> None:
        """A scenario that is offered moves a guest: it runs on the destination, and once only."""
        self.offer(driver, revision, scenario)
        name = make_guest(pair)
        before = read(driver, pair.source, name)
        outcome = self._run(migrator, planned(migrator, driver, pair, scenario, revision, name))
        assert outcome.verdict is Verdict.DONE, told(outcome)
        here, there = (read(driver, uri, name) for uri in _both(pair))
        assert before is not None
        assert here is None or not here.state.active, f"{name} is on the source too"
        # All rows agree of the source; more than one is left where the destination is not read.
        rows = outcome.plan.configuration.rows
        promised = [row.after for row in rows if row.before.source_config is before.persistent]
        kept = here is not None and here.persistent
        assert kept in {then.source_config for then in promised}, f"on the source: {here}"
        assert there is not None
        assert (there.uuid, there.state) == (before.uuid, GuestState.RUNNING)
        # What the client cannot look at during the migration is no fault of the driver.
        assert outcome.differences == () or outcome.unreadable is not None, outcome.differences

    @each_scenario
    @about("migrate_connect", shows=Shows.RAN, proves=False)
    def test_cancelled_migration_leaves_the_guest_on_the_source(
        self, migrator: Migrator, driver: Driver, pair: HostPair, revision: Revision, scenario: str
    ) -> None:
        """A migration that is cancelled ends soon, and the guest runs on the source as before."""
        self.offer(driver, revision, scenario)
        can(pair.slow(), "slow a transfer down")
        name = make_guest(pair)
        run = migrator.start(planned(migrator, driver, pair, scenario, revision, name))
        self._transferring(run)
        run.cancel()
        outcome = self._end(run)
        assert outcome.verdict is Verdict.CANCELLED, told(outcome)
        pair.heal()
        self._stayed(driver, pair, name)

    @each_scenario
    @about("migrate_connect", shows=Shows.RAN, proves=False)
    def test_broken_transfer_leaves_the_guest_on_the_source(
        self, migrator: Migrator, driver: Driver, pair: HostPair, revision: Revision, scenario: str
    ) -> None:
        """A transfer that breaks is told in the hypervisor's words, and the guest has stayed."""
        self.offer(driver, revision, scenario)
        can(pair.slow(), "slow a transfer down")
        name = make_guest(pair)
        run = migrator.start(planned(migrator, driver, pair, scenario, revision, name))
        self._transferring(run)
        can(pair.break_transfer(), "break a transfer")
        outcome = self._end(run)
        assert outcome.verdict is Verdict.FAILED, told(outcome)
        assert isinstance(outcome.error, DriverError), repr(outcome.error)
        assert outcome.error.problem.strip(), "the hypervisor's text is empty"
        pair.heal()
        self._stayed(driver, pair, name)

    @each_revision
    @about("migrate_connect", "migrate_observe")
    def test_events_are_in_order(
        self, migrator: Migrator, driver: Driver, pair: HostPair, revision: Revision
    ) -> None:
        """Typed events tell of each phase, in the order of a migration's life."""
        scenario = self._scenario(driver, revision)
        name = make_guest(pair)
        events: list[Event] = []
        plan = planned(migrator, driver, pair, scenario, revision, name)
        outcome = self._end(migrator.start(plan, observers=[events.append]))
        assert [text for event in events for text in misfits(event, Event)] == []
        phases = [_ORDER.index(event.phase) for event in events]
        assert phases == sorted(phases)
        assert {Phase.CONNECT, Phase.CHECK, Phase.PREPARE, Phase.VERIFY, Phase.DONE} <= {
            event.phase for event in events
        }
        elapsed = [event.elapsed for event in events]
        assert elapsed == sorted(elapsed)
        assert {event.guest for event in events} == {name}
        assert events[-1].text == outcome.sentence

    @each_revision
    @about("migrate_connect", "migrate_observe")
    def test_statistics_are_plausible(
        self, migrator: Migrator, driver: Driver, pair: HostPair, revision: Revision
    ) -> None:
        """No figure is negative; what is sent only grows, and no more remains than the total."""
        scenario = self._scenario(driver, revision)
        can(pair.slow(), "slow a transfer down")
        seen: list[Statistics] = []

        def note(event: Event) -> None:
            if event.statistics is not None:
                seen.append(event.statistics)

        plan = planned(migrator, driver, pair, scenario, revision, make_guest(pair))
        run = migrator.start(plan, observers=[note])
        self._wait_until(lambda: len(seen) >= 4 or run.wait(0))  # noqa: PLR2004 - to compare some
        run.cancel()
        self._end(run)
        if not seen:
            pytest.skip(f"{self.name} gives no statistics of a transfer")
        assert [text for each in seen for text in misfits(each, Statistics)] == []
        numbers = [number for each in seen for number in each if number is not None]
        assert all(number >= 0 for number in numbers), seen
        assert all(each.percent is None or each.percent <= 100 for each in seen), seen  # noqa: PLR2004 - all of it
        sent = [each.transferred for each in seen if each.transferred is not None]
        assert sent == sorted(sent), "what was sent has become less"
        for each in seen:
            if each.total is not None and each.remaining is not None:
                assert each.remaining <= each.total, each

    @each_revision
    @about("migrate_connect", "migrate_checks")
    def test_check_changes_nothing(
        self, migrator: Migrator, driver: Driver, pair: HostPair, revision: Revision
    ) -> None:
        """A check finds nothing that blocks two good hosts, and leaves both as they were."""
        name = make_guest(pair)
        plan = planned(migrator, driver, pair, self._scenario(driver, revision), revision, name)
        before = [read(driver, uri, name) for uri in _both(pair)]
        report = migrator.check(plan)
        assert [text for each in report.findings for text in misfits(each, Finding)] == []
        assert [finding for finding in report.findings if finding.blocks] == []
        assert [read(driver, uri, name) for uri in _both(pair)] == before

    @each_revision
    @about("migrate_connect", "migrate_capabilities")
    def test_suspend_leaves_the_guest_paused(
        self, migrator: Migrator, driver: Driver, pair: HostPair, revision: Revision
    ) -> None:
        """With --suspend the guest is paused on the destination."""
        scenario = self._scenario(driver, revision, "suspend")
        name = make_guest(pair)
        plan = planned(migrator, driver, pair, scenario, revision, name, suspend=True)
        outcome = self._run(migrator, plan)
        assert outcome.verdict is Verdict.DONE, told(outcome)
        there = read(driver, pair.destination, name)
        assert there is not None
        assert there.state is GuestState.PAUSED

    @each_revision
    @about("migrate_connect", "migrate_capabilities")
    def test_dname_names_the_guest_anew(
        self, migrator: Migrator, driver: Driver, pair: HostPair, revision: Revision
    ) -> None:
        """With --dname the guest has that name on the destination, and no other."""
        scenario = self._scenario(driver, revision, "dname")
        name = make_guest(pair)
        plan = planned(migrator, driver, pair, scenario, revision, name, dname=f"{name}-there")
        outcome = self._run(migrator, plan)
        assert outcome.verdict is Verdict.DONE, told(outcome)
        assert read(driver, pair.destination, name) is None
        there = read(driver, pair.destination, f"{name}-there")
        assert there is not None
        assert there.state is GuestState.RUNNING

    @each_revision
    @about("migrate_connect", "migrate_capabilities")
    def test_offline_moves_the_definition(
        self, migrator: Migrator, driver: Driver, pair: HostPair, revision: Revision
    ) -> None:
        """With --offline a guest that is shut off is defined on the destination, not started."""
        scenario = self._scenario(driver, revision, "offline", "persistent")
        name = make_guest(pair, running=False, persistent=True)
        fields = {"offline": True, "persistent": True, "live": False}
        plan = planned(migrator, driver, pair, scenario, revision, name, **fields)
        outcome = self._run(migrator, plan)
        assert outcome.verdict is Verdict.DONE, told(outcome)
        there = read(driver, pair.destination, name)
        assert there is not None
        assert (there.state, there.persistent) == (GuestState.SHUTOFF, True)

    @each_revision
    @about("migrate_connect", "migrate_capabilities")
    def test_configuration_is_as_the_table_says(
        self, migrator: Migrator, driver: Driver, pair: HostPair, revision: Revision
    ) -> None:
        """After --persistent and --undefinesource each host has the configuration it should."""
        scenario = self._scenario(driver, revision)
        options = driver.capabilities(revision).offers[scenario].options
        # Where no guest is transient, none can arrive as one.
        transient = pair.guest(persistent=False) is not NotImplemented
        kinds = (False, True) if transient else (True,)
        persist = [keep for keep in kinds if not keep or "persistent" in options]
        if not persist:
            pytest.skip(f"the hosts have no transient guests, and {self.name} offers no other")
        undefine = (False, True) if "undefine_source" in options else (False,)
        for stored, keep, drop in product(kinds, persist, undefine):
            name = make_guest(pair, persistent=stored)
            fields = {"persistent": keep, "undefine_source": drop}
            plan = planned(migrator, driver, pair, scenario, revision, name, **fields)
            outcome = self._run(migrator, plan)
            assert outcome.verdict is Verdict.DONE, told(outcome)
            if outcome.unreadable is not None:
                pytest.skip(f"the client cannot read the destination: {outcome.unreadable}")
            assert outcome.differences == (), f"persistent guest: {stored}, {fields}"
            assert outcome.configuration == outcome.plan.configuration.after

    def _scenario(self, driver: Driver, revision: Revision, *options: str) -> str:
        """Give the first scenario that offers *options*, one with both hosts in sight before."""
        offers = driver.capabilities(revision).offers
        fit = [id_ for id_ in SCENARIOS if id_ in offers and {*options} <= offers[id_].options]
        if not fit:
            what = ", ".join(options) or "nothing at all"
            pytest.skip(f"{self.name} does not offer {what} in revision {revision}")
        return fit[0]

    def _run(self, migrator: Migrator, plan: Plan) -> Outcome:
        return self._end(migrator.start(plan))

    def _end(self, run: Run) -> Outcome:
        """Wait for the end, and not for ever."""
        if not run.wait(self.patience):
            run.cancel()
            pytest.fail(f"the migration did not end within {self.patience:.0f} s", pytrace=False)
        return run.outcome()

    def _transferring(self, run: Run) -> None:
        """Wait until memory is being transferred."""
        self._wait_until(lambda: run.phase is Phase.TRANSFER or run.wait(0))
        if run.wait(0):
            pytest.fail(f"the migration ended too early: {told(run.outcome())}", pytrace=False)

    def _wait_until(self, come: Callable[[], bool]) -> None:
        end = monotonic() + self.patience
        while not come():
            assert monotonic() < end, f"nothing has come within {self.patience:.0f} s"
            sleep(_PAUSE)

    def _stayed(self, driver: Driver, pair: HostPair, name: str) -> None:
        here, there = (read(driver, uri, name) for uri in _both(pair))
        assert here is not None, f"{name} is gone from the source"
        assert (here.state, here.job) == (GuestState.RUNNING, None)
        assert there is None or not there.state.active, f"{name} is on the destination too"


def _both(pair: HostPair) -> tuple[str, str]:
    return pair.source, pair.destination


def _with(driver: Driver, uri: str, ask: Callable[[Session], Any]) -> Any:  # noqa: ANN401 - whatever the question gives
    session = driver.connect(uri)
    try:
        return ask(session)
    finally:
        session.close()


def read(driver: Driver, uri: str, name: str) -> GuestFacts | None:
    """Read a guest over a session of its own."""
    facts: GuestFacts | None = _with(driver, uri, lambda session: session.guest(name))
    return facts


def can(answer: object, what: str) -> None:
    """Skip where the hosts have not the ability."""
    if answer is NotImplemented:
        pytest.skip(f"the hosts cannot {what}")


def make_guest(pair: HostPair, *, running: bool = True, persistent: bool | None = None) -> str:
    """Make a guest; where it may be of either kind, a transient one if the hosts have such."""
    for kind in (False, True) if persistent is None else (persistent,):
        name = pair.guest(running=running, persistent=kind)
        if name is not NotImplemented:
            return str(name)
    pytest.skip(f"the hosts cannot make {_KINDS[persistent]} that {_STATES[running]}")


def planned(
    migrator: Migrator,
    driver: Driver,
    pair: HostPair,
    scenario: str,
    revision: Revision,
    guest: str,
    **more: Any,  # noqa: ANN401 - the fields of a request have many types
) -> Plan:
    """Plan the migration of a guest between the two hosts; one that is stored stays so."""
    rule = SCENARIOS[scenario]
    options = driver.capabilities(revision).offers[scenario].options
    facts = read(driver, pair.source, guest)
    fields: dict[str, Any] = {
        "guest": guest,
        "source": pair.source,
        "scenario": scenario,
        "revision": revision,
        "live": "live" in options,
        # Hosts without transient guests have none afterwards either.
        "persistent": "persistent" in options and facts is not None and facts.persistent,
    }
    if rule.destination.need is not Need.NOT_USED:
        fields["destination"] = pair.destination
    if rule.flow is Flow.MANAGED_PEER2PEER:
        fields["migration"] = pair.peer
    elif rule.migration.need is Need.COMPULSORY:
        if pair.migration is None:
            pytest.skip(f"the hosts have no migration URI, which {scenario} needs")
        fields["migration"] = pair.migration
    return migrator.plan(**fields | more)


def told(outcome: Outcome) -> str:
    """Give what an outcome says, in a line."""
    words: Sequence[object] = (outcome.sentence, outcome.error, outcome.unreadable)
    return "; ".join(str(word) for word in words if word is not None)
