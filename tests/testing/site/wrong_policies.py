"""Policies that are wrong on purpose, each in one way; the kit has to tell which."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING, ClassVar

from migrate_plugins import (
    Command,
    Diagnosis,
    Finding,
    FindingKind,
    Kind,
    NativeCommand,
    Reason,
    Remedy,
    Setting,
    Severity,
    hookimpl,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from migrate_plugins import Access, Event, Plan, PortRule, Settings


class Right:
    """Adds a command, and refuses one guest; nothing is wrong with this one."""

    MIGRATE_PLUGINS_API: ClassVar[object] = 1
    SETTINGS: ClassVar[tuple[Setting, ...]] = (
        Setting("guest", Kind.TEXT, "the guest that is not to move", default="web9"),
        Setting("limit", Kind.NUMBER, "how many may move at once", default=1),
    )

    def __init__(self, settings: Settings) -> None:
        if settings.values.get("limit", 1) < 1:
            raise ValueError("limit is less than 1; give 1 or more")

    @hookimpl(wrapper=True)
    def migrate_commands(
        self,
    ) -> Generator[None, Sequence[NativeCommand], Sequence[NativeCommand]]:
        commands = yield
        return [*commands, NativeCommand("audit", ("audit", "migration"))]

    @hookimpl
    def migrate_refuse(self, plan: Plan) -> Sequence[Reason] | None:
        if not plan.request.unsafe:
            return None
        return [Reason("unsafe-unwanted", f"policy wrong: {plan.guest}", "leave out --unsafe")]


class Undeclared(Right):
    """Does not say for which edition of the contract it was written."""

    class _Missing:
        def __get__(self, instance: object, owner: type | None = None) -> int:
            raise AttributeError("MIGRATE_PLUGINS_API")

    MIGRATE_PLUGINS_API: ClassVar[object] = _Missing()


class WithoutHooks:
    """Implements nothing."""

    MIGRATE_PLUGINS_API: ClassVar = 1


class SettingWithoutHelp(Right):
    """Does not say what a setting does."""

    SETTINGS: ClassVar = (Setting("guest", Kind.TEXT, ""), Setting("limit", Kind.NUMBER, "many"))

    def __init__(self, settings: Settings) -> None:
        if settings.values["limit"] == 0:
            raise ValueError("limit is less than 1; give 1 or more")


class TakesAnyLimit(Right):
    """Takes a value that means nothing."""

    def __init__(self, settings: Settings) -> None:
        pass


class RaisesForALimit(Right):
    """Stumbles over a value that means nothing."""

    def __init__(self, settings: Settings) -> None:
        1 // max(settings.values.get("limit", 1), 0)


class _AlwaysOn(Right):
    """Is made before anybody has asked for it, so that it is on without a table."""

    def __init__(self) -> None:
        pass


AlwaysOn = _AlwaysOn()


class ListedArguments(Right):
    """Adds a command whose arguments may be changed."""

    @hookimpl(wrapper=True)
    def migrate_commands(
        self,
    ) -> Generator[None, Sequence[NativeCommand], Sequence[NativeCommand]]:
        commands = yield
        return [*commands, NativeCommand("audit", ["audit"])]  # type: ignore[arg-type]


class TakenPorts(Right):
    """Hands out a port that somebody has."""

    @hookimpl(wrapper=True)
    def migrate_select_port(self, rule: PortRule) -> Generator[None, int | None, int | None]:
        port = yield
        return None if port is None else rule.first


class NamelessRefusal(Right):
    """Refuses, and does not say who."""

    @hookimpl
    def migrate_refuse(self, plan: Plan) -> Sequence[Reason] | None:
        reasons = super().migrate_refuse(plan)
        return reasons and [reason._replace(text="this will not do") for reason in reasons]


class RefusalWithoutRemedy(Right):
    """Refuses without saying what would work."""

    @hookimpl
    def migrate_refuse(self, plan: Plan) -> Sequence[Reason] | None:
        reasons = super().migrate_refuse(plan)
        return reasons and [reason._replace(instead="") for reason in reasons]


class ByTurns(Right):
    """Gives another command each time."""

    turn: ClassVar = itertools.count()

    @hookimpl(wrapper=True)
    def migrate_commands(
        self,
    ) -> Generator[None, Sequence[NativeCommand], Sequence[NativeCommand]]:
        commands = yield
        return [*commands, NativeCommand("audit", ("audit", str(next(self.turn))))]


class ReadsFiles(Right):
    """Reads a file for each plan."""

    @hookimpl
    def migrate_refuse(self, plan: Plan) -> Sequence[Reason] | None:
        with open(__file__, encoding="utf-8"):  # noqa: PTH123 - as a beginner would
            return super().migrate_refuse(plan)


class Chatty(Right):
    """Prints what it thinks."""

    @hookimpl
    def migrate_refuse(self, plan: Plan) -> Sequence[Reason] | None:
        sys.stdout.write(f"thinking about {plan.guest}\n")
        return super().migrate_refuse(plan)


class FindingWithoutId(Right):
    """Gives a finding that nobody can accept by its id."""

    @hookimpl
    def migrate_checks(self, plan: Plan) -> Sequence[Finding]:
        return [Finding("Not An Id", Severity.INFO, None, f"{plan.guest} is a fine guest")]


class DiagnosisOfASCII(Right):
    """Explains errors in one script alone."""

    @hookimpl
    def migrate_diagnose(self, text: str) -> Sequence[Diagnosis] | None:
        text.encode("ascii")
        return None


class KindsTwice(Right):
    """Lists one kind of finding twice."""

    @hookimpl
    def migrate_finding_kinds(self) -> Sequence[FindingKind]:
        return [FindingKind("too-many", Severity.WARNING, "more move than the limit allows")] * 2


class ForesightByTurns(Right):
    """Sees something in a plan every other time it is asked."""

    turn: ClassVar = itertools.count()

    @hookimpl
    def migrate_finding_kinds(self) -> Sequence[FindingKind]:
        return [FindingKind("odd-name", Severity.WARNING, "the guest's name looks odd")]

    @hookimpl
    def migrate_foresee(self, plan: Plan) -> Sequence[Finding]:
        found = Finding("odd-name", Severity.WARNING, None, f"{plan.guest} looks odd")
        return [found] * (next(self.turn) % 2)


class InvestigatorWithKeys(Right):
    """Takes it that each destination can be looked at."""

    @hookimpl
    def migrate_investigate(self, destination: Access) -> Sequence[Diagnosis]:
        cause = f"{destination.session.host().name} may be full"  # type: ignore[union-attr]
        return [Diagnosis("host-full", cause, (Remedy("df"),), 0.1)]


class BusyObserver(Right):
    """Takes it that each event has a text."""

    @hookimpl
    def migrate_observe(self, event: Event) -> None:
        len(event.text)  # type: ignore[arg-type]


class CommandOfNothing(Right):
    """Adds a command whose module cannot be called."""

    @hookimpl
    def migrate_cli(self) -> Sequence[Command]:
        return [Command("nothing", "does nothing", "client_library")]
