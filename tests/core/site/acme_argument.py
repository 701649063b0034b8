"""Asks for an argument that the hook has not."""

from __future__ import annotations

from migrate_plugins import DriverInfo, hookimpl


@hookimpl
def migrate_driver(edition: str) -> DriverInfo:
    return DriverInfo("argument", edition, ("argument",), (), {}, example="fake://beta/")
