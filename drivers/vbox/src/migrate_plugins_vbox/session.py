"""Sessions with one VirtualBox: that of a user on a host."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID, uuid5

from migrate_plugins import DriverError, GuestFacts, HostFacts
from migrate_plugins_vbox.manage import VBoxManage, release
from migrate_plugins_vbox.places import Place
from migrate_plugins_vbox.runner import open_runner
from migrate_plugins_vbox.states import leftover, meaning

if TYPE_CHECKING:
    from migrate_plugins import Ask, Mend, Migration, Plan, Session
    from migrate_plugins_vbox.machine import Machine
    from migrate_plugins_vbox.manage import Host

__all__ = ["VBoxSession", "connect"]

# Our own, so that the uuids made in it are nobody else's.
_SPACE: Final = UUID("0b8f3d5e-2b0a-4a39-9d1c-6d7b3f0e8a52")
_KIB: Final = 1024
# Seconds that what was read of a machine is good for a check, which judges facts of the same time.
_JUST_NOW: Final = 5.0


class _Seen(NamedTuple):
    """A machine, or that there was none, and when that was read."""

    at: float
    machine: Machine | None


def connect(uri: str, ask: Ask | None = None) -> VBoxSession:
    """Open a session; over ssh as the user's own configuration has it, without any question.

    Raises:
        InvalidURIError: The URI leads to no VirtualBox.
        ConnectError: The host cannot be reached, or has no VirtualBox that works.
        AuthenticationError: It does not let us in, or is not the host that is known.
    """
    del ask  # ssh has its keys and its agent
    place = Place.parse(uri)
    runner = open_runner(place)
    try:
        manage = VBoxManage(runner, place)
        return VBoxSession(place, manage, manage.host())
    except BaseException:
        runner.close()
        raise


class VBoxSession:
    """One VirtualBox; see :class:`migrate_plugins.Session`."""

    def __init__(self, place: Place, manage: VBoxManage, found: Host) -> None:
        """Take over *manage* with its runner; *found* is what it said first."""
        self.uri: Final = place.uri
        self.place: Final = place
        self.manage: Final = manage
        self.found: Final = found
        self._seen: Final[dict[str, _Seen]] = {}

    def host(self) -> HostFacts:
        """Give the host's facts, as they were read when it was opened."""
        found = self.found
        # Each user has a VirtualBox, and may have several: a host is one of them.
        identity = (found.machine_id or found.hostname, str(found.uid), found.home)
        return HostFacts(
            name=found.hostname,
            uuid=str(uuid5(_SPACE, "\n".join(identity))),
            hypervisor=f"VirtualBox {release(found.version)}",
            daemon=f"VBoxManage {found.version}",
        )

    def guest(self, name: str) -> GuestFacts | None:
        """Read a guest by its name."""
        return self._facts(self.manage.machine_named(name))

    def guest_by_uuid(self, uuid: str) -> GuestFacts | None:
        """Read a guest by its uuid."""
        machine = self.manage.machine_of(uuid)
        self._seen[uuid] = _Seen(monotonic(), machine)
        return self._facts(machine)

    def seen(self, uuid: str) -> Machine | None:
        """Give a machine as it was when its facts were read just now; else read it."""
        seen = self._seen.get(uuid)
        if seen is not None and monotonic() - seen.at < _JUST_NOW:
            return seen.machine
        return self.manage.machine_of(uuid)

    def start(self, plan: Plan, destination: Session | None) -> Migration:
        """Begin a teleportation to *destination*."""
        from migrate_plugins_vbox.departures import start  # noqa: PLC0415 - a check needs none

        if not isinstance(destination, VBoxSession):
            problem = "no session with the destination was opened"
            raise DriverError(f"teleporting {plan.guest}", problem=problem)
        return start(self, destination, plan)

    def adopt(self, name: str) -> Migration | None:
        """Take over a teleportation that is under way from here."""
        from migrate_plugins_vbox.departures import adopt  # noqa: PLC0415 - a check needs none

        return adopt(self, name)

    def mend(self, step: Mend, guest: GuestFacts) -> None:
        """Take one step with a guest."""
        from migrate_plugins_vbox.departures import mend  # noqa: PLC0415 - a check needs none

        mend(self, step, guest)

    def mend_command(self, step: Mend, guest: GuestFacts) -> str | None:
        """Give the same step as a line for a shell."""
        from migrate_plugins_vbox.departures import (  # noqa: PLC0415 - a check needs none
            mend_command,
        )

        return mend_command(self, step, guest)

    def listening(self) -> frozenset[int]:
        """Read the TCP ports on which something listens."""
        return self.manage.listening()

    def close(self) -> None:
        """Let go of the host."""
        self.manage.runner.close()

    def _facts(self, machine: Machine | None) -> GuestFacts | None:
        if machine is None:
            return None
        self._seen[machine.uuid] = _Seen(monotonic(), machine)
        state, reason, job = meaning(machine)
        return GuestFacts(
            name=machine.name,
            uuid=machine.uuid,
            state=state,
            persistent=not machine.marked,
            memory=machine.memory * _KIB,
            job=job,
            reason=reason,
            leftover=leftover(machine),
        )
