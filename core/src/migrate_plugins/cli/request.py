"""The arguments that say what should move where; shared by plan, check and migrate."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Final

from migrate_plugins import OPTIONS, SCENARIOS, Kind, Need, Revision, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migrate_plugins import Migrator, Plan

__all__ = ["accepted", "add_accept", "add_request", "planned"]

_FIELDS: Final = ("scenario", "p2p", "direct", "tunnelled", "port_range")


def add_request(parser: argparse.ArgumentParser) -> None:
    """Declare guest, URIs, flow, and the options of ``virsh migrate``."""
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
    parser.add_argument("--desturi", metavar="URI", help="the same as DEST-URI")
    parser.add_argument("--migrateuri", metavar="URI", help="the same as URI")
    parser.add_argument(
        "-c",
        "--connect",
        metavar="URI",
        default=os.environ.get("LIBVIRT_DEFAULT_URI"),
        help="source (default: LIBVIRT_DEFAULT_URI)",
    )
    parser.add_argument(
        "--revision",
        choices=[*Revision],
        default=Revision.ORIGINAL,
        help="rules to go by: the migration document's (default), or libvirt's of today",
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


def planned(migrator: Migrator, arguments: argparse.Namespace) -> Plan:
    """Plan what was asked for."""
    first = _once(arguments, "desturi", arguments.first)
    second = _once(arguments, "migrateuri", arguments.second)
    scenario = SCENARIOS.get(arguments.scenario)
    unmanaged = scenario is not None and scenario.destination.need is Need.NOT_USED
    if (arguments.direct or unmanaged) and second is None:
        first, second = None, first  # unmanaged direct: the one URI is the migration URI
    fields = [*_FIELDS, *(option.field for option in OPTIONS)]
    return migrator.plan(
        arguments.guest,
        source=arguments.connect,
        destination=first,
        migration=second,
        revision=Revision(arguments.revision),
        **{field: getattr(arguments, field) for field in fields},
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
