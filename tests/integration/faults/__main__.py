"""Try the whole table, in several labs at once, and print it as Markdown.

.venv/bin/python tests/integration/faults [--labs N] [--only TEXT] [--json FILE]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fault_table import CELLS, Cell
from fault_trial import Trial, listen, run

from migrate_plugins_lab.lab import Lab

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

_LABS: Final = 4


def main() -> int:
    """Try every cell; status 1 where one is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labs", type=int, default=_LABS)
    parser.add_argument("--only", default="", help="cells whose title has this in it")
    arguments = parser.parse_args()
    cells = [cell for cell in CELLS if arguments.only in str(cell)]
    spawn = multiprocessing.get_context("fork")  # of a process that has no threads yet
    todo: Queue[int | None] = spawn.Queue()
    done: Queue[Trial | str] = spawn.Queue()
    for number, cell in enumerate(CELLS):
        if cell in cells:
            todo.put(number)
    labs = min(arguments.labs, len(cells))
    workers = [spawn.Process(target=work, args=(place, todo, done)) for place in range(labs)]
    for worker in workers:
        todo.put(None)
        worker.start()
    trials = []
    for _ in cells:
        trial = done.get()
        print(
            trial if isinstance(trial, str) else f"{trial.cell}: {trial[1:]}",
            file=sys.stderr,
            flush=True,
        )
        trials.append(trial)
    for worker in workers:
        worker.join()
    return 0


def work(place: int, todo: Queue[int | None], done: Queue[Trial | str]) -> None:
    """Try cells in a lab of our own, until there are none."""
    listen()
    lab = Lab.up(f"faults-{os.getppid()}-{place}", owner=os.getpid())
    try:
        while (number := todo.get()) is not None:
            cell = CELLS[number]
            done.put(attempt(cell, lab))
            lab.clean()
    finally:
        lab.down()


def attempt(cell: Cell, lab: Lab) -> Trial | str:
    """Try a cell; what goes wrong with the trial itself is told."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return run(cell, lab, Path(folder))
        except Exception:  # noqa: BLE001 - the others are to be tried
            return f"{cell}: {traceback.format_exc()}"


if __name__ == "__main__":
    sys.exit(main())
