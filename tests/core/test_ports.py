from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import (
    ChosenBy,
    HeldPort,
    PortHeldError,
    PortLedger,
    PortRule,
    PortsExhaustedError,
)

if TYPE_CHECKING:
    from pathlib import Path

RULE = PortRule(49300, 49303, ChosenBy.US, "of this test")

# Another process: choose as many ports as it is told, print them, hold them until its input ends.
HOLDER = """
import sys
from pathlib import Path
from migrate_plugins import ChosenBy, PortLedger, PortRule

folder, host, first, last, count = sys.argv[1:]
rule = PortRule(int(first), int(last), ChosenBy.US, "of this test")
ledger = PortLedger(Path(folder))
held = [
    ledger.choose(rule, host, lambda rule, host, taken: rule.lowest_free(taken))
    for _ in range(int(count))
]
print(*[port.number for port in held], flush=True)
sys.stdin.read()
"""

# fmt: off
SAME_HOST = [
    # one spelling     another
    ("desthost",       "DestHost"),
    ("desthost",       "desthost."),
    ("dst.example",    "DST.Example."),
    ("2001:db8::7",    "2001:0DB8:0000:0000:0000:0000:0000:0007"),
    ("fe80::1%eth0",   "FE80::0001%eth0"),
]

OTHER_HOST = [
    ("desthost",       "desthost2"),
    ("desthost",       "desthost.example"),
    ("10.0.0.1",       "10.0.0.10"),
    ("2001:db8::7",    "2001:db8::8"),
    ("fe80::1%eth0",   "fe80::1%eth1"),
]
# fmt: on


def _select(rule: PortRule, _host: str, taken: frozenset[int]) -> int | None:
    return rule.lowest_free(taken)


def _highest(rule: PortRule, _host: str, taken: frozenset[int]) -> int | None:
    return max(set(range(rule.first, rule.last + 1)) - taken, default=None)


def _choose(ledger: PortLedger, host: str = "desthost") -> HeldPort:
    return ledger.choose(RULE, host, _select)


def _process(folder: Path, count: int, rule: PortRule = RULE) -> subprocess.Popen[str]:
    arguments = [str(folder), "desthost", str(rule.first), str(rule.last), str(count)]
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _numbers(process: subprocess.Popen[str]) -> list[int]:
    assert process.stdout is not None
    return [int(word) for word in process.stdout.readline().split()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "locks"


@pytest.fixture
def ledger(folder: Path) -> PortLedger:
    return PortLedger(folder)


def test_ports_are_handed_out_as_selected(ledger: PortLedger) -> None:
    with _choose(ledger) as first, ledger.choose(RULE, "desthost", _highest) as second:
        assert (first.number, second.number) == (49300, 49303)


def test_port_that_something_listens_on_is_passed_over(ledger: PortLedger) -> None:
    listened = frozenset({49300, 49302})
    held = [ledger.choose(RULE, "desthost", _select, listened) for _ in range(2)]

    with pytest.raises(PortsExhaustedError):
        ledger.choose(RULE, "desthost", _select, listened)

    assert [port.number for port in held] == [49301, 49303]
    for port in held:
        port.release()


def test_exhausted_range(ledger: PortLedger) -> None:
    held = [_choose(ledger) for _ in range(4)]

    with pytest.raises(PortsExhaustedError) as caught:
        _choose(ledger)

    assert [port.number for port in held] == [49300, 49301, 49302, 49303]
    assert str(caught.value) == (
        "no port is left towards desthost: all of 49300-49303 are taken, by other migrations or by"
        " what listens there; wait for one to end, or widen the range with --port-range"
    )
    for port in held:
        port.release()


def test_released_port_can_be_had_again(ledger: PortLedger) -> None:
    with _choose(ledger) as held:
        pass

    assert _choose(ledger).number == held.number
    held.release()  # again is no error, and takes nothing away from the new holder
    assert _choose(ledger).number == held.number + 1


def test_explicit_port_is_held(ledger: PortLedger) -> None:
    with ledger.hold("desthost", 49301) as held:
        assert held.number == 49301
        with pytest.raises(PortHeldError) as caught:
            ledger.hold("desthost", 49301)
        assert [_choose(ledger).number, _choose(ledger).number] == [49300, 49302]

    assert str(caught.value) == (
        "port 49301 towards desthost is held by another migration;"
        " choose another port, or leave it out and one is chosen"
    )
    assert (caught.value.host, caught.value.port) == ("desthost", 49301)


@pytest.mark.parametrize(("one", "another"), SAME_HOST)
def test_one_host_however_it_is_written(ledger: PortLedger, one: str, another: str) -> None:
    with ledger.hold(one, 49300), pytest.raises(PortHeldError):
        ledger.hold(another, 49300)


@pytest.mark.parametrize(("one", "another"), OTHER_HOST)
def test_other_hosts_have_ports_of_their_own(ledger: PortLedger, one: str, another: str) -> None:
    with ledger.hold(one, 49300), ledger.hold(another, 49300) as held:
        assert held.number == 49300


def test_host_name_stays_in_the_folder(ledger: PortLedger, folder: Path) -> None:
    with ledger.hold("../../etc/x", 49300):
        assert len(list(folder.iterdir())) == 1


def test_threads_never_get_the_same_port(ledger: PortLedger) -> None:
    wide = PortRule(49300, 49331, ChosenBy.US, "of this test")
    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(lambda _: ledger.choose(wide, "desthost", _select), range(32)))

    assert sorted(port.number for port in held) == list(range(49300, 49332))


