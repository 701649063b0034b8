"""What lies between two real hosts is found before a migration, from within both of them."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import (
    Config,
    ExitCode,
    Migrator,
    NamedHost,
    Registry,
    Report,
    Severity,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migrate_plugins_lab.host import Host
    from migrate_plugins_lab.lab import Lab

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
PORTS = "49152-49215"
# What a plain pair shows whatever is done: nothing encrypts the memory.
USUAL = "data-plain-text"
# A check may take its time, and no more than that.
BOUND = 15.0


@pytest.fixture
def inside(hosts: Lab) -> Migrator:
    """A migrator that knows a way into each host, as config.toml would tell it."""
    named = {
        host.name: NamedHost(host.name, host.uri, host.peer_uri, (), host.shell)
        for host in hosts.hosts
    }
    return Migrator(Registry.installed(Config(hosts=named)))


def _check(
    inside: Migrator,
    lab: Lab,
    *,
    only: tuple[str, ...] = (),
    skip: tuple[str, ...] = (),
    **options: Any,  # noqa: ANN401 - of many kinds
) -> Report:
    alpha, beta = lab.hosts
    given = {"source": alpha.uri, "destination": beta.uri, "live": True, **options}
    began = time.monotonic()
    report = inside.check(inside.plan("web1", **given), only=only, skip=skip)
    assert time.monotonic() - began < BOUND
    return report


def _found(report: Report) -> list[tuple[str, Severity, str | None, str | None]]:
    return [
        (each.id, each.severity, each.host, each.seen)
        for each in report.findings
        if each.id not in {USUAL, "control-plain-text"}
    ]


@contextmanager
def _names(host: Host, *lines: str) -> Iterator[None]:
    """Give one host other names than the rest of the lab has."""
    lines = ("127.0.0.1 localhost", *lines)
    file = host.folder.host(host.name) / "other-hosts"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    host.run(["mount", "--bind", f"/mnt/{host.name}/other-hosts", "/etc/hosts"])
    try:
        yield
    finally:
        host.run(["umount", "/etc/hosts"])


@contextmanager
def _listening(host: Host, *ports: int) -> Iterator[None]:
    """Have a program on *host* listen on *ports*."""
    program = (
        "import socket,sys\n"
        "held = [socket.create_server(('', int(port))) for port in sys.argv[1:]]\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
    )
    line = shlex.join(["python3", "-c", program, *map(str, ports)])
    with subprocess.Popen(
        [*host.shell, line], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield
        finally:
            process.stdin.close()
            process.wait(10)


def test_pair_that_is_well_shows_nothing_new(inside: Migrator, hosts: Lab) -> None:
    hosts.guest("web1")

    report = _check(inside, hosts)

    assert _found(report) == []
    assert report.skipped == ()
    assert hosts.host("beta").run(["ss", "-Hltn", "sport >= :49152 and sport <= :49215"]) == ""


def test_port_that_was_tried_is_free_again_at_once(inside: Migrator, hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    third = f"tcp://{beta.address}:49152"

    assert _found(_check(inside, hosts, migration=third)) == []
    plan = inside.plan("web1", source=alpha.uri, destination=beta.uri, migration=third, live=True)
    inside.run(plan).raise_for_failure()

    guest.wait_for_ticks()
    assert guest.continuity().breaks == ()


def test_name_that_the_source_cannot_resolve_is_found(inside: Migrator, hosts: Lab) -> None:
    hosts.guest("web1")
    hosts.fault("beta", "hostname", "unheard-of")

    report = _check(inside, hosts)

    assert _found(report) == [("destination-name-unresolvable", ERROR, "alpha", "unheard-of")]
    address = hosts.host("beta").address
    (remedy,) = [each.remedy for each in report.findings if each.blocks]
    assert remedy == (
        f"on alpha run: echo {address} unheard-of >>/etc/hosts (or add it to the DNS);"
        f" or give the migration URI tcp://{address}/"
    )


def test_remedy_for_an_unknown_name_mends_it(inside: Migrator, hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    hosts.fault("beta", "hostname", "unheard-of")
    plan = inside.plan("web1", source=alpha.uri, destination=beta.uri, live=True)

    with _names(alpha, f"{beta.address} unheard-of"):
        assert _found(inside.check(plan)) == []
        outcome = inside.run(plan)

    assert outcome.verdict is Verdict.DONE
    guest.wait_for_ticks()


def test_name_that_leads_to_another_address_is_found(inside: Migrator, hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    hosts.guest("web1")

    with _names(alpha, f"{alpha.address} beta"):
        here = _check(inside, hosts)
    with _names(alpha, "127.0.1.1 beta"):
        back = _check(inside, hosts)

    assert _found(here) == [("destination-name-elsewhere", ERROR, "alpha", alpha.address)]
    assert _found(back) == [("destination-name-elsewhere", ERROR, "alpha", "127.0.1.1")]
    assert beta.address in (here.findings[-1].expected or "")


def test_destination_that_calls_itself_localhost_is_one_finding(
    inside: Migrator, hosts: Lab
) -> None:
    hosts.guest("web1")
    hosts.fault("beta", "hostname", "localhost")

    assert _found(_check(inside, hosts)) == [
        ("destination-name-localhost", ERROR, "localhost", "localhost")
    ]


def test_ports_that_a_firewall_rejects_are_found_before_the_migration(
    inside: Migrator, hosts: Lab
) -> None:
    hosts.guest("web1")
    hosts.fault("beta", "block-ports", PORTS)

    assert _found(_check(inside, hosts)) == [
        (
            "data-port-blocked",
            ERROR,
            "beta",
            "beta:49152: Connection refused; beta:49215: Connection refused",
        )
    ]


def test_part_of_the_ports_that_is_rejected_is_found_too(inside: Migrator, hosts: Lab) -> None:
    hosts.guest("web1")
    hosts.fault("beta", "block-ports", "49200-49215")

    assert _found(_check(inside, hosts)) == [
        ("data-port-blocked", ERROR, "beta", "beta:49215: Connection refused")
    ]


def test_blocked_ports_are_not_tried_when_they_are_skipped(inside: Migrator, hosts: Lab) -> None:
    hosts.guest("web1")
    hosts.fault("beta", "block-ports", PORTS)
    skipped = ("data-port-blocked", "data-port-unknown")

    report = _check(inside, hosts, skip=skipped)

    assert _found(report) == []
    assert report.skipped == skipped


def test_migration_itself_has_nobody_listen_beforehand(inside: Migrator, hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    guest = hosts.guest("web1")
    hosts.fault("beta", "block-ports", PORTS)

    outcome = inside.run(inside.plan("web1", source=alpha.uri, destination=beta.uri, live=True))

    assert outcome.verdict is Verdict.FAILED  # by the hypervisor, not by a check
    assert [each.id for each in outcome.findings] == [USUAL]
    guest.wait_for_ticks()


def test_link_that_is_cut_is_found_within_seconds(inside: Migrator, hosts: Lab) -> None:
    hosts.guest("web1")
    hosts.fault("beta", "cut")

    (found,) = _found(_check(inside, hosts))

    assert found[:3] == ("data-port-blocked", ERROR, "beta")
    assert "49152: " in (found[3] or "")


def test_port_that_was_asked_for_and_is_taken_is_found_with_who_has_it(
    inside: Migrator, hosts: Lab
) -> None:
    beta = hosts.host("beta")
    hosts.guest("web1")

    with _listening(beta, 49300):
        report = _check(inside, hosts, migration=f"tcp://{beta.address}:49300")

    (found,) = _found(report)
    assert found[:3] == ("data-port-taken", ERROR, "beta")
    assert (found[3] or "").startswith("python")


def test_port_of_the_range_that_is_taken_is_passed_over(inside: Migrator, hosts: Lab) -> None:
    beta = hosts.host("beta")
    hosts.guest("web1")

    with _listening(beta, 49152, 49153):
        assert _found(_check(inside, hosts)) == []


def test_range_that_is_taken_as_a_whole_is_found(inside: Migrator, hosts: Lab) -> None:
    hosts.guest("web1")

    with _listening(hosts.host("beta"), *range(49152, 49216)):
        (found,) = _found(_check(inside, hosts))

    assert found[:3] == ("data-ports-exhausted", ERROR, "beta")


def test_destination_that_is_the_source_is_found(inside: Migrator, hosts: Lab) -> None:
    hosts.guest("web1")

    found = _found(_check(inside, hosts, destination=hosts.host("alpha").uri))

    assert [each[0] for each in found] == ["same-host", "already-there"]


def test_hosts_of_one_name_are_found(inside: Migrator, hosts: Lab) -> None:
    hosts.guest("web1")
    hosts.fault("beta", "hostname", "alpha")

    found = _found(_check(inside, hosts))

    assert [each[0] for each in found] == ["same-host-name", "destination-name-elsewhere"]


# fmt: off
PEERS = [
    # the second URI                    what is found              a part of what libvirt says
    ("qemu+tcp://10.78.0.2/session",    None,                      ""),
    ("qemu+tcp://beta/session",         None,                      ""),
    ("qemu+tcp://10.78.0.9/session",    "peer2peer-unreachable",   "No route to host"),
    ("qemu+tcp://10.78.0.2:1/session",  "peer2peer-unreachable",   "Connection refused"),
    ("qemu+tcp://unheard-of/session",   "peer2peer-unreachable",   "Unable to resolve address"),
    ("qemu+tcp://10.78.0.2/system",     "peer2peer-unreachable",   "unexpected qemu URI path"),
    ("qemu+tls://10.78.0.2/session",    "peer2peer-unreachable",   "Cannot read CA certificate"),
    ("qemu+ssh://10.78.0.2/session",    "peer2peer-unreachable",   "Connection refused"),
    ("qemu+tcp://10.78.0.2",            "peer2peer-uri-path",      "qemu+tcp://10.78.0.2"),
    ("qemu+tcp://10.78.0.1/session",    "peer2peer-is-source",     "alpha, "),
]
# fmt: on


@pytest.mark.parametrize(("second", "found", "said"), PEERS)
def test_second_uri_is_opened_from_the_source(
    inside: Migrator, hosts: Lab, second: str, found: str | None, said: str
) -> None:
    hosts.guest("web1")

    shown = _found(_check(inside, hosts, p2p=True, migration=second))

    assert [each[:3] for each in shown] == ([(found, ERROR, "alpha")] if found else [])
    assert all(said in (each[3] or "") for each in shown)


def test_second_uri_to_another_host_than_the_client_sees_is_found(
    inside: Migrator, hosts: Lab
) -> None:
    alpha, beta = hosts.hosts
    hosts.guest("web1", host="beta")
    plan = inside.plan(
        "web1",
        source=beta.uri,
        destination=alpha.uri,
        migration=beta.peer_uri,
        p2p=True,
        live=True,
    )

    assert [each[:3] for each in _found(inside.check(plan))] == [
        ("peer2peer-is-source", ERROR, "beta")
    ]


def test_local_second_uri_is_right_where_it_leads_to_the_destination(
    inside: Migrator, hosts: Lab
) -> None:
    # The hosts of a lab share their files: from alpha too this socket is beta's.
    hosts.guest("web1")

    assert _found(_check(inside, hosts, p2p=True)) == []


def test_peer_is_said_to_be_unknown_where_nobody_can_look(migrator: Migrator, hosts: Lab) -> None:
    alpha, beta = hosts.hosts
    hosts.guest("web1")
    plan = migrator.plan(
        "web1",
        source=alpha.uri,
        destination=beta.uri,
        migration=beta.peer_uri,
        p2p=True,
        live=True,
    )

    (unknown,) = [each for each in migrator.check(plan).findings if each.id == "peer2peer-unknown"]

    assert (unknown.severity, unknown.host, unknown.seen) == (INFO, "alpha", beta.peer_uri)
    assert unknown.remedy == (f"run there as the session's user: virsh -c {beta.peer_uri} hostname")


def test_plain_control_channel_between_the_hosts_is_told(inside: Migrator, hosts: Lab) -> None:
    hosts.guest("web1")

    report = _check(inside, hosts, p2p=True, migration=hosts.host("beta").peer_uri)

    assert [
        (each.severity, each.host) for each in report.findings if each.id == "control-plain-text"
    ] == [(WARNING, "destination")]


def test_old_configuration_on_the_destination_is_told_with_its_fate(
    inside: Migrator, hosts: Lab, tmp_path: Path
) -> None:
    alpha, beta = hosts.hosts
    hosts.guest("web1")
    definition = tmp_path / "web1.xml"
    definition.write_text(alpha.virsh("dumpxml", "web1"), encoding="utf-8")
    beta.virsh("define", str(definition))

    kept = _check(inside, hosts, only=("stale-configuration",))
    replaced = _check(inside, hosts, only=("stale-configuration",), persistent=True)

    assert [(each.id, each.severity) for each in (*kept.findings, *replaced.findings)] == [
        ("stale-configuration", WARNING),
        ("stale-configuration", INFO),
    ]
    assert "data-port-blocked" in kept.skipped


def test_definitions_are_read_before_they_are_needed(
    inside: Migrator, hosts: Lab, tmp_path: Path
) -> None:
    hosts.guest("web1")
    text = hosts.host("alpha").virsh("dumpxml", "--migratable", "web1")
    own, other, broken = (tmp_path / f"{name}.xml" for name in ("own", "other", "broken"))
    own.write_text(text, encoding="utf-8")
    other.write_text(text.replace("<uuid>", "<uuid>0"), encoding="utf-8")
    broken.write_text(text.replace("</domain>", ""), encoding="utf-8")

    found = [
        [each[0] for each in _found(_check(inside, hosts, xml=str(file)))]
        for file in (own, other, broken, tmp_path / "missing.xml")
    ]

    assert found == [
        [],
        ["definition-other-guest"],
        ["definition-unreadable"],
        ["definition-unreadable"],
    ]


def test_command_reads_ways_in_from_the_configuration(hosts: Lab, tmp_path: Path) -> None:
    hosts.guest("web1")
    hosts.fault("beta", "block-ports", PORTS)
    file = tmp_path / "config.toml"
    file.write_text(
        "".join(
            f"[hosts.{host.name}]\nuri = {json.dumps(host.uri)}\n"
            f"shell = {json.dumps(list(host.shell))}\n"
            for host in hosts.hosts
        ),
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "migrate_plugins", "check", "web1", "--live"]

    done = subprocess.run(
        [*command, "--from", "alpha", "--to", "beta", "--json"],
        env={"MIGRATE_PLUGINS_CONFIG": str(file), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    said = json.loads(done.stdout)
    assert done.returncode == ExitCode.BLOCKED
    assert [each["id"] for each in said["findings"]] == [USUAL, "data-port-blocked"]
    assert said["counts"]["error"] == 1
