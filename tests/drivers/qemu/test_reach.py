"""What lies between two libvirt hosts, from what they say; all by table, nothing is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from migrate_plugins import (
    Access,
    Answer,
    Facts,
    GuestFacts,
    GuestState,
    HostFacts,
    Receiver,
    Selection,
    Severity,
    Shell,
)
from migrate_plugins_libvirt import peer, sharing
from migrate_plugins_qemu.reach import KINDS, examine_reach
from migrate_plugins_qemu.receiver import find_receiver, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migrate_plugins import Finding, Migrator, Plan

SOURCE, DESTINATION = "qemu:///system", "qemu+ssh://beta/system"
HERE = HostFacts("alpha", "uuid-a", "QEMU 7.2.22", "libvirt 9.0.0")
THERE = HostFacts("beta", "uuid-b", "QEMU 7.2.22", "libvirt 9.0.0")
GUEST = GuestFacts("web1", "u1", GuestState.RUNNING, persistent=True, memory=1024)
FACTS = Facts(HERE, GUEST, THERE, None)
MISSING = 66
OWN_NAME = "the destination puts its own name into the migration URI"


class FakeShell(NamedTuple):
    """Test double: a host whose programs answer what the test says."""

    answer: Callable[[Sequence[str]], Answer]

    def run(self, argv: Sequence[str], *, seconds: float = 10) -> Answer:
        assert 0 < seconds <= 10
        return self.answer(argv)


def _says(status: int | None, output: str = "", error: str = "") -> Any:  # noqa: ANN401 - a double
    return FakeShell(lambda _argv: Answer(status, output, error))


def _as_root(virsh: Answer, uid: str = "0") -> Any:  # noqa: ANN401 - a double
    answers = {"id": Answer(0, f"{uid}\n", ""), "virsh": virsh}
    return FakeShell(lambda argv: answers[argv[0]])


def _plan(migrator: Migrator, **asked: Any) -> Plan:  # noqa: ANN401 - Request types them
    given = {"guest": "web1", "source": SOURCE, "destination": DESTINATION, "live": True}
    return migrator.plan(**{**given, **asked})


def _reach(plan: Plan, facts: Facts = FACTS, source: Any = None) -> list[Finding]:  # noqa: ANN401 - a double
    return [*examine_reach(plan, facts, Access(shell=source), Access(), Selection())]


# --- where memory arrives ------------------------------------------------------------------------

# fmt: off
SETTINGS = [
    # qemu.conf                                             what it sets
    ("",                                                    {}),
    ('#migration_host = "a"\n  # migration_port_min = 1', {}),
    ('migration_host = "host.example.com"  # ours\n',     {"migration_host": "host.example.com"}),
    ("migration_port_min=49160\nmigration_port_max = 49170", {"migration_port_min": 49160,
                                                             "migration_port_max": 49170}),
    ('migration_address = ""',                            {"migration_address": ""}),
    ('cgroup_controllers = [ "cpu", "memory" ]\nuser = "a b"', {"user": "a b"}),
    ("nonsense",                                            {}),
]

RECEIVERS: list[tuple[dict[str, Any], Answer | None, HostFacts | None, Receiver]] = [
    # request, what reading qemu.conf gives, the destination, the receiver
    ({}, None, THERE, Receiver("beta", 49152, 49215, OWN_NAME)),
    ({}, Answer(MISSING, "", ""), THERE, Receiver("beta", 49152, 49215, OWN_NAME)),
    ({}, Answer(0, 'migration_host = "m.example"\nmigration_port_min = 49200', ""), THERE,
     Receiver("m.example", 49200, 49215,
              "migration_host of /etc/libvirt/qemu.conf on the destination")),
    ({}, Answer(0, 'migration_address = "10.0.0.2"', ""), THERE,
     Receiver("beta", 49152, 49215, OWN_NAME, "10.0.0.2")),
    ({}, Answer(0, 'migration_address = "0.0.0.0"', ""), THERE,
     Receiver("beta", 49152, 49215, OWN_NAME)),
    ({"listen_address": "10.0.0.3"}, Answer(0, 'migration_address = "10.0.0.2"', ""), THERE,
     Receiver("beta", 49152, 49215, OWN_NAME, "10.0.0.3")),
    ({}, Answer(1, "", "cat: Permission denied"), THERE,
     Receiver("beta", 49152, 49215, OWN_NAME, None,
              "as root run there: grep -E '^migration_(host|address|port_min|port_max)'"
              " /etc/libvirt/qemu.conf")),
    ({"migration": "tcp://10.0.0.2/"}, Answer(0, "migration_port_min = 49200", ""), THERE,
     Receiver("10.0.0.2", 49200, 49215, "asked for")),
    ({"migration": "tcp://10.0.0.2:49300"}, Answer(0, "migration_port_min = 49200", ""), THERE,
     Receiver("10.0.0.2", 49300, 49300, "asked for")),
    ({}, None, THERE._replace(name="localhost.localdomain"),
     Receiver("localhost.localdomain", None, None,
              "libvirt makes no migration URI of this name")),
    ({}, Answer(0, 'migration_host = "m.example"', ""), THERE._replace(name="localhost"),
     Receiver("m.example", 49152, 49215,
              "migration_host of /etc/libvirt/qemu.conf on the destination")),
    ({}, None, None, Receiver(None, 49152, 49215, OWN_NAME)),
    ({"p2p": True, "tunnelled": True}, None, THERE,
     Receiver("beta", None, None, "not used: memory travels inside the libvirt connection")),
    ({"live": False, "offline": True, "persistent": True}, None, THERE,
     Receiver(None, None, None,
              "the destination makes one from its own host name and a free port of its range")),
]
# fmt: on


@pytest.mark.parametrize(("text", "settings"), SETTINGS)
def test_settings_are_read_as_libvirt_reads_them(text: str, settings: dict[str, Any]) -> None:
    assert read_settings(text) == settings


@pytest.mark.parametrize(("asked", "file", "there", "receiver"), RECEIVERS)
def test_receiver_is_what_decides_it(
    migrator: Migrator,
    asked: dict[str, Any],
    file: Answer | None,
    there: HostFacts | None,
    receiver: Receiver,
) -> None:
    shell: Any = None if file is None else FakeShell(lambda _argv: file)
    facts = FACTS._replace(destination=there)

    assert find_receiver(_plan(migrator, **asked), facts, Access(shell=shell)) == receiver


def test_name_is_asked_for_where_the_client_has_no_connection(migrator: Migrator) -> None:
    answers = {"sh": Answer(MISSING, "", ""), "hostname": Answer(0, "beta\n", "")}
    shell: Any = FakeShell(lambda argv: answers[argv[0]])

    receiver = find_receiver(
        _plan(migrator, p2p=True), FACTS._replace(destination=None), Access(shell=shell)
    )

    assert receiver.host == "beta"


# fmt: off
FILES = [
    # mode of qemu.conf, of its folder; None: not there   status, output
    (0o600, 0o700, (0, 'user = "root"\n')),
    (None,  0o700, (MISSING, "")),
    (None,  None,  (MISSING, "")),
]
# fmt: on


@pytest.mark.parametrize(("file", "folder", "answer"), FILES)
def test_file_of_a_session_is_read_by_a_real_shell(
    migrator: Migrator,
    tmp_path: Any,  # noqa: ANN401 - a path
    monkeypatch: pytest.MonkeyPatch,
    file: int | None,
    folder: int | None,
    answer: tuple[int, str],
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    if folder is not None:
        (tmp_path / "libvirt").mkdir(mode=folder)
    if file is not None:
        (tmp_path / "libvirt/qemu.conf").write_text('user = "root"\n')
    came: list[Answer] = []
    here = Shell(("sh", "-c"), "this machine")

    def run(argv: Sequence[str]) -> Answer:
        came.append(here.run(argv))
        return came[-1]

    shell: Any = FakeShell(run)
    plan = _plan(migrator, source="qemu:///session", destination="qemu:///session")

    receiver = find_receiver(plan, FACTS, Access(shell=shell))

    assert [(each.status, each.output) for each in came] == [answer]
    assert receiver.unread is None


# --- the second URI, from the source -------------------------------------------------------------

CAPABILITIES = "<capabilities><host><uuid>{}</uuid></host></capabilities>"
SECOND = "qemu+ssh://admin@b.example/system"

# fmt: off
PEERS: list[tuple[Any, Sequence[tuple[str, Severity]]]] = [
    # what runs on the source                                      what is found
    (_as_root(Answer(0, f"beta\n{CAPABILITIES.format('uuid-b')}\n", "")), []),
    (_as_root(Answer(0, f"x\n{CAPABILITIES.format('uuid-c')}\n", "")),
     [("peer2peer-other-host", Severity.ERROR)]),
    (_as_root(Answer(0, f"x\n{CAPABILITIES.format('uuid-a')}\n", "")),
     [("peer2peer-is-source", Severity.ERROR)]),
    (_as_root(Answer(0, "x\n<capabilities/>", "")), [("peer2peer-unknown", Severity.INFO)]),
    (_as_root(Answer(0, "x\nnonsense", "")),        [("peer2peer-unknown", Severity.INFO)]),
    (_as_root(Answer(127, "", "sh: virsh: not found")), [("peer2peer-unknown", Severity.INFO)]),
    (_as_root(Answer(1, "", "error: x"), uid="1000"), [("peer2peer-unknown", Severity.INFO)]),
    (_says(255, "", "ssh: no route"),               [("peer2peer-unknown", Severity.INFO)]),
    (None,                                          [("peer2peer-unknown", Severity.INFO)]),
    (_as_root(Answer(1, "", "error: failed to connect to the hypervisor\nerror: x")),
     [("peer2peer-unreachable", Severity.ERROR)]),
    (_as_root(Answer(None, "", "no answer within 8 s")),
     [("peer2peer-unreachable", Severity.ERROR)]),
]

# What virsh says, the cause, and what mends it; as libvirt 9.0.0 and OpenSSH 9.2 word them.
OBSTACLES = [
    ("Unable to resolve address 'b.example' service '16509': Name or service not known",
     "it does not resolve b.example",
     "on the source add b.example to /etc/hosts or to the DNS, or write its address"),
    ("Cannot recv data: Host key verification failed.: Connection reset by peer",
     "root there does not know the host key of b.example",
     "on the source log in once as root, and compare the fingerprint: ssh admin@b.example"),
    ("Cannot recv data: admin@b.example: Permission denied (publickey).: Connection reset by peer",
     "admin@b.example takes no key of root there",
     "on the source as root: ssh-copy-id admin@b.example (a key without a passphrase)"),
    ("internal error: unexpected QEMU URI path '/session', try qemu:///system",
     "the daemon that answers is the other one of /system and /session",
     "write the other one of /system and /session"),
    ("internal error: no QEMU URI path given, try qemu:///system",
     "the daemon that answers is the other one of /system and /session",
     "write the other one of /system and /session"),
    ("Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file or directory",
     "libvirt's certificates are missing there, or are not for b.example",
     "on both hosts install certificates of libvirt's, of one authority, for these names"),
    ("authentication failed: Failed to verify peer's certificate",
     "libvirt's certificates are missing there, or are not for b.example",
     "on both hosts install certificates of libvirt's, of one authority, for these names"),
    ("Cannot recv data: ssh: connect to host b.example port 22: Connection timed out",
     "nothing answers at b.example: it is down, a firewall is in the way, or the address is wrong",
     "correct the host in the second URI, or open the way to it"),
    ("unable to connect to server at 'b.example:16509': Connection refused",
     "nothing listens there, or a firewall rejects it",
     "on b.example start what listens for ssh, or open its port"),
    ("authentication failed: Failed to start SASL negotiation: -4 (SASL(-4): no mechanism)",
     "the daemon there wants other credentials",
     "on the source write them into libvirt's auth.conf for root"),
    ("Cannot find 'ssh' in path: No such file or directory",
     "the daemon there has no ssh in its path", "install ssh on the source"),
    ("internal error: Attempt to migrate guest to the same host",  # of the driver's diagnoses
     ("the destination is the source (a URI without a host means the machine that opens it), or"
      " both hosts say that they are one and the same"),
     "virsh capabilities | grep -m1 uuid"),
    ("something new", "libvirt says why", "mend what libvirt names"),
]
# fmt: on


@pytest.mark.parametrize(("shell", "found"), PEERS)
def test_second_uri_is_judged_by_what_it_leads_to(
    migrator: Migrator,
    shell: Any,  # noqa: ANN401 - a double
    found: Sequence[tuple[str, Severity]],
) -> None:
    plan = _plan(migrator, p2p=True, migration=SECOND)

    findings = _reach(plan, source=shell)

    assert [(each.id, each.severity) for each in findings] == found
    assert all(each.host == "alpha" for each in findings)


@pytest.mark.parametrize(("told", "cause", "remedy"), OBSTACLES)
def test_obstacle_is_explained(migrator: Migrator, told: str, cause: str, remedy: str) -> None:
    error = f"error: failed to connect to the hypervisor\nerror: {told}\n"
    plan = _plan(migrator, p2p=True, migration=SECOND)

    (finding,) = _reach(plan, source=_as_root(Answer(1, "", error)))

    assert finding.text == f"the daemon of alpha, as root, cannot open the second URI: {cause}"
    assert finding.seen == told
    assert finding.remedy == f"{remedy}; to try it, run there as root: virsh -c {SECOND} hostname"


# fmt: off
LOCAL = [
    # the second URI, what is found without a way into the source, remedy
    ("qemu:///system",        "peer2peer-uri-local",
     "add that URI as the last argument: qemu+ssh://DESTINATION/system"),
    ("qemu+tls:/beta/system", "peer2peer-uri-local", "write qemu+tls://beta/system"),
    ("qemu+tcp://beta",       "peer2peer-uri-path",  "write qemu+tcp://beta/system"),
    ("qemu+tcp://beta/",      "peer2peer-uri-path",  "write qemu+tcp://beta/system"),
]
# fmt: on


@pytest.mark.parametrize(("second", "id_", "remedy"), LOCAL)
def test_second_uri_that_cannot_be_right_is_found_without_a_look(
    migrator: Migrator, second: str, id_: str, remedy: str
) -> None:
    (finding,) = _reach(_plan(migrator, p2p=True, migration=second))

    assert (finding.id, finding.severity, finding.remedy) == (id_, Severity.ERROR, remedy)


def test_managed_direct_has_no_peer(migrator: Migrator) -> None:
    assert _reach(_plan(migrator), source=_says(1, "", "nobody may ask")) == []


def test_peer_is_not_asked_for_what_nobody_wants(migrator: Migrator) -> None:
    skip = frozenset(kind.id for kind in peer.KINDS)
    source: Any = _says(1, "", "nobody may ask")
    plan = _plan(migrator, p2p=True)

    found = peer.examine_peer(plan, FACTS, Access(shell=source), Selection(skip=skip), lambda _: [])

    assert [*found] == []


# --- versions ------------------------------------------------------------------------------------

# fmt: off
VERSIONS: list[tuple[dict[str, Any], HostFacts, HostFacts, Sequence[tuple[Any, ...]]]] = [
    # request, source, destination, what is found: id, host, expected
    ({}, HERE, THERE, []),
    ({}, HERE, THERE._replace(hypervisor="QEMU 8.0.0", daemon="libvirt 10.0.0"), []),
    ({}, HERE, THERE._replace(hypervisor="QEMU 7.2.3"),
     [("hypervisor-older", "beta", "QEMU 7.2.22 or newer")]),
    ({"live": False, "offline": True, "persistent": True}, HERE,
     THERE._replace(hypervisor="QEMU 7.2.3"), []),
    ({}, HERE, THERE._replace(hypervisor="Xen 4.17.0"),
     [("hypervisor-other", "beta", "QEMU 7.2.22")]),
    ({"postcopy": True, "revision": "current"}, HERE, THERE._replace(daemon="libvirt 1.2.9"),
     [("daemon-too-old", "beta", "libvirt 1.3.3 or newer")]),
    ({"parallel": True, "tls": True, "revision": "current"}, HERE._replace(daemon="libvirt 3.1.0"),
     THERE, [("daemon-too-old", "alpha", "libvirt 5.2.0 or newer")]),
    ({"graphicsuri": "spice://beta"}, HERE._replace(daemon="libvirt 1.0.6"), THERE,
     [("call-not-available", "alpha", None)]),
    ({"p2p": True, "graphicsuri": "spice://beta"}, HERE, THERE._replace(daemon="who knows"),
     [("peer2peer-unknown", "alpha", None)]),
]
# fmt: on


@pytest.mark.parametrize(("asked", "here", "there", "found"), VERSIONS)
def test_versions_are_held_against_the_plan(
    migrator: Migrator,
    asked: dict[str, Any],
    here: HostFacts,
    there: HostFacts,
    found: Sequence[tuple[str, str, str | None]],
) -> None:
    findings = _reach(_plan(migrator, **asked), FACTS._replace(source=here, destination=there))

    assert [(each.id, each.host, each.expected) for each in findings] == found


# --- one folder ----------------------------------------------------------------------------------

# fmt: off
MOUNTS: list[tuple[Answer, Answer, str | None]] = [
    # source                                destination                             seen
    (Answer(0, "nfs4 nas:/a\n", ""),        Answer(0, "nfs4   nas:/a\n", ""),       "nfs4 nas:/a"),
    (Answer(0, "ext4 /dev/sda1\n", ""),     Answer(0, "ext4 /dev/sda1\n", ""),      None),
    (Answer(0, "nfs4 nas:/a\n", ""),        Answer(0, "nfs4 nas:/b\n", ""),         None),
    (Answer(0, "nfs4 nas:/a\n", ""),        Answer(1, "", "findmnt: not found"),    None),
    (Answer(0, "\n", ""),                   Answer(0, "\n", ""),                    None),
]
# fmt: on


@pytest.mark.parametrize(("here", "there", "seen"), MOUNTS)
@pytest.mark.parametrize("undefine", [False, True])
def test_one_folder_of_both_hosts_is_found_by_what_is_mounted(
    migrator: Migrator, here: Answer, there: Answer, seen: str | None, *, undefine: bool
) -> None:
    plan = _plan(migrator, undefine_source=undefine, persistent=undefine)
    source: Any = FakeShell(lambda _argv: here)
    destination: Any = FakeShell(lambda _argv: there)

    looks = Access(shell=source), Access(shell=destination)
    found = [*sharing.examine_sharing(plan, FACTS, *looks, "/etc/libvirt/other")]

    assert [each.seen for each in found] == ([f"/etc/libvirt/other is on {seen}"] if seen else [])
    for each in found:
        assert (each.id, each.severity) == ("configuration-shared", Severity.WARNING)
        assert ("--undefinesource would remove" in each.text) is undefine


def test_kinds_are_those_of_every_module() -> None:
    ids = [kind.id for kind in KINDS]

    assert len({*ids}) == len(ids)
    assert {"destination-name-localhost", "daemon-too-old", "configuration-shared"} < {*ids}
