"""Find plugins, isolate the ones that fail, and ask the others what anyone may answer.

No other module than this one and :mod:`migrate_plugins.driver` touches pluggy's hook callers.
"""

from __future__ import annotations

from inspect import isroutine
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import pluggy

from migrate_plugins import hookspecs
from migrate_plugins.admission import admitted, edition
from migrate_plugins.config import Config
from migrate_plugins.driver import Driver, plain_name
from migrate_plugins.errors import (
    MigrateError,
    NoDriverError,
    PluginFailedError,
    PluginUnusableError,
    UsageError,
    one_line,
    shown,
)
from migrate_plugins.findings import Finding, FindingKind, Severity
from migrate_plugins.hookspecs import PROJECT
from migrate_plugins.installed import DRIVERS, PLUGINS, EntryPoint, entry_points
from migrate_plugins.loading import Loaded, Status, load
from migrate_plugins.model import Command, Reason
from migrate_plugins.settings import EMPTY, nearest, unknown_key
from migrate_plugins.shapes import misfit
from migrate_plugins.switches import OURS, Switches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from migrate_plugins.diagnosis import Diagnosis
    from migrate_plugins.findings import Selection
    from migrate_plugins.plan import Plan
    from migrate_plugins.progress import Event
    from migrate_plugins.sessions import Access, Ask, Facts
    from migrate_plugins.settings import NamedHost
    from migrate_plugins.tracing import Tracer

__all__ = ["Plugin", "Registry"]

_Answer = TypeVar("_Answer")


class Plugin(NamedTuple):
    """An installed plugin, whether it works or not.

    Attributes:
        point: Its entry point.
        status: What became of it.
        reason: Why, where it is not simply active; else None.
        hooks: Names of the hooks that it implements, sorted.
        driver: Its driver, where it is a working one.
        api: The edition of the contract that it was written for; None where that is not known.
        settings: Its settings as they are in force, by name.
    """

    point: EntryPoint
    status: Status
    reason: str | None = None
    hooks: tuple[str, ...] = ()
    driver: Driver | None = None
    api: int | None = None
    settings: Mapping[str, Any] = EMPTY


