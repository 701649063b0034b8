"""A site's own plugins: a policy that wraps two hooks of every driver, a watcher that raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import (
    Command,
    Diagnosis,
    Finding,
    NativeCommand,
    PortRule,
    Remedy,
    Severity,
    hookimpl,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from migrate_plugins import Event, Facts, Plan


class Policy:
    @hookimpl(wrapper=True)
    def migrate_port_rule(self) -> Generator[None, PortRule, PortRule]:
        rule = yield
        return rule._replace(last=rule.first + 1, because=f"site policy; {rule.because}")

    @hookimpl(wrapper=True)
    def migrate_commands(
        self,
    ) -> Generator[None, Sequence[NativeCommand], Sequence[NativeCommand]]:
        commands = yield
        return [*commands, NativeCommand("audit", ("audit", "migration"))]

    @hookimpl
    def migrate_checks(self, plan: Plan) -> Sequence[Finding]:
        return [Finding("policy", Severity.INFO, None, f"{plan.guest} may move")]

    @hookimpl
    def migrate_diagnose(self, text: str) -> Sequence[Diagnosis] | None:
        if "licence" not in text:
            return None
        return [
            Diagnosis("licence", "it may be the licence", (Remedy("ask acme"),), 0.2),
            Diagnosis("licence-expired", "the licence has expired", (Remedy("renew it"),), 0.9),
        ]

    @hookimpl
    def migrate_cli(self) -> Sequence[Command]:
        return [Command("acme", "what acme adds", "acme_site")]


class Watcher:
    @hookimpl
    def migrate_checks(self, facts: Facts) -> Sequence[Finding]:
        raise LookupError(f"no pager\nfor {facts}")

    @hookimpl
    def migrate_diagnose(self) -> Sequence[Diagnosis]:
        raise LookupError("no pager")

    @hookimpl
    def migrate_observe(self, event: Event) -> None:
        raise LookupError(event.guest)

    @hookimpl
    def migrate_cli(self) -> Sequence[Command]:
        raise LookupError("no pager")


policy, watcher = Policy(), Watcher()
