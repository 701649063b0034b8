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

from migrate_plugins.checks import Report
from migrate_plugins.diagnosis import Diagnosis
from migrate_plugins.document import SCENARIOS, After, Before, Scenario
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
from migrate_plugins.ports import HeldPort, PortLedger, lowest_free
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
from migrate_plugins.virsh import virsh

__all__ = [
    "LIBVIRT_CONTROL",
    "OPTIONS",
    "SCENARIOS",
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
    "NeedsPersonError",
    "NoDriverError",
    "Observer",
    "Offer",
    "Option",
    "Outcome",
    "Phase",
    "Plan",
    "PlanError",
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
    "hookimpl",
    "lowest_free",
    "netloc",
    "virsh",
]

__version__ = "0.1.0"
