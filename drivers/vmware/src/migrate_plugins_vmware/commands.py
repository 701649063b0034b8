"""The same move for govc, and for virsh where libvirt can make it; no password is ever in them.

govc takes user and password from GOVC_USERNAME and GOVC_PASSWORD.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import InvalidURIError, NativeCommand, netloc, virsh_command
from migrate_plugins_vmware.options import ROOT, Wishes
from migrate_plugins_vmware.places import ANY, Place, read_peer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Plan

__all__ = ["commands", "govc"]

_HTTPS: Final = 443
# A datacenter and a host, with a cluster between them or without; more are folders.
_STANDALONE: Final = 2
_CLUSTERED: Final = 3


def commands(plan: Plan) -> tuple[NativeCommand, NativeCommand]:
    """Give *plan* for each tool, or say why the tool cannot say it."""
    return _virsh(plan), _govc(plan)


def govc(place: Place, *words: str) -> tuple[str, ...]:
    """Write a govc command for the vCenter of *place*; its own options come first.

    Args:
        place: How the vCenter is opened.
        words: The command, and what follows its common options.
    """
    command, *rest = words
    server = netloc(place.server or place.host, None if place.port == _HTTPS else place.port)
    options = ["-u", server]
    if place.no_verify and not (place.cacert or place.thumbprint):
        options.append("-k")
    if place.cacert:
        options += ["-tls-ca-certs", place.cacert]
    return ("govc", command, *options, *rest)


def _govc(plan: Plan) -> NativeCommand:
    try:
        here, there = (
            Place.parse(uri.value or "") for uri in (plan.uris.source, plan.uris.destination)
        )
    except InvalidURIError as error:
        return NativeCommand("govc", None, f"it is not known where the hosts are: {error.part}")
    wishes, uri = Wishes.of(plan), plan.uris.migration.value
    reasons = [*_beyond_govc(plan, wishes, here, there)]
    target = _Target.of(there)
    if target is None:
        reasons.append(
            "it takes a host's path with its datacenter, and of the destination's URI nobody can"
            " tell which name is the datacenter's"
            if there.scheme == "vpx"
            else "it takes a host's path in the inventory, and esx:// does not name one"
        )
    source = _Target.of(here)
    if target is None or source is None or reasons:
        return NativeCommand("govc", None, "; ".join(reasons) or "esx:// names no datacenter")
    words = ["vm.migrate", "-dc", source.datacenter, "-host", target.host]
    if uri is not None:
        words += ["-pool", f"ResourcePool:{read_peer(uri)[1].pool}"]
    if wishes.pool is not None:
        below = wishes.pool.strip("/")
        words += ["-pool", target.root if below == ROOT else f"{target.root}/{below}"]
    away = source.datacenter != target.datacenter
    if wishes.datastore is not None:
        store = f"/{target.datacenter}/datastore/{wishes.datastore}" if away else wishes.datastore
        words += ["-ds", store]
    if wishes.folder is not None or away:
        below = (wishes.folder or "").strip("/")
        words += ["-folder", f"/{target.datacenter}/vm/{below}".rstrip("/")]
    if wishes.networks:
        words += ["-net", wishes.networks[0].to]
    if wishes.priority != Wishes().priority:
        words += ["-priority", wishes.priority]
    return NativeCommand("govc", govc(here, *words, plan.guest))


def _beyond_govc(plan: Plan, wishes: Wishes, here: Place, there: Place) -> Iterator[str]:
    """Say what govc has no words for."""
    if _differ(here, there):
        yield "it has no options for another vCenter"
    if wishes.disks:
        yield "it has one datastore for all disks"
    if len(wishes.networks) > 1:
        yield "it changes the network of a guest that has one card alone"
    if wishes.timeout is not None:
        yield "it has no limit of time"
    if plan.request.suspend:
        yield "it leaves no guest paused"


def _virsh(plan: Plan) -> NativeCommand:
    places = []
    for uri in (plan.uris.source, plan.uris.destination):
        try:
            places.append(Place.parse(uri.value or ""))
        except InvalidURIError:
            return virsh_command(plan)
    if _differ(*places):
        return NativeCommand("virsh", None, "libvirt moves a guest within one vCenter alone")
    if plan.request.offline:
        return NativeCommand("virsh", None, "libvirt's ESX driver does not take --offline")
    return virsh_command(plan)


class _Target(NamedTuple):
    """A host in govc's words.

    Attributes:
        datacenter: Its name.
        host: Its path.
        root: The path of its root pool.
    """

    datacenter: str
    host: str
    root: str

    @classmethod
    def of(cls, place: Place) -> _Target | None:
        """Read it off a connection URI, or give None where that does not tell."""
        if len(place.path) not in {_STANDALONE, _CLUSTERED}:
            return None
        datacenter, *compute = place.path
        above = f"/{datacenter}/host/{compute[0]}"
        return cls(datacenter, f"{above}/{compute[-1]}", f"{above}/{ROOT}")


def _differ(here: Place, there: Place) -> bool:
    """Whether two URIs lead to two vCenters, as far as they tell."""

    def vcenter(place: Place) -> tuple[str | None, int]:
        host = place.server
        return (None if host is None or host == ANY else host.lower()), place.port

    (first, one), (second, other) = vcenter(here), vcenter(there)
    return first is not None and second is not None and (first, one) != (second, other)
