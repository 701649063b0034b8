"""VBoxManage on a host: one method for each thing that it does for us, one script for each."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import ConnectError, DriverError
from migrate_plugins_vbox.faults import failed, unreachable
from migrate_plugins_vbox.machine import MARK, Machine, read_machine
from migrate_plugins_vbox.states import ABSENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migrate_plugins_vbox.machine import Disk
    from migrate_plugins_vbox.places import Place
    from migrate_plugins_vbox.runner import Answer, Job, Runner

__all__ = ["Host", "VBoxManage", "release"]

# The program itself where packages put it, before a wrapper that warns on its standard output.
_PLACES: Final = (
    "/usr/lib/virtualbox/VBoxManage",
    "/usr/lib64/virtualbox/VBoxManage",
    "/opt/VirtualBox/VBoxManage",
)
_VERSION: Final = re.compile(r"^[0-9]+\.[0-9]+\.[0-9]+\S*$", re.MULTILINE)
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_STATE: Final = re.compile(r"^State: *(.*?) *$", re.MULTILINE)
_FOLDER: Final = re.compile(r"^Default machine folder: *(.*?) *$", re.MULTILINE)
# How many lines a first look has before the servers that run.
_FACTS: Final = 7
# Seconds for what VirtualBox itself takes its time for.
_SLOW: Final = 40.0
# Seconds between two looks at a port.
_LOOK: Final = 0.05
# VBOX_E_OBJECT_NOT_FOUND.
_NOT_FOUND: Final = 0x80BB0001

# A machine is locked for a moment while somebody else reads or starts it: tried again for 5 s.  A
# server that nobody needs ends, and who comes at that moment finds none: tried again three times.
# About one VBoxManage in a hundred ends 10 s late: all is done, and it waits for a thread of its
# own that missed the word to end.  One that only reads, or may be made twice, is made again; of
# another it is looked at whether what it was for is done.
_TRY: Final = """\
try() {
  tries=0
  while :; do
    out=$($limit "$v" "$@" 2>&1 </dev/null) && return 0
    code=$?
    case $out in
      *" locked "*|*"unexpected process"*) ;;
      *"COM server is not running"*) tries=$((tries + 7)) ;;
      *) return "$code" ;;
    esac
    tries=$((tries + 1))
    [ "$tries" -lt 25 ] || return "$code"
    sleep 0.2
  done
}
look() {
  for seconds in 1 3 0; do
    limit=
    [ "$seconds" -eq 0 ] || ! command -v timeout >/dev/null || limit="timeout $seconds"
    # try has a code of its own, of its last call that failed.
    if try "$@"; then code=0; else code=$?; fi
    [ "$code" -eq 124 ] || break
  done
  limit=
  return "$code"
}
once() {
  done=$1
  shift
  ! command -v timeout >/dev/null || limit="timeout 3"
  try "$@" && { limit=; return 0; }
  limit=
  [ "$code" -eq 124 ] || return "$code"
  "$done" && return 0
  try "$@" && return 0
  said=$out status=$code
  "$done" && return 0
  out=$said code=$status
  return "$code"
}
listed() { look list vms && case $out in *"{$uuid}"*) ;; *) false ;; esac; }
unlisted() { look list vms && case $out in *"{$uuid}"*) false ;; esac; }
fail() { printf '%s\\n' "$out" >&2; exit "$code"; }
limit=
"""

# A server is found by its socket, whatever its settings; and two servers of one home know nothing
# of each other's machines, so that a guest that runs could be started again.  So the servers that
# run are told before one is started.
_HOST: Final = """\
[ -n "$v" ] || { echo "looked for $looked" >&2; exit 127; }
home() {
  [ -n "$1" ] || { [ -d "$HOME/.VirtualBox" ] && set -- "$HOME/.VirtualBox"; } ||
    set -- "${XDG_CONFIG_HOME:-$HOME/.config}/VirtualBox"
  (cd "$1" 2>/dev/null && pwd -P) || printf '%s\\n' "$1"
}
user=$(id -un)
home=$(home "$VBOX_USER_HOME")
socket=${VBOX_IPC_SOCKETID:-$user}
printf '%s\\n' "$v" "$(uname -n)" "$(id -u)" "$user"
echo "$(cat /etc/machine-id 2>/dev/null || cat /var/lib/dbus/machine-id 2>/dev/null)"
printf '%s\\n' "$home" "$socket"
for each in /proc/[0-9]*; do
  [ -O "$each" ] && [ "$(cat "$each/comm" 2>/dev/null)" = VBoxSVC ] || continue
  env=$(tr '\\0' '\\n' 2>/dev/null <"$each/environ") && [ -n "$env" ] || continue
  told() { printf '%s\\n' "$env" | sed -n "s/^$1=//p"; }
  there=$(told VBOX_IPC_SOCKETID)
  there=${there:-$user}
  theirs=$(home "$(told VBOX_USER_HOME)")
  printf '%s\\n' "$there" "$theirs"
  case $there:$theirs in
    "$socket:$home") ;;
    "$socket":*|*:"$home") exit 0 ;;
  esac
