"""A choice of the fault table, tried on real hosts: each fault, each moment, each flow.

The whole of it takes a quarter of an hour: ``./scripts/test --all``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fault_table import (
    BLOCKED,
    CELLS,
    CRAWL,
    CUT,
    DESTINATION_FROZEN,
    DESTINATION_KILLED,
    FULL,
    POWER_OFF,
    QEMU_KILLED,
    SOURCE_FROZEN,
    SOURCE_KILLED,
    TOOL,
    Cell,
    Fault,
    Flow,
    Moment,
    wrong,
)
from fault_trial import run

if TYPE_CHECKING:
    from pathlib import Path

    from migrate_plugins_lab.lab import Lab

# fmt: off
CHOSEN = [
    Cell(TOOL,               Moment.COPY,       Flow.DIRECT),     # the document: libvirt aborts
    Cell(TOOL,               Moment.COPY,       Flow.PEER2PEER),  # the document: it goes on
    Cell(TOOL,               Moment.SWITCHOVER, Flow.DIRECT),
    Cell(TOOL,               Moment.AFTER,      Flow.TUNNELLED),
    Cell(SOURCE_KILLED,      Moment.COPY,       Flow.DIRECT),
    Cell(SOURCE_KILLED,      Moment.SWITCHOVER, Flow.PEER2PEER),
    Cell(SOURCE_FROZEN,      Moment.COPY,       Flow.DIRECT),
    Cell(DESTINATION_KILLED, Moment.COPY,       Flow.DIRECT),
    Cell(DESTINATION_KILLED, Moment.SWITCHOVER, Flow.TUNNELLED),
    Cell(DESTINATION_FROZEN, Moment.COPY,       Flow.PEER2PEER),
    Cell(CUT,                Moment.COPY,       Flow.PEER2PEER),
    Cell(CRAWL,              Moment.COPY,       Flow.DIRECT),
    Cell(BLOCKED,            Moment.BEFORE,     Flow.DIRECT),
    Cell(BLOCKED,            Moment.COPY,       Flow.PEER2PEER),
    Cell(QEMU_KILLED,        Moment.COPY,       Flow.DIRECT),
    Cell(QEMU_KILLED,        Moment.SWITCHOVER, Flow.TUNNELLED),
    Cell(FULL,               Moment.BEFORE,     Flow.DIRECT),
    Cell(FULL,               Moment.COPY,       Flow.PEER2PEER),
    Cell(POWER_OFF,          Moment.COPY,       Flow.DIRECT),
]
# fmt: on


def test_choice_has_each_fault_moment_and_flow() -> None:
    faults: set[Fault] = {cell.fault for cell in CELLS}

    assert {cell.fault for cell in CHOSEN} == faults
    assert {cell.moment for cell in CHOSEN} == {*Moment}
    assert {cell.flow for cell in CHOSEN} == {*Flow}
    assert {*CHOSEN} < {*CELLS}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("cell", CHOSEN, ids=str)
def test_guest_is_where_the_tool_says_and_nothing_is_left(
    hosts: Lab, cell: Cell, tmp_path: Path
) -> None:
    trial = run(cell, hosts, tmp_path)

    assert wrong(trial) == [], trial
