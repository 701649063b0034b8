"""Blocks within a page that is written by hand: from ``<!-- NAME -->`` to ``<!-- end -->``."""

from __future__ import annotations

import json
import re
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from migrate_plugins import Config, Kind, Migrator, Revision
from migrate_plugins.cli.matrix import markdown
from migrate_plugins.installed import PLUGINS, entry_points
from migrate_plugins.testing import FAULTS, DriverConformance, PolicyConformance
from migrate_plugins.testing.conformance.rules import rules
from pages import reconciliation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["filled", "rows"]


def filled(text: str) -> str:
    """Give *text* with every block as it has to be."""
    return re.sub(r"(<!-- ([\w-]+(?: [\w-]+)*) -->\n)(?:(?!<!-- ).*\n)*?(<!-- end -->)", _one, text)


def rows(*cells: Iterable[str]) -> str:
    """Give a table, its head first."""
    head, *body = (
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells
    )
    columns = len(list(cells[0]))
    return "\n".join([head, "|---" * columns + "|", *body])


def _one(found: re.Match[str]) -> str:
    begin, name, end = found.groups()
    return f"{begin}{_BLOCKS[name]()}\n{end}"


def _matrix(revision: Revision) -> str:
    return markdown(Migrator.installed(Config()).registry.drivers, revision)


def _settings() -> str:
    parts = []
    for point in entry_points():
        if point.group != PLUGINS or point.distribution != "migrate-plugins":
            continue
        module, _, name = point.module.partition(":")
        policy = getattr(import_module(module), name)
        table = [("Key", "Value", "Default", "")]
        for setting in policy.SETTINGS:
            kinds = ", ".join(f"`{choice}`" for choice in setting.choices) or _KINDS[setting.kind]
            default = "" if setting.default in {None, ()} else f"`{json.dumps(setting.default)}`"
            table.append((f"`{setting.name}`", kinds, default, setting.help))
        parts.append(f"`[policies.{point.name}]`: {policy.__doc__.partition(chr(10))[0]}\n")
        parts.append(rows(*table) + "\n")
    return "\n".join(parts).rstrip()


def _faults() -> str:
    table = [(f"`{fault.name}`", f"{fault.help}.") for fault in FAULTS.values()]
    return rows(("Fault", "What happens"), *table)


def _rules(conformance: type) -> str:
    return "\n".join(
        f"- `{rule.id}`: {rule.text} ({', '.join(f'`{hook}`' for hook in rule.hooks)})"
        for rule in rules(conformance).values()
    )


# What a value is called where somebody writes one.
_KINDS: Final = {
    Kind.FLAG: "`true` or `false`",
    Kind.NUMBER: "whole number",
    Kind.TEXT: "text",
    Kind.NAMES: "list of texts",
}

_BLOCKS: Final[Mapping[str, Callable[[], str]]] = {
    "checks of a driver": partial(_rules, DriverConformance),
    "checks of a policy": partial(_rules, PolicyConformance),
    "faults": _faults,
    **{f"matrix {revision}": partial(_matrix, revision) for revision in Revision},
    "reconcile rules": lambda: rows(*reconciliation.rules()),
    "reconcile table": lambda: rows(*reconciliation.table()),
    "settings": _settings,
}
