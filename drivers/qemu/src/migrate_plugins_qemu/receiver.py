"""Where the guest's memory will arrive: by the URI, or by the destination's own settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from migrate_plugins import ConnectionURI, Receiver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate_plugins import Access, Answer, Facts, Plan

__all__ = ["find_receiver", "read_settings"]

# A line of qemu.conf: a comment stands on a line of its own, or behind the value.
_LINE: Final = re.compile(r"""\s*(?P<key>\w+)\s*=\s*(?:"(?P<text>[^"]*)"|(?P<number>\d+))""")
_SYSTEM: Final = "/etc/libvirt/qemu.conf"
_SESSION: Final = "${XDG_CONFIG_HOME:-$HOME/.config}/libvirt/qemu.conf"
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - read, not bound
# sysexits' EX_NOINPUT: a file that is not there leaves all at its default. Whether it is there
# cannot be told of a folder that may not be searched.
_MISSING: Final = 66
_READ: Final = (
    f'test -e "${{1%/*}}" || exit {_MISSING};'
    f' cd "${{1%/*}}" && {{ test -e "$1" || exit {_MISSING}; cat "$1"; }}'
)


def find_receiver(plan: Plan, facts: Facts, destination: Access) -> Receiver:
    """Tell where the memory goes, with what the destination's qemu.conf says."""
    port = plan.port
    because = plan.uris.migration.because
    if port.first is None or plan.request.offline:
        return Receiver(plan.receiver, None, None, because)
    answer, file = _read_file(plan, destination)
    settings = {} if answer is None or answer.status != 0 else read_settings(answer.output)
    first, last = port.first, port.last
    if port.value is None:  # the daemon chooses
        first = settings.get("migration_port_min", first)
        last = settings.get("migration_port_max", last)
    listen = plan.request.listen_address or settings.get("migration_address")
    host = plan.receiver
    if host is None:
        host = settings.get("migration_host")
        because = f"migration_host of {file} on the destination"
        if host is None:
            because = "the destination puts its own name into the migration URI"
            host = facts.destination.name if facts.destination else _hostname(destination)
        if host is not None and host.startswith("localhost"):
            return Receiver(host, None, None, "libvirt makes no migration URI of this name")
    unread = None
    if answer is not None and answer.status not in {0, _MISSING}:
        keys = "migration_(host|address|port_min|port_max)"
        unread = f"as root run there: grep -E '^{keys}' {file}"
    return Receiver(host, first, last, because, None if listen in _EVERYWHERE else listen, unread)


def read_settings(text: str) -> Mapping[str, Any]:
    """Read what qemu.conf sets: texts and numbers; lists are not needed here."""
    return {
        match["key"]: int(match["number"]) if match["text"] is None else match["text"]
        for line in text.splitlines()
        if (match := _LINE.match(line)) is not None
    }


def _read_file(plan: Plan, destination: Access) -> tuple[Answer | None, str]:
    """Read qemu.conf of the daemon that receives; None where no program can be run there."""
    uri = plan.uris.destination_from_client.value or plan.uris.destination.value or ""
    session = ConnectionURI.parse(uri).path.startswith("/session")
    file = _SESSION if session else _SYSTEM
    if destination.shell is None:
        return None, file
    return destination.shell.run(["sh", "-c", f'set -- "{file}"; {_READ}']), file


def _hostname(destination: Access) -> str | None:
    """Ask for the name that the client, having no connection, cannot ask libvirt for."""
    answer = None if destination.shell is None else destination.shell.run(["hostname"])
    return answer.output.strip() or None if answer is not None and answer.status == 0 else None
