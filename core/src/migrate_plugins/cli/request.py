"""The arguments that say what should move where; shared by plan, check and migrate."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any, Final

from migrate_plugins import (
    OPTIONS,
    SCENARIOS,
    Flow,
    Kind,
    Need,
    PlanError,
    Revision,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migrate_plugins import Config, Migrator, Plan
    from migrate_plugins.cli.output import Output

__all__ = ["accepted", "add_accept", "add_request", "add_way", "planned"]

_FIELDS: Final = ("scenario", "p2p", "direct", "tunnelled", "port_range", "options")
_FLOW: Final = frozenset({"scenario", "p2p", "direct", "tunnelled"})


def add_request(parser: argparse.ArgumentParser) -> None:
    """Declare guest, URIs, flow, and the options of ``virsh migrate``."""
    add_places(parser)
    add_way(parser)


def add_places(parser: argparse.ArgumentParser) -> None:
    """Declare guest and URIs as they stand on the line."""
    parser.add_argument("guest", metavar="GUEST", help="name of the guest on the source")
    parser.add_argument(
        "first", metavar="DEST-URI", nargs="?", help="destination; with --direct the migration URI"
    )
    parser.add_argument(
        "second",
        metavar="URI",
        nargs="?",
        help="migration URI; with --p2p how the source opens the destination",
    )


def add_way(parser: argparse.ArgumentParser) -> None:
    """Declare all that is an option: URIs, flow, and what ``virsh migrate`` has."""
    parser.add_argument("--desturi", metavar="URI", help="the same as DEST-URI")
    parser.add_argument("--migrateuri", metavar="URI", help="the same as URI")
    parser.add_argument(
        "-c",
        "--connect",
        metavar="URI",
        help="source (default: LIBVIRT_DEFAULT_URI)",
    )
    parser.add_argument(
        "--from", dest="from_", metavar="HOST", help="source, by its name in config.toml"
    )
    parser.add_argument("--to", metavar="HOST", help="destination, by its name in config.toml")
    parser.add_argument(
        "--revision",
        choices=[*Revision],
        help="rules to go by: the migration document's (default), or libvirt's of today",
    )
    parser.add_argument(
        "--no-defaults", action="store_true", help="leave out the [defaults] of config.toml"
    )
    flow = parser.add_argument_group("who controls it, and how memory travels")
    flow.add_argument("--p2p", action="store_true", help="the source's daemon (peer-to-peer)")
    flow.add_argument("--direct", action="store_true", help="the hypervisor (unmanaged direct)")
    flow.add_argument(
        "--tunnelled", action="store_true", help="memory inside the daemons' connection"
    )
    flow.add_argument("--scenario", metavar="ID", help=f"one of {', '.join(SCENARIOS)}")
    flow.add_argument(
        "--port-range",
        type=_port_range,
        metavar="A-B",
        help="ports to choose from, where it is ours",
    )
    parser.add_argument(
        "-o",
        "--option",
        dest="options",
        action=_Gather,
        default=(),
        metavar="NAME=VALUE",
        help="an option of the hypervisor's own (`migrate-plugins list --options` has them)",
    )
    options = parser.add_argument_group("options, as virsh migrate has them")
    for option in OPTIONS:
        if option.kind is Kind.FLAG:
            options.add_argument(
                *option.spellings, dest=option.field, action="store_true", help=option.help
            )
        else:
            options.add_argument(
                *option.spellings,
                dest=option.field,
                type=_READERS[option.kind],
                default=() if option.kind is Kind.NAMES else None,
                metavar=option.metavar,
                help=option.help,
            )


class _Gather(argparse.Action):
    """Gather what is given again and again."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        _spelling: str | None = None,
    ) -> None:
        name, equals, _ = str(values).partition("=")
        if not name or not equals:
            raise argparse.ArgumentError(self, f"{values!r} is not NAME=VALUE")
        setattr(namespace, self.dest, (*getattr(namespace, self.dest), values))


def add_accept(parser: argparse.ArgumentParser) -> None:
    """Declare ``--accept``."""
    parser.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="ID=REASON",
        help="go on in spite of a finding, and say why",
    )


def accepted(arguments: argparse.Namespace) -> Mapping[str, str]:
    """Read ``--accept``.

    Raises:
        UsageError: One of them gives no reason.
    """
    pairs = [text.partition("=") for text in arguments.accept]
    for id_, _, reason in pairs:
        if not id_ or not reason.strip():
            raise UsageError(
                f"--accept {id_!r} gives no reason; write --accept ID=REASON,"
                " such as --accept data-plain-text='a network of its own'"
            )
    return {id_: reason for id_, _, reason in pairs}


