from __future__ import annotations

from itertools import combinations, pairwise, permutations, product
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate_plugins import Migrator, Revision
from migrate_plugins.diagram import draw_diagram
from migrate_plugins.diagram.lettering import Row, measure
from migrate_plugins.diagram.style import Font
from migrate_plugins.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SVG = "{http://www.w3.org/2000/svg}"
CURRENT = Revision.CURRENT
QEMU = {"source": "qemu:///system", "destination": "qemu+ssh://desthost/system"}
REMOTE = {"source": "qemu+tls://srchost/system", "destination": "qemu+tcp://desthost/system"}
XEN = {"source": "xen:///", "destination": "xen+tls://desthost/"}
VPX = "vpx://admin@vcenter.example.com/DC1/cluster"
VMWARE = {"source": f"{VPX}/esx1", "destination": f"{VPX}/esx2"}
VBOX = {"source": "vbox:///session", "destination": "vbox+ssh://desthost/session"}
SOCKET = {"source": "qemu:///system", "destination": "qemu+unix:///system?socket=/run/other"}
EXTERNAL = {"source": "qemu+ext://a/system?command=nc", "destination": "qemu+ext://b/system"}
LONG = "a-host-with-a-very-long-name." * 9 + "example.com"

REQUESTS: dict[str, dict[str, Any]] = {
    "direct": QEMU,
    "direct-tls": {**QEMU, "revision": CURRENT, "tls": True, "live": True},
    "p2p": {**QEMU, "p2p": True},
    "p2p-other": {**QEMU, "p2p": True, "migration": "qemu+tls://10.0.0.1/system"},
    "p2p-remote": {**REMOTE, "p2p": True},
    "p2p-client": {**QEMU, "scenario": "native-p2p-client"},
    "tunnelled": {**QEMU, "p2p": True, "tunnelled": True},
    "tunnelled-plain": {**REMOTE, "p2p": True, "tunnelled": True},
    "tunnelled-socket": {**SOCKET, "p2p": True, "tunnelled": True},
    "external": {**EXTERNAL, "p2p": True, "tunnelled": True},
    "tunnelled-client": {
        **QEMU,
        "scenario": "tunnelled-p2p-client",
        "migration": "qemu+tcp://10.0.0.1/system",
    },
    "unmanaged": {"source": "xen:///", "migration": "xenmigr://desthost/", "direct": True},
    "xen-direct": XEN,
    "xen-p2p": {**XEN, "p2p": True, "revision": CURRENT},
    "vmware": VMWARE,
    "vbox": VBOX,
    "vbox-local": {
        **VBOX,
        "destination": "vbox:///session?user_home=/b",
        "migration": "vboxmigr://h:49301/",
    },
    "sockets": {**SOCKET, "revision": CURRENT, "migration": "unix:///run/migrate.sock"},
    "ipv6": {
        "source": "qemu+tls://[2001:db8::5]/system",
        "destination": "qemu+tls://[2001:db8:85a3:8d3:1319:8a2e:370:7348]:16515/system",
        "migration": "tcp://[2001:db8:85a3:8d3:1319:8a2e:370:7348]:49999",
    },
    "offline": {**QEMU, "offline": True, "persistent": True},
    "suspended": {**QEMU, "live": True, "suspend": True, "dname": "web1-copy"},
    "long": {
        "guest": "W" * 120,
        "dname": "i" * 300,
        "source": f"qemu+ssh://root@{LONG}:2222/system?keyfile=/home/{'k' * 300}",
        "destination": f"qemu+ssh://root@{LONG}/system",
        "migration": f"tcp://{LONG}:49999",
        "revision": CURRENT,
        "p2p": True,
    },
    "wide": {**QEMU, "guest": "\u865a\u62df\u673a" * 40, "dname": "\U0001f600" * 40},
    "escape": {
        "guest": "<b>&\"'",
        "dname": "]]>&amp;",
        "source": "qemu+ssh://srchost/system?a=1&b=<2>",
        "destination": "qemu+ssh://desthost/system?a=\"1'&b=<2>",
    },
}

