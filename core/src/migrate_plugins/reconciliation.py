"""Where a guest is after a migration that nobody saw the end of, and the one safe next step.

Pure: it takes what both hosts say, what was promised and what the journal knows, and decides.  The
rules stand in :data:`RULES`, the first that holds decides; ``docs/reconcile.md`` lists them.

Whatever they say, :func:`settle` holds back a step that could end badly: none while a host cannot
be read, while a job runs on either host, while the process that began the migration still lives,
or where a later migration may have taken the guest to a third host.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins.document import Crash
from migrate_plugins.errors import ExitCode
from migrate_plugins.model import Seat
from migrate_plugins.outcome import Verdict
from migrate_plugins.sessions import HANDED_OVER, INCOMING, STARTED_AGAIN, GuestState, Mend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from migrate_plugins.plan import Plan
    from migrate_plugins.records import Record
    from migrate_plugins.sessions import GuestFacts

__all__ = ["RULES", "Promise", "Recorded", "Settlement", "Sight", "State", "Step", "settle"]

_MIGRATION: Final = "migration"
# Of a copy that was received, and never started.
_RECEIVED: Final = frozenset({_MIGRATION, INCOMING})
_POSTCOPY: Final = frozenset({"postcopy", "postcopy failed"})
# Why a guest runs that came by a migration, or was set going after one.
_ARRIVED: Final = frozenset({"migrated", "unpaused"})
# Of a guest with an older configuration there: its incoming copy never ran.
_NEVER_RAN: Final = "failed"
_GOES_ON: Final = {
    Crash.ABORTED: "the hypervisor aborts it where whoever began it is gone",
    Crash.CONTINUES: "the daemons go on with it by themselves",
    Crash.STALLS: "it is sent to the end, and where whoever began it is gone, then stands still on"
    " both hosts until it is reconciled",
}


class State(StrEnum):
    """What became of a migration."""

    ROLLED_BACK = "rolled-back"
    IN_PROGRESS = "in-progress"
    FINISHED = "finished"
    SWITCHOVER_STUCK = "switchover-stuck"
    PAUSED = "paused"
    CLEAN_UP_MISSING = "clean-up-missing"
    WORK_PENDING = "work-pending"
    RUNNING_ON_BOTH = "running-on-both"
    LOST = "lost"
    UNKNOWN = "unknown"

    @property
    def settled(self) -> bool:
        """Whether the guest is where it should be, and nothing is left over."""
        return self in {State.ROLLED_BACK, State.FINISHED}

    @property
    def found_out(self) -> bool:
        """Whether it is known where the guest is, and nobody has to do anything about it now."""
        return self.settled or self is State.WORK_PENDING

    @property
    def verdict(self) -> Verdict:
        """The same in the words of an outcome."""
        return _VERDICTS.get(self, Verdict.UNKNOWN)


_VERDICTS: Final = {
    State.ROLLED_BACK: Verdict.FAILED,
    State.FINISHED: Verdict.DONE,
    State.WORK_PENDING: Verdict.DONE,
    State.SWITCHOVER_STUCK: Verdict.PAUSED,
    State.PAUSED: Verdict.PAUSED,
    State.RUNNING_ON_BOTH: Verdict.SPLIT,
    State.LOST: Verdict.LOST,
}


class Sight(NamedTuple):
    """What one host says of the guest.

    Attributes:
        host: What the host calls itself, or the URI where it cannot be asked.
        guest: The guest there, or None where there is none.
        unreadable: Why the host cannot be read, or None where it can.
    """

    host: str
    guest: GuestFacts | None = None
    unreadable: str | None = None

    @property
    def brief(self) -> str:
        """In one word or two."""
        if self.unreadable is not None:
            return "cannot be read"
        return "no such guest" if self.guest is None else self.guest.state.value

    @property
    def words(self) -> str:
        """In a few words, with everything that decides."""
        if self.unreadable is not None:
            return f"cannot be read: {self.unreadable}"
        if self.guest is None:
            return "no such guest"
        guest = self.guest
        parts = [guest.state.value + (f" ({guest.reason})" if guest.reason else "")]
        parts.append("configuration stored" if guest.persistent else "transient")
        if guest.leftover is not None:
            parts.append(f"left over: {guest.leftover}")
        if guest.job is not None:
            parts.append(f"job: {guest.job}")
        return ", ".join(parts)


class Promise(NamedTuple):
    """What was asked for, as far as it decides.

    Attributes:
        guest: Name of the guest on the source.
        wanted: The state it should have on the destination, or None where it follows from the
            state before, which nobody recorded.
        offline: Whether only its configuration was to move.
        postcopy: Whether it might go on at the destination before all of its memory is there.
        paused_by_us: Whether a time limit may have paused it on the source.
        crash: What becomes of the migration if whoever began it dies.
        persistent: Whether it was persistent before, or None where nobody recorded it.
        stored_there: Whether the destination had a configuration of it before, likewise.
        source_config: Whether one should be on the source afterwards, or None: not known.
        destination_config: Whether one should be on the destination afterwards, likewise.
    """

    guest: str
    wanted: GuestState | None = GuestState.RUNNING
    offline: bool = False
    postcopy: bool = False
    paused_by_us: bool = False
    crash: Crash = Crash.ABORTED
    persistent: bool | None = None
    stored_there: bool | None = None
    source_config: bool | None = None
    destination_config: bool | None = None

    @classmethod
    def of(cls, plan: Plan, before: GuestState | None = None) -> Promise:
        """Read it from a plan, and from the state that the guest had before."""
        request, rows = plan.request, plan.configuration.rows
        wanted = before
        if request.offline:
            wanted = GuestState.SHUTOFF
        elif request.suspend:
            wanted = GuestState.PAUSED
        return cls(
            guest=plan.guest,
            wanted=wanted,
            offline=request.offline,
            postcopy=request.postcopy,
            paused_by_us=request.timeout is not None and not request.timeout_postcopy,
            crash=plan.on_client_crash.then,
            persistent=None if plan.before is None else plan.before.persistent,
            stored_there=None if plan.before is None else plan.before.destination_config,
            # Where nobody looked before, only what all rows of the table agree on is promised.
            source_config=_agreed({row.after.source_config for row in rows}),
            destination_config=_agreed({row.after.destination_config for row in rows}),
        )


class Recorded(NamedTuple):
    """What the journal knows of a migration.

    Attributes:
        begun: Whether the transfer was begun.
        before: The state that the guest had before, or None where it is not recorded.
        uuid: The guest's, or None where it is not recorded.
        writer: Whose process began it, for example ``process 4711 on host1``, or None.
        alive: Whether that process still runs; None where it cannot be asked.
        elsewhere: A later migration that may have taken the guest to a third host, or None.
        hosts: What source and destination called themselves, or None where it is not recorded.
        interrupt: The command that interrupts that process, or None.
        left: The verdict of a migration whose end is known, and which left something over; None
            for every other one.
    """

    begun: bool = True
    before: GuestState | None = None
    uuid: str | None = None
    writer: str | None = None
    alive: bool | None = False
    elsewhere: str | None = None
    hosts: tuple[str | None, str | None] = (None, None)
    interrupt: str | None = None
    left: Verdict | None = None

    @classmethod
    def of(cls, record: Record, others: Iterable[Record] = ()) -> Recorded:
        """Read it from a record, and from the others that the journal has of the same guest."""
        facts = record.facts
        guest = facts and facts.guest
        # The process of one that has ended may live on for other things.
        alive = record.alive if record.verdict is None else False
        later = [
            other.id
            for other in others
            if other.id > record.id and other.begun and _hosts(other) - _hosts(record)
        ]
        machine = record.machine.partition(" ")[0]
        return cls(
            begun=record.begun,
            before=None if guest is None else guest.state,
            uuid=record.uuid,
            writer=f"process {record.process} on {machine}",
            alive=alive,
            elsewhere=f"record {max(later)}" if later else None,
            hosts=(
                facts and facts.source.name,
                facts and facts.destination and facts.destination.name,
            ),
            interrupt=f"kill -INT {record.process}" if alive else None,
            left=None if record.in_doubt or record.pending is None else record.verdict,
        )


class Step(NamedTuple):
    """One step with the guest of one host.

    Attributes:
        mend: What to do.
        host: On which of the two.
        guest: The guest as it was read there.
    """

    mend: Mend
    host: Seat
    guest: GuestFacts


class Settlement(NamedTuple):
    """What became of a migration, and what to do about it.

    Attributes:
        state: In a word.
        sentence: Where the guest is.
        step: The one safe next step, or None.
        why: Why this step; or why there is none, and what else to do.
        certain: Whether all of this was read, and nothing concluded.
        unreadable: Whether a host could not be read that this depends on.
        arrived: Whether the guest is on the destination, where it is known and work is pending.
    """

    state: State
    sentence: str
    step: Step | None = None
    why: str = ""
    certain: bool = True
    unreadable: bool = False
    arrived: bool = True

    @property
    def verdict(self) -> Verdict:
        """The same in the words of an outcome."""
        if self.state is State.WORK_PENDING and not self.arrived:
            return Verdict.FAILED
        return self.state.verdict

    @property
    def exit_code(self) -> ExitCode:
        """The command line's exit status."""
        if self.state.found_out:
            return ExitCode.DONE
        if self.unreadable and self.state is State.UNKNOWN:
            return ExitCode.CONNECT
        if self.step is not None or self.state is State.IN_PROGRESS:
            return ExitCode.FAILED
        return ExitCode.NEEDS_PERSON


