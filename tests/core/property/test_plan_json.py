"""A plan goes to JSON and back unchanged.

Whatever can be planned: the plan that is read equals the plan that was written, also after a real
trip through text, and equal requests give equal plans.  What cannot be planned is refused with
``PlanError``, never with anything else.
"""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins import Before, Plan, PlanError, Request

from .strategies import requests

if TYPE_CHECKING:
    from migrate_plugins import Migrator

BEFORES = st.one_of(st.none(), st.builds(Before, st.booleans(), st.booleans(), st.booleans()))


def _planned(migrator: Migrator, request: Request) -> Plan | None:
    try:
        return migrator.plan(**request._asdict())
    except PlanError:
        return None


@given(request_=requests, before=BEFORES)
def test_plan_is_read_as_it_was_written(
    migrator: Migrator, request_: Request, before: Before | None
) -> None:
    plan = _planned(migrator, request_)
    if plan is None:
        return
    if before is not None:
        plan = migrator._planner.with_configuration(plan, before)

    read = Plan.from_json(json.loads(json.dumps(plan.to_json())))

    assert read == plan
    assert read.to_json() == plan.to_json()


@given(request_=requests)
def test_equal_requests_give_equal_plans(migrator: Migrator, request_: Request) -> None:
    again = Request(**request_._asdict())

    assert _planned(migrator, request_) == _planned(migrator, again)


@given(request_=requests)
def test_plan_carries_its_request(migrator: Migrator, request_: Request) -> None:
    plan = _planned(migrator, request_)

    assert plan is None or plan.request == request_


def test_most_of_what_is_drawn_can_be_planned(migrator: Migrator) -> None:
    planned, drawn = count(), count()

    @given(request_=requests)
    def draw(request_: Request) -> None:
        next(drawn)
        if _planned(migrator, request_) is not None:
            next(planned)

    draw()

    assert next(planned) * 5 > next(drawn)
