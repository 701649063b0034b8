"""The VirtualBox driver's hooks.

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
    ClientCrash,
    ControlProtocol,
    Crash,
    DriverInfo,
    InvalidURIError,
    MigrationURI,
    Offer,
    PortRule,
    Receiver,
    hookimpl,
)
from migrate_plugins_vbox.options import OPTIONS, refusals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrate_plugins import (
        Access,
        Ask,
        Diagnosis,
        Facts,
        Finding,
        FindingKind,
        MigrateError,
        NativeCommand,
        Plan,
        Reason,
        Selection,
        Session,
    )

MIGRATE_PLUGINS_API: Final = 1

NAME: Final = "vbox"

SCHEME: Final = "vboxmigr"
# VirtualBox has no range of its own; these lie beside libvirt's.
PORTS: Final = (49300, 49363)

_CLAIM: Final = Claim(
    Basis.VERIFIED,
    "tests/integration/vbox/test_teleportation.py, between two hosts with VirtualBox",
    "VirtualBox 7.2.22",
)
# A guest runs while its memory is sent, and one that is paused stays so.
_OPTIONS: Final = frozenset({"live", "persistent", "undefine_source", "dname", "listen_address"})
# Of the same port at both ends, since the teleporter listens on the one that is given.
_TUNNEL: Final = (
    f"an ssh tunnel (on the source `ssh -N -L {PORTS[0]}:127.0.0.1:{PORTS[0]} DESTINATION`, and"
    f" here `--migrateuri {SCHEME}://127.0.0.1:{PORTS[0]}/ --listen-address 127.0.0.1`)"
)
_CRASH: Final = ClientCrash(
    Crash.CONTINUES,
    "the two VirtualBoxes go on with a teleportation without the client that began it, to its end;"
    " what is left to put right then is told, and done, by `migrate-plugins reconcile`",
)
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared, not bound
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
        offers={"native-direct": Offer(_CLAIM, _OPTIONS, migration_uri=True, own=OPTIONS)},
        migration_schemes=(SCHEME,),
        protocol="VirtualBox teleportation",
        unwritten_uri="made from the destination's host and the port that is held for it",
        encrypted=False,
        encryption="VirtualBox sends it as it is",
        encrypting_by_hand=_TUNNEL,
        on_client_crash=_CRASH,
        always_live=True,
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
    wrong = [*_faults(uri)]
    if wrong:
        raise InvalidURIError(text, part="; ".join(wrong), hint=hint)
    return uri


def _faults(uri: MigrationURI) -> Iterator[str]:
    """Give each part of a migration URI that VirtualBox has no use for."""
    if uri.host is None:
        yield "it names no host"
    if uri.port == 0:
        yield "its port is 0, with which VirtualBox's teleporter does not start"
    if uri.user is not None:
        yield f"it names a user, {uri.user}, and there is none"
    if uri.path not in {"", "/"}:
        yield f"it has the path {uri.path}, and there is none"
    if uri.query is not None:
        yield f"it has parameters, ?{uri.query}, and there are none"


@hookimpl
def migrate_commands(plan: Plan) -> Sequence[NativeCommand]:
    from migrate_plugins_vbox.commands import commands  # noqa: PLC0415 - of few plans

    return commands(plan)


@hookimpl
def migrate_refuse(plan: Plan) -> Sequence[Reason] | None:
    if plan.driver != NAME:
        return None
    from migrate_plugins_vbox.places import problems, same  # noqa: PLC0415 - of few plans

    uris = (plan.uris.source.value or "", plan.uris.destination.value or "")
    wrong = [reason for uri in dict.fromkeys(uris) for reason in problems(uri)]
    return [*refusals(plan), *wrong, *([] if wrong else same(*uris))]


@hookimpl
def migrate_connect(uri: str, ask: Ask | None) -> Session:
    from migrate_plugins_vbox.session import connect  # noqa: PLC0415 - planning connects to nobody

    return connect(uri, ask)


@hookimpl
def migrate_receiver(plan: Plan) -> Receiver:
    from migrate_plugins_vbox.foresight import is_loopback  # noqa: PLC0415 - of few plans

    if is_loopback(plan.receiver):  # where a tunnel leads is not to be seen from its name
        return Receiver(plan.receiver, None, None, "a tunnel of the source carries it")
    listen = plan.request.listen_address
    return Receiver(
        plan.receiver,
        plan.port.first,
        plan.port.last,
        plan.uris.migration.because,
        None if listen in _EVERYWHERE else listen,
    )


@hookimpl
def migrate_checks(
    plan: Plan, facts: Facts, source: Access, destination: Access, selection: Selection
) -> Sequence[Finding] | None:
    if plan.driver != NAME:
        return None
    from migrate_plugins_vbox.checks import check  # noqa: PLC0415 - planning needs none

    return check(plan, facts, source, destination, selection)


@hookimpl
def migrate_investigate(
    plan: Plan, error: MigrateError, source: Access, destination: Access
) -> Sequence[Diagnosis] | None:
    if plan.driver != NAME:
        return None
    from migrate_plugins_vbox.investigation import investigate  # noqa: PLC0415 - likewise

    return investigate(plan, error, source, destination)


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
    from migrate_plugins_vbox import foresight  # noqa: PLC0415 - likewise
    from migrate_plugins_vbox.checks.kinds import KINDS  # noqa: PLC0415 - planning needs none

    return (*foresight.KINDS, *KINDS)
