"""Two hosts with VirtualBox: each in namespaces of its own, both on a chroot that is made once.

A site is a process-id namespace with a namespace inside for each host.  It ends with the process
that made it, whatever became of that.  ``README.md`` tells what is a stand-in.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from urllib.parse import quote

from migrate_plugins_lab.process import Process
from migrate_plugins_lab.ticks import continuity, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from migrate_plugins_lab.ticks import Continuity

HERE: Final = Path(__file__).parent
BOOT: Final = HERE / "boot/count.bin"
VBOXMANAGE: Final = "/usr/lib/virtualbox/VBoxManage"

USER: Final = "vbox"
USER_ID: Final = 4242
HOME: Final = "/home/vbox"
SHARED: Final = "/srv/shared"
PRIVATE: Final = "/srv/private"

ALPHA: Final = "alpha"
BETA: Final = "beta"
PROXY: Final = "proxy"
# Every site has a network of its own, so that all have the same addresses.
ADDRESSES: Final = {ALPHA: "10.79.0.1", BETA: "10.79.0.2", PROXY: "10.79.0.9"}

_SECONDS: Final = 30.0
_PATH: Final = "/usr/bin:/usr/sbin:/bin:/sbin"
_HOST_KEY: Final = "/etc/ssh/ssh_host_ed25519_key.pub"
# Of the guest's boot sector: how many pages it writes before each line.
_PAGES_AT: Final = 502
_MIB_PAGES: Final = 256
# Seconds after which a VBoxManage is late: it ends ten seconds after it has done everything, and
# one that a busy machine slows down must not be ended in the middle of it.
_LATE: Final = 8
# What a VBoxManage says that has come while its server ended, so that nothing was done, and how
# often it is tried.
_NO_SERVER: Final = "COM server is not running"
_STARTS: Final = 3
# What VBoxManage may be asked again and again.
_READING: Final = frozenset({"getextradata", "list", "showmediuminfo", "showvminfo"})
# What a host runs when nobody wants anything of it. VirtualBox's server stays some seconds.
_IDLE: Final = frozenset({"sh", "sleep", "sshd", "VBoxSVC", "VBoxXPCOMIPCD"})


class SiteError(Exception):
    """A site does not do what it should; says what failed, with its own words."""


class Instance(NamedTuple):
    """One of several VirtualBoxes that a user has on one host."""

    home: str = ""
    """What ``VBOX_USER_HOME`` is; empty for the user's own."""
    socket_id: str = ""
    """What ``VBOX_IPC_SOCKETID`` is."""

    @property
    def environment(self) -> tuple[str, ...]:
        """Words for ``env``."""
        told = {"VBOX_USER_HOME": self.home, "VBOX_IPC_SOCKETID": self.socket_id}
        return tuple(f"{name}={value}" for name, value in told.items() if value)


OWN: Final = Instance()


