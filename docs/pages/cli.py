"""The page of the command line, from the parsers themselves."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING, Final

from migrate_plugins.cli import COMMANDS, FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["page"]

_HEAD: Final = """\
<!-- Written by scripts/docs from the parsers. -->
# Command line

`migrate-plugins COMMAND --help` tells the same. Plugins may add commands of their own, and
`migrate-plugins --help` lists them too.
"""


def page() -> str:
    """Give the page."""
    parts = [_HEAD, "## Anywhere on the line\n", "| Options | |", "|---|---|"]
    parts += [f"| `{flag}` | {summary} |" for flag, summary in FLAGS]
    parts.append("")
    for command in COMMANDS:
        parser = argparse.ArgumentParser(prog=f"migrate-plugins {command.name}", add_help=False)
        import_module(command.module).configure(parser)
        parts += _command(parser, command.name, command.summary)
    return "\n".join(parts)


def _command(parser: argparse.ArgumentParser, title: str, summary: str) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"{summary[:1].upper()}{summary[1:]}.\n"
    yield f"```text\n{' '.join([parser.prog, *_usage(parser)])}\n```\n"
    for group in parser._action_groups:  # noqa: SLF001 - argparse shows them nowhere else
        actions = [
            action
            for action in group._group_actions  # noqa: SLF001 - as above
            if action.help is not argparse.SUPPRESS
        ]
        if actions:
            yield from _table(group.title or "", actions)
    for action in parser._actions:  # noqa: SLF001 - as above
        if isinstance(action.choices, dict):
            for name, below in action.choices.items():
                yield from _command(below, f"{title} {name}", below.description or name)
    if parser.epilog:
        yield f"```text\n{parser.epilog}\n```\n"


def _usage(parser: argparse.ArgumentParser) -> Iterator[str]:
    optional = False
    for action in parser._actions:  # noqa: SLF001 - as above
        if action.option_strings and not action.required:
            optional = True
        elif action.option_strings:
            yield f"{action.option_strings[0]} {_metavar(action)}"
        elif action.nargs == argparse.OPTIONAL:
            yield f"[{_metavar(action)}]"
        elif action.nargs in {argparse.ZERO_OR_MORE, argparse.ONE_OR_MORE}:
            yield f"{_metavar(action)}…"
        else:
            yield _metavar(action)
    if optional:
        yield "[options]"


def _table(title: str, actions: Iterable[argparse.Action]) -> Iterator[str]:
    yield f"| {title[:1].upper()}{title[1:]} | |"
    yield "|---|---|"
    for action in actions:
        help_ = (action.help or "") % {**vars(action), "prog": "migrate-plugins"}
        yield f"| {_spelling(action)} | {help_} |"
    yield ""


def _spelling(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else f" {_metavar(action)}"
    names = [f"{name}{value}" for name in action.option_strings] or [_metavar(action)]
    return ", ".join(f"`{name}`".replace("|", "\\|") for name in names)


def _metavar(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    if action.choices is not None:
        return "|".join(str(choice) for choice in action.choices)
    return action.dest.upper()
