"""The computer of one Xen host, emulated by QEMU: start it, save it, end it."""

from __future__ import annotations

import json
import shlex
import shutil
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from migrate_plugins_lab import folder
from migrate_plugins_lab.errors import CommandError, LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migrate_plugins_lab.xen.host import Host
    from migrate_plugins_lab.xen.image import Image

# Nested paging comes with AMD's kind of virtualization alone, and PVH guests need it.
PROCESSOR: Final = "Nehalem,vendor=AuthenticAMD,family=16,model=2,stepping=3,+svm,+npt"
MEMORY: Final = 1536
"""MiB of one host."""
DOM0_MEMORY: Final = 768
"""MiB of these that Domain-0 has."""

_SECONDS: Final = 60.0


def start(host: Host, image: Image, *, saved: bool) -> None:
    """Start the computer, from its saved state or from nothing; its disk begins as the image's.

    Raises:
        CommandError: QEMU did not start.
    """
    base, form = (image.disk(host.name), "qcow2") if saved else (image.root, "raw")
    disk = host.folder.host(host.name) / "disk.qcow2"
    make = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(base), "-F", form, str(disk)]
    host.anchor.enter(make)
    # Saved while it stood still, it stands still until it is told to go on.
    restore = ["-incoming", f"exec:cat {shlex.quote(str(image.state(host.name)))}"] if saved else []
    host.anchor.enter([*command(host, image), *restore], seconds=_SECONDS)
    if saved:
        with monitor(host) as tell:
            until(host, lambda: tell("query-status")["status"] != "inmigrate", what="restored")
            tell("cont")


def command(host: Host, image: Image) -> list[str]:
    """The QEMU of a host, as the lab's root starts it."""
    number = host.address.rpartition(".")[2]
    inside = folder.INSIDE / host.name
    xen = (
        "console=com1 com1=115200,8n1 loglvl=info guest_loglvl=all noreboot"
        f" dom0_mem={DOM0_MEMORY}M,max:{DOM0_MEMORY}M dom0_max_vcpus=1"
    )
    linux = (
        "console=hvc0 root=/dev/vda rw quiet mitigations=off net.ifnames=0"
        f" lab.host={host.name} lab.address={host.address}/24"
    )
    return [
        *("qemu-system-x86_64", "-name", host.name, "-daemonize", "-no-user-config"),
        *("-pidfile", str(inside / "qemu.pid"), "-nodefaults", "-display", "none"),
        *("-machine", "pc", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", PROCESSOR),
        *("-smp", "1", "-m", str(MEMORY), "-uuid", uuid(number)),
        # Xen is a multiboot kernel with two modules, in whose words a comma is doubled.
        *("-kernel", str(image.hypervisor), "-append", xen),
        *("-initrd", f"{image.kernel} {linux.replace(',', ',,')},{image.initrd}"),
        *("-drive", f"file={inside}/disk.qcow2,if=none,id=disk,cache=unsafe"),
        *("-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci"),
        *("-netdev", f"tap,id=cable,ifname={host.name},script=no,downscript=no"),
        *("-device", f"virtio-net-pci,netdev=cable,mac=52:54:00:78:00:0{number},romfile="),
        *("-chardev", f"file,id=console,path={inside}/console.log,append=on"),
        *("-serial", "chardev:console", "-qmp", f"unix:{inside}/qmp.sock,server=on,wait=off"),
    ]


def uuid(number: str) -> str:
    """What the computer with this number calls itself; libvirt tells hosts apart by it."""
    return f"00000000-0000-4000-8000-{int(number):012}"


def save(host: Host, image: Image) -> None:
    """Write the whole state of a running computer into the image, and end it.

    Raises:
        LabError: QEMU could not.
    """
    with monitor(host) as tell:
        tell("stop")
        tell("migrate-set-parameters", {"max-bandwidth": 1 << 34})
        tell("migrate", {"uri": f"exec:cat > {shlex.quote(str(image.state(host.name)))}"})
        done = {"completed", "failed", "cancelled"}
        until(host, lambda: tell("query-migrate").get("status") in done, what="saved")
        if (now := tell("query-migrate")["status"]) != "completed":
            raise LabError(f"host {host.name!r}: its state could not be saved: {now}")
        tell("quit")
    disk = image.disk(host.name)
    shutil.copyfile(host.folder.host(host.name) / "disk.qcow2", disk)
    # By its name alone: the image is renamed when it is whole.
    rebase = ["qemu-img", "rebase", "-u", "-b", image.root.name, "-F", "raw", str(disk)]
    host.anchor.enter(rebase)


def until(host: Host, holds: Callable[[], bool], *, what: str) -> None:
    """Wait until something *holds*.

    Raises:
        LabError: It has not after a minute.
    """
    give_up = time.monotonic() + _SECONDS
    while not holds():
        if time.monotonic() >= give_up:
            raise LabError(f"host {host.name!r} could not be {what} in {_SECONDS:g} s")
        time.sleep(0.05)


@contextmanager
def monitor(host: Host) -> Iterator[Any]:
    """Talk to the QEMU of a host: what this gives takes a QMP command and gives its answer."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(_SECONDS)
        line.connect(str(host.folder.host(host.name) / "qmp.sock"))
        with line.makefile("rw", encoding="utf-8") as stream:

            def tell(name: str, arguments: dict[str, Any] | None = None) -> Any:  # noqa: ANN401
                stream.write(json.dumps({"execute": name, "arguments": arguments or {}}) + "\n")
                stream.flush()
                for text in stream:
                    answer = json.loads(text)
                    if "error" in answer:
                        raise CommandError(["QMP", name], status=1, output=answer["error"]["desc"])
                    if "return" in answer:
                        return answer["return"]
                raise CommandError(["QMP", name], status=None, output="QEMU hung up")

            tell("qmp_capabilities")
            yield tell
