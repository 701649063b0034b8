"""Where the guest's memory will arrive, by the rules of libvirt's driver for libxl."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import Flow, Receiver

if TYPE_CHECKING:
    from migrate_plugins import Facts, Plan

__all__ = ["LIBXL_PORTS", "find_receiver"]

# LIBXL_MIGRATION_PORT_MIN and _MAX; libxl.conf has no option for them.
LIBXL_PORTS: Final = (49152, 49216)


def find_receiver(plan: Plan, facts: Facts) -> Receiver | None:
    """Tell where the memory goes, or None for what the plan says.

    A plan by the rules of xend names xend's port; where libxl carries it out it is libxl's.
    """
    if plan.scenario.flow is Flow.UNMANAGED_DIRECT:
        # Which of the two it is, the checks of the scenario ask; and try ssh from the source.
        because = "xl migrate sends it over its own ssh; xend would take a port of its own"
        return Receiver(plan.receiver, None, None, because)
    because = plan.uris.migration.because
    if plan.port.first is None:
        return Receiver(plan.receiver, None, None, because)
    named = plan.uris.migration.value is not None and plan.port.value is not None
    first, last = (plan.port.first, plan.port.last) if named else LIBXL_PORTS
    host = plan.receiver
    if host is None:
        host = facts.destination and facts.destination.name
        because = "the destination puts its own name into the migration URI"
        if host is not None and host.startswith("localhost"):
            return Receiver(host, None, None, "libvirt makes no migration URI of this name")
    # It listens on the address of that name alone.
    return Receiver(host, first, last, because)
