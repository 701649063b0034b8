"""The domain XML of a Xen guest that needs no operating system but a kernel.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from migrate_plugins_lab import domain
from migrate_plugins_lab.errors import ArgumentError

OVERHEAD: Final = 96
"""MiB that the kernel and its one program take."""

MEMORY_MAX: Final = 384
"""MiB of one host that are left for guests, less what Xen itself wants for each."""

KERNEL: Final = "/var/lib/lab/vmlinuz"
INITRD: Final = "/var/lib/lab/guest.img"

# earlyprintk: what the kernel prints goes to the hypervisor's console too, in one piece.
_COMMAND_LINE: Final = (
    "console=hvc0 earlyprintk=xen,keep loglevel=1 printk.time=0 printk.devkmsg=on rdinit=/init"
)

# PVH: without shadow paging, which Debian's Xen lacks, a PV guest does not migrate live.
_DOMAIN: Final = """\
<domain type='xen'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='xenpvh'>xenpvh</type>
    <kernel>{kernel}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>{line} lab.guest={label} lab.dirty={dirty} lab.off={off}</cmdline>
  </os>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <console type='pty'><target type='xen' port='0'/></console>
  </devices>
</domain>
"""


@dataclass(frozen=True)
class Domain(domain.Domain):
    """What a Xen guest is made from; sizes are in MiB."""

    def __post_init__(self) -> None:
        # The name and the signs are judged as those of every guest; the sizes are Xen's own.
        super().__post_init__()
        if self.disk:
            raise ArgumentError(
                "the guest's disk",
                f"{self.disk} MiB",
                wrong="guests of Xen hosts have none in the lab",
                hint="leave it out",
            )
        if not self.dirty + OVERHEAD <= self.memory <= MEMORY_MAX:
            raise ArgumentError(
                "the guest's memory",
                f"{self.memory} MiB",
                wrong=f"a guest that dirties {self.dirty} MiB does not fit, or it is too large",
                hint=f"from {self.dirty + OVERHEAD} to {MEMORY_MAX} works on a Xen host",
            )

    def xml(self) -> str:
        """The domain XML."""
        return _DOMAIN.format(
            name=self.name,
            uuid=self.uuid,
            memory=self.memory,
            label=self.label,
            dirty=self.dirty,
            off=self.off,
            kernel=KERNEL,
            initrd=INITRD,
            line=_COMMAND_LINE,
        )