# fmt: off
LEGS = [
    # request            legs: role, from, to, ports, protection
    ("direct",           ["control client source  local",
                          "control client destination 22 encrypted",
                          "data source destination 49152-49215 plain"]),
    ("direct-tls",       ["control client source  local",
                          "control client destination 22 encrypted",
                          "data source destination 49152-49215 encrypted"]),
    ("p2p",              ["control client source  local",
                          "control source destination 22 encrypted",
                          "data source destination 49152-49215 plain"]),
    ("p2p-other",        ["control client source  local",
                          "control source destination 16514 encrypted",
                          "data source destination 49152-49215 plain"]),
    ("p2p-remote",       ["control client source 16514 encrypted",
                          "control source destination 16509 plain",
                          "data source destination 49152-49215 plain"]),
    ("p2p-client",       ["control client source  local",
                          "control client destination 22 encrypted",
                          "control source destination 22 encrypted",
                          "data source destination 49152-49215 plain"]),
    ("tunnelled",        ["control client source  local",
                          "control source destination 22 encrypted",
                          "data source destination 22 encrypted"]),
    ("tunnelled-plain",  ["control client source 16514 encrypted",
                          "control source destination 16509 plain",
                          "data source destination 16509 plain"]),
    ("tunnelled-socket", ["control client source  local",
                          "control source destination  local",
                          "data source destination  local"]),
    ("external",         ["control client source  plain",
                          "control source destination  plain",
                          "data source destination  plain"]),
    ("tunnelled-client", ["control client source  local",
                          "control client destination 22 encrypted",
                          "control source destination 16509 plain",
                          "data source destination 16509 plain"]),
    ("unmanaged",        ["control client source  local",
                          "control source destination 8002 unknown",
                          "data source destination 8002 unknown"]),
    ("vmware",           ["control client source 443 encrypted",
                          "control client destination 443 encrypted",
                          "data source destination 8000 unknown"]),
    ("vbox",             ["control client source  local",
                          "control client destination 22 encrypted",
                          "data source destination 49300-49363 plain"]),
    ("sockets",          ["control client source  local",
                          "control client destination  local",
                          "data source destination  local"]),
    ("ipv6",             ["control client source 16514 encrypted",
                          "control client destination 16515 encrypted",
                          "data source destination 49999 plain"]),
    ("offline",          ["control client source  local",
                          "control client destination 22 encrypted",
                          "data source destination 49152-49215 unused"]),
]

LABELS = [
    # request    role       to              its label, from top to bottom
    ("direct",    "control", "source",      ["UNIX socket",
                                             "control · does not cross the network"]),
    ("direct",    "control", "destination", ["libvirt RPC over ssh",
                                             "control · port 22 · encrypted"]),
    ("direct",    "data",    "destination", ["QEMU migration stream",
                                             "memory · ports 49152\u201349215 · plain text",
                                             "one of them, chosen by the destination"]),
    ("vbox",      "data",    "destination", ["VirtualBox teleportation",
                                             "memory · ports 49300\u201349363 · plain text",
                                             "one of them, chosen by migrate-plugins"]),
    ("vmware",    "data",    "destination", ["vMotion",
                                             "memory · port 8000 · encryption not", "known"]),
    ("sockets",   "data",    "destination", ["QEMU migration stream",
                                             "memory · does not cross the network",
                                             "over a UNIX socket"]),
    ("tunnelled", "data",    "destination", ["QEMU migration stream",
                                             "memory · tunnelled · encrypted"]),
    ("external",  "control", "source",      ["libvirt RPC over an external command",
                                             "control · plain text"]),
    ("offline",   "data",    "destination", ["QEMU migration stream",
                                             "memory · not used: the guest is shut off"]),
]

