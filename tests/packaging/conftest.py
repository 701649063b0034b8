"""The core as a wheel, and fresh environments to install it into, as a stranger has them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import UV, Build

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / "constraints.txt"

# What would reach a fresh environment from the one that runs the tests.
INHERITED = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTEST_ADDOPTS", "PYTEST_PLUGINS")


class Said(NamedTuple):
    """How a program ended and what it printed."""

    status: int
    out: str
    err: str


class Environment(NamedTuple):
    """A fresh virtual environment, with a configuration of migrate-plugins of its own."""

    folder: Path
    uv: UV

    def install(self, *requirements: str | Path) -> None:
        """Install *requirements* in the versions that the tests have, compiled as pip does."""
        self.uv(
            *("pip", "install", "--compile-bytecode", "--python", self.folder),
            *("--constraints", CONSTRAINTS),
            *requirements,
        )

    def uninstall(self, distribution: str) -> None:
        """Remove one distribution."""
        self.uv("pip", "uninstall", "--python", self.folder, distribution)

    def run(
        self, program: str, *arguments: str, cwd: Path, env: Mapping[str, str] | None = None
    ) -> Said:
        """Run a program of the environment."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in INHERITED and not name.startswith("MIGRATE_PLUGINS_")
        }
        own = {"XDG_CONFIG_HOME": str(self.folder), **(env or {})}
        done = subprocess.run(
            [str(self.folder / "bin" / program), *arguments],
            cwd=cwd,
            env=inherited | own,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)


class MakeEnvironment(Protocol):
    """Make a fresh environment with *requirements* in it."""

    def __call__(self, *requirements: str | Path) -> Environment: ...


@pytest.fixture(scope="session")
def core(build: Build) -> str:
    """The core's wheel, with what the conformance kit needs, as a requirement."""
    return f"migrate-plugins[testing] @ {build(ROOT).as_uri()}"


@pytest.fixture(scope="session")
def make_environment(tmp_path_factory: pytest.TempPathFactory, uv: UV) -> MakeEnvironment:
    def make(*requirements: str | Path) -> Environment:
        environment = Environment(tmp_path_factory.mktemp("environment") / "venv", uv)
        uv("venv", environment.folder)
        environment.install(*requirements)
        return environment

    return make
