"""Faults: what can be broken on a host on purpose, and how all of it is mended."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migrate_plugins_lab import daemon, network
from migrate_plugins_lab.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from migrate_plugins_lab.host import Host

HEAL: Final = "heal"

_RATE: Final = re.compile(r"(?=.*[1-9])\d+(\.\d+)?[kmg]bit")
_PORTS: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_PORT_MAX: Final = 65535
_HOSTNAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?")


@dataclass(frozen=True)
class Fault:
    """One way to break a host."""

    usage: str
    """What follows the fault's name; empty when nothing does."""
    summary: str
    check: Callable[[str], None]
    """Refuses an argument that cannot be."""
    inflict: Callable[[Host, str], None]


def check_rate(rate: str) -> None:
    """Refuse what is no rate."""
    if not _RATE.fullmatch(rate):
        raise ArgumentError(
            "the rate",
            rate,
            wrong="it is not a number above zero and a unit",
            hint="kbit, mbit and gbit a second work, such as 800mbit",
        )


def check_ports(ports: str) -> None:
    """Refuse what is neither a port nor two in rising order."""
    match = _PORTS.fullmatch(ports)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    rising = first < last or not (match and match[2])
    if not (0 < first <= _PORT_MAX and last <= _PORT_MAX and rising):
        raise ArgumentError(
            "the ports",
            ports,
            wrong="they are not a port, or two in rising order",
            hint=f"1 to {_PORT_MAX} works, such as 49152-49215",
        )


def check_hostname(name: str) -> None:
    """Refuse what the kernel or the resolver would not take as a host's name."""
    if not _HOSTNAME.fullmatch(name):
        raise ArgumentError(
            "the host's name",
            name,
            wrong="it has other characters than letters, digits, dots and hyphens, or is long",
            hint="up to 64 of these work, such as localhost.localdomain",
        )


def check_nothing(_: str) -> None:
    """Accept: the fault takes no argument."""


def bandwidth(host: Host, rate: str) -> None:
    """Let the host send no faster than *rate*."""
    # One burst has to hold a whole offloaded TCP segment of 64 KiB.
    limit = ["tbf", "rate", rate, "burst", "128kb", "latency", "50ms"]
    host.run(["tc", "qdisc", "replace", "dev", network.INTERFACE, "root", *limit])


def block_ports(host: Host, ports: str) -> None:
    """Reject connections to the host on *ports*."""
    host.run(["nft", "-f", "-"], stdin=network.block(ports))


def cut(host: Host, _: str) -> None:
    """Pull the host's cable out of the switch: packets are lost, and nobody is told."""
    host.anchor.enter(["ip", "link", "set", host.name, "down"])


def hostname(host: Host, name: str) -> None:
    """Give the host another name; libvirt asks for it anew each time, so nothing is restarted."""
    host.run(["hostname", name])


def kill_daemon(host: Host, _: str) -> None:
    """Kill the host's libvirtd; its guests run on."""
    daemon.send(host, signal.SIGKILL)


def freeze_daemon(host: Host, _: str) -> None:
    """Stop the host's libvirtd in its tracks: it accepts connections and never answers."""
    daemon.send(host, signal.SIGSTOP)


FAULTS: Final = {
    "bandwidth": Fault("RATE", "limit what it sends, such as 800mbit", check_rate, bandwidth),
    "block-ports": Fault("A-B", "reject TCP connections to these ports", check_ports, block_ports),
    "cut": Fault("", "pull its cable: silence, no refusal", check_nothing, cut),
    "hostname": Fault("NAME", "call it something nobody can look up", check_hostname, hostname),
    "kill-daemon": Fault("", "kill libvirtd; guests run on", check_nothing, kill_daemon),
    "freeze-daemon": Fault("", "stop libvirtd: it never answers", check_nothing, freeze_daemon),
}


def inflict(host: Host, kind: str, *arguments: str) -> None:
    """Break a host, or mend it when *kind* is ``heal``.

    Raises:
        ArgumentError: There is no such fault, or it takes other arguments.
        DaemonError: Its libvirtd is to be signalled, and dead; or does not come back.
    """
    if kind == HEAL and not arguments:
        heal(host)
        return
    fault = FAULTS.get(kind)
    if fault is None or len(arguments) != bool(fault.usage):
        raise ArgumentError(
            "the fault",
            " ".join([kind, *arguments]),
            wrong="there is none of this form",
            hint=f"these work: {', '.join(forms())}",
        )
    argument = "".join(arguments)
    fault.check(argument)
    # Written first: a fault that is inflicted halfway has to be healed as well.
    with _record(host).open("a", encoding="utf-8") as record:
        record.write(" ".join([kind, *arguments]) + "\n")
    fault.inflict(host, argument)


def forms() -> dict[str, str]:
    """Every fault with what follows its name, and ``heal``; and what each does."""
    faults = {f"{name} {fault.usage}".strip(): fault.summary for name, fault in FAULTS.items()}
    return {**faults, HEAL: "undo all of these, and start libvirtd if it is dead"}


def active(host: Host) -> list[str]:
    """The faults of a host, in the order they were inflicted."""
    try:
        return _record(host).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def mend(host: Host) -> None:
    """Heal a host if anything is wrong with it, which is cheaper to find out."""
    if active(host) or daemon.state(host) is not daemon.State.RUNNING:
        heal(host)


def heal(host: Host) -> None:
    """Undo every fault of a host, and start its libvirtd if that is dead."""
    host.anchor.enter(["ip", "link", "set", host.name, "up"])
    host.run(["hostname", host.name])
    host.run(["nft", "-f", "-"], stdin=network.unblock())
    # "noqueue" is what a fresh interface of this kind has; deleting fails when nothing was set.
    host.run(["tc", "qdisc", "replace", "dev", network.INTERFACE, "root", "noqueue"])
    match daemon.state(host):
        case daemon.State.DEAD:
            daemon.start(host)
        case daemon.State.FROZEN:
            daemon.send(host, signal.SIGCONT)
            daemon.wait(host)
        case daemon.State.RUNNING:
            pass
    _record(host).unlink(missing_ok=True)


def _record(host: Host) -> Path:
    return host.folder.host(host.name) / "faults"
