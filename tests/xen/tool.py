"""The real command, as a person would run it against two Xen hosts, and interrupt it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from xen.pair import SECONDS

from migrate_plugins import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xen.pair import Pair

_MIGRATE: Final = ("migrate", "web1", "--from", "alpha", "--revision", "current")
# What each way needs behind the guest's name, from alpha to beta.
_WAYS: Final = {
    "managed": ("--to", "beta"),
    "peer-to-peer": ("--to", "beta", "--p2p"),
    "tunnelled": ("--to", "beta", "--p2p", "--tunnelled"),
    "xl": ("--direct", "--migrateuri", "beta"),
}


@dataclass(frozen=True)
class Tool:
    """The command, with a configuration and a journal of its own."""

    pair: Pair
    folder: Path

    @property
    def _environment(self) -> Mapping[str, str]:
        return {
            **os.environ,
            "MIGRATE_PLUGINS_CONFIG": str(self._config),
            "XDG_STATE_HOME": str(self.folder / "state"),
        }

    @property
    def _config(self) -> Path:
        return self.folder / "config.toml"

    def configure(self, *, shells: bool) -> None:
        """Name both hosts in its config.toml, with or without a way to run programs on them."""
        tables = [
            f"[hosts.{host.name}]\n"
            f"uri = {json.dumps(host.uri)}\n"
            f"peer_uri = {json.dumps(host.peer_uri)}\n"
            f"addresses = {json.dumps([host.address])}\n"
            f"shell = {json.dumps(list(host.shell) if shells else [])}\n"
            for host in self.pair.lab.hosts
        ]
        self._config.write_text("\n".join(tables), encoding="utf-8")

    def start(self, way: str, *options: str, live: bool = True) -> subprocess.Popen[str]:
        """Start to migrate web1 from alpha to beta, and wait until its memory is sent."""
        words = [*_MIGRATE, *(["--live"] if live else []), *_WAYS[way], *options, "--json"]
        process = subprocess.Popen(
            [sys.executable, "-m", "migrate_plugins", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment,
        )
        try:
            self.pair.wait_until_sending("web1")
        except AssertionError as error:
            process.kill()
            _, said = process.communicate(timeout=SECONDS)
            raise AssertionError(f"{error}: {said}") from error
        return process

    def migrate(self, way: str, *options: str) -> tuple[int, dict[str, Any]]:
        """Migrate web1 live from alpha to beta; give the status and the JSON."""
        return self.run(*_MIGRATE, "--live", *_WAYS[way], *options)

    def run(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Run a command to its end; give its status and its JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "migrate_plugins", *words, "--json"],
            capture_output=True,
            text=True,
            check=False,
            timeout=2 * SECONDS,
            env=self._environment,
        )
        assert done.stdout, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        return done.returncode, said

    def reconcile(self, *words: str) -> tuple[int, str]:
        """Reconcile, with both hosts in sight; give the status, and the state of the one guest."""
        status, found = self.reconciled(*words)
        return status, str(found["state"])

    def reconciled(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Reconcile likewise; give all that is said of the one guest."""
        # A move by xl names no destination that the client could open.
        status, said = self.run("reconcile", "--destination", self.pair.beta.uri, *words)
        (guest,) = said["guests"]
        return status, guest

    def nothing_in_doubt(self) -> bool:
        """Whether nothing is left to be reconciled."""
        status, said = self.run("reconcile")
        return status == ExitCode.DONE and said["guests"] == []


def outcome(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    """Wait for the end of a migration; give its status and its JSON."""
    out, said = process.communicate(timeout=2 * SECONDS)
    assert out, said
    told: dict[str, Any] = json.loads(out)
    return process.returncode, told


def kill(process: subprocess.Popen[str]) -> None:
    """End the command without a chance to say or do anything."""
    process.kill()
    process.communicate(timeout=SECONDS)
