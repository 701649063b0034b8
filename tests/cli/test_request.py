"""What is typed, and what is asked for by it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import OPTIONS, ExitCode, Kind

if TYPE_CHECKING:
    from cli.conftest import Call

    from migrate_plugins.options import Option

SOURCE = "qemu:///system"
DEST = "qemu+ssh://desthost/system"
ALT = "qemu+tcp://10.0.0.2/system"
THIRD = "tcp://10.0.0.2:49200"
XEN = "xen+ssh://desthost"
XENMIGR = "xenmigr://desthost/"

# fmt: off
# argv (without `plan web1`), then the URIs of the plan: second, third, and the second as the
# client opens it; None is what is not used.
POSITIONS = [
    # managed direct: DEST-URI [MIGRATION-URI]
    (["-c", SOURCE, DEST],                                     (DEST, None, DEST)),
    (["-c", SOURCE, DEST, THIRD],                              (DEST, THIRD, DEST)),
    # peer-to-peer: DEST-URI [ALT-DEST-URI]
    (["-c", SOURCE, "--p2p", DEST],                            (DEST, None, DEST)),
    (["-c", SOURCE, "--p2p", DEST, ALT],                       (ALT, None, DEST)),
    (["-c", SOURCE, "--p2p", "--tunnelled", DEST, ALT],        (ALT, None, DEST)),
    (["-c", SOURCE, "--scenario", "native-p2p-client", DEST, ALT],
                                                               (ALT, None, DEST)),
    # peer-to-peer as it is today: a migration URI has its place too
    (["-c", SOURCE, "--p2p", DEST, THIRD, "--revision", "current"],
                                                               (DEST, THIRD, DEST)),
    # unmanaged direct: MIGRATION-URI
    (["-c", "xen:///", "--direct", XENMIGR],                   (None, XENMIGR, None)),
    # options before, after and between the URIs
    ([DEST, "--live", THIRD, "-c", SOURCE],                    (DEST, THIRD, DEST)),
    # the same by name
    (["-c", SOURCE, "--desturi", DEST],                        (DEST, None, DEST)),
    (["-c", SOURCE, "--desturi", DEST, "--migrateuri", THIRD], (DEST, THIRD, DEST)),
    (["-c", SOURCE, DEST, "--migrateuri", THIRD],              (DEST, THIRD, DEST)),
    (["-c", SOURCE, "--p2p", DEST, "--migrateuri", ALT],       (ALT, None, DEST)),
    (["-c", "xen:///", "--direct", "--migrateuri", XENMIGR],   (None, XENMIGR, None)),
]

# argv (without `plan web1`), and what is printed on standard error.
BOTH = [
    (["-c", SOURCE, DEST, "--desturi", ALT],
     f"--desturi {ALT} and {DEST} are one and the same argument; give one of the two\n"),
    (["-c", SOURCE, DEST, THIRD, "--migrateuri", THIRD],
     f"--migrateuri {THIRD} and {THIRD} are one and the same argument; give one of the two\n"),
]

ALIASES = [
    # spelling             field               flag
    ("--persistent",       "persistent",       "VIR_MIGRATE_PERSIST_DEST"),
    ("--persist",          "persistent",       "VIR_MIGRATE_PERSIST_DEST"),
    ("--undefinesource",   "undefine_source",  "VIR_MIGRATE_UNDEFINE_SOURCE"),
    ("--undefine-source",  "undefine_source",  "VIR_MIGRATE_UNDEFINE_SOURCE"),
]

# Every other option: what is typed with what it needs, and what the request has of it.
OPTIONS_TYPED: list[tuple[list[str], dict[str, Any]]] = [
    (["--live"],                                     {"live": True}),
    (["--offline", "--persistent"],                  {"offline": True, "persistent": True}),
    (["--suspend"],                                  {"suspend": True}),
    (["--dname", "web2"],                            {"dname": "web2"}),
    (["--xml", "a.xml"],                             {"xml": "a.xml"}),
    (["--persistent-xml", "a.xml", "--persistent"],  {"persistent_xml": "a.xml",
                                                      "persistent": True}),
    (["--bandwidth", "10"],                          {"bandwidth": 10}),
    (["--timeout", "5", "--live"],                   {"timeout": 5, "live": True}),
    (["--timeout", "5", "--live", "--timeout-suspend"],
                                                     {"timeout": 5, "live": True,
                                                      "timeout_suspend": True}),
    (["--timeout", "5", "--live", "--postcopy", "--timeout-postcopy"],
                                                     {"timeout": 5, "live": True,
                                                      "postcopy": True,
                                                      "timeout_postcopy": True}),
    (["--tls", "--tls-destination", "beta"],         {"tls": True, "tls_destination": "beta"}),
    (["--parallel", "--parallel-connections", "4"],  {"parallel": True,
                                                      "parallel_connections": 4}),
    (["--compressed", "--comp-methods", "xbzrle,mt"],
                                                     {"compressed": True,
                                                      "comp_methods": ["xbzrle", "mt"]}),
    (["--auto-converge"],                            {"auto_converge": True}),
    (["--copy-storage-all"],                         {"copy_storage_all": True}),
    (["--copy-storage-inc"],                         {"copy_storage_inc": True}),
    (["--copy-storage-all", "--migrate-disks", "vda,vdb"],
                                                     {"copy_storage_all": True,
                                                      "migrate_disks": ["vda", "vdb"]}),
    (["--listen-address", "10.0.0.2"],               {"listen_address": "10.0.0.2"}),
    (["--disks-port", "49300", "--copy-storage-all"],
                                                     {"disks_port": 49300,
                                                      "copy_storage_all": True}),
    (["--graphicsuri", "spice://desthost:5900"],     {"graphicsuri": "spice://desthost:5900"}),
    (["--unsafe"],                                   {"unsafe": True}),
    (["--abort-on-error"],                           {"abort_on_error": True}),
]
# fmt: on


@pytest.mark.parametrize(("argv", "uris"), POSITIONS)
def test_uris_mean_what_the_flow_says(
    call: Call, argv: list[str], uris: tuple[str | None, ...]
) -> None:
    status, out, err = call("plan", "web1", *argv, "--json")

    assert (status, err) == (ExitCode.DONE, "")
    found = json.loads(out)["uris"]
    names = ("destination", "migration", "destination_from_client")
    assert tuple(found[name]["value"] for name in names) == uris


@pytest.mark.parametrize(("argv", "complaint"), BOTH)
def test_a_uri_given_twice_is_a_usage_error(call: Call, argv: list[str], complaint: str) -> None:
    assert call("plan", "web1", *argv) == (ExitCode.USAGE, "", complaint)


def test_source_comes_from_the_environment(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", SOURCE)

    assert _request(call, DEST) == {"guest": "web1", "source": SOURCE, "destination": DEST}


def test_connect_wins_over_the_environment(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "xen:///")

    assert _request(call, DEST, "--connect", SOURCE)["source"] == SOURCE


@pytest.mark.parametrize(("spelling", "field", "flag"), ALIASES)
def test_older_spellings_are_the_same_option(
    call: Call, spelling: str, field: str, flag: str
) -> None:
    said = json.loads(call("plan", "web1", DEST, "-c", SOURCE, spelling, "--json").out)

    assert said["request"][field] is True
    assert said["flags"] == [flag]


@pytest.mark.parametrize(("argv", "asked"), OPTIONS_TYPED)
def test_option_reaches_the_request(call: Call, argv: list[str], asked: dict[str, Any]) -> None:
    found = _request(call, DEST, "-c", SOURCE, "--revision", "current", *argv)

    assert found == {
        "guest": "web1",
        "source": SOURCE,
        "destination": DEST,
        "revision": "current",
        **asked,
    }


def test_every_option_is_tried() -> None:
    tried = {name for _, asked in OPTIONS_TYPED for name in asked}
    tried |= {field for _, field, _ in ALIASES}
    assert tried == {option.field for option in OPTIONS}


def test_every_option_is_in_the_help(call: Call) -> None:
    out = call("plan", "--help").out

    assert [each for option in OPTIONS for each in option.spellings if each not in out] == []


@pytest.mark.parametrize(
    "option", [option for option in OPTIONS if option.kind is Kind.NUMBER], ids=lambda it: it.field
)
def test_a_number_that_is_none_is_a_usage_error(call: Call, option: Option) -> None:
    status, out, err = call("plan", "web1", DEST, "-c", SOURCE, option.spellings[0], "many")

    assert (status, out) == (ExitCode.USAGE, "")
    assert err == (
        f"migrate-plugins plan: argument {option.spellings[0]}: invalid int value: 'many';"
        " `migrate-plugins plan --help` tells what it takes\n"
    )


def test_port_range_reaches_the_request(call: Call) -> None:
    argv = ("plan", "web1", "vbox+ssh://desthost/session", "-c", "vbox:///session", "--json")

    for text, ports in (("6000-6010", [6000, 6010]), ("6000", [6000, 6000])):
        found = json.loads(call(*argv, "--port-range", text).out)
        assert found["request"]["port_range"] == ports
        assert [found["port"]["first"], found["port"]["last"]] == ports


def _request(call: Call, *argv: str) -> dict[str, Any]:
    said = call("plan", "web1", *argv, "--json")
    assert said.status == ExitCode.DONE, said.err
    found: dict[str, Any] = json.loads(said.out)["request"]
    return found


def test_scenario_by_name_takes_its_uris_as_its_flag_does(call: Call) -> None:
    argv = ("plan", "web1", "xenmigr://desthost/", "-c", "xen:///", "--json")

    by_name = json.loads(call(*argv, "--scenario", "native-unmanaged").out)
    by_flag = json.loads(call(*argv, "--direct").out)

    assert by_name["uris"] == by_flag["uris"]
    assert by_name["uris"]["migration"]["value"] == "xenmigr://desthost/"


def test_option_of_the_hypervisors_own_is_refused_where_it_has_none(call: Call) -> None:
    status, _, err = call("plan", "web1", "-c", SOURCE, DEST, "-o", "pool=a", "-o", "pool=b")

    assert status == ExitCode.USAGE
    assert "qemu has no option 'pool' of its own in this scenario\n      leave it out" in err


def test_option_without_a_value_is_bad_usage(call: Call) -> None:
    status, _, err = call("plan", "web1", "-c", SOURCE, DEST, "-o", "pool")

    assert (status, "'pool' is not NAME=VALUE" in err) == (ExitCode.USAGE, True)
