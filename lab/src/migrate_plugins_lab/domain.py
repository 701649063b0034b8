"""The domain XML of a guest that needs no operating system.  Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from migrate_plugins_lab import folder
from migrate_plugins_lab.errors import ArgumentError

# The boot program and its stack lie below 2 MiB; SeaBIOS wants some room as well.
OVERHEAD: Final = 8

# What a guest gets besides the memory it dirties, unless told otherwise.
SPARE: Final = 32

# The boot program counts bytes in 32 bits, and a PC has a hole below 4 GiB.
MEMORY_MAX: Final = 3072

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_DISK: Final = """
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{path}'/>
      <target dev='vda' bus='virtio'/>
    </disk>"""

_DOMAIN: Final = """\
<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>{kernel}</kernel>
    <cmdline>off={off} dirty={dirty}</cmdline>
  </os>
  <features><acpi/></features>
  <devices>{disk}
    <controller type='usb' model='none'/>
    <serial type='file'>
      <source path='{serial}' append='on'/>
      <target port='0'/>
    </serial>
    <memballoon model='none'/>
  </devices>
</domain>
"""


def is_name(text: str) -> bool:
    """Whether a guest of a lab may be called so."""
    return _NAME.fullmatch(text) is not None


@dataclass(frozen=True)
class Domain:
    """What a guest is made from; sizes are in MiB."""

    name: str
    uuid: str
    memory: int
    dirty: int = 0
    """How much of the memory it writes over before each tick."""
    disk: int = 0
    """The size of its disk, which each host keeps for itself; 0 for none."""
    off: int = 0
    """After how many ticks it powers itself off; 0 for never."""

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise ArgumentError(
                "the guest's name",
                self.name,
                wrong="it has other characters than letters, digits, '.', '_' and '-', or is long",
                hint="up to 64 of these work, such as 'web1'",
            )
        if min(self.dirty, self.disk, self.off) < 0:
            raise ArgumentError(
                "the guest's sizes and ticks",
                f"{self.dirty}, {self.disk}, {self.off}",
                wrong="one is below nothing",
                hint="0 stands for none",
            )
        if not self.dirty + OVERHEAD <= self.memory <= MEMORY_MAX:
            raise ArgumentError(
                "the guest's memory",
                f"{self.memory} MiB",
                wrong=f"a guest that dirties {self.dirty} MiB does not fit, or it is too large",
                hint=f"from {self.dirty + OVERHEAD} to {MEMORY_MAX} works",
            )

    @property
    def label(self) -> str:
        """What its files are called: two guests of one name, on two hosts, are not one."""
        return f"{self.name}.{self.uuid[:8]}"

    @property
    def disk_path(self) -> str:
        """Where a host keeps the guest's disk."""
        return f"{folder.DISKS}/{self.name}.img"

    def xml(self) -> str:
        """The domain XML."""
        return _DOMAIN.format(
            name=self.name,
            uuid=self.uuid,
            memory=self.memory,
            dirty=self.dirty,
            off=self.off,
            kernel=folder.INSIDE / "tick.bin",
            serial=folder.INSIDE / "serial" / f"{self.label}.log",
            disk=_DISK.format(path=self.disk_path) if self.disk else "",
        )
