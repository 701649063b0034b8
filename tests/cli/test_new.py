"""`new`: what it writes, and everything that it refuses."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins import ExitCode
from migrate_plugins.cli import new

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Call

# fmt: off
FILES = [
    ".github/workflows/test.yml",
    ".gitignore",
    "README.md",
    "pyproject.toml",
    "src/migrate_plugins_{}/__init__.py",
    "src/migrate_plugins_{}/hooks.py",
    "src/migrate_plugins_{}/py.typed",
    "tests/test_conformance.py",
]

WRITTEN = [
    # kind      name          module       group      what its entry point names
    ("driver",  "hyperv",     "hyperv",    "drivers", "migrate_plugins_hyperv.hooks"),
    ("driver",  "my-vmm-2",   "my_vmm_2",  "drivers", "migrate_plugins_my_vmm_2.hooks"),
    ("policy",  "our-ports",  "our_ports", "plugins", "migrate_plugins_our_ports.hooks:OurPorts"),
    ("policy",  "ports",      "ports",     "plugins", "migrate_plugins_ports.hooks:Ports"),
]

BAD_NAMES = [
    # name        what would do
    ("Hyper-V",   "hyper-v"),
    ("my_vmm",    "my-vmm"),
    ("my--vmm",   "my-vmm"),
    ("vmm-",      "vmm"),
    ("2vmm",      "vmm"),
    ("a/../b",    "a-b"),
    ("vmm\n",     "vmm"),
    ("vmm 2.0",   "vmm-2-0"),
    ("",          "hyperv"),
    ("42",        "hyperv"),
    ("été",       "t"),
]

TAKEN = [
    # kind      name      the plugin that has it
    ("driver",  "qemu",   "qemu of migrate-plugins-qemu 0.1.0"),
    ("policy",  "xen",    "xen of migrate-plugins-xen 0.1.0"),
]

FOLDERS = [
    # what is there   why nothing is written
    ("full",          "the folder 'full' is not empty; give one that is, or none yet"),
    ("file",          "'file' is a file; give a folder that is empty, or none yet"),
    ("link",          "the folder 'link' is not empty; give one that is, or none yet"),
]
# fmt: on


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with something in it that may not be lost."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full/hooks.py").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("full")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(("kind", "name", "module", "group", "target"), WRITTEN)
def test_every_file_has_the_plugins_name(
    call: Call, folder: Path, kind: str, name: str, module: str, group: str, target: str
) -> None:
    status, _, err = call("new", kind, name)

    project = folder / f"migrate-plugins-{name}"
    assert (status, err) == (ExitCode.DONE, "")
    assert _files(project) == sorted(file.format(module) for file in FILES)
    metadata = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    assert metadata["name"] == f"migrate-plugins-{name}"
    assert metadata["entry-points"] == {f"migrate_plugins.{group}": {name: target}}
    assert f'\n    name = "{name}"\n' in (project / "tests/test_conformance.py").read_text()


def test_text_says_what_was_written_and_how_to_go_on(call: Call) -> None:
    said = call("new", "driver", "hyperv", "my folder")

    assert said == (
        ExitCode.DONE,
        "my folder is a driver of your own, migrate-plugins-hyperv:\n"
        + "".join(f"  {file.format('hyperv')}\n" for file in FILES)
        + "It passes the conformance kit as it is; go on with:\n"
        "  cd 'my folder'\n"
        "  pip install --upgrade pip  # dependency groups came with pip 25.1\n"
        "  pip install -e . --group test\n"
        "  pytest\n",
        "",
    )


def test_json_is_one_object_with_the_documented_keys(call: Call) -> None:
    status, out, err = call("new", "policy", "our-ports", "empty", "--json")

    assert (status, err) == (ExitCode.DONE, "")
    assert json.loads(out) == {
        "schema": "migrate-plugins/new/1",
        "kind": "policy",
        "name": "our-ports",
        "distribution": "migrate-plugins-our-ports",
        "folder": "empty",
        "files": [file.format("our_ports") for file in FILES],
    }


def test_folders_are_made_as_needed(call: Call, folder: Path) -> None:
    assert call("new", "driver", "hyperv", "a/b/c").status == ExitCode.DONE

    assert len(_files(folder / "a/b/c")) == len(FILES)


@pytest.mark.parametrize(("name", "better"), BAD_NAMES)
def test_bad_name_is_refused_with_one_that_would_do(
    call: Call, folder: Path, name: str, better: str
) -> None:
    status, out, err = call("new", "driver", name, "here")

    assert (status, out) == (ExitCode.USAGE, "")
    assert err == (
        f"no driver was written:\n  the name {name!r} is not lower-case letters, digits and single"
        f" hyphens between them, starting with a letter; {better} would do\n"
    )
    assert not (folder / "here").exists()
    assert call("new", "driver", better, "here").status == ExitCode.DONE


@pytest.mark.parametrize(("kind", "name", "owner"), TAKEN)
def test_name_of_an_installed_plugin_is_refused(
    call: Call, kind: str, name: str, owner: str
) -> None:
    status, out, err = call("new", kind, name)

    assert (status, out) == (ExitCode.USAGE, "")
    assert err == (
        f"no {kind} was written:\n  the name {name!r} is that of an installed plugin, {owner};"
        f" choose another, such as my-{name}\n"
    )


def test_scheme_of_an_installed_driver_is_refused_to_a_driver_alone(call: Call) -> None:
    status, out, err = call("new", "driver", "esx")

    assert (status, out) == (ExitCode.USAGE, "")
    assert err == (
        "no driver was written:\n  esx:// belongs to the installed driver vmware, and the new one"
        " would be shadowed; choose another name, such as my-esx\n"
    )
    assert call("new", "policy", "esx").status == ExitCode.DONE


@pytest.mark.parametrize(("there", "reason"), FOLDERS)
def test_what_is_there_is_left_alone(call: Call, folder: Path, there: str, reason: str) -> None:
    before = _files(folder)

    said = call("new", "driver", "hyperv", there)

    assert said == (ExitCode.USAGE, "", f"no driver was written:\n  {reason}\n")
    assert _files(folder) == before
    assert {path.read_text() for path in (folder / "file", folder / "full/hooks.py")} == {"mine"}


def test_all_reasons_are_given_at_once(call: Call) -> None:
    status, out, err = call("new", "driver", "ESX", "full", "--json")

    assert status == ExitCode.USAGE
    assert err.count("\n  ") == 2
    assert "esx would do" in err
    assert "'full' is not empty" in err
    assert json.loads(out)["kind"] == "UsageError"


def test_unknown_kind_is_refused(call: Call) -> None:
    status, _, err = call("new", "plugin", "hyperv")

    assert status == ExitCode.USAGE
    assert "'driver', 'policy'" in err


def test_folder_that_cannot_be_made_is_an_error_of_usage(call: Call) -> None:
    status, out, err = call("new", "driver", "hyperv", "file/inside")

    assert (status, out) == (ExitCode.USAGE, "")
    assert err.startswith("cannot write 'file/inside")


def test_compiled_files_beside_a_template_are_not_written(tmp_path: Path) -> None:
    (tmp_path / "template/__pycache__").mkdir(parents=True)
    (tmp_path / "template/__pycache__/hooks.cpython-311.pyc").write_bytes(b"\xff")
    (tmp_path / "template/hooks.py").write_text("template")

    assert [*new._files(tmp_path / "template")] == [("hooks.py", "template")]


@given(st.from_regex(r"[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,9}){0,3}", fullmatch=True))
def test_project_has_the_plugins_name_and_no_other(name: str) -> None:
    for kind, template in new.KINDS.items():
        written = new._filled(kind, name)

        module = name.replace("-", "_")
        assert sorted(written) == sorted(file.format(module) for file in FILES)
        if template not in name:
            assert [path for path, text in written.items() if template in path + text] == []
        for path, text in written.items():
            if path.endswith(".py"):
                compile(text, path, "exec")
