"""Who logs in: libvirt's auth file, then the environment, then the person."""

from __future__ import annotations

import ctypes
import ctypes.util
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migrate_plugins import AuthenticationError
from migrate_plugins_vmware.credentials import Credentials, find_credentials
from migrate_plugins_vmware.places import Place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from migrate_plugins import Ask

SECRET = "pa%(x)s=#w;rd"  # noqa: S105 - no real one
FILE = f"""
# a comment
[credentials-work]
username = ann
password={SECRET}

[credentials-none]

[auth-esx-vc]
credentials=work

[auth-esx-empty]
credentials=none

[auth-libvirt-other]
credentials=work
"""
NOBODY: dict[str, str] = {}
GOVC = {"GOVC_USERNAME": "bob", "GOVC_PASSWORD": SECRET}
ANSIBLE = {"VMWARE_USER": "eve", "VMWARE_PASSWORD": SECRET}

# fmt: off
FROM_ENVIRONMENT: list[tuple[str, Mapping[str, str], str]] = [
    # URI, environment, who logs in
    ("vpx://vc/DC/h",       GOVC, "bob"),
    ("vpx://vc/DC/h",       ANSIBLE, "eve"),
    ("vpx://vc/DC/h",       GOVC | ANSIBLE, "bob"),
    ("vpx://eve@vc/DC/h",   GOVC | ANSIBLE, "eve"),
    ("vpx://zoe@vc/DC/h",   {"GOVC_PASSWORD": SECRET}, "zoe"),
    ("vpx://vc/DC/h",       GOVC | {"GOVC_URL": "https://vc/sdk"}, "bob"),
    ("vpx://VC/DC/h",       GOVC | {"GOVC_URL": "vc"}, "bob"),
    ("vpx://vc:8443/DC/h",  GOVC | {"GOVC_URL": "vc:8443"}, "bob"),
    ("vpx://vc/DC/h",       GOVC | {"GOVC_URL": "https://x:y@vc/sdk"}, "bob"),
    ("vpx://vc/DC/h",
     {"GOVC_URL": "https://tim%40vs:pa%25%28x%29s%3D%23w%3Brd@vc/sdk"}, "tim@vs"),
    ("vpx://vc/DC/h",       GOVC | ANSIBLE | {"GOVC_URL": "other"}, "eve"),
    ("vpx://vc/DC/h",       ANSIBLE | {"VMWARE_HOST": "VC"}, "eve"),
    ("vpx://vc/DC/h",       ANSIBLE | {"VMWARE_HOST": "vc", "VMWARE_PORT": "443"}, "eve"),
]

NOT_FROM_ENVIRONMENT: list[tuple[str, Mapping[str, str], str]] = [
    # URI, environment, why
    ("vpx://vc/DC/h",      {}, "GOVC_USERNAME and GOVC_PASSWORD are not set"),
    ("vpx://vc/DC/h",      {}, "VMWARE_USER and VMWARE_PASSWORD are not set"),
    ("vpx://vc/DC/h",      GOVC | {"GOVC_URL": "other"}, "GOVC_URL names another server than vc:4"),
    ("vpx://vc/DC/h",      GOVC | {"GOVC_URL": "vc:8443"}, "GOVC_URL names another server"),
    ("vpx://vc:8443/DC/h", GOVC | {"GOVC_URL": "vc"}, "GOVC_URL names another server"),
    ("vpx://vc/DC/h",      GOVC | {"GOVC_URL": "https://vc:x/"}, "GOVC_URL cannot be read"),
    ("vpx://vc/DC/h",      ANSIBLE | {"VMWARE_HOST": "other"}, "VMWARE_HOST names another server"),
    ("vpx://vc/DC/h",      ANSIBLE | {"VMWARE_HOST": "vc", "VMWARE_PORT": "8443"},
     "VMWARE_HOST names another server"),
    ("vpx://eve@vc/DC/h",  GOVC, "GOVC_USERNAME is not eve"),
]

WRONG_FILES = [
    # text, what is said of it
    (f"password={SECRET}\n",           "line 1 is neither [GROUP] nor NAME=VALUE nor a comment"),
    (f"[a]\n\n{SECRET.replace('=', '')}\n", "line 3 is neither [GROUP] nor NAME=VALUE"),
    ("[auth-esx-vc]\n",                "[auth-esx-vc] has no credentials="),
    ("[auth-esx-vc]\ncredentials=x\n", "[auth-esx-vc] names [credentials-x], which is not there"),
]
# fmt: on


def find(
    uri: str,
    environment: Mapping[str, str] = NOBODY,
    *,
    ask: Ask | None = None,
    home: str = "/nowhere",
) -> Credentials:
    place = Place.parse(uri)
    return find_credentials(
        place, place.host, place.port, ask, {"XDG_CONFIG_HOME": home, **environment}
    )


