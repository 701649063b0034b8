"""``migrate-plugins matrix``: which driver offers which scenario, and what the claim rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migrate_plugins import SCENARIOS, ExitCode, Revision
from migrate_plugins.cli.output import table

if TYPE_CHECKING:
    import argparse

    from migrate_plugins import Driver, Offer
    from migrate_plugins.cli.output import Output

__all__ = ["configure", "markdown", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--revision", choices=[*Revision], default=Revision.ORIGINAL, help="rules to go by"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for programs")
    form.add_argument("--markdown", action="store_true", help="for documents")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Show it."""
    revision = Revision(arguments.revision)
    arguments.invocation.forgive()
    drivers = arguments.invocation.migrator.registry.drivers
    if arguments.json:
        output.json("matrix", {"revision": revision.value, "scenarios": _json(drivers, revision)})
    elif arguments.markdown:
        output.text(markdown(drivers, revision))
    else:
        header, *lines = table([("SCENARIO", *drivers), *_cells(drivers, revision)])
        output.text(output.style(header, "bold"))
        for line in lines:
            output.text(line)
        output.text()
        output.text(
            f"revision {revision}; a claim rests on the document, on code that was read, or on a"
            " migration that was run (verified)"
        )
    return ExitCode.DONE


def markdown(drivers: dict[str, Driver], revision: Revision) -> str:
    """Give the matrix as a Markdown table."""
    rows = [("Scenario", *drivers), *_cells(drivers, revision)]
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])


def _cells(drivers: dict[str, Driver], revision: Revision) -> list[tuple[str, ...]]:
    return [
        (
            id_,
            *(_basis(driver.capabilities(revision).offers.get(id_)) for driver in drivers.values()),
        )
        for id_ in SCENARIOS
    ]


def _basis(offer: Offer | None) -> str:
    return "-" if offer is None else offer.claim.basis.value


def _json(drivers: dict[str, Driver], revision: Revision) -> list[dict[str, Any]]:
    return [
        {
            "id": scenario.id,
            "title": scenario.title,
            "drivers": {
                name: _support(driver.capabilities(revision).offers.get(scenario.id))
                for name, driver in drivers.items()
            },
        }
        for scenario in SCENARIOS.values()
    ]


def _support(offer: Offer | None) -> dict[str, Any]:
    if offer is None:
        return {"supported": False, "source": None}
    return {"supported": True, "source": offer.claim._asdict()}
