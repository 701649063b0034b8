"""``migrate-plugins config``, named hosts, and defaults of the options."""

from __future__ import annotations

import json
import os
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Call, Said, Spawn

HOSTS = """
[hosts.alpha]
uri = "qemu:///system"

[hosts.beta]
uri = "qemu+ssh://beta.example/system"
peer_uri = "qemu+tls://10.0.0.2/system"
addresses = ["192.0.2.7", "10.77.0.2"]
"""
SHOWN = """\
# {path}
disabled = ["lab"]
# lab: disabled in {path}; `migrate-plugins enable lab` undoes it

[hosts.alpha]
uri = "qemu+tcp://root:***@alpha/system"
# peer_uri is not set
addresses = []
# shell is not set

[defaults]
live = true

[journal]
url = "postgresql://ann:***@db/journal"

[policies.require-encryption]  # active
mode = "never"
networks = []
"""
TO_SHOW = """\
disabled = ["lab"]
[hosts.alpha]
uri = "qemu+tcp://root:hunter2@alpha/system"
[defaults]
live = true
[policies.require-encryption]
mode = "never"
[journal]
url = "postgresql://ann:hunter2@db/journal"
"""
ALPHA, BETA = "qemu:///system", "qemu+ssh://beta.example/system"
PEER = "qemu+tls://10.0.0.2/system"

# fmt: off
NAMED = [
    # argv                                       source, destination, migration of the request
    (("--from", "alpha", "--to", "beta"),                            (ALPHA, BETA, None)),
    (("-c", ALPHA, "--to", "beta"),                                  (ALPHA, BETA, None)),
    (("--from", "alpha", BETA),                                      (ALPHA, BETA, None)),
    (("--from", "alpha", "--to", "beta", "tcp://10.0.0.9/"),         (ALPHA, BETA, "tcp://10.0.0.9/")),
    (("--from", "alpha", "--to", "beta", "--migrateuri", "tcp://10.0.0.9/"),
                                                                     (ALPHA, BETA, "tcp://10.0.0.9/")),
    # how other hosts open it, in peer-to-peer
    (("--from", "alpha", "--to", "beta", "--p2p"),                   (ALPHA, BETA, PEER)),
    (("--from", "alpha", "--to", "beta", "--scenario", "tunnelled-p2p-client"),
                                                                     (ALPHA, BETA, PEER)),
    (("--from", "beta", "--to", "alpha", "--p2p"),                   (BETA, ALPHA, None)),
    (("--from", "alpha", "--to", "beta", "--p2p", BETA),             (ALPHA, BETA, BETA)),
]

SAME = "say the same thing; give one of the two"

MISNAMED = [
    # argv, what is told
    (("--from", "alpha", "-c", ALPHA, "--to", "beta"), f"-c {ALPHA} and --from alpha {SAME}"),
    (("--from", "alpha", "--to", "beta", "--desturi", BETA),
     f"--desturi {BETA} and --to beta {SAME}"),
    (("--from", "alpha", "--to", "beta", BETA, "tcp://x/"),
     f"a second URI tcp://x/ and --to beta {SAME}"),
    (("--from", "alpha", "--to", "beta", "--direct"),
     ("--to beta names a host to connect to, and unmanaged direct connects to none; give the"
      " migration URI alone")),
]

DEFAULTS = [
    # the table, what is typed, the request
    ("live = true", (), {"live": True}),
    ("live = true", ("--no-defaults",), {}),
    # what was typed and cannot stand beside it wins
    ("live = true", ("--offline", "--persist"), {"offline": True, "persistent": True}),
    ("p2p = true\ntunnelled = true", (), {"p2p": True, "tunnelled": True}),
    ("p2p = true", ("--scenario", "native-direct"), {"scenario": "native-direct"}),
    ("undefinesource = true\nbandwidth = 5", ("--bandwidth", "9"),
     {"undefine_source": True, "bandwidth": 9}),
    ('revision = "current"\ntls = true', (), {"revision": "current", "tls": True}),
    ('revision = "current"', ("--revision", "original"), {}),
    ('migrate-disks = ["vda", "vdb"]', (), {"migrate_disks": ["vda", "vdb"]}),
]
# fmt: on


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        file = tmp_path / "config.toml"
        file.write_text(text)
        monkeypatch.setenv("MIGRATE_PLUGINS_CONFIG", str(file))
        return file

    return write