def from_file(user: str, file: Path) -> Credentials:
    return Credentials(user, SECRET, f"of {file}")


def refusal(uri: str, environment: Mapping[str, str] = NOBODY, ask: Ask | None = None) -> str:
    with pytest.raises(AuthenticationError) as caught:
        find(uri, environment, ask=ask)
    assert SECRET not in repr(caught.value)
    assert caught.value.__context__ is None or SECRET not in str(caught.value.__context__)
    return caught.value.problem


@pytest.fixture
def auth(tmp_path: Path) -> Path:
    file = tmp_path / "auth.conf"
    file.write_text(FILE)
    return file


def test_file_is_named_by_the_uri(auth: Path) -> None:
    assert find(f"vpx://vc/DC/h?authfile={auth}") == from_file("ann", auth)


def test_file_is_named_by_libvirts_variable_before_the_uri(auth: Path) -> None:
    found = find("vpx://vc/DC/h?authfile=/not/there", {"LIBVIRT_AUTH_FILE": str(auth)})

    assert found == from_file("ann", auth)


@pytest.mark.parametrize("variable", ["XDG_CONFIG_HOME", "HOME"])
def test_file_is_in_the_users_own_place(tmp_path: Path, variable: str) -> None:
    folder = tmp_path if variable == "XDG_CONFIG_HOME" else tmp_path / ".config"
    (folder / "libvirt").mkdir(parents=True)
    (folder / "libvirt" / "auth.conf").write_text(FILE)
    place = Place.parse("vpx://vc/DC/h")

    found = find_credentials(place, "vc", 443, None, {variable: str(tmp_path)})

    assert found == from_file("ann", folder / "libvirt" / "auth.conf")


def test_file_may_have_a_default_for_all_servers(tmp_path: Path) -> None:
    file = tmp_path / "auth.conf"
    file.write_text(f"{FILE}\n[auth-esx-default]\ncredentials=work\n")

    assert find(f"vpx://any/DC/h?authfile={file}") == from_file("ann", file)
    assert "no password" in refusal(f"vpx://a@empty/DC/h?authfile={file}")


def test_user_of_the_uri_wins_with_the_files_password(auth: Path) -> None:
    assert find(f"vpx://zoe@vc/DC/h?authfile={auth}", GOVC) == from_file("zoe", auth)


@pytest.mark.parametrize(("uri", "environment", "user"), FROM_ENVIRONMENT)
def test_environment_has_them(uri: str, environment: Mapping[str, str], user: str) -> None:
    found = find(uri, environment)

    assert found[:2] == (user, SECRET)
    assert found.origin in {"of GOVC_PASSWORD", "of GOVC_URL", "of VMWARE_PASSWORD"}


@pytest.mark.parametrize(("uri", "environment", "why"), NOT_FROM_ENVIRONMENT)
def test_environment_is_not_meant(uri: str, environment: Mapping[str, str], why: str) -> None:
    assert why in refusal(uri, environment)


def test_file_wins_over_the_environment(auth: Path) -> None:
    assert find(f"vpx://vc/DC/h?authfile={auth}", GOVC | ANSIBLE).user == "ann"


def test_file_and_environment_complete_each_other_for_one_user(tmp_path: Path) -> None:
    file = tmp_path / "auth.conf"
    file.write_text("[auth-esx-vc]\ncredentials=x\n[credentials-x]\nusername=bob\n")

    assert find(f"vpx://vc/DC/h?authfile={file}", GOVC) == Credentials(
        "bob", SECRET, "of GOVC_PASSWORD"
    )
    assert "GOVC_USERNAME is not bob" in refusal(
        f"vpx://vc/DC/h?authfile={file}", GOVC | {"GOVC_USERNAME": "eve"}
    )


def test_person_is_asked_for_what_is_missing() -> None:
    asked = []

    def ask(question: str, *, secret: bool) -> str:
        asked.append((question, secret))
        return SECRET if secret else "kim"

    assert find("vpx://vc/DC/h", ask=ask) == Credentials("kim", SECRET, "that was typed")
    assert find("vpx://zoe@vc/DC/h", ask=ask) == Credentials("zoe", SECRET, "that was typed")
    assert asked == [
        ("user for vc", False),
        ("password of kim for vc", True),
        ("password of zoe for vc", True),
    ]


def test_person_is_not_asked_for_what_stands_somewhere(auth: Path) -> None:
    def ask(question: str, *, secret: bool) -> str:
        raise AssertionError(question, secret)

    assert find(f"vpx://vc/DC/h?authfile={auth}", ask=ask).user == "ann"
    assert find("vpx://vc/DC/h", GOVC, ask=ask).user == "bob"


