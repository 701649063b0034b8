"""What can be asked of a Xen migration that libvirt's options have no words for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import DriverOption, Kind, Reason
from migrate_plugins_xen import uris

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Plan

__all__ = ["LIMIT", "OPTIONS", "limit", "refusals"]

# Seconds for the whole of it, where nothing else is asked for: libxl has no limit of its own.
LIMIT: Final = 30 * 60
# Seconds; what may take longer than a month has no limit.
_LONGEST: Final = 31 * 24 * 3600

OPTIONS: Final = (
    DriverOption(
        "timeout",
        "seconds after which the migration is stopped; one that nothing stops is no longer waited"
        f" for, unless this process has to finish it; {LIMIT} if it is not given",
        metavar="SECONDS",
        kind=Kind.NUMBER,
    ),
)


def limit(plan: Plan) -> int:
    """Give the seconds for the whole of a plan that was not refused."""
    (given,) = plan.own.get("timeout", (str(LIMIT),))
    return int(given)


def refusals(plan: Plan) -> Iterator[Reason]:
    """Give every reason why *plan* cannot be carried out, beyond what the core sees."""
    yield from uris.refusals(plan)
    for text in plan.own.get("timeout", ()):
        if text.isdecimal() and int(text) > _LONGEST:
            told = f"-o timeout={text} is too long"
            instead = f"a month is the longest: give at most {_LONGEST}"
            yield Reason("own-option-value", told, instead, usage=True)
