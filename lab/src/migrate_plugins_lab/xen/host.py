"""One Xen host of a lab: its names, and the ways to talk to it."""

from __future__ import annotations

import contextlib
import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import quote

from migrate_plugins_lab import commands, daemon, folder, host
from migrate_plugins_lab.anchor import tail
from migrate_plugins_lab.errors import CommandError, DaemonError
from migrate_plugins_lab.xen import machine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins_lab.xen.image import Image

_PORT: Final = 16509
_LOG: Final = "/var/log/libvirt/libvirtd.log"
_DOMAIN_0: Final = "Domain-0"

# From the saved state it takes seconds, from nothing a minute, and several on a busy machine.
_SECONDS: Final = 300.0


@dataclass(frozen=True)
class Host(host.Host):
    """A host that is a computer of its own, emulated, with Xen and a Debian that manages it."""

    QUEUE: ClassVar = "pfifo_fast"
    PATIENCE: ClassVar = 180.0

    image: Image

    @property
    def uri(self) -> str:
        """What a client outside the lab opens."""
        return f"xen+unix:///system?socket={quote(str(self.folder.socket(self.name)))}"

    @property
    def peer_uri(self) -> str:
        """What the other host opens."""
        return f"xen+tcp://{self.address}/system"

    @property
    def libvirtd(self) -> list[str]:
        """What starts its libvirtd, run on the host."""
        return ["libvirtd", "--daemon", "--listen", "--pid-file", self.pid_file]

    @property
    def pid_file(self) -> str:
        """Where its libvirtd leaves its number, as the host sees it."""
        return "/run/libvirtd.pid"

    @property
    def shell(self) -> tuple[str, ...]:
        """A command that takes one more word, a command line, and runs it on the host."""
        return (*self.anchor.way(None), *self._ssh)

    @property
    def _ssh(self) -> tuple[str, ...]:
        return ("ssh", "-F", str(folder.INSIDE / "ssh_config"), self.name)

    def run(
        self, argv: Sequence[str], *, seconds: float = commands.SECONDS, stdin: str = ""
    ) -> str:
        """Run a program on the host, as its root, and return what it printed.

        Raises:
            CommandError: It failed, or took longer than *seconds*.
        """
        try:
            return self.anchor.enter([*self._ssh, shlex.join(argv)], seconds=seconds, stdin=stdin)
        except CommandError as error:
            raise CommandError(argv, status=error.status, output=error.output) from error

    def guests(self) -> list[dict[str, str]]:
        """The guests it has: those that libvirt knows, and those that Xen alone knows."""
        known = [guest for guest in super().guests() if guest["name"] != _DOMAIN_0]
        names = {_DOMAIN_0, *(guest["name"] for guest in known)}
        # A domain that is being created has no name yet.
        rest = [name for name in self.domains() if name not in names]
        return [*known, *({"name": name, "state": "unknown to libvirt"} for name in rest)]

    def domains(self) -> list[str]:
        """The names of all domains that Xen has, of Domain-0 as well."""
        lines = self.run(["xl", "list"]).splitlines()[1:]
        return [line.split()[0] for line in lines if not line.startswith("(null)")]

    def remove_strays(self) -> None:
        """End the domains that libvirt has lost sight of, or cannot end."""
        for name in self.domains():
            if name != _DOMAIN_0:
                with contextlib.suppress(CommandError):  # it has ended meanwhile
                    self.run(["xl", "destroy", name])
        if self.guests():
            # A migration that failed may have left a job that nobody ends: only a new libvirtd
            # forgets it.
            self.run(["sh", "-c", f"kill -s KILL {daemon.pid(self)}"])
            daemon.start(self)
            for guest in self.guests():
                self.virsh("undefine", guest["name"])

    def log(self) -> str:
        """The end of the log of its libvirtd."""
        try:
            return self.run(["tail", "-n", "8", _LOG])
        except CommandError as error:
            return str(error)

    def kill_guest(self, guest: str) -> str:
        """What ends a *guest* behind libvirt's back, for its root's shell."""
        return f"xl destroy {shlex.quote(guest)}"

    def kill(self) -> str:
        """What ends the whole host at once, for the lab's root's shell."""
        kill = f'kill -s KILL "$(cat {folder.INSIDE}/{self.name}/qemu.pid)"'
        # What runs over the shared connection would not notice for a while.
        return f"{kill}; {self._hang_up}"

    @property
    def alive(self) -> bool:
        """Whether its computer runs."""
        number = f"{folder.INSIDE}/{self.name}/qemu.pid"
        try:
            self.anchor.enter(["sh", "-c", f'kill -0 "$(cat {number})"'])
        except CommandError:
            return False
        return True

    def revive(self) -> None:
        """Bring the host back if it was killed: as it was when the lab came up, without guests."""
        # The connection that all commands share leads to the dead one, or does not notice for a
        # while that the cable is plugged in again.
        self.disconnect()
        if self.alive:
            self.wait()
            return
        machine.start(self, self.image, saved=True)
        self.wait()
        daemon.wait(self)
        daemon.note(self)

    def disconnect(self) -> None:
        """Give up the connection that all commands share."""
        self.anchor.enter(["sh", "-c", self._hang_up])

    @property
    def _hang_up(self) -> str:
        settings = folder.INSIDE / "ssh_config"
        return f"ssh -F {settings} -O exit {self.name} 2>/dev/null || true"

    def wait(self, *, seconds: float = _SECONDS) -> None:
        """Wait until the host lets us in, and set its clock, which its saved state has stopped.

        Raises:
            DaemonError: It has not after *seconds*.
        """
        give_up = time.monotonic() + seconds
        while True:
            try:
                self.run(["date", "-s", f"@{time.time():.0f}"], seconds=10)
            except CommandError as error:
                if time.monotonic() >= give_up or not self.anchor.process.alive():
                    raise DaemonError(
                        self.name, why=f"it does not let us in: {error.output}", log=self.console()
                    ) from error
                time.sleep(0.2)
            else:
                return

    def console(self) -> str:
        """The end of what its hypervisor and its Domain-0 printed."""
        return tail(self.folder.host(self.name) / "console.log")

    def forward(self) -> None:
        """Open the socket at which a client outside the lab reaches its libvirtd."""
        inside = f"{folder.INSIDE}/{self.name}/run/libvirt/libvirt-sock"
        listen = f"UNIX-LISTEN:{inside},fork,mode=600"
        line = shlex.join(["socat", listen, f"TCP:{self.address}:{_PORT}"])
        self.anchor.enter(["sh", "-c", f"setsid {line} </dev/null >/dev/null 2>&1 &"])
