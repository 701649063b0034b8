"""A diagnosis: what an error means, and what to do about it."""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migrate_plugins.model import Seat

__all__ = ["Diagnosis", "Remedy", "merged", "named"]

_GUEST: Final = re.compile(r"\bGUEST\b")


class Remedy(NamedTuple):
    """One thing to do.

    Attributes:
        text: A command or a change, as it is typed or made; the word GUEST stands for the guest's
            name, and is replaced by it where that is known.
        where: The host to do it on; None where it does not matter, or is said in the text.
    """

    text: str
    where: Seat | None = None


class Diagnosis(NamedTuple):
    """What an error may mean.

    Attributes:
        id: Stable, for example ``data-port-refused``.
        cause: What happened, in a sentence.
        remedies: What to do, in this order.
        confidence: From 0 to 1; several causes may share one message.
        finding: Id of the finding with which a check tells it beforehand, or None.
    """

    id: str
    cause: str
    remedies: tuple[Remedy, ...]
    confidence: float
    finding: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the diagnosis as JSON's own types."""
        return {**self._asdict(), "remedies": [remedy._asdict() for remedy in self.remedies]}


def named(diagnosis: Diagnosis, guest: str) -> Diagnosis:
    """Write the guest's name into the remedies, for the word GUEST."""
    quoted = quote(guest)
    remedies = tuple(
        remedy._replace(text=_GUEST.sub(lambda _: quoted, remedy.text))
        for remedy in diagnosis.remedies
    )
    return diagnosis._replace(remedies=remedies)


def merged(diagnoses: Iterable[Diagnosis]) -> list[Diagnosis]:
    """Order *diagnoses*, the most likely first; of one id the most likely stays."""
    first: dict[str, Diagnosis] = {}
    for diagnosis in sorted(diagnoses, key=lambda diagnosis: -diagnosis.confidence):
        first.setdefault(diagnosis.id, diagnosis)
    return [*first.values()]
