"""Sessions with a libvirtd, of whichever hypervisor."""

from __future__ import annotations

import shlex
import threading
from contextlib import suppress
from functools import cache
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar
from xml.etree import ElementTree as ET

import libvirt

from migrate_plugins import DriverError, Flow, GuestFacts, GuestState, HostFacts, Mend, masked
from migrate_plugins_libvirt.calls import Call, choose_call
from migrate_plugins_libvirt.faults import NOT_THERE, connecting, doing
from migrate_plugins_libvirt.statistics import read_statistics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migrate_plugins import Ask, Migration, Plan, Session, Statistics

__all__ = ["AdoptedMigration", "LibvirtMigration", "LibvirtSession", "connect", "has_job"]

Opened = TypeVar("Opened", bound="LibvirtSession")

# Seconds between two keep-alive messages, and how many may go unanswered: virsh's own.
_KEEPALIVE: Final = (5, 6)

# Seconds that the event loop rests after an error.
_PAUSE: Final = 0.1

# In libvirt's own words, where it notices by itself.
_LOST: Final = (
    "Lost connection to destination host; the migration was aborted, since the client has to"
    " finish it there"
)

# Seconds between two looks at a job that somebody else began.
_LOOK: Final = 0.2

# What is sent out, as :func:`_job` calls it.
_OUT: Final = "migration out"
_NOTHING_LEFT: Final = "libvirt leaves nothing that would have to be put right besides"

# Both hosts are opened at once, from two threads; the library is prepared by the first.
_PREPARING: Final = threading.Lock()

_STATES: Final = {
    libvirt.VIR_DOMAIN_NOSTATE: GuestState.UNKNOWN,
    libvirt.VIR_DOMAIN_RUNNING: GuestState.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: GuestState.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: GuestState.PAUSED,
    libvirt.VIR_DOMAIN_SHUTDOWN: GuestState.RUNNING,  # still on its way down
    libvirt.VIR_DOMAIN_SHUTOFF: GuestState.SHUTOFF,
    libvirt.VIR_DOMAIN_CRASHED: GuestState.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: GuestState.PAUSED,
}


def connect(uri: str, ask: Ask | None, make: Callable[[str, libvirt.virConnect], Opened]) -> Opened:
    """Open a session; *uri* goes to libvirt as it is, credentials come from its own auth files.

    Args:
        uri: As libvirt takes it.
        ask: Asks for what the auth files do not have, where somebody can be asked.
        make: Makes the session of the URI and the open connection: a class of sessions.

    Raises:
        ConnectError: libvirt cannot open it.
        AuthenticationError: It was refused, or no credentials were found.
    """
    with _PREPARING:
        _prepare_library()
    kinds = [
        libvirt.VIR_CRED_AUTHNAME,
        libvirt.VIR_CRED_PASSPHRASE,
        libvirt.VIR_CRED_ECHOPROMPT,
        libvirt.VIR_CRED_NOECHOPROMPT,
        libvirt.VIR_CRED_USERNAME,
        libvirt.VIR_CRED_REALM,
    ]
    with connecting(uri):
        connection = libvirt.openAuth(uri, [kinds, _answer, (uri, ask)], 0)
    with suppress(libvirt.libvirtError):  # without it a dead host is only noticed later
        connection.setKeepAlive(*_KEEPALIVE)
    return make(uri, connection)


