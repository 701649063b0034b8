"""IP networks as settings name them, and whether a host lies in one."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Network", "lies_in", "listing", "read_networks"]

Network: TypeAlias = IPv4Network | IPv6Network


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read networks in CIDR form; raises ValueError with all that are none."""
    networks, faults = [], []
    for text in texts:
        try:
            networks.append(ip_network(text))
        except ValueError as error:
            faults.append(str(error))
    if faults:
        told = "; ".join(faults)
        raise ValueError(f"networks are written as 192.0.2.0/24 or 2001:db8::/64: {told}")
    return tuple(networks)


def lies_in(networks: Iterable[Network], host: str | None) -> bool | None:
    """Whether *host* is an address in one of *networks*; None where it is a name, or not known."""
    try:
        address = ip_address((host or "").partition("%")[0])
    except ValueError:
        return None
    return any(address in network for network in networks)


def listing(networks: Iterable[Network]) -> str:
    """Name networks in a sentence."""
    return ", ".join(map(str, networks))
