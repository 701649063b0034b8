from __future__ import annotations

import os
from pathlib import Path

import pytest

from migrate_plugins_lab.errors import ArgumentError, BusyError
from migrate_plugins_lab.folder import Folder, claim, home

# fmt: off
BAD_NAMES = ["", "-a", "A", "a b", "../a", "a/b", "a.b", "a" * 41]
# fmt: on


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_is_no_folder_is_refused(name: str) -> None:
    with pytest.raises(ArgumentError, match="small letters, digits and hyphens"):
        Folder.of(name)


def test_labs_live_in_the_users_runtime_folder(tmp_path: Path) -> None:
    assert home({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path / "migrate-plugins/lab"


def test_labs_live_in_tmp_without_a_runtime_folder_of_ones_own() -> None:
    expected = Path(f"/tmp/migrate-plugins-{os.geteuid()}/lab")  # noqa: S108

    assert home({}) == expected
    assert home({"XDG_RUNTIME_DIR": "/nonexistent"}) == expected


def test_a_path_too_long_for_a_socket_is_refused_with_its_length(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 90)
    deep.mkdir()

    with pytest.raises(ArgumentError, match="107 is the most a UNIX socket can have"):
        Folder.of("default", {"XDG_RUNTIME_DIR": str(deep)})


def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    labs = tmp_path / "migrate-plugins/lab"
    labs.parent.mkdir()
    labs.parent.chmod(0o777)

    with pytest.raises(ArgumentError, match="not a folder that only you can write to"):
        claim(labs)


def test_a_link_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "migrate-plugins").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ArgumentError, match="not a folder that only you can write to"):
        claim(tmp_path / "migrate-plugins/lab")


def test_a_second_taker_of_the_lock_is_told_after_its_time(labs: Path) -> None:
    folder = Folder(labs / "default")

    with folder.locked(), pytest.raises(BusyError), folder.locked(seconds=0.1):
        pass


def test_a_lock_leaves_no_file_and_can_be_taken_again(labs: Path) -> None:
    folder = Folder(labs / "default")
    for _ in range(2):
        with folder.locked(seconds=0.1):
            pass

    assert list(labs.iterdir()) == []
