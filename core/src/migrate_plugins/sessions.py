"""What a driver's session with a host offers: facts, and one migration at a time.

:class:`Session` and :class:`Migration` are protocols: a driver's own classes need no base class.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate_plugins.plan import Plan
    from migrate_plugins.progress import Statistics
    from migrate_plugins.shells import Shell

__all__ = [
    "HANDED_OVER",
    "INCOMING",
    "STARTED_AGAIN",
    "Access",
    "Ask",
    "Facts",
    "GuestFacts",
    "GuestState",
    "HostFacts",
    "Leftover",
    "Listening",
    "Mend",
    "Mender",
    "Migration",
    "Receiver",
    "Seeing",
    "Session",
]


# The reason of a guest that runs on the source, which had stopped it for it to go on elsewhere and
# then started it again: a destination that froze in between still starts it when it thaws.
STARTED_AGAIN: Final = "migration canceled"
# The reason of a guest that stands still on the source, which has sent all of it and cannot let it
# go on: only the copy on the destination can.
HANDED_OVER: Final = "handed over"
# The reason of a paused copy that a host has received, or a part of it: it goes on there if its
# source has handed it over, and nowhere else.
INCOMING: Final = "incoming"


class GuestState(StrEnum):
    """Whether a guest runs, in libvirt's words."""

    RUNNING = "running"
    PAUSED = "paused"
    SHUTOFF = "shutoff"
    CRASHED = "crashed"
    UNKNOWN = "unknown"

    @property
    def active(self) -> bool:
        """Whether a guest in this state has memory on its host; unknown counts as yes."""
        return self not in {GuestState.SHUTOFF, GuestState.CRASHED}


class HostFacts(NamedTuple):
    """What a host says of itself.

    Attributes:
        name: Its own host name.
        uuid: What its daemon takes it to be, or None where the hypervisor has no such thing.
        hypervisor: Name and version, for example ``QEMU 7.2.22``.
        daemon: Version of the management daemon, for example ``libvirt 9.0.0``.
        inventory: Id of a management that keeps one inventory of the guests of several hosts, so
            that each of them is on one host at any time; None where each host has its own.
    """

    name: str
    uuid: str | None
    hypervisor: str
    daemon: str
    inventory: str | None = None


class Leftover(NamedTuple):
    """What a migration left on a host that has to be put right.

    Attributes:
        text: What it is, and what comes of it, for example ``its teleporter is on: the next start
            would wait for a guest``.
        until: Until when it stays, for example ``it is shut off``; None where it can be put right
            now.
        rolled_back: Whether a migration leaves it beside a guest that stays on the source.  There
            anything else is older than the migration, and not told.
    """

    text: str
    until: str | None = None
    rolled_back: bool = False

    def __str__(self) -> str:
        return self.text if self.until is None else f"{self.text}; it stays until {self.until}"


class GuestFacts(NamedTuple):
    """What a host says of a guest.

    Attributes:
        name: Its name there.
        uuid: Stays the same wherever it runs.
        state: Whether it runs.
        persistent: Whether a configuration of it is stored there.
        memory: In KiB.
        job: What is being done to it, for example ``migration out``; None for nothing.
        reason: Why it is in this state, in the hypervisor's words, or None.  Some of libvirt's
            decide what may be done to the guest: ``migration``, ``migrated``, ``unpaused``,
            ``user``, ``failed``, ``postcopy``, ``postcopy failed``, and of a guest that runs
            :data:`STARTED_AGAIN`, of one that is paused :data:`HANDED_OVER` and :data:`INCOMING`.
            A driver of another hypervisor uses them where they are true; a reason that is not told
            is no reason to do anything.
        leftover: What a migration left there beside the guest, or None.
    """

    name: str
    uuid: str
    state: GuestState
    persistent: bool
    memory: int
    job: str | None = None
    reason: str | None = None
    leftover: Leftover | None = None

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON's own types."""
        return {**self._asdict(), "leftover": self.leftover and self.leftover._asdict()}

    @classmethod
    def from_json(cls, json: Mapping[str, Any]) -> GuestFacts:
        """Read it, passing over what another edition added to it.

        Raises:
            LookupError: A part is missing.
            TypeError: Likewise.
            ValueError: Its state is none that is known.
        """
        known = {field: json[field] for field in cls._fields if field in json}
        left = known.get("leftover")
        return cls(
            **{
                **known,
                "state": GuestState(json["state"]),
                "leftover": left
                and Leftover(left["text"], left["until"], left.get("rolled_back", False)),
            }
        )


class Facts(NamedTuple):
    """What a check read on both sides.

    Attributes:
        source: The source host.
        guest: The guest there, or None where there is none of that name.
        destination: The destination host, or None where the client cannot look.
        resident: A guest of the same name or uuid on the destination, or None.
        unreadable: Why the client cannot look at the destination, or None where it can.
    """

    source: HostFacts
    guest: GuestFacts | None
    destination: HostFacts | None
    resident: GuestFacts | None
    unreadable: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON's own types."""
        return {
            "source": self.source._asdict(),
            "guest": self.guest and self.guest.to_json(),
            "destination": self.destination and self.destination._asdict(),
            "resident": self.resident and self.resident.to_json(),
            "unreadable": self.unreadable,
        }

    @property
    def moved_already(self) -> bool:
        """Whether the guest is on the destination, and was so before: nothing is left to do.

        Only where one inventory has both hosts: of two that have their own, a guest of that name
        on the one tells nothing of a guest that the other does not know.
        """
        return (
            self.guest is None
            and self.resident is not None
            and self.destination is not None
            and self.source.inventory is not None
            and self.source.inventory == self.destination.inventory
        )


