"""The tree of errors: its picture, its exit codes, its facts and its sentences."""

from __future__ import annotations

import inspect
import pickle
import re
from typing import Any

import pytest

from migrate_plugins import (
    AuthenticationError,
    BlockedError,
    ConfigError,
    ConnectError,
    DriverError,
    ExitCode,
    Finding,
    InvalidURIError,
    JournalError,
    MigrateError,
    NoAbortError,
    NoDriverError,
    PlanError,
    PlanOnlyError,
    PluginFailedError,
    PluginUnusableError,
    PortHeldError,
    PortsExhaustedError,
    Reason,
    Severity,
    errors,
)

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, MigrateError) and not name.startswith("_")
}

WHAT = Reason("what", "it is wrong", "do it right")
INPUT = Reason("input", "it is mistyped", "type it well", usage=True)
DISK = Finding("disk-local", Severity.ERROR, "alpha", "its disk is local")

# fmt: off
SENTENCES: list[tuple[MigrateError, dict[str, Any], ExitCode, str]] = [
    # error, its facts, exit code, sentence
    (InvalidURIError("x", part="it has no scheme", hint="write one"),
     {"text": "x", "part": "it has no scheme", "hint": "write one"}, ExitCode.USAGE,
     "cannot read the URI 'x': it has no scheme; write one"),
    (PlanError([WHAT]),
     {"reasons": (WHAT,)}, ExitCode.BLOCKED,
     "this migration cannot be planned: it is wrong; do it right"),
    (PlanError(reason for reason in (WHAT, INPUT)),
     {"reasons": (WHAT, INPUT)}, ExitCode.BLOCKED,
     ("this migration cannot be planned: it is wrong; do it right |"
      " it is mistyped; type it well")),
    (PlanError([INPUT]),
     {"reasons": (INPUT,)}, ExitCode.USAGE,
     "this migration cannot be planned: it is mistyped; type it well"),
    (BlockedError([DISK, DISK]),
     {"findings": (DISK, DISK)}, ExitCode.BLOCKED,
     ("the checks found what blocks this migration: disk-local: its disk is local |"
      " disk-local: its disk is local")),
    (PortsExhaustedError("beta", first=1, last=2),
     {"host": "beta", "first": 1, "last": 2}, ExitCode.BLOCKED,
     ("no port is left towards beta: all of 1-2 are taken, by other migrations or by what listens"
      " there; wait for one to end, or widen the range with --port-range")),
    (PlanOnlyError("xen"), {"driver": "xen"}, ExitCode.BLOCKED,
     ("the xen driver plans migrations and does not run them yet;"
      " `migrate-plugins plan` gives the commands of the hypervisor's own tool")),
    (JournalError("/srv/j", doing="written", problem="no space", instead="make some"),
     {"place": "/srv/j", "doing": "written", "problem": "no space", "instead": "make some"},
     ExitCode.BLOCKED,
     "the journal /srv/j cannot be written: no space; make some"),
    (PortHeldError("beta", port=1),
     {"host": "beta", "port": 1}, ExitCode.BLOCKED,
     ("port 1 towards beta is held by another migration; choose another port, or leave it out"
      " and one is chosen")),
    (NoDriverError("x", known=["a", "b"], broken=["c"]),
     {"scheme": "x", "known": ("a", "b"), "broken": ("c",), "disabled": (), "chosen": None},
     ExitCode.PLUGIN,
     ("no installed driver claims x://; there are drivers for a://, b://; c could not be loaded"
      " (see `migrate-plugins list`)")),
    (NoDriverError("x", known=[], broken=[]),
     {"scheme": "x", "known": (), "broken": (), "disabled": (), "chosen": None}, ExitCode.PLUGIN,
     "no installed driver claims x://; there are drivers for no scheme at all"),
    (NoDriverError("x", known=["a"], disabled=["b", "c"]),
     {"scheme": "x", "known": ("a",), "broken": (), "disabled": ("b", "c"), "chosen": None},
     ExitCode.PLUGIN,
     ("no installed driver claims x://; there are drivers for a://; b, c is disabled"
      " (`migrate-plugins enable b c`)")),
    (NoDriverError("x", known=["a"], chosen="d"),
     {"scheme": "x", "known": ("a",), "broken": (), "disabled": (), "chosen": "d"}, ExitCode.PLUGIN,
     "the driver d (--driver) does not claim x://; it claims a://"),
    (PluginUnusableError("p", status="broken", reason="ImportError: no x"),
     {"plugin": "p", "status": "broken", "reason": "ImportError: no x"}, ExitCode.PLUGIN,
     "'p' was asked for and is broken: ImportError: no x"),
    (ConfigError("/etc/c", [WHAT, INPUT]),
     {"path": "/etc/c", "reasons": (WHAT, INPUT)}, ExitCode.USAGE,
     "/etc/c: it is wrong; do it right | it is mistyped; type it well"),
    (PluginFailedError("p", hook="migrate_uri", problem="it raised"),
     {"plugin": "p", "hook": "migrate_uri", "problem": "it raised"}, ExitCode.PLUGIN,
     ("plugin 'p' failed in migrate_uri: it raised; this is a fault of the plugin, please tell"
      " its author; `migrate-plugins disable p` switches it off")),
    (ConnectError("qemu:///system", problem="No route to host", code=38, domain=7),
     {"uri": "qemu:///system", "problem": "No route to host", "code": 38, "domain": 7},
     ExitCode.CONNECT,
     "cannot connect to qemu:///system: No route to host"),
    (AuthenticationError("qemu:///system", problem="no credentials", code=38, domain=7),
     {"uri": "qemu:///system", "problem": "no credentials", "code": 38, "domain": 7},
     ExitCode.CONNECT,
     "cannot connect to qemu:///system: no credentials"),
    (DriverError("migrating web1", problem="refused", code=38, domain=7),
     {"action": "migrating web1", "problem": "refused", "code": 38, "domain": 7}, ExitCode.FAILED,
     "migrating web1 failed: refused"),
    (NoAbortError("cancelling", problem="no", code=38, domain=7),
     {"action": "cancelling", "problem": "no", "code": 38, "domain": 7}, ExitCode.FAILED,
     "cancelling failed: no"),
]
# fmt: on


