"""``diagnose``: what it reads, what it says, and how it ends."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import ExitCode
from migrate_plugins.cli.diagnoses import likelihood
from migrate_plugins.cli.messages import Message, read_messages

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Call, Spawn

REFUSED = "unable to connect to server at 'beta:49152': Connection refused"
UNSHARED = "Unsafe migration: Migration without shared storage is unsafe"
LOG = f"""\
2026-11-24 17:45:44.746+0000: 63: info : libvirt version: 9.0.0
2026-11-24 17:45:44.746+0000: 63: debug : virEventRun:1 : {UNSHARED}
2026-11-24 17:45:45.123+0000: 64: error : virNetSocketNewConnectTCP:456 : {REFUSED}
Nov 24 17:45:46 alpha libvirtd[812]: internal error: client socket is closed
"""

# fmt: off
MESSAGES = [
    # text                                         messages
    ("",                                           []),
    ("\n \n",                                      []),
    (f"error: {REFUSED}\n",                        [(REFUSED, None, None, "line 1")]),
    (f"virsh: error: {REFUSED}",                   [(REFUSED, None, None, "line 1")]),
    (LOG, [(REFUSED, None, None, "line 3"),
           ("internal error: client socket is closed", None, None, "line 4")]),
    ("a\nb\na\n",                                  [("b", None, None, "line 2"),
                                                    ("a", None, None, "line 3")]),
    (json.dumps({"error": "x", "error_code": 9, "error_domain": 10}),
                                                   [("x", 9, 10, "the JSON")]),
    (json.dumps({"error": None, "unreadable": "no route"}),
                                                   [("no route", None, None, "the JSON")]),
    (json.dumps({"schema": "migrate-plugins/error/1", "text": "cannot connect"}),
                                                   [("cannot connect", None, None, "the JSON")]),
    ('{"phase": "verify"}\n{"error": "x"}\n',      [("x", None, None, "line 2")]),
    ('{"error": ',                                 [('{"error":', None, None, "line 1")]),
    ("{}",                                         [("{}", None, None, "line 1")]),
]

WORDS = [(1.0, "very likely"), (0.85, "very likely"), (0.8, "likely"), (0.5, "possible"),
         (0.1, "less likely"), (0.0, "less likely")]
# fmt: on


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    """What stands on standard input."""
    stream = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream, encoding="utf-8"))
    return stream


@pytest.mark.parametrize(("text", "messages"), MESSAGES)
def test_errors_are_picked_out(
    text: str, messages: list[tuple[str, int | None, int | None, str]]
) -> None:
    assert [tuple(message) for message in read_messages(text)] == messages


def test_numbers_that_are_given_are_those_of_an_error_that_brings_none() -> None:
    text = '{"error": "x", "error_code": 9, "error_domain": 10}\n{"error": "y"}'

    assert read_messages(text, 38, 7) == (
        Message("x", 9, 10, "line 1"),
        Message("y", 38, 7, "line 2"),
    )


@pytest.mark.parametrize(("confidence", "word"), WORDS)
def test_confidence_has_a_word(confidence: float, word: str) -> None:
    assert likelihood(confidence) == word


def test_text_on_standard_input_is_diagnosed(call: Call, said: io.BytesIO) -> None:
    said.write(f"error: {UNSHARED}\n".encode())
    said.seek(0)

    status, out, err = call("diagnose")

    assert (status, err) == (ExitCode.DONE, "")
    assert out.splitlines() == [
        "  very likely: no-shared-storage",
        (
            "      a disk of the guest is a local file, or on a filesystem that libvirt does not"
            " know as shared"
        ),
        "      - on the source: virsh domblklist GUEST",
        "      - copy the disks along: --copy-storage-all",
        "      - or put them where both hosts see the same (NFS, Ceph, GFS2, iSCSI)",
        "      beforehand `migrate-plugins check` finds it as disk-not-shared",
    ]


def test_log_is_diagnosed_with_the_lines_that_say_it(call: Call, tmp_path: Path) -> None:
    log = tmp_path / "libvirtd.log"
    log.write_text(LOG, encoding="utf-8")

    status, out, err = call("diagnose", str(log))

    assert (status, err) == (ExitCode.DONE, "")
    heads = [line.split(": ")[1] for line in out.splitlines() if line[2] != " "]
    assert heads == ["data-port-refused", "lost-dest"]
    assert f"from line 3: {REFUSED}" in out
    assert "from line 4: internal error: client socket is closed" in out


def test_json_has_everything(call: Call, said: io.BytesIO) -> None:
    said.write(REFUSED.encode())
    said.seek(0)

    status, out, err = call("diagnose", "--json", "--code", "38", "--domain", "7")

    payload = json.loads(out)
    assert (status, err) == (ExitCode.DONE, "")
    assert list(payload) == ["schema", "recognised", "messages", "diagnoses"]
    assert payload["schema"] == "migrate-plugins/diagnose/1"
    (diagnosis,) = payload["diagnoses"]
    assert list(diagnosis) == [
        "id", "cause", "remedies", "confidence", "finding", "likelihood", "seen",
    ]  # fmt: skip
    assert (diagnosis["id"], diagnosis["confidence"]) == ("data-port-refused", 0.9)
    assert diagnosis["seen"] == {"text": REFUSED, "code": 38, "domain": 7, "where": "line 1"}


def test_number_of_another_error_rules_it_out(call: Call, said: io.BytesIO) -> None:
    said.write(b"operation failed: domain 'web1' is already active")
    said.seek(0)

    payload = json.loads(call("diagnose", "--json", "--code", "42").out)

    assert (payload["recognised"], payload["diagnoses"]) == (False, [])


def test_error_that_a_terminal_broke_is_put_together(call: Call, said: io.BytesIO) -> None:
    said.write(UNSHARED.replace("shared", "shared\n").encode())
    said.seek(0)

    assert "no-shared-storage" in call("diagnose").out


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_what_is_not_known_says_what_to_send(
    call: Call, said: io.BytesIO, more: tuple[str, ...]
) -> None:
    said.write(b"the moon is full")
    said.seek(0)

    status, out, err = call("diagnose", *more)

    assert status == ExitCode.FAILED
    assert "nothing in it is known to qemu (migrate-plugins-qemu)" in err
    assert "the text as it is" in err
    if more:
        assert (json.loads(out)["recognised"], json.loads(out)["diagnoses"]) == (False, [])
    else:
        assert out == ""


def test_nothing_is_said_to_be_nothing(call: Call, said: io.BytesIO) -> None:
    assert said.getvalue() == b""
    assert call("diagnose") == (ExitCode.FAILED, "", "there was nothing to read\n")


def test_driver_that_is_chosen_is_asked_alone(spawn: Spawn, tmp_path: Path) -> None:
    file = tmp_path / "error.txt"
    file.write_text(UNSHARED, encoding="utf-8")

    assert spawn("diagnose", "--driver", "qemu", str(file)).status == ExitCode.DONE
    assert spawn("diagnose", "--driver", "vbox", str(file)).status == ExitCode.FAILED


def test_driver_that_is_disabled_is_not_asked(spawn: Spawn, tmp_path: Path) -> None:
    file = tmp_path / "error.txt"
    file.write_text(UNSHARED, encoding="utf-8")

    said = spawn("diagnose", str(file), env={"MIGRATE_PLUGINS_DISABLE": "qemu"})

    assert (said.status, said.out) == (ExitCode.FAILED, "")
    assert "qemu" not in said.err
    assert "xen (migrate-plugins-xen)" in said.err


def test_file_that_is_not_there_is_a_usage_error(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "nowhere.log"

    assert call("diagnose", str(file)) == (
        ExitCode.USAGE,
        "",
        (
            f"there is no file {str(file)!r}: diagnose takes a file or standard input; to give a"
            " message: echo 'MESSAGE' | migrate-plugins diagnose\n"
        ),
    )


def test_unknown_error_names_only_the_driver_that_was_asked(spawn: Spawn, tmp_path: Path) -> None:
    file = tmp_path / "error.txt"
    file.write_text("the moon is full", encoding="utf-8")

    said = spawn("--driver", "xen", "diagnose", str(file))

    assert said.status == ExitCode.FAILED
    assert "nothing in it is known to xen (migrate-plugins-xen)\n" in said.err
