"""What a host shows from within: files, filesystems, addresses, network devices, certificates.

One program on each host, which only reads, and only where there is a way to run it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from migrate_plugins import ConnectionURI

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migrate_plugins import Shell

__all__ = ["Certificates", "File", "Look", "Pem", "look"]

# Seconds for all of it.
_PATIENCE: Final = 8.0


class File(NamedTuple):
    """A path on a host.

    Attributes:
        kind: As stat calls it, such as ``regular file`` or ``block special file``; None where
            there is nothing.
        size: In bytes; of a block device and of an image what the guest sees; None if not known.
        filesystem: Magic number of the filesystem that its folder is on, or None.
        type: That filesystem's type, such as ``nfs4``, or None.
        mounted: What is mounted there, such as ``nas:/export``, or None.
        mount: Where it is mounted, or None.
        identity: Of a block device, its world-wide name or serial number, or None.
        folder: Whether the folder that it is in exists.
    """

    kind: str | None
    size: int | None = None
    filesystem: int | None = None
    type: str | None = None
    mounted: str | None = None
    mount: str | None = None
    identity: str | None = None
    folder: bool = True


class Pem(NamedTuple):
    """A file with a certificate or a key.

    Attributes:
        readable: Whether QEMU may read it; None where nobody can tell.
        expired: Whether its time is over; None for a key, and where nobody can tell.
        named: Whether it is for the name asked about; None where nobody can tell.
    """

    readable: bool | None
    expired: bool | None = None
    named: bool | None = None


class Certificates(NamedTuple):
    """QEMU's certificates for native TLS.

    Attributes:
        folder: Where qemu.conf says they are.
        files: Those that are there.
        forced: Whether qemu.conf refuses every migration without TLS.
        verified: Whether whoever connects must show a certificate too.
    """

    folder: str
    files: Mapping[str, Pem]
    forced: bool = False
    verified: bool = True


class Look(NamedTuple):
    """What a host showed.

    Attributes:
        files: By path.
        addresses: Its own IP addresses.
        devices: Its network devices, with their MTU.
        certificates: QEMU's.
    """

    files: Mapping[str, File]
    addresses: frozenset[str]
    devices: Mapping[str, int]
    certificates: Certificates


# Records that end with NUL, their words apart by tabs.  Starting a program takes longer than all
# that the shell does itself, so that each is started at most once, for all files.
_SCRIPT: Final = r"""
conf=$1 how=$2 name=$3 network=$4; shift 4
[ -n "$conf" ] || conf=${XDG_CONFIG_HOME:-$HOME/.config}/libvirt/qemu.conf
folder= default=/etc/pki/qemu force= user= verify= verify_default=1
[ ! -d /etc/pki/libvirt-migrate ] || folder=/etc/pki/libvirt-migrate
if [ -r "$conf" ]; then
  while read -r line || [ -n "$line" ]; do
    key=${line%%=*} value=${line#*=}
    case $value in *\"*\"*) value=${value#*\"}; value=${value%%\"*};; esac
    case ${key%%[[:space:]]*} in
      migrate_tls_x509_cert_dir) folder=$value;;
      default_tls_x509_cert_dir) default=$value;;
      migrate_tls_x509_verify) verify=${value##*[[:space:]]};;
      default_tls_x509_verify) verify_default=${value##*[[:space:]]};;
      migrate_tls_force) force=${value##*[[:space:]]};;
      user) user=$value;;
    esac
  done <"$conf"
