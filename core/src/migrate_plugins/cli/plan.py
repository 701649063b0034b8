"""``migrate-plugins plan``: everything a migration would do, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate_plugins import ExitCode, UsageError
from migrate_plugins.cli.explain import explain
from migrate_plugins.cli.request import add_request, planned

if TYPE_CHECKING:
    import argparse

    from migrate_plugins.cli.output import Output

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_request(parser)
    parser.add_argument("--diagram", metavar="FILE.svg", help="draw the paths")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Plan, contacting nobody."""
    plan = planned(arguments, output)
    if arguments.diagram is not None:
        from migrate_plugins import draw_diagram  # noqa: PLC0415 - seldom asked for

        try:
            with open(arguments.diagram, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib doubles the start-up time
                file.write(draw_diagram(plan))
        except OSError as error:
            raise UsageError(
                f"cannot write the diagram to {arguments.diagram!r}: {error.strerror}"
            ) from error
    if arguments.json:
        output.json("plan", plan.to_json())
    else:
        explain(plan, output)
    return ExitCode.DONE
