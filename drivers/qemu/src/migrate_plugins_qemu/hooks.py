"""The QEMU driver's hooks.

Nothing here imports libvirt: planning is arithmetic on names and numbers, and works where the
client library is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import (
    LIBVIRT_CONTROL,
    OPTIONS,
    Basis,
    Capabilities,
    ChosenBy,
    Claim,
    DriverInfo,
    InvalidURIError,
    MigrationURI,
    Offer,
    PortRule,
    Revision,
    hookimpl,
    virsh_command,
)

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
        NativeCommand,
        Plan,
        Receiver,
        Selection,
        Session,
    )

MIGRATE_PLUGINS_API: Final = 1

NAME: Final = "qemu"

# What qemu.conf calls migration_port_min and migration_port_max.
PORTS: Final = (49152, 49215)

# Of the migration URI, by revision; libvirt took UNIX sockets in 6.8.0.
SCHEMES: Final = {
    Revision.ORIGINAL: ("tcp", "rdma"),
    Revision.CURRENT: ("tcp", "rdma", "unix"),
}

# What libvirt has grown since the document, and what the document's rules know nothing of.
_GROWN: Final = frozenset(
    {"tls", "tls_destination", "parallel", "parallel_connections", "postcopy", "timeout_postcopy"}
)
_ALL: Final = frozenset(option.field for option in OPTIONS)
# virDomainMigrate with the peer-to-peer flag has flags, a name and a bandwidth, no parameters.
_WITHOUT_PARAMETERS: Final = frozenset(
    option.field
    for option in OPTIONS
    if option.libvirt is None or option.libvirt.startswith("VIR_MIGRATE_")
) | {"dname", "bandwidth"}
_NOT_TUNNELLED: Final = frozenset(
    option.field for option in OPTIONS if "tunnelled" in option.excludes
) | {"parallel_connections", "tls_destination", "timeout_postcopy", "migrate_disks"}

_TRIED: Final = "libvirt 9.0.0, QEMU 7.2"
# What daemons of today are asked.  With a client that opens the destination too, peer-to-peer takes
# an older variant, and which one hangs on the URIs: the document's name stands for all of them.
_CALLS: Final = {
    "native-direct": "virDomainMigrate3",
    "native-p2p": "virDomainMigrateToURI3",
    "tunnelled-p2p": "virDomainMigrateToURI3",
}
_PEER2PEER: Final = ("native-p2p-client", "native-p2p")


def _offers(revision: Revision) -> dict[str, Offer]:
    options = _ALL if revision is Revision.CURRENT else _ALL - _GROWN
    few = options & _WITHOUT_PARAMETERS
    current = revision is Revision.CURRENT

    def offer(id_: str, honoured: frozenset[str], *, migration_uri: bool) -> Offer:
        test = f"tests/integration/test_scenarios.py, {id_}"
        call = _CALLS.get(id_, "") if current else ""
        return Offer(Claim(Basis.VERIFIED, test, _TRIED), honoured, migration_uri, call=call)

    return {
        "native-direct": offer("native-direct", options, migration_uri=True),
        "native-p2p-client": offer("native-p2p-client", few, migration_uri=current),
        "tunnelled-p2p-client": offer(
            "tunnelled-p2p-client", few - _NOT_TUNNELLED, migration_uri=False
        ),
        "native-p2p": offer("native-p2p", options, migration_uri=current),
        "tunnelled-p2p": offer("tunnelled-p2p", options - _NOT_TUNNELLED, migration_uri=False),
    }


@hookimpl
def migrate_driver() -> DriverInfo:
    return DriverInfo(
        name=NAME,
        title="QEMU and KVM",
        connection_schemes=("qemu",),
        migration_schemes=SCHEMES[Revision.CURRENT],
        control=LIBVIRT_CONTROL,
        example="qemu+ssh://desthost/system",
    )


@hookimpl
def migrate_capabilities(revision: Revision) -> Capabilities:
    return Capabilities(
        offers=_offers(revision),
        migration_schemes=SCHEMES[revision],
        protocol="QEMU migration stream",
        unwritten_uri="the destination makes one from its own host name and a free port of its"
        " range",
        encrypted=False,
        encryption="QEMU sends it as it is",
        encrypting_option="tls",
    )


@hookimpl
def migrate_port_rule() -> PortRule:
    first, last = PORTS
    return PortRule(
        first,
        last,
        ChosenBy.DESTINATION,
        "migration_port_min and migration_port_max of the destination's qemu.conf, by default",
    )


@hookimpl
def migrate_select_port(rule: PortRule, taken: frozenset[int]) -> int | None:
    return rule.lowest_free(taken)


@hookimpl
def migrate_uri() -> MigrationURI | None:
    return None  # the destination makes it, and only it knows which of its ports are free


@hookimpl
def migrate_read_uri(text: str, revision: Revision) -> MigrationURI:
    uri = MigrationURI.parse(text)
    known = SCHEMES[revision]
    if uri.scheme is None or uri.scheme.lower() not in known:
        part = "it has no scheme" if uri.scheme is None else f"its scheme is {uri.scheme!r}"
        hint = f"QEMU takes {', '.join(f'{scheme}://' for scheme in known)}"
        scheme = (uri.scheme or "").lower()
        if scheme in SCHEMES[Revision.CURRENT]:
            hint += f", and with --revision current {scheme}://"
        raise InvalidURIError(text, part=part, hint=f"{hint}, for example tcp://10.0.0.1/")
    if uri.scheme.lower() != "unix" and uri.host is None:
        raise InvalidURIError(text, part="it names no host", hint="give one: tcp://10.0.0.1/")
    return uri


@hookimpl
def migrate_commands(plan: Plan) -> Sequence[NativeCommand]:
    return [virsh_command(plan)]


@hookimpl
def migrate_connect(uri: str, ask: Ask | None) -> Session:
    from migrate_plugins_libvirt.session import (  # noqa: PLC0415 - imports libvirt
        LibvirtSession,
        connect,
    )

    return connect(uri, ask, LibvirtSession)


@hookimpl
def migrate_receiver(plan: Plan, facts: Facts, destination: Access) -> Receiver:
    from migrate_plugins_qemu.receiver import find_receiver  # noqa: PLC0415 - planning needs none

    return find_receiver(plan, facts, destination)


@hookimpl
def migrate_checks(
    plan: Plan, facts: Facts, source: Access, destination: Access, selection: Selection
) -> Sequence[Finding] | None:
    if plan.driver != NAME:
        return None
    from migrate_plugins_qemu.checks import check  # noqa: PLC0415 - planning needs none

    return check(plan, facts, source, destination, selection)


@hookimpl
def migrate_finding_kinds() -> Sequence[FindingKind]:
    from migrate_plugins_qemu.checks.kinds import KINDS  # noqa: PLC0415 - planning needs none

    return KINDS


@hookimpl
def migrate_diagnose(text: str, code: int | None, domain: int | None) -> Sequence[Diagnosis]:
    from migrate_plugins_qemu.diagnoses import CATALOGUE  # noqa: PLC0415 - planning needs none

    return CATALOGUE.diagnose(text, code, domain)


@hookimpl
def migrate_investigate(
    plan: Plan, error: MigrateError, source: Access, destination: Access
) -> Sequence[Diagnosis]:
    from migrate_plugins_qemu.investigation import investigate  # noqa: PLC0415 - seldom needed

    return investigate(plan, error, source, destination)
