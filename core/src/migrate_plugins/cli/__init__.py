"""The command line: one module for each command, over the public Python API alone.

A command's module has ``configure(parser)`` and ``run(arguments, output) -> int``; it is imported
when the command is called, so that ``list`` does not pay for ``migrate``.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from contextlib import redirect_stdout, suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final, NoReturn, TextIO

from migrate_plugins import (
    Command,
    ConnectError,
    ExitCode,
    MigrateError,
    PluginFailedError,
    UsageError,
    __version__,
)
from migrate_plugins.cli.invocation import Invocation
from migrate_plugins.cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Diagnosis

__all__ = ["COMMANDS", "FLAGS", "console", "main"]

PROGRAM: Final = "migrate-plugins"

COMMANDS: Final = (
    Command("list", "installed drivers and plugins, and what became of them", f"{__name__}.list"),
    Command("matrix", "which driver offers which of the six scenarios", f"{__name__}.matrix"),
    Command(
        "plan", "everything a migration would do, and why; contacts nobody", f"{__name__}.plan"
    ),
    Command("check", "every finding on both hosts; changes nothing", f"{__name__}.check"),
    Command("migrate", "check, migrate, and read back where the guest is", f"{__name__}.migrate"),
    Command("diagnose", "what an error means, and what to do", f"{__name__}.diagnose"),
    Command("history", "migrations that were recorded, and one in full", f"{__name__}.history"),
    Command(
        "reconcile",
        "where a guest is that nobody saw arrive, and the safe way back",
        f"{__name__}.reconcile",
    ),
    Command("config", "show, check or locate config.toml", f"{__name__}.config"),
    Command("enable", "let a plugin take part again", f"{__name__}.enable"),
    Command("disable", "keep a plugin from being loaded", f"{__name__}.disable"),
    Command("new", "start a driver or a policy of your own", f"{__name__}.new"),
    Command(
        "completion", "a script for the shell, so that TAB completes", f"{__name__}.completion"
    ),
)

# What may stand anywhere on the line, and what it does.
FLAGS: Final = (
    ("--driver NAME", "use this driver, whatever else claims its schemes"),
    ("--no-plugins", "load only what comes with migrate-plugins"),
    ("--trace-plugins", "tell on standard error what each plugin is asked and answers"),
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
        status = main(stdout=_own_stdout())
    except SystemExit as end:  # --help
        status = end.code if isinstance(end.code, int) else ExitCode.DONE
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.flush()
    os._exit(status)


def _own_stdout() -> TextIO | None:
    """Keep standard output to ourselves: what anyone else writes there goes to standard error.

    Below Python too: a plugin may start a program, or write to the descriptor.
    """
    try:
        own = os.dup(1)
        os.dup2(2, 1)
    except OSError:
        return None  # whoever started us has closed one of them
    return open(own, "w", encoding=sys.stdout.encoding)  # noqa: PTH123 - for the whole process


def main(argv: Sequence[str] | None = None, *, stdout: TextIO | None = None) -> int:
    """Run one command and give the process's exit status.

    Args:
        argv: The command and its arguments; by default the process's own.
        stdout: Where it prints, for a command that runs another; by default standard output.
    """
    # Not list(): importing the module of that command puts it over the builtin here.
    arguments = [*(sys.argv[1:] if argv is None else argv)]
    output = Output(json="--json" in arguments, stdout=stdout)
    # What anyone else prints is not what was asked for: a plugin's chatter would spoil the JSON.
    with redirect_stdout(sys.stderr):
        return _answer(arguments, output)


def _answer(arguments: list[str], output: Output) -> int:
    invocation = Invocation(output)
    try:
        if "_ARGCOMPLETE" in os.environ:  # somebody pressed TAB
            from migrate_plugins.cli.completion import offer  # noqa: PLC0415 - else not needed

            offer(invocation, COMMANDS, FLAGS, partial(_parser, invocation, output))
        arguments = invocation.take_flags(arguments)
        name = arguments[0] if arguments else "--help"
        if name in {"-h", "--help", "help"}:
            output.text(_help(invocation))
            return ExitCode.DONE
        if name in {"-V", "--version"}:
            output.text(f"{PROGRAM} {__version__}")
            return ExitCode.DONE
        return _run(_command(name, invocation), arguments[1:], invocation, output)
    except BrokenPipeError:
        # Whoever read us has had enough, as `head` has; nothing more can be said.
        return ExitCode.DONE
    except KeyboardInterrupt:
        output.error(f"{PROGRAM}: interrupted; nothing was started")
        return ExitCode.CANCELLED
    except MigrateError as error:
        with suppress(OSError):  # of an object for programs
            output.error(error, _explained(error, invocation))
        return error.exit_code
    except OSError as error:
        output.error(f"{PROGRAM}: {error}")
        return ExitCode.NEEDS_PERSON
    except Exception as error:  # noqa: BLE001 - status 1 would say where the guest is
        from traceback import print_exc  # noqa: PLC0415 - for a fault of ours

        with suppress(OSError):
            print_exc()
        output.error(f"{PROGRAM}: this is a fault of ours, please report it: {error!r}")
        return ExitCode.NEEDS_PERSON
    finally:
        invocation.close()


def _explained(error: MigrateError, invocation: Invocation) -> Sequence[Diagnosis]:
    """Tell what kept a host from being opened; what it means may be missing, the error not."""
    if not isinstance(error, ConnectError):
        return ()
    with suppress(Exception):
        # The whole sentence: that a connection was opened tells it from one for the memory.
        return invocation.migrator.diagnose(str(error), code=error.code, domain=error.domain)
    return ()


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are ours, so that they too can be JSON."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}; `{self.prog} --help` tells what it takes")


def _extra(invocation: Invocation) -> list[Command]:
    """Give the commands of plugins; ours keep their names."""
    ours = {command.name for command in COMMANDS}
    return [
        command._replace(summary=" ".join(command.summary.split()))
        for command in invocation.migrator.registry.commands()
        if command.name not in ours
    ]


def _command(name: str, invocation: Invocation) -> Command:
    for command in COMMANDS:
        if command.name == name:
            return command
    extra = _extra(invocation)
    for command in extra:
        if command.name == name:
            return command
    known = ", ".join(command.name for command in (*COMMANDS, *extra))
    raise UsageError(f"there is no command {name!r}; there are {known}")


def _run(command: Command, arguments: list[str], invocation: Invocation, output: Output) -> int:
    if command in COMMANDS:
        # Intermixed: `plan GUEST -c URI DEST-URI` too. Those of plugins may have subcommands.
        given = _parser(invocation, output, command).parse_intermixed_args(arguments)
        return int(import_module(command.module).run(given, output))
    try:
        given = _parser(invocation, output, command).parse_args(arguments)
        return int(import_module(command.module).run(given, output))
    except (MigrateError, OSError):
        raise
    except Exception as error:
        from traceback import print_exc  # noqa: PLC0415 - for a fault of the plugin

        print_exc()
        owner, problem = command.module.partition(".")[0], f"{type(error).__name__}: {error}"
        hook = f"its command {command.name}"
        raise PluginFailedError(owner, hook=hook, problem=problem) from error


def _parser(invocation: Invocation, output: Output, command: Command) -> argparse.ArgumentParser:
    class Parser(_Parser):
        """Prints help where output goes; subcommands get parsers of the same class."""

        def print_help(self, file: object = None) -> None:  # noqa: ARG002 - argparse's signature
            output.text(self.format_help().rstrip("\n"))

    parser = Parser(
        prog=f"{PROGRAM} {command.name}",
        description=command.summary,
        # Left to itself argparse imports shutil to measure the terminal, at each option.
        formatter_class=partial(argparse.HelpFormatter, width=output.width),
        epilog=f"Also: {', '.join(flag for flag, _ in FLAGS)} (see `{PROGRAM} --help`).",
        allow_abbrev=False,
    )
    parser.set_defaults(invocation=invocation)
    import_module(command.module).configure(parser)
    return parser


def _help(invocation: Invocation) -> str:
    invocation.forgive()
    commands = (*COMMANDS, *_extra(invocation))
    width = max(len(name) for name, _ in (*FLAGS, *(command[:2] for command in commands)))
    lines = [
        f"usage: {PROGRAM} COMMAND [options]",
        "",
        "Plan, check and run live migrations of virtual machines.",
        "",
        *(f"  {command.name:{width}}  {command.summary}" for command in commands),
        "",
        "Anywhere on the line:",
        *(f"  {flag:{width}}  {summary}" for flag, summary in FLAGS),
        "",
        f"`{PROGRAM} COMMAND --help` tells a command's options.",
    ]
    return "\n".join(lines)
