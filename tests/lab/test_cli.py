from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, cast

import pytest

from migrate_plugins_lab import cli
from migrate_plugins_lab.errors import ArgumentError, DownError

if TYPE_CHECKING:
    from pathlib import Path

    from migrate_plugins.cli.output import Output
    from migrate_plugins_lab.lab import Lab


class Recorder:
    """Stands in for the core's output, and keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.payloads: list[tuple[str, dict[str, Any]]] = []

    def text(self, line: str) -> None:
        self.lines.append(line)

    def json(self, command: str, payload: dict[str, Any]) -> None:
        self.payloads.append((command, payload))


def parse(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    cli.configure(parser)
    return parser.parse_args(argv)


def call(*argv: str) -> Recorder:
    recorder = Recorder()
    assert cli.run(parse(*argv), cast("Output", recorder)) == 0
    return recorder


# fmt: off
DEFAULTS = [
    # argv              values
    (["up"],            {"lab": "default", "json": False, "hosts": 2, "privileged": False,
                         "kind": "qemu"}),
    (["down"],          {"lab": "default", "json": False}),
    (["status"],        {"lab": "default", "json": False}),
    (["guest", "web1"], {"lab": "default", "json": False, "name": "web1", "host": "alpha",
                         "memory": None, "dirty": 0, "disk": 0, "off": 0, "persistent": False}),
    (["fault", "beta", "cut"],
                        {"lab": "default", "json": False, "host": "beta", "kind": "cut",
                         "arguments": []}),
]

USAGE = [
    [],
    ["sideways"],
    ["up", "--hosts", "two"],
    ["up", "--kind", "vmware"],
    ["guest"],
    ["guest", "web1", "--dirty", "much"],
    ["fault", "beta"],
]
# fmt: on


@pytest.mark.parametrize(("argv", "values"), DEFAULTS)
def test_every_action_has_its_defaults(argv: list[str], values: dict[str, Any]) -> None:
    found = vars(parse(*argv))

    assert {name: found[name] for name in found if name not in {"action", "act"}} == values


@pytest.mark.parametrize("argv", USAGE)
def test_what_cannot_be_read_is_a_usage_error(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(*argv)

    assert caught.value.code == 2


def test_ending_a_lab_that_is_not_up_is_no_failure(labs: Path) -> None:
    assert call("down").lines == ["lab default was not up"]
    assert call("down", "--json").payloads == [("lab-down", {"name": "default", "ended": False})]
    assert list(labs.iterdir()) == []


@pytest.mark.usefixtures("labs")
@pytest.mark.parametrize("argv", [["status"], ["guest", "web1"], ["fault", "alpha", "cut"]])
def test_without_a_lab_the_answer_is_how_to_bring_one_up(argv: list[str]) -> None:
    with pytest.raises(DownError, match="`migrate-plugins lab up --lab default` starts it"):
        call(*argv)


@pytest.mark.integration
def test_a_lab_is_found_up_broken_healed_and_described(hosts: Lab) -> None:
    which = ["--lab", hosts.name]
    assert call("up", *which).lines[0] == f"lab {hosts.name} is up with 2 rootless hosts"
    assert call("up", *which, "--json").payloads == [("lab-up", hosts.describe())]

    (started,) = call("guest", "web1", *which, "--host", "beta", "--json").payloads
    assert started[0] == "lab-guest"
    assert (started[1]["name"], started[1]["host"]) == ("web1", "beta")
    assert call("fault", *which, "alpha", "bandwidth", "800mbit").lines == [
        "faults of alpha: bandwidth 800mbit"
    ]

    ((_, about),) = call("status", *which, "--json").payloads
    alpha, beta = about["hosts"]
    assert (alpha["faults"], alpha["guests"]) == (["bandwidth 800mbit"], [])
    assert (beta["faults"], beta["guests"]) == ([], [{"name": "web1", "state": "running"}])
    assert "  guests: web1 (running)" in call("status", *which).lines

    assert call("fault", *which, "alpha", "heal", "--json").payloads == [
        ("lab-fault", {"host": "alpha", "faults": []})
    ]


@pytest.mark.integration
def test_a_host_that_is_not_there_is_answered_with_those_that_are(hosts: Lab) -> None:
    with pytest.raises(ArgumentError, match="'omega': the lab has none so named; alpha, beta"):
        call("guest", "web1", "--lab", hosts.name, "--host", "omega")