NAMES = [
    # request      box                     its text
    ("direct",     "source-host",         "Source host|on the client\u2019s own machine"),
    ("direct",     "destination-host",    "Destination host|reached at desthost"),
    ("p2p-other",  "destination-host",    "Destination host|reached at 10.0.0.1"),
    ("sockets",    "destination-host",    "Destination host|on the client\u2019s own machine"),
    ("unmanaged",  "destination-host",    "Destination host|reached at desthost"),
    ("direct",     "source-daemon",       "daemon|libvirtd"),
    ("sockets",    "source-daemon",       "daemon|libvirtd"),
    ("unmanaged",  "source-daemon",       "daemon|libvirtd"),
    ("unmanaged",  "destination-daemon",  "daemon, not used|libvirtd"),
    ("vmware",     "destination-daemon",  "management|vSphere API"),
    ("vbox",       "source-daemon",       "management|VBoxManage"),
    ("vbox-local", "source-daemon",       "management|VBoxManage"),
    ("unmanaged",  "source-hypervisor",   "hypervisor|xen"),
    ("direct",     "source-guest",        "guest before|web1|paused during the copy"),
    ("direct",     "destination-guest",   "guest after|web1|continues here"),
    ("direct-tls", "source-guest",        "guest before|web1|runs while its memory is copied"),
    ("suspended",  "destination-guest",   "guest after|web1-copy|stays paused"),
    ("offline",    "source-guest",        "guest before|web1|shut off: only its definition moves"),
    ("escape",     "source-guest",        "guest before|<b>&\"'|paused during the copy"),
]

NUMBERS = [
    # request            on the arrows         beside the captions
    ("direct",           ["1", "2", "3"],      ["1", "2", "3"]),
    ("tunnelled",        ["1", "2"],           ["1", "2", "3"]),
    ("tunnelled-client", ["1", "2c", "2s"],    ["1", "2c", "2s", "3"]),
    ("p2p-client",       ["1", "2", "2", "3"], ["1", "2", "3"]),
    ("p2p-other",        ["1", "2s", "3"],     ["1", "2c", "2s", "3"]),
    ("unmanaged",        ["1", "3", "3"],      ["1", "2", "3"]),
]

WIDTHS = [
    # bold   mono   text                  its width in em in DejaVu Sans and DejaVu Sans Mono
    (False, False, "memory over tls",    8.23),
    (False, False, "WWMM@%",             5.65),
    (False, False, "Migration of web1",  9.02),
    (False, False, "qemu+ssh://[::1]/",  8.81),
    (True,  False, "memory over tls",    9.22),
    (True,  False, "WWMM@%",             6.20),
    (True,  False, "Migration of web1",  10.27),
    (True,  False, "qemu+ssh://[::1]/",  9.79),
    (False, True,  "memory over tls",    9.03),
    (False, True,  "WWMM@%",             3.61),
    (False, True,  "Migration of web1",  10.23),
    (False, True,  "qemu+ssh://[::1]/",  10.23),
]
# fmt: on


class Area(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def holds(self, other: Area) -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and other.right <= self.right
            and other.bottom <= self.bottom
        )

    def meets(self, other: Area) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def has_on_its_edge(self, x: float, y: float) -> bool:
        return self.holds(Area(x, y, x, y)) and (
            x in {self.left, self.right} or y in {self.top, self.bottom}
        )


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    migrator = Migrator.installed()
    return {name: migrator.plan(**{"guest": "web1", **asked}) for name, asked in REQUESTS.items()}


@pytest.fixture(params=REQUESTS)
def plan(request: pytest.FixtureRequest, plans: dict[str, Plan]) -> Plan:
    return plans[request.param]


def draw(plan: Plan) -> ET.Element:
    return ET.fromstring(draw_diagram(plan))  # noqa: S314


def groups(root: ET.Element, word: str) -> Iterator[ET.Element]:
    return (each for each in root.iter(f"{SVG}g") if word in each.get("class", "").split())


def number(element: ET.Element, name: str) -> float:
    return float(element.get(name, "0"))


def rectangle(element: ET.Element) -> Area:
    x, y = number(element, "x"), number(element, "y")
    return Area(x, y, x + number(element, "width"), y + number(element, "height"))


def frames(root: ET.Element) -> list[Area]:
    return [
        rectangle(each)
        for each in root.iter(f"{SVG}rect")
        if each.get("class") in {"frame", "tunnel"}
    ]


