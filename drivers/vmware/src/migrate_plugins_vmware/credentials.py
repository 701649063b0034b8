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
    from collections.abc import Mapping

    from migrate_plugins import Ask
    from migrate_plugins_vmware.places import Place

__all__ = ["Credentials", "find_credentials"]

# Of libvirt's ESX driver, whatever the URI's scheme.
_SERVICE: Final = "esx"
_SYSTEM: Final = "/etc/libvirt/auth.conf"
_HTTPS: Final = 443
_ESCAPES: Final = {"s": " ", "n": "\n", "t": "\t", "r": "\r", "\\": "\\", "": ""}


class Credentials(NamedTuple):
    """A user and a password, which is never shown."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r}, password=…)"


class _Found(NamedTuple):
    """What one place has."""

    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"_Found(user={self.user!r}, password=…)"


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
    looked = []
    path, because = _auth_file(place, environment)
    found = _Found()
    if path is None:
        looked.append(f"no auth file is there ({because})")
    else:
        try:
            found = _read_file(path, server)
        except _FileError as error:
            raise AuthenticationError(place.text, problem=f"{path} ({because}): {error}") from None
        if found.password is None:
            lacks = "password" if found.user or place.user else "user and password"
            looked.append(f"{path} ({because}) has no {lacks} for {server}")
    user, password = place.user or found.user, found.password
    for names in (_Govc(), _Ansible()):
        if user is not None and password is not None:
            break
        there = names.read(environment, server, port)
        if isinstance(there, str):
            looked.append(there)
        elif user is not None and there.user not in {None, user}:
            looked.append(f"{names.user} is not {user}")
        else:
            user = user or there.user
            password = password or there.password
    if user is None or password is None:
        try:
            user, password = _asked(user, password, server, ask)
        except EOFError:
            looked.append("nobody answers here" if ask else "nobody can be asked here")
            what = f"password for {user}" if user else "user"
            raise AuthenticationError(
                place.text,
                problem=f"no {what} was found for {server}: {'; '.join(looked)}. {_advice(server)}",
            ) from None
    return Credentials(user, password)


def _asked(user: str | None, password: str | None, server: str, ask: Ask | None) -> tuple[str, str]:
    if ask is None:
        raise EOFError
    if user is None:
        user = ask(f"user for {server}", secret=False)
    if not user:
        raise EOFError
    if password is None:
        password = ask(f"password of {user} for {server}", secret=True)
    return user, password


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


class _Govc:
    """What govc reads: GOVC_URL may hold all, GOVC_USERNAME and GOVC_PASSWORD win over it."""

    user: Final = "GOVC_USERNAME"

    def read(self, environment: Mapping[str, str], server: str, port: int) -> _Found | str:
        """Give what is meant for *server*, or say why nothing is."""
        from urllib.parse import unquote, urlsplit  # noqa: PLC0415 - seldom that far

        user, password = environment.get(self.user), environment.get("GOVC_PASSWORD")
        if url := environment.get("GOVC_URL"):
            try:
                parts = urlsplit(url if "://" in url else f"https://{url}")
                named = (parts.hostname, parts.port or _HTTPS)
            except ValueError:
                return "GOVC_URL cannot be read"
            if named != (server.lower(), port):
                return f"GOVC_URL names another server than {server}:{port}"
            user = user or (unquote(parts.username) if parts.username else None)
            password = password or (unquote(parts.password) if parts.password else None)
        if not password:
            return f"{self.user} and GOVC_PASSWORD are not set"
        return _Found(user or None, password)


class _Ansible:
    """What Ansible's VMware modules and pyVmomi's samples read."""

    user: Final = "VMWARE_USER"

    def read(self, environment: Mapping[str, str], server: str, port: int) -> _Found | str:
        """Give what is meant for *server*, or say why nothing is."""
        named = environment.get("VMWARE_HOST")
        if named and (
            named.lower() != server.lower()
            or (environment.get("VMWARE_PORT") or str(port)) != str(port)
        ):
            return f"VMWARE_HOST names another server than {server}:{port}"
        password = environment.get("VMWARE_PASSWORD")
        if not password:
            return f"{self.user} and VMWARE_PASSWORD are not set"
        return _Found(environment.get(self.user) or None, password)
