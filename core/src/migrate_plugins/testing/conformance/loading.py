"""What an entry point names."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from migrate_plugins import EntryPoint

__all__ = ["load"]


def load(point: EntryPoint) -> Any:  # noqa: ANN401 - a module, an object or a class
    """Import it, as plainly as can be: what it raises is the caller's."""
    module, _, attribute = point.module.partition(":")
    loaded: Any = import_module(module)
    for name in filter(None, attribute.split(".")):
        loaded = getattr(loaded, name)
    return loaded
