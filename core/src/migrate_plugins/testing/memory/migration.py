"""A migration between hosts in memory: time passes, and then a line of a table has moved."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import After, DriverError, GuestFacts, GuestState, Request, Statistics
from migrate_plugins.testing.memory.faults import Fault, percent_of
from migrate_plugins.testing.memory.hosts import Configuration, MemoryGuest, MemoryHost

if TYPE_CHECKING:
    from migrate_plugins.testing.memory.hosts import MemoryHosts

__all__ = ["MemoryMigration", "Move"]

# How much longer the fault `slow` makes a transfer.
_SLOWER: Final = 400
_KIB: Final = 1024
# Seconds between two looks where nothing is due by itself.
_IDLE: Final = 60.0


class Move(NamedTuple):
    """What a migration is to do.

    Attributes:
        request: What was asked for.
        source: From where.
        target: To where.
        name: Of the guest there.
        guest: The guest as it was before.
        then: The state it is to have there.
        after: What is to become of the configurations.
    """

    request: Request
    source: MemoryHost
    target: MemoryHost
    name: str
    guest: GuestFacts
    then: GuestState
    after: After


class MemoryMigration:
    """A migration that takes its time; see :class:`migrate_plugins.Migration`."""

    def __init__(
        self,
        hosts: MemoryHosts,
        move: Move,
        *,
        source_faults: frozenset[Fault],
        target_faults: frozenset[Fault],
        seconds: float,
    ) -> None:
        """Start; the lock of *hosts* is held."""
        self._hosts = hosts
        self._move = move
        self._given = (source_faults, target_faults)
        self._total = move.guest.memory * _KIB
        self._rate = self._total / max(seconds, 1e-3)
        self._sent = 0.0
        self._left = float(self._total)
        self._looked = monotonic()
        self._cancelled = self._suspended = self._postcopy = False
        self._problem: str | None = None
        self._ended = threading.Event()
        if not move.request.offline:
            # Where the guest does not run meanwhile, it stands still on the source.
            here, why = move.guest.state, move.guest.reason
            if not move.request.live:
                here, why = GuestState.PAUSED, "migration"
            self._place(move.source, here, why, "migration out")
            self._place(move.target, GuestState.PAUSED, "migration", "migration in")
        hosts.migrations[move.source.name, move.guest.name] = self
        threading.Thread(target=self._run, name=f"memory {move.name}", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait at most *seconds* for the end."""
        return self._ended.wait(seconds)

    def statistics(self) -> Statistics | None:
        """Tell how far it is; None for a definition that is moved alone."""
        with self._hosts.changed:
            if self._move.request.offline:
                return None
            if not self._ended.is_set():
                self._pass()
            return Statistics(
                transferred=int(self._sent),
                remaining=int(self._left),
                total=self._total,
                rate=int(self._rate),
                dirty_rate=int(self._rate - self._gain),
                iteration=1 + int(self._sent // (self._total + 1)),
                postcopy=self._postcopy,
            )

    def cancel(self) -> None:
        """Ask it to stop."""
        with self._hosts.changed:
            doing = f"cancelling the migration of {self._move.guest.name}"
            if self._has("cancel"):
                raise DriverError(doing, problem="simulated: it is too late to stop")
            if self._postcopy:
                raise DriverError(doing, problem="the guest runs on the destination already")
            self._cancelled = True
            self._hosts.changed.notify_all()

    def suspend(self) -> None:
        """Pause the guest on the source."""
        with self._hosts.changed:
            self._pass()
            self._suspended = True
            self._place(self._move.source, GuestState.PAUSED, "user", "migration out")
            self._hosts.changed.notify_all()

    def switch_to_postcopy(self) -> None:
        """Let the guest go on at the destination."""
        with self._hosts.changed:
            if not self._move.request.postcopy:
                doing = f"switching {self._move.guest.name} to post-copy"
                raise DriverError(doing, problem="the migration was started without --postcopy")
            self._pass()
            self._postcopy = True
            self._place(self._move.source, GuestState.PAUSED, "postcopy", "migration out")
            self._place(self._move.target, self._move.then, "postcopy", "migration in")
            self._hosts.changed.notify_all()

    def result(self) -> None:
        """Return if it succeeded."""
        if self._problem is not None:
            raise DriverError(f"migrating {self._move.guest.name}", problem=self._problem)

    @property
    def _faults(self) -> set[Fault]:
        source, target = self._given
        return {*source, *target, *self._move.source.faults, *self._move.target.faults}

    def _has(self, kind: str, host: MemoryHost | None = None) -> bool:
        """Whether there is a fault of a *kind*, of one *host* or of either."""
        faults = self._faults
        if host is not None:
            faults = {*self._given[host is self._move.target], *host.faults}
        return any(fault.kind == kind for fault in faults)

    @property
    def _gain(self) -> float:
        """By how many bytes a second what is left becomes less."""
        forced = self._suspended or self._postcopy or not self._move.request.live
        return self._rate / _SLOWER if self._has("slow") and not forced else self._rate

    def _pass(self) -> None:
        """Let the time pass that has passed."""
        now = monotonic()
        seconds, self._looked = now - self._looked, now
        hang = percent_of(self._faults, "hang")
        least = 0 if hang is None else self._total * (100 - hang) / 100
        moved = min(self._gain * seconds, max(self._left - least, 0))
        self._sent += self._rate * seconds * (moved / (self._gain * seconds) if seconds else 0)
        self._left -= moved

    def _run(self) -> None:
        with self._hosts.changed:
            while (problem := self._over()) is None:
                self._hosts.changed.wait(self._next())
                self._pass()
            self._problem = problem or None
            self._end()
            self._hosts.migrations.pop((self._move.source.name, self._move.guest.name), None)
            self._ended.set()
            self._hosts.changed.notify_all()

    def _over(self) -> str | None:
        """Tell why it is over: with a problem, or with none (the empty text); else None."""
        if self._move.source.facts(self._move.guest.name) is None:
            return "the guest is gone"
        if self._cancelled:
            return "it was cancelled"
        broken = percent_of(self._faults, "transfer")
        if broken is not None and self._left <= self._total * (100 - broken) / 100:
            return f"simulated: the transfer broke off at {broken} %"
        return "" if self._left <= 0 else None

    def _next(self) -> float:
        """Tell in how many seconds something happens by itself."""
        stops = [percent_of(self._faults, kind) for kind in ("transfer", "hang")]
        stop = min(percent for percent in (*stops, 100) if percent is not None)
        due = (self._left - self._total * (100 - stop) / 100) / self._gain
        # Where it hangs nothing is due, until somebody cancels it or breaks it.
        return due if due > 0 else _IDLE

    def _end(self) -> None:
        """Leave both hosts as the migration leaves them."""
        move = self._move
        odd = [kind for kind in ("split", "lost", "paused") if self._has(kind)]
        if self._problem is not None:
            self._stay()
        elif odd and not move.request.offline:
            self._problem = f"simulated: it ended with the guest {odd[0]}"
            self._mislead(odd[0])
        else:
            self._arrive()
            for host, name in ((move.source, move.guest.name), (move.target, move.name)):
                if self._has("leftover", host):
                    host.leftovers.add(name)
        for host in (move.source, move.target):
            if self._has("lost-connection", host):
                host.reachable = False
                if host is move.source:
                    self._problem = f"simulated: the connection to {host.name} was lost"

    def _stay(self) -> None:
        """Leave the guest on the source as it was; after a switch to post-copy it is on neither."""
        move = self._move
        if move.request.offline or move.guest.name not in move.source.active:
            return
        if self._postcopy:
            self._place(move.source, GuestState.PAUSED, "postcopy failed")
            self._place(move.target, GuestState.PAUSED, "postcopy failed")
            return
        self._place(move.source, move.guest.state, move.guest.reason)
        move.target.active.pop(move.name, None)

    def _arrive(self) -> None:
        move = self._move
        if not move.request.offline:
            move.source.active.pop(move.guest.name, None)
            arrived = "migrated" if move.then is GuestState.RUNNING else "user"
            self._place(move.target, move.then, arrived)
        if not move.after.source_config:
            move.source.configurations.pop(move.guest.name, None)
        if move.after.destination_config:
            kept = Configuration(move.guest.uuid, move.guest.memory)
            move.target.configurations[move.name] = kept
        else:
            move.target.configurations.pop(move.name, None)

    def _mislead(self, kind: str) -> None:
        """Leave the guest where nobody wants it."""
        move = self._move
        for host, name in ((move.source, move.guest.name), (move.target, move.name)):
            if kind == "split":
                arrived = "booted" if host is move.source else "migrated"
                self._place(host, GuestState.RUNNING, arrived)
            elif kind == "paused" and self._has("paused", host):
                self._place(host, GuestState.PAUSED, "migration")
            else:
                host.active.pop(name, None)

    def _place(
        self, host: MemoryHost, state: GuestState, reason: str | None, job: str | None = None
    ) -> None:
        name = self._move.guest.name if host is self._move.source else self._move.name
        guest = self._move.guest
        host.active[name] = MemoryGuest(guest.uuid, guest.memory, state, job, reason)
