"""TAB in the three shells themselves: what they offer, and that they find the script."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from migrate_plugins import SCENARIOS, ExitCode, Journal, entry_points
from migrate_plugins.cli import COMMANDS
from migrate_plugins.cli.completion import SHELLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.conftest import Call

    from migrate_plugins import Migrator

COMMAND_NAMES = [command.name for command in COMMANDS]
FLAGS = ["--driver", "--no-plugins", "--trace-plugins"]
DRIVERS = [point.name for point in entry_points() if point.is_driver]
PLUGINS = [point.name for point in entry_points()]
LAB = ["up", "down", "status", "guest", "fault", "demo"]

# fmt: off
# What is typed after `migrate-plugins` (in a folder that holds plan.svg and pictures/), and what
# is offered then, in any order.
OFFERS = [
    ("",                                        [*COMMAND_NAMES, "lab"]),
    ("ma",                                      ["matrix"]),
    ("ma ",                                     []),
    ("--",                                      ["--help", *FLAGS]),
    ("--no-plugins --driver qemu mat",          ["matrix"]),
    ("--driver ",                               DRIVERS),
    ("matrix --",                               ["--help", "--revision", "--results", "--json",
                                                 "--markdown", *FLAGS]),
    ("matrix --json --m",                       []),  # it excludes --markdown
    ("matrix --revision ",                      ["original", "current"]),
    ("matrix --revision=c",                     ["current"]),
    ("plan --d",                                ["--desturi", "--direct", "--dname",
                                                 "--disks-port", "--diagram", "--driver"]),
    ("plan web1 --dname list --di",             ["--direct", "--disks-port", "--diagram"]),
    ("plan web1 --from ",                       ["alpha", "beta"]),
    ("plan web1 --from alpha --to b",           ["beta"]),
    ("disable ",                                PLUGINS),
    ("enable lab qem",                          ["qemu"]),
    ("plan --scenario ",                        [*SCENARIOS]),
    ("plan web1 -c qemu:///system --scenario n",
                                                [id_ for id_ in SCENARIOS if id_[0] == "n"]),
    ("plan --diagram p",                        ["plan.svg", "pictures/"]),
    ("matrix --results pl",                     ["plan.svg"]),
    ("plan --xml plan",                         ["plan.svg"]),
    ("plan --dname p",                          []),
    ("plan p",                                  []),
    ("history ",                                ["show"]),
    ("history show ",                           ["1", "2"]),
    ("history --guest ",                        ["web1", "db1"]),
    ("history show 1 --html p",                 ["plan.svg", "pictures/"]),
    ("completion ",                             ["bash", "zsh", "fish"]),
    ("new ",                                    ["driver", "policy"]),
    ("new driver acme pi",                      ["pictures/"]),
    ("lab ",                                    LAB),
    ("lab fault alpha list --",                 ["--help", "--lab", "--json"]),
    ("--no-plugins lab --",                     ["--help", *FLAGS]),
    ("lab up --h",                              ["--help", "--hosts"]),
    ("teleport ",                               []),
]

# What is typed, and what the line is after TAB.
LINES = [
    ("migrate-plugins mat",                     "migrate-plugins matrix"),
    ("migrate-plugins plan --scen",             "migrate-plugins plan --scenario"),
    ("migrate-plugins plan --revision c",       "migrate-plugins plan --revision current"),
]
# fmt: on

CONFIG = """\
[hosts.alpha]
uri = "qemu:///system"
[hosts.beta]
uri = "qemu+ssh://beta/system"
"""

# A plugin that says something wherever a plugin can.
NOISY = """\
import sys
from migrate_plugins import Command, hookimpl
print("noise on standard output")
print("noise on standard error", file=sys.stderr)

@hookimpl
def migrate_cli():
    print("more noise")
    return [Command("noisy", "makes noise", "acme_noisy")]
