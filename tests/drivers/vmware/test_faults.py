"""vSphere's faults and a broken transport come out as our errors, whole and alone."""

from __future__ import annotations

import gc
import pickle
import socket
import ssl
from http.client import RemoteDisconnected
from traceback import walk_tb
from types import TracebackType
from typing import Any
from xml.parsers.expat import ExpatError

import pytest
from pyVmomi import vim, vmodl
from pyVmomi.VmomiSupport import GetVmodlType, _dataDefMap

from migrate_plugins import AuthenticationError, ConnectError, DriverError, MigrateError
from migrate_plugins_vmware.credentials import Credentials
from migrate_plugins_vmware.faults import Fault, connecting, doing
from migrate_plugins_vmware.tls import PinError, Trust

DECLARED = vim.VirtualMachine._methodInfo["Relocate"].faults
TASK = vim.Task("task-7")
VM = vim.VirtualMachine("vm-42")


def message(text: str | None, key: str = "key") -> Any:  # noqa: ANN401 - pyVmomi is untyped
    return vmodl.LocalizableMessage(key=key, message=text)


# fmt: off
TOLD: list[tuple[Any, str]] = [
    # error, how it is told
    (vim.fault.TaskInProgress(task=TASK),
     "vim.fault.TaskInProgress (task=vim.Task:task-7)"),
    (vim.fault.TaskInProgress(task=TASK, msg="It is busy."),
     "vim.fault.TaskInProgress: It is busy. (task=vim.Task:task-7)"),
    (vmodl.fault.InvalidArgument(msg="A parameter was not correct: spec.pool",
                                 invalidProperty="spec.pool"),
     ("vmodl.fault.InvalidArgument: A parameter was not correct: spec.pool"
      " (invalidProperty=spec.pool)")),
    (vmodl.fault.ManagedObjectNotFound(obj=VM),
     "vmodl.fault.ManagedObjectNotFound (obj=vim.VirtualMachine:vm-42)"),
    (vim.fault.MigrationFault(msg="Failed.", faultMessage=[
        message("Failed."), message("vMotion timed out"), message(None, "com.vmware.x"),
        message("vMotion timed out")]),
     "vim.fault.MigrationFault: Failed.; vMotion timed out; com.vmware.x"),
    (vim.fault.MigrationFault(faultCause=vmodl.fault.RequestCanceled(msg="Cancelled.")),
     "vim.fault.MigrationFault; caused by vmodl.fault.RequestCanceled: Cancelled."),
    (vim.fault.DisallowedMigrationDeviceAttached(
        fault=vmodl.MethodFault(msg="It has a device.")),
     "vim.fault.DisallowedMigrationDeviceAttached (fault=[vmodl.MethodFault: It has a device.])"),
    (vim.fault.InvalidPowerState(requestedState="poweredOn", existingState="poweredOff"),
     "vim.fault.InvalidPowerState (requestedState=poweredOn, existingState=poweredOff)"),
    (vmodl.fault.NotSupported(), "vmodl.fault.NotSupported"),
    (vmodl.LocalizedMethodFault(fault=vmodl.fault.SystemError(reason="why"),
                                localizedMessage="It failed."),
     "vmodl.fault.SystemError: It failed. (reason=why)"),
    (RemoteDisconnected("Remote end closed connection"),
     "RemoteDisconnected: Remote end closed connection"),
    (TimeoutError("timed out"), "TimeoutError: timed out"),
    (ExpatError("no element found"), "ExpatError: no element found"),
    (PinError("ab"), "PinError: the certificate is not the pinned one, but that of AB"),
]

