"""A transfer that is under way: looked at again and again, to its end; no wait is without one."""

from __future__ import annotations

from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins.deadline import Line, within
from migrate_plugins.errors import DriverError, MigrateError, NoAbortError
from migrate_plugins.progress import Phase

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from migrate_plugins.model import Request
    from migrate_plugins.progress import Statistics
    from migrate_plugins.sessions import Migration

__all__ = ["ADOPTED", "PATIENCE", "Limit", "Patience", "Transfer"]

# Seconds between two looks; the end is noticed at once.
_INTERVAL: Final = 0.2
# Seconds that a host may take for an answer before the next look.
_ANSWER: Final = 5.0

_SILENT: Final = "the hypervisor does not answer"
_ASKED: Final = "asked the hypervisor to stop"


class Patience(NamedTuple):
    """Seconds after which it is no use to wait on.

    Attributes:
        silence: Without any answer.
        stopping: With a cancellation that does not end it.
        beginning: Before the first byte; None for a transfer that is not ours to stop.
        stall: Without another byte, likewise.
    """

    silence: float
    stopping: float
    beginning: float | None = None
    stall: float | None = None


# libvirt itself takes half a minute to find out that a port is taken, and its client 35 s that a
# destination answers no more: only then it takes the guest back on the source.
PATIENCE: Final = Patience(silence=90.0, stopping=45.0, beginning=120.0, stall=60.0)
# Somebody else began it: whether it may stand still is for whoever looks to say.
ADOPTED: Final = Patience(silence=90.0, stopping=60.0)


class Limit(NamedTuple):
    """When a live migration is forced to complete.

    Attributes:
        seconds: After how long.
        postcopy: By a switch to post-copy; else by pausing the guest.
    """

    seconds: int
    postcopy: bool

    @classmethod
    def of(cls, request: Request) -> Limit | None:
        """Read it from a request, which need not have one."""
        seconds = request.timeout
        return None if seconds is None else cls(seconds, request.timeout_postcopy)


class Transfer:
    """A running migration, and what is known of it."""

    def __init__(
        self,
        migration: Migration,
        guest: str,
        cancelled: threading.Event,
        say: Callable[[Phase, str | None, Statistics | None], None],
    ) -> None:
        """Look at *migration*.

        Args:
            migration: Of a driver.
            guest: Its name on the source.
            cancelled: Set, now or later, by whoever wants it cancelled.
            say: Told how far it is, and what happens.
        """
        self._migration = migration
        self._doing = f"migrating {guest}"
        self._cancelled = cancelled
        self._say = say
        self._began = monotonic()
        self._forced = False
        self._told: str | None = None
        self._last: Statistics | None = None
        self._line: Line[Statistics | None] = Line()
        self._answered = self._moved = monotonic()
        self._stopping: float | None = None
        self._stalled: DriverError | None = None

    def follow(self, patience: Patience, limit: Limit | None = None) -> None:
        """Return when it has ended; how, is for the migration's own result to tell.

        Tells how far it is, passes a cancellation on, forces the end when it is time.

        Raises:
            DriverError: It is no use to wait any longer, and the migration may still go on; or it
                was stopped since it stood still.
        """
        while not self._migration.wait(_INTERVAL):
            if self._cancelled.is_set() or self._stalled is not None:
                self._cancel()
            elif limit is not None and not self._forced:
                self._force_after(limit)
            self._say(Phase.TRANSFER, None, self.statistics())
            self._check(patience)
        if self._stalled is not None and not self._cancelled.is_set():
            raise self._stalled

    @property
    def asked_to_stop(self) -> bool:
        """Whether the hypervisor was asked to stop it."""
        return self._stopping is not None

    def statistics(self) -> Statistics | None:
        """Read them, or give the last ones where the host is busy or tells no more."""
        with suppress(MigrateError):
            try:
                now = self._line.ask(_ANSWER, self._migration.statistics)
            except TimeoutError:
                if self._told != _SILENT:
                    self._told = _SILENT
                    self._say(Phase.TRANSFER, _SILENT, None)
                return self._last
            self._answered = monotonic()
            if now is not None:
                if self._last is None or now.transferred != self._last.transferred:
                    self._moved = self._answered
                self._last = now
        return self._last

    def _check(self, patience: Patience) -> None:
        """See whether it is still worth waiting."""
        now = monotonic()
        if now - self._answered > patience.silence:
            problem = f"the source has not answered for {patience.silence:.0f} s"
            raise DriverError(self._doing, problem=problem)
        if self._stopping is not None and now - self._stopping > patience.stopping:
            problem = f"it was to stop, and has not for {patience.stopping:.0f} s ({self._told})"
            raise self._stalled or DriverError(self._doing, problem=problem)
        if self._last is not None and self._last.transferred is None:
            return  # nobody can tell a transfer that stands still from one that does not
        begun = self._last is not None and bool(self._last.transferred)
        most = patience.stall if begun else patience.beginning
        if most is not None and self._stalled is None and now - self._moved > most:
            problem = f"no memory has been sent for {most:.0f} s"
            self._stalled = DriverError(self._doing, problem=problem)
            self._say(Phase.CANCEL, f"{problem}: stopping it", None)

    def _cancel(self) -> None:
        """Ask again at each look: a hypervisor refuses while the transfer is not yet begun."""
        if self._stopping is None:
            self._stopping = monotonic()
        try:
            self._line.ask(_ANSWER, self._stop)
        except TimeoutError as error:
            told = f"the hypervisor was asked to stop: {error}"
        except NoAbortError as error:
            self._stopping = None  # nobody was asked, and to leave would end nothing well
            told = str(error)
        except MigrateError as error:
            told = str(error)
        else:
            told = _ASKED
        # What is refused after it was accepted once is refused because the job is ending.
        if self._told not in {told, _ASKED}:
            self._told = told
            self._say(Phase.CANCEL, told, None)

    def _stop(self) -> None:
        self._migration.cancel()

    def _force_after(self, limit: Limit) -> None:
        if monotonic() - self._began <= limit.seconds:
            return
        self._forced = True
        text = "switching to post-copy" if limit.postcopy else "pausing the guest so that it ends"
        force = self._migration.switch_to_postcopy if limit.postcopy else self._migration.suspend
        try:
            within(_ANSWER, force)
        except (MigrateError, TimeoutError) as error:
            text = str(error)
        self._say(Phase.TRANSFER, f"not done after {limit.seconds} s: {text}", None)