def test_nothing_found_says_where_was_looked_and_what_would_work(auth: Path) -> None:
    assert refusal("vpx://vc/DC/h") == (
        "no user was found for vc: no auth file is there (neither /nowhere/libvirt/auth.conf nor"
        " /etc/libvirt/auth.conf); GOVC_USERNAME and GOVC_PASSWORD are not set; VMWARE_USER and"
        " VMWARE_PASSWORD are not set; nobody can be asked here. Write into"
        " $XDG_CONFIG_HOME/libvirt/auth.conf, or into a file that ?authfile= names:"
        " [credentials-NAME] with username= and password=, and [auth-esx-vc] with"
        " credentials=NAME; or set GOVC_USERNAME and GOVC_PASSWORD"
    )
    assert f"{auth} (authfile= of the URI) has no user and password for other;" in refusal(
        f"vpx://other/DC/h?authfile={auth}"
    )


def test_nobody_answers() -> None:
    def ask(question: str, *, secret: bool) -> str:
        del question, secret
        raise EOFError

    assert "; nobody answers here. " in refusal("vpx://vc/DC/h", ask=ask)


def test_empty_answer_is_no_user() -> None:
    asked = []

    def ask(question: str, *, secret: bool) -> str:
        asked.append((question, secret))
        return ""

    assert "no user was found for vc" in refusal("vpx://vc/DC/h", ask=ask)
    assert asked == [("user for vc", False)]


@pytest.mark.parametrize(("text", "said"), WRONG_FILES)
def test_wrong_file_is_refused_without_its_text(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "auth.conf"
    file.write_text(text)

    assert said in refusal(f"vpx://vc/DC/h?authfile={file}", GOVC)


def test_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"[a]\nb=\xe4\n")

    assert "it cannot be read: No such file or directory" in refusal(
        f"vpx://vc/DC/h?authfile={tmp_path / 'none'}", GOVC
    )
    assert "it is not UTF-8 text" in refusal(f"vpx://vc/DC/h?authfile={tmp_path / 'latin'}", GOVC)


def test_password_is_never_shown() -> None:
    found = Credentials("ann", SECRET)

    assert SECRET not in f"{found} {found!r} {[found]}"


# --- GLib, which libvirt reads the file with, is the measure -------------------------------------

GLIB = ctypes.CDLL(ctypes.util.find_library("glib-2.0"))
GLIB.g_key_file_new.restype = ctypes.c_void_p
GLIB.g_key_file_get_string.restype = ctypes.c_void_p
GLIB.g_key_file_load_from_data.restype = ctypes.c_int


def glib_reads(text: str, group: str, key: str) -> str | None:
    """Give what GLib reads, or None where it refuses the file or has no such key."""
    data = text.encode()
    file = ctypes.c_void_p(GLIB.g_key_file_new())
    try:
        if not GLIB.g_key_file_load_from_data(file, data, ctypes.c_size_t(len(data)), 0, None):
            return None
        value = GLIB.g_key_file_get_string(file, group.encode(), key.encode(), None)
        if value is None:
            return None
        read = ctypes.string_at(value).decode()
        GLIB.g_free(ctypes.c_void_p(value))
        return read
    finally:
        GLIB.g_key_file_free(file)


# Brackets that are no group and no language are refused by GLib, and are no key of ours.
lines = st.sampled_from(
    [
        "",
        "  ",
        "# comment",
        " # comment",
        "; no comment",
        "[credentials-x]",
        " [credentials-y] ",
        "username=u",
        "password=p",
        "password = p q",
        "  password=indented",
        "\tpassword=\tp",
        "password=a=b",
        "password=a#b",
        "password=%(username)s",
        "password=a\\\\b",
        "password=a\\sb\\tc\\nd",
        "password=a\\b",
        "password=ends\\",
        "Password=other",
        "password[de]=geheim",
        "password:p",
        "=p",
        "password=äöü",
    ]
) | st.from_regex(re.compile(r"\A[a-z=#;\\% -]{0,12}\Z", re.ASCII)).map(str.rstrip)


@given(text=st.lists(lines, max_size=8).map("\n".join))
@example(text="password=p")
def test_file_is_read_as_glib_does(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.getbasetemp() / "auth-glib.conf"
    whole = f"[auth-esx-vc]\ncredentials=x\n[credentials-x]\nusername=u\n{text}\n"
    file.write_text(whole)
    expected = glib_reads(whole, "credentials-x", "password")

    try:
        found = find(f"vpx://vc/DC/h?authfile={file}").password
    except AuthenticationError:
        found = None

    assert found == expected
