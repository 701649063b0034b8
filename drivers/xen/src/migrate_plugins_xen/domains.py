"""The guests that Xen itself has on a host, listed by libvirt or not, and which of them move."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import HANDED_OVER, DriverError, GuestFacts, GuestState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Shell

__all__ = ["IN", "LIST", "OUT", "Domain", "find_domain", "list_domains", "read_domains"]

OUT: Final = "migration out"
IN: Final = "migration in"

# With the uuids.
LIST: Final = ("xl", "list", "-v")
# The states: running, blocked, paused, shut down (and why), crashed, dying. A guest that waits for
# a processor has none of them.
_ROW: Final = re.compile(
    r"^(?P<name>\S.*?)\s+(?P<number>\d+)\s+(?P<memory>\d+)\s+\d+\s+"
    r"(?P<state>[-r][-b][-p][-s][-\w][-d])\s+[\d.]+\s+(?P<uuid>[0-9a-f-]{36})\s",
    re.MULTILINE,
)
_KIB: Final = 1024
_INCOMING: Final = "--incoming"
_AWAY: Final = "--migratedaway"
# One call for all of it: a host may be far away. What moves is asked for first, since a move that
# ends meanwhile may still be told of, and must not be missed; where nothing does, it is waited for,
# $1 seconds. A program that has received a guest for xl stays to watch over it, and is then a child
# of init alone.
_LIST: Final = """
helpers() { pgrep -a -f 'libxl-save-helpe[r] --'; }
moves=$(helpers) || if [ "$1" -gt 0 ]; then sleep "$1"; moves=$(helpers); fi
leaves=$(pgrep -a -f 'xl migrat[e] ' | sed 's/^/leaves: /')
for number in $(pgrep -f 'xl migrate-receiv[e]'); do
  parent=$(awk '/^PPid:/ { print $2 }' "/proc/$number/status" 2>/dev/null)
  [ "${parent:-1}" = 1 ] || arrives=arrives:
done
xl list -v || exit
printf '%s\\n' "$moves" "$leaves" "$arrives"
"""
# libxl gives the stream, the way back and the number of the guest to the program that it starts.
_MOVES: Final = r"libxl-save-helper --(save|restore)-domain -?\d+ -?\d+ {} "
_WAYS: Final = {"save": OUT, "restore": IN}
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
    """

    name: str
    number: int
    memory: int
    flags: str
    uuid: str
    job: str | None = None

    @property
    def base(self) -> str:
        """Its name without what xl adds while it moves."""
        return self.name.removesuffix(_INCOMING).removesuffix(_AWAY)

    @property
    def moving(self) -> bool:
        """Whether it arrives or leaves by its name."""
        return self.base != self.name

    @property
    def state(self) -> GuestState:
        """Whether it runs, in libvirt's words."""
        if self.flags[5] == "d":
            return GuestState.SHUTOFF
        if self.flags[4] == "c":
            return GuestState.CRASHED
        # Shut down to be sent, or arriving: it is in memory, and does nothing.
        if self.flags[2] == "p" or self.flags[3] == "s" or self.moving:
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
        if self.name.endswith(_INCOMING):
            return "migration"
        return HANDED_OVER if self.moving or self.flags[3] == "s" else None


def read_domains(output: str) -> tuple[Domain, ...]:
    """Read what ``xl list -v`` prints, and what moves; Domain-0 is the host, and no guest."""
    found = (
        Domain(
            row["name"], int(row["number"]), int(row["memory"]) * _KIB, row["state"], row["uuid"]
        )
        for row in _ROW.finditer(output)
    )
    guests = (domain for domain in found if domain.number != 0)
    return tuple(domain._replace(job=_job(domain, output)) for domain in guests)


def _job(domain: Domain, output: str) -> str | None:
    moves = re.search(_MOVES.format(domain.number), output)
    if moves is not None:
        return _WAYS[moves[1]]
    if domain.name.endswith(_INCOMING):
        return IN if re.search(r"^arrives:$", output, re.MULTILINE) else None
    leaving = rf"^leaves: .* {re.escape(domain.base)} \S+$"
    return OUT if re.search(leaving, output, re.MULTILINE) else None


def list_domains(shell: Shell, *, wait: int = 0) -> tuple[Domain, ...]:
    """List the guests of a host.

    Args:
        shell: Of the host.
        wait: Seconds to wait for the memory of any to move, where none does yet.

    Raises:
        DriverError: Xen cannot be asked there.
    """
    answer = shell.run(["sh", "-c", _LIST, "sh", str(wait)], seconds=_PATIENCE + wait)
    if answer.status != 0:
        told = answer.error.strip() or f"xl ended with status {answer.status}"
        raise DriverError("listing what Xen runs (xl list)", problem=told)
    return read_domains(answer.output)


def find_domain(domains: Sequence[Domain], key: str) -> Domain | None:
    """Find a guest by its name or its uuid; one that moves only where there is no other."""
    found = [each for each in domains if key in {each.base, each.uuid}]
    return min(found, key=lambda each: each.moving, default=None)
