"""The guests that Xen itself has on a host, listed by libvirt or not, and which of them move."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import HANDED_OVER, INCOMING, DriverError, GuestFacts, GuestState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Shell

__all__ = [
    "IN",
    "LIST",
    "OUT",
    "Domain",
    "NoXenError",
    "find_domain",
    "list_domains",
    "read_domains",
]

OUT: Final = "migration out"
IN: Final = "migration in"

# With the uuids.
LIST: Final = ("xl", "list", "-v")
# The states: running, blocked, paused, shut down (and why), crashed, dying. A guest that waits for
# a processor has none of them.
_ROW: Final = re.compile(
    r"^(?P<name>.*\S)\s+(?P<number>\d+)\s+(?P<memory>\d+)\s+\d+\s+"
    r"(?P<state>\S{6})\s+[\d.]+\s+(?P<uuid>[0-9a-f-]{36})\s",
)
_KIB: Final = 1024
_INCOMING: Final = "--incoming"
_AWAY: Final = "--migratedaway"
# One call for all of it: a host may be far away. What moves is asked for first, since a move that
# ends meanwhile may still be told of, and must not be missed; where the one that is asked for ($2)
# does not, that is waited for, $1 seconds. A program that has received a guest for xl stays to
# watch over it, and is then a child of init alone. Without these tools nothing would seem to move.
_LIST: Final = r"""
for tool in pgrep awk tr; do
  command -v "$tool" >/dev/null || { echo "$tool is missing there" >&2; exit 127; }
done
found() { pgrep "$@" || [ $? -eq 1 ] || { echo "pgrep failed there" >&2; exit 1; }; }
moves() { pgrep -f "libxl-save-helpe[r] --(save|restore)-domain -?[0-9]+ -?[0-9]+ $2 " >/dev/null; }
[ "$1" -eq 0 ] || moves "$@" || sleep "$1"
moves=$(found -a -f 'libxl-save-helpe[r] --') || exit
moves=$(printf '%s\n' "$moves" | while read -r pid helper way stream rest; do
  echo "$pid $helper $way $stream $rest" "$(readlink "/proc/$pid/fd/$stream")"
done)
numbers=$(found -x xl) || exit
others=$(for number in $numbers; do
  words=$(tr '\0' '\t' <"/proc/$number/cmdline" 2>/dev/null)
  case $words in
    xl?migrate-receive*|*/xl?migrate-receive*)
      parent=$(awk '/^PPid:/ { print $2 }' "/proc/$number/status" 2>/dev/null)
      [ "${parent:-1}" = 1 ] || echo arrives: ;;
    *xl?migrate?*|*xl?-*migrate?*) printf 'leaves:\t%s\n' "$words" ;;
  esac
done)
xl list -v || exit
printf '%s\n' "" "$moves" "$others"
"""
# What a shell says of a program that may not be run or is not there, and xl of a user who is not
# root or a kernel that does not run under Xen: Xen cannot be asked there at all, which is something
# else than no answer.
_USELESS: Final = frozenset({126, 127})
_NOT_ROOT: Final = re.compile(r"Permission denied|not permitted|cannot init xl context")
# libxl gives the stream, the way back and the number of the guest to the program that it starts.
_MOVES: Final = r"libxl-save-helper --(save|restore)-domain -?\d+ -?\d+ {} "
_WAYS: Final = {"save": OUT, "restore": IN}
# libvirt's daemon hands on what comes through its tunnel; else the stream is the connection itself.
_TUNNEL: Final = r"libxl-save-helper --restore-domain -?\d+ -?\d+ {} .*pipe:"
# Of the guest and of the host that it goes to, behind the program and its options.
_LEAVES: Final = re.compile(
    r"^leaves:\t(?:\S*/)?xl\t(?:-\S*\t)*migrate\t(?:.*\t)?([^\t\n]+)\t[^\t\n]+\t?$", re.MULTILINE
)
# Seconds: hosts may be slow.
_PATIENCE: Final = 10.0


class Domain(NamedTuple):
    """A guest as Xen has it.

    Attributes:
        name: Also one that xl gives meanwhile: a guest that arrives is NAME--incoming, one that
            has left NAME--migratedaway.
        number: Its number on this host.
        memory: In KiB.
        flags: The six letters of ``xl list``.
        uuid: The same on every host.
        job: What is done with it, by whomever: "migration out", "migration in", or None.
        tunnelled: Whether it arrives through libvirt's tunnel.
    """

    name: str
    number: int
    memory: int
    flags: str
    uuid: str
    job: str | None = None
    tunnelled: bool = False

    @property
    def base(self) -> str:
        """Its name without what xl adds while it moves."""
        return self.name.removesuffix(_INCOMING).removesuffix(_AWAY) if self.moving else self.name

    @property
    def moving(self) -> bool:
        """Whether it arrives or leaves by its name; one that runs only happens to be called so."""
        return self.name.endswith((_INCOMING, _AWAY)) and self.flags[:2] == "--"

    @property
    def suspended(self) -> bool:
        """Whether it has put itself to rest, as it does to be sent: nothing here lets it go on."""
        return self.flags[3:5] == "ss"

    @property
    def state(self) -> GuestState:
        """Whether it runs, in libvirt's words."""
        if self.flags[5] == "d":
            return GuestState.SHUTOFF
        if self.flags[3] == "s" and not self.suspended:
            # It crashed or its watchdog ended it; or it was powered off, or is to be started anew.
            return GuestState.CRASHED if self.flags[4] in "cw" else GuestState.SHUTOFF
        # Suspended to be sent, or arriving: it is in memory, and does nothing.
        if self.flags[2] == "p" or self.suspended or self.moving:
            return GuestState.PAUSED
        return GuestState.RUNNING

    def facts(self, *, persistent: bool) -> GuestFacts:
        """Give the facts of it, of which libvirt may know a definition."""
        return GuestFacts(
            name=self.base,
            uuid=self.uuid,
            state=self.state,
            persistent=persistent,
            memory=self.memory,
            job=self.job,
            reason=self._reason,
        )

    @property
    def _reason(self) -> str | None:
        if self.state is not GuestState.PAUSED:
            return None
        if self.moving and self.name.endswith(_INCOMING):
            return INCOMING
        return HANDED_OVER if self.moving or self.suspended else None


