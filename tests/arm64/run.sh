#!/bin/sh
# run.sh [EXPRESSION]: builds for arm64 and runs tests (guest.py says which) on a machine that qemu emulates: a kernel
# of Debian's with its filters of system calls and its Landlock, and nothing on it but the root of root.sh, the
# sources and the build, in memory. Emulating the programs alone would be quicker, but has neither of the two, and
# makes a fork of a vfork.
set -eu
cd "$(dirname "$0")/../.."

fail() { printf 'arm64: %s\n' "$*" >&2; exit 1; }

root=$PWD/build-arm64-root
tests/arm64/root.sh "$root"
cmake --preset arm64 -Wno-dev >/dev/null || cmake --preset arm64
cmake --build --preset arm64

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# archive DIRECTORY: what is named on standard input, a NUL behind each, as the kernel unpacks it.
archive() { (cd "$1" && cpio --quiet --null -o -H newc -R +0:+0); }

mkdir -p "$work/more/$PWD"
cp tests/arm64/init.sh "$work/more/init"
chmod 755 "$work/more/init"
{
    git ls-files -z
    find build-arm64 -type f -not -name '*.[oad]' -not -path '*/CMakeFiles/*' -print0
    find build-arm64 -type l -print0
} | xargs -0 cp -P --parents -t "$work/more/$PWD"
{
    (cd "$root/root" && find . -not -path './usr/share/doc/*' -not -path './usr/share/man/*' -not -name '*.a' \
        -not -path './usr/share/locale/*' -not -path './usr/include/*' -not -path '*/gconv/*' -print0) |
        archive "$root/root"
    (cd "$work/more" && find . -print0) | archive "$work/more"
} >"$work/system"

qemu-system-aarch64 -M virt -cpu max,pauth-impdef=on -smp "$(nproc)" -m 3072 -nographic -no-reboot -net none \
    -kernel "$root/kernel" -initrd "$work/system" \
    -append "console=ttyAMA0 quiet panic=-1 warder.source=$PWD warder.tests=${1:-}" </dev/null |
    sed -u 's|\r$||' | tee "$work/said"
grep -q '^guest: ended with status 0$' "$work/said" || fail "not everything passed on the emulated machine"
