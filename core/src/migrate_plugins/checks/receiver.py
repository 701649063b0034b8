"""Whether the guest's memory can get to where it is to arrive: its name, its address, its port."""

from __future__ import annotations

import shlex
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Final

from migrate_plugins.checks import sockets
from migrate_plugins.checks.probe import probe
from migrate_plugins.findings import Finding, Severity
from migrate_plugins.sessions import Receiver
from migrate_plugins.uris import netloc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future

    from migrate_plugins.checks.probe import Attempt, Probe
    from migrate_plugins.findings import Selection
    from migrate_plugins.plan import Plan
    from migrate_plugins.sessions import Access, Facts
    from migrate_plugins.shells import Answer, Shell

__all__ = ["NAMES", "PORTS", "examine", "planned_receiver"]

# What each half of this can find: where none of it is wanted there is no need to look.
NAMES: Final = (
    "destination-name-elsewhere",
    "destination-name-unknown",
    "destination-name-unresolvable",
)
PORTS: Final = (
    "data-port-blocked",
    "data-port-taken",
    "data-port-unknown",
    "data-ports-exhausted",
    "destination-settings-unknown",
    "listen-address-elsewhere",
)

# Seconds: a resolver may ask several servers in turn.
_RESOLVING: Final = 8.0
_LOOKING: Final = 6.0
_NOT_FOUND: Final = 2  # getent's exit status for a name that nobody knows


def planned_receiver(plan: Plan) -> Receiver:
    """Tell where the memory will arrive by the plan alone."""
    port = plan.port
    return Receiver(plan.receiver, port.first, port.last, plan.uris.migration.because)


def examine(
    plan: Plan,
    facts: Facts,
    receiver: Receiver,
    source: Access,
    destination: Access,
    selection: Selection,
    scheme: str | None,
) -> list[Finding]:
    """Look from both hosts whether *receiver* can receive.

    Args:
        plan: What is to be done.
        facts: What both hosts answered.
        receiver: Where the memory is to arrive.
        source: Who looks the name up, and connects.
        destination: Who owns the address, and listens.
        selection: What is wanted.
        scheme: That of a migration URI which could name another address, or None.
    """
    # A definition alone goes through the control path, and so does tunnelled memory.
    if plan.request.offline or receiver.first is None or receiver.last is None:
        return []
    with ThreadPoolExecutor(4) as workers:
        look = _Look(plan, facts, receiver, source, destination, selection, scheme, workers)
        return [*look.names(), *look.ports(), *look.settings()]


