"""What is checked: a plugin, found as everybody finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from migrate_plugins import Driver, MigrateError, Migrator, Offer, Plugin, Revision
from migrate_plugins.testing.conformance.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["DriverSubject", "Subject"]


class Subject:
    """A plugin by its name.

    Attributes:
        name: The entry point's name.
        kind: ``driver`` or ``policy``.
    """

    name: ClassVar[str] = ""  # told as a name that nothing has
    kind: ClassVar[str]

    @pytest.fixture
    def migrator(self) -> Migrator:
        """The plugin, among whatever else it needs."""
        raise NotImplementedError

    @pytest.fixture
    def plugin(self, migrator: Migrator, record_property: Callable[[str, object], None]) -> Plugin:
        """The plugin, whether it works or not."""
        driver = self.kind == "driver"
        (found,) = [
            each
            for each in migrator.registry.plugins
            if each.point.name == self.name and each.point.is_driver == driver
        ]
        record_property("migrate_plugins.plugin", _facts(found))
        return found

    @pytest.fixture(autouse=True)
    def _plugin(self, plugin: Plugin) -> None:
        """Find the plugin for each check, so that each is reported with its version."""


class DriverSubject(Subject):
    """A driver.

    Attributes:
        migration_uri: A migration URI that the hypervisor takes, where ``SCHEME://desthost/`` is
            none.
        settings: A table for it that is right, as config.toml would have it.
    """

    kind = "driver"
    migration_uri: ClassVar[str | None] = None
    settings: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture
    def migrator(self, installed_driver: Callable[[str, Mapping[str, Any]], Migrator]) -> Migrator:
        """The driver as it is installed; override it to check one that is not."""
        try:
            return installed_driver(self.name, self.settings)
        except MigrateError as error:
            problem = str(error)
        pytest.fail(problem, pytrace=False)

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


def _facts(plugin: Plugin) -> dict[str, object]:
    point = plugin.point
    return {"distribution": point.distribution, "version": point.version, "api": plugin.api}
