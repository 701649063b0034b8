"""How it is written: SVG elements, from a tag up to an arrow."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from migrate_plugins.diagram.grid import Point
from migrate_plugins.diagram.lettering import LEADING, Row, clean
from migrate_plugins.diagram.style import BADGE, MONO, PAPER, RULE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrate_plugins.diagram.grid import Box
    from migrate_plugins.diagram.style import Look

__all__ = ["arrow", "badge", "escape", "frame", "group", "sign", "tag", "text", "texts", "tooltip"]


def escape(text: str) -> str:
    """Write *text* so that XML and ASCII can hold it."""
    return html.escape(clean(text)).encode("ascii", "xmlcharrefreplace").decode("ascii")


def tag(name: str, *inside: str, **attributes: object) -> str:
    """Write an element; an attribute that is None is left out, ``class_`` is ``class``."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    content = "".join(inside)
    end = "\n" if name in {"svg", "g", "title", "desc"} else ""
    return f"<{name}{written}>{content}</{name}>{end}" if content else f"<{name}{written}/>{end}"


def group(name: str, *inside: str) -> str:
    """Write a box of the picture with what is inside."""
    return tag("g", *inside, class_="box", data_name=name)


def tooltip(text: str) -> str:
    """Tell in full what may be clipped."""
    return tag("title", escape(text))


def text(x: int, y: int, row: Row, anchor: str = "start") -> str:
    """Write one row; *y* is its baseline."""
    font = row.font
    return tag(
        "text",
        escape(row.text),
        x=x,
        y=y,
        fill=font.colour,
        font_size=font.size,
        font_weight="bold" if font.bold else None,
        font_style="italic" if font.italic else None,
        font_family=MONO if font.mono else None,
        text_anchor=None if anchor == "start" else anchor,
    )


def texts(
    x: int, y: int, rows: Iterable[Row], anchor: str = "start", *, pitch: int = LEADING
) -> str:
    """Write rows one below the other; *y* is the baseline of the first."""
    return "".join(text(x, y + pitch * index, row, anchor) for index, row in enumerate(rows))


def frame(
    box: Box, *, fill: str, stroke: str = RULE, dashes: str | None = None, radius: int = 10
) -> str:
    """Draw the outline of *box*."""
    return tag(
        "rect",
        class_="frame",
        **box._asdict(),
        rx=radius,
        fill=fill,
        stroke=stroke,
        stroke_width="1.5",
        stroke_dasharray=dashes,
    )


def arrow(points: Sequence[Point], weight: int, colour: str, dashes: str | None = None) -> str:
    """Draw a polyline whose head touches the last point; the line itself ends inside the head."""
    head = 7 + 2 * weight
    half = 3 + weight
    *rest, before, end = points
    dx = (end.x > before.x) - (end.x < before.x)
    dy = (end.y > before.y) - (end.y < before.y)
    neck = Point(end.x - dx * head, end.y - dy * head)
    corners = (
        end,
        Point(neck.x + dy * half, neck.y + dx * half),
        Point(neck.x - dy * half, neck.y - dx * half),
    )
    return tag(
        "polyline",
        points=_coordinates((*rest, before, neck)),
        fill="none",
        stroke=colour,
        stroke_width=weight,
        stroke_dasharray=dashes,
        stroke_linecap="round" if dashes and dashes.startswith("0.") else None,
        stroke_linejoin="round",
    ) + tag("polygon", points=_coordinates(corners), fill=colour)


def _coordinates(points: Iterable[Point]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


def badge(at: Point, number: str, colour: str) -> str:
    """Draw the number of a URI."""
    digits = text(at.x, at.y + 4, Row(number, BADGE), "middle")
    return tag("g", _disc(at, colour, colour), digits, class_="badge")


def sign(at: Point, look: Look) -> str:
    """Draw the sign of a degree of protection."""
    path = tag(
        "path",
        d=look.sign,
        transform=f"translate({at.x} {at.y})",
        fill="none",
        stroke=look.colour,
        stroke_width="1.5",
    )
    return tag("g", _disc(at, PAPER, look.colour), path, class_="sign")


def _disc(at: Point, fill: str, stroke: str) -> str:
    return tag("circle", cx=at.x, cy=at.y, r=11, fill=fill, stroke=stroke, stroke_width="1.5")
