"""A diagnosis: what an error means, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from migrate_plugins.model import Seat

__all__ = ["Diagnosis", "Remedy"]


class Remedy(NamedTuple):
    """One thing to do.

    Attributes:
        text: A command or a change, as it is typed or made.
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
