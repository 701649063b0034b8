from __future__ import annotations

from migrate_plugins_lab.ticks import Tick, continuity
from migrate_plugins_lab.xen.guest import merge

BOOT = "658f249b5fb648c7"
OTHER = "00000000000000ff"
WEB1 = "web1.5e4c7a10"


def console(domain: int, *numbers: int, boot: str = BOOT, label: str = WEB1) -> str:
    return "".join(f"(d{domain}) lab {label} {boot} {number:08x}\n" for number in numbers)


def test_a_life_on_two_hosts_and_back_is_one() -> None:
    alpha = "(XEN) Xen version 4.17\n" + console(1, 1, 2) + console(2, 5, 16)
    beta = console(1, 3, 4) + "(d1) Poking KASLR\r\n" + console(1, *range(6, 16))

    found = merge([alpha, beta], WEB1)

    assert found == [Tick(BOOT, number) for number in range(1, 17)]
    assert continuity(found).unbroken


def test_a_guest_that_runs_twice_repeats_itself() -> None:
    found = merge([console(1, 1, 2, 3), console(1, 3, 4)], WEB1)

    assert continuity(found).breaks == ("line 4: number 3 after number 3",)


def test_a_guest_that_lost_time_misses_numbers() -> None:
    found = merge([console(1, 1, 2), console(1, 4)], WEB1)

    assert continuity(found).breaks == ("line 3: number 4 after number 2",)


def test_a_guest_that_was_started_anew_is_another() -> None:
    found = merge([console(1, 1, 2), console(1, 1, boot=OTHER)], WEB1)

    assert continuity(found).breaks == (f"line 3: boot {OTHER} after boot {BOOT}",)


def test_other_guests_and_lines_still_being_written_are_left_out() -> None:
    mixed = console(1, 1) + console(2, 1, label="web2.6e4c7a10") + console(1, 2)[:-4]

    assert merge([mixed], WEB1) == [Tick(BOOT, 1)]