class _Look:
    """One look at both hosts; what is asked of them is asked at once."""

    def __init__(
        self,
        plan: Plan,
        facts: Facts,
        receiver: Receiver,
        source: Access,
        destination: Access,
        selection: Selection,
        scheme: str | None,
        workers: ThreadPoolExecutor,
    ) -> None:
        self._plan = plan
        self._scheme = scheme
        self._receiver = receiver
        self._source = source
        self._destination = destination
        self._selection = selection
        self._here = facts.source.name
        self._there = (
            facts.destination.name
            if facts.destination is not None
            else plan.uris.destination_from_client.value or receiver.host or "the destination"
        )

        def ask(
            shell: Shell | None, argv: tuple[str, ...], seconds: float
        ) -> Future[Answer] | None:
            return None if shell is None else workers.submit(shell.run, argv, seconds=seconds)

        named = receiver.host is not None and not sockets.is_address(receiver.host)
        resolve = (*_RESOLVE, receiver.host or "")
        self._resolved = ask(source.shell if named else None, resolve, _RESOLVING)
        self._links = ask(destination.shell, sockets.ADDRESSES, _LOOKING)
        self._listening = ask(destination.shell, sockets.LISTENERS, _LOOKING)
        self._probing: Future[Probe] | None = None
        if self._may_probe and source.shell and destination.shell and receiver.host:
            self._probing = workers.submit(
                probe,
                source.shell,
                destination.shell,
                receiver.host,
                self._range,
                more=self._disks,
                listen=receiver.listen,
            )

    @property
    def _may_probe(self) -> bool:
        return self._selection.probe and self._selection.wants(
            "data-port-blocked", "data-port-unknown"
        )

    @property
    def _range(self) -> tuple[int, int]:
        return self._receiver.first or 0, self._receiver.last or 0

    @property
    def _disks(self) -> tuple[int, ...]:
        port = self._plan.request.disks_port
        return () if port is None else (port,)

    @cached_property
    def _probe(self) -> Probe | None:
        return None if self._probing is None else self._probing.result()

    @property
    def _reached(self) -> bool:
        """Whether a connection was made: then the name led to the destination."""
        return self._probe is not None and any(each.reached for each in self._probe.attempts)

    @cached_property
    def _addresses(self) -> tuple[str, ...] | None:
        """The receiver's addresses as the source sees them; None where that is not known."""
        host = self._receiver.host
        if host is not None and sockets.is_address(host):
            return (sockets.plain(host),)
        answer = None if self._resolved is None else self._resolved.result()
        if answer is None or answer.status not in {0, _NOT_FOUND}:
            return None
        return sockets.read_names(answer.output) if answer.status == 0 else ()

    @cached_property
    def _owned(self) -> frozenset[str] | None:
        """The destination's addresses, but for those that lead to whoever asks, or None."""
        found = {sockets.plain(address) for address in self._destination.addresses}
        answer = None if self._links is None else self._links.result()
        if answer is not None and answer.status == 0:
            try:
                found |= sockets.read_addresses(answer.output)
            except ValueError:
                return frozenset(found) or None
        return frozenset(each for each in found if not sockets.is_loopback(each)) or None

    @cached_property
    def _listeners(self) -> Mapping[int, str | None] | None:
        """Who listens on the destination, by port; None where that is not known."""
        answer = None if self._listening is None else self._listening.result()
        if answer is None or answer.status != 0:
            return None
        return sockets.read_listeners(answer.output)

    @property
    def _leads_back(self) -> bool:
        """Whether the name leads the source to itself."""
        return bool(self._addresses) and all(map(sockets.is_loopback, self._addresses or ()))

    @property
    def _leads_away(self) -> bool:
        """Whether the name is known to lead elsewhere than to the destination."""
        if self._reached or not self._addresses:
            return False
        known = self._owned is not None and not self._owned & {*self._addresses}
        return self._leads_back or known

    def names(self) -> Iterator[Finding]:
        """Say whether the source finds the destination by the name that it is given."""
        if not self._selection.wants(*NAMES):
            return
        host, addresses, owned = self._receiver.host, self._addresses, self._owned
        if host is None:
            yield self._name_unknown(
                self._there,
                f"under which name the source is to find the destination is not known:"
                f" {self._receiver.because}",
                "hostname",
            )
        elif addresses is None:
            yield self._name_unknown(
                self._here,
                f"whether {self._here} finds the destination as {host} is not known:"
                f" {_no_way(self._source, self._resolved)}",
                shlex.join([*_RESOLVE, host]),
            )
        elif not addresses:
            yield Finding(
                "destination-name-unresolvable",
                Severity.ERROR,
                self._here,
                f"{self._here} cannot resolve {host}, where the memory is to go"
                f" ({self._receiver.because})",
                seen=host,
                expected="a name that the source resolves to the destination",
                remedy=f"on {self._here} run: echo {_an_address(owned)} {host} >>/etc/hosts"
                f" (or add it to the DNS){self._or_give_one(owned)}",
            )
        elif self._reached:
            return
        elif self._leads_back:
            yield self._elsewhere(addresses, f"{host} leads {self._here} to itself", owned)
        elif owned is None:
            yield self._name_unknown(
                self._there,
                f"whether {' or '.join(addresses)} belongs to the destination is not known:"
                f" {_no_way(self._destination, self._links)}",
                shlex.join(sockets.ADDRESSES),
                seen=", ".join(addresses),
            )
        elif self._leads_away:
            yield self._elsewhere(
                addresses,
                f"{host} leads {self._here} to an address that {self._there} does not have",
                owned,
            )

    def ports(self) -> Iterator[Finding]:
        """Say whether a port is free there, and whether the source can connect to it."""
        if not self._selection.wants(*PORTS):
            return
        refused = [*self._misplaced(), *self._taken()]
        yield from refused
        # Whoever is not found by the name could not be connected to either.
        if refused or not self._may_probe or self._addresses == () or self._leads_away:
            return
        if self._probe is None or not self._probe.attempts:
            yield self._port_unknown()
            return
        blocked = [each for each in self._probe.attempts if not each.reached]
        if blocked:
            yield self._blocked(blocked)

    def settings(self) -> Iterator[Finding]:
        """Say what may decide all of this and could not be read."""
        if self._receiver.unread is not None:
            yield Finding(
                "destination-settings-unknown",
                Severity.INFO,
                self._there,
                "settings of the destination may name another host, address or port, and could not"
                " be read",
                remedy=self._receiver.unread,
            )

    def _misplaced(self) -> Iterator[Finding]:
        """Find that the destination is to listen on an address that it does not have."""
        listen, owned = self._receiver.listen, self._owned
        if listen is None or owned is None or not sockets.is_address(listen):
            return
        if sockets.plain(listen) not in owned and not sockets.is_loopback(listen):
            yield Finding(
                "listen-address-elsewhere",
                Severity.ERROR,
                self._there,
                f"{self._there} is to listen for the memory on an address that it does not have",
                seen=listen,
                expected=", ".join(sorted(owned)),
                remedy="correct --listen-address, or where the destination's settings name it",
            )

    def _taken(self) -> Iterator[Finding]:
        listeners = self._listeners
        if listeners is None:
            return
        first, last = self._range
        wanted = {port: "the memory" for port in (first,) if first == last}
        wanted |= dict.fromkeys(self._disks, "the disks")
        for port, what in wanted.items():
            if port in listeners:
                yield Finding(
                    "data-port-taken",
                    Severity.ERROR,
                    self._there,
                    f"port {port}, which was asked for to receive {what}, is taken",
                    seen=listeners[port] or "a program listens on it",
                    expected="a port that nobody listens on",
                    remedy=f"on {self._there} see who it is: ss -ltnp 'sport = :{port}'; or give"
                    " another port, or none",
                )
        if first != last and all(port in listeners for port in range(first, last + 1)):
            holders = {listeners[port] for port in range(first, last + 1)} - {None}
            yield Finding(
                "data-ports-exhausted",
                Severity.ERROR,
                self._there,
                f"every port of {first}-{last} is taken",
                seen=", ".join(sorted(filter(None, holders))[:3]) or "programs listen on all",
                expected="a port that nobody listens on",
                remedy=f"wait for other migrations to end, or on {self._there} see who it is:"
                f" ss -ltnp 'sport >= :{first} and sport <= :{last}'",
            )

    def _blocked(self, blocked: list[Attempt]) -> Finding:
        host = self._receiver.host or ""
        tried = "; ".join(f"{netloc(host, each.port)}: {each.problem}" for each in blocked)
        first, last = self._range
        ports = str(first) if first == last else f"{first}-{last}"
        some = any(each.reached for each in self._probe.attempts) if self._probe else False
        return Finding(
            "data-port-blocked",
            Severity.ERROR,
            self._there,
            f"{self._here} cannot connect to {'some' if some else 'any'} of the ports that were"
            f" tried, although a program of ours listened there",
            seen=tried,
            expected="a connection",
            remedy=f"on {self._there} open {ports}/tcp for {self._here}"
            + (
                "" if self._scheme is None else "; or give a migration URI with a port that is open"
            ),
        )

    def _port_unknown(self) -> Finding:
        host = self._receiver.host or "DESTINATION"
        port = self._receiver.first
        missing = [
            name
            for name, access in ((self._here, self._source), (self._there, self._destination))
            if access.shell is None
        ]
        if missing:
            why = f"no program can be run on {' and '.join(missing)}"
        elif self._receiver.host is None:
            why = "the destination's name is not known"
        else:
            why = (self._probe and self._probe.problem) or "nothing could be tried"
        return Finding(
            "data-port-unknown",
            Severity.INFO,
            self._here,
            f"whether {self._here} can connect to the port that receives the memory is not"
            f" known: {why}",
            remedy=f"on {self._there} run: nc -l {port}; and on {self._here}: nc -zv {host} {port}",
        )

    def _name_unknown(self, host: str, text: str, command: str, seen: str | None = None) -> Finding:
        remedy = f"run there: {command}"
        return Finding(
            "destination-name-unknown", Severity.INFO, host, text, seen=seen, remedy=remedy
        )

    def _elsewhere(
        self, addresses: tuple[str, ...], text: str, owned: frozenset[str] | None
    ) -> Finding:
        return Finding(
            "destination-name-elsewhere",
            Severity.ERROR,
            self._here,
            f"{text} ({self._receiver.because})",
            seen=", ".join(addresses),
            expected=", ".join(sorted(owned)) if owned else "an address of the destination",
            remedy=f"give a migration URI that names {_an_address(owned)}"
            if sockets.is_address(self._receiver.host or "")
            else f"on {self._here} correct {self._receiver.host} in /etc/hosts or in the DNS"
            f"{self._or_give_one(owned)}",
        )

    def _or_give_one(self, owned: frozenset[str] | None) -> str:
        """Offer a migration URI, where one can be given."""
        if self._scheme is None:
            return ""
        return f"; or give the migration URI {self._scheme}://{netloc(_an_address(owned))}/"


_RESOLVE: Final = ("getent", "ahosts")


def _an_address(owned: frozenset[str] | None) -> str:
    """Give an address to write down: an IPv4 one where there is one."""
    from ipaddress import ip_address  # noqa: PLC0415 - few checks ask

    usable = [each for each in owned or () if not ip_address(each).is_link_local]
    return min(usable, key=lambda each: (":" in each, each), default="ADDRESS")


def _no_way(access: Access, asked: Future[Answer] | None) -> str:
    """Say why a host could not be asked."""
    if access.shell is None or asked is None:
        return "no program can be run there"
    answer = asked.result()
    return answer.error.strip() or f"exit status {answer.status}"
