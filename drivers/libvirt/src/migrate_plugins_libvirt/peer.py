"""Peer-to-peer seen from the source: its daemon opens the second URI, as itself.

The client's own view proves nothing here.  Where a program can be run on the source as the user
that the daemon runs as, virsh opens the URI there and tells which host it leads to.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.etree import ElementTree as ET

from migrate_plugins import ConnectionURI, Finding, FindingKind, Flow, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrate_plugins import Access, Diagnosis, Facts, Plan, Selection, Shell

    Diagnose = Callable[[str], Sequence[Diagnosis]]

__all__ = ["KINDS", "examine_peer"]

KINDS: Final = (
    FindingKind(
        "peer2peer-is-source",
        Severity.ERROR,
        "the second URI leads the source to itself",
    ),
    FindingKind(
        "peer2peer-other-host",
        Severity.ERROR,
        "the second URI leads the source to another host than the client sees",
    ),
    FindingKind(
        "peer2peer-unknown",
        Severity.INFO,
        "whether the source can open the second URI is not known",
    ),
    FindingKind(
        "peer2peer-unreachable",
        Severity.ERROR,
        "the source cannot open the second URI",
    ),
    FindingKind(
        "peer2peer-uri-local",
        Severity.ERROR,
        "in peer-to-peer the second URI names no host, so that the source opens itself",
    ),
    FindingKind(
        "peer2peer-uri-path",
        Severity.ERROR,
        "the second URI does not say which of libvirt's daemons it means",
    ),
)

# Seconds: ssh and TCP give up later than anybody wants to wait.
_PATIENCE: Final = 8.0
_NO_PROGRAM: Final = 127  # of a shell, for a command that it does not find
# What virsh says before the reason itself.
_PREFIX: Final = re.compile(r"^error: (failed to connect to the hypervisor$)?")


class _Peer(NamedTuple):
    """What the second URI leads the source to."""

    name: str
    uuid: str | None


def examine_peer(
    plan: Plan,
    facts: Facts,
    source: Access,
    selection: Selection,
    diagnose: Diagnose,
    paths: tuple[str, ...] = (),
) -> Iterator[Finding]:
    """Look whether the source reaches the destination by the second URI.

    Args:
        plan: Complete.
        facts: What both hosts answered.
        source: Ways to look at the source.
        selection: Which findings are wanted.
        diagnose: Explains an error that is no matter of a connection.
        paths: How the path of a URI begins, where the hypervisor's libvirt has several daemons;
            empty where any path leads to the one that there is.
    """
    second = plan.uris.destination.value
    if plan.scenario.flow is not Flow.MANAGED_PEER2PEER or second is None:
        return
    if not selection.wants(*(kind.id for kind in KINDS)):
        return
    uri = ConnectionURI.parse(second)
    if paths and not uri.path.startswith(paths):
        yield _without_path(uri, facts.source.name)
        return
    # libvirt reads no host in qemu+tls:/host/system either, as the document writes it.
    local = uri.host is None or uri.slashes == "/"
    ready, why_not = _daemons_view(plan, source)
    if ready is None:
        yield _local(uri, facts.source.name) if local else _unknown(plan, facts, second, why_not)
        return
    answer = ready.run(["virsh", "--quiet", "--connect", second, _QUESTION], seconds=_PATIENCE)
    if answer.status == 0:
        yield from _compare(facts, second, _read_peer(answer.output))
    elif local:
        yield _local(uri, facts.source.name)
    elif answer.status == _NO_PROGRAM:
        yield _unknown(plan, facts, second, "virsh is not installed there")
    else:
        yield _unreachable(plan, facts, second, answer.error, diagnose)


_QUESTION: Final = "hostname; capabilities"


def _daemons_view(plan: Plan, source: Access) -> tuple[Shell | None, str]:
    """Give a way to look as the source's daemon does, or None and why there is none."""
    shell = source.shell
    if shell is None:
        return None, "no program can be run there"
    if not _runs_as_root(plan):
        return shell, ""
    answer = shell.run(["id", "-u"])
    if answer.status != 0:
        return None, answer.error.strip() or f"exit status {answer.status}"
    if answer.output.strip() != "0":
        return None, "programs are not run there as root"
    return shell, ""


def _runs_as_root(plan: Plan) -> bool:
    return not ConnectionURI.parse(plan.uris.source.value or "").path.startswith("/session")


def _read_peer(output: str) -> _Peer | None:
    """Read what virsh said of the host that it has reached."""
    name, _, rest = output.strip().partition("\n")
    try:
        capabilities = ET.fromstring(rest.strip())  # noqa: S314 - of the daemon that answered
    except ET.ParseError:
        return None
    return _Peer(name.strip(), capabilities.findtext("host/uuid"))


def _compare(facts: Facts, second: str, peer: _Peer | None) -> Iterator[Finding]:
    """Say whether whoever answered is the destination."""
    here = facts.source
    if peer is None or peer.uuid is None:
        yield Finding(
            "peer2peer-unknown",
            Severity.INFO,
            here.name,
            "the source reaches a daemon by the second URI, and which host that is on is not known",
            seen=second,
            remedy=f"run there: virsh -c {shlex.quote(second)} hostname",
        )
    elif peer.uuid == here.uuid:
        yield Finding(
            "peer2peer-is-source",
            Severity.ERROR,
            here.name,
            f"the second URI leads {here.name} to itself, or {peer.name} has the same uuid",
            seen=f"{peer.name}, {peer.uuid}",
            expected="the destination",
            remedy="correct the second URI; or give each host a host_uuid of its own in"
            " libvirtd.conf and restart the daemon",
            acceptable=False,
        )
    elif facts.destination is not None and peer.uuid != facts.destination.uuid:
        there = facts.destination
        yield Finding(
            "peer2peer-other-host",
            Severity.ERROR,
            here.name,
            f"the second URI leads {here.name} to another host than the client sees",
            seen=f"{peer.name}, {peer.uuid}",
            expected=f"{there.name}, {there.uuid}",
            remedy="correct the second URI, or --desturi with which the client looks",
            acceptable=False,
        )


