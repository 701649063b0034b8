#!/bin/bash
# chroot.sh ROOT MIRROR STAND_IN: make a Debian sid with VirtualBox in the empty folder ROOT.
#
# MIRROR is a Debian archive, STAND_IN the file that takes the place of VBoxHeadless. Run by
# chroot.py, as root and in a mount and a process-id namespace of its own: however this ends,
# no mount and no process of it stays.
set -euo pipefail

[ $# -eq 3 ] || { printf 'usage: %s ROOT MIRROR STAND_IN\n' "$0" >&2; exit 2; }
root=$1 mirror=$2 stand_in=$3
[ -d "$root" ] && [ -z "$(ls -A "$root")" ] || { printf '%s is not an empty folder\n' "$root" >&2; exit 2; }
[ -s "$stand_in" ] || { printf '%s is not a file with something in it\n' "$stand_in" >&2; exit 2; }
case $mirror in http://* | https://*) ;; *) printf '%s is not a mirror\n' "$mirror" >&2; exit 2 ;; esac

debootstrap --variant=minbase --components=main,contrib sid "$root" "$mirror"

# A mirror may be some weeks behind: what it says is signed all the same.
echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/80late"
# Made anew rather than repaired: nothing has to reach the disk at once.
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/hasty"
printf 'path-exclude=/usr/share/%s/*\n' doc info locale man >"$root/etc/dpkg/dpkg.cfg.d/small"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"

# VirtualBox wants a package with its kernel module; there is none here and none is used.
dummy=$root/root/no-module
mkdir -p "$dummy/DEBIAN"
cat >"$dummy/DEBIAN/control" <<END
Package: no-virtualbox-module
Version: 1
Architecture: all
Maintainer: tests <tests@localhost>
Provides: virtualbox-modules
Description: says that there is a kernel module where there is none
END
chroot "$root" dpkg-deb --build /root/no-module /root/no-module.deb

inside=(chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8)
"${inside[@]}" apt-get --quiet=2 update
"${inside[@]}" apt-get --quiet=2 --yes --no-install-recommends install /root/no-module.deb \
  virtualbox systemd-standalone-sysusers procps iproute2 openssh-client openssh-server python3
"${inside[@]}" apt-get clean
rm -rf "$root"/var/lib/apt/lists/* "$root"/root/no-module* "$root"/etc/ssh/ssh_host_*

# The packaged program starts no guest without the kernel module.
headless=$root/usr/lib/virtualbox/VBoxHeadless
mv "$headless" "$headless.packaged"
install -m 755 "$stand_in" "$headless"

# Who runs VirtualBox on the hosts; without a password, and so not locked for a key.
echo 'vbox:x:4242:4242::/home/vbox:/bin/sh' >>"$root/etc/passwd"
echo 'vbox:x:4242:' >>"$root/etc/group"
echo 'vbox:*:19000:0:99999:7:::' >>"$root/etc/shadow"
mkdir -p "$root/home/vbox" "$root/srv/shared" "$root/srv/private" "$root/old"