def text_area(element: ET.Element) -> Area:
    """Where a text is: as wide as estimated, as high as the tallest of the usual fonts."""
    size = int(element.get("font-size", "0"))
    font = Font(size, bold="font-weight" in element.attrib, mono="font-family" in element.attrib)
    width = measure(Row(element.text or "", font))
    share = {"middle": 0.5, "end": 1.0}.get(element.get("text-anchor", ""), 0.0)
    x, y = number(element, "x") - share * width, number(element, "y")
    return Area(x, y - 0.93 * size, x + width, y + 0.24 * size)


def texts(root: ET.Element) -> list[Area]:
    return [text_area(each) for each in root.iter(f"{SVG}text")]


def texts_beside_badges(root: ET.Element) -> list[Area]:
    inside = {id(each) for badge in groups(root, "badge") for each in badge.iter(f"{SVG}text")}
    return [text_area(each) for each in root.iter(f"{SVG}text") if id(each) not in inside]


def points(element: ET.Element) -> list[tuple[float, float]]:
    pairs = (pair.split(",") for pair in element.get("points", "").split())
    return [(float(x), float(y)) for x, y in pairs]


def strokes(root: ET.Element) -> Iterator[Area]:
    """Give what arrows and their heads cover; all are horizontal or vertical."""
    for line in root.iter(f"{SVG}polyline"):
        half = number(line, "stroke-width") / 2
        for (x0, y0), (x1, y1) in pairwise(points(line)):
            yield Area(
                min(x0, x1) - half, min(y0, y1) - half, max(x0, x1) + half, max(y0, y1) + half
            )
    for head in root.iter(f"{SVG}polygon"):
        xs, ys = zip(*points(head), strict=True)
        yield Area(min(xs), min(ys), max(xs), max(ys))


def discs(root: ET.Element) -> list[Area]:
    return [
        Area(
            number(each, "cx") - number(each, "r"),
            number(each, "cy") - number(each, "r"),
            number(each, "cx") + number(each, "r"),
            number(each, "cy") + number(each, "r"),
        )
        for each in root.iter(f"{SVG}circle")
    ]


def words(element: ET.Element) -> list[str]:
    """Give the texts that stand in *element* itself, not those of badges."""
    return [each.text or "" for each in element.findall(f"{SVG}text")]


def box(root: ET.Element, name: str) -> ET.Element:
    (found,) = (each for each in groups(root, "box") if each.get("data-name") == name)
    return found


def leg(each: ET.Element) -> str:
    role = each.get("class", "").split()[-1]
    return " ".join(
        [role, *(each.get(f"data-{name}", "?") for name in ("from", "to", "ports", "protection"))]
    )


@pytest.mark.parametrize(("name", "expected"), LEGS)
def test_each_leg_is_drawn_with_its_ports_and_its_protection(
    plans: dict[str, Plan], name: str, expected: list[str]
) -> None:
    assert [leg(each) for each in groups(draw(plans[name]), "leg")] == expected


@pytest.mark.parametrize(("name", "role", "to", "expected"), LABELS)
def test_a_leg_is_labelled(
    plans: dict[str, Plan], name: str, role: str, to: str, expected: list[str]
) -> None:
    (found,) = (
        each
        for each in groups(draw(plans[name]), role)
        if "leg" in each.get("class", "") and each.get("data-to") == to
    )

    assert words(found) == expected


@pytest.mark.parametrize(("name", "box_name", "expected"), NAMES)
def test_a_box_is_named(plans: dict[str, Plan], name: str, box_name: str, expected: str) -> None:
    assert "|".join(words(box(draw(plans[name]), box_name))) == expected


@pytest.mark.parametrize(("name", "then"), [("direct", "is aborted"), ("p2p", "continues")])
def test_the_client_says_what_its_crash_means(plans: dict[str, Plan], name: str, then: str) -> None:
    assert words(box(draw(plans[name]), "client")) == [
        "Client",
        "if it crashes or is cut off,",
        f"the migration {then}",
    ]


