"""Teleportations of the tests' guests, by the whole of migrate-plugins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from vbox.site import SiteError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vbox.site import Guest, Host, Site

    from migrate_plugins import Event, Migrator, Outcome, Plan

# MiB of a guest's memory and what of it is written over all the time, a link, and a pause that
# cannot be had on it: such a teleportation is not done within half a minute.
MEMORY: Final = 32
WRITES: Final = 8
RATE: Final = "8mbit"
ENDLESS: Final = "max-downtime=1"
SECONDS: Final = 40.0


def plan(
    migrator: Migrator,
    guest: Guest,
    here: Host,
    there: Host,
    *options: str,
    **fields: Any,  # noqa: ANN401 - those of a request
) -> Plan:
    """Plan to teleport a guest."""
    return migrator.plan(guest.name, here.uri, there.uri, live=True, options=options, **fields)


def move(
    migrator: Migrator,
    guest: Guest,
    here: Host,
    there: Host,
    *options: str,
    **fields: Any,  # noqa: ANN401 - those of a request
) -> Outcome:
    """Teleport a guest, and give what came of it."""
    return migrator.run(plan(migrator, guest, here, there, *options, **fields))


def busy(site: Site) -> Guest:
    """Make a guest that writes all the time, and a slow link."""
    guest = site.guest(memory=MEMORY, writes=WRITES)
    site.bandwidth(RATE)
    return guest


def endless(
    migrator: Migrator,
    site: Site,
    guest: Guest,
    *options: str,
    **fields: Any,  # noqa: ANN401 - those of a request
) -> Plan:
    """Plan to send a busy guest so that it is not done by itself."""
    return plan(migrator, guest, site.alpha, site.beta, ENDLESS, *options, **fields)


class Watch:
    """Watches a migration."""

    def __init__(self) -> None:
        self.events: Final[list[Event]] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def sent(self) -> list[int]:
        """Bytes that were seen to be sent, each time with how fast."""
        seen = (event.statistics for event in [*self.events])
        return [each.transferred for each in seen if each and each.transferred and each.rate]


class Client:
    """The real command in a process of its own, which can be interrupted and killed."""

    def __init__(self, guest: Guest, here: Host, there: Host, *words: str, state: Path) -> None:
        """Start it; its journal is in the folder *state*."""
        command = [sys.executable, "-m", "migrate_plugins", "migrate", guest.name, there.uri]
        command += ["-c", here.uri, "--live", "--progress", "json", *words]
        self.process: Final = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "XDG_STATE_HOME": str(state)},
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
        with self.process:
            out, err = self.process.communicate(timeout=SECONDS)
        if not out:
            raise SiteError(f"it said nothing: {err}")
        last: dict[str, Any] = json.loads(out.splitlines()[-1])
        return last

    def kill(self) -> None:
        """End it at once, as the kernel does that has no memory left."""
        self.process.kill()
        self.process.communicate(timeout=SECONDS)
