"""One host of a lab: its names, and the ways to talk to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from migrate_plugins_lab import commands, daemon, folder, network
from migrate_plugins_lab.anchor import tail
from migrate_plugins_lab.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins_lab.anchor import Anchor


@dataclass(frozen=True)
class Host:
    """A host with its own network, name, libvirtd and disks: here one of QEMU."""

    QUEUE: ClassVar = "noqueue"
    """The queueing discipline that a fresh network interface of such a host has."""
    PATIENCE: ClassVar = 30.0
    """Seconds for its libvirtd to answer, or for a guest to start: many may start at once."""

    name: str
    address: str
    anchor: Anchor
    folder: folder.Folder

    @property
    def privileged(self) -> bool:
        """Whether its libvirtd runs as the machine's root."""
        return self.anchor.privileged

    @property
    def uri(self) -> str:
        """What a client outside the lab opens."""
        socket = quote(str(self.folder.socket(self.name)))
        return f"qemu+unix:///{self.instance}?socket={socket}"

    @property
    def peer_uri(self) -> str:
        """What another host of the lab opens."""
        return f"qemu+tcp://{self.address}/{self.instance}"

    @property
    def instance(self) -> str:
        """Which of libvirt's two daemons it is."""
        return "system" if self.privileged else "session"

    @property
    def libvirtd(self) -> list[str]:
        """What starts its libvirtd, run on the host."""
        return daemon.command(self)

    @property
    def pid_file(self) -> str:
        """Where its libvirtd leaves its number, as the host sees it."""
        return f"{daemon.inside(self.name)}/libvirtd.pid"

    @property
    def shell(self) -> tuple[str, ...]:
        """A command that takes one more word, a command line, and runs it on the host."""
        return (*self.anchor.way(self.name), "sh", "-c")

    def run(
        self, argv: Sequence[str], *, seconds: float = commands.SECONDS, stdin: str = ""
    ) -> str:
        """Run a program on the host, as its root, and return what it printed.

        Raises:
            CommandError: It failed, or took longer than *seconds*.
        """
        return self.anchor.enter(argv, host=self.name, seconds=seconds, stdin=stdin)

    def virsh(self, *arguments: str, seconds: float = commands.SECONDS) -> str:
        """Run ``virsh`` outside, connected to the host, and return what it printed.

        Raises:
            CommandError: It failed, or took longer than *seconds*.
        """
        argv = ["virsh", "--quiet", "--connect", self.uri, *arguments]
        return commands.run(argv, seconds=seconds)

    def guests(self) -> list[dict[str, str]]:
        """The guests it knows, with the state libvirt gives them."""
        found = []
        for line in self.virsh("list", "--all").splitlines():
            if line.strip():
                _, name, state = line.split(None, 2)
                found.append({"name": name, "state": state.strip()})
        return found

    def remove_strays(self) -> None:
        """Remove the guests that libvirt cannot remove: there are none."""

    def log(self) -> str:
        """The end of the log of its libvirtd."""
        return tail(self.folder.host(self.name) / "libvirtd.log")

    def kill_guest(self, guest: str) -> str:
        """What ends a *guest* behind libvirt's back, for its root's shell."""
        below = "qemu" if self.privileged else "qemu/run"
        file = f"{daemon.inside(self.name)}/run/libvirt/{below}/{guest}.pid"
        return f'kill -s KILL "$(cat {file})"'

    def kill(self) -> str:
        """What ends the whole host at once, for the lab's root's shell.

        Raises:
            ArgumentError: There is no such thing.
        """
        raise ArgumentError(
            "the fault",
            "kill-host",
            wrong="hosts of this kind share one kernel, so none can die alone",
            hint=f"`lab fault {self.name} cut` makes it silent, and `lab up --kind xen` brings up"
            " hosts that can be killed",
        )

    @property
    def alive(self) -> bool:
        """Whether it was not killed."""
        return True

    def revive(self) -> None:
        """Bring the host back if it was killed, and be let in again if it was cut off."""

    def settle(self) -> None:
        """Give the bare namespaces a name, the names of the others, and a network."""
        self.run(["hostname", self.name])
        self.run(["mount", "--bind", str(folder.INSIDE / "hosts"), "/etc/hosts"])
        self.run(["ip", "-batch", "-"], stdin=network.interface(self.address))

    def describe(self) -> dict[str, str]:
        """The host in the words of ``lab up --json``."""
        return {
            "name": self.name,
            "address": self.address,
            "uri": self.uri,
            "peer_uri": self.peer_uri,
        }
