"""What stands in docs/vmware.md is what the driver has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrate_plugins_vmware.options import OPTIONS

if TYPE_CHECKING:
    from migrate_plugins import DriverOption

PAGE = (Path(__file__).parents[2] / "docs" / "vmware.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_option_is_in_the_table(option: DriverOption) -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith(f"| `{option.name}=")]

    assert len(lines) == 1
    told = [word.strip("`,") for word in lines[0].split("|")[1].split()]
    values = option.choices or (option.metavar,)
    assert told == [f"{option.name}={values[0]}", *values[1:]]
