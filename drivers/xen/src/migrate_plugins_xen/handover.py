"""A move that is handed to Xen's own management: ``xl migrate``, run on the source.

It belongs to the source host, and goes on without the client and without libvirtd.  xl reaches the
destination over ssh, and so do we, to see what Xen has there: the client itself opens no
connection to it in this scenario.  What was seen is in ``docs/xen.md``.
"""

from __future__ import annotations

import re
import shlex
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import (
    DriverError,
    GuestState,
    Statistics,
    UsageError,
)
from migrate_plugins_xen.commands import SSH, meaningless, xl_migrate
from migrate_plugins_xen.domains import (
    LIST,
    OUT,
    NoXenError,
    find_domain,
    list_domains,
    read_domains,
)
from migrate_plugins_xen.options import limit
from migrate_plugins_xen.sender import SENDING, stop
from migrate_plugins_xen.transfer import Unsteered
from migrate_plugins_xen.uris import target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Job, Plan, Shell
    from migrate_plugins_xen.domains import Domain

__all__ = ["NO_SHELL", "AdoptedHandover", "Handover", "adopt", "begin"]

NO_SHELL: Final = (
    "xl migrate is run on the source, and there is no way to run a program there: name the host in"
    ' config.toml with shell = ["ssh", "root@HOST"], or use an xen+ssh:// URI'
)

# Seconds between two attempts to stop a migration whose time is over, and for how long.
_AGAIN: Final = 1.0
_GRACE: Final = 60.0
# Seconds between two looks at one that somebody else began.
_LOOK: Final = 1.0
# Seconds to get to the destination by way of the source.
_PATIENCE: Final = 20.0
# Two that are started at once must not both move it: the second would fail, and then let the guest
# go on here, whatever the first has made of it. The lock, of the guest's number, goes with xl.
_ALONE: Final = """
umask 077
exec 9>"/run/migrate-plugins.xl-migrate.$1" || exit
flock -n 9 || { echo "another xl migrate moves it already" >&2; exit 75; }
if pgrep -f "SENDING" >/dev/null; then
  echo "it is being sent already" >&2
  exit 75
fi
shift
exec "$@"
""".replace("SENDING", SENDING.format("$1"))
# xl's own lines before the one that says what went wrong: progress, and what it is about to do.
_CHATTER: Final = re.compile(
    r"^(xc: (info|detail)|migration target: Ready|Saving to migration|Loading new save|"
    r" ?Savefile contains|Parsing config)"
)


def begin(shell: Shell | None, plan: Plan) -> Handover:
    """Start ``xl migrate`` on the source.

    Args:
        shell: Of the source.
        plan: Complete.

    Raises:
        UsageError: The plan has what xl cannot do.
        DriverError: There is no way to run it, or Xen has no such guest there.
    """
    action = f"starting xl migrate of {plan.guest}"
    beyond = meaningless(plan)
    if beyond:
        raise UsageError(
            f"{', '.join(beyond)} cannot be done by xl migrate, which knows nothing of libvirt's"
            " configurations: leave it out, and use virsh define and virsh undefine afterwards"
        )
    if shell is None:
        raise DriverError(action, problem=NO_SHELL)
    try:
        domain = find_domain(list_domains(shell), plan.guest)
    except NoXenError as error:
        raise DriverError(action, problem=f"{error.problem}; {NO_SHELL}") from error
    if domain is None or domain.moving or domain.job is not None:
        problem = (
            "Xen has no such guest here"
            if domain is None
            else f"it is {domain.name}, {domain.state}, under {domain.job or 'no job'}"
        )
        raise DriverError(action, problem=problem)
    return Handover(shell, plan, domain)


