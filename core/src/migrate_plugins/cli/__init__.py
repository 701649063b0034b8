"""The command line: one module for each command, over the public Python API alone.

A command's module has ``configure(parser)`` and ``run(arguments, output) -> int``; it is imported
when the command is called, so that ``list`` does not pay for ``migrate``.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final, NoReturn

from migrate_plugins import Command, ExitCode, MigrateError, Migrator, UsageError, __version__
from migrate_plugins.cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "console", "main"]

PROGRAM: Final = "migrate-plugins"

COMMANDS: Final = (
    Command("list", "installed drivers and plugins, and what became of them", f"{__name__}.list"),
    Command("matrix", "which driver offers which of the six scenarios", f"{__name__}.matrix"),
    Command(
        "plan", "everything a migration would do, and why; contacts nobody", f"{__name__}.plan"
    ),
    Command("check", "every finding on both hosts; changes nothing", f"{__name__}.check"),
    Command("migrate", "check, migrate, and read back where the guest is", f"{__name__}.migrate"),
)


# Objects made between two looks for cyclic garbage: a short command needs no look at all.
_GARBAGE: Final = 50_000


def console() -> NoReturn:
    """Be the program: run one command and end the process with its status.

    The interpreter is not dismantled: that takes a tenth of a short command's time, and by then
    all is written and every connection closed.
    """
    gc.set_threshold(_GARBAGE)
    try:
        status = main()
    except SystemExit as end:  # --help
        status = end.code if isinstance(end.code, int) else ExitCode.DONE
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.flush()
    os._exit(status)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give the process's exit status."""
    # Not list(): importing the module of that command puts it over the builtin here.
    arguments = [*(sys.argv[1:] if argv is None else argv)]
    name = arguments[0] if arguments else "--help"
    output = Output(json="--json" in arguments)
    try:
        if name in {"-h", "--help", "help"}:
            output.text(_help())
            return ExitCode.DONE
        if name in {"-V", "--version"}:
            output.text(f"{PROGRAM} {__version__}")
            return ExitCode.DONE
        return _run(_command(name), arguments[1:], output)
    except BrokenPipeError:
        # Whoever read us has had enough, as `head` has; nothing more can be said.
        sys.stdout = None
        return ExitCode.DONE
    except KeyboardInterrupt:
        output.error(f"{PROGRAM}: interrupted; nothing was started")
        return ExitCode.CANCELLED
    except MigrateError as error:
        try:
            output.error(error)
        except BrokenPipeError:
            sys.stdout = None
        return error.exit_code
    except OSError as error:
        output.error(f"{PROGRAM}: {error}")
        return ExitCode.NEEDS_PERSON
    except Exception as error:  # noqa: BLE001 - status 1 would say where the guest is
        from traceback import print_exc  # noqa: PLC0415 - for a fault of ours

        print_exc()
        output.error(f"{PROGRAM}: this is a fault of ours, please report it: {error!r}")
        return ExitCode.NEEDS_PERSON


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are ours, so that they too can be JSON."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}; `{self.prog} --help` tells what it takes")


def _command(name: str) -> Command:
    for command in COMMANDS:
        if command.name == name:
            return command
    extra = Migrator.installed().registry.commands()
    for command in extra:
        if command.name == name:
            return command
    known = ", ".join(command.name for command in (*COMMANDS, *extra))
    raise UsageError(f"there is no command {name!r}; there are {known}")


def _run(command: Command, arguments: list[str], output: Output) -> int:
    module = import_module(command.module)
    parser = _Parser(
        prog=f"{PROGRAM} {command.name}",
        description=command.summary,
        # Left to itself argparse imports shutil to measure the terminal, at each option.
        formatter_class=partial(argparse.HelpFormatter, width=output.width),
        allow_abbrev=False,
    )
    module.configure(parser)
    # Intermixed: `plan GUEST -c URI DEST-URI` too. It has no subcommands, which others may need.
    parse = parser.parse_intermixed_args if command in COMMANDS else parser.parse_args
    return int(module.run(parse(arguments), output))


def _help() -> str:
    commands = (*COMMANDS, *Migrator.installed().registry.commands())
    width = max(len(command.name) for command in commands)
    lines = [
        f"usage: {PROGRAM} COMMAND [options]",
        "",
        "Plan, check and run live migrations of virtual machines.",
        "",
        *(f"  {command.name:{width}}  {command.summary}" for command in commands),
        "",
        f"`{PROGRAM} COMMAND --help` tells a command's options.",
    ]
    return "\n".join(lines)
