"""One driver behind typed methods, one for each addressed hook, with the policies around it."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from migrate_plugins.errors import (
    InvalidURIError,
    MigrateError,
    PlanOnlyError,
    PluginFailedError,
    one_line,
    shown,
)
from migrate_plugins.model import (
    Capabilities,
    DriverInfo,
    NativeCommand,
    PortRule,
    Request,
    Revision,
)
from migrate_plugins.shapes import misfit
from migrate_plugins.uris import MigrationURI

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pluggy

    from migrate_plugins.plan import Plan
    from migrate_plugins.sessions import Access, Ask, Facts, Receiver, Session
    from migrate_plugins.settings import NamedHost
    from migrate_plugins.tracing import Tracer

__all__ = ["Driver", "plain_name", "policies"]

_Answer = TypeVar("_Answer")

# Asked once, with all wrappers at once: each question may take its time.
_OPENING: Final = frozenset({"migrate_connect", "migrate_receiver"})

# pluggy's caller of a hook among some of its plugins; it has no public name.
_Caller = Any


class _Link(NamedTuple):
    """The answer of a chain up to one plugin: the driver first, then each wrapper around it."""

    plugin: str
    caller: _Caller


class _Known(NamedTuple):
    """What a driver can do: with every policy around it, by itself, and who made the difference."""

    found: Capabilities
    own: Capabilities
    changed_by: tuple[str, ...]


class Driver:
    """One driver, with the wrappers that other plugins put around it.

    Answers to pure hooks that have only a revision for an argument are remembered.
    """

    def __init__(
        self,
        manager: pluggy.PluginManager,
        plugin: object,
        others: Iterable[object],
        tracer: Tracer | None = None,
        ask: Ask | None = None,
        named: Iterable[NamedHost] = (),
    ) -> None:
        """Address *plugin* among the plugins of *manager*; *others* are the other drivers.

        *named* are the hosts of config.toml, which says how to run programs on them.
        """
        self._named = named
        self._person = ask
        self._manager = manager
        self._plugin = plugin
        self._others = tuple(others)
        self._tracer = tracer
        self._chains: dict[str, tuple[_Link, ...]] = {}
        self._name = plain_name(manager.get_name(plugin) or repr(plugin))
        self.info, changed_by = self._answer("migrate_driver", DriverInfo)
        own = self._own("migrate_driver") if changed_by else self.info
        if isinstance(own, DriverInfo) and own[:3:2] != self.info[:3:2]:
            problem = f"it changes the name or the schemes of the driver {own.name}"
            raise PluginFailedError(changed_by[-1], hook="migrate_driver", problem=problem)
        same_control = isinstance(own, DriverInfo) and own.control == self.info.control
        # The policies that change how a host is reached.
        self.control_changed_by: Final = () if same_control else changed_by
        self._capabilities: dict[Revision, _Known] = {}
        self._port_rules: dict[tuple[Revision, str], tuple[PortRule, tuple[str, ...]]] = {}

    def __repr__(self) -> str:
        return f"<Driver {self.info.name}>"

    def capabilities(self, revision: Revision) -> Capabilities:
        """What it can do under *revision*."""
        return self._known(revision).found

    def terms(self, revision: Revision, scenario: str) -> Capabilities:
        """What holds for *scenario* under *revision*."""
        return self.capabilities(revision).of(scenario)

    def capabilities_changed_by(self, revision: Revision, *fields: str) -> tuple[str, ...]:
        """Name the policies that change *fields* of what it can do; of all where none is given."""
        known = self._known(revision)
        if known.own is not known.found and any(
            getattr(known.found, field) != getattr(known.own, field)
            for field in fields or Capabilities._fields
        ):
            return known.changed_by
        return ()

    def offer_changed_by(self, revision: Revision, scenario: str) -> tuple[str, ...]:
        """Name the policies that change on what terms it offers a scenario."""
        known = self._known(revision)
        if known.own is known.found:
            return ()
        same = known.found.offers.get(scenario) == known.own.offers.get(scenario)
        return () if same else known.changed_by

    def port_rule(self, revision: Revision, scenario: str) -> PortRule:
        """Which ports of a destination receive a guest under *revision*, in *scenario*."""
        return self._rule(revision, scenario)[0]

    def port_rule_changed_by(self, revision: Revision, scenario: str) -> tuple[str, ...]:
        """Name the policies that change that."""
        return self._rule(revision, scenario)[1]

    def select_port(self, rule: PortRule, host: str, taken: frozenset[int]) -> int | None:
        """Choose a port of *rule* towards *host* that is not *taken*, or None."""
        hook = "migrate_select_port"
        port, changed_by = self._ask(hook, rule=rule, host=host, taken=taken)
        if port is not None and (
            type(port) is not int or not rule.first <= port <= rule.last or port in taken
        ):
            problem = f"it chose {shown(port)}, which is no free port of {rule.first}-{rule.last}"
            raise PluginFailedError(self._last(changed_by), hook=hook, problem=problem)
        return port

    def select_port_wrapped_by(self) -> tuple[str, ...]:
        """Name the policies that have a say in the choice of a port."""
        return tuple(link.plugin for link in self._chain("migrate_select_port")[1:])

    def uri(
        self, request: Request, host: str, port: int | None, scheme: str | None = None
    ) -> tuple[MigrationURI | None, tuple[str, ...]]:
        """Write the migration URI for *host*, or None where the hypervisor makes its own.

        Returns:
            The URI, and the names of the policies that changed it.
        """
        hook = "migrate_uri"
        uri, changed_by = self._ask(hook, request=request, host=host, port=port, scheme=scheme)
        if uri is not None and type(uri) is not MigrationURI:
            raise self._wrong(hook, uri, MigrationURI, changed_by)
        if changed_by and uri is not None:
            self._check_written(uri, request.revision, scheme, changed_by)
        return uri, changed_by

    def read_uri(self, text: str, revision: Revision) -> MigrationURI:
        """Read a migration URI as the hypervisor does; raises InvalidURIError."""
        return self.read_uri_with_policies(text, revision)[0]

    def read_uri_with_policies(
        self, text: str, revision: Revision
    ) -> tuple[MigrationURI, tuple[str, ...]]:
        """Read a migration URI, and name the policies that read it otherwise than the driver."""
        return self._answer("migrate_read_uri", MigrationURI, text=text, revision=revision)

    def commands(self, plan: Plan) -> tuple[tuple[NativeCommand, ...], tuple[str, ...]]:
        """Give *plan* as commands of the hypervisor's own tool.

        Returns:
            The commands, and the names of the policies that changed them.
        """
        hook = "migrate_commands"
        answer, changed_by = self._ask(hook, plan=plan)
        try:
            commands = tuple(answer)
        except TypeError:
            commands = ()
        if not commands or any(type(command) is not NativeCommand for command in commands):
            raise self._wrong(hook, answer, NativeCommand, changed_by)
        for command in commands:
            self._check_shape(hook, command, changed_by)
        return commands, changed_by

    def connect(self, uri: str) -> Session:
        """Open a session; raises ConnectError, or PlanOnlyError where it opens none."""
        session: Session | None
        from migrate_plugins.shells import find_shell  # noqa: PLC0415 - planning opens nothing

        shell = find_shell(uri, self._named)
        session, _ = self._ask("migrate_connect", uri=uri, ask=self._person, shell=shell)
        if session is None:
            raise PlanOnlyError(self.info.name)
        return session

    def receiver(self, plan: Plan, facts: Facts, destination: Access) -> Receiver | None:
        """Tell where the guest's memory will arrive, or None where the plan says all of it."""
        from migrate_plugins.sessions import Receiver  # noqa: PLC0415 - planning looks at no host

        hook = "migrate_receiver"
        given: dict[str, object] = {"plan": plan, "facts": facts, "destination": destination}
        answer, changed_by = self._ask(hook, **given)
        if answer is None:
            return None
        if type(answer) is not Receiver:
            raise self._wrong(hook, answer, Receiver, changed_by)
        self._check_shape(hook, answer, changed_by)
        return answer

    def _chain(self, hook: str) -> tuple[_Link, ...]:
        """Give the driver's own answer, then that with each wrapper put around it.

        A wrapper sees the same whether further ones are outside of it, so that what each of them
        changes shows between two links.
        """
        if hook not in self._chains:
            wrappers = [
                impl
                for impl in getattr(self._manager.hook, hook).get_hookimpls()
                if (impl.wrapper or impl.hookwrapper)
                and not any(impl.plugin is other for other in (*self._others, self._plugin))
            ]
            links = []
            for count in range(len(wrappers) + 1):
                outside = [impl.plugin for impl in wrappers[count:]]
                caller = self._manager.subset_hook_caller(hook, [*self._others, *outside])
                name = plain_name(wrappers[count - 1].plugin_name) if count else self._name
                links.append(_Link(name, caller))
            self._chains[hook] = tuple(links)
        return self._chains[hook]

    def _ask(self, hook: str, **arguments: object) -> tuple[Any, tuple[str, ...]]:
        """Ask the driver and the wrappers around it: the answer, and which wrappers changed it.

        A hook that opens connections is called once, with all wrappers at once, and so is one that
        nobody wraps.
        """
        chain = self._chains.get(hook) or self._chain(hook)
        if hook in _OPENING:
            chain = chain[-1:]
        if len(chain) == 1 and self._tracer is None:
            return self._call(hook, chain[0], arguments), ()
        answer: object = None
        changed_by: list[str] = []
        for index, link in enumerate(chain):
            before, began = answer, perf_counter()
            try:
                answer = self._call(hook, link, arguments)
            except MigrateError as error:
                answer = error  # a wrapper further out may know better
            changed = None if index == 0 else not _same(before, answer)
            if changed:
                changed_by.append(link.plugin)
            if self._tracer is not None:
                from migrate_plugins.tracing import Step  # noqa: PLC0415 - few trace

                seconds = perf_counter() - began
                self._tracer(Step.of(hook, link.plugin, arguments, answer, seconds, changed))
        if isinstance(answer, MigrateError):
            raise answer
        return answer, tuple(changed_by)

    def _call(self, hook: str, link: _Link, arguments: dict[str, object]) -> object:
        try:
            return link.caller(**arguments)
        except (MigrateError, KeyboardInterrupt):
            raise
        except BaseException as error:
            culprit = _culprit(error, link.caller.get_hookimpls()) or link.plugin
            raise PluginFailedError(culprit, hook=hook, problem=one_line(error)) from error

    def _own(self, hook: str, **arguments: object) -> object:
        """Give the driver's own answer, without any policy."""
        return self._call(hook, self._chain(hook)[0], arguments)

    def _answer(
        self, hook: str, kind: type[_Answer], **arguments: object
    ) -> tuple[_Answer, tuple[str, ...]]:
        answer, changed_by = self._ask(hook, **arguments)
        if type(answer) is not kind:
            raise self._wrong(hook, answer, kind, changed_by)
        self._check_shape(hook, answer, changed_by)
        return answer, changed_by

    def _known(self, revision: Revision) -> _Known:
        if revision not in self._capabilities:
            hook = "migrate_capabilities"
            found, changed_by = self._answer(hook, Capabilities, revision=revision)
            own = self._own(hook, revision=revision) if changed_by else found
            if type(own) is not Capabilities or misfit(own) is not None:
                own = found  # a policy has mended it
            self._capabilities[revision] = _Known(found, own, changed_by)
        return self._capabilities[revision]

    def _rule(self, revision: Revision, scenario: str) -> tuple[PortRule, tuple[str, ...]]:
        if (revision, scenario) not in self._port_rules:
            hook = "migrate_port_rule"
            rule, changed_by = self._answer(hook, PortRule, revision=revision, scenario=scenario)
            if not 1 <= rule.first <= rule.last <= 65535:  # noqa: PLR2004 - TCP's own limit
                problem = f"{rule.first}-{rule.last} is no range of ports"
                raise PluginFailedError(self._last(changed_by), hook=hook, problem=problem)
            if changed_by:
                rule = rule._replace(because=f"{rule.because} ({policies(changed_by)})")
            self._port_rules[revision, scenario] = rule, changed_by
        return self._port_rules[revision, scenario]

    def _check_shape(self, hook: str, answer: object, changed_by: tuple[str, ...]) -> None:
        problem = misfit(answer)
        if problem is not None:
            raise PluginFailedError(self._last(changed_by), hook=hook, problem=problem)

    def _wrong(
        self, hook: str, answer: object, kind: type, changed_by: tuple[str, ...]
    ) -> PluginFailedError:
        problem = f"it answered {shown(answer)}, not a {kind.__name__}"
        return PluginFailedError(self._last(changed_by), hook=hook, problem=problem)

    def _last(self, changed_by: tuple[str, ...]) -> str:
        """Name whoever has the last word on an answer."""
        return changed_by[-1] if changed_by else self._name

    def _check_written(
        self, uri: MigrationURI, revision: Revision, scheme: str | None, changed_by: tuple[str, ...]
    ) -> None:
        """Hold a URI that a policy wrote to what the hypervisor reads."""
        problem = None if scheme else "it wrote a migration URI where none can be given"
        try:
            self.read_uri(str(uri), revision)
        except InvalidURIError as error:
            problem = f"it wrote {uri}, which {self.info.name} cannot read: {error.part}"
        if problem is not None:
            raise PluginFailedError(self._last(changed_by), hook="migrate_uri", problem=problem)


def plain_name(registered: str) -> str:
    """Give a plugin's name as people know it, without the group it is registered under."""
    return registered.partition(":")[2] or registered


def policies(names: Iterable[str]) -> str:
    """Name policies in a sentence."""
    return ", ".join(f"policy {name}" for name in names)


def _same(before: object, after: object) -> bool:
    """Whether a wrapper left an answer as it was; two errors are the same where they say it."""
    if isinstance(before, MigrateError) and isinstance(after, MigrateError):
        return type(before) is type(after) and str(before) == str(after)
    return type(before) is type(after) and before == after


def _culprit(error: BaseException, impls: Iterable[pluggy.HookImpl]) -> str | None:
    """Name the plugin whose hookimpl *error* came out of: the innermost that was running."""
    names = {impl.function.__code__: impl.plugin_name for impl in impls}
    culprit, traceback = None, error.__traceback__
    while traceback is not None:
        culprit = names.get(traceback.tb_frame.f_code, culprit)
        traceback = traceback.tb_next
    return culprit and plain_name(culprit)
