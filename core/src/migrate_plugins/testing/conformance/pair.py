"""Two hosts to run migrations between, as the author of a driver gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import NotImplementedType

__all__ = ["HostPair"]


class HostPair(Protocol):
    """Two hosts, with guests that may be moved, paused and lost.

    An attribute that is None, and a method that returns ``NotImplemented``, is something that these
    hosts cannot do: the checks that need it are skipped, and say so.
    """

    @property
    def source(self) -> str:
        """The source, as the client opens it."""

    @property
    def destination(self) -> str:
        """The destination, as the client opens it."""

    @property
    def peer(self) -> str | None:
        """The destination, as the source opens it in peer-to-peer; None where that is the same."""

    @property
    def migration(self) -> str | None:
        """A migration URI of the destination, for the scenario that has no other URI."""

    @property
    def dead(self) -> str | None:
        """A connection URI that nobody listens at, and that says so soon."""

    def guest(self, *, running: bool = True, persistent: bool = False) -> str | NotImplementedType:
        """Make a guest on the source that no check has touched, and give its name.

        Args:
            running: Whether it runs; otherwise it is shut off.
            persistent: Whether the source has its configuration; one that is shut off has.  Where
                no guest is transient, most checks take a persistent one.
        """

    def slow(self) -> NotImplementedType | None:
        """Make the next transfers last a minute at the least, unless cancelled or broken.

        Called before the guest is made, so that a guest may be made that writes its memory.
        """

    def break_transfer(self) -> NotImplementedType | None:
        """Break a transfer that is under way, so that the hypervisor gives it up soon."""

    def heal(self) -> None:
        """Mend what was slow or broken, so that both hosts can be read; guests stay."""

    def clean(self) -> None:
        """Mend what was slow or broken, and remove every guest from both hosts.

        Called after each check, whatever became of it.
        """