done
echo "$mark"
out=$("$v" --version 2>&1 </dev/null) || { code=$?; fail; }
printf '%s\\n' "$out"
look list systemproperties || fail
printf '%s\\n' "$out"
"""

_SHOW: Final = """\
show() {
  tells=0
  until look showvminfo "$1" --machinereadable; do
    # While a machine ends it may break off. What it told until then has a password's hash in it.
    out=$(printf '%s\\n' "$out" | grep -v '=')
    case $out in *0x80bb0001*) fail ;; esac
    tells=$((tells + 1))
    [ "$tells" -lt 8 ] || fail
    sleep 0.3
  done
  case $out in 'name="<inaccessible>"'*) inaccessible ;; esac
  printf '%s\\n' "$out"
}
inaccessible() {
  out="it is registered, and its settings file cannot be read there: see that the folder is"
  out="$out mounted, and VBoxManage list vms"
  code=1
  fail
}
"""

# By name or by uuid exactly: VBoxManage itself takes either for the other, and the first of
# several machines of one name.
_MACHINES: Final = """\
look list vms || fail
IFS='
'
set -f
ids=
for line in $out; do
  id=${line##*' {'}
  id=${id%\\}}
  case $id in ????????-????-????-????-????????????) ;; *) continue ;; esac
  [ "$line" = "\\"$name\\" {$id}" ] || [ "$id" = "$uuid" ] || continue
  ids="$ids $id"
  case $line in '"<inaccessible>"'*) inaccessible ;; esac
done
unset IFS
for id in $ids; do
  look getextradata "$id" "$key" || fail
  case $out in *"Value: yes"*) echo yes ;; *) echo no ;; esac
  date +%s
  show "$id"
  echo "$mark"
done
"""

# Nothing is overwritten but the file of the same machine, and that is kept beside.
_REGISTER: Final = """\
umask 077
refuse() { echo "$1" >&2; exit 3; }
look list vms || fail
case $out in *"{$uuid}"*) refuse "a machine with the uuid $uuid is registered there" ;; esac
mkdir -p -- "${path%/*}" || exit 3
if [ -e "$path" ] || [ -L "$path" ]; then
  grep -q -i -F "uuid=\\"{$uuid}\\"" -- "$path" ||
    refuse "$path is the file of another machine: move it away"
  if [ -n "$source" ] && [ "$(sha256sum <"$path")" = "$source  -" ]; then
    refuse "$path is the source's own file or a copy of it: the machine folder must not be shared"
  fi
  kept=$path-before-migration
  mv -f -- "$path" "$kept" || exit 3
fi
back() { rm -f -- "$path"; [ -z "$kept" ] || mv -f -- "$kept" "$path"; fail; }
printf '%s\\n' "$text" >"$path.new" && mv -- "$path.new" "$path" || { rm -f -- "$path.new"; back; }
once listed registervm "$path" || {
  case $out in
    *"extended info not available"*)
      out="$out
