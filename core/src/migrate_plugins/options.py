"""The options of a migration: one table for the command line, the rules and the native commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from migrate_plugins.model import Kind, Reason, Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from migrate_plugins.model import DriverOption

__all__ = [
    "OPTIONS",
    "SPELLING",
    "Option",
    "as_own",
    "conflicts",
    "given_options",
    "misgiven",
    "own_options",
]


class Option(NamedTuple):
    """An option of ``virsh migrate``.

    Attributes:
        field: Its field in :class:`migrate_plugins.Request`.
        spellings: As typed; the first is the one virsh has today.
        kind: What its value is.
        libvirt: The flag or typed parameter that carries it; None where the client itself acts.
        help: For ``--help``.
        needs: Fields without which it means nothing.
        excludes: Fields that cannot be given with it.
        metavar: The value's name in ``--help``.
        most: The highest number that makes sense, for a number.
    """

    field: str
    spellings: tuple[str, ...]
    kind: Kind
    libvirt: str | None
    help: str
    needs: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    metavar: str | None = None
    most: int | None = None


# libvirt's numbers are of 64 bits at the most, and signed in Python's binding.
_MOST: Final = 2**63 - 1

_FLAG, _NUMBER, _TEXT, _NAMES = Kind.FLAG, Kind.NUMBER, Kind.TEXT, Kind.NAMES

# fmt: off
# The rules are those of libvirt's manual page of virsh, section `migrate`.
OPTIONS: Final = (
    Option("live", ("--live",), _FLAG, "VIR_MIGRATE_LIVE",
           "let the guest run while its memory is copied"),
    Option("offline", ("--offline",), _FLAG, "VIR_MIGRATE_OFFLINE",
           "move the definition of a guest that is shut off",
           needs=("persistent",), excludes=("live", "copy_storage_all", "copy_storage_inc")),
    Option("suspend", ("--suspend",), _FLAG, "VIR_MIGRATE_PAUSED",
           "leave the guest paused on the destination"),
    Option("persistent", ("--persistent", "--persist"), _FLAG, "VIR_MIGRATE_PERSIST_DEST",
           "create a configuration file on the destination"),
    Option("undefine_source", ("--undefinesource", "--undefine-source"), _FLAG,
           "VIR_MIGRATE_UNDEFINE_SOURCE", "remove the configuration file on the source"),
    Option("dname", ("--dname",), _TEXT, "destination_name",
           "name of the guest on the destination", metavar="NAME"),
    Option("xml", ("--xml",), _TEXT, "destination_xml",
           "file with the definition to use on the destination", metavar="FILE"),
    Option("persistent_xml", ("--persistent-xml",), _TEXT, "persistent_xml",
           "file with the definition to store on the destination",
           needs=("persistent",), metavar="FILE"),
    Option("bandwidth", ("--bandwidth",), _NUMBER, "bandwidth",
           "limit in MiB/s", metavar="MIB"),
    Option("timeout", ("--timeout",), _NUMBER, None,
           "seconds after which a live migration is forced to complete",
           needs=("live",), metavar="SECONDS"),
    Option("timeout_suspend", ("--timeout-suspend",), _FLAG, None,
           "force it by pausing the guest (the default)",
           needs=("timeout",), excludes=("timeout_postcopy",)),
    Option("timeout_postcopy", ("--timeout-postcopy",), _FLAG, None,
           "force it by switching to post-copy", needs=("timeout", "postcopy")),
    Option("tls", ("--tls",), _FLAG, "VIR_MIGRATE_TLS",
           "encrypt the hypervisor's own transport", excludes=("tunnelled",)),
    Option("tls_destination", ("--tls-destination",), _TEXT, "tls.destination",
           "name to expect in the destination's certificate", needs=("tls",), metavar="NAME"),
    Option("parallel", ("--parallel",), _FLAG, "VIR_MIGRATE_PARALLEL",
           "use several connections for the memory", excludes=("tunnelled",)),
    Option("parallel_connections", ("--parallel-connections",), _NUMBER, "parallel.connections",
           "how many connections", needs=("parallel",), metavar="N", most=255),
    Option("compressed", ("--compressed",), _FLAG, "VIR_MIGRATE_COMPRESSED",
           "compress pages that are sent again"),
    Option("comp_methods", ("--comp-methods",), _NAMES, "compression",
           "compression methods, comma separated", needs=("compressed",), metavar="METHODS"),
    Option("auto_converge", ("--auto-converge",), _FLAG, "VIR_MIGRATE_AUTO_CONVERGE",
           "slow the guest down where it dirties memory faster than it can be sent"),
    Option("postcopy", ("--postcopy",), _FLAG, "VIR_MIGRATE_POSTCOPY",
           "allow a switch to post-copy", needs=("live",), excludes=("suspend", "tunnelled")),
    Option("copy_storage_all", ("--copy-storage-all",), _FLAG, "VIR_MIGRATE_NON_SHARED_DISK",
           "copy the whole of disks that are not shared",
           excludes=("copy_storage_inc", "tunnelled")),
    Option("copy_storage_inc", ("--copy-storage-inc",), _FLAG, "VIR_MIGRATE_NON_SHARED_INC",
           "copy what differs from a backing file that both hosts have", excludes=("tunnelled",)),
    Option("migrate_disks", ("--migrate-disks",), _NAMES, "migrate_disks",
           "copy only these disks, comma separated", excludes=("tunnelled",), metavar="DISKS"),
    Option("listen_address", ("--listen-address",), _TEXT, "listen_address",
           "address the destination listens on for memory",
           excludes=("tunnelled",), metavar="ADDRESS"),
    Option("disks_port", ("--disks-port",), _NUMBER, "disks_port",
           "port the destination listens on for disks",
           excludes=("tunnelled",), metavar="PORT", most=65535),
    Option("graphicsuri", ("--graphicsuri",), _TEXT, "graphics_uri",
           "where graphics clients reconnect to", metavar="URI"),
    Option("unsafe", ("--unsafe",), _FLAG, "VIR_MIGRATE_UNSAFE",
           "migrate although the hypervisor thinks that data may be lost"),
    Option("abort_on_error", ("--abort-on-error",), _FLAG, "VIR_MIGRATE_ABORT_ON_ERROR",
           "stop on soft errors too"),
)
# fmt: on

# How each field is typed; `tunnelled` is no option of the table and excludes some of it.
SPELLING: Final = {option.field: option.spellings[0] for option in OPTIONS} | {
    "tunnelled": "--tunnelled"
}

# Request has the options last, in this order.
_FIELDS: Final = tuple(option.field for option in OPTIONS)
_FIRST: Final = Request._fields.index(_FIELDS[0])


def given_options(request: Request) -> dict[str, Any]:
    """Give the options that *request* does not leave at their default, by field."""
    fields = request[_FIRST:]
    return {
        field: value
        for field, value in zip(_FIELDS, fields, strict=True)
        if value is not None and value is not False and value != ()
    }


def conflicts(given: Mapping[str, Any], refused: frozenset[str] = frozenset()) -> Iterator[Reason]:
    """Give every reason why options cannot be given together, whoever the driver is.

    Args:
        given: Field to value, of those that were given.
        refused: Fields that the driver does not have: what is to go needs nothing else.
    """
    for option in OPTIONS:
        if option.field not in given:
            continue
        name = option.spellings[0]
        for need in option.needs:
            if need not in given and option.field not in refused:
                text = f"{name} was given without {SPELLING[need]}"
                instead = f"add {SPELLING[need]} or leave out {name}"
                yield Reason("option-needs", text, instead, usage=True)
        for other in option.excludes:
            if other in given and not refused.issuperset({option.field, other}):
                text = f"{name} and {SPELLING[other]} exclude each other"
                yield Reason("option-excludes", text, "leave out one of the two", usage=True)
        if option.kind is Kind.NUMBER and not 1 <= given[option.field] <= (option.most or _MOST):
            text = f"{name} {given[option.field]} is out of range"
            instead = f"give 1 to {option.most}" if option.most else "give 1 or more"
            yield Reason("option-range", text, instead, usage=True)
    if refused.isdisjoint({"compressed", "comp_methods", "parallel"}):
        yield from _compression(given)


# How each method of --comp-methods goes with --parallel: only with it, or only without.
_WITH_PARALLEL: Final = frozenset({"zlib", "zstd"})
_WITHOUT_PARALLEL: Final = frozenset({"mt", "xbzrle"})


def _compression(given: Mapping[str, Any]) -> Iterator[Reason]:
    """Give the reasons why the methods of compression do not fit what else was given."""
    if "compressed" not in given:
        return
    methods = frozenset(given.get("comp_methods", ()))
    together = sorted(methods & _WITH_PARALLEL)
    if "parallel" in given:
        # Here libvirt has no method of its own to fall back on.
        for method in sorted(methods & _WITHOUT_PARALLEL):
            text = f"--comp-methods {method} and --parallel exclude each other"
            yield Reason("option-excludes", text, "give zlib or zstd", usage=True)
        if not methods:
            text = "--compressed and --parallel were given without --comp-methods"
            instead = "add --comp-methods zlib or --comp-methods zstd"
            yield Reason("option-needs", text, instead, usage=True)
        if len(together) > 1:
            text = f"--comp-methods {' and '.join(together)} exclude each other"
            yield Reason("option-excludes", text, "leave out one of the two", usage=True)
        return
    for method in together:
        text = f"--comp-methods {method} was given without --parallel"
        yield Reason("option-needs", text, "add --parallel, or give mt or xbzrle", usage=True)


def own_options(request: Request) -> dict[str, tuple[str, ...]]:
    """Give the driver's own options of *request*: name to the values that were given for it."""
    given: dict[str, tuple[str, ...]] = {}
    for text in request.options:
        name, _, value = text.partition("=")
        given[name] = (*given.get(name, ()), value)
    return given


