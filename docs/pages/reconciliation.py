"""The tables of ``reconcile``: decided by the code, as it would decide between hosts."""

from __future__ import annotations

from typing import Final

from migrate_plugins import (
    HANDED_OVER,
    GuestFacts,
    GuestState,
    Leftover,
    Promise,
    Recorded,
    Sight,
)
from migrate_plugins.reconciliation import RULES, settle

__all__ = ["rules", "table"]

_BEFORE: Final = Recorded(uuid="u", before=GuestState.RUNNING)
_PROMISE: Final = Promise("web1", persistent=False, stored_there=False)
_MOVED: Final = Promise(
    "web1", persistent=True, stored_there=False, source_config=False, destination_config=True
)


def _guest(
    state: GuestState,
    reason: str,
    *,
    persistent: bool = False,
    job: str | None = None,
    left: Leftover | None = None,
) -> Sight:
    return Sight("", GuestFacts("web1", "u", state, persistent, 1024, job, reason, left))


_NONE: Final = Sight("")
_UNREADABLE: Final = Sight("", None, "no answer within 10 s")
_RUNS: Final = _guest(GuestState.RUNNING, "booted")
_CAME: Final = _guest(GuestState.RUNNING, "migrated")
_STUCK: Final = _guest(GuestState.PAUSED, "migration")
_SENT: Final = _guest(GuestState.PAUSED, HANDED_OVER)
_USER: Final = _guest(GuestState.PAUSED, "user")
_LEFT: Final = _guest(GuestState.SHUTOFF, "migrated", persistent=True)
_KEPT: Final = _guest(GuestState.RUNNING, "migrated", persistent=True)
_SENDS: Final = _guest(GuestState.RUNNING, "booted", job="migration out")
_TAKES: Final = _guest(GuestState.PAUSED, "migration", job="migration in")
_LISTENER: Final = Leftover("its listener is on")
_WAITS: Final = _guest(GuestState.PAUSED, "migration", job="migration in", left=_LISTENER)
_LISTENS: Final = _guest(
    GuestState.RUNNING, "migrated", left=_LISTENER._replace(until="it is shut off")
)
_OFF: Final = _guest(GuestState.SHUTOFF, "aborted", left=_LISTENER)

# fmt: off
_ROWS: Final = (
    # source       destination   what was promised
    (_RUNS,        _NONE,        _PROMISE),
    (_NONE,        _CAME,        _PROMISE),
    (_SENDS,       _TAKES,       _PROMISE),
    (_SENDS,       _UNREADABLE,  _PROMISE),
    (_RUNS,        _TAKES,       _PROMISE),
    (_RUNS,        _WAITS,       _PROMISE),
    (_RUNS,        _OFF,         _PROMISE),
    (_NONE,        _LISTENS,     _PROMISE),
    (_STUCK,       _NONE,        _PROMISE),
    (_STUCK,       _STUCK,       _PROMISE),
    (_SENT,        _STUCK,       _PROMISE),
    (_SENT,        _NONE,        _PROMISE),
    (_NONE,        _STUCK,       _PROMISE),
    (_STUCK,       _UNREADABLE,  _PROMISE),
    (_USER,        _NONE,        _PROMISE),
    (_RUNS,        _STUCK,       _PROMISE),
    (_RUNS,        _USER,        _PROMISE),
    (_STUCK,       _CAME,        _PROMISE),
    (_SENT,        _CAME,        _PROMISE),
    (_STUCK,       _RUNS,        _PROMISE),
    (_LEFT,        _CAME,        _MOVED),
    (_LEFT,        _KEPT,        _MOVED),
    (_RUNS,        _CAME,        _PROMISE),
    (_NONE,        _NONE,        _PROMISE),
    (_guest(GuestState.PAUSED, "postcopy failed", job="migration out"),
                   _guest(GuestState.PAUSED, "postcopy failed"), _PROMISE),
    (_RUNS,        _UNREADABLE,  _PROMISE),
    (_UNREADABLE,  _CAME,        _PROMISE),
)
# fmt: on


def table() -> list[tuple[str, ...]]:
    """Give what both hosts say, and what follows."""
    found: list[tuple[str, ...]] = [("Source", "Destination", "State", "Safe step", "Status")]
    for source, destination, promise in _ROWS:
        what = settle(promise, source, destination, _BEFORE)
        step = "none" if what.step is None else f"`{what.step.mend}` on the {what.step.host}"
        told = source.words, destination.words
        found.append((*told, f"`{what.state}`", step, str(int(what.exit_code))))
    return found


def rules() -> list[tuple[str, ...]]:
    """Give the rules, in the order in which they are asked."""
    found: list[tuple[str, ...]] = [("Rule", "When it holds, and what follows")]
    return found + [
        (name[:1].upper() + name[1:], " ".join((rule.__doc__ or "").split()))
        for name, rule in RULES
    ]
