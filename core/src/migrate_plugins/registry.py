"""Find plugins, isolate the ones that fail, and ask the others: a typed method for each hook.

No other module touches pluggy's hook callers.
"""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import pluggy

from migrate_plugins import hookspecs
from migrate_plugins.errors import MigrateError, NoDriverError, PlanOnlyError, PluginFailedError
from migrate_plugins.findings import Finding, Severity
from migrate_plugins.hookspecs import API, PROJECT
from migrate_plugins.installed import DRIVERS, EntryPoint, entry_points
from migrate_plugins.model import (
    Capabilities,
    Command,
    DriverInfo,
    NativeCommand,
    PortRule,
    Request,
    Revision,
)
from migrate_plugins.uris import MigrationURI

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from migrate_plugins.diagnosis import Diagnosis
    from migrate_plugins.plan import Plan
    from migrate_plugins.progress import Event
    from migrate_plugins.sessions import Facts, Session

__all__ = ["Driver", "Plugin", "Registry", "Status"]

_Answer = TypeVar("_Answer")

# The drivers that come with this project keep their names and schemes against any stranger's.
_OURS: Final = frozenset(f"migrate-plugins-{name}" for name in ("qemu", "xen", "vmware", "vbox"))


class Status(StrEnum):
    """Whether a plugin takes part."""

    ACTIVE = "active"
    BROKEN = "broken"
    SHADOWED = "shadowed"


class Plugin(NamedTuple):
    """An installed plugin, whether it works or not.

    Attributes:
        point: Its entry point.
        status: Whether it takes part.
        reason: Why it does not, or None.
        hooks: Names of the hooks that it implements, sorted.
        driver: Its driver, where it is a working one.
        api: The edition of the contract that it was written for; None where that is not known.
    """

    point: EntryPoint
    status: Status
    reason: str | None = None
    hooks: tuple[str, ...] = ()
    driver: Driver | None = None
    api: int | None = None

    @property
    def is_driver(self) -> bool:
        """Whether it announces itself as a driver."""
        return self.point.group == DRIVERS