class LibvirtSession:
    """A libvirt connection; see :class:`migrate_plugins.Session`.

    Attributes:
        keeps_nvram: Whether its driver can be told to keep what a guest stores beside its
            configuration, when that is removed.
    """

    keeps_nvram: ClassVar[bool] = True

    def __init__(self, uri: str, connection: libvirt.virConnect) -> None:
        """Take over an open *connection*."""
        self.uri: Final = uri
        self.connection: Final = connection
        self._open = True

    def host(self) -> HostFacts:
        """Read the host's facts."""
        with doing(f"reading the host behind {self.uri}"):
            # Not xmltodict: its import alone takes longer than all else that we do before libvirt
            # starts to migrate, and one value of a document that our own daemon wrote is wanted.
            capabilities = ET.fromstring(self.connection.getCapabilities())  # noqa: S314
            return HostFacts(
                name=self.connection.getHostname(),
                uuid=capabilities.findtext("host/uuid"),
                hypervisor=f"{self.connection.getType()} {_version(self.connection.getVersion())}",
                daemon=f"libvirt {_version(self.connection.getLibVersion())}",
            )

    def guest(self, name: str) -> GuestFacts | None:
        """Read a guest by its name."""
        return self._guest(lambda: self.connection.lookupByName(name), name)

    def guest_by_uuid(self, uuid: str) -> GuestFacts | None:
        """Read a guest by its uuid."""
        return self._guest(lambda: self.connection.lookupByUUIDString(uuid), uuid)

    def persistent_guests(self) -> frozenset[str]:
        """Read the uuids of all guests that have a configuration here."""
        with doing(f"listing the guests behind {self.uri}"):
            wanted = libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT
            found = self.connection.listAllDomains(wanted)
            return frozenset(domain.UUIDString() for domain in found)

    def start(self, plan: Plan, destination: Session | None) -> Migration:
        """Start a migration from this host."""
        there = destination if isinstance(destination, LibvirtSession) else None
        return LibvirtMigration(plan, *self.prepare(plan, there), there)

    def prepare(self, plan: Plan, there: LibvirtSession | None) -> tuple[Call, libvirt.virDomain]:
        """Find the guest of *plan*, and the call that moves it to *there*."""
        flags = sum(getattr(libvirt, name) for name in plan.flags)
        with doing(f"finding {plan.guest}"):
            domain = self.connection.lookupByName(plan.guest)
            versions = [self.connection.getLibVersion()]
            if there is not None and plan.scenario.client_opens_destination:
                versions.append(there.connection.getLibVersion())
        return choose_call(plan, min(versions), flags), domain

    def adopt(self, name: str) -> Migration | None:
        """Take over a migration that is under way from here."""
        with doing(f"finding {name}"):
            try:
                domain = self.connection.lookupByName(name)
            except libvirt.libvirtError as error:
                if error.get_error_code() == NOT_THERE:
                    return None
                raise
            return AdoptedMigration(domain) if _sends(domain) else None

    def mend(self, step: Mend, guest: GuestFacts) -> None:
        """Take a step with a guest, if it is still as it was read."""
        self.compare(step, guest)
        self.take(step, guest)

    def take(self, step: Mend, guest: GuestFacts) -> None:
        """Take a step by libvirt's call with a guest that was just compared."""
        with doing(f"{step} of {guest.name} behind {self.uri}"):
            domain = self.connection.lookupByUUIDString(guest.uuid)
            if step is Mend.ABORT:
                domain.abortJob()
            elif step is Mend.RESUME:
                domain.resume()
            elif step is Mend.DESTROY:
                domain.destroy()
            elif step is Mend.DEFINE:
                kept = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
                self.connection.defineXML(domain.XMLDesc(kept))
            elif step is Mend.UNDEFINE:
                # As libvirt's own --undefinesource: what the guest keeps beside it stays.
                kept = libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM if self.keeps_nvram else 0
                domain.undefineFlags(kept)
            else:
                raise DriverError(f"{step} of {guest.name}", problem=_NOTHING_LEFT)

    def compare(self, step: Mend, guest: GuestFacts) -> GuestFacts:
        """Refuse a step with a guest that is not as it was read.

        Returns:
            The guest as it is now.

        Raises:
            DriverError: Its state or its job is another, or it is gone.
        """
        now = self.guest_by_uuid(guest.uuid)
        if now is None or (now.state, now.job) != (guest.state, guest.job):
            seen = "gone" if now is None else f"{now.state}, job: {now.job or 'none'}"
            raise DriverError(
                f"{step} of {guest.name}", problem=f"it has changed since it was read: it is {seen}"
            )
        return now

    def mend_command(self, step: Mend, guest: GuestFacts) -> str | None:
        """Give the same step for virsh."""
        virsh = ["virsh", "-c", self.uri]
        if step is Mend.DEFINE:
            dump = shlex.join([*virsh, "dumpxml", "--inactive", "--security-info", guest.name])
            return f"{dump} | {shlex.join([*virsh, 'define', '/dev/stdin'])}"
        words = {
            Mend.ABORT: ("domjobabort",),
            Mend.RESUME: ("resume",),
            Mend.DESTROY: ("destroy",),
            Mend.UNDEFINE: ("undefine", *(("--keep-nvram",) if self.keeps_nvram else ())),
        }.get(step)
        return None if words is None else shlex.join([*virsh, *words, guest.name])

    def read(self, domain: libvirt.virDomain) -> GuestFacts:
        """Read the facts of a guest that was found."""
        state, reason = domain.state()
        return GuestFacts(
            name=domain.name(),
            uuid=domain.UUIDString(),
            state=_STATES.get(state, GuestState.UNKNOWN),
            persistent=bool(domain.isPersistent()),
            memory=domain.maxMemory(),
            job=_job(domain) if _STATES.get(state) is not GuestState.SHUTOFF else None,
            reason=_reason(state, reason),
        )

    def close(self) -> None:
        """Close the connection."""
        if self._open:
            self._open = False
            with suppress(libvirt.libvirtError):  # broken is as good as closed
                self.connection.close()

    def _guest(self, look_up: Callable[[], libvirt.virDomain], key: str) -> GuestFacts | None:
        with doing(f"reading the guest {key} behind {self.uri}"):
            try:
                return self.read(look_up())
            except libvirt.libvirtError as error:
                if error.get_error_code() == NOT_THERE:
                    return None
                raise


