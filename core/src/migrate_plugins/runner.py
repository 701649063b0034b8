"""Run a plan: connect, check, prepare, transfer, verify; watched, and cancelled at any moment."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from migrate_plugins.checks.report import check
from migrate_plugins.deadline import within
from migrate_plugins.errors import (
    DriverError,
    MigrateError,
    PluginFailedError,
    UsageError,
    one_line,
)
from migrate_plugins.findings import Selection
from migrate_plugins.hosts import Hosts
from migrate_plugins.model import ChosenBy
from migrate_plugins.outcome import Outcome, Verdict, judge
from migrate_plugins.paths import held_towards
from migrate_plugins.progress import Event, Phase
from migrate_plugins.recording import Recording
from migrate_plugins.sessions import STARTED_AGAIN, GuestState, Listening
from migrate_plugins.transfer import PATIENCE, Limit, Transfer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migrate_plugins.checks.report import Report
    from migrate_plugins.diagnosis import Diagnosis
    from migrate_plugins.journal import Journal
    from migrate_plugins.model import Request
    from migrate_plugins.plan import Plan
    from migrate_plugins.planner import Planner
    from migrate_plugins.progress import Observer, Statistics
    from migrate_plugins.registry import Registry
    from migrate_plugins.sessions import Session

__all__ = ["Run"]

# Seconds within which plugins may look for the reason of a failure.
_LOOKING: Final = 15.0
# Seconds that a signal waits to be heard: the system may hand it to any of our threads, and then
# nothing wakes the one that Python hears it in.
_HEARING: Final = 0.2


class Run:
    """One migration, in a thread of its own."""

    def __init__(
        self,
        registry: Registry,
        planner: Planner,
        plan: Plan,
        *,
        observers: Sequence[Observer],
        accept: Mapping[str, str],
        journal: Journal | None = None,
        reason: str | None = None,
    ) -> None:
        """Take what :meth:`migrate_plugins.Migrator.start` was given; nothing happens yet."""
        self._registry = registry
        self._planner = planner
        self._plan = plan
        self._observers = tuple(observers)
        self._accept = accept
        self._journal = journal
        self._reason = reason
        self._recording = Recording(None)
        self._started = monotonic()
        self._cancelled = threading.Event()
        # Not the thread's join(): after a Ctrl-C in it Python 3.11 takes the thread for ended.
        self._ended = threading.Event()
        self._transferring = False
        self._outcome: Outcome | None = None
        self._error: BaseException | None = None
        self.phase = Phase.CONNECT

    def start(self) -> None:
        """Start the thread."""
        self._started = monotonic()
        # A daemon, so that a person may leave while nothing has been started yet.
        threading.Thread(target=self._work, daemon=True).start()

    def cancel(self) -> None:
        """Ask the migration to stop; :meth:`outcome` tells where the guest is then."""
        self._cancelled.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end, at most *seconds*; whether it has come."""
        end = None if seconds is None else monotonic() + seconds
        while True:
            left = _HEARING if end is None else min(_HEARING, end - monotonic())
            if self._ended.wait(max(left, 0)):
                return True
            if left < _HEARING:
                return False

    def outcome(self) -> Outcome:
        """Wait for the end and tell where the guest is.

        Raises:
            ConnectError: A host cannot be opened; nothing was changed.
            BlockedError: The check found errors; nothing was changed.
            JournalError: The journal cannot be written; nothing was changed.
            MigrateError: Anything else that kept the migration from being started.
        """
        self.wait()
        if self._outcome is None:
            raise self._error or RuntimeError("neither an outcome nor an error")
        return self._outcome

    def _work(self) -> None:
        try:
            self._outcome = self._migrate()
        except Exception as error:  # noqa: BLE001 - outcome() raises it where somebody waits
            self._error = error
        except BaseException as error:  # noqa: BLE001 - of a plugin: here nobody presses Ctrl-C
            problem = one_line(error)
            self._error = PluginFailedError(self._plan.driver, hook="a run", problem=problem)
        finally:
            # Whatever broke once a transfer was begun leaves the record open, and so in doubt.
            if not self._transferring or isinstance(self._error, UsageError):
                self._recording.failed(self._error)
            self._recording.close()
            self._ended.set()

    def _migrate(self) -> Outcome:
        plan = self._plan
        if self._journal is not None:
            writer = self._journal.begin(plan, reason=self._reason, accepted=self._accept)
            self._recording = Recording(writer)
        self._say(Phase.CONNECT, f"opening {plan.uris.source.value}")
        with Hosts(self._registry.drivers[plan.driver], plan) as hosts:
            self._say(Phase.CHECK)
            # Nothing of ours listens on the destination's ports now: the migration itself is about
            # to, others' too, and a port that is blocked shows at once when it starts.
            selection = Selection(probe=False)
            report = check(self._registry, self._planner, plan, hosts, self._accept, selection)
            self._recording.plan(report.plan, report.facts)
            report.raise_for_errors()
            error: MigrateError | None = None
            statistics: Statistics | None = None
            if report.facts is None or not report.facts.moved_already:
                with self._port_held(report.plan, hosts.destination) as complete:
                    if complete is not report.plan:
                        self._recording.plan(complete)
                    error, statistics = self._transfer(hosts, complete)
                    report = report._replace(plan=complete)
            self._say(Phase.VERIFY)
            outcome = self._verify(hosts, report, error, statistics)
        outcome = self._recording.ended(outcome)
        self._say(Phase.DONE, outcome.sentence)
        return outcome

    @contextmanager
    def _port_held(self, plan: Plan, destination: Session | None) -> Iterator[Plan]:
        """Hold the port that receives the memory, where its choice is not the hypervisor's."""
        if plan.port.chosen_by not in {ChosenBy.US, ChosenBy.REQUEST}:
            yield plan
            return
        from migrate_plugins.ports import PortLedger  # noqa: PLC0415 - most migrations hold none

        ledger = PortLedger()
        if plan.port.chosen_by is ChosenBy.US:
            driver = self._registry.drivers[plan.driver]
            rule = driver.port_rule(plan.request.revision, plan.scenario_id)
            first, last = plan.request.port_range or (rule.first, rule.last)
            host = held_towards(plan)
            # What is not a migration may have a port there too.
            taken = destination.listening() if isinstance(destination, Listening) else frozenset()
            with ledger.choose(
                rule._replace(first=first, last=last), host, driver.select_port, taken
            ) as held:
                yield self._planner.with_port(plan, held.number)
        else:
            with ledger.hold(held_towards(plan), plan.port.value or 0):
                yield plan

    def _transfer(self, hosts: Hosts, plan: Plan) -> tuple[MigrateError | None, Statistics | None]:
        """Start the migration and watch it to its end."""
        # In this order: whoever sets the flag and then still sees an earlier phase may leave.
        self._say(Phase.PREPARE, self._recording.sentence)
        if self._cancelled.is_set():
            return None, None
        self._transferring = True
        try:
            migration = hosts.source.start(plan, hosts.destination)
            transfer = Transfer(migration, plan.guest, self._cancelled, self._say)
            transfer.follow(PATIENCE, Limit.of(plan.request))
            migration.result()
        except UsageError:
            raise  # what was asked for is wrong: nothing was started, no host has failed
        except MigrateError as error:
            return error, None
        except BaseException as error:  # noqa: BLE001 - whatever broke, the guest is to be found
            problem = one_line(error)
            return PluginFailedError(plan.driver, hook="a session", problem=problem), None
        return None, transfer.statistics()

    def _verify(
        self,
        hosts: Hosts,
        report: Report,
        error: MigrateError | None,
        statistics: Statistics | None,
    ) -> Outcome:
        """Read both hosts and compare with what the plan promised."""
        plan, guest = report.plan, report.facts and report.facts.guest
        if guest is None and report.facts is not None and report.facts.moved_already:
            guest = report.facts.resident
        before = guest.state if guest is not None else GuestState.UNKNOWN
        uuid = None if guest is None else guest.uuid
        source, destination, source_unreadable, unreadable, strangers = hosts.guests(uuid)
        verdict = judge(
            source and source.state,
            destination and destination.state,
            wanted=_wanted(plan.request, before),
            before=before,
            error=error is not None,
            cancelled=self._cancelled.is_set(),
            started=self._transferring,
            # A job that is still going on has not decided yet where the guest will be.
            source_readable=source_unreadable is None and (source is None or source.job is None),
            destination_readable=unreadable is None,
            started_again=source is not None and source.reason == STARTED_AGAIN,
        )
        outcome = Outcome(
            plan,
            verdict,
            source,
            destination,
            unreadable,
            error,
            findings=report.findings,
            elapsed=monotonic() - self._started,
            statistics=statistics,
            facts=report.facts,
            source_unreadable=source_unreadable,
        )
        if isinstance(error, DriverError) and verdict is not Verdict.CANCELLED:
            outcome = outcome._replace(diagnoses=self._explain(outcome, error, hosts))
        named = (
            f"{host} has another guest of the name {stranger.name}, {stranger.uuid}"
            for host, stranger in zip(outcome.host_names, strangers, strict=True)
            if stranger is not None
        )
        return outcome._replace(differences=(*named, *_differences(outcome)))

    def _explain(self, outcome: Outcome, error: DriverError, hosts: Hosts) -> tuple[Diagnosis, ...]:
        """Tell what *error* may mean: what it means may be missing, where the guest is not."""
        from migrate_plugins.aftermath import aftermath  # noqa: PLC0415 - most migrations succeed
        from migrate_plugins.diagnosis import merged, named  # noqa: PLC0415 - most migrations succeed

        plan = outcome.plan
        found = [*aftermath(outcome)] if outcome.verdict is not Verdict.DONE else []

        def explain() -> list[Diagnosis]:
            return self._registry.diagnose(
                error.problem, error.code, error.domain, driver=plan.driver
            )

        def investigate() -> list[Diagnosis]:
            accesses = hosts.accesses(self._registry.hosts.values())
            return self._registry.investigate(plan, error, *accesses)

        end = monotonic() + _LOOKING
        for ask in (explain, investigate):
            with suppress(BaseException):
                found += within(max(end - monotonic(), 0), ask)
        with suppress(BaseException):
            return tuple(named(diagnosis, plan.guest) for diagnosis in merged([*found]))
        return ()

    def _say(
        self, phase: Phase, text: str | None = None, statistics: Statistics | None = None
    ) -> None:
        self.phase = phase
        event = Event(self._plan.guest, phase, monotonic() - self._started, text, statistics)
        self._recording.ahead(event)
        for observer in self._observers:
            with suppress(BaseException):  # who only watches may not disturb
                observer(event)
        with suppress(BaseException):
            self._registry.observe(event)