class Migration(Protocol):
    """A migration that runs."""

    def wait(self, seconds: float) -> bool:
        """Wait at most *seconds* for the end; whether it has ended."""

    def statistics(self) -> Statistics | None:
        """How far it is, or None as long as nothing is under way.

        Of a hypervisor that tells no bytes it has none: how long such a transfer may stand still is
        then nobody's to say but the hypervisor's, and the driver's.
        """

    def cancel(self) -> None:
        """Ask it to stop; it has stopped when :meth:`wait` says so.

        Raises:
            NoAbortError: Nothing stops it, and it needs this process until its end.
            DriverError: It was not asked; whoever cancels asks again.
        """

    def suspend(self) -> None:
        """Pause the guest so that its memory stops changing."""

    def switch_to_postcopy(self) -> None:
        """Go on with the guest on the destination and fetch the rest of its memory there."""

    def result(self) -> None:
        """Return if it succeeded.

        Raises:
            DriverError: It did not, in the hypervisor's own words.
        """


class Session(Protocol):
    """An open session with one host; its methods may be called from several threads."""

    @property
    def uri(self) -> str:
        """The connection URI that opened it."""

    def host(self) -> HostFacts:
        """Read the host's facts."""

    def guest(self, name: str) -> GuestFacts | None:
        """Read a guest's facts by its name, or None where there is no such guest."""

    def guest_by_uuid(self, uuid: str) -> GuestFacts | None:
        """Read a guest's facts by its uuid, or None where there is no such guest."""

    def start(self, plan: Plan, destination: Session | None) -> Migration:
        """Start a migration from this host.

        Args:
            plan: Complete: what it says is what is done.
            destination: A session with the destination in the scenarios where the client opens
                it, else None.
        """

    def close(self) -> None:
        """Close the session; again is no error."""


@runtime_checkable
class Listening(Session, Protocol):
    """A session that also tells which ports of its host are taken.

    A driver whose ports the core chooses should offer it: the core takes none of them.
    """

    def listening(self) -> frozenset[int]:
        """Tell the TCP ports of this host that something listens on."""


@runtime_checkable
class Seeing(Session, Protocol):
    """A session that also tells where it does not see all guests of its host.

    A driver that has such sessions should offer it: what they do not find is not taken for gone.
    """

    def unseen(self, plan: Plan) -> str | None:
        """Tell why a guest that *plan* moves may be there though it is not found; None: it is not.

        Raises:
            DriverError: The host does not answer.
        """


class Ask(Protocol):
    """Asks a person; may be called from several threads, and puts one question at a time."""

    def __call__(self, question: str, *, secret: bool) -> str:
        """Ask *question*, and give the answer.

        Args:
            question: As it is shown, for example ``password of root at vcenter1``.
            secret: Whether the answer may not be seen while it is typed.

        Raises:
            EOFError: Nobody answers.
        """


class Access(NamedTuple):
    """How one may look at a host.

    Attributes:
        session: Open, or None where the client cannot open the host.
        shell: Runs a program there, which in a check only reads; None where there is no way to.
        addresses: Those that config.toml says it has.
    """

    session: Session | None = None
    shell: Shell | None = None
    addresses: tuple[str, ...] = ()


class Receiver(NamedTuple):
    """Where the guest's memory will arrive.

    Attributes:
        host: Name or address that the source is given, or None where that is not known.
        first: Lowest port that may be chosen, or None where nothing crosses a network.
        last: Highest one.
        because: What decides it, such as a URI or a file of the destination.
        listen: Address of the destination that is listened on, or None for all of them.
        unread: What might say otherwise and could not be read, with how to read it; else None.
    """

    host: str | None
    first: int | None
    last: int | None
    because: str
    listen: str | None = None
    unread: str | None = None


class Mend(StrEnum):
    """A step that brings a guest back to where it runs once, and nothing is left over.

    There is none that starts a guest: that would be one step from two copies of it.
    """

    ABORT = "abort"
    RESUME = "resume"
    DESTROY = "destroy"
    DEFINE = "define"
    UNDEFINE = "undefine"
    TIDY = "tidy"


@runtime_checkable
class Mender(Session, Protocol):
    """A session that can also take over what another process began, and mend what it left.

    A driver need not offer this: ``reconcile`` then says what is to be done, and does not do it.
    """

    def adopt(self, name: str) -> Migration | None:
        """Take over the migration of a guest that is under way from this host.

        Whoever began it may be gone.  Its end is noticed by asking again and again; how it ended
        may be told to nobody: ``result()`` may return although it failed, so read both hosts.

        Returns:
            The migration, or None where none is under way.
        """

    def mend(self, step: Mend, guest: GuestFacts) -> None:
        """Take one step with a guest of this host.

        ``ABORT`` the migration that is under way from here; ``RESUME`` a paused guest; ``DESTROY``
        a paused copy, whose stored configuration stays; ``DEFINE``: store the configuration of an
        active guest; ``UNDEFINE``: remove the stored one, an active guest runs on; ``TIDY``: put
        right what :attr:`GuestFacts.leftover` tells of.

        Args:
            step: What to do.
            guest: The guest as it was read when the step was chosen.  If its uuid, state or job is
                another by now, the reason for the step is gone, and it must be refused.

        Raises:
            DriverError: It was refused, or the hypervisor reported a failure.
        """

    def mend_command(self, step: Mend, guest: GuestFacts) -> str | None:
        """Give the same step as a line to type into a shell, or None where no tool can do it."""
