"""What xend's driver is given of a migration URI, since it looks for slashes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_plugins_xen.uris import for_xend

if TYPE_CHECKING:
    from migrate_plugins import Migrator

# fmt: off
WRITTEN = [
    # migration URI              what xend is given
    ("xenmigr://beta/",          "xenmigr://beta/"),
    ("xenmigr:beta",             "xenmigr://beta"),
    ("xenmigr:10.0.0.1/",        "xenmigr://10.0.0.1/"),
    ("xenmigr:beta:8002",        "xenmigr://beta:8002"),
    ("//beta:8002",              "//beta:8002"),
    ("beta:8002",                "beta:8002"),
    ("beta",                     "beta"),
    (None,                       None),
]
# fmt: on


@pytest.mark.parametrize(("migration", "given"), WRITTEN)
def test_xend_is_given_what_it_can_read(
    migrator: Migrator, migration: str | None, given: str | None
) -> None:
    plan = migrator.plan(
        "web1", source="xen:///", destination="xen+ssh://beta/", migration=migration
    )

    assert for_xend(plan).uris.migration.value == given
    found = [each.expected for each in plan.findings if each.id == "slashes-missing"]
    assert found == ([] if given == migration else [given])
