"""The tasks of a vCenter: all that are followed are watched over one connection, by one thread.

A property collector of our own waits for changes of all of them in one call.  A session may be
ended meanwhile, a connection may break, an answer may be lost: then the states are read once more
and waiting begins anew, with a new login where it needs one.  That is safe, since nothing is done
here but watching.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyVmomi import vim, vmodl

from migrate_plugins import AuthenticationError, MigrateError
from migrate_plugins_vmware.faults import EDGE, Fault, doing
from migrate_plugins_vmware.inventory import id_of, moid, read, read_along

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from migrate_plugins_vmware.inventory import Found
    from migrate_plugins_vmware.vcenter import VCenter

__all__ = [
    "ENDS",
    "MOVES",
    "Followed",
    "TaskState",
    "TaskWatch",
    "relocations",
    "tasks_of",
    "under_way",
]

_Collector: Final = vmodl.query.PropertyCollector

# Seconds that one call waits for a change, half of what a call may take at the most; after each the
# states are read, so that none is missed.
_TURN: Final = 10
# Seconds that such a call may take longer, before the vCenter is said to be silent.
_GRACE: Final = 5.0
# Seconds before the next attempt after a failure, the first and the longest.
_FIRST: Final = 0.2
_LONGEST: Final = 5.0
# Seconds without any answer after which following is given up; the core gives up before.
_PATIENCE: Final = 180.0

_CLOSED: Final = "the connection was closed"

# The states that a task ends in.
ENDS: Final = frozenset({"success", "error"})
_PATHS: Final = (
    "info.state",
    "info.progress",
    "info.cancelled",
    "info.cancelable",
    "info.error",
)

# What a task is called that moves a guest: by RelocateVM_Task, MigrateVM_Task, and by DRS. vcsim
# writes relocateVm for the first.
MOVES: Final = ("VirtualMachine.relocate", "VirtualMachine.migrate", "Drm.ExecuteVMotionLRO")


class TaskState(NamedTuple):
    """What is known of a task.

    Attributes:
        state: ``queued``, ``running``, ``success`` or ``error``.
        progress: Per cent, or None while that is not told.
        cancelled: Whether somebody cancelled it.
        cancelable: Whether it can be, or None where that is not told.
        error: Its fault, as pyVmomi has it, or None.
        gone: Whether the vCenter does not know it any more.
    """

    state: str = "queued"
    progress: int | None = None
    cancelled: bool = False
    cancelable: bool | None = None
    error: Any = None
    gone: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing changes any more."""
        return self.gone or self.state in ENDS

    def changed(self, values: Iterable[tuple[str, Any]]) -> TaskState:
        """Take what a vCenter told of it, by path."""
        told = {path.removeprefix("info."): value for path, value in values if path in _PATHS}
        if "state" in told:
            told["state"] = str(told["state"])
        if "cancelled" in told:
            told["cancelled"] = bool(told["cancelled"])
        return self._replace(**told)


class Followed:
    """One task that is followed; its end is told by *ended*, or *lost* says why it cannot be."""

    def __init__(self, task: Any, ended: Callable[[], None]) -> None:  # noqa: ANN401 - pyVmomi is untyped
        """Follow *task*; *ended* is called once, from the watching thread."""
        self.task: Final = task
        self.state = TaskState()
        self.lost: str | None = None
        self._ended = ended
        self._lock = threading.Lock()

    @property
    def over(self) -> bool:
        """Whether it is not watched any longer."""
        return self.state.ended or self.lost is not None

    def tell(self, values: Iterable[tuple[str, Any]], *, first: bool = False) -> None:
        """Take what the vCenter says; as the *first* news only where there was none before."""
        with self._lock:
            if self.over or (first and self.state != TaskState()):
                return
            self.state = self.state.changed(values)
            over = self.over
        if over:
            self._ended()

    def end(self, *, lost: str | None = None) -> None:
        """Take it that no more will be told: the task is gone, or *lost* says why."""
        with self._lock:
            if self.over:
                return
            self.lost = lost
            self.state = self.state._replace(gone=lost is None)
        self._ended()