def test_processes_never_get_the_same_port(folder: Path) -> None:
    wide = PortRule(49300, 49315, ChosenBy.US, "of this test")
    processes = [_process(folder, 8, wide) for _ in range(2)]
    numbers = [_numbers(process) for process in processes]
    for process in processes:
        process.communicate()

    assert sorted(numbers[0] + numbers[1]) == list(range(49300, 49316))


def test_death_of_a_process_frees_its_ports(folder: Path, ledger: PortLedger) -> None:
    with _process(folder, 4) as process:
        assert _numbers(process) == [49300, 49301, 49302, 49303]
        with pytest.raises(PortsExhaustedError):
            _choose(ledger)

        process.kill()

    assert _choose(ledger).number == 49300


def test_a_program_that_is_started_meanwhile_does_not_keep_the_port(ledger: PortLedger) -> None:
    held = _choose(ledger)
    sleeper = [sys.executable, "-c", "import sys; print(1, flush=True); sys.stdin.read()"]
    pipe = subprocess.PIPE
    with subprocess.Popen(sleeper, stdin=pipe, stdout=pipe, close_fds=False, text=True) as process:
        assert _numbers(process) == [1]
        held.release()

        assert _choose(ledger).number == held.number
        process.communicate()


def test_files_may_be_locked_by_every_user(folder: Path, ledger: PortLedger) -> None:
    old = os.umask(0o077)
    try:
        with _choose(ledger):
            (file,) = folder.iterdir()
            assert stat.S_IMODE(file.stat().st_mode) == 0o666
            assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
    finally:
        os.umask(old)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_another_user_sees_what_is_held(tmp_path_factory: pytest.TempPathFactory) -> None:
    above = tmp_path_factory.mktemp("shared")
    for path in (above, *above.parents):
        if path.stat().st_mode & 0o077 == 0:  # pytest's own
            path.chmod(0o755)
    ledger = PortLedger(above / "locks")
    with _choose(ledger), ledger.hold("desthost", 49302):
        _choose(ledger).release()  # a file of root's that nobody holds
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            # Not a word of pytest's may run in here.
            try:
                os.setgid(65534)
                os.setuid(65534)
                numbers = [_choose(ledger).number, _choose(ledger).number]
                os.write(writing, repr(numbers).encode())
            except BaseException as error:  # noqa: BLE001 - told to the parent
                os.write(writing, repr(error).encode())
            os._exit(0)
        os.close(writing)
        os.waitpid(child, 0)
        with os.fdopen(reading) as said:
            assert said.read() == "[49301, 49303]"


def test_default_folder_is_one_for_all_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrate_plugins.ports._LOCKS", tmp_path)

    with PortLedger().hold("desthost", 49300):
        found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))

    assert found == ["migrate-plugins", "migrate-plugins/desthost-49300.lock"]
