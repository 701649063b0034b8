"""How each command ends where no host is needed; integration/test_findings.py has the others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import ExitCode

if TYPE_CHECKING:
    from cli.conftest import Call

SOURCE = "qemu:///system"
DEST = "qemu+ssh://desthost/system"
NOWHERE = "qemu+unix:///session?socket=/nonexistent"
PLANNED = ["web1", DEST, "-c", SOURCE]

# fmt: off
STATUSES = [
    # argv                                                             status
    (["list"],                                                         ExitCode.DONE),
    (["matrix"],                                                       ExitCode.DONE),
    (["plan", *PLANNED],                                               ExitCode.DONE),
    (["plan", "--help"],                                               ExitCode.DONE),
    ([],                                                               ExitCode.DONE),
    (["--help"],                                                       ExitCode.DONE),
    (["-h"],                                                           ExitCode.DONE),
    (["help"],                                                         ExitCode.DONE),
    (["--version"],                                                    ExitCode.DONE),
    (["-V"],                                                           ExitCode.DONE),
    (["teleport"],                                                     ExitCode.USAGE),
    (["plan"],                                                         ExitCode.USAGE),
    (["plan", "web1", DEST],                                           ExitCode.USAGE),
    (["plan", "web1", "-c", SOURCE],                                   ExitCode.USAGE),
    (["plan", *PLANNED, "--no-such-option"],                           ExitCode.USAGE),
    (["plan", *PLANNED, "--tunnelled"],                                ExitCode.USAGE),
    (["plan", *PLANNED, "--p2p", "--direct"],                          ExitCode.USAGE),
    (["plan", *PLANNED, "--scenario", "teleport"],                     ExitCode.USAGE),
    (["plan", *PLANNED, "--revision", "older"],                        ExitCode.USAGE),
    (["plan", *PLANNED, "--port-range", "few"],                        ExitCode.USAGE),
    (["plan", *PLANNED, "--bandwidth", "0"],                           ExitCode.USAGE),
    (["plan", *PLANNED, "--timeout", "5"],                             ExitCode.USAGE),
    (["plan", *PLANNED, "http://desthost/"],                           ExitCode.USAGE),
    (["plan", "web1", "://", "-c", SOURCE],                            ExitCode.USAGE),
    (["plan", "web1", "xen+ssh://desthost", "-c", SOURCE],             ExitCode.USAGE),
    (["check", *PLANNED, "--accept", "data-plain-text"],               ExitCode.USAGE),
    (["check", *PLANNED, "--accept", "data-plain-text= "],             ExitCode.USAGE),
    (["migrate", *PLANNED, "--accept", "=why"],                        ExitCode.USAGE),
    (["migrate", *PLANNED, "--progress", "loud"],                      ExitCode.USAGE),
    (["plan", "web1", "tcp://desthost/", "-c", SOURCE, "--direct"],    ExitCode.BLOCKED),
    (["plan", *PLANNED, "tcp://desthost/", "--p2p"],                   ExitCode.BLOCKED),
    (["plan", *PLANNED, "tcp://desthost/", "--p2p", "--tunnelled"],    ExitCode.BLOCKED),
    (["plan", *PLANNED, "--port-range", "6000-6010"],                  ExitCode.BLOCKED),
    (["plan", *PLANNED, "--tls"],                                      ExitCode.BLOCKED),
    (["plan", *PLANNED, "--tls", "--bandwidth", "0"],                  ExitCode.BLOCKED),
    (["plan", "web1", "xen+ssh://desthost", "-c", "xen:///", "--p2p"], ExitCode.BLOCKED),
    (["plan", "web1", DEST, "-c", "lxc:///system"],                    ExitCode.PLUGIN),
    (["check", *PLANNED, "--skip", "data-port-bloked"],                ExitCode.USAGE),
    (["check", "web1", NOWHERE, "-c", NOWHERE],                        ExitCode.CONNECT),
    (["migrate", "web1", NOWHERE, "-c", NOWHERE],                      ExitCode.CONNECT),
    (["migrate", "web1", NOWHERE, "-c", NOWHERE, "--progress", "bar"], ExitCode.CONNECT),
]

# The reasons of one request that breaks four rules; whether each is a matter of the input alone.
REASONS = [
    ("migration-uri-not-used", False),
    ("option-not-offered",     False),
    ("option-needs",           True),
    ("option-range",           True),
    ("port-range-not-ours",    False),
]
# Of a driver that only plans.
PLAN_ONLY = [
    (["check", "web1", "xen+ssh://desthost", "-c", "xen:///"],         ExitCode.DONE),
    (["migrate", "web1", "xen+ssh://desthost", "-c", "xen:///"],       ExitCode.BLOCKED),
]

BROKEN = ["plan", *PLANNED, "tcp://desthost/", "--p2p", "--tls", "--timeout", "0",
          "--port-range", "1-2"]

# argv, the kind of the error, its text, its exit code.
ERRORS = [
    (["teleport", "--json"], "UsageError",
     ("there is no command 'teleport'; there are list, matrix, plan, check, migrate,"
      " diagnose, history, reconcile, config, enable, disable, new, completion"), 2),
    (["plan", "web1", DEST, "-c", "lxc:///system", "--json"], "NoDriverError",
     ("no installed driver claims lxc://; there are drivers for esx://, gsx://, qemu://, vbox://,"
     " vpx://, xen://"), 4),
    (["check", "web1", NOWHERE, "-c", NOWHERE, "--json"], "ConnectError",
     (f"cannot connect to {NOWHERE}: Failed to connect socket to '/nonexistent': No such file or"
     " directory"), 5),
    (["migrate", "web1", NOWHERE, "-c", NOWHERE, "--json"], "ConnectError",
     (f"cannot connect to {NOWHERE}: Failed to connect socket to '/nonexistent': No such file or"
     " directory"), 5),
]
# fmt: on


@pytest.mark.parametrize(("argv", "status"), STATUSES)
def test_command_ends_with_its_status(call: Call, argv: list[str], status: ExitCode) -> None:
    said = call(*argv)

    assert said.status == status, said
    assert (said.err == "") == (status is ExitCode.DONE)
    assert "Traceback" not in said.err


@pytest.mark.parametrize(("argv", "status"), PLAN_ONLY)
def test_driver_that_only_plans_checks_and_does_not_migrate(
    call_planner: Call, argv: list[str], status: ExitCode
) -> None:
    assert call_planner(*argv).status == status


def test_every_status_means_one_thing() -> None:
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0,
        "FAILED": 1,
        "USAGE": 2,
        "BLOCKED": 3,
        "PLUGIN": 4,
        "CONNECT": 5,
        "NEEDS_PERSON": 6,
        "CANCELLED": 130,
    }


def test_refusal_gives_every_reason_with_what_would_work(call: Call) -> None:
    status, out, err = call(*BROKEN)

    assert (status, out) == (ExitCode.BLOCKED, "")
    head, *lines = err.splitlines()
    assert head == "this migration cannot be planned:"
    assert sorted(line.split(":")[0].strip() for line in lines[::2]) == sorted(
        id_ for id_, _ in REASONS
    )
    assert all(line.startswith("      ") and line.strip() for line in lines[1::2])


def test_json_refusal_gives_every_reason_as_an_object(call: Call) -> None:
    status, out, err = call(*BROKEN, "--json")

    said: dict[str, Any] = json.loads(out)
    assert list(said) == ["schema", "kind", "text", "exit_code", "reasons"]
    assert said["schema"] == "migrate-plugins/error/1"
    assert (said["kind"], said["exit_code"], status) == ("PlanError", 3, ExitCode.BLOCKED)
    assert {tuple(reason) for reason in said["reasons"]} == {("id", "text", "instead", "usage")}
    found = [(reason["id"], reason["usage"]) for reason in said["reasons"]]
    assert sorted(found) == sorted(REASONS)
    assert err == call(*BROKEN).err


@pytest.mark.parametrize(("argv", "kind", "text", "code"), ERRORS)
def test_json_error_is_an_object_on_standard_output(
    call: Call, argv: list[str], kind: str, text: str, code: int
) -> None:
    status, out, err = call(*argv)

    said = json.loads(out)
    diagnoses = said.pop("diagnoses", [])
    assert said == {
        "schema": "migrate-plugins/error/1",
        "kind": kind,
        "text": text,
        "exit_code": code,
    }
    first, *more = err.splitlines()
    assert (status, first) == (code, text)
    assert [each["id"] for each in diagnoses] == (
        ["daemon-not-running"] if kind == "ConnectError" else []
    )
    assert [line.split()[-1] for line in more[:1]] == [each["id"] for each in diagnoses]


def test_accept_without_a_reason_shows_how_to_give_one(call: Call) -> None:
    said = call("check", *PLANNED, "--accept", "guest-busy")

    assert said == (
        ExitCode.USAGE,
        "",
        (
            "--accept 'guest-busy' gives no reason; write --accept ID=REASON,"
            " such as --accept data-plain-text='a network of its own'\n"
        ),
    )


def test_commands_follow_one_another_in_one_process(call: Call) -> None:
    said = [call("list") for _ in range(2)]

    assert said[0] == said[1]
    assert said[0].status == ExitCode.DONE
