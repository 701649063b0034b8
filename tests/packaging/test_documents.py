"""What documents take from the code is what the code says."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

import migrate_plugins
from migrate_plugins import Config, EntryPoint, Migrator, Status, hookspecs
from migrate_plugins.cli import COMMANDS

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", *sorted(ROOT.glob("drivers/*/README.md")), ROOT / "lab/README.md"]
PAGES = sorted((ROOT / "docs").glob("*.md"))

# fmt: off
# File, what stands there, and what somebody made of it.
CHANGES = [
    ("README.md",       "| native-direct | verified |", "| native-direct | code |"),
    ("docs/checks.md",  "| `disk-not-shared` | error",  "| `disk-not-shared` | info"),
    ("docs/hooks.md",   "Anyone may refuse",            "Anyone can refuse"),
    ("docs/cli.md",     "`--tls`",                      "`--ssl`"),
    ("docs/matrix.md",  "| native-p2p |",               "| p2p |"),
    ("docs/values.md",  "## DriverInfo",                "## Driver"),
]
# fmt: on


def _check(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(root / "docs/generate.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _headings(page: str) -> list[str]:
    return re.findall(r"^##+ (.+)$", (ROOT / "docs" / page).read_text(), re.MULTILINE)


def test_documents_say_what_the_code_says() -> None:
    done = _check(ROOT)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("name", "old", "new"), CHANGES)
def test_change_by_hand_is_found(tmp_path: Path, name: str, old: str, new: str) -> None:
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copy(ROOT / "README.md", tmp_path)
    changed = (tmp_path / name).read_text().replace(old, new, 1)
    assert changed != (tmp_path / name).read_text()
    (tmp_path / name).write_text(changed)

    done = _check(tmp_path)

    assert (done.returncode, done.stderr) == (1, f"{name} differs from the code\n")


def test_every_hook_has_a_section() -> None:
    hooks = [name for name in vars(hookspecs) if name.startswith("migrate_")]

    assert [title for title in _headings("hooks.md") if title.startswith("migrate_")] == hooks


def test_every_command_has_a_section() -> None:
    assert {command.name for command in COMMANDS} <= {*_headings("cli.md")}


def test_every_value_that_a_hook_names_has_a_section() -> None:
    signatures = re.findall(
        r"def migrate_.*?\.\.\.", (ROOT / "docs/hooks.md").read_text(), re.DOTALL
    )
    named = set(re.findall(r"\b[A-Z]\w+", " ".join(signatures))) & {*migrate_plugins.__all__}

    assert len(named) > 10
    assert named <= {*_headings("values.md")}


def test_examples_import_only_what_there_is() -> None:
    imports = [
        (node.module or "", name.name)
        for page in PAGES
        for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    ]

    assert len(imports) > 5
    for module, name in imports:
        assert hasattr(import_module(module), name), f"from {module} import {name}"


def test_example_of_the_configuration_is_right() -> None:
    text = (ROOT / "docs/configuration.md").read_text()
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)

    config = Config.parse(example, "config.toml")

    assert [*config.hosts] == ["alpha", "beta"]
    assert (config.disabled, [*config.defaults], [*config.policies]) == (
        ("acme",),
        ["live", "revision"],
        ["migration-network"],
    )


def test_every_status_of_a_plugin_is_explained() -> None:
    text = (ROOT / "docs/configuration.md").read_text()

    assert re.findall(r"^\| ([a-z]+) \|", text, re.MULTILINE) == [status.value for status in Status]


def test_refusal_of_another_api_reads_as_documented() -> None:
    page = (ROOT / "docs/compatibility.md").read_text()
    newer = SimpleNamespace(MIGRATE_PLUGINS_API=hookspecs.API + 1)
    point = EntryPoint("migrate_plugins.plugins", "acme", "acme", "acme", "1.0", "tests")

    (plugin,) = Migrator([(point, newer)]).registry.plugins

    assert plugin.status is Status.BROKEN
    assert f"```text\n{plugin.reason}\n```" in page
    assert f"whole number, {hookspecs.API} today" in page


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(readme: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", readme.read_text())
    dead = [link for link in links if "://" not in link and not (readme.parent / link).exists()]

    assert dead == []


def test_design_lists_the_modules_that_there_are() -> None:
    listed = set(re.findall(r"\b([a-z]+)(?:\.py|/)", (ROOT / "docs/design.md").read_text()))
    package = ROOT / "core/src/migrate_plugins"
    modules = {path.stem for path in package.glob("*.py")} | {
        path.parent.name for path in package.glob("*/__init__.py")
    }

    missing = modules - listed - {"__init__", "__main__", "errors", "findings", "diagnosis"}

    assert missing == set()


def test_python_example_of_the_readme_names_only_what_there_is() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    calls = {"plan", "check", "run", "raise_for_errors", "raise_for_failure", "installed"}

    assert len(blocks) == 1
    compile(blocks[0], "README.md", "exec")
    assert set(re.findall(r"\.(\w+)\(", blocks[0])) == calls