def _request(said: Said) -> dict[str, Any]:
    assert said.status == ExitCode.DONE, said.err
    request: dict[str, Any] = json.loads(said.out)["request"]
    return request


@pytest.mark.parametrize(("argv", "uris"), NAMED)
def test_hosts_by_their_names(
    call: Call,
    config: Callable[[str], Path],
    argv: tuple[str, ...],
    uris: tuple[str, str, str | None],
) -> None:
    config(HOSTS)

    request = _request(call("plan", "web1", *argv, "--json"))

    assert (request["source"], request["destination"], request.get("migration")) == uris


@pytest.mark.parametrize(("argv", "told"), MISNAMED)
def test_host_that_is_named_twice(
    call: Call, config: Callable[[str], Path], argv: tuple[str, ...], told: str
) -> None:
    config(HOSTS)

    assert call("plan", "web1", *argv) == (ExitCode.USAGE, "", f"{told}\n")


def test_host_that_nobody_named(call: Call, config: Callable[[str], Path]) -> None:
    file = config(HOSTS)

    said = call("plan", "web1", "--from", "alpha", "--to", "betta", "--json")

    assert said.status == ExitCode.USAGE
    assert said.err == (
        f"{file}:\n  host-unknown: there is no host 'betta'\n"
        "      it may mean beta; known here: alpha, beta\n"
    )
    told = json.loads(said.out)
    assert (told["kind"], told["reasons"][0]["id"]) == ("ConfigError", "host-unknown")


@pytest.mark.parametrize(("table", "argv", "request_"), DEFAULTS)
def test_defaults_of_the_options(
    call: Call,
    config: Callable[[str], Path],
    table: str,
    argv: tuple[str, ...],
    request_: dict[str, Any],
) -> None:
    config(f"[defaults]\n{table}\n")

    request = _request(call("plan", "web1", BETA, "-c", ALPHA, *argv, "--json"))

    assert request == {"guest": "web1", "source": ALPHA, "destination": BETA, **request_}


def test_source_by_default(
    call: Call, config: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    config('[defaults]\nconnect = "qemu+ssh://config/system"\n')

    assert _request(call("plan", "web1", BETA, "--json"))["source"] == "qemu+ssh://config/system"
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "qemu+ssh://environment/system")
    assert (
        _request(call("plan", "web1", BETA, "--json"))["source"] == "qemu+ssh://environment/system"
    )
    assert _request(call("plan", "web1", BETA, "-c", ALPHA, "--json"))["source"] == ALPHA


def test_refusal_says_which_options_were_nobodys_typing(
    call: Call, config: Callable[[str], Path]
) -> None:
    file = config("[defaults]\ntls = true\nlive = true\n")

    said = call("plan", "web1", BETA, "-c", ALPHA)

    assert said.status == ExitCode.BLOCKED
    assert said.err.startswith(
        f"{file} gives live, tls by default; --no-defaults leaves that out\n"
        "this migration cannot be planned:\n  option-not-offered: qemu has no --tls"
    )


def test_path_is_where_it_would_lie(spawn: Spawn, tmp_path: Path) -> None:
    environment = {"MIGRATE_PLUGINS_CONFIG": "", "XDG_CONFIG_HOME": str(tmp_path)}
    path = f"{tmp_path}/migrate-plugins/config.toml"

    assert spawn("config", "path", env=environment) == (ExitCode.DONE, f"{path}\n", "")
    assert json.loads(spawn("config", "path", "--json", env=environment).out) == {
        "schema": "migrate-plugins/config-path/1",
        "path": path,
        "exists": False,
    }
    assert spawn("config", "check", env=environment).out == (
        f"{path}: there is none, and none is needed\n"
    )


def test_show_is_what_is_in_force_without_secrets(
    spawn: Spawn, config: Callable[[str], Path]
) -> None:
    file = config(TO_SHOW)

    status, out, err = spawn("config", "show")

    assert (status, err) == (ExitCode.DONE, "")
    assert out == SHOWN.format(path=file)


def test_show_for_programs(spawn: Spawn, config: Callable[[str], Path]) -> None:
    file = config(TO_SHOW.replace("root:hunter2@", ""))

    shown = json.loads(spawn("config", "show", "--json").out)

    assert shown == {
        "schema": "migrate-plugins/config-show/1",
        "path": str(file),
        "exists": True,
        "disabled": {"lab": f"disabled in {file}; `migrate-plugins enable lab` undoes it"},
        "hosts": {
            "alpha": {
                "uri": "qemu+tcp://alpha/system",
                "peer_uri": None,
                "addresses": [],
                "shell": None,
            },
        },
        "defaults": {"live": True},
        "journal": {"url": "postgresql://ann:***@db/journal"},
        "policies": {"require-encryption": {"status": "active", "mode": "never", "networks": []}},
        "drivers": {},
    }


