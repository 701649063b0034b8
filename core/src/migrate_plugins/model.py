"""The values that core and drivers exchange, all frozen.

They are named tuples, not dataclasses: a plan is made of some dozens of them, and a named tuple is
both defined and built several times faster, which is what lets ``plan`` start in about the time
Python itself needs (measured in ``benchmarks/``).
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate_plugins.document import ClientCrash, OwnConfiguration

__all__ = [
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
]


class Flow(StrEnum):
    """Who controls the migration (the document's *communication control paths*)."""

    MANAGED_DIRECT = "managed-direct"
    MANAGED_PEER2PEER = "managed-peer2peer"
    UNMANAGED_DIRECT = "unmanaged-direct"


class Transport(StrEnum):
    """How the guest's memory travels (the document's *network data transports*)."""

    NATIVE = "native"
    TUNNELLED = "tunnelled"


class Revision(StrEnum):
    """Which edition of the rules is honoured: the document's, or libvirt's of today."""

    ORIGINAL = "original"
    CURRENT = "current"


class Seat(StrEnum):
    """Who looks at a URI, opens a connection or listens for one."""

    CLIENT = "client"
    SOURCE = "source"
    DESTINATION = "destination"


class ChosenBy(StrEnum):
    """Who picks the port that receives the guest's memory."""

    DESTINATION = "destination"  # the libvirtd there, at the moment it prepares
    HYPERVISOR = "hypervisor"  # fixed by the hypervisor or its configuration
    US = "migrate-plugins"  # held by the core while the migration runs
    REQUEST = "request"  # whoever asked for the migration wrote it into the migration URI
    NOBODY = "nobody"  # no port is opened


class Basis(StrEnum):
    """What a driver's claim rests on, weakest first."""

    DOCUMENT = "document"
    CODE = "code"
    VERIFIED = "verified"


class Claim(NamedTuple):
    """Why a driver says that it can do something.

    Attributes:
        basis: The kind of evidence.
        reference: Where to look it up: a section of the document, a source file, a test.
        version: Of the software it was read in or tried on, or None for the document.
    """

    basis: Basis
    reference: str
    version: str | None = None


class Kind(StrEnum):
    """What the value of an option, or of a setting, is."""

    FLAG = "flag"
    NUMBER = "number"
    TEXT = "text"
    NAMES = "names"


class Request(NamedTuple):
    """What somebody asks for; option names are those of ``virsh migrate``.

    Attributes:
        guest: Name of the guest (libvirt's *domain*) on the source.
        source: First URI: the libvirt connection to the source host.
        destination: Second URI: the libvirt connection to the destination host.
        migration: Third URI: hypervisor specific.  In peer-to-peer a connection URI here is the
            document's ALT-DEST-LIBVIRT-URI: how the source, not the client, opens the destination.
        scenario: One of the document's six by its id; None follows from the flags.
        revision: Which edition of the rules is honoured.
        p2p: The source's daemon controls the migration (peer-to-peer).
        direct: The hypervisor's own management controls it (unmanaged direct).
        tunnelled: Memory travels inside the libvirt connection between the two daemons.
        port_range: First and last port to choose from, where the choice is ours.
        options: The driver's own options, each as ``NAME=VALUE``.
        live: The guest runs while its memory is copied; otherwise it is paused meanwhile.
        offline: Move the definition of a guest that is shut off.
        suspend: Leave the guest paused on the destination.
        persistent: Create a configuration file on the destination.
        undefine_source: Remove the configuration file on the source.
        dname: Name of the guest on the destination, where it differs.
        xml: File with the definition to use on the destination.
        persistent_xml: File with the definition to store on the destination.
        bandwidth: Limit in MiB/s.
        timeout: Seconds after which a live migration is forced to complete.
        timeout_suspend: Force it by pausing the guest (what *timeout* does by itself).
        timeout_postcopy: Force it by switching to post-copy.
        tls: Encrypt the hypervisor's own transport.
        tls_destination: Name to expect in the destination's certificate.
        parallel: Use several connections for the memory.
        parallel_connections: How many, 1 to 255.
        compressed: Compress pages that are sent again.
        comp_methods: Compression methods, for example ``("xbzrle",)``.
        auto_converge: Slow a guest down that dirties memory faster than it can be sent.
        postcopy: Allow a switch to post-copy.
        copy_storage_all: Copy the whole of disks that are not shared.
        copy_storage_inc: Copy only what differs from a backing file that both hosts have.
        migrate_disks: Copy only these disks, by target name such as ``vda``.
        listen_address: Address the destination listens on for memory.
        disks_port: Port the destination listens on for disks.
        graphicsuri: Where graphics clients reconnect to.
        unsafe: Migrate although the hypervisor thinks that data may be lost.
        abort_on_error: Stop on soft errors too.
    """

    guest: str
    source: str | None = None
    destination: str | None = None
    migration: str | None = None
    scenario: str | None = None
    revision: Revision = Revision.ORIGINAL
    p2p: bool = False
    direct: bool = False
    tunnelled: bool = False
    port_range: tuple[int, int] | None = None
    options: tuple[str, ...] = ()
    live: bool = False
    offline: bool = False
    suspend: bool = False
    persistent: bool = False
    undefine_source: bool = False
    dname: str | None = None
    xml: str | None = None
    persistent_xml: str | None = None
    bandwidth: int | None = None
    timeout: int | None = None
    timeout_suspend: bool = False
    timeout_postcopy: bool = False
    tls: bool = False
    tls_destination: str | None = None
    parallel: bool = False
    parallel_connections: int | None = None
    compressed: bool = False
    comp_methods: tuple[str, ...] = ()
    auto_converge: bool = False
    postcopy: bool = False
    copy_storage_all: bool = False
    copy_storage_inc: bool = False
    migrate_disks: tuple[str, ...] = ()
    listen_address: str | None = None
    disks_port: int | None = None
    graphicsuri: str | None = None
    unsafe: bool = False
    abort_on_error: bool = False


class Reason(NamedTuple):
    """One reason why a request cannot be planned.

    Attributes:
        id: Stable, for example ``scenario-not-offered``.
        text: What is wrong, with the value that was given.
        instead: What would work.
        usage: Whether the input is wrong by itself, whatever the rules say.
    """

    id: str
    text: str
    instead: str
    usage: bool = False


class ControlProtocol(NamedTuple):
    """How a connection URI's transport reaches a daemon.

    Attributes:
        name: As people call it, such as ``libvirt RPC over ssh``.
        port: Its usual TCP port, or None where none is opened (a UNIX socket).
        encrypted: Whether what crosses the network can be read on the way.
    """

    name: str
    port: int | None
    encrypted: bool


class DriverInfo(NamedTuple):
    """Who a driver is.

    Attributes:
        name: The entry point's name, for example ``qemu``.
        title: As people write it, for example ``QEMU and KVM``.
        connection_schemes: Of connection URIs, without ``+transport``.
        migration_schemes: Of migration URIs, in either revision.
        control: Transport of a connection URI (the empty string: none is written) to protocol.
        example: A connection URI of a destination, as it stands in hints.
    """

    name: str
    title: str
    connection_schemes: tuple[str, ...]
    migration_schemes: tuple[str, ...]
    control: Mapping[str, ControlProtocol]
    example: str


class DriverOption(NamedTuple):
    """An option that one hypervisor alone has; it is given as ``-o NAME=VALUE``.

    Attributes:
        name: As it is typed.
        help: What it does, in a line.
        metavar: What its value is, for example ``DISK:DATASTORE``.
        kind: ``TEXT``, or ``NUMBER`` for a whole number from 1 on.
        choices: The values that it takes, or nothing where any is taken.
        many: Whether it may be given more than once.
    """

    name: str
    help: str
    metavar: str
    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] = ()
    many: bool = False


