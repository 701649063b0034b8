"""The page of the findings: each kind that the core and our drivers list, by whose it is."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from migrate_plugins import EntryPoint, Migrator
from migrate_plugins.checks.kinds import KINDS
from migrate_plugins.installed import DRIVERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrate_plugins import FindingKind

__all__ = ["page"]

_HEAD: Final = """\
<!-- Written by scripts/docs from what the core and the drivers list. -->
# Findings

What `migrate-plugins check` can find, by the id that `--only`, `--skip` and `--accept` take. An
*error* blocks the migration until it is mended or accepted; the severity given here is the worst
one, and is milder where the guest's state allows. An id that ends in `-unknown` says only that
something could not be found out, with what to run to find out. `migrate-plugins list --findings`
gives those of the plugins that are installed.
"""
_NAMES: Final = ("qemu", "vbox", "vmware", "xen")


def page() -> str:
    """Give the page."""
    parts = [_HEAD, "## Whatever the driver\n", *_table(KINDS)]
    for name in _NAMES:
        point = EntryPoint(DRIVERS, name, "docs", f"migrate-plugins-{name}", "", "docs")
        hooks = import_module(f"migrate_plugins_{name}.hooks")
        migrator = Migrator([(point, hooks)])
        title = migrator.registry.drivers[name].info.title
        parts += [f"## {title}\n", *_table(migrator.registry.finding_kinds())]
    return "\n".join(parts)


def _table(kinds: Iterable[FindingKind]) -> Iterator[str]:
    yield "| Finding | Severity | |"
    yield "|---|---|---|"
    for kind in kinds:
        yield f"| `{kind.id}` | {kind.severity} | {kind.summary} |"
    yield ""
