"""The program by which Xen sends a guest, and how it is stopped.

Xen itself ends a migration by stopping that program, on the source; so do we, where a program can
be run there and as long as the guest runs.  It then runs on where it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import DriverError, NoAbortError

if TYPE_CHECKING:
    from migrate_plugins import Shell

__all__ = ["SENDING", "stop"]

# libxl gives the stream, the way back and the number of the guest to the program that sends it.
SENDING: Final = "libxl-save-helpe[r] --save-domain -?[0-9]+ -?[0-9]+ {} "
# The program is held while it is looked whether the guest still runs: it would ask it to stand
# still at any moment, and a guest that was asked may take its time. Held it may not stay, whatever
# becomes of this script: one that is killed is looked after by another process.
_STOP: Final = r"""
trap '' HUP
look() {
  told=$(timeout 3 xl list "$2") || exit 5
  case $(printf '%s\n' "$told" | awk 'END { print $(NF - 1) }') in
    [-r][-b][-p]---) ;;
    *) exit 4 ;;
  esac
  asked=$(timeout 3 xenstore-read "/local/domain/$2/control/shutdown" 2>/dev/null)
  [ "$asked" != suspend ] || exit 4
}
helper=$(pgrep -f -- "$1") || exit 3
guard=
trap 'kill -CONT $helper; [ -z "$guard" ] || kill -TERM "-$guard"' EXIT
look "$@"
setsid sh -c 'sleep "$0"; kill -CONT "$@"' "$3" $helper </dev/null >/dev/null 2>&1 &
guard=$!
kill -STOP $helper || exit
for _ in 1 2 3; do
  sleep 1
  look "$@"
done
kill -TERM $helper
"""
_REFUSED: Final = {
    3: "no memory is being sent at the moment",
    4: "the guest stands still already, and could not go on where it is: it is sent to the end",
    5: "Xen does not tell whether the guest still runs",
}
# Seconds for all of it, and after which the program goes on at the latest.
_STOPPING: Final = 30.0
_HELD: Final = 40


def stop(shell: Shell | None, guest: str, number: int, *, ours: bool) -> None:
    """Stop the sending of a guest as libxl itself does it, if the guest still runs.

    One that stands still to be sent cannot go on where it is: libvirt does not let it, and the copy
    at the destination would be thrown away.

    Args:
        shell: Of the source, if Xen can be asked through it.
        guest: Its name.
        number: Its number there.
        ours: Whether it needs this process until its end.

    Raises:
        NoAbortError: It could not be stopped, and needs this process.
        DriverError: It could not be stopped, or nothing is being sent at the moment.
    """
    action = f"cancelling the migration of {guest}"
    pattern = SENDING.format(number)
    needed = (
        "without this process the guest would be left standing still on both hosts, so that its end"
        " is waited for"
    )
    if shell is None:
        told = "libvirt cannot abort a migration of Xen, and Xen cannot be asked on the source"
        by_hand = f"to stop it, on the source as root: pkill -TERM -f '{pattern}'"
        if ours:
            raise NoAbortError(action, problem=f"{told}; {needed}; {by_hand}")
        raise DriverError(action, problem=f"{told}; it goes on without us; {by_hand}")
    words = ("sh", "-c", _STOP, "sh", pattern, str(number), str(_HELD))
    answer = shell.run(words, seconds=_STOPPING)
    if answer.status == 0:
        return
    told = _REFUSED.get(answer.status or 0) or answer.error.strip() or "the source does not answer"
    if ours:
        raise NoAbortError(action, problem=f"{told}; {needed}")
    raise DriverError(action, problem=told)