class Case(NamedTuple):
    """Everything that a rule looks at.

    Attributes:
        promise: What was asked for.
        source: What the source says.
        destination: What the destination says.
        recorded: What the journal knows.
    """

    promise: Promise
    source: Sight
    destination: Sight
    recorded: Recorded

    @property
    def here(self) -> GuestFacts | None:
        """The guest on the source, if it is the one of the journal."""
        return self._ours(self.source.guest, self.recorded.uuid)

    @property
    def there(self) -> GuestFacts | None:
        """The guest on the destination, if it is the one of the journal or of the source."""
        here = self.here
        uuid = self.recorded.uuid or (here.uuid if here is not None else None)
        return self._ours(self.destination.guest, uuid)

    @property
    def sights(self) -> tuple[Sight, Sight]:
        """Both hosts."""
        return self.source, self.destination

    @property
    def guests(self) -> tuple[GuestFacts, ...]:
        """The guest wherever it is known."""
        return tuple(guest for guest in (self.here, self.there) if guest is not None)

    @property
    def on(self) -> str:
        """Both hosts in a sentence."""
        return "; ".join(f"{sight.host}: {sight.brief}" for sight in self.sights)

    @property
    def postcopy(self) -> bool:
        """Whether its memory may be spread over both hosts."""
        return (self.promise.postcopy and self.recorded.begun) or any(
            guest.reason in _POSTCOPY for guest in self.guests
        )

    @property
    def wanted(self) -> GuestState:
        """The state it should have on the destination; running, where nobody recorded another."""
        return self.promise.wanted or GuestState.RUNNING

    @staticmethod
    def _ours(guest: GuestFacts | None, uuid: str | None) -> GuestFacts | None:
        return None if guest is None or uuid not in {None, guest.uuid} else guest


