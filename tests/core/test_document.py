"""The document's facts, transcribed by hand, against the core and the four drivers.

``test_document_source.py`` holds the document itself against the core where it is at hand.
"""

from __future__ import annotations

import pytest

from migrate_plugins import SCENARIOS, After, Before, Flow, Migrator, Revision, Seat, Transport
from migrate_plugins.document import CRASH, ROWS, Crash, Need, Row, after, rows

ORIGINAL, CURRENT = Revision.ORIGINAL, Revision.CURRENT
DIRECT, PEER2PEER, UNMANAGED = (
    Flow.MANAGED_DIRECT,
    Flow.MANAGED_PEER2PEER,
    Flow.UNMANAGED_DIRECT,
)
NATIVE, TUNNELLED = Transport.NATIVE, Transport.TUNNELLED
MUST, MAY, NOT = Need.COMPULSORY, Need.OPTIONAL, Need.NOT_USED
CLIENT, SOURCE, DESTINATION = Seat.CLIENT, Seat.SOURCE, Seat.DESTINATION

P2P, TUNNEL = "VIR_MIGRATE_PEER2PEER", "VIR_MIGRATE_TUNNELLED"
TWO_URIS = "virsh migrate GUESTNAME DEST-LIBVIRT-URI [ALT-DEST-LIBVIRT-URI]"

# fmt: off
# In the document's order.
HEADINGS = [
    # id                     anchor                      title
    ("native-direct",        "scenarionativedirect",
     "Native migration, client to two libvirtd servers"),
    ("native-p2p-client",    "scenarionativepeer2peer",
     "Native migration, client to and peer2peer between, two libvirtd servers"),
    ("tunnelled-p2p-client", "scenariotunnelpeer2peer1",
     "Tunnelled migration, client and peer2peer between two libvirtd servers"),
    ("native-unmanaged",     "nativedirectunmanaged",
     "Native migration, client to one libvirtd server"),
    ("native-p2p",           "nativepeer2peer",
     "Native migration, peer2peer between two libvirtd servers"),
    ("tunnelled-p2p",        "scenariotunnelpeer2peer2",
     "Tunnelled migration, peer2peer between two libvirtd servers"),
]

CALLS = [
    # id                     flow       transport  API call                 flags
    ("native-direct",        DIRECT,    NATIVE,    "virDomainMigrate",      ()),
    ("native-p2p-client",    PEER2PEER, NATIVE,    "virDomainMigrate",      (P2P,)),
    ("tunnelled-p2p-client", PEER2PEER, TUNNELLED, "virDomainMigrate",      (P2P, TUNNEL)),
    ("native-unmanaged",     UNMANAGED, NATIVE,    "virDomainMigrateToURI", ()),
    ("native-p2p",           PEER2PEER, NATIVE,    "virDomainMigrateToURI", (P2P,)),
    ("tunnelled-p2p",        PEER2PEER, TUNNELLED, "virDomainMigrateToURI", (P2P, TUNNEL)),
]

# "In peer-to-peer migrations [the second] is from the perspective of the source": the source reads
# it where the client has no destination connection of its own.
URIS = [
    # id                     source          destination     alternative    migration
    ("native-direct",        (MUST, CLIENT), (MUST, CLIENT), (NOT, SOURCE), (MAY,  SOURCE)),
    ("native-p2p-client",    (MUST, CLIENT), (MUST, CLIENT), (MAY, SOURCE), (NOT,  SOURCE)),
    ("tunnelled-p2p-client", (MUST, CLIENT), (MUST, CLIENT), (MAY, SOURCE), (NOT,  SOURCE)),
    ("native-unmanaged",     (MUST, CLIENT), (NOT,  SOURCE), (NOT, SOURCE), (MUST, SOURCE)),
    ("native-p2p",           (MUST, CLIENT), (MUST, SOURCE), (MAY, SOURCE), (NOT,  SOURCE)),
    ("tunnelled-p2p",        (MUST, CLIENT), (MUST, SOURCE), (MAY, SOURCE), (NOT,  SOURCE)),
]

OURS = "the client's"
ROOTS = "the source daemon's own (typically root's), not the client's"
ITS_OWN = "those of the hypervisor's own management"

CONNECTIONS = [
    # id                     who connects with whom, with whose credentials
    ("native-direct",        [(CLIENT, SOURCE, OURS), (CLIENT, DESTINATION, OURS)]),
    ("native-p2p-client",    [(CLIENT, SOURCE, OURS), (CLIENT, DESTINATION, OURS),
                              (SOURCE, DESTINATION, ROOTS)]),
    ("tunnelled-p2p-client", [(CLIENT, SOURCE, OURS), (CLIENT, DESTINATION, OURS),
                              (SOURCE, DESTINATION, ROOTS)]),
    ("native-unmanaged",     [(CLIENT, SOURCE, OURS), (SOURCE, DESTINATION, ITS_OWN)]),
    ("native-p2p",           [(CLIENT, SOURCE, OURS), (SOURCE, DESTINATION, ROOTS)]),
    ("tunnelled-p2p",        [(CLIENT, SOURCE, OURS), (SOURCE, DESTINATION, ROOTS)]),
]

