"""A lab of two Xen hosts, brought up from their saved states, used and ended together."""

from __future__ import annotations

import os
import shutil
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Final

from migrate_plugins_lab import commands, daemon, lab, network, postcopy
from migrate_plugins_lab.anchor import Anchor
from migrate_plugins_lab.folder import Folder
from migrate_plugins_lab.xen import image, machine, preflight
from migrate_plugins_lab.xen.domain import OVERHEAD, Domain
from migrate_plugins_lab.xen.guest import Guest
from migrate_plugins_lab.xen.host import Host

if TYPE_CHECKING:
    from migrate_plugins_lab import domain as domains
    from migrate_plugins_lab.host import Host as AnyHost

# Read inside the lab, where its folder is /mnt.
_SSH: Final = """\
Host *
  User root
  IdentityFile {key}
  UserKnownHostsFile {known_hosts}
  HostKeyAlias lab
  BatchMode yes
  ConnectTimeout 5
  LogLevel ERROR
  ControlMaster auto
  ControlPath /mnt/%n.ssh
  ControlPersist yes
  ServerAliveInterval 5
"""


@dataclass(frozen=True)
class Lab(lab.Lab):
    """A lab of Xen hosts that is up."""

    kind: ClassVar = "xen"
    most: ClassVar = len(image.HOSTS)
    needs_root: ClassVar = True
    spare: ClassVar = OVERHEAD

    @classmethod
    def check(cls, *, privileged: bool) -> None:  # noqa: ARG003 -- it always is
        """Make sure that this machine can bring one up."""
        preflight.check(image=None)

    @classmethod
    def prepare(cls) -> None:
        """Build the image of the hosts, unless it is there."""
        # Its name cannot be told without QEMU.
        if commands.find("qemu-system-x86_64") is None or not image.Image.current().built:
            preflight.check(image=image.home())
            image.Image.current().ensure(save_states)

    @classmethod
    def shape_of(cls, hosts: int, *, privileged: bool) -> str:  # noqa: ARG003 -- see check()
        """How many hosts of which kind, in words."""
        return f"{hosts} Xen hosts"

    @property
    def image(self) -> image.Image:
        """What its hosts start from."""
        return image.Image((self.folder.path / "image").readlink())

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Its hosts, in order."""
        return tuple(
            Host(name, network.address(place), self.anchor, self.folder, self.image)
            for place, name in enumerate(self.anchor.holders)
        )

    @cached_property
    def postcopy(self) -> postcopy.Postcopy:
        """Whether post-copy works here: never."""
        return postcopy.Postcopy(supported=False, reason="Xen has none")

    def _domain(self, name: str, *, memory: int, dirty: int, disk: int, off: int) -> Domain:
        return Domain(name, str(uuid.uuid4()), memory=memory, dirty=dirty, disk=disk, off=off)

    def _witness(self, domain: domains.Domain, host: AnyHost) -> Guest:
        logs = {each.name: each.folder.host(each.name) / "console.log" for each in self.hosts}
        return Guest(domain.name, domain.uuid, logs[host.name], tuple(logs.values()))

    def _furnish(self) -> None:
        furnish(self, image.Image.current())

    def _bring_up(self, host: AnyHost) -> None:
        if not isinstance(host, Host):
            raise TypeError(host)
        machine.start(host, self.image, saved=True)
        host.forward()
        host.wait()
        daemon.wait(host)
        daemon.note(host)


def furnish(made: Lab, base: image.Image) -> None:
    """Make what the hosts of a lab share."""
    folder = made.folder.path
    (folder / "image").symlink_to(base.path)
    (folder / "guests").mkdir()
    addresses = {host.name: host.address for host in made.hosts}
    ssh = "".join(f"Host {name}\n  HostName {address}\n" for name, address in addresses.items())
    ssh += _SSH.format(key=base.key, known_hosts=base.known_hosts)
    (folder / "ssh_config").write_text(ssh, encoding="utf-8")
    ip = [*network.bridge(), f"address add {network.address(253)}/24 dev {network.SWITCH}"]
    for name in addresses:
        (made.folder.host(name) / "run/libvirt").mkdir(mode=0o700, parents=True)
        ip += [f"tuntap add {name} mode tap", f"link set {name} master {network.SWITCH} up"]
    made.anchor.enter(["ip", "-batch", "-"], stdin="\n".join(ip))


def save_states(draft: image.Image) -> None:
    """Boot the hosts of an image from nothing, until their libvirtd answer, and save them in it.

    Raises:
        LabError: One did not come up.
    """
    folder = Folder.of(f"image-{os.getpid()}")
    with folder.locked():
        folder.remove()
        folder.create()
        try:
            with (
                Anchor.launched(
                    folder, tuple(image.HOSTS), privileged=True, owner=os.getpid()
                ) as anchor,
                ThreadPoolExecutor(len(image.HOSTS)) as workers,
            ):
                made = Lab(folder, anchor, os.getpid())
                furnish(made, draft)
                list(workers.map(boot, made.hosts))
            anchor.process.kill()
        finally:
            shutil.rmtree(folder.path)


def boot(host: Host) -> None:
    """Boot a host from nothing, and save it once it is as a lab wants it."""
    machine.start(host, host.image, saved=False)
    host.forward()
    host.wait()
    daemon.start(host)
    host.disconnect()
    machine.save(host, host.image)
