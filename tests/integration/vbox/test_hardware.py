"""The table of settings, held to real VirtualBox: what differs, what mends it, what comes of it."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import pytest
from vbox.site import PRIVATE, VBOXMANAGE, Guest, ending, managing, until

from migrate_plugins_vbox.hardware import Effect, compare
from migrate_plugins_vbox.machine import read_machine
from migrate_plugins_vbox.session import connect
from migrate_plugins_vbox.settings import settings_path, write_target

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vbox.site import Site

    from migrate_plugins_vbox.hardware import Difference
    from migrate_plugins_vbox.machine import Machine
    from migrate_plugins_vbox.manage import VBoxManage

REFUSED, SILENT, TAKEN = Effect.REFUSED, Effect.SILENT, Effect.TAKEN
UNTRIED, NONE = Effect.UNTRIED, Effect.NONE
PORT = 49300
PASSWORD = "of the tests"  # noqa: S105 - nobody else is let in by it
COPY = f"{PRIVATE}/copy.vdi"
HERE = "storageattach target --storagectl IDE --port 0 --device 0"
THERE = "storageattach target --storagectl IDE --port 1 --device 0"

# All that is compared, in one script, since each takes its time. The file is not always where it
# was: with another name it gets another one.
READ = r"""
told=$(SHOW)
printf '%s\n' "$told"
cat "$(printf '%s\n' "$told" | sed -n 's/^CfgFile="\(.*\)"$/\1/p')"
"""

# fmt: off
# What is done to the target, what differs then, and what a teleportation makes of it.
CHANGES = [
    # calls of VBoxManage                           settings                        effect
    ("modifyvm target --memory 24",                 "--memory",                     REFUSED),
    ("modifyvm target --cpus 2",                    "--cpus",                       REFUSED),
    ("modifyvm target --firmware efi",              "--firmware",                   REFUSED),
    ("modifyvm target --vram 8",                    "--vram",                       REFUSED),
    ("modifyvm target --graphicscontroller vmsvga", "--graphicscontroller",         REFUSED),
    ("modifyvm target --monitor-count 2",           "--monitor-count",              REFUSED),
    ("modifyvm target --audio-enabled off",         "--audio-enabled",              REFUSED),
    ("modifyvm target --audio-controller hda",      "--audio-controller",           REFUSED),
    ("modifyvm target --nic1 none",                 "--nic1",                       REFUSED),
    ("modifyvm target --nic2 null",                 "--nic2",                       REFUSED),
    ("modifyvm target --nic-type1 82545EM",         "--nic-type1",                  REFUSED),
    ("modifyvm target --uart1 off",                 "--uart1",                      REFUSED),
    ("modifyvm target --uart1 0x2f8 3",             "--uart1",                      REFUSED),
    ("modifyvm target --uart2 0x2f8 3",             "--uart2",                      REFUSED),
    ("modifyvm target --uart-type1 16450",          "--uart-type1",                 REFUSED),
    ("modifyvm target --lpt1 0x378 7",              "--lpt1",                       REFUSED),
    ("modifyvm target --usb-ohci off",              "--usb-ohci",                   REFUSED),
    ("modifyvm target --usb-ehci on",               "--usb-ehci",                   REFUSED),
    ("modifyvm target --usb-xhci on",               "--usb-xhci",                   REFUSED),
    ("modifyvm target --x86-hpet on",               "--x86-hpet",                   REFUSED),
    ("modifyvm target --apic off",                  "--apic",                       REFUSED),
    ("modifyvm target --ioapic on",                 "--ioapic",                     REFUSED),
    ("modifyvm target --x86-x2apic on",             "--x86-x2apic",                 REFUSED),
    ("modifyvm target --acpi off",                  "--acpi",                       REFUSED),
    ("modifyvm target --paravirt-provider minimal", "--paravirt-provider",          REFUSED),
    ("modifyvm target --tpm-type 2.0",              "--tpm-type",                   REFUSED),
    ("storagectl target --name SATA --add sata",    "storage controller SATA",      REFUSED),
    ("storagectl target --name FD --add floppy",    "storage controller FD",        REFUSED),
    ("storagectl target --name IDE --controller ICH6", "storage controller IDE",    REFUSED),
    (f"{HERE} --medium none",                       "IDE port 0 device 0",          REFUSED),
    (f"{THERE} --type dvddrive --medium emptydrive", "IDE port 1 device 0",         REFUSED),
    ("modifyvm target --name other",                "--name",                       SILENT),
    ("modifyvm target --hardware-uuid 11111111-2222-3333-4444-555555555555",
                                                    "--hardware-uuid",              SILENT),
    ("modifyvm target --mac-address1 080027AABBCC", "--mac-address1",               SILENT),
    ("modifyvm target --system-uuid-le off",        "--system-uuid-le",             SILENT),
    (f"{HERE} --type hdd --medium {COPY}",          "IDE port 0 device 0",          SILENT),
    ("modifyvm target --nic1 nat",                  "--nic1",                       TAKEN),
    ("modifyvm target --cable-connected1 off",      "--cable-connected1",           TAKEN),
    ("modifyvm target --mouse usbtablet",           "--mouse",                      TAKEN),
    ("modifyvm target --keyboard usb",              "--keyboard",                   TAKEN),
    ("modifyvm target --x86-pae on",                "--x86-pae",                    TAKEN),
    ("modifyvm target --x86-long-mode on",          "--x86-long-mode",              TAKEN),
    ("modifyvm target --cpu-hotplug on",            "--cpu-hotplug",                TAKEN),
    ("modifyvm target --cpu-execution-cap 50",      "--cpu-execution-cap",          TAKEN),
    ("modifyvm target --cpuid-portability-level 1", "--cpuid-portability-level",    TAKEN),
    ("modifyvm target --vm-execution-engine recompiler", "--vm-execution-engine",   TAKEN),
    ("modifyvm target --rtc-use-utc on",            "--rtc-use-utc",                TAKEN),
    ("modifyvm target --boot1 net",                 "--boot1",                      TAKEN),
    ("modifyvm target --large-pages on",            "--large-pages",                TAKEN),
    ("modifyvm target --triple-fault-reset on",     "--triple-fault-reset",         TAKEN),
    ("modifyvm target --usb-card-reader on",        "--usb-card-reader",            TAKEN),
    # No machine starts with these where there is no hardware virtualisation.
    ("modifyvm target --nested-hw-virt on",         "--nested-hw-virt",             UNTRIED),
    ("setextradata target VBoxInternal/x y",        "setextradata VBoxInternal/x",  UNTRIED),
]
# What a host, or its user, may have otherwise.
INDIFFERENT = [
    "modifyvm target --uart-mode1 disconnected",
    "modifyvm target --description other",
    "modifyvm target --groups /other",
    "modifyvm target --vrde on",
    "modifyvm target --clipboard-mode bidirectional",
    "modifyvm target --vm-process-priority low",
    "modifyvm target --default-frontend headless",
    "modifyvm target --teleporter on --teleporter-port 6000",
    "storagectl target --name IDE --hostiocache off",
    "setextradata target GUI/x y",
    "sharedfolder add target --name x --hostpath /tmp",
    "storagectl target --name IDE --rename OTHER",
]
# fmt: on

# Of each class some are tried with a guest; for a whole row of the table it takes two seconds.
TELEPORTED = (
    "--memory", "--cpus", "--nic1", "storage controller SATA", "IDE port 0 device 0",
    "--mac-address1",
)  # fmt: skip


class Two(NamedTuple):
    """A guest that runs on alpha, and a machine on beta that could take it in."""

    site: Site
    guest: Guest
    alpha: VBoxManage
    beta: VBoxManage
    machine: Machine
    text: str

    @property
    def uuid(self) -> str:
        return self.machine.uuid

    def differences(self, *calls: Sequence[str]) -> list[Difference]:
        """Run VBoxManage on beta, and say what differs then; ``target`` stands for the machine."""
        for words in calls:
            self.site.beta.manage(*(self.uuid if word == "target" else word for word in words))
        shown = ending("showvminfo", self.uuid, "--machinereadable")
        output = self.site.beta.served(READ.replace("SHOW", shown))
        told_of, mark, text = output.partition("<?xml")
        return compare(self.machine, read_machine(told_of), self.text, mark + text)

    def register(self) -> None:
        folder = str(PurePosixPath(self.machine.settings_file).parent)
        self.beta.register(self.path, write_target(self.text, folder))

    def unregister(self) -> None:
        self.beta.unregister(self.uuid, remove=self.path)

    @property
    def path(self) -> str:
        return settings_path("/home/vbox/VirtualBox VMs", self.guest.name)

    def teleport(self) -> tuple[str, str]:
        """Try to teleport the guest, and give both states afterwards."""
        self.beta.teleporter_on(self.uuid, port=PORT, address="", password=PASSWORD)
        start = self.beta.start(self.uuid)
        until(lambda: PORT in self.beta.listening(), "the target listens")
        end = self.alpha.teleport(
            self.uuid, host="beta", port=PORT, password=PASSWORD, max_downtime=None
        ).wait(30)
        assert end is not None
        assert start.wait(30) is not None
        source, target = self.alpha.machine_of(self.uuid), self.beta.machine_of(self.uuid)
        assert source is not None
        assert target is not None
        return source.state, target.state


@pytest.fixture(scope="module")
def two(running_site: Site) -> Iterator[Two]:
    settings = "--nic1 null --nic-type1 82540EM --usb-ohci on"
    settings += " --audio-enabled on --audio-driver null --audio-controller ac97"
    guest = running_site.guest(settings=settings)
    alpha, beta = connect(running_site.alpha.uri), connect(running_site.beta.uri)
    machine = alpha.manage.machine_named(guest.name)
    assert machine is not None
    text = alpha.manage.settings(machine)
    made = Two(running_site, guest, alpha.manage, beta.manage, machine, text)
    running_site.beta.run(f"{VBOXMANAGE} -q clonemedium disk {guest.disk} {COPY} 2>&1")
    made.register()
    yield made
    alpha.close()
    beta.close()
    running_site.clean()


def test_a_copy_of_the_settings_differs_in_nothing(two: Two) -> None:
    assert two.differences() == []


@pytest.mark.parametrize(("change", "setting", "effect"), CHANGES)
def test_a_difference_is_named_and_mended(
    two: Two, change: str, setting: str, effect: Effect
) -> None:
    found = two.differences(shlex.split(change))
    left = two.differences(*(words for each in found for words in each.mending))

    assert [(each.setting, each.effect) for each in found] == [(setting, effect)]
    assert all(each.mending for each in found)
    assert left == []


def test_all_differences_are_named_at_once(two: Two) -> None:
    found = two.differences(
        ["modifyvm", "target", "--memory", "24", "--vram", "8", "--chipset", "ich9"]
    )
    two.unregister()
    two.register()

    # VirtualBox itself turns the I/O APIC on with that chipset.
    assert [each.setting for each in found] == ["--memory", "--vram", "--chipset", "--ioapic"]
    assert [(each.here, each.there) for each in found[:3]] == [
        ("16", "24"),
        ("1", "8"),
        ("piix3", "ich9"),
    ]


def test_what_is_of_the_host_may_differ(two: Two) -> None:
    found = two.differences(*map(shlex.split, INDIFFERENT))
    two.unregister()
    two.register()

    assert found == []


@pytest.mark.parametrize(
    ("change", "effect"),
    [(row[0], row[2]) for row in CHANGES if row[1] in TELEPORTED],
)
def test_virtualbox_does_as_the_table_says(two: Two, change: str, effect: Effect) -> None:
    two.differences(shlex.split(change))

    states = two.teleport()
    if states == ("teleported", "running"):
        assert two.guest.counts(two.site.beta)
        two.beta.power_off(two.uuid)
    else:
        assert two.guest.counts(two.site.alpha)
    until(lambda: two.guest.state(two.site.beta) == "poweroff", "the target is off")
    two.unregister()
    two.register()
    if states[0] != "running":
        until(lambda: _started(two), "the guest runs on the source again")

    assert states == {REFUSED: ("running", "poweroff")}.get(effect, ("teleported", "running"))


def _started(two: Two) -> bool:
    """Start the guest on the source, where its process may be about to end."""
    start = managing("startvm", two.uuid, "--type", "headless")
    return two.site.alpha.ask(start).returncode == 0
