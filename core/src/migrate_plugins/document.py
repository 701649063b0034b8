"""libvirt's migration document as data: six scenarios, URI rules, the configuration table.

Nothing here names a hypervisor: which driver offers which scenario is the drivers' claim, and the
tests hold it against the document.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from migrate_plugins.model import Flow, Revision, Seat, Transport

__all__ = [
    "DISPUTED",
    "FIREWALL",
    "PROTECTION",
    "ROWS",
    "SCENARIOS",
    "WRITE_MIGRATION_URI",
    "After",
    "Before",
    "ClientCrash",
    "Connection",
    "Crash",
    "Need",
    "OwnConfiguration",
    "Row",
    "Scenario",
    "URIRule",
    "after",
    "rows",
]


class Need(StrEnum):
    """Whether a scenario needs one of the URIs."""

    COMPULSORY = "compulsory"
    OPTIONAL = "optional"
    NOT_USED = "not used"


class URIRule(NamedTuple):
    """Whether a URI is needed, and from whose seat it is read."""

    need: Need
    seen_from: Seat


class Connection(NamedTuple):
    """One leg of the control path: who opens it, towards whom, with whose credentials."""

    opened_by: Seat
    towards: Seat
    credentials: str


class Crash(StrEnum):
    """What becomes of a migration whose client crashes or loses its connection."""

    ABORTED = "aborted"
    CONTINUES = "continues"
    STALLS = "stalls"  # sent to the end, and then it stands still until somebody lets it go on


class ClientCrash(NamedTuple):
    """What becomes of a migration whose client crashes, and why."""

    then: Crash
    because: str


_ABORTED: Final = (
    "the client controls every phase: without it libvirt tries to abort and to go on with the guest"
    " on the source; where that is not safe the guest stays paused on one or both hosts"
)
_DAEMON_GOES_ON: Final = (
    "the source's daemon controls every phase and goes on until the migration is complete"
)
_HYPERVISOR_GOES_ON: Final = (
    "the hypervisor's own management controls it and goes on until the migration is complete,"
    " even when libvirtd crashes too"
)

# What a client crash means, by flow; the wording behind `on_client_crash` in a plan.
CRASH: Final = {
    Flow.MANAGED_DIRECT: ClientCrash(Crash.ABORTED, _ABORTED),
    Flow.MANAGED_PEER2PEER: ClientCrash(Crash.CONTINUES, _DAEMON_GOES_ON),
    Flow.UNMANAGED_DIRECT: ClientCrash(Crash.CONTINUES, _HYPERVISOR_GOES_ON),
}

FIREWALL: Final = {
    Transport.NATIVE: "the hypervisor opens its own connection, beside the one that controls it",
    Transport.TUNNELLED: "memory travels inside the libvirt connection of the two daemons:"
    " its one port serves any number of migrations",
}

PROTECTION: Final = {
    Transport.NATIVE: "whether it is encrypted is up to the hypervisor",
    Transport.TUNNELLED: "a libvirt connection can always be encrypted: over tls and ssh it is",
}

# When an application may wish to write the third URI itself.
WRITE_MIGRATION_URI: Final = (
    "the destination's host name is wrong or does not resolve",
    "memory should take another network interface",
    "the firewall lets only certain ports through",
)

_CLIENT: Final = "the client's"
_DAEMON: Final = "the source daemon's own (typically root's), not the client's"
_CLIENT_TO_SOURCE: Final = Connection(Seat.CLIENT, Seat.SOURCE, _CLIENT)
_CLIENT_TO_DESTINATION: Final = Connection(Seat.CLIENT, Seat.DESTINATION, _CLIENT)
_SOURCE_TO_DESTINATION: Final = Connection(Seat.SOURCE, Seat.DESTINATION, _DAEMON)
_MANAGEMENT: Final = Connection(
    Seat.SOURCE, Seat.DESTINATION, "those of the hypervisor's own management"
)

_PEER2PEER: Final = "VIR_MIGRATE_PEER2PEER"
_TUNNELLED: Final = "VIR_MIGRATE_TUNNELLED"


class Scenario(NamedTuple):
    """One of the document's six scenarios.

    Attributes:
        id: How this project calls it.
        anchor: Its name in the document.
        title: Its heading there.
        flow: Who controls it.
        transport: How memory travels.
        api: The libvirt call that the document names.
        flags: The migration flags that the scenario itself sets.
        source: Rule for the first URI.
        destination: Rule for the second URI.
        alternative: Rule for the document's optional "uri parameter" of peer-to-peer: the
            destination as the source opens it.
        migration: Rule for the third URI.
        connections: The control path.
        virsh: The syntax that the document gives, or None where virsh cannot invoke it.
    """

    id: str
    anchor: str
    title: str
    flow: Flow
    transport: Transport
    api: str
    flags: tuple[str, ...]
    source: URIRule
    destination: URIRule
    alternative: URIRule
    migration: URIRule
    connections: tuple[Connection, ...]
    virsh: str | None

    @property
    def client_opens_destination(self) -> bool:
        """Whether the client must connect to the destination too."""
        return _CLIENT_TO_DESTINATION in self.connections


_MUST_FROM_CLIENT: Final = URIRule(Need.COMPULSORY, Seat.CLIENT)
_MUST_FROM_SOURCE: Final = URIRule(Need.COMPULSORY, Seat.SOURCE)
_MAY_FROM_SOURCE: Final = URIRule(Need.OPTIONAL, Seat.SOURCE)
_UNUSED: Final = URIRule(Need.NOT_USED, Seat.SOURCE)

SCENARIOS: Final = {
    scenario.id: scenario
    for scenario in (
        Scenario(
            id="native-direct",
            anchor="scenarionativedirect",
            title="Native migration, client to two libvirtd servers",
            flow=Flow.MANAGED_DIRECT,
            transport=Transport.NATIVE,
            api="virDomainMigrate",
            flags=(),
            source=_MUST_FROM_CLIENT,
            destination=_MUST_FROM_CLIENT,
            alternative=_UNUSED,
            migration=_MAY_FROM_SOURCE,
            connections=(_CLIENT_TO_SOURCE, _CLIENT_TO_DESTINATION),
            virsh="virsh migrate GUESTNAME DEST-LIBVIRT-URI [HV-URI]",
        ),
        Scenario(
            id="native-p2p-client",
            anchor="scenarionativepeer2peer",
            title="Native migration, client to and peer2peer between, two libvirtd servers",
            flow=Flow.MANAGED_PEER2PEER,
            transport=Transport.NATIVE,
            api="virDomainMigrate",
            flags=(_PEER2PEER,),
            source=_MUST_FROM_CLIENT,
            destination=_MUST_FROM_CLIENT,
            alternative=_MAY_FROM_SOURCE,
            migration=_UNUSED,
            connections=(_CLIENT_TO_SOURCE, _CLIENT_TO_DESTINATION, _SOURCE_TO_DESTINATION),
            virsh=None,
        ),
        Scenario(
            id="tunnelled-p2p-client",
            anchor="scenariotunnelpeer2peer1",
            title="Tunnelled migration, client and peer2peer between two libvirtd servers",
            flow=Flow.MANAGED_PEER2PEER,
            transport=Transport.TUNNELLED,
            api="virDomainMigrate",
            flags=(_PEER2PEER, _TUNNELLED),
            source=_MUST_FROM_CLIENT,
            destination=_MUST_FROM_CLIENT,
            alternative=_MAY_FROM_SOURCE,
            migration=_UNUSED,
            connections=(_CLIENT_TO_SOURCE, _CLIENT_TO_DESTINATION, _SOURCE_TO_DESTINATION),
            virsh=None,
        ),
        Scenario(
            id="native-unmanaged",
            anchor="nativedirectunmanaged",
            title="Native migration, client to one libvirtd server",
            flow=Flow.UNMANAGED_DIRECT,
            transport=Transport.NATIVE,
            api="virDomainMigrateToURI",
            flags=(),
            source=_MUST_FROM_CLIENT,
            destination=_UNUSED,
            alternative=_UNUSED,
            migration=_MUST_FROM_SOURCE,
            connections=(_CLIENT_TO_SOURCE, _MANAGEMENT),
            virsh="virsh migrate GUESTNAME HV-URI",
        ),
        Scenario(
            id="native-p2p",
            anchor="nativepeer2peer",
            title="Native migration, peer2peer between two libvirtd servers",
            flow=Flow.MANAGED_PEER2PEER,
            transport=Transport.NATIVE,
            api="virDomainMigrateToURI",
            flags=(_PEER2PEER,),
            source=_MUST_FROM_CLIENT,
            destination=_MUST_FROM_SOURCE,
            alternative=_MAY_FROM_SOURCE,
            migration=_UNUSED,
            connections=(_CLIENT_TO_SOURCE, _SOURCE_TO_DESTINATION),
            virsh="virsh migrate GUESTNAME DEST-LIBVIRT-URI [ALT-DEST-LIBVIRT-URI]",
        ),
        Scenario(
            id="tunnelled-p2p",
            anchor="scenariotunnelpeer2peer2",
            title="Tunnelled migration, peer2peer between two libvirtd servers",
            flow=Flow.MANAGED_PEER2PEER,
            transport=Transport.TUNNELLED,
            api="virDomainMigrateToURI",
            flags=(_PEER2PEER, _TUNNELLED),
            source=_MUST_FROM_CLIENT,
            destination=_MUST_FROM_SOURCE,
            alternative=_MAY_FROM_SOURCE,
            migration=_UNUSED,
            connections=(_CLIENT_TO_SOURCE, _SOURCE_TO_DESTINATION),
            virsh="virsh migrate GUESTNAME DEST-LIBVIRT-URI [ALT-DEST-LIBVIRT-URI]",
        ),
    )
}


class Before(NamedTuple):
    """A guest's configuration before a migration.

    Attributes:
        persistent: Whether the guest on the source is persistent; otherwise it is transient.
        source_config: Whether a configuration file is on the source.
        destination_config: Whether one of the same guest is on the destination.
    """

    persistent: bool
    source_config: bool
    destination_config: bool


class After(NamedTuple):
    """A guest's configuration after a migration.

    Attributes:
        persistent: Whether the guest on the destination is persistent.
        source_config: Whether a configuration file is on the source.
        destination_config: Whether one is on the destination.
    """

    persistent: bool
    source_config: bool
    destination_config: bool


class OwnConfiguration(NamedTuple):
    """What becomes of a guest's configuration on a hypervisor that keeps it in its own way.

    Attributes:
        after: How it is afterwards, whatever was before and whatever is asked for; None where each
            host keeps what it has, and the guest that arrives is transient.
        because: What the document's table means there, in a sentence.
    """

    after: After | None
    because: str

    def of(self, before: Before) -> After:
        """Give what becomes of it, by what was *before*."""
        untouched = After(
            persistent=False,
            source_config=before.source_config,
            destination_config=before.destination_config,
        )
        return self.after or untouched


class Row(NamedTuple):
    """A row of the document's table *Configuration file handling*."""

    before: Before
    undefine_source: bool
    persist: bool
    after: After


