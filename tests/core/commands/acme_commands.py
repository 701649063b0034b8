"""Commands that raise, have no module or want a name of ours; and noise below Python."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from migrate_plugins import Command, hookimpl

if TYPE_CHECKING:
    import argparse

os.write(1, b"noise below Python\n")

MIGRATE_PLUGINS_API = 1


@hookimpl
def migrate_cli() -> list[Command]:
    return [
        Command("raises", "in two\nlines", "acme_commands"),
        Command("gone", "its module is not there", "acme_gone"),
        Command("plan", "ours, it says", "acme_commands"),
    ]


def configure(_parser: argparse.ArgumentParser) -> None:
    """Declare nothing."""


def run(_arguments: argparse.Namespace, _output: object) -> int:
    """Fail."""
    raise LookupError("no licence")
