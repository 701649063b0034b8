"""The VMware driver's hooks: it plans; running comes with a later release.

The document's VMware driver is libvirt's for ESX and vCenter (vMotion), not Workstation or Player.
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
    Offer,
    PortRule,
    hookimpl,
    virsh_command,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Diagnosis, Finding, FindingKind, NativeCommand, Plan

MIGRATE_PLUGINS_API: Final = 1

NAME: Final = "vmware"

# "Required for virtual machine migration with vMotion": vSphere Security, firewall ports of ESXi.
VMOTION_PORT: Final = 8000
SCHEME: Final = "vpxmigr"

_CLAIM: Final = Claim(Basis.CODE, "src/esx/esx_driver.c, esxDomainMigratePrepare", "libvirt 9.0.0")
# Whatever else libvirt's driver would silently accept (bandwidth, timeout) it does not do.
_OPTIONS: Final = frozenset({"live", "suspend", "persistent", "undefine_source"})
_HTTPS: Final = ControlProtocol("vSphere API over https", 443, encrypted=True)


@hookimpl
def migrate_driver() -> DriverInfo:
    return DriverInfo(
        name=NAME,
        title="VMware ESX and vCenter",
        connection_schemes=("vpx", "esx", "gsx"),
        migration_schemes=(SCHEME,),
        control={"": _HTTPS},
        example="vpx://vcenter/DATACENTER/CLUSTER/DESTHOST",
    )


@hookimpl
def migrate_capabilities() -> Capabilities:
    return Capabilities(
        offers={"native-direct": Offer(_CLAIM, _OPTIONS, migration_uri=True)},
        migration_schemes=(SCHEME,),
        protocol="vMotion",
        unwritten_uri="made from the vCenter's address and from its ids of the destination's"
        " resource pool and host",
        encrypted=None,
        encryption="up to the guest's migrateEncryption in the vCenter: by default it is encrypted"
        " where both hosts can",
        uri_names_receiver=False,  # the host of its URIs is the vCenter
    )


@hookimpl
def migrate_port_rule() -> PortRule:
    return PortRule(
        VMOTION_PORT,
        VMOTION_PORT,
        ChosenBy.HYPERVISOR,
        "vMotion between the two hosts; the client itself needs only 443 of the vCenter",
    )


@hookimpl
def migrate_select_port(rule: PortRule, taken: frozenset[int]) -> int | None:
    return rule.lowest_free(taken)


@hookimpl
def migrate_uri() -> MigrationURI | None:
    return None  # its resource pool and host are object ids that only the vCenter knows


@hookimpl
def migrate_read_uri(text: str) -> MigrationURI:
    uri = MigrationURI.parse(text)
    hint = (
        f"give {SCHEME}://VCENTER-IP/RESOURCE-POOL/HOST,"
        f" such as {SCHEME}://192.0.2.7/resgroup-26/host-42"
    )
    if uri.scheme is None or uri.scheme.lower() != SCHEME:
        part = "it has no scheme" if uri.scheme is None else f"its scheme is {uri.scheme!r}"
        raise InvalidURIError(text, part=part, hint=hint)
    pool, _, host = uri.path.lstrip("/").partition("/")
    missing = [
        name
        for name, value in (("vCenter", uri.host), ("resource pool", pool), ("host", host))
        if not value
    ]
    if missing:
        raise InvalidURIError(text, part=f"it names no {' and no '.join(missing)}", hint=hint)
    if uri.port is not None:
        # libvirt ignores it and then looks for the guest in the wrong place.
        raise InvalidURIError(text, part=f"it has a port, {uri.port}", hint=hint)
    return uri


@hookimpl
def migrate_commands(plan: Plan) -> Sequence[NativeCommand]:
    return [virsh_command(plan)]


@hookimpl
def migrate_diagnose(text: str, code: int | None, domain: int | None) -> Sequence[Diagnosis]:
    from migrate_plugins_vmware.diagnoses import CATALOGUE  # noqa: PLC0415 - planning needs none

    return CATALOGUE.diagnose(text, code, domain)


@hookimpl
def migrate_foresee(plan: Plan) -> Sequence[Finding] | None:
    if plan.driver != NAME:
        return None
    from migrate_plugins_vmware.foresight import foresee  # noqa: PLC0415 - of few plans

    return [*foresee(plan)]


@hookimpl
def migrate_finding_kinds() -> Sequence[FindingKind]:
    from migrate_plugins_vmware import checks, foresight  # noqa: PLC0415 - planning needs none

    return (*foresight.KINDS, *checks.KINDS)
