"""What the journal tells of a migration: values, whatever store they were read from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from migrate_plugins.errors import InvalidURIError
from migrate_plugins.outcome import Verdict
from migrate_plugins.progress import Phase
from migrate_plugins.uris import ConnectionURI

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from migrate_plugins.plan import Plan
    from migrate_plugins.progress import Statistics
    from migrate_plugins.sessions import Facts

__all__ = ["BEGUN", "OPEN", "PhaseRecord", "Record", "Sample"]

# Phases that are entered only once the hypervisor is, or may have been, asked to migrate.
BEGUN = (Phase.PREPARE, Phase.TRANSFER, Phase.CANCEL, Phase.VERIFY, Phase.DONE)
# Verdicts that leave something for a person to find out.
OPEN = (Verdict.PAUSED, Verdict.SPLIT, Verdict.LOST, Verdict.UNKNOWN)


class PhaseRecord(NamedTuple):
    """A phase that was entered, or something that was told in it.

    Attributes:
        phase: Which.
        at: When, in UTC.
        elapsed: Seconds since the migration was asked for.
        text: What was told, or None.
    """

    phase: Phase
    at: datetime
    elapsed: float
    text: str | None = None


class Sample(NamedTuple):
    """How far a transfer was.

    Attributes:
        elapsed: Seconds since the migration was asked for.
        statistics: What the hypervisor told then.
    """

    elapsed: float
    statistics: Statistics


class Record(NamedTuple):
    """A migration as the journal has it.

    Attributes:
        id: Its number in the journal.
        guest: Name of the guest on the source.
        uuid: The guest's, or None where the hosts were never read.
        started: When it was asked for, in UTC.
        user: Who asked for it, as ``name@host``.
        machine: Where the process ran that wrote this.
        process: The number (PID) of that process.
        reason: Why, in the words of whoever asked; None where nothing was said.
        plan: What was promised, as far as it was known by then; None where another edition of
            migrate-plugins wrote it and this one cannot read it.
        accepted: Id of a finding to the reason for accepting it.
        phases: Each, in order, written before what it names was begun.
        samples: How far the transfer was, at most one a second; only :meth:`Journal.record`
            reads them.
        verdict: Where the guest was in the end; None where no end was recorded.
        text: That in a sentence, or why the migration was never started.
        ended: When that was found, in UTC.
        outcome: What :meth:`Outcome.to_json` gave, or None.
        alive: Whether the process that writes it still runs; None where that cannot be known
            from here, as of another machine.
        facts: What both hosts said before, or None where they were never read.
        settled_by: Who found the end afterwards, as ``name@host``; None where the migration
            itself did.
    """

    id: int
    guest: str
    uuid: str | None
    started: datetime
    user: str
    machine: str
    process: int
    reason: str | None
    plan: Plan | None
    accepted: Mapping[str, str]
    phases: tuple[PhaseRecord, ...] = ()
    samples: tuple[Sample, ...] = ()
    verdict: Verdict | None = None
    text: str | None = None
    ended: datetime | None = None
    outcome: Mapping[str, Any] | None = None
    alive: bool | None = None
    facts: Facts | None = None
    settled_by: str | None = None

    @property
    def phase(self) -> Phase:
        """The last phase that was written ahead."""
        reached = [each.phase for each in self.phases if each.phase is not Phase.PENDING]
        return reached[-1] if reached else Phase.CONNECT

    @property
    def begun(self) -> bool:
        """Whether the hypervisor was, or may have been, asked to migrate."""
        return any(each.phase in BEGUN for each in self.phases)

    @property
    def in_doubt(self) -> bool:
        """Whether it was begun and nobody has found out yet where the guest is.

        That is: no end was recorded, or one that needs a person and has not been settled since.
        """
        if self.verdict is None:
            return self.begun
        return self.verdict in OPEN and self.settled_by is None

    @property
    def pending(self) -> str | None:
        """What it left on either host that is not put right yet, or None."""
        told = [each.text for each in self.phases if each.phase is Phase.PENDING]
        return told[-1] if told else None

    @property
    def elapsed(self) -> float | None:
        """Seconds from its start to its end, or None where no end was recorded."""
        if self.outcome is not None and self.settled_by is None:
            return float(self.outcome["elapsed"])
        return None if self.ended is None else (self.ended - self.started).total_seconds()

    @property
    def host_names(self) -> tuple[str, str]:
        """What source and destination call themselves, or else what the URIs call them."""
        facts = self.facts
        source = None if facts is None else facts.source.name
        destination = None if facts is None or facts.destination is None else facts.destination.name
        if self.plan is None:
            return source or "?", destination or "?"
        uris = self.plan.uris
        there = _host(uris.destination_from_client.value or uris.destination.value)
        return (
            source or _host(uris.source.value) or "localhost",
            destination or there or self.plan.receiver or "?",
        )

    def summary(self) -> dict[str, Any]:
        """Give what a list shows of the record, as JSON's own types."""
        source, destination = self.host_names
        return {
            "id": self.id,
            "guest": self.guest,
            "uuid": self.uuid,
            "source": source,
            "destination": destination,
            "started": self.started.isoformat(),
            "ended": self.ended and self.ended.isoformat(),
            "elapsed": self.elapsed,
            "user": self.user,
            "reason": self.reason,
            "phase": self.phase.value,
            "verdict": self.verdict and self.verdict.value,
            "text": self.text,
            "in_doubt": self.in_doubt,
            "pending": self.pending,
            "alive": self.alive,
        }

    def to_json(self) -> dict[str, Any]:
        """Give the record as JSON's own types."""
        values = self._asdict()
        return {
            **values,
            "started": self.started.isoformat(),
            "ended": self.ended and self.ended.isoformat(),
            "plan": self.plan and self.plan.to_json(),
            "accepted": dict(self.accepted),
            "phase": self.phase.value,
            "phases": [
                {**each._asdict(), "at": each.at.isoformat(), "phase": each.phase.value}
                for each in self.phases
            ],
            "samples": [
                {"elapsed": each.elapsed, **each.statistics._asdict()} for each in self.samples
            ],
            "facts": self.facts and self.facts.to_json(),
            "in_doubt": self.in_doubt,
            "pending": self.pending,
        }


def _host(uri: str | None) -> str | None:
    if uri is None:
        return None
    try:
        return ConnectionURI.parse(uri).host
    except InvalidURIError:
        return None