class Offer(NamedTuple):
    """That a driver offers a scenario, and on what terms.

    Attributes:
        claim: What the offer rests on.
        options: Fields of :class:`Request` that it honours, beyond those of flow and URIs.
        migration_uri: Whether a migration URI may be given.
        own: The driver's own options.
        limits: Why it honours no more than these, in half a sentence; empty where nobody can say.
        call: What carries it out where that is not the call that the document names, for example
            ``virDomainMigrate3`` or ``xl migrate``; empty where it is.
    """

    claim: Claim
    options: frozenset[str]
    migration_uri: bool
    own: tuple[DriverOption, ...] = ()
    limits: str = ""
    call: str = ""


class Capabilities(NamedTuple):
    """What a driver can do under one revision.

    Attributes:
        offers: Scenario id to offer; a scenario that is missing is not supported.
        migration_schemes: Schemes of migration URIs that it takes; the first is its usual one.
        protocol: What travels between the hypervisors, for example ``QEMU migration stream``.
        unwritten_uri: Who makes the migration URI, and from what, when none is given.
        encrypted: Whether the native transport is, left to itself; None where nobody can know.
        encryption: Why, in a sentence.
        encrypting_option: Field of :class:`Request` that encrypts the native transport, if any.
        uri_names_receiver: Whether the host of a migration URI is where the memory arrives, so that
            a policy can send it over another network.
        uri_names_port: Whether the port of a migration URI is where the memory arrives; otherwise
            it means nothing, and the port rule's holds.
        configuration: What becomes of a guest's configuration, where the hypervisor keeps it in
            another way than the document's table supposes; None where that holds.
        on_client_crash: What becomes of a migration whose client crashes, where the hypervisor
            does not as the document says of the flow; None where it does.
        always_live: Whether the guest runs while its memory is copied, whether or not ``live`` is
            asked for.
        encrypting_by_hand: What people can do so that the native transport is encrypted all the
            same, as it is typed; empty for nothing.
        apart: Scenario id to what holds there in the place of all this, where another program
            moves the guest; see :meth:`of`.
    """

    offers: Mapping[str, Offer]
    migration_schemes: tuple[str, ...]
    protocol: str
    unwritten_uri: str
    encrypted: bool | None
    encryption: str
    encrypting_option: str | None = None
    uri_names_receiver: bool = True
    uri_names_port: bool = True
    configuration: OwnConfiguration | None = None
    on_client_crash: ClientCrash | None = None
    always_live: bool = False
    encrypting_by_hand: str = ""
    apart: Mapping[str, Capabilities] = MappingProxyType({})

    def of(self, scenario: str) -> Capabilities:
        """Give what holds for a scenario."""
        return self.apart.get(scenario, self)


