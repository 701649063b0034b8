"""Read a request by the rules: what it means, or every reason why it cannot be planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from migrate_plugins.document import Need, Scenario
from migrate_plugins.driver import policies
from migrate_plugins.errors import InvalidURIError, PlanError
from migrate_plugins.model import (
    Capabilities,
    ChosenBy,
    Offer,
    PortRule,
    Reason,
    Request,
    Revision,
    Transport,
)
from migrate_plugins.options import OPTIONS, as_own, conflicts, given_options, misgiven, own_options
from migrate_plugins.scenarios import choose_scenario
from migrate_plugins.uris import ConnectionURI, MigrationURI

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migrate_plugins.driver import Driver
    from migrate_plugins.registry import Registry

__all__ = ["Reading", "read"]


class Reading(NamedTuple):
    """What a request means.

    Attributes:
        request: What was asked for.
        driver: Whose guest it is.
        capabilities: What the driver can do under the revision asked for.
        offer: On what terms it offers the scenario.
        scenario: What the document says of the scenario.
        because: Why this scenario.
        opened: The destination as whoever controls the migration opens it, or None.
        migration: The third URI as it was given, or None.
        migration_changed_by: Names of the policies that read that otherwise.
        rule: Which ports of the destination receive the guest.
        connections: Each connection URI of the request, by its text.
        reasons: Against what was left out of the request: it was refused, and the rest is read.
    """

    request: Request
    driver: Driver
    capabilities: Capabilities
    offer: Offer
    scenario: Scenario
    because: str
    opened: ConnectionURI | None
    migration: MigrationURI | None
    migration_changed_by: tuple[str, ...]
    rule: PortRule
    connections: Mapping[str, ConnectionURI]
    reasons: tuple[Reason, ...] = ()


def read(registry: Registry, request: Request) -> Reading:
    """Read *request*.

    Raises:
        NoDriverError: No driver claims the source's scheme, so that no rules are known.
        PlanError: Every reason why it cannot be planned, where more is wrong than can be left out.
    """
    return _Reader(registry, request).read()


class _Reader:
    """One request being read: what is understood so far, and every reason against it."""

    def __init__(self, registry: Registry, request: Request) -> None:
        self._registry = registry
        self._request = request
        self._reasons: list[Reason] = list(registry.unmet)
        self._connections: dict[str, ConnectionURI] = {}
        self._migration_changed_by: tuple[str, ...] = ()
        self._left_out: dict[str, Any] = {}

    def read(self) -> Reading:
        request = self._request
        if not request.guest:
            self._refuse(
                "guest-missing", "no guest was named", "name one, such as web1", usage=True
            )
        if not _is_text(request.guest):
            self._refuse(
                "guest-unreadable",
                f"the guest's name {request.guest!r} is not UTF-8 text",
                "give it as the hypervisor lists it",
                usage=True,
            )
        source = self._source()
        scenario, because, reasons, possible = choose_scenario(request)
        self._reasons += reasons
        driver = self._driver(source)
        if driver is None:
            raise PlanError(self._reasons)
        if scenario is None:
            if request.destination is not None:
                self._destination(driver, request.destination)
            self._undecided(driver, possible)
            raise PlanError(self._reasons)
        offer = self._offer(driver, driver.capabilities(request.revision), scenario)
        destination, alternative, migration = self._destinations(driver, offer, scenario)
        self._options(driver, [scenario], [] if offer is None else [offer])
        rule = self._port_rule(driver, scenario)
        if offer is None or len(self._reasons) > len(self._left_out):
            raise PlanError(self._reasons)
        return Reading(
            request._replace(**self._left_out),
            driver,
            driver.terms(request.revision, scenario.id),
            offer,
            scenario,
            because + _whose(driver.offer_changed_by(request.revision, scenario.id)),
            alternative or destination,
            migration,
            self._migration_changed_by,
            rule,
            self._connections,
            tuple(self._reasons),
        )

    def _driver(self, source: ConnectionURI | None) -> Driver | None:
        """Find the driver by the source, else by the destination so as to know more reasons."""
        if source is not None:
            driver = self._registry.driver_for(source.driver)
            self._control_protocol(driver, source)
            return driver
        scheme = (self._request.destination or "").partition(":")[0].partition("+")[0]
        return self._registry.driver_for(scheme) if self._registry.claims(scheme) else None

    def _refuse(self, id_: str, text: str, instead: str, *, usage: bool = False) -> None:
        self._reasons.append(Reason(id_, text, instead, usage))

    def _leave_out(self, field: str) -> None:
        """Read on without *field*, which was refused for one reason: the rest can be judged."""
        self._left_out[field] = Request._field_defaults[field]

    def _source(self) -> ConnectionURI | None:
        if not self._request.source:
            self._refuse(
                "source-missing",
                "no source URI was given, and every migration needs the first URI",
                "give it with -c/--connect or in LIBVIRT_DEFAULT_URI",
                usage=True,
            )
            return None
        return self._connection("source", self._request.source)

    def _connection(self, which: str, text: str) -> ConnectionURI | None:
        try:
            uri = self._connections[text] = ConnectionURI.parse(text)
        except InvalidURIError as error:
            self._refuse(
                f"{which}-unreadable",
                f"the {which} URI {text!r} cannot be read: {error.part}",
                error.hint,
                usage=True,
            )
            return None
        return uri

    def _control_protocol(self, driver: Driver, uri: ConnectionURI) -> None:
        transport = (uri.transport or "").lower()
        if transport not in driver.info.control:
            known = sorted(filter(None, driver.info.control))
            self._refuse(
                "transport-unknown",
                f"{driver.info.name} has no connection transport {transport!r} (in {uri})"
                f"{_whose(driver.control_changed_by)}",
                f"it has {', '.join(known)}" if known else f"write {uri.driver}://",
                usage=True,
            )

    def _offer(
        self, driver: Driver, capabilities: Capabilities, scenario: Scenario
    ) -> Offer | None:
        offer = capabilities.offers.get(scenario.id)
        if offer is None:
            name, revision = driver.info.name, self._request.revision
            instead = f"{name} offers {_listing(capabilities.offers)}"
            other = _other(revision)
            if scenario.id in driver.capabilities(other).offers:
                instead += f"; --revision {other} allows it"
            whose = _whose(driver.capabilities_changed_by(revision))
            self._refuse(
                "scenario-not-offered",
                f"{name} does not offer {scenario.id} in revision {revision}{whose}",
                instead,
            )
        return offer

    def _destinations(
        self, driver: Driver, offer: Offer | None, scenario: Scenario
    ) -> tuple[ConnectionURI | None, ConnectionURI | None, MigrationURI | None]:
        """Read the second URI, the document's alternative to it, and the third."""
        request = self._request
        destination = alternative = migration = None
        if scenario.destination.need is Need.NOT_USED:
            if request.destination is not None:
                self._refuse(
                    "destination-not-used",
                    f"the destination URI {request.destination!r} was given, and {scenario.id}"
                    " has no destination daemon to connect to",
                    "give the migration URI alone",
                )
                self._leave_out("destination")
        elif request.destination is None:
            self._refuse(
                "destination-missing",
                f"no destination URI was given, and {scenario.id} needs the second URI",
                f"give the destination's connection URI, such as {driver.info.example}",
                usage=True,
            )
        else:
            destination = self._destination(driver, request.destination)
        if request.migration is not None:
            if scenario.alternative.need is Need.OPTIONAL and self._is_connection(
                request.migration
            ):
                alternative = self._destination(driver, request.migration)
            else:
                migration = self._migration(driver, offer, scenario, request.migration)
        elif scenario.migration.need is Need.COMPULSORY:
            usual = driver.terms(request.revision, scenario.id).migration_schemes[0]
            self._refuse(
                "migration-uri-missing",
                f"no migration URI was given, and {scenario.id} needs the third URI",
                f"give it, such as {usual}://desthost/",
                usage=True,
            )
        return destination, alternative, migration

    def _is_connection(self, text: str) -> bool:
        """Whether *text* is a connection URI, rather than hypervisor specific."""
        scheme = text.partition(":")[0].partition("+")[0]
        return self._registry.claims(scheme)

    def _destination(self, driver: Driver, text: str) -> ConnectionURI | None:
        uri = self._connection("destination", text)
        if uri is None:
            return None
        schemes = driver.info.connection_schemes
        if uri.driver.lower() not in schemes:
            wanted = " or ".join(f"{scheme}://" for scheme in schemes)
            if self._registry.claims(uri.driver):
                text = (
                    f"the destination {text!r} is another hypervisor's, and a guest of"
                    f" {driver.info.name} stays with {driver.info.name}"
                )
            else:
                text = f"the destination {text!r} is not a connection URI of {driver.info.name}"
            self._refuse(
                "destination-other-driver",
                text,
                f"give a destination of {wanted}, such as {driver.info.example}",
                usage=True,
            )
            return None
        self._control_protocol(driver, uri)
        return uri

    def _migration(
        self, driver: Driver, offer: Offer | None, scenario: Scenario, text: str
    ) -> MigrationURI | None:
        if scenario.transport is Transport.TUNNELLED:
            self._refuse(
                "migration-uri-tunnelled",
                f"the migration URI {text!r} was given, and tunnelled memory travels inside the"
                " libvirt connection",
                "leave it out, or leave out --tunnelled",
            )
            return None
        if offer is not None and not offer.migration_uri:
            revision = self._request.revision
            other = driver.capabilities(_other(revision)).offers.get(scenario.id)
            instead = "leave it out, or use managed direct (neither --p2p nor --direct)"
            if other is not None and other.migration_uri:
                instead += f"; --revision {_other(revision)} allows it"
            self._refuse(
                "migration-uri-not-used",
                f"the migration URI {text!r} was given, and {scenario.id} has no scope for one in"
                f" revision {revision}{_whose(driver.offer_changed_by(revision, scenario.id))}",
                instead,
            )
            return None
        try:
            uri, self._migration_changed_by = driver.read_uri_with_policies(
                text, self._request.revision
            )
        except InvalidURIError as error:
            part, hint = error.part, error.hint
            if self._is_connection(text):
                usual = driver.terms(self._request.revision, scenario.id).migration_schemes[0]
                part = "it is a connection URI, by which a daemon is opened"
                hint = f"give where the memory is to go, such as {usual}://desthost/"
            self._refuse(
                "migration-uri-unreadable",
                f"{driver.info.name} cannot read the migration URI {text!r}: {part}",
                hint,
                usage=True,
            )
            return None
        return uri

    def _undecided(self, driver: Driver, possible: Sequence[Scenario]) -> None:
        """Refuse what will not do in any of the scenarios that may be meant and that there are.

        Which URIs it takes, and from which ports, hangs on the scenario: nothing is said of them.
        """
        known = driver.capabilities(self._request.revision)
        offered = [scenario for scenario in possible if scenario.id in known.offers]
        for scenario in () if offered else possible:
            self._offer(driver, known, scenario)
        offers = [known.offers[scenario.id] for scenario in offered]
        self._options(driver, offered or possible, offers)
        self._readable_range()

    def _options(
        self, driver: Driver, scenarios: Sequence[Scenario], offers: Sequence[Offer]
    ) -> None:
        """Refuse the options that will not do in any of *scenarios*, on none of the terms."""
        request = self._request
        own = [*dict.fromkeys(option for offer in offers for option in offer.own)]
        if request.options and offers:
            self._reasons += misgiven(request, driver.info.name, own)
        given = given_options(request)
        if not given:
            return
        had = frozenset[str]().union(*(offer.options for offer in offers))
        lacking = frozenset(given) - had if offers else frozenset()
        where = " or ".join(scenario.id for scenario in scenarios)
        limits = "; ".join(dict.fromkeys(offer.limits for offer in offers if offer.limits))
        whose = _whose(driver.capabilities_changed_by(request.revision))
        free = [option for option in own if option.name not in own_options(request)]
        for option in OPTIONS:
            if option.field in lacking:
                name = option.spellings[0]
                ways = (
                    as_own(option, given[option.field], free),
                    _where_offered(driver, option.field, request.revision),
                )
                self._refuse(
                    "option-not-offered",
                    f"{driver.info.name} has no {name} in {where}, revision"
                    f" {request.revision}{whose}{f': {limits}' if limits else ''}",
                    "; ".join(filter(None, ways)) or f"leave out {name}",
                )
                self._leave_out(option.field)
        if all(scenario.transport is Transport.TUNNELLED for scenario in scenarios):
            given["tunnelled"] = True
        self._reasons += conflicts(given, lacking)

    def _port_rule(self, driver: Driver, scenario: Scenario) -> PortRule:
        rule = driver.port_rule(self._request.revision, scenario.id)
        wanted = self._request.port_range
        if wanted is None:
            return rule
        first, last = wanted
        whose = _whose(driver.port_rule_changed_by(self._request.revision, scenario.id))
        if self._readable_range() and (
            rule.chosen_by is not ChosenBy.US or scenario.transport is Transport.TUNNELLED
        ):
            self._refuse(
                "port-range-not-ours",
                f"--port-range was given, and with {driver.info.name} the port is not ours to"
                f" choose (chosen by: {rule.chosen_by}){whose}",
                "leave it out; a single port can be fixed in the migration URI",
            )
        return PortRule(first, last, rule.chosen_by, f"--port-range{whose}", rule.per_migration)

    def _readable_range(self) -> bool:
        """Whether the range of ports that was given, if any, is one; refuse it otherwise."""
        wanted = self._request.port_range
        if wanted is None or 1 <= wanted[0] <= wanted[1] <= 65535:  # noqa: PLR2004 - TCP's own limit
            return True
        self._refuse(
            "port-range",
            f"--port-range {wanted[0]}-{wanted[1]} is not a range of ports",
            "give FIRST-LAST within 1-65535",
            usage=True,
        )
        return False


def _whose(changed_by: Iterable[str]) -> str:
    """Name the policies that have changed what a driver offers, if any."""
    names = policies(changed_by)
    return f" (with {names})" if names else ""


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _listing(names: Iterable[str]) -> str:
    return ", ".join(names) or "no migration at all"


def _other(revision: Revision) -> Revision:
    return Revision.CURRENT if revision is Revision.ORIGINAL else Revision.ORIGINAL


def _where_offered(driver: Driver, field: str, revision: Revision) -> str | None:
    """Say in which scenarios an option can be had, in this revision or else the other."""
    for candidate in (revision, _other(revision)):
        scenarios = [
            id_
            for id_, offer in driver.capabilities(candidate).offers.items()
            if field in offer.options
        ]
        if scenarios:
            where = f"it can be had in {_listing(scenarios)}"
            return where if candidate is revision else f"{where} with --revision {candidate}"
    return None
