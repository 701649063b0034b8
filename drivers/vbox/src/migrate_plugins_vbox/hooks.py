"""The VirtualBox driver's hooks: it plans; running comes with a later release.

The document counts VirtualBox among the drivers of managed direct migration.  libvirt's own driver
has no migration calls, VirtualBox has *teleportation*: that is what is planned here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import (
    Basis,
    Capabilities,
    ChosenBy,
    Claim,
    ControlProtocol,
    DriverInfo,
    InvalidURIError,
    MigrationURI,
    NativeCommand,
    Offer,
    PortRule,
    Seat,
    hookimpl,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Ask, Diagnosis, Finding, FindingKind, Plan, Session

MIGRATE_PLUGINS_API: Final = 1

NAME: Final = "vbox"

SCHEME: Final = "vboxmigr"
# VirtualBox has no range of its own; these lie beside libvirt's.
PORTS: Final = (49300, 49363)

_CLAIM: Final = Claim(
    Basis.VERIFIED, "teleportation by hand between two VirtualBox instances", "VirtualBox 7.2.22"
)
_OPTIONS: Final = frozenset({"live", "persistent", "undefine_source"})
_LOCAL: Final = ControlProtocol("VBoxManage on this machine", None, encrypted=True)
_SSH: Final = ControlProtocol("VBoxManage over ssh", 22, encrypted=True)


@hookimpl
def migrate_driver() -> DriverInfo:
    return DriverInfo(
        name=NAME,
        title="VirtualBox",
        connection_schemes=("vbox",),
        migration_schemes=(SCHEME,),
        control={"": _LOCAL, "unix": _LOCAL, "ssh": _SSH},
        example="vbox+ssh://desthost/session",
    )


@hookimpl
def migrate_capabilities() -> Capabilities:
    return Capabilities(
        offers={"native-direct": Offer(_CLAIM, _OPTIONS, migration_uri=True)},
        migration_schemes=(SCHEME,),
        protocol="VirtualBox teleportation",
        unwritten_uri="made from the destination's host and the port that is held for it",
        encrypted=False,
        encryption="VirtualBox sends it as it is",
    )


@hookimpl
def migrate_port_rule() -> PortRule:
    first, last = PORTS
    return PortRule(
        first, last, ChosenBy.US, "VirtualBox has no range of its own; --port-range sets another"
    )


@hookimpl
def migrate_select_port(rule: PortRule, taken: frozenset[int]) -> int | None:
    return rule.lowest_free(taken)


@hookimpl
def migrate_uri(host: str, port: int | None) -> MigrationURI:
    return MigrationURI(SCHEME, host=host, port=port, path="/")


@hookimpl
def migrate_read_uri(text: str) -> MigrationURI:
    uri = MigrationURI.parse(text)
    hint = f"give {SCHEME}://HOST[:PORT]/, such as {SCHEME}://desthost:{PORTS[0]}/"
    if uri.scheme is None or uri.scheme.lower() != SCHEME:
        part = "it has no scheme" if uri.scheme is None else f"its scheme is {uri.scheme!r}"
        raise InvalidURIError(text, part=part, hint=hint)
    if uri.host is None:
        raise InvalidURIError(text, part="it names no host", hint=hint)
    return uri


@hookimpl
def migrate_commands(plan: Plan) -> Sequence[NativeCommand]:
    uri = MigrationURI.parse(plan.uris.migration.value or "")
    guest, target = plan.guest, plan.destination_name
    # In capitals what is known only at run time: the port that is held, a file with a password.
    port = "PORT" if plan.port.value is None else str(plan.port.value)

    def manage(host: Seat, *arguments: str) -> NativeCommand:
        return NativeCommand("VBoxManage", ("VBoxManage", *arguments), host=host)

    listen = ("--teleporter", "on", "--teleporter-port", port, "--teleporter-password-file")
    unregister = (
        [manage(Seat.SOURCE, "unregistervm", guest)] if plan.request.undefine_source else []
    )
    return [
        manage(Seat.DESTINATION, "modifyvm", target, *listen, "PASSWORD-FILE"),
        manage(Seat.DESTINATION, "startvm", target, "--type", "headless"),
        manage(
            Seat.SOURCE,
            *("controlvm", guest, "teleport", "--host", uri.host or "", "--port", port),
            *("--passwordfile", "PASSWORD-FILE"),
        ),
        *unregister,
    ]


@hookimpl
def migrate_connect(uri: str, ask: Ask | None) -> Session:
    from migrate_plugins_vbox.session import connect  # noqa: PLC0415 - planning needs none

    return connect(uri, ask)


@hookimpl
def migrate_diagnose(text: str, code: int | None, domain: int | None) -> Sequence[Diagnosis]:
    from migrate_plugins_vbox.diagnoses import CATALOGUE  # noqa: PLC0415 - planning needs none

    return CATALOGUE.diagnose(text, code, domain)


@hookimpl
def migrate_foresee(plan: Plan) -> Sequence[Finding] | None:
    if plan.driver != NAME:
        return None
    from migrate_plugins_vbox.foresight import foresee  # noqa: PLC0415 - of few plans

    return [*foresee(plan)]


@hookimpl
def migrate_finding_kinds() -> Sequence[FindingKind]:
    from migrate_plugins_vbox.foresight import KINDS  # noqa: PLC0415 - planning needs none

    return KINDS
