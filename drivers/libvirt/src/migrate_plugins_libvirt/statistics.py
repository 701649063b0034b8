"""libvirt's job statistics as ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import Statistics

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["read_statistics"]


def read_statistics(job: Mapping[str, int], *, postcopy: bool = False) -> Statistics | None:
    """Read what ``virDomainGetJobStats`` gives; a figure that is not there is None.

    None while there is nothing to tell: before the first byte libvirt counts zero of zero.

    Bytes throughout, but for ``memory_dirty_rate``, which libvirt counts in pages a second.
    """
    if not job.get("data_total"):
        return None
    pages, page = job.get("memory_dirty_rate"), job.get("memory_page_size")
    rates = [job[key] for key in ("memory_bps", "disk_bps") if key in job]
    return Statistics(
        transferred=job.get("data_processed"),
        remaining=job.get("data_remaining"),
        total=job.get("data_total"),
        rate=sum(rates) if rates else None,
        dirty_rate=None if pages is None or page is None else pages * page,
        iteration=job.get("memory_iteration"),
        downtime=job.get("downtime"),
        postcopy=postcopy,
    )
