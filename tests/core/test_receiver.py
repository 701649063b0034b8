"""Whether memory can arrive, from what both hosts say: names, addresses, ports; all by table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import (
    Access,
    Answer,
    Facts,
    Finding,
    GuestFacts,
    GuestState,
    HostFacts,
    Receiver,
    Selection,
    Severity,
    Shell,
)
from migrate_plugins.checks import receiver as receiving
from migrate_plugins.checks.probe import Attempt, Probe
from migrate_plugins.checks.receiver import examine, planned_receiver

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrate_plugins import Migrator, Plan

ERROR, INFO = Severity.ERROR, Severity.INFO
GUEST = GuestFacts("web1", "u1", GuestState.RUNNING, persistent=True, memory=1024)
FACTS = Facts(
    HostFacts("alpha", "a", "QEMU 7.2.0", "libvirt 9.0.0"),
    GUEST,
    HostFacts("beta", "b", "QEMU 7.2.0", "libvirt 9.0.0"),
    None,
)
BETA = Receiver("beta", 49152, 49154, "its own name")


class FakeShell(Shell):
    """Test double: a host that gives prepared answers, by the program's name."""

    def run(self, argv: Sequence[str], *, seconds: float = 0) -> Answer:
        assert 0 < seconds < 15
        said: Answer | str = json.loads(self.because).get(
            argv[0], [127, "", f"{argv[0]}: not found"]
        )
        return Answer(*said)


def _shell(**said: str | tuple[int | None, str, str]) -> FakeShell:
    answers = {
        program: (0, answer, "") if isinstance(answer, str) else answer
        for program, answer in said.items()
    }
    return FakeShell(("fake",), json.dumps(answers))


def _links(*addresses: str) -> str:
    return json.dumps([{"addr_info": [{"local": address} for address in addresses]}])


OWNED = _links("127.0.0.1", "::1", "10.0.0.2", "fe80::2", "2001:db8::2")
FREE = ""
THERE = _shell(ip=OWNED, ss=FREE)
HERE = _shell(getent="10.0.0.2 STREAM beta")
REACHED = Probe((Attempt(49152, True), Attempt(49154, True)))
REFUSED = Probe((Attempt(49152, False, "Connection refused"), Attempt(49154, True)))
UNTRIED = Probe((), "the destination has neither perl nor python3 to listen with")


def _ss(*ports: int) -> str:
    line = 'LISTEN 0 1 0.0.0.0:{} 0.0.0.0:* users:(("nc",pid=7,fd=3))'
    return "\n".join(map(line.format, ports))