class Registry:
    """The plugins of one process, or of one test."""

    def __init__(
        self,
        plugins: Iterable[Loaded | tuple[EntryPoint, object]],
        config: Config | None = None,
        *,
        driver: str | None = None,
        tracer: Tracer | None = None,
        ask: Ask | None = None,
    ) -> None:
        """Register *plugins*.

        Args:
            plugins: Modules, objects or classes with hookimpls, each with its entry point; or
                what loading them gave.
            config: Has the settings of those that are classes.
            driver: Name of the driver to use whatever else claims its schemes, or None.
            tracer: Called with each step of each answer, or None.
            ask: Asks a person for credentials that no file has, or None where nobody can be asked.
        """
        self._ask = ask
        self._config = config or Config()
        self._chosen = driver
        self._tracer = tracer
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self.hooks: Final = tuple(vars(self._manager.hook))
        self._loaded: dict[EntryPoint, Loaded] = {}
        found = [item if isinstance(item, Loaded) else Loaded(*item) for item in plugins]
        for loaded in sorted(found, key=lambda loaded: self._rank(loaded.point)):
            self._loaded[loaded.point] = self._register(admitted(loaded, self._config))
        drivers = self._make_drivers()
        self.plugins: Final = tuple(
            Plugin(
                point,
                loaded.status,
                loaded.reason,
                self._hooks(loaded),
                drivers.get(point),
                edition(loaded.plugin) if loaded.status.takes_part else None,
                loaded.values,
            )
            for point, loaded in sorted(self._loaded.items(), key=lambda item: item[0])
        )
        self.drivers: Final = {
            plugin.point.name: plugin.driver for plugin in self.plugins if plugin.driver is not None
        }
        self._schemes = {
            scheme: each
            for each in self.drivers.values()
            for scheme in each.info.connection_schemes
            if driver is None or each.info.name == driver
        }
        # A policy that somebody configured and that cannot speak may not be passed over.
        self.unmet: Final = tuple(self._unmet())
        # What every plan has to say of the plugins that might have had a say in it.
        self.remarks: Final = tuple(self._remarks())

    @classmethod
    def installed(
        cls,
        config: Config | None = None,
        *,
        no_plugins: bool = False,
        driver: str | None = None,
        tracer: Tracer | None = None,
        ask: Ask | None = None,
    ) -> Registry:
        """Load every installed plugin that is not switched off, each alone.

        Args:
            config: What config.toml says; None reads it.
            no_plugins: Whether to load only what comes with migrate-plugins.
            driver: Name of the driver to use, which may be a simulated one.
            tracer: Called with each step of each answer, or None.
            ask: Asks a person for credentials that no file has, or None where nobody can be asked.

        Raises:
            ConfigError: config.toml is wrong.
            UsageError: No plugin has the name *driver*.
            PluginUnusableError: One has, and it does not take part.
        """
        config = Config.load() if config is None else config
        switches = Switches.read(config, strangers_off=no_plugins, driver=driver)
        loaded = load(entry_points(), switches, tracer)
        registry = cls(loaded, config, driver=driver, tracer=tracer, ask=ask)
        if driver is not None:
            registry.check_chosen(driver)
        return registry

    def check_chosen(self, name: str) -> None:
        """Return if a working driver has that *name*; raises what :meth:`installed` says."""
        if name in self.drivers:
            return
        drivers = [plugin for plugin in self.plugins if plugin.point.is_driver]
        for plugin in drivers:
            if plugin.point.name == name:
                raise PluginUnusableError(name, status=plugin.status, reason=plugin.reason or "")
        names = {plugin.point.name: plugin.status for plugin in drivers}
        unusable = {Status.SHADOWED, Status.BROKEN, Status.DISABLED}
        usable = [name for name, status in names.items() if status not in unusable]
        close = nearest(name, names)
        hint = f"; it may mean {close}" if close else ""
        known = ", ".join(usable or names)
        raise UsageError(f"there is no driver {name!r}{hint}; there are {known}")

    def driver_for(self, scheme: str) -> Driver:
        """Find the driver that claims a connection URI's scheme.

        Raises:
            NoDriverError: With the schemes that are claimed.
        """
        driver = self._schemes.get(scheme) or self._schemes.get(scheme.lower())
        if driver is None:
            unusable = {
                status: [
                    plugin.point.name
                    for plugin in self.plugins
                    if plugin.status is status and plugin.point.group == DRIVERS
                ]
                for status in (Status.BROKEN, Status.DISABLED)
                if self._chosen is None
            }
            raise NoDriverError(
                scheme,
                known=sorted(self._schemes),
                broken=unusable.get(Status.BROKEN, ()),
                disabled=unusable.get(Status.DISABLED, ()),
                chosen=self._chosen,
            )
        return driver

    @property
    def hosts(self) -> Mapping[str, NamedHost]:
        """The hosts that config.toml names."""
        return self._config.hosts

    def claims(self, scheme: str) -> bool:
        """Whether some driver claims *scheme* for its connection URIs."""
        return scheme.lower() in self._schemes

    def refusals(self, plan: Plan) -> list[Reason]:
        """Ask everyone for reasons against *plan*; who cannot answer may have meant no."""
        reasons: list[Reason] = []
        for name, answer in self.answers("migrate_refuse", Reason, plan=plan):
            if isinstance(answer, BaseException):
                text = f"policy {name} could not judge the plan: {one_line(answer)}"
                instead = f"tell its author; `migrate-plugins disable {name}` switches it off"
                reasons.append(Reason("policy-failed", text, instead))
            else:
                reasons += answer
        return reasons

    def foresee(self, plan: Plan) -> list[Finding]:
        """Ask everyone what *plan* shows by itself; a plugin that raises is a finding itself."""
        return self._found("migrate_foresee", {"plan": plan})

    def checks(
        self, plan: Plan, facts: Facts, source: Access, destination: Access, selection: Selection
    ) -> list[Finding]:
        """Ask everyone for findings; a plugin that raises is a finding itself."""
        given = {
            "plan": plan,
            "facts": facts,
            "source": source,
            "destination": destination,
            "selection": selection,
        }
        return self._found("migrate_checks", given)

    def finding_kinds(self) -> list[FindingKind]:
        """Ask everyone for the kinds of finding that they can give."""
        return [
            kind
            for _, answer in self.answers("migrate_finding_kinds", FindingKind)
            if not isinstance(answer, BaseException)
            for kind in answer
        ]

    def finders_without_kinds(self) -> list[str]:
        """Name the plugins that give findings and do not list their kinds."""
        return [
            plugin.point.name
            for plugin in self.plugins
            if {"migrate_checks", "migrate_foresee"} & {*plugin.hooks}
            and "migrate_finding_kinds" not in plugin.hooks
        ]

    def _found(self, hook: str, given: Mapping[str, object]) -> list[Finding]:
        findings: list[Finding] = []
        for name, answer in self.answers(hook, Finding, **given):
            if isinstance(answer, BaseException):
                findings.append(
                    Finding(
                        "plugin-failed",
                        Severity.WARNING,
                        None,
                        f"plugin {name!r} could not check: {one_line(answer)}",
                        remedy="tell its author; `migrate-plugins list` names its distribution",
                    )
                )
            else:
                findings += answer
        return findings

    def diagnose(
        self,
        text: str,
        code: int | None = None,
        domain: int | None = None,
        *,
        driver: str | None = None,
    ) -> list[Diagnosis]:
        """Ask everyone what an error means, the most likely first.

        Of the drivers only the one is asked that was chosen, or whose error it is.

        Args:
            text: The error's message.
            code: The code that libvirt gave with it, or None.
            domain: The part of libvirt that gave it, or None.
            driver: Name of the driver whose error it is, or None where that is not known.
        """
        given = {"text": text, "code": code, "domain": domain}
        return self._diagnoses("migrate_diagnose", given, self._chosen or driver)

    def investigate(
        self, plan: Plan, error: MigrateError, source: Access, destination: Access
    ) -> list[Diagnosis]:
        """Ask everyone to look for what *error* hides, the most likely first."""
        given = {"plan": plan, "error": error, "source": source, "destination": destination}
        return self._diagnoses("migrate_investigate", given, self._chosen or plan.driver)

    def _diagnoses(
        self, hook: str, given: Mapping[str, object], driver: str | None
    ) -> list[Diagnosis]:
        from migrate_plugins.diagnosis import Diagnosis, merged  # noqa: PLC0415 - planning fails nowhere

        others = {name for name in self.drivers if driver not in {None, name}}
        return merged(
            diagnosis
            for name, answer in self.answers(hook, Diagnosis, **given)
            if not isinstance(answer, BaseException) and name not in others
            for diagnosis in answer
        )

    def observe(self, event: Event) -> None:
        """Tell everyone; an observer that raises does not disturb the migration."""
        for _ in self.answers("migrate_observe", object, event=event):
            pass

    def commands(self) -> list[Command]:
        """Ask everyone for extra commands."""
        return [
            command
            for _, answer in self.answers("migrate_cli", Command)
            if not isinstance(answer, BaseException)
            for command in answer
        ]

    def answers(
        self, hook: str, kind: type[_Answer], **arguments: object
    ) -> Iterator[tuple[str, Sequence[_Answer] | BaseException]]:
        """Ask everyone a broadcast hook, each alone.

        Args:
            hook: Its name.
            kind: What it is answered with.
            arguments: All of its arguments.

        Returns:
            Name of each plugin that implements it, with its answer or with what it raised.
        """
        for impl in getattr(self._manager.hook, hook).get_hookimpls():
            name, began = plain_name(impl.plugin_name), perf_counter()
            answer: Sequence[_Answer] | BaseException
            try:
                answer = _all_of(
                    kind, impl.function(*[arguments[argument] for argument in impl.argnames])
                )
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - one bad plugin may not break the rest
                answer = error
            if self._tracer is not None:
                from migrate_plugins.tracing import Step  # noqa: PLC0415 - few trace

                self._tracer(Step.of(hook, name, arguments, answer, perf_counter() - began))
            yield name, answer

    def _rank(self, point: EntryPoint) -> tuple[bool, bool, EntryPoint]:
        """Sort who keeps a name or a scheme first: who was asked for, what is ours, the others."""
        return point.name != self._chosen, point.distribution not in OURS, point

    def _register(self, loaded: Loaded) -> Loaded:
        """Register a plugin, or say why it cannot be."""
        point, plugin = loaded.point, loaded.plugin
        if not loaded.status.takes_part:
            return loaded
        for other in self._loaded.values():
            # Also from one that is broken: what is asked for by this name was meant for that one.
            if other.status is not Status.DISABLED and _same_name(other.point, point):
                return loaded._replace(
                    status=Status.SHADOWED,
                    reason=f"the name {point.name!r} is taken by {other.point.distribution}"
                    f" ({other.point.origin}); one of the two must be renamed or removed",
                )
        name = f"{point.group}:{point.name}"
        try:
            hash(plugin)  # pluggy keeps plugins in sets
            self._manager.register(plugin, name)
            self._manager.check_pending()
            _check_part(self._manager, plugin, point)
            self._check_marks(plugin)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a plugin does, the others work
            if self._manager.has_plugin(name):  # not so where the same object has another name
                self._manager.unregister(name=name)
            return loaded._replace(status=Status.BROKEN, reason=one_line(error))
        return loaded

    def _check_marks(self, plugin: object) -> None:
        """Refuse a plugin whose hooks nobody would call."""
        marked = {caller.name for caller in self._manager.get_hookcallers(plugin) or []}
        bare = [
            name
            for name in self.hooks
            if name not in marked and isroutine(getattr(plugin, name, None))
        ]
        if bare:
            raise TypeError(f"{', '.join(bare)}: not marked with @hookimpl")
        if not marked:
            raise TypeError("it implements no hook")

    def _make_drivers(self) -> dict[EntryPoint, Driver]:
        """Make the drivers; who is unfit or claims another's scheme takes no part."""
        modules = {
            point: loaded.plugin
            for point, loaded in self._loaded.items()
            if point.is_driver and loaded.status.takes_part
        }
        drivers: dict[EntryPoint, Driver] = {}
        owners: dict[str, EntryPoint] = {}
        for point, plugin in modules.items():  # in the order of their rank
            others = [other for other in modules.values() if other is not plugin]
            try:
                driver = Driver(
                    self._manager, plugin, others, self._tracer, self._ask, self.hosts.values()
                )
                if driver.info.name != point.name:
                    raise PluginFailedError(
                        point.name,
                        hook="migrate_driver",
                        problem=f"it calls itself {driver.info.name!r}, its entry point does not",
                    )
            except MigrateError as error:
                self._put_out(point, Status.BROKEN, str(error))
                continue
            clashes = [scheme for scheme in driver.info.connection_schemes if scheme in owners]
            if clashes:
                other = owners[clashes[0]]
                self._put_out(
                    point,
                    Status.SHADOWED,
                    f"{point.distribution} and {other.distribution} both claim"
                    f" {', '.join(f'{scheme}://' for scheme in clashes)};"
                    f" {other.distribution} keeps it, --driver {point.name} prefers this one",
                )
                continue
            owners |= dict.fromkeys(driver.info.connection_schemes, point)
            drivers[point] = driver
        return drivers

    def _put_out(self, point: EntryPoint, status: Status, reason: str) -> None:
        """Take a plugin back that was registered."""
        loaded = self._loaded[point]
        self._manager.unregister(loaded.plugin)
        self._loaded[point] = loaded._replace(status=status, reason=reason)

    def _unmet(self) -> Iterator[Reason]:
        """Name each policy that config.toml configures and that does not work."""
        policies = self._policies()
        for name in self._config.policies:
            remedy = f"mend it, or take [policies.{name}] out of {self._config.path}"
            configured = policies.get(name)
            if configured is None:
                close = nearest(name, policies)
                may_be = f"; it may mean {close}" if close else ""
                text = f"policy {name} is configured, and no plugin of that name is installed"
                yield Reason("policy-missing", text, remedy + may_be, usage=True)
            # Who was switched off was switched off on purpose.
            elif configured.status is Status.BROKEN:
                text = f"policy {name} is configured and broken: {configured.reason}"
                yield Reason("policy-broken", text, remedy, usage=True)

        drivers = {plugin.point.name for plugin in self.plugins if plugin.point.is_driver}
        for name in self._config.drivers:
            if name not in drivers:
                known = unknown_key(f"drivers.{name}", name, drivers)
                if name in policies:
                    known = known._replace(instead=f"it is a policy: write [policies.{name}]")
                yield known

    def _policies(self) -> dict[str, Plugin]:
        """Give of each name the plugin that keeps it: no shadow, and a disabled one only alone."""
        policies: dict[str, Plugin] = {}
        for plugin in sorted(self.plugins, key=lambda each: each.status is Status.DISABLED):
            if plugin.point.group == PLUGINS and plugin.status is not Status.SHADOWED:
                policies.setdefault(plugin.point.name, plugin)
        return policies

    def _remarks(self) -> Iterator[Finding]:
        """Tell of each policy that is not heard, where that does not stop the plan."""
        for name, plugin in self._policies().items():
            configured = name in self._config.policies
            if plugin.status is Status.BROKEN and not configured:
                text = f"the plugin {name} is broken, and has no say: {plugin.reason}"
            elif plugin.status is Status.DISABLED and configured:
                text = f"policy {name} is configured, and switched off: {plugin.reason}"
            else:
                continue
            yield Finding("policy-not-heard", Severity.WARNING, None, text)

    def _hooks(self, loaded: Loaded) -> tuple[str, ...]:
        if not loaded.status.takes_part:
            return ()
        callers = self._manager.get_hookcallers(loaded.plugin) or []
        return tuple(sorted(caller.name for caller in callers))


