"""The endpoint's program is built when what it is made of has changed, and only then."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from vsphere import build

if TYPE_CHECKING:
    from pathlib import Path

# Instead of Go: it takes its time, and what it "builds" is a line for each build so far.
COMPILER = """#!/bin/sh
[ "$1" = version ] && exec echo "$VERSION"
grep -q broken ./*.go && { echo "does not compile" >&2; exit 1; }
echo built >> "$BUILDS"
while [ "$1" != -o ]; do shift; done
sleep 0.3
cp "$BUILDS" "$2"
"""


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sources, a library and a compiler of this test's own."""
    library, sources, programs = (tmp_path / name for name in ("library", "sources", "bin"))
    for folder in (library, sources, programs):
        folder.mkdir()
    (library / "simulator.go").write_text("package simulator")
    (sources / "main.go").write_text("package main")
    (programs / "go").write_text(COMPILER)
    (programs / "go").chmod(0o755)
    monkeypatch.setattr(build, "SOURCES", sources)
    monkeypatch.setattr(build, "LIBRARY", library)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("BUILDS", str(tmp_path / "builds"))
    monkeypatch.setenv("VERSION", "go1")
    return sources


def test_those_who_ask_at_once_build_once(sources: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        programs = list(pool.map(lambda _: build.program(), range(8)))
    assert len(set(programs)) == 1
    assert programs[0].read_text() == "built\n"
    assert list(sources.iterdir()) == [sources / "main.go"]


def test_each_part_of_it_makes_another_program(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [build.program()]
    (sources / "main.go").write_text("package main // changed")
    made.append(build.program())
    (sources / "more.go").write_text("package main")
    made.append(build.program())
    monkeypatch.setenv("VERSION", "go2")
    made.append(build.program())
    (tmp_path / "library/simulator.go").write_text("package simulator // changed")
    made.append(build.program())

    assert len(set(made)) == len(made)
    assert build.program() == made[-1]
    assert made[-1].read_text() == "built\n" * len(made)


def test_what_the_compiler_says_is_said_and_nothing_is_kept(sources: Path) -> None:
    (sources / "main.go").write_text("broken")
    for _ in range(2):
        with pytest.raises(build.BuildError, match="does not compile"):
            build.program()
    (sources / "main.go").write_text("package main")
    assert build.program().read_text() == "built\n"


def test_programs_that_nobody_has_used_for_long_are_removed(sources: Path) -> None:
    old = build.program()
    os.utime(old, (0, 0))
    (sources / "main.go").write_text("package main // changed")
    assert build.program().exists()
    assert not old.exists()


@pytest.mark.parametrize("missing", ["go", "library"])
def test_what_is_missing_is_said(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    assert sources.exists()
    if missing == "go":
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        monkeypatch.setattr(build, "LIBRARY", tmp_path / "nowhere")
    with pytest.raises(build.BuildError, match="scripts/setup"):
        build.program()
