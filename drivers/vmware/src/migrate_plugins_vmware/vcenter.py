"""Connections with vCenters: one login for all sessions that open the same one alike."""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from pyVmomi import SoapStubAdapter, vim
from pyVmomi.VmomiSupport import versionMap

from migrate_plugins import AuthenticationError, ConnectError, netloc
from migrate_plugins_vmware.credentials import Credentials, find_credentials
from migrate_plugins_vmware.faults import BROKEN, EDGE, connecting
from migrate_plugins_vmware.inventory import Listing
from migrate_plugins_vmware.tls import Context, Trust, thumbprint
from migrate_plugins_vmware.turns import AlikeError, Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate_plugins import Ask
    from migrate_plugins_vmware.places import Place, Proxy
    from migrate_plugins_vmware.tasks import TaskWatch

__all__ = ["TIMEOUT", "VCenter", "VCenters", "newest_version", "resolve"]

T = TypeVar("T")

# Seconds that one call may take, from the connection to the last byte of the answer that is waited
# for. After them it is not known whether the server has carried it out. A call that waits for
# updates has to ask for less.
TIMEOUT: Final = 60.0

# Seconds for the last call: nobody waits for a server that is not there, only to leave it.
_PARTING: Final = 5.0

# Connections that are kept open for the calls of several threads; further ones are closed again.
_POOL: Final = 16

# Seconds after which an idle one is not used again: the server may be about to close it, and it is
# not known what becomes of a call that meets that.
_IDLE: Final = 10

# vSphere 5.5: what the server is asked in, until it has said what it speaks.
_FIRST: Final = "vim.version.version9"

# What a guest is found by.
_SOUGHT: Final = ("name", "config.uuid", "summary.config.uuid", "runtime.host")

_VCENTER: Final = "VirtualCenter"
_HOST: Final = "HostAgent"


class _Way(NamedTuple):
    """What makes two openings the same login."""

    host: str
    port: int
    user: str | None
    authfile: str | None
    trust: Trust
    proxy: Proxy | None
    managing: bool


