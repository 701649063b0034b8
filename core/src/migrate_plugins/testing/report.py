"""What the conformance kit found, as JSON: for the support matrix, and for other programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from migrate_plugins.testing.conformance.rules import Rule, Shows

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SCHEMA", "Listener", "Report"]

SCHEMA: Final = "migrate-plugins/conformance/1"

# Properties that travel with pytest's reports, from worker processes too.
_CHECK: Final = "migrate_plugins.check"
_PLUGIN: Final = "migrate_plugins.plugin"

# The worse of two outcomes counts; what was skipped counts where nothing else is known.
_WORST: Final = ("failed", "passed", "skipped")

_UNFINISHED: Final = "not finished"


class Report:
    """What was found of each plugin."""

    def __init__(self) -> None:
        self._plugins: dict[tuple[str, str], dict[str, Any]] = {}
        self._checks: dict[str, dict[str, Any]] = {}

    def add(
        self,
        node: str,
        properties: dict[str, Any],
        when: str,
        outcome: str,
        reason: str | None,
    ) -> None:
        """Add a part of a check.

        Args:
            node: pytest's own name of the check.
            properties: What travels with it.
            when: Which part: ``setup``, ``call`` or ``teardown``.
            outcome: ``passed``, ``failed`` or ``skipped``.
            reason: Why it was not passed, or None.
        """
        told = properties.get(_CHECK)
        if told is None:
            return
        plugin = self._plugins.setdefault(
            (told["kind"], told["name"]), {"distribution": None, "version": None, "api": None}
        )
        plugin |= properties.get(_PLUGIN, {})
        # Somebody may interrupt it between its set-up and the end of its call.
        check = self._checks.setdefault(node, {**told, "outcome": "skipped", "reason": _UNFINISHED})
        # Only a call shows that something is right; whatever goes wrong, goes wrong for good.
        if check["outcome"] != "failed" and (when == "call" or outcome != "passed"):
            check |= {"outcome": outcome, "reason": reason}

    def to_json(self) -> dict[str, Any]:
        """Give the report as JSON's own types."""
        return {
            "schema": SCHEMA,
            "plugins": [
                self._plugin(kind, name, facts)
                for (kind, name), facts in sorted(self._plugins.items())
            ],
        }

    def _plugin(self, kind: str, name: str, facts: dict[str, Any]) -> dict[str, Any]:
        checks = [
            check
            for check in self._checks.values()
            if (check["kind"], check["name"]) == (kind, name)
        ]
        outcomes = [check["outcome"] for check in checks]
        return {
            "name": name,
            "kind": kind,
            **facts,
            **{outcome: outcomes.count(outcome) for outcome in ("passed", "failed", "skipped")},
            "scenarios": _scenarios(checks),
            "checks": [
                {key: check[key] for key in ("id", "rule", "hooks", "outcome", "reason")}
                for check in checks
            ],
        }


class Listener:
    """Listens to pytest, and writes the report in the end."""

    def __init__(self, path: str) -> None:
        """Write to *path*.

        Raises:
            pytest.UsageError: Its folder is not there.
        """
        self._path = Path(path)
        self._report = Report()
        if not self._path.absolute().parent.is_dir():
            raise pytest.UsageError(
                f"--conformance-report {path}: there is no folder {self._path.parent}; make it"
            )

    def pytest_collection_modifyitems(self, items: Iterable[pytest.Item]) -> None:
        """Let each check say what it is, in every report of it."""
        for item in items:
            rule = getattr(getattr(item, "function", None), "conformance", None)
            if isinstance(item, pytest.Function) and isinstance(rule, Rule):
                item.user_properties.append((_CHECK, _told(item, rule)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note an outcome."""
        outcome: str = "failed" if hasattr(report, "wasxfail") else report.outcome
        reason = None if outcome == "passed" else _reason(report)
        properties = {name: value for name, value in report.user_properties}  # noqa: C416 - of object
        self._report.add(report.nodeid, properties, report.when or "", outcome, reason)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write it, but for a worker process, whose outcomes the first process has."""
        if not hasattr(session.config, "workerinput"):
            self._path.write_text(json.dumps(self._report.to_json(), indent=2) + "\n", "utf-8")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where it is."""
        terminalreporter.write_line(f"conformance report: {self._path}")


def _told(item: pytest.Function, rule: Rule) -> dict[str, Any]:
    parameters = getattr(item, "callspec", None)
    values = {} if parameters is None else parameters.params
    revision, scenario = values.get("revision"), values.get("scenario")
    return {
        "kind": getattr(item.cls, "kind", ""),
        "name": getattr(item.cls, "name", ""),
        "id": item.name.removeprefix("test_"),
        "rule": rule.text,
        "hooks": list(rule.hooks),
        "shows": rule.shows and rule.shows.value,
        "proves": rule.proves,
        "revision": revision and str(revision),
        "scenario": scenario,
    }


def _reason(report: pytest.TestReport) -> str:
    """Say in one line why a check was not passed."""
    told = report.longrepr
    if isinstance(told, tuple):
        return str(told[2]).removeprefix("Skipped: ")
    crash = getattr(told, "reprcrash", None)
    lines = str(report.longreprtext if crash is None else crash.message).strip().splitlines()
    return lines[0] if lines else report.outcome


def _scenarios(checks: Iterable[dict[str, Any]]) -> dict[str, dict[str, dict[str, str | None]]]:
    """Bring together what the checks of each scenario show."""
    found: dict[str, dict[str, dict[str, str | None]]] = {}
    reasons: dict[tuple[str, str, str], str | None] = {}
    for check in checks:
        shows, outcome = check["shows"], check["outcome"]
        if shows is None or not (check["proves"] or outcome == "failed"):
            continue
        revision, scenario = check["revision"], check["scenario"]
        cell = found.setdefault(revision, {}).setdefault(scenario, dict.fromkeys(Shows))
        before = cell[shows]
        if before is None or _WORST.index(outcome) < _WORST.index(before):
            cell[shows] = outcome
            reasons[revision, scenario, shows] = check["reason"]
    for revision, cells in found.items():
        for scenario, cell in cells.items():
            told = [reasons.get((revision, scenario, shows)) for shows in Shows]
            failed = [
                why for why, shows in zip(told, Shows, strict=True) if cell[shows] == "failed"
            ]
            cell["reason"] = next(filter(None, [*failed, *told]), None)
    return found
