"""Sessions with the libvirtd of a Xen host; what Xen itself shows is believed rather than it."""

from __future__ import annotations

import shlex
from contextlib import suppress
from functools import cached_property
from time import sleep
from typing import TYPE_CHECKING, ClassVar, Final

import libvirt

from migrate_plugins import STARTED_AGAIN, DriverError, Flow, GuestState, Mend
from migrate_plugins_libvirt.faults import NOT_THERE, doing
from migrate_plugins_libvirt.session import LibvirtSession, has_job
from migrate_plugins_libvirt.session import connect as connect_libvirt
from migrate_plugins_xen import handover
from migrate_plugins_xen.domains import IN, NoXenError, find_domain, list_domains
from migrate_plugins_xen.inspection import Toolstack, toolstack
from migrate_plugins_xen.options import limit
from migrate_plugins_xen.transfer import AdoptedTransfer, XenTransfer
from migrate_plugins_xen.truth import HELD, Seen, Told, believe, see
from migrate_plugins_xen.tunnel import WAITING, ending
from migrate_plugins_xen.uris import for_xend

if TYPE_CHECKING:
    from migrate_plugins import Ask, GuestFacts, Migration, Plan, Session, Shell
    from migrate_plugins_xen.domains import Domain

__all__ = ["XenSession", "connect"]

# Seconds for which nothing moves under a job that is over: libvirt holds it a little longer than
# memory is sent, before and after.
_QUIET: Final = 2
# Seconds in which a guest that runs uses some of its processors' time.
_GLANCE: Final = 1.0

# What Xen's own tool does where libvirt's job is in the way.
_XL: Final = {Mend.RESUME: "unpause", Mend.DESTROY: "destroy"}


def connect(uri: str, ask: Ask | None = None, shell: Shell | None = None) -> XenSession:
    """Open a session; see :func:`migrate_plugins_libvirt.session.connect`.

    Args:
        uri: As libvirt takes it.
        ask: Asks for what libvirt's auth files do not have.
        shell: Runs programs on that host, as root, or None where there is no way to.

    Raises:
        ConnectError: libvirt cannot open it.
        AuthenticationError: It was refused, or no credentials were found.
    """
    return connect_libvirt(
        uri, ask, lambda opened, connection: XenSession(opened, connection, shell)
    )