def settle(
    promise: Promise, source: Sight, destination: Sight, recorded: Recorded | None = None
) -> Settlement:
    """Decide what became of a migration, and which step is safe.

    Args:
        promise: What was asked for.
        source: What the source says of the guest.
        destination: What the destination says of it.
        recorded: What the journal knows; without a record, nothing.
    """
    case = Case(promise, source, destination, recorded or Recorded())
    for _name, rule in RULES:
        found = rule(case)
        if found is not None:
            return _held_back(case, found)
    raise AssertionError(case.on)  # the last rule takes everything


def _held_back(case: Case, found: Settlement) -> Settlement:
    """Take a step back that could end badly; the rules look at fewer things at once."""
    certain = found.certain and case.recorded.alive is not None and _identified(case)
    strangers = [
        f"{sight.host} has another guest of that name, {sight.guest.uuid}"
        for sight, ours in zip(case.sights, (case.here, case.there), strict=True)
        if sight.guest is not None and ours is None
    ]
    sentence = "; ".join([found.sentence, *strangers])
    found = found._replace(sentence=sentence, certain=certain)
    busy = [
        guest.job
        for guest in case.guests
        # A target that waits in vain is what is to be put right.
        if guest.job is not None and not (found.step and found.step[::2] == (Mend.TIDY, guest))
    ]
    if found.step is not None and busy:
        why = f"a job runs, {', '.join(busy)}: wait for its end and look again"
        return found._replace(step=None, why=why)
    if found.step is not None and strangers:
        why = "another guest has that name: a person must tell the two apart"
        return found._replace(step=None, why=why)
    if found.step is not None and may_be_finished(case.promise, case.recorded):
        client = case.recorded.writer or "the process that began it"
        why = f"{found.why}; whether {client} still lives and finishes it cannot be known from here"
        return found._replace(why=f"{why}: make sure that it has ended")
    return found


