"""What two machines differ in, of what VirtualBox told."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins_vbox.hardware import SETTINGS, Effect, compare, read_extras
from migrate_plugins_vbox.machine import Machine, read_machine

UUID = "5e33208d-62f0-40c4-b2ca-d4972bdfc12a"
# As VirtualBox 7.2.22 wrote it of a machine with a disk, a drive and a card, shortened.
TOLD = f"""\
name="web1"
UUID="{UUID}"
CfgFile="/home/a/web1/web1.vbox"
hardwareuuid="{UUID}"
memory=16
cpus=1
firmware="BIOS"
hpet="off"
apic="on"
x2apic="off"
hwvirtex="on"
paravirtprovider="default"
effparavirtprovider="none"
VMState="running"
storagecontrollername0="IDE"
storagecontrollertype0="PIIX4"
storagecontrollerinstance0="0"
storagecontrollermaxportcount0="2"
storagecontrollerportcount0="2"
storagecontrollerbootable0="on"
"IDE-0-0"="/srv/web.vdi"
"IDE-ImageUUID-0-0"="6468b536-995c-449f-94c1-d637b92bc3ff"
"IDE-nonrotational-0-0"="off"
"IDE-0-1"="none"
"IDE-1-0"="emptydrive"
"IDE-IsEjected-1-0"="off"
macaddress1="080027077356"
cableconnected1="on"
nic1="bridged"
bridgeadapter1="eth0"
nictype1="82540EM"
nicspeed1="0"
nic2="none"
uart1="0x03f8,4"
uartmode1="file,/lab/b/web1.out"
uarttype1="16550A"
lpt1="off"
audio="null"
hidpointing="ps2mouse"
usb="off"
VideoMode="720,400,0"@0,0 1
VRDEClients==0
"""
XML = """\
<VirtualBox xmlns="http://www.virtualbox.org/" version="1.20-linux">
  <Machine uuid="{0}" name="web1" executionEngine="Interpreter">
    <MediaRegistry><HardDisks>
      <HardDisk uuid="{{6468b536-995c-449f-94c1-d637b92bc3ff}}" location="x" type="Normal"/>
    </HardDisks></MediaRegistry>
    <Hardware><AudioAdapter controller="HDA"/></Hardware>
  </Machine>