def planned(arguments: argparse.Namespace, output: Output) -> Plan:
    """Plan what was asked for."""
    config: Config = arguments.invocation.config
    defaults = {} if arguments.no_defaults else _defaults(arguments, config)
    given = vars(arguments) | defaults
    source, destination, migration = _uris(arguments, given, config)
    fields = [*_FIELDS, *(option.field for option in OPTIONS)]
    migrator: Migrator = arguments.invocation.migrator
    try:
        return migrator.plan(
            arguments.guest,
            source=source,
            destination=destination,
            migration=migration,
            revision=Revision(given["revision"] or Revision.ORIGINAL),
            **{field: given[field] for field in fields},
        )
    except PlanError:
        if defaults:
            names = ", ".join(sorted(defaults))
            output.note(f"{config.path} gives {names} by default; --no-defaults leaves that out")
        raise


def _defaults(arguments: argparse.Namespace, config: Config) -> dict[str, Any]:
    """Give the defaults of config.toml, by field, that what was typed leaves room for."""
    if not config.defaults:
        return {}
    typed = {field for field, value in vars(arguments).items() if value not in (None, False, ())}
    fields = {
        spelling.removeprefix("--"): option.field
        for option in OPTIONS
        for spelling in option.spellings
    }
    excluded = {other for option in OPTIONS if option.field in typed for other in option.excludes}
    excluded |= {option.field for option in OPTIONS if typed & {*option.excludes}}
    if typed & _FLOW:
        excluded |= _FLOW
    defaults = {}
    for key, value in config.defaults.items():
        field = fields.get(key, key.replace("-", "_"))
        if field not in typed | excluded:
            defaults[field] = _port_range(value) if field == "port_range" else value
    return defaults


def _uris(
    arguments: argparse.Namespace, given: Mapping[str, Any], config: Config
) -> tuple[str | None, str | None, str | None]:
    """Tell source, destination and migration URI, each given in one of several ways."""
    source = arguments.connect
    if arguments.from_ is not None:
        _either("-c", source, "--from", arguments.from_)
        source = config.host(arguments.from_).uri
    source = source or os.environ.get("LIBVIRT_DEFAULT_URI") or given["connect"]
    scenario = SCENARIOS.get(given["scenario"])
    unmanaged = bool(given["direct"]) or (
        scenario is not None and scenario.destination.need is Need.NOT_USED
    )
    if arguments.to is not None:
        return (source, *_named_destination(arguments, given, config, unmanaged=unmanaged))
    first = _once(arguments, "desturi", arguments.first)
    second = _once(arguments, "migrateuri", arguments.second)
    if unmanaged and second is None:
        first, second = None, first  # unmanaged direct: the one URI is the migration URI
    return source, first, second


def _named_destination(
    arguments: argparse.Namespace, given: Mapping[str, Any], config: Config, *, unmanaged: bool
) -> tuple[str, str | None]:
    """Open the host that --to names; the one URI that may stand beside it is the second."""
    host = config.host(arguments.to)
    if unmanaged:
        raise UsageError(
            f"--to {arguments.to} names a host to connect to, and unmanaged direct connects to"
            " none; give the migration URI alone"
        )
    _either("--desturi", arguments.desturi, "--to", arguments.to)
    _either("a second URI", arguments.second, "--to", arguments.to)
    second = _once(arguments, "migrateuri", arguments.first)
    scenario = SCENARIOS.get(given["scenario"])
    peer2peer = given["p2p"] or (scenario is not None and scenario.flow is Flow.MANAGED_PEER2PEER)
    return host.uri, second or (host.peer_uri if peer2peer else None)


def _either(one: str, value: str | None, other: str, name: str) -> None:
    if value is not None:
        raise UsageError(
            f"{one} {value} and {other} {name} say the same thing; give one of the two"
        )


def _once(arguments: argparse.Namespace, name: str, positional: str | None) -> str | None:
    """Take a URI from its option or its place, but not from both."""
    named: str | None = getattr(arguments, name)
    if named is not None and positional is not None:
        raise UsageError(
            f"--{name} {named} and {positional} are one and the same argument; give one of the two"
        )
    return named or positional


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def _port_range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    try:
        return int(first), int(last or first)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not FIRST-LAST") from None


_READERS: Final[Mapping[Kind, Callable[[str], object]]] = {
    Kind.NUMBER: int,
    Kind.TEXT: str,
    Kind.NAMES: _names,
}
