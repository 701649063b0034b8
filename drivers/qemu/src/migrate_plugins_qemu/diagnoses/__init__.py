"""What errors of QEMU migrations mean, in libvirt's words and in those of tools above it."""

from __future__ import annotations

from typing import Final

from migrate_plugins import LIBVIRT_ENTRIES, LIBVIRT_WRAPPERS, Catalogue
from migrate_plugins_qemu.diagnoses.compatibility import COMPATIBILITY
from migrate_plugins_qemu.diagnoses.disks import DISKS
from migrate_plugins_qemu.diagnoses.orchestrators import ORCHESTRATORS
from migrate_plugins_qemu.diagnoses.streams import STREAMS

__all__ = ["CATALOGUE"]

# What libvirt's shared entries leave to the hypervisor; the ports are qemu.conf's defaults.
_WORDS: Final = {
    "scheme": "qemu",
    "daemon": "virtqemud",
    "configuration": "qemu.conf",
    "first": "49152",
    "last": "49215",
    "log": "/var/log/libvirt/qemu/GUEST.log",
    "abort": "virsh domjobabort GUEST",
    "offline": "--offline --persistent",
    "own_name": 'migration_host = "ADDRESS"',
    "settings": "^migration_(address|host)",
    "last_port": "migration_port_max",
}

CATALOGUE: Final = Catalogue(
    (*LIBVIRT_ENTRIES, *STREAMS, *DISKS, *COMPATIBILITY, *ORCHESTRATORS), LIBVIRT_WRAPPERS, _WORDS
)
