"""How wide a text is, how it is cut to fit, and which characters it may hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from migrate_plugins.diagram.style import Font

__all__ = ["LEADING", "Row", "clean", "measure", "wrap"]

LEADING: Final = 18  # from a row to the next, in pixels


class Row(NamedTuple):
    """One row of text."""

    text: str
    font: Font


def measure(row: Row) -> float:
    """Estimate how wide *row* is, for the widest of the usual fonts (DejaVu)."""
    return sum(_advance(character, row.font) for character in row.text)


def wrap(row: Row, width: float, rows: int = 1) -> list[Row]:
    """Break *row* into at most so many *rows*; the last is clipped."""
    text, font = clean(row.text), row.font
    fits = _fitting(text, font, width)
    if fits == len(text):
        return [Row(text, font)]
    if rows == 1:
        return [Row(_clip(text, font, width), font)]
    # Behind a space or what separates the parts of a URI, unless that leaves the line half empty.
    ends = [found.end() for found in re.finditer(r"[\s/?&,@.-]", text[:fits])]
    end = ends[-1] if ends and ends[-1] > fits // 2 else max(fits, 1)
    return [Row(text[:end].rstrip(), font), *wrap(Row(text[end:], font), width, rows - 1)]


def clean(text: str) -> str:
    """Replace what XML forbids or what would reorder the line, and blanks by single spaces."""
    forbidden = (
        r"[^\t\n\r\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
        r"|[\u200e\u200f\u202a-\u202e\u2066-\u2069]"
    )
    return " ".join(re.sub(forbidden, "\ufffd", text).split())


def _clip(text: str, font: Font, width: float) -> str:
    """Cut the middle out of a text that is too long: hosts and paths differ at their ends."""
    half = (width - _advance("…", font)) / 2
    tail = _fitting(text[::-1], font, half)
    return f"{text[: _fitting(text, font, half)]}…{text[len(text) - tail :]}"


def _fitting(text: str, font: Font, width: float) -> int:
    """Count the characters that fit into *width*."""
    for index, character in enumerate(text):
        width -= _advance(character, font)
        if width < 0:
            return index
    return len(text)


def _advance(character: str, font: Font) -> float:
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
