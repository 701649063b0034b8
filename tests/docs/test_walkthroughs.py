"""Each block of the two first pages is run, and prints what the page shows.

A page is followed as by a reader: its files are written and its commands run, in its order.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pytest
from markdown_it import MarkdownIt

from migrate_plugins import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Build

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs"

# What would reach a reader's shell from the one that runs the tests.
KEPT = ("PATH", "LANG", "LC_ALL", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONFIG_FILE")

# Ends what one command printed; its exit status follows.
_END = "\036"


# fmt: off
# Page, the folder that it makes, and how many files and commands it has at the least: a reader of
# the page that missed its blocks would follow nothing.
WALKTHROUGHS = [
    ("first-driver.md", "acme-nimbus",  7,  10),
    ("first-policy.md", "acme-site",    5,  10),
]

# What a page shows, what is printed, and whether that is the same.
SHOWN = [
    (["a b"],             ["a b"],                 True),
    (["a b"],             ["a  b"],                False),
    (["a … c"],           ["a b c"],               True),
    (["a …"],             ["a "],                  True),
    (["a … c"],           ["a b d"],               False),
    (["…"],               [],                      True),
    (["…", "z"],          ["a", "b", "z"],         True),
    (["a", "…", "z"],     ["a", "z"],              True),
    (["a", "…", "z"],     ["a", "b"],              False),
    (["a"],               ["a", "b"],              False),
    ([],                  ["a"],                   False),
    (["(a) [b] c.d"],     ["(a) [b] c.d"],         True),
    (["c.d"],             ["cxd"],                 False),
]
# fmt: on


class File(NamedTuple):
    """A block that is written to a file, or added to it."""

    name: str
    text: str


class Line(NamedTuple):
    """A command of a console block, and what the page says that it prints."""

    command: str
    output: tuple[str, ...]


class Said(NamedTuple):
    """How a command ended and what it printed."""

    status: int
    output: tuple[str, ...]


class Follow(Protocol):
    """Do in a fresh folder what a page says, and give what each of its commands said."""

    def __call__(self, steps: list[File | Line], folder: Path) -> list[Said]: ...


def steps(page: str) -> Iterator[File | Line]:
    """Give the steps of *page*.

    Raises:
        ValueError: It has a block that is neither a file nor a console, so nobody would run it.
    """
    for token in MarkdownIt().parse((PAGES / page).read_text(encoding="utf-8")):
        if token.type != "fence":
            continue
        caption = re.match(r":caption: (\S+)\n\n", token.content)
        if token.info.startswith("{code-block}") and caption is not None:
            yield File(caption[1], token.content[caption.end() :])
        elif token.info == "console":
            yield from _lines(token.content)
        else:
            raise ValueError(f"{page} has a block that cannot be followed: {token.content}")


def _lines(console: str) -> Iterator[Line]:
    for said in console.removeprefix("$ ").split("\n$ "):
        # A backslash at the end goes on with the command on the next line.
        command = re.match(r"(?:.*\\\n)*.*", said)
        if command is not None:
            yield Line(command[0], tuple(said[command.end() :].splitlines()[1:]))


def script(steps: list[File | Line]) -> str:
    """Give one shell script for all steps: `cd` and an activated environment last until its end."""
    parts = []
    written = set()
    for step in steps:
        if isinstance(step, File):
            between = "" if step.name not in written else "\n" if step.text[0] == " " else "\n\n"
            text = between + step.text  # apart as functions are, or as methods
            parts.append(f"cat >> '{step.name}' << 'END OF BLOCK'\n{text}END OF BLOCK")
            written.add(step.name)
        else:
            parts.append(f"{step.command}\nstatus=$?; printf '{_END}%d\\n' $status; (exit $status)")
    return "\n".join(parts)


@pytest.fixture(scope="session")
def core(build: Build) -> Path:
    """The core's wheel."""
    return build(ROOT)