class XenSession(LibvirtSession):
    """A connection to the libvirtd of a Xen host; see :class:`migrate_plugins.Session`."""

    keeps_nvram: ClassVar = False

    def __init__(
        self, uri: str, connection: libvirt.virConnect, shell: Shell | None = None
    ) -> None:
        """Take over an open *connection*."""
        super().__init__(uri, connection)
        # A way to ask Xen itself, or None where there is none, as far as is known by now.
        self.xen = shell
        self._answered = False
        self._failed: set[str] = set()
        self._taken_back: set[str] = set()
        # Of the guests that libvirt lists, by their uuids: xl takes a name of digits for a number.
        self._numbers: dict[str, int] = {}
        # As Xen had them when they were read, by their uuids.
        self._unlisted: dict[str, Domain] = {}
        # Of those that libvirt waits for, likewise.
        self._arriving: dict[str, Domain] = {}

    def domains(self, *, wait: int = 0, number: int | None = None) -> tuple[Domain, ...] | None:
        """List what Xen has here, or None where it cannot be asked; see :func:`list_domains`.

        A shell that is not root's is none, nor is one on a host without Xen's tools.

        Raises:
            DriverError: It does not answer.
        """
        if self.xen is None:
            return None
        try:
            found = list_domains(self.xen, wait=wait, number=number)
        except NoXenError:
            if self._answered:
                raise  # it did before: this is no answer
            self.xen = None
            return None
        self._answered = True
        return found

    @cached_property
    def toolstack(self) -> Toolstack:
        """What libvirt drives there, which is asked once.

        Raises:
            DriverError: libvirt does not say.
        """
        return toolstack(self.connection, self.uri)

    def guest(self, name: str) -> GuestFacts | None:
        """Read a guest by its name; one that libvirt does not list as Xen shows it."""
        return self._or_waiting(self._or_unlisted(super().guest(name), name))

    def guest_by_uuid(self, uuid: str) -> GuestFacts | None:
        """Read a guest by its uuid, likewise."""
        return self._or_waiting(self._or_unlisted(super().guest_by_uuid(uuid), uuid))

    def unseen(self, plan: Plan) -> str | None:
        """Tell why a guest that xl makes may be there: libvirt does not list it."""
        unmanaged = plan.scenario.flow is Flow.UNMANAGED_DIRECT
        if not unmanaged or self.domains() is not None or self.toolstack is Toolstack.XEND:
            return None
        return (
            "libvirt lists no guest that xl made, and Xen cannot be asked there: name the host in"
            ' config.toml with shell = ["ssh", "root@HOST"], or use an xen+ssh://root@HOST/ URI'
        )

    def start(self, plan: Plan, destination: Session | None) -> Migration:
        """Start a migration from this host."""
        if self.toolstack is Toolstack.XEND:
            plan = for_xend(plan)
        elif plan.scenario.flow is Flow.UNMANAGED_DIRECT:
            return handover.begin(self.xen, plan)  # xend's driver still hands it to Xen by itself
        self._refuse_moving(plan.guest)
        there = destination if isinstance(destination, XenSession) else None
        call, domain = self.prepare(plan, there)
        with doing(f"starting the migration of {plan.guest}"):
            return XenTransfer(plan, call, domain, self, there, limit(plan))

    def adopt(self, name: str) -> Migration | None:
        """Take over a migration that is under way from here."""
        with doing(f"finding {name}"):
            try:
                domain = self.connection.lookupByName(name)
            except libvirt.libvirtError as error:
                if error.get_error_code() != NOT_THERE:
                    raise
            else:
                if domain.isActive() and has_job(domain) and self.sends(domain):
                    return AdoptedTransfer(domain, self)
        # Xen's own management does it, or nobody.
        domains = self.domains()
        if domains is None or self.xen is None:
            return None
        return handover.adopt(self.xen, domains, name)

    def mend(self, step: Mend, guest: GuestFacts) -> None:
        """Take a step with a guest, if it is still as it was read."""
        if step is Mend.ABORT:
            migration = self.adopt(guest.name)
            if migration is None:
                problem = "none is under way from here"
                raise DriverError(f"{step} of {guest.name}", problem=problem)
            migration.cancel()
            return
        words = self._by_xl(step, self.compare(step, guest))
        if self.xen is None or not words:
            self.take(step, guest)
            return
        answer = self.xen.run(words)
        if answer.status != 0:
            told = answer.error.strip() or f"{words[0]} ended with status {answer.status}"
            raise DriverError(f"{step} of {guest.name}", problem=told)

    def mend_command(self, step: Mend, guest: GuestFacts) -> str | None:
        """Give the same step for virsh, or for xl where libvirt's job is in virsh's way."""
        if step is Mend.ABORT:
            return None  # virsh has none for Xen
        if (words := self._by_xl(step, guest)) and self.xen is not None:
            return shlex.join([*self.xen.argv, shlex.join(words)])
        return super().mend_command(step, guest)

    def read(self, domain: libvirt.virDomain) -> GuestFacts:
        """Read the facts of a guest that was found, and believe Xen where it is asked."""
        held = has_job(domain)
        self._numbers[domain.UUIDString()] = domain.ID()
        failed = domain.UUIDString() in self._failed
        seen = self._look(domain, wait=_QUIET if held and not failed else 0)
        awaited = held and domain.ID() <= 0
        self._arriving.pop(domain.UUIDString(), None)
        if awaited:
            seen = self._awaits(domain)
        if awaited or (held and seen is not None):
            held = has_job(domain)  # it may have ended meanwhile
        guest = super().read(domain)._replace(job=None)
        miscalled = (guest.state, guest.reason) == (GuestState.PAUSED, "migration")
        doubtful = miscalled or (guest.state is GuestState.RUNNING and held)
        runs = self._runs(domain) if doubtful and seen is None else None
        guest = believe(guest, Told(held, held and failed, runs), seen)
        if guest.state is GuestState.RUNNING and guest.uuid in self._taken_back:
            guest = guest._replace(reason=STARTED_AGAIN)
        return guest

    def has_failed(self, domain: libvirt.virDomain) -> None:
        """Take note that a job of *domain* is left of a migration that failed."""
        self._failed.add(domain.UUIDString())

    def takes_back(self, domain: libvirt.virDomain) -> None:
        """Take note that *domain* goes on here since the destination gave no answer.

        libxl leaves no trace of that, and a destination that comes back may let it go on there.
        """
        self._taken_back.add(domain.UUIDString())

    def sends(self, domain: libvirt.virDomain) -> bool:
        """Whether a guest is being sent away, as far as it can be told."""
        try:
            seen = self._look(domain)
            if seen is not None:
                return seen.sending
            if self.xen is not None:
                raise DriverError(f"looking at {domain.name()}", problem="Xen does not answer")
            return bool(domain.isActive() and has_job(domain))
        except libvirt.libvirtError as error:
            if error.get_error_code() != NOT_THERE:
                raise
            return False

    def _refuse_moving(self, name: str) -> None:
        """Refuse a guest that Xen moves already: libvirt knows nothing of what xl does.

        Raises:
            DriverError: It moves, or Xen does not answer.
        """
        moved = find_domain(self.domains() or (), name)
        if moved is not None and moved.job is not None:
            action = f"starting the migration of {name}"
            raise DriverError(action, problem=f"it is {moved.name}, under {moved.job}, already")

    def _by_xl(self, step: Mend, guest: GuestFacts) -> tuple[str, ...]:
        """Give the step for xl, where libvirt's job is in its way, or it lists no such guest."""
        if step is Mend.TIDY and guest.leftover == WAITING:
            arriving = self._arriving.get(guest.uuid) or self._unlisted.get(guest.uuid)
            return () if arriving is None else ending(arriving.number)
        if step not in _XL:
            return ()
        domain = self._unlisted.get(guest.uuid)
        number = self._numbers.get(guest.uuid, -1) if domain is None else domain.number
        if number <= 0 or (domain is None and guest.leftover != HELD):
            return ()
        if step is Mend.RESUME and domain is not None and domain.moving:
            # Its name first: under the other one nobody would look for it.
            script = 'xl rename "$1" "$2" && xl unpause "$1"'
            return ("sh", "-c", script, "sh", str(number), domain.base)
        return ("xl", _XL[step], str(number))

    def _or_unlisted(self, guest: GuestFacts | None, key: str) -> GuestFacts | None:
        """Give what Xen has of a guest that libvirt does not list as active, where it has it.

        libvirt lists no guest that xl made, and xl makes each that it moves here.
        """
        if guest is not None:
            self._unlisted.pop(guest.uuid, None)
        if guest is not None and guest.state is not GuestState.SHUTOFF:
            return guest
        domain = find_domain(self.domains() or (), key)
        if domain is None:
            return guest
        self._unlisted[domain.uuid] = domain
        return domain.facts(persistent=guest is not None and guest.persistent)

    def _or_waiting(self, guest: GuestFacts | None) -> GuestFacts | None:
        """Tell of a guest that arrives through a tunnel that it would wait for ever."""
        if guest is None:
            return None
        domain = self._arriving.get(guest.uuid) or self._unlisted.get(guest.uuid)
        waits = guest.job == IN and domain is not None and domain.tunnelled
        return guest._replace(leftover=WAITING) if waits else guest

    def _look(self, domain: libvirt.virDomain, *, wait: int = 0) -> Seen | None:
        """Ask Xen for a guest that libvirt lists, or give None where it does not answer."""
        number = domain.ID()
        if number <= 0:
            return None
        with suppress(DriverError):
            domains = self.domains(wait=wait, number=number)
            return None if domains is None else see(domains, number)
        return None

    def _awaits(self, domain: libvirt.virDomain) -> Seen | None:
        """See that Xen has nothing of a guest that libvirt waits for, where that is so for long."""
        for wait in (0, _QUIET):
            sleep(wait)
            try:
                domains = self.domains()
            except DriverError:
                return None
            found = find_domain(domains or (), domain.UUIDString())
            if found is not None:
                self._arriving[found.uuid] = found
            if domains is None or found is not None:
                return None
        return Seen(gone=True) if has_job(domain) else None

    @staticmethod
    def _runs(domain: libvirt.virDomain) -> bool:
        """Whether its processors use time; where they do not, it may still only be idle."""
        before = domain.info()[4]
        sleep(_GLANCE)
        return bool(domain.info()[4] > before)
