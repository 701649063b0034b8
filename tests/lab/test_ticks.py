from __future__ import annotations

import pytest

from migrate_plugins_lab.ticks import Continuity, Tick, continuity, read

A, B = "2314490907f590ec", "2314490a000000ff"

# fmt: off
TEXTS = [
    # text                                        ticks
    ("",                                          []),
    (f"{A} 00000001\n",                           [Tick(A, 1)]),
    (f"{A} 00000001\n{A} 0000000a\n",             [Tick(A, 1), Tick(A, 10)]),
    (f"{A} 00000001\n{A} 000",                    [Tick(A, 1)]),
    (f"{A} 000{A} 00000001\n",                    [Tick(f"torn '{A} 000{A} 00000001'", 0)]),
]

LIVES = [
    # ticks                               breaks
    ([Tick(A, 1)],                        ()),
    ([Tick(A, 1), Tick(A, 2)],            ()),
    ([Tick(A, 2)],                        ("the first line is number 2, not 1",)),
    ([Tick(A, 1), Tick(A, 3)],            ("line 2: number 3 after number 1",)),
    ([Tick(A, 1), Tick(A, 1)],            ("line 2: number 1 after number 1",)),
    ([Tick(A, 1), Tick(B, 1)],            (f"line 2: boot {B} after boot {A}",)),
]
# fmt: on


@pytest.mark.parametrize(("text", "ticks"), TEXTS)
def test_read_gives_every_finished_line(text: str, ticks: list[Tick]) -> None:
    assert read(text) == ticks


@pytest.mark.parametrize(("ticks", "breaks"), LIVES)
def test_continuity_names_every_break(ticks: list[Tick], breaks: tuple[str, ...]) -> None:
    found = continuity(ticks)

    assert found == Continuity(len(ticks), breaks)
    assert found.unbroken is (breaks == ())


def test_a_guest_that_never_ticked_has_not_lived() -> None:
    assert not continuity([]).unbroken
