from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from migrate_plugins import SCENARIOS, ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from cli.conftest import Call

# fmt: off
TEXT = """\
SCENARIO              qemu      vbox      vmware    xen
native-direct         verified  verified  verified  document
native-p2p-client     verified  -         -         -
tunnelled-p2p-client  verified  -         -         -
native-unmanaged      -         -         -         document
native-p2p            verified  -         -         -
tunnelled-p2p         verified  -         -         -

revision original; a claim rests on the document, on code that was read, or on a migration that was run (verified)
"""  # noqa: E501 - as wide as it is printed

MARKDOWN = """\
| Scenario | qemu | vbox | vmware | xen |
|---|---|---|---|---|
| native-direct | verified | verified | verified | document |
| native-p2p-client | verified | - | - | - |
| tunnelled-p2p-client | verified | - | - | - |
| native-unmanaged | - | - | - | document |
| native-p2p | verified | - | - | - |
| tunnelled-p2p | verified | - | - | - |
"""

CURRENT = """\
SCENARIO              qemu      vbox      vmware    xen
native-direct         verified  verified  verified  verified
native-p2p-client     verified  -         -         -
tunnelled-p2p-client  verified  -         -         -
native-unmanaged      -         -         -         verified
native-p2p            verified  -         -         verified
tunnelled-p2p         verified  -         -         verified

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
CELLS: dict[str, dict[str, list[tuple[str, bool, str | None]]]] = {
    "original": {
        "native-direct":    [("qemu", True, "verified"), ("vbox", True, "verified"),
                             ("vmware", True, "verified"), ("xen", True, "document")],
        "native-unmanaged": [("qemu", False, None), ("vbox", False, None),
                             ("vmware", False, None), ("xen", True, "document")],
    },
    "current": {
        "native-unmanaged": [("qemu", False, None), ("vbox", False, None),
                             ("vmware", False, None), ("xen", True, "verified")],
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
            ["supported", "source", "tested"]
        ] * 4
        assert {cell["tested"] for cell in scenario["drivers"].values()} == {None}
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


# --- what the conformance kit saw ----------------------------------------------------------------

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"

# fmt: off
# A cell of one result: planned, ran; then the word beside the claim.
WORDS = [
    # version  planned  ran      word
    ("0.1.0",  PASSED,  PASSED,  "verified, ran"),
    ("0.1.0",  None,    PASSED,  "verified, ran"),
    ("0.1.0",  PASSED,  SKIPPED, "verified, planned"),
    ("0.1.0",  PASSED,  None,    "verified, planned"),
    ("0.1.0",  FAILED,  PASSED,  "verified, FAILED"),
    ("0.1.0",  PASSED,  FAILED,  "verified, FAILED"),
    ("0.1.0",  SKIPPED, SKIPPED, "verified"),
    ("0.0.9",  PASSED,  FAILED,  "verified, stale"),
    (None,     PASSED,  PASSED,  "verified, stale"),
]

# Of two results the worse counts, else the one that shows more.
TWO = [
    # one                          another                       word
    (("0.1.0", PASSED, None),      ("0.1.0", None, PASSED),      "verified, ran"),
    (("0.1.0", PASSED, PASSED),    ("0.1.0", FAILED, None),      "verified, FAILED"),
    (("0.0.9", FAILED, FAILED),    ("0.1.0", PASSED, None),      "verified, planned"),
    (("0.1.0", SKIPPED, SKIPPED),  ("0.0.9", PASSED, None),      "verified, stale"),
]

# Files that are no results.
NO_RESULTS = [
    # text                                     what is wrong
    ("",                                       ("it is not JSON: Expecting value: line 1 column 1"
                                                " (char 0)")),
    ("[]",                                     ("its schema is 'list', not"
                                                " 'migrate-plugins/conformance/1'")),
    ('{"schema": "migrate-plugins/plan/1"}',   ("its schema is 'migrate-plugins/plan/1', not"
                                                " 'migrate-plugins/conformance/1'")),
    ('{"schema": "migrate-plugins/conformance/1"}', "it is damaged: KeyError: 'plugins'"),
    ('{"schema": "migrate-plugins/conformance/1", "plugins": [1]}',
     "it is damaged: TypeError: 'int' object is not subscriptable"),
]
# fmt: on

WRITE = "`pytest --conformance-report FILE` writes one"


def _result(
    path: Path, version: str | None, planned: str | None, ran: str | None, **more: str
) -> Path:
    """Write a result for QEMU's native-direct in the revision original."""
    cell = {"planned": planned, "ran": ran, "reason": more.get("reason")}
    plugin = {
        "name": more.get("name", "qemu"),
        "kind": more.get("kind", "driver"),
        "version": version,
        "scenarios": {more.get("revision", "original"): {"native-direct": cell}},
    }
    told = {"schema": "migrate-plugins/conformance/1", "plugins": [plugin]}
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


