"""What can be asked of a move that libvirt's options have no words for.

How a thing is named: a resource pool and a folder by the path below the destination's root, such as
``production/web``; a datastore and a network by the name; a disk or a network card by its label
(``Hard disk 1``), by its number (``2000``), a disk also by where it hangs (``scsi0:0``).  In each
place the vCenter's own id does as well (``resgroup-26``, ``datastore-12``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from migrate_plugins import DriverOption, Kind, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from migrate_plugins import Plan

__all__ = ["LONGEST", "OPTIONS", "PRIORITIES", "ROOT", "Target", "Wishes", "refusals"]

# As typed, and what the vSphere API calls it.
PRIORITIES: Final = {"low": "lowPriority", "default": "defaultPriority", "high": "highPriority"}

# What vSphere calls the root pool of each compute resource.
ROOT: Final = "Resources"

# Seconds; a move that may take longer than a month is one without a limit.
LONGEST: Final = 31 * 24 * 3600

OPTIONS: Final = (
    DriverOption(
        "resource-pool",
        "resource pool of the destination, by its path below the root pool",
        metavar="PATH",
    ),
    DriverOption(
        "folder",
        "folder for the guest, by its path below those of the destination's virtual machines",
        metavar="PATH",
    ),
    DriverOption("datastore", "where the guest and all of its disks go", metavar="NAME"),
    DriverOption("disk", "another datastore for one disk", metavar="DISK:DATASTORE", many=True),
    DriverOption("network", "the network of one network card", metavar="NIC:NETWORK", many=True),
    DriverOption(
        "priority",
        "how the vCenter ranks the move among others",
        metavar="low|default|high",
        choices=tuple(PRIORITIES),
    ),
    DriverOption(
        "timeout",
        "seconds after which the move is cancelled",
        metavar="SECONDS",
        kind=Kind.NUMBER,
    ),
)

# A disk that is named by where it hangs has a colon in its own name.
_PLACE: Final = re.compile(r"((?:ide|sata|scsi|nvme)\d{1,3}:\d{1,3}):(.*)", re.IGNORECASE)


class Target(NamedTuple):
    """Where one device of the guest goes.

    Attributes:
        device: As it was named.
        to: Name or id of a datastore or of a network.
    """

    device: str
    to: str

    @classmethod
    def parse(cls, text: str) -> Target | None:
        """Read ``DEVICE:TARGET``, or give None where a part is missing."""
        hanging = _PLACE.fullmatch(text)
        device, to = hanging.groups() if hanging else text.partition(":")[::2]
        target = cls(device.strip(), to.strip())
        return target if all(target) else None


class Wishes(NamedTuple):
    """What was asked for with the driver's own options.

    Attributes:
        pool: Resource pool, or None for the root pool of the destination.
        folder: Folder, or None for the present one.
        datastore: For all that has no other, or None for the present ones.
        disks: Datastores of single disks.
        networks: Networks of single network cards.
        priority: As the vSphere API calls it.
        timeout: Seconds after which the move is cancelled, or None.
    """

    pool: str | None = None
    folder: str | None = None
    datastore: str | None = None
    disks: tuple[Target, ...] = ()
    networks: tuple[Target, ...] = ()
    priority: str = PRIORITIES["default"]
    timeout: int | None = None

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Read them from a plan that was not refused."""
        given = plan.own

        def one(name: str) -> str | None:
            return next(iter(given.get(name, ())), None)

        def targets(name: str) -> tuple[Target, ...]:
            return tuple(filter(None, map(Target.parse, given.get(name, ()))))

        timeout = one("timeout")
        return cls(
            one("resource-pool"),
            one("folder"),
            one("datastore"),
            targets("disk"),
            targets("network"),
            PRIORITIES[one("priority") or "default"],
            None if timeout is None else int(timeout),
        )

    @property
    def places(self) -> dict[str, object]:
        """What was asked for beyond the host: option to what was given for it."""
        asked = {
            "resource-pool": self.pool,
            "folder": self.folder,
            "datastore": self.datastore,
            "disk": self.disks,
            "network": self.networks,
        }
        return {name: value for name, value in asked.items() if value}


def refusals(plan: Plan) -> Iterator[Reason]:
    """Give every reason why the options of *plan* cannot be taken, beyond what the core sees."""
    given = plan.own
    yield from _misnamed("disk", "DISK:DATASTORE", given.get("disk", ()))
    yield from _misnamed("network", "NIC:NETWORK", given.get("network", ()))
    for name in ("resource-pool", "folder"):
        for text in given.get(name, ()):
            if "" in text.strip("/").split("/"):
                told = f"-o {name}={text} is no path of names"
                yield _wrong(told, f"give {_EXAMPLES[name]}")
    for text in given.get("timeout", ()):
        if int(text) > LONGEST:
            yield _wrong(f"-o timeout={text} is longer than a month", "leave it out, or give less")
    if plan.uris.migration.value is not None and "resource-pool" in given:
        yield _wrong(
            "a migration URI names a resource pool, and so does -o resource-pool",
            "leave out one of the two",
        )


def _misnamed(name: str, form: str, texts: Iterable[str]) -> Iterator[Reason]:
    """Give the reasons against what was said of single devices."""
    seen: dict[str, str] = {}
    for text in texts:
        target = Target.parse(text)
        if target is None:
            yield _wrong(f"-o {name}={text} is not {form}", f"give {_EXAMPLES[name]}")
        elif (first := seen.get(target.device.lower())) is not None:
            told = f"-o {name}={first} and -o {name}={text} name one device"
            yield _wrong(told, "give it once")
        else:
            seen[target.device.lower()] = text


def _wrong(text: str, instead: str) -> Reason:
    return Reason("own-option-value", text, instead, usage=True)


_EXAMPLES: Final = {
    "disk": "a disk and its datastore, such as -o 'disk=Hard disk 1:ssd2' or -o disk=scsi0:0:ssd2",
    "network": "a card and its network, such as -o 'network=Network adapter 1:web'",
    "resource-pool": "the names below the root pool, such as production/web",
    "folder": "the names below the datacenter's virtual machines, such as production/web",
}
