from __future__ import annotations

import io
import json

import pytest

from migrate_plugins import Event, Phase, Statistics
from migrate_plugins.cli.output import Output
from migrate_plugins.cli.watch import watching

MIB = 1024 * 1024
FIRST = Statistics(
    transferred=8 * MIB, remaining=24 * MIB, total=32 * MIB, rate=12 * MIB, iteration=1
)
LATER = Statistics(
    transferred=40 * MIB,
    remaining=4 * MIB,
    total=32 * MIB,
    rate=12 * MIB,
    dirty_rate=16 * MIB,
    iteration=3,
)
POSTCOPY = LATER._replace(postcopy=True)

# fmt: off
# Event, and the line it becomes; None where it becomes none.
PLAIN = [
    (Event("web1", Phase.CONNECT, 0.0, "opening qemu:///system"),
     "   0.0 s  connect: opening qemu:///system"),
    (Event("web1", Phase.CHECK, 0.04),
     None),
    (Event("web1", Phase.TRANSFER, 1.24, statistics=FIRST),
     "   1.2 s  transfer: sent 8 MiB, left 24 MiB, at 12 MiB/s, pass 1, 2 s to go"),
    (Event("web1", Phase.TRANSFER, 2.0, statistics=LATER),
     "   2.0 s  transfer: sent 40 MiB, left 4 MiB, at 12 MiB/s, dirty 16 MiB/s, pass 3"),
    (Event("web1", Phase.TRANSFER, 2.0, statistics=POSTCOPY),
     ("   2.0 s  transfer: sent 40 MiB, left 4 MiB, at 12 MiB/s, dirty 16 MiB/s, pass 3,"
     " post-copy, 0 s to go")),
    (Event("web1", Phase.TRANSFER, 2.0, statistics=Statistics()),
     "   2.0 s  transfer: the hypervisor tells no figures"),
    (Event("web1", Phase.TRANSFER, 2.0, statistics=Statistics(percent=35.0)),
     "   2.0 s  transfer: 35 % done"),
    (Event("web1", Phase.TRANSFER, 61.06, "not done after 60 s: pausing the guest"),
     "  61.1 s  transfer: not done after 60 s: pausing the guest"),
    (Event("web1", Phase.TRANSFER, 2.0),
     None),
    (Event("web1", Phase.CANCEL, 3.0, "asked the hypervisor to stop"),
     "   3.0 s  cancel: asked the hypervisor to stop"),
    # the end is told by the outcome
    (Event("web1", Phase.DONE, 4.0, "web1 is on beta now"),
     None),
]

# Seconds of the events of a transfer, and of those that become a line: one a second.
PACED = [
    ([0.2, 0.4, 0.6],                   [0.2]),
    ([0.2, 1.1, 1.2, 1.3, 2.1, 2.3],    [0.2, 1.2, 2.3]),
    ([0.2, 5.0, 5.2, 6.0],              [0.2, 5.0, 6.0]),
]

# Event, and the object it becomes.
JSON = [
    (Event("web1", Phase.CONNECT, 0.01239, "opening qemu:///system"),
     {"schema": "migrate-plugins/progress/1", "guest": "web1", "phase": "connect",
      "elapsed": 0.012, "text": "opening qemu:///system", "statistics": None}),
    (Event("web1", Phase.TRANSFER, 1.5, statistics=FIRST),
     {"schema": "migrate-plugins/progress/1", "guest": "web1", "phase": "transfer",
      "elapsed": 1.5, "text": None,
      "statistics": {"transferred": 8 * MIB, "remaining": 24 * MIB, "total": 32 * MIB,
                     "rate": 12 * MIB, "dirty_rate": None, "iteration": 1, "downtime": None,
                     "postcopy": False, "percent": None, "eta": 2.0}}),
    (Event("web1", Phase.TRANSFER, 2.5, statistics=LATER),
     {"schema": "migrate-plugins/progress/1", "guest": "web1", "phase": "transfer",
      "elapsed": 2.5, "text": None,
      "statistics": {"transferred": 40 * MIB, "remaining": 4 * MIB, "total": 32 * MIB,
                     "rate": 12 * MIB, "dirty_rate": 16 * MIB, "iteration": 3, "downtime": None,
                     "postcopy": False, "percent": None, "eta": None}}),
]
# fmt: on


@pytest.fixture
def stdout(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.setenv("NO_COLOR", "1")
    return io.StringIO()


@pytest.mark.parametrize("form", ["plain", "auto"])
@pytest.mark.parametrize(("event", "line"), PLAIN)
def test_log_has_a_line_for_what_is_worth_one(
    stdout: io.StringIO, event: Event, line: str | None, form: str
) -> None:
    with watching(form, Output(stdout=stdout)) as observe:
        observe(event)

    assert stdout.getvalue() == ("" if line is None else f"{line}\n")


@pytest.mark.parametrize(("seconds", "told"), PACED)
def test_log_has_one_line_a_second_of_a_transfer(
    stdout: io.StringIO, seconds: list[float], told: list[float]
) -> None:
    with watching("plain", Output(stdout=stdout)) as observe:
        for second in seconds:
            observe(Event("web1", Phase.TRANSFER, second, statistics=FIRST))

    assert [float(line.split()[0]) for line in stdout.getvalue().splitlines()] == told


def test_what_happens_is_told_however_soon(stdout: io.StringIO) -> None:
    with watching("plain", Output(stdout=stdout)) as observe:
        observe(Event("web1", Phase.TRANSFER, 0.2, statistics=FIRST))
        observe(Event("web1", Phase.CANCEL, 0.3, "asked the hypervisor to stop"))

    assert stdout.getvalue().splitlines()[1:] == ["   0.3 s  cancel: asked the hypervisor to stop"]


@pytest.mark.parametrize(("event", "said"), JSON)
def test_json_has_an_object_a_line(
    stdout: io.StringIO, event: Event, said: dict[str, object]
) -> None:
    with watching("json", Output(stdout=stdout)) as observe:
        observe(event)
        observe(event)

    lines = stdout.getvalue().splitlines()
    assert [json.loads(line) for line in lines] == [said, said]
    assert list(json.loads(lines[0])) == list(said)


def test_none_says_nothing(stdout: io.StringIO, capfd: pytest.CaptureFixture[str]) -> None:
    with watching("none", Output(stdout=stdout)) as observe:
        for event, _ in PLAIN:
            observe(event)

    assert (stdout.getvalue(), *capfd.readouterr()) == ("", "", "")


def test_bar_leaves_what_matters_above_it(stdout: io.StringIO) -> None:
    with watching("bar", Output(stdout=stdout)) as observe:
        observe(Event("web1", Phase.CONNECT, 0.1, "opening qemu:///system"))
        observe(Event("web1", Phase.TRANSFER, 0.2, statistics=FIRST))
        observe(Event("web1", Phase.CANCEL, 3.3, "cancelling failed: it is [too] late"))
        observe(Event("web1", Phase.TRANSFER, 3.5, statistics=LATER))

    lines = [line.rstrip() for line in stdout.getvalue().splitlines()]
    assert "3 s  cancel: cancelling failed: it is [too] late" in lines
    assert not any("opening" in line for line in lines)
