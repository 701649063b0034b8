from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrate_plugins_lab.errors import BusyError, LabError
from migrate_plugins_lab.xen import image
from migrate_plugins_lab.xen.image import Image

if TYPE_CHECKING:
    from collections.abc import Callable

KILLED = """
from migrate_plugins_lab import commands
from migrate_plugins_lab.xen import image

commands.run([*image._CAGE, "sh", "-c", "echo inside > $1; sleep 300", "sh", "{said}"], seconds=300)
"""


def slowly(draft: Image) -> None:
    """Stand in for the minutes that a build takes, and tell whether it was done twice."""
    with (draft.path.parent / "builds").open("a", encoding="ascii") as builds:
        builds.write("built\n")
    time.sleep(0.3)
    draft.root.touch()


def nothing(_: Image) -> None:
    pass


def test_two_who_need_an_image_at_once_build_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Image(tmp_path / "xen/0123")
    monkeypatch.setattr(image, "build", slowly)
    with ThreadPoolExecutor() as workers:
        list(workers.map(made.ensure, [nothing, nothing]))

    assert (tmp_path / "xen/builds").read_text(encoding="ascii") == "built\n"
    assert made.root.exists()


def test_a_build_that_fails_leaves_no_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Image) -> None:
        raise LabError("no")

    made = Image(tmp_path / "0123")
    monkeypatch.setattr(image, "build", slowly)
    with pytest.raises(LabError):
        made.ensure(fail)

    assert not made.built
    assert not list(tmp_path.glob("*.draft"))


def test_a_lock_that_is_held_for_too_long_is_said(tmp_path: Path) -> None:
    with (
        image.locked(tmp_path / "lock"),
        pytest.raises(BusyError),
        image.locked(tmp_path / "lock", seconds=0),
    ):
        pass


@pytest.mark.parametrize("name", ["dom0/configure", "guest/init", "machine.py"])
def test_an_image_is_named_after_what_it_is_made_from(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = image.fingerprint()
    shutil.copytree(image._HERE, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(image, "_HERE", tmp_path)
    assert image.fingerprint() == before
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes() + b"\n")

    assert image.fingerprint() != before


@pytest.mark.integration
def test_a_build_that_is_killed_takes_its_programs_with_it(tmp_path: Path) -> None:
    said = tmp_path / "said"
    program = KILLED.format(said=said)
    with subprocess.Popen([sys.executable, "-c", program]) as builder:
        assert eventually(said.exists)
        assert living(said)
        builder.kill()

    assert eventually(lambda: not living(said))


def living(said: Path) -> list[str]:
    """The processes, besides the builder, that have this file among their words."""
    found = []
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            argv = words.read_bytes().split(b"\0")
            if str(said).encode() in argv:
                found.append(words.parent.name)
    return found


def eventually(holds: Callable[[], object], *, seconds: float = 20.0) -> bool:
    give_up = time.monotonic() + seconds
    while not holds():
        if time.monotonic() >= give_up:
            return False
        time.sleep(0.05)
    return True
