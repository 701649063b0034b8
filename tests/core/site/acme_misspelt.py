"""Means migrate_driver."""

from __future__ import annotations

from migrate_plugins import DriverInfo, hookimpl


@hookimpl
def migrate_drvier() -> DriverInfo:
    return DriverInfo("misspelt", "Misspelt", ("misspelt",), (), {}, example="fake://beta/")
