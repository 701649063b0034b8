"""What the Xen hosts start from: built once from Debian's packages, and kept.

One folder per image, below ``~/.cache/migrate-plugins/xen``, named after what it was made from::

    xen  vmlinuz  initrd.img    what QEMU boots
    root.raw                    the file system of either host
    alpha.qcow2  alpha.state    the disk and the memory of a host whose libvirtd answers
    id_ed25519  known_hosts     the key that opens the hosts, and the one they show

It is built under a temporary name and renamed when it is whole, by one process at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import hashlib
import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from migrate_plugins_lab import commands, network
from migrate_plugins_lab.errors import BusyError, LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HOSTS: Final = {name: network.address(place) for place, name in enumerate(("alpha", "beta"))}
"""The hosts whose states are saved, and their addresses."""

SUITE: Final = "bookworm"
PACKAGES: Final = (
    *("systemd-sysv", "udev", "dbus", "kmod", "iproute2", "nftables", "openssh-server"),
    *("linux-image-amd64", "initramfs-tools", "zstd", "busybox-static"),
    *("xen-system-amd64", "libvirt-daemon", "libvirt-daemon-system", "libvirt-clients"),
    *("libvirt-daemon-system-systemd", "libvirt-daemon-driver-xen"),
)

_HERE: Final = Path(__file__).parent
_SIZE: Final = 1500 << 20
_BUSYBOX: Final = ("sh", "mount", "sleep", "cat", "dd", "poweroff")

# Small: nobody reads documents there, and each host has most of its files in memory.
_APT: Final = "APT::Install-Recommends false"
_DPKG: Final = tuple(f"path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale"))
_HOOK: Final = (
    'mkdir -p "$1/etc/initramfs-tools/conf.d"'
    ' && printf "MODULES=most\\nCOMPRESS=zstd\\n" > "$1/etc/initramfs-tools/conf.d/lab"'
    ' && printf "#!/bin/sh\\nexit 101\\n" > "$1/usr/sbin/policy-rc.d"'
    ' && chmod +x "$1/usr/sbin/policy-rc.d"'
)

# Ends with us, whoever kills us, and takes its own mounts along.
_CAGE: Final = (
    *("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "private"),
    *("--pid", "--fork", "--kill-child", "--mount-proc"),
)
_MINUTES: Final = 60.0


@dataclass(frozen=True)
class Image:
    """The folder of one image, which need not be there."""

    path: Path

    @classmethod
    def current(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The one that is made from what is here now."""
        return cls(home(environ) / fingerprint())

    @property
    def built(self) -> bool:
        """Whether it is there, and whole."""
        return self.path.is_dir()

    @property
    def hypervisor(self) -> Path:
        """Xen itself."""
        return self.path / "xen"

    @property
    def kernel(self) -> Path:
        """The Linux of Domain-0, and of the guests."""
        return self.path / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """What the Linux of Domain-0 starts with."""
        return self.path / "initrd.img"

    @property
    def root(self) -> Path:
        """The file system that either host's disk begins as."""
        return self.path / "root.raw"

    @property
    def key(self) -> Path:
        """The private key that opens either host."""
        return self.path / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """The key that either host shows."""
        return self.path / "known_hosts"

    def disk(self, host: str) -> Path:
        """The disk of a host as its saved state left it."""
        return self.path / f"{host}.qcow2"

    def state(self, host: str) -> Path:
        """The saved state of a host."""
        return self.path / f"{host}.state"

    def ensure(self, boot: Callable[[Image], None]) -> None:
        """Build the image unless it is there.

        Args:
            boot: Boots the hosts of an image that lacks their states, and saves these in it.

        Raises:
            BusyError: Another process has been building it for an hour.
            LabError: A step failed; what it left is removed by the next try.
        """
        if self.built:
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self.path.with_suffix(".lock")):
            if self.built:
                return
            draft = Image(self.path.with_suffix(".draft"))
            shutil.rmtree(draft.path, ignore_errors=True)
            draft.path.mkdir(mode=0o700)
            try:
                build(draft)
                boot(draft)
            except BaseException:
                shutil.rmtree(draft.path, ignore_errors=True)
                raise
            draft.path.rename(self.path)


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of all images of this user."""
    cache = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "migrate-plugins", "xen")


def fingerprint() -> str:
    """A short word for all that an image is made from, but for the packages' versions.

    A saved state is read by the QEMU that wrote it alone, so its version counts.
    """
    found = hashlib.sha256(commands.run(["qemu-system-x86_64", "--version"]).encode())
    files = [_HERE / "image.py", _HERE / "machine.py"]
    files += sorted(path for below in ("dom0", "guest") for path in (_HERE / below).rglob("*"))
    for path in files:
        if path.is_file():
            found.update(f"{path.relative_to(_HERE)}\0{path.stat().st_mode & 0o111}\0".encode())
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


@contextlib.contextmanager
def locked(path: Path, *, seconds: float = 60 * _MINUTES) -> Iterator[None]:
    """Hold a lock that the kernel gives back however its holder ends.

    Raises:
        BusyError: Another process has held it for *seconds*.
    """
    with path.open("w") as lock:
        give_up = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= give_up:
                    raise BusyError("image of the Xen hosts", seconds=seconds) from None
                time.sleep(0.2)
            else:
                yield
                return


def build(image: Image) -> None:
    """Make all of an image but the saved states.

    Raises:
        CommandError: A step failed.
    """
    tree = image.path / "tree"
    install(image.path, tree)
    furnish(image, tree)
    commands.run([*_CAGE, "chroot", str(tree), "sh", "-c", read("dom0/configure")], seconds=180)
    boot = tree / "boot"
    shutil.copyfile(only(boot, "vmlinuz-*"), image.kernel)
    shutil.copyfile(image.kernel, tree / "var/lib/lab/vmlinuz")
    shutil.copyfile(only(boot, "initrd.img-*"), image.initrd)
    image.hypervisor.write_bytes(gzip.decompress(only(boot, "xen-*-amd64.gz").read_bytes()))
    with image.root.open("wb") as root:
        root.truncate(_SIZE)
    # Filled without being mounted.
    make = ["mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", "-d", str(tree)]
    commands.run([*make, str(image.root)], seconds=180)
    shutil.rmtree(tree)


def install(folder: Path, tree: Path) -> None:
    """Install the packages into a new root tree."""
    sources = folder / "sources.list"
    sources.write_text("".join(f"{line}\n" for line in mirrors()), encoding="ascii")
    argv = [
        *("mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory", "--quiet"),
        *(f"--include={','.join(PACKAGES)}", f"--aptopt={_APT}"),
        *(f"--dpkgopt={option}" for option in _DPKG),
        *(f"--essential-hook={_HOOK}", SUITE, str(tree)),
    ]
    # Nothing found: mmdebstrap knows Debian's own.
    given = [str(sources)] if sources.stat().st_size else []
    commands.run([*_CAGE, *argv, *given], seconds=30 * _MINUTES)
    sources.unlink()


def mirrors() -> list[str]:
    """Where this machine's apt finds the packages of the suite, a line for each archive."""
    if commands.find("apt-get") is None:
        return []
    form = "deb $(REPO_URI) $(CODENAME) $(COMPONENT)"
    said = commands.run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"])
    wanted = re.compile(rf"deb \S+ {SUITE}(-updates|-security)? main")
    return sorted({line for line in said.splitlines() if wanted.fullmatch(line)})


