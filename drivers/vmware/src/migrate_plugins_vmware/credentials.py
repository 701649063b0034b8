"""Who logs in with a vCenter, and by which password.

Looked for in this order: libvirt's auth file (https://libvirt.org/auth.html#client-configuration),
the environment of govc and of Ansible's modules, and then the person is asked.  As in libvirt the
user of the URI wins over that of the file, and the file's password is taken for it.
"""

from __future__ import annotations

import os
import re
from configparser import Error, RawConfigParser
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import AuthenticationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrate_plugins import Ask
    from migrate_plugins_vmware.places import Place

__all__ = ["Credentials", "find_credentials"]

# Of libvirt's ESX driver, whatever the URI's scheme.
_SERVICE: Final = "esx"
_SYSTEM: Final = "/etc/libvirt/auth.conf"
_HTTPS: Final = 443
_ESCAPES: Final = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "": ""}


class Credentials(NamedTuple):
    """A user and a password, which is never shown; and where that stands."""

    user: str
    password: str
    origin: str = ""

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r}, password=…, origin={self.origin!r})"


class _Found(NamedTuple):
    """What one place has.

    Attributes:
        user: Whom the password is for; None: for anybody.
        password: The password, or None.
        origin: Of what the password is.
        says: What says whom it is for.
    """

    user: str | None = None
    password: str | None = None
    origin: str = ""
    says: str = ""

    def __repr__(self) -> str:
        return f"_Found(user={self.user!r}, password=…, origin={self.origin!r})"


class _FileError(Exception):
    """The auth file cannot be used; its text holds nothing of what stands in it."""


