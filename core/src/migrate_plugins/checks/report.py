"""Everything that can be said of a migration before it starts, in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from migrate_plugins.checks.hosts import compare
from migrate_plugins.document import Before
from migrate_plugins.errors import BlockedError
from migrate_plugins.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from migrate_plugins.hosts import Hosts
    from migrate_plugins.model import Reason
    from migrate_plugins.plan import Plan
    from migrate_plugins.planner import Planner
    from migrate_plugins.registry import Registry
    from migrate_plugins.sessions import Facts

__all__ = ["SCHEMA", "Report", "check"]

SCHEMA: Final = "migrate-plugins/check/1"


class Report(NamedTuple):
    """What a check found.

    Attributes:
        plan: Complete with the configuration as both hosts report it.
        facts: What both hosts answered.
        findings: All of them, those of the plan first.
    """

    plan: Plan
    facts: Facts
    findings: tuple[Finding, ...]

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
            "blocked": any(finding.blocks for finding in self.findings),
            "findings": [finding._asdict() for finding in self.findings],
            "plan": self.plan.to_json(),
        }


def check(
    registry: Registry, planner: Planner, plan: Plan, hosts: Hosts, accept: Mapping[str, str]
) -> Report:
    """Complete *plan* with facts and give every finding at once.

    Args:
        registry: Whose plugins are asked too.
        planner: Completes the plan.
        plan: What to check.
        hosts: Open sessions with both hosts.
        accept: Id of a finding to the reason for accepting it.
    """
    facts = hosts.facts()
    if facts.guest is not None and facts.destination is not None:
        resident = facts.resident
        persistent = facts.guest.persistent
        there = resident is not None and resident.persistent
        plan = planner.with_configuration(plan, Before(persistent, persistent, there))
    found = [
        *plan.findings,
        *_refused([*registry.unmet, *registry.refusals(plan)]),
        *compare(plan, facts),
        *registry.checks(plan, facts, *hosts.accesses(registry.hosts.values())),
    ]
    findings = [
        finding._replace(accepted=accept.get(finding.id)) if finding.acceptable else finding
        for finding in found
    ]
    return Report(plan, facts, (*findings, *_unused(accept, findings)))


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
