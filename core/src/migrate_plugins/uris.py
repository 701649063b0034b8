"""Read and write URIs without losing a character.

Two kinds: a *connection URI* names a libvirt connection (the document's first and second URI), a
*migration URI* tells the hypervisor how to move the guest (the third).  For both, and for every
text that :meth:`parse` accepts, ``str(parse(text)) == text``.

Forms are libvirt's: https://libvirt.org/uri.html, and for older spellings the migration document.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from migrate_plugins.errors import InvalidURIError

__all__ = ["ConnectionURI", "MigrationURI", "netloc"]

_SCHEME: Final = r"(?P<scheme>[A-Za-z][A-Za-z0-9.-]*)"
_AUTHORITY: Final = (
    r"(?:(?P<user>[^@/?#\[\]\s]*)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+(?:%[^\]\s/?#@]+)?\]|[^\[\]:@/?#\s]*)"
    r"(?::(?P<port>[^\[\]/?#\s]*))?"
)
_TAIL: Final = r"(?P<path>/[^?#\s]*)?(?:\?(?P<query>[^#\s]*))?"

_CONNECTION: Final = re.compile(
    _SCHEME
    + r"(?:\+(?P<transport>[A-Za-z0-9]+))?:(?:(?P<slashes>//)"
    + _AUTHORITY
    + r"|(?!//))"
    + _TAIL,
)
# Compiled when it is first used: most plans have no third URI.
_MIGRATION: Final = (
    r"(?:"
    + _SCHEME
    + r":(?P<slashes>//)|(?P<old>[A-Za-z][A-Za-z0-9.-]*):(?!//)|(?![^/\[\]]*://))"
    + _AUTHORITY
    + _TAIL
)
# What the document writes as qemu+tls:/desthost/system: one slash, then host and path.
_HOST_IN_PATH: Final = re.compile(r"/(?P<host>[^/]+)(?P<path>/.*)")
_PORT: Final = re.compile(r"0|[1-9][0-9]{0,4}")
_LAST_PORT: Final = 65535
_NO_PATH: Final = (None, "", "/")


def netloc(host: str, port: int | None = None) -> str:
    """Write *host* and *port* as they stand in a URI: an IPv6 address gets its brackets."""
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return host if port is None else f"{host}:{port}"


class ConnectionURI(NamedTuple):
    """A libvirt connection URI: ``driver[+transport]://[user@][host][:port]/[path][?query]``.

    Attributes:
        driver: The scheme's first half as written, such as ``qemu``.
        transport: The scheme's second half (``ssh``, ``tls``, ``tcp``, ``unix``, …), or None.
        user: As written (percent-encoding kept), or None.
        host: Without the brackets of an IPv6 address; None for this machine.
        port: 0 to 65535, or None.
        path: From its slash on, or the empty string.
        query: Without its question mark, or None.
        slashes: ``//``, or ``/`` for the form ``qemu+tls:/desthost/system`` that the migration
            document shows, or nothing where there is no authority (``qemu:/system``).
    """

    driver: str
    transport: str | None = None
    user: str | None = None
    host: str | None = None
    port: int | None = None
    path: str = ""
    query: str | None = None
    slashes: str = "//"

    @classmethod
    def parse(cls, text: str) -> ConnectionURI:
        """Read a connection URI.

        Raises:
            InvalidURIError: With the part that is wrong and what would work.
        """
        match = _CONNECTION.fullmatch(text)
        if match is None:
            raise InvalidURIError(text, part=_fault(text), hint=_CONNECTION_HINT)
        scheme, transport, slashes, user, host, port, path, query = match.groups()
        if slashes is not None:
            host, number = _authority(text, host, port, _CONNECTION_HINT)
            if host is None and (user is not None or number is not None):
                raise InvalidURIError(
                    text, part="it has a user or a port but no host", hint=_CONNECTION_HINT
                )
            return cls(scheme, transport, user, host, number, path or "", query, "//")
        if transport is not None and transport.lower() != "unix":
            in_path = _HOST_IN_PATH.fullmatch(path or "")
            if in_path is not None and ":" not in in_path["host"]:
                return cls(
                    scheme, transport, None, in_path["host"], None, in_path["path"], query, "/"
                )
        return cls(scheme, transport, None, None, None, path or "", query, "")

    def __str__(self) -> str:
        scheme = f"{self.driver}+{self.transport}:" if self.transport else f"{self.driver}:"
        return scheme + _behind_scheme(self)

    @property
    def parameters(self) -> dict[str, str]:
        """The query's parameters, decoded; of a repeated one the last."""
        from urllib.parse import parse_qsl  # noqa: PLC0415 - planning rarely asks

        return dict(parse_qsl(self.query or "", keep_blank_values=True))


