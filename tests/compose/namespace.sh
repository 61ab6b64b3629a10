#!/bin/sh
# Run a Docker engine in mount, network, UTS and process namespaces of its own: no daemon, no rule of iptables and no
# setting of this machine is touched. Usage: unshare … sh namespace.sh ROOT STATE CHECKOUT
set -eu
root=$1 state=$2 checkout=$3
mount --make-rprivate /
mount --bind "$root" "$root"
mkdir -p "$root/sys" "$root/dev" "$root/var/lib/docker" "$root/outside" "$root$checkout"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$state" "$root/var/lib/docker"
mkdir -p "$root$checkout"
mount --bind "$checkout" "$root$checkout"
cd "$root"
pivot_root . outside # a chroot would not do: runc itself calls pivot_root
exec chroot . sh -c '
    umount --lazy /outside
    ip link set lo up
    echo 1 >/proc/sys/net/ipv4/ip_forward
    exec dockerd --storage-driver overlay2 --host unix:///run/docker.sock --data-root /var/lib/docker
'
