"""Requests to ask a driver, made from what it says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from migrate_plugins import (
    OPTIONS,
    SCENARIOS,
    ConnectionURI,
    Kind,
    Need,
    Request,
    Revision,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Driver, PortRule

__all__ = ["HOSTS", "IPV6", "Samples"]

IPV6: Final = "2001:db8::7"
HOSTS: Final = ("desthost", "desthost.example.net", "192.0.2.7", IPV6, "::1")

# A value for each option that takes one; the others take True, this number or this text.
_VALUES: Final[dict[str, object]] = {
    "comp_methods": ("xbzrle",),
    "disks_port": 49500,
    "graphicsuri": "spice://desthost:5900",
    "listen_address": "192.0.2.7",
    "migrate_disks": ("vda", "vdb"),
    "parallel_connections": 2,
    "timeout": 300,
}
_BY_KIND: Final = {Kind.FLAG: True, Kind.NUMBER: 8, Kind.TEXT: "web1-there", Kind.NAMES: ("a",)}
_OPTIONS: Final = {option.field: option for option in OPTIONS}


class Samples(NamedTuple):
    """Requests for one driver.

    Attributes:
        driver: Whom they are for.
        given: A migration URI that its hypervisor takes, from the author, or None.
    """

    driver: Driver
    given: str | None = None

    def migration_uri(self, revision: Revision, scenario: str) -> str:
        """Give a migration URI that the hypervisor takes in a scenario."""
        if self.given is not None:
            return self.given
        return f"{self.driver.terms(revision, scenario).migration_schemes[0]}://desthost/"

    def connection(self, host: str) -> str:
        """Give a connection URI of *host*, in the form of the driver's own example."""
        return str(ConnectionURI.parse(self.driver.info.example)._replace(host=host))

    def request(self, scenario_id: str, revision: Revision, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - the fields of a request have many types
        """Give the fields of the smallest request for a scenario, and *more* of them."""
        scenario = SCENARIOS[scenario_id]
        fields: dict[str, Any] = {
            "guest": "web1",
            "source": self.connection("srchost"),
            "scenario": scenario_id,
            "revision": revision,
        }
        if scenario.destination.need is not Need.NOT_USED:
            fields["destination"] = self.connection("desthost")
        if scenario.migration.need is Need.COMPULSORY:
            fields["migration"] = self.migration_uri(revision, scenario_id)
        return fields | more

    def port_rules(self, revision: Revision) -> Iterator[PortRule]:
        """Give each rule for ports of a revision, once."""
        offers = self.driver.capabilities(revision).offers
        yield from dict.fromkeys(self.driver.port_rule(revision, each) for each in offers)

    def offered(self) -> Iterator[tuple[Revision, str]]:
        """Give every scenario that the driver offers, in both revisions."""
        for revision in Revision:
            for scenario_id in self.driver.capabilities(revision).offers:
                if scenario_id in SCENARIOS:
                    yield revision, scenario_id

    def requests(self) -> Iterator[Request]:
        """Give a request for each scenario and each option that the driver offers."""
        for revision, scenario_id in self.offered():
            yield Request(**self.request(scenario_id, revision))
            for field in sorted(self.driver.capabilities(revision).offers[scenario_id].options):
                yield Request(**self.request(scenario_id, revision, **self.option(field)))

    @staticmethod
    def option(field: str) -> dict[str, Any]:
        """Give an option a value, and each option that it needs."""
        fields: dict[str, Any] = {}
        missing = [field]
        while missing:
            name = missing.pop()
            option = _OPTIONS.get(name)
            if name not in fields and option is not None:
                fields[name] = _VALUES.get(name, _BY_KIND[option.kind])
                missing += option.needs
        return fields
