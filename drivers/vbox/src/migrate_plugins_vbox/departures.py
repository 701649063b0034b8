"""Teleportations that begin, those that somebody else began, and what they left."""

from __future__ import annotations

import shlex
from secrets import token_urlsafe
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

from migrate_plugins import DriverError, Mend, MigrationURI, Statistics
from migrate_plugins_vbox.machine import MARK
from migrate_plugins_vbox.options import Wishes, read_password
from migrate_plugins_vbox.senders import find_senders, interrupting
from migrate_plugins_vbox.states import ABSENT, GONE, INACTIVE, LEAVING, WAITING, meaning, stuck
from migrate_plugins_vbox.target import end_waiting
from migrate_plugins_vbox.teleportation import NO_POSTCOPY, NO_SUSPEND, Teleportation, Way

if TYPE_CHECKING:
    from migrate_plugins import GuestFacts, Plan
    from migrate_plugins_vbox.machine import Machine
    from migrate_plugins_vbox.session import VBoxSession

__all__ = ["Adopted", "adopt", "mend", "mend_command", "start"]

# Bytes of a password that is made up: as many as a hash of SHA-256 has.
_PASSWORD: Final = 32
_PAUSE: Final = 0.3
# Seconds that a machine may take to let go of its state.
_ENDING: Final = 15.0


def start(source: VBoxSession, destination: VBoxSession, plan: Plan) -> Teleportation:
    """Begin a teleportation.

    Raises:
        UsageError: What was asked for cannot be had; nothing was begun.
    """
    wishes = Wishes.of(plan)
    file = wishes.password_file
    password = token_urlsafe(_PASSWORD) if file is None else read_password(file)
    uri = MigrationURI.parse(plan.uris.migration.value or "")
    if uri.host is None or plan.port.value is None:
        raise DriverError(f"teleporting {plan.guest}", problem="the plan has no host or no port")
    way = Way(uri.host, plan.port.value, plan.request.listen_address or "", password)
    teleportation = Teleportation(source, destination, plan, wishes, way)
    teleportation.begin()
    return teleportation


def adopt(session: VBoxSession, name: str) -> Adopted | None:
    """Follow the teleportation of a guest from here, whoever began it; None where none is.

    Raises:
        DriverError: The guest cannot be read.
    """
    machine = session.manage.machine_named(name)
    return None if machine is None or machine.state not in LEAVING else Adopted(session, machine)


class Adopted:
    """A teleportation that somebody else began; see :class:`migrate_plugins.Migration`."""

    def __init__(self, session: VBoxSession, machine: Machine) -> None:
        """Follow that of *machine*."""
        self._session: Final = session
        self._machine: Final = machine
        self._state = machine.state

    def wait(self, seconds: float) -> bool:
        """Ask for the state again and again."""
        end = monotonic() + seconds
        while self._state in LEAVING:
            left = end - monotonic()
            if left <= 0:
                return False
            sleep(min(left, _PAUSE))
            self._read()
        return True

    def statistics(self) -> Statistics | None:
        """Nothing: where the guest is sent is known to whoever began it.

        Raises:
            DriverError: The host does not answer.
        """
        if self._state in LEAVING:
            self._read()
        return Statistics() if self._state in LEAVING else None

    def cancel(self) -> None:
        """Have the VBoxManage cancel it.

        Raises:
            DriverError: There is none, or it cannot be told.
        """
        _abort(self._session, self._machine)

    def suspend(self) -> None:
        """Refuse: VirtualBox does not take it."""
        raise DriverError(f"pausing {self._machine.name}", problem=NO_SUSPEND)

    def switch_to_postcopy(self) -> None:
        """Refuse: VirtualBox has no such thing."""
        raise DriverError(f"switching {self._machine.name} to post-copy", problem=NO_POSTCOPY)

    def result(self) -> None:
        """Return if the guest has left.

        Raises:
            DriverError: It has not, as far as its own host knows.
        """
        if self._state != GONE:
            problem = f"it is {self._state} on its own host"
            raise DriverError(f"teleporting {self._machine.name}", problem=problem)

    def _read(self) -> None:
        now = self._session.manage.state(self._machine.uuid)
        self._state = "not registered" if now == ABSENT else now


def mend(session: VBoxSession, step: Mend, guest: GuestFacts) -> None:
    """Take one step with a guest that is still as it was read.

    Raises:
        DriverError: It is refused.
    """
    action = f"{step} of {guest.name}"
    machine = _as_read(session, action, guest)
    _STEPS[step](session, machine, action)


