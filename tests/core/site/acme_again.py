"""Would be a driver of its own under another name."""

from __future__ import annotations

from migrate_plugins import DriverInfo, hookimpl


@hookimpl
def migrate_driver() -> DriverInfo:
    return DriverInfo("good", "Good again", ("again",), (), {}, example="fake://beta/")
