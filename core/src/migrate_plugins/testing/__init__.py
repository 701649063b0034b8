"""For whoever writes a driver or a policy: checks to run, and hosts to run them on.

A driver's whole test file is::

    from migrate_plugins.testing import DriverConformance


    class TestConformance(DriverConformance):
        name = "hyperv"

The conformance kit needs pytest; the hosts in memory do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from migrate_plugins.testing.conformance.driver import DriverConformance
    from migrate_plugins.testing.conformance.pair import HostPair
    from migrate_plugins.testing.conformance.policy import PolicyConformance
    from migrate_plugins.testing.memory import FAULTS, MemoryDriver, MemoryHosts, MemoryPair

__all__ = [
    "FAULTS",
    "DriverConformance",
    "HostPair",
    "MemoryDriver",
    "MemoryHosts",
    "MemoryPair",
    "PolicyConformance",
]

# Imported at first use: the pytest plugin below this package is loaded by every run of pytest, and
# the hosts in memory by a command line that has no pytest.
_HOMES: Final = {
    "DriverConformance": "conformance.driver",
    "FAULTS": "memory",
    "HostPair": "conformance.pair",
    "MemoryDriver": "memory",
    "MemoryHosts": "memory",
    "MemoryPair": "memory",
    "PolicyConformance": "conformance.policy",
}


def __getattr__(name: str) -> object:
    """Import the home of a public name at its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - see _HOMES

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value  # so that Python asks us only once
    return value
