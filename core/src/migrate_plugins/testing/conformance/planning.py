"""Plans: what is offered can be planned, what is not is refused, and nobody is contacted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import (
    OPTIONS,
    SCENARIOS,
    Driver,
    Migrator,
    Need,
    Plan,
    PlanError,
    Revision,
    Seat,
    Transport,
)
from migrate_plugins.testing.conformance.cases import each_revision, each_scenario
from migrate_plugins.testing.conformance.rules import Shows, about
from migrate_plugins.testing.conformance.samples import IPV6, Samples
from migrate_plugins.testing.conformance.shape import misfits
from migrate_plugins.testing.conformance.subject import DriverSubject
from migrate_plugins.testing.conformance.watch import Watch

if TYPE_CHECKING:
    from migrate_plugins import Reason

__all__ = ["Planning", "Refusing"]

_FIELDS = [option.field for option in OPTIONS]


class Planning(DriverSubject):
    """Checks of plans, scenario by scenario."""

    @each_scenario
    @about("migrate_capabilities", "migrate_uri", "migrate_commands", shows=Shows.PLANNED)
    def test_offered_scenario_plans(
        self,
        migrator: Migrator,
        driver: Driver,
        samples: Samples,
        revision: Revision,
        scenario: str,
    ) -> None:
        """A scenario that is offered can be planned, and the plan is of typed values throughout."""
        self.offer(driver, revision, scenario)
        plan = migrator.plan(**samples.request(scenario, revision))
        assert (plan.driver, plan.scenario_id) == (self.name, scenario)
        assert [*misfits(plan, Plan)] == []
        hash(plan)  # nothing in it can be changed
        first, last = plan.port.first, plan.port.last
        if first is not None and last is not None:
            rule = driver.port_rule(revision, scenario)
            wanted = (rule.first, rule.last) if plan.port.value is None else (first, first)
            assert (first, last) in {(rule.first, rule.last), wanted}

    @each_scenario
    @about("migrate_capabilities", shows=Shows.PLANNED)
    def test_offered_options_plan(
        self,
        migrator: Migrator,
        driver: Driver,
        samples: Samples,
        revision: Revision,
        scenario: str,
    ) -> None:
        """Each option that a scenario offers can be planned there, and stands in the plan."""
        offer = self.offer(driver, revision, scenario)
        if not offer.options:
            pytest.skip(f"{self.name} offers no options in {scenario}, revision {revision}")
        for field in sorted(offer.options):
            given = samples.option(field)
            plan = migrator.plan(**samples.request(scenario, revision, **given))
            assert {name: getattr(plan.request, name) for name in given} == given

    @each_scenario
    @about("migrate_capabilities", shows=Shows.PLANNED)
    def test_option_not_offered_is_refused(
        self,
        migrator: Migrator,
        driver: Driver,
        samples: Samples,
        revision: Revision,
        scenario: str,
    ) -> None:
        """An option that a scenario does not offer is refused, with where it can be had."""
        offer = self.offer(driver, revision, scenario)
        others = sorted({*_FIELDS} - {*offer.options})
        if not others:
            pytest.skip(f"{self.name} offers every option in {scenario}, revision {revision}")
        for field in others:
            given = samples.option(field)
            reasons = _refused(migrator, samples.request(scenario, revision, **given))
            assert "option-not-offered" in reasons, f"{field} is planned or refused otherwise"
            assert reasons["option-not-offered"].instead.strip()

    @each_scenario
    @about("migrate_capabilities", shows=Shows.PLANNED)
    def test_own_options_are_told_apart(
        self,
        migrator: Migrator,
        driver: Driver,
        samples: Samples,
        revision: Revision,
        scenario: str,
    ) -> None:
        """Each option of the driver's own has a name of its own; one that it lacks is refused."""
        own = [option.name for option in self.offer(driver, revision, scenario).own]
        assert len({*own}) == len(own), f"one name, two options: {sorted(own)}"
        lacked = "-".join(["lacked", *own])
        reasons = _refused(
            migrator, {**samples.request(scenario, revision), "options": (f"{lacked}=1",)}
        )
        instead = reasons["own-option-unknown"].instead
        assert all(f"-o {name}=" in instead for name in own)

    @each_scenario
    @about("migrate_capabilities", "migrate_uri", "migrate_read_uri", shows=Shows.PLANNED)
    def test_uris_keep_the_rules_of_the_document(
        self,
        migrator: Migrator,
        driver: Driver,
        samples: Samples,
        revision: Revision,
        scenario: str,
    ) -> None:
        """A compulsory URI is asked for, an optional one is taken, one without use is refused."""
        offer = self.offer(driver, revision, scenario)
        rule = SCENARIOS[scenario]
        request = samples.request(scenario, revision)
        plan = migrator.plan(**request)
        assert plan.uris.source.value == request["source"]
        assert plan.uris.source.seen_from is Seat.CLIENT
        assert plan.uris.destination.value == request.get("destination")
        if rule.transport is Transport.TUNNELLED:
            assert plan.uris.migration.value is None, "memory travels inside the connection"
            assert plan.port.value is None
        elif not offer.migration_uri:
            assert plan.uris.migration.value is None, f"{scenario} has no scope for one"

        if rule.destination.need is Need.COMPULSORY:
            assert "destination-missing" in _refused(migrator, {**request, "destination": None})
        else:
            given = {**request, "destination": samples.connection("desthost")}
            assert "destination-not-used" in _refused(migrator, given)

        third = samples.migration_uri(revision, scenario)
        if rule.migration.need is Need.COMPULSORY:
            assert "migration-uri-missing" in _refused(migrator, {**request, "migration": None})
        if offer.migration_uri:
            plan = migrator.plan(**{**request, "migration": third})
            assert plan.uris.migration.value == third
        else:
            reasons = _refused(migrator, {**request, "migration": third})
            assert reasons.keys() & {"migration-uri-tunnelled", "migration-uri-not-used"}

    @each_scenario
    @about("migrate_uri", "migrate_commands", shows=Shows.PLANNED)
    def test_ipv6_destination_plans(
        self,
        migrator: Migrator,
        driver: Driver,
        samples: Samples,
        revision: Revision,
        scenario: str,
    ) -> None:
        """A destination with an IPv6 address keeps its brackets in every URI of the plan."""
        self.offer(driver, revision, scenario)
        if SCENARIOS[scenario].destination.need is Need.NOT_USED:
            pytest.skip(f"{scenario} has no destination URI")
        there = samples.connection(IPV6)
        plan = migrator.plan(**samples.request(scenario, revision, destination=there))
        assert plan.uris.destination.value == there
        written = plan.uris.migration.value
        if written is not None and IPV6 in written:
            assert f"[{IPV6}]" in written
        words = [word for command in plan.commands for word in command.argv or ()]
        bare = [word for word in words if "://" in word and IPV6 in word and "[" not in word]
        assert bare == [], "an address without brackets"

    @each_scenario
    @about(
        "migrate_capabilities",
        "migrate_port_rule",
        "migrate_uri",
        "migrate_commands",
        shows=Shows.PLANNED,
    )
    def test_planning_is_pure(
        self,
        migrator: Migrator,
        driver: Driver,
        samples: Samples,
        revision: Revision,
        scenario: str,
    ) -> None:
        """Equal requests give equal plans: no socket, no process and no file is opened for one."""
        self.offer(driver, revision, scenario)
        request = samples.request(scenario, revision)
        plan = migrator.plan(**request)
        with Watch() as watch:
            again = migrator.plan(**request)
            uris = [driver.uri(plan.request, "desthost", 49300)[0] for _ in range(2)]
        assert uris[0] == uris[1]
        assert again == plan
        assert watch.seen == [], "planning contacts nobody"

    @each_scenario
    @about("migrate_commands", "migrate_uri", shows=Shows.PLANNED)
    def test_plan_goes_to_json_and_back(
        self,
        migrator: Migrator,
        driver: Driver,
        samples: Samples,
        revision: Revision,
        scenario: str,
    ) -> None:
        """A plan, with each option in turn, is the same after a way through JSON."""
        offer = self.offer(driver, revision, scenario)
        for field in (None, *sorted(offer.options)):
            given = {} if field is None else samples.option(field)
            plan = migrator.plan(**samples.request(scenario, revision, **given))
            assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


