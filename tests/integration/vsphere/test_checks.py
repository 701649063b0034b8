# ruff: noqa: E501 - a row of a table stays in one line
"""What a check finds on a vCenter: each caused there, through the vSphere API.

What no endpoint of ours can show is in tests/drivers/vmware/test_checks.py alone: EVC, privileges,
lockdown, fault tolerance, datastores that are read-only or full.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from pyVmomi import SoapStubAdapter, vim, vmodl
from vsphere.arena import Arena

from migrate_plugins import BlockedError, ConnectError, DriverError, Severity
from migrate_plugins_vmware.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vsphere.endpoint import Endpoint

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
    arena.done(arena.vm.ReconfigVM_Task(vim.vm.ConfigSpec(**spec)))


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
    arena.done(arena.vm.RelocateVM_Task(spec))


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
    arena.done(arena.vm.CreateSnapshot_Task("before", "", False, False))


def vmotion(host: Any, *, enabled: bool) -> object:
    manager = host.configManager.virtualNicManager
    turn = manager.SelectVnicForNicType if enabled else manager.DeselectVnicForNicType
    return turn("vmotion", "vmk0")


def both(*causes: Callable[[Arena], object]) -> Callable[[Arena], object]:
    return lambda arena: [cause(arena) for cause in causes]


def power_off(arena: Arena) -> None:
    arena.power_off()


# fmt: off
CAUSES: list[tuple[str, Callable[[Arena], object], tuple[str, ...], dict[str, str]]] = [
    # what is done, how, own options, findings beside those that are always there
    ("nothing",                 lambda _: None,                  (), ENCRYPTED),
    ("off",                     power_off,                       (), {"guest-powered-off": "info"}),
    ("suspended",               lambda a: a.done(a.vm.SuspendVM_Task()), (),
     {"guest-suspended": "warning", "processor-unknown": "info"}),
    ("a template",              both(power_off, lambda a: a.vm.MarkAsTemplate()), (),
     {"guest-template": "error"}),
    ("snapshots stay",          snapshot,                        (), ENCRYPTED),
    ("snapshots move",          snapshot,                        ("datastore=LocalDS_1",),
     ENCRYPTED | {"guest-snapshots": "warning"}),
    ("snapshots torn apart",    snapshot,                        ("disk=scsi0:0:LocalDS_1",),
     ENCRYPTED | {"guest-snapshots": "error"}),
    ("destination maintained",  lambda a: a.done(a.neighbour.EnterMaintenanceMode_Task(0)), (),
     ENCRYPTED | REFUSED | {"destination-in-maintenance": "error"}),
    ("destination gone",        lambda a: a.done(a.neighbour.DisconnectHost_Task()), (),
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


def test_guest_that_another_host_has_is_looked_for(migrator: Migrator, arena: Arena) -> None:
    report = checked(migrator, arena, arena.neighbour, source=arena.far)

    found = finding(report, "guest-elsewhere")
    assert (found.severity, found.seen) == (Severity.ERROR, arena.source.name)
    assert not found.acceptable


def test_guest_that_is_there_already_is_no_error(migrator: Migrator, arena: Arena) -> None:
    report = checked(migrator, arena, arena.source, source=arena.neighbour)

    assert told(report) == {"encryption-up-to-guest": "info", "moved-already": "info"}


def test_guest_that_moves_is_busy_and_its_own_check_is_not(
    migrator: Migrator, arena: Arena
) -> None:
    arena.asks(seconds=5)
    task = arena.vm.RelocateVM_Task(vim.vm.RelocateSpec(host=arena.neighbour))

    moving = told(checked(migrator, arena, arena.far))
    task.CancelTask()
    arena.until(lambda: task.info.state == "error")
    asked = [told(checked(migrator, arena, arena.far)) for _ in range(2)]

    assert moving["guest-busy"] == "error"
    assert "guest-task" not in moving
    assert all({"guest-busy", "guest-task"}.isdisjoint(each) for each in asked)


def test_vcenter_is_asked_about_the_move_as_it_would_be(migrator: Migrator, arena: Arena) -> None:
    pool = arena.far.parent.resourcePool
    report = checked(migrator, arena, arena.far)

    peer = f"vpxmigr://127.0.0.1/{pool._moId}/{arena.far._moId}"
    assert peer in finding(report, "vmotion-path-unknown").text
    assert "cluster-changes" in told(report)
    # A plan with what libvirt would write is the same move.
    assert told(checked(migrator, arena, arena.far, migration=peer)).keys() == (
        told(report).keys() - {"cluster-changes"}
    )


def test_verdict_has_the_words_of_the_vcenter(migrator: Migrator, arena: Arena) -> None:
    extra(arena, "sim.check.error", "ToolsInstallationInProgress")

    found = finding(checked(migrator, arena, arena.neighbour), "relocate-refused")

    assert found.seen == "vim.fault.ToolsInstallationInProgress"
    assert migrator.diagnose(found.text)[0].id == "vmware-tools-installing"


def test_refused_move_is_not_begun(migrator: Migrator, arena: Arena) -> None:
    extra(arena, "sim.check.error", "AffinityConfigured")
    plan = migrator.plan(arena.guest, arena.uri(arena.source), arena.uri(arena.far), live=True)

    with pytest.raises(BlockedError, match="relocate-refused"):
        migrator.run(plan)

    assert arena.moves() == []
    assert arena.where() == arena.source.name


def test_what_is_not_wanted_is_not_asked(migrator: Migrator, arena: Arena) -> None:
    plan = migrator.plan(arena.guest, arena.uri(arena.source), arena.uri(arena.far), live=True)

    def asked() -> int:
        count = 0
        for task in arena.content.taskManager.recentTask:
            with suppress(vmodl.fault.ManagedObjectNotFound):
                count += "checkRelocate" in str(task.info.descriptionId)
        return count

    migrator.check(plan, skip=["relocate-refused", "relocate-warned", "relocate-unknown"])
    assert asked() == 0
    migrator.check(plan)
    assert asked() == 1


def test_server_without_the_call_is_never_taken_for_a_yes(
    migrator: Migrator,
    stock: Endpoint,
    log_in: Callable[[Endpoint], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIBVIRT_AUTH_FILE", str(stock.auth_file))
    arena = Arena(stock, log_in(stock))

    report = checked(migrator, arena, arena.neighbour)

    found = finding(report, "relocate-unknown")
    assert (found.severity, found.unknown) == (Severity.INFO, True)
    assert "it has no such call" in found.text
    # The library's hosts have no interface for vMotion, and its guests use a drive of the host.
    assert told(report) == {
        **ALWAYS,
        "relocate-unknown": "info",
        "vmotion-encryption-unknown": "info",
        "vmotion-not-enabled": "error",
        "device-of-host": "error",
    }


def test_certificate_that_nobody_verifies_is_told(migrator: Migrator, arena: Arena) -> None:
    uris = [
        arena.endpoint.uri(*arena.path(host), no_verify="1") for host in (arena.source, arena.far)
    ]
    plan = migrator.plan(arena.guest, uris[0], uris[1], live=True)

    report = migrator.check(plan)

    found = [each for each in report.findings if each.id == "certificate-not-verified"]
    assert [each.severity for each in found] == [Severity.WARNING] * 2
    assert not report.blocked


def test_two_vcenters_are_compared_by_name(migrator: Migrator, arenas: tuple[Arena, Arena]) -> None:
    here, there = arenas

    def report(*options: str) -> Report:
        plan = migrator.plan(
            here.guest,
            here.uri(here.source),
            there.uri(there.neighbour),
            live=True,
            options=("datastore=LocalDS_1", *options),
        )
        return migrator.check(plan)

    unmet = finding(report(), "option-unmet")
    assert "name its network there" in unmet.text
    found = told(report(f"network={here.cards()[0].key}:DC0_DVPG0"))
    assert found == {
        **ALWAYS,
        **ENCRYPTED,
        "vcenter-other": "warning",
        "vcenter-domains": "warning",
    }


def test_host_without_vcenter_is_refused(
    migrator: Migrator, esxi: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIBVIRT_AUTH_FILE", str(esxi.auth_file))
    uri = esxi.esx_uri(cacert=str(esxi.ca), vcenter=esxi.host)
    plan = migrator.plan("ha-host_VM0", uri, uri, live=True)

    with pytest.raises(ConnectError, match="only a vCenter moves guests"):
        migrator.check(plan)


def test_check_of_many_guests_takes_few_calls(
    migrator: Migrator,
    big: Endpoint,
    log_in: Callable[[Endpoint], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Attribute by attribute 2,000 guests take some ten seconds."""
    monkeypatch.setenv("LIBVIRT_AUTH_FILE", str(big.auth_file))
    arena = Arena(big, log_in(big))
    calls = []
    invoke = SoapStubAdapter.InvokeMethod

    def counted(stub: Any, *args: Any) -> Any:
        calls.append(args)
        return invoke(stub, *args)

    arena.hosts  # noqa: B018 - read before calls are counted
    uris = arena.uri(arena.source), arena.uri(arena.far)
    monkeypatch.setattr(SoapStubAdapter, "InvokeMethod", counted)
    report = migrator.check(migrator.plan(arena.guest, *uris, live=True))

    assert not report.blocked
    assert len(calls) < 60


