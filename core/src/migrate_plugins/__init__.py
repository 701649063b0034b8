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
    from migrate_plugins.catalogue import Catalogue, Entry, Pattern
    from migrate_plugins.checks.report import Report
    from migrate_plugins.config import Config, config_path, disabled_in, write_disabled
    from migrate_plugins.diagnosis import Diagnosis, Remedy
    from migrate_plugins.diagram import draw_diagram
    from migrate_plugins.document import (
        SCENARIOS,
        WRITE_MIGRATION_URI,
        After,
        Before,
        ClientCrash,
        Crash,
        Need,
        OwnConfiguration,
        Scenario,
    )
    from migrate_plugins.driver import Driver
    from migrate_plugins.errors import (
        AuthenticationError,
        BlockedError,
        CancelledError,
        ConfigError,
        ConnectError,
        DriverError,
        ExitCode,
        InvalidURIError,
        JournalError,
        MigrateError,
        MigrationFailedError,
        NeedsPersonError,
        NoAbortError,
        NoDriverError,
        PlanError,
        PlanOnlyError,
        PluginFailedError,
        PluginUnusableError,
        PortHeldError,
        PortsExhaustedError,
        UsageError,
    )
    from migrate_plugins.findings import Finding, FindingKind, Selection, Severity
    from migrate_plugins.hookspecs import API, hookimpl
    from migrate_plugins.installed import EntryPoint, entry_points
    from migrate_plugins.jobs import Job
    from migrate_plugins.journal import Journal, Writer, journal_url
    from migrate_plugins.loading import Loaded, Status
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
        DriverOption,
        Flow,
        Kind,
        NativeCommand,
        Offer,
        PortRule,
        Reason,
        Request,
        Revision,
        Seat,
        Transport,
    )
    from migrate_plugins.options import OPTIONS, Option
    from migrate_plugins.outcome import Outcome, Verdict
    from migrate_plugins.plan import Channel, Plan, PlannedPort, PlannedURI, URIs
    from migrate_plugins.ports import HeldPort, PortLedger
    from migrate_plugins.progress import Event, Observer, Phase, Statistics
    from migrate_plugins.reconciler import Reconciled, Taken
    from migrate_plugins.reconciliation import Promise, Recorded, Settlement, Sight, State
    from migrate_plugins.records import PhaseRecord, Record, Sample
    from migrate_plugins.registry import Plugin, Registry
    from migrate_plugins.runner import Run
    from migrate_plugins.sessions import (
        HANDED_OVER,
        INCOMING,
        STARTED_AGAIN,
        Access,
        Ask,
        Facts,
        GuestFacts,
        GuestState,
        HostFacts,
        Leftover,
        Listening,
        Mend,
        Mender,
        Migration,
        Receiver,
        Seeing,
        Session,
    )
    from migrate_plugins.settings import NamedHost, Setting, Settings, nearest, unknown_key
    from migrate_plugins.shells import Answer, Shell, find_shell
    from migrate_plugins.switches import Switches
    from migrate_plugins.tracing import Step, Tracer, hidden, masked
    from migrate_plugins.uris import ConnectionURI, MigrationURI, netloc
    from migrate_plugins.virsh import virsh_command
    from migrate_plugins.wordings import LIBVIRT_ENTRIES, LIBVIRT_WRAPPERS

__all__ = [
    "API",
    "HANDED_OVER",
    "INCOMING",
    "LIBVIRT_CONTROL",
    "LIBVIRT_ENTRIES",
    "LIBVIRT_WRAPPERS",
    "OPTIONS",
    "SCENARIOS",
    "STARTED_AGAIN",
    "WRITE_MIGRATION_URI",
    "Access",
    "After",
    "Answer",
    "Ask",
    "AuthenticationError",
    "Basis",
    "Before",
    "BlockedError",
    "CancelledError",
    "Capabilities",
    "Catalogue",
    "Channel",
    "ChosenBy",
    "Claim",
    "ClientCrash",
    "Command",
    "Config",
    "ConfigError",
    "ConnectError",
    "ConnectionURI",
    "ControlProtocol",
    "Crash",
    "Diagnosis",
    "Driver",
    "DriverError",
    "DriverInfo",
    "DriverOption",
    "Entry",
    "EntryPoint",
    "Event",
    "ExitCode",
    "Facts",
    "Finding",
    "FindingKind",
    "Flow",
    "GuestFacts",
    "GuestState",
    "HeldPort",
    "HostFacts",
    "InvalidURIError",
    "Job",
    "Journal",
    "JournalError",
    "Kind",
    "Leftover",
    "Listening",
    "Loaded",
    "Mend",
    "Mender",
    "MigrateError",
    "Migration",
    "MigrationFailedError",
    "MigrationURI",
    "Migrator",
    "NamedHost",
    "NativeCommand",
    "Need",
    "NeedsPersonError",
    "NoAbortError",
    "NoDriverError",
    "Observer",
    "Offer",
    "Option",
    "Outcome",
    "OwnConfiguration",
    "Pattern",
    "Phase",
    "PhaseRecord",
    "Plan",
    "PlanError",
    "PlanOnlyError",
    "PlannedPort",
    "PlannedURI",
    "Plugin",
    "PluginFailedError",
    "PluginUnusableError",
    "PortHeldError",
    "PortLedger",
    "PortRule",
    "PortsExhaustedError",
    "Promise",
    "Reason",
    "Receiver",
    "Reconciled",
    "Record",
    "Recorded",
    "Registry",
    "Remedy",
    "Report",
    "Request",
    "Revision",
    "Run",
    "Sample",
    "Scenario",
    "Seat",
    "Seeing",
    "Selection",
    "Session",
    "Setting",
    "Settings",
    "Settlement",
    "Severity",
    "Shell",
    "Sight",
    "State",
    "Statistics",
    "Status",
    "Step",
    "Switches",
    "Taken",
    "Tracer",
    "Transport",
    "URIs",
    "UsageError",
    "Verdict",
    "Writer",
    "__version__",
    "config_path",
    "disabled_in",
    "draw_diagram",
    "entry_points",
    "find_shell",
    "hidden",
    "hookimpl",
    "journal_url",
    "masked",
    "nearest",
    "netloc",
    "unknown_key",
    "virsh_command",
    "write_disabled",
]


