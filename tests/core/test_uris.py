from __future__ import annotations

import pytest

from migrate_plugins import ConnectionURI, InvalidURIError, MigrationURI, netloc

CONNECTION = (
    "a connection URI is driver[+transport]://[user@][host][:port]/[path][?parameters],"
    " for example qemu+ssh://root@desthost/system"
)
MIGRATION = "a migration URI is scheme://host[:port][/path], for example tcp://10.0.0.1:49152"
BRACKETS = "an IPv6 address stands in brackets, such as [2001:db8::7]"
ONLY_IPV6 = "brackets stand around an IPv6 address and nowhere else"

# fmt: off
CONNECTIONS = [
    # text, then its driver, transport, user, host, port, path, query, slashes
    ("qemu:///system",
     ("qemu", None, None, None, None, "/system", None, "//")),
    ("qemu+ssh://desthost/system",
     ("qemu", "ssh", None, "desthost", None, "/system", None, "//")),
    ("xen+tls://desthost/system",
     ("xen", "tls", None, "desthost", None, "/system", None, "//")),
    ("qemu+ssh://root@desthost:2222/system?keyfile=/root/k&no_verify=1",
     ("qemu", "ssh", "root", "desthost", 2222, "/system", "keyfile=/root/k&no_verify=1", "//")),
    ("qemu+tcp://[2001:db8::7]:16509/system",
     ("qemu", "tcp", None, "2001:db8::7", 16509, "/system", None, "//")),
    ("qemu+tcp://[FE80::1%eth0]/system",
     ("qemu", "tcp", None, "FE80::1%eth0", None, "/system", None, "//")),
    ("qemu+unix:///session?socket=/run/x.sock",
     ("qemu", "unix", None, None, None, "/session", "socket=/run/x.sock", "//")),
    # one slash, then host and path: as the migration document writes it
    ("qemu+tls:/desthost/system",
     ("qemu", "tls", None, "desthost", None, "/system", None, "/")),
    ("qemu+tls:/desthost/system?no_verify=1",
     ("qemu", "tls", None, "desthost", None, "/system", "no_verify=1", "/")),
    # no transport over the network, or nothing behind the first name: no host is meant
    ("qemu:/desthost/system",
     ("qemu", None, None, None, None, "/desthost/system", None, "")),
    ("qemu+unix:/desthost/system",
     ("qemu", "unix", None, None, None, "/desthost/system", None, "")),
    ("qemu+tls:/system",
     ("qemu", "tls", None, None, None, "/system", None, "")),
    ("vpx://admin@vcenter/DC0/DC0_C0/host?no_verify=1&authfile=/a",
     ("vpx", None, "admin", "vcenter", None, "/DC0/DC0_C0/host", "no_verify=1&authfile=/a", "//")),
    ("esx://dom%5Cadmin@esx.example/?auto_answer=1",
     ("esx", None, "dom%5Cadmin", "esx.example", None, "/", "auto_answer=1", "//")),
    ("QEMU+SSH://DestHost/system",
     ("QEMU", "SSH", None, "DestHost", None, "/system", None, "//")),
    ("qemu://desthost",
     ("qemu", None, None, "desthost", None, "", None, "//")),
    ("qemu://desthost/system?",
     ("qemu", None, None, "desthost", None, "/system", "", "//")),
    ("qemu://@desthost:0/",
     ("qemu", None, "", "desthost", 0, "/", None, "//")),
    ("qemu://desthost:65535/",
     ("qemu", None, None, "desthost", 65535, "/", None, "//")),
]

