"""The resource pool that takes the guest, and the memory that there is for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins_vmware.checks.case import Case

__all__ = ["check_resources"]

_MIB: Final = 1 << 20


def check_resources(case: Case) -> Iterator[Finding]:
    """Look at pool and memory."""
    yield from _pool(case)
    yield from _memory(case)


def _pool(case: Case) -> Iterator[Finding]:
    pool, host, guest = case.reading.target.pool, case.destination, case.guest
    if pool is None:
        return
    if pool.compute is not None and host.compute is not None and pool.compute != host.compute:
        where = case.reading.compute or "its cluster"
        yield Finding(
            "pool-elsewhere",
            Severity.ERROR,
            host.name,
            f"the resource pool {pool.name} does not belong to {where}, as {host.name} does",
            seen=pool.name,
            expected=f"a pool of {where}",
            remedy="leave the pool out: the root pool there is taken; or govc find / -type p",
        )
    elif pool.unreserved is not None and (guest.memory_reserved or 0) > pool.unreserved:
        yield Finding(
            "pool-memory-short",
            case.blocking,
            host.name,
            f"the guest has more memory reserved than the pool {pool.name} can still give",
            seen=f"{pool.unreserved} MiB",
            expected=f"{guest.memory_reserved} MiB",
            remedy=case.govc("vm.change", "-vm", guest.name, "-mem.reservation", "MIB"),
        )


def _memory(case: Case) -> Iterator[Finding]:
    """Compare sizes; what ESXi has given away it can take back, so that is no error."""
    guest, host = case.guest, case.destination
    if guest.memory is None or host.memory is None:
        return
    total = host.memory // _MIB
    free = total - (host.memory_used or 0)
    if guest.memory > total:
        severity, text = case.blocking, f"{host.name} has less memory than the guest"
    elif case.live and host.memory_used is not None and guest.memory > free:
        severity, text = Severity.WARNING, f"{host.name} has less memory free than the guest has"
    else:
        return
    yield Finding(
        "host-memory-short",
        severity,
        host.name,
        text,
        seen=f"{total} MiB, {max(free, 0)} MiB free",
        expected=f"{guest.memory} MiB",
        remedy=case.govc_there("host.info", host.name),
    )
