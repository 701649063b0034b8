"""Errors that are caused for real, and what each is taken for: the first diagnosis is the cause."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import libvirt
import pytest

from migrate_plugins import (
    Access,
    Config,
    ConnectError,
    DriverError,
    Migrator,
    NamedHost,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from migrate_plugins import Outcome
    from migrate_plugins_lab.host import Host
    from migrate_plugins_lab.lab import Lab

PORTS = "49152-49215"
LIVE = libvirt.VIR_MIGRATE_LIVE
P2P = LIVE | libvirt.VIR_MIGRATE_PEER2PEER
TUNNELLED = P2P | libvirt.VIR_MIGRATE_TUNNELLED
COPY = LIVE | libvirt.VIR_MIGRATE_NON_SHARED_DISK
# Seconds within which a migration that is to fail has failed.
PATIENCE = 45.0

WRAPPER = """\
#!/bin/sh
# What libvirt asks of a QEMU goes through; a guest that arrives wants a machine that is not here.
case "$*" in
*"-incoming"*) ;;
*) exec {real} "$@" ;;
esac
for word; do
    shift
    case $word in pc-i440fx-*) word="pc-i440fx-1.0${{word#pc-i440fx-?.?}}" ;; esac
    set -- "$@" "$word"
done
exec {real} "$@"
"""

DROP = """\
add table inet drops
add chain inet drops input {{ type filter hook input priority 0; }}
add rule inet drops input tcp dport {ports} drop
"""

LISTENER = """\
import os, socket, sys, threading, time
# It ends with whoever started it: a signal would reach only the program that led it in here.
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
held = []
for port in sys.argv[1:]:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", int(port)))
    listener.listen()
    held.append(listener)
print("listening", flush=True)
# Whoever comes is let in, and dropped soon: as a program does that was sent what it cannot read.
for _ in held:
    visitor, _ = held[0].accept()
    time.sleep(1)
    visitor.close()
time.sleep(60)
"""


class Stage(NamedTuple):
    """What a case may use: the lab, and what is undone afterwards."""

    lab: Lab
    undo: ExitStack
    folder: Path

    @property
    def alpha(self) -> Host:
        return self.lab.hosts[0]

    @property
    def beta(self) -> Host:
        return self.lab.hosts[1]

    def guest(self, *, disk: int = 0, dirty: int = 0, persistent: bool = False) -> None:
        self.lab.guest("web1", disk=disk, dirty=dirty, persistent=persistent)

    def edited(self, edit: Callable[[str], str], *, disk: int = 0) -> None:
        """Start the guest with another definition."""
        self.guest(disk=disk)
        xml = self.alpha.virsh("dumpxml", "web1")
        self.alpha.virsh("destroy", "web1")
        self.alpha.virsh("create", str(self.file(edit(xml))))

    def migratable(self) -> str:
        self.guest()
        return self.alpha.virsh("dumpxml", "--migratable", "web1")

    def file(self, text: str) -> Path:
        path = self.folder / "guest.xml"
        path.write_text(text, encoding="utf-8")
        return path

    def disk(self, host: Host) -> Path:
        return self.lab.folder.host(host.name) / "disks/web1.img"

    def configure(self, host: Host, *lines: str) -> None:
        """Give a host other lines in its qemu.conf, and its daemon a new start."""
        path = self.lab.folder.host(host.name) / "config/libvirt/qemu.conf"
        before = path.read_text(encoding="utf-8")

        def restart(text: str) -> None:
            path.write_text(text, encoding="utf-8")
            self.lab.fault(host.name, "kill-daemon")
            self.lab.fault(host.name, "heal")

        restart(before + "".join(f"{line}\n" for line in lines))
        self.undo.callback(restart, before)

    def hold(self, host: Host, *ports: int) -> None:
        """Have a program of somebody else listen on *ports* of a host."""
        script = self.lab.folder.path / "listener.py"
        script.write_text(LISTENER, encoding="utf-8")
        line = f"exec python3 /mnt/listener.py {' '.join(map(str, ports))}"
        process = subprocess.Popen(
            [*host.shell, line], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.undo.callback(process.communicate, timeout=10)
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"

    def direct(self, flags: int = LIVE, **parameters: Any) -> None:  # noqa: ANN401 - libvirt's own types
        """Have the client's library migrate, past all that we would refuse."""
        self._migrate(lambda guest, there: guest.migrate3(there, parameters, flags))

    def peer(self, uri: str, flags: int = P2P, **parameters: Any) -> None:  # noqa: ANN401 - likewise
        """Have the source migrate to a URI that it opens itself."""
        self._migrate(lambda guest, _: guest.migrateToURI3(uri, parameters, flags))

    def while_moving(self, act: Callable[[], object], *, peer: bool = False) -> None:
        """Do something while memory is on its way."""
        self.guest(dirty=32)
        self.lab.fault("alpha", "bandwidth", "50mbit")
        watch = threading.Thread(target=self._when_moving, args=(act,))
        watch.start()
        try:
            if peer:
                self.peer(self.beta.peer_uri)
            else:
                self.direct()
        finally:
            watch.join(PATIENCE)

    def _when_moving(self, act: Callable[[], object]) -> None:
        with _opened(self.alpha.uri) as here:
            guest = here.lookupByName("web1")
            give_up = time.monotonic() + PATIENCE
            while guest.jobStats().get("memory_processed", 0) < 1 << 20:
                assert time.monotonic() < give_up, "no memory has moved"
                time.sleep(0.1)
        act()

    def _migrate(self, move: Callable[[Any, Any], object]) -> None:
        with _opened(self.alpha.uri) as here, _opened(self.beta.uri) as there:
            move(here.lookupByName("web1"), there)


