"""Show a migration while it runs: a bar for a person, lines for a log, JSON for a program."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from migrate_plugins import Phase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrate_plugins import Event, Statistics
    from migrate_plugins.cli.output import Output

__all__ = ["watching"]

# Seconds between two lines of a transfer in a log.
_PACE: Final = 1.0
# What is said in these stays: a hypervisor that does not answer or refuses to stop, what is
# waited for before a guest is touched.
_STAYING: Final = frozenset({Phase.TRANSFER, Phase.CANCEL, Phase.MEND})
_MIB: Final = 1024 * 1024


@contextmanager
def watching(form: str, output: Output) -> Iterator[Callable[[Event], None]]:
    """Give an observer of the *form* ``auto``, ``bar``, ``plain``, ``json`` or ``none``."""
    if form == "auto":
        form = "bar" if output.interactive else "plain"
    if form == "bar":
        with _bar(output) as observe:
            yield observe
    elif form == "plain":
        yield _Lines(output)
    elif form == "json":
        yield lambda event: output.line(_json(event))
    else:
        yield lambda _event: None


class _Lines:
    """A line for each phase, and one a second while memory is copied."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._next = 0.0

    def __call__(self, event: Event) -> None:
        if event.statistics is not None:
            if event.elapsed < self._next:
                return
            self._next = event.elapsed + _PACE
            told = _said(event.statistics)
            if event.statistics.transferred is not None:
                told = f"sent {event.statistics.transferred / _MIB:.0f} MiB, {told}"
            self._output.text(f"{event.elapsed:6.1f} s  {event.phase}: {told}")
        elif event.text is not None and event.phase is not Phase.DONE:
            self._output.text(f"{event.elapsed:6.1f} s  {event.phase}: {event.text}")


@contextmanager
def _bar(output: Output) -> Iterator[Callable[[Event], None]]:
    """Draw a bar: the share of the memory that has been sent at least once.

    It never runs backwards; what the guest writes meanwhile is told beside it, as passes and as
    what remains.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("[bold]{task.fields[guest]}[/]"),
        # Not rich's own clock: it stops when the bar is full, and the guest may not have moved yet.
        TextColumn("{task.fields[elapsed]:4.0f} s  {task.description}"),
        BarColumn(bar_width=None),  # whatever width the words leave
        TextColumn("{task.fields[said]}"),
    )
    # The bar goes when it ends: the outcome that follows says more, and may not be a full bar.
    progress = Progress(
        *columns,
        console=Console(file=output.stream),
        refresh_per_second=8,
        expand=True,
        transient=True,
    )
    task = progress.add_task("", total=1.0, guest="", said="", elapsed=0.0)
    share = 0.0

    def observe(event: Event) -> None:
        nonlocal share
        if event.phase is Phase.CONNECT:
            return  # somebody may be asked for a password now, and would type into the bar
        progress.start()
        statistics = event.statistics
        said = event.text or ""
        if statistics is not None:
            share = max(share, _share(statistics))
            said = _said(statistics)
        elif event.text is not None and event.phase in _STAYING:
            # Above the bar, where the next figures do not wipe it out.
            told = f"{event.elapsed:.0f} s  {event.phase}: {event.text}"
            progress.console.print(told, markup=False, highlight=False)
        progress.update(
            task,
            description=event.phase,
            completed=share,
            guest=event.guest,
            said=said,
            elapsed=event.elapsed,
        )

    try:
        yield observe
    finally:
        with suppress(OSError):  # a terminal that was closed: the outcome is yet to be told
            progress.stop()


def _share(statistics: Statistics) -> float:
    """Tell how much of the memory has been sent at least once, from 0 to 1."""
    total, remaining, iteration = statistics.total, statistics.remaining, statistics.iteration
    if statistics.percent is not None:
        return statistics.percent / 100
    if iteration is not None and iteration > 1:
        return 1.0
    return (total - remaining) / total if total and remaining is not None else 0.0


def _said(statistics: Statistics) -> str:
    """Give the figures that the hypervisor tells, and a time to go when there is an honest one."""
    parts = []
    if statistics.percent is not None:
        parts.append(f"{statistics.percent:.0f} % done")
    if statistics.remaining is not None:
        parts.append(f"left {statistics.remaining / _MIB:.0f} MiB")
    for label, rate in (("at", statistics.rate), ("dirty", statistics.dirty_rate)):
        if rate:
            parts.append(f"{label} {rate / _MIB:.0f} MiB/s")
    if statistics.iteration is not None:
        parts.append(f"pass {statistics.iteration}")
    if statistics.postcopy:
        parts.append("post-copy")
    if statistics.eta is not None:
        parts.append(f"{statistics.eta:.0f} s to go")
    return ", ".join(parts) or "the hypervisor tells no figures"


def _json(event: Event) -> dict[str, object]:
    statistics = event.statistics
    return {
        "schema": "migrate-plugins/progress/1",
        "guest": event.guest,
        "phase": event.phase.value,
        "elapsed": round(event.elapsed, 3),
        "text": event.text,
        "statistics": None
        if statistics is None
        else {**statistics._asdict(), "eta": statistics.eta},
    }
