from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import ExitCode

if TYPE_CHECKING:
    from cli.conftest import Call

# fmt: off
# The text is that of the tests' own entry points: version 0.1.0 of each.
TEXT = """\
NAME    VERSION  STATUS  API  HOOKS  SCHEMES      FLOWS                             TRANSPORTS        DISTRIBUTION
qemu    0.1.0    active  1    10     qemu         managed-direct,managed-peer2peer  native,tunnelled  migrate-plugins-qemu
vbox    0.1.0    active  1    7      vbox         managed-direct                    native            migrate-plugins-vbox
vmware  0.1.0    active  1    7      vpx,esx,gsx  managed-direct                    native            migrate-plugins-vmware
xen     0.1.0    active  1    7      xen          managed-direct,unmanaged-direct   native            migrate-plugins-xen
"""  # noqa: E501 - as wide as it is printed

SCENARIOS = [
    # revision    driver    scenarios
    ("original",  "qemu",   ["native-direct", "native-p2p-client", "tunnelled-p2p-client",
                             "native-p2p", "tunnelled-p2p"]),
    ("original",  "vbox",   ["native-direct"]),
    ("original",  "vmware", ["native-direct"]),
    ("original",  "xen",    ["native-direct", "native-unmanaged"]),
    ("current",   "xen",    ["native-direct", "native-p2p", "tunnelled-p2p"]),
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
