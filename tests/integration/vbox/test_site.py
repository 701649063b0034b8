"""The hosts that the other tests stand on are what they are said to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vbox.site import Site


def test_a_guest_counts(site: Site) -> None:
    guest = site.guest()

    assert guest.state(site.alpha) == "running"
    assert guest.counts(site.alpha)
    assert guest.life(site.alpha).unbroken