class MigrationURI(NamedTuple):
    """A migration URI, hypervisor specific: ``[scheme:[//]][user@]host[:port][/path][?query]``.

    Attributes:
        scheme: As written, or None for a bare ``host`` or ``host:port``.
        user: As written, or None.
        host: Without the brackets of an IPv6 address; None where there is none (``unix:///path``).
        port: 0 to 65535, or None.
        path: From its slash on, or the empty string.
        query: Without its question mark, or None.
        slashes: ``//``, or nothing for the old forms ``tcp:HOST:PORT`` and ``xenmigr:HOST/``.
    """

    scheme: str | None
    user: str | None = None
    host: str | None = None
    port: int | None = None
    path: str = ""
    query: str | None = None
    slashes: str = "//"

    @classmethod
    def parse(cls, text: str) -> MigrationURI:
        """Read a migration URI in its new, old or bare form.

        Raises:
            InvalidURIError: With the part that is wrong and what would work.
        """
        match = re.fullmatch(_MIGRATION, text)
        if match is None:
            raise InvalidURIError(text, part=_fault(text), hint=_MIGRATION_HINT)
        scheme, slashes, old, user, host, port_text, path, query = match.groups()
        if old is not None:
            # `desthost:49152` has no scheme: a number behind the only colon is a port.
            if port_text is None and user is None and host.isdecimal():
                old, host, port_text = None, old, host
            scheme = old
        host, number = _authority(text, host, port_text, _MIGRATION_HINT)
        if host is None and (user is not None or number is not None or path in _NO_PATH):
            raise InvalidURIError(text, part="it names no host", hint=_MIGRATION_HINT)
        return cls(scheme, user, host, number, path or "", query, slashes or "")

    def __str__(self) -> str:
        return ("" if self.scheme is None else f"{self.scheme}:") + _behind_scheme(self)


def _behind_scheme(uri: ConnectionURI | MigrationURI) -> str:
    text = uri.slashes
    if uri.user is not None:
        text += f"{uri.user}@"
    if uri.host is not None:
        text += netloc(uri.host, uri.port)
    text += uri.path
    return text if uri.query is None else f"{text}?{uri.query}"


_CONNECTION_HINT: Final = (
    "a connection URI is driver[+transport]://[user@][host][:port]/[path][?parameters],"
    " for example qemu+ssh://root@desthost/system"
)
_MIGRATION_HINT: Final = (
    "a migration URI is scheme://host[:port][/path], for example tcp://10.0.0.1:49152"
)


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None


def _authority(text: str, host: str, port: str | None, hint: str) -> tuple[str | None, int | None]:
    """Check host and port of an authority, and take the brackets off."""
    if host.startswith("["):
        host = host[1:-1]
        if not _is_ipv6(host):
            raise InvalidURIError(text, part=f"[{host}] is not an IPv6 address", hint=hint)
    if port is None:
        return host or None, None
    if not _is_port(port) or int(port) > _LAST_PORT:
        if ":" in port or ":" in host:
            part = f"{host}:{port} has several colons"
            hint = f"an IPv6 address stands in brackets, such as [2001:db8::7]; {hint}"
        else:
            part = f"the port {port!r} is not a number from 0 to {_LAST_PORT}"
        raise InvalidURIError(text, part=part, hint=hint)
    return host or None, int(port)


def _is_ipv6(host: str) -> bool:
    from socket import AF_INET6, inet_pton  # noqa: PLC0415 - only a URI with brackets asks

    address, percent, zone = host.partition("%")
    try:
        inet_pton(AF_INET6, address)
    except OSError:
        return False
    return bool(zone) or not percent


def _fault(text: str) -> str:
    """Name the part of an unreadable URI that is wrong."""
    if not text:
        return "it is empty"
    if any(character.isspace() for character in text):
        return "it contains a space"
    if "#" in text:
        return "it has a fragment (#…)"
    if "[" in text or "]" in text:
        return "brackets stand around an IPv6 address and nowhere else"
    if ":" not in text:
        return "it has no scheme"
    scheme, _, rest = text.partition(":")
    if not rest.startswith("/") and _CONNECTION.fullmatch(f"{scheme}:/") is not None:
        return f"neither // nor / follows {scheme + ':'!r}"
    return f"{scheme!r} is not a scheme"
