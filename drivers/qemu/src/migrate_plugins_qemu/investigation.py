"""What an error hides: who holds the port, and what the QEMU that received the guest wrote."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

from migrate_plugins import (
    ConnectionURI,
    Diagnosis,
    DriverError,
    InvalidURIError,
    MigrationURI,
    Remedy,
    Seat,
)
from migrate_plugins_qemu.diagnoses import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrate_plugins import Access, MigrateError, Plan, Shell

__all__ = ["investigate"]

# What libvirt says where it knows no more than that it ended.
_HIDING: Final = frozenset({"stream-hidden", "dest-qemu-died", "data-connection-broke"})
# Transports that protect the control connection, which people take for all there is.
_PROTECTED: Final = frozenset({"ssh", "libssh", "libssh2", "tls"})

_SECONDS: Final = 4.0

# Prints where a guest's QEMU keeps its log, then the end of that log. A session's daemon may have
# been started with folders of its own, so each one of this host is asked; a log that nobody has
# written to for two minutes is of an earlier failure.
_LOG: Final = r"""
name=$1
logs() {
    if [ "$2" = system ]; then echo "/var/log/libvirt/qemu/$1.log"; return; fi
    for process in /proc/[0-9]*; do
        case $(cat "$process/comm" 2>/dev/null) in libvirtd|virtqemud) ;; *) continue ;; esac
        [ "$(readlink "$process/ns/net")" = "$(readlink /proc/self/ns/net)" ] || continue
        tr '\0' '\n' < "$process/environ" 2>/dev/null | sed -n \
            -e "s|^XDG_CACHE_HOME=\(.*\)|\1/libvirt/qemu/log/$1.log|p" \
            -e "s|^HOME=\(.*\)|\1/.cache/libvirt/qemu/log/$1.log|p"
    done
    echo "${XDG_CACHE_HOME:-$HOME/.cache}/libvirt/qemu/log/$1.log"
}
logs "$1" "$2" | while IFS= read -r log; do
    [ -n "$(find "$log" -mmin -2 2>/dev/null)" ] || continue
    echo "$log"
    tail -c 16384 "$log"
    break
done
"""
_STARTED: Final = re.compile(r"^[^\n]{0,60}: starting up libvirt version[^\n]*\n", re.MULTILINE)
_HOLDER: Final = re.compile(r'\("(?P<name>[^"]{1,60})",pid=(?P<pid>\d{1,10})')
_PORT: Final = re.compile(r"server at '[^'\n]{1,255}:(\d{1,5})'")


def investigate(
    plan: Plan, error: MigrateError, source: Access, destination: Access
) -> Sequence[Diagnosis]:
    """Give what can be seen of the reason on both hosts."""
    if plan.driver != "qemu" or not isinstance(error, DriverError):
        return []
    told = CATALOGUE.diagnose(error.problem, error.code, error.domain)
    found = [*_misled(plan, error)]
    if not told or told[0].id in _HIDING:
        found += _port(plan, error, destination.shell)
        found += _logs(plan, destination.shell, Seat.DESTINATION)
        found += _logs(plan, source.shell, Seat.SOURCE)
        if not found:
            found += _elsewhere(plan, destination.shell)
    return found


def _misled(plan: Plan, error: DriverError) -> Iterator[Diagnosis]:
    """Explain that ssh and TLS carry no memory, where the memory's port is what failed."""
    text = plan.uris.destination.value or ""
    transport = (ConnectionURI.parse(text).transport or "").lower()
    if transport in _PROTECTED:
        beside = f"{error.problem}\n{text}"
        for diagnosis in CATALOGUE.diagnose(beside, error.code, error.domain):
            if diagnosis.id == "ssh-is-not-data":
                yield diagnosis


