"""The page of the hooks, from the docstrings of ``hookspecs.py``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import griffe

from pages.docstring import markdown, sections

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["page"]

_HEAD: Final = """\
<!-- Written by scripts/docs from hookspecs.py. -->
# Hooks

{introduction}

A hook takes any of its arguments, by name: leave out those that you do not need. `@hookimpl` comes
from `migrate_plugins`, and so does every type that is named here; [their fields](values.md) have a
page of their own.

An **addressed** hook asks the one driver that owns the host. Where it says that None is no answer,
a driver has to implement it. A **broadcast** hook asks everyone; the answers are put together, and
an implementation that raises stops nobody else.
"""

# What a page shows without scrolling.
_WIDTH: Final = 80

_TITLES: Final = {"parameters": "Arguments", "returns": "Answer", "raises": "Raises"}


def page() -> str:
    """Give the page."""
    module = griffe.load("migrate_plugins.hookspecs")
    introduction = module.docstring.value if module.docstring else ""
    parts = [_HEAD.format(introduction=markdown(introduction))]
    banners = {
        number: found[1]
        for number, line in enumerate(module.lines, start=1)
        if (found := re.match(r"# --- (.+?) -+$", line))
    }
    for hook in module.functions.values():
        above = [number for number in banners if number < (hook.lineno or 0)]
        parts += [f"## {banners.pop(number).capitalize()}\n" for number in above]
        parts += _hook(hook)
    return "\n".join(parts)


def _hook(hook: griffe.Function) -> Iterator[str]:
    arguments = [f"{each.name}: {each.annotation}" for each in hook.parameters]
    yield f"### {hook.name}\n"
    yield f"```python\n{_signature(hook.name, arguments, str(hook.returns))}\n```\n"
    for section in sections(hook):
        if section.kind == "text":
            yield re.sub(r"^(Addressed|Broadcast)\.$", r"**\1.**", section.text) + "\n"
            continue
        yield f"{_TITLES[section.kind]}:\n"
        for entry in section.entries:
            name = entry.type if section.kind in {"returns", "raises"} else entry.name
            yield f"- `{name}`: {' '.join(entry.text.split())}"
        yield ""


def _signature(name: str, arguments: list[str], answer: str) -> str:
    line = f"def {name}({', '.join(arguments)}) -> {answer}: ..."
    if len(line) <= _WIDTH:
        return line
    lines = "".join(f"    {argument},\n" for argument in arguments)
    return f"def {name}(\n{lines}) -> {answer}: ..."
