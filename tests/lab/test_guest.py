from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migrate_plugins_lab.errors import SilentGuestError
from migrate_plugins_lab.guest import Guest

if TYPE_CHECKING:
    from pathlib import Path

    from migrate_plugins_lab.lab import Lab


def test_a_silent_guest_is_told_with_what_it_printed_and_what_to_look_at(tmp_path: Path) -> None:
    serial = tmp_path / "web1.log"
    serial.touch()

    with pytest.raises(SilentGuestError) as caught:
        Guest("web1", "uuid", serial).wait_for_ticks(3, seconds=0.1)

    assert str(caught.value) == (
        "guest 'web1' printed 0 of 3 ticks in 0.1 s: it is paused, gone, or starved of processor"
        " time; `virsh list --all` on each host says which"
    )


@pytest.mark.integration
def test_a_paused_guest_is_silent_and_goes_on_where_it_was(hosts: Lab) -> None:
    guest = hosts.guest("web1")
    alpha = hosts.host("alpha")
    alpha.virsh("suspend", "web1")
    with pytest.raises(SilentGuestError):
        guest.wait_for_ticks(1, seconds=0.3)
    alpha.virsh("resume", "web1")
    guest.wait_for_ticks()

    assert guest.continuity().unbroken


@pytest.mark.integration
def test_a_guest_that_is_reset_is_not_the_same_life(hosts: Lab) -> None:
    guest = hosts.guest("web1")
    hosts.host("alpha").virsh("reset", "web1")
    guest.wait_for_ticks(25)

    assert "boot" in "".join(guest.continuity().breaks)


@pytest.mark.integration
def test_a_guest_ticks_about_fifty_times_a_second_however_much_it_dirties(hosts: Lab) -> None:
    guest = hosts.guest("web1", dirty=64)
    guest.wait_for_ticks(25, seconds=5)

    assert guest.continuity().unbroken
