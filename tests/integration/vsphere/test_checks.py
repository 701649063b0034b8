"""What a check finds on a vCenter: each caused there, through the vSphere API.

What no endpoint of ours can show is in tests/drivers/vmware/test_checks.py alone: EVC, privileges,
lockdown, fault tolerance, datastores that are read-only or full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pyVmomi import vim

from migrate_plugins import BlockedError, ConnectError, ExitCode, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from vsphere.arena import Arena
    from vsphere.endpoint import Endpoint

    from conftest import LogIn
    from migrate_plugins import Finding, Migrator, Report

Device = vim.vm.device
Change = Device.VirtualDeviceSpec

# What every check says of a guest that runs and that nothing hinders.
ALWAYS = {
    "encryption-up-to-guest": "info",
    "vmotion-path-unknown": "info",
    "processor-unknown": "info",
}
REFUSED = {"relocate-refused": "error"}
ENCRYPTED = {"vmotion-encrypted": "info"}
COLD = {"encryption-up-to-guest": "info"}


def checked(migrator: Migrator, arena: Arena, to: Any, *options: str, **fields: Any) -> Report:
    plan = migrator.plan(
        arena.guest,
        arena.uri(fields.pop("source", arena.source)),
        arena.uri(to),
        live=not fields.get("offline"),
        options=options,
        **fields,
    )
    return migrator.check(plan)


def told(report: Report) -> dict[str, str]:
    return {finding.id: finding.severity.value for finding in report.findings}


def finding(report: Report, id_: str) -> Finding:
    (found,) = (each for each in report.findings if each.id == id_)
    return found


def reconfigured(arena: Arena, **spec: Any) -> None:
    arena.ended(arena.vm.ReconfigVM_Task(vim.vm.ConfigSpec(**spec)))


def extra(arena: Arena, key: str, value: str) -> None:
    reconfigured(arena, extraConfig=[vim.option.OptionValue(key=key, value=value)])


def given(arena: Arena, device: Any) -> None:
    reconfigured(arena, deviceChange=[Change(operation="add", device=device)])


def drive(arena: Arena, backing: Any) -> None:
    """Put something into the guest's CD drive, and connect it."""
    (device,) = (
        each for each in arena.vm.config.hardware.device if isinstance(each, Device.VirtualCdrom)
    )
    device.backing = backing
    device.connectable = Device.VirtualDevice.ConnectInfo(
        connected=True, startConnected=True, allowGuestControl=True
    )
    reconfigured(arena, deviceChange=[Change(operation="edit", device=device)])


def local_store(arena: Arena) -> Any:
    """Make a datastore of the source alone."""
    system = arena.source.configManager.datastoreSystem
    return system.CreateLocalDatastore("alone", str(arena.endpoint.folder))


def moved_to_local_store(arena: Arena) -> None:
    spec = vim.vm.RelocateSpec(datastore=local_store(arena))
    arena.ended(arena.vm.RelocateVM_Task(spec))


def image_of_local_store(arena: Arena) -> None:
    store = local_store(arena)
    drive(
        arena,
        Device.VirtualCdrom.IsoBackingInfo(fileName="[alone] tools.iso", datastore=store),
    )


def network_of_source(arena: Arena) -> None:
    """Make a network of the source alone, and put the guest on it."""
    arena.source.configManager.networkSystem.AddPortGroup(
        vim.host.PortGroup.Specification(
            name="backstage",
            vlanId=0,
            vswitchName="vSwitch0",
            policy=vim.host.NetworkPolicy(),
        )
    )
    (card,) = arena.cards()
    network = arena.named(vim.Network)["backstage"]
    card.connectable.connected = True
    card.backing = Device.VirtualEthernetCard.NetworkBackingInfo(
        deviceName="backstage", network=network
    )
    reconfigured(arena, deviceChange=[Change(operation="edit", device=card)])


def snapshot(arena: Arena) -> None:
    arena.ended(arena.vm.CreateSnapshot_Task("before", "", False, False))


def vmotion(host: Any, *, enabled: bool) -> None:
    manager = host.configManager.virtualNicManager
    turn = manager.SelectVnicForNicType if enabled else manager.DeselectVnicForNicType
    turn("vmotion", "vmk0")


def both(*causes: Callable[[Arena], object]) -> Callable[[Arena], object]:
    return lambda arena: [cause(arena) for cause in causes]


def power_off(arena: Arena) -> None:
    arena.power_off()


