"""The checks of a driver, all of them."""

from __future__ import annotations

from migrate_plugins.testing.conformance.capabilities import Claims
from migrate_plugins.testing.conformance.commands import Commands
from migrate_plugins.testing.conformance.identity import Identity
from migrate_plugins.testing.conformance.planning import Planning, Refusing
from migrate_plugins.testing.conformance.ports import Ports
from migrate_plugins.testing.conformance.running import Running
from migrate_plugins.testing.conformance.uris import URIs

__all__ = ["DriverConformance"]


class DriverConformance(Identity, Claims, Ports, URIs, Refusing, Planning, Commands, Running):
    """What every driver has to keep.

    Subclass it in a test module, in a class whose name begins with ``Test``, and set ``name``.
    Override the fixture ``hosts`` to have migrations run as well, see
    :class:`migrate_plugins.testing.HostPair`.
    """
