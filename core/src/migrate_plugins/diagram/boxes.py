"""The boxes of the picture: the client, and in each host its daemon, hypervisor and guest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins.diagram import grid, words
from migrate_plugins.diagram.elements import frame, group, text, texts, tooltip
from migrate_plugins.diagram.lettering import Row, wrap
from migrate_plugins.diagram.style import (
    BLUE,
    BLUE_TINT,
    HEADING,
    INK,
    MUTED,
    NAME,
    NOTE,
    PANEL,
    PAPER,
)
from migrate_plugins.model import Seat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migrate_plugins.diagram.style import Font
    from migrate_plugins.plan import Plan

__all__ = ["draw_boxes"]

_PITCH: Final = 20  # from a row to the next


def draw_boxes(plan: Plan) -> Iterator[str]:
    """Draw the client and both hosts."""
    outline = frame(grid.CLIENT, fill=PAPER, stroke=INK)
    yield _box("client", grid.CLIENT, outline, words.client(plan), (HEADING, NOTE, NOTE))
    for seat in grid.HOSTS:
        yield _host(plan, seat)
        yield _daemon(plan, seat)
        yield _hypervisor(plan, seat)
        yield _guest(plan, seat)


def _host(plan: Plan, seat: Seat) -> str:
    """Draw a host, its name on the outer side: the inner belongs to the client's arrow."""
    host = grid.HOSTS[seat]
    if seat is Seat.SOURCE:
        x, anchor = host.x + grid.PADDING, "start"
    else:
        x, anchor = host.right - grid.PADDING, "end"
    address = words.address(plan, seat)
    rows = wrap(Row(address, NOTE), host.width - grid.DROP - 2 * grid.PADDING, 2)
    return group(
        f"{seat.value}-host",
        tooltip(address),
        frame(host, fill=PANEL, radius=14),
        text(x, host.y + 34, Row(f"{seat.value.capitalize()} host", HEADING), anchor),
        texts(x, host.y + 54, rows, anchor),
    )


def _daemon(plan: Plan, seat: Seat) -> str:
    box = grid.DAEMONS[seat]
    if words.uses_daemon(plan, seat):
        outline, name = frame(box, fill=PAPER, stroke=MUTED), NAME
    else:
        outline, name = frame(box, fill=PANEL, dashes="3 4"), NAME._replace(colour=MUTED)
    return _box(f"{seat.value}-daemon", box, outline, words.daemon(plan, seat), (NOTE, name))


def _hypervisor(plan: Plan, seat: Seat) -> str:
    box = grid.HYPERVISORS[seat]
    name = wrap(Row(plan.driver, NAME), box.width - 2 * grid.PADDING)
    rows = (Row("hypervisor", NOTE), *name)
    return group(
        f"{seat.value}-hypervisor",
        frame(box, fill=PAPER, stroke=MUTED),
        texts(box.centre.x, box.y + 22, rows, "middle", pitch=_PITCH),
    )


def _guest(plan: Plan, seat: Seat) -> str:
    box = grid.GUESTS[seat]
    if seat is Seat.SOURCE:
        outline = frame(box, fill=BLUE_TINT, stroke=BLUE)
    else:
        outline = frame(box, fill=PAPER, stroke=BLUE, dashes="7 5")
    return _box(f"{seat.value}-guest", box, outline, words.guest(plan, seat), (NOTE, NAME, NOTE))


def _box(name: str, box: grid.Box, outline: str, said: Sequence[str], fonts: Sequence[Font]) -> str:
    """Draw a box with centred rows; the one in bold may take two lines, the rest are clipped."""
    rows = [
        row
        for line, font in zip(said, fonts, strict=True)
        for row in wrap(Row(line, font), box.width - grid.PADDING, 2 if font.bold else 1)
    ]
    first = box.centre.y - (len(rows) - 1) * _PITCH // 2 + 5
    return group(
        name,
        tooltip(" · ".join(said)),
        outline,
        texts(box.centre.x, first, rows, "middle", pitch=_PITCH),
    )