@contextmanager
def _opened(uri: str) -> Iterator[Any]:
    connection = libvirt.open(uri)
    try:
        yield connection
    finally:
        connection.close()


# --- what is done wrong, each in a function of its own ----------------------------------------


def calls_itself_localhost(stage: Stage) -> None:
    stage.guest()
    stage.lab.fault("beta", "hostname", "localhost")
    stage.direct()


def has_a_name_nobody_knows(stage: Stage) -> None:
    stage.guest()
    stage.lab.fault("beta", "hostname", "nosuch.example")
    stage.direct()


def rejects_the_ports(stage: Stage) -> None:
    stage.guest()
    stage.lab.fault("beta", "block-ports", PORTS)
    stage.direct()


def names_an_address_of_nobody(stage: Stage) -> None:
    stage.guest()
    stage.direct(migrate_uri="tcp://10.78.0.77/")


def names_another_network(stage: Stage) -> None:
    stage.guest()
    stage.direct(migrate_uri="tcp://192.0.2.7:49152")


def drops_the_ports(stage: Stage) -> None:
    stage.guest()
    stage.beta.run(["nft", "-f", "-"], stdin=DROP.format(ports=PORTS))
    stage.undo.callback(stage.beta.run, ["nft", "delete", "table", "inet", "drops"])
    retries = stage.alpha.run(["sysctl", "-n", "net.ipv4.tcp_syn_retries"]).strip()
    setting = "net.ipv4.tcp_syn_retries={}"
    stage.undo.callback(stage.alpha.run, ["sysctl", "-w", setting.format(retries)])
    stage.alpha.run(["sysctl", "-w", setting.format(1)])
    stage.direct()


def listens_on_a_strange_address(stage: Stage) -> None:
    stage.guest()
    stage.direct(listen_address="192.0.2.9")


def has_no_port_left(stage: Stage) -> None:
    stage.configure(stage.beta, "migration_port_min = 49160", "migration_port_max = 49161")
    stage.hold(stage.beta, 49160, 49161)
    stage.guest()
    stage.direct()


def wants_one_port_twice(stage: Stage) -> None:
    stage.guest(disk=4)
    stage.direct(COPY, disks_port=49152, migrate_uri=f"tcp://{stage.beta.address}:49152")


def tunnels_with_a_migration_uri(stage: Stage) -> None:
    stage.guest()
    stage.peer(stage.beta.peer_uri, TUNNELLED, migrate_uri=f"tcp://{stage.beta.address}/")


