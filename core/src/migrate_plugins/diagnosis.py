"""A diagnosis: what an error means, and what to do about it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Diagnosis"]


class Diagnosis(NamedTuple):
    """What an error may mean.

    Attributes:
        id: Stable, for example ``data-port-refused``.
        cause: What happened, in a sentence.
        remedy: What to do, naming the host to do it on.
        confidence: From 0 to 1; several causes may share one message.
    """

    id: str
    cause: str
    remedy: str
    confidence: float
