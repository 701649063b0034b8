from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins_vbox.senders import read_senders
from migrate_plugins_vbox.wire import Wire, looking, read_wire

UUID = "6f2e9d4c-0d5f-4d0f-8d35-0a4b6d6f3f11"
COUNTS = (
    "cubic wscale:7,7 rto:204 rtt:0.2/0.1 mss:1448 pmtu:1500 cwnd:10 bytes_sent:5643464"
    " bytes_retrans:2896 bytes_acked:5640569 segs_out:3901 segs_in:1200 data_segs_out:3899"
)
HERE = f"ESTAB 0 18824 10.79.0.1:41830 10.79.0.2:49300 {COUNTS}"

ELSEWHERE = HERE.replace("10.79.0.2:", "10.79.0.7:").replace("5640569", "9999999")
MAPPED = HERE.replace("10.79.0.2:", "[::ffff:10.79.0.2]:")
LINK_LOCAL = HERE.replace("10.79.0.2:", "[fe80::2]%eth0:")
OTHER_PORT = HERE.replace(":49300", ":49301")
NOT_ACKNOWLEDGED = HERE.replace("bytes_acked:5640569 ", "")
NEW = HERE.partition(" bytes_sent")[0]
OPENING = "SYN-SENT 0 1 10.79.0.1:41830 10.79.0.2:49300"
LONG = "0%...10%...20%...30%...40%...50%...60%...70%...80%...90%..."

# fmt: off
SEEN = [
    # addresses    connections            said           bytes    per cent
    ("10.79.0.2",  HERE,                  "0%",          5640569, 0.0),
    ("10.79.0.2",  f"{HERE}\n{ELSEWHERE}", "",            5640569, None),
    ("",           HERE,                  "",            5640569, None),
    ("10.79.0.3",  HERE,                  "0%...10%...", None,    10.0),
    ("10.79.0.2",  OTHER_PORT,            "",            None,    None),
    ("10.79.0.2",  MAPPED,                "",            5640569, None),
    ("fe80::2",    LINK_LOCAL,            "",            5640569, None),
    ("10.79.0.2",  NOT_ACKNOWLEDGED,      "",            5640568, None),
    ("10.79.0.2",  NEW,                   "",            0,       None),
    ("10.79.0.2",  OPENING,               "",            None,    None),
    ("",           "",                    "",            None,    None),
    ("",           "",                    LONG,          None,    90.0),
]

PROCESSES = [
    # arguments of VBoxManage                                whether it teleports the machine
    (("controlvm", UUID, "teleport", "--host", "beta"),      True),
    (("controlvm", "web1", "teleport", "--host", "beta"),    True),
    (("-q", "controlvm", f"{{{UUID.upper()}}}", "teleport"), True),
    (("controlvm", "web2", "teleport", "--host", "web1"),    False),
    (("controlvm", "web1", "pause"),                         False),
    (("controlvm", "web1"),                                  False),
    (("controlvm",),                                         False),
]
# fmt: on


@pytest.mark.parametrize(("addresses", "connections", "said", "sent", "percent"), SEEN)
def test_what_is_seen_of_a_connection(
    addresses: str, connections: str, said: str, sent: int | None, percent: float | None
) -> None:
    text = f"{addresses}\n--\n{connections}\n--\n{said}"

    assert read_wire(text, 49300) == Wire(sent, percent)


@given(st.text())
def test_anything_else_is_nothing_seen(text: str) -> None:
    assert read_wire(text, 49300).transferred is None or "49300" in text


def test_script_is_one_that_a_shell_takes() -> None:
    script = looking("no such host; exit 9", 49300, "/no such file")

    done = subprocess.run(["sh", "-uc", script], capture_output=True, text=True, check=True)

    assert done.stdout.count("--\n") == 2
    assert read_wire(done.stdout, 49300) == Wire(None, None)


@pytest.mark.parametrize(("words", "sends"), PROCESSES)
def test_who_sends(words: tuple[str, ...], sends: bool) -> None:
    text = "\n".join(["4711", "/usr/lib/virtualbox/VBoxManage", *words, "", ""])

    assert [*read_senders(text, "web1", UUID)] == ([4711] if sends else [])


def test_several_senders_are_told_apart() -> None:
    blocks = (f"{number}\nVBoxManage\ncontrolvm\n{UUID}\nteleport\n\n" for number in (1, 2))
    text = "".join(blocks)

    assert [*read_senders(text, "web1", UUID)] == [1, 2]
    assert [*read_senders("", "web1", UUID)] == []
