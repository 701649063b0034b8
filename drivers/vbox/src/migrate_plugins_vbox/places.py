"""Where the connection URIs of VirtualBox lead; pure, nothing is contacted.

``vbox:///session`` is the VirtualBox of the user on this machine, ``vbox+ssh://HOST/session`` that
of the user who is logged in with.  Each user has one, or several that differ in where their
settings are and in the name of their socket: these are the parameters ``user_home`` and
``ipc_socketid``, of which VirtualBox reads ``VBOX_USER_HOME`` and ``VBOX_IPC_SOCKETID``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import ConnectionURI, InvalidURIError, Reason, masked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Place", "problems", "same"]

_PATH: Final = "/session"
_LOCAL: Final = frozenset({"", "unix"})
_HINT: Final = (
    "write vbox:///session for this machine, or vbox+ssh://[USER@]HOST[:PORT]/session for another"
)
# Of libvirt's parameters for ssh those that ssh itself has, and the same for all that we start.
_OF_SSH: Final = frozenset({"command", "keyfile", "known_hosts", "no_verify"})


class _Rule(NamedTuple):
    """What a parameter has to look like."""

    form: re.Pattern[str]
    wrong: str
    instead: str


_PATHNAME: Final = _Rule(
    re.compile(r"/[^\x00-\x1f\x7f]*"), "is no absolute path", "give a path from / on"
)
_FILE: Final = _Rule(
    re.compile(r"[^-\x00-\x1f\x7f\"][^\x00-\x1f\x7f\"]*"), "names no file", "give its path"
)
_RULES: Final = {
    "user_home": _PATHNAME,
    "vboxmanage": _PATHNAME,
    # It becomes part of the name of a socket: /tmp/.vbox-ID-ipc/ipcd.
    "ipc_socketid": _Rule(
        re.compile(r"[A-Za-z0-9_.-]{1,64}"),
        "cannot be part of the name of a socket",
        "give up to 64 letters, digits, dots, dashes and underscores",
    ),
    "command": _FILE,
    "keyfile": _FILE,
    "known_hosts": _FILE,
    "no_verify": _Rule(re.compile(r"[01]"), "is neither 0 nor 1", "give 1 to check no host key"),
}


class Place(NamedTuple):
    """What a connection URI says; percent-encoding is taken off.

    Attributes:
        uri: As it was given.
        transport: ``ssh``, or empty for this machine.
        user: Who logs in, or None for ssh's own choice.
        host: None for this machine.
        port: None for ssh's own choice.
        home: ``VBOX_USER_HOME`` there: the folder with the settings of this VirtualBox; None where
            the host itself decides.
        socket_id: ``VBOX_IPC_SOCKETID`` there, or None.
        vboxmanage: Path of VBoxManage there, or None where it is looked for.
        ssh: The command with its options, without the host; empty for this machine.
    """

    uri: str
    transport: str = ""
    user: str | None = None
    host: str | None = None
    port: int | None = None
    home: str | None = None
    socket_id: str | None = None
    vboxmanage: str | None = None
    ssh: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read a connection URI.

        Raises:
            InvalidURIError: With everything that is wrong.
        """
        from urllib.parse import unquote  # noqa: PLC0415 - planning needs none of this

        uri = ConnectionURI.parse(text)
        wrong = [f"{part}: {instead}" for part, instead in _faults(uri)]
        if wrong:
            raise InvalidURIError(masked(text), part="; ".join(wrong), hint=_HINT)
        given = uri.parameters
        user = None if uri.user is None else unquote(uri.user)
        return cls(
            text,
            "" if uri.host is None else "ssh",
            user,
            uri.host,
            uri.port,
            given.get("user_home"),
            given.get("ipc_socketid"),
            given.get("vboxmanage"),
            () if uri.host is None else (*_ssh(user, uri.port, given),),
        )

    @property
    def environment(self) -> dict[str, str]:
        """The variables that choose this VirtualBox among those of the user."""
        chosen = {"VBOX_USER_HOME": self.home, "VBOX_IPC_SOCKETID": self.socket_id}
        return {name: value for name, value in chosen.items() if value is not None}


