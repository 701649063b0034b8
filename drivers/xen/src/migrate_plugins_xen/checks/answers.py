"""What the plan could only suppose of the source, and the source has told.  Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import Finding, Flow, Revision, Severity
from migrate_plugins_xen.commands import xl
from migrate_plugins_xen.inspection import Kind, Toolstack
from migrate_plugins_xen.receiver import LIBXL_PORTS
from migrate_plugins_xen.uris import target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Facts, Plan
    from migrate_plugins_xen.inspection import Inspection

__all__ = ["answer"]


def answer(plan: Plan, facts: Facts, inspection: Inspection) -> Iterator[Finding]:
    """Give what takes the place of findings of the plan: they have the same ids."""
    host, toolstack = facts.source.name, inspection.source
    if inspection.definition is not None and inspection.definition.kind is not None:
        yield _kind(plan, host, inspection.definition.kind)
    if toolstack is None:
        return
    if plan.scenario.flow is Flow.UNMANAGED_DIRECT:
        yield _handed_over(plan, host, toolstack)
    elif plan.request.revision is Revision.ORIGINAL:
        yield _rules(host, toolstack)


def _kind(plan: Plan, host: str, kind: Kind) -> Finding:
    told = f"{plan.guest} is a {kind.upper()} guest"
    if kind is not Kind.PV:
        told += ", which can move live"
    return Finding("guest-kind", Severity.INFO, host, told, seen=str(kind))


def _handed_over(plan: Plan, host: str, toolstack: Toolstack) -> Finding:
    command = xl("migrate", plan.guest, target(plan).host or "")
    told = {
        Toolstack.XEND: f"libvirt drives xend on {host}, and moves the guest by its own call",
        Toolstack.LIBXL: f"libvirt drives libxl on {host}, and refuses unmanaged direct migration:"
        f" the driver runs {command} there, always live",
    }
    return Finding("handed-to-xl", Severity.INFO, host, told[toolstack], seen=str(toolstack))


def _rules(host: str, toolstack: Toolstack) -> Finding:
    if toolstack is Toolstack.XEND:
        told = f"libvirt drives xend on {host}, as the plan says"
        return Finding("xend-gone", Severity.INFO, host, told, seen=str(toolstack))
    first, last = LIBXL_PORTS
    return Finding(
        "xend-gone",
        Severity.WARNING,
        host,
        f"libvirt drives libxl on {host}, which does it by its own rules and not by those of xend"
        f" that the plan shows: its port is one of {first}-{last}, and where the client crashes the"
        " guest stands still on both hosts",
        seen=str(toolstack),
        expected="revision current, which plans for libxl",
        remedy="--revision current",
    )