def misgiven(request: Request, driver: str, offered: Sequence[DriverOption]) -> Iterator[Reason]:
    """Give every reason why the driver's own options of *request* cannot be taken.

    Args:
        request: What was asked for.
        driver: Whose options they are.
        offered: Those that it has in the scenario.
    """
    known = {option.name: option for option in offered}
    for name, values in own_options(request).items():
        option = known.get(name)
        if option is None:
            text = f"{driver} has no option {name!r} of its own in this scenario"
            have = ", ".join(f"-o {each.name}={each.metavar}" for each in offered)
            instead = f"it has {have}" if have else "leave it out: it has none"
            yield Reason("own-option-unknown", text, instead, usage=True)
            continue
        if len(values) > 1 and not option.many:
            text = f"-o {name} was given {len(values)} times: {', '.join(values)}"
            yield Reason("own-option-repeated", text, "give it once", usage=True)
        for value in values:
            wanted = _wanted(option, value)
            if wanted is not None:
                text = f"-o {name}={value} is none of its values"
                yield Reason("own-option-value", text, f"give {wanted}", usage=True)


def as_own(option: Option, value: Any, offered: Iterable[DriverOption]) -> str | None:  # noqa: ANN401 - each option has its type
    """Say how the driver's own option that goes by the name of *option* is given, if it has one.

    Args:
        option: One of virsh's that the driver does not have.
        value: What was given for it.
        offered: The driver's own that could be given.
    """
    names = {spelling.removeprefix("--") for spelling in option.spellings}
    for own in offered:
        if own.name in names:
            values = value if option.kind is Kind.NAMES and own.many else (_as_text(option, value),)
            typed = (text if _wanted(own, text) is None else own.metavar for text in values)
            return f"give {' '.join(f'-o {own.name}={text}' for text in typed)}: {own.help}"
    return None


def _as_text(option: Option, value: Any) -> str:  # noqa: ANN401 - each option has its type
    """Give the value of *option* as it is typed; a flag has none."""
    if option.kind is Kind.FLAG:
        return ""
    return ",".join(value) if option.kind is Kind.NAMES else str(value)


def _wanted(option: DriverOption, value: str) -> str | None:
    """Say what would be a value of *option*, where *value* is none."""
    if option.choices:
        return None if value in option.choices else f"one of {', '.join(option.choices)}"
    if option.kind is Kind.NUMBER:
        number = value.isascii() and value.isdecimal() and 1 <= int(value[:20]) <= _MOST
        return None if number else "a whole number, 1 or more"
    return None if value else option.metavar