def _unreachable(plan: Plan, facts: Facts, second: str, error: str, diagnose: Diagnose) -> Finding:
    """Say why the source cannot open the second URI, and what would mend that."""
    lines = [_PREFIX.sub("", line).strip() for line in error.splitlines()]
    told = " ".join(filter(None, lines)) or "virsh gave no reason"
    who = _who(plan)
    cause, remedy = _explain(told, second, who, diagnose)
    return Finding(
        "peer2peer-unreachable",
        Severity.ERROR,
        facts.source.name,
        f"the daemon of {facts.source.name}, as {who}, cannot open the second URI: {cause}",
        seen=told,
        expected=f"a connection to {second}",
        remedy=f"{remedy}; to try it, run there as {who}: {_try(second)}",
    )


class _Obstacle(NamedTuple):
    """What keeps a source from opening a URI; in braces what differs: who, user, host, path."""

    pattern: str  # as libvirt 9.0.0 and OpenSSH 9.2 word it
    cause: str
    remedy: str


_OBSTACLES: Final = (
    _Obstacle(
        r"Unable to resolve address|Could not resolve hostname",
        "it does not resolve {host}",
        "on the source add {host} to /etc/hosts or to the DNS, or write its address",
    ),
    _Obstacle(
        r"Host key verification failed",
        "{who} there does not know the host key of {host}",
        "on the source log in once as {who}, and compare the fingerprint: ssh {user}@{host}",
    ),
    _Obstacle(
        r"Permission denied",
        "{user}@{host} takes no key of {who} there",
        "on the source as {who}: ssh-copy-id {user}@{host} (a key without a passphrase)",
    ),
    _Obstacle(
        r"(unexpected|no) (qemu|QEMU) (driver )?URI path",
        "the daemon that answers is the other one of /system and /session",
        "write the other one of /system and /session",
    ),
    _Obstacle(
        r"[Cc]ertificate|TLS handshake",
        "libvirt's certificates are missing there, or are not for {host}",
        "on both hosts install certificates of libvirt's, of one authority, for these names",
    ),
    _Obstacle(
        r"No route to host|[Tt]imed out|Network is unreachable|no answer within",
        "nothing answers at {host}: it is down, a firewall is in the way, or the address is wrong",
        "correct the host in the second URI, or open the way to it",
    ),
    _Obstacle(
        r"Connection refused",
        "nothing listens there, or a firewall rejects it",
        "on {host} start what listens for {transport}, or open its port",
    ),
    _Obstacle(
        r"authentication failed|No auth|SASL",
        "the daemon there wants other credentials",
        "on the source write them into libvirt's auth.conf for {who}",
    ),
    _Obstacle(
        r"Cannot find 'ssh' in path|ssh: not found",
        "the daemon there has no ssh in its path",
        "install ssh on the source",
    ),
)


def _explain(told: str, second: str, who: str, diagnose: Diagnose) -> tuple[str, str]:
    """Give the cause of an error, and what mends it; of what is no matter of a connection too."""
    uri = ConnectionURI.parse(second)
    words = {
        "host": uri.host or "the host",
        "transport": (uri.transport or "tls").lower(),
        "user": uri.user or ("root" if who == "root" else "USER"),
        "who": who,
    }
    for obstacle in _OBSTACLES:
        if re.search(obstacle.pattern, told):
            return obstacle.cause.format(**words), obstacle.remedy.format(**words)
    for known in diagnose(told):
        for remedy in known.remedies:
            return known.cause, remedy.text
    return "libvirt says why", "mend what libvirt names"


def _who(plan: Plan) -> str:
    return "root" if _runs_as_root(plan) else "the session's user"


def _try(second: str) -> str:
    return shlex.join(["virsh", "-c", second, "hostname"])


def _unknown(plan: Plan, facts: Facts, second: str, why: str) -> Finding:
    who = _who(plan)
    return Finding(
        "peer2peer-unknown",
        Severity.INFO,
        facts.source.name,
        f"whether the daemon of {facts.source.name}, as {who}, can open the second URI is not"
        f" known: {why}",
        seen=second,
        remedy=f"run there as {who}: {_try(second)}",
    )


def _without_path(uri: ConnectionURI, host: str) -> Finding:
    right = uri._replace(path="/system")
    return Finding(
        "peer2peer-uri-path",
        Severity.ERROR,
        host,
        "the second URI does not say which of libvirt's daemons it means",
        seen=str(uri),
        expected=f"{right}, or /session",
        remedy=f"write {right}",
    )


def _local(uri: ConnectionURI, host: str) -> Finding:
    return Finding(
        "peer2peer-uri-local",
        Severity.ERROR,
        host,
        "the source opens the second URI, which has no host: it means its own machine",
        seen=str(uri),
        expected="a URI that names the destination as the source reaches it",
        remedy=f"write {uri._replace(slashes='//')}"
        if uri.host
        else "add that URI as the last argument:"
        f" {uri.driver}+ssh://DESTINATION{uri.path or '/system'}",
    )