class LibvirtMigration:
    """A migration that libvirt runs; see :class:`migrate_plugins.Migration`.

    libvirt's call blocks to the end, so it has a thread of its own; everything else asks over the
    same connection, which takes calls from several threads.
    """

    def __init__(
        self,
        plan: Plan,
        call: Call,
        domain: libvirt.virDomain,
        destination: LibvirtSession | None,
    ) -> None:
        """Start *call* on *domain*."""
        self._plan = plan
        self._domain = domain
        self._destination = destination
        self._ended = threading.Event()
        self._error: Exception | None = None
        self._postcopy = False
        self._direct = plan.scenario.flow is Flow.MANAGED_DIRECT
        self._lost = False
        there = destination.connection if destination is not None else None
        threading.Thread(target=self._run, args=(call, there), daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait at most *seconds* for the end; one that cannot come is not waited for."""
        if self._cannot_finish():
            self._lost = True
            with suppress(libvirt.libvirtError):  # it may be ending by itself
                self._domain.abortJob()
        return self._ended.wait(seconds)

    def statistics(self) -> Statistics | None:
        """Read the job's statistics; after the end those that the destination keeps."""
        with doing("reading the job's statistics"):
            if not self._ended.is_set():
                return read_statistics(self._domain.jobStats(), postcopy=self._postcopy)
            if self._destination is None:
                return None
            domain = self._destination.connection.lookupByName(self._plan.destination_name)
            done = domain.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED)
            return read_statistics(done, postcopy=self._postcopy)

    def cancel(self) -> None:
        """Abort the job."""
        with doing(f"cancelling the migration of {self._plan.guest}"):
            self._domain.abortJob()

    def suspend(self) -> None:
        """Pause the guest on the source."""
        with doing(f"pausing {self._plan.guest}"):
            self._domain.suspend()

    def switch_to_postcopy(self) -> None:
        """Let the guest go on at the destination."""
        with doing(f"switching {self._plan.guest} to post-copy"):
            self._domain.migrateStartPostCopy(0)
        self._postcopy = True

    def result(self) -> None:
        """Return if it succeeded."""
        if self._error is not None:
            action = f"migrating {self._plan.guest}"
            if self._lost:
                raise DriverError(action, problem=_LOST) from self._error
            with doing(action):
                raise self._error

    def _cannot_finish(self) -> bool:
        """Whether the client was to finish it on a destination that it has lost.

        libvirt itself finds that out when all memory has been sent, which may be never.
        """
        there = self._destination
        if self._lost or not self._direct or there is None or self._ended.is_set():
            return False
        return not there.connection.isAlive()

    def _run(self, call: Call, destination: libvirt.virConnect | None) -> None:
        try:
            call(self._domain, destination)
        except Exception as error:  # noqa: BLE001 - result() raises it where somebody waits
            self._error = error
        finally:
            self._ended.set()


