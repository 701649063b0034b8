"""The paths of a planned migration: its URIs, its port, and what crosses the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins.document import FIREWALL, PROTECTION, Need
from migrate_plugins.driver import policies
from migrate_plugins.model import ChosenBy, Flow, Seat, Transport
from migrate_plugins.options import SPELLING
from migrate_plugins.plan import Channel, PlannedPort, PlannedURI, URIs
from migrate_plugins.uris import ConnectionURI

if TYPE_CHECKING:
    from migrate_plugins.driver import Driver
    from migrate_plugins.model import Capabilities, Offer
    from migrate_plugins.plan import Plan
    from migrate_plugins.reading import Reading
    from migrate_plugins.uris import MigrationURI

__all__ = [
    "draw_channels",
    "held_towards",
    "name_receiver",
    "place_port",
    "place_uris",
    "usual_scheme",
]


def place_uris(reading: Reading) -> tuple[URIs, MigrationURI | None]:
    """Place each URI, with who reads it and why it is what it is."""
    request, scenario = reading.request, reading.scenario
    opened, migration = reading.opened, reading.migration
    destination_need, seat = scenario.destination
    alternative = request.migration if opened and migration is None else None
    if scenario.flow is Flow.MANAGED_PEER2PEER:
        seat = Seat.SOURCE
    if destination_need is Need.NOT_USED:
        because = f"{scenario.id} uses no destination daemon"
        destination = PlannedURI(None, seat, because)
        from_client = PlannedURI(None, Seat.CLIENT, because)
    else:
        destination = PlannedURI(
            alternative or request.destination,
            seat,
            "the alternative that was given: the source opens it with its own credentials"
            if alternative
            else "asked for; the source opens it with its own credentials"
            if seat is Seat.SOURCE
            else "asked for; the client opens it",
        )
        from_client = PlannedURI(
            request.destination,
            Seat.CLIENT,
            "the client takes part in the migration"
            if scenario.client_opens_destination
            else "to read the outcome back, where the client can",
        )
    if migration is not None:
        changed_by = reading.migration_changed_by
        because = f"asked for, changed by {policies(changed_by)}" if changed_by else "asked for"
    elif scenario.transport is Transport.TUNNELLED:
        because = "not used: memory travels inside the libvirt connection"
    else:
        host = opened.host or "localhost" if opened else ""
        scheme = usual_scheme(reading.capabilities, reading.offer)
        migration, changed_by = reading.driver.uri(request, host, None, scheme)
        because = reading.capabilities.unwritten_uri + _whose(reading, "unwritten_uri")
        if changed_by:
            because = f"{policies(changed_by)} gives it for {host}; without it: {because}"
    third = PlannedURI(None if migration is None else str(migration), Seat.SOURCE, because)
    source = PlannedURI(request.source, Seat.CLIENT, "asked for; where the guest runs")
    return URIs(source, destination, third, from_client), migration


def usual_scheme(capabilities: Capabilities, offer: Offer) -> str | None:
    """Tell the scheme to write a migration URI with, or None where none can name the receiver."""
    if not (offer.migration_uri and capabilities.uri_names_receiver):
        return None
    return next(iter(capabilities.migration_schemes), None)


def name_receiver(reading: Reading, migration: MigrationURI | None) -> str | None:
    """Name the host that receives the memory, where a URI does.

    The second URI tells it only for memory inside that connection: a destination that makes the
    third URI by itself puts its own name there, which may lie on another network.
    """
    if reading.scenario.transport is Transport.TUNNELLED:
        return (reading.opened and reading.opened.host) or "localhost"
    if migration is None or not reading.capabilities.uri_names_receiver:
        return None
    return migration.host or "localhost"


def held_towards(plan: Plan) -> str:
    """Name the host that a port is held towards: the receiver, or else that of the second URI."""
    second = plan.uris.destination.value
    opened = None if second is None else ConnectionURI.parse(second).host
    return plan.receiver or opened or "localhost"


def place_port(reading: Reading, migration: MigrationURI | None) -> PlannedPort:
    """Say which port receives the memory, as far as it is known, and who chooses it."""
    if reading.scenario.transport is Transport.TUNNELLED:
        return PlannedPort(None, None, None, ChosenBy.NOBODY, FIREWALL[Transport.TUNNELLED])
    if migration is not None:
        if migration.host is None:
            return PlannedPort(None, None, None, ChosenBy.NOBODY, "a UNIX socket has no port")
        if migration.port and reading.capabilities.uri_names_port:
            port = migration.port
            return PlannedPort(port, port, port, ChosenBy.REQUEST, "written in the migration URI")
    first, last, chosen_by, because, _ = reading.rule
    return PlannedPort(first if first == last else None, first, last, chosen_by, because)


def draw_channels(
    reading: Reading, uris: URIs, port: PlannedPort
) -> tuple[tuple[Channel, ...], Channel]:
    """Draw the control path leg by leg, and the path of the guest's memory."""
    driver, capabilities, scenario = reading.driver, reading.capabilities, reading.scenario
    ports = None if port.first is None or port.last is None else (port.first, port.last)
    option = capabilities.encrypting_option
    encrypted, because = capabilities.encrypted, capabilities.encryption
    if option is not None and getattr(reading.request, option):
        encrypted, because = True, f"{SPELLING[option]} encrypts it"
    if ports is None:
        encrypted, because = None, "a UNIX socket: nothing crosses the network"
    because += _whose(reading, "encrypted", "encryption", "encrypting_option", "protocol")
    data = Channel(
        Seat.SOURCE,
        Seat.DESTINATION,
        capabilities.protocol,
        ports,
        encrypted,
        f"{FIREWALL[Transport.NATIVE]}; {PROTECTION[Transport.NATIVE]}: {because}",
    )
    control = []
    for opened_by, towards, credentials in scenario.connections:
        if towards is Seat.SOURCE:
            text = uris.source.value
        elif opened_by is Seat.CLIENT:
            text = uris.destination_from_client.value
        else:
            text = uris.destination.value
        if text is None:
            control.append(data._replace(because=f"with {credentials} credentials; {because}"))
        else:
            control.append(
                _control(driver, opened_by, towards, credentials, reading.connections[text])
            )
    if scenario.transport is Transport.TUNNELLED:
        inside = control[-1]
        data = inside._replace(
            protocol=f"{capabilities.protocol} inside {inside.protocol}",
            because=f"{FIREWALL[Transport.TUNNELLED]}; {PROTECTION[Transport.TUNNELLED]}"
            + _whose(reading, "protocol"),
        )
    return tuple(control), data


def _whose(reading: Reading, *fields: str) -> str:
    """Name the policies that change *fields* of what the driver can do, if any."""
    names = reading.driver.capabilities_changed_by(reading.request.revision, *fields)
    return f" ({policies(names)})" if names else ""


def _control(
    driver: Driver, opened_by: Seat, towards: Seat, credentials: str, uri: ConnectionURI
) -> Channel:
    transport = (uri.transport or "").lower()
    if uri.host is None and transport in {"", "unix"}:
        return Channel(
            opened_by,
            towards,
            "UNIX socket",
            None,
            None,
            f"with {credentials} credentials; it does not leave the machine",
        )
    name, usual_port, encrypted = driver.info.control[transport]
    port = uri.port or usual_port
    because = f"{name} {'encrypts' if encrypted else 'is plain text'}"
    if driver.control_changed_by:
        because += f" ({policies(driver.control_changed_by)})"
    return Channel(
        opened_by,
        towards,
        name,
        None if port is None else (port, port),
        encrypted,
        f"with {credentials} credentials; {because}",
    )
