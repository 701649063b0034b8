"""The whole contract with a plugin: every hook, and nothing else.

A *driver* (entry-point group ``migrate_plugins.drivers``) implements the addressed hooks for one
hypervisor; one that stands for no real hypervisor is in the group ``migrate_plugins.simulated``,
and loaded when ``--driver`` names it.  Any other plugin (group ``migrate_plugins.plugins``) may
answer the broadcast ones and may *wrap* the addressed ones (``@hookimpl(wrapper=True)``): a site's
port policy, an address look-up, a ban on plain-text data.

An entry point names a module, an object, or a class.  A class is made once for each set of
plugins, with its :class:`migrate_plugins.Settings`: what it declares in ``SETTINGS``, as its table
in config.toml has it.  A plugin that declares settings is off until that table is there.

Planning hooks are pure: the same arguments give the same answer, nothing is contacted and no
client library is imported.  They may therefore be asked once and remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pluggy import HookimplMarker, HookspecMarker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins.diagnosis import Diagnosis
    from migrate_plugins.errors import MigrateError
    from migrate_plugins.findings import Finding, FindingKind, Selection
    from migrate_plugins.model import (
        Capabilities,
        Command,
        DriverInfo,
        NativeCommand,
        PortRule,
        Reason,
        Request,
        Revision,
    )
    from migrate_plugins.plan import Plan
    from migrate_plugins.progress import Event
    from migrate_plugins.sessions import Access, Ask, Facts, Receiver, Session
    from migrate_plugins.shells import Shell
    from migrate_plugins.uris import MigrationURI

__all__ = ["API", "OLDEST_API", "PROJECT", "hookimpl"]

PROJECT: Final = "migrate_plugins"

# The edition of this contract, and the oldest one that is still taken. A plugin says for which it
# was written in an attribute MIGRATE_PLUGINS_API, of its module or its class; one that says nothing
# is of the first. Another one is refused with a sentence instead of a traceback.
# docs/compatibility.md says what may change within a number.
API: Final = 1
OLDEST_API: Final = 1

hookspec: Final = HookspecMarker(PROJECT)
hookimpl: Final = HookimplMarker(PROJECT)


# --- planning: pure ------------------------------------------------------------------------------


@hookspec(firstresult=True)
def migrate_driver() -> DriverInfo:
    """A driver must say who it is.

    Called once, when the driver is loaded.  Pure.

    Returns:
        Name, title, URI schemes and control protocols; None is not an answer.

    Addressed.
    """


@hookspec(firstresult=True)
def migrate_capabilities(revision: Revision) -> Capabilities:
    """A driver must say what it can do, and what each claim rests on.

    Called once for each revision; the core derives matrix, plans and refusals from it.  Pure.

    Args:
        revision: Which edition of the rules is honoured.

    Returns:
        The scenarios it offers, each with its options; None is not an answer.

    Addressed.
    """


@hookspec(firstresult=True)
def migrate_port_rule(revision: Revision, scenario: str) -> PortRule:
    """A driver must say which ports of a destination receive a guest, and who chooses.

    Called once for each scenario of a revision.  Pure.

    Args:
        revision: Which edition of the rules is honoured.
        scenario: Its id, for drivers whose ports depend on it.

    Returns:
        A range with its source; None is not an answer.

    Addressed.
    """


@hookspec(firstresult=True)
def migrate_select_port(rule: PortRule, host: str, taken: frozenset[int]) -> int | None:
    """A driver must choose a port of its rule, where the choice is migrate-plugins'.

    Called when a migration starts and again whenever the port turns out to be held by another
    process, each time with that port among *taken*.  Pure; the core does the holding.

    Args:
        rule: The driver's own rule, or the range that the request gave instead.
        host: The destination, as it stands in the migration URI.
        taken: Ports that cannot be had.

    Returns:
        A port of the range that is not taken, or None when there is none left.

    Addressed.
    """


@hookspec(firstresult=True)
def migrate_uri(
    request: Request, host: str, port: int | None, scheme: str | None
) -> MigrationURI | None:
    """A driver must write the migration URI for a destination, where one has to be written.

    Called when the request gives none.  Pure; *port* is None while planning and a held port when
    the migration starts.  A policy that wraps it may send the memory to another address.

    Args:
        request: What was asked for.
        host: The destination's host, from the second URI; an IPv6 address without brackets.
        port: A port that the core holds, or None.
        scheme: The driver's usual scheme, for a policy that writes a URI where the driver answers
            None; None where no other address can be given.

    Returns:
        The URI, or None where the hypervisor makes its own.

    Addressed.
    """


@hookspec(firstresult=True)
def migrate_read_uri(text: str, revision: Revision) -> MigrationURI:
    """A driver must read a migration URI as its hypervisor does.

    Called for the third URI of a request.  Pure.

    Args:
        text: As it was given.
        revision: Which edition of the rules is honoured.

    Returns:
        Its parts; ``str()`` of them is *text* again.  None is not an answer.

    Raises:
        InvalidURIError: The hypervisor would not take it; with what it would take.

    Addressed.
    """


@hookspec(firstresult=True)
def migrate_commands(plan: Plan) -> Sequence[NativeCommand]:
    """A driver must give the same migration as commands of the hypervisor's own tool.

    Called for each plan.  Pure.

    Args:
        plan: All but its commands.

    Returns:
        The commands in the order to run them, each with its host, or one that says why the tool
        cannot say it; those of another tool are another way to do the same.  None is not an
        answer.

    Addressed.
    """


# --- running: opens connections ------------------------------------------------------------------


@hookspec(firstresult=True)
def migrate_connect(uri: str, ask: Ask | None, shell: Shell | None) -> Session:
    """A driver must open a session with a host.

    Called by a check and at the start of a migration, once for each host.  It may import the
    client library, take its time within the library's own limits, and read the library's own
    credential files; it may not print, and asks a person in no other way than by *ask*.

    Args:
        uri: A connection URI, unchanged as the user wrote it.
        ask: Asks a person for what no file has, or None where nobody can be asked.
        shell: Runs a program on that host, or None where there is no way to.

    Returns:
        An open session; a driver that only plans leaves the hook out.  One that is a
        :class:`migrate_plugins.Mender` too lets ``reconcile`` take over and mend.

    Raises:
        ConnectError: The host cannot be reached.
        AuthenticationError: It was reached and refused us.

    Addressed.
    """


@hookspec(firstresult=True)
def migrate_receiver(plan: Plan, facts: Facts, destination: Access) -> Receiver | None:
    """A driver must say where the guest's memory will arrive, where it knows more than the plan.

    Called by a check, after the facts were read.  It may not change anything on a host.

    Args:
        plan: Complete, with the configuration as found.
        facts: What both hosts answered; what could not be read is None.
        destination: The destination host, to read its configuration.

    Returns:
        Host and ports, or None for what the plan says of them.

    Addressed.
    """


# --- everyone may answer -------------------------------------------------------------------------


@hookspec
def migrate_refuse(plan: Plan) -> Sequence[Reason] | None:
    """Anyone may refuse a plan.

    Called for each plan before it is given out, and again before it runs.  Pure.  One that raises
    refuses: it may have meant to.

    Args:
        plan: All of it.

    Returns:
        Reasons against it, each with what would work, or None for none.

    Broadcast.
    """


@hookspec
def migrate_foresee(plan: Plan) -> Sequence[Finding] | None:
    """Anyone may say what a plan shows by itself.

    Called for each plan, and again once the guest's configuration is known.  Pure.

    Args:
        plan: All but its findings.

    Returns:
        Findings, or None for none.

    Broadcast.
    """


@hookspec
def migrate_checks(
    plan: Plan, facts: Facts, source: Access, destination: Access, selection: Selection
) -> Sequence[Finding] | None:
    """Anyone may look at a plan and at both hosts, and say what is wrong.

    Called by a check, after the facts were read and before anything is changed.  It may not
    change anything on a host; a file that it has to write to look, such as one that proves that
    both hosts share a folder, it removes at once.

    Args:
        plan: Complete, with the configuration as found.
        facts: What both hosts answered; what could not be read is None.
        source: The source host, to read more of it than *facts* have.
        destination: The destination host, likewise.
        selection: Which findings are wanted: what only the others need is left out.

    Returns:
        Findings, or None for none.

    Broadcast.
    """


@hookspec
def migrate_finding_kinds() -> Sequence[FindingKind] | None:
    """Anyone may list the kinds of finding that it can give.

    Called where somebody names one (``--only``, ``--skip``), and for the documentation.  Pure.

    Returns:
        Each kind once, or None where it gives none.

    Broadcast.
    """


@hookspec
def migrate_diagnose(text: str, code: int | None, domain: int | None) -> Sequence[Diagnosis] | None:
    """Anyone may explain an error.

    Called after a failure.  Pure.

    Args:
        text: The error as the hypervisor worded it.
        code: Its number for the error, or None (libvirt: ``virErrorNumber``).
        domain: Which part of it raised the error, or None (libvirt: ``virErrorDomain``).

    Returns:
        What it may mean, the most likely first, or None.

    Broadcast.
    """


@hookspec
def migrate_investigate(
    plan: Plan, error: MigrateError, source: Access, destination: Access
) -> Sequence[Diagnosis] | None:
    """Anyone may look for the reason that an error hides.

    Called after a migration failed, while the hosts are still open.  It may only read, and it is
    not waited for longer than a quarter of a minute: the person wants to know where the guest is.

    Args:
        plan: What was carried out.
        error: What came of it; a :class:`migrate_plugins.DriverError` has the hypervisor's text.
        source: The source host, with a session, a shell, both or neither.
        destination: The destination host, likewise.

    Returns:
        What was found, the most likely first, or None; certain only of what was seen.

    Broadcast.
    """


@hookspec
def migrate_observe(event: Event) -> None:
    """Anyone may watch a migration.

    Called for each event of each migration, from the thread that runs it.  It may not block for
    long: the migration is watched by the same thread.

    Args:
        event: Phase or progress.

    Returns:
        Nothing.

    Broadcast.
    """


@hookspec
def migrate_cli() -> Sequence[Command] | None:
    """Anyone may add commands to the command line.

    Called for ``--help`` and for a command that the core does not know.  It may not import what
    the command needs: that is its module's business.

    Returns:
        Commands, or None.

    Broadcast.
    """