def problems(text: str) -> Iterator[Reason]:
    """Give every reason why a connection URI that can be read leads to no VirtualBox."""
    for part, instead in _faults(ConnectionURI.parse(text)):
        yield Reason("vbox-uri", f"{masked(text)}: {part}", instead, usage=True)


def same(source: str, destination: str) -> Iterator[Reason]:
    """Give the reason why two URIs cannot be source and destination: they name one VirtualBox."""
    here, there = Place.parse(source), Place.parse(destination)
    if _identity(here) == _identity(there):
        yield Reason(
            "vbox-same",
            f"{source} and {destination} name the same VirtualBox",
            "name another host or user, or another VirtualBox of this one with user_home= and"
            " ipc_socketid=",
            usage=True,
        )


def _identity(place: Place) -> tuple[object, ...]:
    host = None if place.host is None else place.host.lower()
    return host, place.user, place.port, place.home


def _faults(uri: ConnectionURI) -> Iterator[tuple[str, str]]:
    """Give each part that is wrong, and what would work instead."""
    transport = (uri.transport or "").lower()
    if transport not in _LOCAL | {"ssh"}:
        yield (
            f"there is no way over {uri.transport} to VBoxManage",
            "it is run on this machine (vbox:///session) or over ssh (vbox+ssh://HOST/session)",
        )
    elif transport == "ssh" and uri.host is None:
        yield "it names no host for ssh", "write vbox+ssh://HOST/session"
    elif transport in _LOCAL and uri.host is not None:
        yield (
            f"it names the host {uri.host} and no way to it",
            f"write vbox+ssh://{uri.host}/session",
        )
    if uri.path != _PATH:
        yield (
            f"its path is {uri.path!r}" if uri.path else "it has no path",
            f"write {_PATH}: VirtualBox runs for each user, and has no instance of the system",
        )
    if uri.host is not None and uri.host.startswith("-"):
        yield f"{uri.host} is no name of a host", "ssh would read it as an option"
    if uri.user is not None and (not uri.user or uri.user.startswith("-")):
        yield f"{uri.user!r} is no name of a user", "leave it out, or give one"
    if uri.user is not None and ":" in uri.user:
        yield (
            "it holds a password, which everybody who lists processes can read",
            "let ssh take a key (keyfile=, or an agent)",
        )
    if uri.port == 0:
        yield "its port is 0", "leave it out, or give that of sshd"
    yield from _wrong_parameters(uri)


def _wrong_parameters(uri: ConnectionURI) -> Iterator[tuple[str, str]]:
    for name, value in sorted(uri.parameters.items()):
        rule = _RULES.get(name)
        if rule is None:
            yield f"the parameter {name} is not known", f"there are {', '.join(sorted(_RULES))}"
        elif uri.host is None and name in _OF_SSH:
            yield f"{name} is for ssh", "leave it out, or name a host with vbox+ssh://HOST/session"
        elif not rule.form.fullmatch(value):
            yield f"{name}={value!r} {rule.wrong}", f"{rule.instead}, or leave {name} out"


def _ssh(user: str | None, port: int | None, given: Mapping[str, str]) -> Iterator[str]:
    """Write ssh's command; what the parameters do not say is as the user's own configuration."""
    yield given.get("command", "ssh")
    if "keyfile" in given:
        yield from ("-i", given["keyfile"])
    if "known_hosts" in given:
        # A space would end the name of the file.
        file = given["known_hosts"].replace("%", "%%")
        yield from ("-o", f'UserKnownHostsFile="{file}"')
    if given.get("no_verify") == "1":
        yield from ("-o", "StrictHostKeyChecking=no")
    if port is not None:
        yield from ("-p", str(port))
    if user is not None:
        yield from ("-l", user)
