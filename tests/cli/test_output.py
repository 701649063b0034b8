from __future__ import annotations

import io
import json

import pytest

from migrate_plugins import (
    BlockedError,
    Finding,
    PlanError,
    Reason,
    Severity,
    UsageError,
)
from migrate_plugins.cli.output import Output, table, wrap

# fmt: off
# text, width, lines
WRAPPED = [
    ("",                        10, [""]),
    ("one",                     10, ["one"]),
    ("one two",                  7, ["one two"]),
    ("one two",                  6, ["one", "two"]),
    ("one two three four",       9, ["one two", "three", "four"]),
    ("a qemu+ssh://desthost b",  5, ["a", "qemu+ssh://desthost", "b"]),
    ("qemu+ssh://desthost",      5, ["qemu+ssh://desthost"]),
    ("one two",                  0, ["one", "two"]),
    ("one two",                 -6, ["one", "two"]),
]

# rows, lines
TABLES = [
    ([("A",)],                                     ["A"]),
    ([("NAME", "X"), ("a", "long one")],           ["NAME  X", "a     long one"]),
    ([("a", "b"), ("ccc", "")],                    ["a    b", "ccc"]),
    ([("before", "", "after"), ("x", "→", "y")],   ["before     after", "x       →  y"]),
]

# finding, lines
FINDINGS = [
    (Finding("name-taken", Severity.ERROR, "beta", "beta has another one", "u1", "u2", "--dname N"),
     ["  error name-taken [beta]",
      "      beta has another one",
      "      seen: u1, expected: u2",
      "      remedy: --dname N"]),
    (Finding("name-taken", Severity.ERROR, "beta", "it is", "u1", None, None, "known"),
     ["  error name-taken [beta]",
      "      it is",
      "      seen: u1",
      "      accepted: known"]),
    (Finding("data-plain-text", Severity.WARNING, None, "word " * 30 + "end"),
     ["  warning data-plain-text",
      "      " + "word " * 22 + "word",
      "      " + "word " * 7 + "end"]),
    (Finding("a-hint", Severity.INFO, None, "text", expected="not printed alone"),
     ["  info a-hint",
      "      text"]),
]
# fmt: on


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def coloured(monkeypatch: pytest.MonkeyPatch, plain: None) -> None:  # noqa: ARG001 - its order
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")


@pytest.mark.parametrize(("text", "width", "lines"), WRAPPED)
def test_wrap_breaks_between_words(text: str, width: int, lines: list[str]) -> None:
    assert wrap(text, width) == lines


@pytest.mark.parametrize(("rows", "lines"), TABLES)
def test_table_lines_up_columns(rows: list[tuple[str, ...]], lines: list[str]) -> None:
    assert table(rows) == lines


def test_table_refuses_rows_of_different_length() -> None:
    with pytest.raises(ValueError, match="argument 2 is"):
        table([("a", "b"), ("c",)])


@pytest.mark.parametrize(("finding", "lines"), FINDINGS)
def test_finding_is_printed_with_what_mends_it(finding: Finding, lines: list[str]) -> None:
    stdout = io.StringIO()

    Output(stdout=stdout).findings([finding])

    assert stdout.getvalue().splitlines() == lines


@pytest.mark.usefixtures("coloured")
def test_colour_names_become_codes() -> None:
    output = Output(stdout=io.StringIO())

    assert output.style("x", "bold") == "\033[1mx\033[0m"
    assert output.style("x", "bold", "red") == "\033[1;31mx\033[0m"
    assert output.style("x") == "x"


@pytest.mark.usefixtures("coloured")
def test_severity_has_its_colour() -> None:
    stdout = io.StringIO()

    Output(stdout=stdout).findings(
        [Finding(str(severity), severity, None, "t") for severity in Severity]
    )

    assert stdout.getvalue().splitlines()[::2] == [
        "  \033[31merror\033[0m \033[1merror\033[0m",
        "  \033[33mwarning\033[0m \033[1mwarning\033[0m",
        "  \033[34minfo\033[0m \033[1minfo\033[0m",
    ]


def test_everything_is_plain_where_nobody_looks() -> None:
    output = Output(stdout=io.StringIO())

    assert output.style("x", "bold") == "x"
    assert not output.interactive
    assert output.width == 120


def test_json_goes_where_text_goes_with_its_schema_first() -> None:
    stdout = io.StringIO()

    Output(json=True, stdout=stdout).json("list", {"drivers": []})

    assert stdout.getvalue() == '{\n  "schema": "migrate-plugins/list/1",\n  "drivers": []\n}\n'


def test_line_is_one_object_on_one_line() -> None:
    stdout = io.StringIO()

    Output(stdout=stdout).line({"a": {"b": None}})

    assert stdout.getvalue() == '{"a": {"b": null}}\n'


def test_error_for_people_is_on_standard_error_alone(capsys: pytest.CaptureFixture[str]) -> None:
    stdout = io.StringIO()

    Output(stdout=stdout).error(UsageError("no such thing"))

    printed = capsys.readouterr()
    assert (stdout.getvalue(), printed.out, printed.err) == ("", "", "no such thing\n")


def test_error_that_is_only_text_is_no_object(capsys: pytest.CaptureFixture[str]) -> None:
    stdout = io.StringIO()

    Output(json=True, stdout=stdout).error("interrupted")

    printed = capsys.readouterr()
    assert (stdout.getvalue(), printed.out, printed.err) == ("", "", "interrupted\n")


def test_refusal_is_a_line_for_each_reason_and_one_for_what_would_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stdout = io.StringIO()
    error = PlanError([Reason("one", "it is wrong", "do this"), Reason("two", "so is that", "do")])

    Output(stdout=stdout).error(error)

    assert capsys.readouterr().err.splitlines() == [
        "this migration cannot be planned:",
        "  one: it is wrong",
        "      do this",
        "  two: so is that",
        "      do",
    ]


def test_what_blocks_is_a_line_for_each_finding_and_one_for_its_remedy(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stdout = io.StringIO()
    findings = [
        Finding("one", Severity.ERROR, "beta", "it is wrong", remedy="do this"),
        Finding("two", Severity.ERROR, None, "nothing mends it"),
    ]

    Output(json=True, stdout=stdout).error(BlockedError(findings))

    assert capsys.readouterr().err.splitlines() == [
        "the checks found what blocks this migration:",
        "  one: it is wrong",
        "      do this",
        "  two: nothing mends it",
        "nothing was started: the guest is where it was",
    ]
    said = json.loads(stdout.getvalue())
    assert said == {
        "schema": "migrate-plugins/error/1",
        "kind": "BlockedError",
        "text": "the checks found what blocks this migration: one: it is wrong | two: nothing mends"
        " it",
        "exit_code": 3,
        "findings": [
            {
                "id": "one",
                "severity": "error",
                "host": "beta",
                "text": "it is wrong",
                "seen": None,
                "expected": None,
                "remedy": "do this",
                "accepted": None,
                "acceptable": True,
            },
            {
                "id": "two",
                "severity": "error",
                "host": None,
                "text": "nothing mends it",
                "seen": None,
                "expected": None,
                "remedy": None,
                "accepted": None,
                "acceptable": True,
            },
        ],
    }
