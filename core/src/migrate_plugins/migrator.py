"""The public face: plan, check, run."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Concatenate, ParamSpec

from migrate_plugins.model import Request
from migrate_plugins.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from migrate_plugins.checks.report import Report
    from migrate_plugins.config import Config
    from migrate_plugins.diagnosis import Diagnosis
    from migrate_plugins.findings import FindingKind
    from migrate_plugins.installed import EntryPoint
    from migrate_plugins.outcome import Outcome
    from migrate_plugins.plan import Plan
    from migrate_plugins.planner import Planner
    from migrate_plugins.progress import Observer
    from migrate_plugins.runner import Run
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

    def __init__(self, plugins: Registry | Iterable[tuple[EntryPoint, object]]) -> None:
        """Use *plugins*; :meth:`installed` is what most callers want."""
        self.registry = plugins if isinstance(plugins, Registry) else Registry(plugins)

    @classmethod
    def installed(
        cls,
        config: Config | None = None,
        *,
        no_plugins: bool = False,
        driver: str | None = None,
        tracer: Tracer | None = None,
    ) -> Migrator:
        """Use every installed plugin; one that fails to load is listed, the rest works.

        Args:
            config: What config.toml says; None reads it.
            no_plugins: Whether to use only what comes with migrate-plugins.
            driver: Name of the driver to use, which may be a simulated one; None goes by schemes.
            tracer: Called with what each plugin answers, or None.

        Raises:
            ConfigError: config.toml is wrong.
            UsageError: No plugin has the name *driver*.
            PluginUnusableError: One has, and it does not take part.
        """
        return cls(Registry.installed(config, no_plugins=no_plugins, driver=driver, tracer=tracer))

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
    ) -> Run:
        """Check and run *plan* in the background.

        Args:
            plan: What to do.
            observers: Called with each event, from the migration's own thread.
            accept: Id of a finding to the reason for accepting it.

        Returns:
            A handle to watch and to cancel it.
        """
        from migrate_plugins.runner import Run  # noqa: PLC0415 - planning runs nothing

        run = Run(
            self.registry,
            self._planner,
            plan,
            observers=tuple(observers),
            accept=accept or {},
        )
        run.start()
        return run

    def run(
        self,
        plan: Plan,
        *,
        observers: Iterable[Observer] = (),
        accept: Mapping[str, str] | None = None,
    ) -> Outcome:
        """Check and run *plan*, and tell where the guest is afterwards.

        Ctrl-C cancels the migration; the outcome then says so.

        Raises:
            BlockedError: The check found errors that *accept* does not name; nothing was changed.
            ConnectError: A host that the client needs cannot be opened; nothing was changed.
        """
        run = self.start(plan, observers=observers, accept=accept)
        while True:
            try:
                return run.outcome()
            except KeyboardInterrupt:
                run.cancel()

    def diagnose(
        self, text: str, *, code: int | None = None, domain: int | None = None
    ) -> list[Diagnosis]:
        """Say what an error may mean, the most likely first; offline."""
        return self.registry.diagnose(text, code, domain)