@pytest.fixture
def plan(migrator: Migrator) -> Plan:
    return migrator.plan(
        "web1", source="qemu:///system", destination="qemu+ssh://beta/system", live=True
    )


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was to be probed; the answer is that of the last element of the list, if any."""
    asked: list[tuple[Any, ...]] = []

    def probe(*given: object, **named: object) -> Probe:
        asked.append((*given[2:], named))
        return REACHED

    monkeypatch.setattr(receiving, "probe", probe)
    return asked


def _examine(
    plan: Plan,
    receiver: Receiver = BETA,
    source: Access | None = None,
    destination: Access | None = None,
    *,
    selection: Selection | None = None,
    scheme: str | None = "tcp",
) -> list[Finding]:
    return examine(
        plan,
        FACTS,
        receiver,
        source or Access(shell=HERE),
        destination or Access(shell=THERE),
        selection or Selection(),
        scheme,
    )


# fmt: off
NAMES: list[tuple[str | None, Any, Any, Sequence[tuple[str, Severity, str, str | None]]]] = [
    # host        the source resolves                   the destination has  what is found
    ("beta",      "10.0.0.2 STREAM beta",               OWNED,  []),
    ("beta",      "2001:db8::2 STREAM\n10.9.9.9 DGRAM", OWNED,  []),
    ("10.0.0.2",  (1, "", "not to be asked"),           OWNED,  []),
    ("beta",      "",                                   OWNED,
     [("destination-name-unresolvable", ERROR, "alpha", "beta")]),
    ("beta",      (2, "", ""),                          OWNED,
     [("destination-name-unresolvable", ERROR, "alpha", "beta")]),
    ("beta",      "10.0.0.9 STREAM beta",               OWNED,
     [("destination-name-elsewhere", ERROR, "alpha", "10.0.0.9")]),
    ("10.0.0.9",  "",                                   OWNED,
     [("destination-name-elsewhere", ERROR, "alpha", "10.0.0.9")]),
    ("beta",      "127.0.1.1 STREAM beta",              OWNED,
     [("destination-name-elsewhere", ERROR, "alpha", "127.0.1.1")]),
    ("::1",       "",                                   OWNED,
     [("destination-name-elsewhere", ERROR, "alpha", "::1")]),
    ("beta",      (None, "", "no answer within 8 s"),   OWNED,
     [("destination-name-unknown", INFO, "alpha", None)]),
    ("beta",      (127, "", "getent: not found"),       OWNED,
     [("destination-name-unknown", INFO, "alpha", None)]),
    ("beta",      "10.0.0.2 STREAM beta",               (255, "", "no route"),
     [("destination-name-unknown", INFO, "beta", "10.0.0.2")]),
    ("beta",      "10.0.0.2 STREAM beta",               "BusyBox",
     [("destination-name-unknown", INFO, "beta", "10.0.0.2")]),
    (None,        "",                                   OWNED,
     [("destination-name-unknown", INFO, "beta", None)]),
]

PORTS: list[tuple[tuple[int, int], int | None, Any, Probe, Sequence[tuple[Any, ...]]]] = [
    # range          disks  who listens there        the probe
    ((49152, 49154), None,  FREE,                    REACHED,  []),
    ((49152, 49154), None,  _ss(49152, 49153),       REACHED,  []),
    ((49152, 49152), None,  _ss(22, 49153),          REACHED,  []),
    ((49152, 49152), None,  _ss(22, 49152),          REACHED,
     [("data-port-taken", ERROR, "nc, process 7")]),
    ((49152, 49152), None,  _ss(49152)[:38],         REACHED,
     [("data-port-taken", ERROR, "a program listens on it")]),
    ((49152, 49154), 49300, _ss(49300),              REACHED,
     [("data-port-taken", ERROR, "nc, process 7")]),
    ((49152, 49154), None,  _ss(49152, 49153, 49154), REACHED,
     [("data-ports-exhausted", ERROR, "nc, process 7")]),
    ((49152, 49154), None,  (1, "", "no ss"),        REACHED,  []),
    ((49152, 49154), None,  FREE,                    REFUSED,
     [("data-port-blocked", ERROR, "beta:49152: Connection refused")]),
    ((49152, 49154), None,  FREE,                    UNTRIED,
     [("data-port-unknown", INFO, None)]),
]
# fmt: on


@pytest.mark.parametrize(("host", "resolved", "owned", "found"), NAMES)
def test_name_is_held_against_the_destinations_addresses(
    plan: Plan,
    host: str | None,
    resolved: Any,  # noqa: ANN401 - an answer, or its output
    owned: Any,  # noqa: ANN401 - see above
    found: Sequence[tuple[str, Severity, str, str | None]],
) -> None:
    source = Access(shell=_shell(getent=resolved))
    destination = Access(shell=_shell(ip=owned, ss=FREE))
    selection = Selection(probe=False)

    findings = _examine(plan, BETA._replace(host=host), source, destination, selection=selection)

    assert [(each.id, each.severity, each.host, each.seen) for each in findings] == found


@pytest.mark.usefixtures("probed")
def test_connection_that_was_made_proves_the_name_right(plan: Plan) -> None:
    source = Access(shell=_shell(getent="203.0.113.7 STREAM beta"))  # translated on the way

    assert _examine(plan, source=source) == []
    assert [
        each.id for each in _examine(plan, source=source, selection=Selection(probe=False))
    ] == ["destination-name-elsewhere"]


def test_addresses_that_the_configuration_tells_serve_without_a_shell(plan: Plan) -> None:
    selection = Selection(probe=False)

    right = _examine(plan, destination=Access(addresses=("10.0.0.2",)), selection=selection)
    wrong = _examine(plan, destination=Access(addresses=("10.0.0.3",)), selection=selection)

    assert right == []
    assert [(each.id, each.expected) for each in wrong] == [
        ("destination-name-elsewhere", "10.0.0.3")
    ]


def test_remedy_for_a_name_is_a_line_to_run_or_a_uri_to_give(plan: Plan) -> None:
    source = Access(shell=_shell(getent=(2, "", "")))

    (with_uri,) = _examine(plan, source=source)
    (without,) = _examine(plan, source=source, scheme=None)

    line = "on alpha run: echo 10.0.0.2 beta >>/etc/hosts (or add it to the DNS)"
    assert with_uri.remedy == f"{line}; or give the migration URI tcp://10.0.0.2/"
    assert without.remedy == line


@pytest.mark.parametrize(("ports", "disks", "listening", "came", "found"), PORTS)
def test_ports_are_looked_at_and_tried(
    plan: Plan,
    monkeypatch: pytest.MonkeyPatch,
    ports: tuple[int, int],
    disks: int | None,
    listening: Any,  # noqa: ANN401 - an answer, or its output
    came: Probe,
    found: Sequence[tuple[str, Severity, str | None]],
) -> None:
    monkeypatch.setattr(receiving, "probe", lambda *_, **__: came)
    plan = plan._replace(request=plan.request._replace(disks_port=disks))
    there = Access(shell=_shell(ip=OWNED, ss=listening))
    receiver = BETA._replace(first=ports[0], last=ports[1])

    findings = _examine(plan, receiver, destination=there)

    assert [(each.id, each.severity, each.seen) for each in findings] == found


def test_what_is_tried_is_what_was_told(plan: Plan, probed: list[tuple[Any, ...]]) -> None:
    plan = plan._replace(request=plan.request._replace(disks_port=49300))
    receiver = BETA._replace(listen="10.0.0.2")

    assert _examine(plan, receiver) == []
    assert probed == [("beta", (49152, 49154), {"more": (49300,), "listen": "10.0.0.2"})]


# fmt: off
LEFT_OUT = [
    # only                    skip                        may a program listen   is it tried
    (None,                    [],                         True,                  True),
    (None,                    [],                         False,                 False),
    (None,                    ["data-port-blocked"],      True,                  True),
    (None,                    ["data-port-blocked", "data-port-unknown"], True,  False),
    (["data-port-blocked"],   [],                         True,                  True),
    (["data-port-taken"],     [],                         True,                  False),
]
# fmt: on


@pytest.mark.parametrize(("only", "skip", "listens", "tried"), LEFT_OUT)
def test_nothing_listens_for_what_nobody_wants(
    plan: Plan,
    probed: list[tuple[Any, ...]],
    only: list[str] | None,
    skip: list[str],
    *,
    listens: bool,
    tried: bool,
) -> None:
    chosen = None if only is None else frozenset(only)

    _examine(plan, selection=Selection(chosen, frozenset(skip), probe=listens))

    assert bool(probed) is tried


@pytest.mark.parametrize(
    ("source", "destination", "missing"),
    [
        (Access(), Access(), "alpha and beta"),
        (Access(), Access(shell=THERE), "alpha"),
        (Access(shell=HERE), Access(addresses=("10.0.0.2",)), "beta"),
    ],
)
def test_host_that_cannot_be_looked_at_is_named_with_what_to_run(
    plan: Plan, source: Access, destination: Access, missing: str
) -> None:
    findings = {each.id: each for each in _examine(plan, BETA, source, destination)}

    assert findings["data-port-unknown"] == Finding(
        "data-port-unknown",
        INFO,
        "alpha",
        "whether alpha can connect to the port that receives the memory is not known: no program"
        f" can be run on {missing}",
        remedy="on beta run: nc -l 49152; and on alpha: nc -zv beta 49152",
    )
    assert ("destination-name-unknown" in findings) == (source.shell is None)


# fmt: off
LISTENING = [
    # address       what is found
    ("10.0.0.2",    []),
    ("127.0.0.1",   []),
    ("beta",        []),
    ("10.0.0.9",    ["listen-address-elsewhere"]),
]
# fmt: on


@pytest.mark.usefixtures("probed")
@pytest.mark.parametrize(("listen", "found"), LISTENING)
def test_address_to_listen_on_is_the_destinations(
    plan: Plan, listen: str, found: list[str]
) -> None:
    assert [each.id for each in _examine(plan, BETA._replace(listen=listen))] == found


@pytest.mark.usefixtures("probed")
def test_settings_that_could_not_be_read_are_told(plan: Plan) -> None:
    (finding,) = _examine(plan, BETA._replace(unread="cat qemu.conf"))

    assert (finding.id, finding.host, finding.remedy) == (
        "destination-settings-unknown",
        "beta",
        "cat qemu.conf",
    )


@pytest.mark.parametrize(
    "asked",
    [
        {"offline": True, "persistent": True},
        {"tunnelled": True, "p2p": True},
    ],
)
def test_migration_without_a_port_of_its_own_needs_none(
    migrator: Migrator, probed: list[tuple[Any, ...]], asked: Mapping[str, Any]
) -> None:
    plan = migrator.plan(
        "web1", source="qemu:///system", destination="qemu+ssh://beta/system", **asked
    )

    assert _examine(plan, planned_receiver(plan), Access(), Access()) == []
    assert probed == []
