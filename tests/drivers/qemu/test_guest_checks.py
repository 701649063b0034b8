"""What follows from a guest's definition and from what both hosts tell, without a host."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate_plugins import Facts, Finding, GuestFacts, GuestState, HostFacts, Severity
from migrate_plugins_qemu import checks
from migrate_plugins_qemu.checks import judge
from migrate_plugins_qemu.checks.kinds import GUEST, KINDS
from migrate_plugins_qemu.definition import disks, interfaces, kibibytes, numbers
from migrate_plugins_qemu.inspection import (
    Abilities,
    Inspection,
    Memory,
    Network,
    Running,
    Unread,
    Volume,
)
from migrate_plugins_qemu.looks import Certificates, File, Look, Pem

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from migrate_plugins import Migrator

SOURCE, DESTINATION = "qemu+ssh://alpha/system", "qemu+ssh://beta/system"
UUID = "6d6e0b7c-0d9c-4cf5-9d7e-3a6b2f6f5f10"
GIB = 1 << 20  # in KiB, as libvirt counts memory

CPU = "<cpu mode='custom'><model>Skylake-Client</model></cpu>"

EXT4, NFS, OCFS2, FUSE, XFS = 0xEF53, 0x6969, 0x7461636F, 0x65735546, 0x58465342


def parsed(text: str) -> Element:
    """The definition that *text* is."""
    return ET.fromstring(text)  # noqa: S314 - written below


def domain(*devices: str, head: str = "", kind: str = "kvm", cpu: str = "") -> str:
    """A guest with these devices, and with *head* beside them."""
    return (
        f"<domain type='{kind}'><name>web1</name><vcpu>2</vcpu>"
        "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>"
        f"{cpu or CPU}{head}"
        f"<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>{''.join(devices)}</devices>"
        "</domain>"
    )


def disk(source: str = "file='/images/a.img'", more: str = "", kind: str = "file") -> str:
    """A disk `vda`."""
    return (
        f"<disk type='{kind}' device='disk'><driver name='qemu' type='raw'/>"
        f"<source {source}/><target dev='vda' bus='virtio'/>{more}</disk>"
    )


def interface(kind: str, source: str, more: str = "") -> str:
    """A network interface."""
    return f"<interface type='{kind}'><source {source}/>{more}</interface>"


def file(filesystem: int = EXT4, mounted: str = "/dev/sda1", **fields: Any) -> File:  # noqa: ANN401 - of many kinds
    """A regular file of 8 MiB."""
    types = {NFS: "nfs4", EXT4: "ext4", OCFS2: "ocfs2", XFS: "xfs"}
    given = {"kind": "regular file", "size": 8 << 20, "type": types.get(filesystem), **fields}
    return File(filesystem=filesystem, mounted=mounted, mount="/images", **given)


def look(
    files: dict[str, File] | None = None,
    *,
    addresses: tuple[str, ...] = ("10.0.0.2", "127.0.0.1"),
    devices: dict[str, int] | None = None,
    pems: dict[str, Pem] | None = None,
    forced: bool = False,
    verified: bool = True,
) -> Look:
    """What a host shows from within."""
    certificates = Certificates("/etc/pki/qemu", pems or {}, forced, verified)
    return Look(files or {}, frozenset(addresses), devices or {"lo": 65536}, certificates)


def seen(path: str, here: File, there: File) -> dict[str, Any]:
    """One path on both hosts."""
    return {"here": look({path: here}), "there": look({path: there})}


IMAGE = "/images/a.img"
GONE = File(kind=None, filesystem=EXT4, type="ext4", mounted="/dev/sda1", mount="/")
NOWHERE = GONE._replace(folder=False)
SAME = file(NFS, "nas:/export")
BLOCK = File("block special file", 8 << 20, 0x1021994, "devtmpfs", "udev", "/dev", "wwn-1")
PEMS = {name: Pem(True, False, True) for name in ("ca-cert", "server-cert", "client-cert")} | {
    name: Pem(readable=True) for name in ("server-key", "client-key")
}
ENOUGH = Memory(64 * GIB, 32 * GIB)
ABLE = Abilities(memory=ENOUGH, networks={}, devices=frozenset({"eth0", "lo"}), pools=frozenset())
TPM = parsed(
    "<domainCapabilities><vcpu max='255'/><devices><tpm supported='yes'>"
    "<enum name='backendModel'><value>passthrough</value></enum></tpm></devices>"
    "</domainCapabilities>"
)
HOSTDEV = (
    "<hostdev mode='subsystem' type='pci'><source><address domain='0x0000' bus='0x06' slot='0x02'"
    " function='0x0'/></source>{}</hostdev>"
)
USB = (
    "<hostdev mode='subsystem' type='usb'><source {}><vendor id='0x1050'/><product id='0x0407'/>"
    "</source></hostdev>"
)
VNC = "<graphics type='vnc'><listen type='address' address='{}'/></graphics>"
CDROM = "<disk type='file' device='cdrom'>{}<target dev='hdc' bus='ide'/><readonly/></disk>"
ISO = "<source file='/iso/a.iso'/>"
COPY = {"copy_storage_all": True}
INVTSC = "<cpu mode='custom'><model>EPYC</model><feature policy='require' name='invtsc'/></cpu>"
PASSED = "<cpu mode='host-passthrough'/>"
TLS = {"tls": True, "revision": "current"}
OFFLINE = {"offline": True, "persistent": True, "live": False}
HUGE = "<memoryBacking><hugepages>{}</hugepages></memoryBacking>"
TWO_MIB = "<page size='2048' unit='KiB'/>"
NUMA = "<numatune><memory mode='{}' nodeset='0-1'/></numatune>"
BACKED = "<backingStore type='file'><format type='raw'/><source file='/base.img'/></backingStore>"

# fmt: off
# What it is, the definition, what was read, what was asked for, and every finding but those of the
# plan: severity and id.
CASES: list[tuple[str, str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("plain", domain(), {}, {}, []),
    # The guest.
    ("snapshots", domain(), {"running": Running(snapshots=("s1",))}, {},
     ["error guest-has-snapshots"]),
    ("snapshots, offline", domain(), {"running": Running(snapshots=("s1",))}, OFFLINE,
     ["error guest-has-snapshots"]),
    ("checkpoints", domain(), {"running": Running(checkpoints=("c1",))}, {},
     ["warning guest-has-checkpoints"]),
    ("saved", domain(), {"running": Running(saved=True)}, OFFLINE,
     ["warning guest-memory-saved"]),
    ("on its way down", domain(), {"running": Running(dying=True)}, {},
     ["warning guest-shutting-down"]),
    ("encrypted", domain(head="<launchSecurity type='sev'/>"), {}, {},
     ["error guest-encrypted"]),
    ("encrypted, offline", domain(head="<launchSecurity type='sev'/>"), {}, OFFLINE, []),
    # Memory: the guest has 4 GiB.
    ("memory that fits", domain(), {"abilities": ABLE}, {}, []),
    ("memory that may be short", domain(),
     {"abilities": Abilities(memory=Memory(64 * GIB, 3 * GIB)), "running": Running(used=GIB)}, {},
     ["warning destination-memory-short"]),
    ("memory that is short", domain(),
     {"abilities": Abilities(memory=Memory(64 * GIB, 3 * GIB)), "running": Running(used=4 * GIB)},
     {}, ["error destination-memory-short"]),
    ("host that is too small", domain(), {"abilities": Abilities(memory=Memory(3 * GIB, 2 * GIB))},
     {}, ["error destination-memory-short"]),
    ("memory, offline", domain(), {"abilities": Abilities(memory=Memory(3 * GIB, GIB))}, OFFLINE,
     []),
    ("huge pages", domain(head=HUGE.format(TWO_MIB)),
     {"abilities": ABLE._replace(pages={4: 10**6, 2048: 2048})}, {}, []),
    ("huge pages, too few", domain(head=HUGE.format(TWO_MIB)),
     {"abilities": ABLE._replace(pages={4: 10**6, 2048: 2047})}, {}, ["error hugepages-short"]),
    ("huge pages of the default size", domain(head=HUGE.format("")),
     {"abilities": ABLE._replace(pages={4: 10**6, 2048: 0})}, {}, ["error hugepages-short"]),
    ("huge pages of another size", domain(head=HUGE.format("<page size='1' unit='GiB'/>")),
     {"abilities": ABLE._replace(pages={4: 10**6, 2048: 9999})}, {}, ["error hugepages-short"]),
    ("no huge pages at all", domain(head=HUGE.format("")),
     {"abilities": ABLE._replace(pages={4: 10**6})}, {}, ["error hugepages-short"]),
    ("nodes", domain(head=NUMA.format("strict")),
     {"abilities": ABLE._replace(cells=frozenset({0, 1}))}, {}, []),
    ("node that is missing", domain(head=NUMA.format("strict")),
     {"abilities": ABLE._replace(cells=frozenset({0}))}, {}, ["error numa-node-missing"]),
    ("node that is missing, offline", domain(head=NUMA.format("strict")),
     {"abilities": ABLE._replace(cells=frozenset({0}))}, OFFLINE, ["warning numa-node-missing"]),
    ("node that is only preferred", domain(head=NUMA.format("preferred")),
     {"abilities": ABLE._replace(cells=frozenset({0}))}, {}, []),
    ("pinned", domain(head="<cputune><vcpupin vcpu='0' cpuset='0-3'/></cputune>"),
     {"abilities": ABLE._replace(cpus=frozenset(range(4)))}, {}, []),
    ("pinned to what is missing", domain(head="<cputune><vcpupin vcpu='0' cpuset='4'/></cputune>"),
     {"abilities": ABLE._replace(cpus=frozenset(range(4)))}, {}, ["error processor-missing"]),
    ("label", domain(head="<seclabel type='static' model='selinux'/>"),
     {"abilities": ABLE._replace(security=frozenset({"apparmor", "dac"}))}, {},
     ["error security-model-missing"]),
    ("label that the host gives", domain(head="<seclabel type='dynamic' model='selinux'/>"),
     {"abilities": ABLE._replace(security=frozenset({"apparmor"}))}, {}, []),
    # The machine.
    ("emulator", domain(), {"abilities": Abilities(lacks={"emulator": "No such file"})}, {},
     ["error emulator-missing"]),
    ("machine type", domain(), {"abilities": Abilities(lacks={"machine": "not supported"})}, {},
     ["error machine-type-missing"]),
    ("machine type, offline", domain(), {"abilities": Abilities(lacks={"machine": "x"})}, OFFLINE,
     ["warning machine-type-missing"]),
    ("kvm", domain(), {"abilities": Abilities(lacks={"virtualisation": "not supported"})}, {},
     ["error virtualisation-missing"]),
    ("processors", domain(head="<vcpu>300</vcpu>").replace("<vcpu>2</vcpu>", ""),
     {"abilities": ABLE._replace(capabilities=TPM)}, {}, ["error vcpus-beyond"]),
    ("firmware", domain().replace("hvm</type>", "hvm</type><loader>/fw/a.fd</loader>"),
     {"there": look({"/fw/a.fd": GONE})}, {}, ["error firmware-missing"]),
    ("firmware that is there", domain().replace("hvm</type>", "hvm</type><loader>/a</loader>"),
     {"there": look({"/a": file()})}, {}, []),
    ("cpu", domain(), {"abilities": ABLE._replace(cpu="incompatible")}, {},
     ["error cpu-incompatible"]),
    ("cpu, offline", domain(), {"abilities": ABLE._replace(cpu="incompatible")}, OFFLINE, []),
    ("cpu of the host", domain(cpu=PASSED), {"abilities": ABLE}, {},
     ["warning cpu-host-passthrough"]),
    ("cpu of the host, and another there", domain(cpu=PASSED),
     {"abilities": ABLE._replace(cpu="incompatible")}, {}, ["warning cpu-host-passthrough"]),
    ("largest cpu, emulated", domain(cpu="<cpu mode='maximum'/>", kind="qemu"), {}, {}, []),
    ("invtsc", domain(cpu=INVTSC), {}, {}, ["error cpu-invariant-tsc"]),
    ("invtsc with its frequency", domain(
        cpu=INVTSC, head="<clock><timer name='tsc' frequency='2445406000'/></clock>"), {}, {}, []),
    # Disks.
    ("local disk", domain(disk()), seen(IMAGE, file(), file()), {}, ["error disk-not-shared"]),
    ("local disk, unsafe", domain(disk()), seen(IMAGE, file(), file()), {"unsafe": True},
     ["warning disk-not-shared"]),
    ("local disk, unsafe and not there", domain(disk()), seen(IMAGE, file(), GONE),
     {"unsafe": True}, ["warning disk-not-shared", "error disk-missing"]),
    ("local disk, offline", domain(disk()), seen(IMAGE, file(), file()), OFFLINE,
     ["warning disk-not-shared"]),
    ("local disk, read-only", domain(disk(more="<readonly/>")), seen(IMAGE, file(), file()), {},
     []),
    ("local disk, copied", domain(disk()), seen(IMAGE, file(), file()), COPY, []),
    ("local disk, another is copied", domain(disk()), seen(IMAGE, file(), file()),
     {**COPY, "migrate_disks": ("vdb",)},
     ["error migrate-disk-missing", "error disk-not-shared"]),
    ("local disk that is shareable is not copied", domain(disk(more="<shareable/>")),
     seen(IMAGE, file(), file()), COPY, ["error disk-not-shared"]),
    ("shared disk", domain(disk()), seen(IMAGE, SAME, SAME), {}, []),
    ("glusterfs", domain(disk()),
     seen(IMAGE, *2 * [file(FUSE, "gl:/v", type="fuse.glusterfs")]), {}, []),
    ("sshfs", domain(disk()), seen(IMAGE, *2 * [file(FUSE, "a:/v", type="fuse.sshfs")]), {},
     ["error disk-not-shared"]),
    ("shared disk that is not there", domain(disk()), seen(IMAGE, SAME, GONE), {},
     ["error disk-missing"]),
    ("shared disk that is not there, offline", domain(disk()), seen(IMAGE, SAME, GONE), OFFLINE,
     ["warning disk-missing"]),
    ("shared disk under another name", domain(disk()), seen(IMAGE, SAME, file(NFS, "10.0.0.9:/e")),
     {}, ["warning disk-elsewhere"]),
    ("shared here, local there", domain(disk()), seen(IMAGE, SAME, file(XFS)), {},
     ["error disk-elsewhere"]),
    ("shared disk, copied onto itself", domain(disk()), seen(IMAGE, SAME, SAME), COPY,
     ["error disk-copied-onto-itself"]),
    ("nobody looked", domain(disk()), {}, {}, ["info disk-storage-unknown"]),
    ("nobody looked at the destination", domain(disk()), {"here": look({IMAGE: SAME})}, {},
     ["info disk-storage-unknown"]),
    ("nobody looked at the source", domain(disk()), {"there": look({IMAGE: SAME})}, {},
     ["info disk-storage-unknown"]),
    ("nobody looked, offline", domain(disk()), {}, OFFLINE, []),
    ("volume of a network pool", domain(disk()), {
        "running": Running(volumes={IMAGE: Volume("file", "netfs", 8 << 20, IMAGE)}),
        "abilities": ABLE._replace(volumes={IMAGE: Volume("file", "netfs", 8 << 20, IMAGE)}),
     }, {}, []),
    ("volume of a folder", domain(disk()), {
        "running": Running(volumes={IMAGE: Volume("file", "dir", 8 << 20, IMAGE)}),
        "abilities": ABLE._replace(volumes={IMAGE: Volume("file", "dir", 8 << 20, IMAGE)}),
     }, {}, ["info disk-storage-unknown"]),
    ("nvme", domain(disk("namespace='1'", kind="nvme")), {}, {}, ["error disk-not-shared"]),
    ("network disk", domain(disk("protocol='rbd' name='p/v'", kind="network")), {}, {}, []),
    ("block device", domain(disk("dev='/dev/lun'", kind="block")),
     seen("/dev/lun", BLOCK, BLOCK), {}, []),
    ("block device that is another", domain(disk("dev='/dev/lun'", kind="block")),
     seen("/dev/lun", BLOCK, BLOCK._replace(identity="wwn-2")), {}, ["error disk-elsewhere"]),
    ("block device of another size", domain(disk("dev='/dev/lun'", kind="block")),
     seen("/dev/lun", BLOCK, BLOCK._replace(size=4 << 20)), {}, ["error disk-elsewhere"]),
    ("block device that is not there", domain(disk("dev='/dev/lun'", kind="block")),
     seen("/dev/lun", BLOCK, GONE), {}, ["error disk-missing"]),
    ("cached, old QEMU", domain(disk()), {**seen(IMAGE, SAME, SAME), "qemu": "3.1.0"}, {},
     ["error disk-cache-mode"]),
    ("cached, old QEMU, unsafe", domain(disk()), {**seen(IMAGE, SAME, SAME), "qemu": "3.1.0"},
     {"unsafe": True}, ["warning disk-cache-mode"]),
    ("cached, old QEMU, cluster filesystem", domain(disk()),
     {**seen(IMAGE, *2 * [file(OCFS2, "/dev/drbd0")]), "qemu": "3.1.0"}, {}, []),
    ("not cached, old QEMU", domain(disk().replace("type='raw'", "type='raw' cache='none'")),
     {**seen(IMAGE, SAME, SAME), "qemu": "3.1.0"}, {}, []),
    ("transient", domain(disk(more="<transient/>")), seen(IMAGE, SAME, SAME), {},
     ["error disk-transient"]),
    ("block job", domain(disk()),
     {**seen(IMAGE, SAME, SAME), "running": Running(block_jobs=("vda",))}, {},
     ["error disk-block-job"]),
    ("empty cdrom", domain(CDROM.format("")), {"there": look()}, {}, []),
    ("cdrom", domain(CDROM.format(ISO)), {"there": look({"/iso/a.iso": file()})}, {}, []),
    ("cdrom that is missing", domain(CDROM.format(ISO)), {"there": look({"/iso/a.iso": GONE})}, {},
     ["error disk-missing"]),
    ("cdrom that may be missing", domain(
        CDROM.format("<source file='/iso/a.iso' startupPolicy='optional'/>")),
     {"there": look({"/iso/a.iso": GONE})}, {}, []),
    ("base image that is missing", domain(disk(more=BACKED)), {
        "here": look({IMAGE: SAME}), "there": look({IMAGE: SAME, "/base.img": GONE})}, {},
     ["error disk-backing-missing"]),
    ("base image that is missing, whole copy", domain(disk(more=BACKED)), {
        "here": look({IMAGE: file()}), "there": look({IMAGE: file(), "/base.img": GONE})}, COPY,
     []),
    ("base image that is missing, copy of the rest", domain(disk(more=BACKED)), {
        "here": look({IMAGE: file()}), "there": look({IMAGE: file(), "/base.img": GONE})},
     {"copy_storage_inc": True}, ["error disk-backing-missing"]),
    ("copy to nothing", domain(disk()),
     {**seen(IMAGE, file(), GONE), "abilities": ABLE}, COPY, ["error disk-target-missing"]),
    ("copy to nothing in a pool", domain(disk()),
     {**seen(IMAGE, file(), GONE), "abilities": ABLE._replace(pools=frozenset({"/images"}))}, COPY,
     []),
    ("copy of the rest to nothing in a pool", domain(disk()),
     {**seen(IMAGE, file(), GONE), "abilities": ABLE._replace(pools=frozenset({"/images"}))},
     {"copy_storage_inc": True}, ["error disk-target-missing"]),
    ("copy to nobody knows what", domain(disk()), {"abilities": ABLE}, COPY,
     ["info disk-storage-unknown"]),
    ("copy to another size", domain(disk()), {
        **seen(IMAGE, file(), file()), "running": Running(capacities={"vda": 9 << 20})}, COPY,
     ["error disk-size-differs"]),
    ("copy to a volume of another size", domain(disk()), {
        "running": Running(capacities={"vda": 9 << 20}),
        "abilities": ABLE._replace(volumes={IMAGE: Volume("file", "dir", 8 << 20, IMAGE)})}, COPY,
     ["error disk-size-differs"]),
    ("copy to a larger device", domain(disk("dev='/dev/lun'", kind="block")), {
        **seen("/dev/lun", BLOCK, BLOCK), "running": Running(capacities={"vda": 4 << 20})}, COPY,
     []),
    ("copy of a cdrom", domain(CDROM.format(ISO)), {"there": look({"/iso/a.iso": file()})},
     {**COPY, "migrate_disks": ("hdc",)}, ["error migrate-disk-read-only"]),
    ("disks named in vain", domain(disk()), seen(IMAGE, SAME, SAME), {"migrate_disks": ("vda",)},
     ["warning migrate-disks-ignored"]),
    # Networks.
    ("network", domain(interface("network", "network='lan'")),
     {"abilities": ABLE._replace(networks={"lan": Network(active=True, mtu=None)}),
      "running": Running(networks={"lan": Network(active=True, mtu=None)})}, {}, []),
    ("network that is missing", domain(interface("network", "network='lan'")),
     {"abilities": ABLE}, {}, ["error network-missing"]),
    ("network of a guest that runs", domain(interface("bridge", "network='lan' bridge='br0'")),
     {"abilities": ABLE}, {}, ["error network-missing"]),
    ("network that is missing, twice", domain(*2 * [interface("network", "network='lan'")]),
     {"abilities": ABLE}, {}, ["error network-missing"]),
    ("network that is off", domain(interface("network", "network='lan'")),
     {"abilities": ABLE._replace(networks={"lan": Network(active=False, mtu=None)})}, {},
     ["error network-inactive"]),
    ("network that is off, offline", domain(interface("network", "network='lan'")),
     {"abilities": ABLE._replace(networks={"lan": Network(active=False, mtu=None)})}, OFFLINE,
     ["warning network-inactive"]),
    ("network whose bridge is missing", domain(interface("network", "network='lan'")),
     {"abilities": ABLE._replace(networks={"lan": Network(True, None, "br0")}),
      "there": look()}, {}, ["error network-device-missing"]),
    ("network with another MTU", domain(interface("network", "network='lan'")),
     {"abilities": ABLE._replace(networks={"lan": Network(active=True, mtu=1500)}),
      "running": Running(networks={"lan": Network(active=True, mtu=9000)})}, {},
     ["warning network-mtu-differs"]),
    ("bridge", domain(interface("bridge", "bridge='br0'")),
     {"there": look(devices={"br0": 1500}), "here": look(devices={"br0": 1500})}, {}, []),
    ("bridge with another MTU", domain(interface("bridge", "bridge='br0'")),
     {"there": look(devices={"br0": 1500}), "here": look(devices={"br0": 9000})}, {},
     ["warning network-mtu-differs"]),
    ("bridge that is missing", domain(interface("bridge", "bridge='br0'")), {"there": look()}, {},
     ["error network-device-missing"]),
    ("bridge that libvirt does not list", domain(interface("bridge", "bridge='br0'")),
     {"abilities": ABLE}, {}, ["error network-device-missing"]),
    ("bridge that nobody could look for", domain(interface("bridge", "bridge='br0'")), {}, {},
     ["info network-unknown"]),
    ("device that is missing", domain(interface("direct", "dev='eth7' mode='bridge'")),
     {"abilities": ABLE}, {}, ["error network-device-missing"]),
    ("network of the user", domain("<interface type='user'/>"), {"abilities": ABLE}, {}, []),
    # Devices.
    ("pci", domain(HOSTDEV.format("")), {}, {}, ["error host-device"]),
    ("pci, offline", domain(HOSTDEV.format("")), {}, OFFLINE, []),
    ("pci, newer QEMU", domain(HOSTDEV.format("")), {"qemu": "8.1.0"}, {},
     ["warning host-device"]),
    ("pci of a pair", domain(HOSTDEV.format("<teaming type='transient' persistent='ua-1'/>")), {},
     {}, ["info host-device-unplugged"]),
    ("pci interface", domain(interface("hostdev", "", "<mac address='52:54:00:00:00:01'/>")), {},
     {}, ["error host-device"]),
    ("pci interface of a pair", domain(interface("hostdev", "", "<teaming type='transient'/>")),
     {}, {}, ["info host-device-unplugged"]),
    ("mdev", domain("<hostdev mode='subsystem' type='mdev'><source><address uuid='c2f'/></source>"
                    "</hostdev>"), {}, {}, ["error host-device"]),
    ("scsi host", domain("<hostdev mode='subsystem' type='scsi_host'><source wwpn='naa.1'/>"
                         "</hostdev>"), {}, {}, ["error host-device"]),
    ("usb", domain(USB.format("")), {"abilities": ABLE._replace(
        usb=frozenset({("0x1050", "0x0407")}))}, {}, ["warning host-device"]),
    ("usb that is missing", domain(USB.format("")), {"abilities": ABLE._replace(usb=frozenset())},
     {}, ["warning host-device", "error host-device-missing"]),
    ("usb that may be missing", domain(USB.format("startupPolicy='optional'")),
     {"abilities": ABLE._replace(usb=frozenset())}, {}, ["warning host-device"]),
    ("virtiofs", domain("<filesystem type='mount'><driver type='virtiofs'/><source dir='/a'/>"
                        "<target dir='t'/></filesystem>"), {}, {},
     ["error filesystem-passed-through"]),
    ("virtiofs, newer QEMU", domain("<filesystem type='mount'><driver type='virtiofs'/>"
                                    "<source dir='/a'/><target dir='t'/></filesystem>"),
     {"qemu": "8.2.0"}, {}, ["warning filesystem-passed-through"]),
    ("9p", domain("<filesystem type='mount'><source dir='/a'/><target dir='t'/></filesystem>"),
     {}, {}, ["warning filesystem-passed-through"]),
    ("shmem", domain("<shmem name='m' role='peer'/>"), {}, {}, ["error shared-memory-peer"]),
    ("shmem of its own", domain("<shmem name='m' role='master'/>"), {}, {}, []),
    ("tpm", domain("<tpm model='tpm-crb'><backend type='emulator'/></tpm>"),
     {"abilities": ABLE._replace(capabilities=TPM)}, {}, ["error tpm-missing"]),
    ("tpm of the host", domain("<tpm model='tpm-tis'><backend type='passthrough'/></tpm>"),
     {"abilities": ABLE._replace(capabilities=TPM)}, {}, ["warning tpm-passed-through"]),
    ("kernel", domain().replace("hvm</type>", "hvm</type><kernel>/k</kernel>"),
     {"there": look({"/k": GONE})}, {}, ["error device-file-missing"]),
    ("serial port to a file", domain("<serial type='file'><source path='/l/a.log'/></serial>"),
     {"there": look({"/l/a.log": GONE})}, {}, []),
    ("serial port to a file nowhere", domain(
        "<serial type='file'><source path='/l/a.log'/></serial>"),
     {"there": look({"/l/a.log": NOWHERE})}, {}, ["error device-file-missing"]),
    ("vhost-user", domain(interface("vhostuser", "type='unix' path='/s' mode='client'")),
     {"there": look({"/s": GONE})}, {}, ["error device-file-missing"]),
    ("vhost-user that listens", domain(interface("vhostuser", "path='/s/a' mode='server'")),
     {"there": look({"/s/a": GONE})}, {}, []),
    ("nvdimm", domain("<memory model='nvdimm'><source><path>/n</path></source></memory>"),
     {"there": look({"/n": GONE})}, {}, ["error device-file-missing"]),
    ("screen", domain(VNC.format("10.0.0.2")), {"there": look()}, {}, []),
    ("screen everywhere", domain(VNC.format("0.0.0.0")), {"there": look()}, {}, []),  # noqa: S104
    ("screen on the machine itself", domain(VNC.format("127.0.0.1")), {}, {}, []),
    ("screen elsewhere", domain(VNC.format("10.0.0.1")), {"there": look()}, {},
     ["error listen-address-missing"]),
    ("console elsewhere", domain(
        "<serial type='tcp'><source mode='bind' host='10.0.0.1' service='4555'/></serial>"),
     {"there": look()}, {}, ["error listen-address-missing"]),
    ("screen that nobody could look for", domain(VNC.format("10.0.0.1")), {}, {},
     ["info listen-address-unknown"]),
    # Certificates.
    ("certificates", domain(), {"here": look(pems=PEMS), "there": look(pems=PEMS)}, TLS, []),
    ("no certificates", domain(), {"here": look(), "there": look()}, TLS,
     ["error tls-certificate-missing", "error tls-certificate-missing"]),
    ("no certificate of the client", domain(), {"here": look(
        pems={"ca-cert": PEMS["ca-cert"]}), "there": look(pems=PEMS)}, TLS,
     ["error tls-certificate-missing"]),
    ("no certificate of the client, who need not show one", domain(), {"here": look(
        pems={"ca-cert": PEMS["ca-cert"]}), "there": look(pems=PEMS, verified=False)}, TLS, []),
    ("certificates that nobody could look for", domain(), {}, TLS,
     ["info tls-certificates-unknown"]),
    ("certificates of one side", domain(), {"here": look(pems=PEMS)}, TLS,
     ["info tls-certificates-unknown"]),
    ("key that QEMU may not read", domain(), {"here": look(pems=PEMS), "there": look(
        pems=PEMS | {"server-key": Pem(readable=False)})}, TLS,
     ["error tls-certificate-unreadable"]),
    ("certificate that is over", domain(), {"here": look(pems=PEMS), "there": look(
        pems=PEMS | {"server-cert": Pem(readable=True, expired=True, named=True)})}, TLS,
     ["error tls-certificate-expired"]),
    ("certificate for another name", domain(), {"here": look(pems=PEMS), "there": look(
        pems=PEMS | {"server-cert": Pem(readable=True, expired=False, named=False)})}, TLS,
     ["error tls-certificate-name"]),
    ("tls is demanded", domain(), {"here": look(), "there": look(forced=True)}, {},
     ["error tls-required"]),
    ("tls is demanded and given", domain(), {"here": look(pems=PEMS), "there": look(
        pems=PEMS, forced=True)}, TLS, []),
    # What was not told.
    ("unread", domain(), {"unread": (Unread("beta", "free memory", "access denied"),)}, {},
     ["info host-facts-unknown"]),
]
# fmt: on

PAUSED = [
    # asked for                                     why it is paused  findings
    ({}, "user", ["info guest-paused"]),
    (
        {"postcopy": True, "revision": "current"},
        "user",
        ["error guest-paused-postcopy", "info guest-paused"],
    ),
    ({"abort_on_error": True}, "ioerror", ["error guest-io-error", "info guest-paused"]),
    ({"abort_on_error": True}, "user", ["info guest-paused"]),
]


def _judged(
    migrator: Migrator,
    xml: str,
    read: dict[str, Any],
    asked: dict[str, Any],
    *,
    state: GuestState = GuestState.RUNNING,
    reason: str | None = None,
) -> list[Finding]:
    plan = migrator.plan("web1", SOURCE, DESTINATION, **{"live": True, **asked})
    given = dict(read)
    qemu = f"QEMU {given.pop('qemu', '7.2.22')}"
    offline = GuestState.SHUTOFF if plan.request.offline else state
    guest = GuestFacts("web1", UUID, offline, persistent=True, memory=4 * GIB, reason=reason)
    hosts = [HostFacts(name, name, qemu, "libvirt 9.0.0") for name in ("alpha", "beta")]
    definition: Element = parsed(xml)
    inspection = Inspection(definition, given.pop("target", definition), **given)
    return list(judge(plan, Facts(hosts[0], guest, hosts[1], None), inspection))


@pytest.mark.parametrize(
    ("xml", "read", "asked", "expected"), [pytest.param(*row[1:], id=row[0]) for row in CASES]
)
def test_findings(
    migrator: Migrator, xml: str, read: dict[str, Any], asked: dict[str, Any], expected: list[str]
) -> None:
    found = _judged(migrator, xml, read, asked)

    assert [f"{each.severity} {each.id}" for each in found] == expected


@pytest.mark.parametrize(("asked", "reason", "expected"), PAUSED)
def test_guest_that_is_paused(
    migrator: Migrator, asked: dict[str, Any], reason: str, expected: list[str]
) -> None:
    found = _judged(migrator, domain(), {}, asked, state=GuestState.PAUSED, reason=reason)

    assert [f"{each.severity} {each.id}" for each in found] == expected


def test_finding_says_what_is_where_and_how_to_mend_it(migrator: Migrator) -> None:
    found = [
        *_judged(migrator, domain(disk()), seen(IMAGE, file(), file()), {}),
        *_judged(migrator, domain(interface("network", "network='lan'")), {"abilities": ABLE}, {}),
        *_judged(
            migrator,
            domain(disk()),
            {
                **seen(IMAGE, file(), file(size=9 << 20)),
                "running": Running(capacities={"vda": 8 << 20}),
            },
            COPY,
        ),
        *_judged(
            migrator,
            domain(),
            {
                "abilities": ABLE._replace(
                    cpu="the CPU is incompatible with host CPU: Host CPU does not provide required"
                    " features: pcid, rtm"
                )
            },
            {},
        ),
        *_judged(
            migrator,
            domain(head=HUGE.format(TWO_MIB)),
            {"abilities": ABLE._replace(pages={4: 10**6, 2048: 100})},
            {},
        ),
    ]

    assert found == [
        Finding(
            "disk-not-shared",
            Severity.ERROR,
            "alpha",
            "the disk vda is on storage that the source alone has",
            seen="/images/a.img on ext4 from /dev/sda1",
            expected="storage that both hosts have, or a copy",
            remedy="--copy-storage-all",
        ),
        Finding(
            "network-missing",
            Severity.ERROR,
            "beta",
            "beta has no virtual network 'lan'",
            seen="no such network",
            expected="lan",
            remedy="virsh -c qemu+ssh://beta/system net-define lan.xml",
        ),
        Finding(
            "disk-size-differs",
            Severity.ERROR,
            "beta",
            "the disk vda would be copied onto one of another size",
            seen="9437184 bytes",
            expected="8388608 bytes",
            remedy="on beta: qemu-img resize --shrink -f raw /images/a.img 8388608",
        ),
        Finding(
            "cpu-incompatible",
            Severity.ERROR,
            "beta",
            "the destination's processor cannot stand in for the guest's",
            seen="missing: pcid, rtm",
            expected="all features of the guest's Skylake-Client",
            remedy="choose a destination whose processor has them, or a CPU model without them from"
            " the guest's next start on: virsh -c qemu+ssh://alpha/system edit web1",
        ),
        Finding(
            "hugepages-short",
            Severity.ERROR,
            "beta",
            "beta lacks huge pages for web1",
            seen="100 free of 2048 KiB",
            expected="2048 free of 2048 KiB",
            remedy="virsh -c qemu+ssh://beta/system allocpages --pagesize 2048KiB --pagecount 2048",
        ),
    ]


def test_definition_of_the_destination_decides_what_it_needs(migrator: Migrator) -> None:
    here = domain(interface("network", "network='lan'"), disk())
    target = parsed(domain(interface("network", "network='wan'"), disk("file='/other/a.img'")))
    read = {
        "here": look({IMAGE: SAME}),
        "there": look({"/other/a.img": file(NFS, "nas2:/export")}),
        "abilities": ABLE._replace(networks={"wan": Network(active=True, mtu=None)}),
        "target": target,
    }

    assert _judged(migrator, here, read, {"xml": "/tmp/web1.xml"}) == []  # noqa: S108


def test_destination_that_the_client_cannot_open_is_not_judged(migrator: Migrator) -> None:
    plan = migrator.plan("web1", SOURCE, DESTINATION, live=True, p2p=True)
    host = HostFacts("alpha", "alpha", "QEMU 7.2.22", "libvirt 9.0.0")
    guest = GuestFacts("web1", UUID, GuestState.RUNNING, persistent=True, memory=4 * GIB)
    definition = parsed(domain(disk(), interface("network", "network='lan'"), cpu=INVTSC))
    facts = Facts(host, guest, None, None, "nobody can open it")

    found = list(judge(plan, facts, Inspection(definition, definition)))

    assert [(each.id, each.host) for each in found] == [
        ("cpu-invariant-tsc", "alpha"),
        ("disk-storage-unknown", None),
    ]


# Whatever a definition has and a host lacks, all at once.
PIECES = sorted({row[1] for row in CASES})
READ = [row[2] for row in CASES if "unread" not in row[2]]
ASKED = [{}, COPY, {"copy_storage_inc": True}, {"unsafe": True}, TLS, OFFLINE]


@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=6),
    st.lists(st.sampled_from(READ), max_size=4),
    st.sampled_from(ASKED),
)
def test_all_that_is_ever_found_is_of_a_kind(
    migrator: Migrator, pieces: list[str], read: list[dict[str, Any]], asked: dict[str, Any]
) -> None:
    whole = parsed(pieces[0])
    for piece in map(parsed, pieces[1:]):
        for element in piece:
            if element.tag == "devices":
                whole.find("devices").extend(element)  # type: ignore[union-attr]
            elif whole.find(element.tag) is None:
                whole.append(element)
    told: dict[str, Any] = {}
    for each in read:
        told |= each
    kinds = {kind.id: kind.severity for kind in GUEST}
    order = [Severity.INFO, Severity.WARNING, Severity.ERROR]

    for found in _judged(migrator, ET.tostring(whole, encoding="unicode"), told, asked):
        assert order.index(found.severity) <= order.index(kinds[found.id])
        # Offline nothing runs yet: only what libvirt itself refuses blocks.
        if asked is OFFLINE:
            assert found.severity is not Severity.ERROR or found.id == "guest-has-snapshots"


def test_every_kind_is_raised_by_some_case(migrator: Migrator) -> None:
    raised = {
        each.id for _, xml, read, asked, _ in CASES for each in _judged(migrator, xml, read, asked)
    } | {"guest-paused", "guest-paused-postcopy", "guest-io-error"}

    assert raised == {kind.id for kind in GUEST}


def test_no_finding_is_worse_than_its_kind(migrator: Migrator) -> None:
    worst = {kind.id: kind.severity for kind in GUEST}
    order = [Severity.INFO, Severity.WARNING, Severity.ERROR]

    for label, xml, read, asked, _ in CASES:
        for found in _judged(migrator, xml, read, asked):
            assert order.index(found.severity) <= order.index(worst[found.id]), label
            assert found.seen, label
            assert (
                found.id == "host-facts-unknown"
                or found.remedy
                or found.severity is (Severity.INFO)
            ), label


def test_kinds_are_written_as_documented() -> None:
    ids = [kind.id for kind in KINDS]

    assert len(ids) == len(set(ids))
    for kind in GUEST:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", kind.id)
        assert kind.summary
        assert not kind.summary.endswith(".")
        # What only could not be found out is told by its name, and blocks nothing.
        assert kind.id.endswith("-unknown") == ("could" in kind.summary)
        assert not kind.id.endswith("-unknown") or kind.severity is Severity.INFO


def test_every_id_in_the_code_is_a_kind() -> None:
    folder = Path(checks.__file__).parent
    code = "".join(path.read_text() for path in folder.glob("*.py") if path.name != "kinds.py")
    named = re.findall(r'Finding\(\s*"([a-z0-9-]+)"', code)
    lacks = re.findall(r'"\w+": \(\s*"([a-z-]+)"', code)
    written = {*named, *lacks}

    assert written == {kind.id for kind in GUEST}


@given(st.sets(st.integers(0, 200), min_size=1))
def test_sets_of_numbers_read_as_libvirt_writes_them(wanted: set[int]) -> None:
    spare = min(set(range(202)) - wanted)
    text = ",".join(str(number) for number in sorted(wanted))

    assert numbers(text) == wanted
    assert numbers(f"0-{max(wanted)},{text},^{spare}") == (
        (set(range(max(wanted) + 1)) | wanted) - {spare}
    )


@pytest.mark.parametrize(
    ("number", "unit", "expected"),
    [("4", None, 4), ("2048", "KiB", 2048), ("1", "GiB", GIB), ("1024", "b", 1), ("1", "MB", 977)],
)
def test_amounts_of_memory_are_read_in_kib(number: str, unit: str | None, expected: int) -> None:
    assert kibibytes(number, unit) == expected


def test_disks_and_interfaces_are_read_from_a_definition() -> None:
    definition = parsed(
        domain(
            disk(more=BACKED),
            disk("pool='p' volume='v'", kind="volume").replace("vda", "vdb"),
            CDROM.format(""),
            interface("bridge", "network='lan' bridge='br0'", "<mtu size='9000'/>"),
        )
    )
    first, second, third = disks(definition)
    (only,) = interfaces(definition)

    assert (first.key, first.backing, first.format) == (IMAGE, ("/base.img",), "raw")
    assert (second.key, second.empty, second.read_only) == ("p/v", False, False)
    assert (third.key, third.empty, third.read_only) == (None, True, True)
    assert (only.kind, only.source, only.mtu) == ("network", "lan", 9000)
