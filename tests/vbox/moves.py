"""Teleportations of the tests' guests, by the whole of migrate-plugins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from vbox.site import SiteError, until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vbox.site import Guest, Host

    from migrate_plugins import Migrator, Outcome, Plan

# MiB that a guest writes over all the time, and a link on which that is never done by itself.
WRITES: Final = 6
RATE: Final = "40mbit"
SECONDS: Final = 40.0


def plan(
    migrator: Migrator, guest: Guest, here: Host, there: Host, *options: str, **fields: Any
) -> Plan:
    """Plan to teleport a guest."""
    return migrator.plan(guest.name, here.uri, there.uri, live=True, options=options, **fields)


def move(
    migrator: Migrator, guest: Guest, here: Host, there: Host, *options: str, **fields: Any
) -> Outcome:
    """Teleport a guest, and give what came of it."""
    return migrator.run(plan(migrator, guest, here, there, *options, **fields))


def given_up(guest: Guest, host: Host) -> bool:
    """Whether a host neither runs a guest nor waits for it."""
    return guest.state(host) in {"absent", "poweroff", "aborted", "teleported"}


class Client:
    """The real command in a process of its own, which can be interrupted and killed."""

    def __init__(
        self, guest: Guest, here: Host, there: Host, *words: str, environment: Mapping[str, str]
    ) -> None:
        command = [sys.executable, "-m", "migrate_plugins", "migrate", guest.name, there.uri]
        command += ["-c", here.uri, "--live", "--progress", "json", *words]
        self.process: Final = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def until(self, true: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Read its events up to one of which something holds."""
        deadline = time.monotonic() + SECONDS
        for line in self.process.stdout or ():
            event: dict[str, Any] = json.loads(line)
            if true(event):
                return event
            if time.monotonic() > deadline:
                break
        self.process.kill()
        raise SiteError(f"it never came so far: {self.process.communicate()[1]}")

    def outcome(self) -> dict[str, Any]:
        """Wait for its end, and give what it said last."""
        out, err = self.process.communicate(timeout=SECONDS)
        if not out:
            raise SiteError(f"it said nothing: {err}")
        last: dict[str, Any] = json.loads(out.splitlines()[-1])
        return last

    def kill(self) -> None:
        """End it at once, as the kernel does that has no memory left."""
        self.process.kill()
        self.process.communicate(timeout=SECONDS)


def waiting(guest: Guest, host: Host) -> None:
    """Wait until a host waits for a guest and listens."""
    until(lambda: any(49300 <= port <= 49363 for port in host.listening()), f"{host.name} listens")
    until(lambda: guest.state(host) == "teleportingin", f"{guest.name} waits on {host.name}")
