"""A driver from outside the repository's workspace has the life that one of ours has."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import migrate_plugins
from migrate_plugins import ExitCode

if TYPE_CHECKING:
    from conftest import Build
    from packaging.conftest import Environment, MakeEnvironment

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/cloud-hypervisor"
SOURCES = sorted((EXAMPLE / "src").rglob("*.py"))

NAME = "cloud-hypervisor"
PLAN = ["plan", "web1", "ch+ssh://desthost/system", "-c", "ch:///system", "--live"]


@pytest.fixture(scope="module")
def environment(core: str, build: Build, make_environment: MakeEnvironment) -> Environment:
    return make_environment(core, build(EXAMPLE), "pytest")


def _listed(environment: Environment, folder: Path, **env: str) -> dict[str, Any] | None:
    said = environment.run("migrate-plugins", "list", "--json", cwd=folder, env=env)
    assert (said.status, said.err) == (0, "")
    found = [each for each in json.loads(said.out)["drivers"] if each["name"] == NAME]
    assert len(found) <= 1
    return found[0] if found else None


def test_it_is_short() -> None:
    lines = [line for path in SOURCES for line in path.read_text().splitlines()]

    assert 50 < len(lines) < 150


def test_it_stands_on_public_names_alone() -> None:
    imports = [
        (node.module, name.name)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        for name in node.names
        if node.module not in {"__future__", "collections.abc", "typing"}
    ]
    others = [
        node
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import)
    ]

    assert others == []
    assert {home for home, _ in imports} == {"migrate_plugins"}
    assert {name for _, name in imports} <= set(migrate_plugins.__all__)


def test_it_is_no_part_of_the_workspace() -> None:
    text = (EXAMPLE / "pyproject.toml").read_text()

    assert "tool.uv" not in text
    assert "examples" not in (ROOT / "pyproject.toml").read_text().partition("[tool.ruff]")[0]
    assert (EXAMPLE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_it_is_found_and_listed(environment: Environment, tmp_path: Path) -> None:
    driver = _listed(environment, tmp_path)
    text = environment.run("migrate-plugins", "list", cwd=tmp_path)

    assert driver is not None
    assert (driver["status"], driver["reason"], driver["api"]) == ("active", None, 1)
    assert (driver["schemes"], driver["scenarios"]) == (["ch"], ["native-direct"])
    assert (text.status, text.err) == (0, "")
    assert re.search(rf"^{NAME} +0\.1\.0 +active ", text.out, re.MULTILINE)


def test_it_plans(environment: Environment, tmp_path: Path) -> None:
    text = environment.run("migrate-plugins", *PLAN, cwd=tmp_path)
    said = environment.run("migrate-plugins", *PLAN, "--json", cwd=tmp_path)

    plan = json.loads(said.out)
    assert (text.status, text.err) == (said.status, said.err) == (0, "")
    assert text.out.startswith("web1: managed-direct, native (cloud-hypervisor, ")
    assert plan["driver"] == NAME
    assert plan["uris"]["migration"]["value"] == "tcp:desthost"
    assert [command["argv"][0] for command in plan["commands"]] == [
        "cloud-hypervisor",
        "ch-remote",
        "ch-remote",
    ]


def test_its_own_tests_and_the_kit_pass(environment: Environment) -> None:
    said = environment.run("pytest", "-q", "-p", "no:cacheprovider", cwd=EXAMPLE)

    assert said.status == 0, said.out
    passed = re.search(r"^(\d+) passed, \d+ skipped in ", said.out, re.MULTILINE)
    assert passed is not None, said.out
    assert int(passed[1]) > 50
    assert set(re.findall(r"^SKIPPED .*?: (.*)", said.out, re.MULTILINE)) != set()


def test_it_is_disabled_and_enabled_again(environment: Environment, tmp_path: Path) -> None:
    disabled = environment.run("migrate-plugins", "disable", NAME, cwd=tmp_path)
    off = _listed(environment, tmp_path)
    refused = environment.run("migrate-plugins", *PLAN, cwd=tmp_path)
    enabled = environment.run("migrate-plugins", "enable", NAME, cwd=tmp_path)
    on = _listed(environment, tmp_path)

    assert (disabled.status, disabled.err) == (enabled.status, enabled.err) == (0, "")
    assert off is not None
    assert off["status"] == "disabled"
    assert refused.status == ExitCode.PLUGIN
    assert on is not None
    assert on["status"] == "active"


def test_it_is_disabled_by_the_environment(environment: Environment, tmp_path: Path) -> None:
    driver = _listed(environment, tmp_path, MIGRATE_PLUGINS_DISABLE=NAME)

    assert driver is not None
    assert driver["status"] == "disabled"


def test_it_is_gone_when_it_is_uninstalled(
    environment: Environment, build: Build, tmp_path: Path
) -> None:
    environment.uninstall("migrate-plugins-cloud-hypervisor")
    gone = _listed(environment, tmp_path)
    refused = environment.run("migrate-plugins", *PLAN, cwd=tmp_path)
    environment.install(build(EXAMPLE), "pytest")
    back = _listed(environment, tmp_path)

    assert gone is None
    assert refused.status == ExitCode.PLUGIN
    assert "ch://" in refused.err
    assert back is not None
    assert back["status"] == "active"
