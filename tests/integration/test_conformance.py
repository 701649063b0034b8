"""The QEMU driver keeps on real hosts what every driver has to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from migrate_plugins.testing import DriverConformance

if TYPE_CHECKING:
    from migrate_plugins_lab.lab import Lab

# A guest that writes over 64 MiB all the time, over a link of 100 Mbit/s: never done by itself.
DIRTY = 64
RATE = "100mbit"


class LabPair:
    """Two hosts of a lab; see :class:`migrate_plugins.testing.HostPair`."""

    migration: Final = None
    dead: Final = "qemu+tcp://127.0.0.1:1/system"

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._alpha, self._beta = lab.hosts
        self._dirty = 0
        self._made = 0
        self.source: Final = self._alpha.uri
        self.destination: Final = self._beta.uri
        self.peer: Final = self._beta.peer_uri

    def guest(self, *, running: bool = True, persistent: bool = False) -> str:
        self._made += 1
        name = f"guest{self._made}"
        self._lab.guest(name, dirty=self._dirty, persistent=persistent)
        if not running:
            self._alpha.virsh("destroy", name)
        return name

    def slow(self) -> None:
        self._dirty = DIRTY
        self._lab.fault("alpha", "bandwidth", RATE)

    def break_transfer(self) -> None:
        self._lab.fault("beta", "kill-daemon")

    def heal(self) -> None:
        self._lab.fault("alpha", "heal")
        self._lab.fault("beta", "heal")

    def clean(self) -> None:
        self._lab.clean()


class TestConformance(DriverConformance):
    name = "qemu"

    @pytest.fixture
    def hosts(self, lab: Lab) -> LabPair:
        return LabPair(lab)
