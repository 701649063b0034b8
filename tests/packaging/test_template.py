"""What `migrate-plugins new` writes works as written, in an environment of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import ExitCode

if TYPE_CHECKING:
    from packaging.conftest import Environment, MakeEnvironment

ROOT = Path(__file__).parents[2]

# fmt: off
PROJECTS = {
    # name           kind      listed under, with the status, and the API once it is loaded
    "hyperv":        ("driver", "drivers", "active", 1),
    "our-own-vmm-2": ("driver", "drivers", "active", 1),
    "opened-ports":  ("policy", "plugins", "off", None),
}

CHECKS = [
    # command that has nothing to say against what is written
    ["ruff", "check", "--config", str(ROOT / "pyproject.toml"), "--no-cache"],
    ["ruff", "format", "--check", "--config", str(ROOT / "pyproject.toml"), "--no-cache"],
    ["mypy", "--strict", "--cache-dir", "/dev/null"],
]
# fmt: on

PLAN = ["plan", "web1", "hyperv+ssh://desthost/system", "-c", "hyperv:///system", "--live"]


@pytest.fixture(scope="module")
def environment(core: str, make_environment: MakeEnvironment) -> Environment:
    return make_environment(core, "pytest")


@pytest.fixture(scope="module")
def projects(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the projects that the installed command wrote, and that are installed."""
    folder = tmp_path_factory.mktemp("projects")
    for name, (kind, *_) in PROJECTS.items():
        said = environment.run("migrate-plugins", "new", kind, name, name, cwd=folder)
        assert (said.status, said.err) == (ExitCode.DONE, "")
    environment.install(*(folder / name for name in PROJECTS))
    return folder


@pytest.mark.parametrize("name", PROJECTS)
def test_project_passes_the_conformance_kit(
    projects: Path, environment: Environment, name: str
) -> None:
    said = environment.run("pytest", "-q", cwd=projects / name)

    assert said.status == 0, said.out
    passed = re.search(r"^(\d+) passed(?:, \d+ skipped)? in ", said.out, re.MULTILINE)
    assert passed is not None, said.out
    assert int(passed[1]) > 5


@pytest.mark.parametrize("name", PROJECTS)
def test_project_is_listed(projects: Path, environment: Environment, name: str) -> None:
    _, where, status, api = PROJECTS[name]

    said = environment.run("migrate-plugins", "list", "--all", "--json", cwd=projects)

    (plugin,) = [each for each in json.loads(said.out)[where] if each["name"] == name]
    assert (plugin["distribution"], plugin["version"], plugin["status"], plugin["api"]) == (
        f"migrate-plugins-{name}",
        "0.1.0",
        status,
        api,
    )


def test_driver_plans(projects: Path, environment: Environment) -> None:
    said = environment.run("migrate-plugins", *PLAN, "--json", cwd=projects)

    plan = json.loads(said.out)
    assert (said.status, said.err) == (ExitCode.DONE, "")
    assert plan["uris"]["migration"]["value"] == "tcp://desthost"
    assert (plan["port"]["first"], plan["port"]["last"]) == (49500, 49563)


def test_policy_decides_once_it_is_configured(
    projects: Path, environment: Environment, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[policies.opened-ports]\nfirst = 49510\nlast = 49519\n")
    env = {"MIGRATE_PLUGINS_CONFIG": str(config)}

    narrowed = environment.run("migrate-plugins", *PLAN, "--json", cwd=projects, env=env)
    refused = environment.run(
        "migrate-plugins", *PLAN, "--port-range", "49515-49525", cwd=projects, env=env
    )

    port = json.loads(narrowed.out)["port"]
    assert (narrowed.status, narrowed.err) == (ExitCode.DONE, "")
    assert (port["first"], port["last"]) == (49510, 49519)
    assert "policy opened-ports" in port["because"]
    assert refused.status == ExitCode.BLOCKED
    assert "opened-ports-port: policy opened-ports: the guest's memory would arrive" in refused.err


def test_policy_whose_values_do_not_fit_together_says_so(
    projects: Path, environment: Environment, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[policies.opened-ports]\nfirst = 49519\nlast = 49510\n")

    said = environment.run(
        *("migrate-plugins", "config", "check"),
        cwd=projects,
        env={"MIGRATE_PLUGINS_CONFIG": str(config)},
    )

    assert said.status == ExitCode.USAGE
    assert "last is 49510, and lies below first, 49519" in said.err


@pytest.mark.parametrize("name", PROJECTS)
def test_nothing_of_the_templates_name_is_left(projects: Path, name: str) -> None:
    left = re.compile(r"your[-_]?(hypervisor|policy)", re.IGNORECASE)
    files = [
        path
        for path in (projects / name).rglob("*")
        if path.is_file() and not {"__pycache__", ".pytest_cache"} & {*path.parts}
    ]

    assert len(files) == 8
    assert [
        path for path in files if left.search(f"{path.relative_to(projects)}\n{path.read_text()}")
    ] == []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: " ".join(check[:2]))
@pytest.mark.parametrize("name", PROJECTS)
def test_project_is_clean(projects: Path, name: str, check: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *check, "src", "tests"],
        cwd=projects / name,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
