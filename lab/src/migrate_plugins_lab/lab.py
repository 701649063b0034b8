"""A lab: several real libvirt hosts on this machine, brought up, used and ended together."""

from __future__ import annotations

import contextlib
import json
import shutil
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from migrate_plugins_lab import daemon, faults, network, postcopy, preflight
from migrate_plugins_lab.anchor import Anchor
from migrate_plugins_lab.domain import SPARE, Domain
from migrate_plugins_lab.errors import (
    ArgumentError,
    BusyError,
    CommandError,
    DaemonError,
    DownError,
    LabError,
    ShapeError,
)
from migrate_plugins_lab.folder import DISKS, Folder, home
from migrate_plugins_lab.guest import Guest
from migrate_plugins_lab.host import Host
from migrate_plugins_lab.process import Process

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAMES: Final = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta")
"""What hosts are called, in this order."""

KINDS: Final = {"qemu": "migrate_plugins_lab.lab:Lab", "xen": "migrate_plugins_lab.xen.lab:Lab"}
"""What the hosts of a lab can be, and the class of such a lab: imported when it is asked for."""

_FEWEST: Final = 2

# What libvirt keeps of a guest besides its definition, and does not forget unless it is told to.
_ALL: Final = ("--managed-save", "--snapshots-metadata", "--checkpoints-metadata")
_PROGRAM: Final = Path(__file__).parent / "boot/tick.bin"


