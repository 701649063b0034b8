from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from migrate_plugins import ExitCode, Plan

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Call

SOURCE = "qemu:///system"
DEST = "qemu+ssh://desthost/system"
ALT = "qemu+tcp://10.0.0.2/system"
THIRD = "tcp://10.0.0.2:49200"

# fmt: off
# The first lines, broken at the width of a pipe, 120.
TEXT = """\
web1: managed-peer2peer, tunnelled (qemu, scenario tunnelled-p2p, revision original)
      --p2p --tunnelled; Tunnelled migration, peer2peer between two libvirtd servers
      virDomainMigrateToURI with VIR_MIGRATE_PEER2PEER, VIR_MIGRATE_TUNNELLED, VIR_MIGRATE_LIVE,
      VIR_MIGRATE_PERSIST_DEST, VIR_MIGRATE_UNDEFINE_SOURCE
"""

# Headings of the sections, in their order; each stands on a line of its own after an empty one.
SECTIONS = [
    "URIs",
    "Control path",
    "Guest's memory",
    "Configuration files",
    "If this client crashes: aborted",
    "The same with the hypervisor's own tool",
    "Findings (without looking at a host)",
]

# Lines that must stand under the heading that is named; the first column is the section's place.
LINES = [
    # section  line
    (0, f"  source: {SOURCE}  (seen from the client)"),
    (0, f"  destination: {DEST}  (seen from the client)"),
    (0, f"  migration: {THIRD}  (seen from the source)"),
    (0, f"  destination from client: {DEST}  (seen from the client)"),
    (1, "  client → source: UNIX socket, not on the network"),
    (1, "  client → destination: libvirt RPC over ssh, port 22, encrypted"),
    (2, "  source → destination: QEMU migration stream, port 49200, PLAIN TEXT"),
    (2, "  port: 49200, chosen by: request"),
    (3, "  before                                                  afterwards"),
    (3, ("  persistent, configuration on source                  →"
        "  transient, configuration on source")),
    (5, f"  on the client: virsh -c {SOURCE} migrate --live web1 {DEST} {THIRD}"),
    (6, "  warning data-plain-text"),
]

KEYS = ["schema", "guest", "driver", "scenario", "flow", "transport", "api", "revision", "uris",
        "receiver", "flags", "port", "channels", "configuration", "on_client_crash", "commands",
        "findings", "because", "request"]

URI = ["value", "seen_from", "because"]
CHANNEL = ["from", "to", "protocol", "ports", "encrypted", "because"]

# Path into the object, and the keys that are there.
NESTED = [
    ((),                              KEYS),
    (("uris",),                       ["source", "destination", "migration",
                                       "destination_from_client"]),
    (("uris", "source"),              URI),
    (("uris", "destination"),         URI),
    (("uris", "migration"),           URI),
    (("port",),                       ["value", "first", "last", "chosen_by", "because"]),
    (("channels",),                   ["control", "data"]),
    (("channels", "control", 0),      CHANNEL),
    (("channels", "data"),            CHANNEL),
    (("configuration",),              ["before", "after", "rows", "own", "untouched", "because"]),
    (("on_client_crash",),            ["then", "own", "because"]),
    (("commands", 0),                 ["tool", "host", "argv"]),
    (("findings", 0),                 ["id", "severity", "host", "text", "seen", "expected",
                                       "remedy", "accepted",
                                       "acceptable"]),
]

NOT_EXPRESSIBLE = ["--scenario", "native-p2p-client"]
# fmt: on


def _sections(text: str) -> dict[str, list[str]]:
    """Cut the text at its headings: lines that are not indented and follow an empty one."""
    found: dict[str, list[str]] = {}
    heading = ""
    before: str | None = None
    for line in text.splitlines():
        if before == "" and line and not line.startswith(" "):
            heading = line
        else:
            found.setdefault(heading, []).append(line)
        before = line
    return found


def test_text_has_each_section_with_its_lines(call: Call) -> None:
    status, out, err = call("plan", "web1", DEST, THIRD, "-c", SOURCE, "--live")

    assert (status, err) == (ExitCode.DONE, "")
    found = _sections(out)
    assert list(found) == ["", *SECTIONS]
    missing = [line for place, line in LINES if line not in found[SECTIONS[place]]]
    assert missing == []


def test_text_begins_with_what_was_asked_for(call: Call) -> None:
    flags = ("--p2p", "--tunnelled", "--live", "--persistent", "--undefinesource")

    status, out, _ = call("plan", "web1", DEST, "-c", SOURCE, *flags)

    assert status == ExitCode.DONE
    assert out.partition("\n\n")[0] + "\n" == TEXT


def test_text_says_why_the_hypervisors_own_tool_cannot(call: Call) -> None:
    out = call("plan", "web1", DEST, ALT, "-c", SOURCE, *NOT_EXPRESSIBLE).out

    assert _sections(out)["The same with the hypervisor's own tool"] == [
        "      the words of the qemu driver",
        "  virsh: not expressible",
        "      the document says so: native-p2p-client cannot be invoked from virsh",
        "",
    ]


@pytest.mark.parametrize(("path", "keys"), NESTED)
def test_json_has_the_documented_keys(
    call: Call, path: tuple[str | int, ...], keys: list[str]
) -> None:
    status, out, err = call("plan", "web1", DEST, "-c", SOURCE, "--json")

    at: Any = json.loads(out)
    assert (status, err, at["schema"]) == (ExitCode.DONE, "", "migrate-plugins/plan/1")
    for step in path:
        at = at[step]
    assert list(at) == keys


def test_json_of_what_no_tool_can_say_tells_why(call: Call) -> None:
    out = call("plan", "web1", DEST, ALT, "-c", SOURCE, "--json", *NOT_EXPRESSIBLE).out

    assert json.loads(out)["commands"] == [
        {
            "tool": "virsh",
            "host": "client",
            "not_expressible": "the document says so: native-p2p-client cannot be invoked from"
            " virsh",
        }
    ]


def test_json_reads_back_as_the_plan(call: Call) -> None:
    said = json.loads(call("plan", "web1", DEST, THIRD, "-c", SOURCE, "--json", "--live").out)

    assert Plan.from_json(said).to_json() == said


def test_diagram_is_written_beside_the_text(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "paths.svg"

    with_it = call("plan", "web1", DEST, "-c", SOURCE, "--diagram", str(file))

    assert with_it == call("plan", "web1", DEST, "-c", SOURCE)
    root = ET.fromstring(file.read_text("utf-8"))  # noqa: S314 - our own drawing
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = {text for text in root.itertext() if text.strip()}
    assert {"web1", SOURCE, DEST} <= {word for text in texts for word in (text, *text.split())}


def test_diagram_that_cannot_be_written_is_a_usage_error(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "paths.svg"

    said = call("plan", "web1", DEST, "-c", SOURCE, "--diagram", str(file))

    error = f"cannot write the diagram to {str(file)!r}: No such file or directory\n"
    assert said == (ExitCode.USAGE, "", error)


def test_diagram_over_a_folder_is_a_usage_error(call: Call, tmp_path: Path) -> None:
    said = call("plan", "web1", DEST, "-c", SOURCE, "--diagram", str(tmp_path))

    error = f"cannot write the diagram to {str(tmp_path)!r}: Is a directory\n"
    assert said == (ExitCode.USAGE, "", error)
