"""What a migration's samples show, as curves: for a terminal, and to be drawn elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Record

__all__ = ["FEWEST", "Curve", "charts", "draw"]

_MIB: Final = 1024 * 1024

# Points that make a curve.
FEWEST: Final = 2

# Of a chart in a terminal: lines, and the columns beside the curve itself.
_HEIGHT: Final = 8
_MARGIN: Final = 24
_WIDEST: Final = 100


class Curve(NamedTuple):
    """A figure over the time.

    Attributes:
        name: What it is.
        unit: Of the values.
        points: Seconds since the migration was asked for, and the value then.
    """

    name: str
    unit: str
    points: tuple[tuple[float, float], ...]


def charts(record: Record) -> list[list[Curve]]:
    """Give the curves of each chart, all of one unit.

    How much was done, where the hypervisor told that; what remained to be sent; how fast it was
    sent, and how fast the guest wrote.  What the hypervisor did not tell has no curve.
    """
    done = _curve(record, "percent", "done", "%")
    remaining = _curve(record, "remaining", "remaining", "MiB")
    end = _end(record)
    if end is not None and remaining.points:
        remaining = remaining._replace(points=(*remaining.points, end))
    rate = _curve(record, "rate", "rate", "MiB/s")
    dirty = _curve(record, "dirty_rate", "dirty rate", "MiB/s")
    told = [
        [curve for curve in chart if curve.points] for chart in ([done], [remaining], [rate, dirty])
    ]
    return [chart for chart in told if chart]


def _curve(record: Record, field: str, name: str, unit: str) -> Curve:
    """Give the curve of a figure that is told in bytes, or in per cent."""
    scale = 1 if unit == "%" else _MIB
    points = [
        (sample.elapsed, value / scale)
        for sample in record.samples
        if (value := getattr(sample.statistics, field)) is not None
    ]
    return Curve(name, unit, tuple(points))


def _end(record: Record) -> tuple[float, float] | None:
    """Tell what remained when the transfer was over, and when that was."""
    over = [each.elapsed for each in record.phases if each.phase is Phase.VERIFY]
    statistics = (record.outcome or {}).get("statistics") or {}
    remaining = statistics.get("remaining")
    if not over or remaining is None:
        return None
    return over[0], remaining / _MIB


def draw(shown: Sequence[Curve], width: int) -> list[str]:
    """Draw curves of one unit into one chart for a terminal of *width* columns.

    The first is a line, the second has its points marked with x.
    """
    from plotille import Figure

    points = [point for curve in shown for point in curve.points]
    figure = Figure()
    figure.width = min(width, _WIDEST) - _MARGIN
    figure.height = _HEIGHT
    figure.origin = False
    figure.with_colors = False
    figure.x_label, figure.y_label = "s", shown[0].unit
    first, last = min(at for at, _ in points), max(at for at, _ in points)
    # A little beyond the last point: at the very edge it would not be drawn.
    figure.set_x_limits(min_=first, max_=last + ((last - first) or 1) * 0.02)
    figure.set_y_limits(min_=0, max_=max(value for _, value in points) * 1.05 or 1)
    figure.x_ticks_fkt = lambda least, _most: f"{least:.1f}"
    figure.y_ticks_fkt = lambda least, _most: f"{least:9.1f}"
    for curve, marker in zip(shown, (None, "x"), strict=False):
        if curve.points:
            times, values = zip(*curve.points, strict=True)
            figure.plot(times, values, marker=marker)
    # What is left empty is empty: the library pads with blank patterns of dots.
    return [line.replace("\u2800", " ").rstrip() for line in figure.show().splitlines()]
