from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_plugins import (
    LIBVIRT_CONTROL,
    Basis,
    ChosenBy,
    Crash,
    Driver,
    DriverInfo,
    ExitCode,
    InvalidURIError,
    MigrationURI,
    NativeCommand,
    PlanError,
    Reason,
    Request,
    Revision,
)

if TYPE_CHECKING:
    from typing import Any

    from migrate_plugins import Migrator

ORIGINAL, CURRENT = Revision.ORIGINAL, Revision.CURRENT
XEND = "xend takes xenmigr://HOST[:PORT], xenmigr:HOST[:PORT] or HOST[:PORT]"
LIBXL = "libxl takes tcp://HOST[:PORT] or HOST[:PORT]"

# fmt: off
PORTS = [
    # revision   scenario            ports         chosen by
    (ORIGINAL,   "native-direct",    (8002, 8002), ChosenBy.HYPERVISOR),
    (ORIGINAL,   "native-unmanaged", (8002, 8002), ChosenBy.HYPERVISOR),
    (CURRENT,    "native-direct",    (49152, 49216), ChosenBy.DESTINATION),
    (CURRENT,    "native-p2p",       (49152, 49216), ChosenBy.DESTINATION),
    (CURRENT,    "native-unmanaged", (22, 22),    ChosenBy.HYPERVISOR),
]

STALLS, AS_THE_DOCUMENT_SAYS = Crash.STALLS, None
TERMS = [
    # revision  scenario            protocol                                   encrypted  live
    (ORIGINAL,  "native-direct",    "xend relocation",                         False,     False,
     AS_THE_DOCUMENT_SAYS),
    (ORIGINAL,  "native-unmanaged", "xend relocation or xl",                   None,      True,
     AS_THE_DOCUMENT_SAYS),
    (CURRENT,   "native-direct",    "libxl migration stream",                  False,     False,
     STALLS),
    (CURRENT,   "native-p2p",       "libxl migration stream",                  False,     False,
     AS_THE_DOCUMENT_SAYS),
    (CURRENT,   "tunnelled-p2p",    "libxl migration stream",                  False,     False,
     AS_THE_DOCUMENT_SAYS),
    (CURRENT,   "native-unmanaged", "libxl migration stream over ssh",         True,      True,
     AS_THE_DOCUMENT_SAYS),
]

DIRECT = {"direct": True}
MANAGED = {"destination": "xen+ssh://b/system"}
UNREADABLE = [
    # revision   asked for   migration URI          reason
    (CURRENT,    MANAGED,    "xenmigr://b/",        "xenmigr-scheme"),
    (CURRENT,    DIRECT,     "tcp://b",             "tcp-scheme"),
    (ORIGINAL,   DIRECT,     "tcp://b",             "migration-uri-unreadable"),
    (ORIGINAL,   DIRECT,     "xenmigr://joe@b/",    "xl-user"),
    (CURRENT,    DIRECT,     "joe@b",               "xl-user"),
    (ORIGINAL,   DIRECT,     "xenmigr://-oX/",      "xl-host"),
    (ORIGINAL,   DIRECT,     "xenmigr://b$(x)/",    "xl-host"),
]

LIBXL_TAKES = (
    "libvirt's driver for libxl takes no flags and parameters but those of --live, --p2p,"
    " --tunnelled, --persistent, --undefinesource, --suspend, --dname and --xml"
)
WITHOUT = [
    # asked for                          option
    ({"tls": True},                      "--tls"),
    ({"compressed": True},               "--compressed"),
    ({"bandwidth": 100},                 "--bandwidth"),
    ({"postcopy": True, "live": True},   "--postcopy"),
    ({"copy_storage_all": True},         "--copy-storage-all"),
]

OLD = frozenset({"live", "persistent", "undefine_source"})
NEW = OLD | {"suspend", "dname", "xml"}
OFFERS = [
    # revision   scenario            basis             options  migration URI
    (ORIGINAL,   "native-direct",    Basis.DOCUMENT,   OLD,     True),
    (ORIGINAL,   "native-unmanaged", Basis.DOCUMENT,   OLD,     True),
    (CURRENT,    "native-direct",    Basis.VERIFIED,   NEW,     True),
    (CURRENT,    "native-p2p",       Basis.VERIFIED,   NEW,     True),
    (CURRENT,    "native-unmanaged", Basis.VERIFIED,   {"live"}, True),
    (CURRENT,    "tunnelled-p2p",    Basis.VERIFIED,   NEW,     False),
]

