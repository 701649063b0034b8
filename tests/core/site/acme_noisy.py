"""Prints when it is imported, and in each hook."""

from __future__ import annotations

from migrate_plugins import Command, hookimpl

print("acme says hello")  # noqa: T201 - the point of it
print("and more")  # noqa: T201 - as above

MIGRATE_PLUGINS_API = 1


@hookimpl
def migrate_cli() -> list[Command]:
    print("acme is asked")  # noqa: T201 - as above
    return []
