"""Claims the scheme of acme-good."""

from __future__ import annotations

from migrate_plugins import DriverInfo, hookimpl


@hookimpl
def migrate_driver() -> DriverInfo:
    return DriverInfo("rival", "Rival", ("rival", "good"), (), {}, example="fake://beta/")