REFUSED: list[tuple[Any, type[ConnectError], str]] = [
    # error while a connection is opened, ours, what is told
    (vim.fault.InvalidLogin(msg="No."), AuthenticationError,
     "vc does not take ann with the password of /a/auth.conf (vim.fault.InvalidLogin: No.)"),
    (vim.fault.NoPermission(privilegeId="System.View"), AuthenticationError,
     "vim.fault.NoPermission (privilegeId=System.View)"),
    (vim.fault.NotAuthenticated(), AuthenticationError, "vim.fault.NotAuthenticated"),
    (vmodl.fault.NotSupported(), ConnectError, "vmodl.fault.NotSupported"),
    (TimeoutError(), ConnectError, "vc:443 does not answer; see that it runs"),
    (ConnectionRefusedError(), ConnectError, "nobody listens at vc:443; name the https port"),
    (socket.gaierror(-2, "Name unknown"), ConnectError, "the name vc is not known: Name unknown"),
    (OSError(113, "No route to host"), ConnectError, "vc:443 cannot be reached: No route to host"),
    (RemoteDisconnected("gone"), ConnectError, "vc:443 answers, and is no vSphere server (Rem"),
    (ExpatError("bad"), ConnectError, "vc:443 answers, and is no vSphere server (Exp"),
    (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1)"), ConnectError,
     "port 443 does not speak TLS"),
    (PinError("ab"), ConnectError, "it shows another certificate than thumbprint=CD: that of AB"),
]
# fmt: on


@pytest.mark.parametrize(("error", "told"), TOLD, ids=lambda value: type(value).__name__)
def test_error_is_told_in_one_line(error: Any, told: str) -> None:  # noqa: ANN401 - see above
    assert str(Fault.of(error)) == told
    assert "\n" not in told


@pytest.mark.parametrize("name", DECLARED)
def test_fault_that_a_relocation_declares_is_ours_and_alone(name: str) -> None:
    kind = GetVmodlType(name)

    with pytest.raises(DriverError) as caught, doing("moving web1"):
        raise kind(msg="It failed.", faultMessage=[message("why")])

    error = caught.value
    assert str(error).startswith(f"moving web1 failed: {name}: It failed.; why")
    assert (error.__cause__, error.__context__) == (None, None)
    assert _reaches_no_fault(error)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - what we have just written
    assert (again.action, again.problem) == (error.action, error.problem)


def test_all_faults_of_vsphere_can_be_told() -> None:
    kinds = map(GetVmodlType, sorted(name for name in _dataDefMap if ".fault." in name))
    faults = [kind for kind in kinds if issubclass(kind, vmodl.MethodFault)]

    assert len(faults) > 500
    for kind in faults:
        assert str(Fault.of(kind(msg="text"))).startswith(f"{kind.__name__}: text")


def test_fault_that_is_its_own_cause_ends() -> None:
    fault = vim.fault.MigrationFault()
    fault.faultCause = fault

    assert str(Fault.of(fault)).count("caused by") == 4


@pytest.mark.parametrize(
    ("error", "kind", "told"), REFUSED, ids=lambda value: getattr(value, "__name__", None)
)
def test_failed_opening_says_what_would_work(
    error: BaseException, kind: type[ConnectError], told: str
) -> None:
    ann = Credentials("ann", "topsecret", "of /a/auth.conf")
    opening = connecting("vpx://vc/DC/h", "vc", 443, Trust(thumbprint="cd"), ann)

    with pytest.raises(ConnectError) as caught, opening:
        raise error

    assert type(caught.value) is kind
    assert caught.value.problem.startswith(told)
    assert caught.value.uri == "vpx://vc/DC/h"
    assert "topsecret" not in f"{caught.value} {ann!r}"
    assert caught.value.__context__ is None


@pytest.mark.parametrize("error", [KeyError("x"), DriverError("x", problem="y"), SystemExit()])
def test_other_errors_pass(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, doing("something"):
        raise error

    assert caught.value is error


def _reaches_no_fault(error: MigrateError) -> bool:
    """Look for a fault of pyVmomi in what our error holds, but for the test's own frame."""
    frames = [frame for frame, _ in walk_tb(error.__traceback__)][1:]
    left: list[object] = [vars(error), error.args, error.__context__, error.__cause__]
    left += [frame.f_locals for frame in frames]
    seen = set()
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, (vmodl.MethodFault, vim.ManagedEntity)):
            return False
        if isinstance(one, (dict, tuple, list, TracebackType)):
            left += gc.get_referents(one)
    return True
