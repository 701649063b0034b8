"""Hosts in memory: honest about it, and with every fault and every verdict within reach."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import (
    Access,
    AuthenticationError,
    Basis,
    BlockedError,
    ConnectError,
    DriverError,
    EntryPoint,
    ExitCode,
    GuestState,
    InvalidURIError,
    Migrator,
    Phase,
    Revision,
    Selection,
    Severity,
    Statistics,
    Verdict,
)
from migrate_plugins.document import ROWS, Row
from migrate_plugins.testing import FAULTS, MemoryDriver, MemoryHosts
from migrate_plugins.testing.memory.hosts import Configuration

if TYPE_CHECKING:
    from migrate_plugins import Event, Outcome

ALPHA, BETA = "memory://alpha/", "memory://beta/"
POINT = EntryPoint("migrate_plugins.simulated", "memory", "here", "migrate-plugins", "1", "here")

# fmt: off
# Each verdict, by faults.
VERDICTS = [
    # of the source      of the destination   cancelled  verdict
    ("",                 "",                  False,     Verdict.DONE),
    ("",                 "lost-connection",   False,     Verdict.DONE),
    ("",                 "leftover",          False,     Verdict.DONE),
    ("cancel",           "",                  True,      Verdict.DONE),
    ("start",            "",                  False,     Verdict.FAILED),
    ("",                 "start",             False,     Verdict.FAILED),
    ("transfer",         "",                  False,     Verdict.FAILED),
    ("",                 "transfer@0",        False,     Verdict.FAILED),
    ("",                 "transfer@99",       False,     Verdict.FAILED),
    ("",                 "hang",              True,      Verdict.CANCELLED),
    ("slow",             "",                  True,      Verdict.CANCELLED),
    ("paused",           "",                  False,     Verdict.PAUSED),
    ("",                 "paused",            False,     Verdict.PAUSED),
    ("paused",           "paused",            False,     Verdict.PAUSED),
    ("",                 "split",             False,     Verdict.SPLIT),
    ("lost",             "",                  False,     Verdict.LOST),
    ("lost-connection",  "",                  False,     Verdict.UNKNOWN),
    ("lost-connection",  "lost-connection",   False,     Verdict.UNKNOWN),
    ("",                 "transfer,lost-connection", False, Verdict.FAILED),
]

# What keeps a migration from being started at all.
ERRORS = [
    # of the source   of the destination   error
    ("connect",       "",                  ConnectError,
     "cannot connect to {source}: simulated: no route to the host"),
    ("",              "connect",           ConnectError,
     "cannot connect to {destination}: simulated: no route to the host"),
    ("authenticate",  "",                  AuthenticationError,
     "cannot connect to {source}: simulated: the credentials were refused"),
    ("read",          "",                  DriverError,
     "reading the guest web1 failed: simulated: alpha does not answer"),
    ("",              "read",              DriverError,
     "reading the guest web1 failed: simulated: beta does not answer"),
]

# URIs that mean nothing.
UNREADABLE = [
    # query                     the part that is wrong
    ("fault=transfr",           ("there is no fault 'transfr'; it may mean 'transfer'; there are"
                                 f" {', '.join(FAULTS)}")),
    ("fault=zzz",               f"there is no fault 'zzz'; there are {', '.join(FAULTS)}"),
    ("fault=split@50",          ("the fault 'split' does not break into a transfer;"
                                 " write 'split'")),
    ("fault=hang@101",          "'101' is no percentage; give 0 to 100, such as hang@50"),
    ("fault=hang@",             "'' is no percentage; give 0 to 100, such as hang@50"),
    ("seconds=soon",            "seconds=soon is no number from 0 to 86400"),
    ("seconds=nan",             "seconds=nan is no number from 0 to 86400"),
    ("faults=hang",             "it has no parameter 'faults'"),
    ("x=1&fault=a,b",           ("it has no parameter 'x'; there is no fault 'a';"
                                 f" there are {', '.join(FAULTS)}; there is no fault 'b';"
                                 f" there are {', '.join(FAULTS)}")),
]

# The same from the command line.
COMMANDS = [
    # of the destination  exit status
    ("",                  ExitCode.DONE),
    ("?fault=transfer@50", ExitCode.FAILED),
    ("?fault=split",      ExitCode.NEEDS_PERSON),
    ("?fault=connect",    ExitCode.CONNECT),
    ("?fault=conect",     ExitCode.USAGE),
]
# fmt: on


@pytest.fixture
def hosts() -> MemoryHosts:
    return MemoryHosts(seconds=0.1)


@pytest.fixture
def memory(hosts: MemoryHosts) -> Migrator:
    return Migrator([(POINT, MemoryDriver(hosts=hosts))])


def _migrate(
    memory: Migrator,
    source: str = ALPHA,
    destination: str = BETA,
    *,
    cancel: bool = False,
    guest: str = "web1",
    **more: Any,  # noqa: ANN401 - the fields of a request have many types
) -> Outcome:
    fields: dict[str, Any] = {
        "guest": guest,
        "source": source,
        "destination": destination,
        "live": True,
    } | more
    run = memory.start(memory.plan(**fields))
    while cancel and run.phase is not Phase.TRANSFER and not run.wait(0.005):
        pass
    if cancel:
        run.cancel()
    assert run.wait(10)
    return run.outcome()


def _uri(host: str, faults: str) -> str:
    return f"memory://{host}/?fault={faults}" if faults else f"memory://{host}/"


@pytest.mark.parametrize(("source", "destination", "cancelled", "verdict"), VERDICTS)
def test_fault_in_a_uri_leads_to_its_verdict(
    memory: Migrator, source: str, destination: str, cancelled: bool, verdict: Verdict
) -> None:
    outcome = _migrate(memory, _uri("alpha", source), _uri("beta", destination), cancel=cancelled)

    assert outcome.verdict is verdict, outcome.sentence


@pytest.mark.parametrize(("source", "destination", "cancelled", "verdict"), VERDICTS)
def test_fault_of_a_host_leads_to_the_same_verdict(
    memory: Migrator,
    hosts: MemoryHosts,
    source: str,
    destination: str,
    cancelled: bool,
    verdict: Verdict,
) -> None:
    hosts.fault("alpha", *filter(None, source.split(",")))
    hosts.fault("beta", *filter(None, destination.split(",")))

    assert _migrate(memory, cancel=cancelled).verdict is verdict


@pytest.mark.parametrize(("source", "destination", "error", "text"), ERRORS)
def test_fault_before_the_start_is_an_error(
    memory: Migrator, source: str, destination: str, error: type[Exception], text: str
) -> None:
    uris: dict[str, Any] = {
        "source": _uri("alpha", source),
        "destination": _uri("beta", destination),
    }

    with pytest.raises(error) as caught:
        _migrate(memory, **uris)

    assert type(caught.value) is error
    assert str(caught.value) == text.format(**uris)


def test_every_verdict_can_be_reached_and_every_fault_is_tried() -> None:
    tried = [fault for row in (*VERDICTS, *ERRORS) for side in row[:2] for fault in side.split(",")]

    assert {verdict for *_, verdict in VERDICTS} == {*Verdict}
    assert {fault.partition("@")[0] for fault in tried if fault} == {*FAULTS}


@pytest.mark.parametrize("kind", FAULTS)
def test_fault_says_in_a_sentence_what_it_does(kind: str) -> None:
    assert FAULTS[kind].name == kind
    assert FAULTS[kind].help[0].islower()
    assert not FAULTS[kind].help.endswith(".")


@pytest.mark.parametrize(("query", "part"), UNREADABLE)
def test_uri_that_means_nothing_is_refused(memory: Migrator, query: str, part: str) -> None:
    with pytest.raises(InvalidURIError) as caught:
        _migrate(memory, destination=f"memory://beta/?{query}")

    assert caught.value.part == part
    assert caught.value.hint == "write memory://HOST/[?fault=KIND[@PERCENT],...][&seconds=NUMBER]"


def test_unknown_host_is_a_connect_error_with_those_there_are(memory: Migrator) -> None:
    with pytest.raises(ConnectError) as caught:
        _migrate(memory, destination="memory://gamma/")

    assert caught.value.problem == (
        "no host 'gamma' is in memory; there are memory://alpha/, memory://beta/"
    )


def test_fault_in_peer_to_peer_is_met_by_the_source(memory: Migrator) -> None:
    outcome = _migrate(memory, destination=_uri("beta", "connect"), p2p=True)

    assert outcome.verdict is Verdict.FAILED
    assert str(outcome.error) == (
        "migrating web1 failed: alpha cannot connect to memory://beta/?fault=connect:"
        " simulated: no route to the host"
    )


def test_fault_is_explained(memory: Migrator) -> None:
    outcome = _migrate(memory, destination=_uri("beta", "transfer"))

    assert [diagnosis.id for diagnosis in outcome.diagnoses] == ["fault-simulated"]


def test_healed_hosts_can_be_read_again(memory: Migrator, hosts: MemoryHosts) -> None:
    hosts.fault("beta", "lost-connection")
    _migrate(memory)
    with pytest.raises(ConnectError):
        _migrate(memory, guest="web2")

    hosts.heal()

    assert _migrate(memory, guest="web2").verdict is Verdict.DONE


def test_transfer_that_hangs_goes_on_once_its_host_is_healed(
    memory: Migrator, hosts: MemoryHosts
) -> None:
    hosts.fault("beta", "hang@10")
    run = memory.start(memory.plan("web1", source=ALPHA, destination=BETA, live=True))
    assert not run.wait(0.6)

    hosts.heal()

    assert run.wait(10)
    assert run.outcome().verdict is Verdict.DONE


@pytest.mark.parametrize("revision", [*Revision])
@pytest.mark.parametrize("row", ROWS[Revision.CURRENT])
def test_row_of_the_configuration_table_holds(
    memory: Migrator, hosts: MemoryHosts, row: Row, revision: Revision
) -> None:
    guest = "web1" if row.before.persistent else "web2"
    uuid = hosts["alpha"].active[guest].uuid
    if row.before.destination_config:
        hosts["beta"].configurations[guest] = Configuration(uuid, 1024)
    (wanted,) = [each for each in ROWS[revision] if each._replace(after=row.after) == row]

    outcome = _migrate(
        memory,
        guest=guest,
        revision=revision,
        undefine_source=row.undefine_source,
        persistent=row.persist,
    )

    assert outcome.verdict is Verdict.DONE
    assert outcome.plan.before == row.before
    assert outcome.configuration == wanted.after
    assert outcome.differences == ()


def test_guests_of_a_fresh_pair() -> None:
    hosts = MemoryHosts()

    assert [(guest.name, guest.state, guest.persistent) for guest in hosts.guests("alpha")] == [
        ("idle", GuestState.SHUTOFF, True),
        ("web1", GuestState.RUNNING, True),
        ("web2", GuestState.RUNNING, False),
    ]
    assert hosts.guests("beta") == []
    assert len({guest.uuid for guest in hosts.guests("alpha")}) == 3
    assert hosts.guests("alpha") == MemoryHosts().guests("alpha")


def test_guest_that_is_shut_off_is_no_guest_to_move_live(memory: Migrator) -> None:
    with pytest.raises(BlockedError):
        _migrate(memory, guest="idle")


def test_timeout_pauses_a_guest_that_writes_too_fast(memory: Migrator) -> None:
    outcome = _migrate(memory, _uri("alpha", "slow"), timeout=1)

    assert outcome.verdict is Verdict.DONE
    assert outcome.destination is not None
    assert outcome.destination.state is GuestState.RUNNING


def test_timeout_switches_to_post_copy(memory: Migrator) -> None:
    fields: dict[str, Any] = {"timeout": 1, "timeout_postcopy": True, "postcopy": True}
    outcome = _migrate(memory, _uri("alpha", "slow"), **fields)

    assert outcome.verdict is Verdict.DONE
    assert outcome.statistics is not None
    assert outcome.statistics.postcopy


def test_transfer_that_breaks_in_post_copy_needs_a_person(
    memory: Migrator, hosts: MemoryHosts
) -> None:
    hosts.fault("alpha", "slow")
    hosts.fault("beta", "hang@50")
    fields: dict[str, Any] = {"timeout": 1, "timeout_postcopy": True, "postcopy": True}
    plan = memory.plan("web1", source=ALPHA, destination=BETA, live=True, **fields)
    run = memory.start(plan)
    assert not run.wait(1.8)

    hosts.fault("beta", "transfer@0")

    assert run.wait(10)
    assert run.outcome().verdict is Verdict.PAUSED


def test_statistics_grow_to_the_whole_of_the_memory(memory: Migrator) -> None:
    seen: list[Statistics] = []

    def note(event: Event) -> None:
        if event.statistics is not None:
            seen.append(event.statistics)

    plan = memory.plan("web1", source=f"{ALPHA}?seconds=1", destination=BETA, live=True)
    outcome = memory.run(plan, observers=[note])

    total = 262_144 * 1024
    assert len(seen) >= 3
    assert {each.total for each in seen} == {total}
    assert [each.transferred for each in seen] == sorted(each.transferred or 0 for each in seen)
    assert outcome.statistics is not None
    assert (outcome.statistics.remaining, outcome.statistics.rate) == (0, total)


def test_many_migrations_at_once_move_each_guest_once(memory: Migrator, hosts: MemoryHosts) -> None:
    names = [f"guest{number}" for number in range(24)]
    for name in names:
        hosts.add(name, host="alpha", memory=1024)
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda name=name: outcomes.append(_migrate(memory, guest=name)))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert [outcome.verdict for outcome in outcomes] == [Verdict.DONE] * 24
    assert {guest.name for guest in hosts.guests("beta")} == {*names}
    assert not {guest.name for guest in hosts.guests("alpha")} & {*names}
    assert all(guest.job is None for guest in hosts.guests("beta"))


def test_guest_is_not_moved_twice_at_once(memory: Migrator, hosts: MemoryHosts) -> None:
    hosts.fault("beta", "hang")
    run = memory.start(memory.plan("web1", source=ALPHA, destination=BETA, live=True))
    while run.phase is not Phase.TRANSFER:
        assert not run.wait(0.005)

    with pytest.raises(BlockedError) as caught:
        _migrate(memory)

    assert {"guest-busy", "already-there"} == {finding.id for finding in caught.value.findings}
    run.cancel()
    assert run.outcome().verdict is Verdict.CANCELLED


def test_it_says_everywhere_that_it_is_simulated(memory: Migrator) -> None:
    driver = memory.registry.drivers["memory"]
    plan = memory.plan("web1", source=ALPHA, destination=BETA, live=True)
    findings = {finding.id: finding for finding in memory.check(plan).findings}

    assert driver.info.title == "Hosts simulated in memory"
    for revision in Revision:
        capabilities = driver.capabilities(revision)
        assert "simulated" in capabilities.protocol
        for offer in capabilities.offers.values():
            assert offer.claim[:2] == (Basis.CODE, "simulated in memory")
    assert findings["simulated"].severity is Severity.WARNING
    assert driver.connect(ALPHA).host().hypervisor == "simulated in memory"
    (command,) = plan.commands
    assert command.not_expressible == "no tool moves what is only simulated in memory"


def test_another_drivers_plan_is_not_called_simulated(memory: Migrator) -> None:
    plan = memory.plan("web1", source=ALPHA, destination=BETA, live=True)
    facts = memory.check(plan).facts

    assert facts is not None
    foreign = plan._replace(driver="qemu")

    found = memory.registry.checks(foreign, facts, Access(), Access(), Selection())

    assert found == []


@pytest.mark.parametrize(("query", "status"), COMMANDS)
def test_command_line_has_the_faults_too(query: str, status: ExitCode) -> None:
    argv = ["migrate", "web1", f"memory://beta/{query}", "-c", ALPHA, "--driver", "memory"]
    done = subprocess.run(
        [sys.executable, "-m", "migrate_plugins", *argv],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == status, done.stderr


def test_it_needs_no_pytest() -> None:
    program = "import sys, migrate_plugins.testing.memory; print('pytest' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )

    assert done.stdout == "False\n"
