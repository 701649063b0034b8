"""The Xen driver's hooks.

``original`` speaks of xend, the management daemon that the document knew; ``current`` of libxl,
which libvirt has used since 4.3.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import (
    LIBVIRT_CONTROL,
    Basis,
    Capabilities,
    ChosenBy,
    Claim,
    DriverInfo,
    Flow,
    InvalidURIError,
    MigrationURI,
    NativeCommand,
    Offer,
    PortRule,
    Revision,
    hookimpl,
    virsh_command,
)
from migrate_plugins_xen.options import OPTIONS, refusals
from migrate_plugins_xen.receiver import LIBXL_PORTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import (
        Access,
        Ask,
        Diagnosis,
        Facts,
        Finding,
        FindingKind,
        MigrateError,
        Plan,
        Reason,
        Receiver,
        Selection,
        Session,
        Shell,
    )

MIGRATE_PLUGINS_API: Final = 1

NAME: Final = "xen"

# xend-relocation-port of xend-config.sxp.
XEND_PORT: Final = 8002
SCHEMES: Final = {Revision.ORIGINAL: ("xenmigr",), Revision.CURRENT: ("tcp",)}

_DOCUMENT: Final = Claim(Basis.DOCUMENT, "section 'Migration scenarios'")
_TRIED: Final = "libvirt 9.0.0, Xen 4.17"
# XEN_MIGRATION_FLAGS of libvirt's xend driver, which could not rename a guest nor leave it paused.
_XEND_OPTIONS: Final = frozenset({"live", "undefine_source", "persistent"})
# LIBXL_MIGRATION_FLAGS and LIBXL_MIGRATION_PARAMETERS.
_LIBXL_OPTIONS: Final = frozenset(
    {"live", "undefine_source", "persistent", "suspend", "dname", "xml"}
)


@hookimpl
def migrate_driver() -> DriverInfo:
    return DriverInfo(
        name=NAME,
        title="Xen",
        connection_schemes=("xen",),
        migration_schemes=("xenmigr", "tcp"),
        control=LIBVIRT_CONTROL,
        example="xen+ssh://desthost/system",
    )


@hookimpl
def migrate_capabilities(revision: Revision) -> Capabilities:
    if revision is Revision.ORIGINAL:
        return Capabilities(
            offers={
                "native-direct": Offer(_DOCUMENT, _XEND_OPTIONS, migration_uri=True, own=OPTIONS),
                "native-unmanaged": Offer(
                    _DOCUMENT, _XEND_OPTIONS, migration_uri=True, own=OPTIONS
                ),
            },
            migration_schemes=SCHEMES[revision],
            protocol="xend relocation",
            unwritten_uri="the destination gives its own host name, and xend takes its own port",
            encrypted=False,
            encryption="xend sends it as it is",
        )

    def offer(id_: str, *, migration_uri: bool, options: frozenset[str] = _LIBXL_OPTIONS) -> Offer:
        claim = Claim(Basis.VERIFIED, f"tests/integration/xen, {id_}", _TRIED)
        return Offer(claim, options, migration_uri, own=OPTIONS)

    return Capabilities(
        offers={
            "native-direct": offer("native-direct", migration_uri=True),
            "native-p2p": offer("native-p2p", migration_uri=True),
            "native-unmanaged": offer(
                "native-unmanaged", migration_uri=True, options=frozenset({"live"})
            ),
            "tunnelled-p2p": offer("tunnelled-p2p", migration_uri=False),
        },
        migration_schemes=SCHEMES[revision],
        protocol="libxl migration stream",
        unwritten_uri="the destination makes one from its own host name and a free port of its"
        " range",
        encrypted=False,
        encryption="libxl sends it as it is",
    )


@hookimpl
def migrate_port_rule(revision: Revision) -> PortRule:
    if revision is Revision.ORIGINAL:
        return PortRule(
            XEND_PORT,
            XEND_PORT,
            ChosenBy.HYPERVISOR,
            "xend-relocation-port of the destination's xend-config.sxp, by default",
        )
    first, last = LIBXL_PORTS
    return PortRule(
        first, last, ChosenBy.DESTINATION, "fixed in libvirt's libxl driver; not configurable"
    )


@hookimpl
def migrate_select_port(rule: PortRule, taken: frozenset[int]) -> int | None:
    return rule.lowest_free(taken)


@hookimpl
def migrate_uri() -> MigrationURI | None:
    return None  # libvirt's destination makes it: with xend a bare name, with libxl tcp://


@hookimpl
def migrate_read_uri(text: str, revision: Revision) -> MigrationURI:
    uri = MigrationURI.parse(text)
    scheme = SCHEMES[revision][0]
    if uri.scheme is not None and uri.scheme.lower() != scheme:
        reader = "xend" if revision is Revision.ORIGINAL else "libxl"
        hint = f"{reader} takes {scheme}://HOST[:PORT]"
        if revision is Revision.ORIGINAL:
            hint += f", {scheme}:HOST[:PORT]"
        hint += " or HOST[:PORT]"
        if uri.scheme in {"tcp", "xenmigr"}:
            other = Revision.CURRENT if revision is Revision.ORIGINAL else Revision.ORIGINAL
            hint += f"; {uri.scheme}:// goes with --revision {other}"
        raise InvalidURIError(text, part=f"its scheme is {uri.scheme!r}", hint=hint)
    if revision is Revision.CURRENT and uri.scheme is not None and not uri.slashes:
        hint = f"libxl takes {scheme}://HOST[:PORT] or HOST[:PORT]"
        raise InvalidURIError(text, part="// is missing behind its scheme", hint=hint)
    if uri.host is None:
        raise InvalidURIError(
            text, part="it names no host", hint=f"give one, such as {scheme}://desthost/"
        )
    return uri


@hookimpl
def migrate_commands(plan: Plan) -> Sequence[NativeCommand]:
    if plan.scenario.flow is Flow.UNMANAGED_DIRECT:
        from migrate_plugins_xen.commands import typed  # noqa: PLC0415 - of few plans

        return [virsh_command(plan), typed(plan)]
    return [virsh_command(plan)]


@hookimpl
def migrate_refuse(plan: Plan) -> Sequence[Reason] | None:
    return [*refusals(plan)] if plan.driver == NAME else None


@hookimpl
def migrate_connect(uri: str, ask: Ask | None, shell: Shell | None) -> Session:
    from migrate_plugins_xen.session import connect  # noqa: PLC0415 - imports libvirt

    return connect(uri, ask, shell)


@hookimpl
def migrate_receiver(plan: Plan, facts: Facts) -> Receiver | None:
    from migrate_plugins_xen.receiver import find_receiver  # noqa: PLC0415 - planning needs none

    return find_receiver(plan, facts)


@hookimpl
def migrate_checks(
    plan: Plan, facts: Facts, source: Access, destination: Access, selection: Selection
) -> Sequence[Finding] | None:
    if plan.driver != NAME:
        return None
    from migrate_plugins_xen.checks import check  # noqa: PLC0415 - planning needs none

    return check(plan, facts, source, destination, selection)


@hookimpl
def migrate_investigate(
    plan: Plan, error: MigrateError, source: Access, destination: Access
) -> Sequence[Diagnosis] | None:
    if plan.driver != NAME:
        return None
    from migrate_plugins_xen.investigation import investigate  # noqa: PLC0415 - seldom needed

    return investigate(error, source, destination)


@hookimpl
def migrate_diagnose(text: str, code: int | None, domain: int | None) -> Sequence[Diagnosis]:
    from migrate_plugins_xen.diagnoses import CATALOGUE  # noqa: PLC0415 - planning needs none

    return CATALOGUE.diagnose(text, code, domain)


@hookimpl
def migrate_foresee(plan: Plan) -> Sequence[Finding] | None:
    if plan.driver != NAME:
        return None
    from migrate_plugins_xen.foresight import foresee  # noqa: PLC0415 - of few plans

    return [*foresee(plan)]


@hookimpl
def migrate_finding_kinds() -> Sequence[FindingKind]:
    from migrate_plugins_xen import foresight  # noqa: PLC0415 - planning needs none
    from migrate_plugins_xen.checks.kinds import KINDS  # noqa: PLC0415 - likewise

    return (*foresight.KINDS, *KINDS)
