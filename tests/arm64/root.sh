#!/bin/sh
# root.sh DIRECTORY: lays out Debian's arm64 packages below DIRECTORY/root: the libraries that the build is linked
# to, an interpreter, and what the tests call. DIRECTORY/kernel is a kernel of Debian's for an emulated machine.
#
# apt gets lists and a state of its own, so that this machine's packages and architectures stay as they are.
# Nothing is installed: the packages are unpacked, and their scripts do not run. DIRECTORY/packages says what is
# there: with the same list, nothing is done.
set -eu

packages='
libc6-dev libstdc++-12-dev libprotobuf-c-dev libuv1-dev libsqlite3-dev libjansson-dev libsmartcols-dev libseccomp-dev
libelf-dev libtomlplusplus-dev uthash-dev libcmocka-dev libpython3-dev
python3.11 python3-minimal python3-cffi-backend
bash dash coreutils sed grep mawk findutils procps util-linux mount libc-bin binutils base-passwd
busybox-static
'
# The newest that Debian 12 has: the first of these that is there.
kernels='linux-image-6.12-cloud-arm64 linux-image-cloud-arm64'

say() { printf 'arm64: %s\n' "$*"; }

mkdir -p "$1"
cd "$1"
if printf '%s' "$packages" | cmp -s - packages; then
    exit 0
fi
rm -rf root apt packages kernel
mkdir -p root apt/lists/partial apt/archives/partial
: >apt/status
cat >apt/configuration <<EOT
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "";
Dir::State "$PWD/apt";
Dir::State::status "$PWD/apt/status";
Dir::State::lists "$PWD/apt/lists";
Dir::Cache::archives "$PWD/apt/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
EOT
export APT_CONFIG="$PWD/apt/configuration"

say "fetching Debian's arm64 packages into $PWD"
apt-get update -q=2
# shellcheck disable=SC2086
apt-get install -q=2 -y --download-only $packages >/dev/null
for package in apt/archives/*.deb; do
    dpkg-deb -x "$package" root
done

# As a system of Debian 12 is laid out.
for directory in bin sbin lib; do
    [ ! -L root/$directory ] || continue
    cp -a root/$directory/. root/usr/$directory/
    rm -rf "root/${directory:?}"
    ln -s usr/$directory root/$directory
done
# A link that names its place in a system leads out of this one.
find root -type l -lname '/*' | while read -r link; do
    ln -sfnr "root$(readlink "$link")" "$link"
done
for applet in sh ip mount setsid poweroff which hostname; do
    [ -e "root/usr/bin/$applet" ] || ln -s busybox "root/usr/bin/$applet"
done
cp root/usr/share/base-passwd/passwd.master root/etc/passwd
cp root/usr/share/base-passwd/group.master root/etc/group

for kernel in $kernels; do
    image=$(apt-cache depends "$kernel" 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[^ ]*\).*/\1/p' | head -n 1)
    [ -z "$image" ] || break
done
(cd apt && apt-get download -q=2 "$image")
dpkg-deb -x apt/"$image"_*.deb apt/image
cp apt/image/boot/vmlinuz-* kernel
rm -rf apt
printf '%s' "$packages" >packages
say "a root of $(du -sh root | cut -f 1) and the kernel of $image"