def _read(table: str) -> tuple[Row, ...]:
    """Read the table as it stands below: guest type, then Y or N as in the document."""
    rows = []
    for line in table.split("\n"):
        kind, source, dest, undefine, persist, kind_after, source_after, dest_after = line.split()
        rows.append(
            Row(
                Before(kind == "Persistent", source == "Y", dest == "Y"),
                undefine == "Y",
                persist == "Y",
                After(kind_after == "Persistent", source_after == "Y", dest_after == "Y"),
            )
        )
    return tuple(rows)


# Before migration            Flags                 After migration
# Guest type, source, dest    undefine, persist     guest type, source, dest
_ORIGINAL: Final = """\
Transient   N  N   N  N   Transient   N  N
Transient   N  N   Y  N   Transient   N  N
Transient   N  N   N  Y   Persistent  N  Y
Transient   N  N   Y  Y   Persistent  N  Y
Transient   N  Y   N  N   Transient   N  N
Transient   N  Y   Y  N   Transient   N  N
Transient   N  Y   N  Y   Persistent  N  Y
Transient   N  Y   Y  Y   Persistent  N  Y
Persistent  Y  N   N  N   Transient   Y  N
Persistent  Y  N   Y  N   Transient   N  N
Persistent  Y  N   N  Y   Persistent  Y  Y
Persistent  Y  N   Y  Y   Persistent  N  Y
Persistent  Y  Y   N  N   Persistent  Y  Y
Persistent  Y  Y   Y  N   Persistent  N  Y
Persistent  Y  Y   N  Y   Persistent  Y  Y
Persistent  Y  Y   Y  Y   Persistent  N  Y"""

