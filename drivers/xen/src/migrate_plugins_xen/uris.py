"""The migration URI: what xend, libxl and xl each make of it.

xend's rules are those of libvirt's driver for it (``src/xen``, in libvirt up to 4.2): with ``//`` a
URI, whose scheme, if it has one, is ``xenmigr``; without them the last colon parts host and port.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from migrate_plugins import Flow, InvalidURIError, MigrationURI, Reason, Revision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Plan

__all__ = ["SCHEMES", "for_xend", "read", "refusals", "target"]

SCHEMES: Final = {Revision.ORIGINAL: ("xenmigr",), Revision.CURRENT: ("tcp",)}

_XENMIGR: Final = "xenmigr"
_TCP: Final = "tcp"
# xl has a shell start ssh, with the host among its words.
_PLAIN: Final = re.compile(r"[0-9A-Za-z_:.][-0-9A-Za-z_:.%]*")


def read(text: str, revision: Revision) -> MigrationURI:
    """Read a migration URI; which of the two schemes fits is decided with the whole plan.

    Raises:
        InvalidURIError: With the part that is wrong and what would work.
    """
    hint = _forms(revision)
    try:
        uri = _parse(text, revision)
    except InvalidURIError as error:
        raise InvalidURIError(text, part=error.part, hint=hint) from None
    scheme = None if uri.scheme is None else uri.scheme.lower()
    if scheme == _TCP and revision is Revision.ORIGINAL:
        hint += f"; {_TCP}:// goes with --revision {Revision.CURRENT}, without --direct"
    if scheme not in {None, _XENMIGR, *SCHEMES[revision]}:
        part = f"its scheme is {uri.scheme!r}"
        if not uri.slashes and scheme != _TCP:
            part = f"{uri.scheme!r} is no scheme, or {text.partition(':')[2]!r} no port"
        raise InvalidURIError(text, part=part, hint=hint)
    if scheme == _TCP and not uri.slashes:
        raise InvalidURIError(text, part="// is missing behind its scheme", hint=hint)
    if uri.host is None:
        raise InvalidURIError(text, part="it names no host", hint=hint)
    return uri


def target(plan: Plan) -> MigrationURI:
    """Give what the third URI says, of which xl is told the host."""
    return _parse(plan.uris.migration.value or "", plan.request.revision)


def for_xend(plan: Plan) -> Plan:
    """Write the third URI so that libvirt's driver for xend can read it.

    ``xenmigr:HOST``, as the document has it, it takes for a host of that name and a port.
    """
    text = plan.uris.migration.value
    if text is None:
        return plan
    uri = target(plan)
    if uri.scheme is None or uri.slashes:
        return plan
    value = str(uri._replace(slashes="//"))
    uris = plan.uris._replace(migration=plan.uris.migration._replace(value=value))
    return plan._replace(uris=uris)


def refusals(plan: Plan) -> Iterator[Reason]:
    """Find what whoever moves the guest cannot take from the migration URI."""
    text = plan.uris.migration.value
    if text is None:
        return
    uri = target(plan)
    scheme = None if uri.scheme is None else uri.scheme.lower()
    if plan.scenario.flow is not Flow.UNMANAGED_DIRECT:
        if scheme == _XENMIGR and plan.request.revision is Revision.CURRENT:
            told = f"libxl cannot read {text!r}: xenmigr:// is xend's"
            instead = "give tcp://HOST[:PORT] or HOST[:PORT]; xenmigr:// goes with --direct, and"
            yield Reason("xenmigr-scheme", told, f"{instead} with --revision original", usage=True)
        return
    if scheme == _TCP:
        told = f"{text!r} is a migration URI of libxl, which libvirt never leaves a move to"
        instead = "give xenmigr://HOST/ or HOST; tcp:// goes without --direct"
        yield Reason("tcp-scheme", told, instead, usage=True)
    if uri.user is not None:
        told = f"{text!r} names a user, and xl migrate arrives as root"
        yield Reason("xl-user", told, "leave the user out: xenmigr://HOST/", usage=True)
    if uri.host is not None and _PLAIN.fullmatch(uri.host) is None:
        dash = uri.host.startswith("-")
        told = f"the host of {text!r} " + (
            "begins with a dash, as options do"
            if dash
            else "has characters that a shell would read"
        )
        yield Reason("xl-host", told, "a name or an address: xl has a shell start ssh", usage=True)


def _parse(text: str, revision: Revision) -> MigrationURI:
    if revision is Revision.ORIGINAL and text.startswith("//"):
        # With slashes and no scheme: xend reads it as its own.
        return MigrationURI.parse(f"{_XENMIGR}:{text}")._replace(scheme=None)
    return MigrationURI.parse(text)


def _forms(revision: Revision) -> str:
    if revision is Revision.ORIGINAL:
        return "xend takes xenmigr://HOST[:PORT], xenmigr:HOST[:PORT] or HOST[:PORT]"
    return "libxl takes tcp://HOST[:PORT] or HOST[:PORT]"
