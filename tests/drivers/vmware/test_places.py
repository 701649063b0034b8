"""Connection and migration URIs are read as libvirt's ESX driver reads them."""

from __future__ import annotations

from contextlib import suppress
from string import ascii_letters, digits
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from migrate_plugins import InvalidURIError, MigrationURI
from migrate_plugins_vmware.places import ANY, Peer, Place, Proxy, read_peer, write_peer

SHA1 = "ab" * 20
SHA256 = "cd" * 32
HINT = (
    "write vpx://VCENTER/DATACENTER/CLUSTER/HOST with every folder on the way, or"
    " esx://HOST/?vcenter=VCENTER"
)

# fmt: off
READ: list[tuple[str, dict[str, Any]]] = [
    # URI, what it says beside the defaults
    ("vpx://vc/DC/h",                 {"path": ("DC", "h")}),
    ("vpx://vc/DC/C/h",               {"path": ("DC", "C", "h")}),
    ("vpx://vc/f/g/DC/k/C/h",         {"path": ("f", "g", "DC", "k", "C", "h")}),
    ("vpx://vc//DC///C/h/",           {"path": ("DC", "C", "h")}),
    ("vpx://vc/My%20DC/C/h",          {"path": ("My DC", "C", "h")}),
    # vSphere writes a slash in a name as %2f; libvirt splits after the encoding is off.
    ("vpx://vc/a%2fb/C/h",            {"path": ("a", "b", "C", "h")}),
    ("vpx://vc/a%252fb/C/h",          {"path": ("a%2fb", "C", "h")}),
    ("VPX://vc/DC/h",                 {"path": ("DC", "h")}),
    ("vpx://[2001:db8::7]/DC/h",      {"host": "2001:db8::7", "path": ("DC", "h")}),
    ("vpx://vc:8443/DC/h",            {"port": 8443, "path": ("DC", "h")}),
    ("vpx://vc:0/DC/h",               {"port": 443, "path": ("DC", "h")}),
    ("vpx://u@vc/DC/h",               {"user": "u", "path": ("DC", "h")}),
    ("vpx://a%40vsphere.local@vc/DC/h",
     {"user": "a@vsphere.local", "path": ("DC", "h")}),
    ("vpx://DOM%5cu@vc/DC/h",         {"user": "DOM\\u", "path": ("DC", "h")}),
    ("vpx://vc/DC/h?no_verify=1",     {"no_verify": True, "path": ("DC", "h")}),
    ("vpx://vc/DC/h?NO_VERIFY=1",     {"no_verify": True, "path": ("DC", "h")}),
    ("vpx://vc/DC/h?no_verify=0",     {"path": ("DC", "h")}),
    ("vpx://vc/DC/h?no_verify=01",    {"no_verify": True, "path": ("DC", "h")}),
    ("vpx://vc/DC/h?no_verify=1&no_verify=0", {"path": ("DC", "h")}),
    ("vpx://vc/DC/h?auto_answer=1",   {"auto_answer": True, "path": ("DC", "h")}),
    ("vpx://vc/DC/h?transport=http",  {"transport": "http", "port": 80, "path": ("DC", "h")}),
    ("vpx://vc/DC/h?transport=https", {"path": ("DC", "h")}),
    ("vpx://vc/DC/h?authfile=/a%20b", {"authfile": "/a b", "path": ("DC", "h")}),
    ("vpx://vc/DC/h?authfile=/a&authfile=/b", {"authfile": "/a", "path": ("DC", "h")}),
    ("vpx://vc/DC/h?AUTHFILE=/a",     {"path": ("DC", "h")}),
    ("vpx://vc/DC/h?cacert=/a+b",     {"cacert": "/a+b", "path": ("DC", "h")}),
    (f"vpx://vc/DC/h?thumbprint={SHA1}",   {"thumbprint": SHA1, "path": ("DC", "h")}),
    (f"vpx://vc/DC/h?thumbprint={SHA256.upper()}", {"thumbprint": SHA256, "path": ("DC", "h")}),
    ("vpx://vc/DC/h?thumbprint=" + ":".join(["AB"] * 20),
     {"thumbprint": SHA1, "path": ("DC", "h")}),
    ("vpx://vc/DC/h?unknown=1&&=x&bare", {"path": ("DC", "h")}),
    # A semicolon separates too, but only behind the last ampersand.
    ("vpx://vc/DC/h?no_verify=1;auto_answer=1",
     {"no_verify": True, "auto_answer": True, "path": ("DC", "h")}),
    ("vpx://vc/DC/h?authfile=/a;b&no_verify=1",
     {"authfile": "/a;b", "no_verify": True, "path": ("DC", "h")}),
    ("vpx://vc/DC/h?proxy=p",         {"proxy": Proxy("http", "p", 1080), "path": ("DC", "h")}),
    ("vpx://vc/DC/h?proxy=http://p:8080",
     {"proxy": Proxy("http", "p", 8080), "path": ("DC", "h")}),
    ("vpx://vc/DC/h?proxy=socks5://p",
     {"proxy": Proxy("socks5", "p", 1080), "path": ("DC", "h")}),
    ("esx://h1",                      {"scheme": "esx", "host": "h1"}),
    ("esx://h1/ignored/path",         {"scheme": "esx", "host": "h1"}),
    ("esx://h1/?vcenter=*",           {"scheme": "esx", "host": "h1", "vcenter": ANY}),
    ("esx://h1?vcenter=vc",           {"scheme": "esx", "host": "h1", "vcenter": "vc"}),
    ("esx://h1?vcenter=vc&transport=http",
     {"scheme": "esx", "host": "h1", "vcenter": "vc", "transport": "http", "port": 80}),
    ("gsx://h1",                      {"scheme": "gsx", "host": "h1", "port": 8333}),
    ("gsx://h1?transport=http",
     {"scheme": "gsx", "host": "h1", "port": 8222, "transport": "http"}),
]

