"""``migrate-plugins reconcile``: where a guest is that nobody saw arrive, and the way back."""

from __future__ import annotations

import argparse
import shlex
import threading
from typing import TYPE_CHECKING, Final

from migrate_plugins import ExitCode, State, UsageError
from migrate_plugins.cli.output import wrap
from migrate_plugins.cli.request import add_way, planned
from migrate_plugins.cli.watch import watching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migrate_plugins import Event, Migrator, Plan, Reconciled, Record
    from migrate_plugins.cli.output import Output

__all__ = ["configure", "run"]

# The worse, the later: several guests end with the worst.
_WORSE: Final = (ExitCode.DONE, ExitCode.FAILED, ExitCode.CONNECT, ExitCode.NEEDS_PERSON)
_LONGEST: Final = 3600
_COLOURS: Final = {ExitCode.DONE: "green", ExitCode.FAILED: "yellow"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "guests",
        metavar="GUEST",
        nargs="*",
        help="name on the source (default: all in doubt, and all that left something over);"
        " without a record GUEST DEST-URI [URI] and -c URI, as for migrate",
    )
    parser.add_argument("--id", type=int, metavar="N", help="the journal's record of that number")
    parser.add_argument(
        "--apply", action="store_true", help="take the safe step, and the next, until it is settled"
    )
    parser.add_argument(
        "--watch", action="store_true", help="follow what is still under way to its end"
    )
    parser.add_argument(
        "--cancel", action="store_true", help="cancel what is still under way, and read it back"
    )
    parser.add_argument(
        "--destination", metavar="URI", help="open the destination so, to look at it"
    )
    parser.add_argument(
        "--patience",
        type=_seconds,
        metavar="SECONDS",
        help="how long a host may take for an answer (default: 10)",
    )
    parser.add_argument(
        "--close", metavar="TEXT", help="with --id: close the record; TEXT says what became of it"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    add_way(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Find out what became of each, and with ``--apply`` mend it."""
    if arguments.close is not None:
        return _close(arguments, output)
    found = []
    try:
        for migration in _migrations(arguments, output):
            with watching("none" if arguments.json else "auto", output) as observe:
                each = _reconcile(arguments, migration, observe)
            found.append(each)
            if not arguments.json:
                _tell(each, arguments, output)
    except KeyboardInterrupt:
        output.note("left: what is under way goes on, and a step that was begun may be taken")
        return ExitCode.FAILED
    status = max((each.exit_code for each in found), key=_WORSE.index, default=ExitCode.DONE)
    if arguments.json:
        payload = {"exit_code": int(status), "guests": [each.to_json() for each in found]}
        output.json("reconcile", payload)
    elif not found:
        output.text("nothing is in doubt, and nothing left over")
    return status


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST:  # also what is not a number
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds up to {_LONGEST}")
    return seconds


def _reconcile(
    arguments: argparse.Namespace, migration: Record | Plan, observe: Callable[[Event], object]
) -> Reconciled:
    cancelled = None
    if arguments.cancel:
        cancelled = threading.Event()
        cancelled.set()
    migrator: Migrator = arguments.invocation.migrator
    return migrator.reconcile(
        migration,
        apply=arguments.apply,
        follow=arguments.watch,
        cancelled=cancelled,
        observers=[observe],
        destination=arguments.destination,
        patience=arguments.patience,
    )


def _migrations(arguments: argparse.Namespace, output: Output) -> Iterator[Record | Plan]:
    """Give what is to be looked at, each with its record where there is one."""
    migrator: Migrator = arguments.invocation.migrator
    journal, words = migrator.journal, arguments.guests
    places = [arguments.connect, arguments.from_, arguments.to, arguments.desturi]
    if any(places) or any("://" in word for word in words):
        yield _asked_for(arguments, output, words)
        return
    if journal is None:
        raise UsageError("no journal is kept; give both hosts: GUEST DEST-URI -c SRC-URI")
    if arguments.id is not None:
        if words:
            raise UsageError(f"--id {arguments.id} says which guest; leave {words[0]} out")
        yield journal.record(arguments.id)
        return
    if words:
        for guest in words:
            yield _newest(guest, journal.records(guest=guest))
        return
    seen = set()
    for record in journal.records(unfinished=True):
        # Only the last one of a guest can tell where it is; each, what it left over.
        if not record.in_doubt:
            yield record
        elif record.guest not in seen:
            seen.add(record.guest)
            yield record


def _asked_for(arguments: argparse.Namespace, output: Output, words: Sequence[str]) -> Plan:
    """Plan what somebody says was asked for: the journal has no record of it."""
    if arguments.id is not None:
        raise UsageError(f"--id {arguments.id} says which hosts; leave the URIs out")
    most = 3
    if not words or len(words) > most:
        raise UsageError("without a record give one guest with its hosts: GUEST DEST-URI [URI]")
    arguments.guest, arguments.first, arguments.second = [*words, None, None][:most]
    return planned(arguments, output)


def _newest(guest: str, records: Sequence[Record]) -> Record:
    """Give the newest record that is not settled, or else the newest that was begun at all."""
    for wanted in (
        lambda record: record.in_doubt,
        lambda record: record.pending is not None,
        lambda record: record.begun,
        lambda _record: True,
    ):
        for record in records:
            if wanted(record):
                return record
    raise UsageError(
        f"the journal has no migration of {guest}; give both hosts: `migrate-plugins reconcile"
        f" {guest} DEST-URI -c SRC-URI`, with the options that it was asked for with"
    )


def _close(arguments: argparse.Namespace, output: Output) -> int:
    """Close a record that only a person can close."""
    migrator: Migrator = arguments.invocation.migrator
    if arguments.id is None or not arguments.close.strip():
        raise UsageError("--close takes a text, and with --id the number of the record")
    record = migrator.close(arguments.id, arguments.close)
    if arguments.json:
        output.json("reconcile", {"exit_code": 0, "guests": [], "closed": record})
    else:
        output.text(f"record {record} is closed")
    return ExitCode.DONE


def _tell(found: Reconciled, arguments: argparse.Namespace, output: Output) -> None:
    settlement = found.settlement
    output.text(f"{output.style(found.plan.guest, 'bold')} {_asked(found)}")
    if found.record is not None and found.record.reason:
        _say(output, f"reason: {found.record.reason}")
    for seat, sight in (("source", found.source), ("destination", found.destination)):
        name = sight.host if sight.host == f"the {seat}" else f"{seat} {sight.host}"
        _say(output, f"{name}: {sight.words}")
    for taken in found.taken:
        done = "done" if taken.error is None else f"not done: {taken.error}"
        _say(output, f"{taken.step.mend} on {taken.host}: {done}")
    if found.problem is not None:
        _say(output, found.problem)
    state = output.style(settlement.state, _COLOURS.get(found.exit_code, "red"), "bold")
    sure = "" if settlement.certain else " (as far as known)"
    output.text(f"  {state}{sure}")
    _say(output, settlement.sentence, 4)
    if settlement.why:
        _say(output, settlement.why, 4)
    for line in _next(found, arguments):
        # In one piece however long: it is to be copied.
        output.text(f"  next: {line}")
    if found.unrecorded is not None:
        output.note(f"not recorded: {found.unrecorded}")


def _asked(found: Reconciled) -> str:
    """Tell what was asked for, by whom and when, as far as that is known."""
    way = f"{found.plan.scenario.id} from {found.source.host} to {found.destination.host}"
    record = found.record
    if record is None:
        return f"(no record): {way}"
    when = record.started.astimezone().strftime("%Y-%m-%d %H:%M")
    return f"(record {record.id}): {way}, by {record.user}, {when}"


def _next(found: Reconciled, arguments: argparse.Namespace) -> Iterator[str]:
    """Give the commands that go on from here."""
    settlement = found.settlement
    failed = bool(found.taken) and found.taken[-1].error is not None
    if settlement.step is not None:
        if found.command is not None:
            yield found.command
        if not failed:
            yield _again(found, arguments, "--apply")
    elif settlement.state is State.WORK_PENDING:
        yield _again(found, arguments, "--apply")
    elif settlement.state is State.IN_PROGRESS and settlement.certain:
        yield _again(found, arguments, "--watch")
        yield found.command or _again(found, arguments, "--cancel")
    elif settlement.state is State.IN_PROGRESS:
        yield _again(found, arguments)


def _again(found: Reconciled, arguments: argparse.Namespace, *options: str) -> str:
    if found.record is None:
        return f"this command again{', with ' if options else ''}{' '.join(options)}"
    command = ["migrate-plugins", "reconcile", "--id", str(found.record.id), *options]
    if arguments.destination is not None:
        command += ["--destination", arguments.destination]
    return shlex.join(command)


def _say(output: Output, text: str, indent: int = 2) -> None:
    for number, line in enumerate(wrap(text, output.width - indent - 2)):
        output.text(f"{' ' * indent}{'  ' if number else ''}{line}")