class VCenter:
    """One login with a vCenter, or with a host; its methods may be called from several threads.

    Attributes:
        host: The server's name or address, as opened.
        port: Of the server.
        content: What it offers (``vim.ServiceInstanceContent``), read once.
        instance: Its ``about.instanceUuid``.
        product: Its ``about.fullName``.
        api_version: Its ``about.apiVersion``.
        is_vcenter: Whether it is a vCenter, not a host by itself.
        guests: All its guests, with what one is found by.
    """

    def __init__(
        self,
        host: str,
        port: int,
        content: Any,  # noqa: ANN401 - pyVmomi is untyped
        credentials: Credentials,
        context: Context,
        let_go: Callable[[], bool],
        timeout: float = TIMEOUT,
    ) -> None:
        """Take over a connection that has logged in; *let_go* tells whether it was the last use."""
        about = content.about
        self.host: Final = host
        self.port: Final = port
        self.content: Final = content
        self.instance: Final[str] = about.instanceUuid or ""
        self.product: Final[str] = about.fullName
        self.api_version: Final[str] = about.apiVersion
        self.is_vcenter: Final[bool] = about.apiType == _VCENTER
        self._credentials: Final = credentials
        self._context: Final = context
        self.timeout: Final = timeout
        self._let_go: Final = let_go
        self.guests: Final = Listing(self, vim.VirtualMachine, _SOUGHT)
        self._logging_in: Final = Turns()
        self._watching: Final = Lock()
        self._watch: TaskWatch | None = None
        self._logins = 1
        self._refused: str | None = None

    def __repr__(self) -> str:
        return f"VCenter({self.user}@{self.host}:{self.port})"

    @property
    def user(self) -> str:
        """Who has logged in."""
        return self._credentials.user

    @property
    def url(self) -> str:
        """Where its service is."""
        return f"https://{netloc(self.host, self.port)}/sdk"

    @property
    def certificate(self) -> bytes:
        """The certificate (DER) that it showed on this very connection, and that was taken."""
        return self._context.certificate

    @property
    def thumbprint(self) -> str:
        """SHA-1 of its certificate, as a ServiceLocator takes it."""
        return thumbprint(self.certificate)

    @property
    def thumbprint_sha256(self) -> str:
        """SHA-256 of its certificate."""
        return thumbprint(self.certificate, "sha256")

    def credential(self) -> tuple[str, str]:
        """Give user and password: for a ServiceLocator, and nothing else."""
        return self._credentials.user, self._credentials.password

    def address(self) -> str:
        """Resolve its name, as a migration URI needs it.

        Raises:
            OSError: The name is not known.
        """
        return resolve(self.host)

    def reading(self, call: Callable[[], T]) -> T:
        """Make a call that changes nothing, and again where the session or connection has ended.

        Only for reads: whether a call that changes something was carried out has to be looked up.
        """
        broken = ended = False
        while True:
            seen = self._logins
            try:
                return call()
            except vim.fault.NotAuthenticated:
                if ended:
                    raise
                ended = True  # here the fault, and what it holds, is let go
            except BROKEN:
                if broken:
                    raise
                broken = True
                continue  # by a new connection
            self._log_in_again(seen)

    def _log_in_again(self, seen: int) -> None:
        """Log in, unless another thread has done it since *seen* logins."""
        with self._logging_in.turn():
            if self._logins == seen:
                if self._refused is not None:
                    raise vim.fault.InvalidLogin(msg=self._refused)
                manager = self.content.sessionManager
                manager._stub.SetSessionId(None)  # noqa: SLF001 - pyVmomi has no other way
                try:
                    manager.Login(*self.credential(), None)
                except vim.fault.InvalidLogin as fault:
                    # A password that is tried again and again locks its user out.
                    self._refused = fault.msg or ""
                    raise
                self._logins += 1

    @property
    def watch(self) -> TaskWatch:
        """What follows its tasks: one for all sessions."""
        from migrate_plugins_vmware.tasks import TaskWatch  # noqa: PLC0415 - it reads through this

        with self._watching:
            if self._watch is None:
                self._watch = TaskWatch(self)
            return self._watch

    def release(self) -> None:
        """Let go of it; the last one logs out."""
        if self._let_go():
            manager = self.content.sessionManager
            stub = manager._stub  # noqa: SLF001 - see above
            stub.DropConnections()
            stub.schemeArgs["timeout"] = min(_PARTING, stub.schemeArgs["timeout"])
            if self._watch is not None:
                self._watch.close()
            with suppress(*EDGE):  # gone is as good as logged out
                manager.Logout()
            stub.DropConnections()


