"""What a vCenter is asked that is no property: would it do the move, and may the user."""

from __future__ import annotations

from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

from pyVmomi import vim, vmodl

from migrate_plugins_vmware.checks.reading import Privileges, Verdict
from migrate_plugins_vmware.faults import EDGE, TRANSPORT, Fault
from migrate_plugins_vmware.inventory import moid, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate_plugins_vmware.vcenter import VCenter

__all__ = ["Wanted", "ask_privileges", "ask_verdict"]

# Seconds for a verdict: a vCenter asks both hosts.
_PATIENCE: Final = 30.0
_PAUSE: Final = 0.1

# The server has no such call, or not for this.
_NO_SUCH: Final = (vmodl.fault.MethodNotFound, vmodl.fault.NotSupported)
# What pyVmomi comes to where an answer holds a type that it does not know.
_UNREADABLE: Final = (AttributeError, KeyError, TypeError, ValueError)
_NO_CALL: Final = "it has no such call"

# An object, its name, and the privileges that are needed on it.
Wanted = tuple[Any, str, tuple[str, ...]]


def ask_verdict(vcenter: VCenter, guest: Any, spec: Any) -> Verdict:  # noqa: ANN401 - pyVmomi is untyped
    """Ask whether the vCenter would do what *spec* says, and wait for the answer.

    It changes nothing; the vCenter lists it among its tasks.
    """
    checker = vcenter.content.vmProvisioningChecker
    if checker is None:
        return Verdict(unasked=_NO_CALL)
    try:
        task = vcenter.reading(lambda: checker.CheckRelocate_Task(guest, spec))
    except (*_NO_SUCH, vim.fault.NoPermission, *TRANSPORT) as error:
        return Verdict(unasked=_why(error))
    except vmodl.MethodFault as error:
        # What it refuses to look at, it refuses to do.
        return Verdict(errors=(_told(error),))
    return _answer(vcenter, task)


def ask_privileges(vcenter: VCenter, wanted: Sequence[Wanted]) -> Privileges:
    """Ask which of the *wanted* privileges the user lacks, in one call."""
    manager = vcenter.content.authorizationManager
    entities = [entity for entity, _, _ in wanted]
    needed = list(dict.fromkeys(one for _, _, privileges in wanted for one in privileges))
    try:
        (session,) = read(vcenter, [vcenter.content.sessionManager], ["currentSession.key"])
        key = session.values.get("currentSession.key")
        if manager is None or key is None:
            return Privileges(unasked=_NO_CALL)
        granted = vcenter.reading(lambda: manager.HasPrivilegeOnEntities(entities, key, needed))
    except EDGE as error:
        return Privileges(unasked=_why(error))
    has = {
        (moid(each.entity), one.privId)
        for each in granted
        for one in each.privAvailability
        if one.isGranted
    }
    missing = [
        (privilege, name)
        for entity, name, privileges in wanted
        for privilege in privileges
        if (moid(entity), privilege) not in has
    ]
    return Privileges(tuple(missing))


def _answer(vcenter: VCenter, task: Any) -> Verdict:  # noqa: ANN401 - pyVmomi is untyped
    end = monotonic() + _PATIENCE
    while monotonic() < end:
        try:
            found = read(vcenter, [task], ["info.state", "info.result", "info.error"])
        except EDGE as error:
            return Verdict(unasked=_why(error))
        except _UNREADABLE as error:
            return Verdict(unasked=f"its answer cannot be read: {Fault.of(error)}")
        values = found[0].values if found else {}
        state = str(values.get("info.state", ""))
        if state == "success":
            return _verdict(values.get("info.result") or ())
        if state == "error" and "info.error" in values:
            fault = values["info.error"]
            if isinstance(fault, _NO_SUCH):
                return Verdict(unasked=_why(fault))
            return Verdict(errors=(_told(fault),))
        if not found:
            return Verdict(unasked="its answer is gone")
        sleep(_PAUSE)
    return Verdict(unasked=f"it gave no answer within {_PATIENCE:.0f} s")


def _verdict(results: Sequence[Any]) -> Verdict:
    return Verdict(
        tuple(_told(fault) for each in results for fault in each.error or ()),
        tuple(_told(fault) for each in results for fault in each.warning or ()),
    )


def _told(error: Any) -> tuple[str, str]:  # noqa: ANN401 - pyVmomi is untyped
    fault = Fault.of(error)
    return fault.kind, str(fault)


def _why(error: Any) -> str:  # noqa: ANN401 - pyVmomi is untyped
    return _NO_CALL if isinstance(error, _NO_SUCH) else str(Fault.of(error))
