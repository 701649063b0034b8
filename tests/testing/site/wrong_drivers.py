"""Drivers that are wrong on purpose, each in one way; the kit has to tell which.

They stand on the driver of hosts in memory, which is right, and offer less, so that a run is short.
"""

from __future__ import annotations

import builtins
import itertools
import shlex
import threading
from time import sleep
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from migrate_plugins import (
    Basis,
    Capabilities,
    Command,
    ConnectionURI,
    ControlProtocol,
    Diagnosis,
    DriverError,
    DriverInfo,
    DriverOption,
    Finding,
    FindingKind,
    GuestFacts,
    GuestState,
    HostFacts,
    InvalidURIError,
    Kind,
    Mend,
    MigrationURI,
    NativeCommand,
    Offer,
    PortRule,
    Reason,
    Receiver,
    Remedy,
    Revision,
    Setting,
    Severity,
    Statistics,
    hookimpl,
)
from migrate_plugins.testing import MemoryDriver, MemoryHosts
from migrate_plugins.testing.memory.hosts import Configuration
from migrate_plugins.testing.memory.migration import MemoryMigration
from migrate_plugins.testing.memory.session import MemorySession

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrate_plugins import Access, Event, Facts, Plan, Request, Session, Settings

OPTIONS = frozenset({"live", "suspend", "persistent", "undefine_source", "offline", "dname"})


class Right(MemoryDriver):
    """Nothing is wrong with this one."""

    SECONDS: ClassVar = 0.02
    SCENARIOS: ClassVar[dict[Revision, tuple[str, ...]]] = {
        Revision.ORIGINAL: ("native-direct", "tunnelled-p2p"),
        Revision.CURRENT: ("native-direct",),
    }

    def __init__(
        self, settings: Settings | None = None, *, hosts: MemoryHosts | None = None
    ) -> None:
        self.hosts = hosts or MemoryHosts(seconds=self.SECONDS)
        super().__init__(settings, hosts=self.hosts)

    @hookimpl
    def migrate_driver(self) -> DriverInfo:
        return self.info(super().migrate_driver())

    @hookimpl
    def migrate_capabilities(self, revision: Revision) -> Capabilities:
        found = super().migrate_capabilities(revision)
        offers = {
            id_: found.offers[id_]._replace(options=OPTIONS) for id_ in self.SCENARIOS[revision]
        }
        return self.capabilities(found._replace(offers=offers, encrypting_option=None))

    @hookimpl
    def migrate_connect(self, uri: str) -> Session:
        return MemorySession(self.hosts, uri)

    def info(self, info: DriverInfo) -> DriverInfo:
        return info._replace(name="wrong")

    def capabilities(self, capabilities: Capabilities) -> Capabilities:
        return capabilities


def with_offer(
    capabilities: Capabilities,
    scenario: str,
    **changes: Any,  # noqa: ANN401 - of as many types as an offer has fields
) -> Capabilities:
    """Change one offer."""
    offer = capabilities.offers.get(scenario)
    if offer is None:
        return capabilities
    offers = {**capabilities.offers, scenario: offer._replace(**changes)}
    return capabilities._replace(offers=offers)


# --- who it is -----------------------------------------------------------------------------------


class _Missing:
    def __get__(self, instance: object, owner: type | None = None) -> int:
        raise AttributeError("MIGRATE_PLUGINS_API")


class Undeclared(Right):
    """Does not say for which edition of the contract it was written."""

    MIGRATE_PLUGINS_API: ClassVar = _Missing()


class Noisy(Right):
    """Is found to print when it is imported."""


class Slow(Right):
    """Is found to be imported slowly, which is right."""


class Configured(Right):
    """Takes no part without its settings, which is right."""

    SETTINGS: ClassVar = (Setting("token", Kind.TEXT, "what the cloud knows us by"),)

    def __init__(self, settings: Settings) -> None:
        if not settings.values["token"]:
            raise ValueError("it has no token; give the one of the cloud")
        super().__init__(settings)


class WithoutURI(Right):
    """Leaves a hook of planning out."""

    migrate_uri: ClassVar = None  # type: ignore[assignment]