class VCenters:
    """The connections that one driver has open."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        """Give each call at most *timeout* seconds."""
        self._timeout: Final = timeout
        self._lock: Final = Lock()
        self._turns: Final[dict[_Way, Turns]] = {}
        self._open: Final[dict[_Way, VCenter]] = {}
        self._uses: Final[dict[_Way, int]] = {}
        self._typed: Final[dict[_Way, Credentials]] = {}

    def open(
        self, place: Place, ask: Ask | None = None, *, server: str | None = None, host: bool = False
    ) -> VCenter:
        """Log in, or share what is logged in already; let go of it with its ``release()``.

        Args:
            place: The connection URI.
            ask: Asks the person for what stands nowhere; None: nobody is there.
            server: Whom to log in with; None: the URI's own host.
            host: A host by itself is wanted, not a vCenter.

        Raises:
            ConnectError: It cannot be reached, or is not what was wanted.
            AuthenticationError: It does not let us in, or nobody has said how.
        """
        name = server or place.host
        trust = Trust.of(place)
        way = _Way(
            name.lower(), place.port, place.user, place.authfile, trust, place.proxy, not host
        )
        with self._lock:
            turns = self._turns.setdefault(way, Turns())
        try:
            with turns.turn():
                return self._share(way) or self._connect(way, place, name, ask)
        except AlikeError as error:
            kind, problem = error.kind, error.problem
        kind = kind if issubclass(kind, ConnectError) else ConnectError
        raise kind(place.text, problem=problem)

    def _share(self, way: _Way) -> VCenter | None:
        with self._lock:
            known = self._open.get(way)
            if known is not None:
                self._uses[way] += 1
            return known

    def _connect(self, way: _Way, place: Place, host: str, ask: Ask | None) -> VCenter:
        context = _context(place, way.trust)
        proxy = {}
        if way.proxy is not None:
            proxy = {"httpProxyHost": way.proxy.host, "httpProxyPort": way.proxy.port}
        stub = SoapStubAdapter(
            host,
            place.port,
            version=_FIRST,
            poolSize=_POOL,
            connectionPoolTimeout=_IDLE,
            sslContext=context,
            httpConnectionTimeout=self._timeout,
            **proxy,
        )
        try:
            with connecting(place.text, host, place.port, way.trust):
                service = vim.ServiceInstance("ServiceInstance", stub)
                about = service.RetrieveContent().about
                _check_kind(place, host, about, wanted=_VCENTER if way.managing else _HOST)
                stub.ComputeVersionInfo(newest_version(about.apiVersion))
                content = service.RetrieveContent()
            credentials = self._credentials(way, place, host, ask)
            with connecting(place.text, host, place.port, way.trust, credentials):
                content.sessionManager.Login(credentials.user, credentials.password, None)
        except BaseException:
            self._typed.pop(way, None)
            stub.DropConnections()
            raise
        made = VCenter(
            host,
            place.port,
            content,
            credentials,
            context,
            lambda: self._let_go(way),
            self._timeout,
        )
        with self._lock:
            self._open[way] = made
            self._uses[way] = 1
        return made

    def _credentials(self, way: _Way, place: Place, host: str, ask: Ask | None) -> Credentials:
        """Find credentials; what a person has typed is kept, to be asked for once."""
        known = self._typed.get(way)
        if known is not None:
            return known
        try:
            return find_credentials(place, host, place.port)
        except AuthenticationError:
            if ask is None:
                raise
        self._typed[way] = find_credentials(place, host, place.port, ask)
        return self._typed[way]

    def _let_go(self, way: _Way) -> bool:
        with self._lock:
            self._uses[way] -= 1
            if self._uses[way]:
                return False
            del self._uses[way], self._open[way]
            return True


def resolve(host: str) -> str:
    """Resolve a name as libvirt's ESX driver does: to its first IPv4 address.

    Raises:
        OSError: The name is not known.
    """
    found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_STREAM)
    return str(found[0][4][0])


def newest_version(api_version: str) -> str:
    """Choose the newest version of the API that both a server and pyVmomi speak.

    Args:
        api_version: What the server speaks, such as ``8.0.3.0``.
    """
    spoken = _numbers(api_version)
    known: dict[tuple[int, ...], str] = {
        _numbers(name.removeprefix("vim25/")): version
        for name, version in versionMap.items()
        if name.startswith("vim25/")
    }
    return known[
        max((number for number in known if () < number <= spoken), default=_numbers("5.5"))
    ]


def _numbers(text: str) -> tuple[int, ...]:
    """Read 8.0.3.0; nothing where it is no such number, as that of a build in between."""
    parts = text.split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        return ()
    return tuple(map(int, parts))


def _context(place: Place, trust: Trust) -> Context:
    try:
        return Context(trust)
    except ssl.SSLError:
        problem = f"cacert={trust.cacert} holds no certificate in PEM"
    except OSError as error:
        problem = f"cacert={trust.cacert} cannot be read: {error.strerror}"
    raise ConnectError(place.text, problem=f"{problem}; name a file with the authority")


def _check_kind(place: Place, host: str, about: Any, *, wanted: str) -> None:  # noqa: ANN401 - pyVmomi is untyped
    """Refuse a server of the other kind, before anybody logs in there."""
    if about.apiType == wanted:
        return
    if wanted == _VCENTER:
        raise ConnectError(
            place.text,
            problem=f"{host} is {about.fullName}, not a vCenter, and only a vCenter moves guests;"
            " name the vCenter that manages it: vpx://VCENTER/DATACENTER/CLUSTER/HOST",
        )
    raise ConnectError(
        place.text,
        problem=f"{host} is {about.fullName}, not a host by itself; write"
        f" vpx://{host}/DATACENTER/CLUSTER/HOST",
    )