# fmt: off
CAUSES: list[tuple[str, Callable[[Arena], object], tuple[str, ...], dict[str, str]]] = [
    # what is done, how, own options, findings beside those that are always there
    ("nothing",                 lambda _: None,                  (), ENCRYPTED),
    ("off",                     power_off,                       (), {"guest-powered-off": "info"}),
    ("suspended",               lambda a: a.ended(a.vm.SuspendVM_Task()), (),
     {"guest-suspended": "warning", "processor-unknown": "info"}),
    ("a template",              both(power_off, lambda a: a.vm.MarkAsTemplate()), (),
     {"guest-template": "error"}),
    ("snapshots stay",          snapshot,                        (), ENCRYPTED),
    ("snapshots move",          snapshot,                        ("datastore=LocalDS_1",),
     ENCRYPTED | {"guest-snapshots": "warning"}),
    ("snapshots torn apart",    snapshot,                        ("disk=scsi0:0:LocalDS_1",),
     ENCRYPTED | {"guest-snapshots": "error"}),
    ("destination maintained",  lambda a: a.ended(a.neighbour.EnterMaintenanceMode_Task(0)), (),
     ENCRYPTED | REFUSED | {"destination-in-maintenance": "error"}),
    ("destination gone",        lambda a: a.ended(a.neighbour.DisconnectHost_Task()), (),
     ENCRYPTED | REFUSED | {"host-disconnected": "error"}),
    ("vMotion turned off",      lambda a: vmotion(a.neighbour, enabled=False), (),
     ENCRYPTED | REFUSED | {"vmotion-not-enabled": "error"}),
    ("vMotion on again",        lambda a: [vmotion(a.neighbour, enabled=on) for on in (False, True)], (),
     ENCRYPTED),
    ("turned off on source",    lambda a: vmotion(a.source, enabled=False), (),
     ENCRYPTED | REFUSED | {"vmotion-not-enabled": "error"}),
    ("vMotion off, guest off",  both(power_off, lambda a: vmotion(a.neighbour, enabled=False)), (),
     {"guest-powered-off": "info"}),
    ("files of the source",     moved_to_local_store,            (),
     ENCRYPTED | REFUSED | {"datastore-missing": "error"}),
    ("files that come along",   moved_to_local_store,            ("datastore=LocalDS_1",), ENCRYPTED),
    ("image of the source",     image_of_local_store,            (),
     ENCRYPTED | {"device-file-not-there": "error"}),
    ("drive of the host",       lambda a: drive(a, Device.VirtualCdrom.AtapiBackingInfo(deviceName="/dev/cdrom")), (),
     ENCRYPTED | {"device-of-host": "error"}),
    ("drive of a client",       lambda a: drive(a, Device.VirtualCdrom.RemotePassthroughBackingInfo(
        deviceName="", exclusive=False)), (),
     ENCRYPTED | {"device-of-host": "error"}),
    ("network of the source",   network_of_source,               (),
     ENCRYPTED | REFUSED | {"network-not-there": "error"}),
    ("another network there",   network_of_source,               ("network=4000:DC0_DVPG0",), ENCRYPTED),
    ("passed through",          lambda a: given(a, Device.VirtualPCIPassthrough(
        key=-1, backing=Device.VirtualPCIPassthrough.DynamicBackingInfo(deviceName=""))), (),
     ENCRYPTED | REFUSED | {"device-passed-through": "error"}),
    ("serial port",             lambda a: given(a, Device.VirtualSerialPort(
        key=-1, yieldOnPoll=True, backing=Device.VirtualSerialPort.DeviceBackingInfo(deviceName="/dev/char/serial/uart0"))), (),
     ENCRYPTED | {"device-of-host": "error"}),
    ("USB of the host",         lambda a: given(a, Device.VirtualUSB(
        key=-1, connected=True, backing=Device.VirtualUSB.USBBackingInfo(deviceName="path:1/0"))), (),
     ENCRYPTED | {"device-usb": "warning"}),
    ("never encrypted",         lambda a: reconfigured(a, migrateEncryption="disabled"), (),
     {"vmotion-plain-text": "warning"}),
    ("always encrypted",        lambda a: reconfigured(a, migrateEncryption="required"), (), ENCRYPTED),
    ("more memory than there is", lambda a: reconfigured(a, memoryMB=1 << 20), (),
     ENCRYPTED | {"host-memory-short": "error"}),
    ("no such pool",            lambda _: None,                  ("resource-pool=x",),
     ENCRYPTED | {"option-unmet": "error", "relocate-unknown": "info", "privilege-unknown": "info"}),
    ("refused by the vCenter",  lambda a: extra(a, "sim.check.error", "AffinityConfigured"), (),
     ENCRYPTED | {"relocate-refused": "error"}),
    ("warned by the vCenter",   lambda a: extra(a, "sim.check.warning", "NoGuestHeartbeat"), (),
     ENCRYPTED | {"relocate-warned": "warning"}),
]
# fmt: on


@pytest.mark.parametrize(
    ("cause", "options", "expected"), [row[1:] for row in CAUSES], ids=[row[0] for row in CAUSES]
)
def test_check_finds(
    migrator: Migrator,
    arena: Arena,
    cause: Callable[[Arena], object],
    options: tuple[str, ...],
    expected: dict[str, str],
) -> None:
    cause(arena)

    report = checked(migrator, arena, arena.neighbour, *options)

    asleep = {"guest-powered-off", "guest-suspended", "guest-template"} & {*expected}
    core = {"guest-not-running", "moved-already"}
    assert {id_: how for id_, how in told(report).items() if id_ not in core} == expected | (
        COLD if asleep else ALWAYS
    )


def test_guest_of_another_host_is_named(migrator: Migrator, arena: Arena) -> None:
    report = checked(migrator, arena, arena.neighbour, source=arena.far)

    found = {each.id: each for each in report.findings}
    assert report.blocked
    assert (found["moved-already"] if "moved-already" in found else found["guest-elsewhere"]).text