</VirtualBox>
"""

# fmt: off
CHANGES = [
    # what is told otherwise, and by what    setting, what the source has, mending without the uuid
    ("memory=16", "memory=24",               "--memory", "16", ["modifyvm --memory 16"]),
    ('firmware="BIOS"', 'firmware="EFI"',    "--firmware", "BIOS", ["modifyvm --firmware bios"]),
    ('uart1="0x03f8,4"', 'uart1="off"',      "--uart1", "0x03f8,4", ["modifyvm --uart1 0x03f8 4"]),
    ('hidpointing="ps2mouse"', 'hidpointing="usbtablet"',
                                             "--mouse", "ps2mouse", ["modifyvm --mouse ps2"]),
    ('x2apic="off"', 'x2apic="on"',          "--x86-x2apic", "off",
     ["modifyvm --x86-x2apic off", "modifyvm --apic on"]),
    ('nic2="none"', 'nic2="nat"',            "--nic2", "none", ["modifyvm --nic2 none"]),
    ('audio="null"', 'audio="none"',         "--audio-enabled", "on",
     ["modifyvm --audio-enabled on"]),
    ('"IDE-1-0"="emptydrive"', '"IDE-1-0"="none"', "IDE port 1 device 0", "dvddrive",
     ["storageattach --storagectl IDE --port 1 --device 0 --type dvddrive --medium emptydrive"]),
    ('storagecontrollertype0="PIIX4"', 'storagecontrollertype0="ICH6"',
     "storage controller IDE", "PIIX4", ["storagectl --name IDE --controller PIIX4"]),
    ("6468b536-", "7468b536-", "IDE port 0 device 0",
     "/srv/web.vdi {6468b536-995c-449f-94c1-d637b92bc3ff}",
     ["storageattach --storagectl IDE --port 0 --device 0 --type hdd --medium /srv/web.vdi"]),
]
INDIFFERENT = [
    ('CfgFile="/home/a', 'CfgFile="/home/b'),
    ('VMState="running"', 'VMState="poweroff"'),
    ("file,/lab", "file,/other"),
    ('bridgeadapter1="eth0"', 'bridgeadapter1="eth1"'),
    ("VRDEClients==0", "VRDEClients==1"),
    ('paravirtprovider="default"\n', 'paravirtprovider="none"\n'),
    ("IDE", "Disks"),  # the name of a controller is only its user's
    ('nic2="none"\n', 'nic2="none"\nnic9="none"\n'),
    ('audio="null"', 'audio="alsa"'),
]
# fmt: on


def machine(told: str = TOLD) -> Machine:
    return read_machine(told)


@pytest.mark.parametrize(("old", "new", "setting", "here", "mending"), CHANGES)
def test_difference(old: str, new: str, setting: str, here: str, mending: list[str]) -> None:
    [found] = compare(machine(), machine(TOLD.replace(old, new)))

    calls = [" ".join(word for word in words if word != UUID) for words in found.mending]
    assert (found.setting, found.here, calls) == (setting, here, mending)
    assert all(UUID in words for words in found.mending)


@pytest.mark.parametrize(("old", "new"), INDIFFERENT)
def test_what_does_not_matter(old: str, new: str) -> None:
    assert old in TOLD
    assert compare(machine(), machine(TOLD.replace(old, new))) == []


def test_another_name_where_it_was_asked_for() -> None:
    other = machine(TOLD.replace('"web1"', '"web2"'))

    assert [each.setting for each in compare(machine(), other)] == ["--name"]
    assert compare(machine(), other, renamed=True) == []


def test_another_network_of_a_card_is_taken_and_another_card_refused() -> None:
    nat = machine(TOLD.replace('nic1="bridged"', 'nic1="nat"'))
    none = machine(TOLD.replace('nic1="bridged"', 'nic1="none"'))

    assert [each.effect for each in compare(machine(), nat)] == [Effect.TAKEN]
    assert [each.effect for each in compare(machine(), none)] == [Effect.REFUSED]


def test_settings_of_the_file_alone() -> None:
    here, there = XML.format(UUID), XML.format(UUID).replace("Interpreter", "Recompiler")

    [found] = compare(machine(), machine(), here, there)

    assert (found.setting, found.here, found.there) == (
        "--vm-execution-engine",
        "interpreter",
        "recompiler",
    )


def test_what_is_not_in_the_table_is_told_all_the_same() -> None:
    [found] = compare(machine(), machine(f"{TOLD}novelty=7\n"))

    assert found == ("novelty", "", "7", Effect.UNTRIED, ())


def test_leaves_of_the_processor_hide_no_setting() -> None:
    # With leaves VirtualBox 7.2.22 writes the next setting on the same line.
    leaves = TOLD.replace('hwvirtex="on"', 'cpuid=00000001,00000000,0,0,0,0hwvirtex="on"')

    assert [each.setting for each in compare(machine(), machine(leaves))] == ["--cpuid-set"]


@pytest.mark.parametrize("text", ["x", "<!DOCTYPE a>", "<VirtualBox"])
def test_no_settings_file(text: str) -> None:
    with pytest.raises(ValueError, match="no settings file"):
        read_extras(text)


def test_each_key_has_one_row() -> None:
    for row in SETTINGS:
        if row.effect is not Effect.NONE:
            key = row.key.replace("#", "1")
            assert [
                other for other in SETTINGS if re.fullmatch(other.key.replace("#", r"\d+"), key)
            ] == [row]


@given(st.lists(st.sampled_from(CHANGES), unique_by=lambda row: row[0], max_size=5))
def test_all_differences_are_given_at_once(
    rows: list[tuple[str, str, str, str, list[str]]],
) -> None:
    told = TOLD
    for old, new, *_ in rows:
        told = told.replace(old, new)

    found = [each.setting for each in compare(machine(), machine(told))]

    assert sorted(found) == sorted(row[2] for row in rows)
