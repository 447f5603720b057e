# A workspace that is a repository with a change in it, an application with scripts, and files on both sides.
export GIT_AUTHOR_NAME=You GIT_AUTHOR_EMAIL=you@example.com GIT_COMMITTER_NAME=You GIT_COMMITTER_EMAIL=you@example.com
git config --global init.defaultBranch main
git init -q
mkdir app src out
cat >app/package.json <<'END'
{ "name": "app", "scripts": { "test": "echo 3 passed", "dev": "node -e \"console.log('listening'); setInterval(() => {}, 1000)\"" } }
END
echo 'export const a = 1;' >src/a.ts
git add -A
git commit -qm "Begin"
echo 'export const a = 2;' >src/a.ts
echo '<h1>Report</h1>' >out/report.html
head -c 3000000 /dev/urandom >model.bin
# The remote lies on this machine, which has no other network.
git clone -q --bare . /srv/team/library.git
git config --global url./srv/team/.insteadOf https://example.com/team/