READ = [
    # revision   text
    (ORIGINAL,   "xenmigr://desthost/"),
    (ORIGINAL,   "xenmigr:10.0.0.1/"),
    (ORIGINAL,   "XENMIGR://desthost:8002/"),
    (ORIGINAL,   "desthost"),
    (ORIGINAL,   "desthost:8002"),
    (CURRENT,    "tcp://desthost"),
    (CURRENT,    "tcp://[2001:db8::7]:49300"),
    (CURRENT,    "desthost"),
    (CURRENT,    "10.0.0.1:8002"),
    (CURRENT,    "xenmigr://desthost/"),
    (CURRENT,    "xenmigr:desthost"),
]

REFUSED = [
    # revision   text                    what is wrong              what would work
    (ORIGINAL,   "tcp://desthost/",      "its scheme is 'tcp'",
     f"{XEND}; tcp:// goes with --revision current, without --direct"),
    (ORIGINAL,   "rdma://desthost/",     "its scheme is 'rdma'",    XEND),
    (CURRENT,    "http://desthost/",     "its scheme is 'http'",    LIBXL),
    (ORIGINAL,   "xenmigr:///path",      "it names no host",      XEND),
    (ORIGINAL,   "xenmigr://",           "it names no host",        XEND),
    (ORIGINAL,   "//",                   "it names no host",        XEND),
    (ORIGINAL,   "h:99999", "the port '99999' is not a number from 0 to 65535", XEND),
    (ORIGINAL,   "h:abc",                "'h' is no scheme, or 'abc' no port", XEND),
    (CURRENT,    "tcp:///path",          "it names no host",      LIBXL),
    (CURRENT,    "h:abc",                "'h' is no scheme, or 'abc' no port", LIBXL),
]

COMMANDS = [
    # asked for                                             words after `virsh -c xen:///system`
    ({"destination": "xen+tls://b/system"},                 "migrate web1 xen+tls://b/system"),
    ({"destination": "xen+tcp://b/system", "migration": "xenmigr:10.0.0.1/"},
     "migrate web1 xen+tcp://b/system xenmigr:10.0.0.1/"),
    ({"direct": True, "migration": "xenmigr://b/"},         "migrate --direct web1 xenmigr://b/"),
    ({"destination": "xen+ssh://b/system", "p2p": True, "tunnelled": True, "live": True,
      "revision": CURRENT},
     "migrate --p2p --tunnelled --live web1 xen+ssh://b/system"),
    ({"destination": "xen+ssh://b/system", "dname": "web2", "revision": CURRENT},
     "migrate --dname web2 web1 xen+ssh://b/system"),
]
# fmt: on


@pytest.fixture
def xen(migrator: Migrator) -> Driver:
    return migrator.registry.drivers["xen"]


def test_driver(xen: Driver) -> None:
    assert xen.info == DriverInfo(
        "xen",
        "Xen",
        ("xen",),
        ("xenmigr", "tcp"),
        LIBVIRT_CONTROL,
        example="xen+ssh://desthost/system",
    )


@pytest.mark.parametrize(("revision", "scenario", "ports", "chosen_by"), PORTS)
def test_port_rule(
    xen: Driver, revision: Revision, scenario: str, ports: tuple[int, int], chosen_by: ChosenBy
) -> None:
    rule = xen.port_rule(revision, scenario)

    assert (rule.first, rule.last) == ports
    assert rule.chosen_by is chosen_by


@pytest.mark.parametrize(
    ("revision", "scenario", "protocol", "encrypted", "always_live", "crash"), TERMS
)
def test_terms_are_those_of_the_program_that_moves_the_guest(
    xen: Driver,
    revision: Revision,
    scenario: str,
    protocol: str,
    encrypted: bool | None,
    always_live: bool,
    crash: Crash | None,
) -> None:
    terms = xen.terms(revision, scenario)

    assert (terms.protocol, terms.encrypted, terms.always_live) == (
        protocol,
        encrypted,
        always_live,
    )
    assert (terms.on_client_crash and terms.on_client_crash.then) is crash


