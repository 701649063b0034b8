"""Turn a request into a plan, or into every reason why it cannot be one.

Pure: nothing is contacted, no client library is imported, equal requests give equal plans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins.driver import policies
from migrate_plugins.errors import PlanError, PluginFailedError, UsageError
from migrate_plugins.foresight import foresee
from migrate_plugins.model import Kind, Revision
from migrate_plugins.options import OPTIONS, given_options
from migrate_plugins.paths import (
    draw_channels,
    held_towards,
    name_receiver,
    place_port,
    place_uris,
    usual_scheme,
)
from migrate_plugins.plan import Plan
from migrate_plugins.reading import read
from migrate_plugins.uris import ConnectionURI, MigrationURI

if TYPE_CHECKING:
    from migrate_plugins.document import Before, Scenario
    from migrate_plugins.driver import Driver
    from migrate_plugins.findings import Finding
    from migrate_plugins.model import Request
    from migrate_plugins.registry import Registry

__all__ = ["Planner"]


class Planner:
    """Plans with the drivers of one registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def plan(self, request: Request) -> Plan:
        """Plan *request*.

        Raises:
            NoDriverError: No driver claims the source's scheme, so that no rules are known.
            PlanError: Every reason why not, each with what would work.
        """
        reading = read(self._registry, _with_revision(request))
        request, driver, scenario = reading.request, reading.driver, reading.scenario
        uris, migration = place_uris(reading)
        port = place_port(reading, migration)
        control, data = draw_channels(reading, uris, port)
        plan = Plan(
            request,
            driver.info.name,
            scenario.id,
            reading.because,
            uris,
            name_receiver(reading, migration),
            _flags(request, scenario),
            port,
            control,
            data,
            own_configuration=reading.capabilities.configuration,
            own_crash=reading.capabilities.on_client_crash,
            own_api=reading.offer.call or None,
        )
        plan = _with_commands(plan, driver)._replace(findings=self._foreseen(plan))
        reasons = (*reading.reasons, *self._registry.refusals(plan))
        if reasons:
            raise PlanError(reasons)
        return plan

    def with_configuration(self, plan: Plan, before: Before) -> Plan:
        """Complete *plan* with the guest's configuration as both hosts report it."""
        complete = plan._replace(before=before, findings=())
        return complete._replace(findings=self._foreseen(complete))

    def _foreseen(self, plan: Plan) -> tuple[Finding, ...]:
        driver = self._registry.drivers[plan.driver]
        found = (*foresee(plan, driver), *self._registry.foresee(plan))
        return (*found, *self._registry.remarks)

    def with_port(self, plan: Plan, port: int) -> Plan:
        """Complete *plan* with the port that is held for it.

        Raises:
            PluginFailedError: The URI with the port leads elsewhere than the one that was planned.
            PlanError: Somebody refuses the plan now that it is complete.
        """
        driver = self._registry.drivers[plan.driver]
        because = f"held towards {held_towards(plan)} until the migration ends"
        choosers = policies(driver.select_port_wrapped_by())
        if choosers:
            because += f"; {choosers} had a say in the choice"
        uri = _with_held_port(plan, driver, port)
        third = plan.uris.migration._replace(value=None if uri is None else str(uri))
        complete = plan._replace(
            port=plan.port._replace(value=port, because=because),
            data=plan.data._replace(ports=(port, port)),
            uris=plan.uris._replace(migration=third),
            commands=(),
            commands_because="",
        )
        complete = _with_commands(complete, driver)
        reasons = self._registry.refusals(complete)
        if reasons:
            raise PlanError(reasons)
        return complete


def _with_held_port(plan: Plan, driver: Driver, port: int) -> MigrationURI | None:
    """Write the migration URI once more, now with the port; it has to lead to the same place."""
    text, request = plan.uris.migration.value, plan.request
    planned = None if text is None else MigrationURI.parse(text)
    if planned is not None and request.migration not in {None, plan.uris.destination.value}:
        return planned._replace(port=port)  # it was asked for
    offer = driver.capabilities(request.revision).offers[plan.scenario_id]
    scheme = usual_scheme(driver.terms(request.revision, plan.scenario_id), offer)
    host = ConnectionURI.parse(plan.uris.destination.value or "").host or "localhost"
    uri, changed_by = driver.uri(request, host, port, scheme)
    if (uri and uri._replace(port=None)) != (planned and planned._replace(port=None)):
        raise PluginFailedError(
            changed_by[-1] if changed_by else plan.driver,
            hook="migrate_uri",
            problem=f"for the held port it writes {uri}, where {text} was planned",
        )
    return uri


def _with_commands(plan: Plan, driver: Driver) -> Plan:
    commands, changed_by = driver.commands(plan)
    changed = f", changed by {policies(changed_by)}" if changed_by else ""
    because = f"the words of the {driver.info.name} driver{changed}"
    return plan._replace(commands=commands, commands_because=because)


def _with_revision(request: Request) -> Request:
    """Take a revision by its name too."""
    if type(request.revision) is Revision:
        return request
    try:
        return request._replace(revision=Revision(request.revision))
    except ValueError:
        known = ", ".join(Revision)
        raise UsageError(f"there is no revision {request.revision!r}; there are {known}") from None


def _flags(request: Request, scenario: Scenario) -> tuple[str, ...]:
    given = given_options(request)
    return scenario.flags + tuple(
        option.libvirt
        for option in OPTIONS
        if option.field in given and option.libvirt is not None and option.kind is Kind.FLAG
    )
