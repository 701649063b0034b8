"""The arrows of the picture: the legs of both paths, and what passes inside a host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins.diagram import grid
from migrate_plugins.diagram.elements import arrow, badge, sign, tag, texts, tooltip
from migrate_plugins.diagram.legs import legs, protection_of
from migrate_plugins.diagram.lettering import LEADING, Row, wrap
from migrate_plugins.diagram.style import LOOKS, MUTED, NOTE, PROTOCOL, THICK, THIN
from migrate_plugins.diagram.words import uses_daemon
from migrate_plugins.model import Seat, Transport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins.diagram.legs import Leg, Protection
    from migrate_plugins.plan import Plan

__all__ = ["draw_arrows"]


def draw_arrows(plan: Plan) -> Iterator[str]:
    """Draw what passes inside the hosts, then what passes between the machines."""
    tunnelled = plan.scenario.transport is Transport.TUNNELLED
    for seat in grid.HOSTS:
        if uses_daemon(plan, seat):
            yield _inner(seat, "control", arrow(grid.inner_control(seat), THIN, MUTED))
        if tunnelled:
            yield _inner(seat, "data", arrow(grid.inner_data(seat), THICK, MUTED))
    if tunnelled:
        yield _tunnel(protection_of(plan.data))
    for leg in legs(plan):
        if leg.role == "control":
            yield _leg(leg, grid.control_route(plan.scenario, leg.channel), THIN)
        else:
            yield _leg(leg, grid.data_route(plan.scenario), THICK)


def _inner(seat: Seat, role: str, drawn: str) -> str:
    return tag("g", drawn, class_=f"inner {role}", data_host=seat.value)


def _tunnel(protection: Protection) -> str:
    """Draw the connection of the two daemons as a tube that has room for the memory."""
    look = LOOKS[protection]
    return tag(
        "rect",
        class_="tunnel",
        **grid.TUNNEL._asdict(),
        fill=look.tint,
        stroke=look.colour,
        stroke_width=1,
        stroke_dasharray=look.dashes,
    )


def _leg(leg: Leg, route: grid.Route, weight: int) -> str:
    channel, look = leg.channel, LOOKS[leg.protection]
    badges = []
    if leg.number:  # memory in a tunnel shares the number and the sign of what carries it
        badges = [badge(route.number, leg.number, look.colour), sign(route.sign, look)]
    return tag(
        "g",
        tooltip(channel.because),
        arrow(route.points, weight, look.colour, look.dashes),
        *badges,
        _label(route.label, leg.label, look.colour),
        class_=f"leg {leg.role}",
        data_from=channel.origin.value,
        data_to=channel.target.value,
        data_ports="-".join(str(port) for port in sorted(set(channel.ports or ()))),
        data_protection=leg.protection.name.lower(),
    )


def _label(spot: grid.Spot, label: tuple[str, ...], colour: str) -> str:
    fonts = (PROTOCOL, NOTE._replace(colour=colour), NOTE)
    rows = [
        row
        for said, font in zip(label, fonts, strict=False)  # not every leg has a note
        for row in wrap(Row(said, font), spot.width, 2)
    ]
    first = spot.y if spot.below else spot.y - LEADING * (len(rows) - 1)
    return texts(spot.x, first, rows, spot.anchor)
