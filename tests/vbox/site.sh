#!/bin/sh
# site.sh FOLDER CHROOT HOST...: the first process of a site, in namespaces of its own.
#
# It starts each host and ends when its standard input does: whoever made the site is then gone,
# and every process of it ends, by the kernel's hand.
set -eu

[ $# -ge 3 ] || { echo "usage: $0 FOLDER CHROOT HOST..." >&2; exit 2; }
folder=$1 chroot=$2
shift 2

# All that a site writes is in memory, and gone with it.
mount -t tmpfs -o mode=755 site "$folder"
mkdir -m 755 "$folder/shared" "$folder/hosts"
chown 4242:4242 "$folder/shared"

for name; do
  unshare --net --uts --ipc --mount --propagation private --pid --fork --kill-child \
    sh "$(dirname "$0")/host.sh" "$folder" "$chroot" "$name" &
done
exec 1>&-
cat >/dev/null
