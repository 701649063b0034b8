"""How the picture looks: colours, fonts, and a look for each degree of protection."""

from __future__ import annotations

from typing import Final, NamedTuple

from migrate_plugins.diagram.legs import Protection

__all__ = [
    "ABSENT",
    "BADGE",
    "BLUE",
    "BLUE_TINT",
    "HEADING",
    "INK",
    "LOOKS",
    "MONO",
    "MUTED",
    "NAME",
    "NOTE",
    "PANEL",
    "PAPER",
    "PILL",
    "PROTOCOL",
    "RULE",
    "SANS",
    "SUBTITLE",
    "THICK",
    "THIN",
    "TITLE",
    "URI",
    "Font",
    "Look",
]

INK: Final = "#1f2328"
MUTED: Final = "#59636e"
RULE: Final = "#d1d9e0"
PANEL: Final = "#f6f8fa"
PAPER: Final = "#ffffff"
BLUE: Final = "#0969da"
BLUE_TINT: Final = "#eef6ff"

SANS: Final = "system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"
MONO: Final = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

# Widths of arrows: control and memory.
THIN: Final = 2
THICK: Final = 5


class Font(NamedTuple):
    """How a text is set."""

    size: int
    colour: str = INK
    bold: bool = False
    mono: bool = False
    italic: bool = False


TITLE: Final = Font(28, bold=True)
SUBTITLE: Final = Font(15, MUTED)
HEADING: Final = Font(16, bold=True)
NAME: Final = Font(15, bold=True)
NOTE: Final = Font(12, MUTED)
PROTOCOL: Final = Font(13, bold=True)
URI: Final = Font(13, mono=True)
ABSENT: Final = Font(13, MUTED, italic=True)
PILL: Final = Font(13, MUTED)
BADGE: Final = Font(12, PAPER, bold=True)


class Look(NamedTuple):
    """How a degree of protection is told from the others."""

    colour: str
    tint: str
    dashes: str | None  # from "0." on they are dots
    sign: str  # path within the square from -5 to 5


LOOKS: Final = {
    Protection.ENCRYPTED: Look(
        "#1a7f37", "#effaf2", None, "M-4.5-.5h9v6h-9zM-2.7-.5v-2.3a2.7 2.7 0 0 1 5.4 0v2.3"
    ),
    Protection.PLAIN: Look(
        "#cf222e", "#fff3f2", "9 6", "M-4.5-.5h9v6h-9zM-2.7-.5v-3.3a2.7 2.7 0 0 1 5.4 0"
    ),
    Protection.LOCAL: Look(MUTED, PANEL, "0.1 7", "M-5-4.5h10v6.5h-10zM0 2v3M-3 5h6"),
    Protection.UNKNOWN: Look(
        "#7d4e00", "#fff8e5", "14 5 2 5", "M-2.5-3a2.6 2.6 0 1 1 3.4 2.6q-.9.4-.9 1.9M0 4.4v.6"
    ),
    Protection.UNUSED: Look(MUTED, PANEL, "0.1 13", "M-4-4l8 8M-4 4l8-8"),
}