def find_credentials(
    place: Place,
    server: str,
    port: int,
    ask: Ask | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Credentials:
    """Find who logs in with *server*.

    Args:
        place: The URI, with its user and its auth file.
        server: Who is logged in with: the URI's host, or the vCenter that it names.
        port: Of the server.
        ask: Asks the person; None: nobody is there.
        environment: Of the process.

    Raises:
        AuthenticationError: Nothing was found; with where was looked, and what would work.
    """
    user, password, origin = place.user, None, ""
    looked = []
    for there in _look(place, server, port, environment):
        if isinstance(there, str):
            looked.append(there)
        elif user is not None and there.user not in {None, user}:
            looked.append(f"{there.says} is not {user}")
        else:
            user = user or there.user
            if password is None:
                password, origin = there.password, there.origin
        if user is not None and password is not None:
            return Credentials(user, password, origin)
    try:
        return _ask(user, password, origin, server, ask)
    except EOFError:
        looked.append("nobody answers here" if ask else "nobody can be asked here")
    what = f"password for {user}" if user else "user"
    raise AuthenticationError(
        place.text,
        problem=f"no {what} was found for {server}: {'; '.join(looked)}. {_advice(server)}",
    )


def _look(
    place: Place, server: str, port: int, environment: Mapping[str, str]
) -> Iterator[_Found | str]:
    """Look where they may stand: what is there, or why nothing is."""
    path, because = _auth_file(place, environment)
    if path is None:
        yield f"no auth file is there ({because})"
    else:
        origin = f"{path} ({because})"
        try:
            found = _read_file(path, server)
        except _FileError as error:
            raise AuthenticationError(place.text, problem=f"{origin}: {error}") from None
        # Whatever the file says, as in libvirt: the user of the URI has the file's password.
        yield found._replace(user=place.user or found.user, origin=f"of {path}")
        if found.password is None:
            lacks = "password" if found.user or place.user else "user and password"
            yield f"{origin} has no {lacks} for {server}"
    yield _of_govc(environment, server, port)
    yield _of_ansible(environment, server, port)


def _ask(
    user: str | None, password: str | None, origin: str, server: str, ask: Ask | None
) -> Credentials:
    """Ask a person for what is missing; EOFError where nobody answers."""
    if ask is None:
        raise EOFError
    if user is None:
        user = ask(f"user for {server}", secret=False)
    if not user:
        raise EOFError
    if password is None:
        typed = ask(f"password of {user} for {server}", secret=True)
        return Credentials(user, typed, "that was typed")
    return Credentials(user, password, origin)


def _advice(server: str) -> str:
    return (
        "Write into $XDG_CONFIG_HOME/libvirt/auth.conf, or into a file that ?authfile= names: "
        f"[credentials-NAME] with username= and password=, and [auth-{_SERVICE}-{server}] with"
        " credentials=NAME; or set GOVC_USERNAME and GOVC_PASSWORD"
    )


# --- libvirt's auth file -------------------------------------------------------------------------


def _auth_file(place: Place, environment: Mapping[str, str]) -> tuple[Path | None, str]:
    """Choose the file as libvirt does, with what chose it; the first two need not be there."""
    if named := environment.get("LIBVIRT_AUTH_FILE"):
        return Path(named), "LIBVIRT_AUTH_FILE"
    if place.authfile is not None:
        return Path(place.authfile), "authfile= of the URI"
    home = environment.get("XDG_CONFIG_HOME") or Path(environment.get("HOME", "/")) / ".config"
    own = Path(home) / "libvirt" / "auth.conf"
    for path in (own, Path(_SYSTEM)):
        if os.access(path, os.R_OK):
            return path, "libvirt's auth file"
    return None, f"neither {own} nor {_SYSTEM}"


def _read_file(path: Path, server: str) -> _Found:
    """Read what the file has for a server.

    The file is one of GLib's key files: no interpolation, no continued lines, comments behind ``#``
    alone; a backslash escapes, and stands for itself in front of anything else.  Only white space
    at the end of a value, which GLib keeps, is lost.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise _FileError(f"it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _FileError("it is not UTF-8 text") from None
    parser = RawConfigParser(
        delimiters=("=",), comment_prefixes=("#",), strict=False, default_section=""
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign] # keys keep their case
    try:
        # An indented line begins anew there, where configparser would go on with the last one.
        parser.read_string("\n".join(line.lstrip() for line in text.split("\n")))
    except Error as error:
        line = getattr(error, "lineno", None) or next(
            (number for number, _ in getattr(error, "errors", ())), "?"
        )
        raise _FileError(
            f"line {line} is neither [GROUP] nor NAME=VALUE nor a comment behind #"
        ) from None
    return _credentials(parser, server)


def _credentials(parser: RawConfigParser, server: str) -> _Found:
    groups = (f"auth-{_SERVICE}-{server}", f"auth-{_SERVICE}-default")
    group = next((name for name in groups if parser.has_section(name)), None)
    if group is None:
        return _Found()
    name = _value(parser, group, "credentials")
    if name is None:
        raise _FileError(f"[{group}] has no credentials=")
    named = f"credentials-{name}"
    if not parser.has_section(named):
        raise _FileError(f"[{group}] names [{named}], which is not there")
    return _Found(_value(parser, named, "username"), _value(parser, named, "password"))


def _value(parser: RawConfigParser, group: str, key: str) -> str | None:
    text = parser.get(group, key, fallback=None)
    if text is None:
        return None
    return re.sub(r"\\(.?)", lambda match: _ESCAPES.get(match[1], match[0]), text)


# --- the environment -----------------------------------------------------------------------------


def _of_govc(environment: Mapping[str, str], server: str, port: int) -> _Found | str:
    """Read what govc reads: GOVC_URL may hold all, the others win over it."""
    from urllib.parse import unquote, urlsplit  # noqa: PLC0415 - seldom that far

    user, password = environment.get("GOVC_USERNAME"), environment.get("GOVC_PASSWORD")
    origin = "of GOVC_PASSWORD"
    if url := environment.get("GOVC_URL"):
        try:
            parts = urlsplit(url if "://" in url else f"https://{url}")
            named = (parts.hostname, parts.port or _HTTPS)
        except ValueError:
            return "GOVC_URL cannot be read"
        if named != (server.lower(), port):
            return f"GOVC_URL names another server than {server}:{port}"
        user = user or (unquote(parts.username) if parts.username else None)
        if not password and parts.password:
            password, origin = unquote(parts.password), "of GOVC_URL"
    if not password:
        return "GOVC_USERNAME and GOVC_PASSWORD are not set"
    return _Found(user or None, password, origin, "GOVC_USERNAME")


def _of_ansible(environment: Mapping[str, str], server: str, port: int) -> _Found | str:
    """Read what Ansible's VMware modules and pyVmomi's samples read."""
    host = environment.get("VMWARE_HOST") or server
    named = environment.get("VMWARE_PORT") or str(port)
    if (host.lower(), named) != (server.lower(), str(port)):
        return f"VMWARE_HOST names another server than {server}:{port}"
    password = environment.get("VMWARE_PASSWORD")
    if not password:
        return "VMWARE_USER and VMWARE_PASSWORD are not set"
    return _Found(
        environment.get("VMWARE_USER") or None, password, "of VMWARE_PASSWORD", "VMWARE_USER"
    )