def furnish(image: Image, tree: Path) -> None:
    """Put into a root tree what makes it a host of the lab, and the guests' program."""
    (tree / "etc/resolv.conf").unlink(missing_ok=True)
    shutil.copytree(_HERE / "dom0/files", tree, dirs_exist_ok=True, copy_function=shutil.copy)
    names = [f"{address} {host}\n" for host, address in HOSTS.items()]
    (tree / "etc/hosts").write_text("".join(["127.0.0.1 localhost\n", *names]), encoding="ascii")

    commands.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(image.key)])
    public = image.key.with_suffix(".pub")
    shown = (tree / "etc/ssh/ssh_host_ed25519_key.pub").read_text(encoding="ascii").split()[:2]
    image.known_hosts.write_text(f"lab {' '.join(shown)}\n", encoding="ascii")
    ssh = tree / "root/.ssh"
    shutil.copy(image.key, ssh / "id_ed25519")
    shutil.move(public, ssh / "authorized_keys")
    (ssh / "known_hosts").write_text(f"* {' '.join(shown)}\n", encoding="ascii")

    (tree / "var/lib/lab").mkdir()
    guest = image.path / "guest"
    for below in ("bin", "proc", "dev", "tmp"):
        (guest / below).mkdir(parents=True)
    shutil.copy(tree / "bin/busybox", guest / "bin/busybox")
    for name in _BUSYBOX:
        (guest / "bin" / name).symlink_to("busybox")
    shutil.copy(_HERE / "guest/init", guest / "init")
    (guest / "init").chmod(0o755)
    archive = f"cd {guest} && find . | cpio --create --format=newc --quiet | gzip -9"
    commands.run(["sh", "-c", f"{archive} > {tree}/var/lib/lab/guest.img"])
    shutil.rmtree(guest)


def read(name: str) -> str:
    """A file of this package."""
    return (_HERE / name).read_text(encoding="utf-8")


def only(folder: Path, pattern: str) -> Path:
    """The one file in *folder* of this form.

    Raises:
        LabError: There is none, or several.
    """
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise LabError(f"{folder} holds {len(found)} files called {pattern}, not one")
    return found[0]
