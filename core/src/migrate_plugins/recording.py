"""What a run tells the journal, and what becomes of the run where the journal fails."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from migrate_plugins.errors import JournalError, MigrateError, one_line
from migrate_plugins.progress import Phase
from migrate_plugins.records import BEGUN

if TYPE_CHECKING:
    from migrate_plugins.journal import Writer
    from migrate_plugins.outcome import Outcome
    from migrate_plugins.plan import Plan
    from migrate_plugins.progress import Event
    from migrate_plugins.sessions import Facts

__all__ = ["Recording"]


class Recording:
    """The record of one run, or none.

    Before the transfer a failure is raised: nothing has been changed, and what cannot be recorded
    shall not be.  Once it may have begun nothing is raised any more: the outcome tells it.
    """

    def __init__(self, writer: Writer | None) -> None:
        self._writer = writer
        self._begun = False
        self._phase: Phase | None = None

    @property
    def sentence(self) -> str | None:
        """Where this is recorded, or None where it is not."""
        return None if self._writer is None else f"recorded in the journal as {self._writer.id}"

    def ahead(self, event: Event) -> None:
        """Write an event before what it tells of is done.

        Raises:
            JournalError: It cannot be written, and nothing has been started yet.
        """
        if self._writer is None or event.phase is Phase.DONE:  # the end is written with the outcome
            return
        if event.phase is not self._phase or event.text is not None:
            self._phase = event.phase
            try:
                self._writer.phase(event.phase, event.text, event.elapsed)
            except JournalError:
                if not self._begun:
                    raise
        self._begun |= event.phase in BEGUN
        if event.statistics is not None:
            self._writer.sample(event.statistics, event.elapsed)

    def plan(self, plan: Plan, facts: Facts | None = None) -> None:
        """Write the plan as it is now; raises as :meth:`ahead` does."""
        if self._writer is not None:
            self._writer.plan(plan, facts)

    def ended(self, outcome: Outcome) -> Outcome:
        """Write the outcome, and give it with its number and with what could not be written."""
        writer = self._writer
        if writer is None:
            return outcome
        outcome = outcome._replace(id=writer.id)
        try:
            if outcome.pending:
                writer.phase(Phase.PENDING, "; ".join(outcome.pending), outcome.elapsed)
            writer.end(outcome)
        except JournalError as error:
            note = f"its end could not be recorded in the journal: {error.problem}"
        else:
            if writer.missing is None:
                return outcome
            note = f"a part of it is missing in the journal: {writer.missing.problem}"
        return outcome._replace(differences=(*outcome.differences, note))

    def failed(self, error: BaseException | None) -> None:
        """Write why nothing was started."""
        if self._writer is None or error is None:
            return
        if not isinstance(error, MigrateError):
            error = MigrateError(one_line(error))
        with suppress(JournalError):  # the error itself is told to whoever waits
            self._writer.failed(error)

    def close(self) -> None:
        """Write no more."""
        if self._writer is not None:
            self._writer.close()
