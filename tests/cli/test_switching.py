"""Switching plugins off and on: whatever they do, and without importing any of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from migrate_plugins import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

CORE = Path(__file__).parents[1] / "core"
FATAL, SITE = CORE / "fatal", CORE / "site"

# What may be imported while plugins are only listed or switched: the standard library and ours.
LOOK = """\
import sys
from migrate_plugins.cli import main
status = main(sys.argv[1:])
strangers = sorted(
    name for name, module in sys.modules.items()
    if "site-packages" in (getattr(module, "__file__", None) or "") or "acme" in name
)
print(*strangers, file=sys.stderr)
sys.exit(status)
"""


class Said(NamedTuple):
    status: int
    out: str
    err: str


class Machine:
    """A machine of its own: a configuration, and more plugins on the path."""

    def __init__(self, folder: Path, *sites: Path) -> None:
        self.config = folder / "config" / "migrate-plugins" / "config.toml"
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("MIGRATE_PLUGINS")
        } | {
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHONPATH": os.pathsep.join(map(str, sites)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, *argv: str, env: Mapping[str, str] | None = None) -> Said:
        return self._run(["-m", "migrate_plugins", *argv], env)

    def strangers(self, *argv: str) -> tuple[int, str]:
        """Run a command and tell what it imported that is not ours nor Python's."""
        status, _, err = self._run(["-c", LOOK, *argv], None)
        return status, err.strip().splitlines()[-1] if err.strip() else ""

    def _run(self, argv: list[str], env: Mapping[str, str] | None) -> Said:
        done = subprocess.run(
            [sys.executable, *argv],
            env={**self.environment, **(env or {})},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def fatal(tmp_path: Path) -> Machine:
    return Machine(tmp_path, FATAL)


@pytest.fixture
def site(tmp_path: Path) -> Machine:
    return Machine(tmp_path, SITE)


def _statuses(said: Said) -> dict[str, str]:
    listed = json.loads(said.out)
    return {each["name"]: each["status"] for each in [*listed["drivers"], *listed["plugins"]]}


def test_plugin_that_ends_every_process_can_still_be_switched_off(fatal: Machine) -> None:
    assert fatal.run("list").status == 42  # nothing can be done in the same process

    listed = fatal.run("list", "--no-load", "--json")
    switched = fatal.run("disable", "fatal")
    after = fatal.run("list", "--json")

    assert _statuses(listed)["fatal"] == "not-loaded"
    assert switched == (ExitCode.DONE, f"fatal: disabled in {fatal.config}\n", "")
    assert fatal.config.read_text() == 'disabled = ["fatal"]\n'
    assert _statuses(after)["fatal"] == "disabled"
    assert _statuses(after)["qemu"] == "active"


@pytest.mark.parametrize(
    ("argv", "env"),
    [
        (("--no-plugins", "list", "--json"), {}),
        (("list", "--json"), {"MIGRATE_PLUGINS_DISABLE": "fatal"}),
        (("list", "--json"), {"MIGRATE_PLUGINS_DISABLE": "x,acme-fatal"}),
    ],
)
def test_ways_past_it_for_one_call(
    fatal: Machine, argv: tuple[str, ...], env: dict[str, str]
) -> None:
    said = fatal.run(*argv, env=env)

    assert said.status == ExitCode.DONE
    assert _statuses(said)["fatal"] == "disabled"


@pytest.mark.parametrize(
    "argv",
    [
        ("list", "--no-load"),
        ("list", "--no-load", "--json"),
        ("disable", "fatal"),
        ("enable", "fatal"),
        ("config", "path"),
    ],
)
def test_nothing_of_anybody_else_is_imported(fatal: Machine, argv: tuple[str, ...]) -> None:
    assert fatal.strangers(*argv) == (ExitCode.DONE, "")


def test_the_proof_that_the_test_above_can_see_them(site: Machine) -> None:
    status, strangers = site.strangers("list")

    assert status == ExitCode.DONE
    assert {"pluggy", "acme_good", "acme_noisy"} <= set(strangers.split())


def test_list_survives_a_whole_site_and_its_json_is_clean(site: Machine) -> None:
    said = site.run("list", "--json")

    statuses = _statuses(said)
    assert said.status == ExitCode.DONE
    assert statuses["qemu"] == statuses["policy"] == "active"
    assert statuses["noisy"] == "noisy"
    assert statuses["exits"] == statuses["broken-import"] == statuses["misspelt"] == "broken"
    assert "acme says hello" in said.err
    assert {"hello", "asked"}.isdisjoint(said.out.split())
    by_name = {each["name"]: each for each in json.loads(said.out)["drivers"]}
    goods = [each for each in json.loads(said.out)["drivers"] if each["name"] == "good"]
    assert [(each["distribution"], each["status"]) for each in goods] == [
        ("acme-again", "broken"),  # it cannot say what it offers
        ("acme-good", "shadowed"),
    ]
    broken = by_name["broken-import"]
    assert (broken["distribution"], broken["origin"]) == (
        "acme-import",
        f"{SITE}/acme_import-0.1.dist-info",
    )
    assert broken["reason"] == "ModuleNotFoundError: No module named 'acme_client_library'"


def test_plan_works_beside_a_whole_site_and_its_json_is_clean(site: Machine) -> None:
    said = site.run("plan", "web1", "qemu+ssh://b/system", "-c", "qemu:///system", "--json")

    assert said.status == ExitCode.DONE
    assert json.loads(said.out)["driver"] == "qemu"
    assert site.run("--help").out.count("acme") >= 2  # its name and its summary


def test_enabling_undoes_it_and_the_rest_of_the_file_stays(site: Machine) -> None:
    site.config.parent.mkdir(parents=True)
    site.config.write_text("# mine\n[defaults]\nlive = true # always\n")

    first = site.run("disable", "good", "watcher", "--json")
    again = site.run("disable", "good")
    back = site.run("enable", "good", "watcher")

    assert json.loads(first.out) == {
        "schema": "migrate-plugins/disable/1",
        "path": str(site.config),
        "disabled": ["good", "watcher"],
        "changed": True,
    }
    assert again.out == f"good: nothing to change in {site.config}\n"
    assert back.out == f"good, watcher: enabled in {site.config}\n"
    assert site.config.read_text() == (
        "disabled = []\n\n# mine\n[defaults]\nlive = true # always\n"
    )


def test_whole_distribution_by_its_name(site: Machine) -> None:
    site.run("disable", "acme-site")

    statuses = _statuses(site.run("list", "--json"))

    assert (statuses["policy"], statuses["watcher"]) == ("disabled", "disabled")
    said = site.run("enable", "policy")
    assert said.err == (
        f"policy stays disabled: disabled in {site.config}; `migrate-plugins enable acme-site`"
        " undoes it\n"
    )


def test_enabling_what_the_environment_disables_says_so(site: Machine) -> None:
    said = site.run("enable", "good", env={"MIGRATE_PLUGINS_DISABLE": "good"})

    assert said.status == ExitCode.DONE
    assert said.err == "good stays disabled: MIGRATE_PLUGINS_DISABLE names it\n"


def test_names_that_nothing_has_are_told_all_at_once(site: Machine) -> None:
    said = site.run("disable", "goood", "qqq")

    assert (said.status, said.out) == (ExitCode.USAGE, "")
    assert said.err == (
        "nothing installed is called 'goood', but good; nothing installed is called 'qqq';"
        " `migrate-plugins list --no-load` lists all\n"
    )
    assert not site.config.exists()


def test_name_of_what_is_gone_can_be_taken_out(site: Machine) -> None:
    site.config.parent.mkdir(parents=True)
    site.config.write_text('disabled = ["gone"]\n')

    assert site.run("enable", "gone").status == ExitCode.DONE
    assert site.config.read_text() == "disabled = []\n"


def test_file_that_is_not_toml_is_told_and_left(site: Machine) -> None:
    site.config.parent.mkdir(parents=True)
    site.config.write_text("disabled = [\n")

    said = site.run("disable", "good")

    assert said.status == ExitCode.USAGE
    assert said.err.startswith(f"{site.config}:\n  not-toml: it is not TOML")
    assert site.config.read_text() == "disabled = [\n"
    assert site.run("list").status == ExitCode.DONE  # without it
    assert site.run("plan", "web1", "qemu:///s", "-c", "qemu:///s").status == ExitCode.USAGE


def test_disabled_driver_is_out_of_a_plan(site: Machine) -> None:
    site.run("disable", "qemu")

    said = site.run("plan", "web1", "qemu:///s", "-c", "qemu:///s")

    assert said.status == ExitCode.PLUGIN
    assert "no installed driver claims qemu://" in said.err
    assert said.err.endswith("; qemu is disabled (`migrate-plugins enable qemu`)\n")


def test_plugins_that_raise_in_a_hook_are_listed_as_such_and_the_rest_works(tmp_path: Path) -> None:
    machine = Machine(tmp_path, CORE / "raising")

    said = machine.run("list", "--json", env={"MIGRATE_PLUGINS_DISABLE": "raising-policy"})
    both = machine.run("list", "--json")
    plan = ("plan", "web1", "qemu+ssh://b/system", "-c", "qemu:///system")

    raising = next(each for each in json.loads(said.out)["drivers"] if each["name"] == "raising")
    assert (said.status, raising["status"]) == (ExitCode.DONE, "broken")
    assert "failed in migrate_capabilities: LookupError: no licence" in raising["reason"]
    assert _statuses(said)["qemu"] == "active"
    matrix = machine.run("matrix", env={"MIGRATE_PLUGINS_DISABLE": "raising-policy"})
    assert matrix.status == ExitCode.DONE
    as_json = machine.run("matrix", "--json", env={"MIGRATE_PLUGINS_DISABLE": "raising-policy"})
    assert json.loads(as_json.out)["schema"] == "migrate-plugins/matrix/1"
    assert matrix.out.splitlines()[0].split() == ["SCENARIO", "qemu", "vbox", "vmware", "xen"]
    assert "plugin 'raising' failed in migrate_capabilities" in matrix.err
    # The policy is around every driver: it is the one to blame, and the one to switch off.
    statuses = _statuses(both)
    assert (statuses["raising-policy"], statuses["qemu"]) == ("broken", "active")
    refused = machine.run(*plan)
    assert refused.status == ExitCode.PLUGIN
    assert "`migrate-plugins disable raising-policy` switches it off" in refused.err
    assert machine.run("disable", "raising-policy").status == ExitCode.DONE
    assert machine.run(*plan).status == ExitCode.DONE


@pytest.fixture
def commands(tmp_path: Path) -> Machine:
    return Machine(tmp_path, CORE / "commands")


@pytest.mark.parametrize(
    ("command", "owner", "problem"),
    [
        ("raises", "acme_commands", "LookupError: no licence"),
        ("gone", "acme_gone", "ModuleNotFoundError: No module named 'acme_gone'"),
    ],
)
def test_command_of_a_plugin_that_fails_is_the_plugins_fault(
    commands: Machine, command: str, owner: str, problem: str
) -> None:
    said = commands.run(command)

    assert (said.status, said.out) == (ExitCode.PLUGIN, "")
    assert f"plugin '{owner}' failed in its command {command}: {problem}; this is a" in said.err
    assert "fault of ours" not in said.err


def test_command_of_a_plugin_takes_no_name_of_ours(commands: Machine) -> None:
    lines = commands.run("--help").out.splitlines()

    assert [line.split()[:1] for line in lines].count(["plan"]) == 1
    assert "  raises           in two lines" in lines
    assert not [line for line in lines if "ours, it says" in line]


def test_what_is_written_below_python_does_not_spoil_the_json(commands: Machine) -> None:
    said = commands.run("list", "--json")

    assert _statuses(said)["commands"] == "active"
    assert said.err == "noise below Python\n"


def test_disabled_plugin_stays_so_where_the_file_has_another_mistake(fatal: Machine) -> None:
    fatal.config.parent.mkdir(parents=True)
    fatal.config.write_text('disabled = ["fatal"]\nnonsense = 1\n')

    said = fatal.run("list", "--json")

    assert _statuses(said)["fatal"] == "disabled"
    assert "nonsense is no known key" in said.err


def test_nobody_who_reads_is_no_fault(site: Machine) -> None:
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m migrate_plugins list >&-"],
        env=site.environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == ExitCode.DONE
    assert "Traceback" not in done.stderr
