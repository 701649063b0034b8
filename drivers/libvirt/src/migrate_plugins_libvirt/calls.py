"""Which libvirt call carries out a plan: the newest that the scenario and both daemons have.

The document names ``virDomainMigrate`` where the client has a connection to the destination, and
``virDomainMigrateToURI`` where it has none; each has grown two successors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from migrate_plugins import OPTIONS, Flow, Kind, UsageError

if TYPE_CHECKING:
    from migrate_plugins import Plan

__all__ = ["Call", "choose_call"]

# The libvirt release that brought the variant with typed parameters, and the one before it.
_WITH_PARAMETERS: Final = 1_001_000
_SECOND: Final = 9_002

_FILES: Final = frozenset({"xml", "persistent_xml"})


class Call(NamedTuple):
    """A call of ``virDomain`` with its arguments.

    Attributes:
        method: Name of the method in libvirt's Python binding, for example ``migrate3``.
        arguments: All but the connection to the destination.
        connected: Whether that connection is the first argument.
    """

    method: str
    arguments: tuple[Any, ...]
    connected: bool

    def __call__(self, domain: Any, destination: Any) -> object:  # noqa: ANN401 - libvirt is untyped
        """Migrate *domain*; blocks to the end."""
        arguments = (destination, *self.arguments) if self.connected else self.arguments
        return getattr(domain, self.method)(*arguments)


def choose_call(plan: Plan, version: int, flags: int) -> Call:
    """Choose the call for *plan* where the older of the daemons has libvirt *version*.

    Args:
        plan: Complete.
        version: As libvirt writes it: a million for each major, a thousand for each minor one.
        flags: The plan's flags as libvirt's number.

    Raises:
        UsageError: A file that the plan names cannot be read, or an option needs a call that the
            older daemon does not have.
    """
    connected = plan.scenario.client_opens_destination
    parameters = _parameters(plan)
    name = parameters.get("destination_name")
    bandwidth = parameters.get("bandwidth", 0)
    xml = parameters.get("destination_xml")
    uri = plan.uris.migration.value
    destination = plan.uris.destination.value
    if connected and plan.scenario.flow is Flow.MANAGED_PEER2PEER:
        if destination != plan.uris.destination_from_client.value:
            # Only the first variant takes a libvirt URI for the source to open.
            return Call("migrate", (flags, name, destination, bandwidth), connected)
        version = min(version, _WITH_PARAMETERS - 1)  # the third refuses peer-to-peer
    if version >= _WITH_PARAMETERS:
        if connected:
            return Call("migrate3", (parameters, flags), connected)
        return Call("migrateToURI3", (destination, parameters, flags), connected)
    _refuse_beyond(plan, parameters, version)
    if connected:
        if version >= _SECOND:
            return Call("migrate2", (xml, flags, name, uri, bandwidth), connected)
        return Call("migrate", (flags, name, uri, bandwidth), connected)
    if version >= _SECOND:
        arguments = (destination, uri, xml, flags, name, bandwidth)
        return Call("migrateToURI2", arguments, connected)
    return Call("migrateToURI", (destination, flags, name, bandwidth), connected)


def _parameters(plan: Plan) -> dict[str, Any]:
    """Give the plan's options as libvirt's typed parameters."""
    parameters: dict[str, Any] = {}
    if plan.uris.migration.value is not None:
        parameters["migrate_uri"] = plan.uris.migration.value
    for option in OPTIONS:
        value = getattr(plan.request, option.field)
        if option.kind is Kind.FLAG or option.libvirt is None or not value:
            continue
        if option.field in _FILES:
            value = _read(option.spellings[0], value)
        parameters[option.libvirt] = list(value) if option.kind is Kind.NAMES else value
    return parameters


def _read(spelling: str, path: str) -> str:
    from pathlib import Path  # noqa: PLC0415 - few migrations bring a definition of their own

    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"{spelling} {path!r} cannot be read: {problem}") from error


def _refuse_beyond(plan: Plan, parameters: dict[str, Any], version: int) -> None:
    """Refuse an option that only the variant with parameters can carry."""
    carried = {"migrate_uri", "destination_name", "bandwidth"}
    if version >= _SECOND:
        carried.add("destination_xml")
    beyond = [
        option.spellings[0]
        for option in OPTIONS
        if option.libvirt in parameters and option.libvirt not in carried
    ]
    if beyond:
        raise UsageError(
            f"{', '.join(beyond)} cannot be carried by libvirt's call for {plan.scenario_id};"
            " leave it out, or use --p2p with daemons of libvirt 1.1.0 or newer"
        )
