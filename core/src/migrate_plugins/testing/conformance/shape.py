"""Whether a value is what its type says, all the way down."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

import migrate_plugins

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["misfits"]


def misfits(value: object, wanted: Any = None, where: str = "") -> Iterator[str]:  # noqa: ANN401 - types have no type
    """Name every place in *value* that is not of the type *wanted*.

    Args:
        value: What a plugin answered.
        wanted: A type as it stands in an annotation; by default the value's own.
        where: The path to *value*, for the text.
    """
    wanted = type(value) if wanted is None else wanted
    origin = get_origin(wanted)
    if wanted is Any:
        return
    if origin in {Union, types.UnionType}:
        choices = get_args(wanted)
        if not any(not list(misfits(value, choice, where)) for choice in choices):
            yield _said(value, wanted, where)
    elif origin is tuple:
        yield from _tuple(value, wanted, where)
    elif origin is frozenset or wanted is frozenset:
        yield from _each(value, frozenset, get_args(wanted), where)
    elif origin is Mapping:
        yield from _mapping(value, wanted, where)
    elif hasattr(wanted, "_fields"):
        yield from _named(value, wanted, where)
    elif type(value) is not wanted and not (wanted is float and type(value) is int):
        yield _said(value, wanted, where)


def _named(value: object, wanted: Any, where: str) -> Iterator[str]:  # noqa: ANN401 - see above
    if type(value) is not wanted:
        yield _said(value, wanted, where)
        return
    for field, hint in _hints(wanted).items():
        yield from misfits(getattr(value, field), hint, f"{where}.{field}".lstrip("."))


def _tuple(value: object, wanted: Any, where: str) -> Iterator[str]:  # noqa: ANN401 - see above
    kinds = get_args(wanted)
    if kinds[-1:] == (Ellipsis,):
        yield from _each(value, tuple, kinds[:1], where)
    elif type(value) is not tuple or len(value) != len(kinds):
        yield _said(value, wanted, where)
    else:
        for place, (item, kind) in enumerate(zip(value, kinds, strict=True)):
            yield from misfits(item, kind, f"{where}[{place}]")


def _each(value: object, kind: type, items: Sequence[Any], where: str) -> Iterator[str]:
    if type(value) is not kind:
        yield _said(value, kind, where)
        return
    if items and isinstance(value, (tuple, frozenset)):
        for item in value:
            yield from misfits(item, items[0], f"{where}[{item!r}]")


def _mapping(value: object, wanted: Any, where: str) -> Iterator[str]:  # noqa: ANN401 - see above
    if not isinstance(value, Mapping):
        yield _said(value, Mapping, where)
        return
    key_kind, item_kind = get_args(wanted)
    for key, item in value.items():
        yield from misfits(key, key_kind, f"{where}[{key!r}]")
        yield from misfits(item, item_kind, f"{where}[{key!r}]")


def _hints(kind: type) -> dict[str, Any]:
    # Our modules import what only annotations need for the type checker alone.
    names = {name: getattr(migrate_plugins, name) for name in migrate_plugins.__all__}
    return get_type_hints(kind, localns={"Mapping": Mapping, **names})


def _said(value: object, wanted: Any, where: str) -> str:  # noqa: ANN401 - see above
    name = wanted.__name__ if isinstance(wanted, type) else str(wanted)
    return f"{where or 'the answer'} is {value!r}, not {name}"