class Driver:
    """One driver, with the wrappers that other plugins put around it.

    Answers to pure hooks that have only a revision for an argument are remembered.
    """

    def __init__(self, manager: pluggy.PluginManager, plugin: object, others: list[object]) -> None:
        self._ask = {
            name: manager.subset_hook_caller(name, others)
            for name in _hook_names(manager)
            if getattr(manager.hook, name).spec.opts["firstresult"]
        }
        self._name = manager.get_name(plugin) or repr(plugin)
        self.info: Final = self._answer("migrate_driver", DriverInfo)
        for field in ("connection_schemes", "migration_schemes"):
            schemes = getattr(self.info, field)
            if type(schemes) is not tuple or not all(type(name) is str for name in schemes):
                raise PluginFailedError(
                    self._name,
                    hook="migrate_driver",
                    problem=f"its {field} are {schemes!r}, not a tuple of names",
                )
        self._capabilities: dict[Revision, Capabilities] = {}
        self._port_rules: dict[Revision, PortRule] = {}

    def __repr__(self) -> str:
        return f"<Driver {self.info.name}>"

    def capabilities(self, revision: Revision) -> Capabilities:
        """What it can do under *revision*."""
        if revision not in self._capabilities:
            self._capabilities[revision] = self._answer(
                "migrate_capabilities", Capabilities, revision=revision
            )
        return self._capabilities[revision]

    def port_rule(self, revision: Revision) -> PortRule:
        """Which ports of a destination receive a guest under *revision*."""
        if revision not in self._port_rules:
            self._port_rules[revision] = self._answer(
                "migrate_port_rule", PortRule, revision=revision
            )
        return self._port_rules[revision]

    def select_port(self, rule: PortRule, host: str, taken: frozenset[int]) -> int | None:
        """Choose a port of *rule* towards *host* that is not *taken*, or None."""
        port = self._call("migrate_select_port", rule=rule, host=host, taken=taken)
        if port is not None and (
            type(port) is not int or not rule.first <= port <= rule.last or port in taken
        ):
            raise PluginFailedError(
                self._name,
                hook="migrate_select_port",
                problem=f"it chose {port!r}, which is no free port of {rule.first}-{rule.last}",
            )
        return port

    def uri(self, request: Request, host: str, port: int | None) -> MigrationURI | None:
        """Write the migration URI for *host*, or None where the hypervisor makes its own."""
        uri = self._call("migrate_uri", request=request, host=host, port=port)
        if uri is not None and type(uri) is not MigrationURI:
            raise self._wrong("migrate_uri", uri, MigrationURI)
        return uri

    def read_uri(self, text: str, revision: Revision) -> MigrationURI:
        """Read a migration URI as the hypervisor does; raises InvalidURIError."""
        return self._answer("migrate_read_uri", MigrationURI, text=text, revision=revision)

    def commands(self, plan: Plan) -> tuple[NativeCommand, ...]:
        """Give *plan* as commands of the hypervisor's own tool."""
        commands = self._call("migrate_commands", plan=plan)
        if not commands or any(type(command) is not NativeCommand for command in commands):
            raise self._wrong("migrate_commands", commands, NativeCommand)
        return tuple(commands)

    def connect(self, uri: str) -> Session:
        """Open a session; raises ConnectError, or PlanOnlyError where it opens none."""
        session: Session | None = self._call("migrate_connect", uri=uri)
        if session is None:
            raise PlanOnlyError(self.info.name)
        return session

    def _answer(self, hook: str, kind: type[_Answer], **arguments: object) -> _Answer:
        answer = self._call(hook, **arguments)
        if type(answer) is not kind:
            raise self._wrong(hook, answer, kind)
        return answer

    def _call(self, hook: str, **arguments: object) -> Any:  # noqa: ANN401 - pluggy's callers are untyped
        try:
            return self._ask[hook](**arguments)
        except MigrateError:
            raise
        except Exception as error:
            culprit = _culprit(error, self._ask[hook].get_hookimpls()) or self._name
            raise PluginFailedError(culprit, hook=hook, problem=_said(error)) from error

    def _wrong(self, hook: str, answer: object, kind: type) -> PluginFailedError:
        return PluginFailedError(
            self._name, hook=hook, problem=f"it answered {answer!r}, not a {kind.__name__}"
        )


