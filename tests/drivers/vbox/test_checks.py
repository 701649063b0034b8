# ruff: noqa: E501 - a row of a table stays in one line
"""What follows from what both hosts tell, without them: readings that are made up, by table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins import Config, Migrator, PlanError, Severity
from migrate_plugins_vbox.checks import judge
from migrate_plugins_vbox.checks.case import Case, Side
from migrate_plugins_vbox.checks.kinds import KINDS
from migrate_plugins_vbox.checks.password import check_password
from migrate_plugins_vbox.checks.reading import Image, Reading, read_output
from migrate_plugins_vbox.checks.storage import disk_pairs
from migrate_plugins_vbox.investigation import setting_of
from migrate_plugins_vbox.machine import Machine, read_machine
from migrate_plugins_vbox.settings import Medium, Settings
from migrate_plugins_vbox.sharing import Pair, Proof, Sharing

if TYPE_CHECKING:
    from pathlib import Path

    from migrate_plugins import Plan

UUID = "5e33208d-62f0-40c4-b2ca-d4972bdfc12a"
DISK = "6468b536-995c-449f-94c1-d637b92bc3ff"
TOLD = f"""\
name="web1"
encryption="disabled"
UUID="{UUID}"
memory=1024
vram=16
firmware="BIOS"
cpuid-portability-level=0
cpu-profile="host"
VMState="STATE"
teleporterenabled="off"
storagecontrollername0="IDE"
storagecontrollertype0="PIIX4"
storagecontrollerinstance0="0"
"IDE-0-0"="/srv/web.vdi"
"IDE-ImageUUID-0-0"="{DISK}"
"""
XEON, EPYC = "Intel(R) Xeon(R) Gold 6248", "AMD EPYC 7763"
GIB = 1 << 20  # in KiB
PAIR = Pair("/srv/web.vdi", "/srv/web.vdi")
E, W, I = Severity.ERROR, Severity.WARNING, Severity.INFO  # noqa: E741 - as one letter in a table


def command(*words: str) -> str:
    return " ".join(["VBoxManage", *words])


def machine(state: str = "running", more: str = "", **changes: str) -> Machine:
    text = TOLD.replace("STATE", state)
    for old, new in changes.items():
        key = old.replace("_", "-")
        text = "".join(
            f"{key}={new}\n" if line.startswith(f"{key}=") else line
            for line in text.splitlines(keepends=True)
        )
    return read_machine(text + more)


def settings(*media: Medium, uncarried: tuple[str, ...] = ()) -> Settings:
    disk = Medium("HardDisk", DISK, "/srv/web.vdi", "VDI")
    return Settings(UUID, "web1", "1.20-linux", "Default", (disk, *media), uncarried)


READ = Reading(XEON, 8 * GIB, 4 * GIB)


def case(plan: Plan, **given: Any) -> Case:  # noqa: ANN401 - fields of both sides
    guest = given.get("guest", machine())
    source = Side(
        "alpha",
        given.get("version", "7.2.22_Debianr175245"),
        given.get("here", READ),
        guest,
        "",
        given.get("settings", settings()),
        command,
    )
    destination = Side(
        "beta", "7.2.22r175245", given.get("there", READ), given.get("target"), "", None, command
    )
    return Case(plan, guest, source, destination, given.get("proofs", ()))


@pytest.fixture
def plan(migrator: Migrator) -> Plan:
    return migrator.plan("web1", "vbox:///session", "vbox+ssh://beta/session")


def proof(sharing: Sharing, *, readable: bool = True, writable: bool = True) -> Proof:
    return Proof(PAIR, sharing, "why", readable, writable)


# fmt: off
CASES: list[tuple[dict[str, Any], list[tuple[Severity, str]]]] = [
    # what is otherwise than with two hosts that fit                    what is found
    ({},                                                                []),
    ({"version": "7.2.20r170000"},                                      [(E, "version-differs")]),
    # What a distribution adds is none of VirtualBox's business.
    ({"version": "7.2.22r175245"},                                      []),
    ({"there": READ._replace(processor=EPYC)},                          [(W, "processor-differs")]),
    ({"there": READ._replace(processor=None)},                          []),
    ({"there": READ._replace(processor=EPYC),
      "guest": machine(cpuid_portability_level="1")},                   []),
    ({"there": READ._replace(processor=EPYC),
      "guest": machine(cpu_profile='"Intel 80386"')},                   []),
    ({"there": READ._replace(available=GIB // 2)},                      [(W, "destination-memory-short")]),
    ({"there": READ._replace(memory=GIB // 2, available=GIB // 4)},     [(E, "destination-memory-short")]),
    ({"there": READ._replace(memory=None, available=None)},             []),
    ({"guest": machine(more='SnapshotName="before"\n')},                [(E, "guest-has-snapshots")]),
    ({"settings": settings(uncarried=("the disk x is encrypted",))},    [(E, "guest-encrypted")]),
    ({"guest": machine(encryption='"enabled"')},                        [(E, "guest-encrypted")]),
    ({"guest": machine(teleporterenabled='"on"')},                      [(I, "guest-teleporter-on")]),
    ({"guest": machine(firmware='"EFI"')},                              [(I, "nvram-apart")]),
    ({"target": machine("poweroff")},                                   []),
    ({"target": machine("teleported")},                                 []),
    ({"target": machine("aborted")},                                    []),
    ({"target": machine("saved")},                                      [(E, "target-saved")]),
    ({"target": machine("aborted-saved")},                              [(E, "target-saved")]),
    ({"target": machine("gurumeditation")},                             [(E, "target-not-off")]),
    ({"target": machine("poweroff", 'SnapshotName="there"\n')},         [(E, "target-has-snapshots")]),
    ({"there": READ._replace(in_way="other", path="/m/web1.vbox")},     [(E, "settings-file-in-way")]),
    ({"there": READ._replace(in_way="source", path="/m/web1.vbox")},    [(E, "machine-folder-shared")]),
    ({"there": READ._replace(in_way="own", path="/m/web1.vbox")},       []),
    ({"there": READ._replace(images=(Image(DISK, "/srv/web.vdi"),))},   []),
    ({"there": READ._replace(images=(Image(DISK, "/copy.vdi"),))},      [(E, "disk-known-elsewhere")]),
    ({"there": READ._replace(images=(Image(UUID, "/srv/web.vdi"),))},   [(E, "disk-known-elsewhere")]),
    ({"there": READ._replace(images=(Image(UUID, "/srv/other.vdi"),))}, []),
    ({"proofs": (proof(Sharing.SHARED),)},                              []),
    ({"proofs": (proof(Sharing.OTHER),)},                               [(E, "disk-not-shared")]),
    ({"proofs": (proof(Sharing.MISSING, readable=False),)},             [(E, "disk-missing")]),
    ({"proofs": (proof(Sharing.GONE, readable=False),)},                [(E, "disk-missing")]),
    ({"proofs": (proof(Sharing.UNKNOWN),)},                             [(W, "disk-not-proven")]),
    ({"proofs": (proof(Sharing.SHARED, writable=False),)},              [(E, "disk-not-accessible")]),
    ({"proofs": (proof(Sharing.SHARED, readable=False),)},              [(E, "disk-not-accessible")]),
    # Nobody looked: that is all that is known.
    ({"proofs": (proof(Sharing.UNKNOWN, readable=False, writable=False),)}, [(W, "disk-not-proven")]),
    ({"guest": machine(more='uartmode1="file,/lab/console"\n'),
      "there": READ._replace(lacking=("/lab",))},                       [(E, "device-file-missing")]),
    ({"guest": machine(more='uartmode1="/dev/ttyS0"\n')},               [(W, "device-host-backed")]),
    ({"guest": machine(more='uartmode1="tcpserver,2023"\n')},           []),
    ({"guest": machine(more='"IDE-1-0"="/cd.iso"\n"IDE-IsEjected-1-0"="off"\n'),
      "there": READ._replace(lacking=("/cd.iso",))},                    [(W, "device-file-missing")]),
    ({"guest": machine(more='"IDE-1-0"="emptydrive"\n"IDE-IsEjected-1-0"="off"\n')}, []),
    ({"guest": machine(more='SharedFolderPathMachineMapping1="/home/me"\n'),
      "there": READ._replace(lacking=("/home/me",))},                   [(W, "device-file-missing")]),
    ({"here": Reading(problem="no answer")},                            [(I, "host-facts-unknown")]),
]
# fmt: on


@pytest.mark.parametrize(("given", "found"), CASES)
def test_findings(plan: Plan, given: dict[str, Any], found: list[tuple[Severity, str]]) -> None:
    told = [*judge(case(plan, **given))]

    worst = {kind.id: kind.severity for kind in KINDS}
    ranks = [*Severity]
    assert [(each.severity, each.id) for each in told] == found
    assert all(ranks.index(each.severity) >= ranks.index(worst[each.id]) for each in told)
    assert all(each.remedy for each in told if each.severity is not I)


def test_every_kind_is_tried() -> None:
    elsewhere = {
        # test_target and test_password_file below, and tests/integration/vbox
        "hardware-differs", "identity-differs", "setting-differs", "disk-type",
        "password-file-unusable", "password-file-exposed", "tunnel-missing",
    }  # fmt: skip

    assert {id_ for _, found in CASES for _, id_ in found} | elsewhere == {k.id for k in KINDS}


XML = """<VirtualBox xmlns="http://www.virtualbox.org/"><Machine uuid="{u}" name="web1">
<MediaRegistry><HardDisks><HardDisk uuid="{{DISK}}" location="x" type="TYPE"/></HardDisks>
</MediaRegistry></Machine></VirtualBox>""".replace("DISK", DISK)


def test_target(plan: Plan) -> None:
    made = case(plan, target=machine("poweroff", "novelty=7\n", memory="512", name='"web2"'))
    uuid = {"hardwareuuid": "11111111-2222-3333-4444-555555555555"}
    target = made.target
    assert target is not None
    made = made._replace(
        destination=made.destination._replace(
            machine=target._replace(values={**target.values, **uuid})
        )
    )
    made = made._replace(
        source=made.source._replace(text=XML.replace("TYPE", "Normal")),
        destination=made.destination._replace(text=XML.replace("TYPE", "Normal")),
    )

    found = {each.id: each for each in judge(made)}

    assert {*found} == {"identity-differs", "hardware-differs", "setting-differs"}
    # Its other name is for the core to tell.
    assert "--hardware-uuid" in found["identity-differs"].text
    memory = found["hardware-differs"]
    assert (memory.seen, memory.expected) == ("512", "1024")
    assert memory.remedy == f"VBoxManage modifyvm {UUID} --memory 1024"


@pytest.mark.parametrize(
    ("type_", "found"),
    [("Normal", []), ("Writethrough", []), ("Immutable", ["disk-type"]),
     ("Shareable", ["disk-type"]), ("MultiAttach", ["disk-type"])],
)  # fmt: skip
def test_types_of_images(plan: Plan, type_: str, found: list[str]) -> None:
    made = case(plan)
    made = made._replace(source=made.source._replace(text=XML.replace("TYPE", type_)))

    assert [each.id for each in judge(made)] == found


@pytest.mark.parametrize(
    ("mode", "text", "found"),
    [
        (0o600, "hunter 2!\n", []),
        (0o400, "hunter 2!\n", []),
        (0o644, "hunter 2!\n", ["password-file-exposed"]),
        (0o620, "hunter 2!\n", ["password-file-exposed"]),
        (0o600, "", ["password-file-unusable"]),
        (0o600, "\nhunter 2!\n", ["password-file-unusable"]),
        (None, "", ["password-file-unusable"]),
    ],
)
def test_password_file(
    migrator: Migrator, tmp_path: Path, mode: int | None, text: str, found: list[str]
) -> None:
    file = tmp_path / "of the teleporter"
    if mode is not None:
        file.write_text(text)
        file.chmod(mode)
    plan = migrator.plan(
        "web1", "vbox:///session", "vbox+ssh://beta/session", options=(f"password-file={file}",)
    )

    told = [*check_password(plan)]

    assert [each.id for each in told] == found
    assert not any("hunter 2!" in str(each) for each in told)


def test_no_password_file_is_none_to_look_at(plan: Plan) -> None:
    assert [*check_password(plan)] == []


def test_what_an_image_is_a_difference_to_is_looked_at_too() -> None:
    base = Medium("HardDisk", "base", "/srv/base.vdi", "VDI")
    child = Medium("HardDisk", DISK, "/srv/web.vdi", "VDI", "base")
    made = settings()._replace(media=(base, child))

    assert disk_pairs(machine(), None, made) == [PAIR, Pair("/srv/base.vdi", "/srv/base.vdi")]


def test_a_disk_of_the_target_is_where_the_target_has_it() -> None:
    target = read_machine(TOLD.replace("/srv/web.vdi", "/mnt/web.vdi").replace("IDE", "Disks"))
    other = read_machine(TOLD.replace(DISK, UUID))

    assert disk_pairs(machine(), target, None) == [Pair("/srv/web.vdi", "/mnt/web.vdi")]
    # Another uuid is told with the hardware.
    assert disk_pairs(machine(), other, None) == []


def test_an_image_that_is_no_file_is_not_proven(plan: Plan) -> None:
    guest = read_machine(TOLD.replace("/srv/web.vdi", "iscsi.example|iqn.x|1"))

    found = [*judge(case(plan, guest=guest))]

    assert disk_pairs(guest, None, None) == []
    assert [each.id for each in found] == ["disk-not-proven"]


def test_what_a_host_tells() -> None:
    output = f"processor {XEON}\nMemTotal 8388608\nMemAvailable 4194304\nfile other\nlacks1 /a b\n"
    output += f"UUID:           {DISK}\nState: created\nLocation:       /srv/my disk.vdi\n"

    assert read_output(output) == Reading(
        XEON,
        8 * GIB,
        4 * GIB,
        "other",
        images=(Image(DISK, "/srv/my disk.vdi"),),
        lacking=("/a b",),
    )


@given(st.text())
def test_whatever_a_host_tells_is_read(output: str) -> None:
    assert isinstance(read_output(output), Reading)


# fmt: off
# As VirtualBox 7.2.22 wrote it into the target's log, and what had been changed.
LOGGED = [
    ("pgm#1: Ram config mismatch: saved=1000000/20000000 config=1800000/20000000", "--memory"),
    ("SSM: LoadExec failed for 'cpum' instance #0; Failed to load unit 'cpum'",    "--cpus"),
    ("vga#0: VRAM size changed: config=0x800000 state=0x100000 [ver=34]",          "--vram"),
    ("pgm#1: ROM at 00000000000f0000 LB 0000000000010000 by the name 'PC BIOS - 0xfffff' was not",
                                                                                   "--firmware"),
    ("pgm#1: ROM at 00000000000e0000 LB 0000000000001000 by the name 'ACPI RSDP'", "--acpi"),
    ("Found no handler for unit 'ichac97' instance #0",                            "--audio-"),
    ("Found no handler for unit 'e1000' instance #0",                              "--nic"),
    ("pci#0: Device in slot 0x18 (pcnet) vendor id mismatch! saved=86 80 0e 10",   "--nic"),
    ("serial#0: Config mismatch - saved IRQ=0x4 PortAddress=0x3f8 Type=2",         "--uart"),
    ("pdm#1: Device 'parallel'/0 not found in the saved state",                    "--lpt"),
    ("pdm#1: Device 'usb-xhci'/0 not found in the saved state",                    "--usb-xhci"),
    ("vga#0: Monitor count changed: config=2 state=1 [ver=34 pass=final]",         "--monitor-count"),
    ("pgm#1: Failed to locate a MMIO2 range called 'VRam' owned by vga/0",         "--graphics"),
    ("pdm#1: Device 'hpet'/0 not found in the saved state",                        "--x86-hpet"),
    ("pdm#1: Device 'apic'/0 not found in current config",                         "--apic"),
    ("apic#0: Config mismatch - uApicMode: saved=2 config=3",                      "--x86-x2apic"),
    ("GIM#0: Saved GIM provider 0 differs from the configured one (3).",           "--paravirt"),
    ("pdm#1: Device 'tpm'/0 not found in the saved state",                         "--tpm-type"),
    ("pdm#1: Device 'ahci'/0 not found in the saved state",                        "the storage"),
    ("piix3ide#0: Config mismatch: enmChipset - saved=1 config=2",                 "the storage"),
    ("piix3ide#0: The target VM is missing a primary master device.",              "the storage"),
]
# fmt: on


@pytest.mark.parametrize(("line", "setting"), LOGGED)
def test_setting_that_a_log_is_about(line: str, setting: str) -> None:
    assert (setting_of(line) or "").startswith(setting)


def test_a_log_that_is_about_no_setting() -> None:
    assert setting_of("Power up failed (vrc=VINF_SUCCESS, hrc=NS_ERROR_FAILURE)") is None


def test_memory_in_plain_text_is_refused_where_a_policy_says_so() -> None:
    table: dict[str, dict[str, str]] = {"require-encryption": {}}
    strict = Migrator.installed(Config("/c.toml", exists=True, policies=table))

    with pytest.raises(PlanError, match="policy require-encryption") as caught:
        strict.plan("web1", "vbox:///session", "vbox+ssh://beta/session")

    [reason] = caught.value.reasons
    assert "ssh -N -L 49300:127.0.0.1:49300" in (reason.instead or "")
    assert "--migrateuri vboxmigr://127.0.0.1:49300/" in (reason.instead or "")


def test_a_tunnel_passes_where_the_policy_trusts_this_machine() -> None:
    table = {"require-encryption": {"mode": "except", "networks": ["127.0.0.0/8"]}}
    strict = Migrator.installed(Config("/c.toml", exists=True, policies=table))

    plan = strict.plan(
        "web1",
        "vbox:///session",
        "vbox+ssh://beta/session",
        migration="vboxmigr://127.0.0.1:49300/",
    )

    assert "tunnel-needed" in {each.id for each in plan.findings}
