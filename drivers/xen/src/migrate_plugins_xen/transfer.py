"""A migration that libxl runs: it tells nothing of itself, and libvirt has no call that ends it."""

from __future__ import annotations

import re
from time import monotonic
from typing import TYPE_CHECKING, Final

from migrate_plugins import DriverError, NoAbortError, Statistics, Transport
from migrate_plugins_libvirt.faults import doing
from migrate_plugins_libvirt.session import AdoptedMigration, LibvirtMigration, has_job
from migrate_plugins_xen.domains import IN, find_domain
from migrate_plugins_xen.sender import stop
from migrate_plugins_xen.tunnel import BY_HAND, ending

if TYPE_CHECKING:
    import libvirt

    from migrate_plugins import Plan
    from migrate_plugins_libvirt.calls import Call
    from migrate_plugins_xen.session import XenSession

__all__ = ["AdoptedTransfer", "Unsteered", "XenTransfer"]

# Seconds that the source may take to notice that the destination is gone, once we have: TCP gives
# up much later, but where the destination's host lives it says so at once.
_GRACE: Final = 30.0
# Seconds after the limit in which it may still be stopped, where the daemons lead it.
_LATE: Final = 60.0
# Seconds between two attempts to stop a migration whose time is over.
_AGAIN: Final = 1.0
# Seconds between two questions whether it is under way, which tell no more than that.
_ASKING: Final = 2.0

# VIR_FROM_RPC and VIR_FROM_REMOTE, and what they say of a connection that was never made.
_WIRE: Final = frozenset({7, 13})
_BEFOREHAND: Final = re.compile(
    r"[Uu]nable to (connect to server|resolve)|Failed to connect to remote libvirt URI"
)

_GONE: Final = "the connection to the destination broke, and libxl has noticed nothing since"


class Unsteered:
    """What nobody can ask of a guest while Xen moves it."""

    def __init__(self, guest: str) -> None:
        """Refuse it for *guest*."""
        self._moved: Final = guest

    def suspend(self) -> None:
        """Refuse."""
        problem = "while Xen moves it, Xen alone asks it to stand still"
        raise DriverError(f"pausing {self._moved}", problem=problem)

    def switch_to_postcopy(self) -> None:
        """Refuse."""
        problem = "Xen has no post-copy"
        raise DriverError(f"switching {self._moved} to post-copy", problem=problem)


class XenTransfer(Unsteered, LibvirtMigration):
    """A migration by libvirt's call; see :class:`migrate_plugins.Migration`."""

    def __init__(
        self,
        plan: Plan,
        call: Call,
        domain: libvirt.virDomain,
        source: XenSession,
        destination: XenSession | None,
        limit: float,
    ) -> None:
        """Start *call* on *domain*; after *limit* seconds it is stopped, or given up."""
        self._source = source
        self._there = destination
        self._number = domain.ID()
        self._uuid = domain.UUIDString()
        self._stopped = False
        self._limit = limit
        self._over = monotonic() + limit
        self._tried = 0.0
        self._asked = 0.0
        self._last: Statistics | None = None
        self._broken: float | None = None
        self._problem: str | None = None
        self._given_up = False
        Unsteered.__init__(self, plan.guest)
        LibvirtMigration.__init__(self, plan, call, domain, destination)

    def wait(self, seconds: float) -> bool:
        """Wait at most *seconds* for the end; one that nobody could be told of is not waited for.

        Where the client has to finish it on the destination, it waits as long as it still could.
        """
        if self._ended.wait(seconds):
            return True
        now = monotonic()
        if self._cannot_finish():
            self._broken = self._broken or now
        gone = self._broken is not None and now - self._broken > _GRACE
        if (gone or now > self._over) and now - self._tried > _AGAIN:
            self._tried = now
            why = _GONE if gone else f"it was not done after {self._limit:.0f} s (-o timeout)"
            self._stop(why, late=now > self._over + _LATE)
        return self._given_up

    def statistics(self) -> Statistics | None:
        """Tell that it is under way, or None: libxl gives no figures."""
        if self._ended.is_set():
            return None
        now = monotonic()
        if now - self._asked > _ASKING:
            self._asked = now
            with doing("asking for the job"):
                self._last = Statistics() if has_job(self._domain) else None
        return self._last

    def cancel(self) -> None:
        """Have libxl stop it, where a program can be run on the source."""
        if not self._stopped:
            stop(self._source.xen, self._plan.guest, self._number, ours=self._direct)
            self._stopped = True
        if self._plan.scenario.transport is Transport.TUNNELLED:
            self._hang_up()

    def result(self) -> None:
        """Return if it succeeded."""
        if self._error is not None and self._direct:
            self._source.has_failed(self._domain)
        if self._error is not None and not self._stopped and _breaks_off(self._error):
            self._source.takes_back(self._domain)
        if self._problem is not None and (self._given_up or self._error is not None):
            raise DriverError(
                f"migrating {self._plan.guest}", problem=self._problem
            ) from self._error
        super().result()

    def _hang_up(self) -> None:
        """End the receiving too, which is told of nothing by the tunnel.

        What it has received is not all there is, and nothing can be made of it.

        Raises:
            DriverError: The destination cannot be asked to.
        """
        action = f"ending what {self._plan.guest} is received by"
        there = self._there
        domains = None if there is None else there.domains()
        if there is None or there.xen is None or domains is None:
            told = "the source has stopped, and libvirt's tunnel waits on: there, as root:"
            raise DriverError(action, problem=f"{told} {BY_HAND}")
        domain = find_domain(domains, self._uuid)
        if domain is not None and domain.job == IN:
            there.xen.run(ending(domain.number))

    def _stop(self, why: str, *, late: bool) -> None:
        """Stop it, or give it up where it goes on without us."""
        try:
            self.cancel()
        except NoAbortError:
            pass  # only we can finish it, and it is asked again
        except DriverError as error:
            # Where Xen can be asked, the guest is in between: before the first page or after the
            # last one.
            if late or self._source.xen is None:
                self._problem = f"{why}: {error.problem}"
                self._given_up = True
        else:
            self._problem = f"{why}: it was stopped"


def _breaks_off(error: Exception) -> bool:
    """Whether a call failed since no answer came, to whichever of the questions of a migration.

    The last of them lets the guest go on at the destination.
    """
    import libvirt

    return (
        isinstance(error, libvirt.libvirtError)
        and error.get_error_domain() in _WIRE
        and not _BEFOREHAND.search(error.get_error_message() or "")
    )


class AdoptedTransfer(Unsteered, AdoptedMigration):
    """A migration that another process began; see :class:`migrate_plugins.Mender`."""

    def __init__(self, domain: libvirt.virDomain, source: XenSession) -> None:
        """Watch the job of *domain*."""
        Unsteered.__init__(self, domain.name())
        AdoptedMigration.__init__(self, domain)
        self._source = source
        self._number = domain.ID()

    def sends(self) -> bool:
        """Whether it is still being sent."""
        return self._source.sends(self._domain)

    def statistics(self) -> Statistics | None:
        """Tell that it is under way: libxl gives no figures."""
        return Statistics()

    def cancel(self) -> None:
        """Have libxl stop it, where a program can be run on the source."""
        stop(self._source.xen, self._domain.name(), self._number, ours=False)
