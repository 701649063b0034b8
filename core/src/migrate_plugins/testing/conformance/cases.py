"""What a check is repeated for: both revisions, and in each every scenario of the document."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from migrate_plugins import SCENARIOS, Revision

__all__ = ["each_revision", "each_scenario"]

_Check = TypeVar("_Check", bound=Callable[..., None])


def each_revision(check: _Check) -> _Check:
    """Repeat a check for each revision."""
    repeat: Callable[[_Check], _Check] = pytest.mark.parametrize("revision", [*Revision])
    return repeat(check)


def each_scenario(check: _Check) -> _Check:
    """Repeat a check for each scenario in each revision."""
    repeat: Callable[[_Check], _Check] = pytest.mark.parametrize("scenario", [*SCENARIOS])
    return repeat(each_revision(check))
