"""Reconcile a migration: read both hosts, take the safe steps, follow what is still under way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, TypeVar

from migrate_plugins.deadline import within
from migrate_plugins.document import Crash
from migrate_plugins.errors import DriverError, MigrateError, one_line
from migrate_plugins.hosts import find_guest
from migrate_plugins.model import Seat
from migrate_plugins.outcome import Verdict
from migrate_plugins.progress import Event, Phase
from migrate_plugins.reconciliation import (
    Promise,
    Recorded,
    Sight,
    State,
    may_be_finished,
    settle,
)
from migrate_plugins.sessions import Mender, Seeing
from migrate_plugins.transfer import ADOPTED, Transfer

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from migrate_plugins.driver import Driver
    from migrate_plugins.errors import ExitCode
    from migrate_plugins.plan import Plan
    from migrate_plugins.progress import Observer, Statistics
    from migrate_plugins.reconciliation import Settlement, Step
    from migrate_plugins.records import Record
    from migrate_plugins.sessions import GuestFacts, Mend, Migration, Session

__all__ = ["Reconciled", "Reconciler", "Taken"]

# Seconds that a host may take for an answer, and for a step that changes something.
PATIENCE: Final = 10.0
_STEP: Final = 30.0
# Seconds to wait for a job that is ending: one that the hypervisor aborts, or was asked to.
_GRACE: Final = 15.0
# Seconds between two looks at a host.
_PAUSE: Final = 0.5
# Seconds after which a client that has not finished a migration will not: libvirt's keep-alive
# takes 35 of them.
_CLIENT: Final = 40.0
# Two copies, and a configuration on each host: there is never more to mend.
_STEPS: Final = 4

_Answer = TypeVar("_Answer")


class Taken(NamedTuple):
    """A step that was taken.

    Attributes:
        step: Which.
        host: On which host.
        error: What went wrong, or None.
    """

    step: Step
    host: str
    error: str | None = None


class Reconciled(NamedTuple):
    """What became of a migration, after the steps that were taken.

    Attributes:
        plan: What was asked for.
        settlement: What became of it.
        source: What the source says.
        destination: What the destination says.
        command: The next step as a line for a shell, or None; where a process still migrates, what
            interrupts it.
        taken: The steps that were taken.
        cancelled: Whether somebody asked to cancel it here.
        problem: Why nothing could be followed or done, or None.
        record: Its record in the journal, or None.
        unrecorded: Why the journal could not be told, or None.
    """

    plan: Plan
    settlement: Settlement
    source: Sight
    destination: Sight
    command: str | None = None
    taken: tuple[Taken, ...] = ()
    cancelled: bool = False
    problem: str | None = None
    record: Record | None = None
    unrecorded: str | None = None

    @property
    def exit_code(self) -> ExitCode:
        """The command line's exit status."""
        return self.settlement.exit_code

    @property
    def verdict(self) -> Verdict:
        """The same in the words of an outcome."""
        verdict = self.settlement.verdict
        return Verdict.CANCELLED if self.cancelled and verdict is Verdict.FAILED else verdict

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON's own types."""
        found = self.settlement
        return {
            "id": self.record and self.record.id,
            "guest": self.plan.guest,
            "state": found.state.value,
            "verdict": self.verdict.value,
            "exit_code": int(self.exit_code),
            "text": found.sentence,
            "certain": found.certain,
            "source": _sight(self.source),
            "destination": _sight(self.destination),
            "step": None
            if found.step is None
            else {
                "mend": found.step.mend.value,
                "host": found.step.host.value,
                "command": self.command,
            },
            "why": found.why,
            "taken": [
                {
                    "mend": each.step.mend.value,
                    "host": each.step.host.value,
                    "error": each.error,
                }
                for each in self.taken
            ],
            "cancelled": self.cancelled,
            "problem": self.problem,
            "unrecorded": self.unrecorded,
            "plan": self.plan.to_json(),
        }


def _sight(sight: Sight) -> dict[str, Any]:
    return {
        "host": sight.host,
        "guest": sight.guest and sight.guest.to_json(),
        "unreadable": sight.unreadable,
    }


