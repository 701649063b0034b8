from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyVmomi import vim, vmodl

from migrate_plugins import DriverError, Statistics
from migrate_plugins_vmware.relocation import Relocation
from migrate_plugins_vmware.tasks import Followed, TaskState, TaskWatch

if TYPE_CHECKING:
    from collections.abc import Callable

TASK = vim.Task("task-1")

# fmt: off
TOLD: list[tuple[dict[str, Any], TaskState]] = [
    # what the vCenter tells, the state
    ({},                                                      TaskState()),
    ({"info.state": "running", "info.progress": 40},          TaskState("running", 40)),
    ({"info.state": vim.TaskInfo.State.success},              TaskState("success")),
    ({"info.state": "error", "info.cancelled": True},         TaskState("error", cancelled=True)),
    ({"info.cancelable": False, "info.progress": None},       TaskState(cancelable=False)),
    ({"info.descriptionId": "VirtualMachine.relocate"},       TaskState()),
]
# fmt: on


@pytest.mark.parametrize(("told", "state"), TOLD)
def test_state_is_read(told: dict[str, Any], state: TaskState) -> None:
    assert TaskState().changed(told.items()) == state


@given(
    st.lists(
        st.tuples(st.sampled_from(["queued", "running", "success", "error"]), st.integers(0, 100))
    )
)
def test_end_is_told_once_and_nothing_after_it(told: list[tuple[str, int]]) -> None:
    ends: list[str] = []
    followed = Followed(TASK, lambda: ends.append(followed.state.state))

    for state, progress in told:
        followed.tell([("info.state", state), ("info.progress", progress)])
    followed.end(lost="the connection was closed")

    first = next(((state, at) for state, at in told if state in {"success", "error"}), None)
    assert len(ends) == 1
    if first is None:
        assert followed.lost == "the connection was closed"
    else:
        assert (followed.state.state, followed.state.progress, followed.lost) == (*first, None)


def test_what_was_read_first_gives_way_to_what_was_told() -> None:
    followed = Followed(TASK, lambda: None)
    followed.tell([("info.state", "running"), ("info.progress", 50)])

    followed.tell([("info.state", "running"), ("info.progress", 10)], first=True)

    assert followed.state.progress == 50


class Vcenter:
    """A vCenter whose watch is what a test tells; a double, which no endpoint stands behind."""

    timeout = 60.0
    problem: str | None = None
    watch: Any

    def __init__(self, cancel: Callable[[], None] = lambda: None) -> None:
        self.followed: list[Followed] = []
        self.cancel = cancel
        self.watch = self

    def follow(self, followed: Followed) -> None:
        self.followed.append(followed)

    def reading(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401 - as the real one
        return call()


def relocation(
    vcenter: Vcenter, arrived: str | None = None, *, cancel: Callable[[], None] = lambda: None
) -> Relocation:
    made = Relocation(vcenter, "web1", vim.VirtualMachine("vm-1"), lambda: arrived)  # type: ignore[arg-type]
    made.follow(SimpleNamespace(CancelTask=cancel))
    return made


def test_success_counts_only_where_the_guest_has_arrived() -> None:
    vcenter = Vcenter()
    there = relocation(vcenter)
    elsewhere = relocation(vcenter, "web1 is on esx1, and not on esx2")
    for followed in vcenter.followed:
        followed.tell([("info.state", "success")])

    there.result()
    with pytest.raises(DriverError) as caught:
        elsewhere.result()

    assert caught.value.problem == ("the vCenter reports success; web1 is on esx1, and not on esx2")
    assert there.statistics() == Statistics(percent=100.0)


def test_task_that_is_gone_is_judged_by_where_the_guest_is() -> None:
    vcenter = Vcenter()
    there = relocation(vcenter)
    elsewhere = relocation(vcenter, "web1 is on esx1, and not on esx2")
    for followed in vcenter.followed:
        followed.end()

    assert there.wait(0)
    there.result()
    with pytest.raises(DriverError, match="the vCenter does not know the task any more; web1 is"):
        elsewhere.result()


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ([("info.error", vim.fault.Timedout(msg="too slow"))], "vim.fault.Timedout: too slow"),
        ([("info.cancelled", True)], "the task was cancelled"),
        ([], "the vCenter does not say why"),
    ],
)
def test_error_is_told_in_the_vcenters_words(told: list[tuple[str, Any]], problem: str) -> None:
    vcenter = Vcenter()
    failed = relocation(vcenter)
    vcenter.followed[0].tell([*told, ("info.state", "error")])

    with pytest.raises(DriverError) as caught:
        failed.result()

    assert caught.value.problem == problem


