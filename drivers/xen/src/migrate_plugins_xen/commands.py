"""What Xen's own tool is asked, as it is run and as a person would type it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from migrate_plugins import NativeCommand, Seat
from migrate_plugins_xen.uris import target

if TYPE_CHECKING:
    from migrate_plugins import Plan

__all__ = ["INSTEAD", "SSH", "meaningless", "typed", "xl", "xl_migrate"]

# Nobody is asked anything, and a destination that dies is noticed within half a minute.
SSH: Final = (
    "ssh",
    *("-o", "BatchMode=yes"),
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=6"),
)
# What to do with an option that xl has nothing like.
INSTEAD: Final = (
    "leave it out, and use virsh define and virsh undefine afterwards; or --revision current with"
    " --p2p"
)


def xl(verb: str, guest: str, *behind: str, options: tuple[str, ...] = ()) -> str:
    """Give a command of xl as it is typed: it takes a name of digits for a number."""
    name = shlex.quote(guest)
    if _is_misread(guest):
        name = f'"$(xl domid -- {name})"'
    return " ".join([shlex.join(("xl", verb, *options)), name, *map(shlex.quote, behind)])


def xl_migrate(guest: str, host: str) -> tuple[str, ...]:
    """Give the command that moves a guest, on the source.

    Args:
        guest: Its number there, or its name: xl takes one of digits for a number.
        host: Where to.
    """
    return ("xl", "migrate", "-s", shlex.join(SSH), guest, host)


def typed(plan: Plan) -> NativeCommand:
    """Give the same for a person, who runs it on the source."""
    if _is_misread(plan.guest):
        told = f"xl takes {plan.guest} for a domain's number, or an option; xl list has its number"
        return NativeCommand("xl", None, told, Seat.SOURCE)
    beyond = meaningless(plan)
    if beyond:
        told = f"xl migrate has nothing like {', '.join(beyond)}"
        return NativeCommand("xl", None, told, Seat.SOURCE)
    return NativeCommand("xl", xl_migrate(plan.guest, target(plan).host or ""), host=Seat.SOURCE)


def meaningless(plan: Plan) -> tuple[str, ...]:
    """Give the options of a plan that are libvirt's alone: xl knows no configurations."""
    given = {
        "--persistent": plan.request.persistent,
        "--undefinesource": plan.request.undefine_source,
    }
    return tuple(option for option, asked in given.items() if asked)


def _is_misread(guest: str) -> bool:
    """Whether xl takes a guest's name for a number or an option."""
    return guest.isdecimal() or guest.startswith("-")
