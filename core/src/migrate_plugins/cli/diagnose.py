"""``migrate-plugins diagnose``: what an error means, from its text alone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from migrate_plugins import ExitCode, UsageError
from migrate_plugins.cli.diagnoses import describe, likelihood
from migrate_plugins.cli.messages import read_messages

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from migrate_plugins import Diagnosis, Migrator
    from migrate_plugins.cli.messages import Message
    from migrate_plugins.cli.output import Output

__all__ = ["configure", "run"]

# Bytes of a log that are read, its last ones: what went wrong comes at the end.
_MOST: Final = 16 * 1024 * 1024
# Characters in which an explanation may need two lines at once.
_TOGETHER: Final = 100_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="an error, a log, or the JSON of an outcome; by default standard input",
    )
    parser.add_argument("--code", type=int, metavar="N", help="the error's number (libvirt)")
    parser.add_argument(
        "--domain", type=int, metavar="N", help="the part of libvirt that raised it"
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Diagnose; contacts nobody."""
    migrator: Migrator = arguments.invocation.migrator
    text = _read(arguments.file, output)
    messages = read_messages(text, arguments.code, arguments.domain)
    diagnoses, seen = _diagnose(migrator, messages)
    if arguments.json:
        output.json("diagnose", _payload(diagnoses, seen, len(messages)))
    elif diagnoses:
        where = {id_: f"from {message.where}: {message.text}" for id_, message in seen.items()}
        single = len(messages) == 1
        for line in describe(diagnoses, output, seen=None if single else where):
            output.text(line)
    if not diagnoses:
        for line in _unknown(migrator, messages, arguments.invocation.driver):
            output.note(line)
        return ExitCode.FAILED
    return ExitCode.DONE


def _read(name: str | None, output: Output) -> str:
    """Read a file or standard input, of a long one the end."""
    try:
        if name in {None, "-"}:
            if sys.stdin.isatty():
                output.note("paste the error, then press Ctrl-D on a line of its own")
            content = sys.stdin.buffer.read()
        else:
            with open(name or "", "rb") as file:  # noqa: PTH123 - pathlib doubles the start-up time
                size = file.seek(0, 2)
                file.seek(max(0, size - _MOST))
                content = file.read()
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no file {name!r}: diagnose takes a file or standard input; to give a"
            " message: echo 'MESSAGE' | migrate-plugins diagnose"
        ) from error
    except OSError as error:
        raise UsageError(f"{name!r} cannot be read: {error.strerror}") from error
    return content[-_MOST:].decode(errors="replace")


def _diagnose(
    migrator: Migrator, messages: Sequence[Message]
) -> tuple[list[Diagnosis], dict[str, Message]]:
    """Diagnose each message, the last first; of one id the most likely stays."""
    found: dict[str, Diagnosis] = {}
    seen: dict[str, Message] = {}
    for message in reversed(messages):
        for diagnosis in migrator.diagnose(message.text, code=message.code, domain=message.domain):
            known = found.get(diagnosis.id)
            if known is None or known.confidence < diagnosis.confidence:
                found[diagnosis.id], seen[diagnosis.id] = diagnosis, message
    # Two lines may explain each other; and a terminal may have broken one into two.
    numbers = {(message.code, message.domain) for message in messages}
    if len(numbers) == 1:
        ((code, domain),) = numbers
        between = "\n" if found else " "
        together = between.join(message.text for message in messages)[-_TOGETHER:]
        for diagnosis in migrator.diagnose(together, code=code, domain=domain):
            found.setdefault(diagnosis.id, diagnosis)
    return sorted(found.values(), key=lambda each: -each.confidence), seen


def _payload(
    diagnoses: Iterable[Diagnosis], seen: dict[str, Message], looked_at: int
) -> dict[str, object]:
    return {
        "recognised": bool(diagnoses),
        "messages": looked_at,
        "diagnoses": [
            {
                **diagnosis.to_json(),
                "likelihood": likelihood(diagnosis.confidence),
                "seen": seen[diagnosis.id]._asdict() if diagnosis.id in seen else None,
            }
            for diagnosis in diagnoses
        ],
    }


def _unknown(migrator: Migrator, messages: Sequence[Message], driver: str | None) -> Iterable[str]:
    """Say what to send where, so that the next one finds it here."""
    asked = sorted(
        f"{plugin.point.name} ({plugin.point.distribution})"
        for plugin in migrator.registry.plugins
        if "migrate_diagnose" in plugin.hooks and driver in {None, plugin.point.name}
    )
    if not messages:
        yield "there was nothing to read"
        return
    yield f"nothing in it is known to {', '.join(asked) or 'any plugin: none explains errors'}"
    yield "please send to the authors of the hypervisor's driver, so that it becomes known:"
    yield "  - the text as it is, and what had been called (without passwords)"
    yield "  - the versions on both hosts (`virsh version`, or that of the hypervisor's own tool)"
    yield "  - the end of the guest's log on the destination, and what the reason was in the end"
    yield "`migrate-plugins list` names the distribution of each driver"
