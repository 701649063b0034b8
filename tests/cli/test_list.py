from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import ExitCode

if TYPE_CHECKING:
    from cli.conftest import Call, Spawn

# fmt: off
# The text is that of the tests' own entry points: version 0.1.0 of each.
TEXT = """\
NAME    VERSION  STATUS  API  HOOKS  SCHEMES      FLOWS             TRANSPORTS        DISTRIBUTION
qemu    0.1.0    active  1    13     qemu         direct,peer2peer  native,tunnelled  migrate-plugins-qemu
vbox    0.1.0    active  1    15     vbox         direct            native            migrate-plugins-vbox
vmware  0.1.0    active  1    14     vpx,esx,gsx  direct            native            migrate-plugins-vmware
xen     0.1.0    active  1    15     xen          direct,unmanaged  native            migrate-plugins-xen
flows and transports of revision original; those of the other: --revision current
"""  # noqa: E501 - as wide as it is printed

SCENARIOS = [
    # revision    driver    scenarios
    ("original",  "qemu",   ["native-direct", "native-p2p-client", "tunnelled-p2p-client",
                             "native-p2p", "tunnelled-p2p"]),
    ("original",  "vbox",   ["native-direct"]),
    ("original",  "vmware", ["native-direct"]),
    ("original",  "xen",    ["native-direct", "native-unmanaged"]),
    ("current",   "xen",    ["native-direct", "native-unmanaged", "native-p2p", "tunnelled-p2p"]),
]

# Keys of a driver; a plugin has those before `title`.
KEYS = ["name", "version", "distribution", "origin", "status", "reason", "hooks", "api",
        "title", "schemes", "migration_schemes", "scenarios", "flows", "transports"]
# fmt: on


def test_text_is_a_line_for_each_driver(call: Call) -> None:
    assert call("list") == (ExitCode.DONE, TEXT, "")


def test_json_is_one_object_with_the_documented_keys(call: Call) -> None:
    status, out, err = call("list", "--json")

    said = json.loads(out)
    assert (status, err) == (ExitCode.DONE, "")
    assert list(said) == ["schema", "revision", "drivers", "plugins"]
    assert (said["schema"], said["revision"]) == ("migrate-plugins/list/1", "original")
    assert [driver["name"] for driver in said["drivers"]] == ["qemu", "vbox", "vmware", "xen"]
    assert [list(driver) for driver in said["drivers"]] == [KEYS] * 4
    assert said["plugins"] == []


@pytest.mark.parametrize(("revision", "driver", "scenarios"), SCENARIOS)
def test_scenarios_are_those_of_the_revision(
    call: Call, revision: str, driver: str, scenarios: list[str]
) -> None:
    said = json.loads(call("list", "--json", "--revision", revision).out)

    assert said["revision"] == revision
    (found,) = [each for each in said["drivers"] if each["name"] == driver]
    assert found["scenarios"] == scenarios


def test_json_tells_where_a_driver_comes_from_and_what_it_answers(call: Call) -> None:
    qemu, *_ = json.loads(call("list", "--json").out)["drivers"]

    hooks = qemu.pop("hooks")
    assert {"migrate_driver", "migrate_connect", "migrate_uri"} <= set(hooks)
    assert hooks == sorted(hooks)
    assert qemu == {
        "name": "qemu",
        "version": "0.1.0",
        "distribution": "migrate-plugins-qemu",
        "origin": "tests",
        "status": "active",
        "reason": None,
        "api": 1,
        "title": "QEMU and KVM",
        "schemes": ["qemu"],
        "migration_schemes": ["tcp", "rdma", "unix"],
        "scenarios": SCENARIOS[0][2],
        "flows": ["managed-direct", "managed-peer2peer"],
        "transports": ["native", "tunnelled"],
    }


# --- what is installed here, as a process ------------------------------------------------------


