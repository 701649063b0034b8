"""The public face: plan, check, run."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from migrate_plugins.errors import PluginUnusableError, UsageError
from migrate_plugins.model import Request
from migrate_plugins.registry import Registry

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Mapping

    from migrate_plugins.checks.report import Report
    from migrate_plugins.config import Config
    from migrate_plugins.diagnosis import Diagnosis
    from migrate_plugins.findings import FindingKind
    from migrate_plugins.installed import EntryPoint
    from migrate_plugins.journal import Journal
    from migrate_plugins.outcome import Outcome
    from migrate_plugins.plan import Plan
    from migrate_plugins.planner import Planner
    from migrate_plugins.progress import Observer
    from migrate_plugins.reconciler import Reconciled
    from migrate_plugins.records import Record
    from migrate_plugins.runner import Run
    from migrate_plugins.sessions import Ask
    from migrate_plugins.tracing import Tracer

__all__ = ["Migrator"]

_P = ParamSpec("_P")


def _takes(
    request: Callable[_P, Request],
) -> Callable[
    [Callable[[Migrator, Request], Plan]],
    Callable[Concatenate[Migrator, _P], Plan],
]:
    """Give a method the arguments of :class:`Request`, stated once, there."""

    def decorate(
        method: Callable[[Migrator, Request], Plan],
    ) -> Callable[Concatenate[Migrator, _P], Plan]:
        def call(self: Migrator, /, *args: _P.args, **kwargs: _P.kwargs) -> Plan:
            return method(self, request(*args, **kwargs))

        call.__doc__ = method.__doc__
        return call

    return decorate


class Migrator:
    """Plans, checks and runs migrations with one set of plugins.

    Without global state; one object may be used from several threads.
    """

    def __init__(
        self,
        plugins: Registry | Iterable[tuple[EntryPoint, object]],
        journal: Journal | None = None,
    ) -> None:
        """Use *plugins*; :meth:`installed` is what most callers want.

        Args:
            plugins: A registry, or plugins each with its entry point.
            journal: Where migrations are recorded; None for nowhere.
        """
        self.registry = plugins if isinstance(plugins, Registry) else Registry(plugins)
        self._journal = journal
        # Has the journal's place until somebody asks for it: planning needs none.
        self._config: Config | None = None

    @classmethod
    def installed(
        cls,
        config: Config | None = None,
        *,
        no_plugins: bool = False,
        driver: str | None = None,
        tracer: Tracer | None = None,
        ask: Ask | None = None,
    ) -> Migrator:
        """Use every installed plugin; one that fails to load is listed, the rest works.

        Migrations are recorded in the journal that is configured.

        Args:
            config: What config.toml says; None reads it.
            no_plugins: Whether to use only what comes with migrate-plugins.
            driver: Name of the driver to use, which may be a simulated one; None goes by schemes.
            tracer: Called with what each plugin answers, or None.
            ask: Asks a person for credentials that no file has, or None where nobody can be asked.

        Raises:
            ConfigError: config.toml is wrong.
            UsageError: No plugin has the name *driver*.
            PluginUnusableError: One has, and it does not take part.
        """
        if config is None:
            from migrate_plugins.config import Config  # noqa: PLC0415 - whoever has one has it

            config = Config.load()
        registry = Registry.installed(
            config, no_plugins=no_plugins, driver=driver, tracer=tracer, ask=ask
        )
        migrator = cls(registry)
        migrator._config = config
        return migrator

    @property
    def journal(self) -> Journal | None:
        """Where migrations are recorded, or None where they are not."""
        if self._journal is None and self._config is not None:
            from migrate_plugins.journal import Journal  # noqa: PLC0415 - see _config

            self._journal = Journal.configured(self._config)
        return self._journal

    @cached_property
    def _planner(self) -> Planner:
        from migrate_plugins.planner import Planner  # noqa: PLC0415 - listing plans nothing

        return Planner(self.registry)

    @_takes(Request)
    def plan(self, request: Request) -> Plan:
        """Plan a migration; takes what :class:`Request` takes.

        Pure: nothing is contacted, equal requests give equal plans.

        Raises:
            PlanError: Every reason why not, each with what would work.
            NoDriverError: No installed driver claims the source's scheme.
        """
        return self._planner.plan(request)

    def check(
        self,
        plan: Plan,
        *,
        accept: Mapping[str, str] | None = None,
        only: Iterable[str] = (),
        skip: Iterable[str] = (),
    ) -> Report:
        """Open both sides, complete *plan* with facts, and give every finding at once.

        Where programs can be run on both hosts, one listens on a port of the destination for a few
        seconds, for the source to connect to; ``skip`` it with ``data-port-blocked`` and
        ``data-port-unknown``.  With a driver that opens no sessions the plan alone is looked at,
        and a finding says so.

        Args:
            plan: What to check.
            accept: Id of a finding to the reason for accepting it.
            only: Ids of the only findings that are wanted; empty for all.
            skip: Ids of findings that are not.

        Raises:
            ConnectError: A host that the client needs cannot be opened.
            UsageError: There is no such finding.
        """
        from migrate_plugins.checks.kinds import select  # noqa: PLC0415 - planning opens nothing
        from migrate_plugins.checks.report import check, check_plan  # noqa: PLC0415
        from migrate_plugins.errors import PlanOnlyError  # noqa: PLC0415
        from migrate_plugins.hosts import Hosts  # noqa: PLC0415

        selection = select(self.registry, only, skip)
        try:
            hosts = Hosts(self.registry.drivers[plan.driver], plan)
        except PlanOnlyError:
            return check_plan(self.registry, plan, accept or {}, selection)
        with hosts:
            return check(self.registry, self._planner, plan, hosts, accept or {}, selection)

    def finding_kinds(self) -> tuple[FindingKind, ...]:
        """List the kinds of finding that the core and every plugin can give."""
        from migrate_plugins.checks.kinds import all_kinds  # noqa: PLC0415 - planning needs none

        return all_kinds(self.registry)

    def start(
        self,
        plan: Plan,
        *,
        observers: Iterable[Observer] = (),
        accept: Mapping[str, str] | None = None,
        reason: str | None = None,
        record: bool = True,
    ) -> Run:
        """Check and run *plan* in the background.

        Args:
            plan: What to do.
            observers: Called with each event, from the migration's own thread.
            accept: Id of a finding to the reason for accepting it.
            reason: Why, for the journal.
            record: Whether to record it, where there is a journal.

        Returns:
            A handle to watch and to cancel it.

        Raises:
            UsageError: A *reason* is given, and nothing is recorded.
        """
        from migrate_plugins.runner import Run  # noqa: PLC0415 - planning runs nothing

        journal = self.journal if record else None
        if reason is not None and journal is None:
            raise UsageError("a reason is given, and no journal is kept that it could stand in")
        run = Run(
            self.registry,
            self._planner,
            plan,
            observers=tuple(observers),
            accept=accept or {},
            journal=journal,
            reason=reason,
        )
        run.start()
        return run

    def run(
        self,
        plan: Plan,
        *,
        observers: Iterable[Observer] = (),
        accept: Mapping[str, str] | None = None,
        reason: str | None = None,
        record: bool = True,
    ) -> Outcome:
        """Check and run *plan*, and tell where the guest is afterwards.

        Ctrl-C cancels the migration; the outcome then says so.  A second one leaves at once, with
        KeyboardInterrupt: where the guest is then is for :meth:`reconcile` to tell.

        Args:
            plan: What to do.
            observers: Called with each event, from the migration's own thread.
            accept: Id of a finding to the reason for accepting it.
            reason: Why, for the journal.
            record: Whether to record it, where there is a journal.

        Raises:
            UsageError: A *reason* is given, and nothing is recorded.
            BlockedError: The check found errors that *accept* does not name; nothing was changed.
            ConnectError: A host that the client needs cannot be opened; nothing was changed.
            JournalError: The journal cannot be written; nothing was changed.
        """
        run = self.start(plan, observers=observers, accept=accept, reason=reason, record=record)
        try:
            try:
                return run.outcome()
            except KeyboardInterrupt:
                run.cancel()
            return run.outcome()
        # Wherever the second one strikes, while the first is being heard too.
        except KeyboardInterrupt as left:
            command = f"migrate-plugins reconcile {plan.guest}"
            left.add_note(f"where {plan.guest} is was not waited for; `{command}` tells")
            raise

    def reconcile(
        self,
        migration: Record | Plan,
        *,
        apply: bool = False,
        follow: bool = False,
        cancelled: threading.Event | None = None,
        observers: Iterable[Observer] = (),
        destination: str | None = None,
        patience: float | None = None,
    ) -> Reconciled:
        """Find out what became of a migration that nobody saw the end of.

        No host is waited for for ever, and no guest is ever started.  Where it is found to be
        settled, its record is closed, and so are older ones of the guest that are in doubt.

        Args:
            migration: Its record; or what was asked for, where the journal has none.
            apply: Whether to take the safe steps, one after the other, until none is left.
            follow: Whether to follow a migration that is under way to its end.
            cancelled: Set, now or later, to cancel a migration that is under way; it is followed.
            observers: Called with each event of a migration that is followed.
            destination: How the client opens the destination, where the plan does not say it or
                says it wrongly.  Where it is not told, a host of config.toml by the receiver's
                name is opened.
            patience: Seconds that a host may take for an answer; None for the usual ones.

        Raises:
            UsageError: The record's plan cannot be read.
            PluginUnusableError: Its driver takes no part here.
            JournalError: The journal cannot be read.
        """
        from threading import Event  # noqa: PLC0415 - planning reconciles nothing

        from migrate_plugins.doubts import Doubt  # noqa: PLC0415
        from migrate_plugins.reconciler import Reconciler  # noqa: PLC0415

        doubt = Doubt.of(migration, self.journal, destination, self.registry.hosts.values())
        plan = doubt.plan
        driver = self.registry.drivers.get(plan.driver)
        if driver is None:
            reason = f"it moved {plan.guest}, and is needed to look for it"
            raise PluginUnusableError(plan.driver, status="not there", reason=reason)
        with Reconciler(
            driver,
            plan,
            doubt.recorded,
            observers=observers,
            ahead=doubt.mending,
            patience=patience,
        ) as reconciler:
            found = None
            if follow or cancelled is not None:
                found = reconciler.follow(cancelled or Event())
            if apply:
                found = reconciler.apply()
            return doubt.told(found or reconciler.look())

    def close(self, id: int, text: str) -> int:  # noqa: A002 - what everybody calls it
        """Close a record with what a person has found out; gives its number.

        It is one in doubt, or one that left something over.

        Args:
            id: Which.
            text: What became of the guest.

        Raises:
            UsageError: There is none of that number, or it is not in doubt.
            JournalError: The journal cannot be written.
        """
        from migrate_plugins.journal import user  # noqa: PLC0415 - planning needs none
        from migrate_plugins.outcome import Verdict  # noqa: PLC0415

        if self.journal is None:
            raise UsageError("no journal is kept, so there is no record to close")
        record = self.journal.record(id)
        if not record.in_doubt and record.pending is None:
            raise UsageError(f"record {id} is not in doubt: {record.text or 'it was not begun'}")
        self.journal.settle(id, verdict=record.verdict or Verdict.UNKNOWN, text=text, by=user())
        if record.pending is not None:
            self.journal.pending(record, None)
        return id

    def history(self, guest: str | None = None, *, limit: int | None = None) -> list[Record]:
        """Tell of the migrations that were recorded, the newest first.

        Args:
            guest: Only of this guest, by its name on the source.
            limit: At most so many.

        Raises:
            JournalError: The journal cannot be read.
            UsageError: None is kept.
        """
        if self.journal is None:
            raise UsageError("no journal is kept, so there is no history")
        return self.journal.records(guest=guest, limit=limit)

    def diagnose(
        self, text: str, *, code: int | None = None, domain: int | None = None
    ) -> list[Diagnosis]:
        """Say what an error may mean, the most likely first; offline."""
        return self.registry.diagnose(text, code, domain)
