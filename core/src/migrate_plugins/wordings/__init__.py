"""How libvirt words its errors, whatever hypervisor is under it, and what each means.

Drivers that migrate through libvirt put these entries into their catalogues; one that does not
never loads them.  What only one hypervisor says is in that hypervisor's driver.
"""

from __future__ import annotations

from typing import Final

from migrate_plugins.catalogue import Pattern
from migrate_plugins.wordings.connecting import CONNECTING
from migrate_plugins.wordings.guests import GUESTS
from migrate_plugins.wordings.memory import MEMORY
from migrate_plugins.wordings.requests import REQUESTS

__all__ = ["LIBVIRT_ENTRIES", "LIBVIRT_WRAPPERS"]

LIBVIRT_ENTRIES: Final = (*CONNECTING, *MEMORY, *GUESTS, *REQUESTS)

# What libvirt puts in front of another error, whose code is then lost.
LIBVIRT_WRAPPERS: Final = (
    Pattern(r"Failed to connect to remote libvirt URI [^\s]{1,500}: ", "source"),
    Pattern(r"[Mm]igration of disk [^\s]{1,100} failed: ", "libvirt 9.0.0"),
    Pattern(r"unable to execute QEMU command '[\w-]{1,60}': ", "libvirt 9.0.0"),
    Pattern(r"process exited while connecting to monitor: ", "source"),
    Pattern(r"unexpectedly closed the monitor(?: \(vm='[^'\n]{1,100}'\))?: ", "source"),
    Pattern(r"Cannot recv data: ", "libvirt 9.0.0"),
)
