"""What is checked: a plugin, found as everybody finds it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from migrate_plugins import Migrator
from migrate_plugins.testing.conformance.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate_plugins import Driver, Offer, Plugin, Revision

__all__ = ["DriverSubject", "Subject"]


class Subject:
    """A plugin by its name.

    Attributes:
        name: The entry point's name.
        kind: ``driver`` or ``policy``.
    """

    name: ClassVar[str]
    kind: ClassVar[str]

    @pytest.fixture
    def migrator(self) -> Migrator:
        """Everything that is installed; override it to check a plugin that is not."""
        return Migrator.installed()

    @pytest.fixture
    def plugin(self, migrator: Migrator, record_property: Callable[[str, object], None]) -> Plugin:
        """The plugin, whether it works or not."""
        driver = self.kind == "driver"
        known = [each for each in migrator.registry.plugins if each.is_driver == driver]
        found = [each for each in known if each.point.name == self.name]
        if not found:
            names = ", ".join(each.point.name for each in known) or "none"
            pytest.fail(
                f"no {self.kind} {self.name!r} is installed; there are: {names}; install its"
                " distribution, or correct the name",
                pytrace=False,
            )
        point = found[0].point
        about = {
            "distribution": point.distribution,
            "version": point.version,
            "api": found[0].api,
        }
        record_property("migrate_plugins.plugin", about)
        return found[0]

    @pytest.fixture(autouse=True)
    def _plugin(self, plugin: Plugin) -> None:
        """Find the plugin for each check, so that each is reported with its version."""


class DriverSubject(Subject):
    """A driver.

    Attributes:
        migration_uri: A migration URI that the hypervisor takes, where ``SCHEME://desthost/`` is
            none.
    """

    kind = "driver"
    migration_uri: ClassVar[str | None] = None

    @pytest.fixture
    def driver(self, plugin: Plugin) -> Driver:
        """The driver, if it could be loaded."""
        if plugin.driver is None:
            pytest.fail(f"{self.name} is {plugin.status}: {plugin.reason}", pytrace=False)
        return plugin.driver

    @pytest.fixture
    def samples(self, driver: Driver) -> Samples:
        """Requests to ask it."""
        return Samples(driver, self.migration_uri)

    def offer(self, driver: Driver, revision: Revision, scenario: str) -> Offer:
        """Give what a driver offers of a scenario, or skip the check where it offers none."""
        offer = driver.capabilities(revision).offers.get(scenario)
        if offer is None:
            pytest.skip(f"{self.name} does not offer {scenario} in revision {revision}")
        return offer


def load(plugin: Plugin) -> Any:  # noqa: ANN401 - a module, an object or a class
    """Import what an entry point names."""
    module, _, attribute = plugin.point.module.partition(":")
    loaded: Any = import_module(module)
    for name in filter(None, attribute.split(".")):
        loaded = getattr(loaded, name)
    return loaded
