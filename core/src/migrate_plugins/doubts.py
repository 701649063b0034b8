"""A migration in doubt: its plan, what the journal knows of it, and what it is told afterwards."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from migrate_plugins.errors import JournalError, UsageError
from migrate_plugins.model import Seat
from migrate_plugins.outcome import Verdict
from migrate_plugins.plan import Plan, PlannedURI
from migrate_plugins.reconciliation import Recorded
from migrate_plugins.uris import ConnectionURI

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate_plugins.journal import Journal
    from migrate_plugins.reconciler import Reconciled
    from migrate_plugins.reconciliation import Step
    from migrate_plugins.records import Record
    from migrate_plugins.settings import NamedHost

__all__ = ["Doubt"]


class Doubt(NamedTuple):
    """A migration that nobody saw the end of.

    Attributes:
        plan: What was asked for.
        recorded: What the journal knows of it.
        record: Its number in the journal, or None.
        older: The numbers of older records of the guest that are in doubt as well.
        journal: Where it is told, or None where none is kept.
    """

    plan: Plan
    recorded: Recorded
    record: Record | None = None
    older: tuple[int, ...] = ()
    journal: Journal | None = None

    @classmethod
    def of(
        cls,
        migration: Record | Plan,
        journal: Journal | None,
        destination: str | None,
        named: Iterable[NamedHost] = (),
    ) -> Doubt:
        """Bring together what is known.

        Args:
            migration: A record, or what was asked for.
            journal: The one that has the record.
            destination: How the client opens the destination, if not as the plan says.
            named: Hosts of config.toml, one of which may be the destination where no URI is told.

        Raises:
            UsageError: The record's plan cannot be read.
            JournalError: The journal cannot be read.
        """
        if isinstance(migration, Plan):
            # Nobody knows who began it, and whether that process still lives.
            return cls(_seen_as(migration, destination, named), Recorded(alive=None))
        if migration.plan is None:
            raise UsageError(
                f"record {migration.id} was written by another edition of migrate-plugins, and its"
                f" plan cannot be read; give both hosts: reconcile {migration.guest} DEST-URI -c"
                " SRC-URI"
            )
        others = [] if journal is None else journal.records(guest=migration.guest)
        older = (other.id for other in others if other.id < migration.id and other.in_doubt)
        return cls(
            _seen_as(migration.plan, destination, named),
            Recorded.of(migration, others),
            migration,
            tuple(older),
            journal,
        )

    def mending(self, step: Step, host: str) -> None:
        """Tell the journal of a step that is about to be taken.

        A journal that cannot be written keeps nobody's guest in doubt: :meth:`told` tells of it.
        """
        if self.record is None or self.journal is None:
            return
        with suppress(JournalError):
            self.journal.mending(self.record, f"{step.mend} {step.guest.name} on {host}")

    def told(self, found: Reconciled) -> Reconciled:
        """Tell the journal what was found, where that settles it."""
        if self.record is None:
            return found
        found = found._replace(record=self.record)
        state = found.settlement.state
        if self.journal is None or not state.found_out:
            return found
        from migrate_plugins.journal import user  # noqa: PLC0415 - only where it is told

        steps = [f"{each.step.mend} on {each.host}" for each in found.taken if not each.error]
        mended = f" (after {', '.join(steps)})" if steps else ""
        text = f"{found.settlement.sentence}{mended}"
        later = f"not found out by itself; record {self.record.id}, of later, tells: {text}"
        left = None if state.settled else found.settlement.sentence
        try:
            if self.record.in_doubt:
                self.journal.settle(self.record.id, verdict=found.verdict, text=text, by=user())
                for number in self.older:
                    self.journal.settle(number, verdict=Verdict.UNKNOWN, text=later, by=user())
            # Where it is is known now, and what is left over is looked for later.
            if (left is None) is not (self.record.pending is None):
                self.journal.pending(self.record, left)
        except JournalError as error:
            return found._replace(unrecorded=str(error))
        return found


def _seen_as(plan: Plan, destination: str | None, named: Iterable[NamedHost]) -> Plan:
    """Have the plan say how the client opens the destination, where it can be known."""
    uri = plan.uris.destination_from_client
    if destination is not None:
        uri = PlannedURI(destination, Seat.CLIENT, "given to look at it")
    elif uri.value is None:
        uri = _known(plan, named) or uri
    return plan._replace(uris=plan.uris._replace(destination_from_client=uri))


def _known(plan: Plan, named: Iterable[NamedHost]) -> PlannedURI | None:
    """Find the one host of the source's kind that goes by the receiver's name."""
    receiver, kind = (plan.receiver or "").lower(), _kind(plan.uris.source.value or "")
    found = [each for each in named if receiver in each.names and _kind(each.uri) == kind]
    if len(found) != 1:
        return None
    because = f"config.toml names the host that receives the memory: {found[0].name}"
    return PlannedURI(found[0].uri, Seat.CLIENT, because)


def _kind(uri: str) -> str:
    return ConnectionURI.parse(uri).driver.lower()
