"""Findings: one thing each that is wrong, or worth knowing, before a guest moves."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

__all__ = ["Finding", "FindingKind", "Selection", "Severity"]

# Ends the id of each note that says only that something could not be found out.
_UNKNOWN: Final = "-unknown"


class Severity(StrEnum):
    """How much a finding matters: an error blocks the migration unless it is accepted."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Finding(NamedTuple):
    """One thing that is wrong or worth knowing.

    Attributes:
        id: Stable, for example ``data-plain-text``; what ``--accept`` names.
        severity: Whether it blocks.
        host: The host it is about, by name or URI; None for the plan as a whole.
        text: A sentence.
        seen: The value seen, or None.
        expected: The value expected, or None.
        remedy: One command or one change that mends it, or None.
        accepted: The reason somebody gave for accepting it, or None.
        acceptable: Whether it can be: not where the guest could run twice, or is not there.
    """

    id: str
    severity: Severity
    host: str | None
    text: str
    seen: str | None = None
    expected: str | None = None
    remedy: str | None = None
    accepted: str | None = None
    acceptable: bool = True

    @property
    def blocks(self) -> bool:
        """Whether the migration must not go on."""
        return self.severity is Severity.ERROR and self.accepted is None

    @property
    def unknown(self) -> bool:
        """Whether it says only that something could not be found out."""
        return self.severity is Severity.INFO and self.id.endswith(_UNKNOWN)


class FindingKind(NamedTuple):
    """A kind of finding, as it is documented.

    Attributes:
        id: What its findings are called; one that ends in ``-unknown`` says only that something
            could not be found out.
        severity: The worst that they can be.
        summary: What they say, in a sentence without a full stop.
    """

    id: str
    severity: Severity
    summary: str


class Selection(NamedTuple):
    """Which findings are wanted.

    Attributes:
        only: Ids of the only ones, or None for all.
        skip: Ids of those that are not.
        probe: Whether a program may listen on a port of the destination for a few seconds.
    """

    only: frozenset[str] | None = None
    skip: frozenset[str] = frozenset()
    probe: bool = True

    def wants(self, *ids: str) -> bool:
        """Whether a finding of one of these *ids* is wanted: else there is no need to look."""
        return any(id_ not in self.skip and (self.only is None or id_ in self.only) for id_ in ids)
