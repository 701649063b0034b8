"""The page of the support matrix, from what the installed drivers declare."""

from __future__ import annotations

from typing import Final

from migrate_plugins import Config, Migrator, Revision
from migrate_plugins.cli.matrix import markdown

__all__ = ["page"]

_HEAD: Final = """\
<!-- Written by scripts/docs from what the drivers declare. -->
# Support matrix

What each driver of this project offers, by the migration document (`original`) and by libvirt as
it is today (`current`). A claim rests on the **document**, on **code** that was read, or on a
migration that was run (**verified**). `migrate-plugins matrix` shows the same for the drivers that
are installed, whoever wrote them.
"""


def page() -> str:
    """Give the page."""
    drivers = Migrator.installed(Config()).registry.drivers
    parts = [_HEAD]
    for revision in Revision:
        parts += [f"## Revision {revision}\n", markdown(drivers, revision), ""]
        for driver in drivers.values():
            parts += [f"### {driver.info.title}, {revision}\n", "| Scenario | Basis | Seen in |"]
            parts.append("|---|---|---|")
            for id_, (claim, *_) in driver.capabilities(revision).offers.items():
                seen = claim.reference + (f" ({claim.version})" if claim.version else "")
                parts.append(f"| {id_} | {claim.basis} | {seen} |")
            parts.append("")
    return "\n".join(parts)
