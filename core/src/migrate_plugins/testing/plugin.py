"""The pytest plugin: readable assertions in the conformance kit, and its report for programs.

Every run of pytest imports this module, so that it imports next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migrate_plugins import Migrator

__all__ = ["installed_driver", "pytest_addoption", "pytest_configure"]

OPTION: Final = "--conformance-report"

pytest.register_assert_rewrite("migrate_plugins.testing.conformance")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("migrate-plugins").addoption(
        OPTION,
        metavar="FILE",
        help="write what the conformance kit of migrate-plugins found, as JSON, to FILE",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Listen to the checks, where a report is wanted."""
    path: str | None = config.getoption(OPTION)
    if path is not None:
        from migrate_plugins.testing.report import Listener  # noqa: PLC0415 - few runs want one

        config.pluginmanager.register(Listener(path), "migrate-plugins conformance report")


@pytest.fixture(scope="session")
def installed_driver() -> Callable[[str, Mapping[str, Any]], Migrator]:
    """Give the installed driver of a name, with its settings and without whatever else there is.

    Made once for each: to load a plugin takes longer than most of the checks.
    """
    from migrate_plugins import (  # noqa: PLC0415 - few runs want it
        Config,
        Migrator,
        Registry,
        entry_points,
    )

    made: dict[tuple[str, str], Migrator] = {}

    def find(name: str, settings: Mapping[str, Any]) -> Migrator:
        key = name, repr(settings)
        if key not in made:
            points = entry_points()
            own = [point for point in points if point.is_driver and point.name == name]
            # A plugin is switched off by its name; one that has the driver's own has to stay.
            kept = {word for point in own for word in (point.name, point.distribution)}
            others = {point.name for point in points} - kept
            config = Config(disabled=(*others,), drivers={name: settings})
            # Without a journal: what is tried here is no part of anybody's history.
            made[key] = Migrator(Registry.installed(config, driver=name))
        return made[key]

    return find
