"""What can go wrong with a host in memory: one table for URIs, for tests and for documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FAULTS", "Fault", "FaultKind", "percent_of", "read_faults"]

_ALL: Final = 100


class FaultKind(NamedTuple):
    """A kind of fault.

    Attributes:
        name: As it stands in a URI: ``memory://beta/?fault=NAME``.
        help: What it does, in a sentence.
        percent: How far a transfer comes by default, where the kind breaks into one.
    """

    name: str
    help: str
    percent: int | None = None


# fmt: off
# In the order of a migration's life.
FAULTS: Final = {
    kind.name: kind
    for kind in (
        FaultKind("connect", "the host cannot be reached"),
        FaultKind("authenticate", "the host is reached and refuses the credentials"),
        FaultKind("read", "the host can be opened, and neither it nor its guests can be read"),
        FaultKind("start", "the hypervisor refuses to begin the migration"),
        FaultKind("slow", "the guest writes its memory almost as fast as it is sent: it takes"
                          " minutes, unless the guest is paused or switched to post-copy"),
        FaultKind("transfer", "the transfer breaks off on the way", 50),
        FaultKind("hang", "the transfer stands still on the way, until it is cancelled", 50),
        FaultKind("cancel", "the hypervisor refuses to stop the migration: it is too late"),
        FaultKind("paused", "afterwards the guest is left paused on this host; with the fault on"
                            " both hosts, on both"),
        FaultKind("split", "afterwards the guest runs on both hosts"),
        FaultKind("lost", "afterwards the guest runs on neither host"),
        FaultKind("leftover", "afterwards something is left on this host that can be put right once"
                              " the guest is shut off there"),
        FaultKind("lost-connection", "once the transfer is over, the host cannot be reached any"
                                     " more"),
    )
}
# fmt: on


class Fault(NamedTuple):
    """A fault of one host: a kind, and how far a transfer comes, in percent."""

    kind: str
    percent: int | None = None

    @classmethod
    def read(cls, text: str) -> Fault:
        """Read ``KIND`` or ``KIND@PERCENT``.

        Raises:
            ValueError: There is no such kind, or no such place in a transfer.
        """
        name, at, number = text.partition("@")
        kind = FAULTS.get(name)
        if kind is None:
            raise ValueError(f"there is no fault {name!r}; {_nearest(name)}")
        if not at:
            return cls(name, kind.percent)
        if kind.percent is None:
            raise ValueError(f"the fault {name!r} does not break into a transfer; write {name!r}")
        if not (number.isascii() and number.isdecimal() and int(number) <= _ALL):
            raise ValueError(f"{number!r} is no percentage; give 0 to {_ALL}, such as {name}@50")
        return cls(name, int(number))


def read_faults(text: str) -> frozenset[Fault]:
    """Read several faults, comma separated.

    Raises:
        ValueError: With everything that is wrong.
    """
    faults, wrong = set(), []
    for word in filter(None, text.split(",")):
        try:
            faults.add(Fault.read(word))
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        raise ValueError("; ".join(wrong))
    return frozenset(faults)


def percent_of(faults: Iterable[Fault], kind: str) -> int | None:
    """Tell how far a transfer comes before a fault of this *kind*, or None where there is none."""
    found = [fault.percent for fault in faults if fault.kind == kind]
    return min((percent for percent in found if percent is not None), default=None)


def _nearest(name: str) -> str:
    near = nearest(name, FAULTS)
    known = f"there are {', '.join(FAULTS)}"
    return f"it may mean {near!r}; {known}" if near else known
