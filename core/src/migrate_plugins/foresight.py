"""What a plan shows before anybody looks at a host: the findings that need none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins.document import DISPUTED, After, Before
from migrate_plugins.findings import Finding, Severity
from migrate_plugins.model import Revision, Seat, Transport
from migrate_plugins.options import SPELLING
from migrate_plugins.uris import ConnectionURI

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins.driver import Driver
    from migrate_plugins.plan import Plan

__all__ = ["foresee"]


def foresee(plan: Plan, driver: Driver) -> tuple[Finding, ...]:
    """Give what can be said of *plan* by itself."""
    findings = []
    if plan.data.encrypted is False and not plan.request.offline:
        findings.append(_plain_text(plan, driver))
    findings += _plain_control(plan)
    live = plan.request.live or driver.terms(plan.request.revision, plan.scenario_id).always_live
    if not live and not plan.request.offline:
        findings.append(
            Finding(
                "guest-paused-meanwhile",
                Severity.INFO,
                None,
                "the guest stands still while its memory is copied",
                remedy="--live",
            )
        )
    if plan.request.xml and plan.request.persistent and not plan.request.persistent_xml:
        findings.append(
            Finding(
                "persistent-xml-missing",
                Severity.WARNING,
                None,
                "--xml changes the guest that runs; what --persistent stores on the destination is"
                " the guest's own definition, without that change",
                seen="--xml and --persistent",
                expected="--persistent-xml too",
                remedy="--persistent-xml FILE",
            )
        )
    for uri in (plan.uris.destination, plan.uris.destination_from_client):
        if uri.value is not None and ":/" in uri.value and "://" not in uri.value:
            findings += _host_in_path(uri.value, uri.seen_from)
    findings += _revisions_disagree(plan, driver)
    if plan.before is not None:
        findings += _risks(plan, plan.before)
    return tuple(dict.fromkeys(findings))


def _plain_text(plan: Plan, driver: Driver) -> Finding:
    text = "the guest's memory crosses the network in plain text"
    if plan.scenario.transport is Transport.NATIVE and any(leg.encrypted for leg in plan.control):
        text += ": the control channel is encrypted, and the memory does not travel in it"
    return Finding(
        "data-plain-text",
        Severity.WARNING,
        None,
        text,
        seen=plan.data.protocol,
        expected="encryption, or a network of its own",
        remedy=", or ".join(_ways_to_encrypt(plan, driver)),
    )


def _plain_control(plan: Plan) -> Iterator[Finding]:
    """Name each leg of the control path that can be read on the way, and changed there."""
    for leg in plan.control:
        # Where the hypervisor controls the migration, control and memory share one path.
        if leg.encrypted is False and leg.protocol != plan.data.protocol:
            yield Finding(
                "control-plain-text",
                Severity.WARNING,
                leg.target.value,
                f"the {leg.origin} controls the {leg.target} in plain text: whoever is on the way"
                " can read that, and take part",
                seen=leg.protocol,
                expected="libvirt RPC over tls or ssh",
                remedy=f"write +ssh or +tls in the URI with which the {leg.origin} opens the"
                f" {leg.target}",
            )


def _ways_to_encrypt(plan: Plan, driver: Driver) -> Iterator[str]:
    """Name what this driver offers against it, as it is typed."""
    revision = plan.request.revision
    if plan.scenario.transport is Transport.TUNNELLED:
        yield "a connection of the two daemons over tls or ssh"
        return
    for candidate in sorted(Revision, key=lambda each: each is not revision):
        option = driver.terms(candidate, plan.scenario_id).encrypting_option
        offer = driver.capabilities(candidate).offers.get(plan.scenario_id)
        if option is not None and offer is not None and option in offer.options:
            yield SPELLING[option] + ("" if candidate is revision else f" --revision {candidate}")
            break
    if "tunnelled-p2p" in driver.capabilities(revision).offers:
        yield "--p2p --tunnelled over tls or ssh"
    by_hand = driver.terms(revision, plan.scenario_id).encrypting_by_hand
    if by_hand:
        yield by_hand
    yield "a network of its own"


def _host_in_path(text: str, seen_from: Seat) -> list[Finding]:
    uri = ConnectionURI.parse(text)
    if uri.host is None:
        return []
    return [
        Finding(
            "host-in-path",
            Severity.WARNING,
            seen_from.value,
            f"libvirt reads no host in {text}, as the migration document writes it",
            seen=text,
            expected=str(uri._replace(slashes="//")),
            remedy=f"write {uri._replace(slashes='//')}",
        )
    ]


def _revisions_disagree(plan: Plan, driver: Driver) -> list[Finding]:
    """Announce the row of the table in which the two editions differ, while it is open."""
    undefine, persist = plan.request.undefine_source, plan.request.persistent
    if plan.own_configuration is not None:
        return []
    offer = driver.capabilities(plan.request.revision).offers.get(plan.scenario_id)
    replaced = offer is not None and "persistent" in offer.options
    return [
        Finding(
            "revisions-disagree",
            Severity.INFO,
            None,
            "a transient guest whose old configuration is on the destination: the original"
            f" document expects {_said(original.after)}; libvirt as it is today gives"
            f" {_said(current.after)}, with the old definition",
            expected=_said(
                (original if plan.request.revision is Revision.ORIGINAL else current).after
            ),
            remedy="remove the old configuration on the destination"
            + (", or replace it: --persistent" if replaced else ""),
        )
        for original, current in DISPUTED
        if original.undefine_source == undefine
        and original.persist == persist
        and plan.before in {None, original.before}
    ]


def _risks(plan: Plan, before: Before) -> list[Finding]:
    """Name what the configuration files will allow afterwards that nobody may want."""
    then = plan.configuration.after
    findings = []
    if then is not None and then.source_config and then.destination_config:
        findings.append(
            Finding(
                "configuration-on-both",
                Severity.WARNING,
                None,
                "afterwards both hosts have a configuration of the guest: it could be started on"
                " both",
                remedy="--undefinesource",
            )
        )
    if (
        then is not None
        and before.persistent
        and not (then.source_config or then.destination_config)
    ):
        findings.append(
            Finding(
                "configuration-on-none",
                Severity.WARNING,
                None,
                "afterwards no host has a configuration of the guest: it is gone when it stops",
                remedy="--persistent",
            )
        )
    return findings


def _said(after: After) -> str:
    kind = "a persistent guest" if after.persistent else "a transient guest"
    return (
        f"{kind} and {'a' if after.destination_config else 'no'} configuration on the destination"
    )
