"""Every error of migrate-plugins.

::

    MigrateError                        exit code
    ├── UsageError                      2   bad input that needs no rules to refuse
    │   ├── InvalidURIError             2   a URI cannot be read
    │   └── ConfigError                 2   config.toml is wrong: carries every reason
    ├── PlanError                       3   the request breaks rules: carries every reason
    │                                       (2 where the input alone is wrong)
    ├── BlockedError                    3   a check found errors: carries the findings
    ├── PortsExhaustedError             3   no port of the range is left towards a host
    ├── PortHeldError                   3   another migration holds the port that was asked for
    ├── PlanOnlyError                   3   the driver plans, and does not run migrations (yet)
    ├── JournalError                    3   the journal cannot be written, so nothing is begun; or
    │                                       it cannot be read.  Once a transfer has begun it is not
    │                                       raised: the outcome tells of it
    ├── NoDriverError                   4   no installed driver claims a scheme
    ├── PluginFailedError               4   a plugin raised, or gave the wrong kind of answer
    ├── PluginUnusableError             4   a plugin that was asked for does not take part
    ├── ConnectError                    5   a host cannot be reached
    │   └── AuthenticationError         5   it was reached and did not let us in
    ├── DriverError                     1   the hypervisor's own error, in its own words
    │   └── NoAbortError                1   nothing stops a migration that needs this process
    ├── MigrationFailedError            1   the guest is still on the source
    ├── NeedsPersonError                6   paused, on both hosts, on none, or not known
    └── CancelledError                  130 cancelled; the guest is still on the source

An error takes facts, keeps them as attributes and builds its own sentence: what is wrong, with
which value, what would work.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrate_plugins.findings import Finding
    from migrate_plugins.model import Reason
    from migrate_plugins.outcome import Outcome

__all__ = [
    "AuthenticationError",
    "BlockedError",
    "CancelledError",
    "ConfigError",
    "ConnectError",
    "DriverError",
    "ExitCode",
    "InvalidURIError",
    "JournalError",
    "MigrateError",
    "MigrationFailedError",
    "NeedsPersonError",
    "NoAbortError",
    "NoDriverError",
    "PlanError",
    "PlanOnlyError",
    "PluginFailedError",
    "PluginUnusableError",
    "PortHeldError",
    "PortsExhaustedError",
    "UsageError",
]


class ExitCode(IntEnum):
    """What the command line's exit status means."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    BLOCKED = 3
    PLUGIN = 4
    CONNECT = 5
    NEEDS_PERSON = 6
    CANCELLED = 130


class MigrateError(Exception):
    """Anything that migrate-plugins raises on purpose; its text is a whole sentence."""

    exit_code: ExitCode = ExitCode.FAILED

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickle would hand the sentence to a constructor that takes facts.
        return _remade, (type(self), self.args), self.__dict__


def _remade(kind: type[MigrateError], args: tuple[Any, ...]) -> MigrateError:
    """Make an error of its sentence; its facts are filled in afterwards."""
    return kind.__new__(kind, *args)


class UsageError(MigrateError):
    """Input that is wrong by itself, before any rule of migration is asked."""

    exit_code = ExitCode.USAGE


class InvalidURIError(UsageError):
    """A URI cannot be read: *part* of *text* is wrong, and *hint* is what would work."""

    def __init__(self, text: str, *, part: str, hint: str) -> None:
        self.text = text
        self.part = part
        self.hint = hint
        super().__init__(f"cannot read the URI {text!r}: {part}; {hint}")


class ConfigError(UsageError):
    """config.toml is wrong; every reason is given, each with what would work."""

    def __init__(self, path: str, reasons: Iterable[Reason]) -> None:
        self.path = path
        self.reasons = tuple(reasons)
        lines = [f"{reason.text}; {reason.instead}" for reason in self.reasons]
        super().__init__(f"{path}: " + " | ".join(lines))


class PlanError(MigrateError):
    """A request cannot be planned; every reason is given, each with what would work."""

    exit_code = ExitCode.BLOCKED

    def __init__(self, reasons: Iterable[Reason]) -> None:
        self.reasons = tuple(reasons)
        if all(reason.usage for reason in self.reasons):
            self.exit_code = ExitCode.USAGE
        lines = [f"{reason.text}; {reason.instead}" for reason in self.reasons]
        super().__init__("this migration cannot be planned: " + " | ".join(lines))


class BlockedError(MigrateError):
    """Checks found errors that nobody accepted."""

    exit_code = ExitCode.BLOCKED

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        lines = [f"{finding.id}: {finding.text}" for finding in self.findings]
        super().__init__("the checks found what blocks this migration: " + " | ".join(lines))


class PortsExhaustedError(MigrateError):
    """Every port of a range is taken, by other migrations or by what listens on that host."""

    exit_code = ExitCode.BLOCKED

    def __init__(self, host: str, *, first: int, last: int) -> None:
        self.host = host
        self.first = first
        self.last = last
        super().__init__(
            f"no port is left towards {host}: all of {first}-{last} are taken, by other migrations"
            " or by what listens there; wait for one to end, or widen the range with --port-range",
        )


class PortHeldError(MigrateError):
    """The port that was asked for is held by another migration towards the same host."""

    exit_code = ExitCode.BLOCKED

    def __init__(self, host: str, *, port: int) -> None:
        self.host = host
        self.port = port
        super().__init__(
            f"port {port} towards {host} is held by another migration;"
            " choose another port, or leave it out and one is chosen",
        )


