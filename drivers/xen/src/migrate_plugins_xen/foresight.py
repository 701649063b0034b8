"""What a plan for Xen shows by itself, of what libvirt's two drivers for it do.

Where a sentence tells what happened, it happened between two hosts of Xen 4.17 and libvirt 9.0.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import Finding, FindingKind, Flow, Revision, Severity
from migrate_plugins_xen.commands import INSTEAD, meaningless, xl
from migrate_plugins_xen.receiver import LIBXL_PORTS
from migrate_plugins_xen.uris import for_xend, target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Plan

__all__ = ["KINDS", "foresee"]

KINDS: Final = (
    FindingKind("handed-to-xl", Severity.INFO, "who moves the guest, of two, and why"),
    FindingKind("libvirt-loses-sight", Severity.WARNING, "libvirt will not list the guest"),
    FindingKind("port-without-meaning", Severity.WARNING, "a port that only xend had"),
    FindingKind("slashes-missing", Severity.INFO, "xend cannot read the URI as it is written"),
    FindingKind(
        "guest-kind", Severity.INFO, "how the guest runs, which decides whether it can move live"
    ),
    FindingKind("job-left-behind", Severity.WARNING, "a failure may leave a job on the source"),
    FindingKind("no-abort", Severity.INFO, "libvirt cannot abort it, nor tell how far it is"),
    FindingKind("state-misreported", Severity.WARNING, "a failure may leave a wrong state"),
    FindingKind("xend-gone", Severity.WARNING, "the rules are those of xend, which is gone"),
)


def foresee(plan: Plan) -> Iterator[Finding]:
    """Give what the plan alone shows."""
    original = plan.request.revision is Revision.ORIGINAL
    if original and plan.uris.migration.value is not None:
        yield from _without_slashes(plan)
    if plan.scenario.flow is Flow.UNMANAGED_DIRECT:
        yield from _handed_over(plan)
        yield _kind_unknown(plan, "managed direct or --p2p, without --live")
        return
    if original:
        yield _xend_gone(plan)
    if plan.request.live:
        yield _kind_unknown(plan, "the same without --live")
    peer2peer = plan.scenario.flow is Flow.MANAGED_PEER2PEER
    yield Finding(
        "no-abort",
        Severity.INFO,
        plan.uris.source.value,
        "libvirt can neither abort a migration by libxl nor tell how far it is: cancelling it, and"
        " -o timeout, stop it where a program can be run on the source as root, and elsewhere "
        + (
            "only end the wait, while both daemons go on"
            if peer2peer
            else "wait for its end: without this process the guest would stand still on both hosts"
        ),
        remedy="where this machine has no other way to run programs on the source as root, name one"
        " in config.toml: [hosts.NAME] shell = [...]",
    )
    if peer2peer:
        yield Finding(
            "state-misreported",
            Severity.WARNING,
            plan.uris.source.value,
            "where the destination refuses, libvirt calls the guest paused although it runs on, and"
            " cannot resume it; a later migration puts that right",
            remedy=f"after a failure believe Xen rather than libvirt: {xl('list', plan.guest)}",
        )
    else:
        yield Finding(
            "job-left-behind",
            Severity.WARNING,
            plan.uris.source.value,
            "where the destination refuses, or its port cannot be reached, libxl keeps the job on"
            " the source for good: each later operation on the guest times out after 30 s",
            remedy="after such a failure restart libvirtd on the source (the guest survives that);"
            f" or choose --p2p{' with --revision current' if original else ''}",
        )


def _kind_unknown(plan: Plan, way: str) -> Finding:
    """Tell that nobody has asked yet whether the guest can move live."""
    return Finding(
        "guest-kind",
        Severity.INFO,
        plan.uris.source.value,
        "a PV guest cannot move live where Xen was built without shadow paging, as Debian's was:"
        " the transfer ends at once, and the guest runs on",
        expected="a PVH or HVM guest, or Xen with CONFIG_SHADOW_PAGING",
        remedy=f"see what {plan.guest} is: {xl('list', plan.guest, options=('--long',))}; for a PV"
        f" guest {way}",
    )


def _without_slashes(plan: Plan) -> Iterator[Finding]:
    """Find the form that the document writes and xend's driver takes for HOST:PORT."""
    text, readable = plan.uris.migration.value, for_xend(plan).uris.migration.value
    if text is None or readable == text:
        return
    host, _, port = text.rpartition(":")
    yield Finding(
        "slashes-missing",
        Severity.INFO,
        text,
        "libvirt's driver for xend looks for // before it looks for a scheme: without them it takes"
        f" {host!r} for the host and {port!r} for its port; here it is given {readable}",
        seen=text,
        expected=readable,
        remedy=f"by hand write {readable}",
    )


def _xend_gone(plan: Plan) -> Finding:
    return Finding(
        "xend-gone",
        Severity.WARNING,
        plan.uris.source.value,
        "these are the rules of xend, which libvirt has not driven since 4.3.0 (2018):"
        " today libxl does it, which takes no xenmigr://, has ports of its own"
        f" ({LIBXL_PORTS[0]}-{LIBXL_PORTS[1]}), and leaves the guest standing still on both hosts"
        " where the client crashes",
        expected="libvirt 4.2 or older, with xend",
        remedy="--revision current, which plans for libxl; migrate-plugins check asks the hosts"
        " which of the two they have",
    )


def _handed_over(plan: Plan) -> Iterator[Finding]:
    """Tell who moves a guest whose move is not libvirt's."""
    source, guest = plan.uris.source.value, plan.guest
    uri = target(plan)
    host = uri.host or ""
    yield Finding(
        "handed-to-xl",
        Severity.INFO,
        source,
        "libvirt has refused unmanaged direct migration since it has driven libxl alone (4.3.0,"
        f" 2018): the driver runs {xl('migrate', guest, host)} on the source, always live"
        + (
            "; libvirt 4.2 or older with xend does it by its own call, and the source says which"
            if plan.request.revision is Revision.ORIGINAL
            else ""
        ),
        remedy="migrate-plugins check asks the source whether it can",
    )
    yield Finding(
        "libvirt-loses-sight",
        Severity.WARNING,
        source,
        f"xl makes the guest anew on {host}: after xl migrate neither libvirtd shows it running,"
        " and only Xen does; a definition that the source's libvirt has of it stays there, shut"
        " off, and whoever starts it there, autostart too, runs the guest a second time",
        remedy=f"look at it with {xl('list', guest)} on {host}, and manage it with xl; on the"
        " source virsh undefine a definition that stayed, or virsh autostart --disable; or move it"
        " with --revision current and --p2p, which libvirt follows",
    )
    beyond = meaningless(plan)
    if beyond:
        yield Finding(
            "xl-option",
            Severity.WARNING,
            source,
            f"{', '.join(beyond)} can only be done by libvirt 4.2 or older with xend: xl knows"
            " nothing of libvirt's configurations, and a check of today's source refuses it",
            remedy=INSTEAD,
        )
    if uri.port is not None:
        other = xl("migrate", guest, host, options=("-s", f"ssh -p {uri.port}"))
        yield Finding(
            "port-without-meaning",
            Severity.WARNING,
            plan.uris.migration.value,
            f"{uri.port} means something to xend alone: xl goes over ssh, by the port that ssh has,"
            " and does not use it",
            remedy="leave it out; a port of ssh belongs in root's ~/.ssh/config on the source, or"
            f" by hand: {other}",
        )
