"""What a driver says that it can do."""

from __future__ import annotations

from migrate_plugins import (
    OPTIONS,
    SCENARIOS,
    Basis,
    Capabilities,
    Driver,
    Need,
    Revision,
    Transport,
)
from migrate_plugins.testing.conformance.cases import each_revision
from migrate_plugins.testing.conformance.rules import about
from migrate_plugins.testing.conformance.shape import misfits
from migrate_plugins.testing.conformance.subject import DriverSubject

__all__ = ["Claims"]

_OPTIONS = {option.field: option for option in OPTIONS}


class Claims(DriverSubject):
    """Checks of the capabilities, in both revisions."""

    @each_revision
    @about("migrate_capabilities")
    def test_capabilities_are_typed(self, driver: Driver, revision: Revision) -> None:
        """What a driver can do stands in values of the documented types."""
        assert [*misfits(driver.capabilities(revision), Capabilities)] == []

    @each_revision
    @about("migrate_capabilities")
    def test_capabilities_name_what_exists(self, driver: Driver, revision: Revision) -> None:
        """Offers name the document's scenarios, options of a request, and the driver's schemes."""
        capabilities = driver.capabilities(revision)
        unknown = {*capabilities.offers} - {*SCENARIOS}
        assert not unknown, f"{sorted(unknown)} are no scenarios; there are {', '.join(SCENARIOS)}"
        for scenario, offer in capabilities.offers.items():
            unknown = {*offer.options} - {*_OPTIONS}
            assert not unknown, f"{scenario}: {sorted(unknown)} are no options of a request"
        unknown = {*capabilities.apart} - {*capabilities.offers}
        assert not unknown, f"{sorted(unknown)} are set apart, and not offered"
        for terms in (capabilities, *capabilities.apart.values()):
            assert terms.encrypting_option in {None, *_OPTIONS}
            assert terms.migration_schemes, "it has no migration scheme"
            unknown = {*terms.migration_schemes} - {*driver.info.migration_schemes}
            assert not unknown, f"{sorted(unknown)} are no schemes that migrate_driver names"

    @each_revision
    @about("migrate_capabilities")
    def test_claims_have_references(self, driver: Driver, revision: Revision) -> None:
        """A claim says where to look it up, and for code or a trial of which version."""
        for scenario, offer in driver.capabilities(revision).offers.items():
            claim = offer.claim
            assert claim.reference.strip(), f"{scenario}: the claim has no reference"
            if claim.basis is not Basis.DOCUMENT:
                assert claim.version, f"{scenario}: {claim.basis}, and the claim names no version"

    @each_revision
    @about("migrate_capabilities")
    def test_sentences_are_there(self, driver: Driver, revision: Revision) -> None:
        """A plan can say what travels, who makes the migration URI, and whether it is encrypted."""
        capabilities = driver.capabilities(revision)
        for terms in (capabilities, *capabilities.apart.values()):
            for field in ("protocol", "unwritten_uri", "encryption"):
                assert getattr(terms, field).strip(), f"{field} is empty"

    @each_revision
    @about("migrate_capabilities")
    def test_options_can_be_given(self, driver: Driver, revision: Revision) -> None:
        """An option that a scenario offers can be given there: with all that it needs."""
        wrong = []
        for id_, offer in driver.capabilities(revision).offers.items():
            for option in (_OPTIONS[field] for field in offer.options if field in _OPTIONS):
                lacking = {*option.needs} - offer.options
                if lacking:
                    wrong.append(f"{id_}: {option.field} without {', '.join(sorted(lacking))}")
                if "tunnelled" in option.excludes and id_.startswith(Transport.TUNNELLED):
                    wrong.append(f"{id_}: {option.field} cannot be had tunnelled")
        assert wrong == []

    @each_revision
    @about("migrate_capabilities")
    def test_migration_uri_is_taken_where_the_document_has_one(
        self, driver: Driver, revision: Revision
    ) -> None:
        """A migration URI is taken where it is compulsory, and not where there is no scope."""
        for id_, offer in driver.capabilities(revision).offers.items():
            scenario = SCENARIOS.get(id_)
            if scenario is None:
                continue
            if scenario.migration.need is Need.COMPULSORY:
                assert offer.migration_uri, f"{id_} needs a migration URI"
            if scenario.transport is Transport.TUNNELLED:
                assert not offer.migration_uri, f"{id_}: memory travels inside the connection"
            if revision is Revision.ORIGINAL and scenario.migration.need is Need.NOT_USED:
                assert not offer.migration_uri, f"{id_}: the document has no scope for one"
