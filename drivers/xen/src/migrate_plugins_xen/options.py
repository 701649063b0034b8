"""What can be asked of a Xen migration that libvirt's options have no words for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import DriverOption, Flow, Kind, Reason, Revision
from migrate_plugins_xen.commands import is_plain, target

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
        "seconds after which the migration is stopped, or where nothing stops it no longer waited"
        f" for, {LIMIT} if it is not given",
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
    if plan.uris.migration.value is not None:
        yield from _unreadable(plan)
    for text in plan.own.get("timeout", ()):
        if text.isdecimal() and int(text) > _LONGEST:
            told = f"-o timeout={text} is too long"
            instead = f"a month is the longest: give at most {_LONGEST}"
            yield Reason("own-option-value", told, instead, usage=True)


def _unreadable(plan: Plan) -> Iterator[Reason]:
    """Find what whoever moves the guest cannot take from the migration URI."""
    uri, text = target(plan), plan.uris.migration.value
    scheme = None if uri.scheme is None else uri.scheme.lower()
    if plan.scenario.flow is not Flow.UNMANAGED_DIRECT:
        if scheme == "xenmigr" and plan.request.revision is Revision.CURRENT:
            told = f"libxl cannot read {text!r}: xenmigr:// is xend's"
            instead = "give tcp://HOST[:PORT] or HOST[:PORT]; xenmigr:// goes with --direct, and"
            yield Reason("xenmigr-scheme", told, f"{instead} with --revision original", usage=True)
        return
    if scheme == "tcp":
        told = f"{text!r} is a migration URI of libxl, which libvirt never leaves a move to"
        instead = "give xenmigr://HOST/ or HOST; tcp:// goes without --direct"
        yield Reason("tcp-scheme", told, instead, usage=True)
    if uri.user is not None:
        told = f"{text!r} names a user, and xl migrate arrives as root"
        yield Reason("xl-user", told, "leave the user out: xenmigr://HOST/", usage=True)
    if uri.host is not None and not is_plain(uri.host):
        dash = uri.host.startswith("-")
        told = f"the host of {text!r} " + (
            "begins with a dash, as options do"
            if dash
            else "has characters that a shell would read"
        )
        yield Reason("xl-host", told, "a name or an address: xl has a shell start ssh", usage=True)