@pytest.mark.parametrize(("name", "on_arrows", "captions"), NUMBERS)
def test_numbers_lead_from_the_arrows_to_the_uris(
    plans: dict[str, Plan], name: str, on_arrows: list[str], captions: list[str]
) -> None:
    root = draw(plans[name])

    def numbers(parents: Iterable[ET.Element]) -> list[str]:
        return [
            text for each in parents for badge in groups(each, "badge") for text in words(badge)
        ]

    assert numbers(groups(root, "leg")) == on_arrows
    assert numbers([box(root, "uris")]) == captions


@pytest.mark.parametrize(
    ("encrypted", "protection", "status"),
    [
        (False, "plain", "control · plain text"),  # an external command: who knows where it leads
        (True, "local", "control · does not cross the network"),
        (None, "local", "control · does not cross the network"),
    ],
)
def test_a_leg_without_a_port_is_plain_text_only_where_it_can_be_read(
    plans: dict[str, Plan], *, encrypted: bool | None, protection: str, status: str
) -> None:
    plan = plans["external"]
    assert {(each.ports, each.encrypted) for each in plan.control} == {(None, False)}

    control = tuple(each._replace(encrypted=encrypted) for each in plan.control)
    root = draw(plan._replace(control=control))

    drawn = [each for each in groups(root, "control") if "leg" in each.get("class", "")]
    assert [(each.get("data-ports"), each.get("data-protection")) for each in drawn] == [
        ("", protection),
        ("", protection),
    ]
    label = f"libvirt RPC over an external command {status}"
    assert [" ".join(words(each)) for each in drawn] == [label, label]


def test_an_external_command_is_told_as_plain_text_without_a_port(plans: dict[str, Plan]) -> None:
    told = draw(plans["external"]).findtext(f"{SVG}desc") or ""

    assert (
        "Control, client to source: libvirt RPC over an external command, plain text."
        " Control, source to destination: libvirt RPC over an external command, plain text."
    ) in told


def test_protection_shows_in_dashes_and_sign_not_in_colour_alone(plans: dict[str, Plan]) -> None:
    shown: dict[str, set[tuple[str | None, ...]]] = {}
    unknown = plans["direct"]._replace(data=plans["direct"].data._replace(encrypted=None))
    for plan in (*plans.values(), unknown):
        for each in groups(draw(plan), "leg"):
            line = each.find(f"{SVG}polyline")
            sign = each.find(f"{SVG}g[@class='sign']/{SVG}path")
            if line is None or sign is None:
                assert plan.scenario.transport == "tunnelled"  # it has the sign of what carries it
                continue
            looks = shown.setdefault(each.get("data-protection", ""), set())
            looks.add((line.get("stroke"), line.get("stroke-dasharray"), sign.get("d")))

    assert set(shown) == {"encrypted", "plain", "local", "unknown", "unused"}
    assert all(len(looks) == 1 for looks in shown.values())
    _, dashes, signs = zip(*(look for (look,) in shown.values()), strict=True)
    assert len(set(dashes)) == len(set(signs)) == len(shown)


def test_the_legend_explains_every_look(plan: Plan) -> None:
    (legend,) = groups(draw(plan), "legend")

    assert words(legend) == [
        *("control", "memory"),
        *("encrypted", "plain text", "not on the network", "not known"),
    ]


def ends(plan: Plan, each: ET.Element) -> tuple[str, str]:
    """Say which boxes a leg joins, by the document's five pictures."""
    origin, target = each.get("data-from", ""), each.get("data-to", "")
    if origin == "client":
        return "client", f"{target}-daemon"
    native_data = "data" in each.get("class", "") and plan.scenario.transport == "native"
    inner = "hypervisor" if native_data or plan.scenario.flow == "unmanaged-direct" else "daemon"
    return f"{origin}-{inner}", f"{target}-{inner}"


def test_every_arrow_joins_the_right_boxes(plan: Plan) -> None:
    root = draw(plan)
    for each in groups(root, "leg"):
        line, head = each.find(f"{SVG}polyline"), each.find(f"{SVG}polygon")
        assert line is not None
        assert head is not None
        for name, point in zip(ends(plan, each), (points(line)[0], points(head)[0]), strict=True):
            frame = box(root, name).find(f"{SVG}rect")
            assert frame is not None
            assert rectangle(frame).has_on_its_edge(*point), (leg(each), name)


