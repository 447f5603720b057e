export GIT_AUTHOR_NAME=You GIT_AUTHOR_EMAIL=you@example.com GIT_COMMITTER_NAME=You GIT_COMMITTER_EMAIL=you@example.com
export GIT_AUTHOR_DATE="2026-01-02T03:04:05Z" GIT_COMMITTER_DATE="2026-01-02T03:04:05Z"
git config --global init.defaultBranch main
git config --global user.name You
git config --global user.email you@example.com
git init -q --bare /srv/app.git
git clone -q /srv/app.git app 2>/dev/null
cd app
printf 'one\ntwo\nthree\n' >numbers.txt
mkdir src
echo 'export const answer = 41;' >src/answer.ts
git add -A
git commit -qm "Begin"
git push -q origin main
cd ..
printf 'one\n2\nthree\n' >app/numbers.txt
