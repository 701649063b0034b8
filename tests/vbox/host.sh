#!/bin/sh
# host.sh FOLDER CHROOT NAME: the first process of a host, in namespaces of its own.
#
# Its root is the chroot with a layer of its own on top. It prints its name and its number (as
# counted outside) when it is ready. Standard input and error are its parent's.
set -eu

[ $# -eq 3 ] || { echo "usage: $0 FOLDER CHROOT NAME" >&2; exit 2; }
folder=$1 chroot=$2 name=$3
read -r number _ </proc/self/stat

own=$folder/hosts/$name
mkdir -m 755 "$own" "$own/upper" "$own/work" "$own/root"
cd "$(dirname "$chroot")" # so that no colon of a path above means something to mount
mount -t overlay -o "lowerdir=$(basename "$chroot"),upperdir=$own/upper,workdir=$own/work" \
  host "$own/root"
cd "$own/root"
mount --bind "$folder/shared" srv/shared
mount -t proc proc proc
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=755 dev dev
mkdir -m 1777 dev/shm
mkdir dev/pts run/sshd
for device in null zero full random urandom tty; do
  : >"dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd

hostname "$name"
echo "$name" >etc/hostname
ip link set lo up
# What tells hosts apart that were installed from one image.
printf '%s' "$name" | md5sum | cut -c 1-32 >etc/machine-id
chown 4242:4242 home/vbox srv/private

cat >etc/ssh/sshd_config.d/site.conf <<END
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
MaxStartups 100
MaxSessions 100
PerSourcePenalties no
END

pivot_root . old
exec chroot . sh -c '
  umount -l /old
  ssh-keygen -q -t ed25519 -N "" -C "$1" -f /etc/ssh/ssh_host_ed25519_key
  /usr/sbin/sshd -E /run/sshd.log
  echo "$1" "$2"
  exec >&-
  while sleep 3600; do :; done
' host "$name" "$number"
