"""A plan as a picture, in the manner of the document's five: who talks to whom, and how safely.

One grid serves every plan: the client on top, the hosts left and right of a gutter that carries
what crosses the network, the URIs below.  The result is plain ASCII without style sheets or
references, so that any viewer shows it alike, alone or inside a page.
"""

from __future__ import annotations

import re
from enum import StrEnum
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins.document import CRASH, Crash
from migrate_plugins.model import ChosenBy, Flow, Seat, Transport
from migrate_plugins.uris import ConnectionURI, MigrationURI

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from migrate_plugins.plan import Channel, Plan, PlannedURI

__all__ = ["diagram"]

_INK: Final = "#1f2328"
_MUTED: Final = "#59636e"
_RULE: Final = "#d1d9e0"
_PANEL: Final = "#f6f8fa"
_PAPER: Final = "#ffffff"
_BLUE: Final = "#0969da"
_BLUE_TINT: Final = "#eef6ff"

_SANS: Final = "system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"
_MONO: Final = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


class _Point(NamedTuple):
    x: int
    y: int


class _Box(NamedTuple):
    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def centre(self) -> _Point:
        return _Point(self.x + self.width // 2, self.y + self.height // 2)


class _Font(NamedTuple):
    size: int
    colour: str = _INK
    bold: bool = False
    mono: bool = False
    italic: bool = False


class _Row(NamedTuple):
    text: str
    font: _Font


class _Spot(NamedTuple):
    """Where a label goes: *y* is the baseline of its last row, or of its first if *below*."""

    x: int
    y: int
    anchor: str
    width: int
    below: bool = False


class _Route(NamedTuple):
    """The way of an arrow, where its two badges sit on it, and where its label goes."""

    points: tuple[_Point, ...]
    number: _Point
    sign: _Point
    label: _Spot


class _Protection(StrEnum):
    """How safe a leg is; told by colour, dashes, sign and words alike."""

    ENCRYPTED = "encrypted"
    PLAIN = "plain text"
    LOCAL = "not on the network"
    UNKNOWN = "not known"
    UNUSED = "not used"


class _Look(NamedTuple):
    colour: str
    tint: str
    dashes: str | None  # from "0." on they are dots
    sign: str  # path within the square from -5 to 5


_LOOKS: Final = {
    _Protection.ENCRYPTED: _Look(
        "#1a7f37", "#effaf2", None, "M-4.5-.5h9v6h-9zM-2.7-.5v-2.3a2.7 2.7 0 0 1 5.4 0v2.3"
    ),
    _Protection.PLAIN: _Look(
        "#cf222e", "#fff3f2", "9 6", "M-4.5-.5h9v6h-9zM-2.7-.5v-3.3a2.7 2.7 0 0 1 5.4 0"
    ),
    _Protection.LOCAL: _Look(_MUTED, _PANEL, "0.1 7", "M-5-4.5h10v6.5h-10zM0 2v3M-3 5h6"),
    _Protection.UNKNOWN: _Look(
        "#7d4e00", "#fff8e5", "14 5 2 5", "M-2.5-3a2.6 2.6 0 1 1 3.4 2.6q-.9.4-.9 1.9M0 4.4v.6"
    ),
    _Protection.UNUSED: _Look(_MUTED, _PANEL, "0.1 13", "M-4-4l8 8M-4 4l8-8"),
}

_TITLE: Final = _Font(28, bold=True)
_SUBTITLE: Final = _Font(15, _MUTED)
_HEADING: Final = _Font(16, bold=True)
_NAME: Final = _Font(15, bold=True)
_KICKER: Final = _Font(12, _MUTED)
_NOTE: Final = _Font(12, _MUTED)
_PROTOCOL: Final = _Font(13, bold=True)
_URI: Final = _Font(13, mono=True)
_ABSENT: Final = _Font(13, _MUTED, italic=True)
_PILL: Final = _Font(13, _MUTED)

# The grid, in pixels.  Everything else is placed relative to these.
_WIDTH: Final = 1280
_MARGIN: Final = 56
_PADDING: Final = 24
_LEADING: Final = 18
_CLIENT: Final = _Box(515, 140, 250, 94)
_CLIENT_LINE: Final = 206  # where the client's arrows leave it
_SOURCE: Final = _Box(_MARGIN, 278, 420, 430)
_DESTINATION: Final = _Box(_WIDTH - _MARGIN - 420, 278, 420, 430)
_DROP: Final = 146  # from a host's inner side to the arrow that comes down from the client
_URIS_TOP: Final = 740
_URI_ROW: Final = 54
_LEGEND_HEIGHT: Final = 40
_THIN: Final = 2
_THICK: Final = 5


def diagram(plan: Plan) -> str:
    """Draw *plan* as a standalone SVG document; equal plans give equal text."""
    uris = _uri_rows(plan)
    panel = _Box(_MARGIN, _URIS_TOP, _WIDTH - 2 * _MARGIN, len(uris) * _URI_ROW + 20)
    height = panel.bottom + 20 + _LEGEND_HEIGHT + 36
    return _tag(
        "svg",
        _tag("title", _escape(f"Migration of {plan.guest}"), id="migration-title"),
        _tag("desc", _escape(_describe(plan)), id="migration-description"),
        _tag("rect", class_="paper", width=_WIDTH, height=height, fill=_PAPER),
        _header(plan),
        *_boxes(plan),
        *_inner_links(plan),
        *_legs(plan),
        _uri_panel(panel, uris),
        _legend(_Box(_MARGIN, panel.bottom + 20, panel.width, _LEGEND_HEIGHT)),
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        aria_labelledby="migration-title migration-description",
        viewBox=f"0 0 {_WIDTH} {height}",
        width=_WIDTH,
        height=height,
        font_family=_SANS,
    )


# What the plan says, in words


def _daemon_name(plan: Plan) -> str:
    """Name what the control path talks to, in the drivers' words: none is known here."""
    unmanaged = plan.scenario.flow is Flow.UNMANAGED_DIRECT
    for leg in plan.control:
        spoken = re.match(r"(.+?) (?:over|on) ", leg.protocol)
        if spoken and not (unmanaged and leg.origin is Seat.SOURCE):
            return "libvirtd" if spoken[1].startswith("libvirt") else spoken[1]
    tool = plan.commands[0].tool if plan.commands else "virsh"
    return "libvirtd" if tool == "virsh" else tool


def _protection(channel: Channel) -> _Protection:
    if channel.ports is None and channel.encrypted is not False:
        return _Protection.LOCAL
    if channel.encrypted is None:
        return _Protection.UNKNOWN
    return _Protection.ENCRYPTED if channel.encrypted else _Protection.PLAIN


def _data_protection(plan: Plan) -> _Protection:
    return _Protection.UNUSED if plan.request.offline else _protection(plan.data)


def _ports(channel: Channel) -> str:
    if channel.ports is None:
        return ""
    first, last = channel.ports
    return f"port {first}" if first == last else f"ports {first}\u2013{last}"


def _status(role: str, where: str, protection: _Protection) -> str:
    if protection is _Protection.UNUSED:
        return f"{role} · not used: the guest is shut off"
    if protection is _Protection.LOCAL:
        return f"{role} · does not cross the network"
    unknown = protection is _Protection.UNKNOWN
    safety = "encryption not known" if unknown else protection.value
    return " · ".join(filter(None, (role, where, safety)))


def _data_rows(plan: Plan) -> list[_Row]:
    """Label the memory's path: protocol (not what it travels in), status, who picks the port."""
    protection = _data_protection(plan)
    tunnelled = plan.scenario.transport is Transport.TUNNELLED
    status = _status("memory", "tunnelled" if tunnelled else _ports(plan.data), protection)
    rows = [
        _Row(plan.data.protocol.partition(" inside ")[0], _PROTOCOL),
        _Row(status, _Font(12, _LOOKS[protection].colour)),
    ]
    if tunnelled or protection is _Protection.UNUSED:
        return rows
    if protection is _Protection.LOCAL:
        rows.append(_Row("over a UNIX socket", _NOTE))
    elif plan.port.value is None:
        chosen_by = plan.port.chosen_by
        who = chosen_by.value if chosen_by is ChosenBy.US else f"the {chosen_by.value}"
        rows.append(_Row(f"one of them, chosen by {who}", _NOTE))
    return rows


def _address(plan: Plan, seat: Seat) -> str:
    uris = plan.uris
    if seat is Seat.DESTINATION and uris.destination.value is None:
        host = MigrationURI.parse(uris.migration.value).host if uris.migration.value else None
        seen_from = uris.migration.seen_from
    else:
        uri = uris.destination if seat is Seat.DESTINATION else uris.source
        host = ConnectionURI.parse(uri.value).host if uri.value else None
        seen_from = uri.seen_from
    return f"reached at {host}" if host else f"on the {seen_from.value}\u2019s own machine"


def _guest_rows(plan: Plan, seat: Seat) -> list[_Row]:
    request = plan.request
    if seat is Seat.SOURCE:
        kicker, name = "guest before", plan.guest
        note = "runs while its memory is copied" if request.live else "paused during the copy"
    else:
        kicker, name = "guest after", plan.destination_name
        note = "stays paused" if request.suspend else "continues here"
    if request.offline:
        note = "shut off: only its definition moves" if seat is Seat.SOURCE else "shut off"
    return [_Row(kicker, _KICKER), _Row(name, _NAME), _Row(note, _NOTE)]


class _URIRow(NamedTuple):
    number: str
    title: str
    seen_from: str
    uri: PlannedURI


def _uri_rows(plan: Plan) -> list[_URIRow]:
    uris = plan.uris
    rows = [_uri_row("1", "Source", uris.source)]
    if uris.destination_from_client.value != uris.destination.value:
        rows.append(_uri_row("2c", "Destination", uris.destination_from_client))
        rows.append(_uri_row("2s", "Destination", uris.destination))
    else:
        row = _uri_row("2", "Destination", uris.destination)
        both = {leg.origin for leg in plan.control if leg.target is Seat.DESTINATION}
        rows.append(row._replace(seen_from="as both open it") if len(both) > 1 else row)
    rows.append(_uri_row("3", "Migration", uris.migration))
    return rows


def _uri_row(number: str, title: str, uri: PlannedURI) -> _URIRow:
    seen_from = f"as the {uri.seen_from.value} opens it" if uri.value else "none given"
    return _URIRow(number, f"{title} URI", seen_from, uri)


def _number(plan: Plan, leg: Channel) -> str:
    """Give the number of the URI by which a leg of the control path is opened."""
    if leg.target is Seat.SOURCE:
        return "1"
    uris = plan.uris
    if uris.destination.value is None:
        return "3"
    if uris.destination_from_client.value == uris.destination.value:
        return "2"
    return "2c" if leg.origin is Seat.CLIENT else "2s"


def _describe(plan: Plan) -> str:
    """Tell the whole picture to who cannot see it."""
    crash, _ = CRASH[plan.scenario.flow]
    edition = plan.request.revision.value
    told = [
        f"{plan.scenario.title} ({plan.scenario_id}, revision {edition}).",
        f"Guest {plan.guest}, {plan.destination_name} on the destination.",
        *(_tell("Control", leg, _protection(leg)) for leg in plan.control),
        _tell("Memory", plan.data, _data_protection(plan)),
        *(
            f"{title}, {seen_from}: {uri.value or uri.because}."
            for _, title, seen_from, uri in _uri_rows(plan)
        ),
        f"If the client crashes: {crash.value}.",
    ]
    return " ".join(told)


def _tell(role: str, channel: Channel, protection: _Protection) -> str:
    way = f"{role}, {channel.origin.value} to {channel.target.value}"
    facts = filter(None, (channel.protocol, _ports(channel), protection.value))
    return f"{way}: {', '.join(facts)}."


# Where things are


def _daemon(host: _Box) -> _Box:
    return _Box(host.x + _PADDING, host.y + 92, host.width - 2 * _PADDING, 68)


def _hypervisor(host: _Box) -> _Box:
    return _Box(host.x + _PADDING, host.y + 224, host.width - 2 * _PADDING, 182)


def _guest(host: _Box) -> _Box:
    return _Box(host.x + 2 * _PADDING, host.y + 278, host.width - 4 * _PADDING, 108)


def _from_client(target: Seat) -> _Route:
    """Route a leg out of the client's side, then down into the daemon of *target*."""
    if target is Seat.SOURCE:
        start, drop, away, anchor = _CLIENT.x, _SOURCE.right - _DROP, -1, "end"
    else:
        start, drop, away, anchor = _CLIENT.right, _DESTINATION.x + _DROP, 1, "start"
    return _Route(
        points=(
            _Point(start, _CLIENT_LINE),
            _Point(drop, _CLIENT_LINE),
            _Point(drop, _daemon(_SOURCE).y),
        ),
        number=_Point(start + away * 36, _CLIENT_LINE),
        sign=_Point((start + drop) // 2 + away * 10, _CLIENT_LINE),
        label=_Spot(start + away * 16, _CLIENT_LINE - 20, anchor, _CLIENT.x - _MARGIN - 16),
    )


def _across(left: _Box, right: _Box, y: int, *, label_below: bool = False) -> _Route:
    """Route a leg straight through the gutter between the hosts."""
    middle = _WIDTH // 2
    return _Route(
        points=(_Point(left.right, y), _Point(right.x, y)),
        number=_Point(_SOURCE.right + 40, y),
        sign=_Point(middle, y),
        label=_Spot(
            middle,
            y + 36 if label_below else y - 20,
            "middle",
            _DESTINATION.x - _SOURCE.right - 24,
            below=label_below,
        ),
    )


def _between_daemons(offset: int = 0, *, label_below: bool = False) -> _Route:
    left, right = _daemon(_SOURCE), _daemon(_DESTINATION)
    return _across(left, right, left.centre.y + offset, label_below=label_below)


def _between_hypervisors(offset: int = 0) -> _Route:
    left, right = _hypervisor(_SOURCE), _hypervisor(_DESTINATION)
    return _across(left, right, left.centre.y + offset)


def _control_route(plan: Plan, leg: Channel) -> _Route:
    if leg.origin is Seat.CLIENT:
        return _from_client(leg.target)
    if plan.scenario.flow is Flow.UNMANAGED_DIRECT:
        return _between_hypervisors(-40)
    if plan.scenario.transport is Transport.TUNNELLED:
        route = _between_daemons(-14)
        return route._replace(label=route.label._replace(y=route.label.y - 8))
    return _between_daemons()


def _data_route(plan: Plan) -> _Route:
    if plan.scenario.transport is Transport.TUNNELLED:
        return _between_daemons(14, label_below=True)
    return _between_hypervisors(56 if plan.scenario.flow is Flow.UNMANAGED_DIRECT else 12)


# The drawing


def _header(plan: Plan) -> str:
    pills = []
    right = _WIDTH - _MARGIN
    for text in (f"revision {plan.request.revision.value}", plan.scenario_id):
        width = _ceil(_width(text, _PILL)) + 28
        right -= width
        pills.append(_pill(_Box(right, 38, width, 32), text))
        right -= 10
    title = _clip(f"Migration of {plan.guest}", _TITLE, right - _MARGIN - _PADDING)
    return _tag(
        "g",
        _text(_MARGIN, 64, title, _TITLE),
        _text(_MARGIN, 94, plan.scenario.title, _SUBTITLE),
        *pills,
        class_="header",
    )


def _pill(box: _Box, text: str) -> str:
    frame = _frame(box, fill=_PANEL, radius=box.height // 2)
    return _tag(
        "g", frame, _text(box.centre.x, box.centre.y + 5, text, _PILL, "middle"), class_="pill"
    )


def _boxes(plan: Plan) -> Iterable[str]:
    crash, _ = CRASH[plan.scenario.flow]
    then = "is aborted" if crash is Crash.ABORTED else "continues"
    client = [
        _Row("Client", _HEADING),
        _Row("if it crashes or is cut off,", _NOTE),
        _Row(f"the migration {then}", _NOTE),
    ]
    yield _box("client", _CLIENT, client, fill=_PAPER, stroke=_INK)
    for seat, host in ((Seat.SOURCE, _SOURCE), (Seat.DESTINATION, _DESTINATION)):
        yield _host(plan, seat, host)
        yield _daemon_box(plan, seat, _daemon(host))
        yield _hypervisor_box(plan, seat, _hypervisor(host))
        after = seat is Seat.DESTINATION
        yield _box(
            f"{seat.value}-guest",
            _guest(host),
            _guest_rows(plan, seat),
            fill=_PAPER if after else _BLUE_TINT,
            stroke=_BLUE,
            dashes="7 5" if after else None,
        )


def _host(plan: Plan, seat: Seat, host: _Box) -> str:
    """Draw a host, its name on the outer side: the inner belongs to the client's arrow."""
    if seat is Seat.SOURCE:
        x, anchor = host.x + _PADDING, "start"
    else:
        x, anchor = host.right - _PADDING, "end"
    address = _address(plan, seat)
    lines = _wrap(address, _NOTE, host.width - _DROP - 2 * _PADDING, 2)
    return _tag(
        "g",
        _tooltip(address),
        _frame(host, fill=_PANEL, radius=14),
        _text(x, host.y + 34, f"{seat.value.capitalize()} host", _HEADING, anchor),
        *(
            _text(x, host.y + 54 + _LEADING * index, line, _NOTE, anchor)
            for index, line in enumerate(lines)
        ),
        class_="box",
        data_name=f"{seat.value}-host",
    )


def _daemon_box(plan: Plan, seat: Seat, box: _Box) -> str:
    name = _daemon_name(plan)
    kicker = "daemon" if name == "libvirtd" else "management"
    if seat is Seat.DESTINATION and plan.scenario.flow is Flow.UNMANAGED_DIRECT:
        rows = [_Row(f"{kicker}, not used", _KICKER), _Row(name, _NAME._replace(colour=_MUTED))]
        return _box(f"{seat.value}-daemon", box, rows, fill=_PANEL, dashes="3 4")
    rows = [_Row(kicker, _KICKER), _Row(name, _NAME)]
    return _box(f"{seat.value}-daemon", box, rows, fill=_PAPER, stroke=_MUTED)


def _hypervisor_box(plan: Plan, seat: Seat, box: _Box) -> str:
    return _tag(
        "g",
        _frame(box, fill=_PAPER, stroke=_MUTED),
        _text(box.centre.x, box.y + 22, "hypervisor", _KICKER, "middle"),
        _text(
            box.centre.x,
            box.y + 42,
            _clip(plan.driver, _NAME, box.width - 2 * _PADDING),
            _NAME,
            "middle",
        ),
        class_="box",
        data_name=f"{seat.value}-hypervisor",
    )


def _box(
    name: str,
    box: _Box,
    rows: Sequence[_Row],
    *,
    fill: str,
    stroke: str = _RULE,
    dashes: str | None = None,
) -> str:
    """Draw a box with centred rows; the one in bold may take two lines, the rest are clipped."""
    width = box.width - _PADDING
    lines = [
        _Row(line, row.font)
        for row in rows
        for line in _wrap(row.text, row.font, width, 2 if row.font.bold else 1)
    ]
    pitch = 20
    y = box.centre.y - (len(lines) - 1) * pitch // 2 + 5
    return _tag(
        "g",
        _tooltip(" · ".join(row.text for row in rows)),
        _frame(box, fill=fill, stroke=stroke, dashes=dashes),
        *(
            _text(box.centre.x, y + pitch * index, line.text, line.font, "middle")
            for index, line in enumerate(lines)
        ),
        class_="box",
        data_name=name,
    )


def _inner_links(plan: Plan) -> Iterable[str]:
    """Draw what passes between a host's daemon and its hypervisor."""
    tunnelled = plan.scenario.transport is Transport.TUNNELLED
    unmanaged = plan.scenario.flow is Flow.UNMANAGED_DIRECT
    for seat, host in ((Seat.SOURCE, _SOURCE), (Seat.DESTINATION, _DESTINATION)):
        after = seat is Seat.DESTINATION
        if not (after and unmanaged):
            yield _inner_link(seat, host, "control", host.centre.x, _THIN)
        if tunnelled:
            gutter = _daemon(host).x + 40 if after else _daemon(host).right - 40
            yield _inner_link(seat, host, "data", gutter, _THICK, up=not after)


def _inner_link(seat: Seat, host: _Box, role: str, x: int, weight: int, *, up: bool = False) -> str:
    points = (_Point(x, _daemon(host).bottom), _Point(x, _hypervisor(host).y))
    return _tag(
        "g",
        _arrow(points[::-1] if up else points, weight, _MUTED, None),
        class_=f"inner {role}",
        data_host=seat.value,
    )


def _legs(plan: Plan) -> Iterable[str]:
    if plan.scenario.transport is Transport.TUNNELLED:
        yield _tunnel(_protection(plan.data))
    for leg in plan.control:
        protection = _protection(leg)
        status = _status("control", _ports(leg), protection)
        rows = [_Row(leg.protocol, _PROTOCOL), _Row(status, _Font(12, _LOOKS[protection].colour))]
        route = _control_route(plan, leg)
        yield _leg(leg, "control", protection, route, rows, _number(plan, leg))
    protection = _data_protection(plan)
    number = None if plan.scenario.transport is Transport.TUNNELLED else "3"
    yield _leg(plan.data, "data", protection, _data_route(plan), _data_rows(plan), number)


def _leg(
    channel: Channel,
    role: str,
    protection: _Protection,
    route: _Route,
    rows: Sequence[_Row],
    number: str | None,
) -> str:
    look = _LOOKS[protection]
    badges = []
    if number:  # memory in a tunnel shares the number and the sign of what carries it
        badges = [_badge(route.number, number, look.colour), _sign(route.sign, look)]
    return _tag(
        "g",
        _tooltip(channel.because),
        _arrow(route.points, _THIN if role == "control" else _THICK, look.colour, look.dashes),
        *badges,
        *_label(route.label, rows),
        class_=f"leg {role}",
        data_from=channel.origin.value,
        data_to=channel.target.value,
        data_ports="-".join(str(port) for port in sorted(set(channel.ports or ()))),
        data_protection=protection.name.lower(),
    )


def _label(spot: _Spot, rows: Sequence[_Row]) -> Iterable[str]:
    lines = [
        _Row(line, row.font) for row in rows for line in _wrap(row.text, row.font, spot.width, 2)
    ]
    first = spot.y if spot.below else spot.y - _LEADING * (len(lines) - 1)
    for index, (text, font) in enumerate(lines):
        yield _text(spot.x, first + _LEADING * index, text, font, spot.anchor)


def _tunnel(protection: _Protection) -> str:
    """Draw the connection of the two daemons as a tube that has room for the memory."""
    look, left, right = _LOOKS[protection], _daemon(_SOURCE), _daemon(_DESTINATION)
    return _tag(
        "rect",
        class_="tunnel",
        x=left.right,
        y=left.centre.y - 30,
        width=right.x - left.right,
        height=60,
        fill=look.tint,
        stroke=look.colour,
        stroke_width=1,
        stroke_dasharray=look.dashes,
    )


def _uri_panel(panel: _Box, rows: Sequence[_URIRow]) -> str:
    inside: list[str] = []
    for index, row in enumerate(rows):
        y = panel.y + 10 + index * _URI_ROW
        inside += _uri_caption(panel, y, row)
        if index:
            inside.append(
                _tag(
                    "path",
                    class_="rule",
                    d=f"M{panel.x + _PADDING} {y}H{panel.right - _PADDING}",
                    stroke=_RULE,
                )
            )
    return _tag("g", _frame(panel, fill=_PAPER, radius=14), *inside, class_="box", data_name="uris")


def _uri_caption(panel: _Box, top: int, row: _URIRow) -> Iterable[str]:
    middle, left = top + _URI_ROW // 2, panel.x + 232
    text, font = (row.uri.value, _URI) if row.uri.value else (row.uri.because, _ABSENT)
    lines = _wrap(text, font, panel.right - _PADDING - left, 2)
    first = middle + 5 - _LEADING * (len(lines) - 1) // 2
    colour = _INK if row.uri.value else _MUTED
    yield _badge(_Point(panel.x + _PADDING + 11, middle), row.number, colour)
    yield _text(panel.x + 62, middle - 4, row.title, _PROTOCOL)
    yield _text(panel.x + 62, middle + 14, row.seen_from, _NOTE)
    for index, line in enumerate(lines):
        yield _tag(
            "g",
            _tooltip(text),
            _text(left, first + _LEADING * index, line, font),
            class_="uri",
            data_number=row.number,
        )


def _legend(box: _Box) -> str:
    """Explain weight (what travels) and dashes, colour and sign (how safely)."""
    entries = [
        ("control", _THIN, _INK, None, None),
        ("memory", _THICK, _INK, None, None),
        *(
            (protection.value, _THIN, look.colour, look.dashes, look)
            for protection, look in _LOOKS.items()
            if protection is not _Protection.UNUSED
        ),
    ]
    inside: list[str] = []
    x, y = box.x + _PADDING, box.centre.y
    for words, weight, colour, dashes, look in entries:
        end = x + (92 if look else 60)
        inside.append(_arrow((_Point(x, y), _Point(end, y)), weight, colour, dashes))
        if look:
            inside.append(_sign(_Point(x + 38, y), look))
        inside.append(_text(end + 10, y + 4, words, _NOTE))
        x = end + 10 + _ceil(_width(words, _NOTE)) + 24
    return _tag("g", *inside, class_="legend")


def _frame(
    box: _Box, *, fill: str, stroke: str = _RULE, dashes: str | None = None, radius: int = 10
) -> str:
    return _tag(
        "rect",
        class_="frame",
        **box._asdict(),
        rx=radius,
        fill=fill,
        stroke=stroke,
        stroke_width="1.5",
        stroke_dasharray=dashes,
    )


def _arrow(points: Sequence[_Point], weight: int, colour: str, dashes: str | None) -> str:
    """Draw a polyline whose head touches the last point; the line itself ends inside the head."""
    head = 7 + 2 * weight
    half = 3 + weight
    *rest, before, end = points
    dx, dy = _sign_of(end.x - before.x), _sign_of(end.y - before.y)
    neck = _Point(end.x - dx * head, end.y - dy * head)
    corners = (
        end,
        _Point(neck.x + dy * half, neck.y + dx * half),
        _Point(neck.x - dy * half, neck.y - dx * half),
    )
    return _tag(
        "polyline",
        points=_coordinates((*rest, before, neck)),
        fill="none",
        stroke=colour,
        stroke_width=weight,
        stroke_dasharray=dashes,
        stroke_linecap="round" if dashes and dashes.startswith("0.") else None,
        stroke_linejoin="round",
    ) + _tag("polygon", points=_coordinates(corners), fill=colour)


def _badge(at: _Point, number: str, colour: str) -> str:
    return _tag(
        "g",
        _disc(at, colour, colour),
        _text(at.x, at.y + 4, number, _Font(12, _PAPER, bold=True), "middle"),
        class_="badge",
    )


def _sign(at: _Point, look: _Look) -> str:
    path = _tag(
        "path",
        d=look.sign,
        transform=f"translate({at.x} {at.y})",
        fill="none",
        stroke=look.colour,
        stroke_width="1.5",
    )
    return _tag("g", _disc(at, _PAPER, look.colour), path, class_="sign")


def _disc(at: _Point, fill: str, stroke: str) -> str:
    return _tag("circle", cx=at.x, cy=at.y, r=11, fill=fill, stroke=stroke, stroke_width="1.5")


def _text(x: int, y: int, text: str, font: _Font, anchor: str = "start") -> str:
    return _tag(
        "text",
        _escape(text),
        x=x,
        y=y,
        fill=font.colour,
        font_size=font.size,
        font_weight="bold" if font.bold else None,
        font_style="italic" if font.italic else None,
        font_family=_MONO if font.mono else None,
        text_anchor=None if anchor == "start" else anchor,
    )


def _tooltip(text: str) -> str:
    return _tag("title", _escape(text))


# Text: how wide it is, how it is cut, how it is written


def _width(text: str, font: _Font) -> float:
    """Estimate how wide *text* is, for the widest of the usual fonts (DejaVu)."""
    return sum(_advance(character, font) for character in text)


def _advance(character: str, font: _Font) -> float:
    if not character.isascii():
        em = 1.2 if character < "\U0001f000" else 1.3
    elif font.mono:
        em = 0.605
    elif character in " !'(),-./:;I[]fijlrt|":
        em = 0.445
    elif character in "%@MWmw":
        em = 1.0
    elif character.isupper() or character in "#&+<=>^~":
        em = 0.84
    else:
        em = 0.64
    return em * font.size * (1.12 if font.bold else 1)


def _head(text: str, font: _Font, width: float) -> int:
    """Count the characters that fit into *width*."""
    for index, character in enumerate(text):
        width -= _advance(character, font)
        if width < 0:
            return index
    return len(text)


def _clip(text: str, font: _Font, width: float) -> str:
    """Cut the middle out of a text that is too long: hosts and paths differ at their ends."""
    text = _clean(text)
    if _head(text, font, width) == len(text):
        return text
    half = (width - _width("…", font)) / 2
    tail = _head(text[::-1], font, half)
    return f"{text[: _head(text, font, half)]}…{text[len(text) - tail :]}"


def _wrap(text: str, font: _Font, width: float, lines: int) -> list[str]:
    """Break *text* into at most so many *lines*; the last is clipped."""
    text = _clean(text)
    fits = _head(text, font, width)
    if lines == 1 or fits == len(text):
        return [_clip(text, font, width)]
    # Behind a space or what separates the parts of a URI, unless that leaves the line half empty.
    ends = [found.end() for found in re.finditer(r"[\s/?&,@.-]", text[:fits])]
    end = ends[-1] if ends and ends[-1] > fits // 2 else max(fits, 1)
    return [text[:end].rstrip(), *_wrap(text[end:].lstrip(), font, width, lines - 1)]


def _clean(text: str) -> str:
    """Replace what XML forbids or what would reorder the line, and blanks by single spaces."""
    forbidden = (
        r"[^\t\n\r\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
        r"|[\u200e\u200f\u202a-\u202e\u2066-\u2069]"
    )
    return " ".join(re.sub(forbidden, "\ufffd", text).split())


def _escape(text: str) -> str:
    return escape(_clean(text)).encode("ascii", "xmlcharrefreplace").decode("ascii")


def _tag(name: str, *inside: str, **attributes: object) -> str:
    """Write an element; an attribute that is None is left out, ``class_`` is ``class``."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    content = "".join(inside)
    end = "\n" if name in {"svg", "g", "title", "desc"} else ""
    return f"<{name}{written}>{content}</{name}>{end}" if content else f"<{name}{written}/>{end}"


def _coordinates(points: Iterable[_Point]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


def _sign_of(number: int) -> int:
    return (number > 0) - (number < 0)


def _ceil(number: float) -> int:
    return -int(-number // 1)