def tunnels_in_parallel(stage: Stage) -> None:
    stage.guest()
    stage.peer(stage.beta.peer_uri, TUNNELLED | libvirt.VIR_MIGRATE_PARALLEL)


def tunnels_post_copy(stage: Stage) -> None:
    stage.guest()
    stage.peer(stage.beta.peer_uri, TUNNELLED | libvirt.VIR_MIGRATE_POSTCOPY)


def tunes_what_is_off(stage: Stage) -> None:
    stage.guest()
    stage.direct(**{"parallel.connections": 3})


def moves_a_definition_without_storing_it(stage: Stage) -> None:
    stage.guest(persistent=True)
    stage.alpha.virsh("destroy", "web1")
    stage.direct(libvirt.VIR_MIGRATE_OFFLINE)


def asks_for_unmanaged_direct(stage: Stage) -> None:
    stage.guest()
    stage.peer(f"tcp://{stage.beta.address}/", LIVE)


def writes_http(stage: Stage) -> None:
    stage.guest()
    stage.direct(migrate_uri=f"http://{stage.beta.address}/")


def opens_a_dead_address(stage: Stage) -> None:
    stage.guest()
    stage.peer("qemu+tcp://10.78.0.9/session")


def opens_an_unknown_name(stage: Stage) -> None:
    stage.guest()
    stage.peer("qemu+tcp://nosuch.example/session")


def opens_a_port_of_nobody(stage: Stage) -> None:
    stage.guest()
    stage.peer(f"qemu+tcp://{stage.beta.address}:16999/session")


def leaves_out_the_path(stage: Stage) -> None:
    stage.guest()
    stage.peer(f"qemu+tcp://{stage.beta.address}")


def names_the_other_daemon(stage: Stage) -> None:
    stage.guest()
    stage.peer(f"qemu+tcp://{stage.beta.address}/system")


def leaves_out_the_transport(stage: Stage) -> None:
    stage.guest()
    stage.peer(f"qemu://{stage.beta.address}/session")


def has_no_ssh(stage: Stage) -> None:
    stage.guest()
    stage.peer(f"qemu+ssh://{stage.beta.address}/session?command=/nowhere/ssh")


def has_no_ssh_server(stage: Stage) -> None:
    stage.guest()
    stage.peer(f"qemu+ssh://{stage.beta.address}/session")


def wants_tls_without_certificates(stage: Stage) -> None:
    stage.guest()
    stage.direct(LIVE | libvirt.VIR_MIGRATE_TLS)


def takes_tls_alone(stage: Stage) -> None:
    stage.configure(stage.beta, "migrate_tls_force = 1")
    stage.guest()
    stage.direct()


def goes_to_itself(stage: Stage) -> None:
    stage.guest()
    stage.peer(stage.alpha.peer_uri)


def shares_no_storage(stage: Stage) -> None:
    stage.guest(disk=4)
    stage.direct()


def has_no_image_there(stage: Stage) -> None:
    stage.guest(disk=4)
    stage.disk(stage.beta).unlink()
    stage.direct(LIVE | libvirt.VIR_MIGRATE_UNSAFE)


def copies_into_no_pool(stage: Stage) -> None:
    stage.guest(disk=4)
    stage.disk(stage.beta).unlink()
    stage.direct(COPY)


def copies_increments_into_nothing(stage: Stage) -> None:
    stage.guest(disk=4)
    stage.disk(stage.beta).unlink()
    stage.direct(LIVE | libvirt.VIR_MIGRATE_NON_SHARED_INC)


def copies_into_another_size(stage: Stage) -> None:
    stage.guest(disk=4)
    with stage.disk(stage.beta).open("r+b") as image:
        image.truncate(2 << 20)
    stage.direct(COPY)


def copies_an_empty_drive(stage: Stage) -> None:
    drive = "<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/><readonly/></disk>"
    stage.edited(lambda xml: xml.replace("</devices>", f"{drive}</devices>"), disk=4)
    stage.direct(COPY, migrate_disks=["vda", "hdc"])