class Untitled(Right):
    """Has no title."""

    def info(self, info: DriverInfo) -> DriverInfo:
        return super().info(info)._replace(title="")


class ExampleWithoutHost(Right):
    """Shows a destination that is none."""

    def info(self, info: DriverInfo) -> DriverInfo:
        return super().info(info)._replace(example="memory:///")


class NamelessTransport(Right):
    """Has a connection transport without a name."""

    def info(self, info: DriverInfo) -> DriverInfo:
        return super().info(info)._replace(control={"": ControlProtocol("", None, encrypted=True)})


class _AnyTransport(dict[str, ControlProtocol]):
    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> ControlProtocol:
        return ControlProtocol(key, 1, encrypted=True)


class AnyTransport(Right):
    """Claims every connection transport there may be."""

    def info(self, info: DriverInfo) -> DriverInfo:
        return super().info(info)._replace(control=_AnyTransport(info.control))


class Heavy(Right):
    """Imports its client library to plan."""

    @hookimpl
    def migrate_commands(self) -> Sequence[NativeCommand]:  # type: ignore[override]
        import client_library  # type: ignore[import-not-found]  # noqa: PLC0415 - it is the fault

        return [NativeCommand(client_library.__name__, None, "it moves nothing")]


# --- what it can do ------------------------------------------------------------------------------


class WrongCapabilities(Right):
    """Names its options in a set that anybody may change."""

    def capabilities(self, capabilities: Capabilities) -> Capabilities:
        return with_offer(capabilities, "native-direct", options={"live"})


class UnknownScenario(Right):
    """Offers a scenario that the document has not."""

    def capabilities(self, capabilities: Capabilities) -> Capabilities:
        offer = capabilities.offers["native-direct"]
        return capabilities._replace(offers={**capabilities.offers, "teleport": offer})


class SetsApartWhatIsNotOffered(Right):
    """Has terms for a scenario that it does not offer."""

    def capabilities(self, capabilities: Capabilities) -> Capabilities:
        return capabilities._replace(apart={"teleport": capabilities})


class SpeechlessApart(Right):
    """Does not say what travels in one of its scenarios."""

    def capabilities(self, capabilities: Capabilities) -> Capabilities:
        return capabilities._replace(apart={"native-direct": capabilities._replace(protocol="")})


class ClaimWithoutReference(Right):
    """Claims without saying where to look it up."""

    def capabilities(self, capabilities: Capabilities) -> Capabilities:
        claim = capabilities.offers["native-direct"].claim._replace(reference="")
        return with_offer(capabilities, "native-direct", claim=claim)


class ClaimWithoutVersion(Right):
    """Claims to have been tried, and does not say with what."""

    def capabilities(self, capabilities: Capabilities) -> Capabilities:
        claim = capabilities.offers["native-direct"].claim
        claim = claim._replace(basis=Basis.VERIFIED, version=None)
        return with_offer(capabilities, "native-direct", claim=claim)


class Speechless(Right):
    """Does not say what travels."""

    def capabilities(self, capabilities: Capabilities) -> Capabilities:
        return capabilities._replace(protocol=" ")


class OptionWithoutItsNeed(Right):
    """Offers an option, and not the one without which it means nothing."""

    def capabilities(self, capabilities: Capabilities) -> Capabilities:
        return with_offer(capabilities, "native-direct", options=OPTIONS | {"timeout_suspend"})


class TunnelledMigrationURI(Right):
    """Takes a migration URI where memory travels inside the connection."""

    def capabilities(self, capabilities: Capabilities) -> Capabilities:
        return with_offer(capabilities, "tunnelled-p2p", migration_uri=True)


