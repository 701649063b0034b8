"""The machine on the destination that a guest is teleported to: made, started, put back."""

from __future__ import annotations

from pathlib import PurePosixPath
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

from migrate_plugins import DriverError
from migrate_plugins_vbox.faults import failed
from migrate_plugins_vbox.settings import settings_path, write_target
from migrate_plugins_vbox.states import INACTIVE, WAITING

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate_plugins_vbox.machine import Machine
    from migrate_plugins_vbox.manage import VBoxManage
    from migrate_plugins_vbox.runner import Job
    from migrate_plugins_vbox.session import VBoxSession

__all__ = ["Target", "end_waiting"]

# Seconds from the start of a machine until it listens; a busy host needs some.
_BEGINNING: Final = 60.0
# Seconds that an ended machine may take to let go of its state.
_ENDING: Final = 15.0
_PAUSE: Final = 0.1
# Seconds at a time that its host waits for it to listen.
_STEP: Final = 0.5


class Target:
    """One machine; whatever is done to it is done for one teleportation."""

    def __init__(
        self, session: VBoxSession, source: Machine, found: Machine | None, name: str
    ) -> None:
        """Change nothing yet.

        Args:
            session: With the destination.
            source: The machine that will be sent.
            found: It on the destination, or None where it has to be made.
            name: What it is called on the destination.
        """
        self._manage: Final = session.manage
        self._folder: Final = session.found.machine_folder
        self._source: Final = source
        # What is made is marked.
        self._marked: Final = found is None or found.marked
        self._name: Final = name
        self._path: str | None = None
        self._touched = False
        self.job: Job | None = None

    def register(self, source: VBoxManage) -> None:
        """Make it from the settings of the source; it is marked until the guest has arrived.

        Raises:
            DriverError: It cannot be made.
        """
        machine = self._source
        text = source.settings(machine)
        folder = str(PurePosixPath(machine.settings_file).parent)
        renamed = None if self._name == machine.name else self._name
        made = write_target(text, folder, name=renamed)
        path = settings_path(self._folder, self._name)
        # Where no answer comes it may have been made all the same.
        self._path = path
        self._manage.register(path, made, source=text)

    def listen(self, port: int, address: str, password: str, unwanted: Callable[[], bool]) -> None:
        """Start it, and wait until it takes a guest in; returns early where that is *unwanted*.

        Raises:
            DriverError: It does not come so far.
        """
        uuid = self._source.uuid
        self._touched = True
        self._manage.teleporter_on(uuid, port=port, address=address, password=password)
        if unwanted():
            return
        self.job = self._manage.start(uuid)
        action = f"starting {self._name} on the destination"
        end = monotonic() + _BEGINNING
        # Its state says that it waits before anything listens.
        while not unwanted() and not self._manage.listens(port, _STEP):
            answer = self.job.poll()
            if answer is not None:
                if answer.status == 0:
                    problem = "it ran at once, without waiting for a guest"
                    raise DriverError(action, problem=problem)
                raise failed(action, answer)
            if monotonic() > end:
                problem = f"after {_BEGINNING:.0f} s nothing listens on port {port}"
                raise DriverError(action, problem=problem)

    def keep(self, stored: bool) -> None:
        """Have it stay registered, or only as long as it runs.

        Raises:
            DriverError: That cannot be done.
        """
        if self._marked is stored:
            self._manage.mark(self._source.uuid, not stored)

    def hang_up(self) -> None:
        """End it where it waits, in the middle of a teleportation.

        Raises:
            DriverError: That cannot be done.
        """
        end_waiting(self._manage, self._source.uuid)

    def put_back(self) -> None:
        """End it where it waits, and leave it as it was found.

        Only where the guest is known to be on the source.

        Raises:
            DriverError: That cannot be done.
        """
        if self._path is None and not self._touched:
            return
        uuid = self._source.uuid
        action = f"putting {self._name} on the destination back"
        now = self._settled(end_waiting(self._manage, uuid))
        if now is None:
            return
        if now.state not in INACTIVE:
            raise DriverError(action, problem=f"it is {now.state} there, and so it is left alone")
        if now.teleporter:
            self._manage.teleporter_off(uuid)
        if self._path is not None and now.marked:
            self._manage.unregister(uuid, remove=self._path)

    def let_go(self) -> None:
        """Listen no more to its start."""
        if self.job is not None and self.job.wait(_PAUSE) is None:
            self.job.abandon()

    def _settled(self, machine: Machine | None) -> Machine | None:
        """Wait for a machine that was being started or ended to be at rest."""
        end = monotonic() + _ENDING
        while machine is not None and machine.state not in INACTIVE and monotonic() < end:
            if machine.state in {"running", "paused"}:
                return machine
            sleep(_PAUSE)
            machine = end_waiting(self._manage, machine.uuid)
        return machine


def end_waiting(manage: VBoxManage, uuid: str) -> Machine | None:
    """End a machine if it waits for a guest, and give it as it is then.

    Raises:
        DriverError: It cannot be ended, or not read.
    """
    machine = manage.machine_of(uuid)
    if machine is None or machine.state != WAITING:
        return machine
    manage.emergency_stop(uuid)
    end = monotonic() + _ENDING
    while machine is not None and machine.state == WAITING and monotonic() < end:
        sleep(_PAUSE)
        machine = manage.machine_of(uuid)
    return machine
