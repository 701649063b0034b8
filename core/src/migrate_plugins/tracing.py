"""What plugins were asked and answered: a step for each, for whoever traces them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple, TypeAlias

from migrate_plugins.errors import shown

__all__ = ["Step", "Tracer", "hidden", "masked", "without_secrets"]

_MASK: Final = "***"

_NAMES: Final = (
    r"[\w-]*(?:passw(?:or)?d|pwd|passphrase|secret|token|credential|authorization|api[_-]?key"
    r"|private[_-]?key)[\w-]*"
)
# A key of which the value is nobody's business.
_SECRET: Final = re.compile(_NAMES, re.IGNORECASE)
# The same within a text: what stands behind a user's name in a URI, and behind such a name.
_SECRETS: Final = (
    (re.compile(r"((?://|:)[^/?#@\s'\":]*):[^/?#@\s'\"]*@"), r"\1:***@"),
    (
        re.compile(
            rf"({_NAMES}['\"]?\s*[=:]\s*(?:bearer |basic )?)('[^']*'|\"[^\"]*\"|[^\s&'\",)\]}}]+)",
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

    @classmethod
    def of(
        cls,
        hook: str,
        plugin: str,
        arguments: Mapping[str, object],
        answer: object,
        seconds: float,
        changed: bool | None = None,
    ) -> Step:
        """Tell of an answer to a hook."""
        asked = ", ".join(
            f"{name}={masked(_brief(each, name))}" for name, each in arguments.items()
        )
        return cls(hook, plugin, asked, without_secrets(answer), round(seconds * 1e6), changed)


# Anything that takes a step: `print` will do.
Tracer: TypeAlias = Callable[[Step], object]


def without_secrets(value: object) -> str:
    """Write *value* briefly, with passwords and the like masked."""
    return masked(_brief(value))


def masked(text: str) -> str:
    """Mask passwords and the like in *text*."""
    for pattern, mask in _SECRETS:
        text = pattern.sub(mask, text)
    return text


def hidden(values: Mapping[str, Any]) -> dict[str, Any]:
    """Give a mapping with what its keys, or its texts, say to be a secret masked."""
    return {key: _hidden(value, key) for key, value in values.items()}


def _hidden(value: Any, key: str = "") -> Any:  # noqa: ANN401 - whatever stands in JSON
    if value and _SECRET.fullmatch(key):
        return _MASK
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return hidden(value)
    return [_hidden(each) for each in value] if isinstance(value, (list, tuple)) else value


def _brief(value: object, key: str = "") -> str:
    """Write a value as Python does, without enumerations' decoration and fields left at default."""
    if value and _SECRET.fullmatch(key):
        return _MASK
    if isinstance(value, Enum):
        return repr(value.value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        defaults: dict[str, object] = getattr(value, "_field_defaults", {})
        given = (
            f"{field}={_brief(each, field)}"
            for field, each in zip(value._fields, value, strict=True)
            if field not in defaults or each != defaults[field]
        )
        return f"{type(value).__name__}({', '.join(given)})"
    if key == "user" and isinstance(value, str) and ":" in value:
        return repr(f"{value.partition(':')[0]}:{_MASK}")
    if key == "argv":
        return "[…]"  # the command of a shell has the user of a URI, whatever stands in it
    if isinstance(value, Mapping):
        pairs = (f"{_brief(name)}: {_brief(each, str(name))}" for name, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if type(value) is frozenset:
        return f"{{{', '.join(sorted(map(_brief, value)))}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_brief, value))}]"
    return shown(value)