CONNECTION_REFUSALS = [
    # text                            what is wrong, and the hint where it is not the usual one
    ("",                              "it is empty", None),
    ("desthost",                      "it has no scheme", None),
    ("//desthost/system",             "it has no scheme", None),
    ("qemu+ssh://dest host/system",   "it contains a space", None),
    ("qemu://desthost/system\n",      "it contains a space", None),
    ("qemu://desthost/system#here",   "it has a fragment (#…)", None),
    ("qemu+://desthost/system",       "'qemu+' is not a scheme", None),
    ("qemu:desthost",                 "neither // nor / follows 'qemu:'", None),
    ("1qemu://desthost/system",       "'1qemu' is not a scheme", None),
    ("qemu+a+b://desthost/system",    "'qemu+a+b' is not a scheme", None),
    ("qemu://[desthost]/system",      ONLY_IPV6, None),
    ("qemu://[::1/system",            ONLY_IPV6, None),
    ("qemu://desthost]/system",       ONLY_IPV6, None),
    ("qemu://[12345::1]/system",      "[12345::1] is not an IPv6 address", None),
    ("qemu://[10.0.0.1]/system",      "[10.0.0.1] is not an IPv6 address", None),
    ("qemu://[fe80::1%]/system",      ONLY_IPV6, None),
    ("qemu://desthost:/system",       "the port '' is not a number from 0 to 65535", None),
    ("qemu://desthost:ssh/system",    "the port 'ssh' is not a number from 0 to 65535", None),
    ("qemu://desthost:65536/system",  "the port '65536' is not a number from 0 to 65535", None),
    ("qemu://desthost:022/system",    "the port '022' is not a number from 0 to 65535", None),
    ("qemu://desthost:-1/system",     "the port '-1' is not a number from 0 to 65535", None),
    ("qemu://desthost:٢٢/system",     "the port '٢٢' is not a number from 0 to 65535", None),
    ("qemu://2001:db8::7/system",     "2001:db8::7 has several colons", BRACKETS),
    ("qemu://root@/system",           "it has a user or a port but no host", None),
    ("qemu://:16509/system",          "it has a user or a port but no host", None),
]

MIGRATIONS = [
    # text, then its scheme, user, host, port, path, query, slashes
    ("tcp://10.0.0.1/",
     ("tcp", None, "10.0.0.1", None, "/", None, "//")),
    ("tcp://10.0.0.1:49152",
     ("tcp", None, "10.0.0.1", 49152, "", None, "//")),
    ("rdma://[2001:db8::7]:49152/",
     ("rdma", None, "2001:db8::7", 49152, "/", None, "//")),
    ("unix:///run/migrate.sock",
     ("unix", None, None, None, "/run/migrate.sock", None, "//")),
    ("unix:/run/migrate.sock",
     ("unix", None, None, None, "/run/migrate.sock", None, "")),
    ("xenmigr://desthost/",
     ("xenmigr", None, "desthost", None, "/", None, "//")),
    # as the document writes it
    ("xenmigr:10.0.0.1/",
     ("xenmigr", None, "10.0.0.1", None, "/", None, "")),
    ("xenmigr:desthost",
     ("xenmigr", None, "desthost", None, "", None, "")),
    # as libvirt's destination makes it
    ("tcp:desthost:49152",
     ("tcp", None, "desthost", 49152, "", None, "")),
    ("tcp:[2001:db8::7]:49152",
     ("tcp", None, "2001:db8::7", 49152, "", None, "")),
    ("desthost",
     (None, None, "desthost", None, "", None, "")),
    ("desthost:49152",
     (None, None, "desthost", 49152, "", None, "")),
    ("desthost:49152/",
     (None, None, "desthost", 49152, "/", None, "")),
    ("10.0.0.1:8002",
     (None, None, "10.0.0.1", 8002, "", None, "")),
    ("[::1]:8002",
     (None, None, "::1", 8002, "", None, "")),
    ("root@desthost",
     (None, "root", "desthost", None, "", None, "")),
    ("vpxmigr://192.0.2.7/resgroup-26/host-42",
     ("vpxmigr", None, "192.0.2.7", None, "/resgroup-26/host-42", None, "//")),
    ("tcp://desthost:0/?a=b",
     ("tcp", None, "desthost", 0, "/", "a=b", "//")),
]

