"""The names that hosts go by in URIs, and what libvirt makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import ConnectionURI, Finding, Flow, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Facts, Plan

__all__ = ["check_names"]


def check_names(plan: Plan, facts: Facts) -> Sequence[Finding]:
    """Give them all."""
    findings = []
    second = plan.uris.destination.value
    if plan.scenario.flow is Flow.MANAGED_PEER2PEER and second is not None:
        uri = ConnectionURI.parse(second)
        # libvirt reads no host in qemu+tls:/host/system either, as the document writes it.
        if uri.host is None or uri.slashes == "/":
            findings.append(
                Finding(
                    "peer2peer-uri-local",
                    Severity.ERROR,
                    facts.source.name,
                    "the source opens the second URI, which has no host: it means its own machine",
                    seen=second,
                    expected="a URI that names the destination as the source reaches it",
                    remedy=f"write {uri._replace(slashes='//')}"
                    if uri.host
                    else "add that URI as the last argument:"
                    f" qemu+ssh://DESTINATION{uri.path or '/system'}",
                )
            )
    if facts.destination is not None and facts.destination.name.startswith("localhost"):
        migration = plan.uris.migration.value
        if migration is None and plan.port.first is not None:
            findings.append(
                Finding(
                    "destination-name-localhost",
                    Severity.ERROR,
                    facts.destination.name,
                    "the destination calls itself localhost, so that libvirt cannot make a"
                    " migration URI from its name",
                    seen=facts.destination.name,
                    expected="a name that the source resolves to the destination",
                    remedy="hostnamectl set-hostname NAME on the destination, or give the"
                    " migration URI: tcp://ADDRESS/",
                )
            )
    return findings
