"""vSphere's faults and a broken transport as our errors: one table, at the driver's edge.

pyVmomi's faults are exceptions that cannot be pickled, hold objects with a connection, and often
have no text: what they say is copied, and none is kept.
"""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from xml.parsers.expat import ExpatError

from pyVmomi import vim, vmodl

from migrate_plugins import AuthenticationError, ConnectError, DriverError
from migrate_plugins_vmware.tls import why_refused
from migrate_plugins_vmware.turns import AlikeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from migrate_plugins import MigrateError
    from migrate_plugins_vmware.credentials import Credentials
    from migrate_plugins_vmware.tls import Trust

__all__ = ["BROKEN", "EDGE", "TRANSPORT", "Fault", "connecting", "doing"]

# What leaves it open whether the server has carried out what it was asked.
TRANSPORT: Final = (OSError, HTTPException, ExpatError)

# The server has closed the connection; one that is made anew may work.
BROKEN: Final = (ConnectionError, HTTPException, ssl.SSLEOFError)

# Everything that comes out of pyVmomi.
EDGE: Final = (vmodl.MethodFault, *TRANSPORT)

# Of every fault; they are told by themselves.
_COMMON: Final = frozenset({"dynamicType", "dynamicProperty", "msg", "faultCause", "faultMessage"})

# How many faults are told that caused one another.
_DEPTH: Final = 4


class Fault(NamedTuple):
    """What an error says, as plain values.

    Attributes:
        kind: Its type, such as ``vim.fault.TaskInProgress``.
        message: The server's own text for it, in its language; empty where it has none.
        details: Further messages, without repetitions.
        values: Its own properties, such as ``invalidProperty``; objects by their id.
        cause: What caused it, or None.
    """

    kind: str
    message: str = ""
    details: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    cause: Fault | None = None

    @classmethod
    def of(cls, error: Any, depth: int = _DEPTH) -> Fault:  # noqa: ANN401 - pyVmomi is untyped
        """Copy what *error* says: a fault, one with its localized message, or an exception."""
        if isinstance(error, vmodl.LocalizedMethodFault):
            inner = cls.of(error.fault, depth)
            return inner if inner.message else inner._replace(message=error.localizedMessage or "")
        if isinstance(error, AlikeError):
            return cls(error.problem)
        if not isinstance(error, vmodl.MethodFault):
            return cls(type(error).__name__, " ".join(str(error).split()))
        message = error.msg or ""
        texts = [line.message or line.key or "" for line in error.faultMessage or ()]
        details = dict.fromkeys(text for text in texts if text and text not in message)
        values = [
            (one.name, _shown(getattr(error, one.name)))
            for one in error._GetPropertyList()  # noqa: SLF001 - pyVmomi has no other list
            if one.name not in _COMMON
        ]
        cause = error.faultCause
        return cls(
            type(error).__name__,
            message,
            tuple(details),
            tuple((name, text) for name, text in values if text),
            None if cause is None or not depth else cls.of(cause, depth - 1),
        )

    def __str__(self) -> str:
        said = "; ".join(filter(None, (self.message, *self.details)))
        text = f"{self.kind}: {said}" if said else self.kind
        if self.values:
            text += f" ({', '.join(f'{name}={value}' for name, value in self.values)})"
        return text if self.cause is None else f"{text}; caused by {self.cause}"


class _Edge:
    """A block out of which only our errors come; none of them keeps the one that it stands for."""

    def __init__(self, mapped: Callable[[Any], MigrateError]) -> None:
        self._mapped = mapped

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not isinstance(error, EDGE):
            return
        told = self._mapped(error)
        del kind, error, traceback  # this frame is kept with what is raised
        try:
            raise told
        finally:
            told.__context__ = None
            del told


def connecting(
    uri: str, host: str, port: int, trust: Trust, credentials: Credentials | None = None
) -> _Edge:
    """Map what goes wrong while a connection is opened, and the login with *credentials*."""

    def mapped(error: Any) -> MigrateError:  # noqa: ANN401 - see Fault.of
        if isinstance(error, vim.fault.InvalidLogin):
            who = "the login"
            if credentials is not None:
                who = f"{credentials.user} with the password {credentials.origin}"
            problem = f"{host} does not take {who} ({Fault.of(error)})"
            return AuthenticationError(uri, problem=problem)
        if isinstance(error, (vim.fault.NoPermission, vim.fault.NotAuthenticated)):
            return AuthenticationError(uri, problem=str(Fault.of(error)))
        return ConnectError(uri, problem=_unreachable(error, host, port, trust))

    return _Edge(mapped)


def doing(action: str) -> _Edge:
    """Map what goes wrong on an open connection."""
    return _Edge(lambda error: DriverError(action, problem=str(Fault.of(error))))


def _unreachable(error: Any, host: str, port: int, trust: Trust) -> str:  # noqa: ANN401 - see above
    there = f"{host}:{port}"
    if isinstance(error, ssl.SSLError):
        return why_refused(error, host, port, trust)
    if isinstance(error, TimeoutError):
        return f"{there} does not answer; see that it runs, and that no firewall drops the port"
    if isinstance(error, ConnectionRefusedError):
        return f"nobody listens at {there}; name the https port of the vCenter"
    if isinstance(error, socket.gaierror):
        return f"the name {host} is not known: {error.strerror}"
    if isinstance(error, (HTTPException, ExpatError, ConnectionError)):
        return f"{there} answers, and is no vSphere server ({Fault.of(error)})"
    if isinstance(error, OSError):
        return f"{there} cannot be reached: {error.strerror or error}"
    return str(Fault.of(error))


def _shown(value: Any) -> str:  # noqa: ANN401 - see Fault.of
    """Write a property of a fault; one that holds more than a value is left out."""
    if value is None:
        return ""
    if isinstance(value, vim.ManagedEntity | vim.Task):
        return f"{type(value).__name__}:{value._GetMoId()}"  # noqa: SLF001 - see above
    if isinstance(value, (vmodl.LocalizedMethodFault, vmodl.MethodFault)):
        return f"[{Fault.of(value, 0)}]"
    if isinstance(value, (list, tuple)):
        return ", ".join(filter(None, map(_shown, value)))
    if isinstance(value, (str, bool, int, float)):
        return " ".join(str(value).split())
    return ""
