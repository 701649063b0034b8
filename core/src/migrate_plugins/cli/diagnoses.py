"""Diagnoses for people: what happened, how sure that is, and what to do on which host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from migrate_plugins import Seat
from migrate_plugins.cli.output import wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from migrate_plugins import Diagnosis, Remedy
    from migrate_plugins.cli.output import Output

__all__ = ["describe", "likelihood"]

# From which confidence on a diagnosis is called so.
_WORDS: Final = ((0.85, "very likely"), (0.65, "likely"), (0.4, "possible"), (0.0, "less likely"))

_COLOURS: Final = {"very likely": "red", "likely": "red", "possible": "yellow"}

_TIE: Final = re.compile(r"(or|then|if not)(?:: |, | )")

_SEATS: Final = {seat: f"the {seat}" for seat in Seat}


def likelihood(confidence: float) -> str:
    """Give a confidence in words."""
    return next(word for least, word in _WORDS if confidence >= least)


def _placed(remedy: Remedy, names: Mapping[Seat, str]) -> str:
    """Say where to do it, behind the word that ties it to what came before."""
    if remedy.where is None:
        return remedy.text
    tie = _TIE.match(remedy.text)
    place = f"on {names[remedy.where]}: "
    return place + remedy.text if tie is None else f"{tie[1]} {place}{remedy.text[tie.end() :]}"


def describe(
    diagnoses: Iterable[Diagnosis],
    output: Output,
    *,
    hosts: Mapping[Seat, str] | None = None,
    seen: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Give *diagnoses* in lines.

    Args:
        diagnoses: The most likely first.
        output: Knows width and colours.
        hosts: What the hosts are called, where that is known.
        seen: Id of a diagnosis to where its error was found.
    """
    names = {**_SEATS, **(hosts or {})}
    for diagnosis in diagnoses:
        word = likelihood(diagnosis.confidence)
        colours = [_COLOURS[word]] if word in _COLOURS else []
        yield f"  {output.style(word, *colours)}: {output.style(diagnosis.id, 'bold')}"
        for line in wrap(diagnosis.cause, output.width - 6):
            yield f"      {line}"
        for remedy in diagnosis.remedies:
            # In one piece however long: it may be a command, to be typed as it is.
            yield f"      - {_placed(remedy, names)}"
        if diagnosis.finding is not None:
            yield f"      beforehand `migrate-plugins check` finds it as {diagnosis.finding}"
        if seen and diagnosis.id in seen:
            for line in wrap(seen[diagnosis.id], output.width - 6):
                yield f"      {line}"
