"""``migrate-plugins matrix``: which driver offers which scenario, and what the claim rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from migrate_plugins import SCENARIOS, ExitCode, PluginFailedError, Revision, UsageError
from migrate_plugins.cli.output import table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from migrate_plugins import Driver, Offer, Registry
    from migrate_plugins.cli.output import Output

__all__ = ["Tested", "configure", "markdown", "run"]

_RESULTS: Final = "migrate-plugins/conformance/1"
_WRITE: Final = "`pytest --conformance-report FILE` writes one"


class Tested(NamedTuple):
    """What the conformance kit saw of one scenario with one driver.

    Attributes:
        planned: ``passed``, ``failed`` or ``skipped``; None where nothing was tried.
        ran: Likewise.
        reason: Why it is not all passed, or None.
        version: Of the driver that was tried.
        stale: Whether another version is installed.
        file: Where it was read.
    """

    planned: str | None
    ran: str | None
    reason: str | None
    version: str | None
    stale: bool
    file: str

    @property
    def word(self) -> str:
        """What a reader of the matrix wants to know."""
        if self.stale:
            return "stale"
        if "failed" in {self.planned, self.ran}:
            return "FAILED"
        if self.ran == "passed":
            return "ran"
        return "planned" if self.planned == "passed" else ""


# Of several results the worst counts, and of those that are no worse what shows the most.
_RANK: Final = ("FAILED", "ran", "planned", "stale", "")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--revision", choices=[*Revision], default=Revision.ORIGINAL, help="rules to go by"
    )
    parser.add_argument(
        "--results",
        action="append",
        default=[],
        metavar="FILE",
        help="show beside each claim what the conformance kit saw, as `pytest"
        " --conformance-report FILE` wrote it; can be given several times",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for programs")
    form.add_argument("--markdown", action="store_true", help="for documents")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Show it."""
    revision = Revision(arguments.revision)
    arguments.invocation.forgive()
    registry = arguments.invocation.migrator.registry
    drivers = dict(_answering(registry.drivers, revision, output))
    tested = _read(arguments.results, registry, revision)
    if arguments.json:
        output.json(
            "matrix", {"revision": revision.value, "scenarios": _json(drivers, revision, tested)}
        )
    elif arguments.markdown:
        output.text(markdown(drivers, revision, tested))
    else:
        header, *lines = table([("SCENARIO", *drivers), *_cells(drivers, revision, tested)])
        output.text(output.style(header, "bold"))
        for line in lines:
            output.text(line)
        output.text()
        output.text(
            f"revision {revision}; a claim rests on the document, on code that was read, or on a"
            " migration that was run (verified)"
        )
        for line in _remarks(tested, registry):
            output.text(line)
    return ExitCode.DONE


def _answering(
    drivers: Mapping[str, Driver], revision: Revision, output: Output
) -> Iterator[tuple[str, Driver]]:
    """Leave out, and name, each driver that cannot say what it offers."""
    for name, driver in drivers.items():
        try:
            driver.capabilities(revision)
        except PluginFailedError as error:
            output.warn(error)
        else:
            yield name, driver


def markdown(
    drivers: Mapping[str, Driver],
    revision: Revision,
    tested: Mapping[tuple[str, str], Tested] | None = None,
) -> str:
    """Give the matrix as a Markdown table."""
    rows = [("Scenario", *drivers), *_cells(drivers, revision, tested or {})]
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])


def _cells(
    drivers: Mapping[str, Driver],
    revision: Revision,
    tested: Mapping[tuple[str, str], Tested],
) -> list[tuple[str, ...]]:
    return [
        (
            id_,
            *(
                _cell(driver.capabilities(revision).offers.get(id_), tested.get((name, id_)))
                for name, driver in drivers.items()
            ),
        )
        for id_ in SCENARIOS
    ]


def _cell(offer: Offer | None, tested: Tested | None) -> str:
    if offer is None:
        return "-"
    words = (offer.claim.basis.value, "" if tested is None else tested.word)
    return ", ".join(filter(None, words))


def _json(
    drivers: Mapping[str, Driver],
    revision: Revision,
    tested: Mapping[tuple[str, str], Tested],
) -> list[dict[str, Any]]:
    return [
        {
            "id": scenario.id,
            "title": scenario.title,
            "drivers": {
                name: _support(
                    driver.capabilities(revision).offers.get(scenario.id),
                    tested.get((name, scenario.id)),
                )
                for name, driver in drivers.items()
            },
        }
        for scenario in SCENARIOS.values()
    ]


def _support(offer: Offer | None, tested: Tested | None) -> dict[str, Any]:
    return {
        "supported": offer is not None,
        "source": offer and offer.claim._asdict(),
        "tested": tested and tested._asdict(),
    }


def _remarks(tested: Mapping[tuple[str, str], Tested], registry: Registry) -> Iterator[str]:
    """Say below the matrix what its words leave open."""
    versions = _versions(registry)
    stale = {(name, seen.version, seen.file) for (name, _), seen in tested.items() if seen.stale}
    for name, version, file in sorted(stale, key=str):
        yield (
            f"stale: {file} tells of {name} {version}, and {versions[name]} is installed; {_WRITE}"
        )
    for (name, scenario), seen in tested.items():
        if seen.word == "FAILED":
            yield f"FAILED: {name}, {scenario}: {seen.reason}"


def _read(
    files: Sequence[str], registry: Registry, revision: Revision
) -> dict[tuple[str, str], Tested]:
    """Read what the conformance kit saw, by driver and scenario.

    Raises:
        UsageError: A file is no result of the kit.
    """
    versions = _versions(registry)
    found: dict[tuple[str, str], Tested] = {}
    for file in files:
        for name, scenario, seen in _results(file, revision, versions):
            before = found.get((name, scenario))
            if before is None or _RANK.index(seen.word) < _RANK.index(before.word):
                found[name, scenario] = seen
    return found


def _results(
    file: str, revision: Revision, versions: Mapping[str, str]
) -> Iterable[tuple[str, str, Tested]]:
    """Read one file."""
    from json import JSONDecodeError, loads  # noqa: PLC0415 - most calls read no results
    from pathlib import Path  # noqa: PLC0415

    try:
        told = loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--results {file}: {error.strerror}; {_WRITE}") from error
    except (JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--results {file}: it is not JSON: {error}; {_WRITE}") from error
    schema = told.get("schema") if isinstance(told, dict) else type(told).__name__
    if schema != _RESULTS:
        raise UsageError(f"--results {file}: its schema is {schema!r}, not {_RESULTS!r}; {_WRITE}")
    try:
        return [
            (
                plugin["name"],
                scenario,
                Tested(
                    cell["planned"],
                    cell["ran"],
                    cell["reason"],
                    plugin["version"],
                    plugin["version"] != versions[plugin["name"]],
                    file,
                ),
            )
            for plugin in told["plugins"]
            if plugin["kind"] == "driver" and plugin["name"] in versions
            for scenario, cell in plugin["scenarios"].get(revision.value, {}).items()
        ]
    except (LookupError, TypeError, AttributeError) as error:
        raise UsageError(
            f"--results {file}: it is damaged: {type(error).__name__}: {error}; {_WRITE}"
        ) from error


def _versions(registry: Registry) -> dict[str, str]:
    """Give the version of each driver's distribution."""
    return {
        plugin.point.name: plugin.point.version
        for plugin in registry.plugins
        if plugin.driver is not None
    }
