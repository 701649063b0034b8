"""Whether a guest's memory fits on the destination.  Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import GuestFacts
    from migrate_plugins_xen.inspection import Memory

__all__ = ["check_memory"]


def check_memory(guest: GuestFacts, host: str, memory: Memory) -> Iterator[Finding]:
    """Find that *host* has too little memory for *guest*, or that too little of it is free."""
    if guest.memory <= memory.free:
        return
    sure = memory.total is not None and guest.memory > memory.total
    yield Finding(
        "destination-memory-short",
        Severity.ERROR if sure else Severity.WARNING,
        host,
        f"{host} has less memory than {guest.name}"
        if sure
        else f"{guest.name} has more memory than is free on {host}: it fits only where Domain-0"
        " gives some of its own",
        seen=f"{_mib(memory.free)} free"
        + ("" if memory.total is None else f" of {_mib(memory.total)}"),
        expected=f"{_mib(guest.memory)} free",
        remedy=f"on {host}: xl list, and shut a guest off, or xl mem-set Domain-0 SIZE",
    )


def _mib(kibibytes: int) -> str:
    return f"{kibibytes // 1024} MiB"
