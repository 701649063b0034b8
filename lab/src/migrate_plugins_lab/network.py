"""The lab's network: one switch in the lab's namespace, one cable to each host.

Pure: these are the commands for ``ip -batch -`` and ``nft -f -``.  Every lab uses the same
addresses, since each has a network namespace of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SWITCH: Final = "switch"
INTERFACE: Final = "eth0"
_TABLE: Final = "inet lab"


def address(index: int) -> str:
    """The address of the host with this place in the list, counted from 0."""
    return f"10.78.0.{index + 1}"


def bridge() -> list[str]:
    """Make the switch alone."""
    return [
        "link set lo up",
        f"link add {SWITCH} type bridge",
        f"link set {SWITCH} up",
    ]


def switch(holders: Mapping[str, int]) -> str:
    """Make the switch and plug in every host; the cable's other end lies in its namespace."""
    lines = bridge()
    for host, holder in holders.items():
        lines += [
            f"link add {host} type veth peer name {INTERFACE} netns {holder}",
            f"link set {host} master {SWITCH} up",
        ]
    return "\n".join(lines)


def interface(own_address: str) -> str:
    """Bring up a host's end of the cable."""
    return "\n".join(
        [
            "link set lo up",
            f"address add {own_address}/24 dev {INTERFACE}",
            f"link set {INTERFACE} up",
        ]
    )


def names(addresses: Mapping[str, str]) -> str:
    """An ``/etc/hosts`` that names every host."""
    lines = ["127.0.0.1 localhost", *(f"{ip} {host}" for host, ip in addresses.items())]
    return "".join(f"{line}\n" for line in lines)


def block(ports: str) -> str:
    """Answer connections to *ports*, ``A`` or ``A-B``, as a firewall does that rejects."""
    return "\n".join(
        [
            f"add table {_TABLE}",
            f"add chain {_TABLE} input {{ type filter hook input priority 0; }}",
            f"add rule {_TABLE} input tcp dport {ports} reject with tcp reset",
        ]
    )


def unblock() -> str:
    """Undo every :func:`block`; adding first makes deleting work when there is none."""
    return f"add table {_TABLE}\ndelete table {_TABLE}"