def may_be_finished(promise: Promise, recorded: Recorded) -> bool:
    """Tell whether a client that nobody can ask about may be about to finish a migration."""
    return recorded.alive is None and promise.crash is Crash.STALLS


def _identified(case: Case) -> bool:
    """Whether it is known to be the guest that was asked for, and not only one of its name."""
    return case.recorded.uuid is not None or case.here is not None or case.there is None


# --- the rules, in the order in which they are asked ---------------------------------------------


def _both_running(case: Case) -> Settlement | None:
    """It runs on both hosts: nothing is touched, a person decides which copy to end."""
    if len(case.guests) < len(case.sights) or {guest.state for guest in case.guests} != {
        GuestState.RUNNING
    }:
        return None
    return Settlement(
        State.RUNNING_ON_BOTH,
        f"{case.promise.guest} runs on both hosts, {case.source.host} and {case.destination.host}",
        why="both copies may have written to its disks: a person must decide which one is right,"
        " look at its disks, and end the other one",
    )


def _alive(case: Case) -> Settlement | None:
    """The process that began it still runs: it is waited for."""
    if not case.recorded.alive:
        return None
    writer = case.recorded.writer or "the process that began it"
    return Settlement(
        State.IN_PROGRESS,
        f"{writer} still migrates {case.promise.guest} ({case.on})",
        why="it decides: wait for its end, or interrupt it, and it cancels the migration",
    )


def _left_over(case: Case) -> Settlement | None:
    """Its end is known, and something was left over: that alone is looked at."""
    if case.recorded.left is None or any(sight.unreadable for sight in case.sights):
        return None
    # The guest may have been shut off, or have moved on: it does not matter to what was left.
    arrived = case.recorded.left is Verdict.DONE
    state = State.FINISHED if arrived else State.ROLLED_BACK
    sentence = f"{case.promise.guest} {'moved' if arrived else 'did not move'} ({case.on})"
    if any(guest.job is not None for guest in case.guests):
        why = "a job runs: look again after its end"
        return Settlement(State.WORK_PENDING, sentence, why=why, arrived=arrived)
    return _with_leftovers(case, Settlement(state, sentence, arrived=arrived))


def _elsewhere(case: Case) -> Settlement | None:
    """A later migration may have taken it to a third host: that one tells."""
    if case.recorded.elsewhere is None:
        return None
    return Settlement(
        State.UNKNOWN,
        f"{case.recorded.elsewhere} came later and may have taken {case.promise.guest} to another"
        f" host ({case.on})",
        why=f"reconcile {case.recorded.elsewhere} instead",
        certain=False,
    )


