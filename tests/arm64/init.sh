#!/usr/bin/busybox sh
# The first process of the emulated machine: what a system has mounted, then guest.py, then off. `warder.source` on
# the kernel's command line is where the sources lie; `warder.tests` an expression for names of tests.
export PATH=/usr/sbin:/usr/bin HOME=/root TERM=dumb
mkdir -p /proc /sys /dev /tmp /run
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t tmpfs run /run
ip link set lo up

said() { sed -n "s/.*warder\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
cd "$(said source)" || poweroff -f
setsid python3 tests/arm64/guest.py "$(said tests)" </dev/null >/dev/console 2>&1
echo "guest: ended with status $?"
poweroff -f
