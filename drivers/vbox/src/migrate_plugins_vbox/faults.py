"""What VBoxManage and ssh say where something failed, as our errors: one table each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import AuthenticationError, ConnectError, DriverError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins_vbox.places import Place
    from migrate_plugins_vbox.runner import Answer

__all__ = ["Fault", "failed", "unreachable"]

_PREFIX: Final = re.compile(r"^VBoxManage(?:\.exe)?: (?:fatal )?error: ?", re.IGNORECASE)
_DETAILS: Final = re.compile(r"(?:Details: code |Context: )")
_CODE: Final = re.compile(r"\b(?:[A-Z][A-Z0-9_]+ )?\((?:0x)?([0-9A-Fa-f]{8})\)")
_ENDS: Final = frozenset(".,:;!?")
_PROGRESS: Final = re.compile(r"[0-9]{1,3}%")


class Fault(NamedTuple):
    """What VBoxManage said.

    Attributes:
        text: Its sentences, without what stands before each line.
        code: Its number for the error (``VBOX_E_…``, ``NS_ERROR_…``), or None.
        details: What it says of its own code.
    """

    text: str
    code: int | None
    details: str

    @classmethod
    def of(cls, said: str) -> Fault:
        """Read its standard error, on which it also counts how far it is."""
        sentences: list[str] = []
        details: list[str] = []
        for line in said.splitlines():
            told = _PREFIX.sub("", line.strip(), count=1)
            if told and not _PROGRESS.match(told):
                (details if _DETAILS.match(told) else sentences).append(told)
        found = _CODE.search("\n".join([*details, *sentences]))
        return cls(
            _joined(sentences),
            None if found is None else int(found[1], 16),
            "\n".join(details),
        )


def _joined(lines: Sequence[str]) -> str:
    """Make one line of several, of which each may be a sentence."""
    text = ""
    for line in lines:
        text += f"{' ' if text[-1:] in _ENDS else '; '}{line}" if text else line
    return text


def failed(action: str, answer: Answer, place: Place | None = None) -> DriverError:
    """Give the error of a script that failed at a place while we did *action*."""
    if answer.status is None:
        where = "the host" if place is None else place.host or "this machine"
        said = _joined(answer.error.splitlines())
        if answer.broken:
            return DriverError(action, problem=f"the connection to {where} broke ({said})")
        return DriverError(action, problem=f"{where} did not answer ({said})")
    fault = Fault.of(answer.error)
    problem = fault.text or fault.details or f"VBoxManage ended with {answer.status}"
    return DriverError(action, problem=problem, code=fault.code)


# What ssh says, in which the address or a file may follow: whether it is about who we are, and
# what would work.
_SSH: Final = (
    (
        re.compile(r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key .*has changed", re.IGNORECASE),
        AuthenticationError,
        (
            "the host key of {host} is not the one that is known: find out why before you"
            " go on, and then ssh-keygen -R {known}"
        ),
    ),
    (
        re.compile(r"Host key verification failed|No \S+ host key is known", re.IGNORECASE),
        AuthenticationError,
        (
            "the host key of {host} is not known: log in once by hand ({login}) and compare it,"
            " or name a file with known_hosts="
        ),
    ),
    (
        re.compile(r"Permission denied|Too many authentication failures", re.IGNORECASE),
        AuthenticationError,
        "{host} does not let {user} in: let ssh have a key without a question (keyfile=, an agent)",
    ),
    (
        re.compile(r"Could not resolve hostname", re.IGNORECASE),
        ConnectError,
        "the name {host} is not known",
    ),
    (
        re.compile(r"Connection refused", re.IGNORECASE),
        ConnectError,
        "nobody listens there: start sshd, or name its port (vbox+ssh://{host}:PORT/session)",
    ),
    (
        re.compile(
            r"timed out|No route to host|Network is unreachable|did not get there", re.IGNORECASE
        ),
        ConnectError,
        "{host} cannot be reached: see that it runs, and that no firewall is in between",
    ),
)


def unreachable(place: Place, answer: Answer) -> ConnectError:
    """Give the error of a host that could not be opened."""
    said = " ".join(answer.error.split())
    where = place.host or "this machine"
    if answer.status is not None:
        return _no_virtualbox(place, answer, where)
    if place.host is not None:
        known = where if place.port is None else f"'[{where}]:{place.port}'"
        login = " ".join(filter(None, _login(place)))
        for pattern, kind, told in _SSH:
            if pattern.search(said):
                text = told.format(
                    host=where, known=known, login=login, user=place.user or "this user"
                )
                return kind(place.uri, problem=f"{text} (ssh: {said})")
        return ConnectError(place.uri, problem=f"ssh: {said}")
    return ConnectError(place.uri, problem=f"{where}: {said}")


def _login(place: Place) -> tuple[str, ...]:
    port = () if place.port is None else ("-p", str(place.port))
    return ("ssh", *port, place.host if place.user is None else f"{place.user}@{place.host}")


# What the script of a first look ends with where it finds no VBoxManage.
NO_VBOXMANAGE: Final = 127


def _no_virtualbox(place: Place, answer: Answer, where: str) -> ConnectError:
    if answer.status == NO_VBOXMANAGE:
        problem = (
            f"there is no VBoxManage on {where} ({Fault.of(answer.error).text}): install VirtualBox"
            " there, or name its path with vboxmanage="
        )
        return ConnectError(place.uri, problem=problem)
    fault = Fault.of(answer.error)
    text = fault.text or fault.details or f"VBoxManage ended with {answer.status}"
    if "initialize COM" in text:
        text = (
            f"VirtualBox does not start on {where}: {text}; see that the folder of its settings"
            " (user_home=) is there and belongs to the user"
        )
    else:
        text = f"VirtualBox on {where}: {text}"
    return ConnectError(place.uri, problem=text, code=fault.code)
