"""The Cloud Hypervisor driver's hooks: it plans, and gives the commands to run by hand.

libvirt manages these guests (``ch:///system``), and its driver has no migration calls.  Cloud
Hypervisor migrates by itself: what is planned here is what its own ``ch-remote`` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import (
    Basis,
    Capabilities,
    ChosenBy,
    Claim,
    ConnectionURI,
    ControlProtocol,
    DriverInfo,
    InvalidURIError,
    MigrationURI,
    NativeCommand,
    Offer,
    PortRule,
    Seat,
    hookimpl,
    netloc,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Plan

MIGRATE_PLUGINS_API: Final = 1

SCHEME: Final = "tcp"
# Cloud Hypervisor has no range of its own; these lie beside those of libvirt and VirtualBox.
PORTS: Final = (49400, 49463)

_CLAIM: Final = Claim(
    Basis.CODE,
    "Cloud Hypervisor's docs/live_migration.md and vmm/src/migration_transport.rs",
    "commits 05936eaaa7a1 and 058954a8c106, after 52.0",
)
_OPTIONS: Final = frozenset({"live", "tls"})
_LOCAL: Final = ControlProtocol("ch-remote on this machine", None, encrypted=True)
_SSH: Final = ControlProtocol("ch-remote over ssh", 22, encrypted=True)


@hookimpl
def migrate_driver() -> DriverInfo:
    return DriverInfo(
        name="cloud-hypervisor",
        title="Cloud Hypervisor",
        connection_schemes=("ch",),
        migration_schemes=(SCHEME,),
        # ch-remote speaks to a UNIX socket of its own host, so that libvirt's tls and tcp are out.
        control={"": _LOCAL, "unix": _LOCAL, "ssh": _SSH},
        example="ch+ssh://desthost/system",
    )


@hookimpl
def migrate_capabilities() -> Capabilities:
    return Capabilities(
        offers={"native-direct": Offer(_CLAIM, _OPTIONS, migration_uri=True)},
        migration_schemes=(SCHEME,),
        protocol="Cloud Hypervisor migration stream",
        unwritten_uri="made from the destination's host and the port that is held for it",
        encrypted=False,
        encryption="Cloud Hypervisor sends it as it is, unless it is given TLS certificates",
        encrypting_option="tls",
    )


@hookimpl
def migrate_port_rule() -> PortRule:
    because = "Cloud Hypervisor has no range of its own; --port-range sets another"
    return PortRule(*PORTS, ChosenBy.US, because)


@hookimpl
def migrate_select_port(rule: PortRule, taken: frozenset[int]) -> int | None:
    return rule.lowest_free(taken)


@hookimpl
def migrate_uri(host: str, port: int | None) -> MigrationURI:
    return MigrationURI(SCHEME, host=host, port=port, slashes="")


@hookimpl
def migrate_read_uri(text: str) -> MigrationURI:
    uri = MigrationURI.parse(text)
    hint = f"give {SCHEME}:HOST[:PORT], such as {SCHEME}:desthost:{PORTS[0]}"
    if uri.scheme != SCHEME:
        part = "it has no scheme" if uri.scheme is None else f"its scheme is {uri.scheme!r}"
    elif uri.slashes:
        # It takes what follows `tcp:` for host and port.
        part = f"Cloud Hypervisor reads no // behind {SCHEME}:"
    elif uri.user is not None or uri.path or uri.query is not None:
        part = "it has more than a host and a port"
    else:
        return uri
    raise InvalidURIError(text, part=part, hint=hint)


@hookimpl
def migrate_commands(plan: Plan) -> Sequence[NativeCommand]:
    uri = MigrationURI.parse(plan.uris.migration.value or "")
    # In capitals what is known only at run time.
    port = "PORT" if plan.port.value is None else str(plan.port.value)
    host = netloc(uri.host or "")
    tls = ",tls_dir=CERTIFICATES" if plan.request.tls else ""
    source, destination = _api_socket(plan), "API-SOCKET"

    def remote(seat: Seat, socket: str, *command: str) -> NativeCommand:
        return NativeCommand(
            "ch-remote", ("ch-remote", "--api-socket", socket, *command), host=seat
        )

    everywhere = "[::]" if host.startswith("[") else "0.0.0.0"  # noqa: S104 - as its document has it
    receiver = f"receiver_url={SCHEME}:{everywhere}:{port}{tls}"
    send = f"destination_url={SCHEME}:{host}:{port}{tls}"
    empty = ("cloud-hypervisor", "--api-socket", destination)
    moves = [
        NativeCommand("cloud-hypervisor", empty, host=Seat.DESTINATION),
        remote(Seat.DESTINATION, destination, "receive-migration", receiver),
        remote(Seat.SOURCE, source, "send-migration", send),
    ]
    if plan.request.live:
        return moves
    # A paused guest arrives paused (Cloud Hypervisor 52.0, pull request 8099).
    pause = remote(Seat.SOURCE, source, "pause")
    return [pause, *moves, remote(Seat.DESTINATION, destination, "resume")]


def _api_socket(plan: Plan) -> str:
    """Name the socket that libvirt made for the guest: src/ch/ch_monitor.c and ch_conf.c."""
    path = ConnectionURI.parse(plan.uris.source.value or "").path
    return f"/run/libvirt/ch/{plan.guest}-socket" if path == "/system" else "API-SOCKET"
