"""``migrate-plugins history``: the migrations that were recorded, and one of them in full."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from migrate_plugins import ExitCode, UsageError
from migrate_plugins.cli.chronicle import chronicle, lines, standing

if TYPE_CHECKING:
    from migrate_plugins import Journal, Record
    from migrate_plugins.cli.output import Output

__all__ = ["configure", "run"]

_LIMIT: Final = 20
# Columns of a line where nobody looks at a terminal.
_COLUMNS: Final = 80
_STYLES: Final = {"in doubt": "red", "under way": "blue"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("action", nargs="?", choices=["show"], help="show: one of them in full")
    parser.add_argument("id", metavar="ID", nargs="?", type=int, help="its number, with show")
    parser.add_argument("--guest", metavar="GUEST", help="only of this guest")
    parser.add_argument(
        "--limit", metavar="N", type=_count, help=f"at most so many (default: {_LIMIT})"
    )
    parser.add_argument("--html", metavar="FILE", help="with show: write it as a page, with plots")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """List or show."""
    journal: Journal | None = arguments.invocation.migrator.journal
    if journal is None:
        raise UsageError("no journal is kept, so there is no history")
    if arguments.action == "show":
        return _show(arguments, journal, output)
    if arguments.html is not None:
        raise UsageError("--html writes one migration; give `history show ID --html FILE`")
    limit = arguments.limit or _LIMIT
    # One more than is shown: to know whether there are more.
    records = journal.records(guest=arguments.guest, limit=limit + 1)
    shown = records[:limit]
    if arguments.json:
        output.json("history", {"records": [record.summary() for record in shown]})
        return ExitCode.DONE
    if not shown:
        of = f" of {arguments.guest}" if arguments.guest is not None else ""
        output.text(f"no migration{of} is recorded in {journal.place}")
        return ExitCode.DONE
    _list(shown, output)
    if len(records) > limit:
        output.text(output.style(f"there are older ones: --limit {limit * 5} lists more", "dim"))
    doubtful = [record for record in shown if record.in_doubt and not record.alive]
    if doubtful:
        output.text(
            "in doubt: `migrate-plugins reconcile` finds out where"
            f" {'that guest is' if len(doubtful) == 1 else 'those guests are'}"
        )
    return ExitCode.DONE


def _show(arguments: argparse.Namespace, journal: Journal, output: Output) -> int:
    if arguments.id is None:
        raise UsageError("`history show` takes the number of a migration; `history` lists them")
    for name in ("guest", "limit"):
        if getattr(arguments, name) is not None:
            raise UsageError(f"--{name} chooses among migrations, and `history show` takes one")
    record = journal.record(arguments.id)
    if arguments.html is not None:
        from migrate_plugins.cli.page import page  # noqa: PLC0415 - seldom asked for

        try:
            with open(arguments.html, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib doubles the start-up time
                file.write(page(record))
        except OSError as error:
            raise UsageError(
                f"cannot write the page to {arguments.html!r}: {error.strerror}"
            ) from error
    if arguments.json:
        output.json("history-show", record.to_json())
    elif arguments.html is not None:
        output.text(f"written to {arguments.html}")
    else:
        chronicle(record, output)
    return ExitCode.DONE


def _list(records: list[Record], output: Output) -> None:
    header, *rest = lines(records, output.width if output.interactive else _COLUMNS)
    output.text(output.style(header, "bold"))
    for record, line in zip(records, rest, strict=True):
        word = standing(record)
        open_ = record.in_doubt and not record.alive
        output.text(output.style(line, *filter(None, ["red" if open_ else _STYLES.get(word)])))


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)
