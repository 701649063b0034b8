"""The Xen driver's hooks.

``original`` speaks of xend, the management daemon that the document knew; ``current`` of libxl,
which is all that libvirt has driven since 4.3.0, and of xl.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import (
    LIBVIRT_CONTROL,
    Capabilities,
    DriverInfo,
    Flow,
    MigrationURI,
    NativeCommand,
    PortRule,
    Revision,
    hookimpl,
    virsh_command,
)
from migrate_plugins_xen import uris
from migrate_plugins_xen.capabilities import CAPABILITIES, port_rule
from migrate_plugins_xen.options import refusals

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
    return CAPABILITIES[revision]


@hookimpl
def migrate_port_rule(revision: Revision, scenario: str) -> PortRule:
    return port_rule(revision, scenario)


@hookimpl
def migrate_select_port(rule: PortRule, taken: frozenset[int]) -> int | None:
    return rule.lowest_free(taken)


@hookimpl
def migrate_uri() -> MigrationURI | None:
    return None  # libvirt's destination makes it: with xend a bare name, with libxl tcp://


@hookimpl
def migrate_read_uri(text: str, revision: Revision) -> MigrationURI:
    return uris.read(text, revision)


@hookimpl
def migrate_commands(plan: Plan) -> Sequence[NativeCommand]:
    if plan.scenario.flow is not Flow.UNMANAGED_DIRECT:
        return [virsh_command(plan)]
    from migrate_plugins_xen.commands import typed  # noqa: PLC0415 - of few plans

    # No libvirt of today takes the one of virsh; by the document's rules it is the one.
    current = plan.request.revision is Revision.CURRENT
    return [typed(plan)] if current else [virsh_command(plan), typed(plan)]


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
