"""Planning: what is refused with which words, and what a plan says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import (
    OPTIONS,
    SCENARIOS,
    After,
    Before,
    Channel,
    ChosenBy,
    ExitCode,
    Finding,
    Flow,
    Kind,
    NoDriverError,
    Plan,
    PlanError,
    PlannedPort,
    PlannedURI,
    Reason,
    Request,
    Revision,
    Seat,
    Severity,
    Transport,
    UsageError,
)

if TYPE_CHECKING:
    from migrate_plugins import Migrator

ORIGINAL, CURRENT = Revision.ORIGINAL, Revision.CURRENT
CLIENT, SOURCE, DESTINATION = Seat.CLIENT, Seat.SOURCE, Seat.DESTINATION

QEMU = {"source": "qemu:///system", "destination": "qemu+ssh://desthost/system"}
XEN = {"source": "xen:///system", "destination": "xen+tls://desthost/system"}
VMWARE = {"source": "vpx://vcenter/DC/a", "destination": "vpx://vcenter/DC/b"}
VBOX = {"source": "vbox:///session", "destination": "vbox+ssh://desthost/session"}
XEND = {"source": "xen:///system", "direct": True, "migration": "xenmigr://desthost/"}

CONNECTION_HINT = (
    "a connection URI is driver[+transport]://[user@][host][:port]/[path][?parameters],"
    " for example qemu+ssh://root@desthost/system"
)
MANAGED_DIRECT = "leave it out, or use managed direct (neither --p2p nor --direct)"

# fmt: off
RULES = [
    # what was asked for, then the one reason against it
    (XEN | {"p2p": True},
     Reason("scenario-not-offered",
            "xen does not offer native-p2p in revision original",
            "xen offers native-direct, native-unmanaged; --revision current allows it")),
    (XEN | {"p2p": True, "tunnelled": True},
     Reason("scenario-not-offered",
            "xen does not offer tunnelled-p2p in revision original",
            "xen offers native-direct, native-unmanaged; --revision current allows it")),
    (XEN | {"scenario": "native-p2p-client"},
     Reason("scenario-not-offered",
            "xen does not offer native-p2p-client in revision original",
            "xen offers native-direct, native-unmanaged")),
    ({"source": "qemu:///system", "direct": True, "migration": "tcp://desthost/"},
     Reason("scenario-not-offered",
            "qemu does not offer native-unmanaged in revision original",
            "qemu offers native-direct, native-p2p-client, tunnelled-p2p-client, native-p2p,"
            " tunnelled-p2p")),
    (VMWARE | {"p2p": True},
     Reason("scenario-not-offered",
            "vmware does not offer native-p2p in revision original",
            "vmware offers native-direct")),
    (VBOX | {"p2p": True, "tunnelled": True},
     Reason("scenario-not-offered",
            "vbox does not offer tunnelled-p2p in revision original",
            "vbox offers native-direct")),
    # "There is no scope for forcing an alternative network interface"
    (QEMU | {"p2p": True, "migration": "tcp://10.0.0.1/"},
     Reason("migration-uri-not-used",
            "the migration URI 'tcp://10.0.0.1/' was given, and native-p2p has no scope for one in"
            " revision original",
            f"{MANAGED_DIRECT}; --revision current allows it")),
    (QEMU | {"scenario": "native-p2p-client", "migration": "tcp://10.0.0.1/"},
     Reason("migration-uri-not-used",
            "the migration URI 'tcp://10.0.0.1/' was given, and native-p2p-client has no scope for"
            " one in revision original",
            f"{MANAGED_DIRECT}; --revision current allows it")),
    # "The native hypervisor URI format is not used at all"
    (QEMU | {"p2p": True, "tunnelled": True, "migration": "tcp://10.0.0.1/"},
     Reason("migration-uri-tunnelled",
            "the migration URI 'tcp://10.0.0.1/' was given, and tunnelled memory travels inside"
            " the libvirt connection",
            "leave it out, or leave out --tunnelled")),
    (QEMU | {"p2p": True, "tunnelled": True, "migration": "tcp://10.0.0.1/", "revision": CURRENT},
     Reason("migration-uri-tunnelled",
            "the migration URI 'tcp://10.0.0.1/' was given, and tunnelled memory travels inside"
            " the libvirt connection",
            "leave it out, or leave out --tunnelled")),
    # "There is no use or requirement for a destination libvirtd instance at all"
    (XEND | {"destination": "xen+tls://desthost/system"},
     Reason("destination-not-used",
            "the destination URI 'xen+tls://desthost/system' was given, and native-unmanaged has"
            " no destination daemon to connect to",
            "give the migration URI alone")),
    (QEMU | {"port_range": (49300, 49310)},
     Reason("port-range-not-ours",
            "--port-range was given, and with qemu the port is not ours to choose (chosen by:"
            " destination)",
            "leave it out; a single port can be fixed in the migration URI")),
    (VMWARE | {"port_range": (49300, 49310)},
     Reason("port-range-not-ours",
            "--port-range was given, and with vmware the port is not ours to choose (chosen by:"
            " hypervisor)",
            "leave it out; a single port can be fixed in the migration URI")),
    (QEMU | {"postcopy": True, "live": True},
     Reason("option-not-offered",
            "qemu has no --postcopy in native-direct, revision original",
            "it can be had in native-direct, native-p2p-client, native-p2p with"
            " --revision current")),
    (QEMU | {"tls": True},
     Reason("option-not-offered",
            "qemu has no --tls in native-direct, revision original",
            "it can be had in native-direct, native-p2p-client, native-p2p with"
            " --revision current")),
    (QEMU | {"scenario": "native-p2p-client", "xml": "f"},
     Reason("option-not-offered",
            "qemu has no --xml in native-p2p-client, revision original",
            "it can be had in native-direct, native-p2p, tunnelled-p2p")),
    (VMWARE | {"dname": "web2"},
     Reason("option-not-offered",
            "vmware has no --dname in native-direct, revision original",
            "leave out --dname")),
    (XEN | {"suspend": True},
     Reason("option-not-offered",
            "xen has no --suspend in native-direct, revision original: libvirt's driver for xend"
            " took no flags but those of --live, --persistent and --undefinesource",
            "it can be had in native-direct, native-p2p, tunnelled-p2p with --revision current")),
]

INPUT = [
    # what was asked for, then the one reason against it; wrong whatever the rules say
    (QEMU | {"guest": ""},
     Reason("guest-missing", "no guest was named", "name one, such as web1")),
    ({"destination": "qemu+ssh://desthost/system"},
     Reason("source-missing",
            "no source URI was given, and every migration needs the first URI",
            "give it with -c/--connect or in LIBVIRT_DEFAULT_URI")),
    (QEMU | {"source": "qemu system"},
     Reason("source-unreadable",
            "the source URI 'qemu system' cannot be read: it contains a space",
            CONNECTION_HINT)),
    ({"source": "qemu:///system"},
     Reason("destination-missing",
            "no destination URI was given, and native-direct needs the second URI",
            "give the destination's connection URI, such as qemu+ssh://desthost/system")),
    ({"source": "qemu:///system", "p2p": True},
     Reason("destination-missing",
            "no destination URI was given, and native-p2p needs the second URI",
            "give the destination's connection URI, such as qemu+ssh://desthost/system")),
    (QEMU | {"destination": "qemu+ssh://desthost:x/system"},
     Reason("destination-unreadable",
            "the destination URI 'qemu+ssh://desthost:x/system' cannot be read: the port 'x' is"
            " not a number from 0 to 65535",
            CONNECTION_HINT)),
    (QEMU | {"destination": "xen+ssh://desthost/system"},
     Reason("destination-other-driver",
            "the destination 'xen+ssh://desthost/system' is another hypervisor's, and a guest of"
            " qemu stays with qemu",
            "give a destination of qemu://, such as qemu+ssh://desthost/system")),
    (QEMU | {"destination": "http://desthost/"},
     Reason("destination-other-driver",
            "the destination 'http://desthost/' is not a connection URI of qemu",
            "give a destination of qemu://, such as qemu+ssh://desthost/system")),
    # a driver without ssh is not told to use it
    (VMWARE | {"destination": "http://desthost/"},
     Reason("destination-other-driver",
            "the destination 'http://desthost/' is not a connection URI of vmware",
            ("give a destination of vpx:// or esx:// or gsx://,"
             " such as vpx://vcenter/DATACENTER/CLUSTER/DESTHOST"))),
    (QEMU | {"p2p": True, "migration": "xen+ssh://10.0.0.1/system"},
     Reason("destination-other-driver",
            "the destination 'xen+ssh://10.0.0.1/system' is another hypervisor's, and a guest of"
            " qemu stays with qemu",
            "give a destination of qemu://, such as qemu+ssh://desthost/system")),
    (QEMU | {"destination": "qemu+telnet://desthost/system"},
     Reason("transport-unknown",
            "qemu has no connection transport 'telnet' (in qemu+telnet://desthost/system)",
            "it has ext, libssh, libssh2, ssh, tcp, tls, unix")),
    (VMWARE | {"destination": "vpx+ssh://vcenter/DC/b"},
     Reason("transport-unknown",
            "vmware has no connection transport 'ssh' (in vpx+ssh://vcenter/DC/b)",
            "write vpx://")),
    (QEMU | {"migration": "http://10.0.0.1/"},
     Reason("migration-uri-unreadable",
            "qemu cannot read the migration URI 'http://10.0.0.1/': its scheme is 'http'",
            "QEMU takes tcp://, rdma://, for example tcp://10.0.0.1/")),
    (QEMU | {"migration": "tcp://2001:db8::7/"},
     Reason("migration-uri-unreadable",
            "qemu cannot read the migration URI 'tcp://2001:db8::7/': 2001:db8::7 has several"
            " colons",
            "an IPv6 address stands in brackets, such as [2001:db8::7]; a migration URI is"
            " scheme://host[:port][/path], for example tcp://10.0.0.1:49152")),
    ({"source": "xen:///system", "direct": True},
     Reason("migration-uri-missing",
            "no migration URI was given, and native-unmanaged needs the third URI",
            "give it, such as xenmigr://desthost/")),
    (QEMU | {"p2p": True, "direct": True},
     Reason("flow-contradiction",
            "--p2p and --direct were both given",
            "--p2p lets the source's daemon control the migration, --direct the hypervisor")),
    (QEMU | {"tunnelled": True},
     Reason("tunnelled-needs-p2p",
            "--tunnelled was given without --p2p: memory can travel inside a libvirt connection"
            " only where the two daemons have one",
            "use --p2p --tunnelled")),
    (XEND | {"tunnelled": True},
     Reason("tunnelled-needs-p2p",
            "--tunnelled was given with --direct, where no daemon takes part",
            "use --p2p --tunnelled")),
    (QEMU | {"scenario": "native"},
     Reason("scenario-unknown",
            "there is no scenario 'native'",
            "the document has native-direct, native-p2p-client, tunnelled-p2p-client,"
            " native-unmanaged, native-p2p, tunnelled-p2p")),
    (QEMU | {"scenario": "native-direct", "p2p": True},
     Reason("scenario-contradiction",
            "--p2p was given, and scenario native-direct is managed-direct, native",
            "leave out --p2p or --scenario")),
    (QEMU | {"scenario": "native-p2p", "direct": True},
     Reason("scenario-contradiction",
            "--direct was given, and scenario native-p2p is managed-peer2peer, native",
            "leave out --direct or --scenario")),
    (QEMU | {"scenario": "native-p2p", "tunnelled": True},
     Reason("scenario-contradiction",
            "--tunnelled was given, and scenario native-p2p is managed-peer2peer, native",
            "leave out --tunnelled or --scenario")),
    (VBOX | {"port_range": (0, 10)},
     Reason("port-range",
            "--port-range 0-10 is not a range of ports",
            "give FIRST-LAST within 1-65535")),
    (VBOX | {"port_range": (49310, 49300)},
     Reason("port-range",
            "--port-range 49310-49300 is not a range of ports",
            "give FIRST-LAST within 1-65535")),
    (VBOX | {"port_range": (49310, 65536)},
     Reason("port-range",
            "--port-range 49310-65536 is not a range of ports",
            "give FIRST-LAST within 1-65535")),
]

P2P = {"p2p": True, "tunnelled": True}
STORAGE = ("--copy-storage-all", "--copy-storage-inc")

# The rules of virsh's manual page, section migrate.
NEEDS = [
    # given                                     the option        what it needs
    ({"offline": True},                         "--offline",              "--persistent"),
    ({"persistent_xml": "f"},                   "--persistent-xml",       "--persistent"),
    ({"timeout": 9},                            "--timeout",              "--live"),
    ({"timeout_suspend": True},                 "--timeout-suspend",      "--timeout"),
    ({"timeout_postcopy": True, "postcopy": True, "live": True},
                                                "--timeout-postcopy",     "--timeout"),
    ({"timeout_postcopy": True, "timeout": 9, "live": True},
                                                "--timeout-postcopy",     "--postcopy"),
    ({"tls_destination": "x"},                  "--tls-destination",      "--tls"),
    ({"parallel_connections": 4},               "--parallel-connections", "--parallel"),
    ({"comp_methods": ("xbzrle",)},             "--comp-methods",         "--compressed"),
    ({"postcopy": True},                        "--postcopy",             "--live"),
]

EXCLUDES = [
    # given                                           one              the other
    ({"offline": True, "persistent": True, "live": True},
                                                      "--offline",     "--live"),
    ({"offline": True, "persistent": True, "copy_storage_all": True},
                                                      "--offline",     "--copy-storage-all"),
    ({"offline": True, "persistent": True, "copy_storage_inc": True},
                                                      "--offline",     "--copy-storage-inc"),
    ({"copy_storage_all": True, "copy_storage_inc": True},
                                                      *STORAGE),
    ({"timeout": 9, "timeout_suspend": True, "timeout_postcopy": True, "postcopy": True,
      "live": True},                                  "--timeout-suspend", "--timeout-postcopy"),
    ({"postcopy": True, "live": True, "suspend": True}, "--postcopy",  "--suspend"),
    (P2P | {"tls": True},                             "--tls",         "--tunnelled"),
    (P2P | {"parallel": True},                        "--parallel",    "--tunnelled"),
    (P2P | {"postcopy": True, "live": True},          "--postcopy",    "--tunnelled"),
    (P2P | {"copy_storage_all": True},                "--copy-storage-all", "--tunnelled"),
    (P2P | {"copy_storage_inc": True},                "--copy-storage-inc", "--tunnelled"),
    (P2P | {"listen_address": "::"},                  "--listen-address",   "--tunnelled"),
    (P2P | {"migrate_disks": ("vda",)},               "--migrate-disks",    "--tunnelled"),
    (P2P | {"disks_port": 49400},                     "--disks-port",       "--tunnelled"),
]

RANGES = [
    # given                                           the option, its value     instead
    ({"bandwidth": 0},                                "--bandwidth 0",            "give 1 or more"),
    ({"bandwidth": -1},                               "--bandwidth -1",           "give 1 or more"),
    ({"timeout": 0, "live": True},                    "--timeout 0",              "give 1 or more"),
    ({"disks_port": 0},                               "--disks-port 0",          "give 1 to 65535"),
    ({"disks_port": 65536},                           "--disks-port 65536",      "give 1 to 65535"),
    ({"parallel": True, "parallel_connections": 0},   "--parallel-connections 0", "give 1 to 255"),
    ({"parallel": True, "parallel_connections": 256}, "--parallel-connections 256",
                                                                                  "give 1 to 255"),
]

# Everything that is offered: each scenario of each driver in each revision.
OFFERED = [
    (name, revision, scenario)
    for name, revision, scenarios in [
        ("qemu",   ORIGINAL, ("native-direct native-p2p-client tunnelled-p2p-client native-p2p"
                             " tunnelled-p2p")),
        ("qemu",   CURRENT,  ("native-direct native-p2p-client tunnelled-p2p-client native-p2p"
                             " tunnelled-p2p")),
        ("xen",    ORIGINAL, "native-direct native-unmanaged"),
        ("xen",    CURRENT,  "native-direct native-p2p native-unmanaged tunnelled-p2p"),
        ("vmware", ORIGINAL, "native-direct"),
        ("vmware", CURRENT,  "native-direct"),
        ("vbox",   ORIGINAL, "native-direct"),
        ("vbox",   CURRENT,  "native-direct"),
    ]
    for scenario in scenarios.split()
]

CHOSEN = [
    # flags                                   scenario          because
    ({},                                      "native-direct",  "neither --p2p nor --direct"),
    ({"p2p": True},                           "native-p2p",     "--p2p without --tunnelled"),
    ({"p2p": True, "tunnelled": True},        "tunnelled-p2p",  "--p2p --tunnelled"),
    ({"scenario": "native-p2p-client"},       "native-p2p-client",
                                                            "--scenario native-p2p-client"),
    ({"scenario": "native-p2p-client", "p2p": True},
                                              "native-p2p-client",
                                                            "--scenario native-p2p-client"),
    ({"scenario": "tunnelled-p2p", "p2p": True, "tunnelled": True},
                                              "tunnelled-p2p",  "--scenario tunnelled-p2p"),
]

PLAN_KEYS = [
    # design.md, section 6, and `schema`, `receiver`, `because`, `request` of ours
    "schema", "guest", "driver", "scenario", "flow", "transport", "api", "revision", "uris",
    "receiver", "flags", "port", "channels", "configuration", "on_client_crash", "commands",
    "findings", "because", "request",
]

DAMAGE = [
    # what was changed                                       what the sentence says
    (lambda json: json.pop("uris"),                          "KeyError: 'uris'"),
    (lambda json: json.update(scenario="native"),            "KeyError: 'native'"),
    (lambda json: json.update(request=[]),                   ("AttributeError: 'list' object has no"
                                                             " attribute 'items'")),
    (lambda json: json["request"].update(revision="old"),    ("ValueError: 'old' is not a valid"
                                                             " Revision")),
    (lambda json: json["port"].update(chosen_by="me"),       ("ValueError: 'me' is not a valid"
                                                             " ChosenBy")),
    (lambda json: json["channels"]["data"].update({"from": "x"}),
                                                             "ValueError: 'x' is not a valid Seat"),
    (lambda json: json["channels"]["data"].update(ports=[1]),
                                                             "IndexError: list index out of range"),
    (lambda json: json["channels"].update(control=None),     ("TypeError: 'NoneType' object is not"
                                                             " iterable")),
    (lambda json: json["findings"].append({"id": "x"}),      "KeyError: 'severity'"),
]
# fmt: on


def _plan(migrator: Migrator, **asked: Any) -> Plan:  # noqa: ANN401 - Request types them
    return migrator.plan(**{"guest": "web1", **asked})


def _reasons(migrator: Migrator, asked: dict[str, Any]) -> tuple[Reason, ...]:
    with pytest.raises(PlanError) as caught:
        _plan(migrator, **asked)
    for reason in caught.value.reasons:
        assert f"{reason.text}; {reason.instead}" in str(caught.value)
    return caught.value.reasons


def _offered(name: str, revision: Revision, scenario: str) -> dict[str, Any]:
    places = {"qemu": QEMU, "xen": XEN, "vmware": VMWARE, "vbox": VBOX}[name]
    asked: dict[str, Any] = {**places, "revision": revision, "scenario": scenario}
    if scenario == "native-unmanaged":
        asked |= {"destination": None, "migration": "desthost"}
    return asked


# --- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("asked", "reason"), RULES)
def test_refused_by_the_rules(migrator: Migrator, asked: dict[str, Any], reason: Reason) -> None:
    assert _reasons(migrator, asked) == (reason,)
    assert _error(migrator, asked).exit_code is ExitCode.BLOCKED


@pytest.mark.parametrize(("asked", "reason"), INPUT)
def test_refused_as_input(migrator: Migrator, asked: dict[str, Any], reason: Reason) -> None:
    assert _reasons(migrator, asked) == (reason._replace(usage=True),)
    assert _error(migrator, asked).exit_code is ExitCode.USAGE


def _error(migrator: Migrator, asked: dict[str, Any]) -> PlanError:
    with pytest.raises(PlanError) as caught:
        _plan(migrator, **asked)
    return caught.value


@pytest.mark.parametrize(("given", "option", "need"), NEEDS)
def test_option_that_needs_another(
    migrator: Migrator, given: dict[str, Any], option: str, need: str
) -> None:
    reason = Reason(
        "option-needs",
        f"{option} was given without {need}",
        f"add {need} or leave out {option}",
        usage=True,
    )

    assert reason in _reasons(migrator, QEMU | {"revision": CURRENT} | given)


@pytest.mark.parametrize(("given", "one", "other"), EXCLUDES)
def test_options_that_exclude_each_other(
    migrator: Migrator, given: dict[str, Any], one: str, other: str
) -> None:
    reason = Reason(
        "option-excludes",
        f"{one} and {other} exclude each other",
        "leave out one of the two",
        usage=True,
    )

    assert reason in _reasons(migrator, QEMU | {"revision": CURRENT} | given)


@pytest.mark.parametrize(("given", "value", "instead"), RANGES)
def test_option_out_of_range(
    migrator: Migrator, given: dict[str, Any], value: str, instead: str
) -> None:
    reason = Reason("option-range", f"{value} is out of range", instead, usage=True)

    assert _reasons(migrator, QEMU | {"revision": CURRENT} | given) == (reason,)


def test_every_rule_of_the_options_table_is_in_the_tables_above() -> None:
    needs = {(o.spellings[0], f"--{n.replace('_', '-')}") for o in OPTIONS for n in o.needs}
    excludes = {(o.spellings[0], f"--{n.replace('_', '-')}") for o in OPTIONS for n in o.excludes}
    limits = {option.spellings[0] for option in OPTIONS if option.most is not None}

    assert needs == {(option, need) for _, option, need in NEEDS}
    assert excludes <= {(one, other) for _, one, other in EXCLUDES}
    assert limits <= {value.split()[0] for _, value, _ in RANGES}


def test_all_reasons_at_once(migrator: Migrator) -> None:
    error = _error(
        migrator,
        {
            "guest": "",
            "source": "xen+telnet://a/",
            "destination": "qemu://b/",
            "migration": "tcp://c:x/",
            "bandwidth": 0,
            "timeout": 5,
            "port_range": (9, 1),
        },
    )

    assert sorted(reason.id for reason in error.reasons) == [
        "destination-other-driver",
        "guest-missing",
        "migration-uri-unreadable",
        "option-not-offered",
        "option-not-offered",
        "option-range",
        "port-range",
        "transport-unknown",
    ]
    assert str(error) == "this migration cannot be planned: " + " | ".join(
        f"{reason.text}; {reason.instead}" for reason in error.reasons
    )


# fmt: off
# The scenario is open; what will not do in any that may be meant: id, and words of the text.
UNDECIDED: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    # Xen has but one of the two in the document: the other will not be meant.
    (XEN | {"p2p": True, "direct": True, "dname": "x", "bandwidth": 3},
     [("flow-contradiction", ""),
      ("option-not-offered", "xen has no --dname in native-unmanaged, revision original"),
      ("option-not-offered", "xen has no --bandwidth in native-unmanaged, revision original")]),
    # Of today's two one takes the name, and neither the bandwidth.
    (XEN | {"revision": CURRENT, "p2p": True, "direct": True, "dname": "x", "bandwidth": 3},
     [("flow-contradiction", ""),
      ("option-not-offered", "no --bandwidth in native-p2p or native-unmanaged, revision")]),
    (XEN | {"p2p": True, "direct": True, "port_range": (9, 1), "options": ("pool=a",)},
     [("flow-contradiction", ""), ("own-option-unknown", "pool"), ("port-range", "9-1")]),
    # VirtualBox has neither, and nothing can be said of its options there.
    (VBOX | {"p2p": True, "direct": True, "bandwidth": 0, "compressed": True},
     [("flow-contradiction", ""),
      ("scenario-not-offered", "vbox does not offer native-p2p"),
      ("scenario-not-offered", "vbox does not offer native-unmanaged"),
      ("option-range", "--bandwidth 0")]),
    (QEMU | {"tunnelled": True, "tls": True},
     [("tunnelled-needs-p2p", ""),
      ("option-not-offered", "qemu has no --tls in tunnelled-p2p"),
      ("option-excludes", "--tls and --tunnelled")]),
    (QEMU | {"scenario": "native", "timeout": 5},
     [("scenario-unknown", "'native'"), ("option-needs", "--timeout was given without --live")]),
]
# fmt: on


@pytest.mark.parametrize(("asked", "reasons"), UNDECIDED)
def test_what_will_not_do_is_refused_although_the_scenario_is_open(
    migrator: Migrator, asked: dict[str, Any], reasons: list[tuple[str, str]]
) -> None:
    found = _reasons(migrator, asked)

    assert [each.id for each in found] == [id_ for id_, _ in reasons]
    assert all(words in each.text for each, (_, words) in zip(found, reasons, strict=True))


@pytest.mark.parametrize(
    ("surplus", "id_"),
    [
        ({"destination": "xen+ssh://b/system"}, "destination-not-used"),
        ({"bandwidth": 3}, "option-not-offered"),
    ],
)
def test_driver_judges_what_is_left_without_what_was_refused(
    migrator: Migrator, surplus: dict[str, Any], id_: str
) -> None:
    asked = {"source": "xen:///system", "direct": True, "migration": "tcp://h", "revision": CURRENT}

    assert [each.id for each in _reasons(migrator, asked)] == ["tcp-scheme"]
    assert [each.id for each in _reasons(migrator, asked | surplus)] == [id_, "tcp-scheme"]


def test_option_that_the_driver_lacks_is_to_go_and_not_to_be_completed(migrator: Migrator) -> None:
    reasons = _reasons(migrator, XEN | {"compressed": True, "parallel": True, "offline": True})

    assert [(each.id, each.text.split()[3]) for each in reasons] == [
        ("option-not-offered", option) for option in ("--offline", "--parallel", "--compressed")
    ]


def test_one_reason_of_the_rules_makes_the_whole_a_refusal(migrator: Migrator) -> None:
    error = _error(migrator, XEN | {"guest": "", "p2p": True})

    assert [reason.usage for reason in error.reasons] == [True, False]
    assert error.exit_code is ExitCode.BLOCKED


def test_scheme_that_no_driver_claims(migrator: Migrator) -> None:
    with pytest.raises(NoDriverError) as caught:
        _plan(migrator, source="bhyve:///system", destination="bhyve+ssh://desthost/system")

    assert str(caught.value) == (
        "no installed driver claims bhyve://; there are drivers for esx://, gsx://, qemu://,"
        " vbox://, vpx://, xen://"
    )


# --- plans -------------------------------------------------------------------------------------


def test_offers_of_the_drivers_are_those_of_the_table(migrator: Migrator) -> None:
    found = [
        (name, revision, scenario)
        for name, driver in migrator.registry.drivers.items()
        for revision in Revision
        for scenario in driver.capabilities(revision).offers
    ]

    assert sorted(found) == sorted(OFFERED)


@pytest.mark.parametrize(("name", "revision", "scenario"), OFFERED)
def test_every_offer_can_be_planned(
    migrator: Migrator, name: str, revision: Revision, scenario: str
) -> None:
    plan = _plan(migrator, **_offered(name, revision, scenario))

    assert (plan.driver, plan.scenario_id, plan.request.revision) == (name, scenario, revision)
    assert plan.flags[: len(plan.scenario.flags)] == plan.scenario.flags
    assert len(plan.control) == len(plan.scenario.connections)
    assert plan.commands
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize(("name", "revision", "scenario"), OFFERED)
def test_every_value_of_a_plan_has_its_because(
    migrator: Migrator, name: str, revision: Revision, scenario: str
) -> None:
    told = _plan(migrator, **_offered(name, revision, scenario)).to_json()

    apart = {"guest", "driver", "scenario", "flow", "transport", "api", "revision", "flags"}
    assert set(told["because"]) == apart | {"receiver", "commands", "on_client_crash"}
    sentences = [
        *told["because"].values(),
        *(uri["because"] for uri in told["uris"].values()),
        told["port"]["because"],
        told["configuration"]["because"],
        told["on_client_crash"]["because"],
        told["channels"]["data"]["because"],
        *(leg["because"] for leg in told["channels"]["control"]),
    ]
    assert [sentence for sentence in sentences if not sentence.strip()] == []


@pytest.mark.parametrize(("flags", "scenario", "because"), CHOSEN)
def test_scenario_follows_from_the_flags(
    migrator: Migrator, flags: dict[str, Any], scenario: str, because: str
) -> None:
    plan = _plan(migrator, **QEMU, **flags)

    assert (plan.scenario_id, plan.because["scenario"]) == (scenario, because)


def test_direct_is_unmanaged(migrator: Migrator) -> None:
    plan = _plan(migrator, **XEND)

    assert (plan.scenario_id, plan.because["scenario"]) == ("native-unmanaged", "--direct")


def test_equal_requests_give_equal_plans(migrator: Migrator) -> None:
    one, other = _plan(migrator, **QEMU, live=True), _plan(migrator, **QEMU, live=True)

    assert one == other
    assert json.dumps(one.to_json()) == json.dumps(other.to_json())
    assert one != _plan(migrator, **QEMU)


def test_option_flags_follow_those_of_the_scenario(migrator: Migrator) -> None:
    plan = _plan(migrator, **QEMU, **P2P, live=True, persistent=True, undefine_source=True)

    assert plan.flags == (
        "VIR_MIGRATE_PEER2PEER",
        "VIR_MIGRATE_TUNNELLED",
        "VIR_MIGRATE_LIVE",
        "VIR_MIGRATE_PERSIST_DEST",
        "VIR_MIGRATE_UNDEFINE_SOURCE",
    )


def test_every_option_that_is_a_flag_sets_its_own(migrator: Migrator) -> None:
    needed = {"live": True, "persistent": True, "timeout": 9, "postcopy": True, "compressed": True}
    for option in OPTIONS:
        if option.kind is not Kind.FLAG or option.libvirt is None:
            continue
        extra = {need: needed[need] for need in option.needs}
        plan = _plan(migrator, **QEMU, revision=CURRENT, **extra, **{option.field: True})

        assert set(plan.flags) == {
            option.libvirt,
            *(other.libvirt for other in OPTIONS if other.field in option.needs),
        }


def test_keys_of_a_plan(migrator: Migrator) -> None:
    told = _plan(migrator, **QEMU).to_json()

    assert list(told) == PLAN_KEYS
    assert told["schema"] == "migrate-plugins/plan/1"
    assert list(told["uris"]) == ["source", "destination", "migration", "destination_from_client"]
    assert {tuple(uri) for uri in told["uris"].values()} == {("value", "seen_from", "because")}
    assert list(told["port"]) == ["value", "first", "last", "chosen_by", "because"]
    assert list(told["channels"]) == ["control", "data"]
    for channel in (*told["channels"]["control"], told["channels"]["data"]):
        assert list(channel) == ["from", "to", "protocol", "ports", "encrypted", "because"]
    assert list(told["configuration"]) == [
        *("before", "after", "rows", "own", "untouched", "because")
    ]
    assert list(told["on_client_crash"]) == ["then", "own", "because"]
    assert [list(command) for command in told["commands"]] == [["tool", "host", "argv"]]
    assert list(told["findings"][0]) == list(Finding._fields)
    assert told["request"] == {"guest": "web1", **QEMU}


def test_whole_plan_of_managed_direct(migrator: Migrator) -> None:
    plan = _plan(migrator, **QEMU, live=True)
    native = (
        "the hypervisor opens its own connection, beside the one that controls it;"
        " whether it is encrypted is up to the hypervisor"
    )

    assert plan.uris == (
        PlannedURI("qemu:///system", CLIENT, "asked for; where the guest runs"),
        PlannedURI("qemu+ssh://desthost/system", CLIENT, "asked for; the client opens it"),
        PlannedURI(
            None,
            SOURCE,
            "the destination makes one from its own host name and a free port of its range",
        ),
        PlannedURI("qemu+ssh://desthost/system", CLIENT, "the client takes part in the migration"),
    )
    assert plan.port == PlannedPort(
        None,
        49152,
        49215,
        ChosenBy.DESTINATION,
        "migration_port_min and migration_port_max of the destination's qemu.conf, by default",
    )
    assert plan.control == (
        Channel(
            CLIENT,
            SOURCE,
            "UNIX socket",
            None,
            None,
            "with the client's credentials; it does not leave the machine",
        ),
        Channel(
            CLIENT,
            DESTINATION,
            "libvirt RPC over ssh",
            (22, 22),
            True,
            "with the client's credentials; libvirt RPC over ssh encrypts",
        ),
    )
    assert plan.data == Channel(
        SOURCE,
        DESTINATION,
        "QEMU migration stream",
        (49152, 49215),
        False,
        f"{native}: QEMU sends it as it is",
    )
    assert plan.flags == ("VIR_MIGRATE_LIVE",)


def test_peer_to_peer_is_read_by_the_source(migrator: Migrator) -> None:
    plan = _plan(migrator, **QEMU, p2p=True, migration="qemu+tcp://[2001:db8::7]/system")
    roots = "the source daemon's own (typically root's), not the client's"

    assert plan.uris.destination == PlannedURI(
        "qemu+tcp://[2001:db8::7]/system",
        SOURCE,
        "the alternative that was given: the source opens it with its own credentials",
    )
    assert plan.uris.destination_from_client == PlannedURI(
        "qemu+ssh://desthost/system", CLIENT, "to read the outcome back, where the client can"
    )
    assert plan.control[1] == Channel(
        SOURCE,
        DESTINATION,
        "libvirt RPC over tcp",
        (16509, 16509),
        False,
        f"with {roots} credentials; libvirt RPC over tcp is plain text",
    )


def test_tunnelled_memory_is_in_the_daemons_connection(migrator: Migrator) -> None:
    plan = _plan(migrator, **(QEMU | {"destination": "qemu+tls://desthost:17000/system"}), **P2P)
    inside = (
        "memory travels inside the libvirt connection of the two daemons: its one port serves any"
        " number of migrations"
    )

    assert plan.port == PlannedPort(None, None, None, ChosenBy.NOBODY, inside)
    assert plan.data == plan.control[-1]._replace(
        protocol="QEMU migration stream inside libvirt RPC over tls",
        because=f"{inside}; a libvirt connection can always be encrypted: over tls and ssh it is",
    )
    assert (plan.data.ports, plan.data.encrypted) == ((17000, 17000), True)
    assert plan.uris.migration == PlannedURI(
        None, SOURCE, "not used: memory travels inside the libvirt connection"
    )


def test_unmanaged_is_controlled_by_the_hypervisors(migrator: Migrator) -> None:
    plan = _plan(migrator, **XEND)

    assert plan.uris.destination.value is None
    assert plan.uris.destination_from_client.value is None
    assert plan.uris.migration == PlannedURI("xenmigr://desthost/", SOURCE, "asked for")
    assert plan.port.value == 8002
    assert [(leg.origin, leg.target, leg.ports) for leg in plan.control] == [
        (CLIENT, SOURCE, None),
        (SOURCE, DESTINATION, (8002, 8002)),
    ]
    assert plan.control[1].protocol == plan.data.protocol == "xend relocation or xl"


def test_port_in_the_migration_uri_is_the_requests(migrator: Migrator) -> None:
    plan = _plan(migrator, **QEMU, migration="tcp://10.0.0.1:55555")

    assert plan.port == PlannedPort(
        55555, 55555, 55555, ChosenBy.REQUEST, "written in the migration URI"
    )
    assert plan.data.ports == (55555, 55555)


def test_unix_socket_has_no_port_and_crosses_no_network(migrator: Migrator) -> None:
    plan = _plan(migrator, **QEMU, revision=CURRENT, migration="unix:///run/m.sock")

    assert plan.port == PlannedPort(None, None, None, ChosenBy.NOBODY, "a UNIX socket has no port")
    assert (plan.data.ports, plan.data.encrypted) == (None, None)


def test_tls_encrypts_the_native_transport(migrator: Migrator) -> None:
    plan = _plan(migrator, **QEMU, revision=CURRENT, tls=True)

    assert plan.data.encrypted is True
    assert plan.data.because.endswith(": --tls encrypts it")
    assert "data-plain-text" not in [finding.id for finding in plan.findings]


def test_port_range_of_the_request(migrator: Migrator) -> None:
    plan = _plan(migrator, **VBOX, port_range=(50000, 50003))

    assert plan.port == PlannedPort(None, 50000, 50003, ChosenBy.US, "--port-range")


def test_migration_uri_that_the_driver_writes(migrator: Migrator) -> None:
    plan = _plan(migrator, **(VBOX | {"destination": "vbox+ssh://root@[2001:db8::7]/session"}))

    assert plan.uris.migration == PlannedURI(
        "vboxmigr://[2001:db8::7]/",
        SOURCE,
        "made from the destination's host and the port that is held for it",
    )


def test_with_port_completes_uri_channel_and_commands(migrator: Migrator) -> None:
    plan = migrator._planner.with_port(_plan(migrator, **VBOX), 49301)

    assert plan.uris.migration.value == "vboxmigr://desthost:49301/"
    assert (plan.port.value, plan.data.ports) == (49301, (49301, 49301))
    assert plan.port.because == "held towards desthost until the migration ends"
    # Where the target is told to listen, and where the guest is sent.
    assert sum("49301" in (command.argv or ()) for command in plan.commands) == 2


@pytest.mark.parametrize("flow", Flow)
def test_client_crash_in_the_plan(migrator: Migrator, flow: Flow) -> None:
    asked: dict[Flow, dict[str, Any]] = {
        Flow.MANAGED_DIRECT: QEMU,
        Flow.MANAGED_PEER2PEER: QEMU | {"p2p": True},
        Flow.UNMANAGED_DIRECT: XEND,
    }
    told = _plan(migrator, **asked[flow]).to_json()["on_client_crash"]

    assert told["then"] == ("aborted" if flow is Flow.MANAGED_DIRECT else "continues")


# --- configuration and findings ----------------------------------------------------------------


def test_configuration_is_open_until_both_hosts_are_read(migrator: Migrator) -> None:
    plan = _plan(migrator, **QEMU, persistent=True)

    assert (plan.configuration.before, plan.configuration.after) == (None, None)
    assert len(plan.configuration.rows) == 4
    assert plan.configuration.because == (
        "no --undefinesource and --persistent, by the document's table, revision original;"
        " which row holds is known once both hosts are read"
    )


def test_with_configuration_leaves_one_row(migrator: Migrator) -> None:
    before = Before(persistent=True, source_config=True, destination_config=False)

    plan = migrator._planner.with_configuration(_plan(migrator, **QEMU, persistent=True), before)

    assert plan.configuration.before == before
    assert plan.configuration.after == After(
        persistent=True, source_config=True, destination_config=True
    )
    assert [(row.before, row.after) for row in plan.configuration.rows] == [
        (before, plan.configuration.after)
    ]
    assert plan.configuration.because == (
        "no --undefinesource and --persistent, by the document's table, revision original"
    )
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


# fmt: off
STALE = Before(persistent=False, source_config=False, destination_config=True)
FRESH = Before(persistent=False, source_config=False, destination_config=False)
STORED = Before(persistent=True, source_config=True, destination_config=False)
FOUND = [
    # options                               before  ids of the findings, beside those of the channel
    ({"live": True},                        None,   ["revisions-disagree"]),
    ({"live": True, "undefine_source": True}, None, ["revisions-disagree"]),
    ({"live": True, "persistent": True},    None,   []),
    ({},                                    None,   ["guest-paused-meanwhile",
                                                     "revisions-disagree"]),
    ({"offline": True, "persistent": True}, None,   []),
    ({"live": True},                        STALE,  ["revisions-disagree"]),
    ({"live": True},                        FRESH,  []),
    ({"live": True},                        STORED, []),
    ({"live": True, "persistent": True},    STORED, ["configuration-on-both"]),
    ({"live": True, "undefine_source": True}, STORED, ["configuration-on-none"]),
    ({"live": True, "persistent": True, "undefine_source": True}, STORED, []),
]
# fmt: on


@pytest.mark.parametrize(("options", "before", "ids"), FOUND)
def test_findings_of_a_plan(
    migrator: Migrator, options: dict[str, Any], before: Before | None, ids: list[str]
) -> None:
    plan = _plan(migrator, **QEMU, **options)
    if before is not None:
        plan = migrator._planner.with_configuration(plan, before)
    found = [finding.id for finding in plan.findings if finding.id != "data-plain-text"]

    assert found == ids
    assert not any(finding.blocks for finding in plan.findings)


@pytest.mark.parametrize("revision", Revision)
def test_finding_where_the_revisions_disagree(migrator: Migrator, revision: Revision) -> None:
    plan = _plan(migrator, **QEMU, live=True, revision=revision)
    (finding,) = [found for found in plan.findings if found.id == "revisions-disagree"]
    transient = "a transient guest and no configuration on the destination"
    persistent = "a persistent guest and a configuration on the destination"

    assert finding == Finding(
        "revisions-disagree",
        Severity.INFO,
        None,
        "a transient guest whose old configuration is on the destination: the original document"
        f" expects {transient}; libvirt as it is today gives {persistent}, with the old"
        " definition",
        expected=transient if revision is ORIGINAL else persistent,
        remedy="remove the old configuration on the destination, or replace it: --persistent",
    )


def test_finding_of_plain_text_memory_beside_an_encrypted_control(migrator: Migrator) -> None:
    plan = _plan(migrator, **QEMU, live=True)
    (finding,) = [found for found in plan.findings if found.id == "data-plain-text"]

    assert finding.severity is Severity.WARNING
    assert finding.text == (
        "the guest's memory crosses the network in plain text: the control channel is encrypted,"
        " and the memory does not travel in it"
    )


def test_offline_moves_no_memory_that_could_be_read(migrator: Migrator) -> None:
    plan = _plan(migrator, **QEMU, offline=True, persistent=True)

    assert "data-plain-text" not in [finding.id for finding in plan.findings]


def test_finding_of_the_documents_host_in_the_path(migrator: Migrator) -> None:
    plan = _plan(migrator, **QEMU, p2p=True, live=True, migration="qemu+tls:/desthost/system")
    (finding,) = [found for found in plan.findings if found.id == "host-in-path"]

    assert finding == Finding(
        "host-in-path",
        Severity.WARNING,
        "source",
        "libvirt reads no host in qemu+tls:/desthost/system, as the migration document writes it",
        seen="qemu+tls:/desthost/system",
        expected="qemu+tls://desthost/system",
        remedy="write qemu+tls://desthost/system",
    )
    assert plan.control[-1].ports == (16514, 16514)


# --- from JSON ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("damage", "problem"), DAMAGE)
def test_damaged_plan(migrator: Migrator, damage: Any, problem: str) -> None:  # noqa: ANN401
    told = _plan(migrator, **QEMU).to_json()
    damage(told)

    with pytest.raises(UsageError) as caught:
        Plan.from_json(told)

    assert str(caught.value) == (
        f"the plan is damaged: {problem}; write it anew with `migrate-plugins plan --json`"
    )


# fmt: off
OTHER_JSON: list[tuple[object, str | None]] = [
    # what was read                              the schema that is named
    (None,                                       "NoneType"),
    ([],                                         "list"),
    ("text",                                     "str"),
    ({},                                         None),
    ({"schema": "migrate-plugins/check/1"},      "migrate-plugins/check/1"),
    ({"schema": "migrate-plugins/plan/2"},       "migrate-plugins/plan/2"),
]
# fmt: on


@pytest.mark.parametrize(("told", "schema"), OTHER_JSON)
def test_json_that_is_no_plan(told: object, schema: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        Plan.from_json(told)

    assert str(caught.value) == (
        f"not a plan: the schema is {schema!r}; `migrate-plugins plan --json` writes"
        " 'migrate-plugins/plan/1'"
    )


def test_request_and_options_have_the_same_fields() -> None:
    paths = {
        *("guest", "source", "destination", "migration", "scenario", "revision"),
        *("p2p", "direct", "tunnelled", "port_range", "options"),
    }

    assert set(Request._fields) == paths | {option.field for option in OPTIONS}
    assert [spelling for option in OPTIONS for spelling in option.spellings] == list(
        dict.fromkeys(spelling for option in OPTIONS for spelling in option.spellings)
    )


def test_transports_and_scenarios_are_all_used() -> None:
    assert {scenario.transport for scenario in SCENARIOS.values()} == set(Transport)
    assert {scenario.flow for scenario in SCENARIOS.values()} == set(Flow)