def test_check_tells_everything_that_is_wrong(spawn: Spawn, config: Callable[[str], Path]) -> None:
    file = config(
        'disabled = ["laab"]\n[policies.require-encryption]\nmode = "sometimes"\n'
        "[policies.nothing]\n[drivers.qemuu]\n[drivers.qemu]\nx = 1\n"
    )

    status, out, err = spawn("config", "check")

    assert (status, out) == (ExitCode.USAGE, "")
    lines = err.splitlines()
    assert lines[0] == f"{file}:"
    assert [line.split(": ")[0].strip() for line in lines[1::2]] == [
        "policy-broken",
        "policy-missing",
        "key-unknown",
        "key-unknown",
        "driver-broken",
    ]


def test_check_opens_the_journals_url(spawn: Spawn, config: Callable[[str], Path]) -> None:
    file = config('[journal]\nurl = "oracleofdelphi://ann:hunter2@db/journal"\n')

    said = spawn("config", "check")

    assert (said.status, said.out) == (ExitCode.USAGE, "")
    assert said.err == (
        f"{file}:\n"
        "  journal-unusable: the journal oracleofdelphi://ann:***@db/journal cannot be opened:"
        " Can't load plugin: sqlalchemy.dialects:oracleofdelphi\n"
        "      mend its URL, install the library it needs, or give another journal\n"
    )


def test_check_of_a_good_file(spawn: Spawn, config: Callable[[str], Path]) -> None:
    file = config(HOSTS)

    assert spawn("config", "check").out == f"{file}: nothing is wrong with it\n"
    assert json.loads(spawn("config", "check", "--json").out)["reasons"] == []


@pytest.mark.parametrize("command", [("list",), ("matrix",), ("--help",)])
def test_commands_that_only_look_go_on_without_a_broken_file(
    spawn: Spawn, config: Callable[[str], Path], command: tuple[str, ...]
) -> None:
    config("hots = 1\n")

    status, out, err = spawn(*command)

    assert status == ExitCode.DONE
    assert "native-direct" in out or "qemu" in out or "usage" in out
    assert "key-unknown: hots is no known key" in err


@pytest.mark.parametrize(
    "command", [("plan", "web1", BETA, "-c", ALPHA), ("config", "show"), ("check", "w", BETA)]
)
def test_commands_that_act_stop_at_a_broken_file(
    spawn: Spawn, config: Callable[[str], Path], command: tuple[str, ...]
) -> None:
    config("hots = 1\n")

    status, out, err = spawn(*command)

    assert (status, out) == (ExitCode.USAGE, "")
    assert "key-unknown: hots is no known key" in err


def test_policy_reaches_the_command_line(spawn: Spawn, config: Callable[[str], Path]) -> None:
    config(HOSTS + '\n[policies.migration-network]\nnetworks = ["10.77.0.0/24"]\n')

    plan = json.loads(spawn("plan", "web1", "--from", "alpha", "--to", "beta", "--json").out)

    assert plan["uris"]["migration"]["value"] == "tcp://10.77.0.2"
    assert plan["uris"]["migration"]["because"].startswith("policy migration-network gives it")
    assert os.environ["MIGRATE_PLUGINS_CONFIG"].endswith("config.toml")


def test_show_hides_what_a_key_calls_a_secret_in_either_form(
    spawn: Spawn, config: Callable[[str], Path]
) -> None:
    config(
        '[hosts."be ta"]\nuri = "qemu+ssh://root:hunter2@b/system"\n'
        '[policies.require-encryption]\nmode = "sometimes"\ntoken = "hunter2"\n'
    )

    text, as_json = spawn("config", "show").out, spawn("config", "show", "--json").out

    assert "hunter2" not in text + as_json
    assert '[hosts."be ta"]\nuri = "qemu+ssh://root:***@b/system"\n' in text
    assert '[policies.require-encryption]  # broken\nmode = "sometimes"\ntoken = "***"\n' in text
    assert tomllib.loads(text)["policies"]["require-encryption"]["mode"] == "sometimes"