class _Own(NamedTuple):
    """What was made in the vCenter to watch with."""

    collector: Any
    view: Any

    def destroy(self) -> None:
        """Have the vCenter forget it, if it can be reached."""
        with suppress(*EDGE):
            if self.collector is not None:
                self.collector.DestroyPropertyCollector()
        with suppress(*EDGE):
            if self.view is not None:
                self.view.DestroyView()


class TaskWatch:
    """Watches the tasks of one connection: one list of them, one filter, one call that waits."""

    def __init__(self, vcenter: VCenter) -> None:
        """Begin nothing yet: the thread runs as long as there is a task to follow."""
        self._vcenter = vcenter
        self._wait: Final = max(1, min(_TURN, int(vcenter.timeout / 2)))
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._followed: dict[str, list[Followed]] = {}
        self._collector: Any = None
        self._view: Any = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._failure: str | None = None
        self._asked = monotonic()

    @property
    def problem(self) -> str | None:
        """Why nothing is known of the tasks at present, or None."""
        silent = monotonic() - self._asked
        if self._failure is None and silent > self._wait + _GRACE:
            return f"the vCenter has not answered for {silent:.0f} s"
        return self._failure

    def follow(self, followed: Followed) -> None:
        """Follow a task from its present state on."""
        task = moid(followed.task)
        with self._lock:
            if self._closed:
                followed.end(lost=_CLOSED)
                return
            others = self._followed.setdefault(task, [])
            others.append(followed)
            if self._view is not None and len(others) == 1:
                with suppress(*EDGE):  # the thread makes the list anew
                    self._view.ModifyListView(add=[followed.task])
            self._wake.set()
            if self._thread is None:
                self._asked = monotonic()
                self._thread = threading.Thread(
                    target=self._watch, name="vCenter tasks", daemon=True
                )
                self._thread.start()
        # A change from here on is told by the collector; what was before is read.
        with suppress(Exception):  # the thread will find out by itself
            self._read([followed], first=True)

    def close(self) -> None:
        """End watching; what is still followed is lost."""
        with self._lock:
            self._closed = True
            self._wake.set()
            thread = self._thread
            own = self._let_go()
        own.destroy()  # this ends the call that waits, too
        if thread is not None and thread is not threading.current_thread():
            thread.join(_FIRST)
        self._lose(_CLOSED)

    # --- the thread ------------------------------------------------------------------------------

    def _watch(self) -> None:
        version, pause, failed = "", _FIRST, None
        while self._goes_on():
            try:
                version = self._turn(version)
            except Exception as error:  # noqa: BLE001 - whatever breaks, somebody waits for the end
                now = monotonic()
                failed = failed or now
                version = ""
                if isinstance(error, vmodl.fault.RequestCanceled):
                    continue  # by close()
                self._failure = str(error if isinstance(error, MigrateError) else Fault.of(error))
                if now - failed > _PATIENCE or self._hopeless(error):
                    self._lose(f"the task cannot be watched any longer: {self._failure}")
                    continue
                self._wake.clear()
                self._wake.wait(pause)
                pause = min(pause * 2, _LONGEST)
            else:
                pause, failed = _FIRST, None
                self._failure = None

    def _goes_on(self) -> bool:
        """Whether there is something to watch; what has ended is cleared away."""
        with self._lock:
            over = []
            for task, all_of_it in [*self._followed.items()]:
                left = [each for each in all_of_it if not each.over]
                if left:
                    self._followed[task] = left
                else:
                    over.append(self._followed.pop(task)[0].task)
            ends = self._closed or not self._followed
            if ends:
                self._thread = None
                own = self._let_go()
            elif over and self._view is not None:
                with suppress(*EDGE):
                    self._view.ModifyListView(remove=over)
        if ends:
            own.destroy()
        return not ends

    def _turn(self, version: str) -> str:
        """Wait once for changes; gives the version to go on with."""
        if not version:
            self._begin()
        collector = self._collector
        if collector is None:
            return ""
        self._asked = monotonic()
        options = _Collector.WaitOptions(maxWaitSeconds=self._wait)
        update = collector.WaitForUpdatesEx(version, options)
        if update is None:
            self._read(self._all())
            return version
        for each in update.filterSet or ():
            for changed in each.objectSet or ():
                self._take(changed)
        return str(update.version)

    def _begin(self) -> None:
        """Make the list and the collector anew, and read how all tasks are now."""
        # This logs in again where the session has been ended, and finds out what is gone.
        self._read(self._all())
        content = self._vcenter.content
        with self._lock:
            old = self._let_go()
            if self._closed:
                return
            tasks = [each[0].task for each in self._followed.values() if not each[0].over]
            self._view = content.viewManager.CreateListView(tasks)
            self._collector = content.propertyCollector.CreatePropertyCollector()
            along = _Collector.TraversalSpec(type=type(self._view), path="view", skip=False)
            spec = _Collector.FilterSpec(
                objectSet=[_Collector.ObjectSpec(obj=self._view, skip=True, selectSet=[along])],
                propSet=[_Collector.PropertySpec(type=vim.Task, pathSet=list(_PATHS), all=False)],
            )
            self._collector.CreateFilter(spec, partialUpdates=False)
        old.destroy()

    def _let_go(self) -> _Own:
        """Take what was made in the vCenter out of use."""
        own = _Own(self._collector, self._view)
        self._collector = self._view = None
        return own

    def _all(self) -> list[Followed]:
        with self._lock:
            return [each for all_of_it in self._followed.values() for each in all_of_it]

    def _take(self, changed: Any) -> None:  # noqa: ANN401 - pyVmomi is untyped
        with self._lock:
            all_of_it = [*self._followed.get(moid(changed.obj), ())]
        if str(changed.kind) == "leave":  # of our list, or of the vCenter
            self._read(all_of_it)
            return
        values = [(each.name, each.val) for each in changed.changeSet or ()]
        for followed in all_of_it:
            followed.tell(values)

    def _read(self, watched: Iterable[Followed], *, first: bool = False) -> None:
        """Read how tasks are now."""
        left: dict[str, list[Followed]] = {}
        for followed in watched:
            if not followed.over:
                left.setdefault(moid(followed.task), []).append(followed)
        if not left:
            return
        tasks = [all_of_it[0].task for all_of_it in left.values()]
        for found in read(self._vcenter, tasks, _PATHS):
            for followed in left.pop(found.key.moid):
                followed.tell(found.values.items(), first=first)
        for all_of_it in left.values():
            for followed in all_of_it:
                followed.end()

    def _lose(self, why: str) -> None:
        for followed in self._all():
            followed.end(lost=why)

    @staticmethod
    def _hopeless(error: BaseException) -> bool:
        """Whether asking again does harm: a wrong password, again and again, locks a user out."""
        if isinstance(error, vim.fault.NotAuthenticated):  # a kind of NoPermission
            return False
        refused = (AuthenticationError, vim.fault.InvalidLogin, vim.fault.NoPermission)
        return isinstance(error, refused)