def test_silent_vcenter_gives_no_statistics() -> None:
    vcenter = Vcenter()
    moving = relocation(vcenter)
    vcenter.followed[0].tell([("info.state", "running"), ("info.progress", 30)])
    assert moving.statistics() == Statistics(percent=30.0)

    vcenter.problem = "TimeoutError: timed out"

    with pytest.raises(DriverError, match="timed out"):
        moving.statistics()


def test_end_before_the_cancellation_is_no_error() -> None:
    def ended() -> None:
        raise vim.fault.InvalidState

    relocation(Vcenter(), cancel=ended).cancel()


def test_refused_cancellation_is_told() -> None:
    def refused() -> None:
        raise vmodl.fault.NotSupported

    with pytest.raises(DriverError, match=r"cancelling the move of web1 failed: vmodl.fault.Not"):
        relocation(Vcenter(), cancel=refused).cancel()


def test_task_that_cannot_be_cancelled_is_told_and_not_asked() -> None:
    asked: list[None] = []
    vcenter = Vcenter()
    moving = relocation(vcenter, cancel=lambda: asked.append(None))
    vcenter.followed[0].tell([("info.state", "running"), ("info.cancelable", False)])

    with pytest.raises(DriverError, match="it cannot be cancelled, or not any more"):
        moving.cancel()

    assert asked == []


def test_cancellation_before_the_answer_is_passed_on_with_it() -> None:
    vcenter = Vcenter()
    asked: list[None] = []
    moving = Relocation(vcenter, "web1", vim.VirtualMachine("vm-1"), lambda: None)  # type: ignore[arg-type]

    with pytest.raises(DriverError, match="has not answered yet that it is begun"):
        moving.cancel()
    assert asked == []
    moving.follow(SimpleNamespace(CancelTask=lambda: asked.append(None)))

    assert len(asked) == 1


def test_success_that_cannot_be_verified_is_told_with_why() -> None:
    def unreadable() -> None:
        raise DriverError("reading where web1 is", problem="TimeoutError: timed out")

    vcenter = Vcenter()
    moved = Relocation(vcenter, "web1", vim.VirtualMachine("vm-1"), unreadable)  # type: ignore[arg-type]
    moved.follow(SimpleNamespace())
    vcenter.followed[0].tell([("info.state", "success")])

    with pytest.raises(DriverError) as caught:
        moved.result()

    assert caught.value.problem == (
        "the vCenter reports success; reading where web1 is failed: TimeoutError: timed out"
    )


@pytest.mark.parametrize("refused", [False, True])
def test_move_over_its_limit_is_cancelled_once_or_asked_again(refused: bool) -> None:
    asked: list[None] = []

    def cancel() -> None:
        asked.append(None)
        if refused and len(asked) == 1:
            raise vmodl.fault.NotSupported

    vcenter = Vcenter()
    moving = Relocation(vcenter, "web1", vim.VirtualMachine("vm-1"), lambda: None, limit=0)  # type: ignore[arg-type]
    moving.follow(SimpleNamespace(CancelTask=cancel))
    for _ in range(10):
        assert not moving.wait(0.02)
    vcenter.followed[0].tell([("info.cancelled", True), ("info.state", "error")])

    assert len(asked) == 1 + refused
    with pytest.raises(DriverError, match="it was not done after 0 s, and so was cancelled"):
        moving.result()


def test_task_of_a_closed_connection_is_lost_at_once() -> None:
    watch = TaskWatch(SimpleNamespace(timeout=60.0))  # type: ignore[arg-type]
    watch.close()
    ends: list[str | None] = []
    followed = Followed(TASK, lambda: ends.append(followed.lost))

    watch.follow(followed)

    assert ends == ["the connection was closed"]


@pytest.mark.parametrize("step", ["suspend", "switch_to_postcopy"])
def test_steps_that_a_vcenter_does_not_have_are_refused(step: str) -> None:
    with pytest.raises(DriverError, match="a vCenter's move has no such step"):
        getattr(relocation(Vcenter()), step)()


def test_watch_waits_less_than_a_call_may_take() -> None:
    for timeout, seconds in ((60.0, 10), (8.0, 4), (2.0, 1), (0.5, 1)):
        assert TaskWatch(SimpleNamespace(timeout=timeout))._wait == seconds  # type: ignore[arg-type]
