"""What people and programs read; the one module that prints."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import StringIO, TextIOWrapper
from typing import TYPE_CHECKING, Any, Final, TextIO

from migrate_plugins import (
    BlockedError,
    ConfigError,
    ConnectError,
    MigrateError,
    PlanError,
    Severity,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from migrate_plugins import Diagnosis, Finding, Step

__all__ = ["Output", "table", "wrap"]

_STYLES: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34"}
_SEVERITIES: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
_WIDEST: Final = 120
# Characters of a value in a trace.
_LONGEST: Final = 400


class Output:
    """Standard output and standard error, with colour where a person reads."""

    def __init__(self, *, json: bool = False, stdout: TextIO | None = None) -> None:
        """Print JSON errors where *json* is asked for, and all else on :attr:`stream`."""
        self._json = json
        # None where whoever started us has closed it.
        self.stream = stdout or sys.stdout or StringIO()
        if isinstance(self.stream, TextIOWrapper):
            self.stream.reconfigure(errors="backslashreplace")
        self._coloured = _coloured(self.stream)
        self._asked = ""

    @property
    def interactive(self) -> bool:
        """Whether a person looks at a terminal."""
        return self.stream.isatty()

    @property
    def width(self) -> int:
        """Columns to fill."""
        try:
            return min(os.get_terminal_size(self.stream.fileno()).columns, _WIDEST)
        except (OSError, ValueError):
            return _WIDEST

    def style(self, text: str, *styles: str) -> str:
        """Give *text* in colour, where colour is wanted."""
        if not self._coloured or not styles:
            return text
        codes = ";".join(_STYLES[style] for style in styles)
        return f"\033[{codes}m{text}\033[0m"

    def text(self, text: str = "") -> None:
        """Print lines for people."""
        print(text, file=self.stream, flush=True)

    def json(self, command: str, payload: Mapping[str, Any]) -> None:
        """Print one object for programs, with its schema."""
        from json import dumps  # noqa: PLC0415 - people's output needs none

        payload = {"schema": f"migrate-plugins/{command}/1", **payload}
        print(dumps(payload, indent=2), file=self.stream, flush=True)

    def line(self, payload: Mapping[str, Any]) -> None:
        """Print one object on one line."""
        from json import dumps  # noqa: PLC0415 - people's output needs none

        print(dumps(payload), file=self.stream, flush=True)

    def findings(self, findings: Iterable[Finding]) -> None:
        """Print findings, each with what mends it."""
        for finding in findings:
            label = self.style(finding.severity.value, _SEVERITIES[finding.severity])
            where = f" [{finding.host}]" if finding.host else ""
            self.text(f"  {label} {self.style(finding.id, 'bold')}{where}")
            self._indented(finding.text)
            if finding.seen is not None:
                expected = f", expected: {finding.expected}" if finding.expected else ""
                self._indented(f"seen: {finding.seen}{expected}")
            if finding.remedy is not None:
                # In one piece however long: it may be a command, to be typed as it is.
                self.text(f"      remedy: {finding.remedy}")
            if finding.accepted is not None:
                self._indented(f"accepted: {finding.accepted}")

    def error(self, error: MigrateError | str, diagnoses: Sequence[Diagnosis] = ()) -> None:
        """Print an error that ends the command, and what it may mean.

        With JSON asked for, as an object too.
        """
        self.warn(error)
        if diagnoses:
            from migrate_plugins.cli.diagnoses import describe  # noqa: PLC0415 - most know it

            for line in describe(diagnoses, self):
                self._complain(line)
        if self._json and isinstance(error, MigrateError):
            self.json("error", _error(error, diagnoses))  # last: nobody may read it

    def warn(self, error: MigrateError | str) -> None:
        """Print an error on standard error, and let the command go on."""
        if isinstance(error, (ConfigError, PlanError)):
            self._complain(
                f"{error.path}:"
                if isinstance(error, ConfigError)
                else "this migration cannot be planned:"
            )
            for reason in error.reasons:
                self._complain(f"  {reason.id}: {reason.text}")
                self._complain(f"      {reason.instead}")
        elif isinstance(error, BlockedError):
            self._complain("the checks found what blocks this migration:")
            for finding in error.findings:
                self._complain(f"  {finding.id}: {finding.text}")
                if finding.remedy:
                    self._complain(f"      {finding.remedy}")
            self._complain("nothing was started: the guest is where it was")
        else:
            self._complain(str(error))

    def step(self, step: Step) -> None:
        """Print a plugin's part in an answer, on standard error; what was asked only once."""
        asked = f"trace {step.hook}({_cut(step.arguments)})"
        if asked != self._asked:
            self._complain(asked)
        self._asked = asked
        kind = {None: "", True: " wraps it and changed that", False: " wraps it"}[step.changed]
        self._complain(f"    {step.microseconds:6} µs  {step.plugin}{kind}: {_cut(step.answer)}")

    def note(self, text: str) -> None:
        """Print a remark on standard error."""
        self._complain(text)

    def abandon(self, text: str) -> None:
        """Print a last remark where the process ends at once, whatever is being printed."""
        if self.interactive:
            os.write(self.stream.fileno(), b"\033[?25h\n")  # a bar has hidden the cursor
        os.write(2, f"{text}\n".encode(errors="backslashreplace"))

    def _indented(self, text: str) -> None:
        for line in wrap(text, self.width - 6):
            self.text(f"      {line}")

    @staticmethod
    def _complain(text: str) -> None:
        with suppress(OSError):  # nobody reads it any more: the exit status still tells the truth
            print(text, file=sys.stderr, flush=True)


def _cut(text: str) -> str:
    """Keep a line of a trace readable."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Line up columns; the last one may be of any length."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def wrap(text: str, width: int) -> list[str]:
    """Break *text* between words; a word that is too long stands alone."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return lines


def _coloured(stream: TextIO) -> bool:
    """Decide as https://no-color.org asks."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (
        stream.isatty() and os.environ.get("TERM") != "dumb"
    )


def _error(error: MigrateError, diagnoses: Iterable[Diagnosis]) -> dict[str, Any]:
    """Give an error's facts as JSON's own types."""
    facts: dict[str, Any] = {
        "kind": type(error).__name__,
        "text": str(error),
        "exit_code": int(error.exit_code),
    }
    if isinstance(error, (ConfigError, PlanError)):
        facts["reasons"] = [reason._asdict() for reason in error.reasons]
    if isinstance(error, BlockedError):
        facts["findings"] = [finding._asdict() for finding in error.findings]
    if isinstance(error, ConnectError):
        facts["diagnoses"] = [diagnosis.to_json() for diagnosis in diagnoses]
    return facts