VirtualBox says no more where it knows a copy of a disk: compare VBoxManage list hdds on both hosts"
      ;;
  esac
  back
}
look setextradata "$uuid" "$key" yes || {
  why=$out
  once unlisted unregistervm "$uuid" || fail
  out=$why
  back
}
"""

_UNREGISTER: Final = """\
once unlisted unregistervm "$uuid" || fail
[ -n "$path" ] || exit 0
for each in "$path" "$path-prev"; do
  if grep -q -i -F "uuid=\\"{$uuid}\\"" -- "$each" 2>/dev/null; then rm -f -- "$each"; fi
done
if [ -e "$path-before-migration" ] && ! [ -e "$path" ]; then
  mv -- "$path-before-migration" "$path"
fi
rmdir -- "${path%/*}" 2>/dev/null
exit 0
"""

_TELEPORTER_ON: Final = """\
password=$(cat)
tries=0
! command -v timeout >/dev/null || limit="timeout 3"
while :; do
  out=$(
    printf '%s\\n' "$password" |
      $limit "$v" modifyvm "$@" --teleporter-password-file stdin 2>&1
  ) && exit 0
  code=$?
  limit=
  case $out in *" locked "*|*"unexpected process"*) ;; *) [ "$code" -eq 124 ] || fail ;; esac
  tries=$((tries + 1))
  [ "$tries" -lt 25 ] || fail
  sleep 0.2
done
"""


class Host(NamedTuple):
    """What a host says of its VirtualBox.

    Attributes:
        hostname: Its own name.
        machine_id: Of ``/etc/machine-id``; empty where there is none.
        version: As VBoxManage has it, such as ``7.2.22_Debianr175245``.
        home: Folder of the settings of this VirtualBox.
        machine_folder: Where new machines go.
        user: Who runs it.
        uid: The user's number.
        vboxmanage: Path of VBoxManage.
    """

    hostname: str
    machine_id: str
    version: str
    home: str
    machine_folder: str
    user: str
    uid: int
    vboxmanage: str


def release(version: str) -> str:
    """Give VirtualBox's own part of a version: 7.2.22 of ``7.2.22_Debianr175245``."""
    return version.partition("_")[0].partition("r")[0]


