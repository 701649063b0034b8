"""What stands in docs/xen.md is what the driver has."""

from __future__ import annotations

import io
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import Config, Revision, Verdict
from migrate_plugins.checks.kinds import KINDS
from migrate_plugins.cli import main
from migrate_plugins.reconciliation import State
from migrate_plugins_xen.capabilities import port_rule
from migrate_plugins_xen.diagnoses import CATALOGUE
from migrate_plugins_xen.hooks import migrate_finding_kinds
from migrate_plugins_xen.options import LIMIT, OPTIONS
from migrate_plugins_xen.receiver import LIBXL_PORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "xen.md").read_text(encoding="utf-8")
(CONFIG,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
README = (ROOT / "README.md").read_text(encoding="utf-8")
# fmt: off
ASKED = [
    # page   its config.toml  the scenarios of its commands for Xen
    (PAGE,   CONFIG,          {"native-direct", "native-p2p", "tunnelled-p2p", "native-unmanaged"}),
    (README, "",              {"native-direct", "native-unmanaged"}),
]
# fmt: on


def failures() -> Iterator[list[str]]:
    """Give the cells of the tables of failures."""
    section = PAGE.partition("\n## What may go wrong\n")[2].partition("\n## ")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| ") and not line.startswith("| What "):
            yield cells


def test_ports_and_options_are_the_code_s() -> None:
    first, last = LIBXL_PORTS

    assert f"{first}-{last}" in PAGE
    xend = port_rule(Revision.ORIGINAL, "native-direct")
    assert f"xend takes {xend.first}" in PAGE
    assert f"`-o timeout` is over; {LIMIT} s without it" in PAGE
    for option in OPTIONS:
        assert f"`-o {option.name}={option.metavar}`" in PAGE


def test_configuration_of_the_page_gives_both_hosts_a_shell() -> None:
    config = Config.parse(CONFIG, "config.toml")

    assert [*config.hosts] == ["alpha", "beta"]
    assert all(host.shell for host in config.hosts.values())


@pytest.mark.parametrize(("page", "config", "scenarios"), ASKED, ids=["xen.md", "README.md"])
def test_commands_of_a_page_are_planned(
    page: str, config: str, scenarios: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text(config, encoding="utf-8")
    monkeypatch.setenv("MIGRATE_PLUGINS_CONFIG", str(tmp_path / "config.toml"))

    planned = set()
    for command in re.findall(r"^\$ migrate-plugins (?:check|migrate) (.*)$", page, re.MULTILINE):
        if config or "xen:" in command:
            said = io.StringIO()
            assert main(["plan", *shlex.split(command), "--json"], stdout=said) == 0, command
            planned.add(json.loads(said.getvalue())["scenario"])

    assert planned == scenarios


def test_words_of_the_failures_are_the_code_s() -> None:
    verdicts = {verdict.value: int(verdict.exit_code) for verdict in Verdict}
    ids = {kind.id for kind in (*KINDS, *migrate_finding_kinds())}
    ids |= {entry.id for entry in CATALOGUE.entries}

    rows = [*failures()]
    assert len(rows) > 15
    for happened, seen, where, todo in rows:
        assert where, happened
        assert todo, happened
        by_reconcile = "`reconcile`" in seen
        for word, status in re.findall(r"`([a-z-]+)` \((\d+)\)", seen):
            if by_reconcile:
                assert word in {*State}, happened
            else:
                assert verdicts[word] == int(status), happened
        named = set(re.findall(r"`([a-z0-9-]+)`(?! \()", seen)) - {"reconcile"}
        assert named <= ids, happened


def test_files_that_show_it_are_there() -> None:
    named = re.findall(r"^\| `(test_\w+)` \|", PAGE, re.MULTILINE)

    assert sorted(named) == sorted(
        path.stem for path in (ROOT / "tests/integration/xen").glob("test_*.py")
    )