@pytest.mark.parametrize(("revision", "asked", "text", "reason"), UNREADABLE)
def test_uri_that_only_another_program_reads_is_refused(
    migrator: Migrator, revision: Revision, asked: dict[str, Any], text: str, reason: str
) -> None:
    with pytest.raises(PlanError) as caught:
        migrator.plan("web1", source="xen:///system", migration=text, revision=revision, **asked)

    assert [each.id for each in caught.value.reasons] == [reason]
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(("asked", "option"), WITHOUT, ids=[option for _, option in WITHOUT])
def test_option_that_libxl_has_no_flag_for_is_refused_with_the_reason(
    migrator: Migrator, asked: dict[str, Any], option: str
) -> None:
    with pytest.raises(PlanError) as caught:
        migrator.plan("web1", source="xen:///system", **MANAGED, revision=CURRENT, **asked)  # type: ignore[arg-type]

    text = f"xen has no {option} in native-direct, revision current: {LIBXL_TAKES}"
    assert caught.value.reasons == (Reason("option-not-offered", text, f"leave out {option}"),)


@pytest.mark.parametrize(
    ("tunnelled", "scenario"), [(False, "native-p2p"), (True, "tunnelled-p2p")]
)
def test_way_that_xend_had_not_is_refused_with_the_revision_that_has_it(
    migrator: Migrator, tunnelled: bool, scenario: str
) -> None:
    with pytest.raises(PlanError) as caught:
        migrator.plan(
            "web1",
            source="xen:///system",
            destination="xen+ssh://b/system",
            p2p=True,
            tunnelled=tunnelled,
            revision=ORIGINAL,
        )

    text = f"xen does not offer {scenario} in revision original"
    hint = "xen offers native-direct, native-unmanaged; --revision current allows it"
    assert caught.value.reasons == (Reason("scenario-not-offered", text, hint),)


def test_offers(xen: Driver) -> None:
    assert [
        (revision, scenario, offer.claim.basis, offer.options, offer.migration_uri)
        for revision in Revision
        for scenario, offer in xen.capabilities(revision).offers.items()
    ] == OFFERS


def test_claims_name_their_source(xen: Driver) -> None:
    for revision, scenario, *_ in OFFERS:
        claim = xen.capabilities(revision).offers[scenario].claim

        assert claim.reference
        assert claim.version == (None if revision is ORIGINAL else "libvirt 9.0.0, Xen 4.17")


def test_protocol_by_revision(xen: Driver) -> None:
    assert [
        (capabilities.protocol, capabilities.migration_schemes, capabilities.encrypting_option)
        for capabilities in (xen.capabilities(revision) for revision in Revision)
    ] == [
        ("xend relocation", ("xenmigr",), None),
        ("libxl migration stream", ("tcp",), None),
    ]


def test_destination_writes_the_migration_uri(xen: Driver) -> None:
    assert xen.uri(Request("web1"), "desthost", None) == (None, ())


@pytest.mark.parametrize(("revision", "text"), READ)
def test_read_uri(xen: Driver, revision: Revision, text: str) -> None:
    uri = xen.read_uri(text, revision)

    assert uri == MigrationURI.parse(text)
    assert str(uri) == text


@pytest.mark.parametrize(("revision", "text", "part", "hint"), REFUSED)
def test_refused_uri(xen: Driver, revision: Revision, text: str, part: str, hint: str) -> None:
    with pytest.raises(InvalidURIError) as caught:
        xen.read_uri(text, revision)

    assert str(caught.value) == f"cannot read the URI {text!r}: {part}; {hint}"


@pytest.mark.parametrize("text", ["tcp:desthost", "tcp:desthost:49152"])
def test_libxl_takes_no_scheme_without_slashes(xen: Driver, text: str) -> None:
    """libxl puts tcp:// before whatever does not start with it, and cannot read the result."""
    with pytest.raises(InvalidURIError):
        xen.read_uri(text, CURRENT)


@pytest.mark.parametrize(("asked", "words"), COMMANDS)
def test_command(migrator: Migrator, asked: dict[str, Any], words: str) -> None:
    plan = migrator.plan("web1", **{"source": "xen:///system", **asked})

    virsh = NativeCommand("virsh", ("virsh", "-c", "xen:///system", *words.split()))
    assert plan.commands[0] == virsh
    assert [command.tool for command in plan.commands[1:]] == ["xl"] * bool(asked.get("direct"))
