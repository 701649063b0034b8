"""What a guest needs and a host lacks is found before libvirt or QEMU stumble over it.

Each finding is held against the truth: whoever accepts it gets libvirt's own refusal.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest

from migrate_plugins import Config, DriverError, Finding, Migrator, NamedHost, Severity, Verdict
from migrate_plugins_qemu.checks.kinds import GUEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from migrate_plugins import Plan
    from migrate_plugins_lab.host import Host
    from migrate_plugins_lab.lab import Lab

_KINDS = {kind.id for kind in GUEST}

QEMU = "/usr/bin/qemu-system-x86_64"
WITHOUT_TCG = f"{QEMU}-microvm"  # it has another machine, and no software emulation
EMULATOR = "<emulator>/mnt/disks/qemu</emulator>"

# QEMU on a host whose processor lacks a feature: it does not offer it, and does not give it.
LESSER_QEMU = f"""#!/bin/sh
for word do
  shift
  case $word in *lahf-lm=on*) word=${{word%lahf-lm=on*}}lahf-lm=off${{word##*lahf-lm=on}};; esac
  set -- "$@" "$word"
done
exec {QEMU} -global max-x86_64-cpu.lahf-lm=off -global qemu64-x86_64-cpu.lahf-lm=off "$@"
"""
CPU = (
    "<cpu mode='custom' match='exact' check='partial'><model fallback='forbid'>qemu64</model>"
    "<feature policy='require' name='lahf_lm'/></cpu>"
)
CDROM = (
    "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>{}"
    "<target dev='hdc' bus='ide'/><readonly/></disk>"
)
ISO = "<source file='/mnt/disks/cd.iso'/>"
SHMEM = "<shmem name='{}' role='peer'><model type='ivshmem-plain'/><size unit='M'>1</size></shmem>"
SCREEN = "<graphics type='vnc' autoport='yes'><listen type='address' address='{}'/></graphics>"
SERIAL = "<serial type='file'><source path='/mnt/disks/sub/a.log'/><target port='1'/></serial>"
INTERFACE = "<interface type='{0}'><source {0}='{1}'/><model type='virtio'/></interface>"


class Hosts(NamedTuple):
    """A lab, and its hosts' own folders as this process sees them."""

    lab: Lab
    alpha: Host
    beta: Host
    here: Path
    there: Path


class Refused(NamedTuple):
    """How libvirt refuses what was accepted: its code, if only one can be, and a pattern."""

    code: int | None
    text: str


class Looker(Protocol):
    """Checks, and shows that what is found is true."""

    def __call__(
        self,
        refused: Refused | None = None,
        **options: Any,  # noqa: ANN401 - of many kinds
    ) -> list[Finding]:
        """Give all findings of the guest web1 itself."""


@pytest.fixture
def pair(hosts: Lab) -> Hosts:
    """Two hosts without a file of their own."""
    alpha, beta = hosts.hosts
    here, there = (hosts.folder.host(host.name) / "disks" for host in hosts.hosts)
    for path in (*here.iterdir(), *there.iterdir()):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return Hosts(hosts, alpha, beta, here, there)


def _migrator(lab: Lab) -> Migrator:
    named = {
        host.name: NamedHost(host.name, host.uri, host.peer_uri, shell=host.shell)
        for host in lab.hosts
    }
    return Migrator.installed(Config(hosts=named))


def _look(
    migrator: Migrator,
    lab: Lab,
    refused: Refused | None = None,
    **options: Any,  # noqa: ANN401 - of many kinds
) -> list[Finding]:
    alpha, beta = lab.hosts
    given = {"source": alpha.uri, "destination": beta.uri, "live": True, **options}
    plan: Plan = migrator.plan("web1", **given)
    found = list(migrator.check(plan).findings)
    if refused is not None:
        errors = {each.id: "to see what libvirt says" for each in found if each.blocks}
        outcome = migrator.run(plan, accept=errors)
        assert outcome.verdict is Verdict.FAILED
        assert isinstance(outcome.error, DriverError)
        assert refused.code in {outcome.error.code, None}
        assert re.search(refused.text, outcome.error.problem)
    return [each for each in found if each.id in _KINDS]


@pytest.fixture
def seen(pair: Hosts) -> Looker:
    """Look at the rootless hosts, also from within."""
    migrator = _migrator(pair.lab)
    return lambda refused=None, **options: _look(migrator, pair.lab, refused, **options)


def _ids(found: list[Finding]) -> list[str]:
    return [f"{each.severity} {each.id}" for each in found]


def _with(*devices: str) -> Callable[[str], str]:
    return lambda xml: xml.replace("</devices>", f"{''.join(devices)}</devices>")


def _emulated(xml: str) -> str:
    return xml.replace("<devices>", f"<devices>{EMULATOR}")


def test_plain_guest_lacks_nothing(pair: Hosts, seen: Looker) -> None:
    pair.lab.guest("web1")

    assert seen() == []


def test_guest_that_moves_back_lacks_nothing_either(pair: Hosts) -> None:
    pair.lab.guest("web1", host="beta")
    alpha, beta = pair.lab.hosts
    migrator = _migrator(pair.lab)
    plan = migrator.plan("web1", source=beta.uri, destination=alpha.uri, live=True)

    assert [each.id for each in migrator.check(plan).findings] == ["data-plain-text"]


@pytest.mark.parametrize(
    "cpu",
    [
        "<cpu mode='host-model'/>",
        "<cpu mode='maximum'/>",
        "<cpu mode='custom' match='exact'><model>Nehalem</model></cpu>",
        "<cpu mode='custom'><model>EPYC</model></cpu>",
        "<cpu mode='custom' match='exact' check='none'><model>Skylake-Client</model></cpu>",
    ],
)
def test_cpu_of_any_kind_fits_an_equal_host(pair: Hosts, seen: Looker, cpu: str) -> None:
    pair.lab.guest("web1", edit=lambda xml: xml.replace("<features>", f"{cpu}<features>"))

    assert seen() == []


# --- machine ---------------------------------------------------------------------------------


def test_emulator_that_is_missing_is_found(pair: Hosts, seen: Looker) -> None:
    (pair.here / "qemu").symlink_to(QEMU)
    pair.lab.guest("web1", edit=_emulated)

    assert seen(Refused(38, "Cannot check QEMU binary /mnt/disks/qemu")) == [
        Finding(
            "emulator-missing",
            Severity.ERROR,
            "beta",
            "the destination lacks the program that runs the guest",
            seen="Cannot check QEMU binary /mnt/disks/qemu: No such file or directory",
            expected="/mnt/disks/qemu",
            remedy="--xml FILE with an <emulator> that is on beta",
        )
    ]


def test_machine_type_and_virtualisation_that_are_missing_are_found(
    pair: Hosts, seen: Looker
) -> None:
    (pair.here / "qemu").symlink_to(QEMU)
    (pair.there / "qemu").symlink_to(WITHOUT_TCG)
    pair.lab.guest("web1", edit=_emulated)

    machine, virtualisation = seen(Refused(67, "does not support virt type 'qemu'"))

    assert (machine.id, machine.host) == ("machine-type-missing", "beta")
    assert machine.expected is not None
    assert machine.expected.startswith("pc-i440fx-")
    assert (virtualisation.id, virtualisation.expected) == ("virtualisation-missing", "qemu")


def test_feature_that_the_processor_lacks_is_named(pair: Hosts, seen: Looker) -> None:
    (pair.here / "qemu").symlink_to(QEMU)
    (pair.there / "qemu").write_text(LESSER_QEMU, encoding="utf-8")
    (pair.there / "qemu").chmod(0o755)
    pair.lab.guest(
        "web1", edit=lambda xml: _emulated(xml).replace("<features>", f"{CPU}<features>")
    )

    (found,) = seen(Refused(9, "guest CPU doesn't match specification: missing features: lahf_lm"))

    assert (found.id, found.host, found.seen) == ("cpu-incompatible", "beta", "missing: lahf_lm")


# --- disks -----------------------------------------------------------------------------------


def test_local_disk_is_not_shared(pair: Hosts, seen: Looker) -> None:
    pair.lab.guest("web1", disk=8)

    (found,) = seen(Refused(81, "Migration without shared storage is unsafe"))

    assert found._replace(seen=None) == Finding(
        "disk-not-shared",
        Severity.ERROR,
        "alpha",
        "the disk vda is on storage that the source alone has",
        expected="storage that both hosts have, or a copy",
        remedy="--copy-storage-all",
    )
    assert re.match(r"/mnt/disks/web1\.img on \w+ from ", found.seen or "")


def test_remedy_for_a_local_disk_mends_it(pair: Hosts, seen: Looker) -> None:
    guest = pair.lab.guest("web1", disk=8)

    assert seen(copy_storage_all=True) == []

    migrator = _migrator(pair.lab)
    plan = migrator.plan("web1", pair.alpha.uri, pair.beta.uri, live=True, copy_storage_all=True)
    migrator.run(plan).raise_for_failure()
    guest.wait_for_ticks()


def test_unsafe_makes_a_local_disk_a_warning(pair: Hosts, seen: Looker) -> None:
    pair.lab.guest("web1", disk=8)

    assert _ids(seen(unsafe=True)) == ["warning disk-not-shared"]


def test_nobody_who_cannot_look_says_that_storage_is_not_shared(pair: Hosts) -> None:
    pair.lab.guest("web1", disk=8)

    assert _look(Migrator.installed(Config()), pair.lab) == [
        Finding(
            "disk-storage-unknown",
            Severity.INFO,
            None,
            "whether both hosts have these disks on the same storage is unknown: the client cannot"
            " look at the hosts from within",
            seen="/mnt/disks/web1.img",
            expected="shared storage, or --copy-storage-all",
            remedy="on both hosts: findmnt -T /mnt/disks/web1.img; or tell config.toml how to look:"
            " [hosts.NAME] shell",
        )
    ]


def test_medium_that_is_missing_is_found(pair: Hosts, seen: Looker) -> None:
    (pair.here / "cd.iso").write_bytes(bytes(4096))
    pair.lab.guest("web1", edit=_with(CDROM.format(ISO)))

    (found,) = seen(Refused(38, "Cannot access storage file '/mnt/disks/cd.iso'"))

    assert (found.id, found.host, found.seen) == ("disk-missing", "beta", "no /mnt/disks/cd.iso")

    # Its remedy mends it.
    pair.alpha.virsh("change-media", "web1", "hdc", "--eject")
    assert seen() == []


@pytest.mark.parametrize("source", ["", ISO])
def test_read_only_disk_is_no_obstacle_but_cannot_be_copied(
    pair: Hosts, seen: Looker, source: str
) -> None:
    for folder in (pair.here, pair.there):
        (folder / "cd.iso").write_bytes(bytes(4096))
    pair.lab.guest("web1", disk=8, edit=_with(CDROM.format(source)))

    assert seen(copy_storage_all=True) == []

    refused = Refused(84, "Cannot migrate empty or read-only disk hdc")
    (found,) = seen(refused, copy_storage_all=True, migrate_disks=("vda", "hdc"))
    assert (found.id, found.seen, found.remedy) == (
        "migrate-disk-read-only",
        "hdc",
        "--migrate-disks vda",
    )


def test_disk_that_there_is_not_cannot_be_copied(pair: Hosts, seen: Looker) -> None:
    pair.lab.guest("web1", disk=8)

    refused = Refused(8, "disk target vdb not found")
    (found,) = seen(refused, copy_storage_all=True, migrate_disks=("vda", "vdb"))

    assert (found.id, found.seen, found.expected) == ("migrate-disk-missing", "vdb", "vda")


def test_disks_are_named_in_vain_where_nothing_is_copied(pair: Hosts, seen: Looker) -> None:
    pair.lab.guest("web1", disk=8)

    found = seen(Refused(81, "without shared storage"), migrate_disks=("vda",))

    assert _ids(found) == ["warning migrate-disks-ignored", "error disk-not-shared"]


@pytest.mark.parametrize(
    ("option", "refused"),
    [
        ("copy_storage_all", Refused(49, "no storage pool with matching target path '/mnt/disks'")),
        ("copy_storage_inc", Refused(84, "pre-creation of storage targets for incremental")),
    ],
)
def test_copy_needs_something_to_copy_to(
    pair: Hosts, seen: Looker, option: str, refused: Refused
) -> None:
    pair.lab.guest("web1", disk=8)
    (pair.there / "web1.img").unlink()

    (found,) = seen(refused, **{option: True})

    assert (found.id, found.host, found.remedy) == (
        "disk-target-missing",
        "beta",
        "on beta: qemu-img create -f raw /mnt/disks/web1.img 8388608",
    )


def test_copy_creates_what_is_missing_in_a_pool(pair: Hosts, seen: Looker) -> None:
    guest = pair.lab.guest("web1", disk=8)
    (pair.there / "web1.img").unlink()
    pair.beta.virsh("pool-create-as", "disks", "dir", "--target", "/mnt/disks")
    try:
        assert seen(copy_storage_all=True) == []
        assert _ids(seen(copy_storage_inc=True)) == ["error disk-target-missing"]
        migrator = _migrator(pair.lab)
        plan = migrator.plan(
            "web1", pair.alpha.uri, pair.beta.uri, live=True, copy_storage_all=True
        )
        migrator.run(plan).raise_for_failure()
    finally:
        pair.beta.virsh("pool-destroy", "disks")
    guest.wait_for_ticks()


@pytest.mark.parametrize("pool", [False, True])
def test_copy_onto_another_size_is_found(pair: Hosts, seen: Looker, *, pool: bool) -> None:
    pair.lab.guest("web1", disk=8)
    with (pair.there / "web1.img").open("r+b") as image:
        image.truncate(4 << 20)
    if pool:  # then libvirt itself knows the volume
        pair.beta.virsh("pool-create-as", "disks", "dir", "--target", "/mnt/disks")
    try:
        refused = Refused(9, "Source and target image have different sizes")
        (found,) = seen(refused, copy_storage_all=True)
    finally:
        if pool:
            pair.beta.virsh("pool-destroy", "disks")

    assert (found.id, found.seen, found.expected) == (
        "disk-size-differs",
        "4194304 bytes",
        "8388608 bytes",
    )


def test_block_job_is_found(pair: Hosts, seen: Looker) -> None:
    pair.lab.guest("web1", disk=64)
    target = ("/mnt/disks/copy.img", "--format", "raw")
    pair.alpha.virsh("blockcopy", "web1", "vda", *target, "--bandwidth", "1", "--transient-job")

    (found,) = seen(Refused(55, "domain has active block job"), copy_storage_all=True)

    assert (found.id, found.host, found.seen) == ("disk-block-job", "alpha", "a block job on vda")

    pair.alpha.virsh("blockjob", "web1", "vda", "--abort")
    assert seen(copy_storage_all=True) == []


def test_transient_disk_is_found(pair: Hosts, seen: Looker) -> None:
    target = "<target dev='vda'"
    pair.lab.guest("web1", disk=8, edit=lambda xml: xml.replace(target, f"<transient/>{target}"))

    refused = Refused(55, "migration with transient disk is not supported")
    found = seen(refused, copy_storage_all=True)

    # What it is written to meanwhile is nowhere else.
    assert _ids(found) == ["error disk-transient", "error disk-target-missing"]


# --- guest -----------------------------------------------------------------------------------


def test_snapshots_and_the_image_below_are_found(pair: Hosts, seen: Looker) -> None:
    pair.lab.guest("web1", disk=8)
    pair.alpha.virsh("snapshot-create-as", "web1", "before", "--disk-only")

    found = seen(Refused(55, "cannot migrate domain with 1 snapshots"))
    assert _ids(found) == ["error guest-has-snapshots", "error disk-not-shared"]
    assert found[0].seen == "before"
    assert found[0].remedy is not None
    assert found[0].remedy.endswith(" snapshot-delete web1 before --metadata")

    pair.alpha.virsh("snapshot-delete", "web1", "before", "--metadata")
    assert _ids(seen()) == ["error disk-not-shared"]

    # What the disk rests on must be there too, where it is not copied whole.
    (pair.there / "web1.img").unlink()
    found = seen(copy_storage_inc=True)
    assert _ids(found) == ["error disk-backing-missing", "error disk-target-missing"]


def test_checkpoints_are_found(pair: Hosts, seen: Looker) -> None:
    pair.lab.guest("web1", disk=8)
    pair.alpha.virsh("snapshot-create-as", "web1", "before", "--disk-only")
    pair.alpha.virsh("snapshot-delete", "web1", "before", "--metadata")
    pair.alpha.virsh("checkpoint-create-as", "web1", "backup1")  # needs an image of QEMU's own

    (checkpoints, *_) = seen(unsafe=True)

    assert (checkpoints.severity, checkpoints.id, checkpoints.seen) == (
        Severity.WARNING,
        "guest-has-checkpoints",
        "backup1",
    )


def test_saved_memory_stays_behind(pair: Hosts, seen: Looker) -> None:
    pair.lab.guest("web1", persistent=True)
    pair.alpha.virsh("managedsave", "web1")

    found = seen(live=False, offline=True, persistent=True, undefine_source=True)

    assert _ids(found) == ["warning guest-memory-saved"]


def test_paused_guest_arrives_paused(pair: Hosts, seen: Looker) -> None:
    pair.lab.guest("web1")
    pair.alpha.virsh("suspend", "web1")

    (found,) = seen()
    assert (found.severity, found.id, found.seen) == (
        Severity.INFO,
        "guest-paused",
        "paused (user)",
    )

    refused = Refused(74, "post-copy migration is not supported with non-live or paused migration")
    found_too = seen(refused, postcopy=True, revision="current")
    assert _ids(found_too) == ["error guest-paused-postcopy", "info guest-paused"]


@pytest.mark.parametrize(
    ("old", "new", "id_", "refused"),
    [
        (
            "<os>",
            "<numatune><memory mode='strict' nodeset='7'/></numatune><os>",
            "numa-node-missing",
            Refused(67, "NUMA node 7 is unavailable"),
        ),
        (
            "placement='static'>",
            "placement='static' cpuset='1000-1003'>",
            "processor-missing",
            Refused(38, "cannot set CPU affinity"),
        ),
        (
            "</domain>",
            "<seclabel type='static' model='selinux'><label>a:b:c:s0</label></seclabel></domain>",
            "security-model-missing",
            Refused(67, "Security driver model 'selinux' is not available"),
        ),
    ],
)
def test_definition_for_the_destination_binds_the_guest_to_what_is_missing(
    pair: Hosts, seen: Looker, tmp_path: Path, old: str, new: str, id_: str, refused: Refused
) -> None:
    pair.lab.guest("web1")
    xml = tmp_path / "web1.xml"
    there = pair.alpha.virsh("dumpxml", "web1", "--migratable").replace(old, new, 1)
    assert new in there
    xml.write_text(there, encoding="utf-8")

    (found,) = seen(refused, xml=str(xml))

    assert (found.severity, found.id, found.host) == (Severity.ERROR, id_, "beta")


def test_guest_that_is_off_needs_no_emulator_yet(pair: Hosts, seen: Looker) -> None:
    (pair.here / "qemu").symlink_to(QEMU)
    pair.lab.guest("web1", persistent=True, edit=_emulated)
    pair.alpha.virsh("destroy", "web1")

    found = seen(live=False, offline=True, persistent=True, undefine_source=True)

    assert _ids(found) == ["warning emulator-missing"]


# --- devices ---------------------------------------------------------------------------------


def test_shared_memory_of_somebody_else_is_found(pair: Hosts, seen: Looker) -> None:
    pair.lab.guest("web1", edit=_with(SHMEM.format(pair.lab.name)))

    (found,) = seen(Refused(55, "Migration is disabled when using feature 'peer mode'"))

    assert (found.id, found.seen) == ("shared-memory-peer", "role peer")


def test_folder_that_is_passed_through_is_a_warning(pair: Hosts, seen: Looker) -> None:
    folder = "<filesystem type='mount'><source dir='/mnt'/><target dir='share'/></filesystem>"
    pair.lab.guest("web1", edit=_with(folder))

    (found,) = seen()

    assert (found.severity, found.id, found.seen) == (
        Severity.WARNING,
        "filesystem-passed-through",
        "9p share",
    )


def test_address_that_the_destination_lacks_is_found(pair: Hosts, seen: Looker) -> None:
    pair.lab.guest("web1", edit=_with(SCREEN.format(pair.alpha.address)))

    (found,) = seen(Refused(1, "Cannot assign requested address"))

    assert (found.id, found.host, found.expected) == (
        "listen-address-missing",
        "beta",
        pair.alpha.address,
    )
    assert pair.beta.address in (found.seen or "").split(", ")


def test_folder_that_a_serial_port_writes_to_is_missing(pair: Hosts, seen: Looker) -> None:
    (pair.here / "sub").mkdir()
    (pair.here / "sub").chmod(0o777)
    pair.lab.guest("web1", edit=_with(SERIAL))

    (found,) = seen(Refused(38, "Failed to create file '/mnt/disks/sub/a.log'"))

    assert (found.id, found.expected) == ("device-file-missing", "/mnt/disks/sub")


def test_kernel_that_is_missing_is_found(pair: Hosts, seen: Looker) -> None:
    shutil.copy(pair.lab.folder.path / "tick.bin", pair.here / "kernel")
    pair.lab.guest(
        "web1",
        edit=lambda xml: re.sub("<kernel>.*?<", "<kernel>/mnt/disks/kernel<", xml),
    )

    (found,) = seen(Refused(1, "could not open kernel file '/mnt/disks/kernel'"))

    assert (found.id, found.expected) == ("device-file-missing", "/mnt/disks/kernel")


# --- certificates ----------------------------------------------------------------------------


def test_certificates_that_are_missing_are_found(pair: Hosts, seen: Looker) -> None:
    pair.lab.guest("web1")

    refused = Refused(1, "Unable to access credentials /etc/pki/qemu/ca-cert.pem")
    found = seen(refused, tls=True, revision="current")

    assert [(each.severity, each.id, each.host, each.seen) for each in found] == [
        (
            Severity.ERROR,
            "tls-certificate-missing",
            "alpha",
            "no ca-cert.pem, client-cert.pem, client-key.pem in /etc/pki/qemu",
        ),
        (
            Severity.ERROR,
            "tls-certificate-missing",
            "beta",
            "no ca-cert.pem, server-cert.pem, server-key.pem in /etc/pki/qemu",
        ),
    ]


def test_certificates_that_nobody_can_look_for_are_unknown(pair: Hosts) -> None:
    pair.lab.guest("web1")

    found = _look(Migrator.installed(Config()), pair.lab, tls=True, revision="current")

    assert _ids(found) == ["info tls-certificates-unknown"]
    assert found[0].remedy == "on alpha: ls -l /etc/pki/qemu"


class Authority(NamedTuple):
    """Who certifies the lab's hosts."""

    folder: Path

    def __call__(self, host: Host, name: str, subject: str, *, days: int = 2) -> None:
        """Give *host* a certificate and key of this *name*, for this *subject*."""
        here = self.folder
        (here / "ext").write_text(
            f"subjectAltName={subject}\nextendedKeyUsage=serverAuth,clientAuth\n"
            "keyUsage=digitalSignature\nbasicConstraints=CA:FALSE\n",
            encoding="utf-8",
        )
        key, request, pem = f"{name}-key.pem", f"{name}.csr", f"{name}-cert.pem"
        _openssl(here, "req", *_FRESH, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        _openssl(
            here,
            *("x509", "-req", "-in", request, "-CA", "ca-cert.pem", "-CAkey", "ca-key.pem"),
            *("-CAcreateserial", "-days", str(days), "-extfile", "ext", "-out", pem),
        )
        for file in ("ca-cert.pem", key, pem):
            text = (here / file).read_text(encoding="ascii")
            host.run(["sh", "-c", f"cat >/etc/pki/qemu/{file}"], stdin=text)


_FRESH = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def _openssl(folder: Path, *argv: str) -> None:
    subprocess.run(["openssl", *argv], cwd=folder, check=True, capture_output=True, timeout=20)


@pytest.fixture
def authority(pair: Hosts, tmp_path: Path) -> Iterator[Authority]:
    """Hosts with an /etc of their own on top of the machine's, for certificates."""
    for host in pair.lab.hosts:
        upper = f"/mnt/{host.name}/etc"
        host.run(["mkdir", "-p", f"{upper}/upper/pki/qemu", f"{upper}/work"])
        host.run(["cp", "/etc/hosts", f"{upper}/upper/hosts"])
        layers = f"lowerdir=/etc,upperdir={upper}/upper,workdir={upper}/work"
        host.run(["mount", "-t", "overlay", "overlay", "-o", layers, "/etc"])
    ca = ("-keyout", "ca-key.pem", "-out", "ca-cert.pem", "-subj", "/CN=the lab")
    _openssl(tmp_path, "req", "-x509", *_FRESH, *ca, "-addext", "keyUsage=keyCertSign")
    yield Authority(tmp_path)
    for host in pair.lab.hosts:
        host.run(["umount", "/etc"])
        host.run(["rm", "-r", f"/mnt/{host.name}/etc"])


def _encrypted(pair: Hosts, **options: Any) -> None:  # noqa: ANN401 - of many kinds
    migrator = _migrator(pair.lab)
    given = {"tls": True, "live": True, "revision": "current", **options}
    plan = migrator.plan("web1", pair.alpha.uri, pair.beta.uri, **given)
    migrator.run(plan).raise_for_failure()


def test_certificates_for_both_hosts_are_enough(
    pair: Hosts, seen: Looker, authority: Authority
) -> None:
    guest = pair.lab.guest("web1")
    authority(pair.alpha, "client", "DNS:alpha")
    authority(pair.beta, "server", "DNS:beta")

    assert seen(tls=True, revision="current") == []

    _encrypted(pair)
    guest.wait_for_ticks()


def test_client_must_show_a_certificate_too(
    pair: Hosts, seen: Looker, authority: Authority
) -> None:
    pair.lab.guest("web1")
    authority(pair.alpha, "server", "DNS:alpha")
    authority(pair.beta, "server", "DNS:beta")

    refused = Refused(None, "TLS channel|Not a migration stream")
    (found,) = seen(refused, tls=True, revision="current")

    assert (found.id, found.host, found.seen) == (
        "tls-certificate-missing",
        "alpha",
        "no client-cert.pem, client-key.pem in /etc/pki/qemu",
    )


def test_certificate_for_another_name_is_found_and_naming_it_mends_it(
    pair: Hosts, seen: Looker, authority: Authority
) -> None:
    guest = pair.lab.guest("web1")
    authority(pair.alpha, "client", "DNS:alpha")
    authority(pair.beta, "server", "DNS:gamma")

    # Whichever side of QEMU gives up first.
    refused = Refused(None, "does not match the hostname beta|Not a migration stream")
    (found,) = seen(refused, tls=True, revision="current")
    assert (found.id, found.host, found.expected) == ("tls-certificate-name", "beta", "beta")

    assert seen(tls=True, tls_destination="gamma", revision="current") == []
    _encrypted(pair, tls_destination="gamma")
    guest.wait_for_ticks()


def test_certificate_for_an_address_is_for_no_name(
    pair: Hosts, seen: Looker, authority: Authority
) -> None:
    pair.lab.guest("web1")
    authority(pair.alpha, "client", "DNS:alpha")
    authority(pair.beta, "server", f"IP:{pair.beta.address}")
    third = f"tcp://{pair.beta.address}/"

    assert seen(tls=True, migration=third, revision="current") == []
    assert _ids(seen(tls=True, revision="current")) == ["error tls-certificate-name"]

    _encrypted(pair, migration=third)


@pytest.mark.parametrize(("place", "name"), [("alpha", "client"), ("beta", "server")])
def test_certificate_that_is_over_is_found(
    pair: Hosts, seen: Looker, authority: Authority, place: str, name: str
) -> None:
    pair.lab.guest("web1")
    authority(pair.alpha, "client", "DNS:alpha", days=-1 if name == "client" else 2)
    authority(pair.beta, "server", "DNS:beta", days=-1 if name == "server" else 2)

    refused = Refused(1, f"/etc/pki/qemu/{name}-cert.pem has expired")
    (found,) = seen(refused, tls=True, revision="current")

    assert (found.id, found.host) == ("tls-certificate-expired", place)


# --- networks: only root may attach a guest to one -------------------------------------------


def _attached(lab: Lab, kind: str, source: str) -> None:
    """Start web1 on a network of alpha's."""
    alpha = lab.host("alpha")
    alpha.run(["ip", "link", "add", "lan0", "type", "bridge"])
    alpha.run(["ip", "link", "set", "lan0", "up"])
    alpha.virsh("net-define", str(_network(lab)))
    alpha.virsh("net-start", "lan")
    lab.guest("web1", edit=_with(INTERFACE.format(kind, source)))


def _network(lab: Lab) -> Path:
    xml = lab.folder.path / "lan.xml"
    xml.write_text(
        "<network><name>lan</name><forward mode='bridge'/><bridge name='lan0'/></network>",
        encoding="utf-8",
    )
    return xml


@pytest.fixture
def networks(privileged_hosts: Lab) -> Iterator[Lab]:
    """Privileged hosts, whose networks are removed afterwards."""
    yield privileged_hosts
    privileged_hosts.clean()
    for host in privileged_hosts.hosts:
        for name in host.virsh("net-list", "--name").split():
            host.virsh("net-destroy", name)
        for name in host.virsh("net-list", "--all", "--name").split():
            host.virsh("net-undefine", name)
        if "lan0" in host.run(["ip", "link"]):
            host.run(["ip", "link", "delete", "lan0"])


def test_bridge_and_its_mtu_are_compared(networks: Lab) -> None:
    _attached(networks, "bridge", "lan0")
    beta, migrator = networks.host("beta"), _migrator(networks)

    (found,) = _look(migrator, networks, Refused(38, "Cannot get interface MTU on 'lan0'"))
    assert (found.id, found.host, found.expected, found.remedy) == (
        "network-device-missing",
        "beta",
        "lan0",
        "on beta: ip link add name lan0 type bridge",
    )

    beta.run(["ip", "link", "add", "name", "lan0", "type", "bridge"])  # its remedy
    beta.run(["ip", "link", "set", "lan0", "up", "mtu", "1400"])
    (found,) = _look(migrator, networks)
    assert (found.severity, found.id, found.seen, found.expected) == (
        Severity.WARNING,
        "network-mtu-differs",
        "1400",
        "1500",
    )

    beta.run(["ip", "link", "set", "lan0", "mtu", "1500"])  # its remedy
    assert _look(migrator, networks) == []


def test_network_is_missing_then_off_then_without_its_bridge(networks: Lab) -> None:
    _attached(networks, "network", "lan")
    beta, migrator = networks.host("beta"), _migrator(networks)

    (found,) = _look(migrator, networks, Refused(43, "no network with matching name 'lan'"))
    assert (found.id, found.host, found.expected) == ("network-missing", "beta", "lan")

    beta.virsh("net-define", str(_network(networks)))
    (found,) = _look(migrator, networks, Refused(55, "network 'lan' is not active"))
    assert (found.id, found.host, found.seen) == ("network-inactive", "beta", "inactive")

    beta.virsh("net-start", "lan")
    (found,) = _look(migrator, networks, Refused(38, "Cannot get interface MTU on 'lan0'"))
    assert (found.id, found.expected) == ("network-device-missing", "lan0")

    beta.run(["ip", "link", "add", "name", "lan0", "type", "bridge"])
    assert _look(migrator, networks) == []
