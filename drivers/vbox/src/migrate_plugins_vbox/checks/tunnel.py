"""The tunnel that a migration URI with an address of the source itself leads into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import Finding, Severity
from migrate_plugins_vbox.foresight import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migrate_plugins import Plan
    from migrate_plugins_vbox.session import VBoxSession

__all__ = ["check_tunnel"]


def check_tunnel(plan: Plan, here: VBoxSession, there: VBoxSession) -> Iterator[Finding]:
    """Look whether something listens at its beginning, and nothing yet at its end.

    Raises:
        DriverError: A host does not tell.
    """
    port = plan.port.value
    if not is_loopback(plan.receiver) or port is None:
        return
    if port not in here.listening():
        yield Finding(
            "tunnel-missing",
            Severity.ERROR,
            here.found.hostname,
            f"the memory is to go into a tunnel at port {port} of {here.found.hostname}, and"
            " nothing listens there",
            seen="no program listens",
            expected=f"a tunnel from {plan.receiver}:{port} to {there.found.hostname}",
            remedy=f"on {here.found.hostname}: ssh -N -L {port}:127.0.0.1:{port}"
            f" {there.found.hostname}",
        )
    if port in there.listening():
        yield Finding(
            "data-port-taken",
            Severity.ERROR,
            there.found.hostname,
            f"port {port} of {there.found.hostname}, where the tunnel ends, is taken",
            seen="a program listens on it",
            expected="a port that nobody listens on",
            remedy=f"on {there.found.hostname} see who it is: ss -ltnp 'sport = :{port}'; or take"
            " another port, at both ends of the tunnel",
        )
