"""The driver keeps on real VirtualBoxes what every driver has to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from vbox.moves import MEMORY, RATE, WRITES
from vbox.site import until

from migrate_plugins.testing import DriverConformance
from migrate_plugins_vbox.machine import MARK

if TYPE_CHECKING:
    from vbox.site import Site

_INCOMING: Final = "ss -tnH state established 'sport >= :49300 and sport <= :49363'"


class VBoxPair:
    """The two hosts of a site; see :class:`migrate_plugins.testing.HostPair`."""

    peer: Final = None
    migration: Final = None

    def __init__(self, site: Site) -> None:
        self._site = site
        self._slow = False
        self.source: Final = site.alpha.uri
        self.destination: Final = site.beta.uri
        # A host that is there, and a port where nobody listens.
        self.dead: Final = site.alpha.uri.replace("@alpha/", "@alpha:1/")

    def guest(self, *, running: bool = True, persistent: bool = False) -> str:
        memory, writes = (MEMORY, WRITES) if self._slow else (16, 0)
        name = self._site.guest(memory=memory, writes=writes, start=running).name
        if not persistent:
            # A machine is always registered: it is marked as one that stays only while it runs.
            self._site.alpha.manage("setextradata", name, MARK, "yes")
        return name

    def slow(self) -> None:
        self._slow = True
        self._site.bandwidth(RATE)

    def break_transfer(self) -> None:
        """The target's process dies, once memory comes in."""
        beta = self._site.beta
        until(lambda: beta.run(_INCOMING, root=True), "memory comes in", seconds=45)
        for number, line in beta.busy().items():
            if "VBoxHeadless" in line:
                beta.kill(number)

    def heal(self) -> None:
        self._slow = False
        self._site.bandwidth(None)

    def clean(self) -> None:
        self._site.clean()


class TestConformance(DriverConformance):
    name = "vbox"
    migration_uri = "vboxmigr://192.0.2.7/"

    @pytest.fixture
    def hosts(self, site: Site) -> VBoxPair:
        return VBoxPair(site)
