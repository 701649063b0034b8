# ruff: noqa: A002 - the name is that of the protocol
"""Whether two hosts have one file: tried with two shells on this machine, and by table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_plugins_vbox.runner import Answer, LocalRunner
from migrate_plugins_vbox.sharing import Pair, Sharing, prove

if TYPE_CHECKING:
    from pathlib import Path

    from migrate_plugins_vbox.runner import Job

SHARED, OTHER, UNKNOWN = Sharing.SHARED, Sharing.OTHER, Sharing.UNKNOWN


class Recorder(LocalRunner):
    """This machine's own shell, and all that it said."""

    def __init__(self) -> None:
        self.scripts: list[str] = []

    def run(self, script: str, *, input: str = "", seconds: float = 20.0) -> Answer:
        self.scripts.append(script)
        return super().run(script, input=input, seconds=seconds)


class Elsewhere(Recorder):
    """A fake of another machine: this one's shell, with files that no kernel here has."""

    def run(self, script: str, *, input: str = "", seconds: float = 20.0) -> Answer:
        answer = super().run(script, input=input, seconds=seconds)
        lines = [
            "kernel another" if line.startswith("kernel ") else line.replace(":", ":9", 1)
            for line in answer.output.splitlines()
        ]
        return answer._replace(output="\n".join(lines))


class Broken(LocalRunner):
    """A fake of a host that does not answer."""

    def run(self, script: str, *, input: str = "", seconds: float = 20.0) -> Answer:
        del script, input, seconds
        return Answer(None, "", "ssh: connection refused", broken=True)

    def start(self, script: str, *, input: str = "") -> Job:
        raise NotImplementedError


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders with an image of the same name and content each."""
    made = (tmp_path / "one", tmp_path / "o'ther")
    for folder in made:
        folder.mkdir()
        (folder / "web.vdi").write_text("image")
    return made


@pytest.mark.parametrize("there", [Recorder, Elsewhere])
def test_one_folder_is_shared(folders: tuple[Path, Path], there: type[Recorder]) -> None:
    file = str(folders[1] / "web.vdi")

    [proof] = prove(Recorder(), there(), [Pair(file, file)])

    assert (proof.sharing, proof.readable, proof.writable) == (SHARED, True, True)
    assert [each.name for each in folders[1].iterdir()] == ["web.vdi"]


@pytest.mark.parametrize("there", [Recorder, Elsewhere])
def test_a_copy_is_another_file(folders: tuple[Path, Path], there: type[Recorder]) -> None:
    pair = Pair(str(folders[0] / "web.vdi"), str(folders[1] / "web.vdi"))

    [proof] = prove(Recorder(), there(), [pair])

    assert proof.sharing is OTHER
    assert pair.here in proof.why
    assert [each.name for folder in folders for each in folder.iterdir()] == ["web.vdi"] * 2


def test_another_file_of_a_shared_folder_is_another_file(folders: tuple[Path, Path]) -> None:
    second = folders[0] / "second.vdi"
    second.write_text("image")

    [proof] = prove(Recorder(), Elsewhere(), [Pair(str(folders[0] / "web.vdi"), str(second))])

    assert proof.sharing is OTHER


def test_a_link_leads_to_the_file(folders: tuple[Path, Path], tmp_path: Path) -> None:
    link = tmp_path / "link.vdi"
    link.symlink_to(folders[0] / "web.vdi")

    [proof] = prove(Recorder(), Elsewhere(), [Pair(str(folders[0] / "web.vdi"), str(link))])

    assert proof.sharing is SHARED


def test_what_is_not_there_is_named(folders: tuple[Path, Path]) -> None:
    file, gone = str(folders[0] / "web.vdi"), str(folders[0] / "gone.vdi")

    proofs = prove(Recorder(), Recorder(), [Pair(file, gone), Pair(gone, file)])

    assert [proof.sharing for proof in proofs] == [Sharing.MISSING, Sharing.GONE]
    assert all(gone in proof.why for proof in proofs)


def test_many_files_take_one_script_for_each_step(folders: tuple[Path, Path]) -> None:
    here, there = Recorder(), Recorder()
    pairs = [Pair(str(folders[0] / "web.vdi"), str(folders[0] / "web.vdi"))] * 5

    proofs = prove(here, there, pairs)

    assert [proof.sharing for proof in proofs] == [SHARED] * 5
    assert (len(here.scripts), len(there.scripts)) == (2, 1)


def test_nothing_is_asked_for_no_file() -> None:
    assert prove(Broken(), Broken(), []) == ()


def test_a_host_that_does_not_answer_proves_nothing(folders: tuple[Path, Path]) -> None:
    file = str(folders[0] / "web.vdi")

    [proof] = prove(Recorder(), Broken(), [Pair(file, file)])

    assert (proof.sharing, "connection refused" in proof.why) == (UNKNOWN, True)
    assert [each.name for each in folders[0].iterdir()] == ["web.vdi"]
