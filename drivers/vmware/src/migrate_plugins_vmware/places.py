"""Where the URIs of libvirt's ESX driver lead; pure, nothing is contacted.

``vpx://[USER@]VCENTER[:PORT]/[FOLDER/…]DATACENTER/[FOLDER/…]CLUSTER/HOST`` names a host of a
vCenter, ``esx://HOST/?vcenter=VCENTER`` a host by itself with the vCenter that manages it.  Both
are read as libvirt does (src/esx/esx_driver.c, src/esx/esx_util.c, src/util/viruri.c); what libvirt
ignores and we take is named in :class:`Place`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from migrate_plugins import ConnectionURI, InvalidURIError, MigrationURI, masked
from migrate_plugins_vmware.hooks import SCHEME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ANY", "DIGESTS", "Peer", "Place", "Proxy", "read_peer", "write_peer"]

# Of ?vcenter=: whichever one the host says that it is managed by.
ANY: Final = "*"

_PORTS: Final = {
    ("vpx", "https"): 443,
    ("vpx", "http"): 80,
    ("esx", "https"): 443,
    ("esx", "http"): 80,
    ("gsx", "https"): 8333,
    ("gsx", "http"): 8222,
}
_PROXY_PORT: Final = 1080
_LAST_PORT: Final = 65535
_PROXIES: Final = ("http", "socks", "socks4", "socks4a", "socks5")
# Of a path: at least a datacenter and a compute resource.
_SHORTEST: Final = 2
# By the number of hexadecimal digits that a thumbprint has.
DIGESTS: Final = {40: "sha1", 64: "sha256"}

_HINT: Final = (
    "write vpx://VCENTER/DATACENTER/CLUSTER/HOST with every folder on the way, or"
    " esx://HOST/?vcenter=VCENTER"
)
_PEER_HINT: Final = (
    f"give {SCHEME}://VCENTER-IP/RESOURCE-POOL/HOST,"
    f" such as {SCHEME}://192.0.2.7/resgroup-26/host-42"
)


class Proxy(NamedTuple):
    """A proxy in front of the server.

    Attributes:
        kind: ``http``, ``socks``, ``socks4``, ``socks4a`` or ``socks5``.
        host: Its name or address.
        port: 1 to 65535.
    """

    kind: str
    host: str
    port: int


class Place(NamedTuple):
    """What a connection URI of the ESX driver says; percent-encoding is taken off.

    Attributes:
        text: The URI as it was given.
        scheme: ``vpx``, ``esx`` or ``gsx``.
        host: The server: a vCenter for ``vpx``, a host otherwise.
        port: Of the server; libvirt's default where none is given.
        user: Who logs in, or None where that stands elsewhere.
        path: The names from the root of the inventory to the host; empty but for ``vpx``.
        transport: ``https`` or ``http``.
        vcenter: Who manages the host of ``esx://``: a name, :data:`ANY`, or None for nobody.
        no_verify: Whether any certificate is taken.
        auto_answer: Whether libvirt answers a guest's questions with their defaults; a move of ours
            asks none.
        proxy: What stands in front of the server, or None.
        authfile: Where credentials stand, instead of in libvirt's own places; or None.
        cacert: File with the authorities that are trusted instead of the system's, or None.  Ours.
        thumbprint: SHA-1 or SHA-256 of the one certificate that is taken, as lower-case digits, or
            None.  Ours.
    """

    text: str
    scheme: str
    host: str
    port: int
    user: str | None = None
    path: tuple[str, ...] = ()
    transport: str = "https"
    vcenter: str | None = None
    no_verify: bool = False
    auto_answer: bool = False
    proxy: Proxy | None = None
    authfile: str | None = None
    cacert: str | None = None
    thumbprint: str | None = None

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read a connection URI.

        Raises:
            InvalidURIError: With everything that is wrong.
        """
        from urllib.parse import unquote  # noqa: PLC0415 - planning needs none of this

        uri = ConnectionURI.parse(text)
        scheme = uri.driver.lower()
        wrong = []
        if uri.transport is not None:
            wrong.append(f"{uri.driver}:// takes no transport, and +{uri.transport} was given")
        if scheme not in {"vpx", "esx", "gsx"}:
            wrong.append(f"{uri.driver}:// is none of vpx://, esx:// and gsx://")
        if uri.host is None:
            wrong.append("it names no server")
        if uri.user is not None and ":" in uri.user:  # to libvirt all of it is the user
            wrong.append("it holds a password, which everybody who lists processes can read")
        read, problems = _read_query(uri.query)
        wrong += problems
        # Taken apart after the encoding is off, as libvirt does it: a slash in a name, which
        # vSphere itself writes as %2f, has to be written %252f.
        names = unquote(uri.path).split("/") if scheme == "vpx" else []
        path = tuple(name for name in names if name)
        if scheme == "vpx" and len(path) < _SHORTEST:
            missing = "a compute resource" if path else "a datacenter and a compute resource"
            wrong.append(f"its path names no host: {missing} is missing")
        if wrong:
            raise InvalidURIError(masked(text), part="; ".join(wrong), hint=_HINT)
        transport = read.get("transport", "https")
        return cls(
            text,
            scheme,
            uri.host or "",
            uri.port or _PORTS[scheme, transport],
            None if uri.user is None else unquote(uri.user),
            path,
            **read,
        )

    @property
    def server(self) -> str | None:
        """Who is logged in with: the vCenter, or :data:`ANY`; None: a host by itself."""
        return self.host if self.scheme == "vpx" else self.vcenter

    def unusable(self) -> str | None:
        """Say why no move can be made through it, with what would work; None where one can."""
        if self.scheme == "gsx":
            return "a GSX server has no vCenter, and only a vCenter moves guests"
        if self.scheme == "esx" and not self.vcenter:
            return (
                "this opens a host without its vCenter, and only a vCenter moves guests; open it"
                f" through the vCenter: vpx://VCENTER/DATACENTER/CLUSTER/{self.host}, or"
                f" esx://{self.host}/?vcenter=VCENTER"
            )
        if self.transport == "http":
            return (
                "transport=http would send the password as it is; leave it out, and https is used"
            )
        if self.proxy is not None and self.proxy.kind != "http":
            return (
                f"a {self.proxy.kind} proxy is not supported; name one for http:"
                f" proxy=http://{self.proxy.host}:PORT"
            )
        return None


