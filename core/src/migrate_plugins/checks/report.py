"""Everything that can be said of a migration before it starts, in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from migrate_plugins.checks import receiver
from migrate_plugins.checks.definitions import examine_definitions
from migrate_plugins.checks.hosts import compare
from migrate_plugins.checks.kinds import ALWAYS, all_kinds
from migrate_plugins.document import Before
from migrate_plugins.errors import BlockedError, PluginFailedError
from migrate_plugins.findings import Finding, Selection, Severity
from migrate_plugins.paths import usual_scheme

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from migrate_plugins.hosts import Hosts
    from migrate_plugins.model import Reason
    from migrate_plugins.plan import Plan
    from migrate_plugins.planner import Planner
    from migrate_plugins.registry import Registry
    from migrate_plugins.sessions import Access, Facts

__all__ = ["SCHEMA", "Report", "check", "check_plan"]

SCHEMA: Final = "migrate-plugins/check/1"


class Report(NamedTuple):
    """What a check found.

    Attributes:
        plan: Complete with the configuration as both hosts report it.
        facts: What both hosts answered, or None where the driver opens no sessions.
        findings: All of them, those of the plan first.
        skipped: Ids of the kinds of finding that were not wanted, sorted.
    """

    plan: Plan
    facts: Facts | None
    findings: tuple[Finding, ...]
    skipped: tuple[str, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether an error is left that nobody accepted."""
        return any(finding.blocks for finding in self.findings)

    def counts(self) -> dict[str, int]:
        """Count the findings: each severity, those accepted, and those of what is not known."""
        found = self.findings
        return {
            **{
                severity.value: sum(each.severity is severity for each in found)
                for severity in Severity
            },
            "accepted": sum(each.accepted is not None for each in found),
            "unknown": sum(each.unknown for each in found),
        }

    def raise_for_errors(self) -> None:
        """Return if nothing blocks the migration.

        Raises:
            BlockedError: With every error that nobody accepted.
        """
        blocking = [finding for finding in self.findings if finding.blocks]
        if blocking:
            raise BlockedError(blocking)

    def to_json(self) -> dict[str, Any]:
        """Give the report as JSON's own types."""
        return {
            "schema": SCHEMA,
            "blocked": self.blocked,
            "counts": self.counts(),
            "findings": [finding._asdict() for finding in self.findings],
            "skipped": list(self.skipped),
            "facts": self.facts and self.facts.to_json(),
            "plan": self.plan.to_json(),
        }


def check(
    registry: Registry,
    planner: Planner,
    plan: Plan,
    hosts: Hosts,
    accept: Mapping[str, str],
    selection: Selection,
) -> Report:
    """Complete *plan* with facts and give every finding at once.

    Args:
        registry: Whose plugins are asked too.
        planner: Completes the plan.
        plan: What to check.
        hosts: Open sessions with both hosts.
        accept: Id of a finding to the reason for accepting it.
        selection: Which findings are wanted.
    """
    facts = hosts.facts()
    if facts.guest is not None and facts.destination is not None:
        resident = facts.resident
        persistent = facts.guest.persistent
        there = resident is not None and resident.persistent
        plan = planner.with_configuration(plan, Before(persistent, persistent, there))
    source, destination = hosts.accesses(registry.hosts.values())
    looked = [
        *compare(plan, facts, source.session, destination.session),
        *examine_definitions(plan, facts.guest),
        *_received(registry, plan, facts, source, destination, selection),
        *registry.checks(plan, facts, source, destination, selection),
    ]
    # What somebody has looked at is told instead of what the plan alone supposes.
    known = {each.id for each in looked}
    found = [*(each for each in plan.findings if each.id not in known), *looked]
    return _report(registry, plan, facts, found, accept, selection)


def check_plan(
    registry: Registry, plan: Plan, accept: Mapping[str, str], selection: Selection
) -> Report:
    """Give every finding that needs no host, where the driver opens no sessions."""
    unseen = Finding(
        "hosts-not-looked-at",
        Severity.WARNING,
        None,
        f"the {plan.driver} driver plans and opens no sessions: what is on the hosts was not"
        " looked at",
        remedy="look there yourself for what the findings name",
    )
    found = [*plan.findings, *examine_definitions(plan, None), unseen]
    return _report(registry, plan, None, found, accept, selection)


def _report(
    registry: Registry,
    plan: Plan,
    facts: Facts | None,
    found: Iterable[Finding],
    accept: Mapping[str, str],
    selection: Selection,
) -> Report:
    """Leave out what is not wanted, and mark what is accepted."""
    # A refusal is no matter of taste: with it nothing will run.
    refused = _refused([*registry.unmet, *registry.refusals(plan)])
    wanted = [
        finding
        for finding in found
        if selection.wants(finding.id)
        or (finding.id in ALWAYS and finding.id not in selection.skip)
    ]
    findings = [
        finding._replace(accepted=accept.get(finding.id)) if finding.acceptable else finding
        for finding in (*wanted, *refused)
    ]
    kinds = {kind.id for kind in all_kinds(registry)} - {finding.id for finding in findings}
    skipped = {id_ for id_ in kinds if not selection.wants(id_)} | selection.skip
    skipped -= ALWAYS - selection.skip
    return Report(plan, facts, (*findings, *_unused(accept, findings)), tuple(sorted(skipped)))


def _received(
    registry: Registry,
    plan: Plan,
    facts: Facts,
    source: Access,
    destination: Access,
    selection: Selection,
) -> list[Finding]:
    """Look whether the memory can get to where it is to arrive."""
    if not selection.wants(*receiver.NAMES, *receiver.PORTS):
        return []
    driver = registry.drivers[plan.driver]
    try:
        told = driver.receiver(plan, facts, destination)
    except PluginFailedError as error:
        return [Finding("plugin-failed", Severity.WARNING, None, str(error))]
    where = told or receiver.planned_receiver(plan)
    revision = plan.request.revision
    offer = driver.capabilities(revision).offers.get(plan.scenario_id)
    terms = driver.terms(revision, plan.scenario_id)
    scheme = None if offer is None else usual_scheme(terms, offer)
    return receiver.examine(plan, facts, where, source, destination, selection, scheme)


def _refused(reasons: Iterable[Reason]) -> Iterator[Finding]:
    """Hold a plan that was made elsewhere, or before, to the policies of here and now."""
    for reason in reasons:
        yield Finding(
            reason.id,
            Severity.ERROR,
            None,
            reason.text,
            remedy=reason.instead,
            acceptable=False,
        )


def _unused(accept: Mapping[str, str], findings: Iterable[Finding]) -> Iterator[Finding]:
    """Name what was accepted in vain: a slip of the pen would else go unnoticed."""
    acceptable = {finding.id for finding in findings if finding.acceptable}
    for id_ in accept:
        if id_ not in acceptable:
            text = f"--accept {id_} names no finding of this check that can be accepted"
            expected = ", ".join(sorted(acceptable)) or None
            yield Finding("accept-unused", Severity.WARNING, None, text, id_, expected)
