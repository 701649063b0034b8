"""Where everything stands, in pixels: one grid for every plan.

The client on top, the hosts left and right of a gutter that carries what crosses the network, the
URIs below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins.model import Flow, Seat, Transport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate_plugins.document import Scenario
    from migrate_plugins.plan import Channel

__all__ = [
    "CLIENT",
    "DAEMONS",
    "DROP",
    "GUESTS",
    "HOSTS",
    "HYPERVISORS",
    "MARGIN",
    "PADDING",
    "TUNNEL",
    "URI_ROW",
    "WIDTH",
    "Box",
    "Point",
    "Route",
    "Spot",
    "control_route",
    "data_route",
    "inner_control",
    "inner_data",
    "legend",
    "uri_panel",
]


class Point(NamedTuple):
    """A place."""

    x: int
    y: int


class Box(NamedTuple):
    """A rectangle."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """Its right side."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """Its lower side."""
        return self.y + self.height

    @property
    def centre(self) -> Point:
        """Its middle."""
        return Point(self.x + self.width // 2, self.y + self.height // 2)

    def inner(self, side: int, top: int, height: int) -> Box:
        """Give the box that keeps *side* from both sides and *top* from the upper one."""
        return Box(self.x + side, self.y + top, self.width - 2 * side, height)


class Spot(NamedTuple):
    """Where a label goes: *y* is the baseline of its last row, or of its first if *below*."""

    x: int
    y: int
    anchor: str
    width: int
    below: bool = False


class Route(NamedTuple):
    """The way of an arrow, where its two badges sit on it, and where its label goes."""

    points: tuple[Point, ...]
    number: Point
    sign: Point
    label: Spot


WIDTH: Final = 1280
MARGIN: Final = 56
PADDING: Final = 24
DROP: Final = 146  # from a host's inner side to the arrow that comes down from the client
CLIENT: Final = Box(515, 140, 250, 94)
_CLIENT_LINE: Final = 206  # where the client's arrows leave it
HOSTS: Final = {
    Seat.SOURCE: Box(MARGIN, 278, 420, 430),
    Seat.DESTINATION: Box(WIDTH - MARGIN - 420, 278, 420, 430),
}
DAEMONS: Final = {seat: host.inner(PADDING, 92, 68) for seat, host in HOSTS.items()}
HYPERVISORS: Final = {seat: host.inner(PADDING, 224, 182) for seat, host in HOSTS.items()}
GUESTS: Final = {seat: host.inner(2 * PADDING, 278, 108) for seat, host in HOSTS.items()}
TUNNEL: Final = Box(
    DAEMONS[Seat.SOURCE].right,
    DAEMONS[Seat.SOURCE].centre.y - 30,
    DAEMONS[Seat.DESTINATION].x - DAEMONS[Seat.SOURCE].right,
    60,
)
URI_ROW: Final = 54


def uri_panel(count: int) -> Box:
    """Make room for so many URIs below the hosts."""
    return Box(MARGIN, 740, WIDTH - 2 * MARGIN, count * URI_ROW + 20)


def legend(panel: Box) -> Box:
    """Make room for the legend below the *panel* of the URIs."""
    return Box(MARGIN, panel.bottom + 20, panel.width, 40)


def control_route(scenario: Scenario, channel: Channel) -> Route:
    """Route a leg of the control path."""
    if channel.origin is Seat.CLIENT:
        return _from_client(channel.target)
    if scenario.flow is Flow.UNMANAGED_DIRECT:
        return _across(HYPERVISORS, -40)
    if scenario.transport is Transport.TUNNELLED:
        return _across(DAEMONS, -14, label=-28)
    return _across(DAEMONS, 0)


def data_route(scenario: Scenario) -> Route:
    """Route the memory: through the tunnel's lower half, or below what controls it."""
    if scenario.transport is Transport.TUNNELLED:
        return _across(DAEMONS, 14, label=36)
    return _across(HYPERVISORS, 56 if scenario.flow is Flow.UNMANAGED_DIRECT else 12)


def _from_client(target: Seat) -> Route:
    """Route a leg out of the client's side, then down into the daemon of *target*."""
    if target is Seat.SOURCE:
        start, drop, away, anchor = CLIENT.x, HOSTS[target].right - DROP, -1, "end"
    else:
        start, drop, away, anchor = CLIENT.right, HOSTS[Seat.DESTINATION].x + DROP, 1, "start"
    return Route(
        points=(
            Point(start, _CLIENT_LINE),
            Point(drop, _CLIENT_LINE),
            Point(drop, DAEMONS[Seat.SOURCE].y),
        ),
        number=Point(start + away * 36, _CLIENT_LINE),
        sign=Point((start + drop) // 2 + away * 10, _CLIENT_LINE),
        label=Spot(start + away * 16, _CLIENT_LINE - 20, anchor, CLIENT.x - MARGIN - 16),
    )


def _across(boxes: Mapping[Seat, Box], offset: int, *, label: int = -20) -> Route:
    """Route a leg straight through the gutter, *offset* below the middle of two *boxes*."""
    left, right = boxes[Seat.SOURCE], boxes[Seat.DESTINATION]
    y = left.centre.y + offset
    gutter = HOSTS[Seat.SOURCE].right
    room = HOSTS[Seat.DESTINATION].x - gutter - 24
    return Route(
        points=(Point(left.right, y), Point(right.x, y)),
        number=Point(gutter + 40, y),
        sign=Point(WIDTH // 2, y),
        label=Spot(WIDTH // 2, y + label, "middle", room, below=label > 0),
    )


def inner_control(seat: Seat) -> tuple[Point, Point]:
    """Lead from a daemon to its hypervisor."""
    x = HOSTS[seat].centre.x
    return Point(x, DAEMONS[seat].bottom), Point(x, HYPERVISORS[seat].y)


def inner_data(seat: Seat) -> tuple[Point, Point]:
    """Lead tunnelled memory up to the daemon at the source, down from it at the destination."""
    daemon, top = DAEMONS[seat], HYPERVISORS[seat].y
    if seat is Seat.SOURCE:
        return Point(daemon.right - 40, top), Point(daemon.right - 40, daemon.bottom)
    return Point(daemon.x + 40, daemon.bottom), Point(daemon.x + 40, top)
