"""The numbers that lead from the arrows to the URIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from migrate_plugins.model import Seat

if TYPE_CHECKING:
    from migrate_plugins.plan import Channel, Plan, PlannedURI

__all__ = ["NumberedURI", "number_of", "numbered_uris"]


class NumberedURI(NamedTuple):
    """A URI of the plan, its number, and who opens it."""

    number: str
    title: str
    seen_from: str
    uri: PlannedURI


def number_of(plan: Plan, channel: Channel) -> str:
    """Give the number of the URI that opens *channel*, a leg of the control path."""
    if channel.target is Seat.SOURCE:
        return "1"
    uris = plan.uris
    if uris.destination.value is None:
        return "3"
    if uris.destination_from_client.value == uris.destination.value:
        return "2"
    return "2c" if channel.origin is Seat.CLIENT else "2s"


def numbered_uris(plan: Plan) -> list[NumberedURI]:
    """Number the URIs: the destination's is two where client and source open it differently."""
    uris = plan.uris
    if uris.destination_from_client.value != uris.destination.value:
        destination = [
            _numbered("2c", "Destination", uris.destination_from_client),
            _numbered("2s", "Destination", uris.destination),
        ]
    else:
        one = _numbered("2", "Destination", uris.destination)
        openers = {leg.origin for leg in plan.control if leg.target is Seat.DESTINATION}
        destination = [one._replace(seen_from="as both open it") if len(openers) > 1 else one]
    return [
        _numbered("1", "Source", uris.source),
        *destination,
        _numbered("3", "Migration", uris.migration),
    ]


def _numbered(number: str, name: str, uri: PlannedURI) -> NumberedURI:
    seen_from = f"as the {uri.seen_from.value} opens it" if uri.value else "none given"
    return NumberedURI(number, f"{name} URI", seen_from, uri)
