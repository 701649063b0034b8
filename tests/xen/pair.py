"""Two Xen hosts: move guests between them, and tell what became of them."""

from __future__ import annotations

import shlex
import sys
import uuid
from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Self

from migrate_plugins import Config, Migrator, NamedHost, Registry
from migrate_plugins_lab.xen.domain import Domain
from migrate_plugins_lab.xen.guest import Guest, merge

if TYPE_CHECKING:
    from migrate_plugins import Outcome, Plan, Report
    from migrate_plugins_lab.guest import Guest as AnyGuest
    from migrate_plugins_lab.host import Host
    from migrate_plugins_lab.lab import Lab
    from migrate_plugins_lab.ticks import Tick

SECONDS = 180.0
"""In which a guest that moved ticks again, on a machine that has other things to do."""

NOBODYS = "tcp://10.78.0.99:49300"
"""A migration URI with an address that no host has, so that the destination cannot listen there."""

LIBXL_PORTS = range(49152, 49217)
"""Of which a destination chooses one, where nobody names it."""

# ssh, by which the lab comes in too, and libvirt.
_SERVICES = frozenset({22, 16509})
# A command that runs a command line on a host, by root's, with the rights of somebody else.
_AS_USER = """
import os, shlex, sys
_, user, *shell, line = sys.argv
os.execvp(shell[0], [*shell, f"runuser -u {user} -- sh -c {shlex.quote(line)}"])
"""
# MiB that a guest writes over all the time, and what its memory goes over.
_DIRTY = 48
_RATE = "40mbit"
# Seconds between two looks.
_LOOK = 0.5

# On the hosts.
_HEARD = "/run/{}.heard"

_PVH = "machine='xenpvh'>xenpvh<"
_PV = "machine='xenpv'>linux<"


@dataclass(frozen=True)
class Pair:
    """The hosts, and what migrates between them."""

    lab: Lab
    migrator: Migrator

    @classmethod
    def of(cls, lab: Lab, *, shells: bool = True, user: str | None = None) -> Self:
        """Give the hosts of a lab, and a migrator with or without a way to run programs on them.

        Args:
            lab: Which.
            shells: Whether there is a way.
            user: Whose rights the programs have; None for root's.
        """
        way = () if user is None else (sys.executable, "-c", _AS_USER, user)
        named = {
            host.name: NamedHost(
                host.name,
                host.uri,
                host.peer_uri,
                (host.address,),
                (*way, *host.shell) if shells else (),
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

    def wait_until_sending(self, *guests: str) -> None:
        """Wait until alpha's Xen sends the memory of these guests, of all at once."""
        end = monotonic() + SECONDS
        while not all(map(self.sending, guests)):
            assert monotonic() < end, f"{', '.join(guests)}: not sent"
            sleep(_LOOK)

    def ports(self) -> set[int]:
        """The ports of beta over which something comes from alpha at the moment, but ssh's."""
        ours, theirs = (f"{host.address}:" for host in (self.beta, self.alpha))
        listed = self.beta.run(["ss", "-Htn", "state", "established"]).splitlines()
        # Between received, sent, and whatever follows.
        ends = [line.split()[2:4] for line in listed]
        return {
            int(port)
            for here, there in ends
            if here.startswith(ours) and there.startswith(theirs)
            for port in [here.removeprefix(ours)]
            if int(port) not in _SERVICES
        }

    def restart_libvirtd(self, *hosts: Host) -> None:
        """Start the libvirtd of some hosts anew; their guests run on."""
        for host in hosts:
            self.lab.fault(host.name, "kill-daemon")
            self.lab.fault(host.name, "heal")

    def slow_guest(self, name: str) -> AnyGuest:
        """Start a guest on alpha whose transfer takes half a minute at the least."""
        guest = self.lab.guest(name, dirty=_DIRTY)
        self.slow_down()
        return guest

    def slow_down(self) -> None:
        """Let alpha send so slowly that a guest which writes nothing takes twenty seconds."""
        self.lab.fault("alpha", "bandwidth", _RATE)

    def pv_guest(self, name: str) -> PVGuest:
        """Start a PV guest on alpha, and listen to it there.

        It ticks on its own console alone: Debian's Xen lets no such guest write on that of the
        hypervisor.
        """
        domain = Domain(name, str(uuid.uuid4()), memory=96, dirty=0, disk=0, off=0)
        xml = self.lab.folder.path / f"guests/{domain.label}.xml"
        xml.write_text(domain.xml().replace(_PVH, _PV), encoding="utf-8")
        self.alpha.virsh("create", str(xml), seconds=SECONDS)
        self.listen(name, self.alpha)
        return PVGuest(name, domain.uuid, xml, (), self.lab.hosts)

    @staticmethod
    def listen(name: str, host: Host) -> None:
        """Keep what a PV guest prints on *host*, what it has printed before as well."""
        number = host.run(["xl", "domid", name]).strip()
        tty = host.run(["xenstore-read", f"/local/domain/{number}/console/tty"]).strip()
        line = f"cat {tty} | sed -u 's/^/(d{number}) /' >>{_HEARD.format(name)}"
        host.run(["sh", "-c", f"setsid sh -c {shlex.quote(line)} </dev/null >/dev/null 2>&1 &"])


@dataclass(frozen=True)
class PVGuest(Guest):
    """A PV guest, by what was kept of it on the hosts where it was listened to."""

    hosts: tuple[Host, ...]

    def ticks(self) -> list[Tick]:
        """Everything it has printed so far, put in order."""
        show = f"cat {_HEARD.format(self.name)} 2>/dev/null || true"
        return merge([host.run(["sh", "-c", show]) for host in self.hosts], self.label)


def alive(guest: AnyGuest) -> None:
    """Make sure that *guest* goes on ticking, and never missed or repeated one."""
    guest.wait_for_ticks(5, seconds=SECONDS)
    assert guest.continuity().breaks == ()