@pytest.fixture
def follow(core: Path, tmp_path: Path) -> Follow:
    # So that `pip install migrate-plugins` brings what is tested, and nothing newer than we know.
    constraints = tmp_path / "constraints.txt"
    constraints.write_text(
        f"{(ROOT / 'constraints.txt').read_text()}migrate-plugins=={__version__}\n"
    )
    env = {name: os.environ[name] for name in KEPT if name in os.environ} | {
        "HOME": str(tmp_path),
        "PIP_CONSTRAINT": str(constraints),
        "PIP_FIND_LINKS": str(core.parent),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "NO_COLOR": "1",
    }

    def follow(steps: list[File | Line], folder: Path) -> list[Said]:
        done = subprocess.run(
            ["bash", "--norc"],
            input=script(steps),
            env=env,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=500,
            check=False,
        )
        said = re.findall(rf"(.*?){_END}(\d+)\n", done.stdout, re.DOTALL)
        return [Said(int(status), tuple(output.splitlines())) for output, status in said]

    return follow


def _pattern(shown: tuple[str, ...] | list[str]) -> str:
    """Give what a page shows as a pattern: `…` is any text, on a line of its own any lines."""
    lines = (
        r"(?:.*\n)*" if line == "…" else r".*".join(map(re.escape, line.split("…"))) + r"\n"
        for line in shown
    )
    return "".join(lines)


def _same(shown: tuple[str, ...] | list[str], printed: tuple[str, ...] | list[str]) -> bool:
    text = "".join(f"{line}\n" for line in printed)
    return re.fullmatch(_pattern(shown), text) is not None


@pytest.mark.parametrize(("shown", "printed", "same"), SHOWN)
def test_what_is_shown_is_compared_with_what_is_printed(
    shown: list[str], printed: list[str], same: bool
) -> None:
    assert _same(shown, printed) is same


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("page", "folder", "files", "commands"), WALKTHROUGHS)
def test_page_can_be_followed(
    follow: Follow, tmp_path: Path, page: str, folder: str, files: int, commands: int
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    todo = list(steps(page))
    lines = [step for step in todo if isinstance(step, Line)]

    said = follow(todo, here)

    assert len(todo) - len(lines) >= files
    assert len(lines) >= commands
    for line, answer in zip(lines, said, strict=False):
        assert _same(line.output, answer.output), _difference(line, answer)
    assert len(said) == len(lines)
    # A command fails where the page then asks for its status, and nowhere else.
    asked = [following.command == "echo $?" for following in [*lines[1:], Line("", ())]]
    failed = [answer.status != 0 for answer in said]
    assert failed == asked
    _check_code(here / folder)


def _difference(line: Line, answer: Said) -> str:
    return "\n".join(
        [f"$ {line.command}", "the page shows:", *line.output, "printed was:", *answer.output]
    )


def _check_code(project: Path) -> None:
    """Hold what the page taught against our own rules of form and types."""
    sources = sorted(map(str, project.glob("src/**/*.py")))
    assert sources != []
    for command in (
        ["-m", "ruff", "format", "--check", "--isolated", "--line-length=100", *sources],
        ["-m", "mypy", "--strict", "--config-file=", "--cache-dir=/dev/null", *sources],
    ):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_block_that_nobody_would_run_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(f"{__name__}.PAGES", tmp_path)
    (tmp_path / "page.md").write_text("```python\nprint()\n```\n")

    with pytest.raises(ValueError, match=r"page\.md has a block that cannot be followed: print"):
        list(steps("page.md"))


def test_captions_and_prompts_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(f"{__name__}.PAGES", tmp_path)
    (tmp_path / "page.md").write_text(
        "```{code-block} python\n:caption: a/b.py\n\nx = 1\n```\n"
        "```console\n$ one\n$ two\nsaid\n…\n```\n"
    )

    assert list(steps("page.md")) == [
        File("a/b.py", "x = 1\n"),
        Line("one", ()),
        Line("two", ("said", "…")),
    ]
