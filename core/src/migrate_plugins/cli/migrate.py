"""``migrate-plugins migrate``: check, migrate, and read back where the guest is."""

from __future__ import annotations

import os
import shlex
import signal
from contextlib import contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Final, NoReturn

from migrate_plugins import ExitCode, Phase, Seat, Severity, UsageError, Verdict
from migrate_plugins.cli.diagnoses import describe
from migrate_plugins.cli.explain import kept
from migrate_plugins.cli.request import accepted, add_accept, add_request, planned
from migrate_plugins.cli.watch import watching

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from migrate_plugins import Diagnosis, Migrator, Outcome, Run
    from migrate_plugins.cli.output import Output

__all__ = ["configure", "run"]

# Phases in which nothing has been started yet: a person may simply leave.
_BEFORE: Final = (Phase.CONNECT, Phase.CHECK)
# Seconds within which signals are one: a supervisor may pass on what the terminal sent us too.
_ONE: Final = 0.3

# Diagnoses that a person is told after a failure, of those that are at least half as likely as the
# first one.
_TOLD: Final = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_request(parser)
    add_accept(parser)
    parser.add_argument("--reason", metavar="TEXT", help="why, for the journal")
    parser.add_argument(
        "--no-journal", action="store_true", help="migrate although nothing is recorded"
    )
    parser.add_argument(
        "--progress",
        choices=["auto", "bar", "plain", "json", "none"],
        help="auto: a bar on a terminal, else lines (the default); json: an event a line",
    )
    parser.add_argument("--json", action="store_true", help="the outcome for programs")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Migrate."""
    if arguments.reason is not None and arguments.no_journal:
        raise UsageError("--reason stands in the journal, --no-journal keeps none; give one")
    if arguments.reason is not None and not arguments.reason.strip():
        raise UsageError("--reason is empty; say why, or leave it out")
    migrator: Migrator = arguments.invocation.migrator
    if not arguments.no_journal and migrator.journal is not None:
        migrator.journal.warm_up()  # while this plans and connects
    plan = planned(arguments, output)
    accept = accepted(arguments)
    if arguments.json and arguments.progress not in {None, "none"}:
        raise UsageError("--json gives one object, --progress more; give one of the two")
    form = arguments.progress or ("none" if arguments.json else "auto")
    with watching(form, output) as observe:
        run = migrator.start(
            plan,
            observers=[observe],
            accept=accept,
            reason=arguments.reason,
            record=not arguments.no_journal,
        )
        with _cancelled_by_signals(run, plan.guest, output):
            outcome = run.outcome()
    # Whoever read us may be gone, or the disk full: the exit status still tells the truth.
    with suppress(OSError, UnicodeError):
        if arguments.json:
            output.json("migrate", outcome.to_json())
        elif form == "json":
            output.line(outcome.to_json())
        else:
            _tell(outcome, output)
    return outcome.exit_code


@contextmanager
def _cancelled_by_signals(run: Run, guest: str, output: Output) -> Iterator[None]:
    """Have Ctrl-C, a supervisor's SIGTERM and a terminal that is closed cancel the migration.

    Its end is waited for.  No exception is raised once something may have been started: it could
    strike anywhere.  Who does not want to wait, for a hypervisor that does not stop, sends a second
    one; a terminal is closed without a thought, and more than once.
    """
    first: float | None = None

    def cancel(number: int, _frame: object) -> None:
        nonlocal first
        if first is not None:
            if number != signal.SIGHUP and monotonic() - first > _ONE:
                _leave(guest, output)
            return
        first = monotonic()
        run.cancel()
        if run.phase in _BEFORE:
            for each in before:
                signal.signal(each, signal.SIG_IGN)  # it is cancelled already
            raise KeyboardInterrupt

    before = {
        number: signal.signal(number, cancel)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        # A shell that starts us in the background wants Ctrl-C to be ignored, and nohup the other.
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(guest: str, output: Output) -> NoReturn:
    """End the process at once: the journal has what it knows, and nobody waits for the rest."""
    with suppress(OSError):
        output.abandon(
            f"left while {guest} was being migrated: where it is was not waited for; this tells:\n"
            f"    migrate-plugins reconcile {shlex.quote(guest)}"
        )
    os._exit(ExitCode.NEEDS_PERSON)


def _tell(outcome: Outcome, output: Output) -> None:
    colour = "green" if outcome.exit_code == 0 else "red"
    output.text(output.style(outcome.sentence, colour))
    figures = [f"{outcome.elapsed:.1f} s in all"]
    if outcome.statistics is not None and outcome.statistics.downtime is not None:
        figures.append(f"the guest stood still for {outcome.statistics.downtime} ms")
    output.text(f"  {', '.join(figures)}")
    if outcome.configuration is not None and outcome.exit_code == 0:
        output.text(f"  {kept(outcome.configuration, *outcome.host_names)}")
    for difference in outcome.differences:
        output.text(output.style(f"  note: {difference}", "yellow"))
    _tell_pending(outcome, output)
    # A cancelled migration fails by our own hand: how libvirt words that helps nobody.
    if outcome.error is not None and outcome.verdict not in {Verdict.DONE, Verdict.CANCELLED}:
        output.error(f"  {outcome.error}")
    if outcome.next_command is not None:
        # In one piece however long: it is to be copied.
        output.error(f"  next: {outcome.next_command}")
    source, destination = outcome.host_names
    hosts = {Seat.SOURCE: source, Seat.DESTINATION: destination}
    told = _likely(outcome.diagnoses)
    for line in describe(told, output, hosts=hosts):
        output.error(line)
    if len(outcome.diagnoses) > len(told):
        output.error(f"  less likely ones: {len(outcome.diagnoses) - len(told)} (--json has all)")
    for finding in outcome.findings:
        if finding.severity is not Severity.INFO:
            label = output.style(finding.severity, "yellow")
            output.text(f"  {label} {finding.id}: {finding.text}")


def _tell_pending(outcome: Outcome, output: Output) -> None:
    """Tell what is left over, and what puts it right when it is time."""
    for left in outcome.pending:
        output.text(output.style(f"  left over {left}", "yellow"))
    if outcome.pending and outcome.next_command is None and outcome.id is not None:
        line = shlex.join(["migrate-plugins", "reconcile", "--id", str(outcome.id), "--apply"])
        output.text(f"  then: {line}")


def _likely(diagnoses: Sequence[Diagnosis]) -> Sequence[Diagnosis]:
    """Leave out what nobody needs beside one that is much more likely."""
    least = max((each.confidence for each in diagnoses), default=0) / 2
    return [each for each in diagnoses if each.confidence >= least][:_TOLD]
