"""Calls itself otherwise than its entry point does."""

from __future__ import annotations

from migrate_plugins import DriverInfo, hookimpl


@hookimpl
def migrate_driver() -> DriverInfo:
    return DriverInfo("elias", "Elias", ("elias",), (), {}, example="fake://beta/")
