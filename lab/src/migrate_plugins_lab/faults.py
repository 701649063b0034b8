"""Faults: what can be broken on a host on purpose, and how all of it is mended."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Final

from migrate_plugins_lab import commands, daemon, domain, network
from migrate_plugins_lab.errors import ArgumentError, CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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
    script: Callable[[Host, str], str]
    """What breaks the host, for its root's shell."""
    outside: bool = False
    """Whether that is done where all hosts meet, and not on the host."""


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


def check_guest(name: str) -> None:
    """Refuse what no guest of a lab is called."""
    if not domain.is_name(name):
        raise ArgumentError("the guest", name, wrong="none is called so", hint="such as web1")


def check_nothing(_: str) -> None:
    """Accept: the fault takes no argument."""


def bandwidth(_: Host, rate: str) -> str:
    """Let the host send no faster than *rate*."""
    # One burst has to hold a whole offloaded TCP segment of 64 KiB.
    limit = f"tbf rate {rate} burst 128kb latency 50ms"
    return f"tc qdisc replace dev {network.INTERFACE} root {limit}"


def block_ports(_: Host, ports: str) -> str:
    """Reject connections to the host on *ports*, those that are open too."""
    return f"nft -f - <<'END'\n{network.block(ports)}\nEND"


def cut(host: Host, _: str) -> str:
    """Pull the host's cable out of the switch: packets are lost, and nobody is told."""
    return f"ip link set {host.name} down"


def hostname(_: Host, name: str) -> str:
    """Give the host another name; libvirt asks for it anew each time, so nothing is restarted."""
    return f"hostname {name}"


def kill_daemon(host: Host, _: str) -> str:
    """Kill the host's libvirtd; its guests run on."""
    pid = daemon.pid(host)
    # Until it is gone it still takes connections, and resets them.
    return (
        f"kill -s KILL {pid}; n=0;"
        f" while [ $n -lt 500 ] && grep -qs '^State:.[^ZX]' /proc/{pid}/status;"
        " do sleep 0.01; n=$((n + 1)); done"
    )


def freeze_daemon(host: Host, _: str) -> str:
    """Stop the host's libvirtd in its tracks: it accepts connections and never answers."""
    return f"kill -s STOP {daemon.pid(host)}"


def kill_guest(host: Host, guest: str) -> str:
    """End a *guest* on the host behind libvirt's back, one that is being received too."""
    return host.kill_guest(guest)


def kill_host(host: Host, _: str) -> str:
    """Kill the whole host, as a power cut would."""
    return host.kill()


FAULTS: Final = {
    "bandwidth": Fault("RATE", "limit what it sends, such as 800mbit", check_rate, bandwidth),
    "block-ports": Fault("A-B", "reject TCP connections to these ports", check_ports, block_ports),
    "cut": Fault("", "pull its cable: silence, no refusal", check_nothing, cut, outside=True),
    "hostname": Fault("NAME", "call it something nobody can look up", check_hostname, hostname),
    "kill-daemon": Fault("", "kill libvirtd; guests run on", check_nothing, kill_daemon),
    "freeze-daemon": Fault("", "stop libvirtd: it never answers", check_nothing, freeze_daemon),
    "kill-guest": Fault("GUEST", "end a guest behind libvirt's back", check_guest, kill_guest),
    "kill-host": Fault("", "power cut; Xen hosts alone", check_nothing, kill_host, outside=True),
}

# Waits for a line; where whoever was to write it has gone, there is nothing to do.
_ARMED: Final = "read -r _ || exit 0; "
_LONGEST: Final = 600


def inflict(host: Host, kind: str, *arguments: str) -> None:
    """Break a host, or mend it when *kind* is ``heal``.

    Raises:
        ArgumentError: There is no such fault, or it takes other arguments.
        DaemonError: Its libvirtd is to be signalled, and dead; or does not come back.
    """
    if kind == HEAL and not arguments:
        heal(host)
        return
    fault, script = _prepare(host, kind, *arguments)
    if fault.outside:
        host.anchor.enter(["sh", "-c", script])
    else:
        host.run(["sh", "-c", script])


@contextmanager
def armed(host: Host, kind: str, *arguments: str) -> Iterator[Callable[[], None]]:
    """Get ready to break a host: what this gives breaks it within milliseconds, when called.

    Raises:
        ArgumentError: There is no such fault, or it takes other arguments.
        DaemonError: Its libvirtd is to be signalled, and dead.
        CommandError: The host could not be broken; raised by the call.
    """
    fault, script = _prepare(host, kind, *arguments)
    shell = [*host.anchor.way(None), "sh", "-c"] if fault.outside else host.shell
    argv = [*shell, f"exec timeout {_LONGEST} sh -c {quote(_ARMED + script)}"]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as waiting:

        def fire() -> None:
            said, _ = waiting.communicate("now\n", timeout=commands.SECONDS)
            if waiting.returncode:
                raise CommandError(argv, status=waiting.returncode, output=said)

        yield fire


def _prepare(host: Host, kind: str, *arguments: str) -> tuple[Fault, str]:
    """Check a fault, note it, and give what inflicts it."""
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
    script = fault.script(host, argument)
    # Written first: a fault that is inflicted halfway has to be healed as well.
    with _record(host).open("a", encoding="utf-8") as record:
        record.write(" ".join([kind, *arguments]) + "\n")
    return fault, script


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
    host.revive()
    host.run(["hostname", host.name])
    host.run(["nft", "-f", "-"], stdin=network.unblock())
    # Replaced, since deleting fails when nothing was set.
    host.run(["tc", "qdisc", "replace", "dev", network.INTERFACE, "root", host.QUEUE])
    match daemon.state(host):
        case daemon.State.DEAD:
            daemon.start(host)
        case daemon.State.UNREACHABLE:
            daemon.wait(host)
        case daemon.State.FROZEN:
            daemon.thaw(host)
            daemon.wait(host)
        case daemon.State.RUNNING:
            pass
    _record(host).unlink(missing_ok=True)


def _record(host: Host) -> Path:
    return host.folder.host(host.name) / "faults"