def copies_a_disk_meanwhile(stage: Stage) -> None:
    stage.guest(disk=16)
    copy = "<disk type='file'><source file='/mnt/disks/copy.img'/><driver type='raw'/></disk>"
    with _opened(stage.alpha.uri) as here:
        transient = libvirt.VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB
        here.lookupByName("web1").blockCopy("vda", copy, {"bandwidth": 102400}, transient)
    stage.direct(LIVE | libvirt.VIR_MIGRATE_UNSAFE)


def has_no_such_network(stage: Stage) -> None:
    card = "<interface type='user'><mac address='52:54:00:11:22:33'/></interface>"
    stage.edited(lambda xml: xml.replace("</devices>", f"{card}</devices>"))
    there = stage.alpha.virsh("dumpxml", "--migratable", "web1").replace(
        "<interface type='user'>", "<interface type='network'><source network='blue'/>"
    )
    stage.direct(destination_xml=there)


def has_no_such_folder(stage: Stage) -> None:
    xml = re.sub(r"(<source path=)'[^']*'", r"\1'/nowhere/serial.log'", stage.migratable())
    stage.direct(destination_xml=xml)


def changes_the_memory(stage: Stage) -> None:
    other = "<memory unit='KiB'>65536</memory><currentMemory unit='KiB'>65536</currentMemory>"
    xml = re.sub(r"<memory.*?</currentMemory>", other, stage.migratable(), flags=re.DOTALL)
    stage.direct(destination_xml=xml)


def is_asked_for_twice(stage: Stage) -> None:
    caught: list[libvirt.libvirtError] = []

    def again() -> None:
        try:
            stage.direct()
        except libvirt.libvirtError as error:
            caught.append(error)
        with _opened(stage.alpha.uri) as here:
            here.lookupByName("web1").abortJob()

    try:
        stage.while_moving(again)
    except libvirt.libvirtError:
        raise caught[0] from None


def is_cancelled(stage: Stage) -> None:
    def cancel() -> None:
        with _opened(stage.alpha.uri) as here:
            here.lookupByName("web1").abortJob()

    stage.while_moving(cancel, peer=True)


def does_not_run(stage: Stage) -> None:
    stage.guest(persistent=True)
    stage.alpha.virsh("destroy", "web1")
    stage.direct()


def is_there_already(stage: Stage) -> None:
    xml = stage.migratable()
    stage.beta.virsh("create", "--paused", str(stage.file(xml)))
    stage.direct()


def meets_its_namesake(stage: Stage) -> None:
    stage.guest()
    stage.lab.guest("web1", host="beta")
    stage.direct()


def is_stored_under_another_name(stage: Stage) -> None:
    xml = stage.migratable().replace("<name>web1<", "<name>web2<")
    stage.beta.virsh("define", str(stage.file(xml)))
    stage.direct()


def is_nowhere(stage: Stage) -> None:
    stage.direct()


def may_not_use_userfaultfd(stage: Stage) -> None:
    stage.guest()
    stage.direct(LIVE | libvirt.VIR_MIGRATE_POSTCOPY)


def loses_the_daemon(stage: Stage) -> None:
    stage.while_moving(lambda: stage.lab.fault("beta", "kill-daemon"), peer=True)


def loses_the_link(stage: Stage) -> None:
    stage.configure(stage.alpha, "keepalive_interval = 1", "keepalive_count = 2")
    stage.while_moving(lambda: stage.lab.fault("beta", "cut"), peer=True)


def loses_the_qemu_there(stage: Stage) -> None:
    pid = "/mnt/beta/run/libvirt/qemu/run/web1.pid"
    kill = ["sh", "-c", f'kill -9 "$(cat {pid})"']
    stage.while_moving(lambda: stage.beta.run(kill), peer=True)