class Handover(Unsteered):
    """A move by ``xl migrate``; see :class:`migrate_plugins.Migration`."""

    def __init__(self, shell: Shell, plan: Plan, domain: Domain) -> None:
        """Start it; after the plan's limit it is stopped, or given up."""
        super().__init__(plan.guest)
        self._shell: Final = shell
        self._plan: Final = plan
        self._domain: Final = domain
        self._host: Final = target(plan).host or ""
        self._limit: Final = limit(plan)
        self._over: Final = monotonic() + self._limit
        self._tried = 0.0
        self._problem: str | None = None
        self._given_up = False
        self._ended = False
        words = xl_migrate(str(domain.number), self._host)
        self._job: Final[Job] = shell.start(("sh", "-c", _ALONE, "sh", str(domain.number), *words))

    def wait(self, seconds: float) -> bool:
        """Wait at most *seconds* for the end; one that nobody can be told of is not waited for."""
        if self._ended or self._given_up:
            return True
        self._ended = self._job.wait(seconds) is not None
        now = monotonic()
        if not self._ended and now > self._over and now - self._tried > _AGAIN:
            self._tried = now
            self._stop(late=now > self._over + _GRACE)
        return self._ended or self._given_up

    def statistics(self) -> Statistics | None:
        """Tell that it is under way, or None: xl gives no figures that could be relied on."""
        return None if self._ended or self._given_up else Statistics()

    def cancel(self) -> None:
        """Have libxl stop the sending; the guest then runs on where it was."""
        stop(self._shell, self._plan.guest, self._domain.number, ours=False)

    def result(self) -> None:
        """Return if Xen has the guest running on the destination, and there alone."""
        action = f"migrating {self._plan.guest} (xl migrate)"
        answer = self._job.wait(0)
        seen = _there(self._shell, self._host, self._domain)
        if answer is None:
            self._job.abandon()
        if answer is None or answer.status is None:
            told = self._problem or (answer and answer.error) or "its end is not known"
            raise DriverError(action, problem=f"{told}; {seen.text}")
        if answer.status != 0:
            told = self._problem or last_words(answer.error)
            raise DriverError(action, problem=f"{told}; {seen.text}")
        if not seen.runs:
            raise DriverError(action, problem=f"xl says that it is done, but {seen.text}")

    def _stop(self, *, late: bool) -> None:
        told = f"it was not done after {self._limit} s (-o timeout)"
        try:
            self.cancel()
        except DriverError as error:
            # The guest is in between: before the first page or after the last one; or the source
            # cannot be asked.
            if late:
                self._problem, self._given_up = f"{told}: {error.problem}", True
        else:
            self._problem = f"{told}, and was stopped"


class AdoptedHandover(Unsteered):
    """An ``xl migrate`` that goes on, whoever began it; see :class:`migrate_plugins.Mender`."""

    def __init__(self, shell: Shell, domain: Domain) -> None:
        """Watch the sending of *domain*."""
        super().__init__(domain.base)
        self._shell: Final = shell
        self._domain: Final = domain

    def wait(self, seconds: float) -> bool:
        """Ask until it has ended, at most *seconds*."""
        end = monotonic() + seconds
        while _leaves(list_domains(self._shell), self._domain.uuid) is not None:
            left = end - monotonic()
            if left <= 0:
                return False
            sleep(min(_LOOK, left))
        return True

    def statistics(self) -> Statistics | None:
        """Tell that it is under way."""
        return Statistics()

    def cancel(self) -> None:
        """Have libxl stop the sending."""
        stop(self._shell, self._domain.base, self._domain.number, ours=False)

    def result(self) -> None:
        """Return: how it ended is told to whoever began it."""


def adopt(shell: Shell, domains: Sequence[Domain], name: str) -> AdoptedHandover | None:
    """Take over an ``xl migrate`` of a guest that is under way from here.

    Args:
        shell: Of the source.
        domains: What Xen has there.
        name: The guest's.
    """
    domain = _leaves(domains, name)
    return None if domain is None else AdoptedHandover(shell, domain)


def _leaves(domains: Sequence[Domain], key: str) -> Domain | None:
    """Find a guest that xl moves away, be it before, while or after its memory is sent."""
    domain = find_domain(domains, key)
    return domain if domain is not None and domain.job == OUT else None


class _There(NamedTuple):
    """What Xen has on the destination.

    Attributes:
        runs: Whether the guest runs there, under its own name.
        text: The same in words.
    """

    runs: bool
    text: str


def _there(shell: Shell, host: str, domain: Domain) -> _There:
    """Ask Xen on the destination, by way of the source."""
    answer = shell.run([*SSH, host, shlex.join(LIST)], seconds=_PATIENCE)
    if answer.status != 0:
        told = answer.error.strip() or f"status {answer.status}"
        return _There(runs=False, text=f"what {host} has of it is not known ({told})")
    try:
        domains = read_domains(answer.output)
    except ValueError as error:
        return _There(runs=False, text=f"what {host} has of it is not known (xl list: {error})")
    found = find_domain(domains, domain.uuid)
    if found is None:
        return _There(runs=False, text=f"{host} does not have it")
    if found.base != domain.name:
        return _There(runs=False, text=f"{host} has it as {found.name}, which is {found.state}")
    if found.moving:
        text = f"{host} has a copy of it that stands still, {found.name}"
        return _There(runs=False, text=f"{text}; once it runs elsewhere: xl destroy {found.name}")
    return _There(found.state is GuestState.RUNNING, f"on {host} it is {found.state}")


def last_words(error: str) -> str:
    """Give what xl says of a failure, of all that it writes: its last lines that tell something."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", error) if line.strip()]
    told = [line for line in lines if not _CHATTER.match(line)]
    return "; ".join(told[-3:]) or "xl migrate failed without a word"