def _unreadable(case: Case) -> Settlement | None:
    """A host cannot be read: only a migration that the source tells of is known."""
    if case.source.unreadable is None and case.destination.unreadable is None:
        return None
    if case.here is not None and _migrates(case.here):
        return _under_way(case)._replace(unreadable=True)
    unread = " and ".join(sight.host for sight in case.sights if sight.unreadable is not None)
    return Settlement(
        State.UNKNOWN,
        f"where {case.promise.guest} is cannot be known ({case.on})",
        why=f"whatever is done, it may be running on {unread}: make that readable, and look again",
        certain=False,
        unreadable=True,
    )


def _unsaid(case: Case) -> Settlement | None:
    """A host does not tell in which state it is."""
    if all(guest.state is not GuestState.UNKNOWN for guest in case.guests):
        return None
    return Settlement(
        State.UNKNOWN,
        f"the state of {case.promise.guest} cannot be known ({case.on})",
        why="a host does not tell its state: a person must look",
        certain=False,
    )


def _postcopy_broken(case: Case) -> Settlement | None:
    """It stands still in post-copy, its memory spread over both hosts: nothing is ended."""
    reasons = {guest.reason for guest in case.guests}
    stopped = "postcopy failed" in reasons or (
        "postcopy" in reasons and not any(_migrates(guest) for guest in case.guests)
    )
    if not stopped:
        return None
    return Settlement(
        State.SWITCHOVER_STUCK,
        f"{case.promise.guest} broke off in post-copy ({case.on})",
        why="its memory is spread over both hosts: end neither copy; mend the link between them,"
        " and have the hypervisor take the migration up again",
    )


def _migrating(case: Case) -> Settlement | None:
    """The source migrates it: it goes on by itself, and can be watched or cancelled."""
    if case.here is None or not _migrates(case.here):
        return None
    return _under_way(case)


def _not_given_up(case: Case) -> Settlement | None:
    """Only the destination still waits for memory: it is ended, or gives up when it notices."""
    if case.there is None or not _migrates(case.there):
        return None
    if _waits_in_vain(case):
        return Settlement(
            State.CLEAN_UP_MISSING,
            f"{case.promise.guest} stayed on {case.source.host}, and {case.destination.host} still"
            " waits for it",
            Step(Mend.TIDY, Seat.DESTINATION, case.there),
            "nobody sends it any more, and what waits there has no memory of it",
        )
    return Settlement(
        State.IN_PROGRESS,
        f"{case.destination.host} still waits for {case.promise.guest}, and {case.source.host}"
        f" does not send it ({case.on})",
        why="the destination gives such a copy up when it notices"
        + (
            ", or still starts it, for the source took it back only when no answer came"
            if case.here is not None and case.here.reason == STARTED_AGAIN
            else ""
        )
        + ": wait, and look again",
        certain=False,
    )


def _moved_offline(case: Case) -> Settlement | None:
    """Only its configuration was to move, and it does not run: where that is now decides."""
    if not case.promise.offline or any(guest.state.active for guest in case.guests):
        return None
    guest = case.promise.guest
    # A transient guest that crashed has no configuration.
    here, there = (
        each if each is not None and each.persistent else None for each in (case.here, case.there)
    )
    if there is None and here is None:
        return Settlement(
            State.LOST,
            f"neither host has a configuration of {guest} ({case.on})",
            why="there is nothing left to work with: restore its configuration from a copy",
        )
    if there is None:
        return Settlement(State.ROLLED_BACK, f"{guest} is defined on {case.source.host} alone")
    if here is None or case.promise.stored_there is not False:
        sentence = f"{guest} is defined on {case.destination.host}" + (
            "" if here is None else f" and on {case.source.host}, and was before, as far as known"
        )
        return Settlement(State.FINISHED, sentence, certain=here is None)
    return _finished(case)


def _lost(case: Case) -> Settlement | None:
    """It runs on neither host; nothing here ever starts a guest."""
    if any(guest.state.active for guest in case.guests):
        return None
    guest = case.promise.guest
    if case.here is not None and case.recorded.before is GuestState.SHUTOFF:
        sentence = f"{guest} is shut off on {case.source.host}, as it was before"
        return Settlement(State.ROLLED_BACK, sentence)
    stored = [
        sight.host
        for sight, ours in zip(case.sights, (case.here, case.there), strict=True)
        if ours is not None and ours.persistent
    ]
    kept = f"its configuration is on {' and on '.join(stored)}" if stored else "neither keeps it"
    return Settlement(
        State.LOST,
        f"{guest} runs on neither host ({case.on})",
        why=f"somebody may have ended it on purpose: a person must find out, and start it; {kept}",
    )


