"""``migrate-plugins completion``: what a shell needs to complete a command line with TAB.

The shell runs the program itself at each TAB, and argcomplete speaks with the shell; this module
knows what there is to choose from.  It is imported at TAB and for this command alone.
"""

from __future__ import annotations

import argparse
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from argcomplete import autocomplete
from argcomplete.completers import BaseCompleter, FilesCompleter
from argcomplete.lexers import split_line
from argcomplete.shell_integration import shellcode

from migrate_plugins import SCENARIOS, ExitCode, MigrateError, Revision, entry_points, masked
from migrate_plugins.cli.chronicle import standing
from migrate_plugins.cli.moments import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from migrate_plugins import Command, Record
    from migrate_plugins.cli.invocation import Invocation
    from migrate_plugins.cli.output import Output

__all__ = ["SHELLS", "configure", "offer", "run"]

SHELLS: Final = ("bash", "zsh", "fish")

# Migrations to choose from: of more a shell would ask whether to show them all.
_RECORDS: Final = 50

_PROGRAM: Final = "migrate-plugins"

_WHERE: Final = f"""\
Where each shell looks for it:

  bash   {_PROGRAM} completion bash \\
           > "${{XDG_DATA_HOME:-$HOME/.local/share}}/bash-completion/completions/{_PROGRAM}"
         (read by the package bash-completion; without it, in ~/.bashrc:
         source <({_PROGRAM} completion bash))
  zsh    {_PROGRAM} completion zsh > FOLDER/_{_PROGRAM}
         where FOLDER is one of $fpath; zsh has none of yours by itself. In ~/.zshrc, for example:
         fpath=("${{XDG_DATA_HOME:-$HOME/.local/share}}/zsh/site-functions" $fpath)
         autoload -Uz compinit && compinit
  fish   {_PROGRAM} completion fish \\
           > "${{XDG_CONFIG_HOME:-$HOME/.config}}/fish/completions/{_PROGRAM}.fish"

The folder may have to be made first. A shell that runs already reads it when it is started anew."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the shell."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n\n".join(filter(None, (_WHERE, parser.epilog)))
    parser.add_argument("shell", choices=SHELLS, help="whose script to print")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Print a script for the shell to read."""
    script = shellcode([_PROGRAM], use_defaults=False, shell=arguments.shell)
    output.text(script.strip())
    return ExitCode.DONE


def offer(
    invocation: Invocation,
    commands: Sequence[Command],
    flags: Iterable[tuple[str, str]],
    parser_of: Callable[[Command], argparse.ArgumentParser],
) -> None:
    """Write what the word under the cursor may become, and end the process.

    Args:
        invocation: The call as a whole; plugins are loaded where the command may be theirs.
        commands: Those of the core.
        flags: What may stand anywhere on the line, and what it does.
        parser_of: Makes a command's parser.
    """
    *_, words, _ = split_line(os.environ["COMP_LINE"], int(os.environ["COMP_POINT"]))
    known = {command.name: command for command in commands}
    if not known.keys() & set(words[1:2]):
        invocation.forgive()
        known |= {command.name: command for command in invocation.migrator.registry.commands()}
    place = next((at for at, word in enumerate(words) if at and word in known), None)
    if place is None:
        parser = argparse.ArgumentParser()
        summaries = {name: command.summary for name, command in known.items()}
        vars(parser.add_argument("command"))["completer"] = lambda **_: summaries
    else:
        parser = parser_of(known[words[place]])
        # Where the words begin that are for this parser, as argcomplete counts.
        os.environ["_ARGCOMPLETE"] = str(place + 1)
    for flag, summary in flags:
        name, _, metavar = flag.partition(" ")
        if metavar:
            parser.add_argument(name, metavar=metavar, help=summary)
        else:
            parser.add_argument(name, action="store_true", help=summary)
    # As other programs do: options once a dash is typed, else what may stand in this place.
    autocomplete(parser, always_complete_options=False, default_completer=_Values(invocation))


class _Values(BaseCompleter):
    """What the value of an option or argument may be, where its parser does not say it."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._choices: Mapping[str, Callable[[], Mapping[str, str]]] = {
            "--driver": self._drivers,
            "--guest": self._guests,
            "--option": self._options,
            "--from": self._hosts,
            "--only": self._findings,
            "--skip": self._findings,
            "--to": self._hosts,
            "--scenario": self._scenarios,
            "id": self._records,
            "names": self._plugins,
        }

    def __call__(
        self,
        *,
        prefix: str,
        action: argparse.Action,
        parsed_args: argparse.Namespace,
        **_: object,
    ) -> Iterable[str]:
        """Give each choice, as a mapping with what describes it, or names of files."""
        if action.dest == "id" and getattr(parsed_args, "action", "") is None:
            return ()  # `history` takes a number behind `show` alone
        for name in (*action.option_strings, action.dest):
            if name in self._choices:
                return self._choices[name]()
        if isinstance(action.metavar, str) and action.metavar.startswith(("FILE", "DIR")):
            return FilesCompleter()(prefix=prefix)
        return ()

    def _drivers(self) -> dict[str, str]:
        return {each.name: each.distribution for each in entry_points() if each.is_driver}

    def _plugins(self) -> dict[str, str]:
        return {each.name: each.distribution for each in entry_points()}

    def _recorded(self) -> list[Record]:
        with suppress(MigrateError):  # nobody reads an error at TAB
            return self._invocation.migrator.history(limit=_RECORDS)
        return []

    def _records(self) -> dict[str, str]:
        return {
            str(each.id): f"{moment(each.started)} {each.guest} {standing(each)}"
            for each in self._recorded()
        }

    def _guests(self) -> dict[str, str]:
        return {each.guest: moment(each.started) for each in reversed(self._recorded())}

    def _hosts(self) -> dict[str, str]:
        return {name: masked(host.uri) for name, host in self._invocation.config.hosts.items()}

    def _options(self) -> dict[str, str]:
        self._invocation.forgive()
        return {
            f"{option.name}=": option.help
            for driver in self._invocation.migrator.registry.drivers.values()
            for offer in driver.capabilities(Revision.CURRENT).offers.values()
            for option in offer.own
        }

    def _findings(self) -> dict[str, str]:
        self._invocation.forgive()
        return {kind.id: kind.summary for kind in self._invocation.migrator.finding_kinds()}

    def _scenarios(self) -> dict[str, str]:
        return {id_: scenario.title for id_, scenario in SCENARIOS.items()}
