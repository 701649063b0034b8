"""What Xen itself shows of a guest, which is believed rather than libvirt.

libvirt's Xen driver forgets to end the job of a managed migration that failed early, and calls a
guest paused that runs on after a peer-to-peer one.  What was seen is in ``docs/xen.md``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import HANDED_OVER, GuestFacts, GuestState, Leftover

if TYPE_CHECKING:
    from migrate_plugins import Shell

__all__ = ["HELD", "MISCALLED", "RESTART", "Seen", "Told", "believe", "helper", "look"]

_MIGRATION: Final = "migration"
_OUT: Final = "migration out"
_IN: Final = "migration in"
# Of libvirt, where Xen cannot be asked: it may be the job of a migration, or of anything else.
_SOME: Final = "a job of libvirt's"

RESTART: Final = "systemctl restart libvirtd"

HELD: Final = Leftover(
    "libvirt still holds the job of a migration that is over: whatever is asked of the guest times"
    " out after 30 s",
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

# The states of `xl list`: running, blocked, paused, shut down (of which the second letter is why),
# crashed, dying. A guest that waits for a processor has none of them.
_ROW: Final = re.compile(
    r"^.+\s+(?P<id>\d+)\s+\d+\s+\d+\s+(?P<state>[-r][-b][-p][-s][-\w][-d])\s+[\d.]+\s*$"
)
# libxl gives the stream, the way back and the number of the guest to the program that it starts.
_HELPER: Final = "libxl-save-helpe[r] --save-domain -?[0-9]+ -?[0-9]+ {} "
_MOVING: Final = re.compile(r"libxl-save-helper --(?P<way>save|restore)-domain -?\d+ -?\d+ (\d+) ")
# One call for all of it: a host may be far away. What moves is waited for, $2 seconds.
_LOOK: Final = r"""
moving() { pgrep -a -f 'libxl-save-helpe[r] --'; }
seen=$(moving) || if [ "$2" -gt 0 ]; then sleep "$2"; seen=$(moving); fi
xl list "$1" 2>&1 | tail -n 1
echo "$seen"
"""
# Seconds: hosts may be slow.
_PATIENCE: Final = 7.0


class Seen(NamedTuple):
    """What Xen shows of a guest.

    Attributes:
        paused: Whether it is paused.
        suspended: Whether it has put itself to rest, for its memory to be sent as a whole.
        sending: Whether its memory is being sent.
        receiving: Whether its memory is being received.
        gone: Whether Xen has no such guest.
    """

    paused: bool = False
    suspended: bool = False
    sending: bool = False
    receiving: bool = False
    gone: bool = False


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


def helper(number: int) -> str:
    """Give the pattern of the program that saves the guest of that *number*, for ``pgrep -f``."""
    return _HELPER.format(number)


def look(shell: Shell, number: int, *, wait: int = 0) -> Seen | None:
    """Ask Xen for a guest, or give None where it does not answer.

    Args:
        shell: Of the host.
        number: The guest's there.
        wait: Seconds to wait for memory to move, where none does yet.
    """
    words = ("sh", "-c", _LOOK, "sh", str(number), str(wait))
    answer = shell.run(words, seconds=_PATIENCE + wait)
    first, _, rest = answer.output.partition("\n")
    row = _ROW.match(first)
    if row is None and first == f"Error: Domain '{number}' does not exist.":
        return Seen(gone=True)
    if answer.status != 0 or row is None or int(row["id"]) != number:
        return None
    ways = {way for way, its in _MOVING.findall(rest) if int(its) == number}
    state = row["state"]
    return Seen("p" in state, state[3] == "s", "save" in ways, "restore" in ways)


def believe(guest: GuestFacts, told: Told, seen: Seen | None) -> GuestFacts:
    """Put what Xen shows in the place of what libvirt gets wrong.  Pure.

    Args:
        guest: As libvirt has it.
        told: What else libvirt tells.
        seen: What Xen shows, or None where it cannot be asked.
    """
    over = told.held and (told.over if seen is None else not (seen.sending or seen.receiving))
    guest = guest._replace(job=_job(guest, told, seen), leftover=HELD if over else None)
    if guest.job == _IN:
        return guest._replace(state=GuestState.PAUSED, reason=_MIGRATION)
    if seen is None:
        return _guess(guest, told)
    if seen.gone:
        return guest._replace(state=GuestState.SHUTOFF, reason=None, leftover=FORGOTTEN)
    if seen.suspended:
        return guest._replace(state=GuestState.PAUSED, reason=HANDED_OVER)
    if seen.paused:
        reason = _MIGRATION if over else guest.reason if _paused(guest) else None
        return guest._replace(state=GuestState.PAUSED, reason=reason)
    if _paused(guest):
        return _runs(guest)
    return guest


def _job(guest: GuestFacts, told: Told, seen: Seen | None) -> str | None:
    if seen is not None:
        # Memory may be on its way without libvirt: by xl.
        return _OUT if seen.sending else _IN if seen.receiving else None
    if not told.held or told.over:
        return None
    return _SOME if guest.state.active else _IN


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
