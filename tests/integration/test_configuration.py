"""All 16 rows of the document's configuration table, on real hosts, by both revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_plugins import Before, Revision
from migrate_plugins.document import DISPUTED, ROWS, Row

if TYPE_CHECKING:
    from pathlib import Path

    from migrate_plugins import Migrator
    from migrate_plugins_lab.lab import Lab


def _name(row: Row) -> str:
    before = row.before
    kind = "persistent" if before.persistent else "transient"
    flags = f"undefine-{row.undefine_source:d}-persist-{row.persist:d}"
    return f"{kind}-destination-{before.destination_config:d}-{flags}"


@pytest.mark.parametrize("revision", [*Revision])
@pytest.mark.parametrize("row", ROWS[Revision.CURRENT], ids=_name)
def test_row_holds(
    migrator: Migrator, hosts: Lab, tmp_path: Path, row: Row, revision: Revision
) -> None:
    alpha, beta = hosts.hosts
    hosts.guest("web1", persistent=row.before.persistent)
    if row.before.destination_config:
        definition = tmp_path / "web1.xml"
        definition.write_text(alpha.virsh("dumpxml", "web1"))
        beta.virsh("define", str(definition))
    plan = migrator.plan(
        "web1",
        source=alpha.uri,
        destination=beta.uri,
        revision=revision,
        undefine_source=row.undefine_source,
        persistent=row.persist,
        live=True,
    )

    outcome = migrator.run(plan)

    outcome.raise_for_failure()
    found: Before | None = outcome.plan.before
    assert found == row.before
    # What is really there afterwards is what the current edition says, whatever was asked for.
    assert outcome.configuration == row.after
    promised = outcome.plan.configuration.after
    announced = "revisions-disagree" in {finding.id for finding in outcome.findings}
    disputed = next((old for old, new in DISPUTED if new == row), None)
    assert announced == (disputed is not None)
    if disputed is not None and revision is Revision.ORIGINAL:
        assert promised == disputed.after
        assert outcome.differences == (
            "the guest is persistent, where revision original expects that the guest is transient",
            (
                "a configuration is on the destination, where revision original expects that no"
                " configuration is on the destination"
            ),
        )
    else:
        assert promised == row.after
        assert outcome.differences == ()
