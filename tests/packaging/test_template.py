"""What `migrate-plugins new` writes works as written, in an environment of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from packaging.conftest import Environment, MakeEnvironment

ROOT = Path(__file__).parents[2]

# fmt: off
PROJECTS = [
    # kind      name                 listed under, with the status
    ("driver",  "hyperv",            "drivers",  "active"),
    ("driver",  "our-own-vmm-2",     "drivers",  "active"),
    ("policy",  "opened-ports",      "plugins",  "off"),
]
CHECKS = [
    # command that has nothing to say against what is written
    ["ruff", "check", "--config", str(ROOT / "pyproject.toml")],
    ["ruff", "format", "--check", "--config", str(ROOT / "pyproject.toml")],
    ["mypy", "--strict"],
]
# fmt: on

NAMES = [f"{kind}-{name}" for kind, name, *_ in PROJECTS]


@pytest.fixture(scope="module")
def environment(core: str, make_environment: MakeEnvironment) -> Environment:
    return make_environment(core, "pytest")


@pytest.fixture(scope="module", params=PROJECTS, ids=NAMES)
def project(
    request: pytest.FixtureRequest,
    environment: Environment,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, str, str, str]:
    """A project that the installed command wrote, and that is installed beside it."""
    kind, name, where, status = request.param
    folder = tmp_path_factory.mktemp("projects")
    said = environment.run("migrate-plugins", "new", kind, name, cwd=folder)
    assert (said.status, said.err) == (0, "")
    written = folder / f"migrate-plugins-{name}"
    environment.install(written)
    return written, name, where, status


def test_project_passes_the_conformance_kit(
    project: tuple[Path, str, str, str], environment: Environment
) -> None:
    folder, *_ = project

    said = environment.run("pytest", "-q", cwd=folder)

    assert said.status == 0, said.out
    passed = re.search(r"^(\d+) passed(?:, (\d+) skipped)? in ", said.out, re.MULTILINE)
    assert passed is not None, said.out
    assert int(passed[1]) > 1


def test_project_is_listed(project: tuple[Path, str, str, str], environment: Environment) -> None:
    folder, name, where, status = project

    said = environment.run("migrate-plugins", "list", "--json", cwd=folder)

    (plugin,) = [each for each in json.loads(said.out)[where] if each["name"] == name]
    assert (plugin["distribution"].replace("_", "-"), plugin["version"], plugin["status"]) == (
        f"migrate-plugins-{name}",
        "0.1.0",
        status,
    )


def test_nothing_of_the_templates_name_is_left(project: tuple[Path, str, str, str]) -> None:
    folder, *_ = project
    files = [
        path for path in folder.rglob("*") if path.is_file() and ".pytest_cache" not in path.parts
    ]

    left = re.compile(r"your[-_]?(hypervisor|policy)", re.IGNORECASE)

    assert len(files) >= 8
    assert [str(path) for path in files if left.search(str(path.relative_to(folder)))] == []
    assert [
        str(path) for path in files if path.suffix != ".pyc" and left.search(path.read_text())
    ] == []


@pytest.mark.parametrize("check", CHECKS, ids=" ".join)
def test_project_is_clean(
    project: tuple[Path, str, str, str], tmp_path: Path, check: list[str]
) -> None:
    folder, *_ = project
    caches = {"ruff": ["--no-cache"], "mypy": ["--cache-dir", str(tmp_path)]}
    program, *options = check

    done = subprocess.run(
        [sys.executable, "-m", program, *options, *caches[program], "src", "tests"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
