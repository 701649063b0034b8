"""Reads of a vCenter's inventory: in bulk, through RetrievePropertiesEx, of leaf properties alone.

A property that is not set is left out of an answer.  Attributes of pyVmomi's managed objects are
never touched: each is a call of its own, and reads whole trees.
"""

from __future__ import annotations

from functools import partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyVmomi import vim, vmodl

from migrate_plugins_vmware.faults import Fault
from migrate_plugins_vmware.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from migrate_plugins_vmware.vcenter import VCenter

__all__ = [
    "Found",
    "Key",
    "Listing",
    "id_of",
    "key_of",
    "moid",
    "read",
    "read_above",
    "read_along",
    "read_below",
]

_Collector: Final = vmodl.query.PropertyCollector

# Objects in one page of an answer, so that each comes soon; and how many pages are waited for.
_PAGE: Final = 1_000
_PAGES: Final = 1_000


class Key(NamedTuple):
    """Which object: pyVmomi's own ones are equal across vCenters that number alike.

    Attributes:
        instance: Uuid of the vCenter.
        moid: Id of the object there, such as ``vm-42``.
    """

    instance: str
    moid: str


class Found(NamedTuple):
    """An object with what was read of it.

    Attributes:
        key: Which one it is.
        reference: pyVmomi's managed object, to be named in a call and nothing else.
        values: By path; what is not set is absent.
        unread: Why a path could not be read, by path.
    """

    key: Key
    reference: Any
    values: Mapping[str, Any]
    unread: Mapping[str, str]


def moid(reference: Any) -> str:  # noqa: ANN401 - pyVmomi is untyped
    """Give a vCenter's id of an object."""
    told: str = reference._GetMoId()  # noqa: SLF001 - pyVmomi has no other way
    return told


def id_of(reference: Any) -> str | None:  # noqa: ANN401 - see above
    """Give a vCenter's id of an object, or None of nothing."""
    return None if reference is None else moid(reference)


def key_of(vcenter: VCenter, reference: Any) -> Key:  # noqa: ANN401 - see above
    """Name an object."""
    return Key(vcenter.instance, moid(reference))


def read(vcenter: VCenter, objects: Sequence[Any], paths: Sequence[str]) -> list[Found]:
    """Read *paths* of *objects*, all of one type, in one call.

    What has been removed in between is left out.
    """
    left = {key_of(vcenter, one): one for one in objects}
    for _ in range(len(left)):
        chosen = [_Collector.ObjectSpec(obj=one, skip=False) for one in left.values()]
        call = partial(_retrieve, vcenter, chosen, _kinds(left.values()), paths)
        try:
            return vcenter.reading(call)
        except vmodl.fault.ManagedObjectNotFound as gone:
            if gone.obj is None or left.pop(key_of(vcenter, gone.obj), None) is None:
                raise
    return []


def read_below(vcenter: VCenter, root: Any, kind: type, paths: Sequence[str]) -> list[Found]:  # noqa: ANN401 - see above
    """Read *paths* of everything of *kind* below *root*, at any depth."""

    def call() -> list[Found]:
        view = vcenter.content.viewManager.CreateContainerView(root, [kind], True)
        found = _retrieve(vcenter, [_step(view, "view")], [kind], paths)
        view.DestroyView()  # after a failure it ends with the session
        return found

    return vcenter.reading(call)


def read_along(
    vcenter: VCenter,
    start: Any,  # noqa: ANN401 - see above
    relation: str,
    kind: type,
    paths: Sequence[str],
) -> list[Found]:
    """Read *paths* of what *relation* of *start* leads to, where it is of *kind*, in one call."""
    return vcenter.reading(lambda: _retrieve(vcenter, [_step(start, relation)], [kind], paths))


def read_above(vcenter: VCenter, start: Any, kind: type, paths: Sequence[str]) -> Found | None:  # noqa: ANN401 - see above
    """Read *paths* of the object of *kind* that *start* is in, at any depth, in one call."""
    up = _Collector.TraversalSpec(
        name="up",
        type=vim.ManagedEntity,
        path="parent",
        skip=False,
        selectSet=[_Collector.SelectionSpec(name="up")],
    )
    way = _Collector.ObjectSpec(obj=start, skip=False, selectSet=[up])
    return next(iter(vcenter.reading(lambda: _retrieve(vcenter, [way], [kind], paths))), None)


class Listing:
    """Everything of one kind in a vCenter, read again whenever somebody asks.

    Who asks while it is read by another thread shares the next reading: fifty that ask at once
    cost two.
    """

    def __init__(self, vcenter: VCenter, kind: type, paths: Sequence[str]) -> None:
        """Read nothing yet."""
        self._vcenter: Final = vcenter
        self._kind: Final = kind
        self._paths: Final = paths
        self._turns: Final = Turns()
        self._began = -inf
        self._found: list[Found] = []

    def read(self) -> list[Found]:
        """Give what is there, as it was at the time of this call or later."""
        with self._turns.turn() as asked:
            if self._began < asked:
                began = monotonic()
                root = self._vcenter.content.rootFolder
                self._found = read_below(self._vcenter, root, self._kind, self._paths)
                self._began = began
            return self._found


def _retrieve(
    vcenter: VCenter, objects: Sequence[Any], kinds: Iterable[type], paths: Sequence[str]
) -> list[Found]:
    wanted = [_Collector.PropertySpec(type=kind, pathSet=list(paths), all=False) for kind in kinds]
    spec = _Collector.FilterSpec(objectSet=list(objects), propSet=wanted)
    return [_found(vcenter, one) for one in _pages(vcenter.content.propertyCollector, spec)]


def _pages(collector: Any, spec: Any) -> Iterator[Any]:  # noqa: ANN401 - see above
    """Give the objects of each page of an answer."""
    page = collector.RetrievePropertiesEx([spec], _Collector.RetrieveOptions(maxObjects=_PAGE))
    for _ in range(_PAGES):
        if page is None:
            return
        yield from page.objects
        if not page.token:
            return
        page = collector.ContinueRetrievePropertiesEx(page.token)
    raise vmodl.RuntimeFault(msg=f"an answer has more than {_PAGES} pages")


def _kinds(objects: Iterable[Any]) -> list[type]:
    """Give the types of *objects*, without those that another one is the base of."""
    kinds = {type(one) for one in objects}
    return [kind for kind in kinds if not kinds.intersection(kind.__mro__[1:])]


def _step(start: Any, relation: str) -> Any:  # noqa: ANN401 - see above
    way = _Collector.TraversalSpec(type=type(start), path=relation, skip=False)
    return _Collector.ObjectSpec(obj=start, skip=True, selectSet=[way])


def _found(vcenter: VCenter, one: Any) -> Found:  # noqa: ANN401 - see above
    return Found(
        key_of(vcenter, one.obj),
        one.obj,
        {item.name: item.val for item in one.propSet},
        {item.path: str(Fault.of(item.fault)) for item in one.missingSet},
    )