"""

BASH = """\
source ~/bash || exit
COMP_LINE="migrate-plugins $1" COMP_POINT=$((16 + ${#1})) COMP_TYPE=9
_python_argcomplete migrate-plugins
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = """\
source ~/fish
complete --do-complete "migrate-plugins $argv[1]"
"""
# Only an interactive zsh completes; each word that it is given is written down here.
ZSH = """\
autoload -Uz compinit && compinit -D
source ~/zsh
compadd() {
  local -a added
  builtin compadd -A added "$@"
  if (( ! ${argv[(Ie)-D]} )); then print -rl -- $added >> $HOME/offered; fi
  builtin compadd "$@"
}
"""

# Programs, where the help says that the shell looks for the script, and settings without which
# nothing is read from there.
PLACES = [
    (
        ["bash", "-i"],
        "bash",
        ".local/share/bash-completion/completions/migrate-plugins",
        {".bashrc": "source /usr/share/bash-completion/bash_completion"},
    ),
    (
        ["zsh", "-i"],
        "zsh",
        ".local/share/zsh/site-functions/_migrate-plugins",
        {
            ".zshrc": 'fpath=("${XDG_DATA_HOME:-$HOME/.local/share}/zsh/site-functions" $fpath)\n'
            "autoload -Uz compinit && compinit"
        },
    ),
]

# Shows the words of a line instead of running them.
SHOW = """
show() { printf '<%s>' "$*"; }
"""


@pytest.fixture(scope="module")
def scripts() -> dict[str, str]:
    """What the command prints for each shell."""
    program = Path(sys.executable).with_name("migrate-plugins")
    return {
        shell: subprocess.run(
            [program, "completion", shell], capture_output=True, text=True, timeout=60, check=True
        ).stdout
        for shell in SHELLS
    }


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, migrator: Migrator) -> str:
    """URL of a journal of two migrations."""
    journal = Journal(f"sqlite:///{tmp_path_factory.mktemp('journal')}/journal.sqlite")
    for guest in ("db1", "web1"):
        writer = journal.begin(migrator.plan(guest, source="qemu:///", destination="qemu://b/"))
        assert writer.id
        writer.close()
    return journal.url


@pytest.fixture
def home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scripts: dict[str, str], recorded: str
) -> Path:
    """A home without settings, a folder to be in, and this environment's programs on the path."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("MIGRATE_PLUGINS_JOURNAL", recorded)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    folder = tmp_path / "here"
    (folder / "pictures").mkdir(parents=True)
    (folder / "plan.svg").touch()
    (tmp_path / "config.toml").write_text(CONFIG)
    monkeypatch.setenv("MIGRATE_PLUGINS_CONFIG", str(tmp_path / "config.toml"))
    for shell, script in scripts.items():
        (tmp_path / shell).write_text(script)
    monkeypatch.chdir(folder)
    return tmp_path


def _in_bash(typed: str) -> list[str]:
    return _said("bash", "--norc", "-c", BASH, "bash", typed).split()


def _in_fish(typed: str) -> list[str]:
    said = _said("fish", "--no-config", "-c", FISH, "--", typed)
    return [line.partition("\t")[0] for line in said.splitlines()]  # the rest describes it


def _in_zsh(typed: str) -> list[str]:
    home = Path(os.environ["HOME"])
    offered = home / "offered"
    (home / ".zshrc").write_text(ZSH + SHOW)
    offered.touch()
    _line(["zsh", "-i"], f"migrate-plugins {typed}")
    return offered.read_text().split()


def _said(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return done.stdout


def _line(shell: list[str], typed: str) -> str:
    """Type into an interactive shell, press TAB, and give the line as it is then."""
    with pexpect.spawn(shell[0], shell[1:], encoding="utf-8", timeout=60) as terminal:
        terminal.sendline("printf '%s\\n' re''ady")
        terminal.expect("ready")
        terminal.send(f"{typed}\t\x01show \x05\r")
        terminal.expect(r"<([^>\r\n]*)>")
        assert terminal.match is not None
        return str(terminal.match[1])


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("typed", "offered"), OFFERS)
@pytest.mark.parametrize("ask", [_in_bash, _in_zsh, _in_fish])
def test_tab_offers_what_may_stand_there(
    ask: Callable[[str], list[str]], typed: str, offered: list[str]
) -> None:
    # Bash wants the rest of a word that it broke at `=`, the others want the word.
    said = [word.rpartition("=")[2] for word in ask(typed)]

    assert sorted(said) == sorted(offered)


@pytest.mark.parametrize(("shell", "name", "place", "settings"), PLACES)
@pytest.mark.parametrize(("typed", "line"), LINES)
def test_shell_finds_the_script_where_the_help_says(
    home: Path,
    shell: list[str],
    name: str,
    place: str,
    settings: dict[str, str],
    typed: str,
    line: str,
) -> None:
    _install(home, name, place)
    for file, text in settings.items():
        (home / file).write_text(text + SHOW)

    assert _line(shell, typed) == line


@pytest.mark.parametrize(("typed", "line"), LINES)
def test_fish_finds_the_script_where_the_help_says(home: Path, typed: str, line: str) -> None:
    _install(home, "fish", ".config/fish/completions/migrate-plugins.fish")

    word, _, _ = _said("fish", "-c", 'complete -C "$argv[1]"', typed).partition("\t")

    assert line.endswith(f" {word}")


@pytest.mark.parametrize("ask", [_in_bash, _in_zsh, _in_fish])
def test_nothing_that_a_plugin_prints_gets_among_the_words(
    home: Path, ask: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = home / "site"
    metadata = site / "acme_noisy-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "acme_noisy.py").write_text(NOISY)
    (metadata / "entry_points.txt").write_text("[migrate_plugins.plugins]\nnoisy = acme_noisy\n")
    monkeypatch.setenv("PYTHONPATH", str(site))

    assert ask("no") == ["noisy"]


@pytest.mark.parametrize("name", SHELLS)
def test_help_names_the_place_for_each_shell(call: Call, name: str) -> None:
    status, out, err = call("completion", "--help")

    assert (status, err) == (ExitCode.DONE, "")
    assert f"  {name:6} migrate-plugins completion {name} " in out


@pytest.mark.parametrize("argv", [["list"], ["plan", "--help"]])
def test_only_tab_imports_argcomplete(argv: list[str]) -> None:
    look = (
        "import sys; from contextlib import suppress; from migrate_plugins.cli import main\n"
        "with suppress(SystemExit): main(sys.argv[1:])\n"
        "sys.exit('argcomplete' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", look, *argv], capture_output=True, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")


def _install(home: Path, name: str, place: str) -> None:
    (home / place).parent.mkdir(parents=True)
    (home / name).rename(home / place)
