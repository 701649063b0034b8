"""How much of a guest has been sent: what the kernel knows of the connection; pure.

VirtualBox tells no bytes, and its own figure stands at nothing until nearly all is done.
"""

from __future__ import annotations

import re
import shlex
from typing import Final, NamedTuple

__all__ = ["Wire", "looking", "read_wire"]

# Between what several programs print.
_BETWEEN: Final = "--"
_SCRIPT: Final = """\
PATH=$PATH:/usr/sbin:/sbin
getent ahosts {host} 2>/dev/null | while read -r address _; do echo "$address"; done
echo --
ss -tinHO 'dport = :{port}' 2>/dev/null
echo --
tail -c 200 {said} 2>/dev/null
exit 0
"""
# How ss spells an address and a port: [::ffff:10.0.0.2]:49300, 10.0.0.2:49300, [fe80::1]%eth0:1.
_PEER: Final = re.compile(r"\[?([0-9A-Fa-f.:]+)\]?(?:%[^:\s]+)?:([0-9]+)", re.ASCII)
_PEER_AT: Final = 4
_COUNT: Final = re.compile(r"\b(bytes_acked|bytes_sent|bytes_retrans):([0-9]+)", re.ASCII)
_PERCENT: Final = re.compile(r"([0-9]{1,3})%", re.ASCII)
_MAPPED: Final = "::ffff:"


class Wire(NamedTuple):
    """What is seen of a teleportation from its source.

    Attributes:
        transferred: Bytes that the other side has acknowledged, or None where no connection is
            seen, or ``ss`` is missing.
        percent: What VBoxManage printed last, or None.
    """

    transferred: int | None = None
    percent: float | None = None


def looking(host: str, port: int, said: str) -> str:
    """Write the script that looks.

    Args:
        host: To which the guest is sent, a name or an address.
        port: Likewise.
        said: Path of the file with what VBoxManage says as it goes.
    """
    return _SCRIPT.format(host=shlex.quote(host), port=port, said=shlex.quote(said))


def read_wire(text: str, port: int) -> Wire:
    """Read what the script of :func:`looking` printed.

    Seen with iproute2 6.x: each connection in one line, the peer in the fifth column.
    """
    parts: list[list[str]] = [[]]
    for line in text.splitlines():
        if line == _BETWEEN and len(parts) < len(Wire._fields) + 1:
            parts.append([])
        else:
            parts[-1].append(line)
    addresses, connections, said = (*parts, [], [])[:3]
    wanted = {_plain(address.strip()) for address in addresses if address.strip()}
    sent = [count for line in connections if (count := _sent(line, wanted, port)) is not None]
    told = _PERCENT.findall(" ".join(said))
    return Wire(max(sent, default=None), float(told[-1]) if told else None)


def _sent(line: str, wanted: set[str], port: int) -> int | None:
    """Give the bytes of one connection, or None where it leads elsewhere or tells none."""
    columns = line.split()
    peer = _PEER.fullmatch(columns[_PEER_AT]) if len(columns) > _PEER_AT else None
    if peer is None or int(peer[2]) != port or (wanted and _plain(peer[1]) not in wanted):
        return None
    counts = {name: int(number) for name, number in _COUNT.findall(line)}
    if "bytes_acked" in counts:
        return counts["bytes_acked"]
    if "bytes_sent" in counts:
        return counts["bytes_sent"] - counts.get("bytes_retrans", 0)
    # The kernel leaves out what is nothing.
    return 0 if "mss:" in line else None


def _plain(address: str) -> str:
    """Spell an address one way."""
    lower = address.lower()
    return lower.removeprefix(_MAPPED) if "." in lower else lower
