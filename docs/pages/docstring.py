"""What the code says of itself: a docstring by its sections, as Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Entry", "Section", "markdown", "sections"]


class Entry(NamedTuple):
    """One line of a section, such as an argument and what it is."""

    name: str
    type: str
    text: str


class Section(NamedTuple):
    """A part of a docstring: plain text, or a list of entries."""

    kind: str
    text: str
    entries: tuple[Entry, ...]


def sections(thing: griffe.Object) -> Iterator[Section]:
    """Give the sections of *thing*'s docstring in their order."""
    if thing.docstring is None:
        return
    for section in thing.docstring.parse("google"):
        if isinstance(section, griffe.DocstringSectionText):
            yield Section("text", markdown(section.value), ())
        else:
            entries = tuple(
                Entry(
                    str(getattr(entry, "name", "")),
                    "" if entry.annotation is None else str(entry.annotation),
                    markdown(entry.description),
                )
                for entry in section.value
            )
            yield Section(section.kind.value, "", entries)


def markdown(text: str) -> str:
    """Give the docstrings' own few marks as Markdown."""
    text = re.sub(r":\w+:`~?(?:migrate_plugins\.)?([^`]+)`", r"`\1`", text)
    text = text.replace("``", "`")
    text = re.sub(r"::\n\n((?:    .*\n?|\n)+)", _block, text)
    return re.sub(r"(?<=\S)  +(?=\S)", " ", text.strip())


def _block(found: re.Match[str]) -> str:
    lines = (line.removeprefix("    ") for line in found[1].strip("\n").split("\n"))
    return ":\n\n```python\n" + "\n".join(lines) + "\n```\n\n"
