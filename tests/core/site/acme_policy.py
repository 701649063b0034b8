"""Policies that are classes: one with settings, one without, one whose making fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from migrate_plugins import Kind, PortRule, Setting, hookimpl

if TYPE_CHECKING:
    from collections.abc import Generator

    from migrate_plugins import Settings


class Ports:
    MIGRATE_PLUGINS_API: ClassVar = 1
    SETTINGS: ClassVar = (
        Setting("first", Kind.NUMBER, "lowest port"),
        Setting("site", Kind.TEXT, "whose it is", default="acme"),
    )

    def __init__(self, settings: Settings) -> None:
        self._first = settings.values["first"]
        self._site = settings.values["site"]
        if self._first is not None and self._first < 1024:
            raise ValueError(f"first is {self._first}, a port of the system; give 1024 or more")

    @hookimpl(wrapper=True)
    def migrate_port_rule(self) -> Generator[None, PortRule, PortRule]:
        rule = yield
        return rule._replace(first=self._first or rule.first, because=f"{self._site}'s rule")


class Plain:
    MIGRATE_PLUGINS_API: ClassVar = 1

    def __init__(self, settings: Settings) -> None:
        self.hosts = settings.hosts

    @hookimpl(wrapper=True)
    def migrate_port_rule(self) -> Generator[None, PortRule, PortRule]:
        return (yield)


class Unmade:
    MIGRATE_PLUGINS_API: ClassVar = 1

    def __init__(self) -> None:
        """Take no settings, which is one argument too few."""