def test_inside_a_host_the_tunnel_leads_through_the_daemon(plans: dict[str, Plan]) -> None:
    def inner(name: str) -> list[str]:
        found = groups(draw(plans[name]), "inner")
        return [f"{each.get('data-host')} {each.get('class', '').split()[-1]}" for each in found]

    assert inner("direct") == ["source control", "destination control"]
    assert inner("unmanaged") == ["source control"]
    assert inner("tunnelled") == [
        *("source control", "source data"),
        *("destination control", "destination data"),
    ]
    tunnels = {
        name: [each for each in draw(plans[name]).iter() if each.get("class") == "tunnel"]
        for name in plans
    }
    assert {name for name, found in tunnels.items() if found} == {
        name for name, plan in plans.items() if plan.scenario.transport == "tunnelled"
    }


def check_geometry(root: ET.Element) -> None:
    check_that_it_fits(root)
    check_that_nothing_overlaps(root)


def check_that_it_fits(root: ET.Element) -> None:
    paper = next(each for each in root.iter(f"{SVG}rect") if each.get("class") == "paper")
    canvas, boxes, areas = rectangle(paper), frames(root), texts(root)
    assert root.get("viewBox") == f"0 0 {canvas.right:g} {canvas.bottom:g}"
    for area in (*areas, *boxes, *discs(root), *strokes(root)):
        assert canvas.holds(area)
    for area in areas:
        for frame in boxes:
            assert frame.holds(area) or not frame.meets(area)
    for each in groups(root, "box"):
        frame_element = each.find(f"{SVG}rect")
        assert frame_element is not None
        for text in each.iter(f"{SVG}text"):
            assert rectangle(frame_element).holds(text_area(text)), text.text


def check_that_nothing_overlaps(root: ET.Element) -> None:
    for one, other in combinations(texts(root), 2):
        assert not one.meets(other)
    for one, other in combinations(discs(root), 2):
        assert not one.meets(other)
    for area in texts_beside_badges(root):
        for covering in (*strokes(root), *discs(root)):
            assert not area.meets(covering)
    for one_leg, other_leg in permutations(groups(root, "leg"), 2):
        for disc, stroke in product(discs(one_leg), strokes(other_leg)):
            assert not disc.meets(stroke)


@pytest.mark.parametrize(("bold", "mono", "text", "width"), WIDTHS)
def test_widths_are_estimated_with_a_little_to_spare(
    *, bold: bool, mono: bool, text: str, width: float
) -> None:
    assert width <= measure(Row(text, Font(1, bold=bold, mono=mono))) <= 1.25 * width


def test_nothing_overflows_overlaps_or_is_crossed_out(plan: Plan) -> None:
    check_geometry(draw(plan))


def test_nothing_overlaps_while_encryption_is_not_known(plan: Plan) -> None:
    control = tuple(each._replace(encrypted=None) for each in plan.control)
    check_geometry(draw(plan._replace(control=control, data=plan.data._replace(encrypted=None))))


@settings(max_examples=60, deadline=None)
@given(guest=st.text(max_size=200), uri=st.text(max_size=400), name=st.text(max_size=80))
def test_nothing_overflows_whatever_the_texts(guest: str, uri: str, name: str) -> None:
    plan = Migrator.installed().plan("web1", QEMU["source"], QEMU["destination"])
    root = draw(
        plan._replace(
            driver=name,
            request=plan.request._replace(guest=guest),
            uris=plan.uris._replace(migration=plan.uris.migration._replace(value=uri)),
            data=plan.data._replace(protocol=name),
        )
    )

    check_geometry(root)


