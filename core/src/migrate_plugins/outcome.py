"""The outcome of a migration: the end state as *read back* from both hosts, not as hoped."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from migrate_plugins.document import After, Need
from migrate_plugins.errors import (
    CancelledError,
    ExitCode,
    MigrationFailedError,
    NeedsPersonError,
)
from migrate_plugins.sessions import STARTED_AGAIN, GuestState

if TYPE_CHECKING:
    from migrate_plugins.diagnosis import Diagnosis
    from migrate_plugins.errors import MigrateError
    from migrate_plugins.findings import Finding
    from migrate_plugins.plan import Plan
    from migrate_plugins.progress import Statistics
    from migrate_plugins.sessions import Facts, GuestFacts

__all__ = ["SCHEMA", "Outcome", "Verdict", "judge"]

SCHEMA: Final = "migrate-plugins/migrate/1"


class Verdict(StrEnum):
    """Where the guest is, and whether that is what was asked for."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    SPLIT = "split"
    LOST = "lost"
    UNKNOWN = "unknown"

    @property
    def exit_code(self) -> ExitCode:
        """The command line's exit status."""
        return _EXIT_CODES.get(self, ExitCode.NEEDS_PERSON)


_EXIT_CODES: Final = {
    Verdict.DONE: ExitCode.DONE,
    Verdict.FAILED: ExitCode.FAILED,
    Verdict.CANCELLED: ExitCode.CANCELLED,
}


def judge(
    source: GuestState | None,
    destination: GuestState | None,
    *,
    wanted: GuestState,
    before: GuestState,
    error: bool,
    cancelled: bool,
    started: bool = True,
    source_readable: bool = True,
    destination_readable: bool = True,
    started_again: bool = False,
) -> Verdict:
    """Decide where the guest is from what both hosts say of it.

    Args:
        source: Its state on the source; None where the source does not know it.
        destination: Its state on the destination, likewise.
        wanted: The state it should have on the destination.
        before: The state it had on the source.
        error: Whether the hypervisor reported a failure.
        cancelled: Whether somebody asked to stop.
        started: Whether the hypervisor was asked to migrate at all.
        source_readable: Whether the source could be asked, and has decided where the guest is.
        destination_readable: Whether the destination could be asked at all.
        started_again: Whether the source had stopped it to hand it over, and started it again.
    """
    # A destination that comes back may start a guest that was handed to it.
    may_follow = started_again and not destination_readable
    if may_follow or GuestState.UNKNOWN in {source, destination}:
        return Verdict.UNKNOWN
    here = source is not None and source.active
    there = destination is not None and destination.active
    stayed = Verdict.CANCELLED if cancelled else Verdict.FAILED
    if here and there:
        both_run = source is destination is GuestState.RUNNING
        # A copy that is paused is what a destination has while a transfer goes on.
        if both_run or source_readable:
            return Verdict.SPLIT if both_run else Verdict.PAUSED
    if not source_readable:
        # Only where nobody reported a failure can what the destination shows be the whole truth.
        return Verdict.DONE if destination is wanted and not error else Verdict.UNKNOWN
    if not started and source is before:
        return stayed
    if wanted is GuestState.SHUTOFF:
        return _judge_offline(source, destination, stayed, error, destination_readable)
    if there:
        return Verdict.DONE if destination is wanted else Verdict.PAUSED
    if here:
        return stayed if source is before else Verdict.PAUSED
    if not destination_readable:
        return Verdict.UNKNOWN if error else Verdict.DONE
    return Verdict.LOST


def _judge_offline(
    source: GuestState | None,
    destination: GuestState | None,
    stayed: Verdict,
    error: bool,
    destination_readable: bool,
) -> Verdict:
    """Judge a move of the definition alone: nothing should run anywhere."""
    if destination is not None and destination.active:
        return Verdict.PAUSED
    if source is not None and source.active:
        return stayed
    unseen = not destination_readable and stayed is not Verdict.CANCELLED
    if not error and (destination is not None or unseen):
        return Verdict.DONE
    if source is None and destination is None:
        return Verdict.LOST if destination_readable else Verdict.UNKNOWN
    return stayed