def _only_there(case: Case) -> Settlement | None:
    """It is active on the destination alone: it has moved, or stands still there."""
    there = case.there
    if there is None or not there.state.active or _active(case.here):
        return None
    if there.state is GuestState.RUNNING or there.state is case.promise.wanted:
        return _finished(case)
    where = f"{case.promise.guest} is paused on {case.destination.host} alone"
    if there.reason in _RECEIVED:
        return Settlement(
            State.SWITCHOVER_STUCK,
            f"{where}, and was never started there",
            why="whether all of its memory has arrived is not known: a person must decide whether"
            " to resume it or to end it",
        )
    return Settlement(State.PAUSED, where, why=_not_by_us(there))


def _only_here(case: Case) -> Settlement | None:
    """It is active on the source alone: rolled back, or stuck on the way."""
    here, there = case.here, case.there
    if here is None or not here.state.active or _active(there):
        return None
    if here.state is GuestState.RUNNING or here.state is case.recorded.before:
        return _rolled_back(case, here)
    where = f"{case.promise.guest} is paused on {case.source.host} alone"
    ran = there is not None and not (
        case.promise.stored_there is True and there.reason == _NEVER_RAN
    )
    resume = Step(Mend.RESUME, Seat.SOURCE, here)
    if here.reason == HANDED_OVER:
        return Settlement(
            State.SWITCHOVER_STUCK,
            f"{where}: it has sent all of it, and {case.destination.host} does not run it",
            why="nothing lets it go on where it is: a person must decide whether to end it and to"
            " start it anew",
        )
    if here.reason == _MIGRATION:
        stuck = Settlement(State.SWITCHOVER_STUCK, f"{where}: it was handed over and never taken")
        if case.postcopy:
            return stuck._replace(why=_MAY_HAVE_RUN.format("it was to go on there in post-copy"))
        if ran:
            return stuck._replace(why=_MAY_HAVE_RUN.format("its configuration is stored there"))
        why = (
            f"the migration paused it, all of its memory is here, and {case.destination.host} has"
            " no copy of it that could run"
        )
        return stuck._replace(step=resume, why=why)
    if here.reason == "user" and case.promise.paused_by_us and not (ran or case.postcopy):
        why = "the time limit of the migration paused it, and it has not moved"
        return Settlement(State.PAUSED, where, resume, why)
    return Settlement(State.PAUSED, where, why=_not_by_us(here))


def _running_beside_paused(case: Case) -> Settlement | None:
    """It runs on one host, and a paused copy is left on the other: that copy is ended."""
    if not (_active(case.here) and _active(case.there)):
        return None
    here, there = case.guests
    if GuestState.RUNNING not in {here.state, there.state}:
        return None
    stays, goes = (here, there) if here.state is GuestState.RUNNING else (there, here)
    seat = Seat.DESTINATION if goes is there else Seat.SOURCE
    hosts = (case.source.host, case.destination.host)
    at, left = hosts if goes is there else hosts[::-1]
    found = Settlement(
        State.CLEAN_UP_MISSING,
        f"{case.promise.guest} runs on {at}, and a paused copy of it is left on {left}",
    )
    problem = None
    if case.postcopy:
        problem = "it may be in post-copy, where neither copy may be ended"
    elif goes.reason not in _RECEIVED and not (goes is here and goes.reason == HANDED_OVER):
        problem = f"nothing says that the migration left it ({_because(goes)})"
    elif goes is there and there.persistent and case.promise.stored_there is not True:
        problem = "its configuration is stored there: it may have run there"
    elif goes is here and stays.reason not in _ARRIVED:
        problem = f"nothing says that the other one came from it ({_because(stays)})"
    if problem is not None:
        return found._replace(why=f"{problem}: a person must decide")
    why = "the migration paused it and left it, no job needs it, and the guest itself runs"
    return found._replace(step=Step(Mend.DESTROY, seat, goes), why=why)