REFUSED = [
    # URI, what is wrong
    ("vpx:///DC/h",                   "it names no server"),
    ("vpx+ssh://vc/DC/h",             "vpx:// takes no transport, and +ssh was given"),
    ("qemu://vc/system",              "qemu:// is none of vpx://, esx:// and gsx://"),
    ("vpx://vc",                      ("its path names no host: a datacenter and a compute resource"
                                      " is missing")),
    ("vpx://vc/",                     ("its path names no host: a datacenter and a compute resource"
                                      " is missing")),
    ("vpx://vc/DC",                   "its path names no host: a compute resource is missing"),
    ("vpx://vc/DC/h?no_verify=2",     "no_verify=2 is neither 0 nor 1"),
    ("vpx://vc/DC/h?no_verify=",      "no_verify= is neither 0 nor 1"),
    ("vpx://vc/DC/h?no_verify",       "no_verify= is neither 0 nor 1"),
    ("vpx://vc/DC/h?no_verify=yes",   "no_verify=yes is neither 0 nor 1"),
    ("vpx://vc/DC/h?no_verify=-1",    "no_verify=-1 is neither 0 nor 1"),
    ("vpx://vc/DC/h?auto_answer=on",  "auto_answer=on is neither 0 nor 1"),
    ("vpx://vc/DC/h?transport=ftp",   "transport=ftp is neither http nor https"),
    ("vpx://vc/DC/h?transport=HTTPS", "transport=HTTPS is neither http nor https"),
    ("vpx://vc/DC/h?proxy=ftp://p",   ("proxy=ftp://p is of none of the types http, socks, socks4,"
                                      " socks4a, socks5")),
    ("vpx://vc/DC/h?proxy=:80",       "proxy=:80 names no host"),
    ("vpx://vc/DC/h?proxy=p:0",       "proxy=p:0 has the port '0', no number from 1 to 65535"),
    ("vpx://vc/DC/h?proxy=p:",        "proxy=p: has the port '', no number from 1 to 65535"),
    ("vpx://vc/DC/h?cacert=",         "cacert= names no file"),
    ("vpx://vc/DC/h?thumbprint=abc",  ("thumbprint=abc has neither the 40 hexadecimal digits of"
                                      " SHA-1 nor the 64 of SHA-256")),
    ("vpx://vc?no_verify=2&transport=ftp",
     ("no_verify=2 is neither 0 nor 1; transport=ftp is neither http nor https; its path names no"
     " host: a datacenter and a compute resource is missing")),
]

