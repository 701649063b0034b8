"""Whatever can be planned is read from the journal as it was written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from migrate_plugins import Journal, PlanError, Request, hidden

from .strategies import requests

if TYPE_CHECKING:
    from migrate_plugins import Migrator


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    return Journal(f"sqlite:///{tmp_path_factory.mktemp('journal')}/journal.sqlite")


@given(request_=requests)
def test_plan_is_read_as_it_was_recorded(
    migrator: Migrator, journal: Journal, request_: Request
) -> None:
    try:
        plan = migrator.plan(**request_._asdict())
    except PlanError:
        return
    text = json.dumps(plan.to_json())

    writer = journal.begin(plan)
    number = writer.id
    writer.close()

    record = journal.record(number)
    if json.dumps(hidden(plan.to_json())) == text:  # nothing in it looks like a secret
        assert record.plan == plan
    assert record.guest == request_.guest
