"""The checks of a driver, all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_plugins.testing.conformance.answers import Answers
from migrate_plugins.testing.conformance.capabilities import Claims
from migrate_plugins.testing.conformance.commands import Commands
from migrate_plugins.testing.conformance.identity import Identity
from migrate_plugins.testing.conformance.mending import Mending
from migrate_plugins.testing.conformance.planning import Planning, Refusing
from migrate_plugins.testing.conformance.ports import Ports
from migrate_plugins.testing.conformance.uris import URIs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Migrator, Plan
    from migrate_plugins.testing.conformance.samples import Samples

__all__ = ["DriverConformance"]


class DriverConformance(
    Identity, Claims, Ports, URIs, Refusing, Planning, Commands, Answers, Mending
):
    """What every driver has to keep.

    Subclass it in a test module, in a class whose name begins with ``Test``, and set ``name``;
    where they are needed also ``migration_uri``, ``imports`` and ``patience``.  Override the
    fixture ``hosts`` to have migrations run as well, see :class:`migrate_plugins.testing.HostPair`.
    """

    @pytest.fixture
    def plans(self, migrator: Migrator, samples: Samples) -> Sequence[Plan]:
        """A plan of each scenario that it offers."""
        return [
            migrator.plan(**samples.request(scenario, revision))
            for revision, scenario in samples.offered()
        ]
