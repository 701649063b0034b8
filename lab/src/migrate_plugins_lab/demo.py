"""The first thing that a newcomer runs: a guest moves in each of QEMU's five scenarios.

It types real commands, so that whoever watches can type them too.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins.cli import main
from migrate_plugins_lab.lab import Lab

if TYPE_CHECKING:
    from migrate_plugins.cli.output import Output
    from migrate_plugins_lab.guest import Guest
    from migrate_plugins_lab.host import Host

# MiB that the guest writes over before each tick: enough for a transfer that can be watched.
_DIRTY: Final = 48


class _Move(NamedTuple):
    """A scenario as it is asked for; virsh cannot invoke those that are named."""

    title: str
    flags: tuple[str, ...]
    peer2peer: bool


_MOVES: Final = (
    _Move("managed direct: this client controls both daemons", (), peer2peer=False),
    _Move("peer-to-peer: the source's daemon controls it", ("--p2p",), peer2peer=True),
    _Move(
        "peer-to-peer, memory tunnelled between the daemons",
        ("--p2p", "--tunnelled"),
        peer2peer=True,
    ),
    _Move(
        "peer-to-peer with the client connected to both",
        ("--scenario", "native-p2p-client"),
        peer2peer=True,
    ),
    _Move(
        "the same, tunnelled",
        ("--scenario", "tunnelled-p2p-client"),
        peer2peer=True,
    ),
)


def demo(output: Output, *, privileged: bool = False) -> int:
    """Bring up a lab of its own, move a guest in five ways, and end the lab; the exit status."""
    output.text(output.style("Two real libvirtd hosts on this machine", "bold"))
    lab = Lab.up(f"demo-{os.getpid()}", privileged=privileged, owner=os.getpid())
    try:
        return _show(lab, output)
    finally:
        lab.down()
        output.text("The lab is down; nothing of it is left.")


def _show(lab: Lab, output: Output) -> int:
    names = {}
    for host in lab.hosts:
        names[f"${host.name.upper()}"] = host.uri
        names[f"${host.name.upper()}_FROM_PEERS"] = host.peer_uri
    for name, uri in names.items():
        output.text(f"  {name[1:]}='{uri}'")
    guest = lab.guest("web1", dirty=_DIRTY, persistent=True)
    output.text("A persistent guest, web1, runs on alpha and counts on its serial port.")
    source, destination = lab.hosts
    plan = ["plan", "web1", *_uris(_MOVES[0], destination), "-c", _name(source), "--live"]
    for command in (["matrix"], plan):
        if status := _type(command, names, output):
            return status
    for number, move in enumerate(_MOVES, start=1):
        output.text()
        output.text(output.style(f"{number} of {len(_MOVES)}: {move.title}", "bold"))
        command = ["migrate", "web1", *_uris(move, destination), "-c", _name(source), *move.flags]
        command += ["--live", "--persistent", "--undefinesource"]
        if status := _type(command, names, output):
            return status
        source, destination = destination, source
    output.text()
    _prove(guest, source, destination, output)
    return 0


def _name(host: Host) -> str:
    return f"${host.name.upper()}"


def _uris(move: _Move, destination: Host) -> list[str]:
    """Give the second URI, and in peer-to-peer the destination as the source opens it."""
    name = _name(destination)
    return [name, f"{name}_FROM_PEERS"] if move.peer2peer else [name]


def _type(command: list[str], names: dict[str, str], output: Output) -> int:
    """Show a command as a person would type it, and run it."""
    shown = (f'"{word}"' if word in names else word for word in command)
    output.text()
    output.text(output.style(f"$ migrate-plugins {' '.join(shown)}", "blue"))
    return main([names.get(word, word) for word in command], stdout=output.stream)


def _prove(guest: Guest, host: Host, other: Host, output: Output) -> None:
    """Show where the guest is, what became of its configuration, and that it never stopped."""
    guest.wait_for_ticks()
    life = guest.continuity()
    output.text(output.style(f"web1 runs on {host.name} now", "green"))
    for each in (host, other):
        stored = each.virsh("list", "--all", "--persistent", "--name").split()
        output.text(f"  configurations stored on {each.name}: {', '.join(stored) or 'none'}")
    output.text(f"  {life.ticks} counts in one life, {len(life.breaks)} missing or repeated")
