"""What stands in docs/vbox.md is what the driver has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import ConnectionURI
from migrate_plugins_vbox.hardware import SETTINGS, Effect
from migrate_plugins_vbox.hooks import PORTS
from migrate_plugins_vbox.machine import MARK
from migrate_plugins_vbox.options import LIMIT, OPTIONS
from migrate_plugins_vbox.places import problems
from migrate_plugins_vbox.states import Verdict, verdict

if TYPE_CHECKING:
    from migrate_plugins import DriverOption

PAGE = (Path(__file__).parents[2] / "docs" / "vbox.md").read_text(encoding="utf-8")

# How the page words each effect, and each verdict.
EFFECTS = {
    "refused: an error": Effect.REFUSED,
    "taken, and wrong: an error": Effect.SILENT,
    "taken: a warning": Effect.TAKEN,
    "not tried: a warning": Effect.UNTRIED,
}
VERDICTS = {
    "done": Verdict.DONE,
    "done; the source's process is ended": Verdict.DONE_STUCK,
    "the guest runs on at the source": Verdict.STAYED,
    "the guest runs on at the source; the target's wait is ended": Verdict.STAYED_WAITING,
    "no running copy is left": Verdict.LOST,
    "under way": Verdict.UNDER_WAY,
}


def rows(heading: str) -> list[list[str]]:
    """Give the cells of the table behind a heading."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_option_is_in_the_table(option: DriverOption) -> None:
    told = [cells for cells in rows("What else can be asked for") if option.name in cells[0]]

    assert [cells[0] for cells in told] == [f"`{option.name}={option.metavar}`"]


def test_limit_and_ports_are_the_code_s() -> None:
    first, last = PORTS

    assert f"| `timeout=SECONDS` | {LIMIT};" in PAGE
    assert f"{first}-{last}" in PAGE
    assert f"`{MARK}`" in PAGE


def test_parameters_are_those_that_are_known() -> None:
    names = [cells[0].strip("`") for cells in rows("Where the hosts are")]
    named = [name for name in names if re.fullmatch(r"[a-z_]+", name)]
    text = "vbox+ssh://h/session?unknown=1"

    [reason] = problems(text)

    assert ConnectionURI.parse(text).parameters == {"unknown": "1"}
    assert (reason.instead or "").removeprefix("there are ").split(", ") == sorted(named)


@pytest.mark.parametrize(("words", "effect"), EFFECTS.items())
def test_settings_are_those_of_the_table(words: str, effect: Effect) -> None:
    [cells] = [cells for cells in rows("What a check looks at") if cells[0] == words]

    named = re.findall(r"`(--[a-z0-9#-]+)`", cells[1].replace(" without `--dname`", ""))
    assert sorted(named) == sorted(
        row.option for row in SETTINGS if row.effect is effect and row.option
    )


def test_verdicts_are_those_of_the_states() -> None:
    told = rows("The life of a teleportation")[1:]

    assert {cells[2] for cells in told} == {*VERDICTS}
    for sources, targets, words in told:
        for source in re.findall(r"\w+", sources):
            for target in re.findall(r"not registered|\w+", targets):
                state = "absent" if target == "not registered" else target
                assert verdict(source, state) is VERDICTS[words], (source, target)
