"""The first process of a lab: it holds the namespaces, and when it ends all in them ends.

Run by its path inside fresh namespaces, as process 1, with nothing but the standard library::

    python -I -S init.py FOLDER OWNER HOST...

FOLDER becomes ``/mnt`` in here: one short path, whatever the lab's folder is called outside, so
that the sockets of libvirt and QEMU below it stay short enough.  OWNER is the number of an open
process handle, or ``-`` when nobody owns the lab.

It prints one line of JSON when the hosts' namespaces are there, and then waits for one byte on
standard input.  A closed input means that whoever was bringing the lab up is dead, and ends it.
After the byte it stays until the owner ends, or the lab's record is deleted.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

RECORD: Final = Path("/mnt/lab.json")
SECONDS: Final = 1.0

# The shell says when it is inside; a holder that is still outside is not one to enter.
HOLDER: Final = (
    *("unshare", "--net", "--uts", "--mount", "--propagation", "private"),
    *("sh", "-c", "echo inside; exec sleep infinity"),
)


def main() -> None:
    """Make the namespaces of every host, say where they are, and wait."""
    folder, owner, *hosts = sys.argv[1:]
    # Our number as the outside knows it; under the /proc mounted next it is 1.
    pid = int(Path("/proc/self").readlink().name)
    for mount in (["-t", "proc", "proc", "/proc"], ["--bind", folder, "/mnt"]):
        subprocess.run(["mount", *mount], check=True, timeout=10)  # noqa: S607
    holders = {host: hold() for host in hosts}
    # libvirt takes a QEMU for alive until somebody has read its exit status.
    signal.signal(signal.SIGCHLD, reap)
    print(json.dumps({"pid": pid, "holders": holders}), flush=True)  # noqa: T201

    if not os.read(sys.stdin.fileno(), 1):
        return
    handles = [] if owner == "-" else [int(owner)]
    # A lab whose record somebody deleted could not be found again, nor ended.
    while RECORD.exists() and not select.select(handles, [], [], SECONDS)[0]:
        pass


def hold() -> int:
    """Start a process in namespaces of its own: one host, as long as it lives."""
    holder = subprocess.Popen(HOLDER, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    if holder.stdout is None or not holder.stdout.readline():
        sys.exit("the namespaces of a host could not be made")
    return holder.pid


def reap(*_signal: object) -> None:
    """Read the exit status of every child that has ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    main()
