"""What a plugin answers where anyone may answer."""

from __future__ import annotations

import re
from importlib import import_module
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from migrate_plugins import (
    Access,
    Command,
    Diagnosis,
    DriverError,
    Event,
    Facts,
    Finding,
    FindingKind,
    GuestFacts,
    GuestState,
    HostFacts,
    Migrator,
    Phase,
    Plan,
    Plugin,
    PluginFailedError,
    Reason,
    Selection,
    Severity,
    Statistics,
)
from migrate_plugins.testing.conformance.rules import about
from migrate_plugins.testing.conformance.shape import misfits
from migrate_plugins.testing.conformance.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["FACTS", "Answers"]

_TRIALS: Final = 200
_SEED: Final = 1
_LETTERS: Final = "abc 0'\"\\%{}[]()*+.^$|\n\t\x00é漢\u202e\U0001f642\ud800"
_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_GRAVEST_FIRST: Final = (*Severity,)
_NUMBERS: Final = (None, 0, 1, 38, -1, 2**31, 2**63)

_SOURCE: Final = HostFacts("srchost", "5e0c1f52-0000-4000-8000-00000000000a", "sample 1", "sample")
_TARGET: Final = HostFacts("desthost", "5e0c1f52-0000-4000-8000-00000000000b", "sample 1", "sample")
_GUEST: Final = GuestFacts(
    "web1", "5e0c1f52-0000-4000-8000-000000000001", GuestState.RUNNING, persistent=True, memory=1024
)
_ERRORS: Final = (
    DriverError("migrating web1", problem=""),
    DriverError("migrating web1", problem="it ended without a reason", code=9, domain=10),
    DriverError("migrating web1", problem="connection refused by 'desthost:49152'", code=38),
    PluginFailedError("sample", hook="a session", problem="KeyError: 'web1'"),
)
FACTS: Final = (
    Facts(_SOURCE, _GUEST, _TARGET, None),
    Facts(_SOURCE, None, _TARGET, None),
    Facts(_SOURCE, _GUEST, None, None, "the client cannot look at the destination"),
    Facts(_SOURCE, _GUEST, _SOURCE, _GUEST),
    Facts(_SOURCE, _GUEST, _TARGET, _GUEST._replace(uuid=_TARGET.uuid or "")),
    Facts(_SOURCE._replace(uuid=None), _GUEST, _TARGET._replace(uuid=None, name="localhost"), None),
    *(Facts(_SOURCE, _GUEST._replace(state=state), _TARGET, None) for state in GuestState),
)


