"""The pytest plugin: readable assertions in the conformance kit, and its report for programs.

Every run of pytest imports this module, so that it imports next to nothing.
"""

from __future__ import annotations

from typing import Final

import pytest

__all__ = ["pytest_addoption", "pytest_configure"]

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