def _qemu(call: Call, *argv: str | Path) -> str:
    """Read QEMU's cell of native-direct from the Markdown."""
    status, out, err = call("matrix", "--markdown", *map(str, argv))
    assert (status, err) == (ExitCode.DONE, "")
    (line,) = [line for line in out.splitlines() if line.startswith("| native-direct |")]
    return line.split(" | ")[1]


@pytest.mark.parametrize(("version", "planned", "ran", "word"), WORDS)
def test_claim_has_beside_it_what_the_kit_saw(
    call: Call, tmp_path: Path, version: str | None, planned: str | None, ran: str | None, word: str
) -> None:
    file = _result(tmp_path / "result.json", version, planned, ran)

    assert _qemu(call, "--results", file) == word


@pytest.mark.parametrize(("one", "another", "word"), TWO)
def test_two_results_are_brought_together(
    call: Call,
    tmp_path: Path,
    one: tuple[str, str | None, str | None],
    another: tuple[str, str | None, str | None],
    word: str,
) -> None:
    first, second = _result(tmp_path / "1", *one), _result(tmp_path / "2", *another)

    assert _qemu(call, "--results", first, "--results", second) == word
    assert _qemu(call, "--results", second, "--results", first) == word


@pytest.mark.parametrize("more", [{"revision": "current"}, {"kind": "policy"}, {"name": "hyperv"}])
def test_result_of_something_else_changes_nothing(
    call: Call, tmp_path: Path, more: dict[str, str]
) -> None:
    file = _result(tmp_path / "result.json", "0.1.0", FAILED, FAILED, **more)

    assert _qemu(call, "--results", file) == "verified"


def test_result_for_what_is_not_offered_adds_no_claim(call: Call, tmp_path: Path) -> None:
    file = _result(tmp_path / "result.json", "0.1.0", SKIPPED, SKIPPED)
    file.write_text(file.read_text().replace("native-direct", "native-unmanaged"))

    assert call("matrix", "--markdown", "--results", str(file)) == (ExitCode.DONE, MARKDOWN, "")


def test_text_says_below_what_failed_and_what_is_stale(call: Call, tmp_path: Path) -> None:
    failed = _result(tmp_path / "1", "0.1.0", FAILED, None, reason="it plans nothing")
    stale = _result(tmp_path / "2", "0.0.9", PASSED, PASSED, name="xen")

    status, out, err = call("matrix", "--results", str(failed), "--results", str(stale))

    assert (status, err) == (ExitCode.DONE, "")
    assert out.splitlines()[1].split("  ")[0] == "native-direct"
    assert out.splitlines()[-2:] == [
        f"stale: {stale} tells of xen 0.0.9, and 0.1.0 is installed; {WRITE}",
        "FAILED: qemu, native-direct: it plans nothing",
    ]


def test_json_has_the_result_as_it_is(call: Call, tmp_path: Path) -> None:
    file = _result(tmp_path / "result.json", "0.0.9", PASSED, SKIPPED, reason="no hosts given")

    _, out, _ = call("matrix", "--json", "--results", str(file))

    (scenario,) = [each for each in json.loads(out)["scenarios"] if each["id"] == "native-direct"]
    assert scenario["drivers"]["qemu"]["tested"] == {
        "planned": "passed",
        "ran": "skipped",
        "reason": "no hosts given",
        "version": "0.0.9",
        "stale": True,
        "file": str(file),
    }
    assert scenario["drivers"]["xen"]["tested"] is None


@pytest.mark.parametrize(("text", "wrong"), NO_RESULTS)
def test_file_that_is_no_result_is_a_usage_error(
    call: Call, tmp_path: Path, text: str, wrong: str
) -> None:
    file = tmp_path / "result.json"
    file.write_text(text, encoding="utf-8")

    said = call("matrix", "--results", str(file))

    assert said == (ExitCode.USAGE, "", f"--results {file}: {wrong}; {WRITE}\n")


def test_file_that_is_not_there_is_a_usage_error(call: Call, tmp_path: Path) -> None:
    said = call("matrix", "--results", str(tmp_path / "result.json"))

    assert said == (
        ExitCode.USAGE,
        "",
        f"--results {tmp_path}/result.json: No such file or directory; {WRITE}\n",
    )
