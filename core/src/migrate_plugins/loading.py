"""Import plugins, each alone, so that none can keep the others or ``list`` from working."""

from __future__ import annotations

import sys
from _thread import RLock, get_ident
from enum import StrEnum
from io import TextIOBase
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, TextIO, cast

from migrate_plugins.errors import one_line
from migrate_plugins.settings import EMPTY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from migrate_plugins.installed import EntryPoint
    from migrate_plugins.switches import Switches
    from migrate_plugins.tracing import Tracer

__all__ = ["Loaded", "Status", "load"]

# Seconds that the import of a plugin may take before it is called slow.
_PATIENCE: Final = 1.0

# One thread at a time listens to what plugins print, since standard output is the process's. The
# same one may come again: a plugin may load plugins when it is imported.
_LISTENING: Final = RLock()


class Status(StrEnum):
    """What became of an installed plugin."""

    ACTIVE = "active"
    SLOW = "slow"  # it takes part, and importing it takes long
    NOISY = "noisy"  # it takes part, and prints when it is imported
    DISABLED = "disabled"
    OFF = "off"  # nobody has asked for it
    SHADOWED = "shadowed"  # another one has its name or its scheme
    BROKEN = "broken"

    @property
    def takes_part(self) -> bool:
        """Whether it is asked anything."""
        return self in {Status.ACTIVE, Status.SLOW, Status.NOISY}


class Loaded(NamedTuple):
    """What came of loading a plugin.

    Attributes:
        point: Its entry point.
        plugin: What the entry point names, or what importing it raised; None where it was not
            imported.
        status: What became of it so far.
        reason: Why, where it is not simply active.
        values: Its settings, by name.
    """

    point: EntryPoint
    plugin: object
    status: Status = Status.ACTIVE
    reason: str | None = None
    values: Mapping[str, Any] = EMPTY


def load(
    points: Iterable[EntryPoint], switches: Switches, tracer: Tracer | None = None
) -> Iterator[Loaded]:
    """Import each plugin that is not switched off; what one raises stands in for it."""
    for point in points:
        disabled = switches.disabled(point)
        unwanted = switches.unwanted(point)
        if disabled is not None:
            yield Loaded(point, None, Status.DISABLED, disabled)
        elif unwanted is not None:
            yield Loaded(point, None, Status.OFF, unwanted)
        else:
            yield _import(point, tracer)


def _import(point: EntryPoint, tracer: Tracer | None) -> Loaded:
    began = perf_counter()
    plugin: Any
    with _LISTENING, _Listener() as heard:
        try:
            plugin = point.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin may raise anything, SystemExit too
            plugin = error
    took = perf_counter() - began
    if tracer is not None:
        _trace(tracer, point, plugin, took)
    if isinstance(plugin, BaseException):
        return Loaded(point, plugin, Status.BROKEN, one_line(plugin))
    noise = heard.first_line
    told = [f"importing it takes {took:.1f} s"] if took > _PATIENCE else []
    told += [f"it prints when it is imported: {noise!r}"] if noise else []
    status = Status.NOISY if noise else Status.SLOW if took > _PATIENCE else Status.ACTIVE
    return Loaded(point, plugin, status, "; ".join(told) or None)


def _trace(tracer: Tracer, point: EntryPoint, plugin: object, took: float) -> None:
    from migrate_plugins.tracing import Step, without_secrets  # noqa: PLC0415 - few trace

    step = Step("load", point.name, point.module, without_secrets(plugin), round(took * 1e6))
    tracer(step)


class _Listener(TextIOBase):
    """Standard output while a plugin is imported: what it prints goes to standard error.

    Other threads of the process print as ever.
    """

    def __init__(self) -> None:
        self._thread = get_ident()
        self._stdout: TextIO | None = None
        self._heard: list[str] = []

    @property
    def first_line(self) -> str:
        """What was printed, up to the end of its first line that is not empty."""
        return "".join(self._heard).strip().partition("\n")[0]

    def __enter__(self) -> Self:
        self._stdout = sys.stdout
        sys.stdout = cast("TextIO", self)
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout = self._stdout

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the real one has
        return getattr(self._stdout, name)

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        stream = self._stdout
        if get_ident() == self._thread:
            self._heard.append(text)
            stream = sys.stderr
        return len(text) if stream is None else stream.write(text)

    def flush(self) -> None:
        if self._stdout is not None:
            self._stdout.flush()
