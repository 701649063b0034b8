"""The page of the values that core and plugins exchange, from their docstrings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import griffe

import migrate_plugins
from pages.docstring import sections

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["page"]

_HEAD: Final = """\
<!-- Written by scripts/docs from the docstrings of the public values. -->
# Values

What core and plugins exchange. All of it is imported from `migrate_plugins`, and all of it is
frozen: `value._replace(field=…)` gives a changed copy.
"""

# In the order in which a reader of the hooks meets them.
_MODULES: Final = (
    "model",
    "uris",
    "plan",
    "sessions",
    "findings",
    "diagnosis",
    "progress",
    "outcome",
    "reconciliation",
    "reconciler",
    "records",
    "options",
    "settings",
)


def page() -> str:
    """Give the page."""
    package = griffe.load("migrate_plugins")
    parts = [_HEAD]
    for name in _MODULES:
        classes = [
            each
            for each in package.modules[name].classes.values()
            if each.name in migrate_plugins.__all__
        ]
        for each in classes:
            parts += _value(each)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts))


def _value(value: griffe.Class) -> Iterator[str]:
    yield f"## {value.name}\n"
    for section in sections(value):
        if section.kind == "text":
            yield section.text + "\n"
        elif section.kind == "attributes":
            yield from _fields(value, {entry.name: entry.text for entry in section.entries})
    if any(str(base) in {"StrEnum", "IntEnum"} for base in value.bases):
        members = (each for each in value.attributes.values() if "class-attribute" in each.labels)
        yield ", ".join(f"`{each.name}` = `{each.value}`" for each in members) + "\n"
    for method in value.functions.values():
        if not method.name.startswith("_") and method.docstring is not None:
            arguments = ", ".join(
                f"{each.name}: {each.annotation}"
                for each in method.parameters
                if each.name not in {"self", "cls"}
            )
            summary = next(sections(method)).text.splitlines()[0]
            yield f"- `{method.name}({arguments}) -> {method.returns}`: {summary}"
    yield ""


def _fields(value: griffe.Class, texts: dict[str, str]) -> Iterator[str]:
    yield "| Field | Type | |"
    yield "|---|---|---|"
    for name, text in texts.items():
        field = value.attributes.get(name)
        type_ = "" if field is None else str(field.annotation)
        if field is not None and field.value is not None:
            type_ += f" = {field.value}"
        yield f"| `{name}` | `{type_.replace('|', chr(92) + '|')}` | {' '.join(text.split())} |"
    yield ""
