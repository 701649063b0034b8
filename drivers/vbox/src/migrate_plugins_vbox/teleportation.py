"""One teleportation, from the last look before it to what became of both machines.

It is made in a thread of its own, and no wait in it is without an end.  What decides is the states
of both machines (:func:`migrate_plugins_vbox.states.verdict`), never how VBoxManage ended; where
they do not tell, nothing is touched.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from migrate_plugins import DriverError, MigrateError, Statistics
from migrate_plugins_vbox.faults import failed
from migrate_plugins_vbox.senders import find_senders, interrupting
from migrate_plugins_vbox.states import (
    ABSENT,
    LEAVING,
    STARTABLE,
    STUCK,
    WAITING,
    Verdict,
    verdict,
)
from migrate_plugins_vbox.target import Target
from migrate_plugins_vbox.wire import looking, read_wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrate_plugins import Plan
    from migrate_plugins_vbox.machine import Machine
    from migrate_plugins_vbox.options import Wishes
    from migrate_plugins_vbox.runner import Answer, Job
    from migrate_plugins_vbox.session import VBoxSession

__all__ = ["NO_POSTCOPY", "NO_SUSPEND", "Patience", "Teleportation", "Way"]

# Seconds between two looks at the connection, at both machines while it is under way, and at both
# when it should be over.
_WIRE: Final = 1.0
_STATES: Final = 4.0
_PAUSE: Final = 0.2
# Seconds between two requests to stop: VBoxManage hears none before it is under way.
_AGAIN: Final = 1.0
# Seconds that both machines may take to come to rest.
_RESTING: Final = 20.0
# Seconds that a target has to wait in vain before it is believed: it may be ending by itself.
_VAIN: Final = 1.0
# Seconds that a connection is tried again where none is accepted: nothing has moved then.
_KNOCKING: Final = 10.0

NO_SUSPEND: Final = (
    "VirtualBox does not take it: a guest that is paused while it is teleported is stuck afterwards"
)
NO_POSTCOPY: Final = "VirtualBox has no such thing: the whole memory is sent before the guest moves"

_RUNNING: Final = frozenset({"running", "paused"})
_ARRIVED: Final = frozenset({Verdict.DONE, Verdict.DONE_STUCK})
_STAYED: Final = frozenset({Verdict.STAYED, Verdict.STAYED_WAITING})
# What both machines stay in.
_AT_REST: Final = _ARRIVED | {Verdict.STAYED, Verdict.LOST}


class Way(NamedTuple):
    """Where a guest is sent.

    Attributes:
        host: As the source reaches it.
        port: Likewise; the target listens on the same.
        listen: Address of the destination that it listens on; empty for all.
        password: Of the target's teleporter.
    """

    host: str
    port: int
    listen: str
    password: str

    def __repr__(self) -> str:
        """Everything but the password."""
        return f"Way(host={self.host!r}, port={self.port}, listen={self.listen!r})"


class Patience(NamedTuple):
    """Seconds for one who was asked to stop, and who may not hear it.

    The source hears no request while it waits for a silent target.

    Attributes:
        deaf: After the first request until the target is ended.
        stopping: Likewise until nobody waits for VBoxManage any longer.
        given_up: From then on until both machines have to have come to rest.
    """

    deaf: float = 6.0
    stopping: float = 12.0
    given_up: float = 5.0


class _End(NamedTuple):
    """How it ended, as both machines show it."""

    verdict: Verdict
    source: str
    target: str
    problem: str | None = None

    @property
    def on_neither(self) -> bool:
        """Whether both machines are off."""
        return {self.source, self.target} <= STARTABLE | {ABSENT}


class Teleportation:
    """A teleportation that runs; see :class:`migrate_plugins.Migration`."""

    patience: ClassVar[Patience] = Patience()

    def __init__(
        self, source: VBoxSession, destination: VBoxSession, plan: Plan, wishes: Wishes, way: Way
    ) -> None:
        """Begin nothing yet."""
        self._source: Final = source
        self._destination: Final = destination
        self._plan: Final = plan
        self._wishes: Final = wishes
        self._way: Final = way
        self._action: Final = f"teleporting {plan.guest}"
        self._ended: Final = threading.Event()
        self._unwanted: Final = threading.Event()
        self._late = False
        self._under_way = False
        self._limit = 0.0
        self._last = Statistics()
        self._looked = 0.0
        self._error: DriverError | None = None
        self._arrived = False

    def begin(self) -> None:
        """Begin it, in a thread of its own."""
        threading.Thread(target=self._work, daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait at most *seconds* for the end."""
        return self._ended.wait(seconds)

    def statistics(self) -> Statistics | None:
        """Give what was sent, as it was seen last; None until the guest is being sent."""
        if self._arrived and self._last.transferred is None:
            return Statistics(percent=100.0)
        return self._last if self._under_way else None

    def cancel(self) -> None:
        """Have it stop; once the target has the guest it is too late, and it has moved."""
        self._unwanted.set()

    def suspend(self) -> None:
        """Refuse: VirtualBox does not take it."""
        raise DriverError(f"pausing {self._plan.guest}", problem=NO_SUSPEND)

    def switch_to_postcopy(self) -> None:
        """Refuse: VirtualBox has no such thing."""
        raise DriverError(f"switching {self._plan.guest} to post-copy", problem=NO_POSTCOPY)

    def result(self) -> None:
        """Return if the guest is on the destination, and nothing is left over that should not be.

        Raises:
            DriverError: It is not; in VirtualBox's own words where it said any.
        """
        if not self._ended.is_set():
            raise DriverError(self._action, problem="it has not ended")
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        try:
            self._teleport()
        except DriverError as error:
            self._error = error
        except MigrateError as error:
            self._error = DriverError(self._action, problem=str(error))
        except Exception as error:  # noqa: BLE001 - result() raises it where somebody waits
            problem = f"{type(error).__name__}: {error}"
            self._error = DriverError(self._action, problem=problem)
        finally:
            self._ended.set()

    def _teleport(self) -> None:
        source, there = self._look()
        self._limit = monotonic() + self._wishes.timeout
        target = Target(self._destination, source, there, self._plan.destination_name)
        try:
            if there is None:
                target.register(self._source.manage)
            way = self._way
            if not self._stops():
                target.listen(way.port, way.listen, way.password, self._stops)
            if self._stops():
                raise self._stopped()
        except MigrateError as error:
            # Nothing was sent: the guest is where it was.
            problem = _tried(target.put_back)
            target.let_go()
            raise _added(error, problem) from error
        answer = self._send(source, target)
        patience = _RESTING if answer is not None else self.patience.given_up
        end = self._settle(source, patience)
        target.let_go()
        self._conclude(source, target, answer, end)

    def _look(self) -> tuple[Machine, Machine | None]:
        """Read both machines again, and refuse where they are not as they were checked.

        Raises:
            DriverError: With every reason; nothing was changed.
        """
        plan, name = self._plan, self._plan.destination_name
        here, there = self._source.manage, self._destination.manage
        source = here.machine_named(plan.guest)
        if source is None:
            problem = f"there is no machine {plan.guest} on the source any more"
            raise DriverError(self._action, problem=problem)
        found, namesake = there.machines(source.uuid, name)
        wrong = [*_changed(plan, source, found, namesake)]
        if self._way.port in there.listening():
            wrong.append(
                f"something listens on port {self._way.port} of the destination: choose others with"
                " --port-range"
            )
        if wrong:
            raise DriverError(self._action, problem="; ".join(wrong))
        if self._stops():
            raise self._stopped()
        return source, found

    def _send(self, source: Machine, target: Target) -> Answer | None:
        """Send the guest; gives what VBoxManage said, or None where that was not waited for."""
        way = self._way
        knocking = monotonic() + _KNOCKING
        while True:
            job = self._source.manage.teleport(
                source.uuid,
                host=way.host,
                port=way.port,
                password=way.password,
                max_downtime=self._wishes.max_downtime,
            )
            self._under_way = True
            answer = self._follow(job, source, target)
            refused = answer is not None and "VERR_NET_CONNECTION_REFUSED" in answer.error
            if not refused or self._stops() or monotonic() > knocking:
                return answer
            if self._read(source).verdict is not Verdict.STAYED_WAITING:
                return answer
            sleep(_PAUSE)

    def _follow(self, job: Job, source: Machine, target: Target) -> Answer | None:
        """Wait for the end of VBoxManage, tell how far it is, and stop it where it has to."""
        asked: float | None = None
        again = 0.0
        hung_up = False
        # When both machines are looked at next; soon, once the target has been started.
        states = monotonic() + _STATES
        while True:
            answer = job.wait(_PAUSE)
            if answer is not None:
                return answer
            now = monotonic()
            if self._stops() and now >= again:
                asked = now if asked is None else asked
                again = now + _AGAIN
                job.interrupt()
            self._watch(job)
            ended = target.job is None or target.job.poll() is not None
            if now > states or (ended and now > states - _STATES + _WIRE):
                states = now + _STATES
                if self._read(source).verdict in _AT_REST - {Verdict.STAYED}:
                    # What there is to decide is decided.
                    answer = job.wait(_PAUSE)
                    job.abandon()
                    return answer
            if asked is not None and not hung_up and now - asked > self.patience.deaf:
                hung_up = True
                self._hang_up(source, target)
            if asked is not None and now - asked > self.patience.stopping:
                job.abandon()
                return None

    def _hang_up(self, source: Machine, target: Target) -> None:
        """End a target that is silent: its source notices, and goes on with the guest.

        Only before the disks change hands.  A source that was asked to stop hands nothing over any
        more; where it had begun to, its disks are unlocked by now, and the guest would be lost.
        """
        found = self._read(source)
        if found.verdict is Verdict.UNDER_WAY and found.target == WAITING:
            with suppress(MigrateError):
                if self._source.manage.locks(source.disks):
                    target.hang_up()

    def _watch(self, job: Job) -> None:
        """Look how much has been sent, once in a while."""
        now = monotonic()
        if now - self._looked < _WIRE:
            return
        way = self._way
        answer = self._source.manage.runner.run(looking(way.host, way.port, job.said), seconds=5.0)
        seen = read_wire(answer.output, way.port)
        last, sent = self._last, seen.transferred
        if sent is not None and (last.transferred is None or sent >= last.transferred):
            passed = now - self._looked
            known = last.transferred is not None
            rate = int((sent - (last.transferred or 0)) / passed) if known else None
            self._last = Statistics(transferred=sent, rate=rate)
        elif last.transferred is None:
            self._last = Statistics(percent=seen.percent)
        self._looked = now

    def _settle(self, source: Machine, patience: float) -> _End:
        """Read both machines until neither changes any more, or it is no use to wait."""
        end = monotonic() + patience
        vain: float | None = None
        again = 0.0
        while True:
            found = self._read(source)
            now = monotonic()
            if found.verdict in _AT_REST or found.on_neither:
                return found
            if found.verdict is Verdict.STAYED_WAITING:
                vain = now if vain is None else vain
                if now - vain > _VAIN and not self._sender(source):
                    return found
            else:
                vain = None
            if found.verdict is Verdict.UNDER_WAY:
                # VBoxManage is gone, or nobody hears of it: it goes on by itself.
                end = max(end, min(now, self._limit) + patience)
                if self._stops() and now >= again:
                    again = now + _AGAIN
                    self._interrupt(source)
            if now > end:
                return found
            sleep(_PAUSE)

    def _read(self, source: Machine) -> _End:
        """Read both machines."""
        try:
            here = self._source.manage.state(source.uuid)
            there = self._destination.manage.state(source.uuid)
        except MigrateError as error:
            return _End(Verdict.UNKNOWN, "", "", str(error))
        return _End(verdict(here, there), here, there)

    def _sender(self, source: Machine) -> bool:
        """Whether a VBoxManage still sends the guest, as far as that can be seen."""
        try:
            return bool(find_senders(self._source, source))
        except DriverError:
            return True

    def _interrupt(self, source: Machine) -> None:
        with suppress(DriverError):
            for number in find_senders(self._source, source):
                self._source.manage.runner.run(interrupting(number))

    def _conclude(self, source: Machine, target: Target, answer: Answer | None, end: _End) -> None:
        """Clear up what the verdict allows, and raise where the guest has not moved well."""
        if end.verdict in _ARRIVED:
            self._arrived = True
            problems = self._clear_up(source, target, end)
            if problems:
                problem = f"the guest has moved, and not all could be put right: {problems}"
                raise DriverError(f"clearing up after {self._action}", problem=problem)
            return
        if end.verdict in _STAYED:
            if self._stops():
                error = self._stopped()
            elif answer is None or answer.status == 0:
                problem = f"VBoxManage does not say why; the source is {end.source}"
                error = DriverError(self._action, problem=problem)
            else:
                error = failed(self._action, answer)
            raise _added(error, _tried(target.put_back))
        said = "" if answer is None or answer.status == 0 else str(failed(self._action, answer))
        if end.verdict is Verdict.LOST:
            problem = (
                f"no running copy of it is left: the source is {end.source}, which it cannot"
                f" leave, and the target {end.target}; its disks are as it left them, and nothing"
                " was touched"
            )
        elif end.on_neither:
            problem = (
                f"it runs on neither host: the source is {end.source} and the target {end.target};"
                " nothing was touched"
            )
        elif end.source in LEAVING and end.target != WAITING:
            problem = (
                f"the source is {end.source}, and the target does not take the guest any more: its"
                f" connection to {self._way.host} is silent; once that breaks the guest goes on at"
                f" the source (as root there: ss -K dport = {self._way.port})"
            )
        elif end.problem is not None:
            problem = f"how it ended cannot be known, and nothing was touched: {end.problem}"
        else:
            problem = (
                f"how it ended cannot be known, and nothing was touched: the source is {end.source}"
                f" and the target {end.target}"
            )
        raise DriverError(self._action, problem="; ".join(filter(None, [problem, said])))

    def _clear_up(self, source: Machine, target: Target, end: _End) -> str:
        """Leave both machines as the plan says; gives what could not be done."""
        after = self._plan.configuration.after
        manage, uuid = self._source.manage, source.uuid

        def keep_target() -> None:
            if after is not None:
                target.keep(after.destination_config)

        unkept = _tried(keep_target)

        def clear_source() -> None:
            if end.source == STUCK:
                manage.emergency_stop(uuid)
            if source.teleporter:
                manage.teleporter_off(uuid)
            # Not the last registration that there is.
            if after is not None and not after.source_config and not unkept:
                manage.unregister(uuid)

        return "; ".join(filter(None, [unkept, _tried(clear_source)]))

    def _stops(self) -> bool:
        """Whether it has to stop: somebody wants that, or it has taken too long."""
        if not self._late and self._limit and monotonic() > self._limit:
            self._late = True
        return self._late or self._unwanted.is_set()

    def _stopped(self) -> DriverError:
        if self._unwanted.is_set():
            return DriverError(self._action, problem="it was cancelled")
        problem = f"it was not done after {self._wishes.timeout} s, and so was cancelled"
        return DriverError(self._action, problem=problem)


