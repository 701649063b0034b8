"""What ``xl migrate`` needs of both hosts; the destination is seen through the source, as by xl."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import Finding, Severity
from migrate_plugins_xen.checks.memory import check_memory
from migrate_plugins_xen.commands import INSTEAD, SSH, meaningless, xl
from migrate_plugins_xen.domains import LIST, find_domain, read_domains
from migrate_plugins_xen.handover import NO_SHELL
from migrate_plugins_xen.inspection import Memory
from migrate_plugins_xen.uris import target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Answer, Facts, Plan, Shell
    from migrate_plugins_xen.domains import Domain

__all__ = ["Host", "judge", "look", "read_host"]

_FACT: Final = re.compile(r"^(\w+) *: *(.*?) *$", re.MULTILINE)
_INFO: Final = ("xl", "info")
# Seconds, for the source and for the destination behind it.
_HERE: Final = 10.0
_THERE: Final = 20.0


class Host(NamedTuple):
    """What Xen says of a host.

    Attributes:
        version: Of the hypervisor.
        free: Memory in MiB that it has given to nobody.
        domains: Its guests.
    """

    version: str | None
    free: int | None
    domains: tuple[Domain, ...] = ()


class Seen(NamedTuple):
    """Both hosts, or the error of the one that does not answer.

    Attributes:
        source: The source, or what was said there instead.
        destination: Likewise; None where the source could not be asked.
    """

    source: Host | str
    destination: Host | str | None


def read_host(output: str) -> Host:
    """Read what ``xl info`` prints, and ``xl list -v`` behind it."""
    told = dict(_FACT.findall(output))
    free = told.get("free_memory", "")
    _, listed, domains = output.partition("\nName ")
    return Host(
        told.get("xen_version"),
        int(free) if free.isdecimal() else None,
        read_domains(f"Name {domains}") if listed else (),
    )


def look(shell: Shell, host: str) -> Seen:
    """Ask Xen on the source, and on the destination as xl would get there."""
    here = _read(shell.run(_INFO, seconds=_HERE))
    if isinstance(here, str):
        return Seen(here, None)
    script = f"{shlex.join(_INFO)} && {shlex.join(LIST)}"
    return Seen(here, _read(shell.run([*SSH, host, script], seconds=_THERE)))


def judge(plan: Plan, facts: Facts, seen: Seen | None) -> Iterator[Finding]:
    """Give every finding; *seen* is None where no program can be run on the source.  Pure."""
    here, there = facts.source.name, target(plan).host or ""
    beyond = meaningless(plan)
    if beyond:
        yield Finding(
            "xl-option",
            Severity.ERROR,
            here,
            f"{', '.join(beyond)} cannot be done: today's libvirt leaves the move to xl migrate,"
            " which knows nothing of its configurations",
            expected="none of them, or libvirt 4.2 or older with xend",
            remedy=INSTEAD,
            acceptable=False,
        )
    if seen is None:
        yield Finding(
            "xl-no-shell",
            Severity.ERROR,
            here,
            NO_SHELL,
            remedy=f"or by hand, on {here} as root: {xl('migrate', plan.guest, there)}",
            acceptable=False,
        )
        return
    if isinstance(seen.source, str):
        yield Finding(
            "xl-unusable",
            Severity.ERROR,
            here,
            f"xl cannot be used on {here}",
            seen=seen.source,
            expected="xl info answers",
            remedy="the shell of config.toml has to be root's, on a host of Xen with xen-utils",
            acceptable=False,
        )
        return
    if isinstance(seen.destination, str):
        yield Finding(
            "xl-ssh",
            Severity.ERROR,
            here,
            f"xl migrate needs ssh from {here} to {there} as root, without a question, and xl"
            " there",
            seen=seen.destination,
            expected="xl info answers",
            remedy=f"try it on {here} as root: ssh -o BatchMode=yes {there} xl info",
            acceptable=False,
        )
    elif seen.destination is not None:
        yield from _fits(plan, facts, seen.source, seen.destination, there)


def _fits(
    plan: Plan, facts: Facts, source: Host, destination: Host, host: str
) -> Iterator[Finding]:
    if source.version != destination.version:
        yield Finding(
            "xen-versions",
            Severity.WARNING,
            host,
            f"Xen on {host} is another than on {facts.source.name}: it takes guests of an older"
            " one, and may refuse those of a newer one",
            seen=destination.version,
            expected=source.version,
        )
    taken = find_domain(destination.domains, plan.guest)
    if taken is None and facts.guest is not None:
        taken = find_domain(destination.domains, facts.guest.uuid)
    if taken is not None:
        yield Finding(
            "xl-name-taken",
            Severity.ERROR,
            host,
            f"Xen has {taken.name} on {host} already",
            seen=f"{taken.name}, {taken.state}, {taken.uuid}",
            expected="no guest of that name, nor of that uuid",
            remedy=f"see what it is: {xl('list', taken.name)}; one of them has to go, or"
            " to be renamed (xl rename)",
            acceptable=False,
        )
    guest, free = facts.guest, destination.free
    if guest is not None and free is not None:
        yield from check_memory(guest, host, Memory(None, free * 1024))


def _read(answer: Answer) -> Host | str:
    if answer.status == 0:
        try:
            return read_host(answer.output)
        except ValueError as error:
            return f"xl list: {error}"
    return answer.error.strip() or f"status {answer.status}"
