useradd --create-home dev
mkdir src out app
echo 'export const a = 1;' >src/a.ts
echo '<h1>Report</h1>' >out/report.html
tar -cf local.tar src
yonder serve --working-directory /workspace >/dev/null
# Somebody who works there.
(while sleep 0.1; do date +%N >app/notes.txt; done) >/dev/null 2>&1 &
