"""One move that a vCenter carries out, from the call to what became of the guest.

A call that was not answered may have moved the guest all the same.  So a move is asked for once:
where no answer comes, it is looked for the task and the guest, and whatever is found decides.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

from pyVmomi import vim, vmodl

from migrate_plugins import DriverError, MigrateError, Statistics
from migrate_plugins_vmware.faults import EDGE, Fault, doing
from migrate_plugins_vmware.tasks import ENDS, Followed, relocations

if TYPE_CHECKING:
    from collections.abc import Callable

    from migrate_plugins_vmware.vcenter import VCenter

__all__ = ["Relocation"]

# Seconds that an unanswered call is looked after: the vCenter may take it up late.
_PATIENCE: Final = 30.0
_PAUSE: Final = 0.5

_NO_SUCH: Final = (
    "a vCenter's move has no such step: the guest runs on while it moves, and stands still only at"
    " the end, for as long as the vCenter needs"
)


class Relocation:
    """A move that runs; see :class:`migrate_plugins.Migration`."""

    def __init__(
        self,
        vcenter: VCenter,
        name: str,
        guest: Any,  # noqa: ANN401 - pyVmomi is untyped
        arrived: Callable[[], str | None],
        limit: int | None = None,
    ) -> None:
        """Begin nothing yet.

        Args:
            vcenter: Whose task it is.
            name: Of the guest.
            guest: The virtual machine.
            arrived: Reads where the guest is: None where it is on the destination, else a sentence.
            limit: Seconds after which it is cancelled, or None.
        """
        self._vcenter = vcenter
        self._name = name
        self._guest = guest
        self._arrived = arrived
        self._limit = limit
        self._began = monotonic()
        self._ended = threading.Event()
        self._followed: Followed | None = None
        self._error: DriverError | None = None
        self._unwanted = False
        self._stopping = False
        self._late: DriverError | None = None
        self._done = False

    def begin(self, call: Callable[[], Any]) -> None:
        """Make the *call* that gives the task, in a thread of its own.

        Raises:
            DriverError: The guest is being moved already, or that cannot be read.
        """
        self._began = monotonic()
        # What moved it before is no business of ours, and what is found later is.
        before = {task.key: task.values for task in relocations(self._vcenter, self._guest)}
        for key, values in before.items():
            if str(values.get("info.state")) not in ENDS:
                problem = f"it is being moved already, by the vCenter's {key.moid}"
                raise DriverError(f"moving {self._name}", problem=problem)
        threading.Thread(target=self._begin, args=(call, {*before}), daemon=True).start()

    def follow(self, task: Any) -> None:  # noqa: ANN401 - pyVmomi is untyped
        """Follow a task that somebody began."""
        # Known before it is watched: it may end at once.
        self._followed = Followed(task, self._ended.set)
        self._vcenter.watch.follow(self._followed)
        if self._unwanted:
            with suppress(DriverError):  # who asked will ask again
                self.cancel()

    def finish(self) -> None:
        """Take it that the guest is there already."""
        self._done = True
        self._ended.set()

    def wait(self, seconds: float) -> bool:
        """Wait at most *seconds* for the end; what takes too long is cancelled."""
        late = self._limit is not None and monotonic() - self._began > self._limit
        if late and not self._stopping and not self._ended.is_set():
            self._stopping = True
            threading.Thread(target=self._stop_late, daemon=True).start()
        return self._ended.wait(seconds)

    def statistics(self) -> Statistics | None:
        """Give the per cent that the vCenter told last.

        Raises:
            DriverError: It does not answer.
        """
        if self._ended.is_set() and self._succeeded:
            return Statistics(percent=100.0)
        if self._followed is None:
            return None
        problem = self._vcenter.watch.problem
        if problem is not None and not self._ended.is_set():
            raise DriverError("reading how far the move is", problem=problem)
        progress = self._followed.state.progress
        return Statistics(percent=None if progress is None else float(progress))

    def cancel(self) -> None:
        """Cancel the task.

        Raises:
            DriverError: It cannot be, or not yet.
        """
        action = f"cancelling the move of {self._name}"
        followed = self._followed
        if followed is None:
            if self._ended.is_set():
                return
            self._unwanted = True
            problem = "the vCenter has not answered yet that it is begun; as soon as it has, it is"
            raise DriverError(action, problem=f"{problem} told to stop")
        if followed.state.cancelable is False and not followed.over:
            problem = "the vCenter says of this task that it cannot be cancelled, or not any more"
            raise DriverError(action, problem=problem)
        with doing(action):
            try:
                # Twice does no harm, so that it may be asked again after a new login.
                self._vcenter.reading(followed.task.CancelTask)
            except (vim.fault.InvalidState, vmodl.fault.ManagedObjectNotFound):
                return  # it has ended by itself

    def suspend(self) -> None:
        """Refuse: a vCenter has no such step."""
        raise DriverError(f"pausing {self._name}", problem=_NO_SUCH)

    def switch_to_postcopy(self) -> None:
        """Refuse: a vCenter has no such step."""
        raise DriverError(f"switching {self._name} to post-copy", problem=_NO_SUCH)

    def result(self) -> None:
        """Return if the guest is on the destination.

        Raises:
            DriverError: It is not, in the vCenter's own words, or that cannot be known.
        """
        if self._done:
            return
        action = f"moving {self._name}"
        if self._error is not None:
            raise self._error
        if self._followed is None:
            raise DriverError(action, problem="it has not ended")
        state, lost = self._followed.state, self._followed.lost
        if state.state == "error":
            cancelled = state.cancelled or isinstance(state.error, vmodl.fault.RequestCanceled)
            if self._late is not None and cancelled:
                raise self._late
            raise DriverError(action, problem=_words(state.error, cancelled=state.cancelled))
        try:
            elsewhere = self._arrived()
        except DriverError as error:
            elsewhere = str(error)
        if elsewhere is None:
            return
        if lost is None and state.gone:
            lost = "the vCenter does not know the task any more"
        raise DriverError(action, problem=f"{lost or 'the vCenter reports success'}; {elsewhere}")

    @property
    def _succeeded(self) -> bool:
        return self._done or (
            self._followed is not None and self._followed.state.state == "success"
        )

    def _begin(self, call: Callable[[], Any], before: set[Any]) -> None:
        action = f"moving {self._name}"
        task, unanswered = None, None
        try:
            with doing(action):
                try:
                    task = call()
                except vmodl.MethodFault:
                    raise  # an answer: it is refused
                except Exception as error:  # noqa: BLE001 - whatever broke, it may have begun
                    unanswered = Fault.of(error)
            if unanswered is None:
                self.follow(task)
            else:
                self._look_for(before, unanswered)
        except DriverError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - result() raises it where somebody waits
            self._fail(DriverError(action, problem=str(Fault.of(error))))

    def _look_for(self, before: set[Any], unanswered: Fault) -> None:
        """Find out what became of a call that was not answered; it is not made again."""
        end = monotonic() + _PATIENCE
        seen = ""
        while not self._ended.is_set():
            try:
                ours = [
                    task
                    for task in relocations(self._vcenter, self._guest)
                    if task.key not in before
                ]
                if ours:
                    running = [task for task in ours if str(task.values["info.state"]) not in ENDS]
                    self.follow((running or ours)[-1].reference)
                    return
                elsewhere = self._arrived()
                if elsewhere is None:
                    self.finish()
                    return
                seen = elsewhere
            except (MigrateError, *EDGE) as error:
                seen = str(error if isinstance(error, MigrateError) else Fault.of(error))
            if monotonic() > end:
                break
            sleep(_PAUSE)
        problem = (
            f"the vCenter did not answer the call ({unanswered}), and no task of it was seen within"
            f" {_PATIENCE:.0f} s: {seen}; it may still begin: look at the vCenter's tasks before"
            " trying again"
        )
        self._fail(DriverError(f"moving {self._name}", problem=problem))

    def _fail(self, error: DriverError) -> None:
        self._error = error
        self._ended.set()

    def _stop_late(self) -> None:
        """Cancel what takes too long; where that is refused, it is asked again at the next look."""
        problem = f"it was not done after {self._limit} s, and so was cancelled, as asked for"
        self._late = DriverError(f"moving {self._name}", problem=problem)
        try:
            self.cancel()
        except DriverError:
            self._late, self._stopping = None, False


def _words(fault: Any, *, cancelled: bool) -> str:  # noqa: ANN401 - pyVmomi is untyped
    """Say why a task ended badly, in the vCenter's words."""
    if fault is not None:
        return str(Fault.of(fault))
    return "the task was cancelled" if cancelled else "the vCenter does not say why"
