"""What the distributions say of themselves agrees."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import migrate_plugins

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent.name for path in (ROOT / "drivers").glob("*/pyproject.toml"))
LIBVIRT = ("qemu", "xen")
SHARED = "libvirt"  # no driver: what two of them have in common
DRIVERS = [name for name in FOLDERS if name != SHARED]
MEMBERS = [*(ROOT / "drivers" / name for name in FOLDERS), ROOT / "lab"]


def _read(folder: Path) -> dict[str, Any]:
    with (folder / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


PROJECTS = {folder: _read(folder)["project"] for folder in [ROOT, *MEMBERS]}


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~ \[;]", requirement)[0] for requirement in requirements}


def test_there_are_four_drivers() -> None:
    assert DRIVERS == ["qemu", "vbox", "vmware", "xen"]


def test_what_drivers_share_is_no_driver() -> None:
    project = PROJECTS[ROOT / "drivers" / SHARED]

    assert "entry-points" not in project
    assert SHARED not in PROJECTS[ROOT]["optional-dependencies"]
    assert "libvirt-python" in _names(project["dependencies"])


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda folder: folder.name)
def test_versions_agree(folder: Path) -> None:
    assert PROJECTS[folder]["version"] == migrate_plugins.__version__


@pytest.mark.parametrize("folder", MEMBERS, ids=lambda folder: folder.name)
def test_license_copies_agree(folder: Path) -> None:
    copy = folder / "LICENSE"

    assert not copy.is_symlink()
    assert copy.read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert PROJECTS[folder]["license-files"] == ["LICENSE"]


@pytest.mark.parametrize("folder", PROJECTS, ids=lambda folder: folder.name)
def test_common_fields(folder: Path) -> None:
    project = PROJECTS[folder]

    assert project["license"] == "MIT"
    assert project["requires-python"] == PROJECTS[ROOT]["requires-python"]
    assert (folder / project["readme"]).is_file()
    assert project["description"]


@pytest.mark.parametrize("name", DRIVERS)
def test_driver_has_one_name(name: str) -> None:
    project = PROJECTS[ROOT / "drivers" / name]

    assert project["name"] == f"migrate-plugins-{name}"
    ((group, points),) = project["entry-points"].items()
    assert group == "migrate_plugins.drivers"
    assert [*points] == [name]
    module, _, class_ = points[name].partition(":")
    assert module == f"migrate_plugins_{name}.hooks"
    assert PROJECTS[ROOT]["optional-dependencies"][name] == [f"migrate-plugins-{name}"]
    hooks = import_module(module)
    driver = getattr(hooks, class_)() if class_ else hooks
    assert driver.migrate_driver().name == name


@pytest.mark.parametrize("folder", MEMBERS, ids=lambda folder: folder.name)
def test_members_need_a_core_of_the_same_series(folder: Path) -> None:
    major, minor, _ = migrate_plugins.__version__.split(".")
    (core,) = [
        requirement
        for requirement in PROJECTS[folder]["dependencies"]
        if re.fullmatch(r"migrate-plugins[<>=].*", requirement)
    ]

    assert core == f"migrate-plugins>={major}.{minor},<{major}.{int(minor) + 1}"


@pytest.mark.parametrize("name", DRIVERS)
def test_only_drivers_of_its_hypervisors_need_libvirt(name: str) -> None:
    dependencies = _names(PROJECTS[ROOT / "drivers" / name]["dependencies"])

    assert ("migrate-plugins-libvirt" in dependencies) == (name in LIBVIRT)
    assert "libvirt-python" not in dependencies


def test_core_needs_neither_a_driver_nor_a_client_library() -> None:
    assert _names(PROJECTS[ROOT]["dependencies"]) == {
        "argcomplete",
        "leather",
        "plotille",
        "pluggy",
        "rich",
        "sqlalchemy",
    }


@pytest.mark.parametrize("name", [name for name in DRIVERS if name not in LIBVIRT])
def test_no_word_of_the_libvirt_library_in_the_other_drivers(name: str) -> None:
    sources = list((ROOT / "drivers" / name / "src").rglob("*.py"))

    assert sources
    assert [
        path.name
        for path in sources
        if re.search(r"^\s*(import|from) libvirt\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    ] == []


@pytest.mark.parametrize("folder", MEMBERS, ids=lambda folder: folder.name)
def test_wheel_holds_its_own_package_alone(folder: Path) -> None:
    packages = _read(folder)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    (package,) = packages

    assert package == f"src/{PROJECTS[folder]['name'].replace('-', '_')}"
    assert (folder / package / "py.typed").is_file()


def test_workspace_has_every_distribution() -> None:
    uv = _read(ROOT)["tool"]["uv"]

    assert uv["workspace"]["members"] == ["drivers/*", "lab"]
    assert set(uv["sources"]) == {project["name"] for project in PROJECTS.values()}
    assert set(_read(ROOT)["dependency-groups"]["drivers"]) == {
        PROJECTS[folder]["name"] for folder in MEMBERS
    }


def test_script_is_there() -> None:
    module, _, function = PROJECTS[ROOT]["scripts"]["migrate-plugins"].partition(":")

    assert callable(getattr(import_module(module), function))
