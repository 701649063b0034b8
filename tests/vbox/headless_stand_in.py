#!/usr/bin/python3 -IS
"""A stand-in for VirtualBox's program VBoxHeadless: it starts guests without a kernel module.

For tests alone.  The packaged program opens /dev/vboxdrv before all else and gives up where there
is none.  VirtualBox's runtime can do without: it has a mode in which a guest whose execution engine
is the interpreter runs in user space.  This asks for that mode and then hands over to the packaged
VBoxHeadless.so, which is all the rest of VBoxHeadless.

The three functions are exported and documented nowhere: look here first when a new VirtualBox does
not start.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Final

FOLDER: Final = "/usr/lib/virtualbox"

# Bits of SUPR3InitEx: without the driver, and the interpreter may be used.
DRIVERLESS: Final = 4
INTERPRETER: Final = 8


def strings(texts: list[str]) -> ctypes.Array[ctypes.c_char_p]:
    """Give a list as C takes it, with a null at its end."""
    return (ctypes.c_char_p * (len(texts) + 1))(*map(os.fsencode, texts), None)


def main() -> int:
    """Be VBoxHeadless."""
    count = len(sys.argv)
    given = strings([f"{FOLDER}/VBoxHeadless", *sys.argv[1:]])
    arguments = ctypes.cast(given, ctypes.POINTER(ctypes.c_char_p))
    environment = strings([f"{name}={value}" for name, value in os.environ.items()])

    runtime = ctypes.CDLL(f"{FOLDER}/VBoxRT.so", mode=ctypes.RTLD_GLOBAL)
    status = runtime.RTR3InitExe(count, ctypes.byref(arguments), 0)
    if status < 0:
        sys.exit(f"VBoxHeadless: RTR3InitExe says {status}")
    status = runtime.SUPR3InitEx(DRIVERLESS | INTERPRETER, None)
    if status < 0:
        sys.exit(f"VBoxHeadless: SUPR3InitEx says {status}")

    program = ctypes.CDLL(f"{FOLDER}/VBoxHeadless.so", mode=ctypes.RTLD_GLOBAL)
    ended: int = program.TrustedMain(count, arguments, environment)
    return ended


if __name__ == "__main__":
    # Not by way of Python's own end: VirtualBox's threads may still be there.
    os._exit(main() & 255)
