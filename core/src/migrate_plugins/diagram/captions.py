"""What stands around the picture: its header, the numbered URIs, the legend."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from migrate_plugins.diagram.elements import (
    arrow,
    badge,
    frame,
    group,
    sign,
    tag,
    text,
    texts,
    tooltip,
)
from migrate_plugins.diagram.grid import MARGIN, PADDING, URI_ROW, WIDTH, Box, Point
from migrate_plugins.diagram.legs import Protection
from migrate_plugins.diagram.lettering import LEADING, Row, measure, wrap
from migrate_plugins.diagram.style import (
    ABSENT,
    INK,
    LOOKS,
    MUTED,
    NOTE,
    PANEL,
    PAPER,
    PILL,
    PROTOCOL,
    RULE,
    SUBTITLE,
    THICK,
    THIN,
    TITLE,
    URI,
)
from migrate_plugins.diagram.words import title

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrate_plugins.diagram.numbering import NumberedURI
    from migrate_plugins.plan import Plan

__all__ = ["draw_header", "draw_legend", "draw_uris"]


def draw_header(plan: Plan) -> str:
    """Tell guest and scenario on the left, revision and the scenario's id on the right."""
    pills = []
    right = WIDTH - MARGIN
    for said in (f"revision {plan.request.revision.value}", plan.scenario_id):
        row = Row(said, PILL)
        width = ceil(measure(row)) + 28
        right -= width
        pills.append(_pill(Box(right, 38, width, 32), row))
        right -= 10
    name = wrap(Row(title(plan), TITLE), right - MARGIN - PADDING)
    rows = (*name, Row(plan.scenario.title, SUBTITLE))
    return tag("g", texts(MARGIN, 64, rows, pitch=30), *pills, class_="header")


def _pill(box: Box, row: Row) -> str:
    outline = frame(box, fill=PANEL, radius=box.height // 2)
    return tag("g", outline, text(box.centre.x, box.centre.y + 5, row, "middle"), class_="pill")


def draw_uris(panel: Box, captions: Sequence[NumberedURI]) -> str:
    """List the URIs, each under the number that it has on the arrows."""
    inside: list[str] = []
    for index, caption in enumerate(captions):
        top = panel.y + 10 + index * URI_ROW
        inside += _caption(panel, top, caption)
        if index:
            line = f"M{panel.x + PADDING} {top}H{panel.right - PADDING}"
            inside.append(tag("path", class_="rule", d=line, stroke=RULE))
    return group("uris", frame(panel, fill=PAPER, radius=14), *inside)


def _caption(panel: Box, top: int, caption: NumberedURI) -> Iterator[str]:
    value = caption.uri.value
    middle, left = top + URI_ROW // 2, panel.x + 232
    whole = Row(value, URI) if value else Row(caption.uri.because, ABSENT)
    rows = wrap(whole, panel.right - PADDING - left, 2)
    first = middle + 5 - LEADING * (len(rows) - 1) // 2
    yield badge(Point(panel.x + PADDING + 11, middle), caption.number, INK if value else MUTED)
    yield texts(
        panel.x + 62, middle - 4, (Row(caption.title, PROTOCOL), Row(caption.seen_from, NOTE))
    )
    for index, row in enumerate(rows):
        written = text(left, first + LEADING * index, row)
        yield tag("g", tooltip(whole.text), written, class_="uri", data_number=caption.number)


def draw_legend(box: Box) -> str:
    """Explain weight (what travels) and dashes, colour and sign (how safely)."""
    entries = [
        ("control", THIN, None),
        ("memory", THICK, None),
        *(
            (protection.value, THIN, look)
            for protection, look in LOOKS.items()
            if protection is not Protection.UNUSED
        ),
    ]
    inside: list[str] = []
    x, y = box.x + PADDING, box.centre.y
    for said, weight, look in entries:
        end = x + (92 if look else 60)
        line = Point(x, y), Point(end, y)
        if look:
            inside.append(arrow(line, weight, look.colour, look.dashes))
            inside.append(sign(Point(x + 38, y), look))
        else:
            inside.append(arrow(line, weight, INK))
        row = Row(said, NOTE)
        inside.append(text(end + 10, y + 4, row))
        x = end + 10 + ceil(measure(row)) + 24
    return tag("g", *inside, class_="legend")
