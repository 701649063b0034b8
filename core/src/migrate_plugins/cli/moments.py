"""Moments and spans of time for people: local time, and no more figures than help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["clock", "moment", "span"]

_MINUTE: Final = 60
_HOUR: Final = 3600


def moment(at: datetime) -> str:
    """Give date and time to the minute, where we are."""
    return f"{at.astimezone():%Y-%m-%d %H:%M}"


def clock(at: datetime) -> str:
    """Give the time of the day to the second, where we are."""
    return f"{at.astimezone():%H:%M:%S}"


def span(seconds: float | None) -> str:
    """Give a span: seconds with a tenth, from a minute on as a clock does."""
    if seconds is None:
        return "-"
    if round(seconds, 1) < _MINUTE:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, rest = divmod(whole, _HOUR)
    minutes, rest = divmod(rest, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
