"""Connection URIs are read, or refused with everything that is wrong."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins import InvalidURIError, Reason
from migrate_plugins_vbox.places import Place, problems

SSH = {"transport": "ssh", "host": "h", "ssh": ("ssh",)}
HINT = (
    "write vbox:///session for this machine, or vbox+ssh://[USER@]HOST[:PORT]/session for another"
)

# fmt: off
READ: list[tuple[str, dict[str, Any]]] = [
    # URI, what it says beside the defaults
    ("vbox:///session",                        {}),
    ("vbox+unix:///session",                   {}),
    ("VBOX+UNIX:///session",                   {}),
    ("vbox:/session",                          {}),
    ("vbox:///session?user_home=/a%20b",       {"home": "/a b"}),
    ("vbox:///session?ipc_socketid=lab-2",     {"socket_id": "lab-2"}),
    ("vbox:///session?vboxmanage=/opt/x/VBoxManage", {"vboxmanage": "/opt/x/VBoxManage"}),
    ("vbox+ssh://h/session",                   SSH),
    ("vbox+SSH://h/session",                   SSH),
    ("vbox+ssh:/h/session",                    SSH),
    ("vbox+ssh://[2001:db8::7]/session",       {**SSH, "host": "2001:db8::7"}),
    ("vbox+ssh://u@h:2222/session",
     {**SSH, "user": "u", "port": 2222, "ssh": ("ssh", "-p", "2222", "-l", "u")}),
    ("vbox+ssh://DOM%5Cu@h/session",
     {**SSH, "user": "DOM\\u", "ssh": ("ssh", "-l", "DOM\\u")}),
    ("vbox+ssh://h/session?keyfile=/k&no_verify=1&command=/usr/bin/ssh",
     {**SSH, "ssh": ("/usr/bin/ssh", "-i", "/k", "-o", "StrictHostKeyChecking=no")}),
    ("vbox+ssh://h/session?no_verify=0",       SSH),
    ("vbox+ssh://h/session?known_hosts=/a%20b/%25k",
     {**SSH, "ssh": ("ssh", "-o", 'UserKnownHostsFile="/a b/%%k"')}),
    ("vbox+ssh://h/session?user_home=/v&ipc_socketid=v",
     {**SSH, "home": "/v", "socket_id": "v"}),
]

NO_SYSTEM = "write /session: VirtualBox runs for each user, and has no instance of the system"
OVER = "it is run on this machine (vbox:///session) or over ssh (vbox+ssh://HOST/session)"
KNOWN = "there are command, ipc_socketid, keyfile, known_hosts, no_verify, user_home, vboxmanage"
SOCKET = "give up to 64 letters, digits, dots, dashes and underscores, or leave ipc_socketid out"

REFUSED = [
    # URI, each part that is wrong with what would work
    ("vbox:///system",            [("its path is '/system'", NO_SYSTEM)]),
    ("vbox:///",                  [("its path is '/'", NO_SYSTEM)]),
    ("vbox:///session/",          [("its path is '/session/'", NO_SYSTEM)]),
    ("vbox+ssh://h",              [("it has no path", NO_SYSTEM)]),
    ("vbox://h/session",
     [("it names the host h and no way to it", "write vbox+ssh://h/session")]),
    ("vbox+ssh:///session",       [("it names no host for ssh", "write vbox+ssh://HOST/session")]),
    ("vbox+tcp://h/session",      [("there is no way over tcp to VBoxManage", OVER)]),
    ("vbox+libssh2://h/session",  [("there is no way over libssh2 to VBoxManage", OVER)]),
    ("vbox+tls:///session",       [("there is no way over tls to VBoxManage", OVER)]),
    ("vbox+ssh://-oProxyCommand=x/session",
     [("-oProxyCommand=x is no name of a host", "ssh would read it as an option")]),
    ("vbox+ssh://-l@h/session",   [("'-l' is no name of a user", "leave it out, or give one")]),
    ("vbox+ssh://@h/session",     [("'' is no name of a user", "leave it out, or give one")]),
    ("vbox+ssh://h:0/session",    [("its port is 0", "leave it out, or give that of sshd")]),
    ("vbox:///session?user_home=",
     [("user_home='' is no absolute path", "give a path from / on, or leave user_home out")]),
    ("vbox:///session?user_home=lab",
     [("user_home='lab' is no absolute path", "give a path from / on, or leave user_home out")]),
    ("vbox:///session?user_home=/a%0Ab",
     [("user_home='/a\\nb' is no absolute path", "give a path from / on, or leave user_home out")]),
    ("vbox:///session?vboxmanage=VBoxManage",
     [("vboxmanage='VBoxManage' is no absolute path",
       "give a path from / on, or leave vboxmanage out")]),
    ("vbox:///session?ipc_socketid=a/b",
     [("ipc_socketid='a/b' cannot be part of the name of a socket", SOCKET)]),
    ("vbox:///session?keyfile=/k",
     [("keyfile is for ssh", "leave it out, or name a host with vbox+ssh://HOST/session")]),
    ("vbox+ssh://h/session?command=",
     [("command='' names no file", "give its path, or leave command out")]),
    ("vbox+ssh://h/session?keyfile=-x",
     [("keyfile='-x' names no file", "give its path, or leave keyfile out")]),
    ("vbox+ssh://h/session?no_verify=yes",
     [("no_verify='yes' is neither 0 nor 1",
       "give 1 to check no host key, or leave no_verify out")]),
    ("vbox+ssh://h/session?socket=/run/x",
     [("the parameter socket is not known", KNOWN)]),
    ("vbox+tcp://h/system?home=/x&user_home=x", [
        ("there is no way over tcp to VBoxManage", OVER),
        ("its path is '/system'", NO_SYSTEM),
        ("the parameter home is not known", KNOWN),
        ("user_home='x' is no absolute path", "give a path from / on, or leave user_home out"),
    ]),
]
# fmt: on


@pytest.mark.parametrize(("text", "said"), READ)
def test_place(text: str, said: dict[str, Any]) -> None:
    assert Place.parse(text) == Place(text, **said)
    assert [*problems(text)] == []


@pytest.mark.parametrize(("text", "wrong"), REFUSED)
def test_refusals_name_every_part_and_what_would_work(
    text: str, wrong: list[tuple[str, str]]
) -> None:
    with pytest.raises(InvalidURIError) as caught:
        Place.parse(text)

    assert caught.value.part == "; ".join(f"{part}: {instead}" for part, instead in wrong)
    assert caught.value.hint == HINT
    assert [*problems(text)] == [
        Reason("vbox-uri", f"{text}: {part}", instead, usage=True) for part, instead in wrong
    ]


def test_a_password_is_refused_and_not_repeated() -> None:
    text = "vbox+ssh://u:hunter2@h/session"
    with pytest.raises(InvalidURIError) as caught:
        Place.parse(text)
    (reason,) = problems(text)

    for said in (str(caught.value), str(reason)):
        assert "it holds a password" in said
        assert "hunter2" not in said


@given(
    home=st.text(st.characters(exclude_categories=["C"]), max_size=20),
    user=st.from_regex(r"[a-z_][a-z0-9_.\\@ -]{0,10}", fullmatch=True),
    port=st.integers(1, 65535),
)
def test_what_is_written_into_a_uri_is_read_from_it(home: str, user: str, port: int) -> None:
    text = f"vbox+ssh://{quote(user)}@h:{port}/session?user_home={quote('/' + home)}"

    place = Place.parse(text)

    assert (place.user, place.port, place.home) == (user, port, f"/{home}")
    assert place.environment == {"VBOX_USER_HOME": f"/{home}"}
    assert shlex.split(shlex.join(place.ssh)) == ["ssh", "-p", str(port), "-l", user]


@given(text=st.text())
def test_any_text_is_a_place_or_is_refused(text: str) -> None:
    with suppress(InvalidURIError):
        assert Place.parse(f"vbox{text}").transport in {"", "ssh"}
