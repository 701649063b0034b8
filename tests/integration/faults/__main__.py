"""Try the whole table, in several labs at once, and print it as Markdown.

.venv/bin/python tests/integration/faults [--labs N] [--only TEXT] [--verbose] [--write FILE]
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

from fault_table import CELLS, Cell, Flow, Trial, wrong
from fault_trial import run

from migrate_plugins_lab.errors import LabError
from migrate_plugins_lab.lab import Lab

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

_LABS: Final = 4
_BEGIN, _END = "<!-- table of faults -->", "<!-- end of the table -->"


def main() -> int:
    """Try every cell; status 1 where one is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labs", type=int, default=_LABS)
    parser.add_argument("--only", default="", help="cells whose title has this in it")
    parser.add_argument("--verbose", action="store_true", help="tell all of each trial")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into this page")
    arguments = parser.parse_args()
    if arguments.write is not None and not arguments.write.is_file():
        parser.error(f"--write {arguments.write}: there is no such page to put the table into")
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
    trials, failed = [], 0
    for _ in cells:
        came = done.get()
        if isinstance(came, str):
            print(came, file=sys.stderr, flush=True)
            failed += 1
            continue
        trials.append(came)
        problems = wrong(came)
        failed += bool(problems)
        print(f"{came.cell}: {'; '.join(problems) or 'right'}", file=sys.stderr, flush=True)
        if problems or arguments.verbose:
            print(f"    {came[1:]}", file=sys.stderr, flush=True)
    for worker in workers:
        worker.join()
    print(table(trials))
    if arguments.write is not None:
        write(arguments.write, table(trials))
    return bool(failed)


def write(page: Path, text: str) -> None:
    """Put the table into its place in a page."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not end:
        raise ValueError(f"{page} has no place for the table")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def table(trials: list[Trial]) -> str:
    """Write the table as Markdown: a row for each fault and moment, a column for each flow."""
    cells = {trial.cell: trial for trial in trials}
    lines = ["| Fault | Strikes | " + " | ".join(Flow) + " |", "|---|---|" + "---|" * len(Flow)]
    for fault, moment in dict.fromkeys((cell.fault, cell.moment) for cell in CELLS):
        found = [cells.get(Cell(fault, moment, flow)) for flow in Flow]
        if any(found):
            said = " | ".join("" if trial is None else short(trial) for trial in found)
            lines.append(f"| {fault.title} | {moment} | {said} |")
    return "\n".join(lines)


def short(trial: Trial) -> str:
    """Say in a few words what the tool said, after how long, and what is true in the end."""
    said = trial.verdict or ("killed" if trial.status < 0 else f"refused ({trial.status})")
    if trial.told:
        said += f", {trial.told[0]}"
    where = "alpha" if trial.here == "running" else "beta"
    if "running" not in {trial.here, trial.there}:
        where = "off"
    settled = f", {trial.settled[0]}" if trial.settled else ""
    return f"{said}, {trial.seconds:.1f} s → {where}{settled}"


def work(place: int, todo: Queue[int | None], done: Queue[Trial | str]) -> None:
    """Try cells in a lab of our own, until there are none."""
    name = f"faults-{os.getppid()}-{place}"
    lab = Lab.up(name, owner=os.getpid())
    try:
        while (number := todo.get()) is not None:
            cell = CELLS[number]
            done.put(attempt(cell, lab))
            try:
                lab.clean()
            except LabError:  # broken for good: a new one is cheap
                lab.down()
                lab = Lab.up(name, owner=os.getpid())
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
