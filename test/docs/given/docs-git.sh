export GIT_AUTHOR_NAME=You GIT_AUTHOR_EMAIL=you@example.com GIT_COMMITTER_NAME=You GIT_COMMITTER_EMAIL=you@example.com
git config --global init.defaultBranch main
git init -q
mkdir src
echo 'export const a = 1;' >src/a.ts
git add -A
git commit -qm "Begin"
git tag v1.2
echo 'export const a = 2;' >src/a.ts
# Git's hosts, on this machine, which has no other network.
mkdir /srv/git
cd /srv/git
for repository in name one two; do git clone -q --bare /workspace owner/$repository; done
openssl req -x509 -newkey rsa:2048 -nodes -keyout server.key -out server.crt -days 1 -subj /CN=github.com \
  -addext subjectAltName=DNS:github.com,DNS:gitlab.com 2>/dev/null
export GIT_SSL_CAINFO=/srv/git/server.crt
echo "127.0.0.1 github.com gitlab.com" >>/etc/hosts
setsid "$YONDER_ROOT/node_modules/.bin/node" "$YONDER_ROOT/test/fixtures/docs-git-server.ts" /srv/git server.crt server.key \
  >/dev/null 2>&1 </dev/null &
until (exec 3<>/dev/tcp/127.0.0.1/443) 2>/dev/null; do sleep 0.05; done
cd /workspace
yonder serve --working-directory /workspace >/dev/null