CLIENT_OPENS_DESTINATION = ["native-direct", "native-p2p-client", "tunnelled-p2p-client"]

CRASHES = [
    # flow      what a client crash does, and words that its wording needs
    (DIRECT,    Crash.ABORTED,   ("abort", "source", "paused on one or both hosts")),
    (PEER2PEER, Crash.CONTINUES, ("source's daemon", "until the migration is complete")),
    (UNMANAGED, Crash.CONTINUES, ("libvirtd crashes", "until the migration is complete")),
]

VIRSH = [
    # id                     syntax; None: "This mode cannot be invoked from virsh"
    ("native-direct",        "virsh migrate GUESTNAME DEST-LIBVIRT-URI [HV-URI]"),
    ("native-p2p-client",    None),
    ("tunnelled-p2p-client", None),
    ("native-unmanaged",     "virsh migrate GUESTNAME HV-URI"),
    ("native-p2p",           TWO_URIS),
    ("tunnelled-p2p",        TWO_URIS),
]

SUPPORTED_BY = [
    # id                     the document's drivers
    ("native-direct",        {"xen", "qemu", "vmware", "vbox"}),
    ("native-p2p-client",    {"qemu"}),
    ("tunnelled-p2p-client", {"qemu"}),
    ("native-unmanaged",     {"xen"}),
    ("native-p2p",           {"qemu"}),
    ("tunnelled-p2p",        {"qemu"}),
]

# libvirt as it is: libxl has peer-to-peer of its own, and nobody unmanaged migration any more.
SUPPORTED_TODAY = [
    # id                     drivers
    ("native-direct",        {"xen", "qemu", "vmware", "vbox"}),
    ("native-p2p-client",    {"qemu"}),
    ("tunnelled-p2p-client", {"qemu"}),
    ("native-unmanaged",     {"xen"}),
    ("native-p2p",           {"xen", "qemu"}),
    ("tunnelled-p2p",        {"xen", "qemu"}),
]

T, P = "Transient", "Persistent"
N, Y = False, True
CONFIGURATION = [
    # before    source dest    --undefine-source --persist    after source dest
    (T, N, N,                  N, N,                          T, N, N),
    (T, N, N,                  Y, N,                          T, N, N),
    (T, N, N,                  N, Y,                          P, N, Y),
    (T, N, N,                  Y, Y,                          P, N, Y),
    (T, N, Y,                  N, N,                          T, N, N),
    (T, N, Y,                  Y, N,                          T, N, N),
    (T, N, Y,                  N, Y,                          P, N, Y),
    (T, N, Y,                  Y, Y,                          P, N, Y),
    (P, Y, N,                  N, N,                          T, Y, N),
    (P, Y, N,                  Y, N,                          T, N, N),
    (P, Y, N,                  N, Y,                          P, Y, Y),
    (P, Y, N,                  Y, Y,                          P, N, Y),
    (P, Y, Y,                  N, N,                          P, Y, Y),
    (P, Y, Y,                  Y, N,                          P, N, Y),
    (P, Y, Y,                  N, Y,                          P, Y, Y),
    (P, Y, Y,                  Y, Y,                          P, N, Y),
]

# "(unchanged dest config)": what libvirt's document says since, and what real hosts do.
CORRECTED = {
    # before    flags    after
    (T, N, Y,   N, N):   (P, N, Y),
    (T, N, Y,   Y, N):   (P, N, Y),
}

# A guest that no row names: a file is touched only by the flag that says so.
NAMELESS = [
    # before                undefine persist  after
    (Before(N, Y, N),       N,       N,       After(N, Y, N)),
    (Before(N, Y, N),       Y,       N,       After(N, N, N)),
    (Before(N, Y, N),       N,       Y,       After(Y, Y, Y)),
    (Before(N, Y, N),       Y,       Y,       After(Y, N, Y)),
    (Before(N, Y, Y),       N,       N,       After(Y, Y, Y)),
    (Before(N, Y, Y),       Y,       Y,       After(Y, N, Y)),
    (Before(Y, N, N),       N,       N,       After(N, N, N)),
    (Before(Y, N, N),       Y,       N,       After(N, N, N)),
    (Before(Y, N, N),       N,       Y,       After(Y, N, Y)),
    (Before(Y, N, Y),       N,       N,       After(Y, N, Y)),
    (Before(Y, N, Y),       Y,       Y,       After(Y, N, Y)),
]
# fmt: on

Line = tuple[str, bool, bool, bool, bool, str, bool, bool]


def _corrected(line: Line) -> Line:
    kind, source, dest = CORRECTED.get(line[:5], line[5:])
    return (*line[:5], kind, source, dest)


