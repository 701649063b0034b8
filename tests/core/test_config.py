"""config.toml: what it may say, every reason against it, and a change that loses nothing."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins import Config, ConfigError, NamedHost, disabled_in, write_disabled
from migrate_plugins.config import config_path, with_disabled

PATH = "/etc/here/config.toml"
HOME = os.path.expanduser("~")  # noqa: PTH111 - a text, as it is compared

# fmt: off
HOME_FILE = f"{HOME}/.config/migrate-plugins/config.toml"

PLACES = [
    # environment, where the file lies
    ({}, HOME_FILE),
    ({"XDG_CONFIG_HOME": "/x"}, "/x/migrate-plugins/config.toml"),
    # "If an implementation encounters a relative path … it should consider the path invalid"
    ({"XDG_CONFIG_HOME": "x"}, HOME_FILE),
    ({"XDG_CONFIG_HOME": ""}, HOME_FILE),
    ({"XDG_CONFIG_HOME": "/x", "MIGRATE_PLUGINS_CONFIG": "y.toml"}, "y.toml"),
    ({"XDG_CONFIG_HOME": "/x", "MIGRATE_PLUGINS_CONFIG": ""}, "/x/migrate-plugins/config.toml"),
]

A_HOST = """
[hosts.a]
uri = "q:///s"
peer_uri = "q+tls://a/s"
addresses = ["192.0.2.1", "2001:db8::1"]
"""
DEFAULTS = """
[defaults]
live = true
undefine-source = true
bandwidth = 5
migrate-disks = ["vda"]
revision = "current"
scenario = "native-p2p"
port-range = "1-2"
connect = "q:///s"
"""

GOOD: list[tuple[str, dict[str, Any]]] = [
    # text                              fields that are not at their default
    ("",                                {}),
    ("# nothing\n",                     {}),
    ('disabled = ["a", "b"]',           {"disabled": ("a", "b")}),
    ('[hosts.a]\nuri = "q:///s"',       {"hosts": {"a": NamedHost("a", "q:///s")}}),
    (A_HOST,
     {"hosts": {"a": NamedHost("a", "q:///s", "q+tls://a/s", ("192.0.2.1", "2001:db8::1"))}}),
    (DEFAULTS,
     {"defaults": {"live": True, "undefine-source": True, "bandwidth": 5,
                   "migrate-disks": ("vda",), "revision": "current", "scenario": "native-p2p",
                   "port-range": "1-2", "connect": "q:///s"}}),
    ('[journal]\nurl = "sqlite:////srv/j.sqlite"', {"journal": "sqlite:////srv/j.sqlite"}),
    ('[journal]\nurl = "postgresql+psycopg://a:b@db/x"',
     {"journal": "postgresql+psycopg://a:b@db/x"}),
    ("[journal]",                       {}),
    ("[policies.x]\n[drivers.y]\nz = 1", {"policies": {"x": {}}, "drivers": {"y": {"z": 1}}}),
]

WRONG = [
    # text                                       id, text and what would work, of each reason
    ("disabled = [",
     [("not-toml", "it is not TOML: Invalid value (at end of document)", "mend that line")]),
    ('disabeld = ["a"]',
     [("key-unknown", "disabeld is no known key",
       "it may mean disabled; known here: defaults, disabled, drivers, hosts, journal, policies")]),
    ('disabled = "a"',
     [("value-wrong", "disabled is 'a'", "give a list of texts")]),
    ("disabled = [1]",
     [("value-wrong", "disabled is [1]", "give a list of texts")]),
    ("hosts = 1",
     [("value-wrong", "hosts is 1", "give a table: [hosts]")]),
    ("[hosts.a]",
     [("uri-missing", "hosts.a has no uri", "give the one that this machine opens it by")]),
    ('[hosts.a]\nurl = "q:///s"',
     [("key-unknown", "hosts.a.url is no known key",
       "it may mean uri; known here: addresses, peer_uri, shell, uri"),
      ("uri-missing", "hosts.a has no uri", "give the one that this machine opens it by")]),
    ('[hosts.a]\nuri = "q:///s"\naddresses = ["a.example"]',
     [("value-wrong", "hosts.a.addresses is ['a.example']",
       "give IP addresses ('a.example' does not appear to be an IPv4 or IPv6 address)")]),
    ("[hosts.a]\nuri = 1",
     [("value-wrong", "hosts.a.uri is 1", "give a text")]),
    ('[hosts." "]\nuri = "q:///s"',
     [("value-wrong", "a name in hosts is ' '", "give one that can be typed")]),
    ("[defaults]\nlife = true",
     [("key-unknown", "defaults.life is no known key", None)]),
    ("[defaults]\nlive = 1\nbandwidth = true\ntimeout = 1.5",
     [("value-wrong", "defaults.live is 1", "give true or false"),
      ("value-wrong", "defaults.bandwidth is true", "give a whole number"),
      ("value-wrong", "defaults.timeout is 1.5", "give a whole number")]),
    ('[defaults]\nrevision = "newest"',
     [("value-wrong", "defaults.revision is 'newest'", "give one of original, current")]),
    ('[defaults]\nport-range = "9-1"\nconnect = "a b"',
     [("value-wrong", "defaults.port-range is '9-1'", "give FIRST-LAST within 1-65535"),
      ("value-wrong", "defaults.connect is 'a b'", None)]),
    ('journal = "sqlite:///x"',
     [("value-wrong", "journal is 'sqlite:///x'", "give a table: [journal]")]),
    ("[journal]\nurl = 1",
     [("value-wrong", "journal.url is 1", "give a text")]),
    ('[journal]\nurl = "/srv/j.sqlite"\nurk = 2',
     [("value-wrong", "journal.url is '/srv/j.sqlite'",
       "give a URL of SQLAlchemy's, such as sqlite:////var/lib/journal.sqlite"),
      ("key-unknown", "journal.urk is no known key", "it may mean url; known here: url")]),
    ('[policies]\nrequire-encryption = "always"',
     [("value-wrong", "require-encryption is 'always'", "give a table: [require-encryption]")]),
]

# What stands in a file, and in the same file with other plugins disabled.
EDITS = [
    ("",                                       ["b", "a"], 'disabled = ["a", "b"]\n'),
    ("# mine\n[defaults]\nlive = true\n",      ["a"],
     'disabled = ["a"]\n\n# mine\n[defaults]\nlive = true\n'),
    ("# mine\ndisabled=[ 'x',\n 'y' ] # why\n", [],        "# mine\ndisabled = [] # why\n"),
    ("a = 1\n",                                ['q"uote'], 'disabled = ["q\\"uote"]\n\na = 1\n'),
]

BY_HAND = [
    '"disabled" = ["a"]\n',
    'disabled = ["a", # because\n "b"]\n',
    '[defaults]\nx = """\ndisabled = []\n"""\n',
    "[defaults]\ndisabled = []\n",
]
# fmt: on


@pytest.mark.parametrize(("environment", "path"), PLACES)
def test_place_of_the_file(environment: dict[str, str], path: str) -> None:
    assert config_path(environment) == path


@pytest.mark.parametrize(("text", "fields"), GOOD)
def test_what_it_may_say(text: str, fields: dict[str, Any]) -> None:
    assert Config.parse(text, PATH) == Config(PATH, exists=True, **fields)


@pytest.mark.parametrize(("text", "reasons"), WRONG)
def test_everything_that_is_wrong(text: str, reasons: list[tuple[str, str, str | None]]) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.parse(text, PATH)

    assert caught.value.path == PATH
    assert [(reason.id, reason.text) for reason in caught.value.reasons] == [
        told[:2] for told in reasons
    ]
    for reason, (_, _, instead) in zip(caught.value.reasons, reasons, strict=True):
        assert reason.usage
        assert instead in {None, reason.instead}
        assert reason.instead


def test_uri_that_cannot_be_read_says_what_would_work() -> None:
    with pytest.raises(ConfigError) as caught:
        Config.parse('[hosts.a]\nuri = "beta"', PATH)

    (reason,) = caught.value.reasons
    assert reason.text == "hosts.a.uri is 'beta'"
    assert reason.instead.endswith("qemu+ssh://root@desthost/system (it has no scheme)")


def test_nearest_of_the_options_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        Config.parse("[defaults]\nautoconverge = true", PATH)

    assert caught.value.reasons[0].instead.startswith("it may mean auto-converge; known here: ")


def test_no_file_says_nothing(tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}

    found = Config.load(environment)

    assert found == Config(f"{tmp_path}/migrate-plugins/config.toml")


def test_file_that_the_environment_names_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.load({"MIGRATE_PLUGINS_CONFIG": str(tmp_path / "gone")})

    assert [reason.id for reason in caught.value.reasons] == ["file-missing"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["a folder", "not text"])
def test_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "config.toml"
    file.mkdir() if content is None else file.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        Config.load({"MIGRATE_PLUGINS_CONFIG": str(file)})

    assert [reason.id for reason in caught.value.reasons] == ["file-unreadable"]


def test_host_that_it_does_not_name() -> None:
    config = Config.parse('[hosts.alpha]\nuri = "q:///s"', PATH)

    assert config.host("alpha").uri == "q:///s"
    with pytest.raises(ConfigError) as caught:
        config.host("alfa")
    assert [tuple(reason)[:3] for reason in caught.value.reasons] == [
        ("host-unknown", "there is no host 'alfa'", "it may mean alpha; known here: alpha")
    ]


@pytest.mark.parametrize(("text", "disabled", "changed"), EDITS)
def test_changing_what_is_disabled(text: str, disabled: list[str], changed: str) -> None:
    assert with_disabled(text, disabled, PATH) == changed


@pytest.mark.parametrize("text", BY_HAND)
def test_change_that_would_lose_something_is_left_to_a_person(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        with_disabled(text, ["new"], PATH)

    assert [(reason.id, reason.instead) for reason in caught.value.reasons] == [
        ("edit-by-hand", 'write disabled = ["new"]')
    ]


_LINES = st.sampled_from(
    [
        "# a comment",
        "",
        'x = "disabled = []"',
        "y = [1, 2]",
        "[defaults]",
        '[hosts."b c"]',
        "z = {}",
    ]
)


_NAMES = st.sets(
    st.text(st.characters(categories=["L", "N"], include_characters='-_. "\\'), min_size=1)
)


@given(st.lists(_LINES, unique=True), _NAMES, _NAMES)
def test_change_leaves_every_other_line_as_it_is(
    lines: list[str], first: set[str], second: set[str]
) -> None:
    text = "\n".join(lines)

    once = with_disabled(text, first, PATH)
    twice = with_disabled(once, second, PATH)

    assert once.endswith(text)
    assert twice.endswith(text)
    assert tomllib.loads(twice) == {**tomllib.loads(text), "disabled": sorted(second)}


def test_writing_makes_the_file_and_its_folder(tmp_path: Path) -> None:
    path = str(tmp_path / "new" / "config.toml")

    write_disabled(path, ["b", "a"])

    assert disabled_in(path) == {"a", "b"}
    assert [file.name for file in Path(path).parent.iterdir()] == ["config.toml"]


def test_writing_keeps_permissions_and_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "link.toml"
    real.write_text("# mine\n")
    real.chmod(0o640)
    link.symlink_to(real)

    write_disabled(str(link), ["a"])

    assert link.is_symlink()
    assert real.read_text() == 'disabled = ["a"]\n\n# mine\n'
    assert real.stat().st_mode & 0o777 == 0o640


def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError) as caught:
        write_disabled(str(tmp_path / "file" / "config.toml"), ["a"])

    assert [reason.id for reason in caught.value.reasons] == ["file-unreadable"]


def test_disabled_is_read_whatever_else_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('disabled = ["a"]\nnonsense = 1\n')

    assert disabled_in(str(file)) == {"a"}
    file.write_text("disabled = 1\n")
    with pytest.raises(ConfigError):
        disabled_in(str(file))


def test_line_ends_and_who_may_read_it_stay_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"a = 1\r\n")
    file.chmod(0o600)

    write_disabled(str(file), ["b"])
    write_disabled(str(file), [])

    assert file.read_bytes() == b"disabled = []\r\n\r\na = 1\r\n"
    assert file.stat().st_mode & 0o777 == 0o600