class AdoptedMigration:
    """A migration that another process began; see :class:`migrate_plugins.Mender`.

    libvirt tells its end to whoever began it alone, so that we have to ask.
    """

    def __init__(self, domain: libvirt.virDomain) -> None:
        """Watch the job of *domain*."""
        self._domain = domain
        self._postcopy = False

    def wait(self, seconds: float) -> bool:
        """Ask until it has ended, at most *seconds*."""
        end = monotonic() + seconds
        with doing(f"asking for the job of {self._domain.name()}"):
            while self.sends():
                left = end - monotonic()
                if left <= 0:
                    return False
                sleep(min(_LOOK, left))
        return True

    def sends(self) -> bool:
        """Whether it is still under way."""
        return _sends(self._domain)

    def statistics(self) -> Statistics | None:
        """Read the job's statistics; there are none after the end."""
        with doing("reading the job's statistics"):
            return read_statistics(self._domain.jobStats(), postcopy=self._postcopy)

    def cancel(self) -> None:
        """Abort the job."""
        with doing(f"cancelling the migration of {self._domain.name()}"):
            self._domain.abortJob()

    def suspend(self) -> None:
        """Pause the guest on the source."""
        with doing(f"pausing {self._domain.name()}"):
            self._domain.suspend()

    def switch_to_postcopy(self) -> None:
        """Let the guest go on at the destination."""
        with doing(f"switching {self._domain.name()} to post-copy"):
            self._domain.migrateStartPostCopy(0)
        self._postcopy = True

    def result(self) -> None:
        """Return: how it ended is told to whoever began it."""


@cache
def _prepare_library() -> None:
    """Keep libvirt quiet, and give it the event loop that its keep-alive needs.

    Both are the process's own: libvirt has one error handler and one event loop in each.
    """
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    libvirt.virEventRegisterDefaultImpl()

    def turn() -> None:
        while True:
            try:
                libvirt.virEventRunDefaultImpl()
            except libvirt.libvirtError:
                sleep(_PAUSE)  # it may be out of memory or of files for a while

    threading.Thread(target=turn, name="libvirt events", daemon=True).start()


def _answer(credentials: Sequence[list[Any]], context: tuple[str, Ask | None]) -> int:
    """Fill in what libvirt's auth files do not say; libvirt wants -1 where that cannot be done."""
    uri, ask = context
    if ask is None:
        return -1
    for credential in credentials:
        kind, prompt = credential[:2]
        hidden = kind in {libvirt.VIR_CRED_PASSPHRASE, libvirt.VIR_CRED_NOECHOPROMPT}
        try:
            credential[4] = ask(f"{prompt.strip().rstrip(':')} ({masked(uri)})", secret=hidden)
        except EOFError:
            return -1
    return 0


def _version(number: int) -> str:
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"


def has_job(domain: libvirt.virDomain) -> bool:
    """Whether libvirt holds a job of *domain*; not each of its drivers knows jobs."""
    try:
        return bool(domain.jobInfo()[0])
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:
            raise
        return False


def _job(domain: libvirt.virDomain) -> str | None:
    """Name the job that a guest is in, if any."""
    try:
        statistics = domain.jobStats()
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_OPERATION_INVALID:
            return None  # it has shut down since its state was read
        if error.get_error_code() == libvirt.VIR_ERR_NO_SUPPORT:
            return None  # the hypervisor's driver knows no jobs
        if error.get_error_code() != libvirt.VIR_ERR_OPERATION_UNSUPPORTED:
            raise
        return "migration in"  # libvirt tells of such a job on the source alone
    if statistics.get("type", libvirt.VIR_DOMAIN_JOB_NONE) == libvirt.VIR_DOMAIN_JOB_NONE:
        return None
    operation = statistics.get("operation", libvirt.VIR_DOMAIN_JOB_OPERATION_UNKNOWN)
    return _constant("VIR_DOMAIN_JOB_OPERATION_", operation) or "a job"


def _sends(domain: libvirt.virDomain) -> bool:
    """Whether a guest is being migrated away; one that is gone, or shut off, is not."""
    try:
        return _job(domain) == _OUT
    except libvirt.libvirtError as error:
        if error.get_error_code() != NOT_THERE:
            raise
        return False


def _reason(state: int, reason: int) -> str | None:
    """Name why a guest is in its state, as libvirt does."""
    kind = {
        libvirt.VIR_DOMAIN_RUNNING: "VIR_DOMAIN_RUNNING_",
        libvirt.VIR_DOMAIN_PAUSED: "VIR_DOMAIN_PAUSED_",
        libvirt.VIR_DOMAIN_SHUTOFF: "VIR_DOMAIN_SHUTOFF_",
    }.get(state)
    return None if kind is None else _constant(kind, reason)


def _constant(prefix: str, number: int) -> str | None:
    """Find the word that libvirt has for a number: `VIR_DOMAIN_PAUSED_POSTCOPY` is `postcopy`."""
    names = [name for name, value in vars(libvirt).items() if value == number]
    words = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    return words[0].lower().replace("_", " ") if words else None
