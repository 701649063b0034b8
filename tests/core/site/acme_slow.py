"""Takes its time to be imported."""

from __future__ import annotations

from time import sleep

from migrate_plugins import Command, hookimpl

sleep(0.2)

MIGRATE_PLUGINS_API = 1


@hookimpl
def migrate_cli() -> list[Command]:
    return [Command("slow", "what acme adds slowly", "acme_slow")]