class Host:
    """A host with its own network, name, processes, folders and VirtualBox."""

    def __init__(self, name: str, process: Process, client: Path) -> None:
        self.name: Final = name
        self.address: Final = ADDRESSES[name]
        self.process: Final = process
        """Its first process, as counted outside."""
        self._client = client

    @property
    def uri(self) -> str:
        """What pytest's own process opens."""
        return self.uri_of(OWN)

    @property
    def peer_uri(self) -> str:
        """What a process on another host of the site opens."""
        return f"vbox+ssh://{USER}@{self.name}/session"

    def uri_of(self, instance: Instance) -> str:
        """What pytest's own process opens for one of several VirtualBoxes."""
        told = {
            "command": str(self._client),
            "user_home": instance.home,
            "ipc_socketid": instance.socket_id,
        }
        query = "&".join(f"{name}={quote(value)}" for name, value in told.items() if value)
        return f"{self.peer_uri}?{query}"

    def path(self, inside: str) -> Path:
        """A file of the host, as pytest's own process sees it."""
        return Path(f"/proc/{self.process.pid}/root{inside}")

    def words(self, *, root: bool = False) -> list[str]:
        """The words before a program that run it on the host."""
        who = [] if root else [f"--setuid={USER_ID}", f"--setgid={USER_ID}"]
        spaces = ["--mount", "--uts", "--ipc", "--net", "--pid"]
        home = "/root" if root else HOME
        clean = ["env", "-i", "-C", home, f"HOME={home}", "LC_ALL=C.UTF-8", f"PATH={_PATH}"]
        clean += [] if root else [f"USER={USER}", f"LOGNAME={USER}"]
        return ["nsenter", f"--target={self.process.pid}", *spaces, *who, *clean]

    def run(
        self, script: str, *, stdin: str = "", seconds: float = _SECONDS, root: bool = False
    ) -> str:
        """Run a shell script on the host and return what it printed.

        Raises:
            SiteError: It failed, or took longer than *seconds*.
        """
        done = self.ask(script, stdin=stdin, seconds=seconds, root=root)
        if done.returncode:
            what = f"{self.name}: status {done.returncode} of {script.strip()[:200]!r}"
            raise SiteError(f"{what}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def ask(
        self, script: str, *, stdin: str = "", seconds: float = _SECONDS, root: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell script on the host, whatever comes of it."""
        # Ended from inside: our own limit would end nsenter and leave the program behind.
        limit = ["timeout", "--signal=KILL", f"{seconds:g}"]
        return subprocess.run(
            [*self.words(root=root), *limit, "sh", "-euc", script],
            input=stdin,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=seconds + 10,
            check=False,
        )

    def start(self, script: str, *, root: bool = False) -> subprocess.Popen[str]:
        """Start a shell script on the host; whoever starts it waits for it."""
        return subprocess.Popen(
            [*self.words(root=root), "sh", "-euc", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            text=True,
        )

    def manage(self, *words: str, stdin: str = "", instance: Instance = OWN) -> str:
        """Run VBoxManage and return what it printed.

        Raises:
            SiteError: It failed.
        """
        return self.served(ending(*words, instance=instance), stdin=stdin)

    def served(self, script: str, *, stdin: str = "") -> str:
        """Run a shell script, again where its VBoxManage has come while its server ended.

        Raises:
            SiteError: It failed.
        """
        for _ in range(_STARTS - 1):
            try:
                return self.run(script, stdin=stdin)
            except SiteError as error:
                if _NO_SERVER not in str(error):
                    raise
        return self.run(script, stdin=stdin)

    def machines(self, instance: Instance = OWN) -> Mapping[str, str]:
        """Registered machines: uuid by name."""
        listed = self.manage("list", "vms", instance=instance)
        return dict(re.findall(r'^"(.*)" \{(.*)\}$', listed, re.MULTILINE))

    def told(self, name: str, instance: Instance = OWN) -> Mapping[str, str]:
        """What VBoxManage tells of a machine, by key.

        Raises:
            SiteError: There is none, or it is locked for longer than some seconds.
        """
        shown = ending("showvminfo", name, "--machinereadable", instance=instance)
        deadline = time.monotonic() + 10
        while True:
            done = self.ask(shown)
            if not done.returncode:
                pairs = (line.partition("=") for line in done.stdout.splitlines())
                return {key.strip('"'): value.strip('"') for key, _, value in pairs}
            # Whoever starts a machine locks it for a moment.
            if "lock" not in done.stderr or time.monotonic() > deadline:
                raise SiteError(f"{self.name}: showvminfo {name}: {done.stderr.strip()}")
            time.sleep(0.1)

    def state(self, name: str, instance: Instance = OWN) -> str:
        """A machine's state in VBoxManage's word; ``absent`` where it is not registered."""
        try:
            return self.told(name, instance)["VMState"]
        except SiteError as error:
            if "VBOX_E_OBJECT_NOT_FOUND" in str(error):
                return "absent"
            raise

    def processes(self) -> Mapping[int, str]:
        """All processes of the host: their command lines by their number there."""
        found = {}
        for entry in self.path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:  # it has just ended
                continue
            if line := b" ".join(words).decode(errors="replace").strip():
                found[int(entry.name)] = line
        return found

    def busy(self) -> Mapping[int, str]:
        """The processes that it does not run when nobody wants anything of it."""
        return {
            number: line
            for number, line in self.processes().items()
            if Path(line.split(maxsplit=1)[0].rstrip(":")).name not in _IDLE
        }

    def headless(self, name: str) -> int:
        """The number, on the host, of the process that runs a guest.

        Raises:
            SiteError: No process runs it, or more than one does.
        """
        found = [
            number
            for number, line in self.processes().items()
            if "VBoxHeadless" in line and f"--comment {name} " in line
        ]
        if len(found) != 1:
            raise SiteError(f"{self.name}: {len(found)} processes run {name}")
        return found[0]

    def kill(self, number: int, signal: str = "KILL") -> None:
        """Send a signal to a process, by its number on the host."""
        self.run(f"kill -{signal} {number}", root=True)

    def listening(self) -> frozenset[int]:
        """TCP ports on which something listens."""
        listed = self.run("ss -ltnH", root=True)
        return frozenset(int(line.split()[3].rpartition(":")[2]) for line in listed.splitlines())

    def strangers(self) -> list[str]:
        """What no guest explains: programs, connections, ports that listen, files.

        Guests that run, are paused or shut off are no strangers, whoever made them.
        """
        return [
            *(
                f"process {number}: {line}"
                for number, line in self.busy().items()
                if "VBoxHeadless" not in line
            ),
            *(f"port {port} listens" for port in sorted(self.listening() - {22})),
            *(
                f"file {file.name}"
                for folder in ("/tmp", SHARED)  # noqa: S108 - the host's own
                for file in self.path(folder).iterdir()
                if not (file.name.startswith(".vbox-") or file.suffix == ".vdi")
            ),
        ]

    def clean(self) -> None:
        """End all that its user runs, and remove all that its user wrote."""
        if self._untouched():
            return
        numbers = " ".join(map(str, self._of_user()))
        self.run(
            f"""
            [ -z "{numbers}" ] || kill -KILL {numbers} 2>/dev/null || :
            cd {HOME}
            find . -mindepth 1 -maxdepth 1 ! -name .ssh -exec rm -rf {{}} +
            find /tmp {PRIVATE} -mindepth 1 -maxdepth 1 -exec rm -rf {{}} +
            """,
            root=True,
        )
        until(lambda: not self._of_user(), f"{self.name} runs nothing of {USER}")

    def _untouched(self) -> bool:
        """Whether its user runs nothing, and has written nothing."""
        home = {entry.name for entry in self.path(HOME).iterdir()}
        folders = self.path("/tmp"), self.path(PRIVATE)  # noqa: S108 - the host's own
        written = home - {".ssh"} or any([*folder.iterdir()] for folder in folders)
        return not written and not self._of_user()

    def _of_user(self) -> list[int]:
        """Numbers of all processes of the host's user."""
        found = []
        for number in self.processes():
            try:
                owner = self.path(f"/proc/{number}").stat().st_uid
            except OSError:  # it has just ended
                continue
            if owner == USER_ID:
                found.append(number)
        return found


def managing(*words: str, instance: Instance = OWN) -> str:
    """A shell's line that runs VBoxManage."""
    return shlex.join(["env", *instance.environment, VBOXMANAGE, "-q", *words])


def ending(*words: str, instance: Instance = OWN) -> str:
    """Likewise, and wait for no end that comes late.

    One VBoxManage in a hundred ends ten seconds after it has done everything. One that only reads
    is run again; of any other what a test does next shows whether it was done.
    """
    line = managing(*words, instance=instance)
    if words[0] not in _READING:
        return f"timeout {_LATE} {line} || [ $? = 124 ]"
    script = f"for limit in 1 3 0; do status=0; timeout $limit {line} || status=$?;"
    return f"{script} [ $status = 124 ] || break; done; exit $status"


class Guest:
    """A guest that counts, with its disk in the shared folder."""

    def __init__(self, name: str, instance: Instance = OWN) -> None:
        self.name: Final = name
        self._instance = instance

    @property
    def disk(self) -> str:
        """Its disk, the same file on both hosts."""
        return f"{SHARED}/{self.name}.vdi"

    @property
    def console(self) -> str:
        """What it printed on a host, in a file of that host alone."""
        return f"{PRIVATE}/{self.name}.console"

    def start(self, host: Host) -> None:
        """Start it, and wait until it counts."""
        host.manage("startvm", self.name, "--type", "headless", instance=self._instance)
        until(lambda: self.ticks(host), f"{self.name} counts on {host.name}")

    def state(self, host: Host) -> str:
        """Its state on a host."""
        return host.state(self.name, self._instance)

    def printed(self, host: Host) -> str:
        """What it printed on a host since it was last started or came there."""
        try:
            return host.path(self.console).read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return ""

    def ticks(self, host: Host) -> int:
        """How many whole lines it printed on a host."""
        return self.printed(host).count("\n")

    def counts(self, host: Host) -> bool:
        """Whether it goes on counting on a host."""
        before = self.ticks(host)
        deadline = time.monotonic() + 2
        while self.ticks(host) == before:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def life(self, *hosts: Host) -> Continuity:
        """Judge all that it printed, on one host after the other."""
        return continuity(read("".join(map(self.printed, hosts))))


class Site:
    """Two hosts on one network, and a third address there for what stands between them."""

    def __init__(self, outer: int, hosts: Mapping[str, Process], folder: Path) -> None:
        """See :meth:`up`; *outer* is the process that stands in the site's network."""
        self.folder: Final = folder
        self._outer: Final = outer
        client = folder / "client"
        self.alpha: Final = Host(ALPHA, hosts[ALPHA], client)
        self.beta: Final = Host(BETA, hosts[BETA], client)
        self.hosts: Final = self.alpha, self.beta
        self._made = 0
        self._rate: str | None = None

    @classmethod
    @contextmanager
    def up(cls, chroot: Path, folder: Path) -> Iterator[Self]:
        """Bring up a site; it is gone after the block, and with our process.

        Args:
            chroot: See :func:`vbox.chroot.chroot`.
            folder: An empty one, for the client's files; the hosts' are in memory.

        Raises:
            SiteError: It did not come up; says what its processes said.
        """
        inside = folder / "inside"
        inside.mkdir()
        log = folder / "log"
        apart = ["unshare", "--net", "--mount", "--propagation=private"]
        apart += ["--pid", "--fork", "--kill-child"]
        with log.open("wb") as said:
            launcher = subprocess.Popen(
                [*apart, "sh", HERE / "site.sh", inside, chroot, ALPHA, BETA],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                cwd="/",
                start_new_session=True,  # Ctrl-C at the terminal is not for it
            )
        try:
            found = {}
            for line in launcher.stdout or ():
                name, number = line.split()
                found[name] = _process(int(number))
                if len(found) == len((ALPHA, BETA)):
                    break
            else:
                raise SiteError(f"the hosts did not start: {log.read_text()[-2000:]}")
            site = cls(launcher.pid, found, folder)
            site._connect()
            yield site
        finally:
            # Its first process ends with its input, and takes all others with it.
            _end(launcher)

    @property
    def way(self) -> list[str]:
        """The words before a program that run it where the hosts' cables end."""
        spaces = f"/proc/{self._outer}/ns"
        return ["nsenter", f"--net={spaces}/net", f"--pid={spaces}/pid_for_children"]

    def guest(
        self,
        name: str = "",
        *,
        on: Host | None = None,
        memory: int = 16,
        writes: int = 0,
        start: bool = True,
        settings: str = "",
        instance: Instance = OWN,
    ) -> Guest:
        """Make a guest.

        Args:
            name: Made up where it is empty.
            on: The host; alpha by default.
            memory: In MiB.
            writes: How many MiB it writes over before each line; a teleportation sends them again
                and again.
            start: Whether it is started; then it counts when this returns.
            settings: More words of ``modifyvm``, as a shell reads them.
            instance: The VirtualBox that has it.

        Raises:
            SiteError: VirtualBox does not make it.
        """
        self._made += 1
        name = name or f"guest{self._made}"
        host = on or self.alpha
        guest = Guest(name, instance)
        image = host.path(f"{PRIVATE}/{name}.raw")
        sector = bytearray(BOOT.read_bytes())
        sector[_PAGES_AT : _PAGES_AT + 4] = (writes * _MIB_PAGES).to_bytes(4, "little")
        image.write_bytes(sector.ljust(1 << 20, b"\0"))
        environment = "".join(f"export {words}; " for words in instance.environment)
        host.run(f"""
            {environment}
            late() {{ timeout {_LATE} {VBOXMANAGE} -q "$@" >/dev/null || [ $? = 124 ]; }}
            vboxmanage() {{
              said=$(late "$@" 2>&1) && return
              # A server that nobody needed is just ending, or does not come up in its time.
              case $said in *"{_NO_SERVER}"*) sleep 1; late "$@" && return ;; esac
              echo "$said" >&2
              return 1
            }}
            vboxmanage convertfromraw {PRIVATE}/{name}.raw {guest.disk} --format VDI 2>&1
            vboxmanage createvm --name {name} --ostype Other --register
            vboxmanage modifyvm {name} --memory {memory} --vram 1 --boot1 disk \\
                --vm-execution-engine interpreter --audio-enabled off --nic1 none \\
                --firmware-logo-fade-in off --firmware-logo-fade-out off \\
                --firmware-logo-display-time 1 --firmware-boot-menu disabled \\
                --uart1 0x3f8 4 --uart-type1 16550A --uart-mode1 file {guest.console} {settings}
            vboxmanage storagectl {name} --name IDE --add ide
            vboxmanage storageattach {name} --storagectl IDE --port 0 --device 0 --type hdd \\
                --medium {guest.disk}
        """)
        image.unlink()
        if start:
            guest.start(host)
        return guest

    def bandwidth(self, rate: str | None) -> None:
        """Let alpha send no more than *rate*, such as ``2mbit``; None: as fast as it can."""
        if rate == self._rate:
            return
        limit = "noqueue" if rate is None else f"tbf rate {rate} burst 32kb latency 50ms"
        self.alpha.run(f"tc qdisc replace dev eth0 root {limit}", root=True)
        self._rate = rate

    def clean(self) -> None:
        """Make both hosts as they were when the site came up."""
        self.bandwidth(None)
        for host in self.hosts:
            host.clean()
        for file in self.alpha.path(SHARED).iterdir():
            file.unlink()

    def strangers(self, seconds: float = 5) -> list[str]:
        """Wait until nothing is there that no guest explains, and say what still is."""
        deadline = time.monotonic() + seconds
        while True:
            found = [f"{host.name}: {what}" for host in self.hosts for what in host.strangers()]
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.1)

    def _connect(self) -> None:
        """Lay the cables, and make names, keys and the client's way in."""
        lines = ["link set lo up", "link add switch type bridge", "link set switch up"]
        lines.append(f"address add {ADDRESSES[PROXY]}/24 dev switch")
        for host in self.hosts:
            end = f"peer name eth0 netns {host.process.pid}"
            lines += [f"link add {host.name} type veth {end}"]
            lines += [f"link set {host.name} master switch up"]
        network = f"--net=/proc/{self._outer}/ns/net"
        _run(["nsenter", network, "ip", "-batch", "-"], "\n".join(lines))

        key, known = self.folder / "key", self.folder / "known_hosts"
        _run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tests", "-f", str(key)])
        public = [
            f"{host.name},{host.address} {host.path(_HOST_KEY).read_text()}" for host in self.hosts
        ]
        known.write_text("".join(public))
        names = "".join(f"{address} {name}\n" for name, address in ADDRESSES.items())
        for host in self.hosts:
            host.path("/etc/hosts").write_text(f"127.0.0.1 localhost\n{names}")
            address = f"ip address add {host.address}/24 dev eth0; ip link set eth0 up"
            host.run(address, root=True)
            host.run(
                "umask 077; mkdir .ssh; cd .ssh;"
                f"printf %s {shlex.quote(key.read_text())} >id_ed25519;"
                f"printf %s {shlex.quote(known.read_text())} >known_hosts;"
                f"printf %s {shlex.quote(key.with_suffix('.pub').read_text())} >authorized_keys"
            )
        config = [
            f"IdentityFile {key}",
            "IdentitiesOnly yes",
            f"UserKnownHostsFile {known}",
            "GlobalKnownHostsFile none",
            "StrictHostKeyChecking yes",
            # What is new in ssh takes longer than all that is asked through it.
            "KexAlgorithms curve25519-sha256",
        ]
        for host in self.hosts:
            config += [f"Host {host.name}", f"HostName {host.address}", f"HostKeyAlias {host.name}"]
        (self.folder / "ssh_config").write_text("\n".join(config) + "\n")
        client = self.folder / "client"
        client.write_text(
            "#!/bin/sh\n# ssh from outside into the site's network.\n"
            f'exec nsenter {network} ssh -F {self.folder / "ssh_config"} "$@"\n'
        )
        client.chmod(0o755)


def until(true: Callable[[], object], what: str, *, seconds: float = 10) -> None:
    """Wait until something holds.

    Raises:
        SiteError: It does not, after *seconds*.
    """
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise SiteError(f"after {seconds:g} s it does not hold: {what}")
        time.sleep(0.02)


def _process(number: int) -> Process:
    process = Process.of(number)
    if process is None:
        raise SiteError(f"process {number} has ended")
    return process


def _run(command: list[str], stdin: str = "") -> None:
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=20, cwd="/", check=False
    )
    if done.returncode:
        raise SiteError(f"{shlex.join(command)}: {done.stderr.strip()}")


def _end(launcher: subprocess.Popen[str]) -> None:
    """End a site by the end of its input, and by force where that does not do."""
    try:
        launcher.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        launcher.kill()
        launcher.communicate(timeout=10)