class Outcome(NamedTuple):
    """How a migration ended.

    Attributes:
        plan: What was promised.
        verdict: Where the guest is.
        source: The guest as the source reports it afterwards, or None.
        destination: The guest as the destination reports it afterwards, or None.
        unreadable: Why the destination could not be read, or None where it could.
        error: What the hypervisor reported, or None.
        diagnoses: What that error may mean, the most likely first.
        findings: What the check found before.
        differences: What is not as the plan promised, each a sentence; and who has its name.
        elapsed: Seconds from the call to the verdict.
        statistics: Of the transfer as a whole, or None.
        facts: What both hosts said before.
        source_unreadable: Why the source could not be read, or None where it could.
        id: Its number in the journal, or None where none is kept.
    """

    plan: Plan
    verdict: Verdict
    source: GuestFacts | None = None
    destination: GuestFacts | None = None
    unreadable: str | None = None
    error: MigrateError | None = None
    diagnoses: tuple[Diagnosis, ...] = ()
    findings: tuple[Finding, ...] = ()
    differences: tuple[str, ...] = ()
    elapsed: float = 0.0
    statistics: Statistics | None = None
    facts: Facts | None = None
    source_unreadable: str | None = None
    id: int | None = None

    @property
    def exit_code(self) -> ExitCode:
        """The command line's exit status."""
        return self.verdict.exit_code

    @property
    def configuration(self) -> After | None:
        """The configuration files as read back, or None where a host could not be read."""
        if self.unreadable is not None or self.source_unreadable is not None:
            return None
        there = self.destination is not None and self.destination.persistent
        here = self.source is not None and self.source.persistent
        return After(there, here, there)

    @property
    def pending(self) -> tuple[str, ...]:
        """What the migration left on either host that has to be put right, each a sentence."""
        sides = zip(self.host_names, (self.source, self.destination), strict=True)
        stayed = self.verdict in {Verdict.FAILED, Verdict.CANCELLED}
        return tuple(
            f"on {host}: {guest.leftover}"
            for host, guest in sides
            if guest
            and guest.leftover
            and (guest.leftover.rolled_back or not (stayed and guest is self.source))
        )

    @property
    def sentence(self) -> str:
        """Where the guest is now."""
        guest = self.plan.guest
        source, destination = self.host_names
        text = {
            Verdict.DONE: f"{self.plan.destination_name} is on {destination} now",
            Verdict.FAILED: f"the migration failed: {guest} is still on {source}",
            Verdict.CANCELLED: f"cancelled: {guest} is still on {source}",
            Verdict.PAUSED: f"{guest} is not running as it should",
            Verdict.SPLIT: f"{guest} runs on BOTH hosts",
            Verdict.LOST: f"{guest} runs on NEITHER host",
            Verdict.UNKNOWN: f"where {guest} runs cannot be known from here",
        }[self.verdict]
        if self.verdict is Verdict.DONE and self.facts is not None and self.facts.moved_already:
            text = f"{self.plan.destination_name} is on {destination} already: nothing was changed"
        if self.verdict is Verdict.UNKNOWN and self.source and self.source.reason == STARTED_AGAIN:
            text = f"{guest} was started again on {source}; {destination} may start it too"
        here = "cannot be read" if self.source_unreadable else _state(self.source)
        there = "cannot be read" if self.unreadable else _state(self.destination)
        return f"{text} ({source}: {here}; {destination}: {there})"

    @property
    def next_command(self) -> str | None:
        """What tells a person how to go on, or None where nobody has to."""
        if self.exit_code is not ExitCode.NEEDS_PERSON:
            return None
        from shlex import join  # noqa: PLC0415 - most migrations end well

        command = ["migrate-plugins", "reconcile", self.plan.guest]
        if self.id is None:  # without a record it has to be told what was asked for
            uris = self.plan.uris
            ends = [uris.destination_from_client.value or uris.migration.value or ""]
            if self.plan.scenario.alternative.need is not Need.NOT_USED:
                ends.append(uris.destination.value or "")
            command += [*ends, "-c", uris.source.value or "", "--scenario", self.plan.scenario.id]
        return join(command)

    @property
    def host_names(self) -> tuple[str, str]:
        """What source and destination call themselves, where both were read."""
        if self.facts is None or self.facts.destination is None:
            return "the source", "the destination"
        return self.facts.source.name, self.facts.destination.name

    def raise_for_failure(self) -> None:
        """Return if the guest has moved.

        Raises:
            MigrationFailedError: It failed, the guest is still on the source.
            CancelledError: It was cancelled, the guest is still on the source.
            NeedsPersonError: A person must look.
        """
        if self.verdict is Verdict.DONE:
            return
        kind = {
            Verdict.FAILED: MigrationFailedError,
            Verdict.CANCELLED: CancelledError,
        }.get(self.verdict, NeedsPersonError)
        raise kind(self) from self.error

    def to_json(self) -> dict[str, Any]:
        """Give the outcome as JSON's own types."""
        configuration = self.configuration
        return {
            "schema": SCHEMA,
            "id": self.id,
            "verdict": self.verdict.value,
            "exit_code": int(self.exit_code),
            "text": self.sentence,
            "next": self.next_command,
            "guest": self.plan.guest,
            "source": self.source and self.source.to_json(),
            "destination": self.destination and self.destination.to_json(),
            "source_unreadable": self.source_unreadable,
            "unreadable": self.unreadable,
            "configuration": configuration and configuration._asdict(),
            "error": None if self.error is None else str(self.error),
            "error_code": getattr(self.error, "code", None),
            "error_domain": getattr(self.error, "domain", None),
            "diagnoses": [diagnosis.to_json() for diagnosis in self.diagnoses],
            "differences": list(self.differences),
            "pending": list(self.pending),
            "elapsed": round(self.elapsed, 3),
            "statistics": self.statistics and self.statistics._asdict(),
            "findings": [finding._asdict() for finding in self.findings],
            "plan": self.plan.to_json(),
        }


def _state(guest: GuestFacts | None) -> str:
    if guest is None:
        return "no such guest"
    usual = guest.reason is None or guest.state is GuestState.RUNNING
    return guest.state.value if usual else f"{guest.state.value} ({guest.reason})"