fi
folder=${folder:-$default}
printf 'tls\t%s\t%s\t%s\0' "$folder" "$force" "${verify:-$verify_default}"
if [ -n "$name" ]; then
  for each in libvirt-qemu qemu; do
    [ -n "$user" ] || ! id "$each" >/dev/null 2>&1 || user=$each
  done
  # Only root can try as another, and a daemon of its user's own runs QEMU as that user.
  case $conf in /etc/*) [ "$(id -u)" = 0 ] || user=;; *) user=;; esac
  for pem in ca-cert server-cert server-key client-cert client-key; do
    file=$folder/$pem.pem readable=- expired=- named=-
    [ -e "$file" ] || continue
    if [ -n "$user" ] && command -v runuser >/dev/null; then
      readable=0; ! runuser -u "$user" -- test -r "$file" || readable=1
    fi
    case $pem in *-cert)
      if openssl x509 -in "$file" -noout >/dev/null; then
        expired=1; ! openssl x509 -in "$file" -noout -checkend 0 >/dev/null || expired=0
        case $(openssl x509 -in "$file" -noout "$how" "$name") in
          *"does NOT match"*) named=0;; *"does match"*) named=1;;
        esac
      fi;;
    esac
    printf 'pem\t%s\t%s\t%s\t%s\0' "$pem" "$readable" "$expired" "$named"
  done
fi
[ "$network" = - ] || { printf 'network\t'; ip addr show; printf '\0'; }
[ $# -gt 0 ] || exit 0
while IFS= read -r line; do printf 'mount\t%s\0' "$line"; done </proc/self/mountinfo
blocks=
for each do
  format=${each%%:*} path=${each#*:}
  near=${path%/*}
  [ ! -d "$near/" ] || printf 'folder\t%s\0' "$path"
  until [ -d "$near/" ]; do near=${near%/*}; done
  printf 'near\t%s\t%s\0' "$near/" "$path"
  if [ -b "$path" ]; then
    blocks=1
  elif [ "$format" != - ] && [ "$format" != raw ] && [ -r "$path" ]; then
    printf 'image\t%s\t%s\0' "$path" "$(qemu-img info -U -f "$format" --output=json "$path")"
  fi
  shift; set -- "$@" "$path" "$near/"
done
stat -L --printf='file\t%F\t%s\t%n\0' -- "$@"
stat -f --printf='system\t%t\t%n\0' -- "$@"
[ -z "$blocks" ] || for path do
  [ ! -b "$path" ] || printf 'block\t%s\t%s\0' "$path" "$(lsblk -bdnro SIZE,WWN,SERIAL "$path")"
done
printf 'real\0'; realpath -mz -- "$@"
"""


def look(
    shell: Shell,
    uri: str | None,
    files: Mapping[str, str | None],
    *,
    network: bool = False,
    certificate_for: str | None = None,
) -> Look | str:
    """Look at a host.

    Args:
        shell: A way to run a program there.
        uri: Of its daemon, which decides where qemu.conf is.
        files: Absolute paths to look at, with the format of each image whose size matters.
        network: Whether to look at addresses and network devices.
        certificate_for: The name to look for in certificates, or None to leave them alone.

    Returns:
        What was seen, or why nothing was.
    """
    session = uri is not None and (ConnectionURI.parse(uri).path or "").endswith("/session")
    conf = "" if session else "/etc/libvirt/qemu.conf"  # the shell knows where its user's own is
    name = certificate_for or ""
    how = "-checkip" if _is_address(name) else "-checkhost"
    paths = [f"{form or '-'}:{path}" for path, form in files.items() if path.startswith("/")]
    argv = ["sh", "-c", _SCRIPT, "sh", conf, how, name, "+" if network else "-", *paths]
    answer = shell.run(argv, seconds=_PATIENCE)
    if answer.status is None or not answer.output.startswith("tls\t"):
        told = answer.error.strip() or f"exit status {answer.status}"
        return told.splitlines()[-1]
    return _read(answer.output)


class _Seen:
    """Records, sorted by what they are about."""

    def __init__(self, output: str) -> None:
        self.folder, self.forced, self.verified = "", False, True
        self.pems: dict[str, Pem] = {}
        self.addresses: set[str] = set()
        self.devices: dict[str, int] = {}
        self.mounts: list[tuple[str, str, str]] = []
        self.folders: set[str] = set()
        self.near: dict[str, str] = {}
        self.kinds: dict[str, tuple[str, int]] = {}
        self.systems: dict[str, int] = {}
        self.real: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self.identities: dict[str, str] = {}
        records, _, real = output.partition("\0real\0")
        for record in records.split("\0"):
            self._note(record)
        asked = [each for path, near in self.near.items() for each in (path, near)]
        self.real.update(zip(asked, real.split("\0"), strict=False))

    def _note(self, record: str) -> None:  # noqa: C901 - one case for each kind of record
        match record.split("\t"):
            case ["tls", folder, force, verify]:
                self.folder, self.forced, self.verified = folder, force == "1", verify == "1"
            case ["pem", name, *flags]:
                self.pems[name] = Pem(*({"0": False, "1": True}.get(flag) for flag in flags))
            case ["network", *parts]:
                text = "\t".join(parts)
                self.addresses |= set(re.findall(r"^\s+inet6? ([^/ ]+)", text, re.MULTILINE))
                links = re.findall(r"^\d+: ([^:@ ]+).* mtu (\d+)", text, re.MULTILINE)
                self.devices |= {name: int(mtu) for name, mtu in links}
            case ["mount", line]:
                self.mounts += _mount(line)
            case ["folder", path]:
                self.folders.add(path)
            case ["near", near, path]:
                self.near[path] = near
            case ["file", kind, size, path]:
                self.kinds[path] = (kind, int(size))
            case ["system", magic, path]:
                self.systems[path] = int(magic, 16)
            case ["image", path, text] if found := re.search(r'"virtual-size": (\d+)', text):
                self.sizes[path] = int(found[1])
            case ["block", path, text]:
                size, *names = text.split(" ")
                if size.isdecimal():
                    self.sizes[path] = int(size)
                self.identities[path] = next((name for name in names if name), "")

    def file(self, path: str) -> File:
        kind, size = self.kinds.get(path, (None, None))
        if path in self.sizes or kind == "block special file":
            size = self.sizes.get(path)
        near = self.near[path]
        # Where it really is, behind links; of what is not there, where it would be.
        real = self.real.get(path if kind else near, near)
        mounted, type_, mount = max(
            (each for each in self.mounts if _below(real, each[2])),
            key=lambda each: len(each[2]),
            default=(None, None, None),
        )
        return File(
            kind,
            size,
            self.systems.get(near),
            type_,
            mounted,
            mount,
            self.identities.get(path) or None,
            folder=path in self.folders,
        )


def _read(output: str) -> Look:
    seen = _Seen(output)
    return Look(
        {path: seen.file(path) for path in seen.near},
        frozenset(seen.addresses),
        seen.devices,
        Certificates(seen.folder, seen.pems, seen.forced, seen.verified),
    )


def _mount(line: str) -> Iterator[tuple[str, str, str]]:
    """Read a line of mountinfo(5) as what is mounted, its type, and where."""
    fields, _, rest = line.partition(" - ")
    words, tail = fields.split(" "), rest.split(" ")
    try:
        root, target, type_, source = words[3], words[4], tail[0], tail[1]
    except IndexError:
        return
    name = _plain(source) + (f"[{_plain(root)}]" if root != "/" else "")
    yield name, type_, _plain(target)


def _plain(text: str) -> str:
    """Undo mountinfo's way to write spaces and the like."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _is_address(name: str) -> bool:
    from ipaddress import ip_address  # noqa: PLC0415 - few hosts are looked at from within

    try:
        ip_address(name)
    except ValueError:
        return False
    return True