UNUSABLE = [
    # URI, what its refusal begins with
    ("gsx://h1",                         "a GSX server has no vCenter"),
    ("esx://h1",                         "this opens a host without its vCenter"),
    ("esx://h1?vcenter=",                "this opens a host without its vCenter"),
    ("vpx://vc/DC/h?transport=http",     "transport=http would send the password as it is"),
    ("vpx://vc/DC/h?proxy=socks5://p",   "a socks5 proxy is not supported"),
    ("vpx://vc/DC/h?proxy=socks4a://p:9", "a socks4a proxy is not supported"),
]
USABLE = ["vpx://vc/DC/h", "esx://h1?vcenter=*", "vpx://vc/DC/h?no_verify=1&proxy=p"]

PEERS = [
    # URI, what libvirt makes of it
    ("vpxmigr://192.0.2.7/resgroup-26/host-42",     Peer("192.0.2.7", "resgroup-26", "host-42")),
    ("vpxmigr://192.0.2.7//resgroup-26/host-42",    Peer("192.0.2.7", "resgroup-26", "host-42")),
    ("vpxmigr://192.0.2.7/resgroup-26/host-42/x",   Peer("192.0.2.7", "resgroup-26", "host-42/x")),
    ("vpxmigr://192.0.2.7/resgroup%2D26/host-42",   Peer("192.0.2.7", "resgroup-26", "host-42")),
    ("vpxmigr://[2001:db8::7]/resgroup-26/host-42", Peer("2001:db8::7", "resgroup-26", "host-42")),
]
# fmt: on

DEFAULTS = Place("", "vpx", "vc", 443)
names = st.text(min_size=1, max_size=12).filter(
    lambda name: "/" not in name and "\0" not in name and name.isprintable()
)
moids = st.text(ascii_letters + digits + "-_", min_size=1, max_size=20)


@pytest.mark.parametrize(("text", "said"), READ)
def test_connection_uri_says(text: str, said: dict[str, Any]) -> None:
    assert Place.parse(text) == DEFAULTS._replace(text=text, **said)


@pytest.mark.parametrize(("text", "wrong"), REFUSED)
def test_connection_uri_is_refused_with_all_that_is_wrong(text: str, wrong: str) -> None:
    with pytest.raises(InvalidURIError) as caught:
        Place.parse(text)

    assert caught.value.hint == HINT
    assert sorted(caught.value.part.split("; ")) == sorted(wrong.split("; "))


def test_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidURIError) as caught:
        Place.parse("vpx://root:topsecret@vc/DC/h")

    assert "it holds a password" in caught.value.part
    assert "topsecret" not in f"{caught.value} {vars(caught.value)}"
    assert Place.parse("vpx://a%3Ab@vc/DC/h").user == "a:b"


@pytest.mark.parametrize(("text", "begins"), UNUSABLE)
def test_place_without_a_way_to_move_says_why(text: str, begins: str) -> None:
    assert (Place.parse(text).unusable() or "").startswith(begins)


@pytest.mark.parametrize("text", USABLE)
def test_place_can_be_used(text: str) -> None:
    assert Place.parse(text).unusable() is None


@given(path=st.lists(names, min_size=2, max_size=6), user=st.none() | names)
@example(path=["%", "a+b"], user="%41")
def test_every_name_can_be_written(path: list[str], user: str | None) -> None:
    login = "" if user is None else f"{quote(user, safe='')}@"
    text = f"vpx://{login}vc/{'/'.join(quote(name, safe='') for name in path)}"

    place = Place.parse(text)

    assert place.path == tuple(path)
    assert place.user == user


@given(value=names)
def test_every_value_of_a_parameter_can_be_written(value: str) -> None:
    place = Place.parse(f"vpx://vc/DC/h?cacert={quote(value, safe='')}&no_verify=1")

    assert place.cacert == value
    assert place.no_verify


@given(text=st.text(max_size=40).map("vpx://vc/".__add__))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidURIError):
        assert len(Place.parse(text).path) >= 2


@pytest.mark.parametrize(("text", "peer"), PEERS)
def test_migration_uri_says(text: str, peer: Peer) -> None:
    uri, read = read_peer(text)

    assert read == peer
    assert str(uri) == text


@given(pool=moids, host=moids, address=st.ip_addresses().map(str))
def test_migration_uri_reads_back(pool: str, host: str, address: str) -> None:
    peer = Peer(address, pool, host)

    written = write_peer(peer)

    assert isinstance(written, MigrationURI)
    assert read_peer(str(written)) == (written, peer)
