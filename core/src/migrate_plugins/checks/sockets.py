"""What programs on a host print of its addresses, names and listening sockets; pure."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from migrate_plugins.checks.probe import NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ADDRESSES",
    "LISTENERS",
    "is_address",
    "is_loopback",
    "plain",
    "read_addresses",
    "read_listeners",
    "read_names",
]

ADDRESSES: Final = ("ip", "-json", "address")
LISTENERS: Final = ("ss", "-Hltnp")

# users:(("qemu-system-x86",pid=812,fd=11)), where whoever asks may know.
_HOLDER: Final = re.compile(r'users:\(\("([^"]+)",pid=(\d+)')
# Columns of ss: state, two queues, own address and port, the peer's, who holds it.
_OWN: Final = 3


def read_addresses(output: str) -> frozenset[str]:
    """Read the addresses of a host from what ``ip -json address`` prints.

    Raises:
        ValueError: It is something else.
    """
    from json import loads  # noqa: PLC0415 - few checks ask

    try:
        return frozenset(
            plain(entry["local"])
            for link in loads(output)
            for entry in link.get("addr_info", [])
            if "local" in entry
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"ip printed no list of links: {error}") from error


def read_names(output: str) -> tuple[str, ...]:
    """Read the addresses of a name, each once, from what ``getent ahosts`` prints."""
    found = (line.split() for line in output.splitlines())
    return tuple(dict.fromkeys(plain(words[0]) for words in found if words))


def read_listeners(output: str) -> Mapping[int, str | None]:
    """Read which ports are listened on, and by whom, from what ``ss -Hltnp`` prints.

    What a check listens with itself is left out: it is gone in a moment.

    Returns:
        By port who holds it, or None where that is not told.
    """
    listeners: dict[int, str | None] = {}
    for line in output.splitlines():
        words = line.split()
        if len(words) <= _OWN:
            continue
        with suppress(ValueError):
            port = int(words[_OWN].rpartition(":")[2])
            holder = _HOLDER.search(line)
            if holder and holder[1] == NAME:
                continue
            told = f"{holder[1]}, process {holder[2]}" if holder else None
            listeners[port] = listeners.get(port) or told
    return listeners


def plain(address: str) -> str:
    """Spell an address one way: an IPv4 one within IPv6 as itself, without a zone."""
    from ipaddress import IPv6Address, ip_address  # noqa: PLC0415 - few checks ask

    bare = address.partition("%")[0]
    try:
        read = ip_address(bare)
    except ValueError:
        return bare
    if isinstance(read, IPv6Address) and read.ipv4_mapped is not None:
        read = read.ipv4_mapped
    return str(read)


def is_address(host: str) -> bool:
    """Whether *host* is an address, rather than a name."""
    from ipaddress import ip_address  # noqa: PLC0415 - few checks ask

    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def is_loopback(address: str) -> bool:
    """Whether an address leads to whoever asks."""
    from ipaddress import ip_address  # noqa: PLC0415 - few checks ask

    return is_address(address) and ip_address(plain(address)).is_loopback
