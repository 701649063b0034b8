"""The command line, called inside this process and as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pytest

from migrate_plugins import Migrator
from migrate_plugins.cli import main

if TYPE_CHECKING:
    from collections.abc import Mapping

# What would change what the command says.
VARIABLES = ("LIBVIRT_DEFAULT_URI", "NO_COLOR", "FORCE_COLOR", "PYTHONUNBUFFERED")


class Said(NamedTuple):
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str


class Call(Protocol):
    """Call a command with the four drivers of this repository and no other plugin."""

    def __call__(self, *argv: str) -> Said: ...


class Spawn(Protocol):
    """Run a command as a person does: another process, every installed plugin, pipes."""

    def __call__(
        self, *argv: str, env: Mapping[str, str] | None = None, stdout: int = subprocess.PIPE
    ) -> Said: ...


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def call(
    migrator: Migrator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    return _calling(migrator, monkeypatch, capsys)


@pytest.fixture
def call_planner(
    planner: Migrator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Call a command with a driver that only plans."""
    return _calling(planner, monkeypatch, capsys)


def _calling(
    migrator: Migrator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    monkeypatch.setattr(Migrator, "installed", staticmethod(lambda *_, **__: migrator))

    def run(*argv: str) -> Said:
        try:
            status = main(argv)
        except SystemExit as error:  # argparse ends the process by itself
            status = int(error.code or 0)
        printed = capsys.readouterr()
        return Said(status, printed.out, printed.err)

    return run


@pytest.fixture
def spawn() -> Spawn:
    def run(
        *argv: str, env: Mapping[str, str] | None = None, stdout: int = subprocess.PIPE
    ) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "migrate_plugins", *argv],
            env={**os.environ, **(env or {})},
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )
        return Said(done.returncode, done.stdout or "", done.stderr)

    return run