class Refusing(DriverSubject):
    """Checks of what is not offered."""

    @each_revision
    @about("migrate_capabilities")
    def test_scenario_not_offered_is_refused(
        self, migrator: Migrator, driver: Driver, samples: Samples, revision: Revision
    ) -> None:
        """A scenario that is not offered is refused, with those that are."""
        offers = driver.capabilities(revision).offers
        others = [scenario for scenario in SCENARIOS if scenario not in offers]
        if not others:
            pytest.skip(f"{self.name} offers every scenario in revision {revision}")
        for scenario in others:
            reasons = _refused(migrator, samples.request(scenario, revision))
            assert "scenario-not-offered" in reasons, f"{scenario} is planned or refused otherwise"
            reason = reasons["scenario-not-offered"]
            assert scenario in reason.text
            assert all(id_ in reason.instead for id_ in offers)

    @each_revision
    @about("migrate_driver")
    def test_unknown_transport_is_refused(
        self, migrator: Migrator, driver: Driver, samples: Samples, revision: Revision
    ) -> None:
        """A connection transport that a driver does not name is refused, with those it does."""
        scenario = next(iter(driver.capabilities(revision).offers), None)
        if scenario is None:
            pytest.skip(f"{self.name} offers nothing in revision {revision}")
        source = f"{driver.info.connection_schemes[0]}+nonsense://srchost/"
        request = samples.request(scenario, revision, source=source)
        assert "transport-unknown" in _refused(migrator, request)


def _refused(migrator: Migrator, request: dict[str, Any]) -> dict[str, Reason]:
    """Give the reasons why a request cannot be planned, by their ids; none where it can be."""
    try:
        migrator.plan(**request)
    except PlanError as error:
        return {reason.id: reason for reason in error.reasons}
    return {}