# fmt: off
# Which of two wordings libvirt takes is sometimes a matter of which of its threads comes first.
CAUSED = [
    # what is done                           first diagnosis
    (calls_itself_localhost,                 "hostname-localhost"),
    (has_a_name_nobody_knows,                "dest-name-unresolvable"),
    (rejects_the_ports,                      "data-port-refused"),
    (names_an_address_of_nobody,             "data-port-no-route"),
    (names_another_network,                  "data-port-no-route"),
    (drops_the_ports,                        "data-port-timeout"),
    (listens_on_a_strange_address,           "bind-address"),
    (has_no_port_left,                       "port-range-exhausted"),
    (wants_one_port_twice,                   "data-port-taken"),
    (tunnels_with_a_migration_uri,           "tunnel-with-migrateuri"),
    (tunnels_in_parallel,                    "flag-conflict"),
    (tunnels_post_copy,                      "flag-conflict"),
    (tunes_what_is_off,                      "flag-conflict"),
    (moves_a_definition_without_storing_it,  "flag-conflict"),
    (asks_for_unmanaged_direct,              "unmanaged-refused"),
    (writes_http,                            "migration-uri-scheme"),
    (opens_a_dead_address,                   "daemon-unreachable"),
    (opens_an_unknown_name,                  "daemon-name-unresolvable"),
    (opens_a_port_of_nobody,                 "daemon-refused"),
    (leaves_out_the_path,                    "p2p-uri-path"),
    (names_the_other_daemon,                 "p2p-uri-path"),
    (leaves_out_the_transport,               "tls-ca-missing"),
    (has_no_ssh,                             "ssh-missing or carrier-ended or lost-dest"),
    (has_no_ssh_server,                      "ssh-unreachable or carrier-ended"),
    (wants_tls_without_certificates,         "tls-qemu-cert"),
    (takes_tls_alone,                        "tls-required"),
    (goes_to_itself,                         "same-host-uuid"),
    (shares_no_storage,                      "no-shared-storage"),
    (has_no_image_there,                     "disk-not-found"),
    (copies_into_no_pool,                    "disk-not-precreated"),
    (copies_increments_into_nothing,         "inc-precreate"),
    (copies_into_another_size,               "disk-size"),
    (copies_an_empty_drive,                  "empty-disk"),
    (copies_a_disk_meanwhile,                "device-blocker"),
    (has_no_such_network,                    "dest-network"),
    (has_no_such_folder,                     "dest-path-missing"),
    (changes_the_memory,                     "definition-differs"),
    (is_asked_for_twice,                     "job-lock"),
    (is_cancelled,                           "cancelled or data-connection-broke"),
    (does_not_run,                           "not-running"),
    (is_there_already,                       "already-there"),
    (meets_its_namesake,                     "name-taken"),
    (is_stored_under_another_name,           "uuid-taken"),
    (is_nowhere,                             "guest-not-found"),
    (may_not_use_userfaultfd,                "postcopy-unsupported"),
    (loses_the_daemon,                       "lost-dest"),
    (loses_the_link,                         "lost-dest"),
    # Killed, it leaves no word; which of its connections is missed first is chance.
    (loses_the_qemu_there,
     "dest-qemu-died or data-connection-broke or stream-hidden"),
]
# fmt: on


@pytest.fixture
def stage(hosts: Lab, tmp_path: Path) -> Iterator[Stage]:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    with ExitStack() as undo:
        yield Stage(hosts, undo, tmp_path)


@pytest.mark.parametrize(("cause", "id_"), CAUSED, ids=[cause.__name__ for cause, _ in CAUSED])
def test_real_error_is_taken_for_what_caused_it(
    migrator: Migrator, stage: Stage, cause: Callable[[Stage], None], id_: str
) -> None:
    with pytest.raises(libvirt.libvirtError) as caught:
        cause(stage)

    error = caught.value
    text, code, domain = (
        error.get_error_message(),
        error.get_error_code(),
        error.get_error_domain(),
    )
    found = migrator.diagnose(text, code=code, domain=domain)
    assert found, (text, code, domain)
    assert found[0].id in id_.split(" or "), (text, code, domain)
    # Pasted without its numbers it is taken for the same.
    assert migrator.diagnose(f"error: {text}")[0].id == found[0].id


# --- what libvirt hides -------------------------------------------------------------------------


