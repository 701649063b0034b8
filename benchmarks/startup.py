"""(a) `list`, `matrix` and `plan` as whole processes, against an interpreter that does nothing.

Goal: at most 5 times.
"""

from __future__ import annotations

import os
import statistics
import sys
from functools import partial
from pathlib import Path

from pairs import interleaved, process, ratio

RUNS = 40


def main() -> None:
    """Measure and print."""
    python = sys.executable
    command = str(Path(python).with_name("migrate-plugins"))
    # As on a user's machine: modules are compiled once, not at each start.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    commands = {
        "python3 -c pass": [python, "-c", "pass"],
        "list": [command, "list"],
        "matrix": [command, "matrix"],
        "plan": [command, "plan", "web1", "qemu+ssh://desthost/system", "-c", "qemu:///system"],
    }
    sides = {name: partial(process, argv, environment) for name, argv in commands.items()}
    times = interleaved(sides, RUNS, warm_up=2)
    yardstick = times["python3 -c pass"]
    for name, measured in times.items():
        print(
            f"{name:16} median {statistics.median(measured) * 1000:6.1f} ms"
            f"  {ratio(measured, yardstick):5.2f} times"
        )


if __name__ == "__main__":
    main()