class VBoxManage:
    """VBoxManage on one host; may be used from several threads."""

    def __init__(self, runner: Runner, place: Place) -> None:
        """Run nothing yet."""
        self.runner: Final = runner
        self.place: Final = place
        self._path = place.vboxmanage or ""

    def host(self) -> Host:
        """Find VBoxManage, and read what it says of its host.

        Raises:
            ConnectError: The host cannot be reached, or there is no VirtualBox that works.
            AuthenticationError: It does not let us in.
        """
        from secrets import token_hex  # noqa: PLC0415 - planning needs none

        mark = token_hex(8)
        answer = self._run(_HOST, {"mark": mark}, search=True, again=True, seconds=_SLOW)
        if answer.status != 0:
            raise unreachable(self.place, answer)
        told, _, answered = answer.output.partition(f"{mark}\n")
        lines = told.splitlines()
        version = _VERSION.findall(answered)
        folder = _FOLDER.search(answered)
        if len(lines) < _FACTS:
            raise self._unread(answer)
        path, hostname, uid, user, machine_id, home, socket = lines[:_FACTS]
        doubt = _doubt(home, socket, lines[_FACTS:])
        if doubt is not None:
            raise ConnectError(self.place.uri, problem=doubt)
        if not version or folder is None:
            raise self._unread(answer)
        self._path = path
        return Host(hostname, machine_id, version[0], home, folder[1], user, int(uid), path)

    def machine(self, name_or_uuid: str) -> Machine | None:
        """Read a machine by its uuid, else by its name; None where there is none.

        Raises:
            DriverError: It cannot be read, or there are several of that name.
        """
        if _UUID.fullmatch(name_or_uuid):
            return self.machine_of(name_or_uuid) or self.machine_named(name_or_uuid)
        return self.machine_named(name_or_uuid)

    def machine_named(self, name: str) -> Machine | None:
        """Read a machine by its name exactly; see :meth:`machine`."""
        return self._pair(name, name=name, uuid="")[1]

    def machine_of(self, uuid: str) -> Machine | None:
        """Read a machine by its uuid; see :meth:`machine`."""
        return self._pair(uuid, name="\n", uuid=uuid.lower())[0]

    def machines(self, uuid: str, name: str) -> tuple[Machine | None, Machine | None]:
        """Read the machine that has a uuid, and the one that has a name; see :meth:`machine`."""
        return self._pair(name, name=name, uuid=uuid.lower())

    def state(self, uuid: str) -> str:
        """Read a machine's state, which takes half as long as all of it; ``absent``: none.

        Raises:
            DriverError: It cannot be read.
        """
        action = f"reading the state of {uuid} behind {self.place.uri}"
        answer = self._run(_SHOW + 'show "$uuid"\n', {"uuid": uuid}, again=True)
        if answer.status != 0:
            error = failed(action, answer, self.place)
            if error.code == _NOT_FOUND:
                return ABSENT
            raise error
        try:
            machine = read_machine(answer.output)
        except ValueError as error:
            raise DriverError(action, problem=str(error)) from error
        return machine.state if machine.uuid == uuid.lower() else ABSENT

    def settings(self, machine: Machine) -> str:
        """Read a machine's settings file."""
        return self._ask(
            f"reading the settings of {machine.name}",
            'cat -- "$path"',
            path=machine.settings_file,
            again=True,
        )

    def register(self, path: str, text: str, *, source: str = "") -> None:
        """Write a settings file, and register the machine as one that stays while it runs.

        Args:
            path: Where; a file of the same machine is kept beside, one of another is refused.
            text: The settings.
            source: The source's own settings: a file at *path* that says the same is the source's,
                in a folder that both share, and refused.
        """
        from hashlib import sha256  # noqa: PLC0415 - planning needs none

        from migrate_plugins_vbox.settings import read_settings  # noqa: PLC0415 - planning needs none

        action = f"registering {path}"
        try:
            uuid = read_settings(text, "/").uuid
        except ValueError as error:
            raise DriverError(action, problem=str(error)) from error
        if not path.startswith("/"):
            raise DriverError(action, problem="the path is not absolute")
        self._ask(
            action,
            "text=$(cat)\n" + _REGISTER,
            input=text,
            path=path,
            uuid=uuid,
            key=MARK,
            source=sha256(source.encode()).hexdigest() if source else "",
            kept="",
        )

    def unregister(self, uuid: str, *, remove: str | None = None) -> None:
        """Unregister a machine; disks stay, and so does its settings file if it is not *remove*."""
        self._ask(f"unregistering {uuid}", _UNREGISTER, uuid=uuid, path=remove or "")

    def mark(self, uuid: str, on: bool) -> None:
        """Mark a machine as one that is registered only as long as it runs, or do no longer."""
        self._set(f"marking {uuid}", "setextradata", uuid, MARK, *(["yes"] if on else []))

    def teleporter_on(self, uuid: str, *, port: int, address: str, password: str) -> None:
        """Let the next start of a machine wait for a guest."""
        words = [uuid, "--teleporter", "on", "--teleporter-port", str(port)]
        words += ["--teleporter-address", address]
        script = f"set -- {shlex.join(words)}\n{_TELEPORTER_ON}"
        self._ask(f"turning the teleporter of {uuid} on", script, input=f"{password}\n")

    def teleporter_off(self, uuid: str) -> None:
        """Let the next start of a machine be an ordinary one."""
        self._set(f"turning the teleporter of {uuid} off", "modifyvm", uuid, "--teleporter", "off")

    def start(self, uuid: str) -> Job:
        """Start a machine; the job ends when it runs, or does not."""
        script = f"try startvm {shlex.quote(uuid)} --type headless || fail\nprintf '%s\\n' \"$out\""
        return self.runner.start(self._script(script))

    def emergency_stop(self, uuid: str) -> None:
        """End a machine's process."""
        self._do(f"ending the process of {uuid}", "startvm", uuid, "--type", "emergencystop")

    def power_off(self, uuid: str) -> None:
        """Power a machine off."""
        self._do(f"powering {uuid} off", "controlvm", uuid, "poweroff")

    def locks(self, disks: Sequence[Disk]) -> bool:
        """Whether all of a machine's disks are locked, as they are while it may use them.

        A source unlocks them before it lets the target have them.  Without a disk nothing is known.
        """
        told = self._ask(
            "reading the locks of disks",
            f"for id in {shlex.join(disk.uuid for disk in disks)}; do\n"
            '  look showmediuminfo disk "$id" || fail\n'
            "  printf '%s\\n' \"$out\"\n"
            "done",
            again=True,
        )
        states = _STATE.findall(told)
        return len(states) == len(disks) > 0 and all(each.startswith("locked") for each in states)

    def resume(self, uuid: str) -> None:
        """Let a paused machine go on."""
        self._do(f"resuming {uuid}", "controlvm", uuid, "resume")

    def teleport(
        self, uuid: str, *, host: str, port: int, password: str, max_downtime: int | None
    ) -> Job:
        """Send a machine's memory to where one waits; interrupted, the job is cancelled.

        Args:
            uuid: Of the machine.
            host: Where the target waits.
            port: Likewise.
            password: Of the target's teleporter.
            max_downtime: In ms, or None for VirtualBox's own.
        """
        words = [uuid, "teleport", "--host", host, "--port", str(port)]
        if max_downtime is not None:
            words += ["--maxdowntime", str(max_downtime)]
        script = f'exec "$v" controlvm {shlex.join(words)} --passwordfile stdin'
        return self.runner.start(self._script(script), input=f"{password}\n")

    def listening(self) -> frozenset[int]:
        """Read the TCP ports on which something listens there."""
        output = self._ask(
            f"reading what listens behind {self.place.uri}",
            "grep -h ' 0A ' /proc/net/tcp /proc/net/tcp6 2>/dev/null || [ -r /proc/net/tcp ] || "
            "{ out='/proc/net/tcp cannot be read'; code=1; fail; }",
            again=True,
        )
        ports = (line.split()[1].rpartition(":")[2] for line in output.splitlines())
        return frozenset(int(port, 16) for port in ports)

    def listens(self, port: int, seconds: float) -> bool:
        """Whether something listens on a TCP port there, now or within *seconds*."""
        # Each look is short, and its host waits between two of them.
        looks = max(1, round(seconds / _LOOK))
        told = self._ask(
            f"waiting for port {port} behind {self.place.uri}",
            "looks=0\n"
            f"until grep -q -s ': [0-9A-F]*:{port:04X} [0-9A-F:]* 0A ' /proc/net/tcp"
            " /proc/net/tcp6; do\n"
            f'  looks=$((looks + 1)); [ "$looks" -lt {looks} ] || exit 0\n'
            f"  sleep {_LOOK}\n"
            "done\n"
            "echo yes",
            again=True,
        )
        return told.strip() == "yes"

    def command(self, *words: str) -> str:
        """Write a call of VBoxManage there as a line for a shell here."""
        chosen = [f"{name}={shlex.quote(value)}" for name, value in self.place.environment.items()]
        line = " ".join([*chosen, shlex.join([self.place.vboxmanage or "VBoxManage", *words])])
        if self.place.host is None:
            return line
        return f"{shlex.join([*self.place.ssh, self.place.host])} {shlex.quote(line)}"

    def _pair(self, wanted: str, *, name: str, uuid: str) -> tuple[Machine | None, Machine | None]:
        """Read the machine that has the uuid, and that which has the name."""
        from secrets import token_hex  # noqa: PLC0415 - planning needs none

        action = f"reading {wanted} behind {self.place.uri}"
        mark = token_hex(8)
        variables = {"name": name, "uuid": uuid, "key": MARK, "mark": mark}
        answer = self._run(_SHOW + _MACHINES, variables, again=True)
        if answer.status != 0:
            error = failed(action, answer, self.place)
            if error.code == _NOT_FOUND:  # it was listed, and has just been unregistered
                return None, None
            raise error
        try:
            read = [_machine(told) for told in answer.output.split(f"{mark}\n")[:-1]]
        except ValueError as error:
            raise DriverError(action, problem=str(error)) from error
        named = [each for each in read if each.name == name]
        if len(named) > 1:
            uuids = ", ".join(each.uuid for each in named)
            problem = f"{len(named)} machines there have that name: {uuids}; rename all but one"
            raise DriverError(action, problem=problem)
        of_uuid = next((each for each in read if each.uuid == uuid), None)
        return of_uuid, next(iter(named), None)

    def _unread(self, answer: Answer) -> ConnectError:
        said = " ".join(answer.output.split())[:200]
        problem = f"the host said what cannot be read: {said!r}"
        return ConnectError(self.place.uri, problem=problem)

    def _set(self, action: str, *words: str) -> None:
        """Run VBoxManage for what may as well be done twice."""
        self._ask(action, f"look {shlex.join(words)} || fail", seconds=_SLOW)

    def _do(self, action: str, *words: str) -> None:
        """Run VBoxManage once."""
        self._ask(action, f"try {shlex.join(words)} || fail", seconds=_SLOW)

    def _ask(
        self,
        action: str,
        script: str,
        *,
        input: str = "",  # noqa: A002
        seconds: float = 20.0,
        again: bool = False,
        **variables: str,
    ) -> str:
        """Run a script, and give what it says."""
        answer = self._run(script, variables, input=input, seconds=seconds, again=again)
        if answer.status != 0:
            raise failed(action, answer, self.place)
        return answer.output

    def _run(
        self,
        script: str,
        variables: Mapping[str, str],
        *,
        input: str = "",  # noqa: A002
        seconds: float = 20.0,
        search: bool = False,
        again: bool = False,
    ) -> Answer:
        """Run a script; one that only reads is run *again* where the connection broke."""
        text = self._script(script, variables, search=search)
        answer = self.runner.run(text, input=input, seconds=seconds)
        if again and answer.broken and not search:
            answer = self.runner.run(text, input=input, seconds=seconds)
        return answer

    def _script(
        self, script: str, variables: Mapping[str, str] | None = None, *, search: bool = False
    ) -> str:
        """Give the whole of a script: which VirtualBox, which VBoxManage, in which language."""
        lines = [f"{name}={shlex.quote(value)}" for name, value in (variables or {}).items()]
        chosen = [f"{name}={shlex.quote(value)}" for name, value in self.place.environment.items()]
        lines.append(f"export LC_ALL=C.UTF-8 {' '.join(chosen)}")
        # Set and empty, VirtualBox does not start.
        lines.append('[ -n "$VBOX_USER_HOME" ] || unset VBOX_USER_HOME')
        if search or not self._path:
            places = [self.place.vboxmanage] if self.place.vboxmanage else [*_PLACES]
            looked = ", ".join(places) + ("" if self.place.vboxmanage else " and in PATH")
            words = shlex.join(places)
            if not self.place.vboxmanage:
                words += ' "$(command -v VBoxManage)"'
            lines.append(f"looked={shlex.quote(looked)}")
            lines.append(f'for v in {words} ""; do [ -x "$v" ] && [ -f "$v" ] && break; done')
        else:
            lines.append(f"v={shlex.quote(self._path)}")
        return "\n".join([*lines, _TRY, script])


def _machine(told: str) -> Machine:
    """Read what was told of one machine: whether it is marked, when, and all else.

    Raises:
        ValueError: It cannot be read.
    """
    marked, seconds, shown = (*told.split("\n", 2), "", "", "")[:3]
    asked = datetime.fromtimestamp(int(seconds), UTC)
    return read_machine(shown)._replace(marked=marked == "yes", asked=asked)


def _doubt(home: str, socket: str, servers: Sequence[str]) -> str | None:
    """Say why it is not the wanted VirtualBox that answers, or not it alone; else None.

    Args:
        home: Where the wanted one has its settings.
        socket: Name of its socket.
        servers: Of each that runs there its socket, and then its home.
    """
    for other, settings in zip(servers[::2], servers[1::2], strict=False):
        if other == socket and settings != home:
            return (
                f"the VirtualBox that answers there has its settings in {settings}, and not in"
                f" {home}: give user_home={settings}, or the ipc_socketid= of the other one"
            )
        if other != socket and settings == home:
            return (
                f"a VirtualBox with the settings in {home} runs there already and answers as"
                f" {other}: give ipc_socketid={other}"
            )
    return None
