"""What ip, getent and ss print is read as they mean it."""

from __future__ import annotations

import json

import pytest

from migrate_plugins.checks import sockets

# As iproute2 6.1 and glibc 2.36 print it; of ss with and without the right to see who it is.
IP = json.dumps(
    [
        {"ifname": "lo", "addr_info": [{"family": "inet", "local": "127.0.0.1"}]},
        {
            "ifname": "eth0",
            "addr_info": [
                {"family": "inet", "local": "10.78.0.2", "prefixlen": 24},
                {"family": "inet6", "local": "fe80::1", "scope": "link"},
                {"label": "of an interface that is going"},
            ],
        },
        {"ifname": "dummy0"},
    ]
)
GETENT = """\
10.78.0.2       STREAM beta
10.78.0.2       DGRAM
2001:db8::2     STREAM
::ffff:10.0.0.9 STREAM
"""
SS = """\
LISTEN 0 4096 0.0.0.0:22    0.0.0.0:*
LISTEN 0 1    0.0.0.0:49152 0.0.0.0:* users:(("qemu-system-x86",pid=812,fd=11))
LISTEN 0 5          *:16509       *:* users:(("libvirtd",pid=7,fd=5),("libvirtd",pid=8,fd=5))
LISTEN 0 5       [::]:22       [::]:* users:(("sshd",pid=1,fd=3))
LISTEN 0 5 127.0.0.1%lo:53   0.0.0.0:*
State  Recv-Q
LISTEN 0 5 nonsense 0.0.0.0:*
"""

# fmt: off
SPELLINGS = [
    # address                plain          loopback  an address
    ("10.0.0.1",             "10.0.0.1",    False,    True),
    ("127.0.1.1",            "127.0.1.1",   True,     True),
    ("::1",                  "::1",         True,     True),
    ("::ffff:127.0.0.1",     "127.0.0.1",   True,     True),
    ("2001:DB8:0::7",        "2001:db8::7", False,    True),
    ("fe80::1%eth0",         "fe80::1",     False,    True),
    ("desthost",             "desthost",    False,    False),
    ("localhost",            "localhost",   False,    False),
    ("",                     "",            False,    False),
]
# fmt: on


def test_addresses_of_a_host_are_read() -> None:
    assert sockets.read_addresses(IP) == {"127.0.0.1", "10.78.0.2", "fe80::1"}


@pytest.mark.parametrize(
    "output", ["", "ip: not found", "{}1", '["lo"]', '[{"addr_info": [1]}]', "7"]
)
def test_what_is_no_list_of_links_is_refused(output: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        sockets.read_addresses(output)


def test_addresses_of_a_name_are_read_once_each() -> None:
    assert sockets.read_names(GETENT) == ("10.78.0.2", "2001:db8::2", "10.0.0.9")


def test_listeners_are_read_with_who_they_are() -> None:
    assert sockets.read_listeners(SS) == {
        22: "sshd, process 1",
        49152: "qemu-system-x86, process 812",
        16509: "libvirtd, process 7",
        53: None,
    }


@pytest.mark.parametrize(("address", "plain", "loopback", "is_address"), SPELLINGS)
def test_address_has_one_spelling(
    address: str, plain: str, *, loopback: bool, is_address: bool
) -> None:
    assert sockets.plain(address) == plain
    assert sockets.is_loopback(address) is loopback
    assert sockets.is_address(address) is is_address