def _same_name(one: EntryPoint, other: EntryPoint) -> bool:
    return one.name == other.name and one.is_driver == other.is_driver


def _check_part(manager: pluggy.PluginManager, plugin: object, point: EntryPoint) -> None:
    """Keep each plugin to its part: drivers answer addressed hooks, others only wrap them."""
    for caller in manager.get_hookcallers(plugin) or []:
        addressed = caller.spec is not None and caller.spec.opts["firstresult"]
        for impl in caller.get_hookimpls():
            wraps = impl.wrapper or impl.hookwrapper
            if impl.plugin is plugin and wraps and not addressed:
                raise TypeError(f"it wraps {caller.name}, a broadcast hook; it may answer that")
            if impl.plugin is plugin and addressed and not wraps and not point.is_driver:
                raise TypeError(
                    f"it answers {caller.name}, which is asked of drivers; it may wrap that"
                )


def _all_of(kind: type[_Answer], answer: Iterable[_Answer] | None) -> tuple[_Answer, ...]:
    """Check the values of a broadcast hook's answer."""
    values = tuple(answer or ())
    for value in values:
        if not isinstance(value, kind):
            raise TypeError(f"it answered {shown(value)}, not a {kind.__name__}")
        problem = misfit(value)
        if problem is not None:
            raise TypeError(problem)
    return values