class PlanOnlyError(MigrateError):
    """A driver plans and opens no sessions."""

    exit_code = ExitCode.BLOCKED

    def __init__(self, driver: str) -> None:
        self.driver = driver
        super().__init__(
            f"the {driver} driver plans migrations and does not run them yet;"
            " `migrate-plugins plan` gives the commands of the hypervisor's own tool"
        )


class JournalError(MigrateError):
    """The journal cannot be written or read.

    Attributes:
        place: Its file, or its URL without a password.
        doing: ``written`` or ``read``.
        problem: The store's own text.
    """

    exit_code = ExitCode.BLOCKED

    def __init__(self, place: str, *, doing: str, problem: str, instead: str) -> None:
        self.place = place
        self.doing = doing
        self.problem = problem
        self.instead = instead
        super().__init__(f"the journal {place} cannot be {doing}: {problem}; {instead}")


class NoDriverError(MigrateError):
    """No installed driver claims the scheme of a connection URI."""

    exit_code = ExitCode.PLUGIN

    def __init__(
        self,
        scheme: str,
        *,
        known: Sequence[str],
        broken: Sequence[str] = (),
        disabled: Sequence[str] = (),
        chosen: str | None = None,
    ) -> None:
        self.scheme = scheme
        self.known = tuple(known)
        self.broken = tuple(broken)
        self.disabled = tuple(disabled)
        self.chosen = chosen
        schemes = ", ".join(f"{name}://" for name in known) or "no scheme at all"
        if chosen is not None:
            text = f"the driver {chosen} (--driver) does not claim {scheme}://; it claims {schemes}"
        else:
            text = f"no installed driver claims {scheme}://; there are drivers for {schemes}"
        if broken:
            text += f"; {', '.join(broken)} could not be loaded (see `migrate-plugins list`)"
        if disabled:
            text += f"; {', '.join(disabled)} is disabled"
            text += f" (`migrate-plugins enable {' '.join(disabled)}`)"
        super().__init__(text)


class PluginFailedError(MigrateError):
    """A plugin raised in a hook, or answered with the wrong kind of value."""

    exit_code = ExitCode.PLUGIN

    def __init__(self, plugin: str, *, hook: str, problem: str) -> None:
        self.plugin = plugin
        self.hook = hook
        self.problem = problem
        super().__init__(
            f"plugin {plugin!r} failed in {hook}: {problem}; this is a fault of the plugin, please"
            f" tell its author; `migrate-plugins disable {plugin}` switches it off",
        )


class PluginUnusableError(MigrateError):
    """A plugin that was asked for by its name does not take part."""

    exit_code = ExitCode.PLUGIN

    def __init__(self, plugin: str, *, status: str, reason: str) -> None:
        self.plugin = plugin
        self.status = status
        self.reason = reason
        super().__init__(f"{plugin!r} was asked for and is {status}: {reason}")


class ConnectError(MigrateError):
    """A host could not be reached.

    Attributes:
        uri: The connection URI.
        problem: The client library's own text.
        code: Its number for the error, or None.
        domain: Which part of it raised the error, or None.
    """

    exit_code = ExitCode.CONNECT

    def __init__(
        self, uri: str, *, problem: str, code: int | None = None, domain: int | None = None
    ) -> None:
        self.uri = uri
        self.problem = problem
        self.code = code
        self.domain = domain
        super().__init__(f"cannot connect to {uri}: {problem}")


class AuthenticationError(ConnectError):
    """A host was reached and refused the credentials."""


class DriverError(MigrateError):
    """A hypervisor's own error.

    Attributes:
        problem: The hypervisor's text, unchanged.
        code: Its number for the error, or None (libvirt: ``virErrorNumber``).
        domain: Which part of it raised the error, or None (libvirt: ``virErrorDomain``).
        action: What we were doing.
    """

    def __init__(
        self,
        action: str,
        *,
        problem: str,
        code: int | None = None,
        domain: int | None = None,
    ) -> None:
        self.action = action
        self.problem = problem
        self.code = code
        self.domain = domain
        super().__init__(f"{action} failed: {problem}")


class NoAbortError(DriverError):
    """Nothing stops a migration, and whoever began it has to stay until its end."""


class _OutcomeError(MigrateError):
    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome.sentence)


class MigrationFailedError(_OutcomeError):
    """The migration failed and the guest is still on the source."""

    exit_code = ExitCode.FAILED


class NeedsPersonError(_OutcomeError):
    """The guest is paused, on both hosts, on none, or where it is cannot be known."""

    exit_code = ExitCode.NEEDS_PERSON

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.add_note(f"`{outcome.next_command}` tells how to go on")


class CancelledError(_OutcomeError):
    """The migration was cancelled and the guest is still on the source."""

    exit_code = ExitCode.CANCELLED


def one_line(error: BaseException) -> str:
    """Give a stranger's exception in one line, its kind first."""
    try:
        text = " ".join(str(error).split())
    except BaseException as unsaid:  # noqa: BLE001 - a stranger's __str__ may raise anything
        text = f"its text cannot be read ({type(unsaid).__name__})"
    return f"{type(error).__name__}: {text}"


def shown(value: object) -> str:
    """Give a stranger's value as Python writes it."""
    try:
        return repr(value)
    except BaseException:  # noqa: BLE001 - a stranger's __repr__ may raise anything
        return f"a {type(value).__name__} that cannot be shown"
