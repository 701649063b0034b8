"""A driver that stands for no real hypervisor."""

from __future__ import annotations

from acme_good import (  # type: ignore[import-not-found]
    migrate_capabilities,
    migrate_commands,
    migrate_port_rule,
    migrate_read_uri,
    migrate_select_port,
    migrate_uri,
)

from migrate_plugins import ControlProtocol, DriverInfo, hookimpl

__all__ = [
    "migrate_capabilities",
    "migrate_commands",
    "migrate_port_rule",
    "migrate_read_uri",
    "migrate_select_port",
    "migrate_uri",
]

MIGRATE_PLUGINS_API = 1


@hookimpl
def migrate_driver() -> DriverInfo:
    plain = ControlProtocol("nothing", None, encrypted=False)
    return DriverInfo("simulated", "Simulated", ("sim",), (), {"": plain}, example="sim://beta/")