def tasks_of(vcenter: VCenter, guest: Any) -> list[Found]:  # noqa: ANN401 - pyVmomi is untyped
    """Read the recent tasks with *guest*, those that have ended too, in one call.

    Raises:
        DriverError: They cannot be read.
    """
    manager = vcenter.content.taskManager
    paths = ["info.entity", "info.descriptionId", "info.state"]
    with doing("reading the vCenter's tasks"):
        found = read_along(vcenter, manager, "recentTask", vim.Task, paths)
    wanted = moid(guest)
    return [task for task in found if id_of(task.values.get("info.entity")) == wanted]


def relocations(vcenter: VCenter, guest: Any) -> list[Found]:  # noqa: ANN401 - pyVmomi is untyped
    """Read which recent tasks move *guest*, those that have ended too.

    Raises:
        DriverError: They cannot be read.
    """
    return [
        task
        for task in tasks_of(vcenter, guest)
        if str(task.values.get("info.descriptionId", "")).startswith(MOVES)
    ]


def under_way(vcenter: VCenter, guest: Any) -> Found | None:  # noqa: ANN401 - pyVmomi is untyped
    """Find the task that moves *guest* now, or give None.

    Raises:
        DriverError: The tasks cannot be read.
    """
    for task in relocations(vcenter, guest):
        if str(task.values.get("info.state")) not in ENDS:
            return task
    return None
