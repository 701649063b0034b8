"""A driver, and a policy around every driver, that raise when they are asked what can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import Capabilities, DriverInfo, hookimpl

if TYPE_CHECKING:
    from collections.abc import Generator


class Driver:
    MIGRATE_PLUGINS_API = 1

    @hookimpl
    def migrate_driver(self) -> DriverInfo:
        return DriverInfo("raising", "Raising", ("raising",), (), {}, example="raising://beta/")

    @hookimpl
    def migrate_capabilities(self) -> Capabilities:
        raise LookupError("no licence")


class Policy:
    MIGRATE_PLUGINS_API = 1

    @hookimpl(wrapper=True)
    def migrate_capabilities(self) -> Generator[None, Capabilities, Capabilities]:
        yield
        raise LookupError("no address plan")


driver, policy = Driver(), Policy()