@dataclass(frozen=True)
class Lab:
    """A lab that is up: this class itself is one of QEMU hosts."""

    kind: ClassVar = "qemu"
    most: ClassVar = len(NAMES)
    """How many hosts it can have."""
    needs_root: ClassVar = False
    spare: ClassVar = SPARE
    """MiB that a guest gets besides the memory it dirties."""

    folder: Folder
    anchor: Anchor
    owner: int | None
    """The process whose end is the lab's end, or None."""

    @classmethod
    def up(
        cls,
        name: str = "default",
        *,
        hosts: int = _FEWEST,
        privileged: bool = False,
        owner: int | None = None,
        kind: str = "qemu",
    ) -> Lab:
        """Bring up a lab, or return the one of that name that is up already.

        Args:
            name: Labs of different names, and of different users, know nothing of each other.
            hosts: How many hosts.
            privileged: Use root's own namespaces and libvirt's system instance.
            owner: A process (number) whose end, however it comes, ends the lab too.
            kind: What its hosts are: one of :data:`KINDS`.

        Raises:
            PreflightError: This machine lacks something; all of it is named.
            ShapeError: A lab of that name is up, with other hosts.
            LabError: A part did not come up.  Nothing is left running.
        """
        wanted = class_of(kind)
        if not _FEWEST <= hosts <= wanted.most:
            most = wanted.most
            raise ArgumentError(
                "the number of hosts",
                hosts,
                wrong="it is too small for a migration, or too large",
                hint=f"{_FEWEST} to {most} works" if most > _FEWEST else f"{_FEWEST} works",
            )
        privileged = privileged or wanted.needs_root
        folder = Folder.of(name)
        sweep()
        wanted.prepare()
        running: Lab | None = None
        with folder.locked():
            with contextlib.suppress(DownError):
                running = cls._read(folder)
            if running is None:
                wanted.check(privileged=privileged)
                return wanted.started(folder, NAMES[:hosts], privileged=privileged, owner=owner)
        asked = wanted.shape_of(hosts, privileged=privileged)
        if running.shape != asked:
            raise ShapeError(name, running=running.shape, wanted=asked)
        return running

    @classmethod
    def check(cls, *, privileged: bool) -> None:
        """Make sure that this machine can bring one up.

        Raises:
            PreflightError: It cannot; the error carries every reason.
        """
        preflight.check(privileged=privileged)

    @classmethod
    def prepare(cls) -> None:
        """Make what every lab of the kind starts from, unless it is there: nothing."""

    @classmethod
    def shape_of(cls, hosts: int, *, privileged: bool) -> str:
        """How many hosts of which kind, in words."""
        return f"{hosts} {'privileged' if privileged else 'rootless'} hosts"

    @classmethod
    def open(cls, name: str = "default") -> Lab:
        """The lab *name*, which is up.

        Raises:
            DownError: It is not, or it crashed.
        """
        return cls._read(Folder.of(name))

    @classmethod
    def end(cls, name: str = "default") -> bool:
        """End the lab *name*, and remove what a crash left of it; False when there was nothing."""
        return cls._end(Folder.of(name))

    def down(self) -> None:
        """End the lab: every process in it, and its folder."""
        self._end(self.folder)

    @property
    def name(self) -> str:
        """What it was brought up as."""
        return self.folder.name

    @property
    def privileged(self) -> bool:
        """Whether its libvirtd run as the machine's root."""
        return self.anchor.privileged

    @property
    def shape(self) -> str:
        """How many hosts of which kind, in words."""
        return self.shape_of(len(self.hosts), privileged=self.privileged)

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Its hosts, in order."""
        return tuple(
            Host(name, network.address(place), self.anchor, self.folder)
            for place, name in enumerate(self.anchor.holders)
        )

    @cached_property
    def postcopy(self) -> postcopy.Postcopy:
        """Whether post-copy works here, found out by asking QEMU; false in a condition if not."""
        return postcopy.ask(self.hosts[0])

    def host(self, name: str) -> Host:
        """The host *name*.

        Raises:
            ArgumentError: There is none.
        """
        for host in self.hosts:
            if host.name == name:
                return host
        names = ", ".join(self.anchor.holders)
        raise ArgumentError("the host", name, wrong="the lab has none so named", hint=names)

    def guest(
        self,
        name: str,
        *,
        host: str = NAMES[0],
        memory: int | None = None,
        dirty: int = 0,
        disk: int = 0,
        off: int = 0,
        persistent: bool = False,
        edit: Callable[[str], str] | None = None,
    ) -> Guest:
        """Start a guest and wait for its first tick.

        Args:
            name: What libvirt calls it.
            host: Where it starts.
            memory: Its memory in MiB; None for what it dirties and what it needs besides.
            dirty: How many MiB of it the guest writes over before each tick.
            disk: The size in MiB of a disk that each host has a file of its own for, 0 for none:
                such a guest is not safe to migrate without copying it.
            off: After how many ticks it powers itself off, 0 for never.
            persistent: Whether the host keeps its configuration when it stops.
            edit: Changes the domain XML before libvirt reads it, or None.

        Raises:
            ArgumentError: A value cannot be.
            CommandError: libvirt refused it.
            SilentGuestError: It started, and does not tick.
        """
        there = self.host(host)
        size = dirty + self.spare if memory is None else memory
        domain = self._domain(name, memory=size, dirty=dirty, disk=disk, off=off)
        xml = self.folder.path / f"guests/{domain.label}.xml"
        xml.write_text((edit or str)(domain.xml()), encoding="utf-8")
        guest = self._witness(domain, there)
        if disk:
            for each in self.hosts:
                with (self.folder.host(each.name) / f"disks/{name}.img").open("wb") as image:
                    image.truncate(disk << 20)
        if persistent:
            there.virsh("define", str(xml))
            there.virsh("start", name, seconds=there.PATIENCE)
        else:
            there.virsh("create", str(xml), seconds=there.PATIENCE)
        guest.wait_for_ticks(1, seconds=there.PATIENCE)
        return guest

    def _domain(self, name: str, *, memory: int, dirty: int, disk: int, off: int) -> Domain:
        """What a guest of this kind of host is made from."""
        return Domain(name, str(uuid.uuid4()), memory=memory, dirty=dirty, disk=disk, off=off)

    def _witness(self, domain: Domain, _host: Host) -> Guest:
        """The guest that a domain becomes, with where it is going to tick."""
        serial = self.folder.path / f"serial/{domain.label}.log"
        serial.touch()
        return Guest(domain.name, domain.uuid, serial)

    def fault(self, host: str, kind: str, *arguments: str) -> None:
        """Break a host on purpose, or mend it: see :mod:`migrate_plugins_lab.faults`.

        Raises:
            ArgumentError: There is no such host or fault, or the fault takes other arguments.
            DaemonError: Its libvirtd is to be signalled, and dead; or does not come back.
        """
        faults.inflict(self.host(host), kind, *arguments)

    def clean(self) -> None:
        """Heal every host and remove every guest, as if the lab had just come up."""
        with ThreadPoolExecutor(len(self.hosts)) as workers:
            for step in (faults.mend, remove_guests):
                list(workers.map(step, self.hosts))

    def describe(self) -> dict[str, Any]:
        """The lab in the words of ``lab up --json``."""
        return {
            "name": self.name,
            "kind": self.kind,
            "privileged": self.privileged,
            "hosts": [host.describe() for host in self.hosts],
        }

    def status(self) -> dict[str, Any]:
        """The lab in the words of ``lab status --json``: as :meth:`describe`, and how it is."""
        hosts = []
        for host in self.hosts:
            state = daemon.state(host)
            guests = host.guests() if state is daemon.State.RUNNING else []
            about = {"daemon": str(state), "faults": faults.active(host), "guests": guests}
            hosts.append({**host.describe(), **about})
        return {**self.describe(), "postcopy": asdict(self.postcopy), "hosts": hosts}

    @classmethod
    def _read(cls, folder: Folder) -> Lab:
        try:
            record = json.loads(folder.record.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DownError(folder.name, why="is not up") from None
        process = Process(**record["process"])
        if not process.alive():
            raise DownError(folder.name, why=f"crashed (its process {process.pid} is gone)")
        anchor = Anchor(process, record["privileged"], record["holders"])
        return class_of(record["kind"])(folder, anchor, record["owner"])

    @classmethod
    def started(
        cls, folder: Folder, names: Sequence[str], *, privileged: bool, owner: int | None
    ) -> Self:
        """Bring up a new lab in *folder*, whose lock is held."""
        folder.remove()
        folder.create()
        try:
            # The anchor is the inner one: when it goes, the workers' commands end at once.
            with (
                ThreadPoolExecutor(len(names)) as workers,
                Anchor.launched(folder, names, privileged=privileged, owner=owner) as anchor,
            ):
                lab = cls(folder, anchor, owner)
                lab._furnish()
                for done in [workers.submit(lab._bring_up, host) for host in lab.hosts]:
                    done.result()
                lab._write()
        except BaseException:
            folder.remove()
            raise
        return lab

    @classmethod
    def _end(cls, folder: Folder) -> bool:
        with folder.locked():
            with contextlib.suppress(DownError):
                if not cls._read(folder).anchor.process.kill():
                    raise LabError(f"lab {folder.name!r}: its processes did not end when killed")
            found = folder.path.exists()
            folder.remove()
        return found

    def _furnish(self) -> None:
        """Make what all hosts share."""
        for below in ("guests", "serial", DISKS.name):
            (self.folder.path / below).mkdir()
        shutil.copyfile(_PROGRAM, self.folder.path / _PROGRAM.name)
        addresses = {host.name: host.address for host in self.hosts}
        (self.folder.path / "hosts").write_text(network.names(addresses), encoding="utf-8")
        self.anchor.enter(["ip", "-batch", "-"], stdin=network.switch(self.anchor.holders))

    def _bring_up(self, host: Host) -> None:
        """Turn a host's bare namespaces into a host that answers."""
        host.settle()
        daemon.install(host, uuid=str(uuid.uuid4()))
        daemon.start(host)
        daemon.warm(host)

    def _write(self) -> None:
        """Write the record, in one step: a lab with half a record would be nobody's."""
        record = {
            "process": asdict(self.anchor.process),
            "kind": self.kind,
            "privileged": self.privileged,
            "holders": self.anchor.holders,
            "owner": self.owner,
        }
        draft = self.folder.record.with_suffix(".draft")
        draft.write_text(json.dumps(record), encoding="utf-8")
        draft.rename(self.folder.record)