class _AllOptions(frozenset[str]):
    def __contains__(self, field: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(OPTIONS)


class LyingOptions(Right):
    """Tells whoever lists its options something else than whoever asks for one."""

    def capabilities(self, capabilities: Capabilities) -> Capabilities:
        return with_offer(capabilities, "native-direct", options=_AllOptions(OPTIONS))


class OptionsOfOneName(Right):
    """Has two options of its own under one name."""

    def capabilities(self, capabilities: Capabilities) -> Capabilities:
        own = tuple(DriverOption("pool", text, "POOL") for text in ("where to", "how much"))
        return with_offer(capabilities, "native-direct", own=own)


class _AllScenarios(dict[str, Offer]):
    def get(self, key: str, default: object = None) -> Any:  # noqa: ANN401 - as a dictionary does
        return super().get(key, default or self["native-direct"])


class LyingOffers(Right):
    """Tells whoever lists its scenarios something else than whoever asks for one."""

    def capabilities(self, capabilities: Capabilities) -> Capabilities:
        return capabilities._replace(offers=_AllScenarios(capabilities.offers))


# --- ports ---------------------------------------------------------------------------------------


class PortsFromNowhere(Right):
    """Does not say where its ports come from."""

    @hookimpl
    def migrate_port_rule(self) -> PortRule:
        return super().migrate_port_rule()._replace(because="")


class TakenPorts(Right):
    """Hands out a port that somebody has."""

    @hookimpl
    def migrate_select_port(self, rule: PortRule, taken: frozenset[int]) -> int | None:
        return rule.first if len(taken) < rule.last - rule.first + 1 else None


class TwoPorts(Right):
    """Takes two ports that lie together, which is right."""

    @hookimpl
    def migrate_port_rule(self) -> PortRule:
        return super().migrate_port_rule()._replace(per_migration=2)

    @hookimpl
    def migrate_select_port(self, rule: PortRule, taken: frozenset[int]) -> int | None:
        pairs = ((port, port + 1) for port in range(rule.first, rule.last))
        return next((pair[0] for pair in pairs if taken.isdisjoint(pair)), None)


class TakenPairs(TwoPorts):
    """Takes two ports, and hands out some that somebody has."""

    @hookimpl
    def migrate_select_port(self, rule: PortRule, taken: frozenset[int]) -> int | None:
        return rule.first if len(taken) < rule.last - rule.first else None


class LastPortForgotten(Right):
    """Never hands out the last port of a range."""

    @hookimpl
    def migrate_select_port(self, rule: PortRule, taken: frozenset[int]) -> int | None:
        return rule.lowest_free(taken | {rule.last})


class PortsByTurns(Right):
    """Remembers which port it handed out last."""

    turn: ClassVar = itertools.count()

    @hookimpl
    def migrate_select_port(self, rule: PortRule, taken: frozenset[int]) -> int | None:
        free = [port for port in range(rule.first, rule.last + 1) if port not in taken]
        return free[next(self.turn) % len(free)] if free else None


# --- URIs ----------------------------------------------------------------------------------------


class OtherHost(Right):
    """Writes another host into the migration URI."""

    @hookimpl
    def migrate_uri(self, request: Request, host: str, port: int | None) -> MigrationURI | None:
        uri = super().migrate_uri(request, host, port)
        return uri and uri._replace(host=f"{host.partition(':')[0]}x")


class PortNotWritten(Right):
    """Does not tell the port that is held."""

    @hookimpl
    def migrate_uri(self, request: Request, host: str) -> MigrationURI | None:  # type: ignore[override]
        return super().migrate_uri(request, host, None)


class CountingURI(Right):
    """Writes each migration URI otherwise."""

    count: ClassVar = itertools.count()

    @hookimpl
    def migrate_uri(self, request: Request, host: str, port: int | None) -> MigrationURI | None:
        uri = super().migrate_uri(request, host, port)
        return uri and uri._replace(query=f"n={next(self.count)}")


class URIWithoutScope(Right):
    """Writes a migration URI for an offer that takes none."""

    def capabilities(self, capabilities: Capabilities) -> Capabilities:
        return with_offer(capabilities, "native-direct", migration_uri=False)


class LosingReader(Right):
    """Loses a part of what it reads."""

    @hookimpl
    def migrate_read_uri(self, text: str) -> MigrationURI:
        return super().migrate_read_uri(text)._replace(query=None)


class ReaderWithoutIPv6(Right):
    """Does not read an IPv6 address."""

    @hookimpl
    def migrate_read_uri(self, text: str) -> MigrationURI:
        uri = super().migrate_read_uri(text)
        if ":" in (uri.host or ""):
            raise InvalidURIError(text, part="its host has colons", hint="give a name")
        return uri


class ReaderWithoutHint(Right):
    """Refuses a migration URI without a hint."""

    @hookimpl
    def migrate_read_uri(self, text: str) -> MigrationURI:
        try:
            return super().migrate_read_uri(text)
        except InvalidURIError as error:
            raise InvalidURIError(text, part=error.part, hint="") from error


class ForeignError(Right):
    """Refuses some migration URIs by an error of its own."""

    @hookimpl
    def migrate_read_uri(self, text: str) -> MigrationURI:
        text.encode("ascii")
        return super().migrate_read_uri(text)


# --- planning and commands -----------------------------------------------------------------------


class RefusingURI(Right):
    """Cannot write the migration URI that a plan needs."""

    @hookimpl
    def migrate_uri(self, request: Request, host: str, port: int | None) -> MigrationURI | None:
        if port is None:
            raise LookupError("no port, no URI")
        return super().migrate_uri(request, host, port)


class ReadsFiles(Right):
    """Reads a file to plan."""

    @hookimpl
    def migrate_commands(self, plan: Plan) -> Sequence[NativeCommand]:
        with builtins.open(__file__, encoding="utf-8"):  # noqa: PTH123 - as a beginner would
            return super().migrate_commands(plan)


class CommandsInALine(Right):
    """Puts a command together as a shell would read it."""

    @hookimpl
    def migrate_commands(self, plan: Plan) -> Sequence[NativeCommand]:
        return [NativeCommand("mover", tuple(f"mover {plan.guest}".split()))]


class EncodesNames(Right):
    """Writes the guest's name as a URL wants it, which is right."""

    @hookimpl
    def migrate_commands(self, plan: Plan) -> Sequence[NativeCommand]:
        return [NativeCommand("curl", ("curl", f"/guests/{quote(plan.guest, safe='')}/move"))]


class QuotesNames(Right):
    """Writes the guest's name as a shell on another machine wants it, which is right."""

    @hookimpl
    def migrate_commands(self, plan: Plan) -> Sequence[NativeCommand]:
        return [NativeCommand("ssh", ("ssh", "srchost", f"mover {shlex.quote(plan.guest)}"))]


class RefusesNames(Right):
    """Says which names its tool cannot take, which is right."""

    reason: ClassVar = "mover takes no name but of letters and digits"

    @hookimpl
    def migrate_commands(self, plan: Plan) -> Sequence[NativeCommand]:
        if not (plan.guest.isascii() and plan.guest.isalnum()):
            return [NativeCommand("mover", None, self.reason)]
        return [NativeCommand("mover", ("mover", plan.guest))]


class UnsaidWithoutReason(RefusesNames):
    """Leaves out a command, and does not say why."""

    reason: ClassVar = " "


class CommandsInAList(Right):
    """Gives arguments that may be changed."""

    @hookimpl
    def migrate_commands(self, plan: Plan) -> Sequence[NativeCommand]:
        return [NativeCommand("mover", ["mover", plan.guest])]  # type: ignore[arg-type]


class NoArguments(Right):
    """Gives a command of no words."""

    @hookimpl
    def migrate_commands(self) -> Sequence[NativeCommand]:  # type: ignore[override]
        return [NativeCommand("mover", ())]


class BareAddress(Right):
    """Writes an IPv6 address into a URI without its brackets."""

    @hookimpl
    def migrate_commands(self, plan: Plan) -> Sequence[NativeCommand]:
        there = ConnectionURI.parse(plan.uris.destination.value or "").host
        return [NativeCommand("mover", ("mover", f"tcp://{there}"))]


class CountingCommands(Right):
    """Gives other commands each time."""

    count: ClassVar = itertools.count()

    @hookimpl
    def migrate_commands(self) -> Sequence[NativeCommand]:  # type: ignore[override]
        return [NativeCommand("mover", ("mover", "--turn", str(next(self.count))))]


# --- what anyone may answer ----------------------------------------------------------------------


class RefusalsByTurns(Right):
    """Refuses every other time it is asked."""

    turn: ClassVar = itertools.count()

    @hookimpl
    def migrate_refuse(self) -> Sequence[Reason] | None:
        if next(self.turn) % 2:
            return None
        return [Reason("no-migrations", "today nothing moves", "come tomorrow")]


class FindingWithoutId(Right):
    """Gives a finding that nobody can accept by its id."""

    @hookimpl
    def migrate_checks(self, plan: Plan) -> Sequence[Finding]:
        return [Finding("Not An Id", Severity.INFO, None, f"{plan.guest} is a fine guest")]


class FindingOfNoKind(Right):
    """Gives a finding that its own list of kinds does not have."""

    @hookimpl
    def migrate_checks(self, plan: Plan) -> Sequence[Finding]:
        return [Finding("unheard-of", Severity.INFO, None, f"{plan.guest} is a fine guest")]


class GraverThanListed(Right):
    """Blocks with what it lists as a note."""

    @hookimpl
    def migrate_finding_kinds(self) -> Sequence[FindingKind]:
        return [FindingKind("odd", Severity.INFO, "it is nothing")]

    @hookimpl
    def migrate_checks(self, plan: Plan) -> Sequence[Finding]:
        return [Finding("odd", Severity.WARNING, None, f"{plan.guest} looks odd")]


class KindsTwice(Right):
    """Lists a kind twice."""

    @hookimpl
    def migrate_finding_kinds(self) -> Sequence[FindingKind]:
        return [*super().migrate_finding_kinds(), *super().migrate_finding_kinds()]


class ForesightByTurns(Right):
    """Sees something in a plan every other time it is asked."""

    turn: ClassVar = itertools.count()

    @hookimpl
    def migrate_foresee(self, plan: Plan) -> Sequence[Finding]:
        found = Finding("simulated", Severity.WARNING, None, f"{plan.guest} looks odd")
        return [found] * (next(self.turn) % 2)


class ReceiverOfHalfARange(Right):
    """Says where the range of ports begins, and not where it ends."""

    @hookimpl
    def migrate_receiver(self, plan: Plan) -> Receiver:
        return Receiver(plan.receiver, 49152, None, "a lapse")


class CheckWithoutGuest(Right):
    """Takes it that a guest is always there."""

    @hookimpl
    def migrate_checks(self, plan: Plan, facts: Facts) -> Sequence[Finding]:  # type: ignore[override]
        assert facts.guest is not None
        return super().migrate_checks(plan) or ()


class DiagnosisOfASCII(Right):
    """Explains errors in one script alone."""

    @hookimpl
    def migrate_diagnose(self, text: str) -> Sequence[Diagnosis] | None:
        text.encode("ascii")
        return None


class InvestigatorWithKeys(Right):
    """Takes it that each destination can be looked at."""

    @hookimpl
    def migrate_investigate(self, destination: Access) -> Sequence[Diagnosis]:
        cause = f"{destination.session.host().name} may be full"  # type: ignore[union-attr]
        return [Diagnosis("host-full", cause, (Remedy("df"),), 0.1)]


class BusyObserver(Right):
    """Takes it that each event has a text."""

    @hookimpl
    def migrate_observe(self, event: Event) -> None:
        len(event.text)  # type: ignore[arg-type]


class CommandOfNothing(Right):
    """Adds a command whose module cannot be called."""

    @hookimpl
    def migrate_cli(self) -> Sequence[Command]:
        return [Command("nothing", "does nothing", "client_library")]


# --- running -------------------------------------------------------------------------------------


class WrongSession(MemorySession):
    """A session of one of the drivers below."""

    Migration: ClassVar = MemoryMigration

    def start(self, plan: Plan, destination: Session | None) -> MemoryMigration:
        migration = super().start(plan, destination)
        migration.__class__ = self.Migration
        return migration


class Running(Right):
    """A driver whose sessions are wrong."""

    Session: ClassVar[Any] = MemorySession
    SCENARIOS: ClassVar = {Revision.ORIGINAL: ("native-direct",), Revision.CURRENT: ()}

    @hookimpl
    def migrate_connect(self, uri: str) -> Any:  # noqa: ANN401 - the session of each
        return self.Session(self.hosts, uri)


class ForeignConnectError(Running):
    """Lets an error of the client library through where a host cannot be opened."""

    @hookimpl
    def migrate_connect(self, uri: str) -> Any:  # noqa: ANN401 - as above
        if "alpha" not in uri and "beta" not in uri:
            raise OSError("connection refused")
        return super().migrate_connect(uri)


class ClosesOnce(Running):
    """Cannot be closed again."""

    class Session(WrongSession):
        closed = False

        def close(self) -> None:
            if self.closed:
                raise DriverError("closing", problem="it is closed")
            self.closed = True


class NamelessHost(Running):
    """Has hosts without a name."""

    class Session(WrongSession):
        def host(self) -> HostFacts:
            return super().host()._replace(name="")


class NoUUIDs(Running):
    """Does not find a guest by its uuid."""

    class Session(WrongSession):
        def guest_by_uuid(self, uuid: str) -> GuestFacts | None:
            return self.guest(uuid)


class UnknownGuestRaises(Running):
    """Takes a guest that is not there for a failure."""

    class Session(WrongSession):
        def guest(self, name: str) -> GuestFacts | None:
            if name == "no-such-guest":
                raise DriverError("reading", problem="no such guest")
            return super().guest(name)


class OneThreadAlone(Running):
    """Cannot be asked from two threads at once."""

    class Session(WrongSession):
        def guest(self, name: str) -> GuestFacts | None:
            lock: threading.Lock = self.__dict__.setdefault("lock", threading.Lock())
            if not lock.acquire(blocking=False):
                raise DriverError("reading", problem="somebody else is reading")
            sleep(0.001)
            lock.release()
            return super().guest(name)


class OtherGuestArrives(Running):
    """Makes another guest of the same name on the destination."""

    class Session(WrongSession):
        class Migration(MemoryMigration):
            def _arrive(self) -> None:
                super()._arrive()
                there = self._move.target.active
                if self._move.name in there:
                    there[self._move.name] = there[self._move.name]._replace(uuid="another")


class CancelIgnored(Running):
    """Does not stop when it is asked to."""

    class Session(WrongSession):
        class Migration(MemoryMigration):
            def cancel(self) -> None:
                pass


class StaysPaused(Running):
    """Leaves the guest paused where a transfer broke."""

    class Session(WrongSession):
        class Migration(MemoryMigration):
            def _stay(self) -> None:
                super()._stay()
                here, name = self._move.source.active, self._move.guest.name
                if name in here and not self._cancelled:
                    here[name] = here[name]._replace(state=GuestState.PAUSED)


class WordlessError(Running):
    """Says that it failed, and not how."""

    class Session(WrongSession):
        class Migration(MemoryMigration):
            def result(self) -> None:
                if self._problem is not None:
                    raise DriverError("migrating", problem="")


class StatisticsInFractions(Running):
    """Counts bytes in fractions."""

    SECONDS: ClassVar = 0.3

    class Session(WrongSession):
        class Migration(MemoryMigration):
            def statistics(self) -> Statistics | None:
                told = super().statistics()
                return told and told._replace(rate=0.5)  # type: ignore[arg-type]


class MoreThanAll(Running):
    """Is done by more than a hundred per cent."""

    SECONDS: ClassVar = 0.3

    class Session(WrongSession):
        class Migration(MemoryMigration):
            def statistics(self) -> Statistics | None:
                told = super().statistics()
                return told and told._replace(percent=130.0)


class ShrinkingStatistics(Running):
    """Takes back what it sent."""

    class Session(WrongSession):
        class Migration(MemoryMigration):
            count: ClassVar = itertools.count()

            def statistics(self) -> Statistics | None:
                told = super().statistics()
                return told and told._replace(transferred=1000 - next(self.count))


class CheckThatChanges(Running):
    """Stores a configuration while it is only to look."""

    @hookimpl
    def migrate_checks(self, plan: Plan) -> Sequence[Finding] | None:
        here = self.hosts["alpha"]
        if plan.guest in here.active:
            here.configurations[plan.guest] = Configuration("stored", 1)
        return super().migrate_checks(plan)


class _Forgets(WrongSession):
    forgotten: ClassVar[dict[str, Any]] = {}

    def start(self, plan: Plan, destination: Session | None) -> MemoryMigration:
        request = plan.request._replace(**self.forgotten)
        return super().start(plan._replace(request=request), destination)


class LeavesADefinition(Running):
    """Stores a configuration on the source, where the client does not see the destination."""

    SCENARIOS: ClassVar = {Revision.ORIGINAL: ("native-unmanaged",), Revision.CURRENT: ()}

    class Session(WrongSession):
        class Migration(MemoryMigration):
            def _arrive(self) -> None:
                super()._arrive()
                self._move.source.configurations[self._move.guest.name] = Configuration("left", 1)


class SuspendForgotten(Running):
    """Starts a guest that was to stay paused."""

    class Session(_Forgets):
        forgotten: ClassVar = {"suspend": False}


class NameForgotten(Running):
    """Keeps the name of a guest that was to get another one."""

    class Session(_Forgets):
        forgotten: ClassVar = {"dname": None}


class UndefineForgotten(Running):
    """Keeps a configuration that was to be removed."""

    class Session(_Forgets):
        forgotten: ClassVar = {"undefine_source": False}


class DefinitionForgotten(Running):
    """Does nothing for a guest that is shut off."""

    class Session(WrongSession):
        class Migration(MemoryMigration):
            def _arrive(self) -> None:
                if not self._move.request.offline:
                    super()._arrive()


# --- the way back --------------------------------------------------------------------------------


class NoWayBack(Running):
    """Neither adopts nor mends, which is right."""

    class Session(WrongSession):
        adopt: ClassVar = None  # type: ignore[assignment]
        mend: ClassVar = None  # type: ignore[assignment]
        mend_command: ClassVar = None  # type: ignore[assignment]


class HalfAWayBack(Running):
    """Adopts, and does not mend."""

    class Session(WrongSession):
        mend: ClassVar = None  # type: ignore[assignment]


class AdoptsNothing(Running):
    """Does not find what another session began."""

    class Session(WrongSession):
        def adopt(self, name: str) -> MemoryMigration | None:
            del name
            return None


class AdoptsWhatIsOver(Running):
    """Takes a guest that is at rest for one that migrates."""

    class Session(WrongSession):
        last: ClassVar[list[MemoryMigration]] = []

        def adopt(self, name: str) -> MemoryMigration | None:
            found = super().adopt(name)
            if found is not None:
                self.last.append(found)
            return found or (self.last[-1] if self.last else None)


class _Skips(WrongSession):
    skipped: ClassVar[Mend]

    def mend(self, step: Mend, guest: GuestFacts) -> None:
        if step is not self.skipped:
            super().mend(step, guest)


class DefineForgotten(Running):
    """Does not store a configuration."""

    class Session(_Skips):
        skipped: ClassVar = Mend.DEFINE


class ResumeForgotten(Running):
    """Does not resume."""

    class Session(_Skips):
        skipped: ClassVar = Mend.RESUME


class DestroyForgotten(Running):
    """Does not end a copy."""

    class Session(_Skips):
        skipped: ClassVar = Mend.DESTROY


class DestroyThorough(Running):
    """Removes the configuration with the copy."""

    class Session(WrongSession):
        def mend(self, step: Mend, guest: GuestFacts) -> None:
            super().mend(step, guest)
            if step is Mend.DESTROY:
                self._host.configurations.pop(guest.name, None)


class MendsBlindly(Running):
    """Does not look whether the guest is still as it was."""

    class Session(WrongSession):
        def mend(self, step: Mend, guest: GuestFacts) -> None:
            super().mend(step, self.guest(guest.name) or guest)


class CommandOfTwoLines(Running):
    """Gives commands that cannot be copied in one go."""

    class Session(WrongSession):
        def mend_command(self, step: Mend, guest: GuestFacts) -> str | None:
            return f"{step}\n{guest.name}"