def _row(line: Line) -> Row:
    kind, source, dest, undefine, persist, kind_after, source_after, dest_after = line
    return Row(
        Before(kind == P, source, dest),
        undefine,
        persist,
        After(kind_after == P, source_after, dest_after),
    )


TABLES = {
    ORIGINAL: [_row(line) for line in CONFIGURATION],
    CURRENT: [_row(_corrected(line)) for line in CONFIGURATION],
}
LINES = [(revision, row) for revision, table in TABLES.items() for row in table]


def test_scenarios_are_the_documents_in_its_order() -> None:
    found = [(scenario.id, scenario.anchor, scenario.title) for scenario in SCENARIOS.values()]

    assert found == HEADINGS
    assert list(SCENARIOS) == [id_ for id_, *_ in HEADINGS]


def test_api_calls_and_flags() -> None:
    found = [
        (scenario.id, scenario.flow, scenario.transport, scenario.api, scenario.flags)
        for scenario in SCENARIOS.values()
    ]

    assert found == CALLS


def test_which_uris_and_seen_from_where() -> None:
    found = [
        (
            scenario.id,
            tuple(scenario.source),
            tuple(scenario.destination),
            tuple(scenario.alternative),
            tuple(scenario.migration),
        )
        for scenario in SCENARIOS.values()
    ]

    assert found == URIS


def test_who_connects_with_whom() -> None:
    found = [
        (scenario.id, [tuple(leg) for leg in scenario.connections])
        for scenario in SCENARIOS.values()
    ]

    assert found == CONNECTIONS


def test_where_the_client_connects_with_the_destination() -> None:
    found = [scenario.id for scenario in SCENARIOS.values() if scenario.client_opens_destination]

    assert found == CLIENT_OPENS_DESTINATION


@pytest.mark.parametrize(("flow", "then", "words"), CRASHES)
def test_client_crash(flow: Flow, then: Crash, words: tuple[str, ...]) -> None:
    found, because = CRASH[flow]

    assert found is then
    assert [word for word in words if word not in because] == []


def test_every_flow_has_a_client_crash() -> None:
    assert list(CRASH) == list(Flow)


def test_virsh_syntax() -> None:
    assert [(scenario.id, scenario.virsh) for scenario in SCENARIOS.values()] == VIRSH


@pytest.mark.parametrize(
    ("revision", "table"), [(ORIGINAL, SUPPORTED_BY), (CURRENT, SUPPORTED_TODAY)]
)
def test_supported_by(
    migrator: Migrator, revision: Revision, table: list[tuple[str, set[str]]]
) -> None:
    found = [
        (
            id_,
            {
                name
                for name, driver in migrator.registry.drivers.items()
                if id_ in driver.capabilities(revision).offers
            },
        )
        for id_ in SCENARIOS
    ]

    assert found == table


@pytest.mark.parametrize("revision", Revision)
def test_configuration_table_is_whole_and_in_order(revision: Revision) -> None:
    assert list(ROWS[revision]) == TABLES[revision]
    assert len(ROWS[revision]) == 16


@pytest.mark.parametrize(("revision", "row"), LINES)
def test_configuration_row(revision: Revision, row: Row) -> None:
    found = after(
        row.before, undefine_source=row.undefine_source, persist=row.persist, revision=revision
    )

    assert found == row.after


def test_revisions_disagree_in_two_rows() -> None:
    differing = [
        (old, new) for old, new in zip(ROWS[ORIGINAL], ROWS[CURRENT], strict=True) if old != new
    ]

    assert differing == [
        (
            Row(Before(N, N, Y), undefine, N, After(N, N, N)),
            Row(Before(N, N, Y), undefine, N, After(Y, N, Y)),
        )
        for undefine in (N, Y)
    ]


@pytest.mark.parametrize("revision", Revision)
@pytest.mark.parametrize(("undefine", "persist"), [(N, N), (Y, N), (N, Y), (Y, Y)])
def test_flags_leave_four_rows_open(revision: Revision, undefine: bool, persist: bool) -> None:
    found = rows(revision, undefine_source=undefine, persist=persist)

    assert list(found) == [row for row in TABLES[revision] if row[1:3] == (undefine, persist)]
    assert [row.before for row in found] == [
        Before(N, N, N),
        Before(N, N, Y),
        Before(Y, Y, N),
        Before(Y, Y, Y),
    ]


@pytest.mark.parametrize("revision", Revision)
@pytest.mark.parametrize(("before", "undefine", "persist", "then"), NAMELESS)
def test_guest_that_no_row_names(
    before: Before, undefine: bool, persist: bool, then: After, revision: Revision
) -> None:
    assert before not in [row.before for row in ROWS[revision]]
    assert after(before, undefine_source=undefine, persist=persist, revision=revision) == then


def test_every_revision_has_a_table() -> None:
    assert set(ROWS) == set(Revision)
