"""Two Xen hosts: move guests between them, and tell what became of them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migrate_plugins_lab.xen.domain import Domain

if TYPE_CHECKING:
    from migrate_plugins import Migrator, Outcome, Plan, Report
    from migrate_plugins_lab.guest import Guest
    from migrate_plugins_lab.host import Host
    from migrate_plugins_lab.lab import Lab

SECONDS = 180.0
"""In which a guest that moved ticks again, on a machine that has other things to do."""

_PVH = "machine='xenpvh'>xenpvh<"
_PV = "machine='xenpv'>linux<"


@dataclass(frozen=True)
class Pair:
    """The hosts, and what migrates between them."""

    lab: Lab
    migrator: Migrator

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
