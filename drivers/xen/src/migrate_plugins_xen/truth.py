"""What Xen itself shows of a guest, which is believed rather than libvirt.

libvirt's Xen driver forgets to end the job of a managed migration that failed early, and calls a
guest paused that runs on after a peer-to-peer one.  What was seen is in ``docs/xen.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import HANDED_OVER, INCOMING, GuestFacts, GuestState, Leftover
from migrate_plugins_xen.domains import IN, OUT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate_plugins_xen.domains import Domain

__all__ = ["AWAITED", "FORGOTTEN", "HELD", "MISCALLED", "RESTART", "Seen", "Told", "believe", "see"]

# Of libvirt, where Xen cannot be asked: it may be the job of a migration, or of anything else.
_SOME: Final = "a job of libvirt's"

RESTART: Final = "systemctl restart libvirtd"

HELD: Final = Leftover(
    "libvirt holds a job under which nothing is sent, as a migration that failed early leaves it:"
    " whatever is asked of the guest times out after 30 s",
    until=f"libvirtd is restarted there ({RESTART}; guests run on)",
    rolled_back=True,
)
MISCALLED: Final = Leftover(
    "libvirt calls the guest paused although it runs, and cannot resume it",
    until=f"a migration of it succeeds, or libvirtd is restarted there ({RESTART}; guests run on)",
    rolled_back=True,
)

FORGOTTEN: Final = Leftover(
    "libvirt still lists the guest as active, and Xen has it no more",
    until=f"libvirtd is restarted there ({RESTART}; guests run on)",
)
AWAITED: Final = Leftover(
    "libvirt still waits for the guest to arrive, and Xen has no such guest: it refuses each"
    " migration of it to this host",
    until=f"libvirtd is restarted there ({RESTART}; guests run on)",
    rolled_back=True,
)


class Seen(NamedTuple):
    """What Xen shows of a guest.

    Attributes:
        paused: Whether it is paused.
        suspended: Whether it has put itself to rest, for its memory to be sent as a whole.
        sending: Whether it is being sent, by libvirt or by xl.
        receiving: Whether it is being received, likewise.
        gone: Whether Xen has no such guest.
        ended: Its state where it has ended and is only kept, or None.
    """

    paused: bool = False
    suspended: bool = False
    sending: bool = False
    receiving: bool = False
    gone: bool = False
    ended: GuestState | None = None


class Told(NamedTuple):
    """What libvirt tells of a guest beyond its facts.

    Attributes:
        held: Whether a job holds it.
        over: Whether that job is known to be left of a migration that is over.
        runs: Whether its processors were seen to use time, or None where nobody looked, since
            what libvirt says is true.
    """

    held: bool
    over: bool = False
    runs: bool | None = None


def see(domains: Iterable[Domain], number: int) -> Seen:
    """Give what Xen shows of the guest of that *number*, of all that it has.  Pure."""
    for domain in domains:
        if domain.number == number:
            state = domain.state
            return Seen(
                domain.flags[2] == "p",
                domain.suspended,
                domain.job == OUT,
                domain.job == IN,
                ended=None if state.active else state,
            )
    return Seen(gone=True)


def believe(guest: GuestFacts, told: Told, seen: Seen | None) -> GuestFacts:
    """Put what Xen shows in the place of what libvirt gets wrong.  Pure.

    Args:
        guest: As libvirt has it.
        told: What else libvirt tells.
        seen: What Xen shows, or None where it cannot be asked.  Of a guest that is not active it
            is only asked whether what libvirt waits for is there.
    """
    over = told.held and (told.over if seen is None else not (seen.sending or seen.receiving))
    guest = guest._replace(job=_job(guest, told, seen), leftover=HELD if over else None)
    if guest.job == IN:
        return guest._replace(state=GuestState.PAUSED, reason=INCOMING)
    if seen is None:
        return _guess(guest, told)
    if seen.gone:
        leftover = FORGOTTEN if guest.state.active else AWAITED
        return guest._replace(state=GuestState.SHUTOFF, reason=None, leftover=leftover)
    if seen.ended is not None:
        return guest._replace(state=seen.ended, reason=None)
    if seen.suspended:
        return guest._replace(state=GuestState.PAUSED, reason=HANDED_OVER)
    if seen.paused:
        # By libvirt's own word or by nobody's: while it dumps a guest, it does not call it paused.
        # What arrives is created so; at its source libxl pauses no guest.
        reason = (INCOMING if over else guest.reason) if _paused(guest) else None
        return guest._replace(state=GuestState.PAUSED, reason=reason)
    if _paused(guest):
        return _runs(guest)
    return guest


def _job(guest: GuestFacts, told: Told, seen: Seen | None) -> str | None:
    if seen is not None:
        # Memory may be on its way without libvirt: by xl.
        return OUT if seen.sending else IN if seen.receiving else None
    if not told.held or told.over:
        return None
    return _SOME if guest.state.active else IN


def _guess(guest: GuestFacts, told: Told) -> GuestFacts:
    """Judge the state where Xen cannot be asked: after some failures libvirt's is not true."""
    if told.runs is None:
        return guest
    if not told.runs:
        return guest._replace(state=GuestState.UNKNOWN)
    return _runs(guest) if _paused(guest) else guest


def _runs(guest: GuestFacts) -> GuestFacts:
    return guest._replace(
        state=GuestState.RUNNING, reason="unpaused", leftover=guest.leftover or MISCALLED
    )


def _paused(guest: GuestFacts) -> bool:
    return guest.state is GuestState.PAUSED