class PortRule(NamedTuple):
    """Which TCP ports of the destination receive a guest.

    Attributes:
        first: Lowest port.
        last: Highest port; equal to *first* where it is fixed.
        chosen_by: Who picks within the range.
        because: Where the numbers come from.
        per_migration: How many ports one migration takes.
    """

    first: int
    last: int
    chosen_by: ChosenBy
    because: str
    per_migration: int = 1

    def lowest_free(self, taken: frozenset[int]) -> int | None:
        """Give the lowest port that is not *taken*, or None: what most drivers choose."""
        return next((port for port in range(self.first, self.last + 1) if port not in taken), None)


class NativeCommand(NamedTuple):
    """The same migration in the words of the hypervisor's own tool.

    Attributes:
        tool: For example ``virsh`` or ``xl``.
        argv: The command, or None where the tool cannot say it.
        not_expressible: Why the tool cannot say it, or None.
        host: Where to run it.
    """

    tool: str
    argv: tuple[str, ...] | None
    not_expressible: str | None = None
    host: Seat = Seat.CLIENT


class Command(NamedTuple):
    """An extra command of the command line.

    Attributes:
        name: As typed after ``migrate-plugins``.
        summary: One line for ``--help``.
        module: Imported when the command is called; it has ``configure(parser)`` and
            ``run(arguments, output) -> int`` (see :mod:`migrate_plugins.cli`).
    """

    name: str
    summary: str
    module: str


# How libvirt's remote driver reaches a daemon: https://libvirt.org/remote.html. With a host and no
# transport libvirt means tls; with neither it opens the daemon's UNIX socket.
LIBVIRT_CONTROL: Final = {
    "": ControlProtocol("libvirt RPC over tls", 16514, encrypted=True),
    "tls": ControlProtocol("libvirt RPC over tls", 16514, encrypted=True),
    "tcp": ControlProtocol("libvirt RPC over tcp", 16509, encrypted=False),
    "ssh": ControlProtocol("libvirt RPC over ssh", 22, encrypted=True),
    "libssh": ControlProtocol("libvirt RPC over ssh", 22, encrypted=True),
    "libssh2": ControlProtocol("libvirt RPC over ssh", 22, encrypted=True),
    "unix": ControlProtocol("libvirt RPC over a UNIX socket", None, encrypted=True),
    "ext": ControlProtocol("libvirt RPC over an external command", None, encrypted=False),
}
