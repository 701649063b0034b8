"""What a plan for a teleportation shows by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, FindingKind, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Plan

__all__ = ["KINDS", "foresee", "is_loopback"]

KINDS: Final = (
    FindingKind(
        "configuration-registered",
        Severity.INFO,
        "how the plan's row of the configuration table is carried out: registered, or unregistered",
    ),
    FindingKind("password-replayable", Severity.WARNING, "who hears the password can use it"),
    FindingKind("teleporter-stays-on", Severity.INFO, "until the guest is shut off there"),
    FindingKind("tunnel-needed", Severity.INFO, "the memory goes to a tunnel that nobody checked"),
)

_LOOPBACK: Final = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")


def is_loopback(host: str | None) -> bool:
    """Whether who sends to *host* sends to itself: into a tunnel."""
    return host is not None and _LOOPBACK.fullmatch(host) is not None


def foresee(plan: Plan) -> Iterator[Finding]:
    """Give what the plan alone shows."""
    there = plan.uris.destination.value
    target = plan.destination_name
    yield _configuration(plan)
    if is_loopback(plan.receiver):
        yield Finding(
            "tunnel-needed",
            Severity.INFO,
            plan.uris.source.value,
            f"the source sends the memory to itself, {plan.receiver}: whatever listens there has to"
            " carry it to the destination",
            expected="a tunnel that is open until the guest has arrived",
            remedy=_tunnel(plan),
        )
    else:
        yield Finding(
            "password-replayable",
            Severity.WARNING,
            there,
            "the password of the teleporter crosses the network as a hash in plain text: whoever"
            " hears it can send a guest too, until the teleporter has taken one",
            expected="a tunnel between the two hosts",
            remedy=_tunnel(plan),
        )
    yield Finding(
        "teleporter-stays-on",
        Severity.INFO,
        there,
        f"the teleporter of {target} stays on there as long as it runs, since VirtualBox changes no"
        " running machine; left on, the next start would wait five minutes for a guest, and fail",
        remedy=f"once {target} is shut off: migrate-plugins reconcile --apply, or VBoxManage"
        f" modifyvm {target} --teleporter off",
    )


def _tunnel(plan: Plan) -> str:
    port = plan.port.value or plan.port.first
    return (
        f"on the source: ssh -N -L {port}:127.0.0.1:{port} DESTINATION; and"
        f" --migrateuri vboxmigr://127.0.0.1:{port}/ --listen-address 127.0.0.1"
    )


def _configuration(plan: Plan) -> Finding:
    """Say what becomes of both registrations, as far as the flags decide it."""
    guest, target = plan.guest, plan.destination_name
    outcomes = {row.after.destination_config for row in plan.configuration.rows}
    source = (
        f"{guest} is unregistered on the source (unregistervm without --delete: no file goes)"
        if plan.request.undefine_source
        else f"{guest} stays registered on the source"
    )
    marked = "is marked (extra data migrate-plugins/transient) and unregistered once it is shut off"
    if outcomes == {True}:
        destination = f"{target} stays registered on the destination"
    elif outcomes == {False}:
        destination = f"{target} {marked}"
    else:
        destination = (
            f"{target} stays registered on the destination if it was before, or else {marked}"
        )
    return Finding(
        "configuration-registered",
        Severity.INFO,
        plan.uris.destination.value,
        f"VirtualBox registers machines: afterwards {source}, and {destination}",
        remedy="--persistent keeps it registered on the destination"
        if False in outcomes
        else "--undefinesource unregisters it on the source"
        if not plan.request.undefine_source
        else f"to have it on the source again: VBoxManage registervm {guest}.vbox",
    )
