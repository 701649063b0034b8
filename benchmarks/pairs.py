"""Run both sides of a comparison in turn, in one go, and tell the ratio of their medians."""

from __future__ import annotations

import statistics
import subprocess
import threading
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Seconds after which a process is taken for hung.
_LONGEST = 120

__all__ = ["interleaved", "process", "ratio", "seconds"]


def seconds(work: Callable[[], object]) -> float:
    """Time one run of *work*."""
    began = perf_counter()
    work()
    return perf_counter() - began


def process(command: list[str], environment: Mapping[str, str] | None = None) -> float:
    """Time a whole process, from before its start to after its end; it must succeed.

    Bounded by a timer and not by ``wait(timeout=…)``, which looks at growing intervals of up to
    50 ms and would measure those.
    """
    began = perf_counter()
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    watchdog = threading.Timer(_LONGEST, running.kill)
    watchdog.start()
    status = running.wait()
    took = perf_counter() - began
    watchdog.cancel()
    if status:
        raise subprocess.CalledProcessError(status, command)
    return took


def interleaved(
    sides: Mapping[str, Callable[[], float]], runs: int, warm_up: int = 1
) -> dict[str, list[float]]:
    """Run each side in turn, *runs* times, so that a drift of the machine's speed hits all."""
    for _ in range(warm_up):
        for side in sides.values():
            side()
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(runs):
        for name, side in sides.items():
            times[name].append(side())
    return times


def ratio(times: list[float], yardstick: list[float]) -> float:
    """Divide median by median."""
    return statistics.median(times) / statistics.median(yardstick)
