"""Plan, check and run live migrations of virtual machines, with a driver plugin per hypervisor.

Everything that an application or a plugin needs is here::

    from migrate_plugins import Migrator

    migrator = Migrator.installed()
    plan = migrator.plan(
        "web1", source="qemu:///system", destination="qemu+ssh://desthost/system", live=True
    )
    outcome = migrator.run(plan, observers=[print])
    outcome.raise_for_failure()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from migrate_plugins.checks.report import Report
    from migrate_plugins.diagnosis import Diagnosis
    from migrate_plugins.diagram import draw_diagram
    from migrate_plugins.document import (
        SCENARIOS,
        WRITE_MIGRATION_URI,
        After,
        Before,
        Need,
        Scenario,
    )
    from migrate_plugins.errors import (
        AuthenticationError,
        BlockedError,
        CancelledError,
        ConnectError,
        DriverError,
        ExitCode,
        InvalidURIError,
        MigrateError,
        MigrationFailedError,
        NeedsPersonError,
        NoDriverError,
        PlanError,
        PlanOnlyError,
        PluginFailedError,
        PortHeldError,
        PortsExhaustedError,
        UsageError,
    )
    from migrate_plugins.findings import Finding, Severity
    from migrate_plugins.hookspecs import hookimpl
    from migrate_plugins.installed import EntryPoint
    from migrate_plugins.migrator import Migrator
    from migrate_plugins.model import (
        LIBVIRT_CONTROL,
        Basis,
        Capabilities,
        ChosenBy,
        Claim,
        Command,
        ControlProtocol,
        DriverInfo,
        Flow,
        NativeCommand,
        Offer,
        PortRule,
        Reason,
        Request,
        Revision,
        Seat,
        Transport,
    )
    from migrate_plugins.options import OPTIONS, Kind, Option
    from migrate_plugins.outcome import Outcome, Verdict
    from migrate_plugins.plan import Channel, Plan, PlannedPort, PlannedURI, URIs
    from migrate_plugins.ports import HeldPort, PortLedger
    from migrate_plugins.progress import Event, Observer, Phase, Statistics
    from migrate_plugins.registry import Driver, Plugin, Registry, Status
    from migrate_plugins.runner import Run
    from migrate_plugins.sessions import (
        Facts,
        GuestFacts,
        GuestState,
        HostFacts,
        Migration,
        Session,
    )
    from migrate_plugins.uris import ConnectionURI, MigrationURI, netloc
    from migrate_plugins.virsh import virsh_command

__all__ = [
    "LIBVIRT_CONTROL",
    "OPTIONS",
    "SCENARIOS",
    "WRITE_MIGRATION_URI",
    "After",
    "AuthenticationError",
    "Basis",
    "Before",
    "BlockedError",
    "CancelledError",
    "Capabilities",
    "Channel",
    "ChosenBy",
    "Claim",
    "Command",
    "ConnectError",
    "ConnectionURI",
    "ControlProtocol",
    "Diagnosis",
    "Driver",
    "DriverError",
    "DriverInfo",
    "EntryPoint",
    "Event",
    "ExitCode",
    "Facts",
    "Finding",
    "Flow",
    "GuestFacts",
    "GuestState",
    "HeldPort",
    "HostFacts",
    "InvalidURIError",
    "Kind",
    "MigrateError",
    "Migration",
    "MigrationFailedError",
    "MigrationURI",
    "Migrator",
    "NativeCommand",
    "Need",
    "NeedsPersonError",
    "NoDriverError",
    "Observer",
    "Offer",
    "Option",
    "Outcome",
    "Phase",
    "Plan",
    "PlanError",
    "PlanOnlyError",
    "PlannedPort",
    "PlannedURI",
    "Plugin",
    "PluginFailedError",
    "PortHeldError",
    "PortLedger",
    "PortRule",
    "PortsExhaustedError",
    "Reason",
    "Registry",
    "Report",
    "Request",
    "Revision",
    "Run",
    "Scenario",
    "Seat",
    "Session",
    "Severity",
    "Statistics",
    "Status",
    "Transport",
    "URIs",
    "UsageError",
    "Verdict",
    "__version__",
    "draw_diagram",
    "hookimpl",
    "netloc",
    "virsh_command",
]


__version__ = "0.1.0"

# Where each public name lives. It is imported when somebody first asks for it: listing plugins
# needs no runner, and a driver that plans needs no session.
_HOMES: Final = {
    name: module
    for module, names in {
        "checks.report": ("Report",),
        "diagnosis": ("Diagnosis",),
        "diagram": ("draw_diagram",),
        "document": ("SCENARIOS", "WRITE_MIGRATION_URI", "After", "Before", "Need", "Scenario"),
        "errors": (
            "AuthenticationError",
            "BlockedError",
            "CancelledError",
            "ConnectError",
            "DriverError",
            "ExitCode",
            "InvalidURIError",
            "MigrateError",
            "MigrationFailedError",
            "NeedsPersonError",
            "NoDriverError",
            "PlanError",
            "PlanOnlyError",
            "PluginFailedError",
            "PortHeldError",
            "PortsExhaustedError",
            "UsageError",
        ),
        "findings": ("Finding", "Severity"),
        "hookspecs": ("hookimpl",),
        "installed": ("EntryPoint",),
        "migrator": ("Migrator",),
        "model": (
            "Basis",
            "Capabilities",
            "ChosenBy",
            "Claim",
            "Command",
            "ControlProtocol",
            "DriverInfo",
            "Flow",
            "LIBVIRT_CONTROL",
            "NativeCommand",
            "Offer",
            "PortRule",
            "Reason",
            "Request",
            "Revision",
            "Seat",
            "Transport",
        ),
        "options": ("Kind", "OPTIONS", "Option"),
        "outcome": ("Outcome", "Verdict"),
        "plan": ("Channel", "Plan", "PlannedPort", "PlannedURI", "URIs"),
        "ports": ("HeldPort", "PortLedger"),
        "progress": ("Event", "Observer", "Phase", "Statistics"),
        "registry": ("Driver", "Plugin", "Registry", "Status"),
        "runner": ("Run",),
        "sessions": ("Facts", "GuestFacts", "GuestState", "HostFacts", "Migration", "Session"),
        "uris": ("ConnectionURI", "MigrationURI", "netloc"),
        "virsh": ("virsh_command",),
    }.items()
    for name in names
}


def __getattr__(name: str) -> object:
    """Import the home of a public name at its first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - see _HOMES

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value  # so that Python asks us only once
    return value
