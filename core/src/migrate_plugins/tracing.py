"""What plugins were asked and answered: a step for each, for whoever traces them."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Step", "Tracer", "asked", "masked", "without_secrets"]

# What stands behind a user's name in a URI, and parameters and settings by their names.
_SECRETS: Final = (
    (re.compile(r"(?<=://)([^/?#@\s'\":]*):[^/?#@\s'\"]*@"), r"\1:***@"),
    (
        re.compile(
            r"([\w-]*(?:passw(?:or)?d|passphrase|secret|token|credential|api[_-]?key|private[_-]?key)"
            r"[\w-]*(?:'\s*:\s*|\s*[=:]\s*))('[^']*'|\"[^\"]*\"|[^\s&'\",)\]}]+)",
            re.IGNORECASE,
        ),
        r"\1***",
    ),
)


class Step(NamedTuple):
    """One plugin's part in the answer to a hook, or its loading.

    Attributes:
        hook: Which hook; ``load`` for the import of the plugin.
        plugin: Name of the plugin.
        arguments: What it was asked, as text without secrets.
        answer: What it answered or raised, likewise.
        microseconds: How long it took.
        changed: For a wrapper, whether the answer is another one than without it; else None.
    """

    hook: str
    plugin: str
    arguments: str
    answer: str
    microseconds: int
    changed: bool | None = None


# Anything that takes a step: `print` will do.
Tracer: TypeAlias = Callable[[Step], object]


def without_secrets(value: object) -> str:
    """Write *value* briefly, with passwords and the like masked."""
    return masked(_brief(value))


def _brief(value: object) -> str:
    """Write a value as Python does, without enumerations' decoration and fields left at default."""
    if isinstance(value, Enum):
        return repr(value.value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        defaults: dict[str, object] = getattr(value, "_field_defaults", {})
        given = (
            f"{field}={_brief(each)}"
            for field, each in zip(value._fields, value, strict=True)
            if field not in defaults or each != defaults[field]
        )
        return f"{type(value).__name__}({', '.join(given)})"
    if type(value) is dict:
        return f"{{{', '.join(f'{_brief(key)}: {_brief(each)}' for key, each in value.items())}}}"
    if type(value) is frozenset:
        return f"{{{', '.join(sorted(map(_brief, value)))}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_brief, value))}]"
    return repr(value)


def masked(text: str) -> str:
    """Mask passwords and the like in *text*."""
    for pattern, mask in _SECRETS:
        text = pattern.sub(mask, text)
    return text


def asked(arguments: Mapping[str, object]) -> str:
    """Give the arguments of a hook as text."""
    return ", ".join(f"{name}={without_secrets(value)}" for name, value in arguments.items())
