"""Start and stop vSphere endpoints on loopback: a vCenter, or an ESXi host without one.

What of it is govmomi's simulator and what is a simulation of ours, README.md tells.
"""

from __future__ import annotations

import contextlib
import http
import http.client
import json
import os
import select
import signal
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode

from vsphere.build import program
from vsphere.certificates import Certificates

if TYPE_CHECKING:
    from collections.abc import Iterator

USER, PASSWORD = "administrator@vsphere.local", "not-a-secret"

_START_SECONDS = 120.0
_STOP_SECONDS = 10.0


class EndpointError(Exception):
    """The endpoint did not start; has what it wrote."""


class Inventory(NamedTuple):
    """What an endpoint has when it starts."""

    datacenters: int = 1
    clusters: int = 2
    hosts: int = 2
    """Hosts of each cluster."""
    standalone_hosts: int = 1
    pools: int = 1
    """Resource pools of each cluster, beside its root."""
    vms: int = 2
    """VMs of each cluster and of each standalone host."""
    disks: int = 2
    datastores: int = 2
    portgroups: int = 2
    esx: bool = False
    """An ESXi host that no vCenter manages; of the numbers, that of VMs and datastores counts."""

    def flags(self) -> list[str]:
        """The program's flags that say the same."""
        return [
            f"-{name.replace('_', '-')}={str(value).lower()}"
            for name, value in self._asdict().items()
        ]


SMALL = Inventory()
BIG = Inventory(clusters=5, hosts=10, standalone_hosts=0, vms=400, disks=1)
"""2,000 VMs on 50 hosts."""


class Endpoint(NamedTuple):
    """An endpoint that answers."""

    host: str
    port: int
    user: str
    password: str
    instance: str
    """What it gives as about.instanceUuid."""
    certificates: Certificates
    folder: Path
    """Its own; goes when it ends."""
    pid: int

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"https://{self.host}:{self.port}/sdk"

    @property
    def ca(self) -> Path:
        """PEM of the authority that signed its certificate."""
        return self.certificates.ca

    @property
    def auth(self) -> str:
        """Text of an authentication file as libvirt reads it."""
        return (
            f"[credentials-vsphere]\nusername={self.user}\npassword={self.password}\n"
            f"[auth-esx-{self.host}]\ncredentials=vsphere\n"
        )

    @property
    def auth_file(self) -> Path:
        """A file with :attr:`auth` in it."""
        return self.folder / "auth.conf"

    @property
    def log(self) -> str:
        """What the program has written to its standard error."""
        return (self.folder / "log").read_text()

    def lose(self, method: str, *, times: int = 1, done: bool = True) -> None:
        """Have the next calls of a method get no answer: their connections close.

        Args:
            method: As in the API, ``CancelTask`` for example.
            times: How many calls.
            done: Whether what they ask for is done nevertheless.
        """
        asked = urlencode({"method": method, "times": times, "done": done})
        trust = ssl.create_default_context(cafile=str(self.ca))
        with contextlib.closing(
            http.client.HTTPSConnection(self.host, self.port, timeout=10, context=trust)
        ) as connection:
            connection.request("POST", f"/sim/lose?{asked}")
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise EndpointError(answer.read().decode())

    def kill(self) -> None:
        """End it at once, as a crash does; it is gone when this returns."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)

    def uri(self, *place: str, user: str | None = None, **query: str) -> str:
        """A libvirt URI of a place in it: datacenter, cluster and host, or datacenter and host."""
        name = f"{quote(user, safe='')}@" if user else ""
        path = "/".join(quote(part, safe="") for part in place)
        asked = f"?{urlencode(query, safe='/')}" if query else ""
        return f"vpx://{name}{self.host}:{self.port}/{path}{asked}"

    def esx_uri(self, **query: str) -> str:
        """A libvirt URI of the ESXi host itself."""
        asked = f"?{urlencode(query, safe='/')}" if query else ""
        return f"esx://{self.host}:{self.port}/{asked}"


@contextlib.contextmanager
def serving(
    inventory: Inventory = SMALL,
    *,
    simulate: str = "all",
    certificates: Certificates | None = None,
    user: str = USER,
    password: str = PASSWORD,
    instance: str = "",
    flags: tuple[str, ...] = (),
) -> Iterator[Endpoint]:
    """Serve an endpoint on a free port of 127.0.0.1 for as long as the block lasts.

    It also ends when this process ends in whatever way: its standard input closes then.

    Args:
        inventory: What it has.
        simulate: Names of simulations of ours, with commas between; "" serves the library as it is.
        certificates: Made anew when not given.
        user: Who is let in.
        password: With which password.
        instance: about.instanceUuid; the library's when not given, the same for all.
        flags: More flags of the program.

    Raises:
        BuildError: It cannot be built.
        EndpointError: It did not start.
    """
    with tempfile.TemporaryDirectory(prefix="migrate-plugins-vsphere-") as name:
        folder = Path(name)
        shown = certificates or Certificates.make(folder)
        command = [
            str(program()),
            *inventory.flags(),
            f"-cert={shown.certificate}",
            f"-key={shown.key}",
            *([f"-simulate={simulate}"] if simulate else []),
            *([f"-instance-uuid={instance}"] if instance else []),
            *flags,
        ]
        # The library keeps each datastore as a folder of the temporary one.
        environment = {
            "PATH": os.defpath,
            "TMPDIR": name,
            "VSPHERE_USER": user,
            "VSPHERE_PASSWORD": password,
        }
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        try:
            told = json.loads(_first_line(process, folder / "log"))
            endpoint = Endpoint(
                host=told["host"],
                port=int(told["port"]),
                user=user,
                password=password,
                instance=told["instance"],
                certificates=shown,
                folder=folder,
                pid=process.pid,
            )
            endpoint.auth_file.touch(0o600)
            endpoint.auth_file.write_text(endpoint.auth)
            yield endpoint
        finally:
            _stop(process)


def _first_line(process: subprocess.Popen[bytes], log: Path) -> bytes:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
    line = process.stdout.readline() if ready else b""
    if not line:
        how = "ended" if ready else f"does not answer after {_START_SECONDS:.0f} s"
        raise EndpointError(f"the vSphere endpoint {how}: {log.read_text()}")
    return line


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