def _port(plan: Plan, error: DriverError, shell: Shell | None) -> Iterator[Diagnosis]:
    """Name another program that listens on the port that was to receive the memory."""
    port = _number(plan, error)
    if port is None or shell is None:
        return
    command = f"ss -ltnp 'sport = :{port}'"
    for line in shell.run(
        ["ss", "-ltnpH", f"sport = :{port}"], seconds=_SECONDS
    ).output.splitlines():
        holder = _HOLDER.search(line)
        if holder is not None and _receives(plan, shell, holder["name"], holder["pid"]):
            continue
        who = "a program of another user" if holder is None else f"{holder['name']}"
        process = "" if holder is None else f" (process {holder['pid']})"
        yield Diagnosis(
            "data-port-taken",
            f"port {port} of the destination is held by {who}{process}: the source connected to"
            " that program and sent it memory of the guest",
            (
                Remedy(command, Seat.DESTINATION),
                Remedy(f"end {who}, or have it listen elsewhere", Seat.DESTINATION),
                Remedy(
                    "or give the migration URI without a port: the daemon then takes a free one"
                ),
            ),
            0.99,
            "data-port-taken",
        )
        return


def _receives(plan: Plan, shell: Shell, name: str, pid: str) -> bool:
    """Whether the holder of the port is the QEMU of this very guest, which may still be ending."""
    if not name.startswith("qemu"):
        return False
    said = shell.run(["ps", "-o", "args=", "-p", pid], seconds=_SECONDS)
    return f"guest={plan.destination_name}," in said.output


def _number(plan: Plan, error: DriverError) -> int | None:
    """Give the port that the memory was sent to, where plan or error name it."""
    named = _PORT.search(error.problem)
    if named is not None:
        return int(named[1])
    if plan.uris.migration.value is None:
        return plan.port.value
    try:
        return MigrationURI.parse(plan.uris.migration.value).port or plan.port.value
    except InvalidURIError:
        return None


def _logs(plan: Plan, shell: Shell | None, seat: Seat) -> Iterator[Diagnosis]:
    """Diagnose what the guest's QEMU wrote there since it was started."""
    if shell is None:
        return
    uri, name = _place(plan, seat)
    said = shell.run(["sh", "-c", _LOG, "sh", name, _instance(uri)], seconds=_SECONDS)
    file, _, text = said.output.partition("\n")
    if not file:
        return
    *_, latest = _STARTED.split(text)
    for diagnosis in CATALOGUE.diagnose(latest):
        if diagnosis.id not in _HIDING:
            yield diagnosis._replace(cause=f"{diagnosis.cause} ({file} on the {seat} says so)")


def _elsewhere(plan: Plan, shell: Shell | None) -> Iterator[Diagnosis]:
    """Say where the reason can be read, where it cannot be read from here."""
    uri, name = _place(plan, Seat.DESTINATION)
    if _instance(uri) == "system":
        log = f"/var/log/libvirt/qemu/{name}.log"
    else:
        log = f"~/.cache/libvirt/qemu/log/{name}.log"
    why = (
        "the client has no shell there to read it with ([hosts.NAME] shell in config.toml gives it"
        " one)"
        if shell is None
        else "what could be read there does not say it"
    )
    yield Diagnosis(
        "stream-hidden",
        f"libvirt does not say why the migration ended; the reason is in {log} on the destination,"
        f" or in the journal of its daemon, and {why}",
        (
            Remedy(f"tail -n 40 {shlex.quote(log) if log[0] == '/' else log}", Seat.DESTINATION),
            Remedy("journalctl -u libvirtd -u virtqemud --since -10min", Seat.DESTINATION),
            Remedy(f"migrate-plugins diagnose {log}", Seat.DESTINATION),
        ),
        0.5,
    )


def _place(plan: Plan, seat: Seat) -> tuple[str, str]:
    """Give a host's connection URI and the guest's name there."""
    if seat is Seat.SOURCE:
        return plan.uris.source.value or "", plan.guest
    uris = plan.uris
    uri = uris.destination_from_client.value or uris.destination.value
    return uri or plan.uris.source.value or "", plan.destination_name


def _instance(uri: str) -> str:
    """Tell which of libvirt's daemons a connection URI leads to."""
    return "session" if ConnectionURI.parse(uri).path.rstrip("/").endswith("session") else "system"