MIGRATION_REFUSALS = [
    # text                   what is wrong, and the hint where it is not the usual one
    ("",                     "it names no host", None),
    ("/",                    "it names no host", None),
    ("tcp:",                 "it names no host", None),
    ("tcp://",               "it names no host", None),
    ("tcp:///",              "it names no host", None),
    ("tcp://:49152",         "it names no host", None),
    ("tcp://root@/x",        "it names no host", None),
    ("tcp://dest host/",     "it contains a space", None),
    ("tcp://desthost/#x",    "it has a fragment (#…)", None),
    ("tcp://[desthost]/",    ONLY_IPV6, None),
    ("tcp://[]/",            ONLY_IPV6, None),
    ("a+b://desthost/",      "'a+b' is not a scheme", None),
    ("tcp://desthost:x/",    "the port 'x' is not a number from 0 to 65535", None),
    ("tcp:desthost:65536",   "the port '65536' is not a number from 0 to 65535", None),
    ("desthost:65536",       "the port '65536' is not a number from 0 to 65535", None),
    ("2001:db8::7",          "2001:db8::7 has several colons", BRACKETS),
    ("tcp://2001:db8::7/",   "2001:db8::7 has several colons", BRACKETS),
]

NETLOCS = [
    # host            port    text
    ("desthost",      None,   "desthost"),
    ("desthost",      49152,  "desthost:49152"),
    ("desthost",      0,      "desthost:0"),
    ("10.0.0.1",      8002,   "10.0.0.1:8002"),
    ("2001:db8::7",   None,   "[2001:db8::7]"),
    ("2001:db8::7",   49152,  "[2001:db8::7]:49152"),
    ("[2001:db8::7]", 49152,  "[2001:db8::7]:49152"),
]

PARAMETERS = [
    # text                               parameters
    ("qemu:///system",                   {}),
    ("qemu:///system?",                  {}),
    ("qemu:///system?a=1&b=",            {"a": "1", "b": ""}),
    ("qemu:///system?a=1&a=2",           {"a": "2"}),
    ("qemu:///s?socket=%2Frun%2Fa%20b",  {"socket": "/run/a b"}),
]
# fmt: on


@pytest.mark.parametrize(("text", "parts"), CONNECTIONS)
def test_connection_uri(text: str, parts: tuple[str | int | None, ...]) -> None:
    uri = ConnectionURI.parse(text)

    assert tuple(uri) == parts
    assert str(uri) == text


@pytest.mark.parametrize(("text", "part", "hint"), CONNECTION_REFUSALS)
def test_connection_refusal(text: str, part: str, hint: str | None) -> None:
    with pytest.raises(InvalidURIError) as caught:
        ConnectionURI.parse(text)

    whole = f"{hint}; {CONNECTION}" if hint else CONNECTION
    assert str(caught.value) == f"cannot read the URI {text!r}: {part}; {whole}"
    assert (caught.value.text, caught.value.part, caught.value.hint) == (text, part, whole)


@pytest.mark.parametrize(("text", "parts"), MIGRATIONS)
def test_migration_uri(text: str, parts: tuple[str | int | None, ...]) -> None:
    uri = MigrationURI.parse(text)

    assert tuple(uri) == parts
    assert str(uri) == text


@pytest.mark.parametrize(("text", "part", "hint"), MIGRATION_REFUSALS)
def test_migration_refusal(text: str, part: str, hint: str | None) -> None:
    with pytest.raises(InvalidURIError) as caught:
        MigrationURI.parse(text)

    whole = f"{hint}; {MIGRATION}" if hint else MIGRATION
    assert str(caught.value) == f"cannot read the URI {text!r}: {part}; {whole}"
    assert (caught.value.text, caught.value.part, caught.value.hint) == (text, part, whole)


@pytest.mark.parametrize(("host", "port", "text"), NETLOCS)
def test_netloc(host: str, port: int | None, text: str) -> None:
    assert netloc(host, port) == text


@pytest.mark.parametrize(("text", "parameters"), PARAMETERS)
def test_parameters_are_decoded(text: str, parameters: dict[str, str]) -> None:
    assert ConnectionURI.parse(text).parameters == parameters
