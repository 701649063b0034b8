from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from migrate_plugins_lab.postcopy import Postcopy, read

if TYPE_CHECKING:
    from migrate_plugins_lab.lab import Lab

GREETING = json.dumps({"QMP": {"version": {}}})
YES = json.dumps({"return": {}, "id": "postcopy"})
NO = json.dumps({"id": "postcopy", "error": {"class": "GenericError", "desc": "Not supported"}})
WHY = (
    "QEMU says 'Not supported'; it needs userfaultfd: `lab up --privileged`, or"
    " `sysctl vm.unprivileged_userfaultfd=1`, gives it that"
)

# fmt: off
ANSWERS = [
    # answers              postcopy
    ([GREETING, YES],      Postcopy(supported=True)),
    ([GREETING, NO],       Postcopy(supported=False, reason=WHY)),
    ([GREETING],           Postcopy(supported=False, reason="QEMU did not answer")),
    ([],                   Postcopy(supported=False, reason="QEMU did not answer")),
]
# fmt: on


@pytest.mark.parametrize(("answers", "postcopy"), ANSWERS)
def test_qemus_answer_decides(answers: list[str], postcopy: Postcopy) -> None:
    assert read("\n".join(answers)) == postcopy
    assert bool(postcopy) is postcopy.supported


@pytest.mark.integration
def test_a_lab_says_yes_or_gives_a_reason(either: Lab) -> None:
    assert bool(either.postcopy) is not bool(either.postcopy.reason)