def mend_command(session: VBoxSession, step: Mend, guest: GuestFacts) -> str | None:
    """Give the same step as a line for a shell, or None where there is none."""
    manage = session.manage
    machine = manage.machine_of(guest.uuid)
    if machine is None:
        return None
    if step is Mend.ABORT:
        try:
            lines = [*map(interrupting, find_senders(session, machine))]
        except DriverError:
            return None
        line = " && ".join(lines) or None
        if line is None or session.place.host is None:
            return line
        return shlex.join([*session.place.ssh, session.place.host, line])
    return " && ".join(manage.command(*words) for words in _words(step, machine)) or None


def _words(step: Mend, machine: Machine) -> list[tuple[str, ...]]:
    """Give a step as calls of VBoxManage."""
    uuid, state = machine.uuid, machine.state
    end = ("startvm", uuid, "--type", "emergencystop")
    off = ("modifyvm", uuid, "--teleporter", "off")
    unregister, unmark = ("unregistervm", uuid), ("setextradata", uuid, MARK)
    if step is Mend.TIDY:
        calls = [end] if state == WAITING or stuck(machine) else []
        if not calls and state not in INACTIVE:
            return []
        calls += [off] if machine.teleporter else []
        return calls + ([unregister] if machine.marked else [])
    calls_of: dict[Mend, list[tuple[str, ...]]] = {
        Mend.RESUME: [("controlvm", uuid, "resume")],
        Mend.DESTROY: [end if state == WAITING else ("controlvm", uuid, "poweroff")],
        Mend.DEFINE: [unmark],
        Mend.UNDEFINE: [unregister if state in INACTIVE else (*unmark, "yes")],
    }
    return calls_of.get(step, [])


def _as_read(session: VBoxSession, action: str, guest: GuestFacts) -> Machine:
    """Read the machine of a guest, and refuse where it is not as it was."""
    machine = session.manage.machine_of(guest.uuid)
    if machine is None:
        raise DriverError(action, problem="it has changed since it was read: it is gone")
    now = meaning(machine)
    if (now.state, now.job) != (guest.state, guest.job):
        words = f"{now.state}, job: {now.job or 'none'}"
        raise DriverError(action, problem=f"it has changed since it was read: it is {words}")
    return machine


def _abort(session: VBoxSession, machine: Machine, action: str | None = None) -> None:
    action = action or f"cancelling the teleportation of {machine.name}"
    senders = find_senders(session, machine)
    if not senders:
        problem = (
            "no VBoxManage that teleports it runs on its host any more: it goes on by itself, to"
            " its end"
        )
        raise DriverError(action, problem=problem)
    for number in senders:
        answer = session.manage.runner.run(interrupting(number))
        if answer.status is None:
            raise DriverError(action, problem=answer.error)


def _resume(session: VBoxSession, machine: Machine, action: str) -> None:
    _only({"paused"}, machine, action)
    session.manage.resume(machine.uuid)


def _destroy(session: VBoxSession, machine: Machine, action: str) -> None:
    """End a copy that does not run."""
    _only({"paused", WAITING}, machine, action)
    if machine.state == WAITING:
        end_waiting(session.manage, machine.uuid)
    else:
        session.manage.power_off(machine.uuid)
    _rest(session, machine, action)


def _define(session: VBoxSession, machine: Machine, action: str) -> None:
    del action
    session.manage.mark(machine.uuid, False)


def _undefine(session: VBoxSession, machine: Machine, action: str) -> None:
    del action
    if machine.state in INACTIVE:
        session.manage.unregister(machine.uuid)
    else:
        session.manage.mark(machine.uuid, True)


def _tidy(session: VBoxSession, machine: Machine, action: str) -> None:
    """End what waits or is stuck; of what is shut off, undo what teleportation did to it."""
    manage, uuid = session.manage, machine.uuid
    if machine.state == WAITING:
        end_waiting(manage, uuid)
    elif stuck(machine):
        manage.emergency_stop(uuid)
    else:
        _only(INACTIVE, machine, action)
    now = _rest(session, machine, action)
    if now is not None and now.teleporter:
        manage.teleporter_off(uuid)
    if now is not None and now.marked:
        manage.unregister(uuid)


_STEPS: Final = {
    Mend.ABORT: _abort,
    Mend.RESUME: _resume,
    Mend.DESTROY: _destroy,
    Mend.DEFINE: _define,
    Mend.UNDEFINE: _undefine,
    Mend.TIDY: _tidy,
}


def _only(states: frozenset[str] | set[str], machine: Machine, action: str) -> None:
    if machine.state not in states:
        raise DriverError(action, problem=f"it is {machine.state} there, and so it is left alone")


def _rest(session: VBoxSession, machine: Machine, action: str) -> Machine | None:
    """Wait until a machine that was ended is shut off."""
    end = monotonic() + _ENDING
    while True:
        now = session.manage.machine_of(machine.uuid)
        if now is None or now.state in INACTIVE:
            return now
        if monotonic() > end:
            raise DriverError(action, problem=f"it is still {now.state} after {_ENDING:.0f} s")
        sleep(_PAUSE)
