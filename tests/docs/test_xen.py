"""What stands in docs/xen.md is what the driver has."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate_plugins import Migrator, Revision
from migrate_plugins_xen.capabilities import port_rule
from migrate_plugins_xen.options import OPTIONS
from migrate_plugins_xen.receiver import LIBXL_PORTS

PAGE = (Path(__file__).parents[2] / "docs" / "xen.md").read_text(encoding="utf-8")

# fmt: off
SHOWN = [
    # what the page asks for   scenario
    ({"destination": "xen+ssh://root@desthost/system", "live": True}, "native-direct"),
    ({"destination": "xen+ssh://root@desthost/system", "live": True, "p2p": True,
      "revision": Revision.CURRENT}, "native-p2p"),
    ({"migration": "xenmigr://desthost/", "live": True, "direct": True}, "native-unmanaged"),
]
# fmt: on


def test_ports_and_options_are_the_code_s() -> None:
    first, last = LIBXL_PORTS

    assert f"{first}-{last}" in PAGE
    xend = port_rule(Revision.ORIGINAL, "native-direct")
    assert f"xend takes {xend.first}" in PAGE
    for option in OPTIONS:
        assert f"`-o {option.name}={option.metavar}`" in PAGE


@pytest.mark.parametrize(("asked", "scenario"), SHOWN)
def test_command_of_the_page_is_planned(
    migrator: Migrator, asked: dict[str, object], scenario: str
) -> None:
    assert migrator.plan("web1", source="xen:///system", **asked).scenario_id == scenario  # type: ignore[arg-type]
