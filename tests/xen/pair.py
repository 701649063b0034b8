"""Two Xen hosts: move guests between them, and tell what became of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Self

from migrate_plugins import Config, Migrator, NamedHost, Registry
from migrate_plugins_lab.xen.domain import Domain

if TYPE_CHECKING:
    from migrate_plugins import Outcome, Plan, Report
    from migrate_plugins_lab.guest import Guest
    from migrate_plugins_lab.host import Host
    from migrate_plugins_lab.lab import Lab

SECONDS = 180.0
"""In which a guest that moved ticks again, on a machine that has other things to do."""

NOBODYS = "tcp://10.78.0.99:49300"
"""A migration URI with an address that no host has, so that the destination cannot listen there."""

# MiB that a guest writes over all the time, and what its memory goes over.
_DIRTY = 48
_RATE = "40mbit"
# Seconds between two looks.
_LOOK = 0.5

_PVH = "machine='xenpvh'>xenpvh<"
_PV = "machine='xenpv'>linux<"


@dataclass(frozen=True)
class Pair:
    """The hosts, and what migrates between them."""

    lab: Lab
    migrator: Migrator

    @classmethod
    def of(cls, lab: Lab, *, shells: bool = True) -> Self:
        """Give the hosts of a lab, and a migrator with or without a way to run programs on them."""
        named = {
            host.name: NamedHost(
                host.name, host.uri, host.peer_uri, (host.address,), host.shell if shells else ()
            )
            for host in lab.hosts
        }
        return cls(lab, Migrator(Registry.installed(Config(hosts=named))))

    @property
    def alpha(self) -> Host:
        """The host where guests start."""
        return self.lab.hosts[0]

    @property
    def beta(self) -> Host:
        """The other one."""
        return self.lab.hosts[1]

    def plan(self, guest: str, *, back: bool = False, **options: Any) -> Plan:  # noqa: ANN401
        """Plan a live migration of *guest* from alpha to beta, or *back*."""
        source, destination = (self.beta, self.alpha) if back else (self.alpha, self.beta)
        given = {
            "source": source.uri,
            "destination": None if options.get("direct") else destination.uri,
            "live": True,
            "revision": "current",
            **options,
        }
        return self.migrator.plan(guest, **given)

    def check(self, guest: str, **options: Any) -> Report:  # noqa: ANN401 - of many kinds
        """Give what is found before such a migration."""
        return self.migrator.check(self.plan(guest, **options))

    def run(self, guest: str, **options: Any) -> Outcome:  # noqa: ANN401 - of many kinds
        """Run such a migration."""
        return self.migrator.run(self.plan(guest, **options))

    def where(self, guest: str) -> list[str]:
        """The hosts whose Xen has a domain of that name, whatever libvirt says."""
        return [
            host.name
            for host in self.lab.hosts
            if guest in [line.split()[0] for line in host.run(["xl", "list"]).splitlines()]
        ]

    def sending(self, guest: str) -> bool:
        """Whether alpha's Xen sends the memory of that guest at the moment, whoever asked it to."""
        line = f'pgrep -f "libxl-save-helpe[r] --save-domain .* $(xl domid {guest}) " || true'
        return bool(self.alpha.run(["sh", "-c", line]).strip())

    def wait_until_sending(self, guest: str) -> None:
        """Wait until alpha's Xen sends the memory of that guest."""
        end = monotonic() + SECONDS
        while not self.sending(guest):
            assert monotonic() < end, f"{guest} is not sent"
            sleep(_LOOK)

    def slow_guest(self, name: str) -> Guest:
        """Start a guest on alpha whose transfer takes half a minute at the least."""
        guest = self.lab.guest(name, dirty=_DIRTY)
        self.lab.fault("alpha", "bandwidth", _RATE)
        return guest

    def pv_guest(self, name: str) -> None:
        """Start a PV guest on alpha.

        It ticks on its own console alone: Debian's Xen lets no such guest write on that of the
        hypervisor.
        """
        domain = Domain(name, str(uuid.uuid4()), memory=96, dirty=0, disk=0, off=0)
        xml = self.lab.folder.path / f"guests/{domain.label}.xml"
        xml.write_text(domain.xml().replace(_PVH, _PV), encoding="utf-8")
        self.alpha.virsh("create", str(xml), seconds=SECONDS)

    def pv_ticks(self, name: str, host: Host) -> str:
        """What a PV guest prints on its console in three seconds."""
        number = host.run(["xl", "domid", name]).strip()
        line = f'timeout 3 cat "$(xenstore-read /local/domain/{number}/console/tty)" || true'
        return host.run(["sh", "-c", line])


def alive(guest: Guest) -> None:
    """Make sure that *guest* goes on ticking, and never missed or repeated one."""
    guest.wait_for_ticks(5, seconds=SECONDS)
    assert guest.continuity().breaks == ()