def _changed(
    plan: Plan, source: Machine, found: Machine | None, namesake: Machine | None
) -> Iterator[str]:
    """Say what is not as it was checked, or would be in the way.

    Args:
        plan: What was checked.
        source: The machine that is sent.
        found: The machine of the same uuid on the destination, or None.
        namesake: That of the same name there, or None.
    """
    name, before = plan.destination_name, plan.before
    if source.state not in _RUNNING:
        yield f"{plan.guest} is {source.state}, and neither running nor paused"
    if namesake is not None and namesake.uuid != source.uuid:
        yield (
            f"another machine is called {name} on the destination, {namesake.uuid}: choose another"
            " name with --dname"
        )
    if found is not None and found.name != name:
        yield (
            f"the machine is registered on the destination as {found.name}: give --dname"
            f" {found.name}, or unregister it there"
        )
    if found is not None and found.state not in STARTABLE:
        yield f"{found.name} is {found.state} on the destination, and not shut off"
    if before is not None and before.persistent is source.marked:
        yield "whether it stays registered on the source has changed since the check"
    if before is not None and before.destination_config is (found is None or found.marked):
        yield "whether it is registered on the destination has changed since the check"


def _tried(step: Callable[[], object]) -> str:
    """Take a step; gives what went wrong, or nothing."""
    try:
        step()
    except MigrateError as error:
        return str(error)
    return ""


def _added(error: MigrateError, problem: str) -> MigrateError:
    """Give an error with what went wrong after it."""
    if not problem or not isinstance(error, DriverError):
        return error
    both = f"{error.problem}; and then {problem}"
    return DriverError(error.action, problem=both, code=error.code, domain=error.domain)
