"""Migration URIs: written, read, and not a character lost."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from migrate_plugins import (
    SCENARIOS,
    ChosenBy,
    Driver,
    InvalidURIError,
    MigrationURI,
    Request,
    Revision,
    Transport,
)
from migrate_plugins.testing.conformance.cases import each_revision
from migrate_plugins.testing.conformance.rules import about
from migrate_plugins.testing.conformance.samples import HOSTS, IPV6, Samples
from migrate_plugins.testing.conformance.shape import misfits
from migrate_plugins.testing.conformance.subject import DriverSubject

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["URIs"]

_TRIALS: Final = 200
_SEED: Final = 1
_LETTERS: Final = "ab9:/?#[]@%.,+- \té漢\u202e\x00" + "desthost"


class URIs(DriverSubject):
    """Checks of the migration URI."""

    @each_revision
    @about("migrate_uri")
    def test_written_uri_names_host_and_port(
        self, driver: Driver, samples: Samples, revision: Revision
    ) -> None:
        """A migration URI that a driver writes has the host and the port it was told."""
        for request, host, port, uri in self._written(driver, samples, revision):
            terms = driver.terms(revision, request.scenario or "")
            assert [*misfits(uri, MigrationURI)] == []
            assert (uri.host, uri.port) == (host, port), str(uri)
            assert uri.scheme in terms.migration_schemes, str(uri)

    @each_revision
    @about("migrate_uri", "migrate_port_rule")
    def test_held_port_reaches_the_uri(
        self, driver: Driver, samples: Samples, revision: Revision
    ) -> None:
        """Where migrate-plugins choose the port, the driver writes it into a migration URI."""
        offers = driver.capabilities(revision).offers
        rules = {
            request: driver.port_rule(revision, request.scenario or "")
            for request in _native(samples, revision)
            if offers[request.scenario or ""].migration_uri  # elsewhere there is no scope for one
        }
        held = {each: rule for each, rule in rules.items() if rule.chosen_by is ChosenBy.US}
        if not held:
            others = ", ".join(sorted({rule.chosen_by for rule in rules.values()}))
            pytest.skip(f"with {self.name} the port is chosen by: {others or 'nobody'}")
        for request, rule in held.items():
            uri = driver.uri(request, "desthost", rule.first)[0]
            assert uri is not None, f"{rule.first} is held, and nobody is told"
            assert uri.port == rule.first

    @each_revision
    @about("migrate_uri", "migrate_read_uri")
    def test_written_uri_is_read_back(
        self, driver: Driver, samples: Samples, revision: Revision
    ) -> None:
        """A driver reads each migration URI that it writes, an IPv6 address in its brackets."""
        for _, host, _, uri in self._written(driver, samples, revision):
            assert driver.read_uri(str(uri), revision) == uri
            assert (f"[{host}]" in str(uri)) == (":" in host), str(uri)

    @each_revision
    @about("migrate_uri")
    def test_writing_a_uri_is_pure(
        self, driver: Driver, samples: Samples, revision: Revision
    ) -> None:
        """The same destination, the same migration URI."""
        for request in _native(samples, revision):
            for port in (None, 49300):
                answers = {driver.uri(request, "desthost", port)[0] for _ in range(3)}
                assert len(answers) == 1, f"three answers to one question: {answers}"

    @each_revision
    @about("migrate_read_uri")
    def test_reading_a_uri_loses_nothing(
        self, driver: Driver, samples: Samples, revision: Revision
    ) -> None:
        """A migration URI that is read is, as text, what was given."""
        text = samples.migration_uri(revision, self._takes_a_migration_uri(driver, revision))
        sample = driver.read_uri(text, revision)
        assert [*misfits(sample, MigrationURI)] == []
        assert str(sample) == text
        for variant in _variants(sample):
            read = _read(driver, variant, revision)
            assert read is None or str(read) == variant

    @each_revision
    @about("migrate_read_uri")
    def test_ipv6_destination_is_read(
        self, driver: Driver, samples: Samples, revision: Revision
    ) -> None:
        """An IPv6 address in brackets is read as the host, and written with brackets again."""
        scenario = self._takes_a_migration_uri(driver, revision)
        sample = MigrationURI.parse(samples.migration_uri(revision, scenario))
        if sample.host is None:
            pytest.skip(f"a migration URI of {self.name} names no host: {sample}")
        text = str(sample._replace(host=IPV6))
        uri = driver.read_uri(text, revision)
        assert (uri.host, str(uri)) == (IPV6, text)
        assert f"[{IPV6}]" in text

    @each_revision
    @about("migrate_read_uri")
    def test_unreadable_uri_is_refused(self, driver: Driver, revision: Revision) -> None:
        """A migration URI that cannot be read is refused with the part and with what would work."""
        scheme = driver.capabilities(revision).migration_schemes[0]
        for text in (
            "",
            "dest host",
            "nonsense://desthost/",
            "://",
            f"{scheme}://",
            f"{scheme}://[::1/",
            f"{scheme}://desthost:65536/",
            f"{scheme}://desthost:port/",
        ):
            with pytest.raises(InvalidURIError) as caught:
                driver.read_uri(text, revision)
            assert caught.value.text == text
            assert caught.value.part.strip(), f"{text!r}: which part is wrong is not said"
            assert caught.value.hint.strip(), f"{text!r}: what would work is not said"

    @each_revision
    @about("migrate_read_uri")
    def test_any_text_is_read_or_refused(self, driver: Driver, revision: Revision) -> None:
        """Whatever text is given as migration URI, it is read without a loss, or refused."""
        random = Random(_SEED)  # noqa: S311 - trials, not secrets
        schemes = [f"{scheme}://" for scheme in driver.capabilities(revision).migration_schemes]
        for _ in range(_TRIALS):
            tail = "".join(random.choices(_LETTERS, k=random.randrange(12)))
            text = random.choice(["", *schemes]) + tail
            read = _read(driver, text, revision)
            assert read is None or str(read) == text

    def _written(
        self, driver: Driver, samples: Samples, revision: Revision
    ) -> Iterator[tuple[Request, str, int | None, MigrationURI]]:
        """Give each migration URI that the driver writes, or skip where it writes none."""
        count = 0
        for request in _native(samples, revision):
            first = driver.port_rule(revision, request.scenario or "").first
            for host in HOSTS:
                for port in (None, first):
                    uri = driver.uri(request, host, port)[0]
                    if uri is not None:
                        count += 1
                        yield request, host, port, uri
        if not count:
            pytest.skip(f"{self.name} writes no migration URI in revision {revision}")

    def _takes_a_migration_uri(self, driver: Driver, revision: Revision) -> str:
        """Give a scenario in which it takes one, or skip."""
        for scenario, offer in driver.capabilities(revision).offers.items():
            if offer.migration_uri:
                return scenario
        pytest.skip(f"{self.name} takes no migration URI in revision {revision}")


def _native(samples: Samples, revision: Revision) -> Iterator[Request]:
    """Give a request for each scenario in which memory has a way of its own."""
    for each, id_ in samples.offered():
        if each is revision and SCENARIOS[id_].transport is Transport.NATIVE:
            fields: dict[str, Any] = samples.request(id_, revision)
            yield Request(**fields)


def _variants(sample: MigrationURI) -> Iterator[str]:
    """Give *sample* as people write it: with a port, an address, a user, parameters."""
    changes: tuple[dict[str, Any], ...] = (
        {"port": 49300},
        {"port": 0},
        {"host": "192.0.2.7"},
        {"host": "DestHost.Example."},
        {"user": "root"},
        {"query": "a=1&b=%20"},
        {"path": ""},
        {"path": sample.path + "more"},
        {"slashes": ""},
        {"scheme": (sample.scheme or "").upper() or None},
        {"scheme": None, "slashes": ""},
    )
    for changed in changes:
        yield str(sample._replace(**changed))


def _read(driver: Driver, text: str, revision: Revision) -> MigrationURI | None:
    """Read a migration URI, or give None where it is refused as it should be."""
    try:
        return driver.read_uri(text, revision)
    except InvalidURIError as error:
        refusal = error
    assert refusal.part.strip(), f"{text!r}: which part is wrong is not said"
    assert refusal.hint.strip(), f"{text!r}: what would work is not said"
    return None
