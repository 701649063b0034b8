"""Both hosts of a plan: their sessions, opened at once, and what they say."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from migrate_plugins.deadline import Call, within
from migrate_plugins.errors import ConnectError, DriverError, MigrateError, one_line
from migrate_plugins.model import Flow
from migrate_plugins.sessions import Access, Facts

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

    from migrate_plugins.driver import Driver
    from migrate_plugins.plan import Plan
    from migrate_plugins.sessions import GuestFacts, Session
    from migrate_plugins.settings import NamedHost

__all__ = ["Hosts", "Readback", "find_guest"]

# Seconds to wait for a host that has to be opened: ssh may have to ask somebody for a passphrase.
_OPENING: Final = 60.0
# Where the client need not open the destination, it does not wait long for it either.
_PATIENCE: Final = 5.0
# For an answer of an open host, before and after: longer than libvirt takes to find out by itself
# that a daemon is frozen, since it says so better; afterwards somebody waits for a verdict.
_ANSWER: Final = 45.0
_VERDICT: Final = 15.0
_CLOSING: Final = 2.0


class Readback(NamedTuple):
    """The guest as both hosts report it, and why one could not be asked, if so."""

    source: GuestFacts | None
    destination: GuestFacts | None
    source_unreadable: str | None
    unreadable: str | None
    strangers: tuple[GuestFacts | None, GuestFacts | None]  # of its name, on source and destination


class Hosts:
    """Open sessions with a plan's source and, where the client can, its destination."""

    def __init__(self, driver: Driver, plan: Plan) -> None:
        """Open both.

        Raises:
            ConnectError: The source cannot be opened, or the destination where the client needs it.
        """
        self._driver = driver
        self._plan = plan
        self._unreadable: str | None = None
        uri = plan.uris.destination_from_client.value
        opening = None if uri is None else self._opening(uri)
        try:
            self.source = _opened(self._opening(plan.uris.source.value or ""), _OPENING)
        except BaseException:
            if opening is not None:
                opening.call.give_up()
            raise
        try:
            self.destination = self._open_destination(opening)
        except BaseException:
            self.source.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close both sessions; again is no error."""
        sessions = [each for each in (self.source, self.destination) if each is not None]
        closing = [Call(session.close) for session in sessions]
        for call in closing:
            # By now it is known where the guest is, and that is neither to be lost nor to wait.
            with suppress(Exception, SystemExit):
                call.answer(_CLOSING)

    def accesses(self, named: Collection[NamedHost]) -> tuple[Access, Access]:
        """Give the ways to look at source and destination; *named* are those of config.toml."""
        from migrate_plugins.shells import find_shell  # noqa: PLC0415 - not every run looks

        uris = self._plan.uris
        there = find_shell(uris.destination_from_client.value, named)
        if there is None and self._plan.scenario.flow is Flow.MANAGED_PEER2PEER:
            # The source's view of it may be the only one that config.toml knows.
            known = [host for host in named if uris.destination.value in {host.uri, host.peer_uri}]
            there = find_shell(uris.destination.value, known) if known else None
        return (
            Access(
                self.source,
                find_shell(uris.source.value, named),
                _addresses(named, uris.source.value),
            ),
            Access(
                self.destination,
                there,
                _addresses(named, uris.destination_from_client.value, uris.destination.value),
            ),
        )

    def facts(self) -> Facts:
        """Read what a check needs to know.

        Raises:
            DriverError: A host does not answer.
        """
        try:
            return within(_ANSWER, self._facts)
        except TimeoutError as error:
            raise DriverError("reading both hosts", problem=str(error)) from error

    def guests(self, uuid: str | None) -> Readback:
        """Read the guest on both hosts; what cannot be read is said, not raised.

        Args:
            uuid: The guest's, where it is known: another one of its name is somebody else's.
        """
        uris, there = self._plan.uris, self.destination
        source = Call(lambda: self._guest(self.source, uris.source.value, self._plan.guest, uuid))
        seen = _Seen(None, unreadable=self._unreadable)
        if there is not None:
            uri, name = uris.destination_from_client.value, self._plan.destination_name
            seen = self._guest(there, uri, name, uuid)
            self.destination = seen.session or there
        # Each wait in there is bounded.
        here = source.answer(3 * _VERDICT)
        self.source = here.session or self.source
        strangers = here.stranger, seen.stranger
        return Readback(here.guest, seen.guest, here.unreadable, seen.unreadable, strangers)

    def _facts(self) -> Facts:
        guest = self.source.guest(self._plan.guest)
        if self.destination is None:
            return Facts(self.source.host(), guest, None, None, self._unreadable)
        resident = self.destination.guest(self._plan.destination_name)
        if resident is None and guest is not None:
            resident = self.destination.guest_by_uuid(guest.uuid)
        return Facts(self.source.host(), guest, self.destination.host(), resident)

    def _guest(self, session: Session, uri: str | None, name: str, uuid: str | None) -> _Seen:
        """Read a guest; if the connection is what broke, once more on a new one."""
        try:
            return _Seen(session, *within(_VERDICT, lambda: find_guest(session, name, uuid)))
        except BaseException as error:  # noqa: BLE001 - whatever breaks, there must be a verdict
            problem = _told(error)
        Call(session.close)
        try:
            fresh = _opened(self._opening(uri or ""), _PATIENCE)
            return _Seen(fresh, *within(_VERDICT, lambda: find_guest(fresh, name, uuid)))
        except BaseException as error:  # noqa: BLE001 - as above
            problem = _told(error)
        return _Seen(None, unreadable=problem)

    def _opening(self, uri: str) -> _Opening:
        return _Opening(
            uri, Call(lambda: self._driver.connect(uri), late=lambda session: session.close())
        )

    def _open_destination(self, opening: _Opening | None) -> Session | None:
        if opening is None:
            self._unreadable = f"{self._plan.scenario.id} has no connection to the destination"
            return None
        if self._plan.scenario.client_opens_destination:
            return _opened(opening, _OPENING)
        try:
            return _opened(opening, _PATIENCE)
        except MigrateError as error:
            self._unreadable = str(error)
            return None


class _Seen(NamedTuple):
    """A guest on one host, another one that has its name, and why neither could be read."""

    session: Session | None
    guest: GuestFacts | None = None
    stranger: GuestFacts | None = None
    unreadable: str | None = None


def find_guest(
    session: Session, name: str, uuid: str | None
) -> tuple[GuestFacts | None, GuestFacts | None]:
    """Find a guest by its name, or by its uuid where it has another one by now.

    Returns:
        The guest, and another one that has its name.
    """
    guest = session.guest(name)
    if uuid is None or (guest is not None and guest.uuid == uuid):
        return guest, None
    return session.guest_by_uuid(uuid), guest


class _Opening(NamedTuple):
    """A session that is being opened."""

    uri: str
    call: Call[Session]


def _opened(opening: _Opening, seconds: float) -> Session:
    """Wait for a session; raises ConnectError where there is none in time."""
    try:
        return opening.call.answer(seconds)
    except TimeoutError as error:
        raise ConnectError(opening.uri, problem=str(error)) from error


def _addresses(named: Collection[NamedHost], *uris: str | None) -> tuple[str, ...]:
    """Give the addresses of the hosts that have one of *uris*."""
    wanted = {*uris} - {None}
    return tuple(
        address
        for host in named
        if wanted & {host.uri, host.peer_uri}
        for address in host.addresses
    )


def _told(error: BaseException) -> str:
    return str(error) if isinstance(error, (MigrateError, TimeoutError)) else one_line(error)