class Answers(Subject):
    """Checks of the broadcast hooks; those that a plugin leaves out are skipped."""

    @pytest.fixture
    def plans(self, migrator: Migrator) -> Sequence[Plan]:
        """Plans to judge."""
        raise NotImplementedError

    @about("migrate_refuse")
    def test_refusals_say_what_would_work(
        self, migrator: Migrator, plugin: Plugin, plans: Sequence[Plan]
    ) -> None:
        """Reasons against a plan are typed, tell what would work, and are the same each time."""
        for plan in plans:
            reasons = self._ask(migrator, plugin, "migrate_refuse", Reason, plan=plan)
            for reason in reasons:
                assert _ID.fullmatch(reason.id), f"{reason.id!r} is no id, such as no-such-host"
                assert reason.text.strip(), f"{reason.id}: what is wrong is not said"
                assert reason.instead.strip(), f"{reason.id}: what would work is not said"
            again = self._ask(migrator, plugin, "migrate_refuse", Reason, plan=plan)
            assert again == reasons, "two answers to one question"

    @about("migrate_foresee")
    def test_foresight_is_typed(
        self, migrator: Migrator, plugin: Plugin, plans: Sequence[Plan]
    ) -> None:
        """What a plan shows by itself is typed, and the same each time."""
        for plan in plans:
            found = self._ask(migrator, plugin, "migrate_foresee", Finding, plan=plan)
            self._check_findings(migrator, plugin, found)
            again = self._ask(migrator, plugin, "migrate_foresee", Finding, plan=plan)
            assert again == found, "two answers to one question"

    @about("migrate_checks")
    def test_findings_are_typed(
        self, migrator: Migrator, plugin: Plugin, plans: Sequence[Plan]
    ) -> None:
        """Findings are typed, whatever the hosts show, and the same each time."""
        for plan in plans:
            for facts in FACTS:
                nowhere = {"source": Access(), "destination": Access()}
                given = {"plan": plan, "facts": facts, **nowhere, "selection": Selection()}
                findings = self._ask(migrator, plugin, "migrate_checks", Finding, **given)
                self._check_findings(migrator, plugin, findings)
                again = self._ask(migrator, plugin, "migrate_checks", Finding, **given)
                assert again == findings, "two answers to one question"

    @about("migrate_finding_kinds")
    def test_kinds_of_finding_are_told(self, migrator: Migrator, plugin: Plugin) -> None:
        """Each kind of finding has an id of its own, and a summary for a list."""
        kinds = self._ask(migrator, plugin, "migrate_finding_kinds", FindingKind)
        for kind in kinds:
            assert _ID.fullmatch(kind.id), f"{kind.id!r} is no id, such as no-such-host"
            assert kind.summary.strip(), f"{kind.id}: it has no summary"
            assert "\n" not in kind.summary, f"{kind.id}: its summary is one line"
        assert len({kind.id for kind in kinds}) == len(kinds), "two kinds have one id"

    @about("migrate_diagnose")
    def test_diagnoses_survive_any_text(self, migrator: Migrator, plugin: Plugin) -> None:
        """Whatever a hypervisor says, its diagnoses are typed, and the same each time."""
        random = Random(_SEED)  # noqa: S311 - trials, not secrets
        texts = ["", " ", "connection refused", "x" * 100_000]
        texts += ["".join(random.choices(_LETTERS, k=random.randrange(40))) for _ in range(_TRIALS)]
        for text in texts:
            code, domain = random.choice(_NUMBERS), random.choice(_NUMBERS)
            given = {"text": text, "code": code, "domain": domain}
            diagnoses = self._ask(migrator, plugin, "migrate_diagnose", Diagnosis, **given)
            _look_at(diagnoses)
            again = self._ask(migrator, plugin, "migrate_diagnose", Diagnosis, **given)
            assert again == diagnoses, "two answers to one question"

    @about("migrate_investigate")
    def test_investigations_need_no_way_in(
        self, migrator: Migrator, plugin: Plugin, plans: Sequence[Plan]
    ) -> None:
        """What an error hides is looked for without a session or a shell too, and is typed."""
        nowhere = {"source": Access(), "destination": Access()}
        for plan in plans:
            for error in _ERRORS:
                given = {"plan": plan, "error": error, **nowhere}
                _look_at(self._ask(migrator, plugin, "migrate_investigate", Diagnosis, **given))

    @about("migrate_observe")
    def test_observer_takes_every_event(self, migrator: Migrator, plugin: Plugin) -> None:
        """An observer takes an event of any phase, with and without a text or figures."""
        for phase in Phase:
            for statistics in (None, Statistics(), Statistics(1, 2, 3, 4, 5, 6, 7, postcopy=True)):
                for text in (None, "a sentence"):
                    event = Event("web1", phase, 1.5, text, statistics)
                    answer = self._ask(migrator, plugin, "migrate_observe", object, event=event)
                    assert answer == ()

    @about("migrate_cli")
    def test_commands_can_be_called(self, migrator: Migrator, plugin: Plugin) -> None:
        """Each extra command has a name, a summary of one line, and a module to call."""
        for command in self._ask(migrator, plugin, "migrate_cli", Command):
            assert _ID.fullmatch(command.name), f"{command.name!r} cannot be typed"
            assert command.summary.strip(), f"{command.name}: it has no summary"
            assert "\n" not in command.summary, f"{command.name}: its summary is one line"
            module = import_module(command.module)
            for name in ("configure", "run"):
                assert callable(getattr(module, name, None)), f"{command.module} has no {name}()"

    @staticmethod
    def _check_findings(migrator: Migrator, plugin: Plugin, found: Sequence[Finding]) -> None:
        """Hold findings to their shape, and to the kinds that the plugin lists, if it does."""
        kinds = {
            kind.id: kind.severity
            for answer in _answers(migrator, plugin, "migrate_finding_kinds", FindingKind)
            if not isinstance(answer, BaseException)
            for kind in answer
        }
        for finding in found:
            assert _ID.fullmatch(finding.id), f"{finding.id!r} is no id"
            assert finding.text.strip(), f"{finding.id}: what is wrong is not said"
            assert finding.accepted is None, f"{finding.id}: that is for a person to do"
            if "migrate_finding_kinds" in plugin.hooks:
                assert finding.id in kinds, f"{finding.id}: migrate_finding_kinds does not list it"
                worst = kinds[finding.id]
                listed = f"{finding.id} is listed as {worst} and is {finding.severity}"
                assert _GRAVEST_FIRST.index(worst) <= _GRAVEST_FIRST.index(finding.severity), listed

    def _ask(
        self,
        migrator: Migrator,
        plugin: Plugin,
        hook: str,
        kind: type[Any],
        **arguments: object,
    ) -> tuple[Any, ...]:
        """Ask this plugin alone, or skip where it does not implement the hook."""
        if hook not in plugin.hooks:
            pytest.skip(f"{self.name} does not implement {hook}")
        for answer in _answers(migrator, plugin, hook, kind, **arguments):
            if isinstance(answer, BaseException):
                pytest.fail(f"it raised {type(answer).__name__}: {answer}", pytrace=False)
            assert [text for value in answer for text in misfits(value)] == []
            return answer
        raise AssertionError(f"{hook} was not asked of {self.name}")


def _look_at(diagnoses: Sequence[Diagnosis]) -> None:
    for diagnosis in diagnoses:
        assert _ID.fullmatch(diagnosis.id), f"{diagnosis.id!r} is no id"
        assert diagnosis.cause.strip(), f"{diagnosis.id}: it names no cause"
        remedies = [remedy.text.strip() for remedy in diagnosis.remedies]
        assert "".join(remedies), f"{diagnosis.id}: it names no remedy"
        assert 0 <= diagnosis.confidence <= 1, f"{diagnosis.id}: {diagnosis.confidence}"


def _answers(
    migrator: Migrator, plugin: Plugin, hook: str, kind: type[Any], **arguments: object
) -> Iterator[tuple[Any, ...] | BaseException]:
    for name, answer in migrator.registry.answers(hook, kind, **arguments):
        if name == plugin.point.name:
            yield answer if isinstance(answer, BaseException) else tuple(answer)