class Registry:
    """The plugins of one process, or of one test."""

    def __init__(self, plugins: Iterable[tuple[EntryPoint, object]]) -> None:
        """Register *plugins*: modules or objects with hookimpls, or the error that loading gave."""
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._modules: dict[EntryPoint, object] = {}
        refused: dict[EntryPoint, str] = {}
        for point, plugin in sorted(plugins, key=lambda pair: pair[0].distribution not in _OURS):
            reason = self._register(point, plugin)
            if reason is None:
                self._modules[point] = plugin
            else:
                refused[point] = reason
        drivers, unfit = self._make_drivers()
        refused |= unfit
        shadowed = _shadowed(drivers)
        self.plugins: Final = tuple(
            sorted(
                [
                    Plugin(
                        point,
                        Status.SHADOWED if point in shadowed else Status.ACTIVE,
                        shadowed.get(point),
                        self._hooks(plugin),
                        drivers.get(point),
                        API,
                    )
                    for point, plugin in self._modules.items()
                ]
                + [Plugin(point, Status.BROKEN, reason) for point, reason in refused.items()]
            )
        )
        self.drivers: Final = {
            point.name: driver for point, driver in drivers.items() if point not in shadowed
        }
        self._schemes = {
            scheme: driver
            for driver in self.drivers.values()
            for scheme in driver.info.connection_schemes
        }

    @classmethod
    def installed(cls) -> Registry:
        """Load every installed plugin, each alone."""
        return cls(_load(entry_points()))

    def driver_for(self, scheme: str) -> Driver:
        """Find the driver that claims a connection URI's scheme.

        Raises:
            NoDriverError: With the schemes that are claimed.
        """
        driver = self._schemes.get(scheme) or self._schemes.get(scheme.lower())
        if driver is None:
            raise NoDriverError(
                scheme,
                known=sorted(self._schemes),
                broken=[
                    plugin.point.name
                    for plugin in self.plugins
                    if plugin.status is Status.BROKEN and plugin.point.group == DRIVERS
                ],
            )
        return driver

    def claims(self, scheme: str) -> bool:
        """Whether some driver claims *scheme* for its connection URIs."""
        return scheme.lower() in self._schemes

    def checks(self, plan: Plan, facts: Facts) -> list[Finding]:
        """Ask everyone for findings; a plugin that raises is a finding itself."""
        findings: list[Finding] = []
        for name, answer in self._broadcast("migrate_checks", Finding, plan=plan, facts=facts):
            if isinstance(answer, Exception):
                findings.append(
                    Finding(
                        "plugin-failed",
                        Severity.WARNING,
                        None,
                        f"plugin {name!r} could not check: {_said(answer)}",
                        remedy="tell its author; `migrate-plugins list` names its distribution",
                    )
                )
            else:
                findings += answer
        return findings

    def diagnose(self, text: str, code: int | None, domain: int | None) -> list[Diagnosis]:
        """Ask everyone what an error means, the most likely first."""
        found: list[Diagnosis] = []
        from migrate_plugins.diagnosis import Diagnosis  # noqa: PLC0415 - planning fails nowhere

        given = {"text": text, "code": code, "domain": domain}
        for _, answer in self._broadcast("migrate_diagnose", Diagnosis, **given):
            if not isinstance(answer, Exception):
                found += answer
        return sorted(found, key=lambda diagnosis: -diagnosis.confidence)

    def observe(self, event: Event) -> None:
        """Tell everyone; an observer that raises does not disturb the migration."""
        for _ in self._broadcast("migrate_observe", object, event=event):
            pass

    def commands(self) -> list[Command]:
        """Ask everyone for extra commands."""
        return [
            command
            for _, answer in self._broadcast("migrate_cli", Command)
            if not isinstance(answer, Exception)
            for command in answer
        ]

    def _register(self, point: EntryPoint, plugin: object) -> str | None:
        """Register one plugin, or say why it cannot be."""
        if isinstance(plugin, BaseException):
            return _said(plugin)
        written_for = getattr(plugin, "MIGRATE_PLUGINS_API", API)
        if written_for != API:
            return f"it was written for API {written_for}; this is API {API}"
        taken = [other for other in self._modules if other[:2] == point[:2]]
        if taken:
            return (
                f"the name {point.name!r} is taken by {taken[0].distribution}"
                f" ({taken[0].origin}); one of the two must be renamed or removed"
            )
        name = f"{point.group}:{point.name}"
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
            _check_part(self._manager, plugin, point)
        except Exception as error:  # noqa: BLE001 - whatever a plugin does, the others work
            if self._manager.has_plugin(name):  # not so where the same object has another name
                self._manager.unregister(name=name)
            return _said(error)
        return None

    def _make_drivers(self) -> tuple[dict[EntryPoint, Driver], dict[EntryPoint, str]]:
        modules = {
            point: plugin for point, plugin in self._modules.items() if point.group == DRIVERS
        }
        drivers, unfit = {}, {}
        for point, plugin in modules.items():
            others = [other for other in modules.values() if other is not plugin]
            try:
                driver = Driver(self._manager, plugin, others)
                if driver.info.name != point.name:
                    raise PluginFailedError(
                        point.name,
                        hook="migrate_driver",
                        problem=f"it calls itself {driver.info.name!r}, its entry point does not",
                    )
            except MigrateError as error:
                unfit[point] = str(error)
            else:
                drivers[point] = driver
        for point in unfit:
            self._manager.unregister(self._modules.pop(point))
        return drivers, unfit

    def _hooks(self, plugin: object) -> tuple[str, ...]:
        callers = self._manager.get_hookcallers(plugin) or []
        return tuple(sorted(caller.name for caller in callers))

    def _broadcast(
        self, hook: str, kind: type[_Answer], **arguments: object
    ) -> Iterator[tuple[str, Sequence[_Answer] | Exception]]:
        """Ask each implementation alone, by the name of its plugin, for values of one *kind*."""
        for impl in getattr(self._manager.hook, hook).get_hookimpls():
            try:
                answer = impl.function(*[arguments[name] for name in impl.argnames])
                yield impl.plugin_name, _all_of(kind, answer)
            except Exception as error:  # noqa: BLE001 - one bad plugin may not break the rest
                yield impl.plugin_name, error


