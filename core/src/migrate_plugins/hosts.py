"""Both hosts of a plan: their sessions, opened at once, and what they say."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from migrate_plugins.errors import MigrateError, one_line
from migrate_plugins.model import Flow
from migrate_plugins.sessions import Access, Facts

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

    from migrate_plugins.driver import Driver
    from migrate_plugins.plan import Plan
    from migrate_plugins.sessions import GuestFacts, Session
    from migrate_plugins.settings import NamedHost

__all__ = ["Hosts", "Readback"]

# Where the client need not open the destination, it does not wait long for it either.
_PATIENCE: Final = 5.0


class Readback(NamedTuple):
    """The guest as both hosts report it, and why one could not be asked, if so."""

    source: GuestFacts | None
    destination: GuestFacts | None
    source_unreadable: str | None
    unreadable: str | None


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
        opening = _Opening(driver, plan.uris.destination_from_client.value)
        try:
            self.source = driver.connect(plan.uris.source.value or "")
        except MigrateError:
            opening.abandon()
            raise
        try:
            self.destination = self._open_destination(opening)
        except MigrateError:
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
        for session in (self.source, self.destination):
            if session is not None:
                # By now it is known where the guest is, and that is not to be lost.
                with suppress(Exception, SystemExit):
                    session.close()

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
        guest = self.source.guest(self._plan.guest)
        if self.destination is None:
            return Facts(self.source.host(), guest, None, None, self._unreadable)
        resident = self.destination.guest(self._plan.destination_name)
        if resident is None and guest is not None:
            resident = self.destination.guest_by_uuid(guest.uuid)
        return Facts(self.source.host(), guest, self.destination.host(), resident)

    def guests(self) -> Readback:
        """Read the guest on both hosts; what cannot be read is said, not raised."""
        uris = self._plan.uris
        source, here, source_unreadable = self._guest(
            self.source, uris.source.value, self._plan.guest
        )
        self.source = source or self.source
        if self.destination is None:
            return Readback(here, None, source_unreadable, self._unreadable)
        destination, there, unreadable = self._guest(
            self.destination, uris.destination_from_client.value, self._plan.destination_name
        )
        self.destination = destination or self.destination
        return Readback(here, there, source_unreadable, unreadable)

    def _guest(
        self, session: Session, uri: str | None, name: str
    ) -> tuple[Session | None, GuestFacts | None, str | None]:
        """Read a guest; if the connection is what broke, once more on a new one."""
        try:
            return session, session.guest(name), None
        except BaseException as error:  # noqa: BLE001 - whatever breaks, there must be a verdict
            problem = _told(error)
        with suppress(BaseException):
            session.close()
        try:
            fresh = _Opening(self._driver, uri).session(_PATIENCE)
            if fresh is not None:
                return fresh, fresh.guest(name), None
        except BaseException as error:  # noqa: BLE001 - as above
            problem = _told(error)
        return None, None, problem

    def _open_destination(self, opening: _Opening) -> Session | None:
        if opening.uri is None:
            self._unreadable = f"{self._plan.scenario.id} has no connection to the destination"
            return None
        if self._plan.scenario.client_opens_destination:
            return opening.session()
        try:
            session = opening.session(_PATIENCE)
        except MigrateError as error:
            self._unreadable = str(error)
            return None
        if session is None:
            self._unreadable = f"{opening.uri} did not answer within {_PATIENCE:.0f} s"
        return session


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
    return str(error) if isinstance(error, MigrateError) else one_line(error)


class _Opening:
    """A session that is being opened in the background."""

    def __init__(self, driver: Driver, uri: str | None) -> None:
        self.uri: Final = uri
        self._driver = driver
        self._session: Session | None = None
        self._error: MigrateError | None = None
        self._abandoned = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        if uri is not None:
            self._thread = threading.Thread(target=self._open, args=(uri,), daemon=True)
            self._thread.start()

    def session(self, seconds: float | None = None) -> Session | None:
        """Wait for the session, or give up after *seconds* with None."""
        if self._thread is None:
            return None
        self._thread.join(seconds)
        with self._lock:
            if self._error is not None:
                raise self._error
            self._abandoned = self._session is None
            return self._session

    def abandon(self) -> None:
        """Want it no more: what is open is closed, what comes later is closed then."""
        with self._lock:
            self._abandoned = True
            if self._session is not None:
                self._session.close()

    def _open(self, uri: str) -> None:
        try:
            session = self._driver.connect(uri)
        except MigrateError as error:
            self._error = error
            return
        with self._lock:
            if not self._abandoned:
                self._session = session
                return
        session.close()  # too late: nobody waits any more
