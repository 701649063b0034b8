"""What documents take from the code is what the code says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", *sorted(ROOT.glob("drivers/*/README.md")), ROOT / "lab/README.md"]


def test_readme_has_the_support_matrix_that_the_drivers_declare() -> None:
    generated = subprocess.run(
        [
            sys.executable,
            "-c",
            "import generate; print(generate.generated(open('README.md').read()))",
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT / "docs")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout

    assert generated == (ROOT / "README.md").read_text() + "\n"
    assert generated.count("| native-direct |") == 2


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
