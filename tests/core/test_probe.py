"""A real listener and a real connection, on this machine's own loopback."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import Shell
from migrate_plugins.checks import probe as probing
from migrate_plugins.checks import sockets
from migrate_plugins.checks.probe import Attempt, Probe, probe

if TYPE_CHECKING:
    from pathlib import Path

HERE = Shell(("sh", "-c"), "this machine")
LOOPBACK = "127.0.0.1"

# Which of the two programs listens, by what is not there.
WITHOUT = [[], ["perl"], ["python3"]]


def _free(count: int) -> int:
    """The first of *count* ports in a row that nobody has."""
    for first in range(42000, 48000, count):
        try:
            for port in range(first, first + count):
                with socket.socket() as each:
                    each.bind(("", port))
        except OSError:
            continue
        return first
    raise AssertionError("no ports are free")


@pytest.fixture(params=WITHOUT, ids=["both", "python3", "perl"])
def listens(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    script = probing._LISTEN
    for program in request.param:
        script = script.replace(f"command -v {program} >/dev/null", "false")
    monkeypatch.setattr(probing, "_LISTEN", script)


@pytest.mark.usefixtures("listens")
@pytest.mark.parametrize("host", [LOOPBACK, "::1", "localhost"])
def test_lowest_free_port_and_last_one_are_reached(host: str) -> None:
    first = _free(4)
    with socket.socket() as taken:
        taken.bind(("", first))
        taken.listen()

        found = probe(HERE, HERE, host, (first, first + 2), more=(first + 3,))

    reached = tuple(Attempt(first + each, True) for each in (1, 2, 3))
    assert found == Probe(reached)


@pytest.mark.usefixtures("listens")
def test_range_without_a_free_port_cannot_be_tried() -> None:
    first = _free(1)
    with socket.socket() as taken:
        taken.bind(("", first))
        taken.listen()

        found = probe(HERE, HERE, LOOPBACK, (first, first))

    assert found == Probe((), "nothing can listen on the destination: Address already in use")


@pytest.mark.usefixtures("listens")
def test_listener_keeps_to_the_address_it_is_given() -> None:
    first = _free(1)

    here = probe(HERE, HERE, "127.0.0.2", (first, first), listen="127.0.0.2")
    beside = probe(HERE, HERE, LOOPBACK, (first, first), listen="127.0.0.2")
    nowhere = probe(HERE, HERE, LOOPBACK, (first, first), listen="192.0.2.1")

    assert here == Probe((Attempt(first, True),))
    assert beside == Probe((Attempt(first, False, "Connection refused"),))
    why = "nothing can listen on the destination: Cannot assign requested address"
    assert nowhere == Probe((), why)


@pytest.mark.usefixtures("listens")
def test_other_checks_do_not_take_the_listener_for_a_program_that_holds_the_port(
    tmp_path: Path,
) -> None:
    first = _free(1)
    seen = tmp_path / "ss"
    looks = Shell(("sh", "-c", f'ss -Hltnp >{seen}; exec sh -c "$0"'), "looks before it connects")

    assert probe(looks, HERE, LOOPBACK, (first, first)) == Probe((Attempt(first, True),))

    output = seen.read_text(encoding="utf-8")
    assert f":{first} " in output
    assert first not in sockets.read_listeners(output)


def test_somebody_else_who_answers_is_not_taken_for_the_destination() -> None:
    first = _free(2)
    with socket.socket() as other:
        other.bind((LOOPBACK, first))
        other.listen()
        # Ours listens on another address of this machine: the connection finds the other one.
        found = probe(HERE, HERE, LOOPBACK, (first, first), listen="127.0.0.2")

    # It accepts and says nothing, which is no word of ours either.
    assert found == Probe((Attempt(first, False, "no answer within 3 s"),))


def test_listener_ends_with_whoever_wanted_it() -> None:
    first = _free(1)

    assert probe(HERE, HERE, LOOPBACK, (first, first)).attempts[0].reached

    give_up = time.monotonic() + 5
    while True:
        with socket.socket() as again:
            try:
                again.bind(("", first))
            except OSError:
                assert time.monotonic() < give_up, "the listener is still there"
                time.sleep(0.05)
                continue
            break


def test_host_without_the_programs_cannot_be_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    script = probing._LISTEN.replace("command -v perl", "false")
    monkeypatch.setattr(probing, "_LISTEN", script.replace("command -v python3", "false"))

    found = probe(HERE, HERE, LOOPBACK, (47999, 47999))

    assert found == Probe((), "the destination has neither perl nor python3 to listen with")


def test_way_that_does_not_exist_is_told() -> None:
    nowhere = Shell(("/nowhere/ssh",), "a test")

    there = probe(HERE, nowhere, LOOPBACK, (47998, 47998))
    here = probe(nowhere, HERE, LOOPBACK, (47998, 47998))

    assert there == Probe((), "/nowhere/ssh: No such file or directory")
    why = "the source cannot connect with bash: /nowhere/ssh: No such file or directory"
    assert here == Probe((), why)


def test_listener_that_never_speaks_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "_READY", 0.2)
    began = time.monotonic()

    found = probe(HERE, Shell(("sh", "-c", "sleep 60"), "a test"), LOOPBACK, (47997, 47997))

    assert found.problem == "the destination did not start to listen in time"
    assert time.monotonic() - began < 5