def test_plugins_that_are_off_are_listed_with_all(spawn: Spawn) -> None:
    short, long = spawn("list").out, spawn("list", "--all").out

    assert "require-encryption" not in short
    assert short.splitlines()[-1].endswith(" more are off: --all lists them")
    off = long[long.index("\nrequire-encryption") :]
    assert "    config.toml has no [policies.require-encryption]\n" in off
    assert "    scenarios: native-direct, native-unmanaged\n" in long
    assert "migrate_capabilities, migrate_checks, migrate_commands, migrate_connect" in long


def test_json_lists_them_with_all_too(spawn: Spawn) -> None:
    short, long = (json.loads(spawn("list", "--json", *more).out) for more in ((), ("--all",)))

    names = {each["name"] for each in long["plugins"]} - {each["name"] for each in short["plugins"]}
    assert names == {"migration-network", "require-encryption"}
    assert {each["status"] for each in long["plugins"] if each["name"] in names} == {"off"}


def test_only_those_that_implement_a_hook(spawn: Spawn) -> None:
    listed = json.loads(spawn("list", "--json", "--hook", "migrate_cli").out)

    assert (listed["drivers"], [each["name"] for each in listed["plugins"]]) == ([], ["lab"])


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("--hook", "migrate_clii"), "there is no hook 'migrate_clii'; there are migrate_cap"),
        (("--hook", "migrate_cli", "--no-load"), "--hook needs the plugins loaded, --no-load "),
    ],
)
def test_hook_that_cannot_be_asked_for(spawn: Spawn, argv: tuple[str, ...], told: str) -> None:
    status, out, err = spawn("list", *argv)

    assert (status, out) == (ExitCode.USAGE, "")
    assert err.startswith(told)


def test_nothing_is_loaded_where_that_is_asked_for(spawn: Spawn) -> None:
    lines = spawn("list", "--no-load").out.splitlines()

    qemu = next(line.split() for line in lines if line.startswith("qemu"))
    assert qemu == ["qemu", "0.1.0", "not-loaded", *"-----", "migrate-plugins-qemu"]


# --- flags that may stand anywhere --------------------------------------------------------------

PLAN = ("plan", "web1", "vbox+ssh://b/session", "-c", "vbox:///session", "--json")


@pytest.mark.parametrize("place", [0, 1, len(PLAN)])
def test_trace_tells_who_answered_what_on_standard_error(spawn: Spawn, place: int) -> None:
    argv = [*PLAN[:place], "--trace-plugins", *PLAN[place:]]

    status, out, err = spawn(*argv)

    assert status == ExitCode.DONE
    assert json.loads(out)["driver"] == "vbox"
    assert "trace migrate_port_rule(revision='original', scenario='native-direct')\n" in err
    assert re.search(r"^ +\d+ µs  vbox: PortRule\(first=49300, ", err, re.MULTILINE)
    assert "trace load(migrate_plugins_vbox.hooks)\n" in err


def test_trace_masks_secrets(spawn: Spawn) -> None:
    destination = "qemu+tcp://root:hunter2@b/system?password=hunter3"

    err = spawn("--trace-plugins", "plan", "w", destination, "-c", "qemu:///s").err

    assert "qemu+tcp://root:***@b/system?password=***" in err
    assert "hunter" not in err


def test_driver_that_is_asked_for(spawn: Spawn) -> None:
    status, out, err = spawn("--driver", "xen", *PLAN)

    assert status == ExitCode.PLUGIN
    assert json.loads(out)["kind"] == "NoDriverError"
    assert err == "the driver xen (--driver) does not claim vbox://; it claims xen://\n"


@pytest.mark.parametrize("argv", [("list", "--driver"), ("--driver", "--json", "list")])
def test_driver_that_is_not_named(spawn: Spawn, argv: tuple[str, ...]) -> None:
    status, _, err = spawn(*argv)

    assert status == ExitCode.USAGE
    assert err == "--driver names no driver; give one, such as --driver memory\n"


def test_options_and_findings_are_two_lists(call: Call) -> None:
    status, _, err = call("list", "--options", "--findings")

    assert (status, err) == (
        ExitCode.USAGE,
        "--findings and --options are two lists; give one\n",
    )