class Peer(NamedTuple):
    """What a migration URI of the ESX driver says.

    Attributes:
        address: IP address of the vCenter.
        pool: Id of the resource pool, such as ``resgroup-26``.
        host: Id of the host, such as ``host-42``.
    """

    address: str
    pool: str
    host: str


def write_peer(peer: Peer) -> MigrationURI:
    """Write ``vpxmigr://VCENTER-IP/RESOURCE-POOL/HOST`` as libvirt does."""
    return MigrationURI(SCHEME, host=peer.address, path=f"/{peer.pool}/{peer.host}")


def read_peer(text: str) -> tuple[MigrationURI, Peer]:
    """Read ``vpxmigr://VCENTER-IP/RESOURCE-POOL/HOST`` as libvirt does.

    The path is split at its first slash, whatever comes behind is the host.  A port is refused:
    libvirt ignores it, moves the guest, and then looks for it through another connection.

    Returns:
        Its parts as written, and what they say.

    Raises:
        InvalidURIError: libvirt would not take it.
    """
    from urllib.parse import unquote  # noqa: PLC0415 - few plans give a migration URI

    uri = MigrationURI.parse(text)
    if uri.scheme is None or uri.scheme.lower() != SCHEME:
        part = "it has no scheme" if uri.scheme is None else f"its scheme is {uri.scheme!r}"
        raise InvalidURIError(text, part=part, hint=_PEER_HINT)
    pool, _, host = unquote(uri.path).lstrip("/").partition("/")
    wanted = (("vCenter", uri.host), ("resource pool", pool), ("host", host))
    missing = [name for name, value in wanted if not value]
    if missing:
        part = f"it names no {' and no '.join(missing)}"
        raise InvalidURIError(text, part=part, hint=_PEER_HINT)
    if uri.port is not None:
        raise InvalidURIError(text, part=f"it has a port, {uri.port}", hint=_PEER_HINT)
    return uri, Peer(uri.host or "", pool, host)


def _read_query(query: str | None) -> tuple[dict[str, Any], list[str]]:
    """Read the parameters: those that are known, and what is wrong with them.

    As in libvirt the last one of a name counts, names are compared without case but for
    ``authfile``, of which the first one counts, and unknown names are ignored.
    """
    read: dict[str, Any] = {}
    wrong: list[str] = []
    for name, value in _parameters(query or ""):
        key = name.lower()
        if name == "authfile" and value:
            read.setdefault(name, value)
        elif key in _READERS:
            try:
                read[key] = _READERS[key](value)
            except ValueError as problem:
                wrong.append(f"{name}={value} {problem}")
    return read, wrong


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    """Take a query apart; ``;`` separates only behind the last ``&``, and + is no space."""
    from urllib.parse import unquote  # noqa: PLC0415 - see parse()

    *first, last = query.split("&")
    for part in (*first, *last.split(";")):
        name, _, value = part.partition("=")
        if name:
            yield unquote(name), unquote(value)


def _flag(text: str) -> bool:
    if re.fullmatch(r"\s*[+-]?0*[01]", text, re.ASCII) is None or int(text) not in {0, 1}:
        raise ValueError("is neither 0 nor 1")
    return int(text) == 1


def _transport(text: str) -> str:
    if text not in {"http", "https"}:
        raise ValueError("is neither http nor https")
    return text


def _file(text: str) -> str:
    if not text:
        raise ValueError("names no file")
    return text


def _digits(text: str) -> str:
    digits = text.replace(":", "").lower()
    if len(digits) not in DIGESTS or re.fullmatch(r"[0-9a-f]+", digits) is None:
        raise ValueError("has neither the 40 hexadecimal digits of SHA-1 nor the 64 of SHA-256")
    return digits


def _proxy(text: str) -> Proxy:
    """Read ``[TYPE://]HOST[:PORT]``."""
    kind, sign, rest = text.partition("://")
    if not sign:
        kind, rest = "http", text
    if kind not in _PROXIES:
        raise ValueError(f"is of none of the types {', '.join(_PROXIES)}")
    host, colon, port = rest.partition(":")
    if not host:
        raise ValueError("names no host")
    if not colon:
        return Proxy(kind, host, _PROXY_PORT)
    if not re.fullmatch(r"[0-9]{1,5}", port, re.ASCII) or not 1 <= int(port) <= _LAST_PORT:
        raise ValueError(f"has the port {port!r}, no number from 1 to {_LAST_PORT}")
    return Proxy(kind, host, int(port))


# How each parameter is read; a wrong value raises ValueError with what is wrong.
_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "auto_answer": _flag,
    "cacert": _file,
    "no_verify": _flag,
    "proxy": _proxy,
    "thumbprint": _digits,
    "transport": _transport,
    "vcenter": str,
}
