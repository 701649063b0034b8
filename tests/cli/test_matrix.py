from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import SCENARIOS, ExitCode

if TYPE_CHECKING:
    from cli.conftest import Call

# fmt: off
TEXT = """\
SCENARIO              qemu      vbox      vmware  xen
native-direct         verified  verified  code    document
native-p2p-client     verified  -         -       -
tunnelled-p2p-client  verified  -         -       -
native-unmanaged      -         -         -       document
native-p2p            verified  -         -       -
tunnelled-p2p         verified  -         -       -

revision original; a claim rests on the document, on code that was read, or on a migration that was run (verified)
"""  # noqa: E501 - as wide as it is printed

MARKDOWN = """\
| Scenario | qemu | vbox | vmware | xen |
|---|---|---|---|---|
| native-direct | verified | verified | code | document |
| native-p2p-client | verified | - | - | - |
| tunnelled-p2p-client | verified | - | - | - |
| native-unmanaged | - | - | - | document |
| native-p2p | verified | - | - | - |
| tunnelled-p2p | verified | - | - | - |
"""

CURRENT = """\
SCENARIO              qemu      vbox      vmware  xen
native-direct         verified  verified  code    verified
native-p2p-client     verified  -         -       -
tunnelled-p2p-client  verified  -         -       -
native-unmanaged      -         -         -       -
native-p2p            verified  -         -       verified
tunnelled-p2p         verified  -         -       verified

revision current; a claim rests on the document, on code that was read, or on a migration that was run (verified)
"""  # noqa: E501 - as wide as it is printed

FORMS = [
    # argv                       what is printed
    ([],                         TEXT),
    (["--revision", "original"], TEXT),
    (["--revision", "current"],  CURRENT),
    (["--markdown"],             MARKDOWN),
]

# One scenario's cells as JSON gives them: driver, supported, basis of the claim.
CELLS = {
    "original": {
        "native-direct":    [("qemu", True, "verified"), ("vbox", True, "verified"),
                             ("vmware", True, "code"), ("xen", True, "document")],
        "native-unmanaged": [("qemu", False, None), ("vbox", False, None),
                             ("vmware", False, None), ("xen", True, "document")],
    },
    "current": {
        "native-unmanaged": [("qemu", False, None), ("vbox", False, None),
                             ("vmware", False, None), ("xen", False, None)],
        "native-p2p":       [("qemu", True, "verified"), ("vbox", False, None),
                             ("vmware", False, None), ("xen", True, "verified")],
    },
}
# fmt: on


@pytest.mark.parametrize(("argv", "printed"), FORMS)
def test_text_has_a_line_for_each_scenario(call: Call, argv: list[str], printed: str) -> None:
    assert call("matrix", *argv) == (ExitCode.DONE, printed, "")


@pytest.mark.parametrize("revision", CELLS)
def test_json_has_exactly_the_documented_keys(call: Call, revision: str) -> None:
    status, out, err = call("matrix", "--json", "--revision", revision)

    said = json.loads(out)
    assert (status, err) == (ExitCode.DONE, "")
    assert list(said) == ["schema", "revision", "scenarios"]
    assert (said["schema"], said["revision"]) == ("migrate-plugins/matrix/1", revision)
    assert [(each["id"], each["title"]) for each in said["scenarios"]] == [
        (scenario.id, scenario.title) for scenario in SCENARIOS.values()
    ]
    for scenario in said["scenarios"]:
        assert list(scenario) == ["id", "title", "drivers"]
        assert [list(cell) for cell in scenario["drivers"].values()] == [
            ["supported", "source"]
        ] * 4
        for cell in scenario["drivers"].values():
            assert list(cell["source"] or ()) == (
                ["basis", "reference", "version"] if cell["supported"] else []
            )
    found = {scenario["id"]: _cells(scenario) for scenario in said["scenarios"]}
    assert {id_: found[id_] for id_ in CELLS[revision]} == CELLS[revision]


def _cells(scenario: dict[str, Any]) -> list[tuple[str, bool, str | None]]:
    return [
        (name, cell["supported"], cell["source"] and cell["source"]["basis"])
        for name, cell in scenario["drivers"].items()
    ]


def test_json_and_markdown_exclude_each_other(call: Call) -> None:
    status, out, err = call("matrix", "--json", "--markdown")

    said = (
        "migrate-plugins matrix: argument --markdown: not allowed with argument --json;"
        " `migrate-plugins matrix --help` tells what it takes"
    )
    assert (status, err) == (ExitCode.USAGE, f"{said}\n")
    # JSON was asked for, so that the error is JSON as well.
    assert json.loads(out)["text"] == said