def class_of(kind: str) -> type[Lab]:
    """The class of the labs of a kind.

    Raises:
        ArgumentError: There is no such kind.
    """
    if kind not in KINDS:
        raise ArgumentError(
            "the kind of hosts", kind, wrong="there is none", hint=f"{', '.join(KINDS)} work"
        )
    module, _, name = KINDS[kind].partition(":")
    found: type[Lab] = getattr(import_module(module), name)
    return found


def remove_guests(host: Host) -> None:
    """Stop and forget every guest of a host.

    Raises:
        DaemonError: Some are still there.
    """
    found = host.guests()
    for guest in found:
        # Failing is fine: a transient guest is gone once it is destroyed.
        for command, *options in (("destroy",), ("undefine", *_ALL)):
            with contextlib.suppress(CommandError):
                host.virsh(command, guest["name"], *options)
    if found:
        host.remove_strays()
        if left := [guest["name"] for guest in host.guests()]:
            why = f"{', '.join(left)} cannot be removed"
            raise DaemonError(host.name, why=why, log=host.log())


def sweep() -> None:
    """Remove the folders of labs that ended with their owners, or were never quite up."""
    labs = home()
    for path in labs.glob("*/") if labs.is_dir() else ():
        folder = Folder(path)
        with contextlib.suppress(BusyError), folder.locked(seconds=0):
            try:
                lab = json.loads(folder.record.read_text(encoding="utf-8"))
            except FileNotFoundError:
                folder.remove()
                continue
            if lab["owner"] is not None and not Process(**lab["process"]).alive():
                folder.remove()
