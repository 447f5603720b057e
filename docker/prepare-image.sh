#!/bin/sh
# Gives an image what a workspace needs beside the server: git, certificates, the directories and somebody to run as.
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
if command -v apt-get >/dev/null; then
  missing=
  command -v git >/dev/null || missing="$missing git"
  command -v ssh >/dev/null || missing="$missing openssh-client"
  [ -s /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
  if [ -n "$missing" ]; then
    apt-get update
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
    rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log
  fi
elif ! command -v git >/dev/null; then
  echo "prepare-image: this base has neither git nor apt-get; give it git first, or the git service will not work" >&2
fi
/opt/yonder/bin/node --version >/dev/null || {
  echo "prepare-image: Node does not run on this base; it needs glibc 2.28 or newer and libstdc++" >&2
  exit 1
}
for name in yonder rg; do
  [ -e /usr/local/bin/$name ] || ln -s /opt/yonder/bin/$name /usr/local/bin/$name
done
grep -q '^[^:]*:[^:]*:1000:' /etc/group || echo 'workspace:x:1000:' >>/etc/group
grep -q '^[^:]*:[^:]*:1000:' /etc/passwd || echo 'workspace:x:1000:1000::/home/workspace:/bin/sh' >>/etc/passwd
mkdir -p /workspace /home/workspace /var/lib/yonder /run/yonder /etc/yonder
# Whoever the container runs as, there is one user in it, and these are that user's.
chmod 1777 /workspace /home/workspace /var/lib/yonder /run/yonder