def _both_paused(case: Case) -> Settlement | None:
    """Two paused copies: one that was never started, and one that cannot or can go on."""
    if not (_active(case.here) and _active(case.there)):
        return None
    here, there = case.guests
    where = f"{case.promise.guest} is paused on both hosts"
    if here.reason == HANDED_OVER and there.reason in _RECEIVED:
        why = f"{case.source.host} has sent all of it, and nobody started it again on either host"
        stuck = Settlement(State.SWITCHOVER_STUCK, where, why=why)
        if case.promise.crash is Crash.CONTINUES and here.leftover is not None:
            # The daemons lead it, and may be about to start one of the two, or to end one.
            told = f"{why}; the source still has its job, and may go on by itself until"
            return stuck._replace(why=f"{told} {here.leftover.until}")
        wants = case.wanted is GuestState.RUNNING and not case.postcopy
        return stuck._replace(step=Step(Mend.RESUME, Seat.DESTINATION, there) if wants else None)
    never_ran = here.reason == there.reason == _MIGRATION and not there.persistent
    if not never_ran or case.postcopy or case.wanted is not GuestState.RUNNING:
        why = (
            f"which of the two is right is not known ({case.source.host}: {_because(here)};"
            f" {case.destination.host}: {_because(there)}): a person must decide"
        )
        return Settlement(State.PAUSED, where, why=why)
    why = "the migration paused it, all of its memory is here, and the other copy was never started"
    return Settlement(State.SWITCHOVER_STUCK, where, Step(Mend.RESUME, Seat.SOURCE, here), why)


RULES: Final[tuple[tuple[str, Callable[[Case], Settlement | None]], ...]] = (
    ("running on both", _both_running),
    ("its process lives", _alive),
    ("something left over", _left_over),
    ("moved on", _elsewhere),
    ("unreadable", _unreadable),
    ("state not told", _unsaid),
    ("post-copy broken", _postcopy_broken),
    ("migrating", _migrating),
    ("not given up", _not_given_up),
    ("moved offline", _moved_offline),
    ("on neither", _lost),
    ("on the destination alone", _only_there),
    ("on the source alone", _only_here),
    ("a copy left over", _running_beside_paused),
    ("two paused copies", _both_paused),
)

_MAY_HAVE_RUN: Final = "it may have run on the destination: {}; a person must decide"


def _finished(case: Case) -> Settlement:
    """It is on the destination; what is missing is its configuration, or too much of it."""
    here, there, promise = case.here, case.there, case.promise
    verb = "is defined" if promise.offline else ("runs" if _runs(there) else "is paused")
    where = f"{promise.guest} {verb} on {case.destination.host}"
    if there is not None and promise.destination_config and not there.persistent:
        return Settlement(
            State.CLEAN_UP_MISSING,
            f"{where}, and its configuration is not stored there",
            Step(Mend.DEFINE, Seat.DESTINATION, there),
            "it was to be persistent there: without, it is gone when it shuts down",
        )
    if here is not None and here.persistent and promise.source_config is False:
        return Settlement(
            State.CLEAN_UP_MISSING,
            f"{where}, and its configuration is left on {case.source.host}",
            Step(Mend.UNDEFINE, Seat.SOURCE, here),
            "it was to be removed there: somebody could start the guest a second time",
        )
    asked = "" if _runs(there) or promise.offline else ", as was asked for"
    return _with_leftovers(case, Settlement(State.FINISHED, where + asked))