def read_domains(output: str) -> tuple[Domain, ...]:
    """Read what ``xl list -v`` prints, and what moves; Domain-0 is the host, and no guest.

    Raises:
        ValueError: A line of the list is not one: what it tells of would be taken for gone.
    """
    rows = iter(output.splitlines())
    found = []
    if not any(re.match(r"Name +ID +Mem ", row) for row in rows):
        raise ValueError("it has no head")
    for line in rows:
        if not line:
            break
        row = _ROW.match(line)
        if row is None:
            raise ValueError(f"it has a line that cannot be read: {line!r}")
        size = int(row["memory"]) * _KIB
        found.append(Domain(row["name"], int(row["number"]), size, row["state"], row["uuid"]))
    guests = (domain for domain in found if domain.number != 0)
    return tuple(
        domain._replace(
            job=_job(domain, output),
            # What xl receives comes through its ssh.
            tunnelled=not domain.moving
            and re.search(_TUNNEL.format(domain.number), output) is not None,
        )
        for domain in guests
    )


def _job(domain: Domain, output: str) -> str | None:
    moves = re.search(_MOVES.format(domain.number), output)
    if moves is not None:
        return _WAYS[moves[1]]
    if domain.moving and domain.name.endswith(_INCOMING):
        return IN if re.search(r"^arrives:$", output, re.MULTILINE) else None
    names = {domain.name, domain.base, domain.uuid, str(domain.number)}
    return OUT if names & {*_LEAVES.findall(output)} else None


class NoXenError(DriverError):
    """Xen cannot be asked through a shell at all: it is not root's, or the tools are not there."""


def list_domains(shell: Shell, *, wait: int = 0, number: int | None = None) -> tuple[Domain, ...]:
    """List the guests of a host.

    Args:
        shell: Of the host.
        wait: Seconds to wait for the memory of one of them to move, where it does not yet.
        number: Of that one.

    Raises:
        NoXenError: Xen cannot be asked through this shell.
        DriverError: It does not answer, or what it says cannot be read.
    """
    action = "listing what Xen runs (xl list)"
    words = ("sh", "-c", _LIST, "sh", str(wait), "-" if number is None else str(number))
    answer = shell.run(words, seconds=_PATIENCE + wait)
    if answer.status != 0:
        told = answer.error.strip() or f"xl ended with status {answer.status}"
        useless = answer.status in _USELESS or (answer.status == 1 and _NOT_ROOT.search(told))
        raise (NoXenError if useless else DriverError)(action, problem=told)
    try:
        return read_domains(answer.output)
    except ValueError as error:
        raise DriverError(action, problem=str(error)) from error


def find_domain(domains: Sequence[Domain], key: str) -> Domain | None:
    """Find a guest by its name or its uuid; one that moves only where there is no other."""
    found = [each for each in domains if key in {each.base, each.uuid}]
    return min(found, key=lambda each: each.moving, default=None)
