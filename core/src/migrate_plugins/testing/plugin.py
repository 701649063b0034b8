"""The pytest plugin: readable assertions in the conformance kit, and its report for programs.

Every run of pytest imports this module, so that it imports next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

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
def installed_driver() -> Callable[[str], Migrator]:
    """Everything that is installed, nothing configured; the driver of a name keeps its schemes.

    Made once for each name: to load every plugin takes longer than most of the checks.
    """
    from functools import cache  # noqa: PLC0415 - few runs check a driver

    from migrate_plugins import Config, Migrator  # noqa: PLC0415 - as above

    @cache
    def find(name: str) -> Migrator:
        return Migrator.installed(Config(), driver=name)

    return find
