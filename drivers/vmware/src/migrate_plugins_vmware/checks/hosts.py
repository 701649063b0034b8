"""Both hosts: whether they can take part, and whether vMotion is enabled on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import ConnectionURI, Finding, Seat, Severity, netloc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrate_plugins_vmware.checks.case import Case
    from migrate_plugins_vmware.checks.reading import Host

__all__ = ["check_hosts"]

_PORT: Final = 8000


def check_hosts(case: Case) -> Iterator[Finding]:
    """Look at both hosts."""
    for seat, host in ((Seat.SOURCE, case.source), (Seat.DESTINATION, case.destination)):
        govc = case.govc if seat is Seat.SOURCE else case.govc_there
        yield from _reachable(host, govc)
        yield from _maintenance(case, seat, host)
        yield from _lockdown(case, seat, host)
        if case.live:
            yield from _vmotion(host, govc)
    if case.live:
        yield _path(case)


def _reachable(host: Host, govc: Callable[..., str]) -> Iterator[Finding]:
    if host.power in {"poweredOff", "standBy"}:
        yield Finding(
            "host-powered-off",
            Severity.ERROR,
            host.name,
            f"{host.name} is off",
            seen=host.power,
            expected="poweredOn",
            remedy="take it out of standby in the vCenter"
            if host.power == "standBy"
            else "power it on, by its own management controller",
        )
    elif host.connection in {"disconnected", "notResponding"}:
        yield Finding(
            "host-disconnected",
            Severity.ERROR,
            host.name,
            f"the vCenter has no connection with {host.name}, so that it can order nothing there;"
            " what it says of the host may be old",
            seen=host.connection,
            expected="connected",
            remedy=govc("host.reconnect", "-host", host.name),
        )


def _maintenance(case: Case, seat: Seat, host: Host) -> Iterator[Finding]:
    if not host.maintenance:
        return
    if seat is Seat.SOURCE:
        yield Finding(
            "source-in-maintenance",
            Severity.INFO,
            host.name,
            f"{host.name} is in maintenance mode: guests may leave it, and none can come back",
        )
    else:
        yield Finding(
            "destination-in-maintenance",
            Severity.ERROR,
            host.name,
            f"{host.name} is in maintenance mode: no guest runs there, and none can come",
            seen="inMaintenanceMode",
            remedy=case.govc_there("host.maintenance.exit", host.name),
        )


def _lockdown(case: Case, seat: Seat, host: Host) -> Iterator[Finding]:
    """Name a lockdown only to who opens the host itself: the vCenter is not shut out by it."""
    uris = case.plan.uris
    uri = uris.source if seat is Seat.SOURCE else uris.destination
    opened = ConnectionURI.parse(uri.value or "").driver.lower()
    if opened == "esx" and host.lockdown in {"lockdownNormal", "lockdownStrict"}:
        yield Finding(
            "host-locked-down",
            Severity.INFO,
            host.name,
            f"{host.name} is locked down: the vCenter moves guests as ever, and libvirt, which"
            " logs in at the host itself for esx://, is refused",
            seen=host.lockdown,
            expected="lockdownDisabled, or a vpx:// URI",
            remedy="write vpx://VCENTER/DATACENTER/CLUSTER/HOST for virsh",
        )


def _vmotion(host: Host, govc: Callable[..., str]) -> Iterator[Finding]:
    if host.vmotion_supported is False:
        yield Finding(
            "vmotion-not-supported",
            Severity.ERROR,
            host.name,
            f"{host.name} cannot do vMotion: an ESXi or a licence without it",
            seen="vmotionSupported: false",
            expected="true",
            remedy=govc("license.assigned.ls"),
        )
    elif host.vmotion_enabled is False:
        yield Finding(
            "vmotion-not-enabled",
            Severity.ERROR,
            host.name,
            f"no network interface of {host.name} is enabled for vMotion",
            seen="vmotionEnabled: false",
            expected="true",
            remedy=govc("host.vnic.service", "-host", host.name, "-enable", "vmotion", "vmkN"),
        )
    elif host.vmotion_enabled is None:
        yield Finding(
            "vmotion-unknown",
            Severity.INFO,
            host.name,
            f"the vCenter does not tell whether vMotion is enabled on {host.name}",
            remedy=govc("host.vnic.info", "-host", host.name),
        )


def _path(case: Case) -> Finding:
    """Tell where the memory arrives: only the hosts themselves can try the way there."""
    here, there = case.source, case.destination
    address = there.vmotion[0][1] if there.vmotion else None
    device = here.vmotion[0][0] if here.vmotion else "vmkN"
    text = (
        f"the memory arrives at the vMotion interface of {there.name}, port {_PORT}; whether"
        f" {here.name} reaches it nobody has tried"
    )
    if case.reading.peer is not None:
        text += f" (libvirt's migration URI for this move is {case.reading.peer})"
    return Finding(
        "vmotion-path-unknown",
        Severity.INFO,
        here.name,
        text,
        seen=None if address is None else netloc(address, _PORT),
        remedy=f"on {here.name} run: vmkping -I {device} {address or 'ADDRESS'}",
    )