def _rolled_back(case: Case, here: GuestFacts) -> Settlement:
    """It is on the source as before; what is missing is its configuration, or too much of it."""
    promise, there = case.promise, case.there
    verb = "runs" if here.state is GuestState.RUNNING else "is paused, as before,"
    where = f"{promise.guest} {verb} on {case.source.host}"
    if promise.persistent and not here.persistent:
        return Settlement(
            State.CLEAN_UP_MISSING,
            f"{where}, and its configuration is not stored there any more",
            Step(Mend.DEFINE, Seat.SOURCE, here),
            "it was persistent before: without, it is gone when it shuts down",
        )
    if there is not None and there.persistent and promise.stored_there is False:
        found = Settlement(
            State.CLEAN_UP_MISSING,
            f"{where}, and a configuration of it is left on {case.destination.host}",
        )
        if not here.persistent:
            return found._replace(why="it is the only one there is: a person must decide")
        return found._replace(
            step=Step(Mend.UNDEFINE, Seat.DESTINATION, there),
            why="it was not there before: somebody could start the guest a second time",
        )
    nothing = "" if case.recorded.begun else ": nothing was started"
    settled = Settlement(State.ROLLED_BACK, f"{where}{nothing}", arrived=False)
    return _with_leftovers(case, settled)


def _with_leftovers(case: Case, settled: Settlement) -> Settlement:
    """Add what the migration left beside a guest that is where it should be."""
    left = [
        (seat, sight.host, guest, guest.leftover)
        for seat, sight, guest in (
            (Seat.SOURCE, case.source, case.here),
            (Seat.DESTINATION, case.destination, case.there),
        )
        if guest is not None
        and guest.leftover is not None
        and (guest.leftover.rolled_back or not (seat is Seat.SOURCE and guest.state.active))
    ]
    for seat, host, guest, leftover in left:
        if leftover.until is None:
            return Settlement(
                State.CLEAN_UP_MISSING,
                f"{settled.sentence}; on {host} {leftover.text}",
                Step(Mend.TIDY, seat, guest),
                "the migration left it, and nothing needs it",
            )
    if not left:
        return settled
    _, host, _, leftover = left[0]
    return Settlement(
        State.WORK_PENDING,
        f"{settled.sentence}; on {host} {leftover.text}",
        why=f"it stays until {leftover.until}: reconcile again then",
        arrived=settled.arrived,
    )


def _waits_in_vain(case: Case) -> bool:
    """Whether the destination waits for a guest that the source has and does not send."""
    here, there = case.here, case.there
    return (
        here is not None
        and there is not None
        and here.job is None
        and here.reason not in {_MIGRATION, STARTED_AGAIN}
        and here.state in {GuestState.RUNNING, case.recorded.before}
        and here.state.active
        and there.leftover is not None
        and there.leftover.until is None
    )


def _under_way(case: Case) -> Settlement:
    return Settlement(
        State.IN_PROGRESS,
        f"{case.promise.guest} is being migrated ({case.on})",
        why=f"{_GOES_ON[case.promise.crash]}: it can be watched, and cancelled",
    )


def _active(guest: GuestFacts | None) -> bool:
    return guest is not None and guest.state.active


def _runs(guest: GuestFacts | None) -> bool:
    return guest is not None and guest.state is GuestState.RUNNING


def _migrates(guest: GuestFacts) -> bool:
    return guest.job is not None and guest.job.startswith(_MIGRATION)


def _because(guest: GuestFacts) -> str:
    return f"{guest.state.value}, reason: {guest.reason or 'not told'}"


def _not_by_us(guest: GuestFacts) -> str:
    return f"the migration is not what paused it ({_because(guest)}): a person must decide"


def _agreed(values: set[bool]) -> bool | None:
    return next(iter(values)) if len(values) == 1 else None


def _hosts(record: Record) -> set[str]:
    """Both hosts of a record, by what they are taken to be, or else by their URIs."""
    found = set()
    source, destination = (
        (None, None)
        if record.facts is None
        else (record.facts.source.uuid, record.facts.destination and record.facts.destination.uuid)
    )
    uris = None if record.plan is None else record.plan.uris
    for uuid, given in (
        (source, uris and uris.source.value),
        (destination, uris and (uris.destination_from_client.value or uris.migration.value)),
    ):
        told = uuid or given
        if told is not None:
            found.add(told)
    return found
