"""The Xen driver keeps on real hosts what every driver has to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from xen.pair import Pair

from migrate_plugins.testing import DriverConformance

if TYPE_CHECKING:
    from migrate_plugins import Migrator
    from migrate_plugins_lab.lab import Lab

# Of every program that sends or receives the memory of a guest, libvirt's or xl's.
_MOVING: Final = "libxl-save-helpe[r] --"
# MiB that the largest guest takes, and a little for Xen.
_ROOM: Final = 180


class XenPair:
    """Two hosts of a lab; see :class:`migrate_plugins.testing.HostPair`."""

    migration: Final = "beta"
    dead: Final = "xen+tcp://127.0.0.1:1/system"

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._slow = False
        self._made = 0
        self.source: Final = pair.alpha.uri
        self.destination: Final = pair.beta.uri
        self.peer: Final = pair.beta.peer_uri

    def guest(self, *, running: bool = True, persistent: bool = False) -> str:
        self._make_room()
        self._made += 1
        name = f"guest{self._made}"
        if self._slow:
            self._pair.slow_guest(name)
        else:
            self._pair.lab.guest(name, persistent=persistent)
        if not running:
            self._pair.alpha.virsh("destroy", name)
        return name

    def _make_room(self) -> None:
        """End what has moved already, where the destination has no room for another one."""
        beta = self._pair.beta
        if int(beta.run(["xl", "info", "free_memory"])) < _ROOM:
            for name in beta.virsh("list", "--name").split():
                if name != "Domain-0":
                    beta.virsh("destroy", name)

    def slow(self) -> None:
        self._slow = True

    def break_transfer(self) -> None:
        for number in range(1, self._made + 1):
            self._pair.wait_until_sending(f"guest{number}")
        # Through a tunnel neither end notices what becomes of the other.
        for host in (self._pair.beta, self._pair.alpha):
            host.run(["sh", "-c", f"pkill -KILL -f '{_MOVING}' || true"])

    def heal(self) -> None:
        self._slow = False
        for host in self._pair.lab.hosts:
            self._pair.lab.fault(host.name, "heal")

    def clean(self) -> None:
        self.heal()
        self._pair.lab.clean()


@pytest.mark.long
class TestConformance(DriverConformance):
    name = "xen"
    patience = 400.0

    @pytest.fixture
    def migrator(self, xen_hosts: Lab) -> Migrator:
        return Pair.of(xen_hosts).migrator

    @pytest.fixture
    def hosts(self, xen_hosts: Lab) -> XenPair:
        return XenPair(Pair.of(xen_hosts))