def _run(
    migrator: Migrator,
    lab: Lab,
    *,
    accept: str | None = None,
    **options: Any,  # noqa: ANN401 - of many kinds
) -> Outcome:
    alpha, beta = lab.hosts
    plan = migrator.plan("web1", source=alpha.uri, destination=beta.uri, live=True, **options)
    return migrator.run(plan, accept={accept: "to see what libvirt says"} if accept else {})


def _looking(lab: Lab) -> Migrator:
    """One that may look at both hosts from within."""
    named = {
        host.name: NamedHost(host.name, host.uri, host.peer_uri, (host.address,), host.shell)
        for host in lab.hosts
    }
    return Migrator.installed(Config(hosts=named))


def test_program_that_holds_the_port_is_named(stage: Stage) -> None:
    stage.guest()
    stage.hold(stage.beta, 49152)

    outcome = _run(
        _looking(stage.lab),
        stage.lab,
        accept="data-port-taken",  # the check has found it already
        migration=f"tcp://{stage.beta.address}:49152",
    )

    assert outcome.verdict is Verdict.FAILED
    assert isinstance(outcome.error, DriverError)
    assert "unexpectedly failed" in outcome.error.problem
    first = outcome.diagnoses[0]
    assert (first.id, first.finding) == ("data-port-taken", "data-port-taken")
    assert re.search(
        r"port 49152 of the destination is held by python3 \(process \d+\)", first.cause
    )
    assert first.remedies[0].text == "ss -ltnp 'sport = :49152'"


def test_place_of_the_reason_is_told_where_nobody_can_look(
    migrator: Migrator, stage: Stage
) -> None:
    stage.guest()
    stage.hold(stage.beta, 49152)

    outcome = _run(migrator, stage.lab, migration=f"tcp://{stage.beta.address}:49152")

    first = outcome.diagnoses[0]
    log = "~/.cache/libvirt/qemu/log/web1.log"
    assert first.id == "stream-hidden"
    assert f"the reason is in {log} on the destination" in first.cause
    assert "[hosts.NAME] shell in config.toml" in first.cause
    assert first.remedies[0].text == f"tail -n 40 {log}"


def test_log_of_the_qemu_that_died_is_read(stage: Stage) -> None:
    stage.guest()
    # A QEMU of another make: it lacks the machine type that the guest was started with.
    wrapper = stage.lab.folder.path / "qemu-of-another-make"
    real = "/mnt/qemu-real"
    wrapper.write_text(WRAPPER.format(real=real), encoding="utf-8")
    wrapper.chmod(0o755)
    (stage.lab.folder.path / "qemu-real").touch()
    inside = f"/mnt/{wrapper.name}"
    program = "/usr/bin/qemu-system-x86_64"
    for source, target in ((program, real), (inside, program)):
        stage.beta.run(["mount", "--bind", source, target])
        stage.undo.callback(stage.beta.run, ["umount", target])

    outcome = _run(_looking(stage.lab), stage.lab)

    assert outcome.verdict is Verdict.FAILED
    assert outcome.diagnoses[0].id == "machine-type"


def test_host_that_cannot_be_opened_is_diagnosed(migrator: Migrator, stage: Stage) -> None:
    stage.guest()
    stage.lab.fault("beta", "kill-daemon")

    with pytest.raises(ConnectError) as caught:
        _run(migrator, stage.lab)

    error = caught.value
    found = migrator.diagnose(error.problem, code=error.code, domain=error.domain)
    assert [each.id for each in found] == ["daemon-not-running"]


def test_memory_beside_tls_is_explained(stage: Stage) -> None:
    stage.guest()
    stage.lab.fault("beta", "block-ports", PORTS)
    outcome = _run(_looking(stage.lab), stage.lab)
    assert "ssh-is-not-data" not in [each.id for each in outcome.diagnoses]

    uri = "qemu+ssh://beta/session"
    uris = outcome.plan.uris
    plan = outcome.plan._replace(
        uris=uris._replace(destination=uris.destination._replace(value=uri))
    )
    assert outcome.error is not None
    looked = _looking(stage.lab).registry.investigate(plan, outcome.error, Access(), Access())
    assert [each.id for each in looked] == ["ssh-is-not-data"]