def test_the_uris_are_captions(plan: Plan) -> None:
    shown: dict[str, str] = {}
    for each in groups(draw(plan), "uri"):
        key = each.get("data-number", "")
        shown[key] = shown.get(key, "") + "".join(words(each))
    uris = plan.uris
    assert_caption(shown["1"], uris.source.value or uris.source.because)
    assert_caption(shown.get("2s", shown.get("2", "")), uris.destination.value or "")
    assert_caption(shown["3"], uris.migration.value or uris.migration.because)
    assert ("2c" in shown) == (uris.destination.value != uris.destination_from_client.value)


def assert_caption(shown: str, value: str) -> None:
    if "…" in shown:
        start, end = shown.split("…")
        assert value.startswith(start)
        assert value.endswith(end)
    elif value:
        assert shown == value


def test_what_is_clipped_is_told_in_full_beside(plans: dict[str, Plan]) -> None:
    plan = plans["long"]
    root = draw(plan)
    told = "".join(each.text or "" for each in root.iter(f"{SVG}title"))
    description = root.findtext(f"{SVG}desc") or ""

    for value in (plan.guest, plan.destination_name, plan.uris.source.value):
        assert value is not None
        assert value in told
        assert value in description


def test_it_is_an_image_with_a_name_and_a_description(plans: dict[str, Plan]) -> None:
    root = draw(plans["tunnelled-client"])
    title, desc = root[0], root[1]

    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert title.text == "Migration of web1"
    assert desc.text == (
        "Tunnelled migration, client and peer2peer between two libvirtd servers"
        " (tunnelled-p2p-client, revision original)."
        " Guest web1, web1 on the destination."
        " Control, client to source: UNIX socket, not on the network."
        " Control, client to destination: libvirt RPC over ssh, port 22, encrypted."
        " Control, source to destination: libvirt RPC over tcp, port 16509, plain text."
        " Memory, source to destination: QEMU migration stream inside libvirt RPC over tcp,"
        " port 16509, plain text."
        " Source URI, as the client opens it: qemu:///system."
        " Destination URI, as the client opens it: qemu+ssh://desthost/system."
        " Destination URI, as the source opens it: qemu+tcp://10.0.0.1/system."
        " Migration URI, none given: not used: memory travels inside the libvirt connection."
        " If the client crashes: continues."
    )


def test_the_header_tells_guest_scenario_and_revision(plans: dict[str, Plan]) -> None:
    root = draw(plans["direct-tls"])
    (header,) = groups(root, "header")

    assert words(header) == [
        "Migration of web1",
        "Native migration, client to two libvirtd servers",
    ]
    assert [words(each) for each in groups(header, "pill")] == [
        ["revision current"],
        ["native-direct"],
    ]


def test_it_stands_alone(plan: Plan) -> None:
    text = draw_diagram(plan)

    assert text.isascii()
    assert text.count("http") == text.count("https") + 1  # the namespace
    for word in ("href", "<style", "<script", "url(", "<image", "<foreignObject"):
        assert word not in text


@pytest.mark.parametrize("text", ["a\x01b", "a\x7fb", "a\ud800b", "a\ufffeb", "a\u202eb"])
def test_what_xml_or_a_line_of_text_cannot_hold_is_replaced(
    plans: dict[str, Plan], text: str
) -> None:
    plan = plans["direct"]
    root = draw(plan._replace(request=plan.request._replace(guest=text)))

    assert words(box(root, "source-guest"))[1] == "a\ufffdb"


def test_equal_plans_give_equal_text(plan: Plan) -> None:
    read = Plan.from_json(plan.to_json())

    assert read is not plan
    assert draw_diagram(read) == draw_diagram(plan)


def test_a_driver_that_nobody_knows_is_drawn_in_its_own_words(plans: dict[str, Plan]) -> None:
    plan = plans["direct"]
    control = tuple(each._replace(protocol="Acme console over quic") for each in plan.control)
    root = draw(
        plan._replace(driver="acme", control=control, data=plan.data._replace(protocol="Acme beam"))
    )
    shown = [each.text for each in root.iter(f"{SVG}text")]

    assert words(box(root, "source-daemon")) == ["management", "Acme console"]
    assert words(box(root, "source-hypervisor")) == ["hypervisor", "acme"]
    assert "Acme beam" in shown
    assert "qemu" not in shown
