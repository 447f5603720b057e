#!/bin/sh
# Makes Apptainer available on Debian and Ubuntu, which have no package of it: Debian's unstable one, unpacked into
# .cache/engines/apptainer with the libraries that it was built for, so that nothing of the machine changes and no root is
# needed. Does nothing where it is there already. Prints the path of the program. With --cached it fetches nothing.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cache=$root/.cache/engines
home=$cache/apptainer
program=$home/usr/bin/apptainer

works() { "$program" version >/dev/null 2>&1; }
fail() {
  echo "get-apptainer: $1" >&2
  exit 1
}

mkdir -p "$cache"
exec 9>"$cache/apptainer.lock"
flock 9
if works; then
  echo "$program"
  exit 0
fi
[ "${1:-}" != --cached ] || fail "it has not been fetched yet"
command -v apt-get >/dev/null && command -v dpkg >/dev/null || fail "apt-get and dpkg are needed; install Apptainer by hand"

# A place of its own, so that unstable stays unknown to the machine's apt.
work=$(mktemp -d "$cache/get-apptainer.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial"
: >"$work/status"
mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*debian[^ ]*\) .*/\2/p' \
  /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | grep -v security | head -n 1)
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keys" ] || fail "$keys is needed: apt-get install -y debian-archive-keyring"
echo "deb [signed-by=$keys] ${mirror:-http://deb.debian.org/debian} sid main" >"$work/sid.list"
apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$work/sid.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferencesparts=/dev/null -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" \
    -o Dir::Cache::archives="$work/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
    -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o APT::Sandbox::User=root -o Debug::NoLocking=1 "$@"
}
apt update
cd "$work/archives"
# The programs, then the libraries that they load.
apt download apptainer patchelf squashfs-tools \
  libc6 libgcc-s1 libstdc++6 libseccomp2 libsqlite3-0 liblz4-1 liblzma5 liblzo2-2 libzstd1 zlib1g >/dev/null
for package in *.deb; do dpkg-deb -x "$package" "$work/new"; done
cd "$cache"

libraries=$(cd "$work/new" && echo usr/lib/*-linux-gnu)
loader=$(basename "$work/new/$libraries"/ld-linux*.so.*)
for file in usr/bin/apptainer usr/bin/mksquashfs usr/bin/unsquashfs "$libraries/apptainer/bin/starter"; do
  "$work/new/$libraries/$loader" --library-path "$work/new/$libraries" "$work/new/usr/bin/patchelf" \
    --set-interpreter "$home/$libraries/$loader" --force-rpath --set-rpath "$home/$libraries" "$work/new/$file"
done

# Its two programs look for what lies beside them at two places.
mv "$work/new/etc" "$work/new/usr/etc"
mkdir -p "$work/new/usr/var/lib/apptainer/mnt/session"
ln -s ../etc ../var "$work/new/usr/lib/"
conf=$work/new/usr/etc/apptainer/apptainer.conf
# No systemd in a CI container, and root there often lacks a capability, so that it cannot ask for all of them.
sed -i -e 's/^systemd cgroups = yes/systemd cgroups = no/' \
  -e 's/^root default capabilities = full/root default capabilities = file/' "$conf"
echo "binary path = $home/usr/bin:\$PATH:" >>"$conf"
echo '{"users":{"root":["CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FOWNER","CAP_FSETID","CAP_KILL","CAP_SETGID","CAP_SETUID","CAP_MKNOD","CAP_SETFCAP"]}}' \
  >"$work/new/usr/etc/apptainer/capability.json"

rm -rf "$home"
mv "$work/new" "$home"
works || fail "it was unpacked, but does not run: $("$program" version 2>&1)"
echo "$program"