__version__ = "0.1.0"

# Where each public name lives. It is imported when somebody first asks for it: listing plugins
# needs no runner, and a driver that plans needs no session.
_HOMES: Final = {
    name: module
    for module, names in {
        "catalogue": ("Catalogue", "Entry", "Pattern"),
        "checks.report": ("Report",),
        "config": ("Config", "config_path", "disabled_in", "write_disabled"),
        "diagnosis": ("Diagnosis", "Remedy"),
        "diagram": ("draw_diagram",),
        "document": (
            "SCENARIOS",
            "WRITE_MIGRATION_URI",
            "After",
            "Before",
            "ClientCrash",
            "Crash",
            "Need",
            "OwnConfiguration",
            "Scenario",
        ),
        "driver": ("Driver",),
        "errors": (
            "AuthenticationError",
            "BlockedError",
            "CancelledError",
            "ConfigError",
            "ConnectError",
            "DriverError",
            "ExitCode",
            "InvalidURIError",
            "JournalError",
            "MigrateError",
            "MigrationFailedError",
            "NeedsPersonError",
            "NoAbortError",
            "NoDriverError",
            "PlanError",
            "PlanOnlyError",
            "PluginFailedError",
            "PluginUnusableError",
            "PortHeldError",
            "PortsExhaustedError",
            "UsageError",
        ),
        "findings": ("Finding", "FindingKind", "Selection", "Severity"),
        "hookspecs": ("API", "hookimpl"),
        "installed": ("EntryPoint", "entry_points"),
        "jobs": ("Job",),
        "journal": ("Journal", "Writer", "journal_url"),
        "loading": ("Loaded", "Status"),
        "migrator": ("Migrator",),
        "model": (
            "LIBVIRT_CONTROL",
            "Basis",
            "Capabilities",
            "ChosenBy",
            "Claim",
            "Command",
            "ControlProtocol",
            "DriverInfo",
            "DriverOption",
            "Flow",
            "Kind",
            "NativeCommand",
            "Offer",
            "PortRule",
            "Reason",
            "Request",
            "Revision",
            "Seat",
            "Transport",
        ),
        "options": ("OPTIONS", "Option"),
        "outcome": ("Outcome", "Verdict"),
        "plan": ("Channel", "Plan", "PlannedPort", "PlannedURI", "URIs"),
        "ports": ("HeldPort", "PortLedger"),
        "progress": ("Event", "Observer", "Phase", "Statistics"),
        "reconciler": ("Reconciled", "Taken"),
        "reconciliation": ("Promise", "Recorded", "Settlement", "Sight", "State"),
        "records": ("PhaseRecord", "Record", "Sample"),
        "registry": ("Plugin", "Registry"),
        "runner": ("Run",),
        "sessions": (
            "HANDED_OVER",
            "INCOMING",
            "STARTED_AGAIN",
            "Access",
            "Ask",
            "Facts",
            "GuestFacts",
            "GuestState",
            "HostFacts",
            "Leftover",
            "Listening",
            "Mend",
            "Mender",
            "Migration",
            "Receiver",
            "Seeing",
            "Session",
        ),
        "settings": ("NamedHost", "Setting", "Settings", "nearest", "unknown_key"),
        "shells": ("Answer", "Shell", "find_shell"),
        "switches": ("Switches",),
        "tracing": ("Step", "Tracer", "hidden", "masked"),
        "uris": ("ConnectionURI", "MigrationURI", "netloc"),
        "virsh": ("virsh_command",),
        "wordings": ("LIBVIRT_ENTRIES", "LIBVIRT_WRAPPERS"),
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
