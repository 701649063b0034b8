"""The driver of hosts in memory: it offers everything, and moves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from migrate_plugins import (
    OPTIONS,
    SCENARIOS,
    Basis,
    Capabilities,
    ChosenBy,
    Claim,
    ControlProtocol,
    Diagnosis,
    DriverInfo,
    Finding,
    FindingKind,
    Flow,
    InvalidURIError,
    MigrationURI,
    NativeCommand,
    Offer,
    PortRule,
    Receiver,
    Remedy,
    Revision,
    Severity,
    Transport,
    __version__,
    hookimpl,
)
from migrate_plugins.testing.memory.hosts import MemoryHosts
from migrate_plugins.testing.memory.session import MemorySession

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Plan, Request, Session, Settings

__all__ = ["MemoryDriver"]

NAME: Final = "memory"
SCHEME: Final = "memmigr"
# Simulated as well; they lie behind those that libvirt and our drivers use.
PORTS: Final = (49400, 49463)

_CLAIM: Final = Claim(Basis.CODE, "simulated in memory", f"migrate-plugins {__version__}")
_NOTHING: Final = "simulated in memory: nothing is sent"
# There is no definition to read here, only a line of a table.
_OPTIONS: Final = frozenset(option.field for option in OPTIONS) - {"xml", "persistent_xml"}
_NOT_TUNNELLED: Final = frozenset(
    option.field
    for option in OPTIONS
    if "tunnelled" in option.excludes or {"tls", "parallel", "postcopy"} & {*option.needs}
)


class MemoryDriver:
    """A driver without a hypervisor; see :mod:`migrate_plugins.testing.memory`."""

    MIGRATE_PLUGINS_API: ClassVar = 1

    def __init__(
        self, settings: Settings | None = None, *, hosts: MemoryHosts | None = None
    ) -> None:
        """Use *hosts*, or a fresh pair."""
        del settings  # it takes none
        self._hosts: Final = hosts or MemoryHosts()

    @hookimpl
    def migrate_driver(self) -> DriverInfo:
        return DriverInfo(
            name=NAME,
            title="Hosts simulated in memory",
            connection_schemes=(NAME,),
            migration_schemes=(SCHEME,),
            control={"": ControlProtocol(_NOTHING, None, encrypted=True)},
            example=f"{NAME}://beta/",
        )

    @hookimpl
    def migrate_capabilities(self, revision: Revision) -> Capabilities:
        return Capabilities(
            offers={
                id_: Offer(
                    _CLAIM,
                    _OPTIONS - _NOT_TUNNELLED
                    if scenario.transport is Transport.TUNNELLED
                    else _OPTIONS,
                    migration_uri=_has_scope(id_, revision),
                )
                for id_, scenario in SCENARIOS.items()
            },
            migration_schemes=(SCHEME,),
            protocol=_NOTHING,
            unwritten_uri="made from the destination's host and the port that is held for it",
            encrypted=False,
            encryption="simulated, as if it were sent as it is",
            encrypting_option="tls",
        )

    @hookimpl
    def migrate_port_rule(self) -> PortRule:
        first, last = PORTS
        because = "simulated in memory: nobody listens there; --port-range sets another range"
        return PortRule(first, last, ChosenBy.US, because)

    @hookimpl
    def migrate_select_port(self, rule: PortRule, taken: frozenset[int]) -> int | None:
        return rule.lowest_free(taken)

    @hookimpl
    def migrate_uri(self, request: Request, host: str, port: int | None) -> MigrationURI | None:
        peer2peer = request.p2p or (
            request.scenario is not None
            and SCENARIOS[request.scenario].flow is Flow.MANAGED_PEER2PEER
        )
        if peer2peer and request.revision is Revision.ORIGINAL:
            return None  # the document has no scope for one
        return MigrationURI(SCHEME, host=host, port=port, path="/")

    @hookimpl
    def migrate_read_uri(self, text: str) -> MigrationURI:
        uri = MigrationURI.parse(text)
        hint = f"give {SCHEME}://HOST[:PORT]/, such as {SCHEME}://beta/"
        if uri.scheme is None or uri.scheme.lower() != SCHEME:
            part = "it has no scheme" if uri.scheme is None else f"its scheme is {uri.scheme!r}"
            raise InvalidURIError(text, part=part, hint=hint)
        if uri.host is None:
            raise InvalidURIError(text, part="it names no host", hint=hint)
        return uri

    @hookimpl
    def migrate_commands(self, plan: Plan) -> Sequence[NativeCommand]:
        del plan
        return [NativeCommand(NAME, None, "no tool moves what is only simulated in memory")]

    @hookimpl
    def migrate_connect(self, uri: str) -> Session:
        return MemorySession(self._hosts, uri)

    @hookimpl
    def migrate_receiver(self, plan: Plan) -> Receiver:
        return Receiver(plan.receiver, None, None, _NOTHING)

    @hookimpl
    def migrate_finding_kinds(self) -> Sequence[FindingKind]:
        return [FindingKind("simulated", Severity.WARNING, "nothing real moves")]

    @hookimpl
    def migrate_checks(self, plan: Plan) -> Sequence[Finding] | None:
        if plan.driver != NAME:
            return None
        text = "nothing real moves: both hosts are simulated in the memory of this process"
        return [Finding("simulated", Severity.WARNING, None, text)]

    @hookimpl
    def migrate_diagnose(self, text: str) -> Sequence[Diagnosis] | None:
        if not text.startswith("simulated:"):
            return None
        cause = "a fault that was asked for: of the URI's ?fault=, or of the hosts in memory"
        return [Diagnosis("fault-simulated", cause, (Remedy("leave the fault out"),), 1.0)]


def _has_scope(scenario: str, revision: Revision) -> bool:
    """Whether a scenario has scope for a migration URI."""
    rule = SCENARIOS[scenario]
    if rule.transport is Transport.TUNNELLED:
        return False
    return rule.flow is not Flow.MANAGED_PEER2PEER or revision is Revision.CURRENT
