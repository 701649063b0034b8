"""``migrate-plugins check``: every finding on both hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import ExitCode
from migrate_plugins.cli.request import accepted, add_accept, add_request, planned

if TYPE_CHECKING:
    import argparse

    from migrate_plugins.cli.output import Output

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_request(parser)
    add_accept(parser)
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Look at both hosts, changing nothing."""
    migrator = arguments.invocation.migrator
    report = migrator.check(planned(arguments, output), accept=accepted(arguments))
    blocked = any(finding.blocks for finding in report.findings)
    if arguments.json:
        output.json("check", report.to_json())
    else:
        output.findings(report.findings)
        if blocked:
            output.text(output.style("blocked", "red") + ": mend or accept the errors above")
        else:
            output.text(output.style("ready", "green") + ": nothing blocks this migration")
    return ExitCode.BLOCKED if blocked else ExitCode.DONE
