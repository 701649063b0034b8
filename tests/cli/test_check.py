"""What people and programs read of a check, and which findings they may choose."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from migrate_plugins import ExitCode
from migrate_plugins.checks.kinds import KINDS

if TYPE_CHECKING:
    from cli.conftest import Call, Spawn

XEN = ("check", "web1", "xen+ssh://b/", "-c", "xen+ssh://a/")
# The guest is not there, which is an error.
MEMORY = ("check", "absent", "memory://beta/", "-c", "memory://alpha/", "--driver", "memory")

# fmt: off
# Options, and the lines that close the text.
CLOSINGS = [
    ((),
     ["4 warnings, 3 notes", "ready: nothing blocks this migration where it was looked"]),
    (("--live",),
     ["4 warnings, 3 notes", "ready: nothing blocks this migration where it was looked"]),
    (("--live", "--accept", "xend-gone=we have it"),
     ["4 warnings, 3 notes, 1 accepted",
      "ready: nothing blocks this migration where it was looked"]),
    (("--live", "--skip", "xend-gone,data-plain-text", "--skip", " revisions-disagree "),
     ["not looked for: data-plain-text, revisions-disagree, xend-gone", "2 warnings, 2 notes",
      "ready: nothing blocks this migration where it was looked"]),
]
# fmt: on


@pytest.mark.parametrize(("options", "closing"), CLOSINGS)
def test_text_closes_with_what_it_comes_to(
    call_planner: Call, options: tuple[str, ...], closing: list[str]
) -> None:
    status, out, err = call_planner(*XEN, *options)

    assert (status, err) == (ExitCode.DONE, "")
    assert out.splitlines()[-len(closing) :] == closing


def test_gravest_stand_first(spawn: Spawn) -> None:
    status, out, _ = spawn(*MEMORY)

    words = [line.split()[0] for line in out.splitlines() if line[:3].strip() and line[:2] == "  "]
    order = [word for word in words if word in {"error", "warning", "info"}]
    assert status == ExitCode.BLOCKED
    assert order == sorted(order, key=["error", "warning", "info"].index)
    assert set(order) == {"error", "warning", "info"}
    assert out.splitlines()[-1] == "blocked: mend or accept the errors above"


def test_many_kinds_left_out_are_counted_and_programs_get_each(call_planner: Call) -> None:
    only = ("--only", "data-plain-text")

    text = call_planner(*XEN, *only).out
    said = json.loads(call_planner(*XEN, *only, "--json").out)

    left_out = len(said["skipped"])
    assert left_out > len(KINDS) / 2
    assert f"not looked for: {left_out} kinds of finding (--json names them)" in text
    assert [each["id"] for each in said["findings"]] == ["data-plain-text", "hosts-not-looked-at"]
    assert set(said["skipped"]).isdisjoint({"data-plain-text", "hosts-not-looked-at"})


def test_unknown_id_names_the_near_one(call: Call) -> None:
    status, out, err = call(*XEN, "--skip", "data-plain-txt")

    assert (status, out) == (ExitCode.USAGE, "")
    assert err == (
        "there is no finding 'data-plain-txt'; it may mean data-plain-text;"
        " `migrate-plugins list --findings` names them all\n"
    )


def test_every_kind_is_listed(call: Call) -> None:
    said = json.loads(call("list", "--findings", "--json").out)
    lines = call("list", "--findings").out.splitlines()

    ids = [each["id"] for each in said["findings"]]
    assert said["schema"] == "migrate-plugins/findings/1"
    assert [list(each) for each in said["findings"]] == [["id", "severity", "summary"]] * len(ids)
    assert ids[: len(KINDS)] == [kind.id for kind in KINDS]
    assert {"peer2peer-unreachable", "xend-gone", "vcenter-missing", "version-differs"} < {*ids}
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ids


@pytest.mark.parametrize("option", ["--no-load", "--hook=migrate_checks"])
def test_kinds_are_no_plugins(call: Call, option: str) -> None:
    assert call("list", "--findings", option).status == ExitCode.USAGE