def _tree() -> list[tuple[str, str, int]]:
    """Read class, parent and exit code from the picture in the module's docstring."""
    found: list[tuple[str, str, int]] = []
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.search(r"[A-Z]\w+Error\b|MigrateError", line)
        code = re.search(r"\s{2,}(\d+)\b", line)
        if match is None or (code is None and "exit code" not in line):
            continue
        above = [(indent, name) for indent, name in above if indent < match.start()]
        parent = above[-1][1] if above else "Exception"
        found.append((match[0], parent, int(code[1]) if code else 1))
        above.append((match.start(), match[0]))
    return found


def test_picture_shows_exactly_the_classes() -> None:
    assert sorted(name for name, _, _ in _tree()) == sorted(CLASSES)


@pytest.mark.parametrize(("name", "parent", "code"), _tree())
def test_picture_shows_parent_and_exit_code(name: str, parent: str, code: int) -> None:
    kind = CLASSES[name]
    parents = [base.__name__ for base in kind.__mro__[1:] if not base.__name__.startswith("_")]

    assert parents[0] == parent
    assert int(kind.exit_code) == code


def test_exit_codes_are_unique_and_those_of_the_design() -> None:
    # Members of one number would be aliases, and those are not listed by iteration.
    assert {name: int(code) for name, code in ExitCode.__members__.items()} == {
        "DONE": 0,
        "FAILED": 1,
        "USAGE": 2,
        "BLOCKED": 3,
        "PLUGIN": 4,
        "CONNECT": 5,
        "NEEDS_PERSON": 6,
        "CANCELLED": 130,
    }
    assert len(list(ExitCode)) == len(ExitCode.__members__)


@pytest.mark.parametrize(("error", "facts", "code", "sentence"), SENTENCES)
def test_facts_and_sentence(
    error: MigrateError, facts: dict[str, Any], code: ExitCode, sentence: str
) -> None:
    assert str(error) == sentence
    assert error.exit_code is code
    assert {name: getattr(error, name) for name in facts} == facts
    assert set(vars(error)) - {"exit_code"} == set(facts)


@pytest.mark.parametrize("error", [error for error, *_ in SENTENCES])
def test_error_reaches_another_process(error: MigrateError) -> None:
    error.add_note("look here")

    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - what we have just written

    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.exit_code is error.exit_code
    assert vars(again) == vars(error)


def test_every_class_is_public() -> None:
    assert sorted([*CLASSES, "ExitCode"]) == errors.__all__


def test_every_class_with_facts_is_in_the_table() -> None:
    # Those of an outcome are in test_outcome.py; UsageError takes its sentence as it is.
    outcomes = {"MigrationFailedError", "NeedsPersonError", "CancelledError"}
    plain = {"MigrateError", "UsageError"}

    assert {type(error).__name__ for error, *_ in SENTENCES} == set(CLASSES) - outcomes - plain
