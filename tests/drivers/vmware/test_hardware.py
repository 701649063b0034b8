# ruff: noqa: ANN401, E501 - pyVmomi is untyped; a row of a table stays in one line
"""What pyVmomi's devices, and its answers to questions, are taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest
from pyVmomi import vim, vmodl

from migrate_plugins_vmware.checks import questions
from migrate_plugins_vmware.checks.hardware import read_devices
from migrate_plugins_vmware.checks.questions import ask_privileges, ask_verdict
from migrate_plugins_vmware.checks.reading import Backing, Kind, Privileges, Verdict
from migrate_plugins_vmware.inventory import Found, Key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migrate_plugins_vmware.vcenter import VCenter

Device = vim.vm.device
Disk = Device.VirtualDisk
Card = Device.VirtualEthernetCard
Pci = Device.VirtualPCIPassthrough
STORE = vim.Datastore("datastore-1")
LAN = vim.Network("network-1")


def connected(device: Any, *, is_: bool) -> Any:
    device.connectable = Device.VirtualDevice.ConnectInfo(
        connected=is_, startConnected=is_, allowGuestControl=True
    )
    return device


# fmt: off
DEVICES: list[tuple[Any, Kind, Backing, dict[str, object]]] = [
    # device, kind, backing, what else is told of it
    (Disk(key=1, capacityInBytes=5, backing=Disk.FlatVer2BackingInfo(
        fileName="[ssd] a.vmdk", datastore=STORE, diskMode="persistent", sharing="sharingNone")),
     Kind.DISK, Backing.FILE,
     {"name": "[ssd] a.vmdk", "datastore": "datastore-1", "mode": "persistent", "size": 5, "shared": None}),
    (Disk(key=1, capacityInKB=4, backing=Disk.SeSparseBackingInfo(fileName="[ssd] a.vmdk", diskMode="append")),
     Kind.DISK, Backing.FILE, {"mode": "append", "size": 4096, "datastore": None}),
    (Disk(key=1, backing=Disk.FlatVer2BackingInfo(fileName="[ssd] a.vmdk", sharing="sharingMultiWriter")),
     Kind.DISK, Backing.FILE, {"shared": "sharingMultiWriter", "size": None}),
    (Disk(key=1, backing=Disk.RawDiskMappingVer1BackingInfo(fileName="[ssd] a.vmdk", deviceName="vml.1")),
     Kind.DISK, Backing.LUN, {"name": "vml.1"}),
    (Device.VirtualLsiLogicController(key=1000, sharedBus="physicalSharing"), Kind.CONTROLLER, Backing.NONE,
     {"shared": "physicalSharing"}),
    (Device.ParaVirtualSCSIController(key=1000, sharedBus="noSharing"), Kind.CONTROLLER, Backing.NONE,
     {"shared": None}),
    (Device.VirtualVmxnet3(key=4, backing=Card.NetworkBackingInfo(deviceName="lan", network=LAN)),
     Kind.ADAPTER, Backing.NETWORK, {"network": "network-1", "name": "lan"}),
    (Device.VirtualE1000e(key=4, backing=Card.NetworkBackingInfo(deviceName="lan")),
     Kind.ADAPTER, Backing.NETWORK, {"network": "network-9"}),
    (Device.VirtualE1000(key=4, backing=Card.NetworkBackingInfo(deviceName="wan")),
     Kind.ADAPTER, Backing.NETWORK, {"network": None}),
    (Device.VirtualVmxnet3(key=4, backing=Card.DistributedVirtualPortBackingInfo(
        port=vim.dvs.PortConnection(portgroupKey="dvportgroup-1", switchUuid="u"))),
     Kind.ADAPTER, Backing.NETWORK, {"network": "dvportgroup-1"}),
    (Device.VirtualVmxnet3(key=4, backing=Card.OpaqueNetworkBackingInfo(
        opaqueNetworkId="o", opaqueNetworkType="nsx.LogicalSwitch")), Kind.ADAPTER, Backing.NETWORK, {"network": None}),
    (Device.VirtualSriovEthernetCard(key=4), Kind.PCI, Backing.NONE, {}),
    (Pci(key=13, backing=Pci.DeviceBackingInfo(id="0:1", deviceId="1", systemId="s", vendorId=1, deviceName="GPU")),
     Kind.PCI, Backing.HOST, {"name": "GPU"}),
    (Pci(key=13, backing=Pci.DynamicBackingInfo(deviceName="")), Kind.PCI, Backing.HOST, {"name": None}),
    (Pci(key=13, backing=Pci.VmiopBackingInfo(vgpu="grid_p40")), Kind.PCI, Backing.VGPU, {"name": "grid_p40"}),
    (Device.VirtualUSB(key=7, backing=Device.VirtualUSB.USBBackingInfo(deviceName="path:1/0")),
     Kind.USB, Backing.HOST, {"name": "path:1/0"}),
    (Device.VirtualUSB(key=7, backing=Device.VirtualUSB.RemoteHostBackingInfo(deviceName="path:1/0", hostname="h1")),
     Kind.USB, Backing.REMOTE_HOST, {}),
    (Device.VirtualUSB(key=7, backing=Device.VirtualUSB.RemoteClientBackingInfo(deviceName="d", hostname="pc")),
     Kind.USB, Backing.CLIENT, {}),
    (connected(Device.VirtualCdrom(key=3, backing=Device.VirtualCdrom.IsoBackingInfo(
        fileName="[iso] a.iso", datastore=STORE)), is_=True),
     Kind.CDROM, Backing.FILE, {"connected": True, "datastore": "datastore-1"}),
    (connected(Device.VirtualCdrom(key=3, backing=Device.VirtualCdrom.RemotePassthroughBackingInfo(
        deviceName="", exclusive=False)), is_=False),
     Kind.CDROM, Backing.CLIENT, {"connected": False, "name": None}),
    (connected(Device.VirtualFloppy(key=8, backing=Device.VirtualFloppy.DeviceBackingInfo(deviceName="/dev/fd0")), is_=True),
     Kind.FLOPPY, Backing.HOST, {"connected": True}),
    (Device.VirtualSerialPort(key=9, backing=Device.VirtualSerialPort.PipeBackingInfo(
        pipeName="p", endpoint="client", noRxLoss=True)), Kind.SERIAL, Backing.PIPE, {"connected": True}),
    (Device.VirtualSerialPort(key=9, backing=Device.VirtualSerialPort.URIBackingInfo(
        serviceURI="tcp://h:1", direction="client")), Kind.SERIAL, Backing.NONE, {}),
    (Device.VirtualSerialPort(key=9, backing=Device.VirtualSerialPort.FileBackingInfo(
        fileName="[ssd] out", datastore=STORE)), Kind.SERIAL, Backing.FILE, {"datastore": "datastore-1"}),
    (Device.VirtualParallelPort(key=10, backing=Device.VirtualParallelPort.DeviceBackingInfo(deviceName="lpt")),
     Kind.PARALLEL, Backing.HOST, {}),
    (Device.VirtualSCSIPassthrough(key=11, backing=Device.VirtualSCSIPassthrough.DeviceBackingInfo(deviceName="tape")),
     Kind.SCSI, Backing.HOST, {}),
]
# fmt: on


@pytest.mark.parametrize(("device", "kind", "backing", "more"), DEVICES)
def test_device_is_told_by_kind_and_backing(
    device: Any, kind: Kind, backing: Backing, more: dict[str, object]
) -> None:
    (read,) = read_devices([device], {"lan": "network-9"})

    assert (read.kind, read.backing) == (kind, backing)
    assert {name: getattr(read, name) for name in more} == more


def test_device_that_nobody_asks_for_is_left_out() -> None:
    devices = [Device.VirtualKeyboard(key=600), Device.VirtualIDEController(key=200)]

    assert [*read_devices(devices, {})] == []


# --- questions -----------------------------------------------------------------------------------

GUEST, POOL = vim.VirtualMachine("vm-1"), vim.ResourcePool("resgroup-1")
WANTED = [
    (GUEST, "web1", ("Resource.ColdMigrate", "Resource.HotMigrate")),
    (POOL, "the pool prod", ("Resource.AssignVMToPool",)),
]
Granted = vim.AuthorizationManager.PrivilegeAvailability


class Told(NamedTuple):
    """A vCenter that gives one answer, or one fault, to every question."""

    content: Any

    def reading(self, call: Callable[[], Any]) -> Any:
        return call()


class Asked:
    """The part of a vCenter that answers."""

    currentSession = sessionManager = None  # noqa: N815 - vSphere's names

    def __init__(self, answer: object) -> None:
        self._answer = answer
        self.authorizationManager = self.vmProvisioningChecker = self

    def _tell(self, *_: object) -> object:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    HasPrivilegeOnEntities = CheckRelocate_Task = _tell


def vcenter(answer: object) -> VCenter:
    return cast("VCenter", Told(Asked(answer)))


def reads(monkeypatch: pytest.MonkeyPatch, **values: object) -> None:
    """Have every read give these values."""

    def read(_: object, objects: Sequence[Any], paths: Sequence[str]) -> list[Found]:
        told = {
            path: values[path.rpartition(".")[2]]
            for path in paths
            if path.rpartition(".")[2] in values
        }
        return [Found(Key("", ""), each, told, {}) for each in objects]

    monkeypatch.setattr(questions, "read", read)


def granted(*names: str) -> list[Any]:
    return [
        vim.AuthorizationManager.EntityPrivilege(
            entity=entity,
            privAvailability=[
                Granted(privId=each, isGranted=each in names)
                for each in (
                    "Resource.ColdMigrate",
                    "Resource.HotMigrate",
                    "Resource.AssignVMToPool",
                )
            ],
        )
        for entity in (GUEST, POOL)
    ]


# fmt: off
PRIVILEGES: list[tuple[object, Privileges]] = [
    # what the vCenter answers, what is made of it
    (granted("Resource.ColdMigrate", "Resource.HotMigrate", "Resource.AssignVMToPool"), Privileges()),
    (granted("Resource.ColdMigrate"), Privileges((
        ("Resource.HotMigrate", "web1"), ("Resource.AssignVMToPool", "the pool prod")))),
    ([],                                Privileges(tuple(
        (name, where) for _, where, names in WANTED for name in names))),
    (vmodl.fault.MethodNotFound(),      Privileges(unasked="it has no such call")),
    (vim.fault.NoPermission(),          Privileges(unasked="vim.fault.NoPermission")),
    (ConnectionResetError("gone"),      Privileges(unasked="ConnectionResetError: gone")),
]
VERDICTS: list[tuple[object, dict[str, object], Verdict]] = [
    # what the call gives, what the task says then, what is made of it
    (None, {"state": "success", "result": []},           Verdict()),
    (None, {"state": "success", "result": [vim.vm.check.Result(
        error=[vmodl.LocalizedMethodFault(fault=vim.fault.NoDiskSpace(), localizedMessage="full")],
        warning=[vmodl.LocalizedMethodFault(fault=vim.fault.NoGuestHeartbeat())])]},
     Verdict((("vim.fault.NoDiskSpace", "vim.fault.NoDiskSpace: full"),),
             (("vim.fault.NoGuestHeartbeat", "vim.fault.NoGuestHeartbeat"),))),
    (None, {"state": "error", "error": vmodl.fault.NotSupported()}, Verdict(unasked="it has no such call")),
    (None, {"state": "error", "error": vim.fault.DatacenterMismatch()},
     Verdict((("vim.fault.DatacenterMismatch", "vim.fault.DatacenterMismatch"),))),
    (vmodl.fault.MethodNotFound(),      {}, Verdict(unasked="it has no such call")),
    (vmodl.fault.NotSupported(),        {}, Verdict(unasked="it has no such call")),
    (vim.fault.NoPermission(),          {}, Verdict(unasked="vim.fault.NoPermission")),
    (TimeoutError("timed out"),         {}, Verdict(unasked="TimeoutError: timed out")),
    (vim.fault.InvalidState(),          {}, Verdict((("vim.fault.InvalidState", "vim.fault.InvalidState"),))),
]
# fmt: on


@pytest.mark.parametrize(("answer", "made"), PRIVILEGES)
def test_privileges(monkeypatch: pytest.MonkeyPatch, answer: object, made: Privileges) -> None:
    reads(monkeypatch, key="session")

    assert ask_privileges(vcenter(answer), WANTED) == made


@pytest.mark.parametrize(("answer", "task", "made"), VERDICTS)
def test_verdict(
    monkeypatch: pytest.MonkeyPatch, answer: object, task: dict[str, object], made: Verdict
) -> None:
    reads(monkeypatch, **task)

    assert ask_verdict(vcenter(answer), GUEST, None) == made


def test_verdict_that_does_not_come_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    reads(monkeypatch, state="running")
    monkeypatch.setattr(questions, "_PATIENCE", 0.3)

    assert ask_verdict(vcenter(None), GUEST, None).unasked == "it gave no answer within 0 s"


def test_verdict_that_pyvmomi_cannot_read_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> list[Found]:
        raise KeyError("urn:vim25 FaultOfTomorrow")

    monkeypatch.setattr(questions, "read", read)

    told = ask_verdict(vcenter(None), GUEST, None).unasked
    assert told == "its answer cannot be read: KeyError: 'urn:vim25 FaultOfTomorrow'"
