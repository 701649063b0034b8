"""What the lab adds to migrate-plugins: one command.  Imports nothing the command needs."""

from __future__ import annotations

from typing import Final

from migrate_plugins import Command, hookimpl

MIGRATE_PLUGINS_API: Final = 1


@hookimpl
def migrate_cli() -> list[Command]:
    """Add ``migrate-plugins lab``."""
    return [
        Command(
            name="lab",
            summary="real hosts on this machine, to try and to test migrations",
            module="migrate_plugins_lab.cli",
        )
    ]
