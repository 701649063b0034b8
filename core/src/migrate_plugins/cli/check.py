"""``migrate-plugins check``: every finding on both hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migrate_plugins import ExitCode, Severity
from migrate_plugins.cli.output import wrap
from migrate_plugins.cli.request import accepted, add_accept, add_request, planned

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from migrate_plugins import Report
    from migrate_plugins.cli.output import Output

__all__ = ["configure", "run"]

_GRAVEST_FIRST: Final = (*Severity,)
# How many ids of what was left out are worth a line or two.
_FEW: Final = 8
_KINDS: Final = "; `migrate-plugins list --findings` lists them"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_request(parser)
    add_accept(parser)
    for name, text in (("--only", "look for these findings alone"), ("--skip", "leave these out")):
        parser.add_argument(
            name,
            action="append",
            default=[],
            metavar="ID",
            help=f"{text}, comma separated{_KINDS}",
        )
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Look at both hosts, changing nothing."""
    migrator = arguments.invocation.migrator
    report: Report = migrator.check(
        planned(arguments, output),
        accept=accepted(arguments),
        only=_ids(arguments.only),
        skip=_ids(arguments.skip),
    )
    if arguments.json:
        output.json("check", report.to_json())
    else:
        _tell(report, output)
    return ExitCode.BLOCKED if report.blocked else ExitCode.DONE


def _ids(given: Sequence[str]) -> list[str]:
    return [id_.strip() for text in given for id_ in text.split(",") if id_.strip()]


def _tell(report: Report, output: Output) -> None:
    """Print the findings, the gravest first, and what they come to."""
    for severity in _GRAVEST_FIRST:
        group = [finding for finding in report.findings if finding.severity is severity]
        output.findings(group)
        if group:
            output.text()
    if report.skipped:
        names = ", ".join(report.skipped)
        if len(report.skipped) > _FEW:
            names = f"{len(report.skipped)} kinds of finding (--json names them)"
        for line in wrap(f"not looked for: {names}", output.width):
            output.text(output.style(line, "dim"))
    counts = ", ".join(_counted(report))
    if counts:
        output.text(counts)
    if report.blocked:
        output.text(output.style("blocked", "red") + ": mend or accept the errors above")
    else:
        where = " where it was looked" if report.skipped or report.facts is None else ""
        output.text(output.style("ready", "green") + f": nothing blocks this migration{where}")


def _counted(report: Report) -> Iterator[str]:
    """Count what was found, in words."""
    counts = report.counts()
    for name, word in (("error", "error"), ("warning", "warning"), ("info", "note")):
        if counts[name]:
            yield f"{counts[name]} {word}{'' if counts[name] == 1 else 's'}"
    for name, word in (("accepted", "accepted"), ("unknown", "not known")):
        if counts[name]:
            yield f"{counts[name]} {word}"