class Reconciler:
    """Both hosts of a migration that nobody saw the end of.

    No call waits for a host for ever: one that does not answer in time cannot be read.
    """

    def __init__(
        self,
        driver: Driver,
        plan: Plan,
        recorded: Recorded,
        *,
        observers: Iterable[Observer] = (),
        ahead: Callable[[Step, str], object] = lambda _step, _host: None,
        patience: float | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            driver: The driver of both hosts.
            plan: What was asked for.
            recorded: What the journal knows.
            observers: Called with each event of a migration that is followed, and with what is
                waited for.
            ahead: Called with each step, and the host's name, before it is taken.
            patience: Seconds that a host may take for an answer; None for the usual ones.
        """
        uris = plan.uris
        patience = PATIENCE if patience is None else patience
        unseen = (
            f"{plan.scenario.id} gives no URI by which it could be opened from here;"
            " give one with --destination, or name the host in config.toml"
        )
        self._plan = plan
        self._recorded = recorded
        self._promise = Promise.of(plan, recorded.before)
        self._observers = tuple(observers)
        self._ahead = ahead
        self._driver = driver
        ends = {Seat.SOURCE: uris.source, Seat.DESTINATION: uris.destination_from_client}
        self._hosts = {
            seat: _Host(plan, driver, uri.value, patience, name or f"the {seat}", unseen)
            for (seat, uri), name in zip(ends.items(), recorded.hosts, strict=True)
        }
        self._taken: list[Taken] = []
        self._problem: str | None = None
        self._cancelled = False
        self._followed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for host in self._hosts.values():
            host.close()

    def look(self) -> Reconciled:
        """Read both hosts and decide; nothing is changed."""
        names = {Seat.SOURCE: self._plan.guest, Seat.DESTINATION: self._plan.destination_name}
        uuid = self._recorded.uuid
        with ThreadPoolExecutor(len(self._hosts)) as both:
            source, destination = both.map(
                lambda seat: self._hosts[seat].look(names[seat], uuid), self._hosts
            )
        if uuid is None and source.guest is not None and destination.unreadable is None:
            # It may have another name there.
            name, uuid = names[Seat.DESTINATION], source.guest.uuid
            destination = self._hosts[Seat.DESTINATION].look(name, uuid)
        ours, theirs = (host.uuid for host in self._hosts.values())
        if ours is not None and ours == theirs:
            same = f"its URI leads to the source, {source.host}, itself"
            destination = destination._replace(guest=None, unreadable=same)
        found = settle(self._promise, source, destination, self._recorded)
        return Reconciled(
            self._plan,
            found,
            source,
            destination,
            self._command(found),
            tuple(self._taken),
            self._cancelled,
            self._problem,
        )

    def apply(self) -> Reconciled:
        """Take one safe step after the other, and read both hosts after each."""
        found = self._settled_down()
        if found.settlement.step is not None and may_be_finished(self._promise, self._recorded):
            found = self._outlast(found)
        while found.settlement.step is not None and len(self._taken) < _STEPS:
            if not self._take(found.settlement.step, found):
                return self.look()
            found = self._settled_down()
        return found

    def _outlast(self, found: Reconciled) -> Reconciled:
        """Wait until such a client would have finished it; what changed meanwhile, it does."""
        waits = f"waits {_CLIENT:.0f} s: the client that has to finish it may still live"
        self._say(Event(self._plan.guest, Phase.MEND, 0.0, waits))
        sleep(_CLIENT)
        again = self._settled_down()
        if _what(again.settlement) != _what(found.settlement):
            problem = f"somebody else changed it in the last {_CLIENT:.0f} s: nothing was done"
            left = again.settlement._replace(step=None)
            return again._replace(settlement=left, command=None, problem=problem)
        return again

    def follow(self, cancelled: threading.Event) -> Reconciled:
        """Follow a migration that is under way to its end, and cancel it when asked to.

        Args:
            cancelled: Set by whoever wants it cancelled, also later.
        """
        found = self.look()
        if found.settlement.state is not State.IN_PROGRESS:
            return found
        if self._recorded.alive and cancelled.is_set():
            self._problem = f"not cancelled: {found.settlement.why}"
            return self.look()
        try:
            guest = found.source.guest
            migration = self._hosts[Seat.SOURCE].ask(lambda source: self._adopt(source, guest))
        except (MigrateError, TimeoutError) as error:
            self._problem = str(error)
            return self.look()
        if migration is not None:
            self._watch(migration, cancelled)
        return self._settled_down()

    def _adopt(self, session: Session, guest: GuestFacts | None) -> Migration | None:
        """Take over the migration of the guest that was read, and of no other of its name."""
        doing = "following a migration"
        mender = self._mender(session, doing)
        name = self._plan.guest if guest is None else guest.name
        now = session.guest(name)
        if (now and now.uuid) != (guest and guest.uuid):
            raise DriverError(doing, problem=f"{name} is no longer the guest that was read")
        if now is not None and self._recorded.uuid not in {None, now.uuid}:
            raise DriverError(doing, problem=f"{name} is another guest, {now.uuid}")
        return mender.adopt(name)

    def _mender(self, session: Session, doing: str) -> Mender:
        if isinstance(session, Mender):
            return session
        problem = f"the driver {self._driver.info.name} does not offer it"
        raise DriverError(doing, problem=f"{problem}; use the hypervisor's own tool")

    def _say(self, event: Event) -> None:
        for observer in self._observers:
            with suppress(Exception):  # who only watches may not disturb
                observer(event)

    def _watch(self, migration: Migration, cancelled: threading.Event) -> None:
        began = monotonic()

        def say(phase: Phase, text: str | None, statistics: Statistics | None) -> None:
            self._say(Event(self._plan.guest, phase, monotonic() - began, text, statistics))

        transfer = Transfer(migration, self._plan.guest, cancelled, say)
        try:
            transfer.follow(ADOPTED)
        except MigrateError as error:  # what became of it is read from the hosts
            self._problem = str(error)
        else:
            self._followed = True
        self._cancelled = transfer.asked_to_stop

    def _settled_down(self) -> Reconciled:
        """Look until nothing changes by itself any more, as far as that comes soon."""
        end = monotonic() + _GRACE
        while True:
            found = self.look()
            aborts = self._promise.crash is Crash.ABORTED
            ending = self._cancelled or self._followed or aborts
            waits = found.settlement.state is State.IN_PROGRESS and not self._recorded.alive
            # What only the destination still waits for ends in either flow.
            if not waits or not (ending or not found.settlement.certain) or monotonic() > end:
                return found
            sleep(_PAUSE)

    def _take(self, step: Step, found: Reconciled) -> bool:
        """Take a step; whether that went well."""
        host = found.source.host if step.host is Seat.SOURCE else found.destination.host
        problem = None

        def mend(session: Session) -> None:
            doing = f"{step.mend} of {step.guest.name}"
            self._mender(session, doing).mend(step.mend, step.guest)

        self._ahead(step, host)
        try:
            self._hosts[step.host].ask(mend, _STEP)
        except (MigrateError, TimeoutError) as error:
            problem = str(error)
        self._taken.append(Taken(step, host, problem))
        return problem is None

    def _command(self, found: Settlement) -> str | None:
        """Give the next step as people type it."""
        if found.step is None:
            return self._recorded.interrupt if found.state is State.IN_PROGRESS else None
        mend, seat, guest = found.step

        def command(session: Session) -> str | None:
            return session.mend_command(mend, guest) if isinstance(session, Mender) else None

        with suppress(MigrateError, TimeoutError):
            return self._hosts[seat].ask(command)
        return None


def _what(settlement: Settlement) -> tuple[State, Mend | None, Seat | None]:
    """Give what was found and what is to be done, without what changes by itself."""
    step = settlement.step
    return settlement.state, step and step.mend, step and step.host


class _Host:
    """A host that is opened when it is first asked, and anew when it did not answer."""

    def __init__(
        self, plan: Plan, driver: Driver, uri: str | None, patience: float, name: str, unseen: str
    ) -> None:
        self._plan = plan
        self._driver = driver
        self._uri = uri
        self._patience = patience
        self._unseen = unseen
        self._session: Session | None = None
        self._name = name
        self.uuid: str | None = None

    def look(self, name: str, uuid: str | None) -> Sight:
        """Read the guest by its name, or by its uuid where that is another one."""
        if self._uri is None:
            return Sight(self._name, unreadable=self._unseen)

        def read(session: Session) -> GuestFacts | None:
            if self.uuid is None:
                host = session.host()
                self._name, self.uuid = host.name, host.uuid
            return self._find(session, name, uuid)

        problem = ""
        for _attempt in range(2):  # a connection may have broken since the last look
            fresh = self._session is None
            try:
                guest = self.ask(read)  # it also learns the host's name
                return Sight(self._name, guest)
            except TimeoutError as error:
                return Sight(self._name, unreadable=f"{error} from {self._uri}")
            except MigrateError as error:
                problem = str(error)
            except Exception as error:  # noqa: BLE001 - a driver's fault: it is not readable
                problem = one_line(error)
            self.close()
            if fresh:
                break
        return Sight(self._name, unreadable=problem)

    def _find(self, session: Session, name: str, uuid: str | None) -> GuestFacts | None:
        ours, stranger = find_guest(session, name, uuid)
        guest = ours or stranger
        if isinstance(session, Seeing) and (guest is None or not guest.state.active):
            why = session.unseen(self._plan)
            if why is not None:
                raise DriverError(f"looking for {name}", problem=why)
        return guest

    def ask(self, question: Callable[[Session], _Answer], seconds: float | None = None) -> _Answer:
        """Ask the open session, or a new one.

        Raises:
            MigrateError: It cannot be opened, or the answer is an error.
            TimeoutError: There is no answer in time.
        """
        session = self._session

        def work() -> tuple[Session, _Answer]:
            opened = session or self._driver.connect(self._uri or "")
            try:
                return opened, question(opened)
            except BaseException:
                if session is None:
                    opened.close()
                raise

        try:
            self._session, answer = within(
                self._patience if seconds is None else seconds,
                work,
                late=lambda answered: answered[0].close(),
            )
        except TimeoutError:
            self._session = None  # a thread still hangs on it
            raise
        return answer

    def close(self) -> None:
        """Close the session; again is no error."""
        session, self._session = self._session, None
        if session is not None:
            with suppress(Exception, SystemExit):
                within(self._patience, session.close)
