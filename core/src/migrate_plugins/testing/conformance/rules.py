"""A rule of the contract, kept beside the check that holds a plugin against it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Rule", "Shows", "about", "rules"]

_Check = TypeVar("_Check", bound="Callable[..., None]")

_PREFIX: Final = "test_"
_ATTRIBUTE: Final = "conformance"


class Shows(StrEnum):
    """What a check shows of a scenario, for the support matrix."""

    PLANNED = "planned"
    RAN = "ran"


class Rule(NamedTuple):
    """One rule.

    Attributes:
        id: The check's name.
        text: The rule, in a sentence.
        hooks: The hooks that it is about.
        shows: What a check of one scenario shows of it, or None.
        proves: Whether a check that is passed shows it; otherwise only one that fails counts.
    """

    id: str
    text: str
    hooks: tuple[str, ...]
    shows: Shows | None = None
    proves: bool = True


def about(
    *hooks: str, shows: Shows | None = None, proves: bool = True
) -> Callable[[_Check], _Check]:
    """Say what a check is about, see :class:`Rule`; its docstring is the rule."""

    def mark(check: _Check) -> _Check:
        text = " ".join((check.__doc__ or "").split())
        rule = Rule(check.__name__.removeprefix(_PREFIX), text, hooks, shows, proves)
        setattr(check, _ATTRIBUTE, rule)
        return check

    return mark


def rules(conformance: type) -> dict[str, Rule]:
    """Give the rules of a class of checks, by the name of the check."""
    found = {}
    for name in dir(conformance):
        rule = getattr(getattr(conformance, name), _ATTRIBUTE, None)
        if name.startswith(_PREFIX) and isinstance(rule, Rule):
            found[rule.id] = rule
    return found