def _wanted(request: Request, before: GuestState) -> GuestState:
    """Tell which state the guest should have on the destination."""
    if request.offline:
        return GuestState.SHUTOFF
    if request.suspend or before is GuestState.PAUSED:
        return GuestState.PAUSED
    return GuestState.RUNNING


def _differences(outcome: Outcome) -> tuple[str, ...]:
    """Name what is not as the plan promised."""
    if outcome.verdict is not Verdict.DONE:
        return ()
    differences = []
    if outcome.error is not None:
        differences.append(f"the guest has moved, and the hypervisor reported: {outcome.error}")
    if outcome.source_unreadable is not None:
        differences.append(f"the source could not be read back: {outcome.source_unreadable}")
    if outcome.unreadable is not None:
        differences.append(f"the destination could not be read back: {outcome.unreadable}")
    promised, found = outcome.plan.configuration.after, outcome.configuration
    if promised is not None and found is not None:
        for name, wanted, seen in zip(promised._fields, promised, found, strict=True):
            if wanted != seen:
                differences.append(
                    f"{_CONFIGURATION[name][seen]}, where revision"
                    f" {outcome.plan.request.revision} expects that {_CONFIGURATION[name][wanted]}"
                )
    return tuple(differences)


# What each field of the configuration says, when false and when true.
_CONFIGURATION: Final = {
    "persistent": ("the guest is transient", "the guest is persistent"),
    "source_config": (
        "no configuration is on the source",
        "a configuration is on the source",
    ),
    "destination_config": (
        "no configuration is on the destination",
        "a configuration is on the destination",
    ),
}