# Today's libvirt, and its document, keep the destination's old configuration in two of the rows.
_CURRENT: Final = _ORIGINAL.replace(
    "Transient   N  Y   N  N   Transient   N  N", "Transient   N  Y   N  N   Persistent  N  Y"
).replace(
    "Transient   N  Y   Y  N   Transient   N  N", "Transient   N  Y   Y  N   Persistent  N  Y"
)

ROWS: Final = {Revision.ORIGINAL: _read(_ORIGINAL), Revision.CURRENT: _read(_CURRENT)}

# The rows in which they differ, as the one has it and as the other has it.
DISPUTED: Final = tuple(
    pair for pair in zip(*ROWS.values(), strict=True) if pair[0].after != pair[1].after
)


def rows(revision: Revision, *, undefine_source: bool, persist: bool) -> tuple[Row, ...]:
    """Give the rows that two flags leave open: one for each state before the migration."""
    return tuple(
        row
        for row in ROWS[revision]
        if row.undefine_source == undefine_source and row.persist == persist
    )


def after(before: Before, *, undefine_source: bool, persist: bool, revision: Revision) -> After:
    """Tell what becomes of a guest's configuration.

    A guest that no row names (a transient one with a configuration, a persistent one without, as
    hypervisors other than libvirt's own may report) follows the sentence above the table: a file
    is touched only by the flag that says so.
    """
    for row in rows(revision, undefine_source=undefine_source, persist=persist):
        if row.before == before:
            return row.after
    destination = before.destination_config or persist
    return After(destination, before.source_config and not undefine_source, destination)
