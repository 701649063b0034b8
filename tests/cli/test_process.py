"""The command as a process: help, colours, pipes, and what it imports."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import ExitCode, Journal, __version__

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cli.conftest import Spawn

    from migrate_plugins import Migrator, Plan

SOURCE = "qemu:///system"
DEST = "qemu+ssh://desthost/system"
NOWHERE = "qemu+unix:///session?socket=/nonexistent"
PLAN = ["plan", "web1", DEST, "-c", SOURCE]

# fmt: off
# Variables, and whether what goes into a pipe is coloured then.
COLOURS = [
    ({},                                       False),
    ({"NO_COLOR": "1"},                        False),
    ({"FORCE_COLOR": "1"},                     True),
    ({"FORCE_COLOR": "1", "NO_COLOR": "1"},    False),
    ({"FORCE_COLOR": "1", "NO_COLOR": ""},     True),
    ({"FORCE_COLOR": "", "TERM": "xterm"},     False),
]

# Variables, and whether what goes to a terminal is coloured then.
TERMINALS = [
    ({"TERM": "xterm"},                        True),
    ({"TERM": "dumb"},                         False),
    ({"TERM": "xterm", "NO_COLOR": "1"},       False),
]

# Each command that prints, and its status when nobody reads: what it prints is lost, not more.
PRINTING = [
    (["--help"],                               ExitCode.DONE),
    (["list"],                                 ExitCode.DONE),
    (["list", "--json"],                       ExitCode.DONE),
    (["matrix"],                               ExitCode.DONE),
    (["matrix", "--json"],                     ExitCode.DONE),
    (["matrix", "--markdown"],                 ExitCode.DONE),
    (PLAN,                                     ExitCode.DONE),
    ([*PLAN, "--json"],                        ExitCode.DONE),
    (["plan", "web1", DEST, "--json"],         ExitCode.USAGE),
    ([*PLAN, "--tls", "--json"],               ExitCode.BLOCKED),
]

# What costs a planner time, or may not be there at all.
HEAVY = [
    *("asyncio", "importlib.metadata", "leather", "libvirt", "plotille", "rich", "sqlalchemy"),
    "sqlite3",
]

# argv, and which of them it imports.
IMPORTS = [
    (["--help"],                               []),
    (["--version"],                            []),
    (["list"],                                 []),
    (["list", "--json"],                       []),
    (["matrix"],                               []),
    (["matrix", "--json"],                     []),
    (PLAN,                                     []),
    ([*PLAN, "--json"],                        []),
    ([*PLAN, "--tls"],                         []),
    # the proof that the test can see them
    (["check", "web1", NOWHERE, "-c", NOWHERE],
                                               ["libvirt"]),
    (["migrate", "web1", NOWHERE, "-c", NOWHERE, "--progress", "bar", "--no-journal"],
                                               ["libvirt", "rich"]),
    # the first time, when the journal has to be made; SQLAlchemy brings the first two
    (["migrate", "web1", NOWHERE, "-c", NOWHERE, "--progress", "none"],
     ["asyncio", "importlib.metadata", "libvirt", "sqlalchemy", "sqlite3"]),
    # and from then on
    (["migrate", "web1", NOWHERE, "-c", NOWHERE, "--reason", "again"],
                                               ["libvirt", "sqlite3"]),
]
# fmt: on

ESCAPE = "\033["

LOOK = """\
import sys
from migrate_plugins.cli import main
status = main(sys.argv[2:])
print(*sorted(set(sys.argv[1].split(",")) & set(sys.modules)), file=sys.stderr)
"""


def test_version_is_that_of_the_distribution(spawn: Spawn) -> None:
    assert spawn("--version") == (ExitCode.DONE, f"migrate-plugins {__version__}\n", "")


def test_help_lists_every_command_also_a_plugins_own(spawn: Spawn) -> None:
    status, out, err = spawn("--help")

    assert (status, err) == (ExitCode.DONE, "")
    assert out.startswith("usage: migrate-plugins COMMAND [options]\n")
    commands = re.findall(r"^  (\w+) {2,}\S", out, re.MULTILINE)
    assert commands[:5] == ["list", "matrix", "plan", "check", "migrate"]
    assert "  lab              real hosts on this machine, to try and to test migrations\n" in out
    assert "  --trace-plugins  tell on standard error" in out


def test_unknown_command_is_answered_with_those_there_are(spawn: Spawn) -> None:
    status, out, err = spawn("teleport")

    assert (status, out) == (ExitCode.USAGE, "")
    known = "there is no command 'teleport'; there are list, matrix, plan, check, migrate, "
    assert err.startswith(known)
    assert "lab" in err.removeprefix(known).strip().split(", ")


def test_command_of_a_plugin_has_its_own_help(spawn: Spawn) -> None:
    status, out, err = spawn("lab", "--help")

    assert (status, err) == (ExitCode.DONE, "")
    assert out.startswith("usage: migrate-plugins lab [-h] ACTION ...\n")


@pytest.mark.parametrize("argv", [["list"], ["matrix"], PLAN, ["lab", "--help"]])
def test_pipe_has_no_escape_codes(spawn: Spawn, argv: list[str]) -> None:
    status, out, _ = spawn(*argv, env={"TERM": "xterm"})

    assert status == ExitCode.DONE
    assert out
    assert "\033" not in out


@pytest.mark.parametrize(("env", "coloured"), COLOURS)
def test_environment_decides_on_colours_in_a_pipe(
    spawn: Spawn, env: dict[str, str], coloured: bool
) -> None:
    out = spawn(*PLAN, env=env).out

    assert (ESCAPE in out) == coloured
    assert re.sub(r"\033\[[0-9;]*m", "", out) == spawn(*PLAN).out


@pytest.mark.parametrize(("env", "coloured"), TERMINALS)
def test_terminal_has_colours_unless_somebody_minds(
    spawn: Spawn, terminal: tuple[int, int], env: dict[str, str], coloured: bool
) -> None:
    ours, theirs = terminal

    said = spawn("matrix", env=env, stdout=theirs)

    assert (said.status, said.err) == (ExitCode.DONE, "")
    out = os.read(ours, 65536).decode()
    assert out.startswith(f"{ESCAPE}1mSCENARIO" if coloured else "SCENARIO")


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The two ends of a terminal: what is written into the second is read from the first."""
    ends = os.openpty()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize("env", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(("argv", "status"), PRINTING)
def test_reader_that_has_gone_is_no_failure(
    spawn: Spawn, unread: int, argv: list[str], status: ExitCode, env: dict[str, str]
) -> None:
    said = spawn(*argv, env=env, stdout=unread)

    assert said.status == status
    assert "Traceback" not in said.err
    assert "BrokenPipe" not in said.err
    assert (said.err == "") == (status is ExitCode.DONE)


def test_head_takes_one_line_and_nobody_complains() -> None:
    script = f'"{sys.executable}" -m migrate_plugins plan web1 {DEST} -c {SOURCE} | head -1'

    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    first = "web1: managed-direct, native (qemu, scenario native-direct, revision original)\n"
    assert (done.returncode, done.stdout, done.stderr) == (ExitCode.DONE, first, "")


@pytest.fixture(scope="module")
def plan(migrator: Migrator) -> Plan:
    return migrator.plan("web1", source=SOURCE, destination=DEST)


@pytest.mark.parametrize(("argv", "imported"), IMPORTS)
def test_only_what_connects_or_draws_imports_what_that_needs(
    argv: list[str], imported: list[str], tmp_path: Path, plan: Plan
) -> None:
    journal = Journal(f"sqlite:///{tmp_path}/migrate-plugins/journal.sqlite")
    if "again" in argv:
        writer = journal.begin(plan)
        assert writer.id == 1
        writer.close()
    done = subprocess.run(
        [sys.executable, "-c", LOOK, ",".join(HEAVY), *argv],
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.stderr.splitlines()[-1].split() == imported, done.stderr