# fmt: off
# The fault that a move ends with half-way, and what it is said to be, first of all.
FAULTS = [
    ("NoDiskSpace",                      "vmware-space"),
    ("HostCommunication",                "vmware-host-lost"),
    ("Timedout",                         "vmware-timeout"),
    ("InvalidState",                     "vmware-state"),
    ("InvalidDatastore",                 "vmware-datastore"),
    ("InsufficientMemoryResourcesFault", "vmware-resources"),
    ("VMotionNotConfigured",             "vmotion-not-enabled"),
    ("CpuIncompatible",                  "vmware-cpu"),
    ("FileLocked",                       "vmware-file-locked"),
    ("NetworkCopyFault",                 "vmware-copy"),
    ("FileFault",                        "vmware-file"),
    ("AffinityConfigured",               "vmware-affinity"),
    ("RequestCanceled",                  "vmware-cancelled"),
    ("SystemError",                      "vmware-general"),
    ("VmConfigFault",                    "vmware-configuration"),
]
# fmt: on


@pytest.mark.parametrize(("fault", "diagnosis"), FAULTS)
def test_fault_of_a_move_is_diagnosed(
    migrator: Migrator, arena: Arena, fault: str, diagnosis: str
) -> None:
    arena.asks(seconds=0.1, fault=fault, failat=50)
    plan = migrator.plan(arena.guest, arena.uri(arena.source), arena.uri(arena.far), live=True)

    outcome = migrator.run(plan)

    assert isinstance(outcome.error, DriverError)
    assert f"fault.{fault}" in outcome.error.problem
    assert outcome.diagnoses[0].id == diagnosis
    assert all("GUEST" not in remedy.text for remedy in outcome.diagnoses[0].remedies)
    assert arena.where() == arena.source.name


