"""The driver's hooks, from the top down: who it is, what it can do, ports, URIs, commands.

As it stands it plans one scenario, native and managed direct, for a hypervisor that nobody has
looked at.  Each docstring says what to change; what is in capitals is yours to replace.

It plans and runs nothing, since it leaves out ``migrate_connect``.  Nothing here may contact a host
or import a client library: planning works anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import (
    LIBVIRT_CONTROL,
    Basis,
    Capabilities,
    ChosenBy,
    Claim,
    DriverInfo,
    InvalidURIError,
    MigrationURI,
    NativeCommand,
    Offer,
    PortRule,
    hookimpl,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins import Plan

MIGRATE_PLUGINS_API: Final = 1

NAME: Final = "your-hypervisor"
# The scheme of migration URIs: how the hypervisor itself is told where to send a guest.
SCHEME: Final = "tcp"
# The ports of a destination that receive guests.
PORTS: Final = (49500, 49563)


@hookimpl
def migrate_driver() -> DriverInfo:
    """Say who the driver is.

    Change ``title`` to how people write it, ``connection_schemes`` and ``example`` to the
    connection URIs that they type, and ``control`` where it is not libvirt that reaches a host:
    transport of a connection URI to protocol, as ``{"ssh": ControlProtocol("…", 22, True)}``.
    """
    return DriverInfo(
        name=NAME,
        title=NAME,
        connection_schemes=(NAME,),
        migration_schemes=(SCHEME,),
        control=LIBVIRT_CONTROL,
        example=f"{NAME}+ssh://desthost/system",
    )


@hookimpl
def migrate_capabilities() -> Capabilities:
    """Say what the hypervisor can do, and what each claim rests on.

    Add an offer for each other scenario (``migrate-plugins matrix`` lists their ids) and, to
    ``options``, each option of ``virsh migrate`` that is honoured.  Claim what you have read
    (``Basis.CODE``) or run (``Basis.VERIFIED``), and name where: whoever plans relies on it.
    """
    claim = Claim(Basis.CODE, "REPLACE: THE SOURCE FILE AND FUNCTION", "REPLACE: ITS VERSION")
    options = frozenset({"live", "persistent", "undefine_source"})
    return Capabilities(
        offers={"native-direct": Offer(claim, options, migration_uri=True)},
        migration_schemes=(SCHEME,),
        protocol=f"{NAME} migration stream",
        unwritten_uri="made from the destination's host and the port that is held for it",
        encrypted=None,
        encryption="this driver does not say",
    )


@hookimpl
def migrate_port_rule() -> PortRule:
    """Say which ports receive a guest, and who chooses.

    Change ``chosen_by`` to ``ChosenBy.DESTINATION`` or ``ChosenBy.HYPERVISOR`` where it is not
    migrate-plugins, and ``because`` to where the numbers come from.
    """
    first, last = PORTS
    return PortRule(first, last, ChosenBy.US, "REPLACE: WHERE THESE NUMBERS COME FROM")


@hookimpl
def migrate_select_port(rule: PortRule, taken: frozenset[int]) -> int | None:
    """Choose a port, where the choice is ours; the lowest free one will mostly do."""
    return rule.lowest_free(taken)


@hookimpl
def migrate_uri(host: str, port: int | None) -> MigrationURI | None:
    """Write the migration URI; return None where the hypervisor makes its own."""
    return MigrationURI(SCHEME, host=host, port=port)


@hookimpl
def migrate_read_uri(text: str) -> MigrationURI:
    """Read a migration URI as the hypervisor does, and refuse what it would refuse."""
    uri = MigrationURI.parse(text)
    hint = f"give {SCHEME}://HOST[:PORT], such as {SCHEME}://desthost:{PORTS[0]}"
    if uri.scheme != SCHEME:
        part = "it has no scheme" if uri.scheme is None else f"its scheme is {uri.scheme!r}"
        raise InvalidURIError(text, part=part, hint=hint)
    if uri.host is None:
        raise InvalidURIError(text, part="it names no host", hint=hint)
    return uri


@hookimpl
def migrate_commands(plan: Plan) -> Sequence[NativeCommand]:
    """Give the same migration in the words of the hypervisor's own tool.

    Return ``[virsh_command(plan)]`` where libvirt migrates it, or else the commands in their
    order, as ``NativeCommand("tool", ("tool", "send", plan.guest), host=Seat.SOURCE)``.
    """
    return [NativeCommand(NAME, None, f"this driver does not know {plan.driver}'s own tool yet")]
