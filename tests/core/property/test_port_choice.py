"""A port that is handed out lies in its range and is handed out once.

Whatever the range, and whichever ports others hold: those that are chosen differ, a port that is
released can be had again, and when all are held the sentence names the range.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins import PortLedger, PortRule, PortsExhaustedError

from .strategies import port_rules


def _select(rule: PortRule, host: str, taken: frozenset[int]) -> int | None:
    assert host == "desthost"
    return rule.lowest_free(taken)


@given(port_rules)
def test_all_ports_of_a_range_are_handed_out_once(rule: PortRule) -> None:
    everything = list(range(rule.first, rule.last + 1))
    with TemporaryDirectory() as folder, ExitStack() as stack:
        ledger = PortLedger(Path(folder) / "locks")
        chosen = [
            stack.enter_context(ledger.choose(rule, "desthost", _select)).number for _ in everything
        ]

        assert chosen == everything
        with pytest.raises(PortsExhaustedError) as caught:
            ledger.choose(rule, "desthost", _select)

    assert (caught.value.host, caught.value.first, caught.value.last) == (
        "desthost",
        rule.first,
        rule.last,
    )


@given(port_rules, st.data())
def test_released_port_is_the_one_that_is_handed_out_next(
    rule: PortRule, data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder, ExitStack() as stack:
        ledger = PortLedger(Path(folder) / "locks")
        held = [
            stack.enter_context(ledger.choose(rule, "desthost", _select))
            for _ in range(rule.first, rule.last + 1)
        ]
        freed = data.draw(st.sampled_from(held))

        freed.release()
        again = stack.enter_context(ledger.choose(rule, "desthost", _select))

        assert again.number == freed.number


@given(port_rules, st.data())
def test_lowest_free_is_the_lowest_that_is_not_taken(rule: PortRule, data: st.DataObject) -> None:
    taken = data.draw(st.frozensets(st.integers(rule.first - 2, rule.last + 2)))
    left = sorted(set(range(rule.first, rule.last + 1)) - taken)

    assert rule.lowest_free(taken) == (left[0] if left else None)