def test_second_move_of_a_guest_is_diagnosed(migrator: Migrator, arena: Arena) -> None:
    arena.asks(seconds=5)
    running, refused = (
        arena.vm.RelocateVM_Task(vim.vm.RelocateSpec(host=arena.neighbour)) for _ in range(2)
    )
    arena.until(lambda: refused.info.state == "error")
    running.CancelTask()

    assert migrator.diagnose(str(Fault.of(refused.info.error)))[0].id == "vmware-busy"


# fmt: off
CONNECTIONS: list[tuple[Callable[[Arena], str], str]] = [
    # what the URI says, what it is said to be
    (lambda a: a.uri(a.source, cacert="/etc/ssl/certs/ca-certificates.crt"), "vmware-certificate"),
    (lambda a: a.endpoint.uri(*a.path(a.source), thumbprint="ab" * 32),      "vmware-certificate-changed"),
    (lambda a: a.uri(a.source).replace(f":{a.endpoint.port}/", ":1/"),       "vmware-unreachable"),
]
# fmt: on


def diagnosed(migrator: Migrator, arena: Arena, source: str) -> str:
    """What is said first of a connection that is not made."""
    plan = migrator.plan(arena.guest, source, arena.uri(arena.far), live=True)
    with pytest.raises(ConnectError) as caught:
        migrator.check(plan)
    return migrator.diagnose(caught.value.problem)[0].id


@pytest.mark.parametrize(("uri", "diagnosis"), CONNECTIONS)
def test_connection_that_is_not_made_is_diagnosed(
    migrator: Migrator, arena: Arena, uri: Callable[[Arena], str], diagnosis: str
) -> None:
    assert diagnosed(migrator, arena, uri(arena)) == diagnosis


def test_wrong_password_is_diagnosed(
    migrator: Migrator, arena: Arena, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "auth.conf"
    wrong.write_text(arena.endpoint.auth.replace(arena.endpoint.password, "wrong"))
    wrong.chmod(0o600)
    monkeypatch.setenv("LIBVIRT_AUTH_FILE", str(wrong))

    assert diagnosed(migrator, arena, arena.uri(arena.source)) == "vmware-login"