def _check_part(manager: pluggy.PluginManager, plugin: object, point: EntryPoint) -> None:
    """Keep each plugin to its part: drivers answer addressed hooks, others only wrap them."""
    for caller in manager.get_hookcallers(plugin) or []:
        addressed = caller.spec is not None and caller.spec.opts["firstresult"]
        for impl in caller.get_hookimpls():
            wraps = impl.wrapper or impl.hookwrapper
            if impl.plugin is plugin and wraps and not addressed:
                raise TypeError(f"it wraps {caller.name}, a broadcast hook; it may answer that")
            if impl.plugin is plugin and addressed and not wraps and point.group != DRIVERS:
                raise TypeError(
                    f"it answers {caller.name}, which is asked of drivers; it may wrap that"
                )


def _all_of(kind: type[_Answer], answer: Iterable[_Answer] | None) -> tuple[_Answer, ...]:
    """Check the values of a broadcast hook's answer."""
    values = tuple(answer or ())
    for value in values:
        if not isinstance(value, kind):
            raise TypeError(f"it answered {value!r}, not a {kind.__name__}")
    return values


def _culprit(error: Exception, impls: Iterable[pluggy.HookImpl]) -> str | None:
    """Name the plugin whose hookimpl *error* came out of: the innermost that was running."""
    names = {impl.function.__code__: impl.plugin_name for impl in impls}
    culprit, traceback = None, error.__traceback__
    while traceback is not None:
        culprit = names.get(traceback.tb_frame.f_code, culprit)
        traceback = traceback.tb_next
    return culprit


def _load(points: Iterable[EntryPoint]) -> Iterator[tuple[EntryPoint, object]]:
    """Import each plugin alone; what it raises stands in for it."""
    for point in points:
        module, _, attribute = point.module.partition(":")
        plugin: object
        try:
            plugin = import_module(module)
            for name in filter(None, attribute.split(".")):
                plugin = getattr(plugin, name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
            plugin = error
        yield point, plugin


def _shadowed(drivers: dict[EntryPoint, Driver]) -> dict[EntryPoint, str]:
    """Find drivers that claim a scheme which an earlier one, or one of ours, has."""
    owners: dict[str, EntryPoint] = {}
    shadowed = {}
    for point in sorted(drivers, key=lambda point: (point.distribution not in _OURS, point)):
        schemes = drivers[point].info.connection_schemes
        clashes = [scheme for scheme in schemes if scheme in owners]
        if clashes:
            other = owners[clashes[0]]
            shadowed[point] = (
                f"{point.distribution} and {other.distribution} both claim"
                f" {', '.join(f'{scheme}://' for scheme in clashes)};"
                f" {other.distribution} keeps it, uninstall one of the two"
            )
        else:
            owners |= dict.fromkeys(schemes, point)
    return shadowed


def _hook_names(manager: pluggy.PluginManager) -> list[str]:
    # A misspelt hook of a plugin that was refused stays behind in pluggy, without a specification.
    return [name for name, caller in vars(manager.hook).items() if getattr(caller, "spec", None)]


def _said(error: BaseException) -> str:
    """Give an exception in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
